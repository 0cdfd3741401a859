#include "base/intern.h"

#include <pthread.h>

#include "base/arena.h"
#include "base/map.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct zp_map names;
static struct zp_arena storage;

const char *zp_intern(struct zp_str s)
{
	pthread_mutex_lock(&lock);
	const char *name = zp_map_get(&names, s);
	if (!name) {
		name = zp_arena_strndup(&storage, s.ptr, s.len);
		zp_map_set(&names, zp_strn(name, s.len), (void *)name);
	}
	pthread_mutex_unlock(&lock);
	return name;
}

const char *zp_intern_cstr(const char *s)
{
	return zp_intern(zp_str(s));
}

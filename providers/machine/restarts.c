#include "providers/machine/restarts.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

struct history {
	struct history *next;
	char *key;
	int64_t starts[PROVIDER_RESTARTS]; /* a ring, the oldest at `oldest` */
	size_t count, oldest;
	bool given_up;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct history *histories; /* only of machines that died lately: few */

static struct history **find(const char *key)
{
	struct history **at = &histories;

	while (*at && strcmp((*at)->key, key) != 0)
		at = &(*at)->next;
	return at;
}

static bool take(struct history *history, int64_t now)
{
	if (history->given_up)
		return false;
	if (history->count == PROVIDER_RESTARTS) {
		if (now - history->starts[history->oldest] < PROVIDER_RESTART_SECONDS) {
			history->given_up = true;
			return false;
		}
		history->starts[history->oldest] = now;
		history->oldest = (history->oldest + 1) % PROVIDER_RESTARTS;
		return true;
	}
	history->starts[history->count++] = now;
	return true;
}

bool provider_restart_take(const char *key, int64_t now)
{
	struct history **at;
	bool may;

	pthread_mutex_lock(&lock);
	at = find(key);
	if (!*at) {
		*at = zp_calloc(1, sizeof(**at));
		(*at)->key = zp_strdup(key);
	}
	may = take(*at, now);
	pthread_mutex_unlock(&lock);
	return may;
}

bool provider_restart_is_given_up(const char *key)
{
	struct history *history;
	bool given_up;

	pthread_mutex_lock(&lock);
	history = *find(key);
	given_up = history && history->given_up;
	pthread_mutex_unlock(&lock);
	return given_up;
}

void provider_restart_forget(const char *key)
{
	struct history **at, *history;

	pthread_mutex_lock(&lock);
	at = find(key);
	history = *at;
	if (history) {
		*at = history->next;
		free(history->key);
		free(history);
	}
	pthread_mutex_unlock(&lock);
}

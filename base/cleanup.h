/*
 * Ownership by scope: a variable declared with one of these macros is released when it goes out of
 * scope, so that early return is safe. Initialise where declared; hand over with zp_steal().
 *
 *	zp_autofree char *path = zp_format("%s/%s", dir, name);
 *	zp_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
 *	...
 *	return zp_steal(path);
 */
#ifndef ZP_BASE_CLEANUP_H
#define ZP_BASE_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define zp_cleanup(fn) __attribute__((cleanup(fn)))

static inline void zp_cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void zp_cleanup_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void zp_cleanup_file(FILE **f)
{
	if (*f)
		fclose(*f);
}

static inline void zp_cleanup_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}

#define zp_autofree zp_cleanup(zp_cleanup_free)
#define zp_autoclose zp_cleanup(zp_cleanup_fd)
#define zp_autofclose zp_cleanup(zp_cleanup_file)
#define zp_autoclosedir zp_cleanup(zp_cleanup_dir)

/* Takes the pointer out of an owning variable. */
#define zp_steal(p)                                                                                \
	({                                                                                         \
		__typeof__(p) zp_stolen_ = (p);                                                    \
		(p) = NULL;                                                                        \
		zp_stolen_;                                                                        \
	})

#define ZP_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define ZP_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

#endif

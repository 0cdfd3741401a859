/* Shared by the files that fetch modules; not for others. */
#ifndef MODULES_FETCH_INTERNAL_H
#define MODULES_FETCH_INTERNAL_H

#include "modules/fetch.h"

/* Into the new folder tree; work is a folder for anything else that is needed meanwhile. */
int module_fetch_git(const struct module_address *address, const char *work, const char *tree,
	struct zp_error *err);
int module_fetch_archive(const struct module_address *address, const char *work, const char *tree,
	struct zp_error *err);

/* An archive of any kind that modules come in, into the folder tree, which is there. */
int module_unpack(const char *path, const char *tree, struct zp_error *err);

/*
 * cache.c: packages that can not change, kept with a checksum. 1: the tree was made from the cache; 0: it has
 * none, or one that was damaged and is gone.
 */
int module_cache_take(const char *key, const char *tree);
/* Keeps the tree, as far as that works. */
void module_cache_keep(const char *key, const char *tree);

#endif

/* Shared by the files that fetch modules; not for others. */
#ifndef MODULES_FETCH_INTERNAL_H
#define MODULES_FETCH_INTERNAL_H

#include "modules/fetch.h"

/* Into the new folder tree; work is a folder for anything else that is needed meanwhile. */
int module_fetch_git(const struct module_address *address, const char *work, const char *tree,
	struct zp_error *err);
int module_fetch_archive(const struct module_address *address, const char *work, const char *tree,
	struct zp_error *err);

#endif

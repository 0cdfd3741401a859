/*
 * Brings modules here.
 *
 *	if (module_fetch(&address, NULL, dir, &err) < 0) ...
 */
#ifndef MODULES_FETCH_H
#define MODULES_FETCH_H

#include "base/error.h"
#include "modules/address.h"

/*
 * Makes dir hold the address's package (of kind MODULE_GIT or MODULE_ARCHIVE); what was there is replaced once all has been
 * fetched. A package with links that lead out of it, or with anything but files, folders and links, is
 * refused. The error holds no passwords. release: what a registry calls it, name and version, which never changes;
 * or NULL.
 */
int module_fetch(const struct module_address *address, const char *release, const char *dir,
	struct zp_error *err);

#endif

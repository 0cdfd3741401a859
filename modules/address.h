/*
 * Where a module comes from: what the "source" of a module block says.
 *
 *	struct module_address address;
 *	module_address_parse(source, &address);
 *	... address.kind ...
 *	module_address_release(&address);
 */
#ifndef MODULES_ADDRESS_H
#define MODULES_ADDRESS_H

#include "base/str.h"

enum module_source {
	MODULE_LOCAL,	 /* "./x", "../x" */
	MODULE_GIT,	 /* git::URL, github.com/..., bitbucket.org/..., user@host:path */
	MODULE_REGISTRY, /* [host/]namespace/name/system */
	MODULE_ARCHIVE,	 /* http(s) address of a packed folder */
	MODULE_PAGE,	 /* http(s) address of a page that tells where the module is */
	MODULE_OTHER,	 /* of a kind that is known and not fetched: s3, gcs, hg */
	MODULE_UNKNOWN,	 /* nothing that is known */
};

struct module_address {
	enum module_source kind;
	char *package;	 /* what is fetched, in full, as the peer writes it */
	char *canonical; /* package and subfolder, as modules.json has it */
	char *subfolder; /* in the package; "" for all of it */
	char *url;	 /* of git and archives: what a client is given */
	char *ref;	 /* of git: branch, tag or commit; NULL: the default branch */
	char *checksum;	 /* of archives: "sha256:1f..." or without its kind; or NULL */
};

/* Always fills address; it is to be released. */
void module_address_parse(const char *source, struct module_address *address);
void module_address_release(struct module_address *address);
/* The text without a password that stands in an address. Heap. */
char *module_address_shown(const char *text);
/* Whether a path stays within the folder it starts from: relative, and no ".." in it. */
bool module_path_is_inside(const char *path);

#endif

/*
 * modules.json of the data folder: which modules a configuration calls, and where they are. In Terraform's
 * form, so that either program finds what the other one prepared.
 */
#ifndef MODULES_MANIFEST_H
#define MODULES_MANIFEST_H

#include "base/arena.h"
#include "base/json.h"
#include "base/map.h"

struct module_entry {
	const char *source;  /* canonical, see address.h */
	const char *version; /* of a registry's; or NULL */
	const char *dir;
};

/* Key ("a.b") -> struct module_entry, both in the arena. What can not be read is as if it were not there. */
void module_manifest_read(struct zp_str text, struct zp_map *entries, struct zp_arena *arena);
/* One entry, into the list. */
void module_manifest_write(struct zp_json_writer *writer, const char *key, const struct module_entry *entry);

#endif

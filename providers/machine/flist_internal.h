/*
 * A flist as it was read: entries in the order in which they can be made, folders before what is in
 * them.
 */
#ifndef PROVIDER_MACHINE_FLIST_INTERNAL_H
#define PROVIDER_MACHINE_FLIST_INTERNAL_H

#include <sys/types.h>

#include "base/arena.h"
#include "providers/machine/flist.h"
#include "providers/machine/flist_blocks.h"

struct provider_flist_entry {
	int64_t ino, parent_ino;
	struct provider_flist_entry *parent; /* NULL: the root */
	const char *name;
	const char *target; /* of a symbolic link */
	int64_t size;
	uint32_t uid, gid, mode;
	uint64_t rdev;
	int64_t mtime;
	size_t block_count; /* so many of `blocks`, */
	size_t first_block; /* from this one on */
};

struct provider_flist_content {
	struct zp_arena arena;
	struct provider_flist_entry *entries; /* by ino */
	size_t count;
	struct provider_flist_entry **order; /* the root first */
	struct provider_block *blocks;
	size_t block_count;
	int64_t bytes; /* of all files */
	struct provider_blocks stores;
};

/* Reads and checks all of it; release it whatever comes. */
int provider_flist_read(const struct provider_flist *flist, struct provider_flist_content *content,
	struct zp_error *err);
void provider_flist_release(struct provider_flist_content *content);

/* Heap: where the entry is under the folder. */
char *provider_flist_path(const char *folder, const struct provider_flist_entry *entry);

#endif

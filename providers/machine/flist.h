/*
 * Flists: an SQLite database with the metadata of files (its inodes), and the ids and keys of the blocks
 * they are made of, which are in stores elsewhere (flist_blocks.h).
 *
 *	inode(ino, parent, name, size, uid, gid, mode, rdev, ctime, mtime)
 *				the root is "/", of parent 0
 *	extra(ino, data)	where symbolic links lead
 *	block(ino, id, key)	in their order, of 512 KiB each but the last of a file
 *	route(start, end, url)	which store has a block, by the first byte of its id
 */
#ifndef PROVIDER_MACHINE_FLIST_H
#define PROVIDER_MACHINE_FLIST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct provider_flist {
	const char *path;  /* of the database */
	const char *cache; /* the node's */
	int64_t limit;	   /* bytes all files may have together */
	bool local;	   /* dir:// stores, folders of the node, are allowed */
	/* May be NULL. */
	void (*progress)(void *data, int64_t bytes, int64_t total);
	void *data;
};

/* Makes the files in the folder, which is empty and nobody else's. */
int provider_flist_unpack(
	const struct provider_flist *flist, const char *folder, struct zp_error *err);

#endif

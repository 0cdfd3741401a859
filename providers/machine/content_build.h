/*
 * From content at hand to what the cache keeps of it (content_cache.h).
 */
#ifndef PROVIDER_MACHINE_CONTENT_BUILD_H
#define PROVIDER_MACHINE_CONTENT_BUILD_H

#include <stdint.h>

#include "base/error.h"
#include "providers/machine/content_kind.h"
#include "providers/machine/tree_hash.h"

/*
 * Fills the folder `to` with what machines of this folder's content need. One with /image.raw is a
 * disk, one with /boot/vmlinuz brings its own kernel, every other one is a root file system. limit:
 * bytes that the machine's root may have.
 */
int provider_build_folder(const char *folder, const struct provider_tree *tree, const char *to,
	int64_t limit, struct zp_error *err);

/* The same for a file of the kinds EXT4, RAW and QCOW2. */
int provider_build_image(const char *path, enum provider_content_kind kind, const char *to,
	int64_t limit, struct zp_error *err);

/* Unpacks a file of the kinds TAR and SQUASHFS into the folder, which is empty. */
int provider_build_unpack(const char *path, enum provider_content_kind kind, const char *folder,
	struct zp_error *err);

/* How large an image for this much content has to be, and how many inodes it has. */
void provider_content_size(int64_t bytes, int64_t entries, int64_t *size, int64_t *inodes);

/* -1 with err when so many bytes are more than the limit. */
int provider_content_fits(int64_t bytes, int64_t limit, struct zp_error *err);

#endif

/*
 * The node's cache of content: a folder per different content, <root>/cache/<hash>, with
 *
 *	root.img	an ext4 file system that machines have as their root, or
 *	disk.img	a whole disk (raw) that machines boot by firmware
 *	kernel, initrd	beside root.img, of content that brings its own
 *
 * Machines link these files into folders of their own (<machine>/base), so that an image with one
 * link is used by none.
 */
#ifndef PROVIDER_MACHINE_CONTENT_CACHE_H
#define PROVIDER_MACHINE_CONTENT_CACHE_H

#include <stdbool.h>

#include "base/error.h"
#include "node/context.h"

#define PROVIDER_BASE_ROOT "root.img"
#define PROVIDER_BASE_DISK "disk.img"
#define PROVIDER_BASE_KERNEL "kernel"
#define PROVIDER_BASE_INITRD "initrd"

/* Heap: where the cache is; made when missing. NULL with err. */
char *provider_cache_folder(const struct node_context *node, struct zp_error *err);
/* Heap: a new, empty folder of the cache to make content in. NULL with err. */
char *provider_cache_scratch(const char *cache, struct zp_error *err);

/* Whether the cache has the content. It then stays for as long as it takes to link it. */
bool provider_cache_has(const char *cache, const char *hash);
/* Takes the folder, which was filled, over as the content of this hash. */
int provider_cache_keep(
	const char *cache, const char *hash, const char *folder, struct zp_error *err);
/* Replaces the folder `to` by one with links to the content's files. */
int provider_cache_link(const char *cache, const char *hash, const char *to, struct zp_error *err);

/* Removes content no machine uses and that was not asked for in the last week. */
void provider_cache_prune(const char *cache);

#endif

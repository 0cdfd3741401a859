/*
 * What machines are made of: from the URL of some content to an ext4 image in the node's cache, one
 * per different content, shared by all machines that have it.
 *
 * Kinds: a folder (file:///path/), and tar archives (.tar, also .gz .bz2 .xz .zst), local or by
 * http(s).
 *
 * A machine links the image into its own folder, so that an image of the cache with one link is
 * used by none.
 */
#ifndef PROVIDER_MACHINE_CONTENT_H
#define PROVIDER_MACHINE_CONTENT_H

#include "base/error.h"
#include "node/context.h"

/*
 * Makes the image if the cache does not have it, and links it to link_path (replacing what is
 * there). checksum: what an archive must hash to, "" when nothing was promised. id: whom to report
 * progress for.
 */
int provider_content_link(struct node_context *node, const char *id, const char *url,
	const char *checksum, const char *link_path, struct zp_error *err);

/* Removes images no machine uses and that were not asked for in the last week. */
void provider_content_prune(const struct node_context *node);

/* Path of a file URL ("file:///a%20b" -> "/a b"), on the heap. NULL with err. */
char *provider_content_path(const char *url, struct zp_error *err);

/* How large an image for this much content has to be, and how many inodes it has. */
void provider_content_size(int64_t bytes, int64_t entries, int64_t *size, int64_t *inodes);

#endif

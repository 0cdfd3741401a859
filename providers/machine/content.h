/*
 * What machines are made of: from the URL of some content to files in the node's cache
 * (content_cache.h), one copy per different content, shared by all machines that have it. Machines
 * that want the same at once wait for one fetch and one build.
 *
 * Kinds: a folder (file:///path/), and by their first bytes (content_kind.h) tar archives,
 * squashfs, flists (flist.h), ext4 file systems and disk images, local or by http(s). What a server
 * says has not changed is not fetched again.
 */
#ifndef PROVIDER_MACHINE_CONTENT_H
#define PROVIDER_MACHINE_CONTENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "node/context.h"

struct provider_content {
	const char *url;
	const char *checksum; /* what a file must hash to; "" when nothing was promised */
	int64_t limit;	      /* bytes of the machine's root */
	bool local;	      /* may refer to files of the node */
};

/*
 * Brings the content into the cache if it is not there, and links its files into the folder `to`
 * (replacing it). id: whom to report progress for.
 */
int provider_content_link(struct node_context *node, const char *id,
	const struct provider_content *content, const char *to, struct zp_error *err);

/* Removes content no machine uses and that was not asked for in the last week. */
void provider_content_prune(const struct node_context *node);

/* Path of a file URL ("file:///a%20b" -> "/a b"), on the heap. NULL with err. */
char *provider_content_path(const char *url, struct zp_error *err);

#endif

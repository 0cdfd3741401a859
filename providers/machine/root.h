/*
 * A machine's root disk: <folder>/root.qcow2, what the machine has written, over the image in
 * <folder>/base, whose files are links to those of the content in the cache (content_cache.h). What
 * it was made of stands in <folder>/root.source.
 */
#ifndef PROVIDER_MACHINE_ROOT_H
#define PROVIDER_MACHINE_ROOT_H

#include <stdbool.h>

#include "node/context.h"
#include "providers/machine/spec.h"

enum provider_root_need {
	PROVIDER_ROOT_FINE,
	PROVIDER_ROOT_GROW,
	PROVIDER_ROOT_BUILD, /* there is none, or of other content */
};

enum provider_root_mode {
	PROVIDER_ROOT_CONTAINER, /* a root file system, with the node's kernel and init */
	PROVIDER_ROOT_KERNEL,	 /* a root file system with a kernel of its own */
	PROVIDER_ROOT_FIRMWARE,	 /* a disk with a boot loader */
};

/* Compares what is there with the spec. -1: the root would have to shrink. */
int provider_root_inspect(const char *folder, const struct provider_machine_spec *spec,
	enum provider_root_need *need, struct zp_error *err);
/*
 * Brings the content into the folder; the root in use stays as it is. local: it may refer to files
 * of the node.
 */
int provider_root_fetch(struct node_context *node, const char *id, const char *folder,
	const struct provider_machine_spec *spec, bool local, struct zp_error *err);
/* Makes the root anew out of what was fetched, or larger. The machine is stopped. */
int provider_root_apply(const char *folder, const struct provider_machine_spec *spec,
	enum provider_root_need need, struct zp_error *err);

/* How a machine with the root in this folder starts. */
enum provider_root_mode provider_root_mode(const char *folder);

#endif

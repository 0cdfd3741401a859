/*
 * A machine's root disk: <folder>/root.qcow2, what the machine has written, over <folder>/base.img,
 * a link to the content's image in the cache. What it was made of stands in <folder>/root.source.
 */
#ifndef PROVIDER_MACHINE_ROOT_H
#define PROVIDER_MACHINE_ROOT_H

#include "node/context.h"
#include "providers/machine/spec.h"

enum provider_root_need {
	PROVIDER_ROOT_FINE,
	PROVIDER_ROOT_GROW,
	PROVIDER_ROOT_BUILD, /* there is none, or of other content */
};

/* Compares what is there with the spec. -1: the root would have to shrink. */
int provider_root_inspect(const char *folder, const struct provider_machine_spec *spec,
	enum provider_root_need *need, struct zp_error *err);
/* Brings the content into the folder; the root in use stays as it is. */
int provider_root_fetch(struct node_context *node, const char *id, const char *folder,
	const struct provider_machine_spec *spec, struct zp_error *err);
/* Makes the root anew out of what was fetched, or larger. The machine is stopped. */
int provider_root_apply(const char *folder, const struct provider_machine_spec *spec,
	enum provider_root_need need, struct zp_error *err);

#endif

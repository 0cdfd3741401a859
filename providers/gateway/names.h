/*
 * Names of gateways belong to one in the whole inventory, whichever node it is on: first come,
 * first served. There is no one who keeps them all, so whoever wants a name asks every node before
 * and after its own node has taken it: of two who take one at the same moment at most one keeps it.
 */
#ifndef PROVIDERS_GATEWAY_NAMES_H
#define PROVIDERS_GATEWAY_NAMES_H

#include "providers/provider.h"

/* Who is about to get a name. */
struct zos_name_claim {
	struct provider_operation *op;
	const char *name; /* lower case */
	const char *id;	  /* of the workload */
};

/*
 * Asks every node about all claims in one message. Who may not have its name, because another has
 * it, has a problem after it that says who. Nodes that do not answer are warned of, if say_silent.
 */
void zos_names_check(struct provider_instance *instance, const struct zos_name_claim *claims,
	size_t count, bool say_silent);

#endif

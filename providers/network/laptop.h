/*
 * A laptop as a peer of a network: a subnet and a key of its own, and a file for wg-quick. It calls the
 * network's access node, through which all others reach it.
 */
#ifndef PROVIDERS_NETWORK_LAPTOP_H
#define PROVIDERS_NETWORK_LAPTOP_H

#include "providers/network/members.h"
#include "providers/provider.h"
#include "providers/values.h"

/*
 * Plans external_ip, external_sk and access_wg_config, given the planned subnets: null where no access is
 * asked for. same_nodes: nothing else of the network changes.
 */
void zos_laptop_plan(struct provider_plan *plan, struct hcl_value subnets, bool same_nodes);
/*
 * The laptop of a planned network, with the key it has or a new one. False when none is asked for, or with
 * err when it has no place.
 */
bool zos_laptop_take(struct zos_member *laptop, struct hcl_value planned, struct hcl_value prior,
	struct hcl_value subnets, struct zp_error *err);
/* Sets the three attributes once the members are known. laptop: NULL when there is none. */
void zos_laptop_fill(struct provider_builder *builder, const char *ip_range,
	const struct zos_member *members, size_t count, const struct zos_member *laptop);

#endif

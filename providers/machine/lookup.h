/*
 * What a machine needs of other workloads: its network and address, its disks.
 */
#ifndef PROVIDER_MACHINE_LOOKUP_H
#define PROVIDER_MACHINE_LOOKUP_H

#include "providers/machine/machine.h"

/* Fills bridge, ip, gateway, address, console_url. previous: address of the last result, or NULL.
 */
int provider_machine_find_network(
	struct provider_machine *machine, const char *previous, struct zp_error *err);
/* Fills serials and paths. A disk belongs to one machine at a time. */
/* Its public address, if the spec names one; nobody else may have it. */
int provider_machine_find_public(struct provider_machine *machine, struct zp_error *err);
/* Joins it to the planetary network, if that is wanted. */
int provider_machine_find_planetary(struct provider_machine *machine, struct zp_error *err);
int provider_machine_find_disks(struct provider_machine *machine, struct zp_error *err);
/* Gives the address back. */
int provider_machine_free_address(struct node_context *node, const char *id, struct zp_error *err);

#endif

/*
 * One machine of this node: everything that follows from its workload, and bringing it about.
 *
 *	struct provider_machine machine;
 *	if (provider_machine_prepare(&machine, node, w, err) == 0)
 *		rc = provider_machine_converge(&machine, err);
 *	provider_machine_release(&machine);
 *
 * In the machine's folder: root.* and base (root.h), config.img (what its init or cloud-init
 * reads), applied (a hash of what it was last started with), hostname, console.log.
 */
#ifndef PROVIDER_MACHINE_MACHINE_H
#define PROVIDER_MACHINE_MACHINE_H

#include "node/context.h"
#include "providers/machine/config.h"
#include "providers/ip/pool.h"
#include "providers/machine/hypervisor.h"
#include "providers/machine/spec.h"
#include "providers/planetary/planetary.h"

/* Names that follow from the identity alone. */
struct provider_machine_names {
	char domain[16], tap[16], public_tap[16], mac[18], uuid[37];
};

struct provider_machine {
	struct node_context *node;
	const char *id;
	struct provider_machine_spec spec;
	bool local; /* its owner may refer to files of the node */
	struct provider_machine_names names;
	char *folder;
	char bridge[16];
	char hostname[PROVIDER_HOSTNAME_MAX + 1];
	char ip[16], gateway[16], address[20]; /* "10.1.1.2", "10.1.1.1", "10.1.1.2/24" */
	char range[20];			       /* of the whole network, "10.1.0.0/16" */
	struct provider_ip public;	       /* all zero when it has no public address */
	struct provider_planetary planetary; /* these two all zero when it is not on it */
	struct provider_planetary_card card;
	char console_url[32];
	char serials[PROVIDER_MACHINE_MAX_MOUNTS][16];
	char *paths[PROVIDER_MACHINE_MAX_MOUNTS];
};

void provider_machine_names(
	struct node_context *node, const char *id, struct provider_machine_names *out);

/*
 * Looks its network and disks up and leases its address: the one of the last result again, unless
 * the spec names one. On error nothing is held but the lease.
 */
int provider_machine_prepare(struct provider_machine *machine, struct node_context *node,
	const struct node_workload *w, struct zp_error *err);
void provider_machine_release(struct provider_machine *machine);

/* Makes it run as specified; one that does already is left alone. */
int provider_machine_converge(struct provider_machine *machine, struct zp_error *err);
/* Stops it and removes all it had. Works without a valid spec. */
int provider_machine_destroy(struct node_context *node, const char *id, struct zp_error *err);

/* Tells a running machine that the file of a disk has grown. */
int provider_machine_disk_grown(struct node_context *node, const char *id, const char *path,
	int64_t size, struct zp_error *err);

/* Heap: "<folder>/console.log". */
char *provider_machine_log(const char *folder);

#define provider_autorunning zp_cleanup(provider_machine_release) struct provider_machine

#endif

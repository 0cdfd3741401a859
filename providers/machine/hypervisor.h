/*
 * The node's libvirt: one connection for the process, opened when first needed, safe for any number
 * of threads. Domains are transient: what runs is known to libvirt, and nothing else; the registry
 * keeps what should run.
 *
 * Without a configured URI this is libvirt's embedded QEMU driver under <root>/libvirt: no daemon;
 * the machines outlive this process and are taken over by the next one that opens the same root.
 * Only one process at a time may, so the agent does, and the agent alone.
 */
#ifndef PROVIDER_MACHINE_HYPERVISOR_H
#define PROVIDER_MACHINE_HYPERVISOR_H

#include "base/error.h"
#include "node/context.h"

enum provider_domain_state {
	PROVIDER_DOMAIN_NONE, /* not there, or ended */
	PROVIDER_DOMAIN_RUNNING,
	PROVIDER_DOMAIN_PAUSED, /* stopped in the middle: the node's disk is full, or by hand */
};

int provider_hypervisor_state(struct node_context *node, const char *name,
	enum provider_domain_state *state, struct zp_error *err);
int provider_hypervisor_start(struct node_context *node, const char *xml, struct zp_error *err);
/* Presses the power button, and after grace_ms pulls the plug. Nothing there: fine. */
int provider_hypervisor_stop(
	struct node_context *node, const char *name, int grace_ms, struct zp_error *err);
/* Continues a paused domain. */
int provider_hypervisor_resume(struct node_context *node, const char *name, struct zp_error *err);
/* Makes a disk (by its file) of a running domain larger, and the file with it. */
int provider_hypervisor_grow_disk(struct node_context *node, const char *name, const char *path,
	int64_t size, struct zp_error *err);
/* Whether the node runs its own embedded driver. */
bool provider_hypervisor_is_embedded(const struct node_context *node);
/* Gives the connection back, for programs that end; domains go on. */
void provider_hypervisor_close(void);

#endif

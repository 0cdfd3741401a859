/*
 * Members of a Kubernetes cluster: each a machine with one data disk and an environment that tells
 * what it is. The types that make clusters share this.
 */
#ifndef PROVIDERS_KUBERNETES_MEMBER_H
#define PROVIDERS_KUBERNETES_MEMBER_H

#include "hcl-lite/value.h"
#include "providers/zos/composite.h"

#define ZOS_K3S_FLIST "https://hub.grid.tf/tf-official-apps/threefolddev-k3s-v1.31.0.flist"
#define ZOS_K3S_ENTRYPOINT "/sbin/zinit init"
#define ZOS_K3S_MOUNT_POINT "/mydisk"
/* Room for what a member unpacks besides its data. */
#define ZOS_K3S_LEAST_ROOT_MB 2048

struct zos_cluster_member {
	const char *name, *token, *ssh_key; /* ssh_key may be empty */
	const char *master_ip;		    /* NULL: it is the master */
	const char *kubeconfig;		    /* where it is to write one; NULL: where it likes */
};

/* Map of string, in the arena. */
struct hcl_value zos_cluster_environment(
	struct zp_arena *arena, const struct zos_cluster_member *member);
/* The private address of a machine that was made already, or "". */
const char *zos_cluster_address(const struct zos_part *machine);
/* Letters and digits only, and at least one. */
bool zos_cluster_token_is_valid(const char *token);

#endif

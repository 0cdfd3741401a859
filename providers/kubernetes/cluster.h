/*
 * zos_kubernetes: what its two halves share. A member NAME consists of the parts "disk-NAME",
 * "vm-NAME", and "ip-NAME" where it has a public address.
 */
#ifndef PROVIDERS_KUBERNETES_CLUSTER_H
#define PROVIDERS_KUBERNETES_CLUSTER_H

#include "providers/kubernetes/member.h"
#include "providers/zos/composite.h"

extern struct provider_schema zos_cluster_master_schema, zos_cluster_worker_schema;
extern const struct zos_composite zos_kubernetes_kind;

#define ZOS_CLUSTER_MAX_MEMBERS 1000
#define ZOS_CLUSTER_KUBECONFIG "kubeconfig.yaml"

/* "master" and "workers", NULL at the end. */
extern const char *const zos_cluster_blocks[];

/* The member of that name in a list of blocks, or a null. */
struct hcl_value zos_cluster_find(struct hcl_value members, const char *name);
/* What a member says itself, else what the cluster says, else the standard; "flist", "entrypoint".
 */
const char *zos_cluster_chosen(struct hcl_value cluster, struct hcl_value member,
	const char *attribute, const char *standard);

#endif

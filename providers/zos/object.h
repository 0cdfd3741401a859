/*
 * Objects that are one workload on one node: disks, machines, gateways. What is common to them is
 * here; a kind says how its values become a spec, and how a spec and its result become values.
 *
 * Such a type has the attributes id, node and status. status is "ok", or "degraded: " and what is
 * wrong on the node: a plan then always wants it "ok" again, which makes the update that repairs
 * it.
 */
#ifndef PROVIDERS_ZOS_OBJECT_H
#define PROVIDERS_ZOS_OBJECT_H

#include "providers/values.h"
#include "providers/zos/json.h"
#include "providers/zos/node_access.h"

struct zos_kind {
	const char *part;     /* of the workload's id: "<id>/vm" */
	const char *workload; /* its type: "zmachine" */
	/* The workload's spec; the caller frees it. Null and unknown values are left out. */
	cJSON *(*spec)(struct zp_arena *arena, struct hcl_value values);
	/*
	 * Sets what spec and result (never NULL, maybe empty) tell. before is what the object was
	 * taken to be so far.
	 */
	void (*fill)(struct provider_builder *builder, struct hcl_value before, const cJSON *spec,
		const cJSON *result);
};

/* Runs operations of a kind: slot run of its resource type. */
void zos_object_run(const struct zos_kind *kind, struct provider_instance *instance,
	struct provider_operation *const *ops, size_t count);
/* The operation's node: slot batch_key. */
const char *zos_object_node(const struct provider_operation *op);
/* Status and node of a planned object: (part of) slot plan. */
void zos_object_plan(struct provider_plan *plan);

/* For objects of several workloads too. */
void zos_plan_status(struct provider_plan *plan);
/* A problem of the plan when the inventory does not have the node. */
void zos_plan_node(struct provider_plan *plan, const char *attribute, const char *node);
/* Whether the plan makes a new object, be it as a replacement. */
bool zos_plan_is_new(const struct provider_plan *plan);
/* The object's identity: its id where it has one, else the one chosen for it. */
const char *zos_identity(const struct provider_operation *op);
struct hcl_value zos_status(
	struct zp_arena *arena, enum zos_presence presence, const char *message);
/* The value; what is still unknown in it becomes null. */
struct hcl_value zos_built(const struct provider_builder *builder);

#define ZOS_ID                                                                                     \
	{                                                                                          \
		.name = "id", .type = "string", .flags = PROVIDER_COMPUTED,                        \
		.description = "Identity of the object; nodes know its workload by it."            \
	}
#define ZOS_NODE                                                                                   \
	{                                                                                          \
		.name = "node", .type = "string", .flags = PROVIDER_REQUIRED | PROVIDER_FORCE_NEW, \
		.description = "Node it runs on: a name or number of the inventory."               \
	}
#define ZOS_STATUS                                                                                 \
	{                                                                                          \
		.name = "status", .type = "string", .flags = PROVIDER_COMPUTED,                    \
		.description = "\"ok\", or what is wrong on the node."                             \
	}

#endif

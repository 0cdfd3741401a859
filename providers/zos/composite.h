/*
 * Objects made of several workloads, on one node or on several: deployments, clusters. What is common to
 * them is here; a kind says which parts an object has, how the values of a part become a spec, and how what
 * the nodes have becomes values again.
 *
 * What an object has on a node is asked of the node: everything whose id begins with the object's identity.
 * So an update touches only what differs, and a destruction finds what an interrupted run left behind.
 *
 * A change of several objects goes stage by stage, each stage in one message per node: first what stands on
 * others and goes, or has to be made anew, from the top down; then what is new or differs, from the base up;
 * then what nothing stands on any more. A failure ends the stages of its own object only; the part that
 * failed goes, if it was new, and all else that exists stays.
 *
 * Such a type has the attributes id and status, as those of one workload (object.h).
 */
#ifndef PROVIDERS_ZOS_COMPOSITE_H
#define PROVIDERS_ZOS_COMPOSITE_H

#include "providers/values.h"
#include "providers/zos/json.h"
#include "providers/zos/node_access.h"

enum zos_stage {
	ZOS_STAGE_BASE,	   /* what machines stand on: disks, addresses */
	ZOS_STAGE_MACHINE,
	ZOS_STAGE_MEMBER,  /* machines that are told results of the former */
	ZOS_STAGE_ABOVE,   /* what stands on machines: logs */
	ZOS_STAGES
};

struct zos_part {
	const char *node;     /* name in the inventory */
	const char *name;     /* the workload's id is "<identity>/<name>" */
	const char *workload; /* its type */
	enum zos_stage stage;
	struct hcl_value values; /* what its spec is made of; none for what was found on a node */
	bool replaced;	      /* it is made anew: what stands on it must follow */
	/* As the node has it; NULL when it has none. The runner's. */
	cJSON *spec, *result;
	const char *message; /* what is wrong with it; NULL: nothing */
};

struct zos_parts {
	struct zos_part *items;
	size_t count, capacity;
};

/* One operation under way, as a kind sees it. */
struct zos_composition {
	struct provider_instance *instance;
	struct provider_operation *op;
	struct zp_arena *arena; /* the operation's */
	const char *identity;
	/* Nodes it is or may be on: names in the inventory. */
	const char **nodes;
	size_t node_count;
	/* What it consists of: as planned with what nodes say of it, or all that was found. */
	struct zos_parts parts;
	/* Of the network the kind names, on each of the nodes; NULL where it was not asked for. */
	const struct zos_place *places;
};

/* A network on a node. */
struct zos_place {
	const char *node, *network; /* id of its workload */
	const char *subnet;
};

struct zos_composite {
	/* Calls zos_composition_on() with every node in the values. */
	void (*nodes)(struct zos_composition *composition, struct hcl_value values);
	/* Calls zos_part_add() for every workload of the values; those without a name are passed over. */
	void (*parts)(struct zos_composition *composition, struct hcl_value values);
	/* Name of the network its machines are in, looked up on each node before a change. May be NULL. */
	const char *(*network)(struct hcl_value values);
	/* The part's spec; the runner frees it. */
	cJSON *(*spec)(struct zos_composition *composition, const struct zos_part *part);
	/* Whether a part has to be removed first to become what it should be. May be NULL. */
	bool (*replaces)(struct zos_composition *composition, const struct zos_part *part,
		const cJSON *before, const cJSON *after);
	/*
	 * Sets what the parts tell. before is what the object was taken to be; parts it does not have
	 * come on top, and it may be empty (an import).
	 */
	void (*fill)(struct zos_composition *composition, struct provider_builder *builder,
		struct hcl_value before);
};

/* --- for kinds --- */

/* node: name or number. */
void zos_composition_on(struct zos_composition *composition, const char *node);
void zos_part_add(struct zos_composition *composition, const char *node, enum zos_stage stage,
	const char *workload, struct hcl_value values, const char *name_fmt, ...) ZP_PRINTF(6, 7);
/* NULL when it has none of that name. */
const struct zos_part *zos_part_find(const struct zos_composition *composition, const char *name);
/* Id of the part of that name, in the arena. */
const char *zos_part_id(const struct zos_composition *composition, const char *fmt, ...)
	ZP_PRINTF(2, 3);
/* The network on that node (name or number); NULL when it was not looked up. */
const struct zos_place *zos_composition_place(
	const struct zos_composition *composition, const char *node);

/* --- for resource types --- */

/* Slot run. Where the type spans nodes, an import names the identity alone, else NODE/IDENTITY. */
void zos_composite_run(const struct zos_composite *kind, struct provider_instance *instance,
	struct provider_operation *const *ops, size_t count);

/*
 * Networks by the names their objects have, on certain nodes. A network of the same state comes before one
 * of another.
 */
struct zos_network_lookup {
	const char *node, *name;
	const char *id, *subnet; /* set in the arena; NULL with error */
	struct zp_error error;
};
void zos_networks_find(struct provider_instance *instance, struct zp_arena *arena,
	struct zos_network_lookup *lookups, size_t count);
/* The other way round: the network with that workload on lookup->node. False when it has no name, or is not there. */
bool zos_network_at(struct provider_instance *instance, struct zp_arena *arena, const char *workload,
	struct zos_network_lookup *lookup);

#endif

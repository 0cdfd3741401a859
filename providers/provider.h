/*
 * Providers: who makes resources real. One table per provider with its resource types and data sources;
 * providers/registry.c lists them all. The shape follows Terraform's plugin protocol 6, so that a
 * plugin process could stand behind the same table one day.
 *
 * Calls of one instance come from several threads at once.
 */
#ifndef PROVIDERS_PROVIDER_H
#define PROVIDERS_PROVIDER_H

#include "base/diag.h"
#include "node/client.h"
#include "providers/schema.h"

/* What a provider has to say to the user about a configuration or an operation. */
struct provider_problem {
	enum zp_severity severity;
	char *summary, *detail;	 /* heap */
	struct hcl_path path;	 /* attribute it is about, steps on the heap too; may be empty */
};

struct provider_problems {
	struct provider_problem *items;
	size_t count, capacity, errors;
};

/* attribute: name of a top-level attribute, or NULL for the whole. */
void provider_error(struct provider_problems *problems, const char *attribute, const char *summary,
	const char *detail_fmt, ...) ZP_PRINTF(4, 5);
void provider_warning(struct provider_problems *problems, const char *attribute,
	const char *summary, const char *detail_fmt, ...) ZP_PRINTF(4, 5);
/* Takes the text out of err. */
void provider_error_from(struct provider_problems *problems, const char *attribute,
	const char *summary, struct zp_error *err);
void provider_problems_release(struct provider_problems *problems);

/* What the run offers to providers. */
struct provider_environment {
	struct node_pool *nodes;
	const char *lineage; /* of the state; nodes label workloads with it */
	const char *working_dir;
	/*
	 * The outputs of another configuration's state, as an object; config is a known
	 * terraform_remote_state's. NULL where states can not be read.
	 */
	bool (*read_outputs)(const struct provider_environment *environment, struct hcl_value config,
		struct zp_arena *arena, struct hcl_value *outputs, struct provider_problems *problems);
};

struct provider_instance {
	const struct provider *provider;
	const struct provider_environment *environment;
	struct hcl_value config;
	void *data; /* the provider's own */
};

enum provider_verb {
	PROVIDER_READ,	 /* prior -> result; a null result: it is gone. Data sources: config -> result */
	PROVIDER_CREATE, /* planned -> result */
	PROVIDER_UPDATE, /* prior, planned -> result */
	PROVIDER_DELETE, /* prior -> null */
	PROVIDER_RECOVER,/* an intent without outcome: planned (maybe with nulls for what was unknown) and
			  * identity -> the object as it is, or null when nothing of it exists */
	PROVIDER_IMPORT, /* import_id -> result */
};

/*
 * One operation on one object. Inputs are set by the planner, outputs by the provider. Values given in
 * are free of marks. On failure of a create or update the provider sets problems and result to what
 * exists now (null: nothing); a partly created object is kept as tainted.
 */
struct provider_operation {
	enum provider_verb verb;
	const struct provider_resource_type *type;
	const char *address;
	const char *identity; /* of the object: chosen before the first deed, the same for its whole life */
	struct hcl_value prior, planned, config;
	const char *import_id;
	struct zp_str private_in;
	struct zp_arena *arena; /* for result; this operation's own */
	void (*progress)(struct provider_operation *op, const char *text); /* may be NULL */
	void *data; /* the planner's */

	struct hcl_value result;
	struct zp_str private_out;
	struct provider_problems problems;
};

/* Planning one change. planned arrives as the schema alone would have it (see provider_plan_default). */
struct provider_plan {
	const struct provider_resource_type *type;
	struct provider_instance *instance; /* NULL when its configuration is not known yet */
	struct zp_arena *arena;
	struct hcl_value prior;	  /* null object: create */
	struct hcl_value config;  /* as written; unset is null */
	struct hcl_value planned; /* in and out */
	struct hcl_path *replace; /* attributes that force replacement; in and out, arena */
	size_t replace_count;
	struct provider_problems problems;
};

/* What of a node an object takes. */
struct provider_demand {
	const char *node; /* as the object names it; NULL while it is unknown */
	int64_t cores, memory, disk; /* bytes */
	int64_t addresses; /* public IPv4 */
};

/* A change of a plan as a whole: values free of marks, null objects where absent, unknown parts in planned. */
struct provider_change {
	const struct provider_resource_type *type;
	const char *address;
	struct hcl_value prior, planned;
};

struct provider_resource_type {
	const char *name; /* "zos_disk" */
	struct provider_schema *schema;
	/*
	 * Attribute that holds the object's identity; "id" nearly always. On create the planner hands the
	 * identity over in the operation; the result carries it here. Types with in_process set may choose
	 * one of their own. NULL: objects of this type have none (random_bytes).
	 */
	const char *identity_attribute;
	/* Nothing exists outside the state (terraform_data): no journal intent is needed before it. */
	bool in_process;

	/* Objects lie on several nodes: an import names their identity alone, else NODE/IDENTITY. */
	bool spans_nodes;

	/* Beyond the schema; unknown values are to be let pass. May be NULL. */
	void (*validate)(struct hcl_value config, struct provider_problems *problems);
	/* Adjusts what provider_plan_default made. May be NULL. */
	void (*plan)(struct provider_plan *plan);
	/*
	 * Runs count operations of this type, of any verbs, to their end. Operations with the same
	 * batch key come together where they are ready together, so that a node hears of them in one
	 * message. Required, for data sources with PROVIDER_READ only.
	 */
	void (*run)(struct provider_instance *instance, struct provider_operation *const *ops,
		size_t count);
	/* Name of the node (or whatever is worth batching for) an operation talks to; NULL: no batches. */
	const char *(*batch_key)(const struct provider_operation *op);
	/* Calls add for everything the object takes of nodes, as far as that is known. May be NULL. */
	void (*demand)(struct hcl_value object,
		void (*add)(void *data, const struct provider_demand *demand), void *data);
	/* State JSON of an older schema version to the current one. May be NULL when version is 0. */
	bool (*upgrade)(struct zp_str json, int64_t version, struct zp_buf *out, struct zp_error *err);
};

struct provider {
	const char *name;   /* local name: "zos" */
	const char *source; /* "registry.terraform.io/zplan/zos"; "terraform.io/builtin/terraform" */
	const char *const *other_sources; /* that configurations name it by; NULL-terminated; may be NULL */
	const char *version;
	struct provider_schema *schema; /* of its provider block */
	const struct provider_resource_type *const *resources; /* NULL-terminated */
	const struct provider_resource_type *const *data_sources; /* NULL-terminated; may be NULL */
	/* Fills instance->data from instance->config. May be NULL. Config may be partly unknown in a plan. */
	void (*configure)(struct provider_instance *instance, struct provider_problems *problems);
	void (*release)(struct provider_instance *instance);
	/*
	 * Looks at all changes of a plan together: those of types with a demand, for its default
	 * configuration. May be NULL.
	 */
	void (*review)(struct provider_instance *instance, const struct provider_change *changes,
		size_t count, struct provider_problems *problems);
};

/* All built-in providers, compiled; NULL-terminated. */
const struct provider *const *provider_all(void);
/* By source address, with or without the default host and namespace; NULL when not built in. */
const struct provider *provider_find(const char *source);
/* The provider a resource type belongs to by its name's prefix: "zos_disk" -> zos. NULL when none. */
const struct provider *provider_for_type(const char *type_name);
const struct provider_resource_type *provider_resource(const struct provider *provider,
	const char *type, bool data);

/*
 * What the schema alone says of a change: defaults, computed values kept or unknown, FORCE_NEW paths.
 * Sets plan->planned and plan->replace from prior and config, which must be free of marks. Where
 * something forces replacement, computed values are those of a new object: unknown.
 */
void provider_plan_default(struct provider_plan *plan);

#endif

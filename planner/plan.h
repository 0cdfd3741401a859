/*
 * Plans: what will change, in which order; and carrying it out.
 *
 *	struct plan *plan = plan_create(config, &options, state, &diags);
 *	plan_changes(plan, &count) ...                    for people and machines to look at
 *	plan_save(plan, path, err);  plan_load(path, ...)
 *	plan_apply(plan, &apply_options, &diags);
 *	plan_free(plan);
 */
#ifndef PLANNER_PLAN_H
#define PLANNER_PLAN_H

#include "planner/config.h"
#include "state/backend.h"
#include "state/journal.h"

/* Where a variable's value comes from, for messages and for the rules of parsing it. */
enum plan_source { PLAN_FROM_ENVIRONMENT, PLAN_FROM_FILE, PLAN_FROM_COMMAND_LINE, PLAN_FROM_PROMPT };

struct plan_input {
	const char *name;
	enum plan_source source;
	const char *text;	/* environment, -var, prompt: literal for string variables, else an expression */
	struct hcl_expr *expr;	/* tfvars files: parsed there */
	struct zp_range range;	/* of the assignment in a file */
	const char *origin;	/* for messages: "TF_VAR_x", "-var", file name */
};

enum plan_kind { PLAN_NORMAL, PLAN_DESTROY, PLAN_REFRESH_ONLY };

enum plan_action {
	PLAN_NO_OP,
	PLAN_CREATE,
	PLAN_READ,
	PLAN_UPDATE,
	PLAN_DELETE_CREATE, /* replacement */
	PLAN_CREATE_DELETE, /* replacement with create_before_destroy */
	PLAN_DELETE,
	PLAN_FORGET,
};

/* Why; names in machine output are the peer's action_reason. */
enum plan_reason {
	PLAN_REASON_NONE,
	PLAN_REPLACE_BECAUSE_TAINTED,
	PLAN_REPLACE_BECAUSE_CANNOT_UPDATE,
	PLAN_REPLACE_BY_REQUEST,
	PLAN_REPLACE_BY_TRIGGERS,
	PLAN_DELETE_BECAUSE_NO_RESOURCE_CONFIG,
	PLAN_DELETE_BECAUSE_WRONG_REPETITION,
	PLAN_DELETE_BECAUSE_COUNT_INDEX,
	PLAN_DELETE_BECAUSE_EACH_KEY,
	PLAN_DELETE_BECAUSE_NO_MODULE,
	PLAN_DELETE_BECAUSE_NO_MOVE_TARGET,
	PLAN_READ_BECAUSE_CONFIG_UNKNOWN,
	PLAN_READ_BECAUSE_DEPENDENCY_PENDING,
	PLAN_READ_BECAUSE_CHECK_NESTED,
};

/* One object's change. Values carry marks and unknown parts. */
struct plan_change {
	const char *address; /* module.a.type.name["k"] */
	const char *previous_address; /* moved from, or NULL */
	const char *module;  /* "" or module.a[0] */
	enum plan_mode mode;
	const char *type, *name;
	struct state_key key;
	const char *deposed; /* or NULL */
	const struct provider *provider;
	const char *provider_address; /* registry.terraform.io/x/y */
	const struct provider_schema *schema;
	enum plan_action action;
	enum plan_reason reason;
	struct hcl_value before, after; /* null objects where absent */
	struct hcl_path *replace;
	size_t replace_count;
	const char *import_id; /* or NULL */
	const char *generated; /* text of its configuration, when this plan made it; or NULL */
};

struct plan_output_change {
	const char *name;
	enum plan_action action; /* no-op, create, update, delete */
	struct hcl_value before, after;
	bool sensitive, before_sensitive;
};

/* Difference between the stored state and what was found, as refresh saw it. */
struct plan_drift {
	struct plan_change change; /* update or delete */
};

/* Conditions: what they are about, and what became of them. */
enum plan_checked_kind { PLAN_CHECKED_RESOURCE, PLAN_CHECKED_OUTPUT, PLAN_CHECKED_CHECK,
	PLAN_CHECKED_VARIABLE };
enum plan_check_status { PLAN_CHECK_UNKNOWN, PLAN_CHECK_PASS, PLAN_CHECK_FAIL, PLAN_CHECK_ERROR };

struct plan_check_object {
	const char *address; /* module.a["k"].type.name[0], module.a["k"].output.o */
	enum plan_check_status status;
	const char **messages; /* of what failed, as far as they may be told */
	size_t message_count;
};

/* A block of the configuration that has conditions. */
struct plan_check_block {
	enum plan_checked_kind kind;
	const char *address; /* without keys */
	enum plan_check_status status; /* the worst of its objects' */
	struct plan_check_object *objects;
	size_t object_count;
};

struct plan_options {
	enum plan_kind kind;
	bool refresh;
	const struct plan_input *inputs;
	size_t input_count;
	const char *const *replaces; /* addresses of objects to replace */
	size_t replace_count;
	const char *const *targets, *const *excludes; /* -target, -exclude: addresses; not both */
	size_t target_count, exclude_count;
	const struct plan_generated *generated; /* what of the configuration was made for this plan */
	size_t generated_count;
	const char *working_dir;
	const char *workspace;
	struct node_pool *nodes;
	int parallelism; /* 0: 10 */
	struct plan_hooks *hooks; /* may be NULL */
	/* Asks for a variable's value when none is given; NULL result: none. May be NULL. Heap string. */
	char *(*prompt)(void *data, const struct plan_variable *variable);
	void *prompt_data;
};

enum plan_event_kind {
	PLAN_EVENT_REFRESH_START,    /* "Refreshing state... [id=x]" */
	PLAN_EVENT_REFRESH_COMPLETE,
	PLAN_EVENT_READ_START,	     /* data: "Reading..." */
	PLAN_EVENT_READ_COMPLETE,
	PLAN_EVENT_IMPORT_START,     /* while planning: "Preparing import... [id=x]" */
	PLAN_EVENT_IMPORTING,	     /* while applying */
	PLAN_EVENT_IMPORTED,	     /* while applying: "Import complete [id=x]" */
	PLAN_EVENT_APPLY_START,	     /* "Creating...", "Modifying... [id=x]", "Destroying... [id=x]" */
	PLAN_EVENT_APPLY_PROGRESS,   /* every 10 s: "Still creating... [10s elapsed]" */
	PLAN_EVENT_APPLY_COMPLETE,
	PLAN_EVENT_APPLY_ERROR,
	PLAN_EVENT_PROVISION_START,
	PLAN_EVENT_PROVISION_OUTPUT,
	PLAN_EVENT_PROVISION_COMPLETE,
	PLAN_EVENT_PROVISION_ERROR,
	PLAN_EVENT_RECOVERED,	     /* the journal of an interrupted run was taken over */
	PLAN_EVENT_MESSAGE,	     /* a line of text about the run */
};

struct plan_event {
	enum plan_event_kind kind;
	const char *address; /* NULL for the run as a whole */
	const struct plan_change *change; /* may be NULL */
	enum plan_action action; /* of this step: a replacement has a delete and a create */
	const char *id_key, *id_value; /* "id", its value; NULL when unknown */
	double elapsed; /* seconds */
	const char *provisioner; /* type, for events of one */
	const char *text;
};

/* Called from several threads, one at a time. */
struct plan_hooks {
	void (*event)(struct plan_hooks *hooks, const struct plan_event *event);
	/* After one event or several: they are to be seen. May be NULL. */
	void (*flush)(struct plan_hooks *hooks);
};

struct plan;

/*
 * Plans the configuration against the state, which it takes a copy of; refreshed objects are in
 * plan_state(). Errors are in diags; the plan is NULL when there were any that leave nothing to show.
 * First replays and recovers are the caller's: see plan_recover.
 */
struct plan *plan_create(struct plan_config *config, const struct plan_options *options,
	const struct state *state, struct zp_diags *diags);
void plan_free(struct plan *plan);

const struct plan_change *plan_changes(const struct plan *plan, size_t *count);
const struct plan_output_change *plan_output_changes(const struct plan *plan, size_t *count);
const struct plan_drift *plan_drifts(const struct plan *plan, size_t *count);
/* The refreshed prior state. */
const struct state *plan_state(const struct plan *plan);
/* What an object stands on, for plan_refreshed_dependencies(). */
struct plan_names {
	const char **items;
	size_t count;
};
/*
 * Objects of plan_state() that stand, by the configuration, on others than the state says: address -> struct
 * plan_names * of both, sorted. Of the plan's life; the caller releases the map.
 */
void plan_refreshed_dependencies(struct plan *plan, struct zp_map *by_address);
enum plan_kind plan_kind(const struct plan *plan);
/* Anything to do: a change that is not no-op, or an output change. */
bool plan_is_empty(const struct plan *plan);
bool plan_errored(const struct plan *plan);
/* Whether -target or -exclude left something out. */
bool plan_is_limited(const struct plan *plan);

/*
 * For single expressions: a plan that plans nothing, in which objects are what the state says and
 * variables without a value are unknown. NULL after diagnostics.
 */
struct plan *plan_open(struct plan_config *config, const struct plan_options *options,
	const struct state *state, struct zp_diags *diags);
/*
 * Evaluates one expression in the root module's scope, with the functions console has besides. The source
 * must outlive plan and diagnostics. False after diagnostics.
 */
bool plan_evaluate_text(struct plan *plan, const struct zp_source *source, struct hcl_value *value,
	struct zp_diags *diags);

/* Configuration of an object that is imported, made from what the provider says of it. */
struct plan_generated {
	char *address, *id; /* heap */
	char *text;	    /* the block, laid out */
};

/*
 * For each import block whose target is not in the configuration; plan comes from plan_open(). False after
 * diagnostics. The list is heap, for plan_generated_free().
 */
bool plan_generate(struct plan *plan, struct plan_generated **made, size_t *count, struct zp_diags *diags);
void plan_generated_free(struct plan_generated *made, size_t count);

/*
 * Imports one object into the state, which is changed in place; plan comes from plan_open(). False after
 * diagnostics.
 */
bool plan_import(struct plan *plan, struct state *state, const char *address, const char *id,
	struct zp_diags *diags);

/*
 * Plan files: zplan's own format, complete in itself (configuration, variables, prior state, changes,
 * order). diags keep the configuration of a loaded plan, and must outlive it. 0600.
 */
int plan_save(const struct plan *plan, const char *path, struct zp_error *err);
struct plan *plan_load(const char *path, struct node_pool *nodes, struct plan_hooks *hooks,
	struct zp_diags *diags);
/* Whether the file is a plan (by its first bytes). */
bool plan_file_probe(const char *path);

/* Of a refresh-only plan, which has no other changes: objects at new addresses. */
const struct plan_change *plan_moved_changes(const struct plan *plan, size_t *count);
/* By address; of the plan's life. */
const struct plan_check_block *plan_check_blocks(struct plan *plan, size_t *count);
/* "unknown", "pass", "fail", "error". */
const char *plan_check_status_name(enum plan_check_status status);
/* What the plan was made of. */
const struct plan_config *plan_configuration(const struct plan *plan);
/* When, RFC 3339. */
const char *plan_created(const struct plan *plan);
/* What a root variable was given, as it was written, or its default, by its index; NULL: nothing. */
const struct hcl_value *plan_root_value(const struct plan *plan, uint32_t index);

struct plan_apply_options {
	struct state_backend *backend; /* locked */
	struct state *state;  /* loaded, current; changed in place and stored through the backend */
	int parallelism;
	struct plan_hooks *hooks;
	/*
	 * Raised by the signal handler: 1 finish what is in flight and save; 2 stop at once.
	 */
	const volatile int *interrupted;
};

/*
 * Carries the plan out. A stale plan (serial or lineage other than planned) is an error and changes
 * nothing. Results of everything that finished are stored, whatever failed. True when all went well.
 */
bool plan_apply(struct plan *plan, const struct plan_apply_options *options,
	struct zp_diags *diags);

/*
 * If the journal at backend->journal_path is unfinished: takes over its outcomes, asks the nodes about
 * intents without outcome, adopts what exists, stores the state and removes the journal. state is
 * changed in place. Does nothing when there is no journal. False after diagnostics.
 */
bool plan_recover(struct state_backend *backend, struct state *state, struct node_pool *nodes,
	struct plan_hooks *hooks, struct zp_diags *diags);

/*
 * Adds to the state what the nodes have of it and it lacks. lineage: of the state that is meant; NULL: that
 * of the state given, or, when that is empty, the only one on the nodes. False after diagnostics; what could
 * be read was added.
 */
bool plan_rebuild(struct state *state, const char *lineage, struct node_pool *nodes,
	struct plan_hooks *hooks, struct zp_diags *diags, size_t *added);

/* Decodes a state object's attributes by its resource type's schema, with sensitive marks. */
bool plan_decode_object(const struct state_object *object, const struct provider_schema *schema,
	struct zp_arena *arena, struct hcl_value *out, struct zp_error *err);

#endif

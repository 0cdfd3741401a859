/*
 * The inside of a plan. Everything that can be asked for - a variable, a local, an output, a resource,
 * an instance of it, a module call - is a cell: evaluated when first asked for, memoised, and while it is
 * evaluated each other cell it touches is noted as a dependency. Thus evaluation yields the values and the
 * graph in one walk, precise to the instance: a reference to a[4] touches that one and nothing else.
 *
 * A plan is built by one thread. While it is applied, evaluation happens under plan->lock.
 */
#ifndef PLANNER_ENGINE_H
#define PLANNER_ENGINE_H

#include <pthread.h>

#include "base/vec.h"
#include "planner/plan.h"

struct state_address;

/* Evaluation follows references by recursion, on a stack that has room for this. */
#define PLAN_MAX_DEPTH 10000

enum plan_cell_kind {
	PLAN_CELL_VARIABLE,
	PLAN_CELL_LOCAL,
	PLAN_CELL_OUTPUT,
	PLAN_CELL_RESOURCE, /* its expansion; and a barrier: it needs all its instances */
	PLAN_CELL_INSTANCE,
	PLAN_CELL_CALL,
	PLAN_CELL_PROVIDER,
};

enum plan_cell_status { PLAN_NEW, PLAN_BUSY, PLAN_DONE, PLAN_FAILED };

struct plan_cell {
	enum plan_cell_kind kind;
	enum plan_cell_status status;
	uint32_t number;
	uint32_t index;	    /* of its declaration in the module */
	uint32_t touched_by;/* serial of the evaluation that noted it last */
	struct plan_scope_module *module;
	struct hcl_value value;
	struct plan_cell **needs; /* arena */
	uint32_t need_count;
};

ZP_VEC(plan_cell_vec, struct plan_cell *);

/* A module instance: root, or one made by a call. */
struct plan_scope_module {
	const struct plan_module *config;
	struct plan_scope_module *parent;
	struct plan_call_cell *made_by; /* NULL for the root */
	const char *address; /* "" or module.a["k"] */
	struct state_key key;
	struct hcl_value each_value;
	struct plan_cell *variables, *locals, *outputs;
	struct plan_resource_cell *resources;
	struct plan_call_cell *calls;
	struct plan_cell *providers; /* by index of the module's provider blocks */
	struct hcl_functions functions;
};

/* How a block repeats: keys, and where each is found. */
struct plan_repetition {
	enum state_key_kind kind;
	uint32_t count;
	struct state_key *keys;
	struct hcl_value *each_values; /* for_each only */
	bool renewed; /* each_values are those of the apply */
	struct zp_map by_text;	       /* key -> index + 1, for_each only */
};

struct plan_call_cell {
	struct plan_cell cell;
	const struct plan_call *call;
	struct plan_repetition repetition;
	struct plan_scope_module **instances;
	struct hcl_content arguments; /* read once */
	bool arguments_read;
};

struct plan_instance {
	struct plan_cell cell;
	struct plan_resource_cell *resource;
	struct state_key key;
	struct hcl_value each_value;
	const char *address;
	const struct state_object *stored; /* in plan->prior; NULL when there is none */
	struct hcl_value prior;	  /* with marks; null object when there is none */
	struct hcl_value planned; /* with marks */
	enum plan_action action;
	enum plan_reason reason;
	struct hcl_path *replace;
	size_t replace_count;
	const char *identity;
	const char *deposed; /* id of the old object, once it lies deposed */
	bool create_before_destroy;
	bool deferred_conditions; /* preconditions wait for values */
	const char *read_failure; /* why the data source of a check block could not be read */
};

struct plan_resource_cell {
	struct plan_cell cell;	 /* value: the aggregate, once somebody asked for it */
	struct plan_cell expand; /* the decision how many there are */
	const struct plan_resource *config;
	struct plan_repetition repetition;
	struct plan_instance *instances;
	const char *address; /* module.a["k"].type.name */
	const char *block;   /* module.a.type.name: of the block, without keys */
	bool create_before_destroy;
	bool has_aggregate;
	bool settled; /* while applying: all instances are as they will be */
	const char **dependencies; /* addresses of resources it stands on; made when first asked for */
	size_t dependency_count;
	bool has_dependencies;
};

/* A configured provider, made when its first object needs it. */
struct plan_provider {
	const struct provider *provider;
	const struct plan_scope_module *module; /* whose block configures it; NULL: no block */
	const char *alias;
	struct provider_instance instance;
	bool configured, failed;
	bool missing; /* an alias that no block has */
};

/* An object in the state that the configuration does not want, or a deposed one. */
struct plan_orphan {
	const struct state_object *stored;
	const struct provider_resource_type *type;
	struct hcl_value prior;
	enum plan_action action;
	enum plan_reason reason;
	const struct plan_removed *removed; /* the block that says what becomes of it, or NULL */
};

/* An object the state has under another address than the configuration gives it now. */
struct plan_move {
	const char *from, *to;
	const char *module, *type, *name; /* of to */
	enum state_mode mode;
	struct state_key key;
};

struct plan_frame {
	struct plan_cell *cell;
	uint32_t serial;
	struct plan_cell_vec needs;
};

struct plan {
	struct zp_arena arena;
	struct plan_config *config;
	enum plan_kind kind;
	bool refresh, refreshed, applying, errored;
	bool loaded; /* from a plan file */
	bool only_looks; /* console: objects are what the state says, and nothing is planned */
	const char *workspace, *working_dir;
	const char *created; /* RFC 3339: plantimestamp() */
	struct zp_diags *diags;
	struct plan_hooks *hooks;
	pthread_mutex_t hook_lock, lock;
	int parallelism;
	struct provider_environment environment;
	ZP_VEC(, struct plan_provider *) providers;

	struct plan_scope_module *root;
	struct hcl_value *root_values; /* of root variables; dynamic type: not given */
	struct hcl_value *given_values; /* the same before conversion; no type: not given */
	struct plan_cell_vec cells;
	ZP_VEC(, struct plan_frame) frames;
	uint32_t serial, depth;

	struct state *stored; /* as it was loaded */
	struct state *prior;  /* after refresh */
	ZP_VEC(, struct plan_move) moves;
	struct zp_map moved_from, moved_to; /* former, new address -> struct plan_move * */
	/* -target and -exclude (targets.c) */
	struct state_address *targets, *excludes;
	size_t target_count, exclude_count;
	struct zp_map selected; /* block address -> flags */
	struct zp_map doomed;	/* of a destroy plan: addresses of objects */
	bool *selected_outputs, *selected_variables; /* of the root, by index */
	struct zp_map imports; /* address -> id of an object that is imported */
	struct zp_map generated; /* address -> text of configuration that was made */
	bool has_removed;      /* there are "removed" blocks */
	const char **replaces;
	size_t replace_count;
	/* Of a loaded plan: address -> struct zp_str *, JSON of what data sources said, and identities. */
	struct zp_map saved_data, saved_identities;

	ZP_VEC(, struct plan_instance *) instances; /* those with objects or changes */
	ZP_VEC(, struct plan_orphan) orphans;
	ZP_VEC(, struct plan_change) changes, moved_changes;
	ZP_VEC(, struct plan_output_change) output_changes;
	ZP_VEC(, struct plan_drift) drifts;
	ZP_VEC(, struct plan_checked *) checked; /* checks.h */
	struct zp_map checked_by_address;
	struct zp_map written; /* block -> struct plan_names *: what it refers to, read (graph.c) */
	struct zp_map unfinished; /* blocks an apply did not get done with: address without keys */
};

/* cells.c: evaluation, memoised. */
struct plan_scope_module *plan_module_instance(struct plan *plan, const struct plan_module *config,
	struct plan_scope_module *parent, struct plan_call_cell *made_by, struct state_key key,
	struct hcl_value each_value);
/* The cell's value, evaluated when need be, noted as a need of the cell being evaluated. */
struct hcl_value plan_cell_value(struct plan *plan, struct plan_cell *cell);
/* Notes the need only. */
void plan_touch(struct plan *plan, struct plan_cell *cell);
/* False when the cell (or something it needs) failed. */
bool plan_cell_ok(struct plan *plan, struct plan_cell *cell);
/* An address without the keys of instances, which is how the state names dependencies. */
const char *plan_block_address(struct zp_arena *arena, const char *address);
void plan_cell_name(const struct plan_cell *cell, struct zp_buf *out);
struct plan_provider *plan_provider_for(struct plan *plan, struct plan_scope_module *module,
	const struct plan_resource *resource);
struct plan_provider *plan_provider_default(struct plan *plan, const struct provider *provider);
/* The one an object was made with, by what the state says of it: its alias in the root module, or the default. */
struct plan_provider *plan_provider_of(struct plan *plan, const struct state_resource *resource);
/* False after a diagnostic, when the configuration the object needs is not there. what: " (orphan)" or "". */
bool plan_provider_is_there(struct plan *plan, const struct plan_provider *use, const char *address,
	const char *what);

/* record.c: data sources read while planning are part of the state too. */
void plan_store_data(struct plan *plan, struct state *state, bool applied);

/* expand.c */
bool plan_expand(struct plan *plan, struct plan_scope_module *module, const struct hcl_expr *count,
	const struct hcl_expr *for_each, struct plan_repetition *repetition);
/* Number of the instance, or -1. */
int64_t plan_repetition_find(const struct plan_repetition *repetition, struct hcl_value key);
int64_t plan_repetition_find_key(const struct plan_repetition *repetition, struct state_key key);
/* While applying: each.value of an instance, now that what it was made of is known. */
struct hcl_value plan_each_value(struct plan *plan, struct plan_scope_module *module,
	const struct hcl_expr *for_each, struct plan_repetition *repetition, struct state_key key);
bool plan_resource_expand(struct plan *plan, struct plan_resource_cell *resource);
bool plan_call_expand(struct plan *plan, struct plan_call_cell *call);

/* scope.c: what names mean. */
struct plan_checked;

struct plan_scope {
	struct hcl_scope scope;
	struct plan *plan;
	struct plan_scope_module *module;
	struct state_key key; /* of the block's instance */
	struct hcl_value each_value;
	const struct hcl_value *self; /* NULL: none */
	struct plan_checked *checked; /* where answers to rules are noted; NULL: nowhere */
	size_t first_rule;	      /* number of the first of them there */
	bool warns;		      /* a rule that fails is a warning, and one that is open too */
};

void plan_scope_init(struct plan_scope *scope, struct plan *plan, struct plan_scope_module *module,
	struct state_key key, struct hcl_value each_value);
struct hcl_evaluation plan_evaluation(struct plan_scope *scope);
struct hcl_value plan_evaluate(struct plan_scope *scope, const struct hcl_expr *expr);

/* conditions.c: false when one failed. Unknown ones pass and set *deferred (may be NULL). */
bool plan_check_rules(struct plan_scope *scope, const struct plan_check_rule *rules, size_t count,
	const char *what, const char *address, bool *deferred);

/* cells.c: the preconditions of an output. False when one failed. */
bool plan_check_output(struct plan *plan, struct plan_scope_module *module, uint32_t index);

/* instance.c */
/* The conditions of an instance that is as it will be. */
bool plan_instance_check(struct plan *plan, struct plan_instance *instance);
void plan_instance_evaluate(struct plan *plan, struct plan_instance *instance);
/* Config and planned value once more, now that all is known. False after diagnostics. */
bool plan_instance_finalize(struct plan *plan, struct plan_instance *instance,
	struct hcl_value *config, struct hcl_value *planned);
void plan_report_prevented(struct plan *plan, const struct plan_resource *resource,
	const char *address);
/* Reports what a provider says, at the place in the block it is about. */
void plan_report_problems(struct plan *plan, const struct plan_resource *resource,
	const char *address, struct provider_problems *problems);
/* The object with null for each attribute that is not wholly known. */
struct hcl_value plan_without_unknown(struct zp_arena *arena, struct hcl_value object);
/* The same for a data source within a check block: warnings, and the check failed. */
void plan_report_failed_read(struct plan *plan, struct plan_instance *instance,
	struct provider_problems *problems);
/* Marks of config carried over to a value the provider gave, and what the schema calls sensitive. */
struct hcl_value plan_carry_marks(struct plan *plan, const struct provider_schema *schema,
	struct hcl_value config, struct hcl_value value);

/* ephemeral.c: reports ephemeral values where they would be stored. */
void plan_forbid_ephemeral(struct plan *plan, const struct plan_instance *instance,
	struct hcl_value config);

/* ignore.c: with ignore_changes the configuration says, at those places, what is there already. */
struct hcl_value plan_ignore_changes(struct plan *plan, const struct plan_instance *instance,
	struct hcl_value config);

/* triggers.c: something named in replace_triggered_by is about to change. */
bool plan_is_triggered(struct plan *plan, struct plan_instance *instance);

/* objects.c: between values and the state's JSON. */
void plan_encode_attributes(const struct provider_schema *schema, struct hcl_value value,
	struct zp_buf *out);
void plan_encode_sensitive(struct hcl_value value, struct zp_buf *out);
/* The attribute as text; NULL when absent, unknown or no text. */
const char *plan_text_attribute(struct hcl_value object, const char *name);
const char *plan_provider_address(struct plan *plan, const struct provider *provider,
	const char *alias);

/* moved.c: finds out what moved, and rewrites the prior state. */
void plan_find_moves(struct plan *plan);
/* Rewrites addresses in another state the same way. */
void plan_move_objects(struct plan *plan, struct state *state);
/* The former address; NULL when it did not move. */
const char *plan_moved_from(const struct plan *plan, const char *address);

/* targets.c: what of everything the plan is about; all of it, unless options say otherwise. */
bool plan_take_targets(struct plan *plan, const struct plan_options *options);
void plan_choose(struct plan *plan);
/* review.c: lets providers look at all changes together. */
void plan_review(struct plan *plan);
/* replace_order.c: decides which replacements create before they destroy. */
void plan_spread_create_before_destroy(struct plan *plan);
bool plan_selects_block(const struct plan *plan, const char *block);
bool plan_selects_instance(const struct plan *plan, const struct plan_instance *instance);
bool plan_selects_object(struct plan *plan, const struct state_object *object);

/* remote_state.c: see provider_environment. */
bool plan_read_outputs(const struct provider_environment *environment, struct hcl_value config,
	struct zp_arena *arena, struct hcl_value *outputs, struct provider_problems *problems);

/* removed.c */
void plan_check_removed(struct plan *plan);
/* The block about the resource, or about a module it was in; NULL when there is none. */
const struct plan_removed *plan_find_removed(struct plan *plan, const struct state_resource *resource);
void plan_report_forgotten(struct plan *plan);

/* imports.c: asks for the objects import blocks name, and puts them into the prior state. */
void plan_import_objects(struct plan *plan);
/* NULL when it is not imported. */
/* For plan_generate: whether the target is declared; its object as the provider gives it, and the id. */
bool plan_import_has_config(struct plan *plan, const struct plan_import *block);
const char *plan_import_for_config(struct plan *plan, const struct plan_import *block,
	const struct provider_resource_type *type, const char *address, struct hcl_value *object);
/* Every target must have turned out to be wanted. */
void plan_check_imported(struct plan *plan);
const char *plan_import_id(const struct plan *plan, const char *address);

/* refresh.c */
void plan_refresh(struct plan *plan);
/* Notes the drift of one object out of the stored and the prior state, as refresh had found it. */
void plan_restore_drift(struct plan *plan, const char *address, const char *deposed);

/* changes.c: lists what was found, sorted by address. */
void plan_collect_changes(struct plan *plan);
void plan_find_orphans(struct plan *plan);
/* Reports an output that no state can hold. */
bool plan_refuse_infinity(struct plan *plan, const struct plan_output *output, struct hcl_value value);

/* variables.c */
bool plan_take_inputs(struct plan *plan, const struct plan_options *options);
struct hcl_value plan_variable_value(struct plan *plan, struct plan_scope_module *module,
	const struct plan_variable *variable, struct hcl_value given, const struct hcl_expr *expr);

/* Reports variables of the module that break their validation rules. */
/* Its validation rules. */
void plan_validate_variable(struct plan *plan, struct plan_scope_module *module,
	const struct plan_variable *variable);
void plan_validate_variables(struct plan *plan, struct plan_scope_module *module);

/* absent.c: reports blocks that are read but not carried out. */
void plan_report_absent(const struct plan_module *module, struct zp_diags *diags);

/* replace.c */
bool plan_take_replaces(struct plan *plan, const struct plan_options *options);
bool plan_is_replace_requested(const struct plan *plan, const char *address);

/* create.c: a plan without its changes; plan_build makes them. */
struct plan *plan_new(struct plan_config *config, const struct plan_options *options,
	struct zp_diags *diags);
void plan_build(struct plan *plan);

void plan_emit(struct plan *plan, const struct plan_event *event);
/* Many events in a row, with one flush. Between begin and end nobody else says anything. */
void plan_emit_begin(struct plan *plan);
void plan_emit_next(struct plan *plan, const struct plan_event *event);
void plan_emit_end(struct plan *plan);

#endif

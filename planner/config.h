/*
 * Configuration: a module tree of typed structures out of *.tf and *.tf.json files. Loading reads the
 * files, checks everything that needs no values, and reports all it finds; expressions stay syntax.
 *
 *	struct plan_config *config = plan_config_load(&options, &diags);
 *	plan_config_validate(config, &diags);
 *	plan_config_free(config);
 *
 * The whole tree lives in one arena and is never changed after loading, so threads share it.
 */
#ifndef PLANNER_CONFIG_H
#define PLANNER_CONFIG_H

#include "base/map.h"
#include "hcl-lite/eval.h"
#include "modules/address.h"
#include "modules/manifest.h"
#include "providers/provider.h"
#include "state/state.h"

enum plan_mode { PLAN_MANAGED, PLAN_DATA, PLAN_EPHEMERAL };

/* condition / error_message of validation, precondition, postcondition, assert. */
struct plan_check_rule {
	struct hcl_expr *condition, *error_message;
	struct zp_range range;
};

struct plan_variable {
	const char *name;
	struct hcl_constraint type; /* hcl_dynamic when not given */
	bool has_default, nullable, sensitive, ephemeral;
	struct hcl_value default_value; /* converted */
	struct plan_check_rule *validations;
	size_t validation_count;
	const char *description; /* or NULL */
	struct zp_range range;	 /* the block's header */
	uint32_t index;		 /* in module->variables */
};

struct plan_local {
	const char *name;
	struct hcl_expr *expr;
	struct zp_range range;
	uint32_t index;
};

struct plan_output {
	const char *name;
	struct hcl_expr *expr;
	bool sensitive, ephemeral;
	const char *description;
	struct hcl_expr **depends_on; /* traversals */
	size_t depends_on_count;
	struct plan_check_rule *preconditions;
	size_t precondition_count;
	struct zp_range range;
	uint32_t index;
};

/* "main.tf:5,1-30", in the arena. */
const char *plan_range_text(struct zp_arena *arena, struct zp_range range);
/* Its beginning: "main.tf:5,1". */
const char *plan_place_text(struct zp_arena *arena, struct zp_range range);

/* What is sensitive inside an output of the root module must be declared so. */
void plan_refuse_unmarked_sensitive(struct zp_diags *diags, const struct plan_output *output,
	struct hcl_value value);

/* provider "x" { alias = ... } */
struct plan_provider_config {
	const char *name, *alias; /* alias NULL: the default one */
	const struct provider *provider; /* NULL after a diagnostic */
	struct hcl_body *body;	  /* without alias and version */
	bool has_version;
	struct zp_range range;
};

/* A reference to a provider configuration: `aws` or `aws.west`. */
struct plan_provider_ref {
	const char *name, *alias; /* name NULL: the default for the type */
	struct zp_range range;
};

struct plan_required_provider {
	const char *name, *source; /* local name, full address */
	const char *version; /* constraint text or NULL */
	struct plan_provider_ref *aliases; /* configuration_aliases */
	size_t alias_count;
	struct zp_range range;
};

struct plan_provisioner {
	const char *type;
	bool when_destroy, on_failure_continue;
	struct hcl_body *body;
	struct hcl_body *connection; /* or NULL */
	struct zp_range range;
};

struct plan_lifecycle {
	bool create_before_destroy, has_create_before_destroy, prevent_destroy;
	bool ignore_all;
	struct hcl_path *ignore_changes;
	size_t ignore_count;
	struct hcl_expr **replace_triggered_by;
	size_t replace_triggered_count;
	struct plan_check_rule *preconditions, *postconditions;
	size_t precondition_count, postcondition_count;
	struct zp_range prevent_destroy_range;
};

struct plan_resource {
	enum plan_mode mode;
	const char *type, *name;
	struct hcl_expr *count, *for_each; /* at most one */
	struct plan_provider_ref provider_ref;
	const struct provider *provider; /* resolved; NULL after a diagnostic */
	const struct provider_resource_type *resource_type; /* NULL after a diagnostic */
	struct hcl_expr **depends_on;
	size_t depends_on_count;
	struct plan_lifecycle lifecycle;
	struct plan_provisioner *provisioners;
	size_t provisioner_count;
	struct hcl_body *connection;
	struct hcl_body *body; /* without the meta-arguments */
	bool in_check;	       /* a data source within a check block */
	struct zp_range range; /* the header */
	uint32_t index;	       /* in module->resources */
	const char *address;   /* type.name or data.type.name, without module */
	/* Static references of everything in the block, each once: for ordering. See plan_reference. */
	struct plan_reference *references;
	size_t reference_count;
};

/* What a static reference points at, in the same module. */
enum plan_target { PLAN_TO_VARIABLE, PLAN_TO_LOCAL, PLAN_TO_RESOURCE, PLAN_TO_CALL };

struct plan_reference {
	enum plan_target target;
	uint32_t index; /* into the module's array */
	const char *output; /* PLAN_TO_CALL: the output named, or NULL */
	struct state_key key; /* PLAN_TO_RESOURCE: the instance named, or none */
};

struct plan_call {
	const char *name;
	const char *source;
	const char *version; /* or NULL */
	const char *canonical; /* the source in full, as modules.json has it */
	const char *installed_version; /* of a registry's; or NULL */
	const char *package_dir; /* what was fetched with it; NULL: it is the root module's own */
	struct hcl_expr *count, *for_each;
	struct hcl_expr **depends_on;
	size_t depends_on_count;
	struct { struct plan_provider_ref inner, outer; } *providers;
	size_t provider_count;
	struct hcl_body *body; /* the arguments */
	struct plan_module *module; /* loaded; NULL after a diagnostic */
	struct zp_range range, source_range;
	uint32_t index;
};

struct plan_check {
	const char *name;
	struct plan_resource *data; /* scoped data source or NULL */
	struct plan_check_rule *asserts;
	size_t assert_count;
	struct zp_range range;
	uint32_t index;
};

struct plan_moved { struct hcl_expr *from, *to; struct zp_range range; };
struct plan_removed { struct hcl_expr *from; bool destroy; struct plan_provisioner *provisioners;
	size_t provisioner_count; struct hcl_body *connection; struct zp_range range; };
struct plan_import { struct hcl_expr *to, *id, *for_each; struct plan_provider_ref provider;
	struct zp_range range; };

struct plan_backend_config { const char *type; struct hcl_body *body; struct zp_range range; };

struct plan_module {
	const char *dir;  /* as opened */
	const char *path; /* static path: "" or "network.subnet" (call names) */
	struct plan_module *parent;
	const struct plan_call *call; /* that made it; NULL for the root */
	const char *package_dir; /* see plan_call */
	struct plan_variable **variables; size_t variable_count;
	struct plan_local **locals; size_t local_count;
	struct plan_output **outputs; size_t output_count;
	struct plan_resource **resources; size_t resource_count;
	struct plan_call **calls; size_t call_count;
	struct plan_check **checks; size_t check_count;
	struct plan_moved *moved; size_t moved_count;
	struct plan_removed *removed; size_t removed_count;
	struct plan_import *imports; size_t import_count;
	struct plan_provider_config **providers; size_t provider_count;
	struct plan_required_provider *required_providers; size_t required_provider_count;
	struct plan_backend_config *backend; /* root only; or NULL */
	struct hcl_body *encryption; /* body of the encryption block, or NULL */
	/* name -> struct plan_* of this module; resources under "type.name" and "data.type.name" */
	struct zp_map variable_map, local_map, output_map, resource_map, call_map;
};

struct plan_config {
	struct zp_arena arena;
	struct plan_module *root;
	struct plan_source_file *files; /* every file read, for diagnostics and for the plan file */
	size_t file_count, file_capacity;
	bool manifest_read;
	struct zp_map installed; /* modules that were installed: key -> struct module_entry */
};

struct plan_source_file {
	const char *path;
	struct zp_source *source; /* owned */
	struct hcl_body *body;	  /* NULL where it could not be read */
};

struct plan_config_options {
	const char *dir;	   /* of the root module; "." usually */
	bool root_only;		   /* neither the modules it calls nor its providers are looked for */
	/*
	 * Reads a folder's files: names and contents. NULL: from disk. A plan file gives its own copy.
	 */
	struct plan_file_reader *reader;
	/*
	 * Test files (*.tftest.hcl, *.tftest.json) of the root module and of this folder in it are
	 * checked as well. NULL: they are not looked at.
	 */
	const char *test_dir;
	/* Brings modules that are not here yet. NULL: each of them is an error. */
	struct plan_module_installer *installer;
};

/* Asked for every module that is no folder beside its caller. */
struct plan_module_installer {
	/*
	 * The folder of the module, on the heap; NULL after a diagnostic. former: where it was put last
	 * time, or NULL. Sets call->installed_version (for good) where it chose one.
	 */
	char *(*install)(struct plan_module_installer *installer, const char *key, struct plan_call *call,
		const struct module_address *address, const struct module_entry *former,
		struct zp_diags *diags);
};

/* Whether the version that was installed is one the call asks for. */
bool plan_module_version_fits(const struct plan_call *call, const struct module_entry *entry);

/* Gives the module's files. list: names of files in dir (heap array, NULL-terminated), read: content. */
struct plan_file_reader {
	char **(*list)(struct plan_file_reader *reader, const char *dir, struct zp_error *err);
	struct zp_source *(*read)(struct plan_file_reader *reader, const char *path,
		struct zp_error *err);
};

/* Never NULL; errors are in diags. */
struct plan_config *plan_config_load(const struct plan_config_options *options,
	struct zp_diags *diags);
void plan_config_free(struct plan_config *config);
/*
 * Says of each diagnostic whose subject lies in a block which block that is (snippet_context), as far
 * as its file belongs to this configuration. To be called before diagnostics are shown.
 */
void plan_config_annotate(const struct plan_config *config, struct zp_diags *diags);
/* Checks beyond loading: references, types, arguments against schemas. Everything `validate` knows. */
void plan_config_validate(struct plan_config *config, struct zp_diags *diags);

/* The key an index step stands for; none where no instance can have it. */
struct state_key plan_key_of(struct hcl_value index);
/* What the traversal names in the module; false when it is no object of it. */
bool plan_resolve_static(const struct plan_module *module, const struct hcl_expr *traversal,
	struct plan_reference *out);

/*
 * Decodes a block's body by a schema into an object value, evaluating in ev; unset is null, dynamic
 * blocks are expanded. Diagnostics carry ranges; on error the value has unknown parts.
 */
struct hcl_value plan_decode_body(struct hcl_evaluation *ev, const struct hcl_body *body,
	const struct provider_schema *schema);
/* Range of an attribute named by a path within a body, for problems a provider reports; best effort. */
struct zp_range plan_path_range(const struct hcl_body *body, const struct hcl_path *path);

#endif

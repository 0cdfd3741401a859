/*
 * Shared by the files that load a configuration (config*.c); not for others.
 */
#ifndef PLANNER_CONFIG_INTERNAL_H
#define PLANNER_CONFIG_INTERNAL_H

#include "base/intern.h"
#include "base/vec.h"
#include "planner/config.h"

ZP_VEC(plan_expr_vec, struct hcl_expr *);
ZP_VEC(plan_path_vec, struct hcl_path);
ZP_VEC(plan_rule_vec, struct plan_check_rule);
ZP_VEC(plan_provisioner_vec, struct plan_provisioner);

/* A module while its files are read: growing arrays, copied into the arena at the end. */
struct plan_loader {
	struct plan_config *config;
	struct zp_arena *arena;
	struct zp_diags *diags;
	struct plan_file_reader *reader;
	struct plan_module_installer *installer;
	struct plan_module *module;
	bool root_only;
	ZP_VEC(, struct plan_variable *) variables;
	ZP_VEC(, struct plan_local *) locals;
	ZP_VEC(, struct plan_output *) outputs;
	ZP_VEC(, struct plan_resource *) resources;
	ZP_VEC(, struct plan_call *) calls;
	ZP_VEC(, struct plan_check *) checks;
	ZP_VEC(, struct plan_moved) moved;
	ZP_VEC(, struct plan_removed) removed;
	ZP_VEC(, struct plan_import) imports;
	ZP_VEC(, struct plan_provider_config *) providers;
	ZP_VEC(, struct plan_required_provider) required_providers;
};

/* One function per block type; each reports what is wrong and keeps what is usable. */
void plan_load_variable(struct plan_loader *loader, const struct hcl_block *block);
void plan_load_locals(struct plan_loader *loader, const struct hcl_block *block);
void plan_load_output(struct plan_loader *loader, const struct hcl_block *block);
void plan_load_provider(struct plan_loader *loader, const struct hcl_block *block);
void plan_load_terraform(struct plan_loader *loader, const struct hcl_block *block);
void plan_load_resource(struct plan_loader *loader, const struct hcl_block *block);
void plan_load_call(struct plan_loader *loader, const struct hcl_block *block);
void plan_load_check(struct plan_loader *loader, const struct hcl_block *block);
void plan_load_moved(struct plan_loader *loader, const struct hcl_block *block);
void plan_load_removed(struct plan_loader *loader, const struct hcl_block *block);
void plan_load_import(struct plan_loader *loader, const struct hcl_block *block);

/* config_modules.c: the folder of the module a block calls. Heap; NULL after a diagnostic. */
char *plan_module_folder(struct plan_loader *loader, struct plan_call *call);
/* "a/b/../c/./d" -> "a/c/d", without looking at the disk; leading ".." stay. Heap. */
char *plan_clean_path(const char *path);
/* A new, empty row of config->files; valid until the next. */
struct plan_source_file *plan_add_file(struct plan_config *config);

/* A test file: what is wrong in it; nothing of it is kept. The module is the one under test. */
void plan_load_test(struct plan_loader *loader, const struct hcl_body *body);

/* The content of a body by a schema, with diagnostics; rest may be NULL. */
struct hcl_content plan_content(struct plan_loader *loader, const struct hcl_body *body,
	const struct hcl_body_schema *schema, struct hcl_body **rest);
/* The attribute's expression, or NULL. */
struct hcl_expr *plan_content_expr(const struct hcl_content *content, const char *name);
/* A constant true or false; otherwise a diagnostic, and `otherwise`. */
bool plan_constant_bool(struct plan_loader *loader, const struct hcl_content *content,
	const char *name, bool otherwise);
/* A constant string in the arena; NULL when absent or after a diagnostic. */
const char *plan_constant_string(struct plan_loader *loader, const struct hcl_content *content,
	const char *name);
/* What an expression says that is read rather than evaluated: in JSON syntax, the text in a string. */
struct hcl_expr *plan_static(struct plan_loader *loader, struct hcl_expr *expr);
/* The same, also for a name in quotes as old files have it, with a warning. `what`: reference, keyword. */
struct hcl_expr *plan_unquoted(struct plan_loader *loader, struct hcl_expr *expr, const char *what);
void plan_warn_quoted(struct plan_loader *loader, const struct hcl_expr *expr, const char *what);
/* The items of a literal list, each as plan_static gives it. False after a diagnostic. */
bool plan_static_list(struct plan_loader *loader, const struct hcl_expr *list,
	struct hcl_expr ***items, size_t *count);
/* The traversals of depends_on = [...]. */
struct hcl_expr **plan_depends_on(struct plan_loader *loader, const struct hcl_content *content,
	size_t *count);
/* condition and error_message. */
struct plan_check_rule plan_load_rule(struct plan_loader *loader, const struct hcl_block *block);
/* The name as a valid identifier, with the peer's diagnostic when it is not. */
bool plan_check_name(struct plan_loader *loader, struct zp_str name, struct zp_range range,
	const char *summary);
/* `aws` or `aws.west`, given to the argument of that name. */
struct plan_provider_ref plan_load_provider_ref(struct plan_loader *loader, struct hcl_expr *expr,
	const char *argument);
struct plan_provisioner plan_load_provisioner(struct plan_loader *loader,
	const struct hcl_block *block);

/* Loads the module of a call and sets call->module. depth guards against endless nesting. */
void plan_load_child(struct plan_loader *loader, struct plan_call *call);
/* Whether each module gets the provider configurations it expects, in the whole tree. */
void plan_check_passed_providers(struct plan_config *config, struct zp_diags *diags);
/* Full source address: "hashicorp/null" and "null" get the parts they leave out. */
const char *plan_provider_source(struct zp_arena *arena, const char *source);
/* Fills references of every resource of the module. */
void plan_collect_references(struct plan_module *module, struct zp_arena *arena);
/* Calls fn for every expression in a body, nested blocks included. */
void plan_body_expressions(const struct hcl_body *body, struct zp_arena *arena,
	void (*fn)(void *data, const struct hcl_expr *expr), void *data);

/* config_override.c: merges a block of an override file into those of the other files. */
ZP_VEC(plan_block_vec, struct hcl_block *);
void plan_override(struct plan_loader *loader, struct plan_block_vec *blocks, struct hcl_block *over);

#endif

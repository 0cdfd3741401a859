/* Objects that exist and are to be managed from now on: "import" blocks, and the command. */
#include "base/alloc.h"
#include "base/threads.h"
#include "planner/engine.h"
#include "state/address.h"

struct importing {
	struct plan *plan;
	const struct plan_import *block; /* NULL: by command */
	struct plan_scope scope;
	struct zp_range range;
};

/* The address that `to` names; keys in it may be expressions. False after diagnostics. */
static bool write_address(struct importing *importing, const struct hcl_expr *expr, struct zp_buf *out)
{
	struct zp_diags *diags = importing->plan->diags;
	const struct hcl_traverse *steps = NULL;
	size_t count = 0, errors = diags->errors;

	if (expr->kind == HCL_EXPR_TRAVERSAL) {
		zp_buf_puts(out, expr->traversal.root);
		steps = expr->traversal.steps;
		count = expr->traversal.count;
	} else if (expr->kind == HCL_EXPR_RELATIVE) {
		if (!write_address(importing, expr->relative.source, out))
			return false;
		steps = expr->relative.steps;
		count = expr->relative.count;
	} else if (expr->kind == HCL_EXPR_INDEX) {
		if (!write_address(importing, expr->index.collection, out))
			return false;
		struct hcl_value key = plan_evaluate(&importing->scope, expr->index.key);
		if (diags->errors > errors)
			return false;
		key = hcl_unmark_deep(&importing->plan->arena, key, HCL_ALL_MARKS);
		struct hcl_traverse step = { .key = key };
		if (key.state == HCL_KNOWN) {
			struct state_key text = { .kind = STATE_STRING_KEY };
			if (key.type == hcl_string)
				text.text = hcl_text(step.key);
			else if (hcl_number_to_int(key, &text.number))
				text.kind = STATE_INT_KEY;
			state_key_text(text, out);
			return true;
		}
		zp_diag_error(diags, expr->index.key->range, "Invalid import \"to\" expression",
			"The key of the instance is not known, or null, before the plan is applied.");
		return false;
	} else {
		zp_diag_error(diags, expr->range, "Invalid import address expression",
			"The import target must be the address of a resource instance.");
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		struct state_key key = { .kind = STATE_STRING_KEY };
		if (steps[i].name) {
			zp_buf_printf(out, ".%s", steps[i].name);
			continue;
		}
		if (steps[i].key.type == hcl_string)
			key.text = hcl_text(steps[i].key);
		else if (hcl_number_to_int(steps[i].key, &key.number))
			key.kind = STATE_INT_KEY;
		state_key_text(key, out);
	}
	return true;
}

/* The declaration of the address, whatever its keys. */
static const struct plan_resource *find_config(const struct plan_module *module,
	const struct state_address *address)
{
	zp_autofree char *path = zp_strdup(address->module);
	zp_autofree char *name = zp_format("%s%s.%s", address->mode == STATE_DATA ? "data." : "",
		address->type, address->name);
	struct zp_arena arena;

	zp_arena_init(&arena);
	const char *block = plan_block_address(&arena, path);
	/* Keys are gone: module.a.module.b */
	while (module && *block) {
		const char *start = block + strlen("module.");
		size_t length = strcspn(start, ".");
		const struct plan_call *call = zp_map_get(&module->call_map, zp_strn(start, length));
		module = call ? call->module : NULL;
		block = start + length + (start[length] == '.');
	}
	const struct plan_resource *found =
		module ? zp_map_get(&module->resource_map, zp_str(name)) : NULL;
	zp_arena_release(&arena);
	return found;
}

static bool store(struct importing *importing, struct state *state,
	const struct state_address *address, const struct plan_resource *resource,
	const struct plan_provider *provider, const struct provider_operation *op)
{
	struct plan *plan = importing->plan;
	zp_autobuf attributes = ZP_BUF_INIT, sensitive = ZP_BUF_INIT;
	const struct provider_schema *schema = resource->resource_type->schema;
	struct hcl_value value = provider_schema_mark(schema, &plan->arena, op->result);

	plan_encode_attributes(schema, value, &attributes);
	plan_encode_sensitive(value, &sensitive);
	struct state_object object = {
		.resource = state_resource(state, address->module, STATE_MANAGED, resource->type,
			resource->name, plan_provider_address(plan, provider->provider, provider->alias)),
		.key = address->key,
		.schema_version = schema->version,
		.attributes = zp_buf_slice(&attributes),
		.sensitive_attributes = zp_buf_slice(&sensitive),
		.private_data = op->private_out,
	};
	state_set(state, &object);
	return true;
}

/* Asks the provider for the object. False after diagnostics. */
static bool ask(struct importing *importing, struct plan_provider *provider,
	const struct provider_resource_type *type, const char *address, const char *id,
	struct provider_operation *op)
{
	struct plan *plan = importing->plan;
	size_t errors = plan->diags->errors;

	if (!provider || !provider->configured)
		return false;
	struct hcl_value nothing = hcl_null(type->schema->type);
	*op = (struct provider_operation){ .verb = PROVIDER_IMPORT, .type = type, .address = address,
		.arena = &plan->arena, .prior = nothing, .planned = nothing, .config = nothing,
		.import_id = id };
	struct provider_operation *ops[] = { op };
	plan_emit(plan, &(struct plan_event){ .kind = PLAN_EVENT_IMPORT_START, .address = address,
		.id_key = "id", .id_value = id });
	type->run(&provider->instance, ops, 1);
	plan_report_problems(plan, NULL, address, &op->problems);
	if (plan->diags->errors > errors)
		return false;
	if (op->result.type && op->result.state == HCL_KNOWN)
		return true;
	zp_diag_error(plan->diags, importing->range, "Cannot import non-existent remote object",
		"While attempting to import an existing object to \"%s\", the provider detected that no "
		"object exists with the given id. Only pre-existing objects can be imported; check that the "
		"id is correct and that it is associated with the provider's configured region or endpoint, "
		"or use \"zplan apply\" to create a new remote object for this resource.", address);
	return false;
}

/* Puts what the provider says into the state. */
static bool import_object(struct importing *importing, struct state *state,
	const struct state_address *address, const struct plan_resource *resource, const char *id)
{
	struct plan *plan = importing->plan;
	struct plan_provider *provider = plan_provider_for(plan, plan->root, resource);
	struct provider_operation op;

	return ask(importing, provider, resource->resource_type, address->text, id, &op) &&
		store(importing, state, address, resource, provider, &op);
}

static void report_no_configuration(struct plan *plan, struct zp_range range, const char *address)
{
	zp_diag_error(plan->diags, range, "Configuration for import target does not exist",
		"The configuration for the given import target %s does not exist. All target instances "
		"must have an associated configuration to be imported.", address);
}

static const struct plan_resource *check_target(struct importing *importing,
	const struct state_address *address)
{
	struct zp_diags *diags = importing->plan->diags;
	const struct plan_resource *resource =
		find_config(importing->plan->config->root, address);

	if (!address->is_resource || address->mode == STATE_DATA) {
		zp_diag_error(diags, importing->range, "Invalid import address",
			"Only instances of managed resources can be imported, and %s is none.",
			address->text);
		return NULL;
	}
	if (!resource) {
		report_no_configuration(importing->plan, importing->block ? importing->block->to->range :
			importing->range, address->text);
		return NULL;
	}
	return resource->resource_type ? resource : NULL;
}

static const char *evaluate_id(struct importing *importing, const struct hcl_expr *expr)
{
	struct plan *plan = importing->plan;
	size_t errors = plan->diags->errors;
	struct hcl_evaluation ev = plan_evaluation(&importing->scope);
	struct hcl_value id = hcl_evaluate_as(&ev, expr, hcl_string);
	const char *why = NULL;

	if (plan->diags->errors > errors)
		return NULL;
	if (hcl_is_unknown(id))
		why = "The import block \"id\" argument depends on resource attributes that cannot be "
		      "determined until apply, so zplan cannot plan to import this resource.";
	else if (hcl_is_null(id))
		why = "The import ID cannot be null.";
	else if (!id.count)
		why = "The import ID value evaluates to an empty string, please provide a non-empty value.";
	if (!why)
		return id.text;
	zp_diag_error(plan->diags, expr->range, "Invalid import id argument", "%s", why);
	return NULL;
}

static void run_one(struct importing *importing, struct state_key key, struct hcl_value each)
{
	struct plan *plan = importing->plan;
	zp_autobuf text = ZP_BUF_INIT;
	zp_autoerror err = ZP_ERROR_INIT;
	struct state_address address;

	plan_scope_init(&importing->scope, plan, plan->root, key, each);
	if (!write_address(importing, importing->block->to, &text))
		return;
	if (!state_address_parse(text.ptr, &plan->arena, &address, &err)) {
		zp_diag_error(plan->diags, importing->range, "Invalid import address", "%s",
			zp_error_text(&err));
		return;
	}
	const struct plan_resource *resource = check_target(importing, &address);
	const char *id = resource ? evaluate_id(importing, importing->block->id) : NULL;
	if (!id)
		return;
	const char *before = plan_moved_from(plan, address.text);
	if (state_find(plan->stored, before ? before : address.text, NULL))
		return; /* it is managed already */
	if (zp_map_has(&plan->imports, zp_str(address.text))) {
		zp_diag_error(plan->diags, importing->range, "Duplicate import configuration",
			"Another import block has the target %s.", address.text);
		return;
	}
	/* A loaded plan has what was found in its prior state. */
	if (plan->loaded || import_object(importing, plan->prior, &address, resource, id))
		zp_map_set(&plan->imports, zp_str(address.text), (void *)id);
}

void plan_import_objects(struct plan *plan)
{
	const struct plan_module *root = plan->config->root;

	for (size_t i = 0; i < root->import_count; i++) {
		struct importing importing = { .plan = plan, .block = &root->imports[i],
			.range = root->imports[i].range };
		struct plan_repetition repetition = { 0 };
		if (!root->imports[i].for_each) {
			run_one(&importing, (struct state_key){ 0 }, hcl_null(hcl_dynamic));
			continue;
		}
		if (plan_expand(plan, plan->root, NULL, root->imports[i].for_each, &repetition))
			for (uint32_t k = 0; k < repetition.count; k++)
				run_one(&importing, repetition.keys[k], repetition.each_values[k]);
		zp_map_release(&repetition.by_text);
	}
}

static int by_address(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void plan_check_imported(struct plan *plan)
{
	zp_autofree const char **missing = zp_calloc(plan->imports.count + 1, sizeof(*missing));
	struct zp_map wanted = { 0 };
	size_t count = 0;

	for (size_t i = 0; i < plan->instances.count && plan->imports.count; i++)
		zp_map_set(&wanted, zp_str(plan->instances.items[i]->address), plan);
	for (size_t i = 0; i < plan->imports.count; i++)
		if (!zp_map_has(&wanted, plan->imports.entries[i].key) && !plan_is_limited(plan))
			missing[count++] = plan->imports.entries[i].key.ptr;
	qsort(missing, count, sizeof(*missing), by_address);
	for (size_t i = 0; i < count; i++)
		report_no_configuration(plan, ZP_NOWHERE, missing[i]);
	zp_map_release(&wanted);
}

bool plan_import_has_config(struct plan *plan, const struct plan_import *block)
{
	const struct hcl_expr *to = block->to;
	const struct plan_module *module = plan->config->root;

	if (to->kind != HCL_EXPR_TRAVERSAL)
		return to->kind == HCL_EXPR_INDEX || to->kind == HCL_EXPR_RELATIVE; /* said when it is planned */
	const char *word = to->traversal.root;
	uint32_t next = 0;
	while (module && strcmp(word, "module") == 0 && next + 1 < to->traversal.count) {
		const char *name = to->traversal.steps[next++].name;
		const struct plan_call *call = name ? zp_map_get(&module->call_map, zp_str(name)) : NULL;
		module = call ? call->module : NULL;
		next += next < to->traversal.count && !to->traversal.steps[next].name;
		word = next < to->traversal.count ? to->traversal.steps[next++].name : "";
	}
	if (!module || next >= to->traversal.count || !to->traversal.steps[next].name)
		return false;
	zp_autofree char *name = zp_format("%s.%s", word, to->traversal.steps[next].name);
	return zp_map_has(&module->resource_map, zp_str(name));
}

const char *plan_import_for_config(struct plan *plan, const struct plan_import *block,
	const struct provider_resource_type *type, const char *address, struct hcl_value *object)
{
	struct importing importing = { .plan = plan, .block = block, .range = block->range };
	struct provider_operation op;

	plan_scope_init(&importing.scope, plan, plan->root, (struct state_key){ 0 }, hcl_null(hcl_dynamic));
	const char *id = evaluate_id(&importing, block->id);
	struct plan_provider *provider = id ?
		plan_provider_default(plan, provider_for_type(type->name)) : NULL;
	if (!id || !ask(&importing, provider, type, address, id, &op))
		return NULL;
	*object = op.result;
	return id;
}

const char *plan_import_id(const struct plan *plan, const char *address)
{
	return zp_map_get(&plan->imports, zp_str(address));
}

/* ---- the command ---- */

struct command {
	struct importing importing;
	struct state *state;
	const char *address, *id;
	bool ok;
};

static void run_command(void *data)
{
	struct command *command = data;
	struct importing *importing = &command->importing;
	struct plan *plan = importing->plan;
	zp_autoerror err = ZP_ERROR_INIT;
	struct state_address address;

	if (!state_address_parse(command->address, &plan->arena, &address, &err)) {
		zp_diag_error(plan->diags, ZP_NOWHERE, "Invalid address", "%s", zp_error_text(&err));
		return;
	}
	const struct plan_resource *resource = check_target(importing, &address);
	if (!resource)
		return;
	if (state_find(command->state, address.text, NULL)) {
		zp_diag_error(plan->diags, ZP_NOWHERE, "Resource already managed by zplan",
			"zplan is already managing a remote object for %s. To import to this address you "
			"must first remove the existing object from the state.", address.text);
		return;
	}
	command->ok = import_object(importing, command->state, &address, resource, command->id);
}

bool plan_import(struct plan *plan, struct state *state, const char *address, const char *id,
	struct zp_diags *diags)
{
	struct command command = { .importing = { .plan = plan }, .state = state, .address = address,
		.id = id };

	plan->diags = diags;
	zp_call_with_deep_stack(run_command, &command);
	return command.ok;
}

/* What a block's expressions refer to, without evaluating them. */
#include "planner/config_internal.h"

static void each_json_attribute(const struct hcl_body *body, struct zp_arena *arena,
	void (*fn)(void *data, const struct hcl_expr *expr), void *data)
{
	struct hcl_content content = { 0 };
	struct zp_diags ignored;

	zp_diags_init(&ignored);
	hcl_body_attributes(body, arena, &content, &ignored);
	zp_diags_release(&ignored);
	for (size_t i = 0; i < content.attribute_count; i++)
		fn(data, content.attributes[i]->expr);
}

/* The parser bounds how deep blocks nest. */
void plan_body_expressions(const struct hcl_body *body, struct zp_arena *arena,
	void (*fn)(void *data, const struct hcl_expr *expr), void *data)
{
	if (!body)
		return;
	if (body->json) {
		each_json_attribute(body, arena, fn, data);
		return;
	}
	for (size_t i = 0; i < body->attribute_count; i++)
		fn(data, body->attributes[i]->expr);
	for (size_t i = 0; i < body->block_count; i++)
		plan_body_expressions(body->blocks[i]->body, arena, fn, data);
}

/* "type.name" of a resource traversal; data sources have one step more. NULL when too short. */
static const struct plan_resource *find_resource(const struct plan_module *module,
	const struct hcl_expr *expr)
{
	const struct hcl_traverse *steps = expr->traversal.steps;
	bool data = strcmp(expr->traversal.root, "data") == 0;
	size_t need = data ? 2 : 1;
	char key[512];

	if (expr->traversal.count < need || !steps[0].name || (data && !steps[1].name))
		return NULL;
	int n = data ? snprintf(key, sizeof(key), "data.%s.%s", steps[0].name, steps[1].name) :
		       snprintf(key, sizeof(key), "%s.%s", expr->traversal.root, steps[0].name);
	if (n < 0 || (size_t)n >= sizeof(key))
		return NULL;
	return zp_map_get(&module->resource_map, zp_strn(key, (size_t)n));
}

struct state_key plan_key_of(struct hcl_value index)
{
	int64_t number;

	if (index.type->kind == HCL_STRING)
		return (struct state_key){ .kind = STATE_STRING_KEY, .text = hcl_text(index) };
	if (index.type->kind == HCL_NUMBER && hcl_number_to_int(index, &number))
		return (struct state_key){ .kind = STATE_INT_KEY, .number = number };
	return (struct state_key){ .kind = STATE_NO_KEY };
}

/* Of type.name[0] or data.type.name["k"]. */
static struct state_key named_key(const struct plan_resource *resource, const struct hcl_expr *expr)
{
	size_t at = resource->mode == PLAN_MANAGED ? 1 : 2;

	if (at >= expr->traversal.count || expr->traversal.steps[at].name)
		return (struct state_key){ .kind = STATE_NO_KEY };
	return plan_key_of(expr->traversal.steps[at].key);
}

bool plan_resolve_static(const struct plan_module *module, const struct hcl_expr *expr,
	struct plan_reference *out)
{
	if (expr->kind != HCL_EXPR_TRAVERSAL)
		return false;
	const char *root = expr->traversal.root;
	const char *first = expr->traversal.count ? expr->traversal.steps[0].name : NULL;
	*out = (struct plan_reference){ 0 };

	if (strcmp(root, "var") == 0) {
		const struct plan_variable *variable =
			first ? zp_map_get(&module->variable_map, zp_str(first)) : NULL;
		out->target = PLAN_TO_VARIABLE;
		out->index = variable ? variable->index : 0;
		return variable != NULL;
	}
	if (strcmp(root, "local") == 0) {
		const struct plan_local *local =
			first ? zp_map_get(&module->local_map, zp_str(first)) : NULL;
		out->target = PLAN_TO_LOCAL;
		out->index = local ? local->index : 0;
		return local != NULL;
	}
	if (strcmp(root, "module") == 0) {
		const struct plan_call *call =
			first ? zp_map_get(&module->call_map, zp_str(first)) : NULL;
		out->target = PLAN_TO_CALL;
		out->index = call ? call->index : 0;
		for (size_t i = 1; i < expr->traversal.count && i < 3 && !out->output; i++)
			out->output = expr->traversal.steps[i].name;
		return call != NULL;
	}
	const struct plan_resource *resource = find_resource(module, expr);
	out->target = PLAN_TO_RESOURCE;
	out->index = resource ? resource->index : 0;
	if (resource)
		out->key = named_key(resource, expr);
	return resource != NULL;
}

struct collection {
	const struct plan_module *module;
	ZP_VEC(, struct plan_reference) found;
};

static bool same(const struct plan_reference *a, const struct plan_reference *b)
{
	return a->target == b->target && a->index == b->index && a->output == b->output &&
		state_key_equal(a->key, b->key);
}

static void add_traversal(void *data, const struct hcl_expr *traversal)
{
	struct collection *collection = data;
	struct plan_reference reference;

	if (!plan_resolve_static(collection->module, traversal, &reference))
		return;
	for (size_t i = 0; i < collection->found.count; i++)
		if (same(&collection->found.items[i], &reference))
			return;
	zp_vec_push(&collection->found, reference);
}

static void add_expression(void *data, const struct hcl_expr *expr)
{
	if (expr)
		hcl_expr_references(expr, add_traversal, data);
}

static void add_rules(struct collection *collection, const struct plan_check_rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		add_expression(collection, rules[i].condition);
		add_expression(collection, rules[i].error_message);
	}
}

static void collect(struct plan_resource *resource, struct collection *collection,
	struct zp_arena *arena)
{
	const struct plan_lifecycle *lifecycle = &resource->lifecycle;

	add_expression(collection, resource->count);
	add_expression(collection, resource->for_each);
	for (size_t i = 0; i < resource->depends_on_count; i++)
		add_traversal(collection, resource->depends_on[i]);
	for (size_t i = 0; i < lifecycle->replace_triggered_count; i++)
		add_expression(collection, lifecycle->replace_triggered_by[i]);
	add_rules(collection, lifecycle->preconditions, lifecycle->precondition_count);
	add_rules(collection, lifecycle->postconditions, lifecycle->postcondition_count);
	plan_body_expressions(resource->body, arena, add_expression, collection);
	plan_body_expressions(resource->connection, arena, add_expression, collection);
	for (size_t i = 0; i < resource->provisioner_count; i++) {
		if (resource->provisioners[i].when_destroy)
			continue; /* these may refer to nothing but self */
		plan_body_expressions(resource->provisioners[i].body, arena, add_expression,
			collection);
		plan_body_expressions(resource->provisioners[i].connection, arena, add_expression,
			collection);
	}
}

void plan_collect_references(struct plan_module *module, struct zp_arena *arena)
{
	for (size_t i = 0; i < module->resource_count; i++) {
		struct plan_resource *resource = module->resources[i];
		struct collection collection = { .module = module };
		collect(resource, &collection, arena);
		resource->references = zp_vec_to_arena(&collection.found, arena);
		resource->reference_count = collection.found.count;
		zp_vec_release(&collection.found);
	}
}

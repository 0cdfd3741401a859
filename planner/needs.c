/* What stands on what, block by block: references followed through locals, variables, calls and outputs. */
#include "planner/needs.h"

#include "planner/config_internal.h"

const char *plan_block_name(struct zp_arena *arena, const struct plan_module *module,
	const struct plan_resource *resource)
{
	zp_autobuf text = ZP_BUF_INIT;

	for (const char *path = module->path; *path;) {
		size_t length = strcspn(path, ".");
		zp_buf_printf(&text, "module.%.*s.", (int)length, path);
		path += length + (path[length] == '.');
	}
	zp_buf_puts(&text, resource->address);
	return zp_arena_strndup(arena, text.ptr, text.len);
}

static void follow_expression(void *data, const struct hcl_expr *expr);
static void follow_reference(struct plan_needs *walk, const struct plan_reference *reference);

static bool enter(struct plan_needs *walk, const char *kind, uint32_t index)
{
	const char *key = zp_arena_format(
		walk->arena, "%p %s %u", (const void *)walk->module, kind, index);

	if (zp_map_has(&walk->seen, zp_str(key)))
		return false;
	zp_map_set(&walk->seen, zp_str(key), walk);
	return true;
}

/* The call that made the module decides whether its objects are there at all. */
static void follow_calls(struct plan_needs *walk)
{
	const struct plan_module *module = walk->module;

	for (; walk->module->parent; walk->module = walk->module->parent) {
		const struct plan_call *call = walk->module->call;
		const struct plan_module *inner = walk->module;
		walk->module = inner->parent;
		if (enter(walk, "around", call->index)) {
			follow_expression(walk, call->count);
			follow_expression(walk, call->for_each);
			for (size_t i = 0; i < call->depends_on_count; i++)
				follow_expression(walk, call->depends_on[i]);
		}
		walk->module = inner;
	}
	walk->module = module;
}

void plan_needs_of(struct plan_needs *walk, const struct plan_resource *resource)
{
	const struct plan_module *module = walk->module;

	if (!enter(walk, "resource", resource->index))
		return;
	const char *block = plan_block_name(walk->arena, module, resource);
	bool first = !walk->started;
	walk->started = true;
	zp_map_set(walk->found, zp_str(block), (void *)resource);
	if (walk->direct && !first)
		return;
	for (size_t i = 0; i < resource->reference_count; i++) {
		const struct plan_reference *reference = &resource->references[i];
		follow_reference(walk, reference);
		walk->module = module;
	}
	follow_calls(walk);
}

static void follow_variable(struct plan_needs *walk, uint32_t index)
{
	const struct plan_module *module = walk->module;
	const struct plan_call *call = module->call;

	if (!call && walk->root_variables)
		walk->root_variables[index] = true;
	if (!call || !enter(walk, "variable", index))
		return;
	const char *name = module->variables[index]->name;
	walk->module = module->parent;
	if (call->body && !call->body->json) {
		for (size_t i = 0; i < call->body->attribute_count; i++)
			if (strcmp(call->body->attributes[i]->name, name) == 0)
				follow_expression(walk, call->body->attributes[i]->expr);
	} else if (call->body) {
		plan_body_expressions(call->body, walk->arena, follow_expression, walk);
	}
	walk->module = module;
}

static void follow_call(struct plan_needs *walk, const struct plan_reference *reference)
{
	const struct plan_module *module = walk->module;
	const struct plan_module *child = module->calls[reference->index]->module;

	if (!child)
		return;
	walk->module = child;
	for (size_t i = 0; i < child->output_count; i++) {
		if (reference->output && strcmp(child->outputs[i]->name, reference->output) != 0)
			continue;
		if (!enter(walk, "output", (uint32_t)i))
			continue;
		follow_expression(walk, child->outputs[i]->expr);
		for (size_t k = 0; k < child->outputs[i]->depends_on_count; k++)
			follow_expression(walk, child->outputs[i]->depends_on[k]);
	}
	/* Asked for as a whole, as in depends_on: everything in it. */
	for (size_t i = 0; i < child->resource_count && !reference->output; i++) {
		if (walk->met)
			walk->met(walk, child->resources[i], (struct state_key){ .kind = STATE_NO_KEY });
		plan_needs_of(walk, child->resources[i]);
	}
	/* Modules nest no deeper than loading let them. */
	for (size_t i = 0; i < child->call_count && !reference->output; i++)
		if (enter(walk, "whole call", (uint32_t)i))
			follow_call(walk, &(struct plan_reference){ .target = PLAN_TO_CALL,
						  .index = (uint32_t)i });
	follow_calls(walk);
	walk->module = module;
}

static void follow_reference(struct plan_needs *walk, const struct plan_reference *reference)
{
	const struct plan_module *module = walk->module;

	switch (reference->target) {
	case PLAN_TO_RESOURCE:
		if (walk->met)
			walk->met(walk, module->resources[reference->index], reference->key);
		plan_needs_of(walk, module->resources[reference->index]);
		break;
	case PLAN_TO_LOCAL:
		if (enter(walk, "local", reference->index))
			follow_expression(walk, module->locals[reference->index]->expr);
		break;
	case PLAN_TO_VARIABLE:
		follow_variable(walk, reference->index);
		break;
	case PLAN_TO_CALL:
		follow_call(walk, reference);
		break;
	}
}

static void follow_traversal(void *data, const struct hcl_expr *traversal)
{
	struct plan_needs *walk = data;
	struct plan_reference reference;

	if (plan_resolve_static(walk->module, traversal, &reference))
		follow_reference(walk, &reference);
}

static void follow_expression(void *data, const struct hcl_expr *expr)
{
	if (expr)
		hcl_expr_references(expr, follow_traversal, data);
}

void plan_needs_of_expression(struct plan_needs *walk, const struct hcl_expr *expr)
{
	walk->started = true;
	follow_expression(walk, expr);
}

void plan_needs_release(struct plan_needs *walk)
{
	zp_map_release(&walk->seen);
}

/* How many instances a block has, and under which keys. */
#include "planner/engine.h"
#include "planner/repetition.h"

static bool expand_count(struct plan *plan, struct plan_scope *scope, const struct hcl_expr *expr,
	struct plan_repetition *out)
{
	size_t errors = plan->diags->errors;
	struct hcl_value value = plan_evaluate(scope, expr);
	int64_t count;

	if (plan->diags->errors > errors ||
		!plan_count_from(&plan->arena, plan->diags, expr, value, true, &count))
		return false;
	out->kind = STATE_INT_KEY;
	out->count = (uint32_t)count;
	out->keys = zp_new_array(&plan->arena, struct state_key, out->count);
	for (uint32_t i = 0; i < out->count; i++)
		out->keys[i] = (struct state_key){ .kind = STATE_INT_KEY, .number = i };
	return true;
}

static void set_keys(struct hcl_value set, struct plan_repetition *out)
{
	for (uint32_t i = 0; i < set.count; i++) {
		out->keys[i] = (struct state_key){ STATE_STRING_KEY, 0, hcl_text(set.elements[i]) };
		out->each_values[i] = set.elements[i];
	}
}

static void map_keys(struct hcl_value map, struct plan_repetition *out)
{
	for (uint32_t i = 0; i < map.count; i++) {
		bool object = map.type->kind == HCL_OBJECT;
		struct zp_str key = object ? zp_str(map.type->attributes[i].name) : map.entries[i].key;
		out->keys[i] = (struct state_key){ STATE_STRING_KEY, 0, key };
		out->each_values[i] = object ? map.elements[i] : map.entries[i].value;
	}
}

static bool expand_for_each(struct plan *plan, struct plan_scope *scope,
	const struct hcl_expr *expr, struct plan_repetition *out)
{
	size_t errors = plan->diags->errors;
	struct hcl_value value = plan_evaluate(scope, expr);

	if (plan->diags->errors > errors || !plan_for_each_fits(plan->diags, expr, value, true))
		return false;
	out->kind = STATE_STRING_KEY;
	out->count = value.count;
	out->keys = zp_new_array(&plan->arena, struct state_key, out->count);
	out->each_values = zp_new_array(&plan->arena, struct hcl_value, out->count);
	if (value.type->kind == HCL_SET)
		set_keys(value, out);
	else
		map_keys(value, out);
	for (uint32_t i = 0; i < out->count; i++)
		zp_map_set(&out->by_text, out->keys[i].text, (void *)(uintptr_t)(i + 1));
	return true;
}

bool plan_expand(struct plan *plan, struct plan_scope_module *module, const struct hcl_expr *count,
	const struct hcl_expr *for_each, struct plan_repetition *repetition)
{
	struct plan_scope scope;

	plan_scope_init(&scope, plan, module, (struct state_key){ 0 }, hcl_null(hcl_dynamic));
	if (count)
		return expand_count(plan, &scope, count, repetition);
	if (for_each)
		return expand_for_each(plan, &scope, for_each, repetition);
	repetition->kind = STATE_NO_KEY;
	repetition->count = 1;
	repetition->keys = zp_new(&plan->arena, struct state_key);
	return true;
}

int64_t plan_repetition_find_key(const struct plan_repetition *repetition, struct state_key key)
{
	if (key.kind != repetition->kind)
		return -1;
	if (key.kind == STATE_NO_KEY)
		return 0;
	if (key.kind == STATE_INT_KEY)
		return key.number >= 0 && key.number < repetition->count ? key.number : -1;
	return (int64_t)(uintptr_t)zp_map_get(&repetition->by_text, key.text) - 1;
}

int64_t plan_repetition_find(const struct plan_repetition *repetition, struct hcl_value key)
{
	struct state_key wanted = { 0 };

	if (key.state != HCL_KNOWN)
		return -1;
	if (key.type == hcl_number && hcl_number_to_int(key, &wanted.number))
		wanted.kind = STATE_INT_KEY;
	else if (key.type == hcl_string)
		wanted = (struct state_key){ STATE_STRING_KEY, 0, hcl_text(key) };
	return wanted.kind == STATE_NO_KEY ? -1 : plan_repetition_find_key(repetition, wanted);
}

struct hcl_value plan_each_value(struct plan *plan, struct plan_scope_module *module,
	const struct hcl_expr *for_each, struct plan_repetition *repetition, struct state_key key)
{
	int64_t found = plan_repetition_find_key(repetition, key);

	if (!repetition->renewed) {
		struct plan_repetition now = { 0 };
		/* Keys were known and stay; whoever asks waited for all that for_each refers to. */
		repetition->renewed = true;
		if (plan_expand(plan, module, NULL, for_each, &now))
			for (uint32_t i = 0; i < repetition->count; i++) {
				int64_t at = plan_repetition_find_key(&now, repetition->keys[i]);
				if (at >= 0)
					repetition->each_values[i] = now.each_values[at];
			}
		zp_map_release(&now.by_text);
	}
	return found >= 0 ? repetition->each_values[found] : hcl_unknown(hcl_dynamic);
}

bool plan_resource_expand(struct plan *plan, struct plan_resource_cell *resource)
{
	const struct plan_resource *config = resource->config;
	struct plan_scope_module *module = resource->cell.module;

	if (!plan_expand(plan, module, config->count, config->for_each, &resource->repetition))
		return false;
	uint32_t count = resource->repetition.count;
	resource->instances = zp_new_array(&plan->arena, struct plan_instance, count);
	for (uint32_t i = 0; i < count; i++) {
		struct plan_instance *instance = &resource->instances[i];
		zp_autobuf address = ZP_BUF_INIT;
		instance->cell.kind = PLAN_CELL_INSTANCE;
		instance->cell.module = module;
		instance->cell.index = i;
		instance->resource = resource;
		instance->key = resource->repetition.keys[i];
		instance->each_value = resource->repetition.each_values ?
			resource->repetition.each_values[i] : hcl_null(hcl_dynamic);
		zp_buf_puts(&address, resource->address);
		state_key_text(instance->key, &address);
		instance->address = zp_arena_strndup(&plan->arena, address.ptr, address.len);
	}
	return true;
}

bool plan_call_expand(struct plan *plan, struct plan_call_cell *call)
{
	const struct plan_call *config = call->call;
	struct plan_scope_module *parent = call->cell.module;

	if (!config->module ||
		!plan_expand(plan, parent, config->count, config->for_each, &call->repetition))
		return false;
	call->instances = zp_new_array(&plan->arena, struct plan_scope_module *, call->repetition.count);
	for (uint32_t i = 0; i < call->repetition.count; i++)
		call->instances[i] = plan_module_instance(plan, config->module, parent, call,
			call->repetition.keys[i],
			call->repetition.each_values ? call->repetition.each_values[i] :
						       hcl_null(hcl_dynamic));
	return true;
}

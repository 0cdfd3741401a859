/* How many instances a block has, and under which keys. */
#include "planner/engine.h"

#define MAX_INSTANCES 50000000

static bool expand_count(struct plan *plan, struct plan_scope *scope, const struct hcl_expr *expr,
	struct plan_repetition *out)
{
	size_t errors = plan->diags->errors;
	struct hcl_value raw = plan_evaluate(scope, expr), value;
	int64_t count;

	if (plan->diags->errors > errors)
		return false;
	if (hcl_has_marks_inside(raw) && raw.marks & (HCL_SENSITIVE | HCL_EPHEMERAL)) {
		zp_diag_error(plan->diags, expr->range, "Invalid count argument",
			"%s values, or values derived from %s values, cannot be used as count "
			"arguments. If used, the %s value could be exposed as a resource instance "
			"key.", raw.marks & HCL_SENSITIVE ? "Sensitive" : "Ephemeral",
			raw.marks & HCL_SENSITIVE ? "sensitive" : "ephemeral",
			raw.marks & HCL_SENSITIVE ? "sensitive" : "ephemeral");
		return false;
	}
	if (hcl_is_null(raw)) {
		zp_diag_error(plan->diags, expr->range, "Invalid count argument",
			"The given \"count\" argument value is null. An integer is required.");
		return false;
	}
	if (hcl_is_unknown(raw)) {
		zp_diag_error(plan->diags, expr->range, "Invalid count argument",
			"The \"count\" value depends on resource attributes that cannot be determined "
			"until apply, so zplan cannot predict how many instances will be created. To "
			"work around this, use the -target argument to first apply only the "
			"resources that the count depends on.");
		return false;
	}
	if (!hcl_convert(&plan->arena, raw, hcl_number, &value, NULL) ||
		!hcl_number_to_int(value, &count)) {
		zp_diag_error(plan->diags, expr->range, "Invalid count argument",
			"The given \"count\" argument value is unsuitable: a whole number is required.");
		return false;
	}
	if (count < 0 || count > MAX_INSTANCES) {
		zp_diag_error(plan->diags, expr->range, "Invalid count argument",
			"The given \"count\" argument value is unsuitable: must be %s.",
			count < 0 ? "greater than or equal to zero" : "less than 50 million");
		return false;
	}
	out->kind = STATE_INT_KEY;
	out->count = (uint32_t)count;
	out->keys = zp_new_array(&plan->arena, struct state_key, out->count);
	for (uint32_t i = 0; i < out->count; i++)
		out->keys[i] = (struct state_key){ .kind = STATE_INT_KEY, .number = i };
	return true;
}

static bool usable_for_each(struct plan *plan, const struct hcl_expr *expr, struct hcl_value value)
{
	const char *summary = "Invalid for_each argument";
	bool map = value.type->kind == HCL_MAP || value.type->kind == HCL_OBJECT;

	if (value.marks & (HCL_SENSITIVE | HCL_EPHEMERAL)) {
		zp_diag_error(plan->diags, expr->range, summary,
			"Sensitive values, or values derived from sensitive values, cannot be used as "
			"for_each arguments. If used, the sensitive value could be exposed as a "
			"resource instance key.");
		return false;
	}
	if (hcl_is_null(value)) {
		zp_diag_error(plan->diags, expr->range, summary,
			"The given \"for_each\" argument value is unsuitable: the given \"for_each\" "
			"argument value is null. A map, or set of strings is allowed.");
		return false;
	}
	if (value.type->kind != HCL_DYNAMIC && !map && value.type->kind != HCL_SET) {
		zp_autobuf type = ZP_BUF_INIT;
		hcl_type_friendly(value.type, &type);
		zp_diag_error(plan->diags, expr->range, summary,
			"The given \"for_each\" argument value is unsuitable: the \"for_each\" "
			"argument must be a map, or set of strings, and you have provided a value of "
			"type %s.", type.ptr);
		return false;
	}
	if (hcl_is_unknown(value) || (!map && !hcl_is_wholly_known(value))) {
		zp_diag_error(plan->diags, expr->range, summary,
			"The \"for_each\" %s includes %s derived from resource attributes that cannot "
			"be determined until apply, and so zplan cannot determine the full set of "
			"keys that will identify the instances of this resource.\n\nWhen working with "
			"unknown values in for_each, it's better to define the map keys statically in "
			"your configuration and place apply-time results only in the map values.",
			map ? "map" : "set", map ? "keys" : "values");
		return false;
	}
	return true;
}

static bool set_keys(struct plan *plan, const struct hcl_expr *expr, struct hcl_value set,
	struct plan_repetition *out)
{
	for (uint32_t i = 0; i < set.count; i++) {
		if (set.elements[i].type != hcl_string || hcl_is_null(set.elements[i])) {
			zp_diag_error(plan->diags, expr->range, "Invalid for_each set argument",
				"The given \"for_each\" argument value is unsuitable: \"for_each\" "
				"supports maps and sets of strings, but you have provided a set "
				"containing %s.", hcl_is_null(set.elements[i]) ? "a null value" :
				"something else");
			return false;
		}
		out->keys[i] = (struct state_key){ STATE_STRING_KEY, 0, hcl_text(set.elements[i]) };
		out->each_values[i] = set.elements[i];
	}
	return true;
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

	if (plan->diags->errors > errors || !usable_for_each(plan, expr, value))
		return false;
	out->kind = STATE_STRING_KEY;
	out->count = value.count;
	out->keys = zp_new_array(&plan->arena, struct state_key, out->count);
	out->each_values = zp_new_array(&plan->arena, struct hcl_value, out->count);
	if (value.type->kind == HCL_SET) {
		if (!set_keys(plan, expr, value, out))
			return false;
	} else {
		map_keys(value, out);
	}
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

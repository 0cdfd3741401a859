/*
 * ignore_changes. A path names attributes by .x and elements by [0] or ["k"], as the values have them: a
 * step of the wrong kind leads nowhere and ignores nothing. An index by text at the end names a key of a
 * map; of anything else that has it, the whole is ignored.
 */
#include "planner/engine.h"

static struct hcl_value graft(struct zp_arena *arena, struct hcl_value into, struct hcl_value from,
	const struct hcl_step *steps, size_t count);

static struct hcl_value graft_attribute(struct zp_arena *arena, struct hcl_value into,
	struct hcl_value from, const struct hcl_step *steps, size_t count)
{
	struct zp_str name = zp_str(steps->name);
	int a = hcl_type_attribute(into.type, name.ptr, name.len);
	int b = hcl_type_attribute(from.type, name.ptr, name.len);

	if (a < 0 || b < 0)
		return into;
	const char **names = zp_new_array(arena, const char *, into.count);
	struct hcl_value *values = zp_new_array(arena, struct hcl_value, into.count);
	for (uint32_t i = 0; i < into.count; i++) {
		names[i] = into.type->attributes[i].name;
		values[i] = into.elements[i];
	}
	values[a] = graft(arena, values[a], from.elements[b], steps + 1, count - 1);
	return hcl_mark(hcl_object_build(arena, names, values, into.count), into.marks);
}

static struct hcl_value graft_element(struct zp_arena *arena, struct hcl_value into,
	struct hcl_value from, const struct hcl_step *steps, size_t count)
{
	int64_t index;

	if (!hcl_number_to_int(steps->key, &index) || index < 0 || index >= into.count ||
		index >= from.count)
		return into;
	struct hcl_value *values = zp_new_array(arena, struct hcl_value, into.count);
	memcpy(values, into.elements, into.count * sizeof(*values));
	values[index] = graft(arena, values[index], from.elements[index], steps + 1, count - 1);
	if (into.type->kind == HCL_TUPLE)
		return hcl_mark(hcl_tuple_value(values, into.count), into.marks);
	if (values[index].type != into.type->element)
		return into;
	return hcl_mark(hcl_list_value(into.type->element, values, into.count), into.marks);
}

/* The key as prior has it: its value, or not there. What lies deeper is grafted into what config has. */
static struct hcl_value graft_key(struct zp_arena *arena, struct hcl_value into, struct hcl_value from,
	const struct hcl_step *steps, size_t count)
{
	struct zp_str key = hcl_text(steps->key);
	uint32_t room = into.state == HCL_KNOWN ? into.count : 0;
	struct hcl_map_entry *entries = zp_new_array(arena, struct hcl_map_entry, room + 1);
	struct hcl_value old, now;
	bool had = from.state == HCL_KNOWN && hcl_map_lookup(from, key, &old);
	size_t n = 0;

	if (count > 1) {
		if (!had || into.state != HCL_KNOWN || !hcl_map_lookup(into, key, &now))
			return into;
		old = graft(arena, now, old, steps + 1, count - 1);
	}
	if (had && old.type != into.type->element)
		return into;
	for (uint32_t i = 0; i < room; i++)
		if (!zp_str_equal(into.entries[i].key, key))
			entries[n++] = into.entries[i];
	if (had)
		entries[n++] = (struct hcl_map_entry){ key, old };
	return hcl_mark(hcl_map_value(into.type->element, entries, n), into.marks);
}

/* The value at a path of `from` put into `into`, where both have such a place. */
static struct hcl_value graft(struct zp_arena *arena, struct hcl_value into, struct hcl_value from,
	const struct hcl_step *steps, size_t count)
{
	if (!count)
		return from;
	bool by_text = !steps->name && steps->key.type == hcl_string;
	bool maps = into.type->kind == HCL_MAP && from.type->kind == HCL_MAP;
	if (by_text && maps && into.state != HCL_UNKNOWN && from.state != HCL_UNKNOWN)
		return graft_key(arena, into, from, steps, count);
	if (by_text)
		return count == 1 && into.type->kind != HCL_MAP ? from : into;
	if (into.state != HCL_KNOWN || from.state != HCL_KNOWN || into.type->kind != from.type->kind)
		return into;
	if (steps->name)
		return into.type->kind == HCL_OBJECT ?
			graft_attribute(arena, into, from, steps, count) : into;
	if (into.type->kind == HCL_LIST || into.type->kind == HCL_TUPLE)
		return graft_element(arena, into, from, steps, count);
	return into;
}

static struct hcl_value ignore_all(struct plan *plan, const struct provider_schema *schema,
	struct hcl_value prior, struct hcl_value config)
{
	for (size_t i = 0; i < schema->attribute_count; i++) {
		struct hcl_step step = { .name = schema->attributes[i].name };
		if (schema->attributes[i].flags & (PROVIDER_OPTIONAL | PROVIDER_REQUIRED))
			config = graft(&plan->arena, config, prior, &step, 1);
	}
	for (size_t i = 0; i < schema->block_count; i++) {
		struct hcl_step step = { .name = schema->blocks[i].name };
		config = graft(&plan->arena, config, prior, &step, 1);
	}
	return config;
}

struct hcl_value plan_ignore_changes(struct plan *plan, const struct plan_instance *instance,
	struct hcl_value config)
{
	const struct plan_lifecycle *lifecycle = &instance->resource->config->lifecycle;

	/* What is made anew has nothing to keep; a tainted object will be. */
	if (hcl_is_null(instance->prior) || instance->stored->tainted)
		return config;
	if (lifecycle->ignore_all)
		return ignore_all(plan, instance->resource->config->resource_type->schema,
			instance->prior, config);
	for (size_t i = 0; i < lifecycle->ignore_count; i++)
		config = graft(&plan->arena, config, instance->prior,
			lifecycle->ignore_changes[i].steps, lifecycle->ignore_changes[i].count);
	return config;
}

/*
 * The plan a schema makes by itself. One walk over the schema merges configuration and prior
 * object; a second one follows only where the first found that something changes, because then
 * volatile values are unknown, or that the object is replaced, because then all computed ones are.
 */
#include "providers/provider.h"

#include <stdlib.h>

#include "base/vec.h"

ZP_VEC(path_list, struct hcl_path);

struct merge {
	struct zp_arena *arena;
	const char *identity; /* attribute; known not to be null even while it is unknown */
	bool changing;	      /* volatile values become unknown */
	struct hcl_step *steps;
	size_t step_count, step_capacity;
	struct path_list replace;
};

static void merge_enter(struct merge *merge, struct hcl_step step)
{
	if (merge->step_count == merge->step_capacity) {
		merge->step_capacity = merge->step_capacity ? 2 * merge->step_capacity : 8;
		merge->steps =
			zp_reallocarray(merge->steps, merge->step_capacity, sizeof(*merge->steps));
	}
	merge->steps[merge->step_count++] = step;
}

static void merge_leave(struct merge *merge)
{
	merge->step_count--;
}

/* What is at the current path is a reason to replace the object. */
static void merge_replaces(struct merge *merge)
{
	struct hcl_path path = { .count = merge->step_count };
	path.steps = zp_new_array(merge->arena, struct hcl_step, path.count);
	memcpy(path.steps, merge->steps, path.count * sizeof(*path.steps));
	zp_vec_push(&merge->replace, path);
}

static struct hcl_step merge_name(const char *interned)
{
	return (struct hcl_step){ .name = interned };
}

static struct hcl_value merge_attribute(const struct merge *merge,
	const struct provider_attribute *attribute, struct hcl_value prior, bool has_prior,
	struct hcl_value config)
{
	if (attribute->flags & PROVIDER_WRITE_ONLY)
		return hcl_null(attribute->value_type);
	if (config.state != HCL_NULL)
		return config;
	if (attribute->default_value)
		return attribute->default_compiled;
	if (!(attribute->flags & PROVIDER_COMPUTED))
		return hcl_null(attribute->value_type);
	if (has_prior && !((attribute->flags & PROVIDER_VOLATILE) && merge->changing))
		return prior;
	if (merge->identity && !merge->step_count && !strcmp(attribute->name, merge->identity))
		return hcl_unknown_not_null(attribute->value_type);
	return hcl_unknown(attribute->value_type);
}

/* A value nobody sets in the configuration can not be what forces replacement. */
static bool is_decided_by_config(
	const struct provider_attribute *attribute, struct hcl_value config)
{
	return config.state != HCL_NULL || !(attribute->flags & PROVIDER_COMPUTED);
}

/*
 * Elements that came or went bring or take values that force replacement. Those of a list that stay
 * have said so for themselves.
 */
static bool is_element_forcing(
	const struct provider_block *block, struct hcl_value prior, struct hcl_value planned)
{
	bool forcing = false;
	for (size_t i = 0; i < block->schema->attribute_count; i++)
		forcing |= block->schema->attributes[i].flags & PROVIDER_FORCE_NEW;
	if (!forcing || prior.state != HCL_KNOWN || planned.state != HCL_KNOWN)
		return forcing && prior.state != planned.state;
	if (block->nesting == PROVIDER_SET)
		return !hcl_value_identical(prior, planned);
	return prior.count != planned.count;
}

static struct hcl_value merge_block(struct merge *merge, const struct provider_block *block,
	struct hcl_value prior, struct hcl_value config);

/* config is a known object. prior, when not, is a null: everything is new. */
static struct hcl_value merge_object(struct merge *merge, const struct provider_schema *schema,
	struct hcl_value prior, struct hcl_value config)
{
	bool has_prior = prior.state == HCL_KNOWN;
	const struct hcl_value *old = has_prior ? prior.elements : schema->empty.elements;
	struct hcl_value *elements =
		zp_new_array(merge->arena, struct hcl_value, schema->type->count);
	for (size_t i = 0; i < schema->attribute_count; i++) {
		const struct provider_attribute *attribute = &schema->attributes[i];
		uint32_t slot = schema->attribute_slots[i];
		struct hcl_value new_value = merge_attribute(
			merge, attribute, old[slot], has_prior, config.elements[slot]);
		elements[slot] = new_value;
		if (has_prior && (attribute->flags & PROVIDER_FORCE_NEW) &&
			is_decided_by_config(attribute, config.elements[slot]) &&
			!hcl_value_identical(old[slot], new_value)) {
			merge_enter(merge, merge_name(attribute->name));
			merge_replaces(merge);
			merge_leave(merge);
		}
	}
	for (size_t i = 0; i < schema->block_count; i++) {
		uint32_t slot = schema->block_slots[i];
		merge_enter(merge, merge_name(schema->blocks[i].name));
		elements[slot] =
			merge_block(merge, &schema->blocks[i], old[slot], config.elements[slot]);
		if (has_prior && is_element_forcing(&schema->blocks[i], old[slot], elements[slot]))
			merge_replaces(merge);
		merge_leave(merge);
	}
	return provider_schema_object(schema, merge->arena, elements);
}

static struct hcl_value merge_list(struct merge *merge, const struct provider_schema *schema,
	struct hcl_value prior, struct hcl_value config)
{
	uint32_t had = prior.state == HCL_KNOWN ? prior.count : 0;
	struct hcl_value *elements = zp_new_array(merge->arena, struct hcl_value, config.count);
	for (uint32_t i = 0; i < config.count; i++) {
		struct hcl_value old = i < had ? prior.elements[i] : hcl_null(schema->type);
		merge_enter(merge, (struct hcl_step){ .key = hcl_int_value(i) });
		elements[i] = config.elements[i].state == HCL_KNOWN
				      ? merge_object(merge, schema, old, config.elements[i])
				      : config.elements[i];
		merge_leave(merge);
	}
	return config.type->kind == HCL_LIST
		       ? hcl_list_value(config.type->element, elements, config.count)
		       : hcl_tuple_value(elements, config.count);
}

/* Same in all that the configuration decides. */
static bool is_same_element(
	const struct provider_schema *schema, struct hcl_value prior, struct hcl_value config)
{
	if (prior.state != HCL_KNOWN || config.state != HCL_KNOWN)
		return false;
	for (size_t i = 0; i < schema->attribute_count; i++) {
		uint32_t slot = schema->attribute_slots[i];
		struct hcl_value want = config.elements[slot];
		if (want.state == HCL_NULL && schema->attributes[i].default_value)
			want = schema->attributes[i].default_compiled;
		else if (want.state == HCL_NULL &&
			 (schema->attributes[i].flags & PROVIDER_COMPUTED))
			continue;
		if (!hcl_value_identical(prior.elements[slot], want))
			return false;
	}
	for (size_t i = 0; i < schema->block_count; i++) {
		uint32_t slot = schema->block_slots[i];
		if (!hcl_value_identical(prior.elements[slot], config.elements[slot]))
			return false;
	}
	return true;
}

/* An element of a set is known by its content only; each former one is taken at most once. */
static struct hcl_value merge_set(struct merge *merge, const struct provider_schema *schema,
	struct hcl_value prior, struct hcl_value config)
{
	uint32_t had = prior.state == HCL_KNOWN ? prior.count : 0;
	bool *taken = zp_new_array(merge->arena, bool, had);
	struct hcl_value *elements = zp_new_array(merge->arena, struct hcl_value, config.count);
	for (uint32_t i = 0; i < config.count; i++) {
		struct hcl_value old = hcl_null(schema->type);
		for (uint32_t j = 0; j < had; j++) {
			if (taken[j] ||
				!is_same_element(schema, prior.elements[j], config.elements[i]))
				continue;
			taken[j] = true;
			old = prior.elements[j];
			break;
		}
		elements[i] = config.elements[i].state == HCL_KNOWN
				      ? merge_object(merge, schema, old, config.elements[i])
				      : config.elements[i];
	}
	return hcl_set_value(config.type->element, elements, config.count);
}

static struct hcl_value merge_map(struct merge *merge, const struct provider_schema *schema,
	struct hcl_value prior, struct hcl_value config)
{
	struct hcl_map_entry *entries =
		zp_new_array(merge->arena, struct hcl_map_entry, config.count);
	for (uint32_t i = 0; i < config.count; i++) {
		struct hcl_value old = hcl_null(schema->type);
		if (prior.state == HCL_KNOWN && prior.type->kind == HCL_MAP)
			hcl_map_lookup(prior, config.entries[i].key, &old);
		struct hcl_value key = hcl_string_value(merge->arena, config.entries[i].key);
		merge_enter(merge, (struct hcl_step){ .key = key });
		entries[i].key = config.entries[i].key;
		entries[i].value =
			config.entries[i].value.state == HCL_KNOWN
				? merge_object(merge, schema, old, config.entries[i].value)
				: config.entries[i].value;
		merge_leave(merge);
	}
	return hcl_map_value(config.type->element, entries, config.count);
}

static struct hcl_value merge_block(struct merge *merge, const struct provider_block *block,
	struct hcl_value prior, struct hcl_value config)
{
	if (config.state != HCL_KNOWN)
		return config;
	switch (config.type->kind) {
	case HCL_LIST:
	case HCL_TUPLE:
		return merge_list(merge, block->schema, prior, config);
	case HCL_SET:
		return merge_set(merge, block->schema, prior, config);
	case HCL_MAP:
		return merge_map(merge, block->schema, prior, config);
	default:
		return merge_object(merge, block->schema, prior, config);
	}
}

static struct hcl_value merge_walk(
	struct merge *merge, const struct provider_plan *plan, struct hcl_value prior)
{
	merge->step_count = 0;
	merge->replace.count = 0;
	return merge_object(merge, plan->type->schema, prior, plan->config);
}

void provider_plan_default(struct provider_plan *plan)
{
	struct merge merge = { .arena = plan->arena, .identity = plan->type->identity_attribute };
	if (plan->config.state != HCL_KNOWN) {
		plan->planned = plan->config;
		plan->replace_count = 0;
		return;
	}
	plan->planned = merge_walk(&merge, plan, plan->prior);
	plan->replace = zp_vec_to_arena(&merge.replace, plan->arena);
	plan->replace_count = merge.replace.count;
	if (plan->replace_count) {
		plan->planned = merge_walk(&merge, plan, provider_schema_null(plan->type->schema));
	} else if (plan->prior.state == HCL_KNOWN &&
		   !hcl_value_identical(plan->prior, plan->planned)) {
		merge.changing = true;
		plan->planned = merge_walk(&merge, plan, plan->prior);
	}
	zp_vec_release(&merge.replace);
	free(merge.steps);
}

#include "providers/grid/grid.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/intern.h"
#include "base/vec.h"
#include "providers/zos/object.h"

#define MAX_NAME 50

struct hcl_value grid_text(struct zp_arena *arena, const char *text)
{
	return text ? hcl_string_cstr(arena, text) : hcl_string_static("");
}

struct hcl_value grid_or_empty(struct hcl_value value)
{
	return value.state == HCL_NULL ? hcl_string_static("") : value;
}

const char *grid_node_text(struct zp_arena *arena, struct hcl_value number)
{
	int64_t value;

	if (number.state != HCL_KNOWN || number.type != hcl_number ||
		!hcl_number_to_int(number, &value))
		return NULL;
	return zp_arena_format(arena, "%" PRId64, value);
}

int64_t grid_node_number(const struct node_pool *pool, const char *node)
{
	const struct node_entry *entry = node_inventory_find(node_pool_inventory(pool), node);
	char *end;
	int64_t number = strtoll(node, &end, 10);

	if (entry && entry->id)
		return entry->id;
	return !entry && *node && !*end ? number : 0;
}

struct hcl_value grid_contract(const char *identity, const char *node)
{
	zp_autofree char *text = zp_format("%s %s", identity, node);
	uint8_t hash[crypto_generichash_BYTES_MIN];

	crypto_generichash(hash, sizeof(hash), (const uint8_t *)text, strlen(text), NULL, 0);
	/* As contracts were: greater than zero, and no more than 31 bits. */
	uint32_t number = (uint32_t)hash[0] << 24 | (uint32_t)hash[1] << 16 | (uint32_t)hash[2] << 8 |
			  hash[3];
	return hcl_int_value((number & INT32_MAX) | 1);
}

struct hcl_value grid_contracts(struct zp_arena *arena, const char *identity,
	const char *const *nodes, size_t count)
{
	struct hcl_map_entry *entries = zp_new_array(arena, struct hcl_map_entry, count);

	if (!identity)
		return hcl_unknown(hcl_map_type(hcl_number));
	for (size_t i = 0; i < count; i++) {
		entries[i].key = zp_arena_str(arena, zp_str(nodes[i]));
		entries[i].value = grid_contract(identity, nodes[i]);
	}
	return hcl_map_value(hcl_number, entries, count);
}

void grid_check_name(
	struct provider_problems *problems, struct hcl_value values, const char *attribute)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
	const char *name = provider_get_text(values, attribute);
	size_t len = name ? strlen(name) : 0;

	if (name && (len < 1 || len > MAX_NAME || strspn(name, allowed) != len))
		provider_error(problems, attribute, "Invalid name",
			"\"%s\" is 1 to %d letters, digits and _ (^[a-zA-Z0-9_]+$); \"%s\" is not.",
			attribute, MAX_NAME, name);
}

void grid_check_whole(
	struct provider_problems *problems, struct hcl_value values, const char *attribute)
{
	struct hcl_value value = provider_get(values, attribute);
	int64_t number;

	if (value.state == HCL_KNOWN && (!hcl_number_to_int(value, &number) || number < 0))
		provider_error(problems, attribute, "Not a whole number",
			"\"%s\" is a whole number, zero or greater.", attribute);
}

static void put_in_front(struct provider_problem *problem, const char *block, uint32_t index)
{
	size_t had = problem->path.count;
	struct hcl_step *steps = zp_calloc(had + 2, sizeof(*steps));

	steps[0].name = zp_intern_cstr(block);
	steps[1].key = hcl_int_value(index);
	if (had)
		memcpy(steps + 2, problem->path.steps, had * sizeof(*steps));
	free(problem->path.steps);
	problem->path.steps = steps;
	problem->path.count = had + 2;
}

void grid_problems_in(
	struct provider_problems *problems, size_t first, const char *block, uint32_t index)
{
	for (size_t i = first; i < problems->count; i++)
		put_in_front(&problems->items[i], block, index);
}

void grid_plan_node(struct provider_plan *plan, const char *attribute, struct hcl_value number)
{
	const char *node = grid_node_text(plan->arena, number);

	if (node)
		zos_plan_node(plan, attribute, node);
}

void grid_problems_move(struct provider_problems *to, struct provider_problems *from)
{
	for (size_t i = 0; i < from->count; i++)
		zp_vec_push(to, from->items[i]);
	to->errors += from->errors;
	zp_vec_release(from);
	from->errors = 0;
}

const char *grid_batch_key(const struct provider_operation *op)
{
	struct hcl_value node = provider_get(op->prior, "node");

	return grid_node_text(
		op->arena, node.state == HCL_KNOWN ? node : provider_get(op->planned, "node"));
}

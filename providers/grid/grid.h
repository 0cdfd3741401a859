/*
 * The types of the ThreeFold Grid's Terraform provider, over the same primitives as the zos types. What
 * they have in common: nodes by number, names, texts that are empty where there is nothing, numbers where
 * the grid had contracts.
 */
#ifndef PROVIDERS_GRID_GRID_H
#define PROVIDERS_GRID_GRID_H

#include "providers/builtin.h"
#include "providers/values.h"

#define GRID_ID                                                                                    \
	{                                                                                          \
		.name = "id", .type = "string", .flags = PROVIDER_COMPUTED,                        \
		.description = "Identity of the object; nodes know its workloads by it."           \
	}
#define GRID_STATUS                                                                                \
	{                                                                                          \
		.name = "status", .type = "string", .flags = PROVIDER_COMPUTED,                    \
		.description = "\"ok\", or what is wrong on the nodes."                            \
	}
#define GRID_OPTIONAL(attribute, text, standard, about)                                            \
	{                                                                                          \
		.name = attribute, .type = text, .flags = PROVIDER_OPTIONAL,                       \
		.default_value = standard, .description = about                                    \
	}
#define GRID_REQUIRED(attribute, text, about)                                                      \
	{                                                                                          \
		.name = attribute, .type = text, .flags = PROVIDER_REQUIRED, .description = about  \
	}
#define GRID_COMPUTED(attribute, text, about)                                                      \
	{                                                                                          \
		.name = attribute, .type = text, .flags = PROVIDER_COMPUTED, .description = about  \
	}

/* --- values --- */

/* The text, which is empty where there is none. */
struct hcl_value grid_text(struct zp_arena *arena, const char *text);
/* A null text becomes the empty one; all else stays. */
struct hcl_value grid_or_empty(struct hcl_value value);
/* "11" for the number 11; NULL when it is null, unknown or no whole number. */
const char *grid_node_text(struct zp_arena *arena, struct hcl_value number);
/* Number of a node known by name or number; 0 when the inventory gives it none. */
int64_t grid_node_number(const struct node_pool *pool, const char *node);
/* Where the grid had the number of a contract: the same for an object and node every time. */
struct hcl_value grid_contract(const char *identity, const char *node);
/* { node = contract } for the nodes, in the arena; unknown while identity is NULL. */
struct hcl_value grid_contracts(struct zp_arena *arena, const char *identity,
	const char *const *nodes, size_t count);

/* --- checks and plans --- */

/* Letters, digits and _, at most 50. */
void grid_check_name(
	struct provider_problems *problems, struct hcl_value values, const char *attribute);
/* Whole and in the range; unit as "MB". */
void grid_check_whole(struct provider_problems *problems, struct hcl_value values,
	const char *attribute);
/* Problems from number first on are about an element of a block: their paths begin with it. */
void grid_problems_in(struct provider_problems *problems, size_t first, const char *block,
	uint32_t index);
/* A problem when the inventory does not have the node. */
void grid_plan_node(struct provider_plan *plan, const char *attribute, struct hcl_value number);
/* Slot batch_key of types with an attribute node. */
const char *grid_batch_key(const struct provider_operation *op);
/* Moves the problems of an inner operation. */
void grid_problems_move(struct provider_problems *to, struct provider_problems *from);

#endif

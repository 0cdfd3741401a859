#include "planner/graph.h"
#include "planner/needs.h"

#include <stdlib.h>

#include "base/alloc.h"

struct pair {
	uint32_t from, to;
};

/* Deletions of one resource, by its address. */
struct removal {
	uint32_t after_deletes; /* join: all who stand on it and go */
	uint32_t after_updates; /* join: also those who stay and let go of it */
};

struct builder {
	struct plan *plan;
	ZP_VEC(, struct plan_node) nodes;
	ZP_VEC(, struct pair) pairs;
	struct zp_map removals; /* address of a resource block -> struct removal * */
	uint32_t *instance_delete; /* of a cell: its delete node + 1 */
};

static uint32_t add_node(struct builder *builder, struct plan_node node)
{
	zp_vec_push(&builder->nodes, node);
	return (uint32_t)builder->nodes.count - 1;
}

static void add_edge(struct builder *builder, uint32_t from, uint32_t to)
{
	struct pair pair = { from, to };

	zp_vec_push(&builder->pairs, pair);
}

static struct removal *removal_of(struct builder *builder, const char *address)
{
	void **slot = zp_map_slot(&builder->removals, zp_str(address));

	if (!*slot) {
		struct removal *removal = zp_calloc(1, sizeof(*removal));
		removal->after_deletes = add_node(builder, (struct plan_node){ .kind = PLAN_NODE_JOIN });
		removal->after_updates = add_node(builder, (struct plan_node){ .kind = PLAN_NODE_JOIN });
		add_edge(builder, removal->after_deletes, removal->after_updates);
		*slot = removal;
	}
	return *slot;
}

/* makes_way: something new takes its place, for which those who stay will wait. */
static void add_delete(struct builder *builder, uint32_t node, const char *address, bool makes_way)
{
	struct removal *removal = removal_of(builder, address);

	add_edge(builder, makes_way ? removal->after_deletes : removal->after_updates, node);
}

static void add_cells(struct builder *builder)
{
	struct plan *plan = builder->plan;

	for (size_t i = 0; i < plan->cells.count; i++)
		add_node(builder, (struct plan_node){ .kind = PLAN_NODE_CELL,
			.cell = plan->cells.items[i] });
	for (size_t i = 0; i < plan->cells.count; i++) {
		const struct plan_cell *cell = plan->cells.items[i];
		for (uint32_t k = 0; k < cell->need_count; k++)
			/* A cell met in a cycle was reported, and has no number of its own. */
			if (plan->cells.items[cell->needs[k]->number] == cell->needs[k])
				add_edge(builder, cell->needs[k]->number, (uint32_t)i);
	}
}

static bool is_deleted(const struct plan_instance *instance)
{
	return instance->action == PLAN_DELETE || instance->action == PLAN_DELETE_CREATE ||
		instance->action == PLAN_CREATE_DELETE;
}

/* Cells of the objects that are created before their former ones go, by address. */
static void map_created_first(const struct plan *plan, struct zp_map *created)
{
	for (size_t i = 0; i < plan->instances.count; i++) {
		struct plan_instance *instance = plan->instances.items[i];
		if (instance->create_before_destroy && instance->action != PLAN_NO_OP)
			zp_map_set(created, zp_str(instance->address), instance);
	}
}

static void add_orphans(struct builder *builder)
{
	struct plan *plan = builder->plan;
	struct zp_map created = { 0 };

	for (size_t i = 0; i < plan->orphans.count; i++) {
		struct plan_orphan *orphan = &plan->orphans.items[i];
		if (orphan->action == PLAN_FORGET)
			continue; /* nobody has to do anything */
		uint32_t node = add_node(builder, (struct plan_node){ .kind = PLAN_NODE_DELETE,
			.orphan = orphan });
		add_delete(builder, node,
			plan_block_address(&plan->arena, orphan->stored->resource->address), false);
		if (!orphan->stored->deposed)
			continue;
		/* What lies deposed is kept for as long as there is no successor. */
		if (!created.count)
			map_created_first(plan, &created);
		const struct plan_instance *successor =
			zp_map_get(&created, zp_str(orphan->stored->address));
		if (successor)
			add_edge(builder, successor->cell.number, node);
	}
	zp_map_release(&created);
}

static void add_deletes(struct builder *builder)
{
	struct plan *plan = builder->plan;

	for (size_t i = 0; i < plan->instances.count; i++) {
		struct plan_instance *instance = plan->instances.items[i];
		uint32_t cell = instance->cell.number;
		if (!is_deleted(instance))
			continue;
		uint32_t node = add_node(builder, (struct plan_node){ .kind = PLAN_NODE_DELETE,
			.instance = instance });
		builder->instance_delete[cell] = node + 1;
		add_delete(builder, node, instance->resource->block,
			instance->action == PLAN_DELETE_CREATE);
		if (instance->action == PLAN_DELETE_CREATE)
			add_edge(builder, node, cell);
		else if (instance->action == PLAN_CREATE_DELETE)
			add_edge(builder, cell, node);
	}
	add_orphans(builder);
}

/* What stands on a resource, as the state remembers it, goes or lets go before the resource does. */
static void add_order(struct builder *builder, const struct state_object *stored,
	uint32_t delete_node, uint32_t update_node, bool deleted, bool changed)
{
	const char *own = stored && stored->dependency_count ?
		plan_block_address(&builder->plan->arena, stored->resource->address) : NULL;

	for (size_t i = 0; stored && i < stored->dependency_count; i++) {
		const struct removal *removal =
			zp_map_get(&builder->removals, zp_str(stored->dependencies[i]));
		if (!removal || strcmp(stored->dependencies[i], own) == 0)
			continue;
		if (deleted)
			add_edge(builder, delete_node, removal->after_deletes);
		else if (changed)
			add_edge(builder, update_node, removal->after_updates);
	}
}

static void add_destroy_order(struct builder *builder)
{
	struct plan *plan = builder->plan;

	for (size_t i = 0; i < plan->instances.count; i++) {
		const struct plan_instance *instance = plan->instances.items[i];
		uint32_t deleted = builder->instance_delete[instance->cell.number];
		add_order(builder, instance->stored, deleted - 1, instance->cell.number, deleted > 0,
			instance->action == PLAN_UPDATE);
	}
	for (uint32_t i = 0; i < builder->nodes.count; i++)
		if (builder->nodes.items[i].orphan)
			add_order(builder, builder->nodes.items[i].orphan->stored, i, 0, true, false);
}

static void compress(struct builder *builder, struct plan_graph *graph)
{
	size_t pairs = builder->pairs.count;

	graph->count = (uint32_t)builder->nodes.count;
	graph->nodes = builder->nodes.items;
	graph->row = zp_calloc((size_t)graph->count + 2, sizeof(*graph->row));
	graph->edge = zp_calloc(pairs, sizeof(*graph->edge));
	for (size_t i = 0; i < pairs; i++)
		graph->row[builder->pairs.items[i].from + 2]++;
	for (uint32_t i = 2; i < graph->count + 2; i++)
		graph->row[i] += graph->row[i - 1];
	for (size_t i = 0; i < pairs; i++) {
		const struct pair *pair = &builder->pairs.items[i];
		graph->edge[graph->row[pair->from + 1]++] = pair->to;
		graph->nodes[pair->to].waiting++;
	}
}

void plan_graph_build(struct plan_graph *graph, struct plan *plan)
{
	struct builder builder = { .plan = plan };

	builder.instance_delete = zp_calloc(plan->cells.count, sizeof(*builder.instance_delete));
	add_cells(&builder);
	add_deletes(&builder);
	add_destroy_order(&builder);
	compress(&builder, graph);
	for (size_t i = 0; i < builder.removals.count; i++)
		free(builder.removals.entries[i].value);
	zp_map_release(&builder.removals);
	zp_vec_release(&builder.pairs);
	free(builder.instance_delete);
}

void plan_graph_release(struct plan_graph *graph)
{
	free(graph->nodes);
	free(graph->row);
	free(graph->edge);
}

ZP_VEC(name_vec, const char *);

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/*
 * Follows needs all the way down: the state names what an object stands on, directly or not. False when that may
 * not be all: a block without instances, or a module, has more in it than was met.
 */
static bool collect(struct plan_resource_cell *of, struct plan_cell *from, uint32_t serial,
	struct name_vec *names)
{
	struct plan_cell_vec queue = { 0 };
	bool whole = true;

	zp_vec_push(&queue, from);
	while (queue.count) {
		struct plan_cell *cell = queue.items[--queue.count];
		struct plan_resource_cell *resource = NULL;
		if (cell->touched_by == serial)
			continue;
		cell->touched_by = serial;
		if (cell->kind == PLAN_CELL_INSTANCE)
			resource = ((struct plan_instance *)cell)->resource;
		else if (cell->kind == PLAN_CELL_RESOURCE)
			resource = &cell->module->resources[cell->index];
		if (resource && resource->config != of->config)
			zp_vec_push(names, resource->block);
		whole &= cell->kind != PLAN_CELL_CALL && (!resource || resource->repetition.count);
		for (uint32_t i = 0; i < cell->need_count; i++)
			zp_vec_push(&queue, cell->needs[i]);
	}
	zp_vec_release(&queue);
	return whole;
}

static struct plan_names *read_written(struct plan *plan, const struct plan_resource_cell *of)
{
	struct plan_names *names = zp_new(&plan->arena, struct plan_names);
	struct zp_map found = { 0 };
	struct plan_needs walk = { .arena = &plan->arena, .found = &found,
		.module = of->cell.module->config };

	plan_needs_of(&walk, of->config);
	names->items = zp_new_array(&plan->arena, const char *, found.count);
	for (size_t i = 0; i < found.count; i++)
		if (!zp_str_is(found.entries[i].key, of->block))
			names->items[names->count++] = found.entries[i].key.ptr;
	plan_needs_release(&walk);
	zp_map_release(&found);
	return names;
}

/* What is written but was not met; the same in every instance of a module. */
static void collect_written(struct plan *plan, const struct plan_resource_cell *of, struct name_vec *names)
{
	void **slot = zp_map_slot(&plan->written, zp_str(of->block));

	if (!*slot)
		*slot = read_written(plan, of);
	const struct plan_names *written = *slot;
	for (size_t i = 0; i < written->count; i++)
		zp_vec_push(names, written->items[i]);
}

const char *const *plan_dependencies(struct plan *plan, struct plan_resource_cell *resource,
	size_t *count)
{
	struct name_vec names = { 0 };

	if (!resource->has_dependencies) {
		uint32_t serial = ++plan->serial;
		/* A plan to destroy evaluates little, and one whose instances were left out has not met them. */
		bool whole = collect(resource, &resource->cell, serial, &names) &&
			plan->kind != PLAN_DESTROY && !plan_is_limited(plan);
		/* A limited plan asks for instances by themselves. */
		for (uint32_t i = 0; i < resource->repetition.count && plan_is_limited(plan); i++)
			if (resource->instances[i].cell.status == PLAN_DONE)
				collect(resource, &resource->instances[i].cell, serial, &names);
		if (!whole || !resource->repetition.count)
			collect_written(plan, resource, &names);
		if (names.count)
			qsort(names.items, names.count, sizeof(*names.items), by_text);
		size_t unique = 0;
		for (size_t i = 0; i < names.count; i++)
			if (!unique || strcmp(names.items[i], names.items[unique - 1]) != 0)
				names.items[unique++] = names.items[i];
		names.count = unique;
		resource->dependencies = zp_vec_to_arena(&names, &plan->arena);
		resource->dependency_count = unique;
		resource->has_dependencies = true;
		zp_vec_release(&names);
	}
	*count = resource->dependency_count;
	return resource->dependencies;
}

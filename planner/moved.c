/*
 * Objects that are called otherwise now: "moved" blocks, and what count's coming and going implies.
 * Addresses in the state are rewritten before anything else looks at it, and the same again in the state
 * an apply works on.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "planner/engine.h"
#include "state/address.h"

/* One step of the way to an object: module.NAME[key]. */
struct step {
	const char *name;
	struct state_key key;
};

ZP_VEC(step_vec, struct step);

/* Where a statement points, relative to its module. */
struct place {
	struct step_vec modules;
	bool is_resource;
	enum state_mode mode;
	const char *type, *name;
	struct state_key key;
};

struct statement {
	const struct plan_module *module; /* that has the block */
	struct place from, to;
	bool instances; /* a key is named on either side: what has none is the instance without key */
	struct zp_range range;
};

ZP_VEC(statement_vec, struct statement);

/* ---- reading ---- */

struct reading {
	const struct hcl_traverse *steps;
	size_t count, next;
};

static const char *take_name(struct reading *r)
{
	return r->next < r->count && r->steps[r->next].name ? r->steps[r->next++].name : NULL;
}

static struct state_key take_key(struct reading *r)
{
	struct state_key key = { 0 };

	if (r->next >= r->count || r->steps[r->next].name)
		return key;
	struct hcl_value value = r->steps[r->next++].key;
	if (value.type == hcl_string && value.state == HCL_KNOWN) {
		key.kind = STATE_STRING_KEY;
		key.text = hcl_text(value);
	} else if (value.type == hcl_number && hcl_number_to_int(value, &key.number)) {
		key.kind = STATE_INT_KEY;
	}
	return key;
}

/* False when it is no address. */
static bool read_place(const struct hcl_expr *expr, struct place *place)
{
	struct reading r = { expr->traversal.steps, expr->traversal.count, 0 };
	const char *word = expr->kind == HCL_EXPR_TRAVERSAL ? expr->traversal.root : NULL;

	while (word && strcmp(word, "module") == 0) {
		struct step step = { .name = take_name(&r) };
		if (!step.name)
			return false;
		step.key = take_key(&r);
		zp_vec_push(&place->modules, step);
		word = take_name(&r);
	}
	if (!word)
		return r.next == r.count && place->modules.count;
	place->is_resource = true;
	if (strcmp(word, "data") == 0) {
		place->mode = STATE_DATA;
		word = take_name(&r);
	}
	place->type = word;
	place->name = take_name(&r);
	place->key = take_key(&r);
	return place->type && place->name && r.next == r.count;
}

static bool names_key(const struct place *place)
{
	return place->is_resource ? place->key.kind != STATE_NO_KEY :
		place->modules.items[place->modules.count - 1].key.kind != STATE_NO_KEY;
}

static void place_text(const struct place *place, struct zp_buf *out)
{
	for (size_t i = 0; i < place->modules.count; i++) {
		zp_buf_printf(out, "%smodule.%s", i ? "." : "", place->modules.items[i].name);
		state_key_text(place->modules.items[i].key, out);
	}
	if (!place->is_resource)
		return;
	zp_buf_printf(out, "%s%s%s.%s", place->modules.count ? "." : "",
		place->mode == STATE_DATA ? "data." : "", place->type, place->name);
	state_key_text(place->key, out);
}

static void statement_release(struct statement *statement)
{
	zp_vec_release(&statement->from.modules);
	zp_vec_release(&statement->to.modules);
}

static bool check_statement(struct plan *plan, const struct statement *statement)
{
	zp_autobuf from = ZP_BUF_INIT, to = ZP_BUF_INIT;

	place_text(&statement->from, &from);
	place_text(&statement->to, &to);
	if (strcmp(from.ptr, to.ptr) == 0) {
		zp_diag_error(plan->diags, statement->range, "Redundant move statement",
			"This statement declares a move from %s to the same address, which is the same "
			"as not declaring this move at all.", from.ptr);
		return false;
	}
	bool foreign = statement->from.is_resource && (statement->from.mode != statement->to.mode ||
		strcmp(statement->from.type, statement->to.type) != 0);
	if (foreign)
		zp_diag_error(plan->diags, statement->range, "Resource type mismatch",
			"This statement declares a move from %s to %s, which is a resource of a "
			"different type.", from.ptr, to.ptr);
	return !foreign && statement->from.is_resource == statement->to.is_resource;
}

static void collect(struct plan *plan, const struct plan_module *module,
	struct statement_vec *statements)
{
	for (size_t i = 0; i < module->moved_count; i++) {
		struct statement statement = { .module = module, .range = module->moved[i].range };
		bool from = read_place(module->moved[i].from, &statement.from);
		bool fine = from && read_place(module->moved[i].to, &statement.to);
		if (!fine)
			zp_diag_error(plan->diags, from ? module->moved[i].to->range :
				module->moved[i].from->range, "Invalid address",
				"A resource or module address is required, such as "
				"terraform_data.a[\"k\"] or module.a.");
		if (fine && check_statement(plan, &statement)) {
			statement.instances = names_key(&statement.from) || names_key(&statement.to);
			zp_vec_push(statements, statement);
		} else {
			statement_release(&statement);
		}
	}
	for (size_t i = 0; i < module->call_count; i++)
		if (module->calls[i]->module)
			collect(plan, module->calls[i]->module, statements);
}

/* ---- contradictions ---- */

static bool is_declared(const struct plan_module *module, const struct place *place)
{
	for (size_t i = 0; i < place->modules.count; i++) {
		const struct step *step = &place->modules.items[i];
		const struct plan_call *call = zp_map_get(&module->call_map, zp_str(step->name));
		bool last = !place->is_resource && i + 1 == place->modules.count;
		if (!call || !call->module)
			return false;
		bool repeats = call->count || call->for_each;
		if (last)
			return step->key.kind == STATE_NO_KEY && !repeats;
		module = call->module;
	}
	zp_autofree char *name = zp_format(
		"%s%s.%s", place->mode == STATE_DATA ? "data." : "", place->type, place->name);
	const struct plan_resource *resource = zp_map_get(&module->resource_map, zp_str(name));
	return resource && place->key.kind == STATE_NO_KEY && !resource->count && !resource->for_each;
}

/* Address in its module -> the statement that names it on one side. Keys are the map's to free. */
static const struct statement *note_side(struct zp_map *map, const struct statement *statement,
	const char *address)
{
	char *key = zp_format("%s|%s", statement->module->path, address);
	const struct statement *other = zp_map_get(map, zp_str(key));

	if (other)
		free(key);
	else
		zp_map_set(map, zp_str(key), (void *)statement);
	return other;
}

static void release_sides(struct zp_map *map)
{
	for (size_t i = 0; i < map->count; i++)
		free((char *)map->entries[i].key.ptr);
	zp_map_release(map);
}

/* Two statements about one address that do not say the same. */
static void report_ambiguous(struct plan *plan, const struct statement *first,
	const struct statement *second, bool same_source)
{
	const char *kind = second->from.is_resource ? "resource" : "module";
	zp_autobuf from = ZP_BUF_INIT, to = ZP_BUF_INIT, own = ZP_BUF_INIT;

	place_text(&first->from, &from);
	place_text(&first->to, &to);
	place_text(same_source ? &second->to : &second->from, &own);
	zp_diag_error(plan->diags, second->range, "Ambiguous move statements",
		same_source ?
		"A statement at %s declared that %s moved to %s, but this statement instead declares "
		"that it moved to %s.\n\nEach %s can move to only one destination %s." :
		"A statement at %s declared that %s moved to %s, but this statement instead declares "
		"that %s moved there.\n\nEach %s can have moved from only one source %s.",
		plan_place_text(&plan->arena, first->range), from.ptr, to.ptr, own.ptr, kind, kind);
}

static bool same_text(const struct place *a, const struct place *b)
{
	zp_autobuf x = ZP_BUF_INIT, y = ZP_BUF_INIT;

	place_text(a, &x);
	place_text(b, &y);
	return strcmp(x.ptr, y.ptr) == 0;
}

/* " at main.tf:1,1", of a resource. */
static const char *declared_place(struct plan *plan, const struct statement *statement)
{
	const struct plan_module *module = statement->module;
	const struct place *from = &statement->from;

	for (size_t i = 0; module && i < from->modules.count; i++) {
		const struct plan_call *call =
			zp_map_get(&module->call_map, zp_str(from->modules.items[i].name));
		module = call ? call->module : NULL;
	}
	zp_autofree char *name = from->is_resource ? zp_format("%s%s.%s",
		from->mode == STATE_DATA ? "data." : "", from->type, from->name) : NULL;
	const struct plan_resource *resource =
		module && name ? zp_map_get(&module->resource_map, zp_str(name)) : NULL;
	return !resource ? "" : zp_arena_format(&plan->arena, " at %s",
		plan_place_text(&plan->arena, resource->range));
}

static void check_contradictions(struct plan *plan, const struct statement_vec *statements)
{
	struct zp_map sources = { 0 }, destinations = { 0 };

	for (size_t i = 0; i < statements->count; i++) {
		const struct statement *statement = &statements->items[i], *other;
		zp_autobuf from = ZP_BUF_INIT, to = ZP_BUF_INIT;
		place_text(&statement->from, &from);
		place_text(&statement->to, &to);
		if (is_declared(statement->module, &statement->from) &&
			(statement->instances || statement->from.is_resource))
			zp_diag_error(plan->diags, statement->range, "Moved object still exists",
				"This statement declares a move from %s, but that %s is still declared%s.\n\n"
				"Change your configuration so that this %s will be declared as %s instead.",
				from.ptr, statement->from.is_resource ? "resource" : "module call",
				declared_place(plan, statement), statement->from.is_resource ? "resource" : "call", to.ptr);
		other = note_side(&sources, statement, from.ptr);
		if (other && !same_text(&other->to, &statement->to))
			report_ambiguous(plan, other, statement, true);
		other = note_side(&destinations, statement, to.ptr);
		if (other && !same_text(&other->from, &statement->from))
			report_ambiguous(plan, other, statement, false);
	}
	release_sides(&sources);
	release_sides(&destinations);
}

/* ---- objects ---- */

/* An address of the state, taken apart. */
struct location {
	struct step_vec modules;
	struct state_key key;
	const char *type, *name;
};

/* module.a[0].module.b["k"], as the state writes it. */
static void split_module(struct zp_arena *arena, const char *text, struct step_vec *out)
{
	struct zp_diags ignored;

	if (!*text)
		return;
	zp_diags_init(&ignored);
	struct zp_source *source = zp_source_new("<address>", zp_str(text));
	struct hcl_expr *expr = hcl_parse_traversal(source, arena, &ignored);
	struct reading r = { 0 };
	if (expr)
		r = (struct reading){ expr->traversal.steps, expr->traversal.count, 0 };
	while (r.next < r.count) {
		struct step step = { .name = take_name(&r) };
		step.key = take_key(&r);
		if (step.key.kind == STATE_STRING_KEY)
			step.key.text = zp_arena_str(arena, step.key.text);
		if (step.name && strcmp(step.name, "module") != 0)
			zp_vec_push(out, step);
	}
	zp_source_free(source);
	zp_diags_release(&ignored);
}

static const char *join_modules(struct zp_arena *arena, const struct step_vec *steps)
{
	zp_autobuf text = ZP_BUF_INIT;

	for (size_t i = 0; i < steps->count; i++) {
		zp_buf_printf(&text, "%smodule.%s", i ? "." : "", steps->items[i].name);
		state_key_text(steps->items[i].key, &text);
	}
	return zp_arena_strndup(arena, text.ptr ? text.ptr : "", text.len);
}

/* How many calls lead to the module. */
static size_t depth_of(const struct plan_module *module)
{
	size_t depth = 0;

	for (; module->parent; module = module->parent)
		depth++;
	return depth;
}

/* Whether the object is within an instance of the statement's module. */
static bool is_within(const struct plan_module *module, const struct location *at)
{
	size_t depth = depth_of(module);

	if (at->modules.count < depth)
		return false;
	for (; module->parent; module = module->parent)
		if (strcmp(at->modules.items[--depth].name, module->call->name) != 0)
			return false;
	return true;
}

static bool steps_match(const struct statement *statement, const struct location *at, size_t depth)
{
	const struct step_vec *steps = &statement->from.modules;

	if (at->modules.count < depth + steps->count)
		return false;
	for (size_t i = 0; i < steps->count; i++) {
		const struct step *own = &at->modules.items[depth + i];
		bool whole = !statement->from.is_resource && i + 1 == steps->count &&
			!statement->instances;
		if (strcmp(own->name, steps->items[i].name) != 0 ||
			(!whole && !state_key_equal(own->key, steps->items[i].key)))
			return false;
	}
	return true;
}

/* Rewrites the location where the statement says so. */
static bool rewrite(const struct statement *statement, const struct state_resource *resource,
	struct location *at)
{
	size_t depth = depth_of(statement->module), taken = statement->from.modules.count;
	const struct place *from = &statement->from, *to = &statement->to;

	if (!is_within(statement->module, at) || !steps_match(statement, at, depth))
		return false;
	if (from->is_resource && (at->modules.count != depth + taken || resource->mode != from->mode ||
		strcmp(at->type, from->type) != 0 || strcmp(at->name, from->name) != 0 ||
		(statement->instances && !state_key_equal(at->key, from->key))))
		return false;
	struct step_vec moved = { 0 };
	for (size_t i = 0; i < depth; i++)
		zp_vec_push(&moved, at->modules.items[i]);
	for (size_t i = 0; i < to->modules.count; i++)
		zp_vec_push(&moved, to->modules.items[i]);
	if (!from->is_resource && !statement->instances)
		moved.items[moved.count - 1].key = at->modules.items[depth + taken - 1].key;
	for (size_t i = depth + taken; i < at->modules.count; i++)
		zp_vec_push(&moved, at->modules.items[i]);
	zp_vec_release(&at->modules);
	at->modules = moved;
	if (from->is_resource) {
		at->type = to->type;
		at->name = to->name;
		if (statement->instances)
			at->key = to->key;
	}
	return true;
}

static const char *location_text(struct zp_arena *arena, const struct location *at,
	enum state_mode mode)
{
	zp_autobuf text = ZP_BUF_INIT;

	state_address_text(join_modules(arena, &at->modules), mode, at->type, at->name, at->key, &text);
	return zp_arena_strndup(arena, text.ptr, text.len);
}

/* ---- what count implies ---- */

static const struct plan_resource *declared_at(const struct plan_module *module,
	const struct location *at, enum state_mode mode)
{
	for (size_t i = 0; i < at->modules.count; i++) {
		const struct plan_call *call =
			zp_map_get(&module->call_map, zp_str(at->modules.items[i].name));
		if (!call || !call->module)
			return NULL;
		module = call->module;
	}
	zp_autofree char *name =
		zp_format("%s%s.%s", mode == STATE_DATA ? "data." : "", at->type, at->name);
	return zp_map_get(&module->resource_map, zp_str(name));
}

/* a becomes a[0] when it gets a count, and the other way round; where nothing is there yet. */
static bool imply(struct plan *plan, const struct state *state, const struct state_resource *resource,
	struct location *at)
{
	const struct plan_resource *config = declared_at(plan->config->root, at, resource->mode);
	struct location other = *at;

	if (!config || config->for_each)
		return false;
	if (config->count && at->key.kind == STATE_NO_KEY)
		other.key = (struct state_key){ .kind = STATE_INT_KEY };
	else if (!config->count && at->key.kind == STATE_INT_KEY && at->key.number == 0)
		other.key = (struct state_key){ 0 };
	else
		return false;
	if (state_find(state, location_text(&plan->arena, &other, resource->mode), NULL))
		return false;
	at->key = other.key;
	return true;
}

/* ---- all together ---- */

static void report_blocked(struct plan *plan, const struct zp_buf *list)
{
	zp_diag_warning(plan->diags, ZP_NOWHERE, "Unresolved resource instance address changes",
		"zplan tried to adjust resource instance addresses in the prior state based on change "
		"information recorded in the configuration, but some adjustments did not succeed due to "
		"existing objects already at the intended addresses:%s\n\nzplan has planned to destroy "
		"these objects. If zplan's proposed changes aren't appropriate, you must first resolve the "
		"conflicts using the \"zplan state\" subcommands and then create a new plan.", list->ptr);
}

/* Follows the statements from one address as far as they lead. False when they lead in a circle. */
static bool follow(const struct statement_vec *statements, const struct state_resource *resource,
	struct location *at, bool *moved)
{
	size_t steps = 0;

	for (size_t i = 0; i < statements->count; i++) {
		if (!rewrite(&statements->items[i], resource, at))
			continue;
		*moved = true;
		if (++steps > statements->count)
			return false;
		i = (size_t)-1; /* from the first again: the next link may stand before this one */
	}
	return true;
}

static void report_cycle(struct plan *plan, const char *address)
{
	zp_diag_error(plan->diags, ZP_NOWHERE, "Cyclic dependency in move statements",
		"The following chained move statements form a cycle, and so there is no final location to "
		"move objects to: they begin and end at %s.\n\nA chain of move statements must end with an "
		"address that doesn't appear in any other statements, and which typically also refers to an "
		"object still declared in the configuration.", address);
}

static void move_object(struct plan *plan, const struct statement_vec *statements,
	const struct state_object *object)
{
	const struct state_resource *resource = object->resource;
	struct zp_arena *arena = &plan->arena;
	struct location at = { .key = object->key, .type = resource->type, .name = resource->name };
	bool moved = false;

	split_module(arena, resource->module, &at.modules);
	if (!follow(statements, resource, &at, &moved)) {
		report_cycle(plan, object->address);
	} else if (moved || imply(plan, plan->stored, resource, &at)) {
		const char *to = location_text(arena, &at, resource->mode);
		struct plan_move move = { .from = zp_arena_strdup(arena, object->address), .to = to,
			.module = join_modules(arena, &at.modules), .mode = resource->mode,
			.type = zp_arena_strdup(arena, at.type), .name = zp_arena_strdup(arena, at.name),
			.key = at.key };
		if (move.key.kind == STATE_STRING_KEY)
			move.key.text = zp_arena_str(arena, move.key.text);
		if (strcmp(move.from, to) != 0)
			zp_vec_push(&plan->moves, move);
	}
	zp_vec_release(&at.modules);
}

ZP_VEC(object_vec, const struct state_object *);

/* All leave before any arrives: two objects may change places. */
void plan_move_objects(struct plan *plan, struct state *state)
{
	struct object_vec movers = { 0 };

	for (size_t i = 0; i < state->object_count && plan->moves.count; i++)
		if (state->objects[i] &&
			zp_map_has(&plan->moved_from, zp_str(state->objects[i]->address)))
			zp_vec_push(&movers, state->objects[i]);
	for (size_t i = 0; i < movers.count; i++)
		state_remove(state, movers.items[i]->address, movers.items[i]->deposed);
	for (size_t i = 0; i < movers.count; i++) {
		const struct plan_move *move =
			zp_map_get(&plan->moved_from, zp_str(movers.items[i]->address));
		struct state_object copy = *movers.items[i];
		copy.resource = state_resource(state, move->module, move->mode, move->type, move->name,
			movers.items[i]->resource->provider);
		copy.key = move->key;
		state_set(state, &copy);
	}
	zp_vec_release(&movers);
}

const char *plan_moved_from(const struct plan *plan, const char *address)
{
	const struct plan_move *move = zp_map_get(&plan->moved_to, zp_str(address));

	return move ? move->from : NULL;
}

/* Where somebody stays, or somebody else goes, nobody can go. */
static void keep_possible(struct plan *plan, struct zp_buf *blocked)
{
	size_t kept = 0;

	for (size_t i = 0; i < plan->moves.count; i++)
		zp_map_set(&plan->moved_from, zp_str(plan->moves.items[i].from), "");
	for (size_t i = 0; i < plan->moves.count; i++) {
		struct plan_move move = plan->moves.items[i];
		bool stays = state_find(plan->stored, move.to, NULL) &&
			!zp_map_has(&plan->moved_from, zp_str(move.to));
		if (stays || zp_map_has(&plan->moved_to, zp_str(move.to))) {
			zp_buf_printf(blocked, "\n  - %s could not move to %s", move.from, move.to);
			continue;
		}
		plan->moves.items[kept++] = move;
		zp_map_set(&plan->moved_to, zp_str(move.to), "");
	}
	plan->moves.count = kept;
	zp_map_release(&plan->moved_from);
	zp_map_release(&plan->moved_to);
	for (size_t i = 0; i < kept; i++) {
		zp_map_set(&plan->moved_from, zp_str(plan->moves.items[i].from),
			&plan->moves.items[i]);
		zp_map_set(&plan->moved_to, zp_str(plan->moves.items[i].to), &plan->moves.items[i]);
	}
}

static bool is_named(const struct state_address *list, size_t count, const char *address)
{
	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(list[i].text);
		const char *rest = address + length;
		if (strncmp(address, list[i].text, length) == 0 && (!*rest || *rest == '.' || *rest == '['))
			return true;
	}
	return false;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* What moves, moves whole: both its addresses belong to the part of the plan that is made, or neither does. */
static void check_limits(struct plan *plan)
{
	zp_autofree const char **missing = zp_calloc(plan->moves.count * 2 + 1, sizeof(*missing));
	bool targets = plan->target_count > 0;
	zp_autobuf list = ZP_BUF_INIT;
	size_t count = 0;

	for (size_t i = 0; i < plan->moves.count; i++) {
		const char *ends[] = { plan->moves.items[i].from, plan->moves.items[i].to };
		for (int k = 0; k < 2; k++)
			if (targets ? !is_named(plan->targets, plan->target_count, ends[k]) :
				      is_named(plan->excludes, plan->exclude_count, ends[k]))
				missing[count++] = ends[k];
	}
	if (!count)
		return;
	qsort(missing, count, sizeof(*missing), by_text);
	for (size_t i = 0; i < count; i++)
		zp_buf_printf(&list, "\n  -%s=\"%s\"", targets ? "target" : "exclude", missing[i]);
	zp_diag_error(plan->diags, ZP_NOWHERE, "Moved resource instances excluded by targeting",
		"Resource instances in your current state have moved to new addresses in the latest "
		"configuration. zplan must include those resource instances while planning in order to "
		"ensure a correct result, but your -%s=... options do not fully cover all of those "
		"resource instances.\n\nTo create a valid plan, either remove your -%s=... options "
		"altogether or %s:%s%s", targets ? "target" : "exclude", targets ? "target" : "exclude",
		targets ? "add the following additional target options" : "remove those that name these",
		list.ptr, targets ? "\n\nNote that adding these options may include further additional "
			"resource instances in your plan, in order to respect object dependencies." : "");
}

void plan_find_moves(struct plan *plan)
{
	struct statement_vec statements = { 0 };
	zp_autobuf blocked = ZP_BUF_INIT;
	size_t errors = plan->diags->errors;

	collect(plan, plan->config->root, &statements);
	check_contradictions(plan, &statements);
	for (size_t i = 0; i < plan->stored->object_count && plan->diags->errors == errors; i++)
		if (plan->stored->objects[i] && !plan->stored->objects[i]->deposed)
			move_object(plan, &statements, plan->stored->objects[i]);
	keep_possible(plan, &blocked);
	if (blocked.len)
		report_blocked(plan, &blocked);
	if (plan_is_limited(plan))
		check_limits(plan);
	/* A loaded plan keeps the prior state as it was after that. */
	if (!plan->loaded)
		plan_move_objects(plan, plan->prior);
	for (size_t i = 0; i < statements.count; i++)
		statement_release(&statements.items[i]);
	zp_vec_release(&statements);
}

/*
 * What became of conditions: of each object that has some, and of each rule. Plans show it, and states keep it
 * ("check_results").
 */
#include "planner/checks.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/json.h"
#include "planner/needs.h"

struct plan_checked *plan_checked(struct plan *plan, const struct plan_checked *what)
{
	const char *address = what->address;
	struct plan_checked *checked = zp_map_get(&plan->checked_by_address, zp_str(address));

	if (checked)
		return checked;
	checked = zp_new(&plan->arena, struct plan_checked);
	*checked = *what;
	checked->status = zp_new_array(&plan->arena, enum plan_check_status, what->count);
	checked->messages = zp_new_array(&plan->arena, const char *, what->count);
	zp_vec_push(&plan->checked, checked);
	zp_map_set(&plan->checked_by_address, zp_str(address), checked);
	return checked;
}

struct plan_checked *plan_checked_instance(struct plan *plan, struct plan_instance *instance)
{
	const struct plan_lifecycle *lifecycle = &instance->resource->config->lifecycle;
	size_t count = lifecycle->precondition_count + lifecycle->postcondition_count;

	if (!count)
		return NULL;
	return plan_checked(plan, &(struct plan_checked){ .kind = PLAN_CHECKED_RESOURCE,
		.block = instance->resource->block, .address = instance->address,
		.module = instance->cell.module, .instance = instance, .count = count });
}

struct plan_checked *plan_checked_named(struct plan *plan, enum plan_checked_kind kind,
	struct plan_scope_module *module, uint32_t index, size_t count)
{
	static const char *const words[] = { "", "output", "check", "var" };
	const struct plan_module *config = module->config;
	const char *name = kind == PLAN_CHECKED_OUTPUT ? config->outputs[index]->name :
		kind == PLAN_CHECKED_CHECK	       ? config->checks[index]->name :
							 config->variables[index]->name;

	if (!count)
		return NULL;
	const char *address = zp_arena_format(&plan->arena, "%s%s%s.%s", module->address,
		*module->address ? "." : "", words[kind], name);
	return plan_checked(plan, &(struct plan_checked){ .kind = kind, .address = address,
		.block = plan_block_address(&plan->arena, address), .module = module, .index = index,
		.count = count });
}

void plan_note_check(struct plan_checked *checked, size_t rule, enum plan_check_status status,
	const char *message)
{
	if (!checked || rule >= checked->count)
		return;
	checked->status[rule] = status;
	checked->messages[rule] = message;
}

/* ---- the report ---- */

/* Of several answers the worst counts. */
static enum plan_check_status worse(enum plan_check_status a, enum plan_check_status b)
{
	static const int rank[] = { [PLAN_CHECK_PASS] = 0, [PLAN_CHECK_UNKNOWN] = 1, [PLAN_CHECK_ERROR] = 2,
		[PLAN_CHECK_FAIL] = 3 };

	return rank[a] > rank[b] ? a : b;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void fill_object(struct plan *plan, const struct plan_checked *checked,
	struct plan_check_object *object)
{
	*object = (struct plan_check_object){ .address = checked->address, .status = PLAN_CHECK_PASS };
	object->messages = zp_new_array(&plan->arena, const char *, checked->count);
	for (size_t i = 0; i < checked->count; i++) {
		object->status = worse(object->status, checked->status[i]);
		if (checked->status[i] == PLAN_CHECK_FAIL && checked->messages[i])
			object->messages[object->message_count++] = checked->messages[i];
	}
	if (object->message_count)
		qsort(object->messages, object->message_count, sizeof(*object->messages), by_text);
}

struct blocks {
	struct plan *plan;
	ZP_VEC(, struct plan_check_block) found;
};

static void add_block(struct blocks *blocks, const struct plan_module *module, enum plan_checked_kind kind,
	const char *name)
{
	struct plan *plan = blocks->plan;
	zp_autobuf text = ZP_BUF_INIT;

	for (const char *p = module->path; *p; p += strcspn(p, "."), p += *p == '.')
		zp_buf_printf(&text, "module.%.*s.", (int)strcspn(p, "."), p);
	zp_buf_puts(&text, name);
	struct plan_check_block block = { .kind = kind,
		.address = zp_arena_strndup(&plan->arena, text.ptr, text.len),
		.status = plan->kind == PLAN_DESTROY ? PLAN_CHECK_UNKNOWN : PLAN_CHECK_PASS };
	zp_vec_push(&blocks->found, block);
}

static void add_named(struct blocks *blocks, const struct plan_module *module, enum plan_checked_kind kind,
	const char *word, const char *name)
{
	zp_autofree char *text = zp_format("%s.%s", word, name);

	add_block(blocks, module, kind, text);
}

/* Every block of the configuration that has conditions. */
static void collect_blocks(struct blocks *blocks, const struct plan_module *module)
{
	for (size_t i = 0; i < module->resource_count; i++) {
		const struct plan_lifecycle *lifecycle = &module->resources[i]->lifecycle;
		if (lifecycle->precondition_count + lifecycle->postcondition_count)
			add_block(blocks, module, PLAN_CHECKED_RESOURCE, module->resources[i]->address);
	}
	for (size_t i = 0; i < module->output_count; i++)
		if (module->outputs[i]->precondition_count)
			add_named(blocks, module, PLAN_CHECKED_OUTPUT, "output", module->outputs[i]->name);
	for (size_t i = 0; i < module->check_count; i++)
		add_named(blocks, module, PLAN_CHECKED_CHECK, "check", module->checks[i]->name);
	for (size_t i = 0; i < module->variable_count; i++)
		if (module->variables[i]->validation_count)
			add_named(blocks, module, PLAN_CHECKED_VARIABLE, "var", module->variables[i]->name);
	for (size_t i = 0; i < module->call_count; i++)
		if (module->calls[i]->module)
			collect_blocks(blocks, module->calls[i]->module);
}

static int by_block(const void *a, const void *b)
{
	const struct plan_check_block *x = a, *y = b;

	return strcmp(x->address, y->address);
}

static int by_object(const void *a, const void *b)
{
	const struct plan_checked *x = *(struct plan_checked *const *)a, *y = *(struct plan_checked *const *)b;
	int order = strcmp(x->block, y->block);

	if (!order && x->instance && y->instance && x->instance->key.kind == STATE_INT_KEY &&
		y->instance->key.kind == STATE_INT_KEY && x->module == y->module)
		return (x->instance->key.number > y->instance->key.number) -
			(x->instance->key.number < y->instance->key.number);
	return order ? order : strcmp(x->address, y->address);
}

/* Root outputs are met in every plan, and a plan to destroy asks nothing of them. */
static void note_unasked(struct plan *plan)
{
	for (uint32_t i = 0; plan->kind == PLAN_DESTROY && i < plan->root->config->output_count; i++)
		plan_checked_named(plan, PLAN_CHECKED_OUTPUT, plan->root, i,
			plan->root->config->outputs[i]->precondition_count);
}

const struct plan_check_block *plan_check_blocks(struct plan *plan, size_t *count)
{
	struct blocks blocks = { .plan = plan };
	size_t next = 0;

	note_unasked(plan);
	collect_blocks(&blocks, plan->config->root);
	*count = blocks.found.count;
	if (*count)
		qsort(blocks.found.items, *count, sizeof(struct plan_check_block), by_block);
	zp_autofree struct plan_checked **sorted = zp_calloc(plan->checked.count + 1, sizeof(*sorted));
	if (plan->checked.count) {
		memcpy(sorted, plan->checked.items, plan->checked.count * sizeof(*sorted));
		qsort(sorted, plan->checked.count, sizeof(*sorted), by_object);
	}
	for (size_t i = 0; i < *count; i++) {
		struct plan_check_block *block = &blocks.found.items[i];
		size_t first;
		while (next < plan->checked.count && strcmp(sorted[next]->block, block->address) < 0)
			next++;
		first = next;
		while (next < plan->checked.count && strcmp(sorted[next]->block, block->address) == 0)
			next++;
		block->object_count = next - first;
		/* Nobody looked how many there are. */
		if (!block->object_count && plan_is_limited(plan))
			block->status = PLAN_CHECK_UNKNOWN;
		block->objects = zp_new_array(&plan->arena, struct plan_check_object, next - first);
		for (size_t k = first; k < next; k++) {
			fill_object(plan, sorted[k], &block->objects[k - first]);
			block->status = worse(block->status, block->objects[k - first].status);
		}
	}
	struct plan_check_block *result = zp_vec_to_arena(&blocks.found, &plan->arena);
	zp_vec_release(&blocks.found);
	return result;
}

const char *plan_check_status_name(enum plan_check_status status)
{
	static const char *const names[] = { [PLAN_CHECK_UNKNOWN] = "unknown", [PLAN_CHECK_PASS] = "pass",
		[PLAN_CHECK_FAIL] = "fail", [PLAN_CHECK_ERROR] = "error" };

	return names[status];
}

/* ---- in the state ---- */

static void object_json(struct zp_json_writer *writer, const struct plan_check_object *object)
{
	zp_json_begin_object(writer);
	zp_json_key(writer, "object_addr");
	zp_json_cstr(writer, object->address);
	zp_json_key(writer, "status");
	zp_json_cstr(writer, plan_check_status_name(object->status));
	if (object->message_count) {
		zp_json_key(writer, "failure_messages");
		zp_json_begin_array(writer);
		for (size_t i = 0; i < object->message_count; i++)
			zp_json_cstr(writer, object->messages[i]);
		zp_json_end_array(writer);
	}
	zp_json_end_object(writer);
}

void plan_store_checks(struct plan *plan, struct state *state)
{
	static const char *const kinds[] = { "resource", "output", "check", "var" };
	size_t count;
	const struct plan_check_block *blocks = plan_check_blocks(plan, &count);
	struct zp_json_writer writer;
	zp_autobuf text = ZP_BUF_INIT;

	state->check_results = (struct zp_str){ 0 };
	if (!count)
		return;
	zp_json_writer_init(&writer, &text, false);
	zp_json_begin_array(&writer);
	for (size_t i = 0; i < count; i++) {
		zp_json_begin_object(&writer);
		zp_json_key(&writer, "object_kind");
		zp_json_cstr(&writer, kinds[blocks[i].kind]);
		zp_json_key(&writer, "config_addr");
		zp_json_cstr(&writer, blocks[i].address);
		zp_json_key(&writer, "status");
		zp_json_cstr(&writer, plan_check_status_name(blocks[i].status));
		zp_json_key(&writer, "objects");
		if (blocks[i].object_count)
			zp_json_begin_array(&writer);
		else
			zp_json_null(&writer);
		for (size_t k = 0; k < blocks[i].object_count; k++)
			object_json(&writer, &blocks[i].objects[k]);
		if (blocks[i].object_count)
			zp_json_end_array(&writer);
		zp_json_end_object(&writer);
	}
	zp_json_end_array(&writer);
	state->check_results = zp_arena_str(&state->arena, zp_buf_slice(&text));
}

/* ---- check blocks ---- */

/* The data source of a check did not answer: the check says so, and asks nothing more. */
static bool has_no_data(struct plan_scope_module *module, const struct plan_check *check)
{
	if (!check->data)
		return false;
	const struct plan_resource_cell *resource = &module->resources[check->data->index];
	return resource->repetition.count && resource->instances[0].read_failure;
}

static void forget(struct plan_checked *checked)
{
	for (size_t i = 0; checked && i < checked->count; i++)
		plan_note_check(checked, i, PLAN_CHECK_UNKNOWN, NULL);
}

/* Whether it asks about something the apply did not get done with. */
static bool waits(struct plan *plan, const struct plan_module *module, const struct plan_check *check)
{
	struct zp_map found = { 0 };
	struct plan_needs walk = { .arena = &plan->arena, .found = &found, .module = module };
	bool any = false;

	if (!plan->unfinished.count)
		return false;
	for (size_t i = 0; i < check->assert_count; i++) {
		plan_needs_of_expression(&walk, check->asserts[i].condition);
		plan_needs_of_expression(&walk, check->asserts[i].error_message);
	}
	for (size_t i = 0; i < found.count && !any; i++)
		any = zp_map_has(&plan->unfinished, found.entries[i].key);
	plan_needs_release(&walk);
	zp_map_release(&found);
	return any;
}

void plan_assert_checks(struct plan *plan, struct plan_scope_module *module)
{
	struct plan_scope scope;

	plan_scope_init(&scope, plan, module, (struct state_key){ 0 }, hcl_null(hcl_dynamic));
	for (uint32_t i = 0; i < module->config->check_count; i++) {
		const struct plan_check *check = module->config->checks[i];
		scope.checked = plan_checked_named(plan, PLAN_CHECKED_CHECK, module, i, check->assert_count);
		scope.warns = true;
		if (waits(plan, module->config, check))
			forget(scope.checked);
		else if (!has_no_data(module, check))
			plan_check_rules(&scope, check->asserts, check->assert_count,
				"Check block assertion failed", NULL, NULL);
	}
}

void plan_fail_check(struct plan *plan, struct plan_instance *instance, const char *message)
{
	const struct plan_module *config = instance->cell.module->config;

	instance->read_failure = message;
	for (uint32_t i = 0; i < config->check_count; i++)
		if (config->checks[i]->data == instance->resource->config)
			plan_note_check(plan_checked_named(plan, PLAN_CHECKED_CHECK,
				instance->cell.module, i, config->checks[i]->assert_count), 0,
				PLAN_CHECK_FAIL, message);
}

/* ---- once all is applied ---- */

static void assert_all(struct plan *plan, struct plan_scope_module *module)
{
	plan_assert_checks(plan, module);
	for (size_t i = 0; i < module->config->call_count; i++)
		for (uint32_t k = 0; k < module->calls[i].repetition.count; k++)
			assert_all(plan, module->calls[i].instances[k]);
}

static bool is_open(const struct plan_checked *checked)
{
	for (size_t i = 0; i < checked->count; i++)
		if (checked->status[i] == PLAN_CHECK_UNKNOWN)
			return true;
	return false;
}

/* A cell that is evaluated anew checks itself. */
static void check_variable(struct plan *plan, const struct plan_checked *checked)
{
	struct plan_cell *cell = &checked->module->variables[checked->index];
	bool was_done = cell->status == PLAN_DONE;

	if (plan_cell_ok(plan, cell) && was_done)
		plan_validate_variable(plan, checked->module,
			checked->module->config->variables[checked->index]);
}

void plan_forget_checks(struct plan *plan, enum plan_reached (*reached)(void *data, const struct plan_cell *cell),
	void *data)
{
	for (size_t i = 0; i < plan->instances.count; i++) {
		const struct plan_instance *instance = plan->instances.items[i];
		if (reached(data, &instance->cell) != PLAN_GOT_DONE)
			zp_map_set(&plan->unfinished, zp_str(instance->resource->block), plan);
	}
	for (size_t i = 0; i < plan->checked.count; i++) {
		struct plan_checked *checked = plan->checked.items[i];
		const struct plan_cell *cell =
			checked->kind == PLAN_CHECKED_RESOURCE ? &checked->instance->cell :
			checked->kind == PLAN_CHECKED_OUTPUT   ? &checked->module->outputs[checked->index] :
								 NULL;
		if (cell && reached(data, cell) == PLAN_NOT_REACHED)
			forget(checked);
	}
}

void plan_check_rest(struct plan *plan)
{
	for (size_t i = 0; i < plan->checked.count && plan->kind == PLAN_NORMAL; i++) {
		struct plan_checked *checked = plan->checked.items[i];
		if (!is_open(checked))
			continue;
		if (checked->kind == PLAN_CHECKED_RESOURCE && checked->instance->action == PLAN_NO_OP)
			plan_instance_check(plan, checked->instance);
		else if (checked->kind == PLAN_CHECKED_OUTPUT)
			plan_check_output(plan, checked->module, checked->index);
		else if (checked->kind == PLAN_CHECKED_VARIABLE)
			check_variable(plan, checked);
	}
	if (plan->kind != PLAN_DESTROY && !plan_is_limited(plan))
		assert_all(plan, plan->root);
}

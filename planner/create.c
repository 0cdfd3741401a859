/* Making a plan, from options to changes. */
#include <time.h>

#include "base/alloc.h"
#include "base/threads.h"
#include "planner/checks.h"

void plan_emit_begin(struct plan *plan)
{
	pthread_mutex_lock(&plan->hook_lock);
}

void plan_emit_next(struct plan *plan, const struct plan_event *event)
{
	if (plan->hooks)
		plan->hooks->event(plan->hooks, event);
}

void plan_emit_end(struct plan *plan)
{
	if (plan->hooks && plan->hooks->flush)
		plan->hooks->flush(plan->hooks);
	pthread_mutex_unlock(&plan->hook_lock);
}

void plan_emit(struct plan *plan, const struct plan_event *event)
{
	plan_emit_begin(plan);
	plan_emit_next(plan, event);
	plan_emit_end(plan);
}

static const char *now_text(struct zp_arena *arena)
{
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	return zp_arena_format(arena, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900,
		tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

struct plan *plan_new(struct plan_config *config, const struct plan_options *options,
	struct zp_diags *diags)
{
	struct plan *plan = zp_calloc(1, sizeof(*plan));

	zp_arena_init(&plan->arena);
	plan->config = config;
	plan->kind = options->kind;
	plan->refresh = options->refresh;
	plan->workspace = zp_arena_strdup(&plan->arena,
		options->workspace ? options->workspace : "default");
	plan->working_dir = zp_arena_strdup(&plan->arena,
		options->working_dir ? options->working_dir : ".");
	plan->created = now_text(&plan->arena);
	plan->diags = diags;
	for (size_t i = 0; i < options->generated_count; i++)
		zp_map_set(&plan->generated, zp_str(zp_arena_strdup(&plan->arena, options->generated[i].address)),
			zp_arena_strdup(&plan->arena, options->generated[i].text));
	plan->hooks = options->hooks;
	plan->parallelism = options->parallelism > 0 ? options->parallelism : 10;
	plan->environment.nodes = options->nodes;
	plan->environment.working_dir = plan->working_dir;
	plan->environment.read_outputs = plan_read_outputs;
	pthread_mutex_init(&plan->hook_lock, NULL);
	pthread_mutex_init(&plan->lock, NULL);
	return plan;
}

static void release_module(struct plan_scope_module *module)
{
	for (size_t i = 0; i < module->config->resource_count; i++)
		zp_map_release(&module->resources[i].repetition.by_text);
	for (size_t i = 0; i < module->config->call_count; i++) {
		struct plan_call_cell *call = &module->calls[i];
		zp_map_release(&call->repetition.by_text);
		for (uint32_t k = 0; call->instances && k < call->repetition.count; k++)
			release_module(call->instances[k]);
	}
}

void plan_free(struct plan *plan)
{
	if (!plan)
		return;
	for (size_t i = 0; i < plan->providers.count; i++) {
		struct plan_provider *use = plan->providers.items[i];
		if (use->configured && use->provider->release)
			use->provider->release(&use->instance);
	}
	if (plan->root)
		release_module(plan->root);
	zp_map_release(&plan->saved_data);
	zp_map_release(&plan->saved_identities);
	zp_vec_release(&plan->providers);
	zp_vec_release(&plan->cells);
	zp_vec_release(&plan->frames);
	zp_vec_release(&plan->instances);
	zp_vec_release(&plan->orphans);
	zp_vec_release(&plan->changes);
	zp_vec_release(&plan->moved_changes);
	zp_vec_release(&plan->output_changes);
	zp_vec_release(&plan->drifts);
	zp_vec_release(&plan->moves);
	zp_vec_release(&plan->checked);
	zp_map_release(&plan->checked_by_address);
	zp_map_release(&plan->unfinished);
	zp_map_release(&plan->written);
	zp_map_release(&plan->imports);
	zp_map_release(&plan->generated);
	zp_map_release(&plan->selected);
	zp_map_release(&plan->doomed);
	zp_map_release(&plan->moved_from);
	zp_map_release(&plan->moved_to);
	state_free(plan->stored);
	state_free(plan->prior);
	pthread_mutex_destroy(&plan->hook_lock);
	pthread_mutex_destroy(&plan->lock);
	zp_arena_release(&plan->arena);
	free(plan);
}

/* Whether anything in the module is part of the plan. */
static bool is_selected(const struct plan *plan, const struct plan_module *module)
{
	zp_autobuf prefix = ZP_BUF_INIT;

	if (!plan_is_limited(plan) || plan->kind == PLAN_DESTROY || !module)
		return true;
	for (const char *path = module->path; *path;) {
		size_t length = strcspn(path, ".");
		zp_buf_printf(&prefix, "module.%.*s.", (int)length, path);
		path += length + (path[length] == '.');
	}
	for (size_t i = 0; i < plan->selected.count; i++)
		if (zp_str_starts(plan->selected.entries[i].key, prefix.ptr))
			return true;
	return false;
}

static void evaluate_resource(struct plan *plan, struct plan_resource_cell *resource, bool whole)
{
	if (whole) {
		plan_cell_ok(plan, &resource->cell);
		return;
	}
	if (!plan_selects_block(plan, resource->block) || !plan_cell_ok(plan, &resource->expand))
		return;
	for (uint32_t i = 0; i < resource->repetition.count; i++)
		if (plan_selects_instance(plan, &resource->instances[i]))
			plan_cell_ok(plan, &resource->instances[i].cell);
}

/* Every object of a module instance and of those below it. */
static void evaluate_module(struct plan *plan, struct plan_scope_module *module)
{
	const struct plan_module *config = module->config;

	bool whole = !plan_is_limited(plan);

	if (plan->kind != PLAN_DESTROY && (whole || module == plan->root))
		plan_validate_variables(plan, module);
	for (size_t i = 0; i < config->resource_count; i++)
		evaluate_resource(plan, &module->resources[i], whole);
	for (size_t i = 0; i < config->local_count && plan->kind == PLAN_NORMAL && whole; i++)
		plan_cell_value(plan, &module->locals[i]);
	for (size_t i = 0; i < config->call_count; i++) {
		struct plan_call_cell *call = &module->calls[i];
		if (!is_selected(plan, config->calls[i]->module) || !plan_cell_ok(plan, &call->cell))
			continue;
		for (uint32_t k = 0; k < call->repetition.count; k++)
			evaluate_module(plan, call->instances[k]);
	}
	for (size_t i = 0; i < config->output_count && plan->kind != PLAN_DESTROY; i++)
		if (whole || (module == plan->root && plan->selected_outputs[i]))
			plan_cell_value(plan, &module->outputs[i]);
	if (plan->kind != PLAN_DESTROY && whole)
		plan_assert_checks(plan, module);
}

static void build(void *data)
{
	struct plan *plan = data;

	plan->environment.lineage = plan->prior->lineage;
	plan_find_moves(plan);
	plan_check_removed(plan);
	plan_choose(plan);
	if (plan->refresh && !plan->diags->errors) {
		plan_refresh(plan);
		plan->refreshed = true;
	}
	if (!plan->diags->errors && plan->kind == PLAN_NORMAL)
		plan_import_objects(plan);
	if (plan->diags->errors) {
		plan->errored = true;
		return;
	}
	evaluate_module(plan, plan->root);
	if (plan->kind == PLAN_NORMAL)
		plan_check_imported(plan);
	plan_spread_create_before_destroy(plan);
	if (!plan->diags->errors)
		plan_find_orphans(plan);
	plan_report_forgotten(plan);
	plan_collect_changes(plan);
	/* Who looks at no node, with -refresh=false, asks none for room either: the apply finds out. */
	if (plan->kind == PLAN_NORMAL && plan->refreshed && !plan->loaded && !plan->diags->errors)
		plan_review(plan);
	if (plan->kind != PLAN_DESTROY)
		plan_store_data(plan, plan->prior, false);
	plan->errored = plan->diags->errors > 0;
}

void plan_build(struct plan *plan)
{
	zp_call_with_deep_stack(build, plan);
}

struct plan *plan_create(struct plan_config *config, const struct plan_options *options,
	const struct state *state, struct zp_diags *diags)
{
	plan_report_absent(config->root, diags);
	if (diags->errors)
		return NULL;
	struct plan *plan = plan_new(config, options, diags);
	plan->stored = state_clone(state);
	plan->prior = state_clone(state);
	plan->root = plan_module_instance(plan, config->root, NULL, NULL, (struct state_key){ 0 },
		hcl_null(hcl_dynamic));
	if (!plan_take_replaces(plan, options) || !plan_take_targets(plan, options) ||
		 !plan_take_inputs(plan, options)) {
		plan_free(plan);
		return NULL;
	}
	plan_build(plan);
	if (plan->errored && !plan->changes.count) {
		plan_free(plan);
		return NULL;
	}
	return plan;
}

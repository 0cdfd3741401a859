/* Taking over what an interrupted run left: its journal's outcomes, and what the nodes know of the rest. */
#include "hcl-lite/codec.h"
#include "planner/engine.h"

static void say(struct plan_hooks *hooks, const char *address, const char *text)
{
	if (hooks)
		hooks->event(hooks, &(struct plan_event){ .kind = PLAN_EVENT_RECOVERED,
			.address = address, .text = text });
	if (hooks && hooks->flush)
		hooks->flush(hooks);
}

/* A plan without configuration: the frame in which providers are configured by default. */
struct recovery {
	struct plan *plan;
	struct state *state;
	struct plan_hooks *hooks;
	struct plan_module module;
	struct plan_config config;
};

static struct hcl_value from_json(struct zp_arena *arena, const struct hcl_type *type,
	struct zp_str text)
{
	struct hcl_value value = hcl_null(type);
	struct zp_json json;

	if (!text.len)
		return value;
	zp_json_init(&json, text);
	if (!hcl_value_from_json(&json, arena, type, &value))
		value = hcl_null(type);
	zp_json_release(&json);
	return value;
}

/* Whether what the state has at the address is still the object that is being replaced. */
static bool replaces(const struct recovery *recovery, const struct state_intent *intent)
{
	return intent->replaced_as && state_find(recovery->state, intent->address, NULL) &&
	       !state_find(recovery->state, intent->address, intent->replaced_as);
}

static void adopt(struct recovery *recovery, const struct state_intent *intent,
	const struct provider_resource_type *type, const struct provider_operation *op)
{
	zp_autobuf attributes = ZP_BUF_INIT;
	const struct state_object *old =
		state_find(recovery->state, intent->address, intent->deposed);
	struct state_object object = old ? *old : (struct state_object){ 0 };

	plan_encode_attributes(type->schema, op->result, &attributes);
	/* The former object of a replacement that was created first goes out of the new one's way. */
	if (replaces(recovery, intent)) {
		state_depose(recovery->state, intent->address, intent->replaced_as);
		object = (struct state_object){ .create_before_destroy = true };
	}
	object.resource = state_resource(recovery->state, intent->module, STATE_MANAGED, intent->type,
		intent->name, intent->provider);
	object.key = intent->key;
	object.deposed = intent->deposed;
	object.schema_version = type->schema->version;
	object.attributes = zp_buf_slice(&attributes);
	if (op->private_out.len)
		object.private_data = op->private_out;
	if (intent->dependency_count) {
		object.dependencies = intent->dependencies;
		object.dependency_count = intent->dependency_count;
	}
	state_set(recovery->state, &object);
}

/* One intent without outcome: whoever can tell is asked what became of it. */
static bool settle(struct recovery *recovery, const struct state_intent *intent)
{
	struct plan *plan = recovery->plan;
	const struct provider *provider = provider_for_type(intent->type);
	const struct provider_resource_type *type =
		provider ? provider_resource(provider, intent->type, false) : NULL;
	size_t errors = plan->diags->errors;

	if (!type) {
		zp_diag_error(plan->diags, ZP_NOWHERE, "Provider not available",
			"An interrupted run was about to change %s, and zplan has no provider for it.",
			intent->address);
		return false;
	}
	struct plan_provider *use = plan_provider_default(plan, provider);
	if (!use->configured)
		return false;
	const struct state_object *stored =
		state_find(recovery->state, intent->address, intent->deposed);
	struct hcl_value prior = stored ?
		from_json(&plan->arena, type->schema->type, stored->attributes) :
		hcl_null(type->schema->type);
	/* What a creation replaces is another object: the question is not about that one. */
	bool other = intent->action == STATE_ACT_CREATE && replaces(recovery, intent);
	struct provider_operation op = {
		.verb = intent->action == STATE_ACT_CREATE ? PROVIDER_RECOVER : PROVIDER_READ,
		.type = type,
		.address = intent->address,
		.identity = intent->identity,
		.arena = &plan->arena,
		.prior = other ? hcl_null(type->schema->type) : prior,
		.planned = from_json(&plan->arena, type->schema->type, intent->planned),
		.config = hcl_null(type->schema->type),
		.private_in = stored && !other ? stored->private_data : (struct zp_str){ 0 },
	};
	if (op.verb == PROVIDER_READ && hcl_is_null(prior))
		return true; /* nothing was known of it, nothing is lost */
	struct provider_operation *ops[] = { &op };
	type->run(&use->instance, ops, 1);
	plan_report_problems(plan, NULL, intent->address, &op.problems);
	if (plan->diags->errors > errors)
		return false;
	if (!op.result.type || hcl_is_null(op.result)) {
		/* A replaced object's new half never came to be: the state's is the old one, and stays. */
		bool mine = intent->action != STATE_ACT_CREATE ||
			(stored && !other && strcmp(intent->identity ? intent->identity : "",
				plan_text_attribute(prior, type->identity_attribute) ?
				plan_text_attribute(prior, type->identity_attribute) : "-") == 0);
		if (mine)
			state_remove(recovery->state, intent->address, intent->deposed);
		say(recovery->hooks, intent->address, "An interrupted run left nothing of it");
		return true;
	}
	adopt(recovery, intent, type, &op);
	say(recovery->hooks, intent->address, "Taken over from an interrupted run");
	return true;
}

static bool settle_all(struct recovery *recovery, const struct state_replay *replay)
{
	bool ok = true;

	for (size_t i = 0; i < replay->count; i++)
		if (!replay->entries[i].done && replay->entries[i].intent.address &&
			replay->entries[i].intent.type)
			ok &= settle(recovery, &replay->entries[i].intent);
	return ok;
}

static bool take_over(struct recovery *recovery, const struct state_replay *replay,
	struct state_backend *backend)
{
	struct zp_diags *diags = recovery->plan->diags;
	zp_autoerror err = ZP_ERROR_INIT;

	if (replay->truncated)
		zp_diag_warning(diags, ZP_NOWHERE, "Journal ends in the middle",
			"The journal of an interrupted run is cut off or damaged at its end; its good "
			"part (%zu records of intent) was used.", replay->count);
	state_replay_apply(replay, recovery->state);
	if (!settle_all(recovery, replay)) {
		zp_diag_error(diags, ZP_NOWHERE, "An interrupted run could not be taken over",
			"Its journal %s stays as it is. Make the nodes reachable and run the command "
			"again.", backend->journal_path);
		return false;
	}
	recovery->state->serial++;
	if (state_backend_store(backend, recovery->state, &err) < 0 ||
		state_journal_remove(backend->journal_path, &err) < 0) {
		zp_diag_error(diags, ZP_NOWHERE, "Failed to save state", "%s", zp_error_text(&err));
		return false;
	}
	return true;
}

bool plan_recover(struct state_backend *backend, struct state *state, struct node_pool *nodes,
	struct plan_hooks *hooks, struct zp_diags *diags)
{
	struct state_replay *replay = NULL;
	zp_autoerror err = ZP_ERROR_INIT;

	if (state_journal_read(backend->journal_path, &replay, &err) < 0) {
		zp_diag_error(diags, ZP_NOWHERE, "Failed to read the journal", "%s",
			zp_error_text(&err));
		return false;
	}
	if (!replay)
		return true;
	if (*replay->lineage && state->serial && strcmp(replay->lineage, state->lineage) != 0) {
		zp_diag_error(diags, ZP_NOWHERE, "Journal of another state",
			"%s belongs to the state of lineage %s, and this one has lineage %s. Move it "
			"away, or bring back the state it belongs to.", backend->journal_path,
			replay->lineage, state->lineage);
		state_replay_free(replay);
		return false;
	}
	/* The first run of a state may have ended before the state was ever stored. */
	if (*replay->lineage)
		state->lineage = zp_arena_strdup(&state->arena, replay->lineage);
	struct recovery recovery = { .state = state, .hooks = hooks };
	recovery.config.root = &recovery.module;
	recovery.module.path = "";
	recovery.module.dir = ".";
	struct plan_options options = { .nodes = nodes, .hooks = hooks };
	recovery.plan = plan_new(&recovery.config, &options, diags);
	recovery.plan->environment.lineage = state->lineage;
	recovery.plan->root = plan_module_instance(recovery.plan, &recovery.module, NULL, NULL,
		(struct state_key){ 0 }, hcl_null(hcl_dynamic));
	bool ok = take_over(&recovery, replay, backend);
	plan_free(recovery.plan);
	state_replay_free(replay);
	return ok;
}

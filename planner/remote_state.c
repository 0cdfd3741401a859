/* What data "terraform_remote_state" asks for: outputs out of another configuration's state. */
#include "base/alloc.h"
#include "hcl-lite/codec.h"
#include "planner/engine.h"
#include "providers/values.h"

static struct state *load(struct hcl_value config, struct zp_error *err)
{
	const char *kind = provider_get_text(config, "backend");
	const char *workspace = provider_get_text(config, "workspace");
	const struct state_backend_type *type = kind ? state_backend_type(kind) : NULL;
	struct state_settings settings;
	struct state *state = NULL;

	if (!type) {
		zp_error_set(err, "There is no backend type named \"%s\".", kind ? kind : "");
		return NULL;
	}
	state_settings_init(&settings, type);
	struct hcl_value given = provider_get(config, "config");
	int rc = given.state == HCL_KNOWN ? state_settings_from_value(&settings, given, err) : 0;
	struct state_backend *backend =
		rc < 0 ? NULL : state_backend_open(&settings, workspace, err);
	state_settings_release(&settings);
	if (backend && state_backend_load(backend, &state, err) < 0)
		state = NULL;
	if (backend)
		state_backend_free(backend);
	return state;
}

/* Outputs by name; those the state lacks have their default. */
static struct hcl_value collect(struct zp_arena *arena, const struct state *state,
	struct hcl_value defaults)
{
	size_t extra = defaults.state == HCL_KNOWN && (defaults.type->kind == HCL_OBJECT ||
		defaults.type->kind == HCL_MAP) ? defaults.count : 0;
	const char **names = zp_new_array(arena, const char *, state->output_count + extra);
	struct hcl_value *values =
		zp_new_array(arena, struct hcl_value, state->output_count + extra);
	size_t count = 0;

	for (size_t i = 0; i < state->output_count; i++) {
		const struct state_output *output = &state->outputs[i];
		const struct hcl_type *type = hcl_type_from_json(output->type);
		struct zp_json json;
		zp_json_init(&json, output->value);
		names[count] = zp_arena_strdup(arena, output->name);
		values[count] = hcl_null(hcl_dynamic);
		if (type)
			hcl_value_from_json(&json, arena, type, &values[count]);
		zp_json_release(&json);
		count++;
	}
	for (size_t i = 0; i < extra; i++) {
		bool map = defaults.type->kind == HCL_MAP;
		const char *name = map ? zp_arena_strndup(arena, defaults.entries[i].key.ptr,
			defaults.entries[i].key.len) : defaults.type->attributes[i].name;
		bool there = false;
		for (size_t k = 0; k < state->output_count && !there; k++)
			there = strcmp(names[k], name) == 0;
		if (there)
			continue;
		names[count] = name;
		values[count++] = map ? defaults.entries[i].value : defaults.elements[i];
	}
	return hcl_object_build(arena, names, values, count);
}

bool plan_read_outputs(const struct provider_environment *environment, struct hcl_value config,
	struct zp_arena *arena, struct hcl_value *outputs, struct provider_problems *problems)
{
	zp_autoerror err = ZP_ERROR_INIT;
	struct state *state = load(config, &err);
	struct hcl_value defaults = provider_get(config, "defaults");

	(void)environment;
	if (!state) {
		provider_error(problems, NULL, "Unable to read remote state", "%s", zp_error_text(&err));
		return false;
	}
	if (state_is_empty(state) && !state->serial) {
		provider_error(problems, NULL, "Unable to find remote state",
			"No stored state was found for the given workspace in the given backend.");
		state_free(state);
		return false;
	}
	*outputs = collect(arena, state, defaults);
	state_free(state);
	return true;
}

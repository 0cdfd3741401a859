#include "cli/render_plan.h"
#include "cli/render_value.h"
#include "hcl-lite/codec.h"

static const struct provider_schema *schema_of(const struct state_resource *resource)
{
	const struct provider *provider = provider_for_type(resource->type);
	const struct provider_resource_type *type = provider ?
		provider_resource(provider, resource->type, resource->mode == STATE_DATA) : NULL;

	return type ? type->schema : NULL;
}

static void print_object(const struct cli_view *view, const struct state_object *object,
	struct zp_arena *scratch, struct zp_buf *out)
{
	const struct state_resource *resource = object->resource;
	const struct provider_schema *schema = schema_of(resource);
	struct cli_render render = { .view = view, .out = out, .scratch = scratch, .plain = true };
	zp_autoerror err = ZP_ERROR_INIT;
	struct hcl_value value;

	zp_buf_printf(out, "# %s:", object->address);
	if (object->deposed)
		zp_buf_printf(out, " (deposed object %s)", object->deposed);
	else if (object->tainted)
		zp_buf_puts(out, " (tainted)");
	zp_buf_printf(out, "\n%s \"%s\" \"%s\" {\n",
		resource->mode == STATE_DATA ? "data" : "resource", resource->type, resource->name);
	if (!schema)
		zp_buf_printf(out, "    # (zplan has no provider for %s)\n", resource->type);
	else if (!plan_decode_object(object, schema, scratch, &value, &err))
		zp_buf_printf(out, "    # (can not be read: %s)\n", zp_error_text(&err));
	else
		cli_render_object(&render, schema, value, value, PLAN_NO_OP, 1);
	zp_buf_puts(out, "}\n\n");
}

void cli_render_object_of_state(const struct cli_view *view, const struct state_object *object,
	struct zp_buf *out)
{
	struct zp_arena scratch;

	zp_arena_init(&scratch);
	print_object(view, object, &scratch, out);
	if (out->len)
		out->ptr[--out->len] = 0; /* the empty line between objects */
	zp_arena_release(&scratch);
}

bool cli_output_value(const struct state_output *output, struct zp_arena *arena,
	struct hcl_value *value)
{
	const struct hcl_type *type = hcl_type_from_json(output->type);
	struct zp_json json;

	if (!type)
		return false;
	zp_json_init(&json, output->value);
	bool ok = hcl_value_from_json(&json, arena, type, value);
	zp_json_release(&json);
	return ok;
}

static void print_state_outputs(const struct cli_view *view, const struct state *state,
	struct zp_arena *scratch, struct zp_buf *out)
{
	struct cli_render render = { .view = view, .out = out, .scratch = scratch, .plain = true };

	if (!state->output_count)
		return;
	zp_buf_puts(out, "\nOutputs:\n\n");
	for (size_t i = 0; i < state->output_count; i++) {
		struct hcl_value value;
		if (!cli_output_value(&state->outputs[i], scratch, &value))
			continue;
		if (state->outputs[i].sensitive)
			value = hcl_mark(value, HCL_SENSITIVE);
		cli_render_named(&render, state->outputs[i].name, 0, value, value, 0);
	}
}

void cli_render_state(const struct cli_view *view, const struct state *state, struct zp_buf *out)
{
	struct zp_arena scratch;

	if (state_is_empty(state)) {
		zp_buf_puts(out, "The state file is empty. No resources are represented.\n");
		return;
	}
	zp_arena_init(&scratch);
	for (size_t i = 0; i < state->object_count; i++)
		if (state->objects[i])
			print_object(view, state->objects[i], &scratch, out);
	print_state_outputs(view, state, &scratch, out);
	zp_arena_release(&scratch);
}

void cli_render_outputs(const struct cli_view *view, const struct state *state, struct zp_buf *out)
{
	struct zp_arena scratch;

	(void)view;
	zp_arena_init(&scratch);
	for (size_t i = 0; i < state->output_count; i++) {
		const struct state_output *output = &state->outputs[i];
		struct hcl_value value;
		zp_buf_printf(out, "%s = ", output->name);
		if (output->sensitive)
			zp_buf_puts(out, "<sensitive>");
		else if (cli_output_value(output, &scratch, &value))
			hcl_value_to_text(out, value, 0);
		else
			zp_buf_str(out, output->value);
		zp_buf_char(out, '\n');
	}
	zp_arena_release(&scratch);
}

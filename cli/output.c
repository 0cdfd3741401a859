#include "cli/cli.h"
#include "cli/render_plan.h"
#include "cli/run.h"
#include "hcl-lite/codec.h"

static void one_as_json(struct zp_json_writer *writer, const struct state_output *output)
{
	zp_json_begin_object(writer);
	zp_json_key(writer, "sensitive");
	zp_json_bool(writer, output->sensitive);
	zp_json_key(writer, "type");
	zp_json_raw(writer, output->type);
	zp_json_key(writer, "value");
	zp_json_raw(writer, output->value);
	zp_json_end_object(writer);
}

/* The peer indents the whole document, values included: through a value and back. */
static bool print_json(const struct state *state, const struct state_output *only)
{
	zp_autobuf compact = ZP_BUF_INIT, out = ZP_BUF_INIT;
	struct zp_json_writer writer;

	zp_json_writer_init(&writer, &compact, false);
	if (only) {
		zp_json_raw(&writer, only->value);
	} else {
		zp_json_begin_object(&writer);
		for (size_t i = 0; i < state->output_count; i++) {
			zp_json_key(&writer, state->outputs[i].name);
			one_as_json(&writer, &state->outputs[i]);
		}
		zp_json_end_object(&writer);
	}
	struct zp_json json;
	struct hcl_value value;
	struct zp_arena arena;
	zp_arena_init(&arena);
	zp_json_init(&json, zp_buf_slice(&compact));
	bool ok = hcl_value_from_plain_json(&json, &arena, &value);
	if (ok) {
		zp_json_writer_init(&writer, &out, !only);
		writer.html_safe = true;
		hcl_value_to_json(&writer, value, NULL);
		puts(out.ptr);
	}
	zp_json_release(&json);
	zp_arena_release(&arena);
	return ok;
}

static bool print_raw(struct cli_run *run, const struct state_output *output)
{
	struct hcl_value value, text;

	if (!cli_output_value(output, &run->arena, &value) || hcl_is_null(value) ||
		!hcl_type_is_primitive(value.type) ||
		!hcl_convert(&run->arena, value, hcl_string, &text, NULL)) {
		zp_diag_error(&run->diags, ZP_NOWHERE, "Unsupported value for raw output",
			"The -raw option only supports strings, numbers, and boolean values, but "
			"output value \"%s\" is something else.\n\nUse the -json option for "
			"machine-readable representations of output values that have complex types.",
			output->name);
		return false;
	}
	fwrite(text.text, 1, text.count, stdout);
	return true;
}

static const struct state_output *find(const struct state *state, const char *name)
{
	for (size_t i = 0; i < state->output_count; i++)
		if (strcmp(state->outputs[i].name, name) == 0)
			return &state->outputs[i];
	return NULL;
}

static int show_one(struct cli_run *run, const char *name, bool json, bool raw)
{
	const struct state_output *output = find(run->state, name);
	zp_autobuf text = ZP_BUF_INIT;
	struct hcl_value value;

	if (!output) {
		zp_diag_error(&run->diags, ZP_NOWHERE, "Output not found",
			"There is no output \"%s\" in the state. If you "
			"recently added this to your configuration, be sure to run `zplan apply`, "
			"since the state won't be updated with new output variables until that "
			"command is run.", name);
		return 1;
	}
	if (json)
		return print_json(run->state, output) ? 0 : 1;
	if (raw)
		return print_raw(run, output) ? 0 : 1;
	if (!cli_output_value(output, &run->arena, &value))
		return 1;
	hcl_value_to_text(&text, value, 0);
	puts(text.ptr);
	return 0;
}

static int show_all(struct cli_run *run, bool json)
{
	zp_autobuf text = ZP_BUF_INIT;

	if (json)
		return print_json(run->state, NULL) ? 0 : 1;
	if (!run->state->output_count) {
		zp_diag_warning(&run->diags, ZP_NOWHERE, "No outputs found",
			"The state file either has no outputs defined, or all the defined outputs "
			"are empty. Please define an output in your configuration with the `output` "
			"keyword and run `zplan apply` for it to become available.");
		return 0;
	}
	cli_render_outputs(&run->view, run->state, &text);
	fwrite(text.ptr, 1, text.len, stdout);
	return 0;
}

int cli_output(int argc, char **argv)
{
	struct cli_common common;
	bool json = false, raw = false;
	cli_common_init(&common);
	struct cli_option options[] = {
		{ "json", CLI_SWITCH, &json },
		{ "raw", CLI_SWITCH, &raw },
		{ "no-color", CLI_SWITCH, &common.no_color },
		{ "state", CLI_TEXT, &common.state_path },
	};
	struct cli_run run;

	if (!cli_options_parse(options, ZP_ARRAY_SIZE(options), &argc, argv, "output"))
		return 1;
	cli_run_init(&run, common.no_color);
	common.lock = false;
	if (argc > 1 || (json && raw) || (raw && !argc)) {
		zp_diag_error(&run.diags, ZP_NOWHERE, "Unexpected argument",
			"The output command expects at most one name; -raw needs one, and -json and "
			"-raw exclude each other.");
		return cli_run_finish(&run, 1);
	}
	if (!cli_run_load_root(&run) || !cli_run_open_state(&run, &common, ""))
		return cli_run_finish(&run, 1);
	return cli_run_finish(&run, argc ? show_one(&run, argv[0], json, raw) : show_all(&run, json));
}

#include "base/file.h"
#include "cli/cli.h"
#include "cli/render_markdown.h"
#include "cli/render_plan.h"
#include "cli/run.h"
#include "cli/show_json.h"

static int show_plan(struct cli_run *run, const char *path, bool json)
{
	zp_autobuf text = ZP_BUF_INIT;
	struct plan *plan = plan_load(path, NULL, NULL, &run->diags);

	if (!plan)
		return 1;
	if (json)
		cli_plan_json(plan, &text);
	else
		cli_render_plan(&run->view, plan, &text);
	fwrite(text.ptr, 1, text.len, stdout);
	plan_free(plan);
	return 0;
}

static int show_markdown(struct cli_run *run, const char *path, int limit)
{
	zp_autobuf text = ZP_BUF_INIT;
	struct plan *plan = plan_load(path, NULL, NULL, &run->diags);

	if (!plan)
		return 1;
	cli_render_markdown(plan, limit > 0 ? (size_t)limit : 0, &text);
	fwrite(text.ptr, 1, text.len, stdout);
	plan_free(plan);
	return 0;
}

/* Whether the words and the format go together. */
static bool check_words(struct cli_run *run, const char *format, int argc, char **argv)
{
	if (argc > 1)
		zp_diag_error(&run->diags, ZP_NOWHERE, "Too many command line arguments",
			"Expected at most one positional argument: a state or plan file.");
	else if (strcmp(format, "text") != 0 && strcmp(format, "json") != 0 &&
		strcmp(format, "markdown") != 0)
		zp_diag_error(&run->diags, ZP_NOWHERE, "Unknown format",
			"-format=%s is not known. Use text, json or markdown.", format);
	else if (strcmp(format, "markdown") == 0 && (argc == 0 || !plan_file_probe(argv[0])))
		zp_diag_error(&run->diags, ZP_NOWHERE, "A plan file is needed",
			"-format=markdown shows plans. Save one with \"zplan plan -out=FILE\", and "
			"name that file.");
	return !run->diags.errors;
}

static int show_state(struct cli_run *run, const struct state *state, bool json)
{
	zp_autobuf text = ZP_BUF_INIT;

	if (json)
		cli_state_json(state, &text);
	else
		cli_render_state(&run->view, state, &text);
	fwrite(text.ptr, 1, text.len, stdout);
	return 0;
}

static int show_state_file(struct cli_run *run, const char *path, bool json)
{
	zp_autobuf text = ZP_BUF_INIT;
	zp_autoerror err = ZP_ERROR_INIT;

	if (zp_file_read(path, ZP_SOURCE_MAX_BYTES, &text, &err) < 0 ||
		state_encryption_open(STATE_ENCRYPT_STATE, &text, path, false, &err) < 0 ||
		!(run->state = state_parse(zp_buf_slice(&text), path, &err))) {
		zp_diag_error(&run->diags, ZP_NOWHERE, "Failed to read the given file as a state or plan file",
			"%s", zp_error_text(&err));
		return 1;
	}
	return show_state(run, run->state, json);
}

int cli_show(int argc, char **argv)
{
	struct cli_common common;
	bool json = false;
	const char *format = "text";
	int limit = CLI_MARKDOWN_LIMIT;
	cli_common_init(&common);
	struct cli_option options[] = {
		{ "json", CLI_SWITCH, &json },
		{ "format", CLI_TEXT, &format },
		{ "limit", CLI_NUMBER, &limit },
		{ "no-color", CLI_SWITCH, &common.no_color },
	};
	struct cli_run run;

	if (!cli_options_parse(options, ZP_ARRAY_SIZE(options), &argc, argv, "show"))
		return 1;
	cli_run_init(&run, common.no_color);
	common.lock = false;
	if (!check_words(&run, format, argc, argv))
		return cli_run_finish(&run, 1);
	json = json || strcmp(format, "json") == 0;
	if (argc == 1) {
		run.config = plan_config_load(&(struct plan_config_options){ .dir = "." }, &run.diags);
		zp_diags_truncate(&run.diags, 0); /* only its encryption counts here */
		if (!cli_run_take_encryption(&run))
			return cli_run_finish(&run, 1);
		if (strcmp(format, "markdown") == 0)
			return cli_run_finish(&run, show_markdown(&run, argv[0], limit));
		return cli_run_finish(&run, plan_file_probe(argv[0]) ?
			show_plan(&run, argv[0], json) : show_state_file(&run, argv[0], json));
	}
	if (!cli_run_load_root(&run) || !cli_run_open_state(&run, &common, ""))
		return cli_run_finish(&run, 1);
	if (!json && !run.state->serial && state_is_empty(run.state)) {
		puts("No state.");
		return cli_run_finish(&run, 0);
	}
	return cli_run_finish(&run, show_state(&run, run.state, json));
}

#include "cli/cli.h"
#include "cli/report.h"
#include "cli/run.h"

enum format { AS_TEXT, AS_JSON, AS_SARIF, AS_JUNIT };

static bool read_format(const char *name, enum format *format, struct zp_diags *diags)
{
	static const char *const names[] = { "text", "json", "sarif", "junit" };

	for (size_t i = 0; i < ZP_ARRAY_SIZE(names); i++) {
		if (strcmp(name, names[i]) == 0) {
			*format = (enum format)i;
			return true;
		}
	}
	zp_diag_error(diags, ZP_NOWHERE, "Unknown format",
		"-format=%s is not known. Use text, json, sarif or junit.", name);
	return false;
}

static void print_json(struct cli_run *run)
{
	zp_autobuf out = ZP_BUF_INIT;
	struct zp_json_writer writer;

	zp_json_writer_init(&writer, &out, true);
	writer.html_safe = true;
	zp_json_begin_object(&writer);
	zp_json_key(&writer, "format_version");
	zp_json_cstr(&writer, "1.0");
	zp_json_key(&writer, "valid");
	zp_json_bool(&writer, !run->diags.errors);
	zp_json_key(&writer, "error_count");
	zp_json_int(&writer, (int64_t)run->diags.errors);
	zp_json_key(&writer, "warning_count");
	zp_json_int(&writer, (int64_t)run->diags.warnings);
	zp_json_key(&writer, "diagnostics");
	zp_json_begin_array(&writer);
	for (size_t i = 0; i < run->diags.count; i++)
		cli_diag_json(&writer, run->diags.items[i]);
	zp_json_end_array(&writer);
	zp_json_end_object(&writer);
	puts(out.ptr);
}

/* For machines, on standard output. */
static void print_report(struct cli_run *run, enum format format)
{
	zp_autofree char *prefix = cli_report_prefix();
	zp_autobuf out = ZP_BUF_INIT;

	if (run->config)
		plan_config_annotate(run->config, &run->diags);
	if (format == AS_JSON) {
		print_json(run);
	} else if (format == AS_SARIF) {
		cli_report_sarif(&run->diags, prefix, &out);
	} else {
		zp_diags_sort(&run->diags);
		cli_report_junit(&run->diags, run->config, prefix, &out);
	}
	if (out.len)
		fwrite(out.ptr, 1, out.len, stdout);
	zp_diags_truncate(&run->diags, 0);
}

int cli_validate(int argc, char **argv)
{
	bool json = false, no_color = false, no_tests = false;
	const char *test_directory = "tests", *format_name = "text";
	enum format format;
	struct cli_option options[] = {
		{ "json", CLI_SWITCH, &json },
		{ "format", CLI_TEXT, &format_name },
		{ "no-color", CLI_SWITCH, &no_color },
		{ "no-tests", CLI_SWITCH, &no_tests },
		{ "test-directory", CLI_TEXT, &test_directory },
	};
	struct cli_run run;

	if (!cli_options_parse(options, ZP_ARRAY_SIZE(options), &argc, argv, "validate"))
		return 1;
	cli_run_init(&run, no_color);
	if (!read_format(json ? "json" : format_name, &format, &run.diags))
		return cli_run_finish(&run, 1);
	if (argc) {
		zp_diag_error(&run.diags, ZP_NOWHERE, "Too many command line arguments",
			"Expected no positional arguments. Did you mean to use -chdir?");
		return cli_run_finish(&run, 1);
	}
	run.test_dir = no_tests ? NULL : test_directory;
	bool valid = cli_run_load_config(&run);
	if (format != AS_TEXT) {
		print_report(&run, format);
	} else if (valid) {
		const char *but = run.diags.warnings ?
			", but there were some\nvalidation warnings as shown above" : "";
		plan_config_annotate(run.config, &run.diags);
		cli_print_diags(&run.view, &run.diags);
		zp_diags_truncate(&run.diags, 0);
		printf("%s%sSuccess!%s The configuration is valid%s.\n\n",
			cli_style(&run.view, CLI_BOLD), cli_style(&run.view, CLI_GREEN),
			cli_style(&run.view, CLI_RESET), but);
	}
	return cli_run_finish(&run, valid ? 0 : 1);
}

#include "base/file.h"
#include "cli/cli.h"
#include "cli/run.h"

static void list_providers(const struct plan_module *module, const struct provider **seen,
	size_t *count, size_t limit)
{
	for (size_t i = 0; i < module->resource_count; i++) {
		const struct provider *provider = module->resources[i]->provider;
		bool known = !provider;
		for (size_t k = 0; k < *count && !known; k++)
			known = seen[k] == provider;
		if (!known && *count < limit)
			seen[(*count)++] = provider;
	}
	for (size_t i = 0; i < module->call_count; i++)
		if (module->calls[i]->module)
			list_providers(module->calls[i]->module, seen, count, limit);
}

static void print_providers(const struct plan_config *config)
{
	const struct provider *seen[64];
	size_t count = 0;

	list_providers(config->root, seen, &count, ZP_ARRAY_SIZE(seen));
	puts("Initializing provider plugins...");
	for (size_t i = 0; i < count; i++)
		printf("- %s is built in to zplan\n", seen[i]->source);
	putchar('\n');
}

int cli_init(int argc, char **argv)
{
	struct cli_common common;
	bool ignored = false, get = true;
	const char *text = NULL;
	struct cli_list list = { 0 };
	cli_common_init(&common);
	/* Most of the peer's flags concern downloads; they are accepted, and there is nothing to do. */
	struct cli_option options[] = {
		{ "no-color", CLI_SWITCH, &common.no_color }, { "input", CLI_SWITCH, &common.input },
		{ "lock", CLI_SWITCH, &common.lock }, { "lock-timeout", CLI_DURATION, &common.lock_timeout },
		{ "upgrade", CLI_SWITCH, &ignored },	      { "reconfigure", CLI_SWITCH, &ignored },
		{ "migrate-state", CLI_SWITCH, &ignored },    { "get", CLI_SWITCH, &get },
		{ "force-copy", CLI_SWITCH, &ignored },	      { "backend", CLI_SWITCH, &get },
		{ "plugin-dir", CLI_LIST, &list },	      { "lockfile", CLI_TEXT, &text },
		{ "var", CLI_LIST, &common.variables },	      { "var-file", CLI_LIST, &common.variables },
	};
	struct cli_run run;

	if (!cli_options_parse(options, ZP_ARRAY_SIZE(options), &argc, argv, "init"))
		return 1;
	cli_list_release(&list);
	cli_list_release(&common.variables);
	cli_run_init(&run, common.no_color);
	run.config = plan_config_load(&(struct plan_config_options){ .dir = "." }, &run.diags);
	if (run.diags.errors)
		return cli_run_finish(&run, 1);
	if (!run.config->file_count) {
		puts("zplan initialized in an empty directory!\n\nThe directory has no configuration "
		     "files. You may begin working with zplan\nimmediately by creating "
		     "configuration files.");
		return cli_run_finish(&run, 0);
	}
	puts("Initializing the backend...");
	zp_autoerror err = ZP_ERROR_INIT;
	if (!cli_run_open_backend(&run, &common))
		return cli_run_finish(&run, 1);
	if (zp_mkdirs(cli_data_dir(), 0755, &err) < 0) {
		zp_diag_error(&run.diags, ZP_NOWHERE, "Failed to make the data folder", "%s",
			zp_error_text(&err));
		return cli_run_finish(&run, 1);
	}
	print_providers(run.config);
	printf("%s%szplan has been successfully initialized!%s\n\nYou may now begin working with "
	       "zplan. Try running \"zplan plan\" to see any changes\nthat are required for your "
	       "infrastructure.\n",
		cli_style(&run.view, CLI_BOLD), cli_style(&run.view, CLI_GREEN),
		cli_style(&run.view, CLI_RESET));
	return cli_run_finish(&run, 0);
}

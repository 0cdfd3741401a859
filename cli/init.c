#include "base/file.h"
#include "cli/backend.h"
#include "cli/cli.h"
#include "cli/module_install.h"
#include "cli/module_list.h"

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

static int finish(struct cli_run *run, struct cli_init_options *options, int status)
{
	cli_list_release(&options->overrides);
	return cli_run_finish(run, status);
}

static bool prepare_backend(struct cli_run *run, const struct cli_init_options *options)
{
	printf("%sInitializing the backend...%s\n", cli_style(&run->view, CLI_BOLD),
		cli_style(&run->view, CLI_RESET));
	fflush(stdout);
	return cli_run_select_workspace(run) && cli_run_take_encryption(run) &&
		cli_backend_init(run, options);
}

static void free_config(void *config)
{
	plan_config_free(config);
}

/* The whole configuration, with its modules fetched, in place of its root. */
static bool load_modules(struct cli_run *run, bool get, bool upgrade)
{
	struct cli_installer installer;
	bool any = get && run->config->root->call_count;

	if (any)
		puts(upgrade ? "Upgrading modules..." : "Initializing modules...");
	if (!cli_installer_init(&installer, upgrade, &run->diags)) {
		cli_installer_release(&installer);
		return false;
	}
	zp_diags_own(&run->diags, free_config, run->config); /* the backend's settings point into it */
	run->config = plan_config_load(&(struct plan_config_options){ .dir = ".",
		.installer = get ? &installer.interface : NULL }, &run->diags);
	cli_installer_release(&installer);
	return !run->diags.errors && (!any || cli_list_modules(run, upgrade));
}

int cli_init(int argc, char **argv)
{
	struct cli_common common;
	bool upgrade = false, get = true, use_backend = true;
	struct cli_init_options init = { 0 };
	const char *text = NULL;
	struct cli_list list = { 0 };
	cli_common_init(&common);
	/* Most of the peer's flags concern downloads; they are accepted, and there is nothing to do. */
	struct cli_option options[] = {
		{ "no-color", CLI_SWITCH, &common.no_color }, { "input", CLI_SWITCH, &common.input },
		{ "lock", CLI_SWITCH, &common.lock }, { "lock-timeout", CLI_DURATION, &common.lock_timeout },
		{ "upgrade", CLI_SWITCH, &upgrade },	      { "reconfigure", CLI_SWITCH, &init.reconfigure },
		{ "migrate-state", CLI_SWITCH, &init.migrate },    { "get", CLI_SWITCH, &get },
		{ "force-copy", CLI_SWITCH, &init.force_copy },	      { "backend", CLI_SWITCH, &use_backend },
		{ "backend-config", CLI_LIST, &init.overrides },
		{ "plugin-dir", CLI_LIST, &list },	      { "lockfile", CLI_TEXT, &text },
		{ "var", CLI_LIST, &common.variables },	      { "var-file", CLI_LIST, &common.variables },
	};
	struct cli_run run;

	if (!cli_options_parse(options, ZP_ARRAY_SIZE(options), &argc, argv, "init"))
		return 1;
	cli_list_release(&list);
	cli_list_release(&common.variables);
	cli_run_init(&run, common.no_color);
	init.migrate |= init.force_copy;
	init.input = common.input;
	if (init.migrate && init.reconfigure) {
		zp_diag_error(&run.diags, ZP_NOWHERE, "Invalid init options",
			"The -migrate-state and -reconfigure options are mutually-exclusive.");
		return finish(&run, &init, 1);
	}
	if (!cli_run_load_root(&run))
		return finish(&run, &init, 1);
	if (!run.config->file_count) {
		puts("zplan initialized in an empty directory!\n\nThe directory has no configuration "
		     "files. You may begin working with zplan\nimmediately by creating "
		     "configuration files.");
		return finish(&run, &init, 0);
	}
	zp_autoerror err = ZP_ERROR_INIT;
	if (use_backend && !prepare_backend(&run, &init)) {
		return finish(&run, &init, 1);
	}
	if (zp_mkdirs(cli_data_dir(), 0755, &err) < 0) {
		zp_diag_error(&run.diags, ZP_NOWHERE, "Failed to make the data folder", "%s",
			zp_error_text(&err));
		return finish(&run, &init, 1);
	}
	if (!load_modules(&run, get, upgrade))
		return finish(&run, &init, 1);
	print_providers(run.config);
	printf("%s%szplan has been successfully initialized!%s\n\nYou may now begin working with "
	       "zplan. Try running \"zplan plan\" to see\nany changes that are required for your "
	       "infrastructure. All zplan commands\nshould now work.\n\nIf you ever set or change "
	       "modules or backend configuration for zplan,\nrerun this command to reinitialize your "
	       "working directory. If you forget, other\ncommands will detect it and remind you to do "
	       "so if necessary.\n",
		cli_style(&run.view, CLI_BOLD), cli_style(&run.view, CLI_GREEN),
		cli_style(&run.view, CLI_RESET));
	return finish(&run, &init, 0);
}

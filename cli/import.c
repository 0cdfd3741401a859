/* zplan import: an object that exists, under an address of the configuration from now on. */
#include <stdio.h>

#include "base/alloc.h"
#include "cli/cli.h"
#include "cli/progress.h"
#include "cli/run.h"

static int store(struct cli_run *run)
{
	zp_autoerror err = ZP_ERROR_INIT;

	run->state->serial++;
	if (state_backend_store(run->backend, run->state, &err) < 0) {
		zp_diag_error(&run->diags, ZP_NOWHERE, "Failed to save state", "%s",
			zp_error_text(&err));
		return 1;
	}
	printf("\n%s%sImport successful!%s\n\nThe resources that were imported are shown above. These "
	       "resources are now in\nyour zplan state and will henceforth be managed by zplan.\n\n",
		cli_style(&run->view, CLI_BOLD), cli_style(&run->view, CLI_GREEN),
		cli_style(&run->view, CLI_RESET));
	return 0;
}

static int import_object(struct cli_run *run, const struct cli_common *common, const char *address,
	const char *id)
{
	struct cli_progress progress;
	struct plan_options options = { .working_dir = "." };

	cli_progress_init(&progress, &run->view);
	if (!cli_run_load_config(run) || !cli_run_collect_inputs(run, common) ||
		!cli_run_open_nodes(run, common->nodes_path) ||
		!cli_run_open_state(run, common, "OperationTypeInvalid"))
		return 1;
	options.inputs = run->inputs;
	options.input_count = run->input_count;
	options.workspace = run->workspace;
	options.nodes = run->nodes;
	options.hooks = &progress.hooks;
	/* What an interrupted run left is taken over before anything is added to it. */
	if (!plan_recover(run->backend, run->state, run->nodes, &progress.hooks, &run->diags))
		return 1;
	struct plan *plan = plan_open(run->config, &options, run->state, &run->diags);
	bool imported = plan && plan_import(plan, run->state, address, id, &run->diags);
	if (run->config)
		plan_config_annotate(run->config, &run->diags);
	cli_print_diags(&run->view, &run->diags);
	int status = run->diags.errors || !imported;
	zp_diags_truncate(&run->diags, 0);
	plan_free(plan);
	return status ? 1 : store(run);
}

int cli_import(int argc, char **argv)
{
	struct cli_common common;
	struct cli_run run;
	const char *config = NULL;
	bool allow_missing = false;
	cli_common_init(&common);
	struct cli_option options[] = {
		{ "config", CLI_TEXT, &config },
		{ "allow-missing-config", CLI_SWITCH, &allow_missing },
		{ "input", CLI_SWITCH, &common.input },
		{ "lock", CLI_SWITCH, &common.lock },
		{ "lock-timeout", CLI_DURATION, &common.lock_timeout },
		{ "no-color", CLI_SWITCH, &common.no_color },
		{ "nodes", CLI_TEXT, &common.nodes_path },
		{ "parallelism", CLI_NUMBER, &common.parallelism },
		{ "state", CLI_TEXT, &common.state_path },
		{ "backup", CLI_TEXT, &common.backup_path },
		{ "var", CLI_LIST, &common.variables },
		{ "var-file", CLI_LIST, &common.variables },
	};

	if (!cli_options_parse(options, ZP_ARRAY_SIZE(options), &argc, argv, "import"))
		return 1;
	cli_run_init(&run, common.no_color);
	int status = 1;
	if (argc != 2)
		zp_diag_error(&run.diags, ZP_NOWHERE, "Wrong number of command line arguments",
			"The import command expects two arguments: an address and an id.");
	else
		status = import_object(&run, &common, argv[0], argv[1]);
	status = cli_run_finish(&run, status);
	cli_list_release(&common.variables);
	return status;
}

/* zplan state recover: a lost state, rebuilt from what the nodes know of it. */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/progress.h"
#include "cli/state_command.h"

static int rebuild(struct cli_run *run, const struct cli_common *common, const char *lineage,
	bool dry_run)
{
	struct cli_progress progress;
	size_t added = 0;

	cli_progress_init(&progress, &run->view);
	if (!cli_run_open_nodes(run, common->nodes_path))
		return 1;
	bool whole = plan_rebuild(
		run->state, lineage, run->nodes, &progress.hooks, &run->diags, &added);
	if (!added) {
		if (whole)
			puts("The state has all that the nodes know of it.");
		return whole ? 0 : 1;
	}
	if (dry_run)
		printf("Would recover %zu resource instance(s).\n", added);
	else if (!cli_state_save(run))
		return 1;
	else
		printf("Successfully recovered %zu resource instance(s). Run \"zplan plan\" to see what "
		       "the configuration says of them.\n", added);
	return whole ? 0 : 1;
}

int cli_state_recover(int argc, char **argv)
{
	struct cli_common common;
	struct cli_run run;
	const char *lineage = NULL;
	bool dry_run = false;
	cli_common_init(&common);
	struct cli_option options[] = {
		{ "lineage", CLI_TEXT, &lineage },
		{ "dry-run", CLI_SWITCH, &dry_run },
		{ "nodes", CLI_TEXT, &common.nodes_path },
		{ "state", CLI_TEXT, &common.state_path },
		{ "backup", CLI_TEXT, &common.backup_path },
		{ "lock", CLI_SWITCH, &common.lock },
		{ "lock-timeout", CLI_DURATION, &common.lock_timeout },
		{ "no-color", CLI_SWITCH, &common.no_color },
	};

	if (!cli_options_parse(options, ZP_ARRAY_SIZE(options), &argc, argv, "state recover"))
		return 1;
	if (argc)
		return cli_state_misused("state recover", "No arguments are expected.");
	if (!cli_state_begin(&run, &common, "state-recover"))
		return cli_run_finish(&run, 1);
	return cli_run_finish(&run, rebuild(&run, &common, lineage, dry_run));
}

#include <stdlib.h>

#include "cli/cli.h"
#include "cli/state_command.h"

static int nothing(struct cli_run *run, bool dry_run)
{
	if (dry_run) {
		puts("Would have removed nothing.");
		return 0;
	}
	zp_diag_error(&run->diags, ZP_NOWHERE, "Invalid target address",
		"No matching objects found. To view the available instances, use \"zplan state "
		"list\". Please modify the address to reference a specific instance.");
	return 1;
}

/* An instance counts once, its deposed objects go with it. */
static size_t remove_all(
	struct cli_run *run, const struct state_object **found, size_t count, bool dry_run)
{
	const struct state_object *last = NULL;
	size_t removed = 0;

	for (size_t i = 0; i < count; i++) {
		if (!last || strcmp(last->address, found[i]->address) != 0) {
			printf("%s %s\n", dry_run ? "Would remove" : "Removed", found[i]->address);
			removed++;
		}
		last = found[i];
		if (!dry_run)
			state_remove(run->state, found[i]->address, found[i]->deposed);
	}
	return removed;
}

static int remove_objects(struct cli_run *run, int words, char **word, bool dry_run)
{
	const struct state_object **found = NULL;
	size_t count = 0;
	int status = 1;

	if (!cli_state_select(run, words, word, true, &found, &count)) {
		status = 1;
	} else if (!count) {
		status = nothing(run, dry_run);
	} else {
		size_t removed = remove_all(run, found, count, dry_run);
		status = dry_run || cli_state_save(run) ? 0 : 1;
		if (!status && !dry_run)
			printf("Successfully removed %zu resource instance(s).\n", removed);
	}
	free(found);
	return status;
}

int cli_state_rm(int argc, char **argv)
{
	struct cli_common common;
	bool dry_run = false, ignored = false;
	cli_common_init(&common);
	struct cli_option options[] = {
		{ "dry-run", CLI_SWITCH, &dry_run },
		{ "state", CLI_TEXT, &common.state_path },
		{ "backup", CLI_TEXT, &common.backup_path },
		{ "lock", CLI_SWITCH, &common.lock },
		{ "lock-timeout", CLI_DURATION, &common.lock_timeout },
		{ "ignore-remote-version", CLI_SWITCH, &ignored },
		{ "no-color", CLI_SWITCH, &common.no_color },
	};
	struct cli_run run;

	if (!cli_options_parse(options, ZP_ARRAY_SIZE(options), &argc, argv, "state rm"))
		return 1;
	if (argc < 1)
		return cli_state_misused("state rm", "At least one address is required.");
	if (!cli_state_begin(&run, &common, "state-rm"))
		return cli_run_finish(&run, 1);
	return cli_run_finish(&run, remove_objects(&run, argc, argv, dry_run));
}

#include "cli/cli.h"
#include "cli/state_command.h"

static bool approve(struct cli_run *run, bool force)
{
	if (force)
		return true;
	if (run->backend->is_local) {
		fputs("Local state cannot be unlocked by another process\n", stderr);
		return false;
	}
	zp_autofree char *answer =
		cli_ask("Do you really want to force-unlock?\n  zplan will remove the "
			"lock on the remote state.\n  This will allow local zplan commands to "
			"modify this state, "
			"even though it\n  may still be in use. Only 'yes' will be accepted to "
			"confirm.\n\n  "
			"Enter a value: ");
	putchar('\n');
	if (strcmp(answer, "yes") == 0)
		return true;
	puts("force-unlock cancelled.");
	return false;
}

static int unlock(struct cli_run *run, const char *id, bool force)
{
	zp_autoerror err = ZP_ERROR_INIT;

	if (!approve(run, force))
		return 1;
	if (state_backend_break_lock(run->backend, id, &err) < 0) {
		fprintf(stderr, "Failed to unlock state: %s\n", zp_error_text(&err));
		return 1;
	}
	printf("%s%szplan state has been successfully unlocked!%s\n\nThe state has been unlocked, "
	       "and "
	       "zplan commands should now be able to\nobtain a new lock on the remote state.\n",
		cli_style(&run->view, CLI_BOLD), cli_style(&run->view, CLI_GREEN),
		cli_style(&run->view, CLI_RESET));
	return 0;
}

int cli_force_unlock(int argc, char **argv)
{
	bool force = false, no_color = false;
	struct cli_option options[] = {
		{ "force", CLI_SWITCH, &force },
		{ "no-color", CLI_SWITCH, &no_color },
	};
	struct cli_run run;

	if (!cli_options_parse(options, ZP_ARRAY_SIZE(options), &argc, argv, "force-unlock"))
		return 1;
	if (argc != 1)
		return cli_state_misused("force-unlock", "Expected a single argument: LOCK_ID");
	cli_run_init(&run, no_color);
	if (!cli_run_load_root(&run) || !cli_run_open_backend(&run, NULL))
		return cli_run_finish(&run, 1);
	return cli_run_finish(&run, unlock(&run, argv[0], force));
}

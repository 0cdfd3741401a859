#include "cli/cli.h"
#include "cli/state_command.h"

/* "state" without a subcommand that is known. */
int cli_state(int argc, char **argv)
{
	if (argc)
		fprintf(stderr, "zplan state has no subcommand named \"%s\".\n", argv[0]);
	return cli_state_misused("state", "");
}

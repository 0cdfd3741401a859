/*
 * The command line. main.c finds the command in a table and hands over; one file per command. What
 * several commands need is in view (how things look), options (flags), run (configuration, state,
 * nodes), inputs (variables).
 *
 * Exit codes are Terraform's: 0 done, 1 failed, 2 (plan -detailed-exitcode) changes are there.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/diag.h"

struct cli_command {
	const char *name; /* "state list" for two words */
	const char *synopsis;
	const char *usage; /* the full -help text */
	int (*run)(int argc, char **argv); /* argv[0] is the first argument after the name */
	bool main_workflow; /* listed first in the overview */
};

/* Path by which this program was started, absolute; for starting agents. */
const char *cli_program(void);
/* Prints the usage text of a command to stdout. */
void cli_print_usage(const struct cli_command *command);

int cli_init(int argc, char **argv);
int cli_validate(int argc, char **argv);
int cli_plan(int argc, char **argv);
int cli_apply(int argc, char **argv);
int cli_destroy(int argc, char **argv);
int cli_show(int argc, char **argv);
int cli_output(int argc, char **argv);
int cli_state(int argc, char **argv);
int cli_state_list(int argc, char **argv);
int cli_state_show(int argc, char **argv);
int cli_state_mv(int argc, char **argv);
int cli_state_recover(int argc, char **argv);
int cli_state_rm(int argc, char **argv);
int cli_state_pull(int argc, char **argv);
int cli_state_push(int argc, char **argv);
int cli_state_replace_provider(int argc, char **argv);
int cli_taint(int argc, char **argv);
int cli_untaint(int argc, char **argv);
int cli_force_unlock(int argc, char **argv);
int cli_workspace_group(int argc, char **argv);
int cli_workspace_new(int argc, char **argv);
int cli_workspace_select(int argc, char **argv);
int cli_workspace_list(int argc, char **argv);
int cli_workspace_show(int argc, char **argv);
int cli_workspace_delete(int argc, char **argv);
int cli_version(int argc, char **argv);
int cli_import(int argc, char **argv);
int cli_console(int argc, char **argv);
int cli_fmt(int argc, char **argv);
int cli_providers(int argc, char **argv);
int cli_providers_schema(int argc, char **argv);
int cli_metadata(int argc, char **argv);
int cli_metadata_functions(int argc, char **argv);
int cli_modules(int argc, char **argv);
int cli_get(int argc, char **argv);
int cli_graph(int argc, char **argv);
int cli_refresh(int argc, char **argv);
int cli_agent(int argc, char **argv);
int cli_sandbox(int argc, char **argv);
int cli_sync(int argc, char **argv);

#endif

/*
 * What the commands that look into a state, or change it without a plan, have in common.
 *
 *	struct cli_run run;
 *	if (!cli_state_begin(&run, &common, "state-rm")) return cli_run_finish(&run, 1);
 *	...change run.state...
 *	return cli_run_finish(&run, cli_state_save(&run) ? 0 : 1);
 */
#ifndef CLI_STATE_COMMAND_H
#define CLI_STATE_COMMAND_H

#include "cli/run.h"
#include "state/address.h"

/*
 * Initialises run, opens backend and state. operation NULL: only to look, without a lock; else
 * locks, sees to a backup as the peer makes it, and refuses where an interrupted run waits to be
 * taken over.
 */
bool cli_state_begin(struct cli_run *run, struct cli_common *common, const char *operation);
/* Raises the serial and stores. False after a diagnostic. */
bool cli_state_save(struct cli_run *run);
/* "PATH.<seconds>.backup", or what -backup said. Heap. */
char *cli_state_backup_path(const char *path, const char *given);
bool cli_state_parse_address(struct cli_run *run, const char *text, struct state_address *address);
/*
 * The objects at or below the addresses, in the peer's order, each address by itself; deposed
 * objects follow theirs. A diagnostic and false where one matches nothing and that is not allowed.
 * Heap array.
 */
bool cli_state_select(struct cli_run *run, int words, char **word, bool allow_missing,
	const struct state_object ***found, size_t *count);
/* "Error: No state file was found!" on standard error. */
void cli_state_say_none(void);
/* Prints a message and the command's usage to standard error. Gives 1. */
int cli_state_misused(const char *command, const char *message);

#endif

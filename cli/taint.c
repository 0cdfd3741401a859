/* taint and untaint: whether the next plan replaces an object. */
#include "cli/cli.h"
#include "cli/state_command.h"

static int not_there(struct cli_run *run, const char *address, bool allow_missing)
{
	if (allow_missing)
		zp_diag_warning(&run->diags, ZP_NOWHERE, "No such resource instance",
			"Resource instance %s was not found, but this is not an error because "
			"-allow-missing was set.",
			address);
	else if (state_is_empty(run->state))
		zp_diag_error(&run->diags, ZP_NOWHERE, "No such resource instance",
			"The state currently contains no resource instances whatsoever. This may "
			"occur "
			"if the configuration has never been applied or if it has recently been "
			"destroyed.");
	else
		zp_diag_error(&run->diags, ZP_NOWHERE, "No such resource instance",
			"There is no resource instance in the state with the address %s. If the "
			"resource configuration has just been added, you must run \"zplan apply\" "
			"once "
			"to create the corresponding instance(s) before they can be tainted.",
			address);
	return allow_missing ? 0 : 1;
}

static int set_taint(struct cli_run *run, const char *word, bool taint, bool allow_missing)
{
	struct state_address address;

	if (!cli_state_parse_address(run, word, &address))
		return 1;
	if (!address.is_resource) {
		zp_diag_error(&run->diags, ZP_NOWHERE, "Invalid address",
			"A resource instance address is required here. The module path must be "
			"followed "
			"by a resource instance specification.");
		return 1;
	}
	struct state_object *object = state_find(run->state, address.text, NULL);
	if (!object)
		return not_there(run, address.text, allow_missing);
	if (!taint && !object->tainted) {
		zp_diag_error(&run->diags, ZP_NOWHERE, "Resource instance is not tainted",
			"Resource instance %s is not currently tainted, and so it cannot be "
			"untainted.",
			address.text);
		return 1;
	}
	if (object->tainted != taint) {
		object->tainted = taint;
		if (!cli_state_save(run))
			return 1;
	}
	printf(taint ? "Resource instance %s has been marked as tainted.\n"
		     : "Resource instance %s has been successfully untainted.\n",
		address.text);
	return 0;
}

static int run_command(const char *command, int argc, char **argv, bool taint)
{
	struct cli_common common;
	bool allow_missing = false, ignored = false;
	cli_common_init(&common);
	struct cli_option options[] = {
		{ "allow-missing", CLI_SWITCH, &allow_missing },
		{ "state", CLI_TEXT, &common.state_path },
		{ "state-out", CLI_TEXT, &common.state_out_path },
		{ "backup", CLI_TEXT, &common.backup_path },
		{ "lock", CLI_SWITCH, &common.lock },
		{ "lock-timeout", CLI_DURATION, &common.lock_timeout },
		{ "ignore-remote-version", CLI_SWITCH, &ignored },
		{ "no-color", CLI_SWITCH, &common.no_color },
	};
	struct cli_run run;

	if (!cli_options_parse(options, ZP_ARRAY_SIZE(options), &argc, argv, command))
		return 1;
	if (argc != 1)
		return cli_state_misused(
			command, taint ? "The taint command expects exactly one argument."
				       : "The untaint command expects exactly one argument.");
	if (strncmp(argv[0], "data.", 5) == 0 && taint) {
		fprintf(stderr, "Resource instance %s cannot be tainted\n", argv[0]);
		return 1;
	}
	if (!cli_state_begin(&run, &common, command))
		return cli_run_finish(&run, 1);
	return cli_run_finish(&run, set_taint(&run, argv[0], taint, allow_missing));
}

int cli_taint(int argc, char **argv)
{
	return run_command("taint", argc, argv, true);
}

int cli_untaint(int argc, char **argv)
{
	return run_command("untaint", argc, argv, false);
}

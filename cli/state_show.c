#include "cli/cli.h"
#include "cli/render_plan.h"
#include "cli/state_command.h"

static int none_there(struct cli_run *run)
{
	fputs("No instance found for the given address!\n\nThis command requires that the address "
	      "references one specific instance.\nTo view the available instances, use \"zplan "
	      "state "
	      "list\". Please modify \nthe address to reference a specific instance.\n",
		stderr);
	return cli_run_finish(run, 1);
}

int cli_state_show(int argc, char **argv)
{
	struct cli_common common;
	cli_common_init(&common);
	struct cli_option options[] = {
		{ "state", CLI_TEXT, &common.state_path },
		{ "no-color", CLI_SWITCH, &common.no_color },
	};
	struct cli_run run;
	struct state_address address;

	if (!cli_options_parse(options, ZP_ARRAY_SIZE(options), &argc, argv, "state show"))
		return 1;
	if (argc != 1)
		return cli_state_misused("state show", "Exactly one argument expected.");
	if (!cli_state_begin(&run, &common, NULL) ||
		!cli_state_parse_address(&run, argv[0], &address))
		return cli_run_finish(&run, 1);
	if (!run.state->serial && state_is_empty(run.state)) {
		cli_state_say_none();
		return cli_run_finish(&run, 1);
	}
	const struct state_object *object =
		address.is_resource ? state_find(run.state, address.text, NULL) : NULL;
	if (!object)
		return none_there(&run);
	zp_autobuf text = ZP_BUF_INIT;
	cli_render_object_of_state(&run.view, object, &text);
	fwrite(text.ptr, 1, text.len, stdout);
	return cli_run_finish(&run, 0);
}

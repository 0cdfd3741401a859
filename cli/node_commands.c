/* sandbox and agent: the commands about nodes. */
#include "cli/cli.h"
#include "cli/options.h"
#include "cli/view.h"
#include "node/agent.h"
#include "node/sandbox.h"
#include "providers/workloads.h"

static int fail(const char *summary, const struct zp_error *err)
{
	struct cli_view view = cli_view_init(false);

	cli_print_error(&view, summary, "%s", zp_error_text(err));
	return 1;
}

static int usage(const char *text)
{
	fprintf(stderr, "%s", text);
	return 1;
}

static int sandbox_up(struct node_sandbox_options *options)
{
	zp_autoerror err = ZP_ERROR_INIT;

	options->program = cli_program();
	if (options->nodes < 1 || options->nodes > 64) {
		zp_error_set(&err, "-nodes is %d: it must be from 1 to 64.", options->nodes);
		return fail("Sandbox not started", &err);
	}
	if (node_sandbox_up(options, &err) < 0)
		return fail("Sandbox not started", &err);
	return node_sandbox_status(options->folder, false, &err) < 0 ? fail("Sandbox", &err) : 0;
}

int cli_sandbox(int argc, char **argv)
{
	struct node_sandbox_options sandbox = { .nodes = 1 };
	struct cli_list mirrors = { 0 };
	bool json = false;
	struct cli_option options[] = {
		{ "nodes", CLI_NUMBER, &sandbox.nodes },
		{ "mirror", CLI_LIST, &mirrors },
		{ "hidden", CLI_NUMBER, &sandbox.hidden },
		{ "folder", CLI_TEXT, &sandbox.folder },
		{ "inventory", CLI_TEXT, &sandbox.inventory },
		{ "json", CLI_SWITCH, &json },
	};
	zp_autoerror err = ZP_ERROR_INIT;

	if (!cli_options_parse(options, ZP_ARRAY_SIZE(options), &argc, argv, "sandbox")) {
		cli_list_release(&mirrors);
		return 1;
	}
	const char *verb = argc == 1 ? argv[0] : "";
	sandbox.mirrors = mirrors.items;
	sandbox.mirror_count = mirrors.count;
	int status = strcmp(verb, "up") == 0 ? sandbox_up(&sandbox) : -1;
	cli_list_release(&mirrors);
	if (status >= 0)
		return status;
	if (strcmp(verb, "down") == 0)
		return node_sandbox_down(sandbox.folder, &err) < 0 ?
			fail("Sandbox not taken down", &err) : 0;
	if (strcmp(verb, "status") == 0)
		return node_sandbox_status(sandbox.folder, json, &err) < 0 ?
			fail("No status", &err) : 0;
	return usage("Usage: zplan sandbox up|down|status [options]\n"
		     "For more help: zplan sandbox -help\n");
}

int cli_agent(int argc, char **argv)
{
	struct node_agent_options agent = { 0 };
	const char *tenant = NULL;
	struct cli_option options[] = {
		{ "root", CLI_TEXT, &agent.root },
		{ "config", CLI_TEXT, &agent.config },
		{ "name", CLI_TEXT, &agent.name },
		{ "tenant", CLI_TEXT, &tenant },
	};
	zp_autoerror err = ZP_ERROR_INIT;

	if (!cli_options_parse(options, ZP_ARRAY_SIZE(options), &argc, argv, "agent"))
		return 1;
	const char *verb = argc == 1 ? argv[0] : "";
	if (strcmp(verb, "serve") == 0)
		return node_agent_run(&agent, provider_workload_types(), &err) < 0 ?
			fail("Agent ended", &err) : 0;
	if (strcmp(verb, "dial") == 0)
		return node_agent_dial(agent.root, tenant, &err) < 0 ?
			fail("Agent not reached", &err) : 0;
	return usage("Usage: zplan agent serve|dial [options]\n"
		     "For more help: zplan agent -help\n");
}

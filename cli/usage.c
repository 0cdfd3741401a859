#include "cli/usage.h"

#define PLAN_OPTIONS                                                                               \
	"  -var 'NAME=VALUE'     Set a root module variable. Use this option more than once\n"     \
	"                        to set more than one.\n"                                          \
	"  -var-file=FILE        Load variable values from the given file, in addition to\n"       \
	"                        terraform.tfvars and *.auto.tfvars.\n"                            \
	"  -nodes=FILE           Inventory of nodes; else $ZPLAN_NODES, ./nodes.hcl, or the\n"     \
	"                        user's configuration folder.\n"                                   \
	"  -refresh=false        Do not ask nodes and providers how things are.\n"                 \
	"  -lock=false           Do not lock the state.\n"                                         \
	"  -lock-timeout=0s      How long to wait for a lock held elsewhere.\n"                    \
	"  -input=false          Never ask for variables.\n"                                       \
	"  -parallelism=N        Number of concurrent operations (default 10).\n"                  \
	"  -compact-warnings     Show warnings by their summaries only.\n"                         \
	"  -no-color             Plain text.\n"

const struct cli_command cli_commands[] = {
	{ "init", "Prepare your working directory for other commands",
		"Usage: zplan [global options] init [options]\n\n"
		"  Checks the configuration's settings, configures its backend, and prepares the data\n"
		"  folder. Providers are built in: nothing is downloaded.\n\nOptions:\n\n"
		"  -backend=false        Leave the backend as it was configured before.\n"
		"  -backend-config=PATH  Settings to merge with the \"backend\" block: a file, or\n"
		"                        'key=value'. May be given more than once.\n"
		"  -migrate-state        Copy the state from the former backend to the new one.\n"
		"  -force-copy           The same without asking.\n"
		"  -reconfigure          Forget the former backend; copy nothing from it.\n"
		"  -input=false          Never ask.\n"
		"  -no-color             Plain text.\n",
		cli_init, true },
	{ "validate", "Check whether the configuration is valid",
		"Usage: zplan [global options] validate [options]\n\n"
		"  Checks the configuration in this folder without state or nodes, and reports all\n"
		"  errors at once.\n\nOptions:\n\n"
		"  -json                 Machine-readable result (format_version 1.0).\n"
		"  -no-color             Plain text.\n",
		cli_validate, true },
	{ "plan", "Show changes required by the current configuration",
		"Usage: zplan [global options] plan [options]\n\n"
		"  Compares configuration, state and what is really there, and shows the changes\n"
		"  that would make them agree.\n\nOptions:\n\n"
		"  -destroy              Plan to destroy everything.\n"
		"  -refresh-only         Only look for changes made outside.\n"
		"  -replace=ADDRESS      Replace this object.\n"
		"  -out=FILE             Save the plan for apply.\n"
		"  -detailed-exitcode    Exit with 0: no changes, 1: error, 2: changes.\n" PLAN_OPTIONS,
		cli_plan, true },
	{ "apply", "Create or update infrastructure",
		"Usage: zplan [global options] apply [options] [PLAN]\n\n"
		"  Carries out a saved plan, or plans and asks for approval.\n\nOptions:\n\n"
		"  -auto-approve         Do not ask.\n"
		"  -destroy              As the command destroy.\n"
		"  -state=FILE           State file of backend local.\n"
		"  -backup=FILE          Where the former state is kept; \"-\" for nowhere.\n" PLAN_OPTIONS,
		cli_apply, true },
	{ "destroy", "Destroy previously-created infrastructure",
		"Usage: zplan [global options] destroy [options]\n\n"
		"  Destroys all objects of this configuration. The same as apply -destroy.\n\n"
		"Options:\n\n"
		"  -auto-approve         Do not ask.\n" PLAN_OPTIONS,
		cli_destroy, true },
	{ "agent", "Serve workloads on a node",
		"Usage: zplan agent serve [-root=DIR] [-config=FILE] [-name=NAME]\n"
		"       zplan agent dial [-root=DIR]\n\n"
		"  serve runs the daemon of a node, which realises workloads and keeps them so. It\n"
		"  listens on DIR/agent.sock (default DIR: /var/lib/zplan). dial connects standard\n"
		"  input and output to it, for use over ssh.\n",
		cli_agent, false },
	{ "console", "Try expressions at an interactive command prompt",
		"Usage: zplan [global options] console [options]\n\n"
		"  Evaluates expressions in the scope of this folder's configuration and state. At a\n"
		"  terminal with line editing and history; else one expression a line is read from\n"
		"  standard input, and the last one's value is printed.\n\nOptions:\n\n"
		"  -plan                 Plan first, and show values as planned.\n"
		"  -state=FILE           State file of backend local.\n" PLAN_OPTIONS,
		cli_console, false },
	{ "fmt", "Reformat your configuration in the standard style",
		"Usage: zplan [global options] fmt [options] [TARGET...]\n\n"
		"  Rewrites configuration files (.tf, .tfvars, .tftest.hcl, .tfmock.hcl) in the\n"
		"  canonical layout. TARGET is a folder or a file; the working folder when there is\n"
		"  none, standard input for \"-\". Files with syntax errors stay as they are.\n\n"
		"Options:\n\n"
		"  -list=false           Do not list files whose layout differs.\n"
		"  -write=false          Do not write them.\n"
		"  -diff                 Show what changes.\n"
		"  -check                Write nothing; exit with 3 when a layout differs.\n"
		"  -recursive            Folders below, too.\n"
		"  -no-color             Plain text.\n",
		cli_fmt, false },
	{ "output", "Show output values from your root module",
		"Usage: zplan [global options] output [options] [NAME]\n\n"
		"  Shows the outputs in the state, or one of them.\n\nOptions:\n\n"
		"  -json                 As JSON, sensitive values included.\n"
		"  -raw                  A string, number or bool without quotes.\n"
		"  -state=FILE           State file of backend local.\n"
		"  -no-color             Plain text.\n",
		cli_output, false },
	{ "providers", "Show the providers there are",
		"Usage: zplan [global options] providers\n\n"
		"  Lists the built-in providers with their resource types and data sources.\n",
		cli_providers, false },
	{ "sandbox", "Make nodes on this machine",
		"Usage: zplan sandbox up [-nodes=N] [-hidden=N] [-inventory=FILE] [-folder=DIR]\n"
		"       zplan sandbox down [-folder=DIR]\n"
		"       zplan sandbox status [-json] [-folder=DIR]\n\n"
		"  Nodes made of network namespaces of this machine, joined by a bridge that plays\n"
		"  the internet, each with its agent, and a client namespace to look from. Needs\n"
		"  root. DIR is $ZPLAN_SANDBOX or /var/lib/zplan-sandbox.\n",
		cli_sandbox, false },
	{ "show", "Show the current state or a saved plan",
		"Usage: zplan [global options] show [options] [FILE]\n\n"
		"  Shows the state, or the plan or state in FILE.\n\nOptions:\n\n"
		"  -json                 As JSON.\n"
		"  -no-color             Plain text.\n",
		cli_show, false },
	{ "state list", "List resources in the state",
		"Usage: zplan [global options] state list [options] [ADDRESS...]\n\n"
		"  Lists objects in the state, or those at or below the given addresses.\n\n"
		"Options:\n\n"
		"  -state=FILE           State file of backend local.\n"
		"  -id=ID                Only objects with this id.\n",
		cli_state_list, false },
	{ "version", "Show the current version",
		"Usage: zplan [global options] version [-json]\n\n"
		"  Shows the version, and that of the language and state it works with.\n",
		cli_version, false },
};

const size_t cli_command_count = ZP_ARRAY_SIZE(cli_commands);

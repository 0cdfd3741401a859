#include "cli/usage.h"

#define PLAN_OPTIONS                                                                               \
	"  -var 'NAME=VALUE'     Set a root module variable. Use this option more than once\n"     \
	"                        to set more than one.\n"                                          \
	"  -var-file=FILE        Load variable values from the given file, in addition to\n"       \
	"                        terraform.tfvars and *.auto.tfvars.\n"                            \
	"  -target=ADDRESS       Only this object and what it needs; may be given again.\n"          \
	"  -exclude=ADDRESS      Everything but this and what needs it; may be given again.\n"      \
	"  -nodes=FILE           Inventory of nodes; else $ZPLAN_NODES, ./nodes.hcl, or the\n"     \
	"                        user's configuration folder.\n"                                   \
	"  -refresh=false        Do not ask nodes and providers how things are.\n"                 \
	"  -lock=false           Do not lock the state.\n"                                         \
	"  -lock-timeout=0s      How long to wait for a lock held elsewhere.\n"                    \
	"  -input=false          Never ask for variables.\n"                                       \
	"  -parallelism=N        Number of concurrent operations (default 10).\n"                  \
	"  -json                 A JSON document a line, for machines; never asks.\n"               \
	"  -compact-warnings     Show warnings by their summaries only.\n"                         \
	"  -no-color             Plain text.\n"

#define LOCK_OPTIONS                                                                               \
	"  -lock=false           Do not lock the state.\n"                                         \
	"  -lock-timeout=0s      How long to wait for a lock held elsewhere.\n"
#define FILE_OPTIONS                                                                               \
	"  -state=FILE           State file to work on, instead of the backend's.\n"                \
	"  -backup=FILE          Where the former state is kept.\n"

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
		"  -format=NAME          text, json, sarif (for code scanning) or junit (a test report).\n"
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
		"  -generate-config-out=FILE\n"
		"                        Write configuration for what import blocks name and has none.\n"
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
	{ "import", "Associate existing infrastructure with a zplan resource",
		"Usage: zplan [global options] import [options] ADDRESS ID\n\n"
		"  Puts an object that exists into the state, under the address of a resource of the\n"
		"  configuration. What the id is, the page of the resource type says.\n\nOptions:\n\n"
		"  -state=FILE           State file of backend local.\n"
		"  -backup=FILE          Where the former state is kept; \"-\" for nowhere.\n" PLAN_OPTIONS,
		cli_import, false },
	{ "output", "Show output values from your root module",
		"Usage: zplan [global options] output [options] [NAME]\n\n"
		"  Shows the outputs in the state, or one of them.\n\nOptions:\n\n"
		"  -json                 As JSON, sensitive values included.\n"
		"  -raw                  A string, number or bool without quotes.\n"
		"  -state=FILE           State file of backend local.\n"
		"  -no-color             Plain text.\n",
		cli_output, false },
	{ "get", "Install or upgrade remote Terraform modules",
		"Usage: zplan [global options] get [options]\n\n"
		"  Finds the modules that the configuration calls, and says where they are.\n\n"
		"Options:\n\n"
		"  -update               Look for newer versions of those there are.\n"
		"  -no-color             Plain text.\n",
		cli_get, false },
	{ "graph", "Generate a Graphviz graph of the resources",
		"Usage: zplan [global options] graph [options]\n\n"
		"  Shows which resource stands on which, in the DOT language of Graphviz.\n\n"
		"Options:\n\n"
		"  -plan=FILE            Of the configuration in a saved plan.\n"
		"  -format=FORMAT        dot (default); svg, png or pdf are drawn by graphviz.\n",
		cli_graph, false },
	{ "metadata", "Metadata related commands",
		"Usage: zplan [global options] metadata <subcommand> [options] [args]\n\n"
		"Subcommands:\n    functions    Show signatures of the available functions\n",
		cli_metadata, false },
	{ "metadata functions", "Show signatures of the available functions",
		"Usage: zplan [global options] metadata functions -json\n\n"
		"  Prints a JSON document of the signatures of all functions.\n",
		cli_metadata_functions, false },
	{ "modules", "Show all declared modules in a working directory",
		"Usage: zplan [global options] modules [options]\n\n"
		"  Shows the modules that the configuration calls.\n\nOptions:\n\n"
		"  -json                 As JSON.\n",
		cli_modules, false },
	{ "providers", "Show the providers required for this configuration",
		"Usage: zplan [global options] providers [options]\n\n"
		"  Shows the modules of the configuration as a tree, with the providers each of them\n"
		"  uses, and those the state has objects of.\n\nSubcommands:\n"
		"    schema       Show schemas for the providers used in the configuration\n",
		cli_providers, false },
	{ "providers schema", "Show schemas for the providers used in the configuration",
		"Usage: zplan [global options] providers schema -json\n\n"
		"  Prints a JSON document of the schemas of all providers the configuration uses.\n",
		cli_providers_schema, false },
	{ "refresh", "Update the state to match remote systems",
		"Usage: zplan [global options] refresh [options]\n\n"
		"  Asks nodes and providers how things are, and puts the answers into the state:\n"
		"  \"zplan apply -refresh-only -auto-approve\".\n\nOptions:\n\n" PLAN_OPTIONS,
		cli_refresh, false },
	{ "sandbox", "Make nodes on this machine",
		"Usage: zplan sandbox up [-nodes=N] [-hidden=N] [-inventory=FILE] [-folder=DIR]\n"
		"                        [-mirror=URL=TARGET ...]\n"
		"       zplan sandbox down [-folder=DIR]\n"
		"       zplan sandbox status [-json] [-folder=DIR]\n\n"
		"  Nodes made of network namespaces of this machine, joined by a bridge that plays\n"
		"  the internet, each with its agent, and a client namespace to look from. Needs\n"
		"  root. DIR is $ZPLAN_SANDBOX or /var/lib/zplan-sandbox. Content whose URL begins\n"
		"  with a -mirror's is read from what stands behind its second \"=\".\n",
		cli_sandbox, false },
	{ "show", "Show the current state or a saved plan",
		"Usage: zplan [global options] show [options] [FILE]\n\n"
		"  Shows the state, or the plan or state in FILE.\n\nOptions:\n\n"
		"  -json                 As JSON.\n"
		"  -format=NAME          text, json or markdown: a plan as a comment on a change.\n"
		"  -limit=BYTES          The most that markdown takes (default 60000).\n"
		"  -no-color             Plain text.\n",
		cli_show, false },
	{ "sync", "Keep infrastructure as repositories say",
		"Usage: zplan sync [-config=FILE] [-once]\n"
		"       zplan sync status [-json]\n"
		"       zplan sync history [-json] [-limit=N] [STACK]\n"
		"       zplan sync show|run STACK\n"
		"       zplan sync approve|reject [-run=N] STACK\n"
		"       zplan sync validate\n\n"
		"  Without a subcommand, the controller: follows git repositories and applies what is\n"
		"  committed there, as sync.hcl allows. status, history and show tell how things are,\n"
		"  approve and reject decide about a plan that waits, run makes a stack look again at\n"
		"  once, validate checks sync.hcl.\n\nOptions:\n\n"
		"  -config=FILE          Configuration; else ./sync.hcl or /etc/zplan/sync.hcl.\n"
		"  -once                 End when every stack had its turn.\n"
		"  -json                 For machines.\n"
		"  -limit=N              How many runs history shows (default 20).\n"
		"  -run=N                Decide about this run and no other.\n",
		cli_sync, false },
	{ "force-unlock", "Release a stuck lock on the current workspace",
		"Usage: zplan [global options] force-unlock LOCK_ID\n\n"
		"  Removes somebody's lock on the state of the current workspace. Nothing else is\n"
		"  changed. Local state cannot be unlocked: its lock goes with the process.\n\n"
		"Options:\n\n"
		"  -force                Do not ask.\n",
		cli_force_unlock, false },
	{ "state", "Advanced state management",
		"Usage: zplan [global options] state <subcommand> [options] [args]\n\n"
		"  These commands look into the state and change it. All that change it keep the\n"
		"  former state in a backup file, where the state is a file.\n\nSubcommands:\n"
		"    list                List resources in the state\n"
		"    mv                  Move an item in the state\n"
		"    pull                Pull current state and output to stdout\n"
		"    push                Update remote state from a local state file\n"
		"    replace-provider    Replace provider in the state\n"
		"    rm                  Remove instances from the state\n"
		"    show                Show a resource in the state\n",
		cli_state, false },
	{ "state list", "List resources in the state",
		"Usage: zplan [global options] state list [options] [ADDRESS...]\n\n"
		"  Lists objects in the state, or those at or below the given addresses.\n\n"
		"Options:\n\n"
		"  -state=FILE           State file to read, instead of the backend's.\n"
		"  -id=ID                Only objects with this id.\n",
		cli_state_list, false },
	{ "state show", "Show a resource in the state",
		"Usage: zplan [global options] state show [options] ADDRESS\n\n"
		"  Shows the attributes of one object. Sensitive ones are hidden.\n\nOptions:\n\n"
		"  -state=FILE           State file to read, instead of the backend's.\n"
		"  -no-color             Plain text.\n",
		cli_state_show, false },
	{ "state mv", "Move an item in the state",
		"Usage: zplan [global options] state mv [options] SOURCE DESTINATION\n\n"
		"  Moves an instance, a resource with all its instances, or a module with all below\n"
		"  it to another address, in this state or in another file.\n\nOptions:\n\n"
		"  -dry-run              Only say what would be moved.\n"
		"  -state-out=FILE       State file to move to.\n"
		"  -backup-out=FILE      Where the former state of that file is kept.\n" FILE_OPTIONS
		LOCK_OPTIONS,
		cli_state_mv, false },
	{ "state rm", "Remove instances from the state",
		"Usage: zplan [global options] state rm [options] ADDRESS...\n\n"
		"  Forgets objects without destroying them: instances, whole resources, modules.\n\n"
		"Options:\n\n"
		"  -dry-run              Only say what would be removed.\n" FILE_OPTIONS LOCK_OPTIONS,
		cli_state_rm, false },
	{ "state recover", "Rebuild a lost state from the nodes",
		"Usage: zplan [global options] state recover [options]\n\n"
		"  Asks all nodes of the inventory for what belongs to the state, and adds what it\n"
		"  lacks. Objects that live in the state alone (terraform_data, random) are not on\n"
		"  nodes, and can not be recovered.\n\nOptions:\n\n"
		"  -lineage=LINEAGE      The state that is meant; needed where the state is gone and\n"
		"                        the nodes have several.\n"
		"  -nodes=FILE           Inventory of nodes.\n"
		"  -dry-run              Only say what would be recovered.\n" FILE_OPTIONS LOCK_OPTIONS,
		cli_state_recover, false },
	{ "state pull", "Pull current state and output to stdout",
		"Usage: zplan [global options] state pull\n\n"
		"  Prints the current workspace's state as JSON.\n",
		cli_state_pull, false },
	{ "state push", "Update remote state from a local state file",
		"Usage: zplan [global options] state push [options] FILE\n\n"
		"  Stores the state in FILE (\"-\": standard input) as the current workspace's. Refused\n"
		"  where its lineage differs or its serial is lower.\n\nOptions:\n\n"
		"  -force                Store it all the same.\n" LOCK_OPTIONS,
		cli_state_push, false },
	{ "state replace-provider", "Replace provider in the state",
		"Usage: zplan [global options] state replace-provider [options] FROM TO\n\n"
		"  Changes which provider resources belong to.\n\nOptions:\n\n"
		"  -auto-approve         Do not ask.\n" FILE_OPTIONS LOCK_OPTIONS,
		cli_state_replace_provider, false },
	{ "taint", "Mark a resource instance as not fully functional",
		"Usage: zplan [global options] taint [options] ADDRESS\n\n"
		"  The next plan replaces the object.\n\nOptions:\n\n"
		"  -allow-missing        Exit with 0 where there is no such object.\n" FILE_OPTIONS
		LOCK_OPTIONS,
		cli_taint, false },
	{ "untaint", "Remove the 'tainted' state from a resource instance",
		"Usage: zplan [global options] untaint [options] ADDRESS\n\n"
		"  The next plan keeps the object.\n\nOptions:\n\n"
		"  -allow-missing        Exit with 0 where there is no such object.\n" FILE_OPTIONS
		LOCK_OPTIONS,
		cli_untaint, false },
	{ "version", "Show the current version",
		"Usage: zplan [global options] version [-json]\n\n"
		"  Shows the version, and that of the language and state it works with.\n",
		cli_version, false },
	{ "workspace", "Workspace management",
		"Usage: zplan [global options] workspace\n\n"
		"  new, list, show, select and delete zplan workspaces.\n\nSubcommands:\n"
		"    delete    Delete a workspace\n"
		"    list      List Workspaces\n"
		"    new       Create a new workspace\n"
		"    select    Select a workspace\n"
		"    show      Show the name of the current workspace\n",
		cli_workspace_group, false },
	{ "workspace new", "Create a new workspace",
		"Usage: zplan [global options] workspace new [OPTIONS] NAME\n\n"
		"  Creates a workspace and selects it.\n\nOptions:\n\n"
		"  -state=FILE           Begin with the state in this file.\n" LOCK_OPTIONS,
		cli_workspace_new, false },
	{ "workspace select", "Select a workspace",
		"Usage: zplan [global options] workspace select NAME\n\n"
		"  Selects a workspace for the commands that follow.\n\nOptions:\n\n"
		"  -or-create=false      Create the workspace if it does not exist.\n",
		cli_workspace_select, false },
	{ "workspace list", "List Workspaces",
		"Usage: zplan [global options] workspace list\n\n"
		"  Lists the workspaces; the selected one has an asterisk.\n",
		cli_workspace_list, false },
	{ "workspace show", "Show the name of the current workspace",
		"Usage: zplan [global options] workspace show\n\n"
		"  Prints the name of the selected workspace.\n",
		cli_workspace_show, false },
	{ "workspace delete", "Delete a workspace",
		"Usage: zplan [global options] workspace delete [OPTIONS] NAME\n\n"
		"  Deletes a workspace and its state.\n\nOptions:\n\n"
		"  -force                Also where it still has objects; they are forgotten.\n" LOCK_OPTIONS,
		cli_workspace_delete, false },
};

const size_t cli_command_count = ZP_ARRAY_SIZE(cli_commands);

/* plan, apply and destroy: one operation with different ends. */
#include "base/alloc.h"
#include "base/file.h"
#include "cli/cli.h"
#include "cli/progress.h"
#include "cli/render_plan.h"
#include "cli/run.h"
#include "cli/stream.h"

struct operation {
	struct cli_run run;
	struct cli_common common;
	struct cli_progress progress;
	bool destroy, refresh, refresh_only, auto_approve, detailed_exitcode;
	bool refreshes; /* the command of that name: only outputs are shown in the end */
	const char *out_path, *generate_path;
	struct plan_generated *generated;
	size_t generated_count;
	struct plan_config *former; /* before configuration was generated: diagnostics may point into it */
	struct cli_list replaces, targets, excludes;
	struct plan *plan;
};

/* All flags of the three; `command` decides which of them it takes. */
static bool parse(struct operation *operation, const char *command, int *argc, char **argv)
{
	struct cli_common *common = &operation->common;
	bool ignored = false, is_plan = strcmp(command, "plan") == 0;
	const char *ignored_text = NULL;
	struct cli_option options[] = {
		{ "no-color", CLI_SWITCH, &common->no_color },
		{ "input", CLI_SWITCH, &common->input },
		{ "lock", CLI_SWITCH, &common->lock },
		{ "lock-timeout", CLI_DURATION, &common->lock_timeout },
		{ "parallelism", CLI_NUMBER, &common->parallelism },
		{ "compact-warnings", CLI_SWITCH, &common->compact_warnings },
		{ "state", CLI_TEXT, &common->state_path },
		{ "backup", CLI_TEXT, &common->backup_path },
		{ "state-out", CLI_TEXT, &common->state_out_path },
		{ "nodes", CLI_TEXT, &common->nodes_path },
		{ "var", CLI_LIST, &common->variables },
		{ "var-file", CLI_LIST, &common->variables },
		{ "replace", CLI_LIST, &operation->replaces },
		{ "target", CLI_LIST, &operation->targets },
		{ "exclude", CLI_LIST, &operation->excludes },
		{ "refresh", CLI_SWITCH, &operation->refresh },
		{ "json", CLI_SWITCH, &common->json },
		{ "refresh-only", CLI_SWITCH, &operation->refresh_only },
		{ "destroy", CLI_SWITCH, &operation->destroy },
		{ "concise", CLI_SWITCH, &ignored },
		{ is_plan ? "out" : "auto-approve", is_plan ? CLI_TEXT : CLI_SWITCH,
			is_plan ? (void *)&operation->out_path : (void *)&operation->auto_approve },
		{ is_plan ? "detailed-exitcode" : "force", CLI_SWITCH,
			is_plan ? &operation->detailed_exitcode : &ignored },
		{ is_plan ? "generate-config-out" : "chdir", CLI_TEXT,
			is_plan ? &operation->generate_path : &ignored_text },
	};

	return cli_options_parse(options, ZP_ARRAY_SIZE(options), argc, argv, command);
}

static void begin(struct operation *operation, bool destroy)
{
	*operation = (struct operation){ .destroy = destroy, .refresh = true };
	cli_common_init(&operation->common);
}

static void print_diags(struct operation *operation)
{
	struct cli_run *run = &operation->run;

	if (operation->common.json)
		cli_stream_diags(&run->diags);
	else
		cli_print_diags(&run->view, &run->diags);
	zp_diags_truncate(&run->diags, 0);
}

/* Colours and progress as the flags want them; call once they are read. */
static void set_up(struct operation *operation)
{
	cli_run_init(&operation->run, operation->common.no_color);
	cli_progress_init(&operation->progress, &operation->run.view);
	operation->progress.json = operation->common.json;
	if (operation->common.json) {
		operation->common.input = false;
		cli_stream_version();
	}
}

static int end(struct operation *operation, int status)
{
	/* Diagnostics may point into the sources of a loaded plan. */
	if (operation->plan) {
		if (operation->run.diags.errors && !status)
			status = 1;
		plan_config_annotate(plan_configuration(operation->plan), &operation->run.diags);
		print_diags(operation);
	}
	if (operation->common.json) {
		if (operation->run.diags.errors && !status)
			status = 1;
		if (operation->run.config)
			plan_config_annotate(operation->run.config, &operation->run.diags);
		print_diags(operation);
	}
	plan_free(operation->plan);
	status = cli_run_finish(&operation->run, status);
	plan_config_free(operation->former);
	plan_generated_free(operation->generated, operation->generated_count);
	cli_list_release(&operation->common.variables);
	cli_list_release(&operation->replaces);
	cli_list_release(&operation->targets);
	cli_list_release(&operation->excludes);
	return status;
}

static bool check_flags(struct operation *operation, int words, bool takes_plan)
{
	struct zp_diags *diags = &operation->run.diags;

	if (words > (takes_plan ? 1 : 0))
		zp_diag_error(diags, ZP_NOWHERE, "Too many command line arguments", "%s",
			takes_plan ? "Expected at most one positional argument: a plan file." :
				     "Expected no positional arguments. Did you mean to use -chdir?");
	if (operation->destroy && operation->refresh_only)
		zp_diag_error(diags, ZP_NOWHERE, "Incompatible plan mode options",
			"The -destroy and -refresh-only options are mutually-exclusive.");
	if (operation->refresh_only && !operation->refresh)
		zp_diag_error(diags, ZP_NOWHERE, "Incompatible refresh options",
			"It doesn't make sense to use -refresh-only at the same time as "
			"-refresh=false.");
	if (operation->common.parallelism < 1)
		zp_diag_error(diags, ZP_NOWHERE, "Invalid parallelism",
			"-parallelism must be at least 1.");
	return !diags->errors;
}

static char *prompt(void *data, const struct plan_variable *variable)
{
	const struct operation *operation = data;
	zp_autobuf text = ZP_BUF_INIT;

	if (!operation->common.input || !isatty(STDIN_FILENO))
		return NULL;
	zp_buf_printf(&text, "%svar.%s%s\n", cli_style(&operation->run.view, CLI_BOLD),
		variable->name, cli_style(&operation->run.view, CLI_RESET));
	if (variable->description)
		zp_buf_printf(&text, "  %s\n", variable->description);
	zp_buf_puts(&text, "\n  Enter a value: ");
	return cli_ask(text.ptr);
}

/* Configuration, nodes and state, with what an interrupted run left taken over. */
static bool prepare(struct operation *operation, const char *name)
{
	struct cli_run *run = &operation->run;
	zp_autofree char *info = zp_format("OperationType%s", name);

	if (!cli_run_load_config(run) || !cli_run_collect_inputs(run, &operation->common) ||
		!cli_run_open_nodes(run, operation->common.nodes_path) ||
		!cli_run_open_state(run, &operation->common, info))
		return false;
	return plan_recover(run->backend, run->state, run->nodes, &operation->progress.hooks,
		&run->diags);
}

static bool write_generated(struct operation *operation)
{
	struct cli_run *run = &operation->run;
	zp_autobuf text = ZP_BUF_INIT;
	zp_autoerror err = ZP_ERROR_INIT;

	zp_buf_puts(&text, "# __generated__ by zplan\n# Please review these resources and move them into your "
			   "main configuration files.\n");
	for (size_t i = 0; i < operation->generated_count; i++)
		zp_buf_printf(&text, "\n# __generated__ by zplan from \"%s\"\n%s",
			operation->generated[i].id, operation->generated[i].text);
	if (zp_file_write_atomic(operation->generate_path, zp_buf_slice(&text), 0644, &err) == 0)
		return true;
	zp_diag_error(&run->diags, ZP_NOWHERE, "Failed to write the generated configuration", "%s.",
		zp_error_text(&err));
	return false;
}

/* Import blocks whose targets are not there yet get configuration, which is then read like the rest. */
static bool generate(struct operation *operation)
{
	struct cli_run *run = &operation->run;
	struct plan_options options = { .working_dir = ".", .inputs = run->inputs,
		.input_count = run->input_count, .workspace = run->workspace, .nodes = run->nodes };

	if (!operation->generate_path)
		return true;
	if (zp_file_exists(operation->generate_path)) {
		zp_diag_error(&run->diags, ZP_NOWHERE, "Target generated file already exists",
			"zplan can only write generated config into a new file. Either choose a different "
			"target location or move all existing configuration out of the target file, delete "
			"it and try again.");
		return false;
	}
	struct plan *plan = plan_open(run->config, &options, run->state, &run->diags);
	bool ok = plan && plan_generate(plan, &operation->generated, &operation->generated_count, &run->diags);
	plan_free(plan);
	if (!ok || !operation->generated_count)
		return ok;
	zp_diag_warning(&run->diags, ZP_NOWHERE, "Config generation is experimental",
		"Generating configuration during import is currently experimental, and the generated "
		"configuration format may change in future versions.");
	operation->former = run->config;
	run->config = NULL;
	return write_generated(operation) && cli_run_load_config(run);
}

static bool make_plan(struct operation *operation)
{
	struct cli_run *run = &operation->run;
	struct plan_options options = {
		.kind = operation->destroy ? PLAN_DESTROY :
			operation->refresh_only ? PLAN_REFRESH_ONLY : PLAN_NORMAL,
		.refresh = operation->refresh,
		.inputs = run->inputs,
		.input_count = run->input_count,
		.generated = operation->generated,
		.generated_count = operation->generated_count,
		.replaces = operation->replaces.items,
		.replace_count = operation->replaces.count,
		.targets = operation->targets.items,
		.target_count = operation->targets.count,
		.excludes = operation->excludes.items,
		.exclude_count = operation->excludes.count,
		.working_dir = ".",
		.workspace = run->workspace,
		.nodes = run->nodes,
		.parallelism = operation->common.parallelism,
		.hooks = &operation->progress.hooks,
		.prompt = prompt,
		.prompt_data = operation,
	};

	operation->plan = plan_create(run->config, &options, run->state, &run->diags);
	return operation->plan && !run->diags.errors;
}

/* Warnings come before the plan they belong to; errors at the very end. */
static void show_plan(struct operation *operation)
{
	zp_autobuf text = ZP_BUF_INIT;

	if (operation->common.json) {
		cli_stream_plan(operation->plan);
		return;
	}
	cli_render_plan(&operation->run.view, operation->plan, &text);
	fwrite(text.ptr, 1, text.len, stdout);
	fflush(stdout);
}

static void rule(void)
{
	putchar('\n');
	for (int i = 0; i < 77; i++)
		fputs("─", stdout);
	fputs("\n\n", stdout);
}

static int finish_plan(struct operation *operation)
{
	zp_autoerror err = ZP_ERROR_INIT;
	bool empty = plan_is_empty(operation->plan);

	if (operation->generated_count && !operation->common.json) {
		rule();
		printf("zplan has generated configuration and written it to %s. Please review\nthe "
		       "configuration and edit it as necessary before adding it to version\ncontrol.\n",
			operation->generate_path);
	}

	if (operation->out_path) {
		if (plan_save(operation->plan, operation->out_path, &err) < 0) {
			zp_diag_error(&operation->run.diags, ZP_NOWHERE, "Failed to write plan file",
				"%s", zp_error_text(&err));
			return 1;
		}
		if (operation->common.json)
			return operation->detailed_exitcode && !empty ? 2 : 0;
		rule();
		printf("Saved the plan to: %s\n\nTo perform exactly these actions, run the following "
		       "command to apply:\n    zplan apply \"%s\"\n",
			operation->out_path, operation->out_path);
	} else if (!empty && !operation->common.json) {
		rule();
		puts("Note: You didn't use the -out option to save this plan, so zplan can't\n"
		     "guarantee to take exactly these actions if you run \"zplan apply\" now.");
	}
	return operation->detailed_exitcode && !empty ? 2 : 0;
}

int cli_plan(int argc, char **argv)
{
	struct operation operation;

	begin(&operation, false);
	if (!parse(&operation, "plan", &argc, argv))
		return 1;
	set_up(&operation);
	if (!check_flags(&operation, argc, false) || !prepare(&operation, "Plan") || !generate(&operation))
		return end(&operation, 1);
	bool ok = make_plan(&operation);
	if (operation.plan)
		show_plan(&operation);
	return end(&operation, ok ? finish_plan(&operation) : 1);
}

static bool approve(struct operation *operation)
{
	const struct cli_view *view = &operation->run.view;
	zp_autobuf text = ZP_BUF_INIT;

	if (operation->auto_approve)
		return true;
	if (!operation->common.input) {
		zp_diag_error(&operation->run.diags, ZP_NOWHERE, "Approval is needed",
			"The plan has changes, and -input=false does not let zplan ask. Use "
			"-auto-approve, or apply a saved plan.");
		return false;
	}
	zp_buf_printf(&text, "\n%s%s%s\n", cli_style(view, CLI_BOLD),
		operation->destroy ? "Do you really want to destroy all resources?" :
				     "Do you want to perform these actions?",
		cli_style(view, CLI_RESET));
	zp_buf_puts(&text, operation->destroy ?
		"  zplan will destroy all your managed infrastructure, as shown above.\n"
		"  There is no undo. Only 'yes' will be accepted to confirm.\n\n" :
		"  zplan will perform the actions described above.\n"
		"  Only 'yes' will be accepted to approve.\n\n");
	zp_buf_printf(&text, "  %sEnter a value:%s ", cli_style(view, CLI_BOLD),
		cli_style(view, CLI_RESET));
	zp_autofree char *answer = cli_ask(text.ptr);
	putchar('\n');
	if (strcmp(answer, "yes") == 0)
		return true;
	printf("%s cancelled.\n", operation->destroy ? "Destroy" : "Apply");
	return false;
}

static int carry_out(struct operation *operation)
{
	struct cli_run *run = &operation->run;
	const struct cli_view *view = &run->view;
	struct plan_apply_options options = {
		.backend = run->backend,
		.state = run->state,
		.parallelism = operation->common.parallelism,
		.hooks = &operation->progress.hooks,
		.interrupted = cli_interrupted(),
	};

	zp_autofree char *summary = cli_plan_summary(operation->plan);
	state_backend_set_note(run->backend, summary);
	bool applied = plan_apply(operation->plan, &options, &run->diags);
	if (plan_is_limited(operation->plan))
		zp_diag_warning(&run->diags, ZP_NOWHERE, "Applied changes may be incomplete",
			"The plan was created with the -target or the -exclude option in effect, so some "
			"changes requested in the configuration may have been ignored and the output "
			"values may not be fully updated. Run the following command to verify that no "
			"other changes are pending:\n    zplan plan\n\nNote that these options are not "
			"suitable for routine use, and are provided only for exceptional situations such "
			"as recovering from errors or mistakes, or when zplan specifically suggests to "
			"use them as part of an error message.");
	if (!applied)
		return 1;
	const struct cli_progress *done = &operation->progress;
	if (operation->common.json) {
		bool destroy = plan_kind(operation->plan) == PLAN_DESTROY;
		cli_stream_result(done, destroy ? "destroy" : "apply");
		if (!destroy)
			cli_stream_outputs(run->state);
		return 0;
	}
	if (operation->destroy) {
		printf("\n%s%sDestroy complete! Resources: %zu destroyed.%s\n",
			cli_style(view, CLI_BOLD), cli_style(view, CLI_GREEN), done->destroyed,
			cli_style(view, CLI_RESET));
		return 0;
	}
	if (!operation->refreshes) {
		printf("\n%s%sApply complete! Resources: ", cli_style(view, CLI_BOLD),
			cli_style(view, CLI_GREEN));
		if (done->imported)
			printf("%zu imported, ", done->imported);
		printf("%zu added, %zu changed, %zu destroyed.%s\n", done->added, done->changed,
			done->destroyed, cli_style(view, CLI_RESET));
	}
	if (run->state->output_count) {
		zp_autobuf text = ZP_BUF_INIT;
		cli_render_outputs(view, run->state, &text);
		printf("\n%s%sOutputs:%s\n\n%s", cli_style(view, CLI_BOLD),
			cli_style(view, CLI_GREEN), cli_style(view, CLI_RESET), text.ptr);
	}
	return 0;
}

/* A saved plan brings its own configuration and variables; approval was given by saving it. */
static int apply_saved(struct operation *operation, const char *path)
{
	struct cli_run *run = &operation->run;

	if (operation->common.variables.count) {
		zp_diag_error(&run->diags, ZP_NOWHERE, "Can't set variables when applying a saved plan",
			"The -var and -var-file options cannot be used when applying a saved plan "
			"file, because a saved plan includes the variable values that were set when "
			"it was created.");
		return 1;
	}
	if (operation->destroy) {
		zp_diag_error(&run->diags, ZP_NOWHERE, "Destroy can't be called with a plan file",
			"If this plan was created using plan -destroy, apply it using:\n  zplan apply "
			"\"%s\"", path);
		return 1;
	}
	if (!cli_run_load_root(run) || !cli_run_open_nodes(run, operation->common.nodes_path) ||
		!cli_run_open_state(run, &operation->common, "OperationTypeApply") ||
		!plan_recover(run->backend, run->state, run->nodes, &operation->progress.hooks,
			&run->diags))
		return 1;
	operation->plan = plan_load(path, run->nodes, &operation->progress.hooks, &run->diags);
	if (operation->plan && operation->common.json)
		cli_stream_changes(operation->plan);
	return operation->plan ? carry_out(operation) : 1;
}

static int apply(int argc, char **argv, bool destroy)
{
	struct operation operation;
	const char *command = destroy ? "destroy" : "apply";

	begin(&operation, destroy);
	if (!parse(&operation, command, &argc, argv))
		return 1;
	set_up(&operation);
	if (!check_flags(&operation, argc, !destroy))
		return end(&operation, 1);
	if (operation.common.json && !operation.auto_approve && argc != 1) {
		zp_diag_error(&operation.run.diags, ZP_NOWHERE, "Plan file or auto-approve required",
			"zplan cannot ask for interactive approval when -json is set. You can either apply "
			"a saved plan file, or enable the -auto-approve option.");
		return end(&operation, 1);
	}
	if (argc == 1)
		return end(&operation, apply_saved(&operation, argv[0]));
	if (!prepare(&operation, "Apply"))
		return end(&operation, 1);
	bool ok = make_plan(&operation);
	if (operation.plan)
		show_plan(&operation);
	if (!ok)
		return end(&operation, 1);
	if (!plan_is_empty(operation.plan) && !approve(&operation))
		return end(&operation, 1);
	return end(&operation, carry_out(&operation));
}

int cli_apply(int argc, char **argv)
{
	return apply(argc, argv, false);
}

int cli_refresh(int argc, char **argv)
{
	struct operation operation;

	begin(&operation, false);
	operation.refresh_only = operation.refreshes = true;
	if (!parse(&operation, "refresh", &argc, argv))
		return 1;
	set_up(&operation);
	if (!check_flags(&operation, argc, false) || !prepare(&operation, "Refresh"))
		return end(&operation, 1);
	if (!operation.run.state->object_count) {
		zp_diag_warning(&operation.run.diags, ZP_NOWHERE, "Empty or non-existent state",
			"There are currently no remote objects tracked in the state, so there is nothing "
			"to refresh.");
		return end(&operation, 0);
	}
	if (!make_plan(&operation))
		return end(&operation, 1);
	return end(&operation, carry_out(&operation));
}

int cli_destroy(int argc, char **argv)
{
	return apply(argc, argv, true);
}

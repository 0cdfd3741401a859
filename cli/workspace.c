/* Workspaces: several states of one configuration, one of which is selected. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/file.h"
#include "cli/cli.h"
#include "cli/state_command.h"

int cli_workspace_group(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return cli_state_misused("workspace", "");
}

static bool is_overridden(void)
{
	const char *env = getenv("TF_WORKSPACE");

	return env && *env;
}

static void style(struct cli_run *run, enum cli_style style_)
{
	fputs(cli_style(&run->view, style_), stdout);
}

/* The backend of the selected workspace, not yet asked anything. */
static bool begin(struct cli_run *run)
{
	cli_run_init(run, false);
	return cli_run_load_root(run) && cli_run_open_backend(run, NULL);
}

static bool list(struct cli_run *run, char ***names)
{
	zp_autoerror err = ZP_ERROR_INIT;

	if (state_backend_workspaces(run->backend, names, &err) == 0)
		return true;
	fprintf(stderr, "%s\n", zp_error_text(&err));
	return false;
}

static bool is_listed(char **names, const char *name)
{
	for (; *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

static bool select_workspace(struct cli_run *run, const char *name)
{
	zp_autofree char *path = zp_path_join(cli_data_dir(), "environment");
	zp_autoerror err = ZP_ERROR_INIT;

	if (zp_mkdirs(cli_data_dir(), 0755, &err) == 0 &&
		zp_file_write_atomic(path, zp_str(name), 0644, &err) == 0)
		return true;
	zp_diag_error(&run->diags, ZP_NOWHERE, "Failed to select the workspace", "%s",
		zp_error_text(&err));
	return false;
}

static int bad_name(const char *name)
{
	fprintf(stderr,
		"\nThe workspace name \"%s\" is not allowed. The name must contain only URL safe\n"
		"characters, and no path separators.\n\n",
		name);
	return 1;
}

static void say_missing(const char *name)
{
	fprintf(stderr,
		"\nWorkspace \"%s\" doesn't exist.\n\nYou can create this workspace with the "
		"\"new\" subcommand \nor include the \"-or-create\" flag with the \"select\" "
		"subcommand.\n",
		name);
}

/* Another backend of the same settings, for another workspace. Takes run->backend's place. */
static bool switch_backend(struct cli_run *run, const char *name)
{
	state_backend_free(run->backend);
	run->backend = NULL;
	free(run->workspace);
	run->workspace = zp_strdup(name);
	return cli_run_open_backend(run, NULL);
}

static bool fill_from(struct cli_run *run, const char *path, const struct cli_common *common)
{
	zp_autobuf text = ZP_BUF_INIT;
	zp_autoerror err = ZP_ERROR_INIT;
	struct state *given = NULL;
	bool ok = zp_file_read(path, (size_t)8 << 30, &text, &err) == 0 &&
		  (given = state_parse_take(&text, path, &err)) != NULL;

	if (ok && cli_run_open_state(run, common, "workspace-new")) {
		given->lineage = run->state->lineage;
		given->serial = run->state->serial + 1;
		ok = state_backend_store(run->backend, given, &err) == 0;
	}
	if (!ok)
		zp_diag_error(&run->diags, ZP_NOWHERE, "Failed to copy the state", "%s",
			zp_error_text(&err));
	state_free(given);
	return !run->diags.errors;
}

static int create(struct cli_run *run, const char *name, const struct cli_common *common)
{
	zp_autoerror err = ZP_ERROR_INIT;

	if (!switch_backend(run, name))
		return 1;
	if (state_backend_create_workspace(run->backend, common->lock_timeout, &err) < 0) {
		zp_diag_error(&run->diags, ZP_NOWHERE, "Failed to create the workspace", "%s",
			zp_error_text(&err));
		return 1;
	}
	if (!select_workspace(run, name))
		return 1;
	style(run, CLI_GREEN);
	style(run, CLI_BOLD);
	printf("Created and switched to workspace \"%s\"!", name);
	style(run, CLI_RESET);
	puts("\n\nYou're now on a new, empty workspace. Workspaces isolate their state,\nso if you "
	     "run "
	     "\"zplan plan\" zplan will not see any existing state\nfor this configuration.");
	return common->state_path && !fill_from(run, common->state_path, common) ? 1 : 0;
}

int cli_workspace_new(int argc, char **argv)
{
	struct cli_common common;
	cli_common_init(&common);
	struct cli_option options[] = {
		{ "lock", CLI_SWITCH, &common.lock },
		{ "lock-timeout", CLI_DURATION, &common.lock_timeout },
		{ "state", CLI_TEXT, &common.state_path },
	};
	struct cli_run run;
	char **names = NULL;

	if (!cli_options_parse(options, ZP_ARRAY_SIZE(options), &argc, argv, "workspace new"))
		return 1;
	if (argc != 1)
		return cli_state_misused("workspace new", "Expected a single argument: NAME.\n");
	if (!cli_workspace_name_is_valid(argv[0]))
		return bad_name(argv[0]);
	if (is_overridden()) {
		fputs("\nThe workspace is currently overridden using the TF_WORKSPACE environment\n"
		      "variable. You cannot create a new workspace when using this setting.\n\nTo "
		      "create a new workspace, either unset this environment variable or update "
		      "it\nto "
		      "match the workspace name you are trying to create, and then run this "
		      "command\n"
		      "again.\n\n",
			stderr);
		return 1;
	}
	if (!begin(&run) || !list(&run, &names))
		return cli_run_finish(&run, 1);
	bool exists = is_listed(names, argv[0]);
	state_workspaces_free(names);
	if (exists) {
		fprintf(stderr, "Workspace \"%s\" already exists\n", argv[0]);
		return cli_run_finish(&run, 1);
	}
	return cli_run_finish(&run, create(&run, argv[0], &common));
}

static int select_or_create(struct cli_run *run, const char *name, bool or_create)
{
	struct cli_common common;
	char **names = NULL;

	if (!list(run, &names))
		return 1;
	bool exists = is_listed(names, name);
	state_workspaces_free(names);
	if (strcmp(run->workspace, name) == 0 && exists)
		return 0;
	if (!exists && !or_create) {
		say_missing(name);
		return 1;
	}
	cli_common_init(&common);
	if (!exists)
		return create(run, name, &common);
	if (!select_workspace(run, name))
		return 1;
	style(run, CLI_GREEN);
	printf("Switched to workspace \"%s\".", name);
	style(run, CLI_RESET);
	putchar('\n');
	return 0;
}

int cli_workspace_select(int argc, char **argv)
{
	bool or_create = false;
	struct cli_option options[] = { { "or-create", CLI_SWITCH, &or_create } };
	struct cli_run run;

	if (!cli_options_parse(options, ZP_ARRAY_SIZE(options), &argc, argv, "workspace select"))
		return 1;
	if (argc != 1)
		return cli_state_misused("workspace select", "Expected a single argument: NAME.\n");
	if (is_overridden()) {
		fputs("\nThe selected workspace is currently overridden using the TF_WORKSPACE\n"
		      "environment variable.\n\nTo select a new workspace, either update this "
		      "environment variable or unset\nit and then run this command again.\n\n",
			stderr);
		return 1;
	}
	if (!cli_workspace_name_is_valid(argv[0]))
		return bad_name(argv[0]);
	if (!begin(&run))
		return cli_run_finish(&run, 1);
	return cli_run_finish(&run, select_or_create(&run, argv[0], or_create));
}

int cli_workspace_list(int argc, char **argv)
{
	struct cli_run run;
	char **names = NULL;

	if (!cli_options_parse(NULL, 0, &argc, argv, "workspace list"))
		return 1;
	if (argc) {
		fputs("Too many command line arguments. Did you mean to use -chdir?\n", stderr);
		return 1;
	}
	if (!begin(&run) || !list(&run, &names))
		return cli_run_finish(&run, 1);
	for (size_t i = 0; names[i]; i++) {
		bool selected = strcmp(names[i], run.workspace) == 0;
		printf("%c %s\n", selected ? '*' : ' ', names[i]);
	}
	putchar('\n');
	if (is_overridden())
		puts("\n\nThe active workspace is being overridden using the TF_WORKSPACE "
		     "environment\n"
		     "variable.\n");
	state_workspaces_free(names);
	return cli_run_finish(&run, 0);
}

int cli_workspace_show(int argc, char **argv)
{
	struct cli_run run;

	if (!cli_options_parse(NULL, 0, &argc, argv, "workspace show"))
		return 1;
	cli_run_init(&run, false);
	if (!cli_run_select_workspace(&run))
		return cli_run_finish(&run, 1);
	puts(run.workspace);
	return cli_run_finish(&run, 0);
}

static int by_text(const void *a, const void *b)
{
	const struct state_object *x = *(const struct state_object *const *)a;
	const struct state_object *y = *(const struct state_object *const *)b;

	return strcmp(x->address, y->address);
}

/* Only objects that are managed count: data sources are read again. */
static bool has_objects(const struct state *state, struct zp_buf *names)
{
	const struct state_object **found = zp_calloc(state->object_count, sizeof(*found));
	size_t count = 0;

	for (size_t i = 0; i < state->object_count; i++)
		if (state->objects[i] && state->objects[i]->resource->mode == STATE_MANAGED)
			found[count++] = state->objects[i];
	if (count)
		qsort(found, count, sizeof(*found), by_text);
	for (size_t i = 0; i < count; i++) {
		zp_buf_printf(names, "\n  - %s", found[i]->address);
		if (found[i]->deposed)
			zp_buf_printf(names, " (deposed object %s)", found[i]->deposed);
	}
	free(found);
	return count > 0;
}

static bool may_delete(struct cli_run *run, const char *name, bool force, bool *was_empty)
{
	zp_autobuf objects = ZP_BUF_INIT;

	*was_empty = !has_objects(run->state, &objects);
	if (force)
		return true;
	if (zp_file_exists(run->backend->journal_path)) {
		zp_diag_error(&run->diags, ZP_NOWHERE, "An interrupted run is not taken over",
			"The journal %s of workspace \"%s\" has records of a run that did not end. "
			"Select the workspace and run \"zplan plan\" first: it takes over what "
			"that run "
			"did.",
			run->backend->journal_path, name);
		return false;
	}
	if (*was_empty)
		return true;
	zp_diag_error(&run->diags, ZP_NOWHERE, "Workspace is not empty",
		"Workspace \"%s\" is currently tracking the following resource "
		"instances:%s\n\nDeleting "
		"this workspace would cause zplan to lose track of any associated remote objects, "
		"which would then require you to delete them manually outside of zplan. You should "
		"destroy these objects with zplan before deleting the workspace.\n\nIf you want to "
		"delete this workspace anyway, and have zplan forget about these managed objects, "
		"use "
		"the -force option to disable this safety check.",
		name, objects.ptr);
	return false;
}

static int delete_locked(
	struct cli_run *run, const char *name, bool force, const struct cli_common *common)
{
	zp_autoerror err = ZP_ERROR_INIT;
	bool was_empty = true;

	if (!cli_run_open_state(run, common, "workspace-delete") ||
		!may_delete(run, name, force, &was_empty))
		return 1;
	/* Unlocked first: a lock in what is deleted could not be given back, and the name is free
	 * then. */
	if (run->locked && run->backend->is_local) {
		state_backend_unlock(run->backend, NULL);
		run->locked = false;
	}
	if (state_backend_delete_workspace(run->backend, name, &err) < 0) {
		zp_diag_error(&run->diags, ZP_NOWHERE, "Failed to delete the workspace", "%s",
			zp_error_text(&err));
		return 1;
	}
	style(run, CLI_GREEN);
	printf("Deleted workspace \"%s\"!", name);
	style(run, CLI_RESET);
	putchar('\n');
	if (!was_empty)
		printf("%sWARNING: \"%s\" was non-empty.\nThe resources managed by the deleted "
		       "workspace "
		       "may still exist,\nbut are no longer manageable by zplan since the state "
		       "has\nbeen "
		       "deleted.\n%s",
			cli_style(&run->view, CLI_YELLOW), name, cli_style(&run->view, CLI_RESET));
	return 0;
}

int cli_workspace_delete(int argc, char **argv)
{
	struct cli_common common;
	bool force = false;
	cli_common_init(&common);
	struct cli_option options[] = {
		{ "force", CLI_SWITCH, &force },
		{ "lock", CLI_SWITCH, &common.lock },
		{ "lock-timeout", CLI_DURATION, &common.lock_timeout },
	};
	struct cli_run run;
	char **names = NULL;

	if (!cli_options_parse(options, ZP_ARRAY_SIZE(options), &argc, argv, "workspace delete"))
		return 1;
	if (argc != 1)
		return cli_state_misused("workspace delete", "Expected a single argument: NAME.\n");
	const char *name = argv[0];
	if (!begin(&run) || !list(&run, &names))
		return cli_run_finish(&run, 1);
	bool exists = is_listed(names, name), is_default = strcmp(name, "default") == 0;
	state_workspaces_free(names);
	if (is_default) {
		fputs("cannot delete default state\n", stderr);
		return cli_run_finish(&run, 1);
	}
	if (!exists) {
		say_missing(name);
		return cli_run_finish(&run, 1);
	}
	if (strcmp(run.workspace, name) == 0) {
		fprintf(stderr,
			"Workspace \"%s\" is your active workspace.\n\nYou cannot delete the "
			"currently active workspace. Please switch\nto another workspace and "
			"try again.\n",
			name);
		return cli_run_finish(&run, 1);
	}
	if (!switch_backend(&run, name))
		return cli_run_finish(&run, 1);
	return cli_run_finish(&run, delete_locked(&run, name, force, &common));
}

#include "cli/run.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>

#include "base/alloc.h"
#include "base/file.h"
#include "cli/backend.h"

void cli_common_init(struct cli_common *common)
{
	*common = (struct cli_common){ .lock = true, .input = true, .parallelism = 10 };
}

void cli_run_init(struct cli_run *run, bool no_color)
{
	*run = (struct cli_run){ .view = cli_view_init(no_color) };
	zp_diags_init(&run->diags);
	zp_arena_init(&run->arena);
}

int cli_run_finish(struct cli_run *run, int status)
{
	zp_autoerror err = ZP_ERROR_INIT;

	if (run->locked && state_backend_unlock(run->backend, &err) < 0)
		zp_diag_error(&run->diags, ZP_NOWHERE, "Error releasing the state lock", "%s",
			zp_error_text(&err));
	if (run->config)
		plan_config_annotate(run->config, &run->diags);
	cli_print_diags(&run->view, &run->diags);
	if (!status && run->diags.errors)
		status = 1;
	zp_diags_release(&run->diags);
	plan_config_free(run->config);
	state_free(run->state);
	if (run->backend)
		state_backend_free(run->backend);
	state_encryption_install(NULL);
	state_encryption_free(run->encryption);
	if (run->nodes)
		node_pool_free(run->nodes);
	if (run->inventory)
		node_inventory_free(run->inventory);
	for (size_t i = 0; i < run->source_count; i++)
		zp_source_free(run->sources[i]);
	free(run->sources);
	free(run->inputs);
	free(run->workspace);
	zp_arena_release(&run->arena);
	return status;
}

bool cli_run_load_root(struct cli_run *run)
{
	run->config = plan_config_load(
		&(struct plan_config_options){ .dir = ".", .root_only = true }, &run->diags);
	if (run->diags.errors)
		return false;
	zp_diags_truncate(&run->diags, 0); /* warnings are for commands that use the rest */
	return true;
}

bool cli_run_load_config(struct cli_run *run)
{
	struct plan_config_options options = { .dir = ".", .test_dir = run->test_dir,
		.installer = run->installer };

	run->config = plan_config_load(&options, &run->diags);
	if (run->diags.errors)
		return false;
	const struct plan_module *root = run->config->root;
	if (!run->config->file_count) {
		zp_diag_error(&run->diags, ZP_NOWHERE, "No configuration files",
			"This folder has no *.tf or *.tf.json files. Change to the folder of your "
			"configuration, or name it with -chdir=DIR before the command.");
		return false;
	}
	(void)root;
	plan_config_validate(run->config, &run->diags);
	return !run->diags.errors;
}

const char *cli_data_dir(void)
{
	const char *dir = getenv("TF_DATA_DIR");

	return dir && *dir ? dir : ".terraform";
}

char *cli_workspace(void)
{
	const char *env = getenv("TF_WORKSPACE");
	zp_autofree char *path = zp_path_join(cli_data_dir(), "environment");
	zp_autobuf text = ZP_BUF_INIT;

	if (env && *env)
		return zp_strdup(env);
	if (zp_file_read(path, 4096, &text, NULL) < 0)
		return zp_strdup("default");
	while (text.len && (text.ptr[text.len - 1] == '\n' || text.ptr[text.len - 1] == ' '))
		text.ptr[--text.len] = 0;
	return zp_strdup(text.len ? text.ptr : "default");
}

bool cli_workspace_name_is_valid(const char *name)
{
	static const char also[] = "-_.~$&+:=@";

	for (const char *p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr(also, *p))
			return false;
	return *name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

bool cli_run_select_workspace(struct cli_run *run)
{
	if (run->workspace)
		return true;
	char *name = cli_workspace();
	if (cli_workspace_name_is_valid(name)) {
		run->workspace = name;
		return true;
	}
	free(name);
	const char *env = getenv("TF_WORKSPACE");
	if (env && *env)
		zp_diag_error(&run->diags, ZP_NOWHERE, "Invalid workspace name set using TF_WORKSPACE",
			"%s", "");
	else
		zp_diag_error(&run->diags, ZP_NOWHERE, "Invalid workspace name",
			"%s/environment does not hold the name of a workspace. Select one with "
			"\"zplan workspace select\".", cli_data_dir());
	return false;
}

/* $TF_ENCRYPTION in place of the configuration's block. */
bool cli_run_take_encryption(struct cli_run *run)
{
	const char *text = getenv("TF_ENCRYPTION");
	struct hcl_body *body = run->config ? run->config->root->encryption : NULL;
	size_t errors = run->diags.errors;

	if (run->encryption)
		return true;
	if (text && *text)
		run->encryption = state_encryption_read_text(zp_str(text), &run->diags);
	else if (body)
		run->encryption = state_encryption_read(body, &run->diags);
	state_encryption_install(run->encryption);
	return run->diags.errors == errors;
}

bool cli_run_open_backend(struct cli_run *run, const struct cli_common *common)
{
	struct state_settings settings;
	zp_autoerror err = ZP_ERROR_INIT;

	if (!cli_run_select_workspace(run) || !cli_run_take_encryption(run) ||
		!cli_backend_settings(run, &settings))
		return false;
	run->backend = state_backend_open(&settings, run->workspace, &err);
	state_settings_release(&settings);
	if (!run->backend) {
		zp_diag_error(&run->diags, ZP_NOWHERE, "Error loading the backend", "%s.",
			zp_error_text(&err));
		return false;
	}
	run->backend->is_own = true;
	if (common)
		state_local_override(run->backend, common->state_path, common->state_out_path,
			common->backup_path);
	return true;
}

bool cli_run_open_state(struct cli_run *run, const struct cli_common *common, const char *operation)
{
	zp_autoerror err = ZP_ERROR_INIT;

	if (!run->backend && !cli_run_open_backend(run, common))
		return false;
	if (common->lock &&
		state_backend_lock(run->backend, operation, common->lock_timeout, &err) < 0) {
		zp_diag_error(&run->diags, ZP_NOWHERE, "Error acquiring the state lock", "%s",
			zp_error_text(&err));
		return false;
	}
	run->locked = common->lock;
	if (state_backend_load(run->backend, &run->state, &err) < 0) {
		zp_diag_error(&run->diags, ZP_NOWHERE, "Failed to load state", "%s",
			zp_error_text(&err));
		return false;
	}
	return true;
}

bool cli_run_open_nodes(struct cli_run *run, const char *path)
{
	run->inventory = node_inventory_load(path, &run->diags);
	if (!run->inventory)
		return false;
	run->nodes = node_pool_new(run->inventory);
	return true;
}

static volatile int interrupts;

static void on_interrupt(int number)
{
	static const char first[] = "\nInterrupt received.\nPlease wait for zplan to exit. What is under "
				    "way is finished and recorded;\nanother interrupt stops at once.\n\n";
	static const char second[] = "\nStopping at once. The journal keeps what was under way; the "
				     "next run takes it over.\n";

	(void)number;
	interrupts++;
	const char *text = interrupts == 1 ? first : second;
	size_t length = interrupts == 1 ? sizeof(first) - 1 : sizeof(second) - 1;
	if (write(STDERR_FILENO, text, length) < 0 || interrupts > 2)
		_exit(1);
}

const volatile int *cli_interrupted(void)
{
	static bool installed;

	if (!installed) {
		struct sigaction action = { .sa_handler = on_interrupt, .sa_flags = SA_RESTART };
		sigaction(SIGINT, &action, NULL);
		sigaction(SIGTERM, &action, NULL);
		installed = true;
	}
	return &interrupts;
}

char *cli_ask(const char *prompt)
{
	char *line = NULL;
	size_t capacity = 0;

	fputs(prompt, stdout);
	fflush(stdout);
	ssize_t n = getline(&line, &capacity, stdin);
	if (n < 0) {
		free(line);
		return zp_strdup("");
	}
	while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r'))
		line[--n] = 0;
	return line;
}

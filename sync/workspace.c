#include "sync/workspace.h"

#include <dirent.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/vec.h"
#include "hcl-lite/hcl.h"

void sync_workspace_open(struct sync_workspace *workspace, const char *name, const char *path)
{
	workspace->folder = zp_format("%s/stacks/%s", workspace->config->data_dir, name);
	workspace->tree = zp_path_join(workspace->folder, "tree");
	workspace->directory = zp_path_join(workspace->tree, path);
	workspace->log = zp_path_join(workspace->folder, "log");
	workspace->plan = zp_path_join(workspace->folder, "plan");
	workspace->plan_text = zp_path_join(workspace->folder, "plan.md");
	workspace->variables = zp_path_join(workspace->folder, "variables.tfvars.json");
	workspace->settings = zp_path_join(workspace->folder, "backend.conf");
	zp_autofree char *data = zp_path_join(workspace->folder, "data");
	workspace->environment = sync_child_environment(workspace->config, data);
}

void sync_workspace_release(struct sync_workspace *workspace)
{
	char **texts[] = { &workspace->folder, &workspace->tree, &workspace->directory, &workspace->log,
		&workspace->plan, &workspace->plan_text, &workspace->variables, &workspace->settings };

	for (size_t i = 0; i < ZP_ARRAY_SIZE(texts); i++) {
		free(*texts[i]);
		*texts[i] = NULL;
	}
	sync_texts_free(workspace->environment);
	workspace->environment = NULL;
}

/* ---- files ---- */

static bool is_configuration(const char *name)
{
	struct zp_str text = zp_str(name);

	return *name != '.' && (zp_str_ends(text, ".tf") || zp_str_ends(text, ".tf.json"));
}

/* Whether the file has terraform { backend "x" }, or terraform { cloud }. Broken files have none. */
static bool file_has_backend(const char *path)
{
	static const char *const type_label[] = { "type", NULL };
	static const struct hcl_block_schema top[] = { { "terraform", NULL } };
	static const struct hcl_block_schema inner[] = { { "backend", type_label }, { "cloud", NULL } };
	static const struct hcl_body_schema top_schema = { NULL, 0, top, 1 };
	static const struct hcl_body_schema inner_schema = { NULL, 0, inner, 2 };
	struct zp_source *source = zp_source_load(path, path, NULL);
	struct hcl_content content = { 0 };
	struct hcl_body *rest;
	struct zp_arena arena;
	struct zp_diags diags;
	bool found = false;

	if (!source)
		return false;
	zp_arena_init(&arena);
	zp_diags_init(&diags);
	hcl_body_content(hcl_parse_file(source, &arena, &diags), &top_schema, &arena, &content, &rest, &diags);
	for (size_t i = 0; i < content.block_count && !found; i++) {
		struct hcl_content blocks = { 0 };
		hcl_body_content(content.blocks[i]->body, &inner_schema, &arena, &blocks, &rest, &diags);
		found = blocks.block_count > 0;
	}
	zp_diags_release(&diags);
	zp_arena_release(&arena);
	zp_source_free(source);
	return found;
}

static bool has_backend(const char *directory)
{
	zp_autoclosedir DIR *dir = opendir(directory);
	bool found = false;

	for (struct dirent *entry; dir && !found && (entry = readdir(dir));) {
		if (!is_configuration(entry->d_name))
			continue;
		zp_autofree char *path = zp_path_join(directory, entry->d_name);
		found = file_has_backend(path);
	}
	return found;
}

/*
 * A configuration that names no backend keeps its state beside the work tree, which comes and goes; one
 * that names another than the stack does is overridden.
 */
static int write_backend(struct sync_workspace *workspace, struct zp_error *err)
{
	const char *type = workspace->stack->backend_type;
	bool there = has_backend(workspace->directory);
	zp_autofree char *path = zp_path_join(workspace->directory,
		there ? "zplan_sync_override.tf" : "zplan_sync_backend.tf");
	zp_autobuf settings = ZP_BUF_INIT;

	zp_buf_puts(&settings, workspace->stack->backend_settings ? workspace->stack->backend_settings : "");
	if (!type && !there) {
		type = "local";
		if (!settings.len) {
			zp_autofree char *state = zp_path_join(workspace->folder, "terraform.tfstate");
			zp_autofree char *others = zp_path_join(workspace->folder, "terraform.tfstate.d");
			zp_buf_puts(&settings, "path = ");
			hcl_quote(&settings, zp_str(state));
			zp_buf_puts(&settings, "\nworkspace_dir = ");
			hcl_quote(&settings, zp_str(others));
			zp_buf_char(&settings, '\n');
		}
	}
	if (zp_file_write_atomic(workspace->settings, zp_buf_slice(&settings), 0600, err) < 0)
		return -1;
	if (!type)
		return 0;
	zp_autofree char *text = zp_format("terraform {\n  backend \"%s\" {}\n}\n", type);
	return zp_file_write_atomic(path, zp_str(text), 0600, err);
}

int sync_workspace_write(struct sync_workspace *workspace, struct zp_error *err)
{
	const char *variables = workspace->stack->variables ? workspace->stack->variables : "{}";

	if (!zp_is_directory(workspace->directory))
		return zp_error_set(err, "the repository has no folder \"%s\": correct path",
			workspace->stack->path);
	if (zp_file_write_atomic(workspace->variables, zp_str(variables), 0600, err) < 0)
		return -1;
	return write_backend(workspace, err);
}

/* ---- commands ---- */

static int run(struct sync_workspace *workspace, const char *const *argv, const char *log,
	struct zp_error *err)
{
	const struct sync_child child = {
		.argv = argv,
		.directory = workspace->directory,
		.log_path = log,
		.environment = workspace->environment,
		.timeout_ms = workspace->stack ? workspace->stack->timeout_ms : 0,
		.stop_fd = workspace->stop_fd,
		.started = workspace->started,
		.data = workspace->data,
	};

	return sync_child_run(&child, err);
}

static int run_and_read(struct sync_workspace *workspace, const char *const *argv,
	struct sync_report *report, struct zp_error *err)
{
	int status = run(workspace, argv, workspace->log, err);

	*report = (struct sync_report){ 0 };
	if (status >= 0 && sync_report_read(workspace->log, report, err) < 0)
		return -1;
	return status;
}

int sync_workspace_init(struct sync_workspace *workspace, const char *name, struct sync_report *report,
	struct zp_error *err)
{
	zp_autofree char *settings = zp_format("-backend-config=%s", workspace->settings);
	const char *const init[] = { workspace->program, "init", "-input=false", "-reconfigure", "-no-color",
		settings, NULL };
	const char *const select[] = { workspace->program, "workspace", "select", "-or-create",
		name ? name : "default", NULL };

	int status = run_and_read(workspace, init, report, err);
	if (status != 0)
		return status;
	sync_report_release(report);
	return run_and_read(workspace, select, report, err);
}

ZP_VEC(argument_vec, const char *);

int sync_workspace_plan(struct sync_workspace *workspace, const char *const *var_files,
	const char *nodes, int lock_timeout_ms, bool destroy, struct sync_report *report,
	struct zp_error *err)
{
	struct argument_vec argv = { 0 };
	ZP_VEC(, char *) own = { 0 };

	zp_vec_push(&own, zp_format("-out=%s", workspace->plan));
	zp_vec_push(&own, zp_format("-lock-timeout=%dms", lock_timeout_ms));
	zp_vec_push(&own, zp_format("-var-file=%s", workspace->variables));
	if (nodes)
		zp_vec_push(&own, zp_format("-nodes=%s", nodes));
	zp_vec_push(&argv, workspace->program);
	zp_vec_push(&argv, "plan");
	zp_vec_push(&argv, "-json");
	zp_vec_push(&argv, "-input=false");
	zp_vec_push(&argv, "-detailed-exitcode");
	if (destroy)
		zp_vec_push(&argv, "-destroy");
	/* Files of the repository first: what sync.hcl says is stronger. */
	for (const char *const *file = var_files; file && *file; file++) {
		zp_vec_push(&argv, "-var-file");
		zp_vec_push(&argv, *file);
	}
	for (size_t i = 0; i < own.count; i++)
		zp_vec_push(&argv, own.items[i]);
	zp_vec_push(&argv, NULL);
	unlink(workspace->plan);
	int status = run_and_read(workspace, argv.items, report, err);
	for (size_t i = 0; i < own.count; i++)
		free(own.items[i]);
	zp_vec_release(&own);
	zp_vec_release(&argv);
	return status;
}

int sync_workspace_explain(struct sync_workspace *workspace, struct zp_error *err)
{
	const char *const argv[] = { workspace->program, "show", "-no-color", "-format=markdown",
		workspace->plan, NULL };
	zp_autofree char *fresh = zp_format("%s.new", workspace->plan_text);

	int status = run(workspace, argv, fresh, err);
	if (status == 0)
		return rename(fresh, workspace->plan_text) < 0 ? zp_error_errno(err, "rename %s", fresh) : 0;
	return status < 0 ? status : zp_error_set(err, "the plan can not be shown");
}

int sync_workspace_unlock(struct sync_workspace *workspace, const char *id, struct zp_error *err)
{
	const char *const argv[] = { workspace->program, "force-unlock", "-force", id, NULL };

	return run(workspace, argv, workspace->log, err);
}

int sync_workspace_apply(struct sync_workspace *workspace, const char *nodes, int lock_timeout_ms,
	struct sync_report *report, struct zp_error *err)
{
	zp_autofree char *timeout = zp_format("-lock-timeout=%dms", lock_timeout_ms);
	zp_autofree char *inventory = nodes ? zp_format("-nodes=%s", nodes) : zp_strdup("-json");
	const char *const argv[] = { workspace->program, "apply", "-json", "-input=false", timeout, inventory,
		workspace->plan, NULL };

	return run_and_read(workspace, argv, report, err);
}

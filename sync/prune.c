/* The end of a stack that is no longer configured: by the files of its last run. */
#include <cjson/cJSON.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/vec.h"
#include "sync/log.h"
#include "sync/turn.h"
#include "sync/workspace.h"

#define LOCK_TIMEOUT_MS 20000

ZP_VEC(text_vec, const char *);

static const char *text_of(const cJSON *object, const char *name)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));

	return text ? text : "";
}

static int destroy(struct sync_workspace *workspace, const cJSON *definition, struct sync_run *run,
	struct zp_error *err)
{
	const char *nodes = *text_of(definition, "nodes") ? text_of(definition, "nodes") : NULL;
	struct text_vec files = { 0 };
	struct sync_report report = { 0 };
	const cJSON *file;

	cJSON_ArrayForEach(file, cJSON_GetObjectItemCaseSensitive(definition, "var_files"))
		zp_vec_push(&files, cJSON_GetStringValue(file));
	zp_vec_push(&files, NULL);
	int status = sync_workspace_plan(workspace, files.items, nodes, LOCK_TIMEOUT_MS, true, &report, err);
	zp_vec_release(&files);
	if (status == 2) {
		run->destroys = report.destroys;
		sync_report_release(&report);
		status = sync_workspace_apply(workspace, nodes, LOCK_TIMEOUT_MS, &report, err);
	}
	if (status > 0)
		status = zp_error_set(err, "%s", report.problem ? report.problem : "the command failed");
	sync_report_release(&report);
	return status;
}

static void note_child(void *data, const char *identity)
{
	const struct sync_turn *turn = ((void **)data)[0];
	struct sync_run *run = ((void **)data)[1];

	free(run->child);
	run->child = zp_strdup(identity);
	sync_store_update(turn->store, run, NULL);
}

static int prune(const struct sync_turn *turn, const char *name, const struct sync_stack_row *row,
	struct sync_run *run, struct zp_error *err)
{
	cJSON *definition = cJSON_Parse(row->definition);
	const char *path = *text_of(definition, "path") ? text_of(definition, "path") : ".";
	void *both[] = { (void *)turn, run };
	struct sync_workspace workspace = { .config = turn->config, .program = turn->program,
		.stop_fd = turn->stop_fd, .started = note_child, .data = both };
	int rc;

	sync_workspace_open(&workspace, name, path);
	if (zp_is_directory(workspace.directory))
		rc = destroy(&workspace, definition, run, err);
	else
		rc = zp_error_set(err, "%s is not there any more: destroy what the stack made by hand",
			workspace.directory);
	if (rc == 0)
		rc = zp_remove_tree(workspace.folder, err);
	sync_workspace_release(&workspace);
	cJSON_Delete(definition);
	return rc;
}

bool sync_prune(const struct sync_turn *turn, const char *name)
{
	struct sync_stack_row row = { 0 };
	struct sync_run run = { 0 };
	zp_autoerror err = ZP_ERROR_INIT;
	int rc = sync_store_stack(turn->store, name, &row, &err);

	if (rc == 0 && row.prune && *row.applied) {
		run = (struct sync_run){ .stack = zp_strdup(name), .commit = zp_strdup(row.applied),
			.cause = zp_strdup("prune"), .state = zp_strdup(SYNC_APPLYING) };
		rc = sync_store_begin(turn->store, &run, &err);
		if (rc == 0)
			rc = prune(turn, name, &row, &run, &err);
		free(run.state);
		run.state = zp_strdup(rc == 0 ? SYNC_APPLIED :
			rc == SYNC_CHILD_STOPPED ? SYNC_INTERRUPTED : SYNC_FAILED);
		run.message = rc == 0 ? NULL : zp_strdup(zp_error_text(&err));
		sync_store_finish(turn->store, &run, turn->config->history, NULL);
		sync_log(rc == 0 ? ZP_LOG_INFO : ZP_LOG_ERROR, turn->config, name, run.id,
			rc == 0 ? "no longer configured: destroyed" : "no longer configured, not destroyed: %s",
			zp_error_text(&err));
	}
	if (rc == 0)
		rc = sync_store_remove_stack(turn->store, name, &err);
	sync_stack_row_release(&row);
	sync_run_release(&run);
	return rc == 0;
}

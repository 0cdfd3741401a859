/*
 * A stack's files, and the commands that work on them:
 *
 *	tree/		the commit's files, nothing else; always at the same path
 *	data/		what init keeps; terraform.tfstate where the configuration names no backend
 *	plan		the saved plan; plan.md: the same for people; log: what the last command said
 */
#ifndef SYNC_WORKSPACE_H
#define SYNC_WORKSPACE_H

#include "sync/child.h"
#include "sync/rules.h"

struct sync_workspace {
	struct sync_config *config;
	const struct sync_stack *stack; /* NULL while a stack that is gone is pruned */
	const char *program;
	int stop_fd;
	void (*started)(void *data, const char *identity); /* see sync_child */
	void *data;
	char *folder, *tree, *directory, *log, *plan, *plan_text, *variables, *settings;
	char **environment;
};

/* Everything but the first group is filled in. path: of the configuration in the tree. */
void sync_workspace_open(struct sync_workspace *workspace, const char *name, const char *path);
void sync_workspace_release(struct sync_workspace *workspace);

/* Variables and the backend's settings as files, and a backend where there is none. */
int sync_workspace_write(struct sync_workspace *workspace, struct zp_error *err);
/* Commands: an exit status, SYNC_CHILD_STOPPED, or -1 with err. What they said is in report. */
int sync_workspace_init(struct sync_workspace *workspace, const char *name, struct sync_report *report,
	struct zp_error *err);
int sync_workspace_plan(struct sync_workspace *workspace, const char *const *var_files,
	const char *nodes, int lock_timeout_ms, bool destroy, struct sync_report *report,
	struct zp_error *err);
/* The saved plan as Markdown, into plan_text. */
int sync_workspace_explain(struct sync_workspace *workspace, struct zp_error *err);
/* Removes a lock on the state. */
int sync_workspace_unlock(struct sync_workspace *workspace, const char *id, struct zp_error *err);
int sync_workspace_apply(struct sync_workspace *workspace, const char *nodes, int lock_timeout_ms,
	struct sync_report *report, struct zp_error *err);

#endif

/*
 * Where states are kept. One table of functions per kind of backend; state/backends/ has one file each.
 *
 *	struct state_backend *backend = state_backend_open("local", "", config..., err);
 *	state_backend_lock(backend, &info, timeout, err);
 *	state_backend_load(backend, &state, err);
 *	state_backend_store(backend, state, expected_serial, err);
 *	state_backend_unlock(backend, err);
 *	state_backend_free(backend);
 */
#ifndef STATE_BACKEND_H
#define STATE_BACKEND_H

#include "state/state.h"

/* Who holds a lock: Terraform's lock info document. Heap strings; release with state_lock_info_release. */
struct state_lock_info {
	char *id, *operation, *info, *who, *version, *created, *path;
};

void state_lock_info_release(struct state_lock_info *info);
/* Fills id (new UUID), who, version, created. */
void state_lock_info_fill(struct state_lock_info *info, const char *operation, const char *path);

struct state_backend;

struct state_backend_type {
	const char *name; /* "local" */
	/* err->code STATE_LOCKED when somebody else holds it; then *holder is filled as far as known. */
	int (*lock)(struct state_backend *backend, const struct state_lock_info *info,
		struct state_lock_info *holder, struct zp_error *err);
	int (*unlock)(struct state_backend *backend, struct zp_error *err);
	/* *state NULL when there is none yet. */
	int (*load)(struct state_backend *backend, struct state **state, struct zp_error *err);
	/* Stores; fails with STATE_CONFLICT when the stored serial or lineage is not what was loaded. */
	int (*store)(struct state_backend *backend, const struct state *state, struct zp_error *err);
	/* Names of workspaces besides "default", sorted heap array of heap strings, NULL-terminated. */
	int (*workspaces)(struct state_backend *backend, char ***names, struct zp_error *err);
	int (*delete_workspace)(struct state_backend *backend, const char *name, struct zp_error *err);
	void (*free)(struct state_backend *backend);
};

#define STATE_LOCKED 1001
#define STATE_CONFLICT 1002

struct state_backend {
	const struct state_backend_type *type;
	char *workspace;    /* "default" unless another is selected */
	char *journal_path; /* where the journal of this state lies on this machine */
};

/*
 * The local backend: path (default "terraform.tfstate"; other workspaces under
 * terraform.tfstate.d/NAME/), fcntl lock and Terraform's .terraform.tfstate.lock.info beside it, backup
 * of the former state in path.backup before the first overwrite. Only the process that locked unlocks.
 */
struct state_backend *state_local_open(const char *path, const char *workspace,
	const char *workspace_dir, const char *backup_path);
void state_backend_free(struct state_backend *backend);

/*
 * Locks, waiting up to timeout_ms. On failure err says the holder's id, who, what and when, and what to
 * do. A lock info file whose fcntl lock nobody holds is stale: removed and taken over.
 */
int state_backend_lock(struct state_backend *backend, const char *operation, int timeout_ms,
	struct zp_error *err);
int state_backend_unlock(struct state_backend *backend, struct zp_error *err);
/* Never *state NULL: an absent state is a new one. */
int state_backend_load(struct state_backend *backend, struct state **state, struct zp_error *err);
int state_backend_store(struct state_backend *backend, struct state *state, struct zp_error *err);

#endif

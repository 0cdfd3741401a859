/*
 * Where states are kept. One table of functions per kind of backend; state/backends/ has one file each,
 * state/backend_types.c the list.
 *
 *	struct state_settings settings;
 *	state_settings_init(&settings, state_backend_type("local"));
 *	state_settings_set(&settings, "path", "a.tfstate", err);
 *	struct state_backend *backend = state_backend_open(&settings, "default", err);
 *	state_settings_release(&settings);
 *	state_backend_lock(backend, "OperationTypeApply", timeout_ms, err);
 *	state_backend_load(backend, &state, err);
 *	state_backend_store(backend, state, err);
 *	state_backend_unlock(backend, err);
 *	state_backend_free(backend);
 *
 * Whoever reads another configuration's state (terraform_remote_state) opens it the same way, with
 * state_settings_from_value() for its config, never locks, and uses state_backend_load().
 *
 * Backends move bytes: what the bytes mean, and whether they are encrypted, is decided above them.
 */
#ifndef STATE_BACKEND_H
#define STATE_BACKEND_H

#include "state/settings.h"
#include "state/state.h"

/* Who holds a lock: Terraform's lock info document. Heap strings; release with state_lock_info_release. */
struct state_lock_info {
	char *id, *operation, *info, *who, *version, *created, *path;
};

/* What info of a lock begins with where the lock does not go with its process; a number follows. */
#define STATE_LOCK_PROCESS "process "

void state_lock_info_release(struct state_lock_info *info);
/* Fills id (new UUID), who, version, created. */
void state_lock_info_fill(struct state_lock_info *info, const char *operation, const char *path);

struct state_backend;

struct state_backend_type {
	const char *name; /* "local" */
	const struct state_setting *settings; /* sorted by name */
	size_t setting_count;
	/* NULL and err when the settings make no sense. Nothing is connected yet where that can wait. */
	struct state_backend *(*open)(const struct state_settings *settings, const char *workspace,
		struct zp_error *err);
	/* err->code STATE_LOCKED when somebody else holds it; then *holder is filled as far as known. */
	int (*lock)(struct state_backend *backend, const struct state_lock_info *info,
		struct state_lock_info *holder, struct zp_error *err);
	int (*unlock)(struct state_backend *backend, struct zp_error *err);
	/* Removes somebody's lock with this id. NULL: locks go with the process that holds them. */
	int (*break_lock)(struct state_backend *backend, const char *id, struct zp_error *err);
	/* Appends the stored bytes; text stays empty when there is no state yet. */
	int (*load)(struct state_backend *backend, struct zp_buf *text, struct zp_error *err);
	/*
	 * Replaces the stored bytes; fails with STATE_CONFLICT when they are not those this run loaded or
	 * stored last. state is what text holds, for messages and names; it may be encrypted in text.
	 */
	int (*store)(struct state_backend *backend, struct zp_str text, const struct state *state,
		struct zp_error *err);
	/*
	 * Names of workspaces besides "default", sorted heap array of heap strings, NULL-terminated. NULL:
	 * there is only "default".
	 */
	int (*workspaces)(struct state_backend *backend, char ***names, struct zp_error *err);
	int (*delete_workspace)(struct state_backend *backend, const char *name, struct zp_error *err);
	/* Makes the backend's own workspace exist. NULL: storing an empty state does. */
	int (*create_workspace)(struct state_backend *backend, struct zp_error *err);
	void (*free)(struct state_backend *backend);
};

#define STATE_LOCKED 1001
#define STATE_CONFLICT 1002
#define STATE_NO_WORKSPACES 1003

struct state_backend {
	const struct state_backend_type *type;
	char *workspace;    /* "default" unless another is selected */
	char *location;	    /* what messages call the state: a path, an address without secrets */
	char *journal_path; /* where the journal of this state lies on this machine */
	char *operation;    /* as given to state_backend_lock, or NULL */
	char *note;	    /* what a run did, for backends that keep a history, or NULL */
	bool is_own;	    /* of this configuration: encrypted as it says. Else read as it comes */
	bool is_local;	    /* a failed store leaves its journal beside the state, nothing to push */
};

/* All kinds there are, sorted by name; NULL where no kind has that name. */
extern const struct state_backend_type *const state_backend_types[];
extern const size_t state_backend_type_count;
const struct state_backend_type *state_backend_type(const char *name);

extern const struct state_backend_type state_local_type, state_http_type, state_pg_type,
	state_git_type;

/* settings stay the caller's. NULL and err on failure. workspace NULL: "default". */
struct state_backend *state_backend_open(const struct state_settings *settings, const char *workspace,
	struct zp_error *err);

/*
 * The local backend: path (default "terraform.tfstate"; other workspaces under
 * terraform.tfstate.d/NAME/), fcntl lock and Terraform's .terraform.tfstate.lock.info beside it, backup
 * of the former state in path.backup before the first overwrite. Only the process that locked unlocks.
 */
struct state_backend *state_local_open(const char *path, const char *workspace,
	const char *workspace_dir, const char *backup_path);
/*
 * Flags of old that concern the local backend alone; each may be NULL. path is read, out_path written
 * (default: path) whatever the workspace, backup_path "-" wants no backup. False for other backends.
 */
bool state_local_override(struct state_backend *backend, const char *path, const char *out_path,
	const char *backup_path);
/* Path of the file that a local backend writes. */
const char *state_local_path(const struct state_backend *backend);
void state_backend_free(struct state_backend *backend);

/*
 * Locks, waiting up to timeout_ms. On failure err says the holder's id, who, what and when, and what to
 * do. A lock info file whose fcntl lock nobody holds is stale: removed and taken over.
 */
int state_backend_lock(struct state_backend *backend, const char *operation, int timeout_ms,
	struct zp_error *err);
int state_backend_unlock(struct state_backend *backend, struct zp_error *err);
/* Removes somebody else's lock by its id. */
int state_backend_break_lock(struct state_backend *backend, const char *id, struct zp_error *err);
/* Never *state NULL: an absent state is a new one, with serial 0. */
int state_backend_load(struct state_backend *backend, struct state **state, struct zp_error *err);
/* A failed store of a backend that is not local leaves errored.tfstate; err then says how to push it. */
int state_backend_store(struct state_backend *backend, struct state *state, struct zp_error *err);
/* "default" first, then the others sorted. Free with state_workspaces_free. */
int state_backend_workspaces(struct state_backend *backend, char ***names, struct zp_error *err);
void state_workspaces_free(char **names);
/* Makes the workspace this backend was opened for; nothing when it is there. Locks for that moment. */
int state_backend_create_workspace(struct state_backend *backend, int timeout_ms, struct zp_error *err);
int state_backend_delete_workspace(struct state_backend *backend, const char *name, struct zp_error *err);
/* What the next store is about: "3 added, 1 changed". For backends that keep a history. */
void state_backend_set_note(struct state_backend *backend, const char *note);

#endif

/*
 * A branch of a git repository: one commit per stored state, so that the history is the backup. The
 * tip that was read is what a store compares with. A lock is a ref of its own, made where there is
 * none: it points to a commit whose message is Terraform's lock info document.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/vec.h"
#include "state/backend.h"
#include "state/backends/git_remote.h"
#include "state/lock_info.h"

#define DEFAULT_BRANCH "zplan-state"
#define DEFAULT_PATH "terraform.tfstate"
#define WORKSPACES "terraform.tfstate.d"

struct git {
	struct state_backend backend;
	struct state_settings settings;
	struct state_git_place place;
	char *branch;	/* refs/heads/NAME */
	char *lock_ref; /* refs/zplan/locks/... */
	char *path;	/* of the state in the tree */
	char *folder;	/* of workspaces in the tree */
	bool opened, has_tip, locked;
	git_oid tip; /* of the branch, as loaded or last stored */
	git_oid lock;
	char *run; /* id of the lock, while locked */
};

static struct git *git_of(struct state_backend *backend)
{
	return (struct git *)backend;
}

static int ready(struct git *git, struct zp_error *err)
{
	const struct state_settings *settings = &git->settings;
	struct state_git_access access = {
		.url = state_setting(settings, "url"),
		.username = state_setting(settings, "username"),
		.token = state_setting(settings, "token"),
		.ssh_key = state_setting(settings, "ssh_key"),
		.ssh_key_passphrase = state_setting(settings, "ssh_key_passphrase"),
	};

	if (git->opened)
		return 0;
	if (state_git_place_open(&git->place, &access, err) < 0)
		return -1;
	git->opened = true;
	if (git->place.direct && !git_repository_is_bare(git->place.repository)) {
		git_reference *head = NULL;
		bool in_use = git_repository_head(&head, git->place.repository) == 0 &&
			      strcmp(git_reference_name(head), git->branch) == 0;
		git_reference_free(head);
		if (in_use)
			return zp_error_set(err,
				"branch %s is checked out in %s: choose another branch, or a "
				"bare repository",
				git->branch, git->backend.location);
	}
	return 0;
}

static int read_tip(struct git *git, struct zp_error *err)
{
	if (ready(git, err) < 0)
		return -1;
	return state_git_place_read(&git->place, git->branch, &git->tip, &git->has_tip, err);
}

/* NULL without err where the branch or the entry does not exist. */
static git_object *find_in_tree(struct git *git, const char *path, struct zp_error *err)
{
	git_repository *repository = git->place.repository;
	git_commit *commit = NULL;
	git_tree *tree = NULL;
	git_tree_entry *entry = NULL;
	git_object *object = NULL;

	if (!git->has_tip)
		return NULL;
	if (git_commit_lookup(&commit, repository, &git->tip) < 0 ||
		git_commit_tree(&tree, commit) < 0) {
		state_git_place_failed("reading the branch", err);
	} else {
		int rc = git_tree_entry_bypath(&entry, tree, path);
		if (rc == 0)
			rc = git_tree_entry_to_object(&object, repository, entry);
		if (rc < 0 && rc != GIT_ENOTFOUND)
			state_git_place_failed("reading the tree", err);
	}
	git_tree_entry_free(entry);
	git_tree_free(tree);
	git_commit_free(commit);
	return object;
}

static int load_git(struct state_backend *backend, struct zp_buf *text, struct zp_error *err)
{
	struct git *git = git_of(backend);
	zp_autoerror failure = ZP_ERROR_INIT;

	if (read_tip(git, err) < 0)
		return -1;
	git_object *object = find_in_tree(git, git->path, &failure);
	if (!object)
		return failure.message ? zp_error_set(err, "%s", zp_error_text(&failure)) : 0;
	int rc = 0;
	if (git_object_type(object) == GIT_OBJECT_BLOB) {
		const git_blob *blob = (const git_blob *)object;
		zp_buf_add(text, git_blob_rawcontent(blob), (size_t)git_blob_rawsize(blob));
	} else {
		rc = zp_error_set(err, "%s is no file", backend->location);
	}
	git_object_free(object);
	return rc;
}

static int make_signature(struct git *git, git_signature **out, struct zp_error *err)
{
	const char *name = state_setting(&git->settings, "author_name");
	const char *email = state_setting(&git->settings, "author_email");
	int rc = name || email ? git_signature_now(out, name ? name : "zplan",
					 email ? email : "zplan@localhost")
			       : git_signature_default(out, git->place.repository);

	if (rc < 0) {
		struct state_lock_info info;
		state_lock_info_fill(&info, "", "");
		rc = git_signature_now(out, "zplan", info.who);
		state_lock_info_release(&info);
	}
	return rc < 0 ? state_git_place_failed("making the signature", err) : 0;
}

/* A commit with this tree on the tip (or on nothing, where orphan). */
static int commit_tree(struct git *git, const git_oid *tree_id, const char *message, bool orphan,
	git_oid *out, struct zp_error *err)
{
	git_repository *repository = git->place.repository;
	git_signature *signature = NULL;
	git_commit *parent = NULL;
	git_tree *tree = NULL;
	bool has_parent = git->has_tip && !orphan;

	if (make_signature(git, &signature, err) < 0)
		return -1;
	int rc = git_tree_lookup(&tree, repository, tree_id);
	if (rc == 0 && has_parent)
		rc = git_commit_lookup(&parent, repository, &git->tip);
	const git_commit *parents[] = { parent };
	if (rc == 0)
		rc = git_commit_create(out, repository, NULL, signature, signature, "UTF-8",
			message, tree, has_parent ? 1 : 0, parents);
	git_commit_free(parent);
	git_tree_free(tree);
	git_signature_free(signature);
	return rc < 0 ? state_git_place_failed("making the commit", err) : 0;
}

/* The tip's tree with one entry changed or removed. */
static int change_tree(
	struct git *git, const char *path, const git_oid *blob, git_oid *out, struct zp_error *err)
{
	git_repository *repository = git->place.repository;
	git_tree_update update = { .action = blob ? GIT_TREE_UPDATE_UPSERT : GIT_TREE_UPDATE_REMOVE,
		.filemode = GIT_FILEMODE_BLOB,
		.path = path };
	git_commit *commit = NULL;
	git_tree *tree = NULL;
	int rc = 0;

	if (blob)
		git_oid_cpy(&update.id, blob);
	if (git->has_tip) {
		rc = git_commit_lookup(&commit, repository, &git->tip);
		if (rc == 0)
			rc = git_commit_tree(&tree, commit);
	}
	if (rc == 0)
		rc = git_tree_create_updated(out, repository, tree, 1, &update);
	git_tree_free(tree);
	git_commit_free(commit);
	return rc < 0 ? state_git_place_failed("making the tree", err) : 0;
}

/* The branch moves from the known tip to a commit of this tree. */
static int advance(struct git *git, const git_oid *tree, const char *message, struct zp_error *err)
{
	git_oid commit;

	if (commit_tree(git, tree, message, false, &commit, err) < 0 ||
		state_git_place_update(&git->place, git->branch, &commit,
			git->has_tip ? &git->tip : NULL, err) < 0)
		return -1;
	git->tip = commit;
	git->has_tip = true;
	return 0;
}

/* "OperationTypeApply" and "state-rm" as people call them. */
static char *operation_name(const char *operation)
{
	static const char prefix[] = "OperationType";
	bool typed = operation && strncmp(operation, prefix, sizeof(prefix) - 1) == 0;
	char *name = zp_strdup(typed			 ? operation + sizeof(prefix) - 1
			       : operation && *operation ? operation
							 : "store");

	for (char *p = name; *p; p++)
		*p = *p == '-' ? ' ' : *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p;
	return name;
}

static char *message_of(const struct git *git, const struct state *state)
{
	const struct state_backend *backend = &git->backend;
	zp_autofree char *operation = operation_name(backend->operation);
	zp_autobuf text = ZP_BUF_INIT;

	zp_buf_printf(&text, "%s: serial %lld", operation, (long long)state->serial);
	if (strcmp(backend->workspace, "default") != 0)
		zp_buf_printf(&text, " of workspace %s", backend->workspace);
	zp_buf_puts(&text, "\n\n");
	if (backend->note)
		zp_buf_printf(&text, "%s\n\n", backend->note);
	if (git->run)
		zp_buf_printf(&text, "Run: %s\n", git->run);
	zp_buf_printf(
		&text, "Lineage: %s\nSerial: %lld\n", state->lineage, (long long)state->serial);
	return zp_buf_steal(&text);
}

/* Other workspaces share the branch: a tip that moved without touching this state is no conflict.
 */
static int catch_up(struct git *git, bool *moved, struct zp_error *err)
{
	git_oid old = git->tip;
	bool had = git->has_tip;
	git_object *before = find_in_tree(git, git->path, NULL);

	*moved = false;
	if (read_tip(git, err) < 0) {
		git_object_free(before);
		return -1;
	}
	git_object *now = find_in_tree(git, git->path, NULL);
	bool same = (!before && !now) ||
		    (before && now && git_oid_equal(git_object_id(before), git_object_id(now)));
	git_object_free(before);
	git_object_free(now);
	*moved = had != git->has_tip || (had && !git_oid_equal(&old, &git->tip));
	if (same)
		return 0;
	git->tip = old;
	git->has_tip = had;
	return zp_error_code(err, STATE_CONFLICT,
		"%s was changed by another program since this run read it", git->backend.location);
}

static int change_and_push(struct git *git, const char *path, const git_oid *blob,
	const char *message, struct zp_error *err)
{
	for (int attempt = 0;; attempt++) {
		zp_autoerror failure = ZP_ERROR_INIT;
		git_oid tree;
		bool moved;
		if (change_tree(git, path, blob, &tree, err) < 0)
			return -1;
		if (advance(git, &tree, message, &failure) == 0)
			return 0;
		if (failure.code != STATE_CONFLICT || attempt > 100)
			return zp_error_code(err, failure.code, "%s", zp_error_text(&failure));
		if (catch_up(git, &moved, err) < 0)
			return -1;
	}
}

static int store_git(struct state_backend *backend, struct zp_str text, const struct state *state,
	struct zp_error *err)
{
	struct git *git = git_of(backend);
	zp_autofree char *message = message_of(git, state);
	git_oid blob;

	if (ready(git, err) < 0)
		return -1;
	if (git_blob_create_from_buffer(&blob, git->place.repository, text.ptr, text.len) < 0)
		return state_git_place_failed("storing the state", err);
	return change_and_push(git, git->path, &blob, message, err);
}

static int read_lock(struct git *git, git_oid *oid, bool *found, struct state_lock_info *info,
	struct zp_error *err)
{
	git_commit *commit = NULL;

	if (ready(git, err) < 0 ||
		state_git_place_read(&git->place, git->lock_ref, oid, found, err) < 0)
		return -1;
	if (*found && git_commit_lookup(&commit, git->place.repository, oid) == 0)
		state_lock_info_read(zp_str(git_commit_message(commit)), info);
	git_commit_free(commit);
	return 0;
}

static int lock_git(struct state_backend *backend, const struct state_lock_info *info,
	struct state_lock_info *holder, struct zp_error *err)
{
	struct git *git = git_of(backend);
	zp_autoerror failure = ZP_ERROR_INIT;
	zp_autobuf message = ZP_BUF_INIT;
	git_treebuilder *builder = NULL;
	git_oid tree, there;
	bool found;

	if (read_lock(git, &there, &found, holder, err) < 0)
		return -1;
	if (found)
		return zp_error_code(err, STATE_LOCKED, "locked");
	state_lock_info_write(info, &message);
	int rc = git_treebuilder_new(&builder, git->place.repository, NULL);
	if (rc == 0)
		rc = git_treebuilder_write(&tree, builder);
	git_treebuilder_free(builder);
	if (rc < 0)
		return state_git_place_failed("making the lock", err);
	if (commit_tree(git, &tree, message.ptr, true, &git->lock, err) < 0)
		return -1;
	if (state_git_place_update(&git->place, git->lock_ref, &git->lock, NULL, &failure) < 0) {
		if (failure.code != STATE_CONFLICT)
			return zp_error_set(err, "%s", zp_error_text(&failure));
		read_lock(git, &there, &found, holder, NULL);
		return zp_error_code(err, STATE_LOCKED, "locked");
	}
	git->locked = true;
	free(git->run);
	git->run = zp_strdup(info->id);
	return 0;
}

static int unlock_git(struct state_backend *backend, struct zp_error *err)
{
	struct git *git = git_of(backend);

	if (!git->locked)
		return 0;
	git->locked = false;
	free(git->run);
	git->run = NULL;
	return state_git_place_update(&git->place, git->lock_ref, NULL, &git->lock, err);
}

static int break_lock_git(struct state_backend *backend, const char *id, struct zp_error *err)
{
	struct git *git = git_of(backend);
	struct state_lock_info holder = { 0 };
	git_oid there;
	bool found = false;
	int rc = read_lock(git, &there, &found, &holder, err);

	if (rc == 0 && (!found || !holder.id || strcmp(holder.id, id) != 0))
		rc = zp_error_set(err, "no lock with the id \"%s\" is held%s%s", id,
			holder.id ? "; the lock's id is " : "", holder.id ? holder.id : "");
	else if (rc == 0)
		rc = state_git_place_update(&git->place, git->lock_ref, NULL, &there, err);
	state_lock_info_release(&holder);
	return rc;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int workspaces_git(struct state_backend *backend, char ***names, struct zp_error *err)
{
	struct git *git = git_of(backend);
	zp_autoerror failure = ZP_ERROR_INIT;
	ZP_VEC(, char *) found = { 0 };

	if (read_tip(git, err) < 0)
		return -1;
	git_object *folder = find_in_tree(git, git->folder, &failure);
	if (!folder && failure.message)
		return zp_error_set(err, "%s", zp_error_text(&failure));
	const git_tree *tree = folder && git_object_type(folder) == GIT_OBJECT_TREE
				       ? (const git_tree *)folder
				       : NULL;
	for (size_t i = 0; tree && i < git_tree_entrycount(tree); i++)
		zp_vec_push(
			&found, zp_strdup(git_tree_entry_name(git_tree_entry_byindex(tree, i))));
	git_object_free(folder);
	if (found.count)
		qsort(found.items, found.count, sizeof(*found.items), by_text);
	zp_vec_push(&found, NULL);
	*names = found.items;
	return 0;
}

static char *path_of(const char *path, const char *workspace)
{
	const char *slash = strrchr(path, '/');
	int folder = slash ? (int)(slash + 1 - path) : 0;

	return strcmp(workspace, "default") == 0 ? zp_strdup(path)
						 : zp_format("%.*s" WORKSPACES "/%s/%s", folder,
							   path, workspace, path + folder);
}

static const char *path_setting(const struct git *git)
{
	const char *path = state_setting(&git->settings, "path");

	return path ? path : DEFAULT_PATH;
}

static int delete_workspace_git(
	struct state_backend *backend, const char *name, struct zp_error *err)
{
	struct git *git = git_of(backend);
	zp_autofree char *path = path_of(path_setting(git), name);
	zp_autofree char *message = zp_format("workspace delete: %s\n", name);

	if (read_tip(git, err) < 0)
		return -1;
	return change_and_push(git, path, NULL, message, err);
}

static void free_git(struct state_backend *backend)
{
	struct git *git = git_of(backend);

	if (git->opened)
		state_git_place_release(&git->place);
	state_settings_release(&git->settings);
	free(git->branch);
	free(git->lock_ref);
	free(git->path);
	free(git->folder);
	free(git->run);
	free(git);
}

static const struct state_setting settings_git[] = {
	{ .name = "author_email" },
	{ .name = "author_name" },
	{ .name = "branch" },
	{ .name = "path" },
	{ .name = "ssh_key" },
	{ .name = "ssh_key_passphrase", .env = "ZPLAN_GIT_SSH_PASSPHRASE" },
	{ .name = "token", .env = "ZPLAN_GIT_TOKEN" },
	{ .name = "url", .required = true, .env = "ZPLAN_GIT_URL" },
	{ .name = "username" },
};

static bool is_tree_path(const char *path)
{
	return *path && *path != '/' && path[strlen(path) - 1] != '/' && !strstr(path, "//") &&
	       !strstr(path, "..") && strcmp(path, ".git") != 0;
}

static struct state_backend *open_git(
	const struct state_settings *settings, const char *workspace, struct zp_error *err)
{
	const char *branch = state_setting(settings, "branch");
	struct git *git = zp_calloc(1, sizeof(*git));
	int valid = 0;

	git->backend.type = &state_git_type;
	state_settings_copy(&git->settings, settings);
	git->branch = zp_format("refs/heads/%s", branch ? branch : DEFAULT_BRANCH);
	git->lock_ref =
		zp_format("refs/zplan/locks/%s/%s", branch ? branch : DEFAULT_BRANCH, workspace);
	git->path = path_of(path_setting(git), workspace);
	zp_autofree char *probe = path_of(path_setting(git), "x");
	size_t end = (size_t)(strstr(probe, WORKSPACES) - probe) + strlen(WORKSPACES);
	git->folder = zp_strndup(probe, end);
	zp_autofree char *place = state_url_for_messages(state_setting(settings, "url"));
	git->backend.location = zp_format(
		"%s on branch %s of %s", git->path, git->branch + strlen("refs/heads/"), place);
	if (!is_tree_path(git->path))
		zp_error_set(err, "path \"%s\" is no path in a repository", path_setting(git));
	else if (git_reference_name_is_valid(&valid, git->branch) < 0 || !valid)
		zp_error_set(err, "branch \"%s\" is no name of a branch", branch);
	else
		return &git->backend;
	free(git->backend.location);
	free_git(&git->backend);
	return NULL;
}

const struct state_backend_type state_git_type = {
	.name = "git",
	.settings = settings_git,
	.setting_count = ZP_ARRAY_SIZE(settings_git),
	.open = open_git,
	.lock = lock_git,
	.unlock = unlock_git,
	.break_lock = break_lock_git,
	.load = load_git,
	.store = store_git,
	.workspaces = workspaces_git,
	.delete_workspace = delete_workspace_git,
	.free = free_git,
};

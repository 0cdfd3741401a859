/*
 * A file on this machine. Terraform's own locks are respected and taken: a record lock on the state file
 * and the lock info file beside it. The lock belongs to the open file, not to the process, so that reading
 * the state elsewhere in the program does not drop it; both kinds exclude each other.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/vec.h"
#include "state/backend.h"
#include "state/lock_info.h"

#define DEFAULT_PATH "terraform.tfstate"
#define DEFAULT_WORKSPACE_DIR "terraform.tfstate.d"
#define MAX_STATE_BYTES ((size_t)8 << 30)

struct local {
	struct state_backend backend;
	char *path, *info_path, *backup_path; /* backup_path NULL: none is wanted */
	char *read_path; /* until the first store; else and mostly NULL: path */
	char *workspace_dir;
	int fd; /* the locked state file, or -1 */
	bool made; /* it was created, empty, for the lock */
	bool backed_up;
	bool known; /* hash is that of the bytes as loaded or last stored */
	uint64_t hash;
	struct stat seen; /* the file as it was then; st_ino 0 when there was none */
};

static struct local *local_of(struct state_backend *backend)
{
	return (struct local *)backend;
}

/* The file is the one seen before, untouched: nobody needs to read it again. */
static bool is_untouched(const struct local *local)
{
	const struct stat *then = &local->seen;
	struct stat now;

	return then->st_ino && stat(local->path, &now) == 0 && now.st_ino == then->st_ino &&
		now.st_dev == then->st_dev && now.st_size == then->st_size &&
		memcmp(&now.st_mtim, &then->st_mtim, sizeof(now.st_mtim)) == 0 &&
		memcmp(&now.st_ctim, &then->st_ctim, sizeof(now.st_ctim)) == 0;
}

static bool same_file(int fd, const char *path)
{
	struct stat open_file, named;

	return fstat(fd, &open_file) == 0 && stat(path, &named) == 0 &&
		open_file.st_ino == named.st_ino && open_file.st_dev == named.st_dev;
}

static int try_lock(int fd)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_OFD_SETLK, &whole);
}

static int make_parent(const char *path, struct zp_error *err)
{
	const char *slash = strrchr(path, '/');
	if (!slash || slash == path)
		return 0;
	zp_autofree char *dir = zp_strndup(path, (size_t)(slash - path));
	return zp_mkdirs(dir, 0755, err);
}

static void read_holder(const struct local *local, struct state_lock_info *holder)
{
	zp_autobuf text = ZP_BUF_INIT;

	if (zp_file_read(local->info_path, 65536, &text, NULL) == 0)
		state_lock_info_read(zp_buf_slice(&text), holder);
}

static int write_info(struct local *local, const struct state_lock_info *info, struct zp_error *err)
{
	struct state_lock_info mine = *info;
	zp_autobuf text = ZP_BUF_INIT;

	mine.path = local->path;
	state_lock_info_write(&mine, &text);
	return zp_file_write_atomic(local->info_path, zp_buf_slice(&text), 0600, err);
}

/* Removes NAME.tmp-XXXXXX beside path: what writers that were killed left. Only the lock's holder may. */
static void sweep(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	zp_autofree char *dir = slash ? zp_strndup(path, (size_t)(slash - path) + 1) : zp_strdup(".");
	zp_autofree char *prefix = zp_format("%s.tmp-", name);
	zp_autoclosedir DIR *folder = opendir(dir);

	for (struct dirent *entry; folder && (entry = readdir(folder));)
		if (zp_str_starts(zp_str(entry->d_name), prefix) &&
			strlen(entry->d_name) == strlen(prefix) + 6)
			unlinkat(dirfd(folder), entry->d_name, 0);
}

/*
 * The file may be replaced between open and lock: then the lock is on a file that has no name any more,
 * and the new one is tried.
 */
static int lock_local(struct state_backend *backend, const struct state_lock_info *info,
	struct state_lock_info *holder, struct zp_error *err)
{
	struct local *local = local_of(backend);

	if (make_parent(local->path, err) < 0)
		return -1;
	for (;;) {
		bool existed = zp_file_exists(local->path);
		zp_autoclose int fd = open(local->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0)
			return zp_error_errno(err, "open %s", local->path);
		if (try_lock(fd) < 0) {
			if (errno != EAGAIN && errno != EACCES)
				return zp_error_errno(err, "lock %s", local->path);
			read_holder(local, holder);
			return zp_error_code(err, STATE_LOCKED, "locked");
		}
		if (!same_file(fd, local->path))
			continue;
		zp_autofree char *real = realpath(local->path, NULL);
		sweep(real ? real : local->path);
		sweep(local->info_path);
		if (write_info(local, info, err) < 0)
			return -1;
		local->fd = fd;
		local->made = !existed;
		fd = -1;
		return 0;
	}
}

static int unlock_local(struct state_backend *backend, struct zp_error *err)
{
	struct local *local = local_of(backend);
	struct stat st;

	if (local->fd < 0)
		return zp_error_set(err, "the state %s is not locked by this run", local->path);
	unlink(local->info_path);
	if (local->made && fstat(local->fd, &st) == 0 && st.st_size == 0)
		unlink(local->path);
	close(local->fd);
	local->fd = -1;
	return 0;
}

static void remember(struct local *local, struct zp_str text)
{
	local->known = text.len > 0;
	local->hash = zp_str_hash(text);
}

/* Before it is read, so that a change while it is read does not go unnoticed. */
static void look_at_file(struct local *local)
{
	if (stat(local->path, &local->seen) < 0)
		local->seen = (struct stat){ 0 };
}

/* Where there is no file, text stays empty. */
static int read_bytes(const char *path, struct zp_buf *text, struct zp_error *err)
{
	zp_autoerror failure = ZP_ERROR_INIT;

	if (zp_file_read(path, MAX_STATE_BYTES, text, &failure) == 0 || failure.code == ENOENT)
		return 0;
	return zp_error_set(err, "%s", zp_error_text(&failure));
}

static int load_local(struct state_backend *backend, struct zp_buf *text, struct zp_error *err)
{
	struct local *local = local_of(backend);

	look_at_file(local);
	if (!local->read_path) {
		if (read_bytes(local->path, text, err) < 0)
			return -1;
		remember(local, zp_buf_slice(text));
		return 0;
	}
	zp_autobuf there = ZP_BUF_INIT;
	if (read_bytes(local->path, &there, err) < 0)
		return -1;
	remember(local, zp_buf_slice(&there));
	return read_bytes(local->read_path, text, err);
}

/* The first store of a run keeps what was there before it. */
static int back_up(struct local *local, struct zp_error *err)
{
	zp_autobuf text = ZP_BUF_INIT;
	zp_autoerror failure = ZP_ERROR_INIT;

	if (local->backed_up || !local->backup_path)
		return 0;
	if (zp_file_read(local->path, MAX_STATE_BYTES, &text, &failure) < 0 || !text.len) {
		local->backed_up = true;
		return 0;
	}
	zp_fault_point("backup.write");
	if (zp_file_write_atomic(local->backup_path, zp_buf_slice(&text), 0600, err) < 0)
		return zp_error_wrap(err, "writing the backup");
	zp_fault_point("backup.written");
	local->backed_up = true;
	return 0;
}

/* The new file belongs to whom the old one did, where that can be: root may work for others. */
static void keep_owner(int fd, const char *path)
{
	struct stat old, made;

	if (stat(path, &old) < 0 || fstat(fd, &made) < 0 ||
		(old.st_uid == made.st_uid && old.st_gid == made.st_gid))
		return;
	if (fchown(fd, old.st_uid, old.st_gid) < 0)
		return; /* then it is ours, which is still right */
}

static int fill(struct local *local, int fd, const char *path, struct zp_str text, struct zp_error *err)
{
	keep_owner(fd, local->path);
	zp_fault_point("state.write");
	if (zp_write_all(fd, text.ptr, text.len, err) < 0)
		return -1;
	zp_fault_point("state.written");
	if (fsync(fd) < 0)
		return zp_error_errno(err, "fsync %s", path);
	zp_fault_point("state.synced");
	if (local->fd >= 0 && try_lock(fd) < 0)
		return zp_error_errno(err, "lock %s", path);
	return 0;
}

/*
 * Old or new, whole, whatever happens; 0600. The new file is locked before it gets the name where the
 * old one is, so that there is no moment at which somebody else could lock it. A link stays a link.
 */
static int replace(struct local *local, struct zp_str text, struct zp_error *err)
{
	zp_autofree char *real = realpath(local->path, NULL);
	const char *target = real ? real : local->path;
	zp_autofree char *temporary = zp_format("%s.tmp-XXXXXX", target);
	zp_autoclose int fd = mkostemp(temporary, O_CLOEXEC);

	if (fd < 0) {
		zp_error_errno(err, "create %s", temporary);
		return zp_error_wrap(err, "writing state %s", local->path);
	}
	bool done = fill(local, fd, temporary, text, err) == 0;
	zp_fault_point("state.rename");
	if (done && rename(temporary, target) < 0) {
		zp_error_errno(err, "rename %s to %s", temporary, target);
		done = false;
	}
	if (!done) {
		unlink(temporary);
		return zp_error_wrap(err, "writing state %s", local->path);
	}
	zp_fault_point("state.renamed");
	if (local->fd >= 0) {
		close(local->fd);
		local->fd = fd;
		fd = -1;
	}
	return zp_file_sync_parent(target, err);
}

/* Somebody who ignored the lock may have written meanwhile: theirs is not overwritten. */
static int check_unchanged(struct local *local, struct zp_error *err)
{
	zp_autobuf text = ZP_BUF_INIT;

	if (is_untouched(local))
		return 0;
	if (read_bytes(local->path, &text, err) < 0)
		return -1;
	if (text.len && (!local->known || zp_str_hash(zp_buf_slice(&text)) != local->hash))
		return zp_error_code(err, STATE_CONFLICT,
			"%s was changed by another program since this run read it", local->path);
	return 0;
}

static int store_local(struct state_backend *backend, struct zp_str text, const struct state *state,
	struct zp_error *err)
{
	struct local *local = local_of(backend);

	(void)state;
	if (make_parent(local->path, err) < 0 || check_unchanged(local, err) < 0 ||
		back_up(local, err) < 0 || replace(local, text, err) < 0)
		return -1;
	free(local->read_path);
	local->read_path = NULL;
	remember(local, text);
	look_at_file(local);
	return 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int workspaces_local(struct state_backend *backend, char ***names, struct zp_error *err)
{
	struct local *local = local_of(backend);
	ZP_VEC(, char *) found = { 0 };
	zp_autoclosedir DIR *dir = opendir(local->workspace_dir);

	if (!dir && errno != ENOENT)
		return zp_error_errno(err, "open %s", local->workspace_dir);
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		zp_autofree char *path = zp_path_join(local->workspace_dir, entry->d_name);
		if (entry->d_name[0] != '.' && zp_is_directory(path))
			zp_vec_push(&found, zp_strdup(entry->d_name));
	}
	if (found.count)
		qsort(found.items, found.count, sizeof(*found.items), by_text);
	zp_vec_push(&found, NULL);
	*names = found.items;
	return 0;
}

static int delete_workspace_local(struct state_backend *backend, const char *name,
	struct zp_error *err)
{
	zp_autofree char *path = zp_path_join(local_of(backend)->workspace_dir, name);

	if (!*name || *name == '.' || strchr(name, '/') || strcmp(name, "default") == 0)
		return zp_error_set(err, "workspace \"%s\" cannot be deleted", name);
	return zp_remove_tree(path, err);
}

static int create_workspace_local(struct state_backend *backend, struct zp_error *err)
{
	return make_parent(local_of(backend)->path, err);
}

static void free_local(struct state_backend *backend)
{
	struct local *local = local_of(backend);

	if (local->fd >= 0)
		close(local->fd);
	free(local->path);
	free(local->info_path);
	free(local->backup_path);
	free(local->workspace_dir);
	free(local->read_path);
	free(local);
}

/* "dir/.NAME.lock.info" beside "dir/NAME"; as with the peer, a dot that leads NAME is not doubled. */
static char *info_path_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	int folder = slash ? (int)(slash - path) + 1 : 0;

	return zp_format("%.*s.%s.lock.info", folder, path,
		path + folder + (path[folder] == '.'));
}

static void set_path(struct local *local, char *path)
{
	free(local->path);
	free(local->info_path);
	free(local->backend.journal_path);
	free(local->backend.location);
	local->path = path;
	local->info_path = info_path_of(path);
	local->backend.journal_path = zp_format("%s.journal", path);
	local->backend.location = zp_strdup(path);
}

/* NULL or "": beside the state; "-": none. */
static void set_backup(struct local *local, const char *backup_path)
{
	free(local->backup_path);
	local->backup_path = NULL;
	if (!backup_path || !*backup_path)
		local->backup_path = zp_format("%s.backup", local->path);
	else if (strcmp(backup_path, "-") != 0)
		local->backup_path = zp_strdup(backup_path);
}

static const struct state_setting settings_local[] = {
	{ .name = "path" },
	{ .name = "workspace_dir" },
};

static struct state_backend *open_local(const struct state_settings *settings, const char *workspace,
	struct zp_error *err)
{
	static const char *const names[] = { "path", "workspace_dir" };

	for (size_t i = 0; i < ZP_ARRAY_SIZE(names); i++) {
		const char *text = state_setting(settings, names[i]);
		if (text && !*text) {
			zp_error_set(err, "The \"%s\" attribute value must not be empty", names[i]);
			return NULL;
		}
	}
	return state_local_open(state_setting(settings, "path"), workspace,
		state_setting(settings, "workspace_dir"), NULL);
}

const struct state_backend_type state_local_type = {
	.name = "local",
	.settings = settings_local,
	.setting_count = ZP_ARRAY_SIZE(settings_local),
	.open = open_local,
	.lock = lock_local,
	.unlock = unlock_local,
	.load = load_local,
	.store = store_local,
	.workspaces = workspaces_local,
	.delete_workspace = delete_workspace_local,
	.create_workspace = create_workspace_local,
	.free = free_local,
};

struct state_backend *state_local_open(const char *path, const char *workspace,
	const char *workspace_dir, const char *backup_path)
{
	struct local *local = zp_calloc(1, sizeof(*local));
	const char *dir = workspace_dir && *workspace_dir ? workspace_dir : DEFAULT_WORKSPACE_DIR;
	bool is_default = !workspace || strcmp(workspace, "default") == 0;

	local->backend.type = &state_local_type;
	local->backend.is_local = true;
	local->backend.workspace = zp_strdup(is_default ? "default" : workspace);
	local->workspace_dir = zp_strdup(dir);
	set_path(local, is_default ? zp_strdup(path && *path ? path : DEFAULT_PATH) :
				     zp_format("%s/%s/%s", dir, workspace, DEFAULT_PATH));
	set_backup(local, backup_path);
	local->fd = -1;
	return &local->backend;
}

bool state_local_override(struct state_backend *backend, const char *path, const char *out_path,
	const char *backup_path)
{
	struct local *local = local_of(backend);

	if (backend->type != &state_local_type)
		return false;
	if (!path && !out_path && !backup_path)
		return true;
	zp_autofree char *read_path = zp_strdup(path ? path : local->path);
	if (path || out_path)
		set_path(local, zp_strdup(out_path ? out_path : path));
	if (strcmp(read_path, local->path) != 0) {
		local->read_path = read_path;
		read_path = NULL;
	}
	set_backup(local, backup_path);
	return true;
}

const char *state_local_path(const struct state_backend *backend)
{
	return backend->type == &state_local_type ? ((const struct local *)backend)->path : NULL;
}

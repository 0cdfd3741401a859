#include "state/backend.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/uuid.h"
#include "state/encryption.h"
#include "state/state_internal.h"

#define FIRST_PAUSE_MS 50
#define LONGEST_PAUSE_MS 1000

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static const char *or_unknown(const char *text)
{
	return text ? text : "";
}

/* "2026-11-20T22:27:52.1Z" as "2026-11-20 22:27:52.1 +0000 UTC"; other forms as they are. */
static char *readable_time(const char *text)
{
	size_t length = text ? strlen(text) : 0;

	if (length < 20 || text[10] != 'T' || text[length - 1] != 'Z')
		return zp_strdup(or_unknown(text));
	return zp_format("%.10s %.*s +0000 UTC", text, (int)(length - 12), text + 11);
}

/* The lock was taken on this host by a process that has ended since: nothing will give it back. */
static bool is_stale(const struct state_lock_info *holder)
{
	char host[HOST_NAME_MAX + 1] = "";
	const char *at = holder->who ? strrchr(holder->who, '@') : NULL;
	char *end;

	gethostname(host, sizeof(host) - 1);
	if (!at || strcmp(at + 1, host) != 0 || !holder->info ||
		strncmp(holder->info, STATE_LOCK_PROCESS, strlen(STATE_LOCK_PROCESS)) != 0)
		return false;
	long pid = strtol(holder->info + strlen(STATE_LOCK_PROCESS), &end, 10);
	return pid > 0 && pid <= INT_MAX && !*end && kill((pid_t)pid, 0) < 0 && errno == ESRCH;
}

static int locked_by(const struct state_lock_info *holder, struct zp_error *err)
{
	zp_autofree char *created = readable_time(holder->created);
	zp_autofree char *advice = is_stale(holder) ?
		zp_format("The process that took this lock does not run any more on this machine: the "
			  "lock is stale. Remove it with:\n    zplan force-unlock %s",
			or_unknown(holder->id)) :
		zp_strdup("zplan acquires a state lock to protect the state from being written by "
			  "multiple users at the same time. Wait for the other run to finish "
			  "(-lock-timeout=1m does that for you), or disable locking with the "
			  "\"-lock=false\" flag, which is not recommended.");

	return zp_error_code(err, STATE_LOCKED,
		"Another run holds the lock.\nLock Info:\n  ID:        %s\n  Path:      %s\n"
		"  Operation: %s\n  Who:       %s\n  Version:   %s\n  Created:   %s\n  Info:      "
		"%s\n\n%s",
		or_unknown(holder->id), or_unknown(holder->path), or_unknown(holder->operation),
		or_unknown(holder->who), or_unknown(holder->version), created,
		or_unknown(holder->info), advice);
}

static void wait_ms(int64_t ms)
{
	struct timespec wait = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&wait, NULL);
}

/* Those who wait for one lock must not all come back at once. */
static int64_t random_below(int64_t limit)
{
	uint32_t number;

	zp_random(&number, sizeof(number));
	return number % limit;
}

int state_backend_lock(struct state_backend *backend, const char *operation, int timeout_ms,
	struct zp_error *err)
{
	struct state_lock_info info, holder = { 0 };
	int64_t deadline = now_ms() + timeout_ms;
	int64_t pause = FIRST_PAUSE_MS;
	zp_autoerror failure = ZP_ERROR_INIT;
	int rc;

	state_lock_info_fill(&info, operation, "");
	if (!backend->is_local) {
		free(info.info);
		info.info = zp_format("%s%ld", STATE_LOCK_PROCESS, (long)getpid());
	}
	free(backend->operation);
	backend->operation = zp_strdup(operation);
	for (;;) {
		state_lock_info_release(&holder);
		rc = backend->type->lock(backend, &info, &holder, &failure);
		if (rc == 0 || failure.code != STATE_LOCKED || now_ms() >= deadline)
			break;
		wait_ms(pause / 2 + random_below(pause));
		pause = backend->is_local ? FIRST_PAUSE_MS : pause * 3 / 2;
		if (pause > LONGEST_PAUSE_MS)
			pause = LONGEST_PAUSE_MS;
	}
	if (rc < 0 && failure.code == STATE_LOCKED)
		locked_by(&holder, err);
	else if (rc < 0)
		zp_error_code(err, failure.code, "%s", zp_error_text(&failure));
	state_lock_info_release(&holder);
	state_lock_info_release(&info);
	return rc;
}

int state_backend_unlock(struct state_backend *backend, struct zp_error *err)
{
	return backend->type->unlock(backend, err);
}

int state_backend_break_lock(struct state_backend *backend, const char *id, struct zp_error *err)
{
	if (!backend->type->break_lock)
		return zp_error_set(err, "Local state cannot be unlocked by another process");
	return backend->type->break_lock(backend, id, err);
}

int state_backend_load(struct state_backend *backend, struct state **state, struct zp_error *err)
{
	zp_autobuf text = ZP_BUF_INIT;

	*state = NULL;
	if (backend->type->load(backend, &text, err) < 0 ||
		state_encryption_open(STATE_ENCRYPT_STATE, &text, backend->location, backend->is_own, err) < 0)
		return -1;
	*state = text.len ? state_parse_take(&text, backend->location, err) : state_new();
	return *state ? 0 : -1;
}

/* What could not be stored elsewhere is kept here, whole. */
static int keep_errored(struct zp_str text, struct zp_error *err)
{
	zp_autoerror failure = ZP_ERROR_INIT;
	zp_autofree char *reason = zp_strdup(zp_error_text(err));
	int code = err ? err->code : 0;

	if (zp_file_write_atomic("errored.tfstate", text, 0600, &failure) < 0)
		return zp_error_code(err, code, "%s. And errored.tfstate could not be written: %s",
			reason, zp_error_text(&failure));
	return zp_error_code(err, code,
		"%s.\n\nThe state that could not be stored is in the file errored.tfstate. To store it, "
		"when the backend works again, run:\n    zplan state push errored.tfstate", reason);
}

int state_backend_store(struct state_backend *backend, struct state *state, struct zp_error *err)
{
	zp_autobuf text = ZP_BUF_INIT;

	state_write(state, &text);
	if (backend->is_own && state_encryption_is_on(STATE_ENCRYPT_STATE)) {
		zp_autobuf sealed = ZP_BUF_INIT;
		if (state_encryption_close(STATE_ENCRYPT_STATE, state, zp_buf_slice(&text), &sealed, err) < 0)
			return -1;
		zp_buf_release(&text);
		text = sealed;
		sealed = (struct zp_buf)ZP_BUF_INIT;
	}
	if (backend->type->store(backend, zp_buf_slice(&text), state, err) == 0)
		return 0;
	return backend->is_local ? -1 : keep_errored(zp_buf_slice(&text), err);
}

int state_backend_workspaces(struct state_backend *backend, char ***names, struct zp_error *err)
{
	char **others = NULL;
	size_t count = 0;

	if (!backend->type->workspaces)
		return zp_error_code(err, STATE_NO_WORKSPACES, "workspaces not supported");
	if (backend->type->workspaces(backend, &others, err) < 0)
		return -1;
	while (others[count])
		count++;
	*names = zp_calloc(count + 2, sizeof(**names));
	(*names)[0] = zp_strdup("default");
	memcpy(*names + 1, others, (count + 1) * sizeof(*others));
	free(others);
	return 0;
}

void state_workspaces_free(char **names)
{
	for (size_t i = 0; names && names[i]; i++)
		free(names[i]);
	free(names);
}

int state_backend_create_workspace(struct state_backend *backend, int timeout_ms, struct zp_error *err)
{
	struct state *state = NULL;
	zp_autobuf text = ZP_BUF_INIT;

	if (backend->type->create_workspace)
		return backend->type->create_workspace(backend, err);
	if (state_backend_lock(backend, "init", timeout_ms, err) < 0)
		return -1;
	int rc = backend->type->load(backend, &text, err);
	if (rc == 0 && !text.len) {
		state = state_new();
		rc = state_backend_store(backend, state, err);
		state_free(state);
	}
	if (state_backend_unlock(backend, rc < 0 ? NULL : err) < 0)
		rc = -1;
	return rc;
}

int state_backend_delete_workspace(struct state_backend *backend, const char *name, struct zp_error *err)
{
	if (strcmp(name, "default") == 0 || !backend->type->delete_workspace)
		return zp_error_set(err, "cannot delete default state");
	return backend->type->delete_workspace(backend, name, err);
}

void state_backend_set_note(struct state_backend *backend, const char *note)
{
	free(backend->note);
	backend->note = zp_strdup(note);
}

/* Of a state that is elsewhere: in the working folder, by workspace. */
static char *journal_path_of(const char *workspace)
{
	return strcmp(workspace, "default") == 0 ? zp_strdup("terraform.tfstate.journal") :
						   zp_format("terraform.tfstate.%s.journal", workspace);
}

struct state_backend *state_backend_open(const struct state_settings *settings, const char *workspace,
	struct zp_error *err)
{
	const struct state_backend_type *type = settings->type;

	for (size_t i = 0; i < type->setting_count; i++)
		if (type->settings[i].required && !state_setting(settings, type->settings[i].name)) {
			zp_error_set(err, "backend \"%s\" needs the setting \"%s\"", type->name,
				type->settings[i].name);
			return NULL;
		}
	if (!workspace)
		workspace = "default";
	struct state_backend *backend = type->open(settings, workspace, err);
	if (!backend)
		return NULL;
	if (!backend->workspace)
		backend->workspace = zp_strdup(workspace);
	if (!backend->journal_path)
		backend->journal_path = journal_path_of(backend->workspace);
	if (!backend->location)
		backend->location = zp_format("the state in backend \"%s\"", type->name);
	return backend;
}

void state_backend_free(struct state_backend *backend)
{
	if (!backend)
		return;
	free(backend->workspace);
	free(backend->journal_path);
	free(backend->location);
	free(backend->operation);
	free(backend->note);
	backend->type->free(backend);
}

#include "state/backend.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"

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

static int locked_by(const struct state_lock_info *holder, struct zp_error *err)
{
	zp_autofree char *created = readable_time(holder->created);

	return zp_error_code(err, STATE_LOCKED,
		"Another run holds the lock.\nLock Info:\n  ID:        %s\n  Path:      %s\n"
		"  Operation: %s\n  Who:       %s\n  Version:   %s\n  Created:   %s\n  Info:      "
		"%s\n\nzplan acquires a state lock to protect the state from being written by "
		"multiple users at the same time. Wait for the other run to finish (-lock-timeout=1m "
		"does that for you), or disable locking with the \"-lock=false\" flag, which is not "
		"recommended.",
		or_unknown(holder->id), or_unknown(holder->path), or_unknown(holder->operation),
		or_unknown(holder->who), or_unknown(holder->version), created,
		or_unknown(holder->info));
}

int state_backend_lock(struct state_backend *backend, const char *operation, int timeout_ms,
	struct zp_error *err)
{
	struct state_lock_info info, holder = { 0 };
	int64_t deadline = now_ms() + timeout_ms;
	struct timespec pause = { 0, 50000000 };
	zp_autoerror failure = ZP_ERROR_INIT;
	int rc;

	state_lock_info_fill(&info, operation, "");
	for (;;) {
		state_lock_info_release(&holder);
		rc = backend->type->lock(backend, &info, &holder, &failure);
		if (rc == 0 || failure.code != STATE_LOCKED || now_ms() >= deadline)
			break;
		nanosleep(&pause, NULL);
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

int state_backend_load(struct state_backend *backend, struct state **state, struct zp_error *err)
{
	*state = NULL;
	if (backend->type->load(backend, state, err) < 0)
		return -1;
	if (!*state)
		*state = state_new();
	return 0;
}

int state_backend_store(struct state_backend *backend, struct state *state, struct zp_error *err)
{
	return backend->type->store(backend, state, err);
}

void state_backend_free(struct state_backend *backend)
{
	if (!backend)
		return;
	free(backend->workspace);
	free(backend->journal_path);
	backend->type->free(backend);
}

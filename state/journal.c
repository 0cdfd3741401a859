#include "state/encryption.h"
#include "state/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/map.h"
#include "state/journal_record.h"

/*
 * Group commit: `written` counts the bytes handed to write(2), `durable` those an fsync has covered. Who
 * needs more than is durable becomes the one that syncs, or waits for the one that does.
 */
/* An intent without outcome: its line, for the next file. */
struct open_intent {
	char number[24];
	struct zp_buf line;
};

struct state_journal {
	int fd;
	char *path;
	pthread_mutex_t lock;
	pthread_cond_t synced;
	uint64_t next_intent;
	struct zp_map open; /* number as text -> struct open_intent * */
	uint64_t written, durable;
	bool syncing;
	int broken; /* errno of a failed write or sync: nothing after it may be trusted */
};

static struct state_journal *journal_new(int fd, const char *path)
{
	struct state_journal *journal = zp_calloc(1, sizeof(*journal));

	journal->fd = fd;
	journal->path = zp_strdup(path);
	journal->next_intent = 1;
	pthread_mutex_init(&journal->lock, NULL);
	pthread_cond_init(&journal->synced, NULL);
	return journal;
}

static void open_intent_free(struct open_intent *intent)
{
	zp_buf_release(&intent->line);
	free(intent);
}

static void journal_free(struct state_journal *journal)
{
	for (size_t i = 0; i < journal->open.count; i++)
		open_intent_free(journal->open.entries[i].value);
	zp_map_release(&journal->open);
	close(journal->fd);
	free(journal->path);
	pthread_cond_destroy(&journal->synced);
	pthread_mutex_destroy(&journal->lock);
	free(journal);
}

static int broken(const struct state_journal *journal, struct zp_error *err)
{
	errno = journal->broken;
	return zp_error_errno(err, "journal %s", journal->path);
}

/* The record as it stands in the file. */
static int seal(struct zp_str json, struct zp_buf *line, struct zp_error *err)
{
	zp_autobuf sealed = ZP_BUF_INIT;

	if (state_encryption_close(STATE_ENCRYPT_STATE, NULL, json, &sealed, err) < 0)
		return -1;
	state_record_seal(zp_buf_slice(&sealed), line);
	return 0;
}

/* Under the lock. */
static int append_line(struct state_journal *journal, struct zp_str line, struct zp_error *err)
{
	if (journal->broken)
		return broken(journal, err);
	zp_fault_point("journal.write");
	if (zp_write_all(journal->fd, line.ptr, line.len, err) < 0) {
		journal->broken = err && err->code ? err->code : EIO;
		return zp_error_wrap(err, "journal %s", journal->path);
	}
	journal->written += line.len;
	zp_fault_point("journal.written");
	return 0;
}

static int append(struct state_journal *journal, struct zp_str json, struct zp_error *err)
{
	zp_autobuf line = ZP_BUF_INIT;

	return seal(json, &line, err) < 0 ? -1 : append_line(journal, zp_buf_slice(&line), err);
}

/* Under the lock, which is given up while the disk works. */
static int sync_to(struct state_journal *journal, uint64_t target, struct zp_error *err)
{
	while (journal->durable < target && !journal->broken) {
		if (journal->syncing) {
			pthread_cond_wait(&journal->synced, &journal->lock);
			continue;
		}
		uint64_t covered = journal->written;
		journal->syncing = true;
		pthread_mutex_unlock(&journal->lock);
		zp_fault_point("journal.sync");
		int failed = fdatasync(journal->fd) < 0 ? errno : 0;
		zp_fault_point("journal.synced");
		pthread_mutex_lock(&journal->lock);
		journal->syncing = false;
		if (failed)
			journal->broken = failed;
		else
			journal->durable = covered;
		pthread_cond_broadcast(&journal->synced);
	}
	return journal->durable >= target ? 0 : broken(journal, err);
}

/* settled: how many intents came before those of this file. */
static void header(struct zp_buf *json, const char *lineage, int64_t serial, uint64_t settled)
{
	struct zp_json_writer writer;

	zp_json_writer_init(&writer, json, false);
	zp_json_begin_object(&writer);
	zp_json_key(&writer, "journal");
	zp_json_int(&writer, STATE_JOURNAL_FORMAT);
	zp_json_key(&writer, "lineage");
	zp_json_cstr(&writer, lineage);
	zp_json_key(&writer, "serial");
	zp_json_int(&writer, serial);
	if (settled) {
		zp_json_key(&writer, "settled");
		zp_json_int(&writer, (int64_t)settled);
	}
	zp_json_end_object(&writer);
}

static int write_header(struct state_journal *journal, const char *lineage, int64_t serial,
	struct zp_error *err)
{
	zp_autobuf json = ZP_BUF_INIT;

	header(&json, lineage, serial, 0);
	pthread_mutex_lock(&journal->lock);
	int rc = append(journal, zp_buf_slice(&json), err);
	if (!rc)
		rc = sync_to(journal, journal->written, err);
	pthread_mutex_unlock(&journal->lock);
	return rc;
}

struct state_journal *state_journal_create(const char *path, const char *lineage, int64_t serial,
	struct zp_error *err)
{
	struct stat st;
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	if (fd < 0) {
		zp_error_errno(err, "open journal %s", path);
		return NULL;
	}
	if (fstat(fd, &st) == 0 && st.st_size > 0) {
		close(fd);
		zp_error_set(err, "journal %s: an earlier run did not finish, and was not taken over",
			path);
		return NULL;
	}
	struct state_journal *journal = journal_new(fd, path);
	if (write_header(journal, lineage, serial, err) < 0 || zp_file_sync_parent(path, err) < 0) {
		unlink(path);
		journal_free(journal);
		return NULL;
	}
	return journal;
}

uint64_t state_journal_intent(struct state_journal *journal, const struct state_intent *intent,
	struct zp_error *err)
{
	struct open_intent *open = zp_calloc(1, sizeof(*open));
	zp_autobuf json = ZP_BUF_INIT;

	pthread_mutex_lock(&journal->lock);
	uint64_t number = journal->next_intent++;
	state_record_intent(&json, number, intent);
	snprintf(open->number, sizeof(open->number), "%llu", (unsigned long long)number);
	zp_map_set(&journal->open, zp_str(open->number), open);
	int rc = seal(zp_buf_slice(&json), &open->line, err);
	if (!rc)
		rc = append_line(journal, zp_buf_slice(&open->line), err);
	if (!rc)
		rc = sync_to(journal, journal->written, err);
	pthread_mutex_unlock(&journal->lock);
	return rc ? 0 : number;
}

static int outcome(struct state_journal *journal, uint64_t intent, bool failed,
	const struct state_object *object, const char *message, struct zp_error *err)
{
	zp_autobuf json = ZP_BUF_INIT;

	char number[24];

	state_record_outcome(&json, intent, failed, object, message);
	snprintf(number, sizeof(number), "%llu", (unsigned long long)intent);
	pthread_mutex_lock(&journal->lock);
	int rc = append(journal, zp_buf_slice(&json), err);
	struct open_intent *open = rc ? NULL : zp_map_remove(&journal->open, zp_str(number));
	if (open)
		open_intent_free(open);
	pthread_mutex_unlock(&journal->lock);
	return rc;
}

int state_journal_outcome(struct state_journal *journal, uint64_t intent,
	const struct state_object *object, struct zp_error *err)
{
	return outcome(journal, intent, false, object, NULL, err);
}

int state_journal_failed(struct state_journal *journal, uint64_t intent,
	const struct state_object *object, const char *message, struct zp_error *err)
{
	return outcome(journal, intent, true, object, message, err);
}

int state_journal_sync(struct state_journal *journal, struct zp_error *err)
{
	pthread_mutex_lock(&journal->lock);
	int rc = sync_to(journal, journal->written, err);
	pthread_mutex_unlock(&journal->lock);
	return rc;
}

/* A file with what is under way, complete on disk; its descriptor, or -1. */
static int write_next(const struct state_journal *journal, const char *path, struct zp_str head,
	struct zp_error *err)
{
	zp_autobuf text = ZP_BUF_INIT;
	zp_autoclose int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);

	if (fd < 0 || seal(head, &text, err) < 0)
		return fd < 0 ? zp_error_errno(err, "open %s", path) : -1;
	for (size_t i = 0; i < journal->open.count; i++) {
		const struct open_intent *intent = journal->open.entries[i].value;
		zp_buf_add(&text, intent->line.ptr, intent->line.len);
	}
	if (zp_write_all(fd, text.ptr, text.len, err) < 0)
		return -1;
	if (fdatasync(fd) < 0)
		return zp_error_errno(err, "fsync %s", path);
	int written = fd;
	fd = -1;
	return written;
}

int state_journal_checkpoint(struct state_journal *journal, const char *lineage, int64_t serial,
	struct zp_error *err)
{
	zp_autofree char *next = zp_format("%s.next", journal->path);
	zp_autobuf head = ZP_BUF_INIT;
	int fd = -1;

	pthread_mutex_lock(&journal->lock);
	while (journal->syncing)
		pthread_cond_wait(&journal->synced, &journal->lock);
	header(&head, lineage, serial, journal->next_intent - 1);
	if (!journal->broken)
		fd = write_next(journal, next, zp_buf_slice(&head), err);
	zp_fault_point("journal.rotate");
	if (fd >= 0 && rename(next, journal->path) == 0) {
		zp_fault_point("journal.rotated");
		close(journal->fd);
		journal->fd = fd;
		journal->durable = journal->written;
	} else if (fd >= 0) {
		zp_error_errno(err, "rename %s", next);
		close(fd);
		fd = -1;
	}
	int rc = fd < 0 ? -1 : zp_file_sync_parent(journal->path, err);
	if (fd < 0)
		unlink(next);
	pthread_mutex_unlock(&journal->lock);
	return rc;
}

int state_journal_finish(struct state_journal *journal, struct zp_error *err)
{
	zp_fault_point("journal.finish");
	int rc = state_journal_remove(journal->path, err);

	journal_free(journal);
	return rc;
}

void state_journal_abandon(struct state_journal *journal)
{
	if (journal)
		journal_free(journal);
}

int state_journal_remove(const char *path, struct zp_error *err)
{
	if (unlink(path) < 0 && errno != ENOENT)
		return zp_error_errno(err, "remove journal %s", path);
	zp_fault_point("journal.removed");
	return zp_file_sync_parent(path, err);
}

#include "providers/logs/stream.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/map.h"
#include "providers/logs/tail.h"
#include "providers/logs/target.h"

#define FIRST_PAUSE_MS 250
#define LONGEST_PAUSE_MS 30000
#define LOOK_MS 1000
#define SAVE_SECONDS 1
/* A target that is away for less is nothing to tell of. */
#define PATIENCE_SECONDS 60

struct stream {
	char *id;
	char *log, *state, *url, *authority, *channel, *netns;
	struct provider_log_output output;
	int stop, changes; /* eventfd; inotify, or -1 */
	int watch;	   /* of the log within changes, or -1 */
	pthread_t thread;
	struct provider_log_tail tail;
	struct provider_log_lines lines;
	time_t saved;
	size_t batch; /* lines at once: fewer after a failure, for targets that take few */

	pthread_mutex_t lock;
	time_t failing_since; /* 0: it is not */
	char *reason;
};

static pthread_mutex_t streams_lock = PTHREAD_MUTEX_INITIALIZER;
static struct zp_map streams; /* id -> struct stream */

static char *copy(const char *text)
{
	return text ? zp_strdup(text) : NULL;
}

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static time_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + 1;
}

/* ---- how it goes ---- */

static void note_failure(struct stream *stream, const struct zp_error *why)
{
	pthread_mutex_lock(&stream->lock);
	if (!stream->failing_since) {
		zp_autofree char *name = provider_log_output_name(&stream->output);

		stream->failing_since = now();
		zp_log(ZP_LOG_WARN, "logs %s: %s: %s", stream->id, name, zp_error_text(why));
	}
	free(stream->reason);
	stream->reason = zp_strdup(zp_error_text(why));
	pthread_mutex_unlock(&stream->lock);
}

static void note_success(struct stream *stream)
{
	pthread_mutex_lock(&stream->lock);
	if (stream->failing_since)
		zp_log(ZP_LOG_INFO, "logs %s: the target is back", stream->id);
	stream->failing_since = 0;
	pthread_mutex_unlock(&stream->lock);
}

/* ---- the thread ---- */

static bool is_stopped(const struct stream *stream)
{
	struct pollfd poller = { .fd = stream->stop, .events = POLLIN };

	return poll(&poller, 1, 0) > 0;
}

static void save(struct stream *stream)
{
	zp_autoerror err = ZP_ERROR_INIT;

	if (now() - stream->saved < SAVE_SECONDS)
		return;
	stream->saved = now();
	if (provider_log_tail_save(&stream->tail, &err) < 0)
		zp_log(ZP_LOG_WARN, "logs %s: %s", stream->id, zp_error_text(&err));
}

/* The log may come, go and come again as another file: it is watched anew each time. */
static void watch(struct stream *stream)
{
	if (stream->changes >= 0)
		stream->watch = inotify_add_watch(
			stream->changes, stream->log, IN_MODIFY | IN_DELETE_SELF | IN_MOVE_SELF);
}

static void drain(int fd)
{
	char events[4096];

	while (read(fd, events, sizeof(events)) > 0)
		;
}

/* Waits for more of the log, for a word of the target (fd, or -1), or for the end; looks each
 * second. */
static bool wait_for_more(struct stream *stream, int fd, int ms)
{
	struct pollfd polls[] = { { .fd = stream->stop, .events = POLLIN },
		{ .fd = fd, .events = POLLIN }, { .fd = stream->changes, .events = POLLIN } };

	poll(polls, fd < 0 ? 1 : 3, ms < LOOK_MS ? ms : LOOK_MS);
	if (fd >= 0 && polls[2].revents)
		drain(stream->changes);
	provider_log_tail_look(&stream->tail);
	return fd >= 0 && polls[1].revents;
}

/* Delivers until the connection breaks, or the stream is to end. */
static int deliver(struct stream *stream, struct log_target *target, struct zp_error *err)
{
	while (!is_stopped(stream)) {
		watch(stream);
		if (provider_log_tail_next(&stream->tail, stream->batch, &stream->lines) > 0) {
			if (log_target_deliver(target, stream->lines.items.items,
				    stream->lines.items.count, err) < 0) {
				stream->batch = (stream->batch + 1) / 2;
				return -1;
			}
			provider_log_tail_advance(&stream->tail, &stream->lines);
			stream->batch = stream->batch < PROVIDER_LOG_BATCH / 2 ? stream->batch * 2
									       : PROVIDER_LOG_BATCH;
			note_success(stream);
		} else if (wait_for_more(stream, target->wire.fd, LOOK_MS) &&
			   log_target_listen(target, err) < 0) {
			return -1;
		}
		save(stream);
	}
	return 0;
}

static void attempt(struct stream *stream, int *pause)
{
	zp_autoerror err = ZP_ERROR_INIT;
	struct log_target target;

	if (log_target_open(&target, &stream->output, stream->channel, stream->netns, stream->stop,
		    &err) == 0) {
		note_success(stream);
		*pause = FIRST_PAUSE_MS;
		deliver(stream, &target, &err);
		log_target_close(&target);
	}
	if (!is_stopped(stream))
		note_failure(stream, &err);
}

static void *run(void *data)
{
	struct stream *stream = data;
	int pause = FIRST_PAUSE_MS;

	while (!is_stopped(stream)) {
		attempt(stream, &pause);
		for (int left = pause; left > 0 && !is_stopped(stream); left -= LOOK_MS)
			wait_for_more(stream, -1, left);
		pause = pause * 2 < LONGEST_PAUSE_MS ? pause * 2 : LONGEST_PAUSE_MS;
		save(stream);
	}
	provider_log_tail_save(&stream->tail, NULL);
	return NULL;
}

/* ---- starting and stopping ---- */

static void stream_free(struct stream *stream)
{
	if (stream->stop >= 0)
		close(stream->stop);
	if (stream->changes >= 0)
		close(stream->changes);
	provider_log_tail_close(&stream->tail);
	provider_log_lines_release(&stream->lines);
	provider_log_output_release(&stream->output);
	pthread_mutex_destroy(&stream->lock);
	if (stream->url)
		explicit_bzero(stream->url, strlen(stream->url));
	free(stream->id);
	free(stream->log);
	free(stream->state);
	free(stream->url);
	free(stream->authority);
	free(stream->channel);
	free(stream->netns);
	free(stream->reason);
	free(stream);
}

static bool has_options(
	const struct stream *stream, const struct provider_log_stream_options *options)
{
	return same(stream->log, options->log) && same(stream->state, options->state) &&
	       same(stream->url, options->output) && same(stream->authority, options->authority) &&
	       same(stream->channel, options->channel) && same(stream->netns, options->netns);
}

static struct stream *stream_new(const char *id, const struct provider_log_stream_options *options)
{
	struct stream *stream = zp_calloc(1, sizeof(*stream));

	stream->id = zp_strdup(id);
	stream->log = copy(options->log);
	stream->state = copy(options->state);
	stream->url = copy(options->output);
	stream->authority = copy(options->authority);
	stream->channel = copy(options->channel);
	stream->netns = copy(options->netns);
	stream->batch = PROVIDER_LOG_BATCH;
	stream->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	stream->changes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	pthread_mutex_init(&stream->lock, NULL);
	return stream;
}

/* Under the lock. */
static void stop(const char *id)
{
	struct stream *stream = zp_map_remove(&streams, zp_str(id));
	uint64_t one = 1;

	if (!stream)
		return;
	if (write(stream->stop, &one, sizeof(one)) == (ssize_t)sizeof(one))
		pthread_join(stream->thread, NULL);
	stream_free(stream);
}

static int start(
	const char *id, const struct provider_log_stream_options *options, struct zp_error *err)
{
	struct stream *stream = stream_new(id, options);

	if (stream->stop < 0) {
		zp_error_errno(err, "eventfd");
	} else if (provider_log_output_parse(options->output, &stream->output, err) == 0 &&
		   provider_log_tail_open(&stream->tail, options->log, options->state, err) == 0) {
		stream->output.authority = stream->authority;
		errno = pthread_create(&stream->thread, NULL, run, stream);
		if (errno == 0) {
			zp_map_set(&streams, zp_str(stream->id), stream);
			return 0;
		}
		zp_error_errno(err, "starting a stream");
	}
	stream_free(stream);
	return -1;
}

int provider_log_stream_start(
	const char *id, const struct provider_log_stream_options *options, struct zp_error *err)
{
	int rc = 0;

	pthread_mutex_lock(&streams_lock);
	const struct stream *there = zp_map_get(&streams, zp_str(id));
	if (!there || !has_options(there, options)) {
		stop(id);
		rc = start(id, options, err);
	}
	pthread_mutex_unlock(&streams_lock);
	return rc;
}

void provider_log_stream_stop(const char *id)
{
	pthread_mutex_lock(&streams_lock);
	stop(id);
	pthread_mutex_unlock(&streams_lock);
}

bool provider_log_stream_check(
	const char *id, const struct provider_log_stream_options *options, struct zp_buf *message)
{
	bool fine = false;

	pthread_mutex_lock(&streams_lock);
	struct stream *stream = zp_map_get(&streams, zp_str(id));
	if (!stream || !has_options(stream, options)) {
		zp_buf_puts(message, stream ? "it streams otherwise" : "nothing is streamed");
	} else {
		pthread_mutex_lock(&stream->lock);
		fine = !stream->failing_since || now() - stream->failing_since < PATIENCE_SECONDS;
		if (!fine) {
			zp_autofree char *name = provider_log_output_name(&stream->output);

			zp_buf_printf(message, "%s is not reached: %s", name, stream->reason);
		}
		pthread_mutex_unlock(&stream->lock);
	}
	pthread_mutex_unlock(&streams_lock);
	return fine;
}

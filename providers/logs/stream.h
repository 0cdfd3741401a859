/*
 * Streams: each a thread of the agent that reads a machine's console log and delivers its lines, in
 * order, to one target. A target that is away is called again after a pause that grows from a
 * quarter of a second to half a minute; what comes meanwhile waits in the log. Where delivery came
 * is kept in a file, so that the next agent goes on there. After a connection broke, lines whose
 * arrival was not confirmed are sent again.
 */
#ifndef PROVIDERS_LOGS_STREAM_H
#define PROVIDERS_LOGS_STREAM_H

#include <stdbool.h>

#include "base/error.h"
#include "base/str.h"

struct provider_log_stream_options {
	const char *log;       /* path of the console log */
	const char *state;     /* path of a file of the stream's own */
	const char *output;    /* URL */
	const char *authority; /* PEM of what to trust of wss, or NULL */
	const char *channel;   /* for redis, where the URL names none */
	const char *netns;     /* network namespace to call from, or NULL */
};

/* Copies the options. One that runs already with the same options is left alone. */
int provider_log_stream_start(
	const char *id, const struct provider_log_stream_options *options, struct zp_error *err);
/* Returns when it has ended. None there is fine. */
void provider_log_stream_stop(const char *id);
/*
 * Whether it runs with these options and its target was reached within the last minute; if not,
 * the reason is added to message.
 */
bool provider_log_stream_check(
	const char *id, const struct provider_log_stream_options *options, struct zp_buf *message);

#endif

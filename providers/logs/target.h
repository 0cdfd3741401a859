/*
 * A target that lines are delivered to, over whichever protocol.
 *
 *	if (log_target_open(&target, output, channel, netns, stop, err) == 0) {
 *		log_target_deliver(&target, lines, count, err);		0: all have arrived
 *		log_target_listen(&target, err);	something came unasked: target.wire.fd is
 *readable log_target_close(&target);
 *	}
 */
#ifndef PROVIDERS_LOGS_TARGET_H
#define PROVIDERS_LOGS_TARGET_H

#include "providers/logs/wire.h"

struct log_target;

struct log_protocol {
	/* Makes oneself known. */
	int (*greet)(struct log_target *target, struct zp_error *err);
	/* Sends the lines, in order, and waits until the other side has confirmed that it has them.
	 */
	int (*deliver)(struct log_target *target, const struct zp_str *lines, size_t count,
		struct zp_error *err);
	/* Takes what is in wire.in though nothing was asked. */
	int (*listen)(struct log_target *target, struct zp_error *err);
};

struct log_target {
	const struct log_protocol *protocol;
	const struct provider_log_output *output;
	const char *channel; /* for redis, where the output names none */
	struct log_wire wire;
	uint64_t asked; /* confirmations asked for */
};

extern const struct log_protocol log_redis, log_websocket;

/* Everything given must outlive the target. */
int log_target_open(struct log_target *target, const struct provider_log_output *output,
	const char *channel, const char *netns, int stop, struct zp_error *err);
void log_target_close(struct log_target *target);
int log_target_deliver(
	struct log_target *target, const struct zp_str *lines, size_t count, struct zp_error *err);
int log_target_listen(struct log_target *target, struct zp_error *err);

#endif

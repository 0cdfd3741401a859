#include "providers/logs/target.h"

int log_target_open(struct log_target *target, const struct provider_log_output *output,
	const char *channel, const char *netns, int stop, struct zp_error *err)
{
	*target = (struct log_target){
		.protocol = output->protocol == PROVIDER_LOG_REDIS ? &log_redis : &log_websocket,
		.output = output,
		.channel = channel,
	};
	if (log_wire_open(&target->wire, output, netns, stop, err) < 0)
		return -1;
	if (target->protocol->greet(target, err) == 0)
		return 0;
	log_target_close(target);
	return -1;
}

void log_target_close(struct log_target *target)
{
	log_wire_close(&target->wire);
}

int log_target_deliver(
	struct log_target *target, const struct zp_str *lines, size_t count, struct zp_error *err)
{
	return target->protocol->deliver(target, lines, count, err);
}

int log_target_listen(struct log_target *target, struct zp_error *err)
{
	if (log_wire_peek(&target->wire, err) < 0)
		return -1;
	return target->protocol->listen(target, err);
}

/*
 * Where a machine's output goes: redis://[user:password@]host[:port][/channel], and
 * ws:// or wss://[user:password@]host[:port][/path]. User and password may be percent-encoded.
 */
#ifndef PROVIDERS_LOGS_OUTPUT_H
#define PROVIDERS_LOGS_OUTPUT_H

#include <stdbool.h>

#include "base/error.h"

enum provider_log_protocol { PROVIDER_LOG_REDIS, PROVIDER_LOG_WEBSOCKET };

struct provider_log_output {
	enum provider_log_protocol protocol;
	bool tls;
	char *host; /* a name or an address, IPv6 without brackets */
	int port;
	char *user, *password; /* NULL: none */
	char *path;	       /* behind the host, with the slash; "" when there is none */
	const char *authority; /* PEM of what to trust instead of what the node does; NULL: none */
};

/* 0, or -1 with err, which never repeats the URL: it may hold a password. authority is left NULL.
 */
int provider_log_output_parse(
	const char *url, struct provider_log_output *out, struct zp_error *err);
void provider_log_output_release(struct provider_log_output *output);
/* "redis://host:6379", for messages; heap. */
char *provider_log_output_name(const struct provider_log_output *output);

#define provider_autooutput zp_cleanup(provider_log_output_release) struct provider_log_output

#endif

/* Shared by http.c and api.c; not for others. */
#ifndef SYNC_HTTP_INTERNAL_H
#define SYNC_HTTP_INTERNAL_H

#include "sync/http.h"

struct sync_reply {
	unsigned status;
	const char *type; /* static; of the content */
	struct zp_buf text;
};

struct sync_call {
	struct sync_controller *controller;
	struct sync_config *config;
	const char *method, *path;
	const char *stack, *limit, *run; /* out of the query, or NULL */
};

/* {"error": why} */
void sync_reply_error(struct sync_reply *reply, unsigned status, const char *why);
/* Everything that wants the token: /metrics and /api/v1. */
void sync_api(const struct sync_call *call, struct sync_reply *reply);

#endif

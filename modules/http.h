/* Requests over http(s) for modules; through libcurl. Not for others. */
#ifndef MODULES_HTTP_H
#define MODULES_HTTP_H

#include "base/error.h"
#include "base/str.h"

struct module_http {
	const char *url;
	const char *token;  /* sent as a bearer token, to the first host only; or NULL */
	const char *header; /* of the answer: its value is wanted; or NULL */
	/* Given the answer's body piece by piece; false ends the transfer. */
	bool (*take)(void *data, const char *bytes, size_t length);
	void *data;

	/* What came; heap, see module_http_release. */
	long status;
	char *value;   /* of the header; NULL: there was none */
	char *arrived; /* the address that answered in the end */
};

/*
 * Follows redirects, never from https to http. An answer of any status counts as one: 0. The authorities are the
 * system's, or those of $SSL_CERT_FILE.
 */
int module_http_get(struct module_http *http, struct zp_error *err);
/* The same, with the body in memory, at most 4 MiB of it, and an error for a status of 400 and above. */
int module_http_text(struct module_http *http, struct zp_buf *out, struct zp_error *err);
void module_http_release(struct module_http *http);
/* A reference resolved against the address it stands in. Heap; NULL when it is malformed. */
char *module_http_resolve(const char *base, const char *reference);

#endif

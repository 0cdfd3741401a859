/*
 * Webhooks: what a forge sends when somebody pushed. Pure of HTTP; http.c hands over what it got.
 */
#ifndef SYNC_WEBHOOK_H
#define SYNC_WEBHOOK_H

#include "sync/config.h"

struct sync_hook {
	enum sync_forge forge; /* SYNC_NO_FORGE: anybody else */
	const char *event;     /* the forge's word for it, or NULL */
	const char *signature; /* HMAC-SHA256 of the body in hex, "sha256=" may stand before it; or NULL */
	const char *token;     /* the secret itself, or NULL */
	const char *repository; /* name of a repository block, out of the path; NULL: the body tells */
	struct zp_str body;
};

struct sync_hook_answer {
	unsigned status; /* of HTTP */
	const char *reason; /* static */
	const struct sync_stack **stacks; /* heap: those to look again */
	size_t count;
};

/* Release the answer's stacks with free(). They live as long as the configuration. */
void sync_hook_read(const struct sync_config *config, const struct sync_hook *hook,
	struct sync_hook_answer *answer);

/* "https://user@Host:443/a/b.git" and "git@host:a/b" as "host/a/b". Heap. */
char *sync_normal_url(const char *url);
/* Whether a push to this ref concerns a stack that follows `followed` (NULL: the default branch). */
bool sync_ref_concerns(const char *followed, const char *pushed);
/* Equal texts? Takes as long whatever they hold. */
bool sync_same_secret(const char *a, const char *b);
/* Whether signature is the HMAC-SHA256 of body under secret. */
bool sync_signature_holds(const char *secret, struct zp_str body, const char *signature);

#endif

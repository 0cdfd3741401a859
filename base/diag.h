/*
 * Diagnostics: what a person should know about their configuration. Checks collect them into a sink
 * and carry on, so that one run reports everything.
 *
 *	struct zp_diags diags;
 *	zp_diags_init(&diags);
 *	zp_diag_error(&diags, range, "Unsupported argument", "An argument named %s ...", name);
 *	if (diags.errors) ...
 *	zp_diags_release(&diags);
 *
 * Safe for concurrent use.
 */
#ifndef ZP_BASE_DIAG_H
#define ZP_BASE_DIAG_H

#include <pthread.h>

#include "base/arena.h"
#include "base/source.h"

enum zp_severity { ZP_SEVERITY_ERROR, ZP_SEVERITY_WARNING };

/* A name in the failing expression and what it stood for: "var.n" "is 5". */
struct zp_diag_value {
	const char *traversal, *statement;
};

struct zp_diag {
	enum zp_severity severity;
	const char *summary; /* one line, no full stop */
	const char *detail;  /* paragraphs; "" when there is nothing to add */
	struct zp_range subject; /* what is wrong */
	struct zp_range context; /* what to show around it; file NULL: the subject */
	const char *address; /* resource instance it is about, or NULL */
	const char *snippet_context; /* block the subject is in, as in 'resource "a" "b"', or NULL */
	const char *function; /* name of the function whose call failed, or NULL */
	const struct zp_diag_value *values;
	size_t value_count;
};

struct zp_diag_owned;

struct zp_diags {
	struct zp_diag **items;
	size_t count, capacity;
	size_t errors, warnings;
	struct zp_arena arena;
	struct zp_diag_owned *owned;
	pthread_mutex_t lock;
};

void zp_diags_init(struct zp_diags *diags);
void zp_diags_release(struct zp_diags *diags);
/* Forgets the diagnostics from number count on. For trial evaluation (try, can). */
void zp_diags_truncate(struct zp_diags *diags, size_t count);

/* The new diagnostic, owned by the sink, to be refined (address, values). Texts are copied. */
struct zp_diag *zp_diag_error(struct zp_diags *diags, struct zp_range subject, const char *summary,
	const char *detail_fmt, ...) ZP_PRINTF(4, 5);
struct zp_diag *zp_diag_warning(struct zp_diags *diags, struct zp_range subject,
	const char *summary, const char *detail_fmt, ...) ZP_PRINTF(4, 5);
/* Which resource instance it is about; the text is copied. NULL: none in particular. */
void zp_diag_set_address(struct zp_diags *diags, struct zp_diag *diag, const char *address);
/* Deep copy of one diagnostic, or of all of from, into diags. */
void zp_diags_copy(struct zp_diags *diags, const struct zp_diag *diag);
/*
 * The order people read them in: warnings before errors, those without a place first, then by file and
 * place; else as found.
 */
void zp_diags_sort(struct zp_diags *diags);
void zp_diags_move(struct zp_diags *diags, struct zp_diags *from);
/* Names the block it is in, as snippets show it; the text is copied. */
void zp_diag_in(struct zp_diags *diags, struct zp_diag *diag, struct zp_str context);
/* Says which object a diagnostic of this sink is about. The text is copied; NULL changes nothing. */
void zp_diag_about(struct zp_diags *diags, struct zp_diag *diag, const char *address);
/*
 * Hands over what the subjects of diagnostics point into, such as a configuration read for this purpose:
 * released, by release(object), when the sink is.
 */
void zp_diags_own(struct zp_diags *diags, void (*release)(void *object), void *object);

#define ZP_NOWHERE ((struct zp_range){ NULL, 0, 0 })

#endif

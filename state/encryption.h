/*
 * Encryption at rest: between what a state says and where it is kept. The configuration has the
 *shape of OpenTofu's `encryption` block, and so have the files: a JSON document with meta and
 *encrypted_data.
 *
 *	struct state_encryption *encryption = state_encryption_read(body, diags);
 *	state_encryption_install(encryption);          from now on the program's own
 *	state_encryption_close(STATE_ENCRYPT_STATE, state, text, &sealed, err);
 *	state_encryption_open(STATE_ENCRYPT_STATE, &text, name, true, err);
 *
 * Keys are derived when first needed and wiped when the encryption is freed. A wrong key is an
 *error: nothing is ever taken for an empty state.
 */
#ifndef STATE_ENCRYPTION_H
#define STATE_ENCRYPTION_H

#include "base/diag.h"
#include "hcl-lite/syntax.h"
#include "state/state.h"

struct state_encryption;

/* What is encrypted: the blocks of these names. The journal goes with the state. */
enum state_encryption_target { STATE_ENCRYPT_STATE, STATE_ENCRYPT_PLAN, STATE_ENCRYPT_TARGETS };

/* The body of an encryption block. NULL after diagnostics. Keys are not looked at yet. */
struct state_encryption *state_encryption_read(const struct hcl_body *body, struct zp_diags *diags);
/* The same from text, as $TF_ENCRYPTION holds it. */
struct state_encryption *state_encryption_read_text(struct zp_str text, struct zp_diags *diags);
void state_encryption_free(struct state_encryption *encryption);

/* Makes it the program's own (NULL: none); the caller keeps it, and takes it back before freeing
 * it. */
void state_encryption_install(struct state_encryption *encryption);
/* Something is encrypted when it is stored. */
bool state_encryption_is_on(enum state_encryption_target target);

/* Appends text encrypted, or as it is where nothing is configured. state may be NULL. */
int state_encryption_close(enum state_encryption_target target, const struct state *state,
	struct zp_str text, struct zp_buf *out, struct zp_error *err);
/*
 * Replaces an encrypted text by what it holds. strict: plain text is an error where encryption is
 * configured without a method "unencrypted" for it.
 */
int state_encryption_open(enum state_encryption_target target, struct zp_buf *text,
	const char *name, bool strict, struct zp_error *err);
bool state_encryption_is_sealed(struct zp_str text);

#endif

/* Shared by the files of encryption; not for others. */
#ifndef STATE_ENCRYPTION_INTERNAL_H
#define STATE_ENCRYPTION_INTERNAL_H

#include "base/vec.h"
#include "state/encryption.h"

#define STATE_MAX_KEY 32
#define STATE_MIN_ITERATIONS 600000
#define STATE_DEFAULT_SALT 32

enum state_key_source { STATE_KEY_PBKDF2, STATE_KEY_FILE, STATE_KEY_ENV, STATE_KEY_COMMAND };

struct state_key_provider {
	char *name; /* "key_provider.pbkdf2.main" */
	enum state_key_source source;
	char *secret;				/* passphrase; wiped */
	char *where;				/* path or variable */
	char **command;				/* NULL-terminated */
	const struct state_key_provider *chain; /* whose secret is the passphrase */
	int64_t iterations, key_length, salt_length;
	bool sha256; /* else sha512 */
	/* The key in use, once derived, with the salt it belongs to. */
	bool derived;
	unsigned char key[STATE_MAX_KEY], salt[64];
	size_t key_bytes, salt_bytes;
	int64_t derived_iterations;
	bool derived_sha256;
};

struct state_method {
	char *name;			 /* "method.aes_gcm.main" */
	struct state_key_provider *keys; /* NULL: unencrypted */
};

struct state_encryption {
	ZP_VEC(, struct state_key_provider *) providers;
	ZP_VEC(, struct state_method *) methods;
	struct {
		struct state_method *method, *fallback; /* NULL: none is configured */
		bool enforced;
	} targets[STATE_ENCRYPT_TARGETS];
};

#endif

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "base/process.h"
#include "state/encryption_internal.h"

#define NONCE_BYTES 12
#define TAG_BYTES 16
#define MAX_SECRET_BYTES 65536
#define COMMAND_TIMEOUT_MS 60000
#define VERSION "v0"

static struct state_encryption *installed;

void state_encryption_install(struct state_encryption *encryption)
{
	installed = encryption;
}

static const struct state_method *method_of(enum state_encryption_target target)
{
	return installed ? installed->targets[target].method : NULL;
}

bool state_encryption_is_on(enum state_encryption_target target)
{
	const struct state_method *method = method_of(target);

	return method && method->keys;
}

static void wipe(struct zp_buf *buf)
{
	if (buf->ptr)
		OPENSSL_cleanse(buf->ptr, buf->capacity);
	zp_buf_release(buf);
}

#define auto_secret zp_cleanup(wipe) struct zp_buf

/* What a provider that is no derivation gives, without the newline at its end. */
static int read_secret(
	const struct state_key_provider *provider, struct zp_buf *secret, struct zp_error *err)
{
	if (provider->source == STATE_KEY_ENV) {
		const char *text = getenv(provider->where);
		if (!text || !*text)
			return zp_error_set(err, "%s: the environment has no variable %s",
				provider->name, provider->where);
		zp_buf_puts(secret, text);
	} else if (provider->source == STATE_KEY_FILE) {
		if (zp_file_read(provider->where, MAX_SECRET_BYTES, secret, err) < 0)
			return zp_error_wrap(err, "%s", provider->name);
	} else {
		struct zp_process_result result = { 0 };
		struct zp_process_options options = { .timeout_ms = COMMAND_TIMEOUT_MS };
		int rc = zp_run((const char *const *)provider->command, &options, &result, err);
		zp_buf_str(secret, zp_buf_slice(&result.out));
		if (result.out.ptr)
			OPENSSL_cleanse(result.out.ptr, result.out.capacity);
		zp_process_result_release(&result);
		if (rc < 0)
			return zp_error_wrap(err, "%s", provider->name);
	}
	while (secret->len != STATE_MAX_KEY && secret->len &&
		(secret->ptr[secret->len - 1] == '\n' || secret->ptr[secret->len - 1] == '\r'))
		secret->ptr[--secret->len] = 0;
	return secret->len ? 0 : zp_error_set(err, "%s gave an empty key", provider->name);
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* 32 bytes as they are, as 64 hexadecimal digits, or as base64. */
static int take_raw_key(
	struct state_key_provider *provider, struct zp_str secret, struct zp_error *err)
{
	unsigned char decoded[STATE_MAX_KEY + 4];
	bool ok = false;

	if (secret.len == STATE_MAX_KEY) {
		memcpy(provider->key, secret.ptr, STATE_MAX_KEY);
		ok = true;
	} else if (secret.len == 2 * STATE_MAX_KEY) {
		ok = true;
		for (size_t i = 0; i < STATE_MAX_KEY && ok; i++) {
			int high = hex_digit(secret.ptr[2 * i]),
			    low = hex_digit(secret.ptr[2 * i + 1]);
			ok = high >= 0 && low >= 0;
			provider->key[i] = (unsigned char)(high * 16 + low);
		}
	} else if (secret.len == 44) {
		ok = EVP_DecodeBlock(decoded, (const unsigned char *)secret.ptr, 44) == 33 &&
		     secret.ptr[43] == '=';
		memcpy(provider->key, decoded, STATE_MAX_KEY);
	}
	OPENSSL_cleanse(decoded, sizeof(decoded));
	provider->key_bytes = STATE_MAX_KEY;
	provider->derived = ok;
	return ok ? 0
		  : zp_error_set(err,
			    "%s must give 32 bytes: as they are, as 64 hexadecimal digits, or as "
			    "base64. For a passphrase put a key provider of type pbkdf2 with chain "
			    "before it",
			    provider->name);
}

/* Derives with the salt in provider, which the caller has set. */
static int derive_pbkdf2(
	struct state_key_provider *provider, int64_t iterations, bool sha256, struct zp_error *err)
{
	auto_secret secret = ZP_BUF_INIT;

	if (provider->secret)
		zp_buf_puts(&secret, provider->secret);
	else if (read_secret(provider->chain, &secret, err) < 0)
		return -1;
	if (PKCS5_PBKDF2_HMAC(secret.ptr, (int)secret.len, provider->salt,
		    (int)provider->salt_bytes, (int)iterations,
		    sha256 ? EVP_sha256() : EVP_sha512(), STATE_MAX_KEY, provider->key) != 1)
		return zp_error_set(err, "%s: the key could not be derived", provider->name);
	provider->key_bytes = STATE_MAX_KEY;
	provider->derived_iterations = iterations;
	provider->derived_sha256 = sha256;
	provider->derived = true;
	return 0;
}

/* For storing: what was derived for reading is used again, else a new salt. */
static int need_key(struct state_key_provider *provider, struct zp_error *err)
{
	auto_secret secret = ZP_BUF_INIT;

	if (provider->derived && (provider->source != STATE_KEY_PBKDF2 ||
					 (provider->derived_iterations >= provider->iterations &&
						 provider->derived_sha256 == provider->sha256)))
		return 0;
	if (provider->source != STATE_KEY_PBKDF2)
		return read_secret(provider, &secret, err) < 0
			       ? -1
			       : take_raw_key(provider, zp_buf_slice(&secret), err);
	provider->salt_bytes = (size_t)provider->salt_length;
	if (RAND_bytes(provider->salt, (int)provider->salt_bytes) != 1)
		return zp_error_set(err, "no random numbers for a salt");
	return derive_pbkdf2(provider, provider->iterations, provider->sha256, err);
}

static void put_base64(struct zp_buf *out, const void *data, size_t length)
{
	size_t whole = 4 * ((length + 2) / 3);

	zp_buf_reserve(out, whole + 1);
	EVP_EncodeBlock((unsigned char *)out->ptr + out->len, data, (int)length);
	out->len += whole;
}

/* Heap bytes; false when it is no base64. */
static bool get_base64(struct zp_str text, struct zp_buf *out)
{
	if (!text.len || text.len % 4 || text.len > INT32_MAX)
		return false;
	zp_buf_reserve(out, text.len / 4 * 3 + 1);
	int length = EVP_DecodeBlock(
		(unsigned char *)out->ptr, (const unsigned char *)text.ptr, (int)text.len);
	if (length < 0)
		return false;
	out->len =
		(size_t)length - (text.ptr[text.len - 1] == '=') - (text.ptr[text.len - 2] == '=');
	out->ptr[out->len] = 0;
	return true;
}

static void write_meta(const struct state_key_provider *provider, struct zp_buf *out)
{
	struct zp_json_writer writer;
	zp_autobuf salt = ZP_BUF_INIT;

	zp_json_writer_init(&writer, out, false);
	zp_json_begin_object(&writer);
	if (provider->source == STATE_KEY_PBKDF2) {
		put_base64(&salt, provider->salt, provider->salt_bytes);
		zp_json_key(&writer, "salt");
		zp_json_string(&writer, zp_buf_slice(&salt));
		zp_json_key(&writer, "iterations");
		zp_json_int(&writer, provider->derived_iterations);
		zp_json_key(&writer, "hash_function");
		zp_json_cstr(&writer, provider->derived_sha256 ? "sha256" : "sha512");
		zp_json_key(&writer, "key_length");
		zp_json_int(&writer, STATE_MAX_KEY);
	}
	zp_json_end_object(&writer);
}

/* Nonce, then what the cipher gives, then the tag. */
static int encrypt(const struct state_key_provider *provider, struct zp_str text,
	struct zp_buf *out, struct zp_error *err)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int length = 0, rest = 0;

	zp_buf_reserve(out, NONCE_BYTES + text.len + TAG_BYTES + 32);
	unsigned char *nonce = (unsigned char *)out->ptr, *body = nonce + NONCE_BYTES;
	bool ok = text.len < INT32_MAX && context && RAND_bytes(nonce, NONCE_BYTES) == 1 &&
		  EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), NULL, provider->key, nonce) == 1 &&
		  EVP_EncryptUpdate(context, body, &length, (const unsigned char *)text.ptr,
			  (int)text.len) == 1 &&
		  EVP_EncryptFinal_ex(context, body + length, &rest) == 1 &&
		  EVP_CIPHER_CTX_ctrl(
			  context, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, body + length + rest) == 1;
	EVP_CIPHER_CTX_free(context);
	out->len = ok ? NONCE_BYTES + (size_t)length + (size_t)rest + TAG_BYTES : 0;
	return ok ? 0
		  : zp_error_set(
			    err, "encrypting failed%s", text.len < INT32_MAX ? "" : ": too large");
}

static bool decrypt(
	const struct state_key_provider *provider, struct zp_str sealed, struct zp_buf *out)
{
	if (sealed.len < NONCE_BYTES + TAG_BYTES)
		return false;
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	const unsigned char *nonce = (const unsigned char *)sealed.ptr;
	size_t body = sealed.len - NONCE_BYTES - TAG_BYTES;
	unsigned char tag[TAG_BYTES];
	int length = 0, rest = 0;

	memcpy(tag, nonce + NONCE_BYTES + body, TAG_BYTES);
	zp_buf_clear(out);
	zp_buf_reserve(out, body + 32);
	bool ok = context &&
		  EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), NULL, provider->key, nonce) == 1 &&
		  EVP_DecryptUpdate(context, (unsigned char *)out->ptr, &length,
			  nonce + NONCE_BYTES, (int)body) == 1 &&
		  EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, tag) == 1 &&
		  EVP_DecryptFinal_ex(context, (unsigned char *)out->ptr + length, &rest) == 1;
	EVP_CIPHER_CTX_free(context);
	out->len = ok ? (size_t)length + (size_t)rest : 0;
	out->ptr[out->len] = 0;
	return ok;
}

int state_encryption_close(enum state_encryption_target target, const struct state *state,
	struct zp_str text, struct zp_buf *out, struct zp_error *err)
{
	const struct state_method *method = method_of(target);
	zp_autobuf sealed = ZP_BUF_INIT, meta = ZP_BUF_INIT, meta_text = ZP_BUF_INIT,
		   data = ZP_BUF_INIT;
	struct zp_json_writer writer;

	if (!method || !method->keys) {
		zp_buf_str(out, text);
		return 0;
	}
	if (need_key(method->keys, err) < 0 || encrypt(method->keys, text, &sealed, err) < 0)
		return -1;
	write_meta(method->keys, &meta);
	put_base64(&meta_text, meta.ptr, meta.len);
	put_base64(&data, sealed.ptr, sealed.len);
	zp_json_writer_init(&writer, out, false);
	zp_json_begin_object(&writer);
	zp_json_key(&writer, "serial");
	zp_json_int(&writer, state ? state->serial : 0);
	zp_json_key(&writer, "lineage");
	zp_json_cstr(&writer, state ? state->lineage : "");
	zp_json_key(&writer, "meta");
	zp_json_begin_object(&writer);
	zp_json_key(&writer, method->keys->name);
	zp_json_string(&writer, zp_buf_slice(&meta_text));
	zp_json_end_object(&writer);
	zp_json_key(&writer, "encrypted_data");
	zp_json_string(&writer, zp_buf_slice(&data));
	zp_json_key(&writer, "encryption_version");
	zp_json_cstr(&writer, VERSION);
	zp_json_end_object(&writer);
	return 0;
}

struct sealed {
	struct zp_str meta; /* JSON object */
	struct zp_str data; /* base64 */
	bool version;
};

/* Looks at the document's own members only; a plain state is not read through. */
static bool read_sealed(struct zp_str text, struct sealed *sealed)
{
	struct zp_json json;
	struct zp_str key;

	*sealed = (struct sealed){ 0 };
	zp_json_init(&json, text);
	for (bool more = zp_json_enter_object(&json); more && zp_json_next_key(&json, &key);) {
		if (zp_str_is(key, "version") || zp_str_is(key, "resources"))
			break;
		if (zp_str_is(key, "meta"))
			zp_json_skip(&json, &sealed->meta);
		else if (zp_str_is(key, "encrypted_data") && zp_json_peek(&json) == ZP_JSON_STRING)
			zp_json_read_string(&json, &sealed->data);
		else if (zp_str_is(key, "encryption_version"))
			sealed->version = zp_json_skip(&json, NULL);
		else
			zp_json_skip(&json, NULL);
	}
	bool ok = !json.error && sealed->version && sealed->data.len;
	zp_json_release(&json);
	return ok;
}

bool state_encryption_is_sealed(struct zp_str text)
{
	struct sealed sealed;

	return read_sealed(text, &sealed);
}

/* The salt and so on for this provider; another name's where that is the only one: providers may be
 * renamed. */
static bool find_meta(const struct sealed *sealed, const char *name, struct zp_buf *out)
{
	struct zp_json json;
	struct zp_str key, value;
	bool found = false;

	zp_json_init(&json, sealed->meta);
	for (bool more = zp_json_enter_object(&json); more && zp_json_next_key(&json, &key);) {
		bool mine = zp_str_is(key, name);
		if (zp_json_peek(&json) != ZP_JSON_STRING || !zp_json_read_string(&json, &value))
			zp_json_skip(&json, NULL);
		else if (mine || !found) {
			zp_buf_clear(out);
			found = get_base64(value, out);
			if (mine)
				break;
		}
	}
	zp_json_release(&json);
	return found;
}

struct meta {
	unsigned char salt[64];
	size_t salt_bytes;
	int64_t iterations;
	bool sha256;
};

static bool read_meta(struct zp_str text, struct meta *meta)
{
	struct zp_json json;
	struct zp_str key, value;
	zp_autobuf salt = ZP_BUF_INIT;

	*meta = (struct meta){ 0 };
	zp_json_init(&json, text);
	for (bool more = zp_json_enter_object(&json); more && zp_json_next_key(&json, &key);) {
		if (zp_str_is(key, "salt") && zp_json_read_string(&json, &value))
			get_base64(value, &salt);
		else if (zp_str_is(key, "iterations"))
			zp_json_read_int(&json, &meta->iterations);
		else if (zp_str_is(key, "hash_function") && zp_json_read_string(&json, &value))
			meta->sha256 = zp_str_is(value, "sha256");
		else
			zp_json_skip(&json, NULL);
	}
	bool ok = !json.error && salt.len && salt.len <= sizeof(meta->salt) &&
		  meta->iterations > 0 && meta->iterations <= 100000000;
	zp_json_release(&json);
	if (ok) {
		memcpy(meta->salt, salt.ptr, salt.len);
		meta->salt_bytes = salt.len;
	}
	return ok;
}

/* The key as it was when this document was sealed. */
static int key_for(
	struct state_key_provider *provider, const struct sealed *sealed, struct zp_error *err)
{
	zp_autobuf text = ZP_BUF_INIT;
	struct meta meta;

	if (provider->source != STATE_KEY_PBKDF2)
		return need_key(provider, err);
	if (!find_meta(sealed, provider->name, &text) || !read_meta(zp_buf_slice(&text), &meta))
		return zp_error_set(err, "it was not encrypted with a passphrase");
	if (provider->derived && provider->salt_bytes == meta.salt_bytes &&
		memcmp(provider->salt, meta.salt, meta.salt_bytes) == 0 &&
		provider->derived_iterations == meta.iterations &&
		provider->derived_sha256 == meta.sha256)
		return 0;
	memcpy(provider->salt, meta.salt, meta.salt_bytes);
	provider->salt_bytes = meta.salt_bytes;
	return derive_pbkdf2(provider, meta.iterations, meta.sha256, err);
}

static int open_with(const struct state_method *method, const struct sealed *sealed,
	struct zp_buf *plain, struct zp_error *err)
{
	zp_autobuf data = ZP_BUF_INIT;

	if (!method || !method->keys)
		return zp_error_set(err, "no method with keys is configured");
	if (!get_base64(sealed->data, &data))
		return zp_error_set(err, "encrypted_data is damaged");
	if (key_for(method->keys, sealed, err) < 0)
		return -1;
	if (decrypt(method->keys, zp_buf_slice(&data), plain))
		return 0;
	/* A key that did not fit must not be what is stored with later. */
	if (method->keys->source == STATE_KEY_PBKDF2)
		method->keys->derived = false;
	return zp_error_set(err, "%s: the key does not fit, or the file is damaged", method->name);
}

static bool allows_plain(enum state_encryption_target target)
{
	const struct state_method *method = method_of(target);
	const struct state_method *fallback =
		installed ? installed->targets[target].fallback : NULL;

	return !method || !method->keys || (fallback && !fallback->keys);
}

int state_encryption_open(enum state_encryption_target target, struct zp_buf *text,
	const char *name, bool strict, struct zp_error *err)
{
	zp_autoerror first = ZP_ERROR_INIT, second = ZP_ERROR_INIT;
	struct sealed sealed;
	struct zp_buf plain = ZP_BUF_INIT;

	if (!read_sealed(zp_buf_slice(text), &sealed)) {
		if (!strict || !text->len || allows_plain(target))
			return 0;
		return zp_error_set(err,
			"%s is not encrypted, and encryption is configured without a method "
			"\"unencrypted\" for it. To take it over, add a fallback block with such a "
			"method "
			"for one run",
			name);
	}
	if (!installed || !method_of(target))
		return zp_error_set(err,
			"%s is encrypted, and no encryption is configured: add the "
			"\"encryption\" block it was stored with, or set TF_ENCRYPTION. The file "
			"was not "
			"changed",
			name);
	if (open_with(method_of(target), &sealed, &plain, &first) < 0 &&
		(!installed->targets[target].fallback ||
			open_with(installed->targets[target].fallback, &sealed, &plain, &second) <
				0)) {
		wipe(&plain);
		return zp_error_set(err,
			"%s can not be decrypted: %s%s%s. The file was not changed", name,
			zp_error_text(&first), second.message ? "; fallback: " : "",
			second.message ? zp_error_text(&second) : "");
	}
	zp_buf_release(text);
	*text = plain;
	return 0;
}

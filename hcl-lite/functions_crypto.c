/*
 * Random and derived identifiers, passwords, decryption.
 */
#include <crypt.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "hcl-lite/bytes.h"
#include "hcl-lite/function.h"

static bool give_uuid(
	struct hcl_call *call, unsigned char bytes[16], unsigned version, struct hcl_value *out)
{
	zp_autobuf text = ZP_BUF_INIT;

	bytes[6] = (unsigned char)((bytes[6] & 0x0f) | version << 4);
	bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
	for (int i = 0; i < 16; i++)
		zp_buf_printf(
			&text, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", bytes[i]);
	return hcl_call_text(call, &text, out);
}

static bool uuid(struct hcl_call *call, struct hcl_value *out)
{
	unsigned char bytes[16];

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		return hcl_call_fail(call, "no random bytes");
	return give_uuid(call, bytes, 4, out);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 32;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 36 characters with hyphens, 32 without, or in braces, or after urn:uuid: */
static bool parse_uuid(struct zp_str text, unsigned char bytes[16])
{
	size_t n = 0;
	bool hyphens;

	if (text.len == 45 && strncasecmp(text.ptr, "urn:uuid:", 9) == 0)
		text = zp_strn(text.ptr + 9, 36);
	else if (text.len == 38)
		text = zp_strn(text.ptr + 1, 36);
	hyphens = text.len == 36;
	if (!hyphens && text.len != 32)
		return false;
	for (size_t at = 0; at < text.len;) {
		if (hyphens && (at == 8 || at == 13 || at == 18 || at == 23)) {
			if (text.ptr[at++] != '-')
				return false;
			continue;
		}
		int high = hex_digit(text.ptr[at]), low = hex_digit(text.ptr[at + 1]);
		if (high < 0 || low < 0)
			return false;
		bytes[n++] = (unsigned char)(high * 16 + low);
		at += 2;
	}
	return true;
}

static bool uuid_namespace(struct hcl_call *call, unsigned char bytes[16])
{
	static const struct {
		const char *name;
		unsigned char last;
	} known[] = { { "dns", 0x10 }, { "url", 0x11 }, { "oid", 0x12 }, { "x500", 0x14 } };
	static const unsigned char base[16] = { 0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1,
		0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8 };
	struct zp_str text = hcl_text(call->args[0]);

	for (size_t i = 0; i < ZP_ARRAY_SIZE(known); i++) {
		if (!zp_str_is(text, known[i].name))
			continue;
		memcpy(bytes, base, sizeof(base));
		bytes[3] = known[i].last;
		return true;
	}
	if (parse_uuid(text, bytes))
		return true;
	if (text.len != 36 && text.len != 32 && text.len != 38 && text.len != 45)
		return hcl_call_fail(call,
			"uuidv5() doesn't support namespace %s (invalid UUID length: %zu)",
			text.ptr, text.len);
	return hcl_call_fail(
		call, "uuidv5() doesn't support namespace %s (invalid UUID format)", text.ptr);
}

static bool uuidv5(struct hcl_call *call, struct hcl_value *out)
{
	unsigned char space[16], sum[EVP_MAX_MD_SIZE];
	zp_autobuf data = ZP_BUF_INIT;

	if (!uuid_namespace(call, space))
		return false;
	zp_buf_add(&data, space, sizeof(space));
	zp_buf_str(&data, hcl_text(call->args[1]));
	if (!EVP_Digest(data.ptr, data.len, sum, NULL, EVP_sha1(), NULL))
		return hcl_call_fail(call, "SHA-1 is not available");
	return give_uuid(call, sum, 5, out);
}

static bool bcrypt_cost(struct hcl_call *call, int64_t *cost)
{
	*cost = 10;
	if (call->count > 2)
		return hcl_call_fail(call, "bcrypt() takes no more than two arguments");
	if (call->count == 2 && !hcl_call_int(call, call->args[1], INT64_MIN, INT64_MAX, "", cost))
		return false;
	if (*cost > 31)
		return hcl_call_fail(call,
			"error occured generating password crypto/bcrypt: cost %lld is outside "
			"allowed range (4,31)",
			(long long)*cost);
	if (*cost < 4)
		*cost = 10;
	return true;
}

static bool bcrypt(struct hcl_call *call, struct hcl_value *out)
{
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	char salt[16];
	int64_t cost;

	if (!bcrypt_cost(call, &cost))
		return false;
	if (call->args[0].count > 72)
		return hcl_call_fail(call, "error occured generating password bcrypt: password "
					   "length exceeds 72 bytes");
	if (RAND_bytes((unsigned char *)salt, sizeof(salt)) != 1 ||
		!crypt_gensalt_rn(
			"$2a$", (unsigned long)cost, salt, sizeof(salt), setting, sizeof(setting)))
		return hcl_call_fail(call, "error occured generating password");
	struct crypt_data *data = zp_arena_calloc(call->arena, 1, sizeof(*data));
	const char *hash = crypt_rn(call->args[0].text, setting, data, sizeof(*data));
	if (!hash)
		return hcl_call_fail(call, "error occured generating password");
	*out = hcl_string_cstr(call->arena, hash);
	OPENSSL_cleanse(data, sizeof(*data));
	return true;
}

static void free_key(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

static void free_context(EVP_PKEY_CTX **context)
{
	EVP_PKEY_CTX_free(*context);
}

static void free_bio(BIO **bio)
{
	BIO_free(*bio);
}

static int no_password(char *buf, int size, int writing, void *data)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)data;
	return 0;
}

static bool decrypt(EVP_PKEY *key, struct zp_str data, struct zp_buf *out)
{
	zp_cleanup(free_context) EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
	size_t len = 0;

	if (!context || EVP_PKEY_decrypt_init(context) <= 0 ||
		EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) <= 0 ||
		EVP_PKEY_decrypt(context, NULL, &len, (const unsigned char *)data.ptr, data.len) <=
			0)
		return false;
	zp_buf_reserve(out, len + 1);
	if (EVP_PKEY_decrypt(context, (unsigned char *)out->ptr, &len,
		    (const unsigned char *)data.ptr, data.len) <= 0)
		return false;
	out->len = len;
	out->ptr[len] = '\0';
	return true;
}

static bool rsadecrypt(struct hcl_call *call, struct hcl_value *out)
{
	zp_autobuf data = ZP_BUF_INIT, plain = ZP_BUF_INIT, quoted = ZP_BUF_INIT;
	size_t at;

	hcl_go_quote(&quoted, hcl_text(call->args[0]));
	if (!hcl_base64_decode(hcl_text(call->args[0]), &data, &at))
		return hcl_call_fail_argument(call, 0,
			"failed to decode input %s: cipher text must be base64-encoded",
			quoted.ptr);
	zp_cleanup(free_bio) BIO *bio =
		BIO_new_mem_buf(call->args[1].text, (int)call->args[1].count);
	zp_cleanup(free_key) EVP_PKEY *key =
		bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;
	if (!key)
		return hcl_call_fail_argument(call, 1, "invalid private key: ssh: no key found");
	if (EVP_PKEY_base_id(key) != EVP_PKEY_RSA)
		return hcl_call_fail_argument(
			call, 1, "invalid private key: an RSA private key is required");
	if (!decrypt(key, zp_buf_slice(&data), &plain))
		return hcl_call_fail(call, "failed to decrypt: crypto/rsa: decryption error");
	return hcl_call_text(call, &plain, out);
}

static const struct hcl_function functions[] = {
	{ .name = "uuid", .returns = HCL_T_STRING, .kind = HCL_IMPURE, .call = uuid },
	{ .name = "uuidv5",
		.params = { { "namespace", HCL_T_STRING, 0 }, { "name", HCL_T_STRING, 0 } },
		.returns = HCL_T_STRING,
		.call = uuidv5 },
	{ .name = "bcrypt",
		.params = { { "str", HCL_T_STRING, 0 } },
		.rest = { "cost", HCL_T_NUMBER, 0 },
		.returns = HCL_T_STRING,
		.kind = HCL_IMPURE,
		.call = bcrypt },
	{ .name = "rsadecrypt",
		.params = { { "ciphertext", HCL_T_STRING, 0 }, { "privatekey", HCL_T_STRING, 0 } },
		.returns = HCL_T_STRING,
		.call = rsadecrypt },
};

const struct hcl_function_list hcl_crypto_functions = { functions, ZP_ARRAY_SIZE(functions) };

/*
 * Digests of strings and files.
 */
#include <openssl/evp.h>

#include "hcl-lite/bytes.h"
#include "hcl-lite/function.h"
#include "hcl-lite/function_files.h"

static bool digest(struct hcl_call *call, const char *algorithm, struct zp_str data, bool base64,
	struct hcl_value *out)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	zp_autobuf text = ZP_BUF_INIT;
	const EVP_MD *md = EVP_get_digestbyname(algorithm);

	if (!md || !EVP_Digest(data.ptr, data.len, sum, &len, md, NULL))
		return hcl_call_fail(call, "%s is not available", algorithm);
	struct zp_str bytes = { (const char *)sum, len };
	if (base64)
		hcl_base64_encode(bytes, &text);
	else
		hcl_hex_encode(bytes, &text);
	return hcl_call_text(call, &text, out);
}

/* What a function's name says: file?, base64?, algorithm. */
static bool named_digest(struct hcl_call *call, struct hcl_value *out)
{
	const char *name = call->function->name;
	bool file = strncmp(name, "file", 4) == 0;
	zp_autobuf content = ZP_BUF_INIT;
	struct zp_str data = hcl_text(call->args[0]);

	name += file ? 4 : 0;
	bool base64 = strncmp(name, "base64", 6) == 0;
	name += base64 ? 6 : 0;
	if (file) {
		if (!hcl_call_read_raw(call, &content))
			return false;
		data = zp_buf_slice(&content);
	}
	return digest(call, name, data, base64, out);
}

#define DIGEST(n)                                                                                  \
	{                                                                                          \
		.name = n, .params = { { "str", HCL_T_STRING, 0 } }, .returns = HCL_T_STRING,      \
		.call = named_digest                                                               \
	}
#define FILE_DIGEST(n)                                                                             \
	{                                                                                          \
		.name = n, .params = { { "path", HCL_T_STRING, 0 } }, .returns = HCL_T_STRING,     \
		.call = named_digest                                                               \
	}

static const struct hcl_function functions[] = {
	DIGEST("md5"),
	DIGEST("sha1"),
	DIGEST("sha256"),
	DIGEST("sha512"),
	DIGEST("base64sha256"),
	DIGEST("base64sha512"),
	FILE_DIGEST("filemd5"),
	FILE_DIGEST("filesha1"),
	FILE_DIGEST("filesha256"),
	FILE_DIGEST("filesha512"),
	FILE_DIGEST("filebase64sha256"),
	FILE_DIGEST("filebase64sha512"),
};

const struct hcl_function_list hcl_hash_functions = { functions, ZP_ARRAY_SIZE(functions) };

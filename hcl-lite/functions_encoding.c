/*
 * base64 in its forms, URL encoding, other character sets.
 */
#include <errno.h>
#include <iconv.h>
#include <stdio.h>
#include <strings.h>
#include <zlib.h>

#include "base/alloc.h"
#include "hcl-lite/bytes.h"
#include "hcl-lite/deflate.h"
#include "hcl-lite/function.h"

static bool base64encode(struct hcl_call *call, struct hcl_value *out)
{
	zp_autobuf text = ZP_BUF_INIT;

	hcl_base64_encode(hcl_text(call->args[0]), &text);
	return hcl_call_text(call, &text, out);
}

static void shown(struct hcl_value v, struct zp_buf *out)
{
	if (v.marks & HCL_SENSITIVE)
		zp_buf_puts(out, "(sensitive value)");
	else
		hcl_go_quote(out, hcl_text(v));
}

static bool base64decode(struct hcl_call *call, struct hcl_value *out)
{
	zp_autobuf data = ZP_BUF_INIT, name = ZP_BUF_INIT;
	size_t at;

	shown(call->args[0], &name);
	if (!hcl_base64_decode(hcl_text(call->args[0]), &data, &at))
		return hcl_call_fail(call, "failed to decode base64 data %s", name.ptr);
	if (!hcl_is_utf8(zp_buf_slice(&data)))
		return hcl_call_fail(
			call, "the result of decoding the provided string is not valid UTF-8");
	if (!hcl_call_text(call, &data, out))
		return false;
	*out = hcl_mark(*out, call->args[0].marks);
	return true;
}

static void add_little_endian(struct zp_buf *out, uint32_t n)
{
	for (int i = 0; i < 4; i++)
		zp_buf_char(out, (char)(n >> (8 * i)));
}

/* The peer flushes before it ends the stream, with an empty stored block: so does this. */
static bool base64gzip(struct hcl_call *call, struct hcl_value *out)
{
	static const char header[10] = { 0x1f, (char)0x8b, 8, 0, 0, 0, 0, 0, 0, (char)0xff };
	static const char end[5] = { 1, 0, 0, (char)0xff, (char)0xff };
	zp_autobuf packed = ZP_BUF_INIT, text = ZP_BUF_INIT;
	struct zp_str data = hcl_text(call->args[0]);

	zp_buf_add(&packed, header, sizeof(header));
	hcl_deflate_flushed(data, &packed);
	zp_buf_add(&packed, end, sizeof(end));
	add_little_endian(&packed,
		(uint32_t)crc32(crc32(0, NULL, 0), (const Bytef *)data.ptr, (uInt)data.len));
	add_little_endian(&packed, (uint32_t)data.len);
	hcl_base64_encode(zp_buf_slice(&packed), &text);
	return hcl_call_text(call, &text, out);
}

static bool urlencode(struct hcl_call *call, struct hcl_value *out)
{
	static const char plain[] = "-_.~";
	zp_autobuf text = ZP_BUF_INIT;
	struct zp_str in = hcl_text(call->args[0]);

	for (size_t i = 0; i < in.len; i++) {
		char c = in.ptr[i];
		bool word = (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
		if (word || (c && strchr(plain, c)))
			zp_buf_char(&text, c);
		else if (c == ' ')
			zp_buf_char(&text, '+');
		else
			zp_buf_printf(&text, "%%%02X", (unsigned char)c);
	}
	return hcl_call_text(call, &text, out);
}

/*
 * The character sets the peer knows, by their registered names and the usual aliases; iconv knows
 * more. UTF-16 alone has its most significant byte first, after a mark that says so.
 */
static const struct {
	const char *name, *system;
} encodings[] = {
	{ "UTF-8", "UTF-8" },
	{ "csUTF8", "UTF-8" },
	{ "UTF-16", "UTF-16BE" },
	{ "csUTF16", "UTF-16BE" },
	{ "UTF-16BE", "UTF-16BE" },
	{ "UTF-16LE", "UTF-16LE" },
	{ "US-ASCII", "US-ASCII" },
	{ "ASCII", "US-ASCII" },
	{ "us", "US-ASCII" },
	{ "ISO646-US", "US-ASCII" },
	{ "IBM367", "US-ASCII" },
	{ "cp367", "US-ASCII" },
	{ "latin1", "ISO-8859-1" },
	{ "l1", "ISO-8859-1" },
	{ "IBM819", "ISO-8859-1" },
	{ "CP819", "ISO-8859-1" },
	{ "latin2", "ISO-8859-2" },
	{ "l2", "ISO-8859-2" },
	{ "latin3", "ISO-8859-3" },
	{ "l3", "ISO-8859-3" },
	{ "latin4", "ISO-8859-4" },
	{ "l4", "ISO-8859-4" },
	{ "cyrillic", "ISO-8859-5" },
	{ "arabic", "ISO-8859-6" },
	{ "greek", "ISO-8859-7" },
	{ "hebrew", "ISO-8859-8" },
	{ "latin5", "ISO-8859-9" },
	{ "l5", "ISO-8859-9" },
	{ "latin6", "ISO-8859-10" },
	{ "l6", "ISO-8859-10" },
	{ "Latin-9", "ISO-8859-15" },
	{ "KOI8-R", "KOI8-R" },
	{ "KOI8-U", "KOI8-U" },
	{ "macintosh", "MACINTOSH" },
	{ "mac", "MACINTOSH" },
	{ "Shift_JIS", "SHIFT_JIS" },
	{ "MS_Kanji", "SHIFT_JIS" },
	{ "EUC-JP", "EUC-JP" },
	{ "ISO-2022-JP", "ISO-2022-JP" },
	{ "EUC-KR", "EUC-KR" },
	{ "GBK", "GBK" },
	{ "CP936", "GBK" },
	{ "MS936", "GBK" },
	{ "windows-936", "GBK" },
	{ "GB18030", "GB18030" },
	{ "Big5", "BIG5" },
	{ "csBig5", "BIG5" },
};

/* Families of names that differ in a number only. */
static const struct {
	const char *prefix;
	const char *numbers[20];
} families[] = {
	{ "ISO-8859-",
		{ "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "13", "14", "15", "16" } },
	{ "ISO_8859-", { "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "14", "15", "16" } },
	{ "windows-",
		{ "874", "1250", "1251", "1252", "1253", "1254", "1255", "1256", "1257", "1258" } },
	{ "IBM", { "037", "437", "850", "852", "855", "860", "862", "863", "865", "866" } },
	{ "cp", { "037", "437", "850", "852", "855", "860", "862", "863", "865", "866" } },
	{ "", { "437", "850", "852", "855", "860", "862", "863", "865", "866" } },
};

/* The name iconv has for it, or NULL; starts the output with the mark that UTF-16 has. */
static const char *system_encoding(const char *name, struct zp_buf *out, char system[32])
{
	for (size_t i = 0; i < ZP_ARRAY_SIZE(encodings); i++) {
		if (strcasecmp(encodings[i].name, name) != 0)
			continue;
		if (out && strcasecmp(name, "UTF-16") == 0)
			zp_buf_add(out, "\xfe\xff", 2);
		return encodings[i].system;
	}
	for (size_t i = 0; i < ZP_ARRAY_SIZE(families); i++) {
		size_t len = strlen(families[i].prefix);
		if (strncasecmp(name, families[i].prefix, len) != 0)
			continue;
		for (const char *const *n = families[i].numbers; *n; n++) {
			if (strcmp(name + len, *n) != 0)
				continue;
			const char *base = i < 2 ? "ISO-8859-" : "CP";
			snprintf(system, 32, "%s%s", base, *n);
			return system;
		}
	}
	return NULL;
}

static void close_iconv(iconv_t *cd)
{
	if (*cd != (iconv_t)-1)
		iconv_close(*cd);
}

static bool recode(iconv_t cd, struct zp_str in, struct zp_buf *out)
{
	char *from = (char *)in.ptr;
	size_t left = in.len;

	for (bool flush = false;;) {
		zp_buf_reserve(out, left * 4 + 64);
		char *to = out->ptr + out->len;
		size_t room = out->capacity - out->len - 1;
		size_t before = room;
		size_t status = iconv(cd, flush ? NULL : &from, flush ? NULL : &left, &to, &room);
		out->len += before - room;
		if (status == (size_t)-1 && errno != E2BIG)
			return false;
		if (status == (size_t)-1)
			continue;
		if (flush)
			return true;
		flush = true;
	}
}

static bool textencodebase64(struct hcl_call *call, struct hcl_value *out)
{
	zp_autobuf data = ZP_BUF_INIT, text = ZP_BUF_INIT;
	const char *name = call->args[1].text;
	char scratch[32];
	const char *system = system_encoding(name, &data, scratch);
	zp_cleanup(close_iconv) iconv_t cd = system ? iconv_open(system, "UTF-8") : (iconv_t)-1;

	if (cd == (iconv_t)-1)
		return hcl_call_fail_argument(call, 1,
			"\"%s\" is not a supported IANA encoding name or alias in this Terraform "
			"version",
			name);
	if (!recode(cd, hcl_text(call->args[0]), &data))
		return hcl_call_fail_argument(call, 0,
			"the given string contains characters that cannot be represented in %s",
			name);
	hcl_base64_encode(zp_buf_slice(&data), &text);
	return hcl_call_text(call, &text, out);
}

static bool textdecodebase64(struct hcl_call *call, struct hcl_value *out)
{
	zp_autobuf data = ZP_BUF_INIT, text = ZP_BUF_INIT;
	const char *name = call->args[1].text;
	char scratch[32];
	size_t at;
	const char *system = system_encoding(name, NULL, scratch);
	/* Which byte comes first is for the mark to say. */
	if (system && strcasecmp(name, "UTF-16") == 0)
		system = "UTF-16";
	zp_cleanup(close_iconv) iconv_t cd = system ? iconv_open("UTF-8", system) : (iconv_t)-1;

	if (cd == (iconv_t)-1)
		return hcl_call_fail_argument(call, 1,
			"\"%s\" is not a supported IANA encoding name or alias in this Terraform "
			"version",
			name);
	if (!hcl_base64_decode(hcl_text(call->args[0]), &data, &at))
		return hcl_call_fail_argument(call, 0,
			"the given value is has an invalid base64 symbol at offset %zu", at);
	if (!recode(cd, zp_buf_slice(&data), &text))
		return hcl_call_fail_argument(call, 0,
			"the given string contains symbols that are not defined for %s", name);
	return hcl_call_text(call, &text, out);
}

#define STR                                                                                        \
	{                                                                                          \
		"str", HCL_T_STRING, 0                                                             \
	}
#define ENCODING                                                                                   \
	{                                                                                          \
		"encoding", HCL_T_STRING, 0                                                        \
	}

static const struct hcl_function functions[] = {
	{ .name = "base64encode",
		.params = { STR },
		.returns = HCL_T_STRING,
		.call = base64encode },
	{ .name = "base64decode",
		.params = { { "str", HCL_T_STRING, HCL_MARKED_OK } },
		.returns = HCL_T_STRING,
		.call = base64decode },
	{ .name = "base64gzip", .params = { STR }, .returns = HCL_T_STRING, .call = base64gzip },
	{ .name = "urlencode", .params = { STR }, .returns = HCL_T_STRING, .call = urlencode },
	{ .name = "textencodebase64",
		.params = { { "string", HCL_T_STRING, 0 }, ENCODING },
		.returns = HCL_T_STRING,
		.call = textencodebase64 },
	{ .name = "textdecodebase64",
		.params = { { "source", HCL_T_STRING, 0 }, ENCODING },
		.returns = HCL_T_STRING,
		.call = textdecodebase64 },
};

const struct hcl_function_list hcl_encoding_functions = { functions, ZP_ARRAY_SIZE(functions) };

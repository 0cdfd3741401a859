#include <utf8proc.h>

#include "base/alloc.h"
#include "base/vec.h"
#include "hcl-lite/function.h"
#include "hcl-lite/grapheme.h"
#include "hcl-lite/number.h"

ZP_VEC(values, struct hcl_value);

static struct zp_str text_arg(const struct hcl_call *call, size_t i)
{
	return hcl_text(call->args[i]);
}

static bool give(struct hcl_call *call, struct zp_str text, struct hcl_value *out)
{
	*out = hcl_string_value(call->arena, text);
	return true;
}

static const char *find(struct zp_str text, struct zp_str part)
{
	if (part.len == 0)
		return text.ptr;
	if (part.len == 1)
		return memchr(text.ptr, part.ptr[0], text.len);
	return memmem(text.ptr, text.len, part.ptr, part.len);
}

static bool has_prefix(struct zp_str text, struct zp_str prefix)
{
	return text.len >= prefix.len && memcmp(text.ptr, prefix.ptr, prefix.len) == 0;
}

static bool has_suffix(struct zp_str text, struct zp_str suffix)
{
	return text.len >= suffix.len &&
	       memcmp(text.ptr + text.len - suffix.len, suffix.ptr, suffix.len) == 0;
}

static bool chomp(struct hcl_call *call, struct hcl_value *out)
{
	struct zp_str text = text_arg(call, 0);

	while (text.len && (text.ptr[text.len - 1] == '\n' || text.ptr[text.len - 1] == '\r'))
		text.len--;
	return give(call, text, out);
}

/* An unknown text of which the beginning is known may be enough. */
static bool startswith(struct hcl_call *call, struct hcl_value *out)
{
	struct hcl_value v = call->args[0];
	struct zp_str prefix = text_arg(call, 1);

	if (hcl_is_known(v)) {
		*out = hcl_bool_value(has_prefix(hcl_text(v), prefix));
		return true;
	}
	struct zp_str known = v.refinement ? v.refinement->prefix : ZP_STR("");
	if (has_prefix(known, prefix))
		*out = hcl_bool_value(true);
	else if (known.len && known.len >= prefix.len)
		*out = hcl_bool_value(false);
	else
		*out = hcl_unknown_not_null(hcl_bool);
	return true;
}

static bool endswith(struct hcl_call *call, struct hcl_value *out)
{
	*out = hcl_bool_value(has_suffix(text_arg(call, 0), text_arg(call, 1)));
	return true;
}

static bool strcontains(struct hcl_call *call, struct hcl_value *out)
{
	*out = hcl_bool_value(find(text_arg(call, 0), text_arg(call, 1)) != NULL);
	return true;
}

static void add_replaced(
	struct zp_buf *out, struct zp_str text, struct zp_str from, struct zp_str to)
{
	const char *end = text.ptr + text.len;

	for (const char *at; (at = find(text, from)) && out->len <= HCL_MAX_TEXT;) {
		zp_buf_add(out, text.ptr, (size_t)(at - text.ptr));
		zp_buf_str(out, to);
		text = zp_strn(at + from.len, (size_t)(end - at) - from.len);
	}
	zp_buf_str(out, text);
}

/* Between all characters, as the peer replaces the empty string. */
static void add_interspersed(struct zp_buf *out, struct zp_str text, struct zp_str to)
{
	size_t len;

	zp_buf_str(out, to);
	for (size_t at = 0; at < text.len && out->len <= HCL_MAX_TEXT; at += len) {
		hcl_rune_at(text, at, &len);
		zp_buf_add(out, text.ptr + at, len);
		zp_buf_str(out, to);
	}
}

static bool replace(struct hcl_call *call, struct hcl_value *out)
{
	zp_autobuf result = ZP_BUF_INIT;
	struct zp_str from = text_arg(call, 1);

	if (from.len > 1 && from.ptr[0] == '/' && from.ptr[from.len - 1] == '/')
		return hcl_regex_replace(call, zp_strn(from.ptr + 1, from.len - 2), out);
	if (from.len)
		add_replaced(&result, text_arg(call, 0), from, text_arg(call, 2));
	else
		add_interspersed(&result, text_arg(call, 0), text_arg(call, 2));
	return hcl_call_text(call, &result, out);
}

static bool indent(struct hcl_call *call, struct hcl_value *out)
{
	zp_autobuf result = ZP_BUF_INIT, newline = ZP_BUF_INIT;
	int64_t spaces;

	if (!hcl_call_int(call, call->args[0], INT64_MIN, INT64_MAX, "", &spaces))
		return false;
	if (spaces < 0)
		return hcl_call_fail_argument(call, 0, "the number of spaces must not be negative");
	if (spaces > HCL_MAX_TEXT)
		return hcl_call_fail_argument(call, 0, "too many spaces");
	if (!memchr(text_arg(call, 1).ptr, '\n', text_arg(call, 1).len))
		return give(call, text_arg(call, 1), out);
	zp_buf_char(&newline, '\n');
	zp_buf_pad(&newline, ' ', (size_t)spaces);
	add_replaced(&result, text_arg(call, 1), ZP_STR("\n"), zp_buf_slice(&newline));
	return hcl_call_text(call, &result, out);
}

static bool join_list(struct hcl_call *call, size_t i, struct zp_buf *result, bool *first)
{
	struct hcl_value list = call->args[i];

	for (uint32_t j = 0; j < list.count && result->len <= HCL_MAX_TEXT; j++) {
		if (hcl_is_null(list.elements[j])) {
			if (call->count > 2)
				return hcl_call_fail_argument(call, (int)i,
					"element %u of list %zu is null; cannot concatenate null "
					"values",
					j, i);
			return hcl_call_fail_argument(call, (int)i,
				"element %u is null; cannot concatenate null values", j);
		}
		if (!*first)
			zp_buf_str(result, text_arg(call, 0));
		zp_buf_str(result, hcl_text(list.elements[j]));
		*first = false;
	}
	return true;
}

static bool join(struct hcl_call *call, struct hcl_value *out)
{
	zp_autobuf result = ZP_BUF_INIT;
	bool first = true;

	if (call->count < 2)
		return hcl_call_fail(call, "at least one list is required");
	for (size_t i = 1; i < call->count; i++) {
		if (!hcl_is_wholly_known(call->args[i])) {
			*out = hcl_unknown_not_null(hcl_string);
			return true;
		}
	}
	for (size_t i = 1; i < call->count; i++)
		if (!join_list(call, i, &result, &first))
			return false;
	return hcl_call_text(call, &result, out);
}

static bool split(struct hcl_call *call, struct hcl_value *out)
{
	struct zp_str separator = text_arg(call, 0), rest = text_arg(call, 1);
	struct values list = { 0 };

	if (separator.len == 0) {
		for (size_t at = 0, len; at < rest.len; at += len) {
			hcl_rune_at(rest, at, &len);
			zp_vec_push(
				&list, hcl_string_value(call->arena, zp_strn(rest.ptr + at, len)));
		}
	} else {
		for (const char *at; (at = find(rest, separator));) {
			size_t len = (size_t)(at - rest.ptr);
			zp_vec_push(&list, hcl_string_value(call->arena, zp_strn(rest.ptr, len)));
			rest = zp_strn(at + separator.len, rest.len - len - separator.len);
		}
		zp_vec_push(&list, hcl_string_value(call->arena, rest));
	}
	*out = hcl_list_value(hcl_string, zp_vec_to_arena(&list, call->arena), list.count);
	zp_vec_release(&list);
	return true;
}

static uint32_t to_upper(uint32_t rune)
{
	/* There is no capital form of it that everybody uses. */
	if (rune == 0xdf)
		return rune;
	return (uint32_t)utf8proc_toupper((utf8proc_int32_t)rune);
}

static uint32_t to_lower(uint32_t rune)
{
	return (uint32_t)utf8proc_tolower((utf8proc_int32_t)rune);
}

static bool map_runes(struct hcl_call *call, uint32_t (*change)(uint32_t), struct hcl_value *out)
{
	struct zp_str text = text_arg(call, 0);
	zp_autobuf result = ZP_BUF_INIT;
	size_t len;

	for (size_t at = 0; at < text.len; at += len)
		zp_buf_rune(&result, change(hcl_rune_at(text, at, &len)));
	return hcl_call_text(call, &result, out);
}

static bool upper(struct hcl_call *call, struct hcl_value *out)
{
	return map_runes(call, to_upper, out);
}

static bool lower(struct hcl_call *call, struct hcl_value *out)
{
	return map_runes(call, to_lower, out);
}

static bool is_space(uint32_t rune)
{
	if (rune < 0x100)
		return (rune >= '\t' && rune <= '\r') || rune == ' ' || rune == 0x85 ||
		       rune == 0xa0;
	utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)rune);
	return category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
	       category == UTF8PROC_CATEGORY_ZP;
}

static bool is_letter_or_digit(uint32_t rune)
{
	utf8proc_category_t c = utf8proc_category((utf8proc_int32_t)rune);
	return (c >= UTF8PROC_CATEGORY_LU && c <= UTF8PROC_CATEGORY_LO) ||
	       c == UTF8PROC_CATEGORY_ND;
}

/* What ends a word, after which a capital stands. */
static bool is_separator(uint32_t rune)
{
	if (rune <= 0x7f)
		return !is_letter_or_digit(rune) && rune != '_';
	return !is_letter_or_digit(rune) && is_space(rune);
}

static bool title(struct hcl_call *call, struct hcl_value *out)
{
	struct zp_str text = text_arg(call, 0);
	zp_autobuf result = ZP_BUF_INIT;
	uint32_t previous = ' ';
	size_t len;

	for (size_t at = 0; at < text.len; at += len) {
		uint32_t rune = hcl_rune_at(text, at, &len);
		bool first = is_separator(previous) && rune != 0xdf;
		previous = rune;
		zp_buf_rune(
			&result, first ? (uint32_t)utf8proc_totitle((utf8proc_int32_t)rune) : rune);
	}
	return hcl_call_text(call, &result, out);
}

static bool strrev(struct hcl_call *call, struct hcl_value *out)
{
	struct zp_str text = text_arg(call, 0);
	char *reversed = zp_arena_text(call->arena, text.len + 1), *to = reversed + text.len;

	for (size_t at = 0, end; at < text.len; at = end) {
		end = hcl_grapheme_end(text, at);
		to -= end - at;
		memcpy(to, text.ptr + at, end - at);
	}
	return give(call, zp_strn(reversed, text.len), out);
}

/* Past count clusters, or at the end. */
static size_t skip_graphemes(struct zp_str text, int64_t count)
{
	size_t at = 0;

	for (int64_t i = 0; i < count && at < text.len; i++)
		at = hcl_grapheme_end(text, at);
	return at;
}

static bool substr(struct hcl_call *call, struct hcl_value *out)
{
	struct zp_str text = text_arg(call, 0);
	int64_t offset, length;

	if (!hcl_call_int(call, call->args[1], INT64_MIN, INT64_MAX, "", &offset) ||
		!hcl_call_int(call, call->args[2], INT64_MIN, INT64_MAX, "", &length))
		return false;
	if (offset < 0)
		offset += (int64_t)hcl_grapheme_count(text);
	else if (length == 0)
		return give(call, ZP_STR(""), out);
	if (offset > 0) {
		size_t start = skip_graphemes(text, offset);
		text = zp_strn(text.ptr + start, text.len - start);
	}
	/* Counted from the end, a length of 0 means the rest, as does a negative one. */
	if (length > 0)
		text.len = skip_graphemes(text, length);
	return give(call, text, out);
}

static bool in_cutset(struct zp_str cutset, const char *rune, size_t len)
{
	size_t n;

	for (size_t at = 0; at < cutset.len; at += n) {
		hcl_rune_at(cutset, at, &n);
		if (n == len && memcmp(cutset.ptr + at, rune, n) == 0)
			return true;
	}
	return false;
}

static bool cut(struct zp_str text, size_t at, size_t len, const struct zp_str *cutset)
{
	size_t n;

	if (cutset)
		return in_cutset(*cutset, text.ptr + at, len);
	return is_space(hcl_rune_at(text, at, &n));
}

/* Takes runes off both ends: those of the cutset, or white space. */
static struct zp_str trim_both(struct zp_str text, const struct zp_str *cutset)
{
	size_t len;

	while (text.len) {
		hcl_rune_at(text, 0, &len);
		if (!cut(text, 0, len, cutset))
			break;
		text = zp_strn(text.ptr + len, text.len - len);
	}
	while (text.len) {
		size_t start = text.len - 1;
		while (start > 0 && ((unsigned char)text.ptr[start] & 0xc0) == 0x80)
			start--;
		if (!cut(text, start, text.len - start, cutset))
			break;
		text.len = start;
	}
	return text;
}

static bool trim(struct hcl_call *call, struct hcl_value *out)
{
	struct zp_str cutset = text_arg(call, 1);
	return give(call, trim_both(text_arg(call, 0), &cutset), out);
}

static bool trimspace(struct hcl_call *call, struct hcl_value *out)
{
	return give(call, trim_both(text_arg(call, 0), NULL), out);
}

static bool trimprefix(struct hcl_call *call, struct hcl_value *out)
{
	struct zp_str text = text_arg(call, 0), prefix = text_arg(call, 1);

	if (has_prefix(text, prefix))
		text = zp_strn(text.ptr + prefix.len, text.len - prefix.len);
	return give(call, text, out);
}

static bool trimsuffix(struct hcl_call *call, struct hcl_value *out)
{
	struct zp_str text = text_arg(call, 0), suffix = text_arg(call, 1);

	if (has_suffix(text, suffix))
		text.len -= suffix.len;
	return give(call, text, out);
}

#define STR                                                                                        \
	{                                                                                          \
		"str", HCL_T_STRING, 0                                                             \
	}

static const struct hcl_function functions[] = {
	{ .name = "chomp", .params = { STR }, .returns = HCL_T_STRING, .call = chomp },
	{ .name = "startswith",
		.params = { { "str", HCL_T_STRING, HCL_UNKNOWN_OK },
			{ "prefix", HCL_T_STRING, 0 } },
		.returns = HCL_T_BOOL,
		.call = startswith },
	{ .name = "endswith",
		.params = { STR, { "suffix", HCL_T_STRING, 0 } },
		.returns = HCL_T_BOOL,
		.call = endswith },
	{ .name = "strcontains",
		.params = { STR, { "substr", HCL_T_STRING, 0 } },
		.returns = HCL_T_BOOL,
		.call = strcontains },
	{ .name = "replace",
		.params = { STR, { "substr", HCL_T_STRING, 0 }, { "replace", HCL_T_STRING, 0 } },
		.returns = HCL_T_STRING,
		.call = replace },
	{ .name = "indent",
		.params = { { "spaces", HCL_T_NUMBER, 0 }, STR },
		.returns = HCL_T_STRING,
		.call = indent },
	{ .name = "join",
		.params = { { "separator", HCL_T_STRING, 0 } },
		.rest = { "lists", HCL_T_LIST_STRING, 0 },
		.returns = HCL_T_STRING,
		.call = join },
	{ .name = "split",
		.params = { { "separator", HCL_T_STRING, 0 }, STR },
		.returns = HCL_T_LIST_STRING,
		.call = split },
	{ .name = "upper", .params = { STR }, .returns = HCL_T_STRING, .call = upper },
	{ .name = "lower", .params = { STR }, .returns = HCL_T_STRING, .call = lower },
	{ .name = "title", .params = { STR }, .returns = HCL_T_STRING, .call = title },
	{ .name = "strrev", .params = { STR }, .returns = HCL_T_STRING, .call = strrev },
	{ .name = "substr",
		.params = { STR, { "offset", HCL_T_NUMBER, 0 }, { "length", HCL_T_NUMBER, 0 } },
		.returns = HCL_T_STRING,
		.call = substr },
	{ .name = "trim",
		.params = { STR, { "cutset", HCL_T_STRING, 0 } },
		.returns = HCL_T_STRING,
		.call = trim },
	{ .name = "trimspace", .params = { STR }, .returns = HCL_T_STRING, .call = trimspace },
	{ .name = "trimprefix",
		.params = { STR, { "prefix", HCL_T_STRING, 0 } },
		.returns = HCL_T_STRING,
		.call = trimprefix },
	{ .name = "trimsuffix",
		.params = { STR, { "suffix", HCL_T_STRING, 0 } },
		.returns = HCL_T_STRING,
		.call = trimsuffix },
};

const struct hcl_function_list hcl_string_functions = { functions, ZP_ARRAY_SIZE(functions) };

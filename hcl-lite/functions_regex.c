#include <utf8proc.h>

#include "base/alloc.h"
#include "base/vec.h"
#include "hcl-lite/function.h"
#include "hcl-lite/grapheme.h"
#include "hcl-lite/regex.h"

ZP_VEC(values, struct hcl_value);

static const char too_complex[] = "the pattern takes too many steps to match";

static void free_regex(struct hcl_regex **regex)
{
	hcl_regex_free(*regex);
}

#define auto_regex zp_cleanup(free_regex) struct hcl_regex

static size_t count_names(const struct hcl_regex *regex)
{
	size_t named = 0;

	for (size_t i = 0; i < hcl_regex_group_count(regex); i++)
		named += hcl_regex_group_name(regex, i) != NULL;
	return named;
}

/* The pattern of regex and regexall: names for all groups, or for none. */
static struct hcl_regex *compile(struct hcl_call *call)
{
	zp_autobuf expr = ZP_BUF_INIT;
	const char *code;
	struct hcl_regex *regex = hcl_regex_new(hcl_text(call->args[0]), &code, &expr);

	if (!regex) {
		hcl_call_fail_argument(call, 0, "invalid regexp pattern: %s in %s", code,
			expr.ptr ? expr.ptr : "");
		return NULL;
	}
	size_t named = count_names(regex);
	if (named && named != hcl_regex_group_count(regex)) {
		hcl_call_fail_argument(call, 0,
			"invalid regexp pattern: cannot mix both named and unnamed capture groups");
		hcl_regex_free(regex);
		return NULL;
	}
	return regex;
}

/* A match is a string, or a tuple or object of strings where the pattern has groups. */
static const struct hcl_type *match_type(const struct hcl_regex *regex)
{
	size_t n = hcl_regex_group_count(regex);
	zp_autofree const struct hcl_type **types = zp_reallocarray(NULL, n, sizeof(*types));
	zp_autofree struct hcl_attribute_type *attributes = zp_calloc(n, sizeof(*attributes));

	if (n == 0)
		return hcl_string;
	for (size_t i = 0; i < n; i++) {
		types[i] = hcl_string;
		attributes[i] = (struct hcl_attribute_type){ hcl_regex_group_name(regex, i),
			hcl_string, false };
	}
	return count_names(regex) ? hcl_object_type(attributes, n) : hcl_tuple_type(types, n);
}

static struct hcl_value span_value(struct hcl_call *call, struct zp_str text, const size_t *span)
{
	if (span[0] == SIZE_MAX)
		return hcl_null(hcl_string);
	return hcl_string_value(call->arena, zp_strn(text.ptr + span[0], span[1] - span[0]));
}

static struct hcl_value match_value(struct hcl_call *call, const struct hcl_regex *regex,
	struct zp_str text, const size_t *spans)
{
	size_t n = hcl_regex_group_count(regex);

	if (n == 0)
		return span_value(call, text, spans);
	struct hcl_value *elements = zp_arena_alloc(call->arena, n * sizeof(*elements));
	zp_autofree const char **names = zp_reallocarray(NULL, n, sizeof(*names));
	for (size_t i = 0; i < n; i++) {
		elements[i] = span_value(call, text, spans + 2 * (i + 1));
		names[i] = hcl_regex_group_name(regex, i);
	}
	return names[0] ? hcl_object_build(call->arena, names, elements, n)
			: hcl_tuple_value(elements, n);
}

static bool regex_type(struct hcl_call *call, const struct hcl_type **type)
{
	if (!hcl_is_known(call->args[0]))
		return true;
	auto_regex *regex = compile(call);
	if (!regex)
		return false;
	*type = match_type(regex);
	return true;
}

static bool regex_call(struct hcl_call *call, struct hcl_value *out)
{
	struct zp_str text = hcl_text(call->args[1]);
	auto_regex *regex = compile(call);

	if (!regex)
		return false;
	zp_autofree size_t *spans =
		zp_calloc(2 * (hcl_regex_group_count(regex) + 1), sizeof(*spans));
	switch (hcl_regex_find(regex, text, 0, spans)) {
	case HCL_MATCH:
		*out = match_value(call, regex, text, spans);
		return true;
	case HCL_NO_MATCH:
		return hcl_call_fail(call, "pattern did not match any part of the given string");
	default:
		return hcl_call_fail(call, "%s", too_complex);
	}
}

static bool regexall_type(struct hcl_call *call, const struct hcl_type **type)
{
	if (!regex_type(call, type))
		return false;
	*type = hcl_list_type(*type);
	return true;
}

static size_t rune_length(struct zp_str text, size_t at)
{
	size_t len = 1;

	if (at < text.len)
		hcl_rune_at(text, at, &len);
	return len;
}

/* An empty match right behind another one does not count. */
static bool find_all(struct hcl_call *call, const struct hcl_regex *regex, struct zp_str text,
	struct values *list)
{
	zp_autofree size_t *spans =
		zp_calloc(2 * (hcl_regex_group_count(regex) + 1), sizeof(*spans));
	size_t at = 0, previous_end = SIZE_MAX;

	while (at <= text.len) {
		enum hcl_match found = hcl_regex_find(regex, text, at, spans);
		if (found == HCL_MATCH_TOO_COMPLEX)
			return hcl_call_fail(call, "%s", too_complex);
		if (found == HCL_NO_MATCH)
			return true;
		bool empty_here = spans[1] == at;
		if (!(empty_here && spans[0] == previous_end))
			zp_vec_push(list, match_value(call, regex, text, spans));
		at = empty_here ? at + rune_length(text, at) : spans[1];
		previous_end = spans[1];
	}
	return true;
}

static bool regexall(struct hcl_call *call, struct hcl_value *out)
{
	struct values list = { 0 };
	auto_regex *regex = compile(call);

	if (!regex)
		return false;
	bool done = find_all(call, regex, hcl_text(call->args[1]), &list);
	if (done)
		*out = hcl_list_value(
			match_type(regex), zp_vec_to_arena(&list, call->arena), list.count);
	zp_vec_release(&list);
	return done;
}

struct replacement {
	const struct hcl_regex *regex;
	struct zp_str text, template;
	const size_t *spans;
};

/* Where the letters, digits and underscores that begin at a byte end. */
static size_t word_end(struct zp_str t, size_t at)
{
	while (at < t.len) {
		size_t len;
		uint32_t rune = hcl_rune_at(t, at, &len);
		utf8proc_category_t kind = utf8proc_category((utf8proc_int32_t)rune);
		bool letter = kind >= UTF8PROC_CATEGORY_LU && kind <= UTF8PROC_CATEGORY_LO;
		if (!letter && rune != '_' && kind != UTF8PROC_CATEGORY_ND)
			break;
		at += len;
	}
	return at;
}

static void add_group(struct zp_buf *out, const struct replacement *r, size_t group)
{
	const size_t *span = r->spans + 2 * group;

	if (span[0] != SIZE_MAX)
		zp_buf_add(out, r->text.ptr + span[0], span[1] - span[0]);
}

static void add_reference(struct zp_buf *out, const struct replacement *r, struct zp_str name)
{
	size_t groups = hcl_regex_group_count(r->regex), number = 0;
	bool digits = true;

	for (size_t i = 0; i < name.len; i++) {
		digits &= name.ptr[i] >= '0' && name.ptr[i] <= '9';
		if (digits && number <= groups)
			number = number * 10 + (size_t)(name.ptr[i] - '0');
	}
	if (digits) {
		/* A number has no leading zero; what has one is the name of no group. */
		if (number <= groups && (name.len == 1 || name.ptr[0] != '0'))
			add_group(out, r, number);
		return;
	}
	for (size_t i = 0; i < groups; i++) {
		const char *group = hcl_regex_group_name(r->regex, i);
		if (group && zp_str_is(name, group)) {
			add_group(out, r, i + 1);
			return;
		}
	}
}

/* $1, ${1}, $name, ${name}; $$ is a dollar sign; what is none of them stands for itself. */
static void add_replacement(struct zp_buf *out, const struct replacement *r)
{
	struct zp_str t = r->template;

	for (size_t i = 0; i < t.len; i++) {
		if (t.ptr[i] != '$' || i + 1 >= t.len) {
			zp_buf_char(out, t.ptr[i]);
			continue;
		}
		if (t.ptr[i + 1] == '$') {
			zp_buf_char(out, '$');
			i++;
			continue;
		}
		bool braces = t.ptr[i + 1] == '{';
		size_t start = i + 1 + braces, end = start;
		end = word_end(t, end);
		if (end == start || (braces && (end >= t.len || t.ptr[end] != '}'))) {
			zp_buf_char(out, '$');
			continue;
		}
		add_reference(out, r, zp_strn(t.ptr + start, end - start));
		i = end - !braces;
	}
}

static bool replace_all(
	struct hcl_call *call, struct replacement *r, size_t *spans, struct zp_buf *out)
{
	size_t last_end = 0, at = 0;

	while (at <= r->text.len && out->len <= HCL_MAX_TEXT) {
		enum hcl_match found = hcl_regex_find(r->regex, r->text, at, spans);
		if (found == HCL_MATCH_TOO_COMPLEX)
			return hcl_call_fail(call, "%s", too_complex);
		if (found == HCL_NO_MATCH)
			break;
		zp_buf_add(out, r->text.ptr + last_end, spans[0] - last_end);
		if (spans[1] > last_end || spans[0] == 0)
			add_replacement(out, r);
		last_end = spans[1];
		size_t next = at + rune_length(r->text, at);
		at = next > spans[1] ? next : spans[1];
	}
	zp_buf_add(out, r->text.ptr + last_end, r->text.len - last_end);
	return true;
}

bool hcl_regex_replace(struct hcl_call *call, struct zp_str pattern, struct hcl_value *out)
{
	zp_autobuf expr = ZP_BUF_INIT, result = ZP_BUF_INIT;
	const char *code;
	auto_regex *regex = hcl_regex_new(pattern, &code, &expr);

	if (!regex)
		return hcl_call_fail(
			call, "error parsing regexp: %s: `%s`", code, expr.ptr ? expr.ptr : "");
	zp_autofree size_t *spans =
		zp_calloc(2 * (hcl_regex_group_count(regex) + 1), sizeof(*spans));
	struct replacement r = { regex, hcl_text(call->args[0]), hcl_text(call->args[2]), spans };
	return replace_all(call, &r, spans, &result) && hcl_call_text(call, &result, out);
}

#define PATTERN                                                                                    \
	{ "pattern", HCL_T_STRING, 0 },                                                            \
	{                                                                                          \
		"string", HCL_T_STRING, 0                                                          \
	}

static const struct hcl_function functions[] = {
	{ .name = "regex",
		.params = { PATTERN },
		.returns = HCL_T_ANY,
		.type = regex_type,
		.call = regex_call,
		.maybe_null = true },
	{ .name = "regexall",
		.params = { PATTERN },
		.returns = HCL_T_ANY,
		.type = regexall_type,
		.call = regexall },
};

const struct hcl_function_list hcl_regex_functions = { functions, ZP_ARRAY_SIZE(functions) };

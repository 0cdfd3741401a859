#include "hcl-lite/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/alloc.h"
#include "base/vec.h"
#include "hcl-lite/grapheme.h"

#define MAX_DEPTH 200
#define MAX_REPEAT 1000
#define MATCH_LIMIT 5000000
#define DEPTH_LIMIT 50000

ZP_VEC(names, char *);

struct hcl_regex {
	pcre2_code *code;
	pcre2_match_data *match;
	pcre2_match_context *limits;
	struct names names; /* of the groups, in order */
};

struct translator {
	struct zp_str in;
	size_t at;
	struct zp_buf out;
	struct names *names;
	unsigned depth;
	const char *code;  /* of the error */
	struct zp_str bad; /* the part it is about */
};

static bool fail(struct translator *t, const char *code, size_t from, size_t to)
{
	t->code = code;
	t->bad = zp_strn(t->in.ptr + from, to - from);
	return false;
}

static int peek(const struct translator *t, size_t ahead)
{
	return t->at + ahead < t->in.len ? (unsigned char)t->in.ptr[t->at + ahead] : -1;
}

static bool at_text(const struct translator *t, const char *text)
{
	size_t len = strlen(text);
	return t->in.len - t->at >= len && memcmp(t->in.ptr + t->at, text, len) == 0;
}

static void add_rune(struct translator *t, uint32_t rune)
{
	zp_buf_printf(&t->out, "\\x{%x}", rune);
}

static uint32_t next_rune(struct translator *t)
{
	size_t len;
	uint32_t rune = hcl_rune_at(t->in, t->at, &len);

	t->at += len;
	return rune;
}

static int hex_digit(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* After \x: two digits, or any number in braces. */
static bool hex_escape(struct translator *t, size_t start, uint32_t *rune)
{
	*rune = 0;
	if (peek(t, 0) == '{') {
		size_t digits = 0;
		for (t->at++; hex_digit(peek(t, 0)) >= 0; t->at++, digits++) {
			*rune = *rune * 16 + (uint32_t)hex_digit(peek(t, 0));
			if (*rune > 0x10ffff)
				return fail(t, "invalid escape sequence", start, t->at + 1);
		}
		if (digits == 0 || peek(t, 0) != '}')
			return fail(t, "invalid escape sequence", start,
				t->at < t->in.len ? t->at + 1 : t->in.len);
		t->at++;
		return true;
	}
	if (hex_digit(peek(t, 0)) < 0 || hex_digit(peek(t, 1)) < 0)
		return fail(t, "invalid escape sequence", start,
			t->at + 2 < t->in.len ? t->at + 2 : t->in.len);
	*rune = (uint32_t)(hex_digit(peek(t, 0)) * 16 + hex_digit(peek(t, 1)));
	t->at += 2;
	return true;
}

static bool is_octal(int c)
{
	return c >= '0' && c <= '7';
}

/* An escape that stands for one character; t->at is behind the backslash. */
static bool escaped_rune(struct translator *t, uint32_t *rune)
{
	static const char letters[] = "aftnrv";
	static const char values[] = "\a\f\t\n\r\v";
	size_t start = t->at - 1;
	int c = peek(t, 0);

	if (c < 0)
		return fail(t, "trailing backslash at end of expression", start, start + 0);
	if (c >= '1' && c <= '9' && !(c <= '7' && is_octal(peek(t, 1))))
		return fail(t, "invalid escape sequence", start, t->at + 1);
	if (is_octal(c)) {
		*rune = 0;
		for (int i = 0; i < 3 && is_octal(peek(t, 0)); i++, t->at++)
			*rune = *rune * 8 + (uint32_t)(peek(t, 0) - '0');
		return true;
	}
	if (c == 'x') {
		t->at++;
		return hex_escape(t, start, rune);
	}
	const char *letter = strchr(letters, c);
	if (letter && c) {
		*rune = (uint32_t)values[letter - letters];
		t->at++;
		return true;
	}
	bool word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
	if (c < 0x80 && !word) {
		*rune = (uint32_t)c;
		t->at++;
		return true;
	}
	size_t len;
	hcl_rune_at(t->in, t->at, &len);
	return fail(t, "invalid escape sequence", start, t->at + len);
}

/* \d \s \w and their opposites, which are ASCII; the members without brackets. */
static const char *perl_class(int c)
{
	switch (c) {
	case 'd':
		return "0-9";
	case 'D':
		return "\\x{0}-/:-\\x{10ffff}";
	case 's':
		return "\\t\\n\\f\\r ";
	case 'S':
		return "\\x{0}-\\x{8}\\x{b}\\x{e}-\\x{1f}!-\\x{10ffff}";
	case 'w':
		return "0-9A-Za-z_";
	case 'W':
		return "\\x{0}-/:-@\\[-\\^`{-\\x{10ffff}";
	default:
		return NULL;
	}
}

/* \pL, \p{Greek}, \P{^Greek}; t->at is at the p. */
static bool unicode_class(struct translator *t)
{
	size_t start = t->at - 1;
	bool negated = peek(t, 0) == 'P';
	struct zp_str name;

	t->at++;
	if (t->at >= t->in.len)
		return fail(t, "invalid character class range", start, t->in.len);
	if (peek(t, 0) == '{') {
		const char *end = memchr(t->in.ptr + t->at, '}', t->in.len - t->at);
		if (!end)
			return fail(t, "invalid character class range", start, t->in.len);
		name = zp_strn(t->in.ptr + t->at + 1, (size_t)(end - t->in.ptr) - t->at - 1);
		t->at = (size_t)(end - t->in.ptr) + 1;
	} else {
		size_t from = t->at;
		next_rune(t);
		name = zp_strn(t->in.ptr + from, t->at - from);
	}
	if (name.len && name.ptr[0] == '^') {
		negated = !negated;
		name = zp_strn(name.ptr + 1, name.len - 1);
	}
	for (size_t i = 0; i < name.len; i++)
		if (!((name.ptr[i] | 32) >= 'a' && (name.ptr[i] | 32) <= 'z') && name.ptr[i] != '_')
			return fail(t, "invalid character class range", start, t->at);
	if (name.len == 0)
		return fail(t, "invalid character class range", start, t->at);
	zp_buf_printf(&t->out, "\\%c{%.*s}", negated ? 'P' : 'p', ZP_FMT(name));
	return true;
}

/* [:alpha:] inside brackets; *found is false when it is nothing of the kind. */
static bool posix_class(struct translator *t, bool *found)
{
	static const char *const classes[] = { "alnum", "alpha", "ascii", "blank", "cntrl", "digit",
		"graph", "lower", "print", "punct", "space", "upper", "word", "xdigit" };
	size_t start = t->at;
	const char *end = memmem(t->in.ptr + t->at + 2, t->in.len - t->at - 2, ":]", 2);

	*found = end != NULL;
	if (!end)
		return true;
	struct zp_str name = { t->in.ptr + start + 2, (size_t)(end - t->in.ptr) - start - 2 };
	size_t after = (size_t)(end - t->in.ptr) + 2;
	struct zp_str plain = name;
	if (name.len && name.ptr[0] == '^')
		plain = zp_strn(name.ptr + 1, name.len - 1);
	for (size_t i = 0; i < ZP_ARRAY_SIZE(classes); i++) {
		if (!zp_str_is(plain, classes[i]))
			continue;
		zp_buf_printf(&t->out, "[:%.*s:]", ZP_FMT(name));
		t->at = after;
		return true;
	}
	return fail(t, "invalid character class range", start, after);
}

static bool class_rune(struct translator *t, size_t open, uint32_t *rune)
{
	if (t->at >= t->in.len)
		return fail(t, "missing closing ]", open, t->in.len);
	if (peek(t, 0) != '\\') {
		*rune = next_rune(t);
		return true;
	}
	t->at++;
	return escaped_rune(t, rune);
}

static bool class_range(struct translator *t, size_t open)
{
	size_t start = t->at;
	uint32_t low, high;

	if (!class_rune(t, open, &low))
		return false;
	high = low;
	if (peek(t, 0) == '-' && peek(t, 1) >= 0 && peek(t, 1) != ']') {
		t->at++;
		if (!class_rune(t, open, &high))
			return false;
		if (high < low)
			return fail(t, "invalid character class range", start, t->at);
	}
	add_rune(t, low);
	if (high != low) {
		zp_buf_char(&t->out, '-');
		add_rune(t, high);
	}
	return true;
}

static bool class_member(struct translator *t, size_t open)
{
	bool found = false;

	if (at_text(t, "[:") && !posix_class(t, &found))
		return false;
	if (found)
		return true;
	if (peek(t, 0) == '\\' && (peek(t, 1) == 'p' || peek(t, 1) == 'P')) {
		t->at++;
		return unicode_class(t);
	}
	if (peek(t, 0) == '\\' && perl_class(peek(t, 1))) {
		zp_buf_puts(&t->out, perl_class(peek(t, 1)));
		t->at += 2;
		return true;
	}
	return class_range(t, open);
}

static bool bracket_class(struct translator *t)
{
	size_t open = t->at++;
	bool first = true;

	zp_buf_char(&t->out, '[');
	if (peek(t, 0) == '^') {
		zp_buf_char(&t->out, '^');
		t->at++;
	}
	while (peek(t, 0) != ']' || first) {
		if (t->at >= t->in.len)
			return fail(t, "missing closing ]", open, t->in.len);
		if (!class_member(t, open))
			return false;
		first = false;
	}
	t->at++;
	zp_buf_char(&t->out, ']');
	return true;
}

static bool escape(struct translator *t)
{
	uint32_t rune;
	int c = peek(t, 1);

	if (c == 'A' || c == 'z' || c == 'b' || c == 'B') {
		zp_buf_printf(&t->out, "\\%c", c);
		t->at += 2;
		return true;
	}
	if (c == 'p' || c == 'P') {
		t->at++;
		return unicode_class(t);
	}
	if (c > 0 && perl_class(c)) {
		zp_buf_printf(&t->out, "[%s]", perl_class(c));
		t->at += 2;
		return true;
	}
	t->at++;
	if (!escaped_rune(t, &rune))
		return false;
	add_rune(t, rune);
	return true;
}

/* \Q...\E: everything between stands for itself. Empty ones are nothing to repeat. */
static bool quoted(struct translator *t)
{
	bool any = false;

	t->at += 2;
	while (t->at < t->in.len && !at_text(t, "\\E")) {
		add_rune(t, next_rune(t));
		any = true;
	}
	if (t->at < t->in.len)
		t->at += 2;
	return any;
}

struct repeat {
	long min, max; /* max -1: any number */
	size_t end;
};

static bool repeat_number(const struct translator *t, size_t *at, long *number)
{
	size_t start = *at;

	*number = 0;
	while (*at < t->in.len && t->in.ptr[*at] >= '0' && t->in.ptr[*at] <= '9') {
		if (*number <= MAX_REPEAT)
			*number = *number * 10 + (t->in.ptr[*at] - '0');
		++*at;
	}
	return *at > start && !(t->in.ptr[start] == '0' && *at > start + 1);
}

/* {2}, {2,} or {2,3}; anything else in braces is text. */
static bool counted_repeat(const struct translator *t, struct repeat *r)
{
	size_t at = t->at + 1;

	if (peek(t, 0) != '{' || !repeat_number(t, &at, &r->min))
		return false;
	r->max = r->min;
	if (at < t->in.len && t->in.ptr[at] == ',') {
		at++;
		r->max = -1;
		if (at < t->in.len && t->in.ptr[at] != '}' && !repeat_number(t, &at, &r->max))
			return false;
	}
	r->end = at + 1;
	return at < t->in.len && t->in.ptr[at] == '}';
}

/* What follows an item: how often it is repeated. */
static bool repetition(struct translator *t, bool can_repeat)
{
	size_t previous = SIZE_MAX;

	for (;;) {
		struct repeat r;
		size_t start = t->at;
		int c = peek(t, 0);
		bool counted = c == '{' && counted_repeat(t, &r);
		if (!counted && c != '*' && c != '+' && c != '?')
			return true;
		t->at = counted ? r.end : t->at + 1;
		size_t end = t->at;
		if (!can_repeat)
			return fail(t, "missing argument to repetition operator", start, end);
		if (counted &&
			(r.min > MAX_REPEAT || r.max > MAX_REPEAT || (r.max >= 0 && r.max < r.min)))
			return fail(t, "invalid repeat count", start, end);
		if (peek(t, 0) == '?')
			t->at++;
		if (previous != SIZE_MAX)
			return fail(t, "invalid nested repetition operator", previous, t->at);
		zp_buf_add(&t->out, t->in.ptr + start, t->at - start);
		previous = start;
	}
}

static bool alternatives(struct translator *t);

static bool is_name(struct zp_str name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		if (!(c == '_' || (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z')))
			return false;
	}
	return name.len > 0;
}

static void add_group_name(struct translator *t, const char *name, size_t len)
{
	zp_vec_push(t->names, name ? zp_strndup(name, len) : NULL);
}

/* (?P<name> or (?<name>: PCRE2 need not know names, groups are found by number. */
static bool named_group(struct translator *t, size_t start, size_t prefix)
{
	const char *end = memchr(t->in.ptr + start, '>', t->in.len - start);

	if (!end)
		return fail(t, "invalid named capture", start, t->in.len);
	size_t after = (size_t)(end - t->in.ptr) + 1;
	struct zp_str name = { t->in.ptr + start + prefix, after - 1 - start - prefix };
	if (!is_name(name))
		return fail(t, "invalid named capture", start, after);
	add_group_name(t, name.ptr, name.len);
	zp_buf_char(&t->out, '(');
	t->at = after;
	return true;
}

/* (?i) or (?i-s: ; *group is false for the first, which has no closing parenthesis of its own. */
static bool flags(struct translator *t, size_t start, bool *group)
{
	bool negated = false, any = false;

	zp_buf_puts(&t->out, "(?");
	for (t->at += 2; t->at < t->in.len; t->at++) {
		char c = t->in.ptr[t->at];
		if (c == ':' || c == ')') {
			if (negated && !any)
				break;
			zp_buf_char(&t->out, c);
			t->at++;
			*group = c == ':';
			return true;
		}
		if (c == '-' ? negated : !strchr("imsU", c))
			break;
		negated |= c == '-';
		any = c != '-';
		zp_buf_char(&t->out, c);
	}
	return fail(t, "invalid or unsupported Perl syntax", start,
		t->at < t->in.len ? t->at + 1 : t->in.len);
}

static bool close_group(struct translator *t)
{
	if (peek(t, 0) != ')')
		return fail(t, "missing closing )", 0, t->in.len);
	t->at++;
	zp_buf_char(&t->out, ')');
	return true;
}

/* *repeatable is false after flags, which are no item. */
static bool group(struct translator *t, bool *repeatable)
{
	size_t start = t->at;
	bool has_body = true;

	if (++t->depth > MAX_DEPTH)
		return fail(t, "expression nests too deeply", 0, t->in.len);
	if (at_text(t, "(?P<")) {
		if (!named_group(t, start, 4))
			return false;
	} else if (at_text(t, "(?<")) {
		if (!named_group(t, start, 3))
			return false;
	} else if (at_text(t, "(?")) {
		if (!flags(t, start, &has_body))
			return false;
	} else {
		add_group_name(t, NULL, 0);
		zp_buf_char(&t->out, '(');
		t->at++;
	}
	*repeatable = has_body;
	if (has_body && (!alternatives(t) || !close_group(t)))
		return false;
	t->depth--;
	return true;
}

static bool item(struct translator *t, bool *repeatable)
{
	*repeatable = true;
	switch (peek(t, 0)) {
	case '(':
		return group(t, repeatable);
	case '[':
		return bracket_class(t);
	case '^':
	case '$':
	case '.':
		zp_buf_char(&t->out, t->in.ptr[t->at++]);
		return true;
	case '\\':
		if (peek(t, 1) == 'Q') {
			*repeatable = quoted(t);
			return true;
		}
		return escape(t);
	default:
		add_rune(t, next_rune(t));
		return true;
	}
}

static bool is_operator(const struct translator *t)
{
	struct repeat r;
	int c = peek(t, 0);

	return c == '*' || c == '+' || c == '?' || (c == '{' && counted_repeat(t, &r));
}

static bool alternatives(struct translator *t)
{
	bool repeatable = false;

	while (t->at < t->in.len && peek(t, 0) != ')') {
		if (peek(t, 0) == '|') {
			zp_buf_char(&t->out, '|');
			t->at++;
			repeatable = false;
			continue;
		}
		if (!is_operator(t) && !item(t, &repeatable))
			return false;
		if (!repetition(t, repeatable))
			return false;
	}
	return true;
}

static bool translate(struct translator *t)
{
	if (!alternatives(t))
		return false;
	return t->at == t->in.len || fail(t, "unexpected )", 0, t->in.len);
}

static struct hcl_regex *compile(struct translator *t, struct hcl_regex *regex)
{
	int number;
	PCRE2_SIZE offset;
	/* Without multi-line mode $ is the very end only, in RE2. */
	uint32_t options = PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_NO_UTF_CHECK;
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);

	pcre2_set_newline(context, PCRE2_NEWLINE_LF);
	pcre2_set_bsr(context, PCRE2_BSR_UNICODE);
	regex->code = pcre2_compile((PCRE2_SPTR)(t->out.ptr ? t->out.ptr : ""), t->out.len, options,
		&number, &offset, context);
	pcre2_compile_context_free(context);
	if (!regex->code) {
		fail(t,
			number == PCRE2_ERROR_UNKNOWN_UNICODE_PROPERTY
				? "invalid character class range"
				: "expression too large",
			0, t->in.len);
		return NULL;
	}
	regex->match = pcre2_match_data_create_from_pattern(regex->code, NULL);
	regex->limits = pcre2_match_context_create(NULL);
	pcre2_set_match_limit(regex->limits, MATCH_LIMIT);
	pcre2_set_depth_limit(regex->limits, DEPTH_LIMIT);
	return regex;
}

struct hcl_regex *hcl_regex_new(struct zp_str pattern, const char **code, struct zp_buf *expr)
{
	struct hcl_regex *regex = zp_calloc(1, sizeof(*regex));
	struct translator t = { .in = pattern, .names = &regex->names };

	if (!translate(&t) || !compile(&t, regex)) {
		*code = t.code;
		zp_buf_str(expr, t.bad);
		hcl_regex_free(regex);
		regex = NULL;
	}
	zp_buf_release(&t.out);
	return regex;
}

void hcl_regex_free(struct hcl_regex *regex)
{
	if (!regex)
		return;
	pcre2_match_context_free(regex->limits);
	pcre2_match_data_free(regex->match);
	pcre2_code_free(regex->code);
	for (size_t i = 0; i < regex->names.count; i++)
		free(regex->names.items[i]);
	zp_vec_release(&regex->names);
	free(regex);
}

size_t hcl_regex_group_count(const struct hcl_regex *regex)
{
	return regex->names.count;
}

const char *hcl_regex_group_name(const struct hcl_regex *regex, size_t group)
{
	return regex->names.items[group];
}

enum hcl_match hcl_regex_find(
	const struct hcl_regex *regex, struct zp_str text, size_t from, size_t *spans)
{
	int found = pcre2_match(regex->code, (PCRE2_SPTR)text.ptr, text.len, from,
		PCRE2_NO_UTF_CHECK, regex->match, regex->limits);

	if (found == PCRE2_ERROR_NOMATCH)
		return HCL_NO_MATCH;
	if (found < 0)
		return HCL_MATCH_TOO_COMPLEX;
	const PCRE2_SIZE *vector = pcre2_get_ovector_pointer(regex->match);
	for (size_t i = 0; i < 2 * (regex->names.count + 1); i++)
		spans[i] = vector[i] == PCRE2_UNSET ? SIZE_MAX : vector[i];
	return HCL_MATCH;
}

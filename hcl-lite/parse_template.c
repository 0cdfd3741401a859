/* Templates, in quotes, heredocs or bare; and labels, which are strings without sequences. */
#include "hcl-lite/template.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* \uXXXX or \UXXXXXXXX at text[i]. Gives its length. */
static size_t decode_unicode(
	struct hcl_parser *p, struct hcl_token token, size_t i, struct zp_buf *out)
{
	struct zp_str text = hcl_token_text(p, token);
	char letter = text.ptr[i + 1];
	size_t want = letter == 'u' ? 4 : 8, n = 0;
	uint32_t rune = 0;

	while (n < want && i + 2 + n < text.len && hex_digit(text.ptr[i + 2 + n]) >= 0)
		rune = rune << 4 | (uint32_t)hex_digit(text.ptr[i + 2 + n++]);
	uint32_t start = token.start + (uint32_t)i;
	struct zp_range range = hcl_range(p, start, start + 2 + (uint32_t)n);
	if (n < want)
		hcl_report(p, range, "Invalid escape sequence",
			"The \\%c escape sequence must be followed by %s hexadecimal digits.",
			letter, want == 4 ? "four" : "eight");
	else if (rune > 0x10ffff || (rune >= 0xd800 && rune < 0xe000))
		hcl_report(p, range, "Invalid escape sequence",
			"Cannot encode character U+%04x in UTF-8.", rune);
	else
		zp_buf_rune(out, rune);
	return 2 + n;
}

/* A backslash and what follows, at text[i]. Gives its length. */
static size_t decode_escape(
	struct hcl_parser *p, struct hcl_token token, size_t i, struct zp_buf *out)
{
	static const char selectors[] = "nrt\"\\", meanings[] = "\n\r\t\"\\";
	struct zp_str text = hcl_token_text(p, token);

	if (i + 1 >= text.len) {
		uint32_t at = token.start + (uint32_t)i;
		hcl_report(p, hcl_range(p, at, at + 1), "Invalid character",
			"This character is not used within the language.");
		return 1;
	}
	char c = text.ptr[i + 1];
	const char *selector = c ? strchr(selectors, c) : NULL;
	if (selector) {
		zp_buf_char(out, meanings[selector - selectors]);
		return 2;
	}
	if (c == 'u' || c == 'U')
		return decode_unicode(p, token, i, out);
	size_t n = 2;
	while (i + n < text.len && ((unsigned char)text.ptr[i + n] & 0xc0) == 0x80)
		n++;
	uint32_t start = token.start + (uint32_t)i;
	hcl_report(p, hcl_range(p, start, start + (uint32_t)n), "Invalid escape sequence",
		"The symbol \"%.*s\" is not a valid escape sequence selector.", (int)(n - 1),
		text.ptr + i + 1);
	zp_buf_add(out, text.ptr + i + 1, n - 1);
	return n;
}

/* $${ or %%{ */
static bool at_doubled_sign(struct zp_str text, size_t i)
{
	return i + 2 < text.len && (text.ptr[i] == '$' || text.ptr[i] == '%') &&
	       text.ptr[i + 1] == text.ptr[i] && text.ptr[i + 2] == '{';
}

static bool has_escapes(struct zp_str text, bool quoted)
{
	if (quoted && memchr(text.ptr, '\\', text.len))
		return true;
	for (size_t i = 0; i < text.len; i++) {
		const char *brace = memchr(text.ptr + i, '{', text.len - i);
		if (!brace)
			return false;
		i = (size_t)(brace - text.ptr);
		if (i >= 2 && at_doubled_sign(text, i - 2))
			return true;
	}
	return false;
}

/* The text a literal token means: a slice of the source where nothing in it is escaped. */
static struct zp_str decode(struct hcl_parser *p, struct hcl_token token, bool quoted)
{
	struct zp_str text = hcl_token_text(p, token);
	zp_autobuf out = ZP_BUF_INIT;

	if (!has_escapes(text, quoted))
		return text;
	for (size_t i = 0; i < text.len;) {
		if (quoted && text.ptr[i] == '\\') {
			i += decode_escape(p, token, i, &out);
		} else if (at_doubled_sign(text, i)) {
			zp_buf_add(&out, text.ptr + i + 1, 2);
			i += 3;
		} else {
			zp_buf_char(&out, text.ptr[i++]);
		}
	}
	return zp_arena_str(p->arena, zp_buf_slice(&out));
}

static bool strips(const struct hcl_parser *p, struct hcl_token token)
{
	return token.kind == HCL_TOKEN_TEMPLATE_END ? p->text.ptr[token.start] == '~'
						    : p->text.ptr[token.end - 1] == '~';
}

static void rule_interpolation(
	struct hcl_parser *p, struct hcl_token open, struct hcl_part *part, bool quoted)
{
	part->kind = HCL_PART_EXPR;
	part->expr = hcl_rule_expression(p);
	struct hcl_token token = hcl_peek(p);
	if (token.kind == HCL_TOKEN_TEMPLATE_END)
		return;
	if (token.kind == HCL_TOKEN_EOF || (quoted && token.kind == HCL_TOKEN_OPEN_QUOTE))
		hcl_fail_at(p, token, hcl_token_range(p, open),
			"Unclosed template interpolation sequence",
			"There is no closing brace for this interpolation sequence before the end "
			"of the %s. This might be caused by incorrect nesting inside the given "
			"expression.",
			token.kind == HCL_TOKEN_EOF ? "file" : "quoted template");
	hcl_show_from(
		hcl_fail(p, token, "Extra characters after interpolation expression",
			"Expected a closing brace to end the interpolation expression, but found "
			"extra characters.\n\nThis can happen when you include interpolation "
			"syntax "
			"for another language, such as shell scripting, but forget to escape the "
			"interpolation start token. If this is an embedded sequence for another "
			"language, escape it by starting with \"$${\" instead of just \"${\"."),
		hcl_token_range(p, open));
}

#define FOR_ERROR "Invalid 'for' directive"

static const char *rule_for_name(struct hcl_parser *p, const char *complaint)
{
	struct hcl_token token = hcl_peek(p);

	if (token.kind != HCL_TOKEN_IDENTIFIER) {
		hcl_fail(p, token, FOR_ERROR, "%s", complaint);
		return "";
	}
	hcl_take(p);
	return hcl_token_name(p, token);
}

static void rule_for_directive(struct hcl_parser *p, struct hcl_part *part)
{
	part->value_name = rule_for_name(p, "For directive requires variable name after 'for'.");
	if (hcl_accept(p, HCL_TOKEN_COMMA)) {
		part->key_name = part->value_name;
		part->value_name =
			rule_for_name(p, "For directive requires value variable name after comma.");
	}
	struct hcl_token token = hcl_peek(p);
	if (!hcl_token_is(p, token, "in"))
		hcl_fail(p, token, FOR_ERROR, "For directive requires 'in' keyword after names.");
	hcl_take(p);
	part->expr = hcl_rule_expression(p);
}

static const char *const keywords[] = { "if", "for", "else", "endif", "endfor" };
static const enum hcl_part_kind keyword_parts[] = { HCL_PART_IF, HCL_PART_FOR, HCL_PART_ELSE,
	HCL_PART_ENDIF, HCL_PART_ENDFOR };

static struct zp_diag *fail_keyword(struct hcl_parser *p, struct hcl_token token)
{
	struct zp_str word = hcl_token_text(p, token);
	const char *near = zp_str_suggest(word, keywords, ZP_ARRAY_SIZE(keywords));
	zp_autobuf hint = ZP_BUF_INIT;

	if (near)
		zp_buf_printf(&hint, " Did you mean \"%s\"?", near);
	return hcl_fail(p, token, "Invalid template control keyword",
		"\"%.*s\" is not a valid template control keyword.%s", ZP_FMT(word),
		near ? hint.ptr : "");
}

static void rule_directive(struct hcl_parser *p, struct hcl_token open, struct hcl_part *part)
{
	struct zp_range from = hcl_token_range(p, open);
	struct hcl_token token = hcl_peek(p);
	size_t i = 0;

	if (token.kind != HCL_TOKEN_IDENTIFIER) {
		hcl_show_from(hcl_fail(p, token, "Invalid template directive",
				      "A template directive keyword (\"if\", \"for\", etc) is "
				      "expected at the beginning of a %%{ sequence."),
			from);
		return;
	}
	while (i < ZP_ARRAY_SIZE(keywords) && !hcl_token_is(p, token, keywords[i]))
		i++;
	if (i == ZP_ARRAY_SIZE(keywords)) {
		hcl_show_from(fail_keyword(p, token), from);
		return;
	}
	hcl_take(p);
	part->kind = keyword_parts[i];
	if (part->kind == HCL_PART_IF)
		part->expr = hcl_rule_expression(p);
	else if (part->kind == HCL_PART_FOR)
		rule_for_directive(p, part);
	token = hcl_peek(p);
	if (token.kind != HCL_TOKEN_TEMPLATE_END) {
		zp_autobuf summary = ZP_BUF_INIT;
		zp_buf_printf(&summary, "Extra characters in %s marker", keywords[i]);
		hcl_show_from(hcl_fail(p, token, summary.ptr,
				      "Expected a closing brace to end the sequence, but found "
				      "extra characters."),
			from);
	}
}

/* ${...} or %{...}; the token that opens it is next. True when it strips the text behind it. */
static bool rule_sequence(struct hcl_parser *p, struct hcl_part_vec *parts, bool quoted)
{
	struct hcl_token open = hcl_take(p);
	struct hcl_part part = { .kind = HCL_PART_EXPR };
	bool newlines = p->newlines;

	if (strips(p, open) && parts->count) {
		struct hcl_part *before = &parts->items[parts->count - 1];
		if (before->kind == HCL_PART_TEXT)
			before->text = hcl_trim_end(before->text);
	}
	p->newlines = false;
	if (open.kind == HCL_TOKEN_INTERPOLATION)
		rule_interpolation(p, open, &part, quoted);
	else
		rule_directive(p, open, &part);
	struct hcl_token close = hcl_take(p);
	p->newlines = newlines;
	part.range = hcl_range(p, open.start, p->last_end);
	zp_vec_push(parts, part);
	return !p->failed && strips(p, close);
}

static void add_text(
	struct hcl_parser *p, struct hcl_part_vec *parts, struct hcl_token token, bool quoted)
{
	struct hcl_part part = { .kind = HCL_PART_TEXT, .range = hcl_token_range(p, token) };

	part.text = decode(p, token, quoted);
	zp_vec_push(parts, part);
}

static void strip_first(struct hcl_part_vec *parts, size_t from)
{
	if (parts->count > from && parts->items[from].kind == HCL_PART_TEXT)
		parts->items[from].text = hcl_trim_start(parts->items[from].text);
}

static void fail_unterminated(struct hcl_parser *p, struct hcl_token token, struct hcl_token first)
{
	hcl_show_from(hcl_fail(p, token, "Unterminated template string",
			      "No closing marker was found for the string."),
		hcl_token_range(p, first));
}

/* Reads to the closing token `close`, EOF for a bare template. */
static void rule_parts(
	struct hcl_parser *p, struct hcl_part_vec *parts, enum hcl_token_kind close, bool quoted)
{
	bool strip = false, complained = false;
	struct hcl_token first = hcl_peek(p);

	for (;;) {
		struct hcl_token token = hcl_peek(p);
		size_t before = parts->count;
		bool strip_next = false;
		if (token.kind == close || p->failed) {
			struct hcl_part end = { .kind = HCL_PART_END,
				.range = hcl_token_range(p, token) };
			zp_vec_push(parts, end);
			hcl_take(p);
			return;
		}
		switch (token.kind) {
		case HCL_TOKEN_LITERAL:
			add_text(p, parts, hcl_take(p), quoted);
			break;
		case HCL_TOKEN_INTERPOLATION:
		case HCL_TOKEN_DIRECTIVE:
			strip_next = rule_sequence(p, parts, quoted);
			break;
		case HCL_TOKEN_QUOTED_NEWLINE:
		case HCL_TOKEN_INVALID_ENCODING:
			/* Once per string will do, and it is no wonder then if the end is missed.
			 */
			if (!complained)
				hcl_report_invalid(p, token);
			complained = true;
			hcl_take(p);
			break;
		default:
			if (complained)
				hcl_fail_silently(p, token);
			fail_unterminated(p, token, first);
		}
		if (strip)
			strip_first(parts, before);
		strip = strip_next;
	}
}

/* Most strings are one text, for which no list of parts is made. NULL where it is anything else. */
static struct hcl_expr *rule_plain_string(struct hcl_parser *p, struct hcl_token open)
{
	if (open.kind != HCL_TOKEN_OPEN_QUOTE || p->depth >= HCL_MAX_NESTING ||
		hcl_peek(p).kind != HCL_TOKEN_LITERAL ||
		hcl_peek_second(p).kind != HCL_TOKEN_CLOSE_QUOTE)
		return NULL;
	struct zp_str text = decode(p, hcl_take(p), true);
	hcl_take(p);
	if (p->failed)
		return NULL;
	struct hcl_expr *expr = hcl_expr_new(p, HCL_EXPR_LITERAL, open.start);
	expr->literal = hcl_string_value(p->arena, text);
	return expr;
}

struct hcl_expr *hcl_rule_template(struct hcl_parser *p, struct hcl_token open)
{
	struct hcl_expr *plain = rule_plain_string(p, open);
	if (plain)
		return plain;
	struct hcl_part_vec parts = { 0 };
	enum hcl_token_kind close = HCL_TOKEN_EOF;
	struct hcl_expr *expr;

	if (open.kind == HCL_TOKEN_OPEN_QUOTE)
		close = HCL_TOKEN_CLOSE_QUOTE;
	else if (open.kind == HCL_TOKEN_OPEN_HEREDOC)
		close = HCL_TOKEN_CLOSE_HEREDOC;
	if (hcl_enter(p))
		rule_parts(p, &parts, close, close == HCL_TOKEN_CLOSE_QUOTE);
	hcl_leave(p);
	if (p->failed) {
		expr = hcl_expr_error(p, open.start);
	} else {
		if (close == HCL_TOKEN_CLOSE_HEREDOC && p->text.ptr[open.start + 2] == '-')
			hcl_part_unindent(&parts);
		expr = hcl_part_build(p, &parts, hcl_range(p, open.start, p->last_end));
	}
	zp_vec_release(&parts);
	return expr;
}

static void fail_label(struct hcl_parser *p, struct hcl_token token)
{
	char sign = token.kind == HCL_TOKEN_INTERPOLATION ? '$' : '%';

	if (token.kind == HCL_TOKEN_EOF)
		hcl_fail(p, token, "Unterminated string literal",
			"Unable to find the closing quote mark before the end of the file.");
	else if (token.kind == HCL_TOKEN_INTERPOLATION || token.kind == HCL_TOKEN_DIRECTIVE)
		hcl_fail(p, token, "Invalid string literal",
			"Template sequences are not allowed in this string. To include a literal "
			"\"%c\", double it (as \"%c%c\") to escape it.",
			sign, sign, sign);
	else
		hcl_fail(p, token, "Invalid string literal",
			"This item is not valid in a string literal.");
}

struct zp_str hcl_rule_label(struct hcl_parser *p, struct hcl_token open)
{
	struct zp_str label = zp_strn(p->text.ptr + open.end, 0);

	for (;;) {
		struct hcl_token token = hcl_peek(p);
		if (token.kind == HCL_TOKEN_CLOSE_QUOTE) {
			hcl_take(p);
			return label;
		}
		if (token.kind != HCL_TOKEN_LITERAL) {
			fail_label(p, token);
			return label;
		}
		label = decode(p, hcl_take(p), true);
	}
}

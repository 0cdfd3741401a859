#include "hcl-lite/parser.h"

#include "base/intern.h"
#include "hcl-lite/identifier.h"
#include "hcl-lite/json_body.h"

struct hcl_parser *hcl_parser_new(const struct zp_source *source, struct zp_str text,
	enum hcl_lex_mode mode, struct zp_arena *arena, struct zp_diags *diags)
{
	struct hcl_parser *p = zp_calloc(1, sizeof(*p));

	p->source = source;
	p->text = text;
	p->arena = arena;
	p->diags = diags;
	hcl_lexer_init(&p->lexer, text, mode);
	return p;
}

void hcl_parser_free(struct hcl_parser *p)
{
	hcl_lexer_release(&p->lexer);
	zp_vec_release(&p->reported);
	free(p);
}

void hcl_parser_restart(struct hcl_parser *p, struct zp_str text, enum hcl_lex_mode mode,
	const struct hcl_offset *offsets, size_t offset_count)
{
	hcl_lexer_release(&p->lexer);
	hcl_lexer_init(&p->lexer, text, mode);
	p->text = text;
	p->offsets = offsets;
	p->offset_count = offset_count;
	p->reported.count = 0;
	p->ahead_count = p->last_end = p->depth = p->chain = 0;
	p->newlines = p->failed = p->stopped = false;
}

/* Reads on until n tokens are ahead. Comments between slash and star are no tokens here. */
static void fill(struct hcl_parser *p, uint32_t n)
{
	while (p->ahead_count < n) {
		struct hcl_token token = hcl_lexer_next(&p->lexer);
		if (token.kind != HCL_TOKEN_INLINE_COMMENT)
			p->ahead[p->ahead_count++] = token;
	}
}

static void drop(struct hcl_parser *p)
{
	p->ahead[0] = p->ahead[1];
	p->ahead_count--;
}

static struct hcl_token end_token(const struct hcl_parser *p)
{
	uint32_t end = (uint32_t)p->text.len;

	return (struct hcl_token){ end, end, HCL_TOKEN_EOF };
}

/* A comment at the very end has no newline and does not count as one. */
static bool is_skipped(const struct hcl_parser *p, struct hcl_token token)
{
	if (token.kind == HCL_TOKEN_LINE_COMMENT)
		return !p->newlines || p->text.ptr[token.end - 1] != '\n';
	return token.kind == HCL_TOKEN_NEWLINE && !p->newlines;
}

static struct hcl_token as_seen(struct hcl_token token)
{
	if (token.kind == HCL_TOKEN_LINE_COMMENT)
		token.kind = HCL_TOKEN_NEWLINE;
	return token;
}

struct hcl_token hcl_peek_further(struct hcl_parser *p)
{
	if (p->failed)
		return end_token(p);
	for (;;) {
		fill(p, 1);
		if (!is_skipped(p, p->ahead[0]))
			return as_seen(p->ahead[0]);
		drop(p);
	}
}

struct hcl_token hcl_peek_second(struct hcl_parser *p)
{
	if (hcl_peek(p).kind == HCL_TOKEN_EOF)
		return end_token(p);
	for (;;) {
		fill(p, 2);
		if (!is_skipped(p, p->ahead[1]))
			return as_seen(p->ahead[1]);
		p->ahead_count = 1;
	}
}

struct hcl_token hcl_take(struct hcl_parser *p)
{
	struct hcl_token token = hcl_peek(p);

	if (!p->failed && token.kind != HCL_TOKEN_EOF) {
		drop(p);
		p->last_end = token.end;
	}
	return token;
}

bool hcl_accept(struct hcl_parser *p, enum hcl_token_kind kind)
{
	if (hcl_peek(p).kind != kind)
		return false;
	hcl_take(p);
	return true;
}

struct zp_str hcl_token_text(const struct hcl_parser *p, struct hcl_token token)
{
	return zp_strn(p->text.ptr + token.start, token.end - token.start);
}

bool hcl_token_is(const struct hcl_parser *p, struct hcl_token token, const char *word)
{
	return token.kind == HCL_TOKEN_IDENTIFIER && zp_str_is(hcl_token_text(p, token), word);
}

/* The table of interned names has a lock; most names were seen a moment ago. */
const char *hcl_token_name(struct hcl_parser *p, struct hcl_token token)
{
	struct zp_str text = hcl_token_text(p, token);
	uint32_t hash = (uint32_t)text.len * 31;

	for (size_t i = 0; i < text.len; i++)
		hash = (hash ^ (unsigned char)text.ptr[i]) * 0x01000193;
	uint32_t slot = (hash ^ hash >> 16) % HCL_NAME_CACHE;
	if (!p->names[slot].name || !zp_str_equal(p->names[slot].text, text)) {
		p->names[slot].text = text;
		p->names[slot].name = hcl_intern_identifier(text);
	}
	return p->names[slot].name;
}

static uint32_t to_source(const struct hcl_parser *p, uint32_t offset)
{
	size_t low = 0, high = p->offset_count;

	if (!high)
		return offset;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (p->offsets[middle].text <= offset)
			low = middle;
		else
			high = middle;
	}
	return p->offsets[low].source + (offset - p->offsets[low].text);
}

struct zp_range hcl_range(const struct hcl_parser *p, uint32_t start, uint32_t end)
{
	return (struct zp_range){ p->source, to_source(p, start), to_source(p, end) };
}

struct zp_range hcl_token_range(const struct hcl_parser *p, struct hcl_token token)
{
	return hcl_range(p, token.start, token.end);
}

static struct zp_diag *report(struct hcl_parser *p, struct zp_range range, const char *summary,
	const char *fmt, va_list ap)
{
	zp_autobuf detail = ZP_BUF_INIT;

	zp_buf_vprintf(&detail, fmt, ap);
	struct zp_diag *diag =
		zp_diag_error(p->diags, range, summary, "%.*s", ZP_FMT(zp_buf_slice(&detail)));
	zp_vec_push(&p->reported, diag);
	if (p->reported.count >= HCL_MAX_SYNTAX_ERRORS) {
		p->stopped = true;
		p->failed = true;
	}
	return diag;
}

struct zp_diag *hcl_report(
	struct hcl_parser *p, struct zp_range range, const char *summary, const char *detail, ...)
{
	va_list ap;

	if (p->failed)
		return NULL;
	va_start(ap, detail);
	struct zp_diag *diag = report(p, range, summary, detail, ap);
	va_end(ap);
	return diag;
}

static struct zp_diag *fail(struct hcl_parser *p, struct hcl_token token, struct zp_range range,
	const char *summary, const char *detail, va_list ap)
{
	struct zp_diag *diag = NULL;

	if (p->failed)
		return NULL;
	if (!hcl_report_invalid(p, token))
		diag = report(p, range, summary, detail, ap);
	p->failed = true;
	p->failed_at = token.start;
	return diag;
}

struct zp_diag *hcl_fail(
	struct hcl_parser *p, struct hcl_token token, const char *summary, const char *detail, ...)
{
	va_list ap;
	va_start(ap, detail);
	struct zp_diag *diag = fail(p, token, hcl_token_range(p, token), summary, detail, ap);
	va_end(ap);
	return diag;
}

void hcl_show_from(struct zp_diag *diag, struct zp_range from)
{
	if (diag)
		diag->context = zp_range_join(from, diag->subject);
}

void hcl_fail_at(struct hcl_parser *p, struct hcl_token token, struct zp_range range,
	const char *summary, const char *detail, ...)
{
	va_list ap;
	va_start(ap, detail);
	fail(p, token, range, summary, detail, ap);
	va_end(ap);
}

void hcl_fail_silently(struct hcl_parser *p, struct hcl_token token)
{
	p->failed = true;
	p->failed_at = token.start;
}

/* What people write that the language does not have, and what to write instead. */
static const struct {
	const char *text, *summary, *detail;
} strangers[] = {
	{ "&", "Unsupported operator",
		"Bitwise operators are not supported. Did you mean boolean AND (\"&&\")?" },
	{ "|", "Unsupported operator",
		"Bitwise operators are not supported. Did you mean boolean OR (\"||\")?" },
	{ "~", "Unsupported operator",
		"Bitwise operators are not supported. Did you mean boolean NOT (\"!\")?" },
	{ "^", "Unsupported operator", "Bitwise operators are not supported." },
	{ "'", "Invalid character",
		"Single quotes are not valid. Use double quotes (\") to enclose strings." },
	{ "`", "Invalid character",
		"The \"`\" character is not valid. To create a multi-line string, use the "
		"\"heredoc\" syntax, like \"<<EOT\"." },
	{ ";", "Invalid character",
		"The \";\" character is not valid. Use newlines to separate arguments and blocks, "
		"and commas to separate items in collection values." },
	{ "\u201c", "Invalid character", NULL },
	{ "\u201d", "Invalid character", NULL },
};

static void report_stranger(struct hcl_parser *p, struct hcl_token token)
{
	struct zp_range range = hcl_token_range(p, token);

	for (size_t i = 0; i < ZP_ARRAY_SIZE(strangers); i++) {
		if (!zp_str_is(hcl_token_text(p, token), strangers[i].text))
			continue;
		hcl_report(p, range, strangers[i].summary, "%s",
			strangers[i].detail
				? strangers[i].detail
				: "\"Curly quotes\" are not valid here. These can sometimes be "
				  "inadvertently introduced when sharing code via documents or "
				  "discussion forums. It might help to replace the character with "
				  "a "
				  "\"straight quote\".");
		return;
	}
	hcl_report(
		p, range, "Invalid character", "This character is not used within the language.");
}

bool hcl_report_invalid(struct hcl_parser *p, struct hcl_token token)
{
	struct zp_range range = hcl_token_range(p, token);

	switch (token.kind) {
	case HCL_TOKEN_INVALID:
		report_stranger(p, token);
		return true;
	case HCL_TOKEN_INVALID_ENCODING:
		hcl_report(p, range, "Invalid character encoding",
			"All input files must be UTF-8 encoded. Ensure that UTF-8 encoding is "
			"selected in your editor.");
		return true;
	case HCL_TOKEN_QUOTED_NEWLINE:
	case HCL_TOKEN_UNCLOSED_QUOTE:
		hcl_report(p, range, "Invalid multi-line string",
			"Quoted strings may not be split over multiple lines. To produce a "
			"multi-line string, either use the \\n escape to represent a newline "
			"character or use the \"heredoc\" multi-line template syntax.");
		return true;
	case HCL_TOKEN_TOO_DEEP:
		hcl_report(p, range, "Configuration too deeply nested",
			"Blocks, expressions and templates may be nested at most %d levels deep.",
			HCL_MAX_NESTING);
		return true;
	default:
		return false;
	}
}

const char *hcl_place(struct hcl_parser *p, struct zp_range range)
{
	zp_autobuf text = ZP_BUF_INIT;

	hcl_place_text(range, &text);
	return zp_arena_strdup(p->arena, text.ptr);
}

bool hcl_enter(struct hcl_parser *p)
{
	p->depth++;
	if (p->depth <= HCL_MAX_NESTING)
		return true;
	struct hcl_token token = hcl_peek(p);
	if (token.end == token.start)
		token.end++;
	token.kind = HCL_TOKEN_TOO_DEEP;
	if (!p->failed)
		hcl_fail(p, token, "Configuration too deeply nested", "%s", "");
	return false;
}

bool hcl_too_long(struct hcl_parser *p, struct hcl_token token)
{
	if (++p->chain <= HCL_MAX_CHAIN)
		return false;
	hcl_fail(p, token, "Expression too long",
		"An expression may have at most %d operators or accesses in a row. Use several "
		"local values instead.",
		HCL_MAX_CHAIN);
	return true;
}

#define NODE_SIZE(member)                                                                          \
	(offsetof(struct hcl_expr, member) + sizeof(((struct hcl_expr *)NULL)->member))

static const uint8_t node_sizes[] = {
	[HCL_EXPR_LITERAL] = NODE_SIZE(literal),
	[HCL_EXPR_TEMPLATE] = NODE_SIZE(template),
	[HCL_EXPR_TEMPLATE_WRAP] = NODE_SIZE(wrapped),
	[HCL_EXPR_TEMPLATE_IF] = NODE_SIZE(conditional),
	[HCL_EXPR_TEMPLATE_FOR] = NODE_SIZE(loop),
	[HCL_EXPR_TRAVERSAL] = NODE_SIZE(traversal),
	[HCL_EXPR_RELATIVE] = NODE_SIZE(relative),
	[HCL_EXPR_INDEX] = NODE_SIZE(index),
	[HCL_EXPR_SPLAT] = NODE_SIZE(splat),
	[HCL_EXPR_SPLAT_ITEM] = NODE_SIZE(range),
	[HCL_EXPR_CALL] = NODE_SIZE(call),
	[HCL_EXPR_CONDITIONAL] = NODE_SIZE(conditional),
	[HCL_EXPR_BINARY] = NODE_SIZE(binary),
	[HCL_EXPR_UNARY] = NODE_SIZE(unary),
	[HCL_EXPR_FOR] = NODE_SIZE(loop),
	[HCL_EXPR_TUPLE] = NODE_SIZE(tuple),
	[HCL_EXPR_OBJECT] = NODE_SIZE(object),
	[HCL_EXPR_PARENS] = NODE_SIZE(wrapped),
	[HCL_EXPR_JSON] = NODE_SIZE(json),
	[HCL_EXPR_ERROR] = NODE_SIZE(range),
};

struct hcl_expr *hcl_expr_alloc(
	struct zp_arena *arena, enum hcl_expr_kind kind, struct zp_range range)
{
	struct hcl_expr *expr = zp_arena_calloc(arena, 1, node_sizes[kind]);

	expr->kind = kind;
	expr->range = range;
	return expr;
}

struct hcl_expr *hcl_expr_new(struct hcl_parser *p, enum hcl_expr_kind kind, uint32_t start)
{
	return hcl_expr_alloc(
		p->arena, kind, hcl_range(p, start, p->last_end > start ? p->last_end : start));
}

struct hcl_expr *hcl_expr_end(struct hcl_parser *p, struct hcl_expr *expr)
{
	expr->range.end = to_source(p, p->last_end);
	return expr;
}

struct hcl_expr *hcl_expr_error(struct hcl_parser *p, uint32_t start)
{
	return hcl_expr_new(p, HCL_EXPR_ERROR, start);
}

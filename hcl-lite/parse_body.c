/* Bodies, attributes and blocks, and where to go on after an error in one of them. */
#include "hcl-lite/parser.h"

#include "base/map.h"

ZP_VEC(attribute_vec, struct hcl_attribute *);
ZP_VEC(block_vec, struct hcl_block *);
ZP_VEC(label_vec, struct zp_str);
ZP_VEC(range_vec, struct zp_range);

struct body_builder {
	struct attribute_vec attributes;
	struct block_vec blocks;
	struct zp_map names; /* of attributes, once they are many */
};

#define FEW_ATTRIBUTES 16

static struct hcl_attribute *find_attribute(struct body_builder *b, const char *name)
{
	if (b->attributes.count > FEW_ATTRIBUTES)
		return zp_map_get(&b->names, zp_str(name));
	for (size_t i = 0; i < b->attributes.count; i++)
		if (b->attributes.items[i]->name == name)
			return b->attributes.items[i];
	return NULL;
}

static void add_attribute(struct hcl_parser *p, struct body_builder *b, struct hcl_attribute *a)
{
	struct hcl_attribute *first = find_attribute(b, a->name);

	if (first) {
		hcl_report(p, hcl_attribute_name_range(a), "Attribute redefined",
			"The argument \"%s\" was already set at %s. Each argument may be set only "
			"once.",
			a->name, hcl_place(p, hcl_attribute_name_range(first)));
		return;
	}
	zp_vec_push(&b->attributes, a);
	if (b->attributes.count <= FEW_ATTRIBUTES)
		return;
	size_t i = b->names.count ? b->attributes.count - 1 : 0;
	for (; i < b->attributes.count; i++)
		zp_map_set(&b->names, zp_str(b->attributes.items[i]->name), b->attributes.items[i]);
}

/*
 * Recovery. The item is read again from its start, by a lexer of its own, counting what opens and
 * closes; the first place at or behind the error where the item can have ended is where the body
 * goes on.
 */
enum brace_rule {
	BRACE_ENDS_NOTHING, /* at the top */
	BRACE_ENDS_BLOCK,   /* a closing brace too many is that of the block around */
	BRACE_ENDS_AT_LINE, /* it is when it begins a line; else it is part of what is wrong */
};

struct recovery {
	struct hcl_lexer lexer;
	struct zp_str text;
	uint32_t error;
	enum brace_rule rule;
	char *open; /* kinds of open brackets, the innermost last */
	size_t depth, capacity;
};

static void recovery_open(struct recovery *r, char kind)
{
	if (r->depth == r->capacity) {
		r->capacity = r->capacity ? r->capacity * 2 : 32;
		r->open = zp_realloc(r->open, r->capacity);
	}
	r->open[r->depth++] = kind;
}

/* Closes the innermost of that kind and all in it; false when none is open. */
static bool recovery_close(struct recovery *r, char kind)
{
	for (size_t i = r->depth; i > 0; i--)
		if (r->open[i - 1] == kind) {
			r->depth = i - 1;
			return true;
		}
	return false;
}

static bool line_begins_brace(const struct recovery *r, uint32_t offset)
{
	while (offset < r->text.len && strchr(" \t\r\n", r->text.ptr[offset]))
		offset++;
	return offset < r->text.len && r->text.ptr[offset] == '{';
}

/* After a newline at offset: can the next item begin here? */
static bool ends_item(const struct recovery *r, uint32_t offset)
{
	if (r->depth == 0)
		return offset > r->error && !line_begins_brace(r, offset);
	/*
	 * An object has such lines too; in parentheses or a template they show that it was left
	 * open. The error may have come only behind the name that begins the line.
	 */
	const char *end = memchr(r->text.ptr + offset, '\n', r->text.len - offset);
	return (!end || end - r->text.ptr > (ptrdiff_t)r->error) && r->open[r->depth - 1] != '{' &&
	       hcl_looks_like_item(r->text, offset);
}

static bool begins_line(struct zp_str text, uint32_t offset)
{
	while (offset && (text.ptr[offset - 1] == ' ' || text.ptr[offset - 1] == '\t'))
		offset--;
	return !offset || text.ptr[offset - 1] == '\n';
}

static bool is_end_of_block(const struct recovery *r, struct hcl_token brace)
{
	if (r->rule == BRACE_ENDS_NOTHING || brace.start < r->error)
		return false;
	return r->rule == BRACE_ENDS_BLOCK || begins_line(r->text, brace.start);
}

/* True when the body goes on at *offset, which may be this token's start or its end. */
static bool recovery_step(struct recovery *r, struct hcl_token token, uint32_t *offset)
{
	*offset = token.end;
	switch (token.kind) {
	case HCL_TOKEN_EOF:
		return true;
	case HCL_TOKEN_NEWLINE:
	case HCL_TOKEN_LINE_COMMENT:
		return ends_item(r, token.end);
	case HCL_TOKEN_OPEN_PAREN:
		recovery_open(r, '(');
		return false;
	case HCL_TOKEN_CLOSE_PAREN:
		recovery_close(r, '(');
		return false;
	case HCL_TOKEN_OPEN_BRACKET:
		recovery_open(r, '[');
		return false;
	case HCL_TOKEN_CLOSE_BRACKET:
		recovery_close(r, '[');
		return false;
	case HCL_TOKEN_OPEN_BRACE:
		recovery_open(r, '{');
		return false;
	case HCL_TOKEN_CLOSE_BRACE:
		if (recovery_close(r, '{') || !is_end_of_block(r, token))
			return false;
		*offset = token.start;
		return true;
	case HCL_TOKEN_INTERPOLATION:
	case HCL_TOKEN_DIRECTIVE:
		recovery_open(r, '$');
		return false;
	case HCL_TOKEN_TEMPLATE_END:
		recovery_close(r, '$');
		return false;
	case HCL_TOKEN_UNCLOSED_QUOTE:
		/* What was open in that string is left open too. */
		r->depth = 0;
		hcl_lexer_restart(&r->lexer, token.start);
		return false;
	default:
		return false;
	}
}

static void recover(struct hcl_parser *p, uint32_t item, enum brace_rule rule)
{
	struct recovery r = { .text = p->text, .error = p->failed_at, .rule = rule };
	uint32_t offset;

	if (p->stopped)
		return;
	hcl_lexer_init(&r.lexer, p->text, HCL_LEX_CONFIG);
	hcl_lexer_restart(&r.lexer, item);
	while (!recovery_step(&r, hcl_lexer_next(&r.lexer), &offset))
		;
	hcl_lexer_release(&r.lexer);
	free(r.open);
	hcl_lexer_restart(&p->lexer, offset);
	p->ahead_count = 0;
	p->last_end = offset;
	p->newlines = true;
	p->failed = false;
}

/* name = expression, without what ends it. */
static struct hcl_attribute *rule_attribute(struct hcl_parser *p)
{
	struct hcl_attribute *a = zp_new(p->arena, struct hcl_attribute);
	struct hcl_token name = hcl_take(p), equals = hcl_take(p);

	a->name = hcl_token_name(p, name);
	a->range = hcl_token_range(p, name);
	a->name_end = a->range.end;
	a->equals_start = hcl_token_range(p, equals).start;
	a->expr = hcl_rule_expression(p);
	if (p->failed) {
		a->expr = hcl_expr_error(p, equals.end);
		a->expr->range.start = a->expr->range.end = equals.end;
	}
	a->range.end = a->expr->range.end;
	return a;
}

/* The argument began at start. */
static void rule_attribute_end(struct hcl_parser *p, uint32_t start)
{
	struct hcl_token token = hcl_peek(p);
	struct zp_diag *diag;

	if (hcl_accept(p, HCL_TOKEN_NEWLINE) || token.kind == HCL_TOKEN_EOF)
		return;
	if (token.kind == HCL_TOKEN_COMMA)
		diag = hcl_fail(p, token, "Unexpected comma after argument",
			"Argument definitions must be separated by newlines, not commas. An "
			"argument definition must end with a newline.");
	else
		diag = hcl_fail(p, token, "Missing newline after argument",
			"An argument definition must end with a newline.");
	hcl_show_from(diag, hcl_range(p, start, start));
}

static void fail_header(struct hcl_parser *p, struct hcl_token token)
{
	if (token.kind == HCL_TOKEN_EQUAL)
		hcl_fail(p, token, "Invalid block definition",
			"The equals sign \"=\" indicates an argument definition, and must not be "
			"used when defining a block.");
	else if (token.kind == HCL_TOKEN_NEWLINE)
		hcl_fail(p, token, "Invalid block definition",
			"A block definition must have block content delimited by \"{\" and \"}\", "
			"starting on the same line as the block header.");
	else
		hcl_fail(p, token, "Invalid block definition",
			"Either a quoted string block label or an opening brace (\"{\") is "
			"expected here.");
}

/* Type and labels up to the opening brace, which is next when this succeeds. */
static void rule_header(struct hcl_parser *p, struct hcl_block *block)
{
	struct hcl_token type = hcl_take(p);
	struct label_vec labels = { 0 };
	struct range_vec ranges = { 0 };

	block->type = hcl_token_name(p, type);
	block->type_range = hcl_token_range(p, type);
	while (hcl_peek(p).kind != HCL_TOKEN_OPEN_BRACE) {
		struct hcl_token token = hcl_peek(p);
		if (token.kind == HCL_TOKEN_IDENTIFIER) {
			zp_vec_push(&labels, hcl_token_text(p, hcl_take(p)));
		} else if (token.kind == HCL_TOKEN_OPEN_QUOTE) {
			zp_vec_push(&labels, hcl_rule_label(p, hcl_take(p)));
		} else {
			fail_header(p, token);
			break;
		}
		zp_vec_push(&ranges, hcl_range(p, token.start, p->last_end));
	}
	block->header_range = hcl_range(p, type.start, p->last_end);
	block->label_count = labels.count;
	block->labels = zp_vec_to_arena(&labels, p->arena);
	block->label_ranges = zp_vec_to_arena(&ranges, p->arena);
	zp_vec_release(&labels);
	zp_vec_release(&ranges);
}

/* Where an item should begin, but none does. */
static void fail_item(struct hcl_parser *p, struct hcl_token token)
{
	/* A brace too many after an error is most likely the end of what was not understood. */
	if (token.kind == HCL_TOKEN_CLOSE_BRACE && p->reported.count)
		hcl_fail_silently(p, token);
	else if (token.kind == HCL_TOKEN_OPEN_QUOTE)
		hcl_fail(p, token, "Invalid argument name", "Argument names must not be quoted.");
	else
		hcl_fail(p, token, "Argument or block definition required",
			"An argument or block definition is required here.");
}

/* A name alone, at which the parser stands. */
static void fail_lone_name(struct hcl_parser *p, struct hcl_token name)
{
	struct hcl_token second = hcl_peek_second(p);

	hcl_fail_at(p, second, hcl_token_range(p, name), "Argument or block definition required",
		"An argument or block definition is required here. To set an argument, use the "
		"equals sign \"=\" to introduce the argument value.");
	p->failed_at = name.start;
}

static bool begins_block(enum hcl_token_kind second)
{
	return second == HCL_TOKEN_OPEN_BRACE || second == HCL_TOKEN_OPEN_QUOTE ||
	       second == HCL_TOKEN_IDENTIFIER;
}

static void fail_single_line_end(struct hcl_parser *p, struct hcl_token token)
{
	static const char *const summary = "Invalid single-argument block definition";

	if (token.kind == HCL_TOKEN_EOF)
		return; /* the block's end is missed in a moment */
	if (token.kind == HCL_TOKEN_COMMA)
		hcl_fail(p, token, summary,
			"Single-line block syntax can include only one argument definition. To "
			"define multiple arguments, use the multi-line block syntax with one "
			"argument definition per line.");
	else if (token.kind == HCL_TOKEN_NEWLINE)
		hcl_fail(p, token, summary,
			"An argument definition on the same line as its containing block creates a "
			"single-line block definition, which must also be closed on the same line. "
			"Place the block's closing brace immediately after the argument "
			"definition.");
	else
		hcl_fail(p, token, summary,
			"A single-line block definition must end with a closing brace immediately "
			"after its single argument definition.");
}

/* What stands on the line of the opening brace: at most one attribute, and then the closing brace.
 */
static void rule_single_line(struct hcl_parser *p, struct body_builder *b)
{
	struct hcl_token token = hcl_peek(p);
	struct hcl_token second = hcl_peek_second(p);

	if (token.kind == HCL_TOKEN_NEWLINE || token.kind == HCL_TOKEN_CLOSE_BRACE ||
		token.kind == HCL_TOKEN_EOF)
		return;
	if (token.kind != HCL_TOKEN_IDENTIFIER) {
		fail_item(p, token);
	} else if (second.kind == HCL_TOKEN_EQUAL) {
		add_attribute(p, b, rule_attribute(p));
		if (hcl_peek(p).kind != HCL_TOKEN_CLOSE_BRACE)
			fail_single_line_end(p, hcl_peek(p));
	} else if (begins_block(second.kind)) {
		hcl_fail_at(p, second, hcl_range(p, token.start, second.end),
			"Argument definition required",
			"A single-line block definition can contain only a single argument. If "
			"you meant to define argument \"%.*s\", use an equals sign to assign it a "
			"value. To define a nested block, place it on a line of its own within its "
			"parent block.",
			ZP_FMT(hcl_token_text(p, token)));
	} else {
		fail_lone_name(p, token);
	}
	if (p->failed)
		recover(p, token.start, BRACE_ENDS_BLOCK);
}

static struct hcl_body *rule_items(
	struct hcl_parser *p, const struct hcl_token *open, struct hcl_token *close);

/* The braces and what is between them, and the end of the line. */
static void rule_block_body(struct hcl_parser *p, struct hcl_block *block)
{
	struct hcl_token open = hcl_take(p), close;

	block->open_range = hcl_token_range(p, open);
	block->body = rule_items(p, &open, &close);
	block->close_range = hcl_token_range(p, close);
	block->range = zp_range_join(block->type_range, block->close_range);
	block->body->range = zp_range_join(block->open_range, block->close_range);
	block->body->end_range = block->open_range;
	if (close.kind != HCL_TOKEN_CLOSE_BRACE)
		return;
	struct hcl_token token = hcl_peek(p);
	if (!hcl_accept(p, HCL_TOKEN_NEWLINE) && token.kind != HCL_TOKEN_EOF)
		hcl_show_from(hcl_fail(p, token, "Missing newline after block definition",
				      "A block definition must end with a newline."),
			block->type_range);
}

/* NULL where the header is wrong, or the nesting too deep. */
static struct hcl_block *rule_block(struct hcl_parser *p)
{
	struct hcl_block *block = zp_new(p->arena, struct hcl_block);

	rule_header(p, block);
	if (hcl_enter(p) && !p->failed)
		rule_block_body(p, block);
	hcl_leave(p);
	return block->body ? block : NULL;
}

static void rule_item(struct hcl_parser *p, struct body_builder *b, bool nested)
{
	struct hcl_token token = hcl_peek(p);
	struct hcl_token second = hcl_peek_second(p);
	uint32_t start = token.start;
	enum brace_rule rule = nested ? BRACE_ENDS_AT_LINE : BRACE_ENDS_NOTHING;

	if (token.kind != HCL_TOKEN_IDENTIFIER) {
		fail_item(p, token);
	} else if (second.kind == HCL_TOKEN_EQUAL) {
		add_attribute(p, b, rule_attribute(p));
		if (!p->failed && nested)
			rule = BRACE_ENDS_BLOCK;
		rule_attribute_end(p, start);
	} else if (begins_block(second.kind)) {
		struct hcl_block *block = rule_block(p);
		if (block) {
			zp_vec_push(&b->blocks, block);
			start = p->failed_at; /* the block is whole: what follows it is not */
			rule = nested ? BRACE_ENDS_BLOCK : rule;
		}
	} else {
		fail_lone_name(p, token);
	}
	if (p->failed)
		recover(p, start, rule);
}

static struct hcl_body *rule_items(
	struct hcl_parser *p, const struct hcl_token *open, struct hcl_token *close)
{
	struct hcl_body *body = zp_new(p->arena, struct hcl_body);
	struct body_builder b = { 0 };
	bool newlines = p->newlines;
	size_t errors = p->reported.count;

	p->newlines = true;
	if (open)
		rule_single_line(p, &b);
	for (;;) {
		*close = hcl_peek(p);
		if (close->kind == HCL_TOKEN_EOF || (open && close->kind == HCL_TOKEN_CLOSE_BRACE))
			break;
		if (!hcl_accept(p, HCL_TOKEN_NEWLINE))
			rule_item(p, &b, open != NULL);
	}
	/* After an error in it, the brace may have been taken for another one's. */
	if (open && close->kind == HCL_TOKEN_EOF && p->reported.count == errors)
		hcl_fail_at(p, *close, hcl_token_range(p, *open), "Unclosed configuration block",
			"There is no closing brace for this block before the end of the file. This "
			"may be caused by incorrect brace nesting elsewhere in this file.");
	if (open)
		hcl_take(p);
	p->newlines = newlines;
	body->attribute_count = b.attributes.count;
	body->attributes = zp_vec_to_arena(&b.attributes, p->arena);
	body->block_count = b.blocks.count;
	body->blocks = zp_vec_to_arena(&b.blocks, p->arena);
	zp_vec_release(&b.attributes);
	zp_vec_release(&b.blocks);
	zp_map_release(&b.names);
	return body;
}

struct hcl_body *hcl_rule_body(struct hcl_parser *p)
{
	struct hcl_token end;
	struct hcl_body *body = rule_items(p, NULL, &end);

	body->range = hcl_range(p, 0, (uint32_t)p->text.len);
	body->end_range = hcl_range(p, 0, 0);
	return body;
}

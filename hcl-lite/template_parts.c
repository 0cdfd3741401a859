/* White space of templates, and the way from a list of parts to a tree. */
#include "hcl-lite/template.h"

#include "hcl-lite/identifier.h"

static bool is_space(int32_t rune)
{
	if (rune < 0x80)
		return rune == ' ' || (rune >= '\t' && rune <= '\r');
	return rune == 0x85 || rune == 0xa0 || rune == 0x1680 ||
	       (rune >= 0x2000 && rune <= 0x200a) || rune == 0x2028 || rune == 0x2029 ||
	       rune == 0x202f || rune == 0x205f || rune == 0x3000;
}

/* Length of the white space character that text starts with, or 0. */
static size_t leading_space(struct zp_str text)
{
	int32_t rune;
	size_t n = text.len ? hcl_decode_rune(text.ptr, text.len, &rune) : 0;

	return n && is_space(rune) ? n : 0;
}

struct zp_str hcl_trim_start(struct zp_str text)
{
	size_t n;

	while ((n = leading_space(text)))
		text = zp_strn(text.ptr + n, text.len - n);
	return text;
}

struct zp_str hcl_trim_end(struct zp_str text)
{
	while (text.len) {
		size_t start = text.len - 1;
		while (start && ((unsigned char)text.ptr[start] & 0xc0) == 0x80)
			start--;
		if (leading_space(zp_strn(text.ptr + start, text.len - start)) != text.len - start)
			break;
		text.len = start;
	}
	return text;
}

/* White space characters before the first other one; CR and LF together are one. */
static size_t count_indentation(struct zp_str text)
{
	size_t count = 0, n;

	while ((n = leading_space(text))) {
		if (text.len >= 2 && text.ptr[0] == '\r' && text.ptr[1] == '\n')
			n = 2;
		text = zp_strn(text.ptr + n, text.len - n);
		count++;
	}
	return count;
}

static bool ends_line(struct zp_str text)
{
	return text.len && text.ptr[text.len - 1] == '\n';
}

static bool is_blank_line(struct zp_str text)
{
	return ends_line(text) && hcl_trim_start(text).len == 0;
}

void hcl_part_unindent(struct hcl_part_vec *parts)
{
	size_t shared = SIZE_MAX;
	bool line_start = true;

	for (size_t i = 0; i < parts->count; i++) {
		const struct hcl_part *part = &parts->items[i];
		bool text = part->kind == HCL_PART_TEXT;
		if (line_start && part->kind != HCL_PART_END &&
			!(text && is_blank_line(part->text))) {
			size_t indentation = text ? count_indentation(part->text) : 0;
			shared = indentation < shared ? indentation : shared;
		}
		line_start = text && ends_line(part->text);
	}
	line_start = true;
	for (size_t i = 0; i < parts->count; i++) {
		struct hcl_part *part = &parts->items[i];
		bool text = part->kind == HCL_PART_TEXT;
		bool next_starts = text && ends_line(part->text);
		if (line_start && text && !is_blank_line(part->text))
			for (size_t n = 0; n < shared; n++) {
				size_t space = leading_space(part->text);
				part->text =
					zp_strn(part->text.ptr + space, part->text.len - space);
			}
		line_start = next_starts;
	}
}

struct builder {
	struct hcl_parser *p;
	const struct hcl_part *parts;
	size_t at;
	bool broken; /* directives do not match; reported */
};

static struct hcl_expr *build_sequence(struct builder *b);

static struct hcl_expr *new_expr(struct builder *b, enum hcl_expr_kind kind, struct zp_range range)
{
	return hcl_expr_alloc(b->p->arena, kind, range);
}

/* Texts in a row are one literal; mostly they stand in the source in a row too. */
static struct hcl_expr *build_text(struct builder *b)
{
	const struct hcl_part *first = &b->parts[b->at];
	struct zp_str whole = first->text;
	struct zp_range range = first->range;
	zp_autobuf joined = ZP_BUF_INIT;

	for (b->at++; b->parts[b->at].kind == HCL_PART_TEXT; b->at++) {
		struct zp_str next = b->parts[b->at].text;
		range.end = b->parts[b->at].range.end;
		if (!next.len)
			continue;
		if (!joined.len && (!whole.len || whole.ptr + whole.len == next.ptr)) {
			whole = whole.len ? zp_strn(whole.ptr, whole.len + next.len) : next;
			continue;
		}
		if (!joined.len)
			zp_buf_str(&joined, whole);
		zp_buf_str(&joined, next);
	}
	struct hcl_expr *expr = new_expr(b, HCL_EXPR_LITERAL, range);
	expr->literal = hcl_string_value(b->p->arena, joined.len ? zp_buf_slice(&joined) : whole);
	return expr;
}

static void unexpected(
	struct builder *b, const char *summary, const char *detail, const struct hcl_part *start)
{
	const char *place = start ? hcl_place(b->p, start->range) : "";

	if (!b->broken)
		hcl_report(b->p, b->parts[b->at].range, summary, "%s%s%s", detail, place,
			start ? "." : "");
	b->broken = true;
}

static void unexpected_end(struct builder *b, const struct hcl_part *start)
{
	bool loop = start->kind == HCL_PART_FOR;

	if (!b->broken)
		hcl_report(b->p, b->parts[b->at].range, "Unexpected end of template",
			"The %s directive at %s is missing its corresponding %s directive.",
			loop ? "for" : "if", hcl_place(b->p, start->range),
			loop ? "endfor" : "endif");
	b->broken = true;
}

static void end_if(struct builder *b, const struct hcl_part *start, bool in_else)
{
	switch (b->parts[b->at].kind) {
	case HCL_PART_ENDIF:
		b->at++;
		return;
	case HCL_PART_ELSE:
		if (in_else)
			unexpected(b, "Unexpected else directive",
				"Already in the else clause for the if started at ", start);
		return;
	case HCL_PART_ENDFOR:
		unexpected(b, "Unexpected endfor directive",
			"Expecting an endif directive for the if started at ", start);
		return;
	default:
		unexpected_end(b, start);
	}
}

static struct hcl_expr *build_if(struct builder *b)
{
	const struct hcl_part *start = &b->parts[b->at++];
	struct hcl_expr *expr = new_expr(b, HCL_EXPR_TEMPLATE_IF, start->range);

	expr->conditional.condition = start->expr;
	expr->conditional.yes = build_sequence(b);
	if (b->parts[b->at].kind == HCL_PART_ELSE) {
		b->at++;
		expr->conditional.no = build_sequence(b);
		end_if(b, start, true);
	} else {
		end_if(b, start, false);
		expr->conditional.no = new_expr(b, HCL_EXPR_LITERAL, start->range);
		expr->conditional.no->literal = hcl_string_static("");
	}
	if (!b->broken)
		expr->range.end = b->parts[b->at - 1].range.end;
	return expr;
}

static struct hcl_expr *build_for(struct builder *b)
{
	const struct hcl_part *start = &b->parts[b->at++];
	struct hcl_expr *expr = new_expr(b, HCL_EXPR_TEMPLATE_FOR, start->range);

	expr->loop.key_name = start->key_name;
	expr->loop.value_name = start->value_name;
	expr->loop.collection = start->expr;
	expr->loop.value = build_sequence(b);
	switch (b->parts[b->at].kind) {
	case HCL_PART_ENDFOR:
		if (!b->broken)
			expr->range.end = b->parts[b->at].range.end;
		b->at++;
		break;
	case HCL_PART_ELSE:
		unexpected(b, "Unexpected else directive",
			"An else clause is not expected for a for directive.", NULL);
		break;
	case HCL_PART_ENDIF:
		unexpected(b, "Unexpected endif directive",
			"Expecting an endfor directive corresponding to the for directive at ",
			start);
		break;
	default:
		unexpected_end(b, start);
	}
	return expr;
}

static struct hcl_expr *build_part(struct builder *b)
{
	const struct hcl_part *part = &b->parts[b->at];

	switch (part->kind) {
	case HCL_PART_TEXT:
		return build_text(b);
	case HCL_PART_EXPR:
		b->at++;
		return part->expr;
	case HCL_PART_IF:
		return build_if(b);
	case HCL_PART_FOR:
		return build_for(b);
	default:
		return NULL; /* the end of the sequence, whoever is in charge of it */
	}
}

/* What stands between two directives, always text when evaluated. */
static struct hcl_expr *build_sequence(struct builder *b)
{
	struct hcl_expr_vec list = { 0 };
	struct zp_range range = b->parts[b->at].range;
	struct hcl_expr *part, *expr;

	range.end = range.start;
	if (hcl_enter(b->p)) {
		while (!b->broken && (part = build_part(b))) {
			zp_vec_push(&list, part);
			range.end = part->range.end;
		}
	} else {
		b->broken = true;
	}
	hcl_leave(b->p);
	if (list.count == 0) {
		expr = new_expr(b, HCL_EXPR_LITERAL, range);
		expr->literal = hcl_string_static("");
	} else if (list.count == 1 && list.items[0]->kind == HCL_EXPR_LITERAL &&
		   list.items[0]->literal.type == hcl_string) {
		expr = list.items[0];
	} else {
		expr = new_expr(b, HCL_EXPR_TEMPLATE, range);
		expr->template.count = list.count;
		expr->template.parts = zp_vec_to_arena(&list, b->p->arena);
	}
	zp_vec_release(&list);
	return expr;
}

static const char *directive_name(enum hcl_part_kind kind)
{
	return kind == HCL_PART_ELSE ? "else" : kind == HCL_PART_ENDIF ? "endif" : "endfor";
}

struct hcl_expr *hcl_part_build(
	struct hcl_parser *p, const struct hcl_part_vec *parts, struct zp_range range)
{
	struct builder b = { .p = p, .parts = parts->items };

	if (parts->count == 2 && parts->items[0].kind == HCL_PART_EXPR) {
		struct hcl_expr *wrap = new_expr(&b, HCL_EXPR_TEMPLATE_WRAP, range);
		wrap->wrapped = parts->items[0].expr;
		return wrap;
	}
	struct hcl_expr *expr = build_sequence(&b);
	if (!b.broken && b.parts[b.at].kind != HCL_PART_END) {
		zp_autobuf summary = ZP_BUF_INIT;
		zp_buf_printf(
			&summary, "Unexpected %s directive", directive_name(b.parts[b.at].kind));
		unexpected(&b, summary.ptr,
			"The control directives within this template are unbalanced.", NULL);
	}
	if (b.broken)
		return new_expr(&b, HCL_EXPR_ERROR, range);
	expr->range = range;
	return expr;
}

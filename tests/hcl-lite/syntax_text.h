/* Syntax trees and diagnostics as short text, for tables of expectations. */
#ifndef TEST_SYNTAX_TEXT_H
#define TEST_SYNTAX_TEXT_H

#include "base/json.h"
#include "hcl-lite/json_syntax.h"

/* Without what formatting may add or take away: parentheses, quotes around one interpolation. */
static bool syntax_text_plain;

static inline void expr_text(struct zp_buf *out, const struct hcl_expr *e);

static inline void literal_text(struct zp_buf *out, struct hcl_value v)
{
	if (hcl_is_null(v))
		zp_buf_puts(out, "null");
	else if (v.type == hcl_bool)
		zp_buf_puts(out, v.boolean ? "true" : "false");
	else if (v.type == hcl_number)
		hcl_number_text(v, out);
	else
		zp_json_quote(out, hcl_text(v), false);
}

static inline void steps_text(struct zp_buf *out, const struct hcl_traverse *steps, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (steps[i].name) {
			zp_buf_printf(out, ".%s", steps[i].name);
		} else {
			zp_buf_char(out, '[');
			literal_text(out, steps[i].key);
			zp_buf_char(out, ']');
		}
	}
}

static inline void list_text(struct zp_buf *out, struct hcl_expr *const *items, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		zp_buf_char(out, ' ');
		expr_text(out, items[i]);
	}
}

static inline void form(
	struct zp_buf *out, const char *name, struct hcl_expr *const *items, size_t count)
{
	zp_buf_printf(out, "(%s", name);
	list_text(out, items, count);
	zp_buf_char(out, ')');
}

static inline void loop_text(struct zp_buf *out, const struct hcl_expr *e, const char *name)
{
	zp_buf_printf(out, "(%s %s%s%s", name, e->loop.key_name ? e->loop.key_name : "",
		e->loop.key_name ? "," : "", e->loop.value_name);
	list_text(out, &e->loop.collection, 1);
	if (e->loop.key) {
		zp_buf_puts(out, " key");
		list_text(out, &e->loop.key, 1);
	}
	zp_buf_puts(out, " value");
	list_text(out, &e->loop.value, 1);
	if (e->loop.condition) {
		zp_buf_puts(out, " if");
		list_text(out, &e->loop.condition, 1);
	}
	zp_buf_puts(out, e->loop.group ? " ...)" : ")");
}

static inline void object_text(struct zp_buf *out, const struct hcl_expr *e)
{
	zp_buf_char(out, '{');
	for (size_t i = 0; i < e->object.count; i++) {
		zp_buf_puts(out, i ? ", " : "");
		expr_text(out, e->object.items[i].key);
		zp_buf_puts(out, " = ");
		expr_text(out, e->object.items[i].value);
	}
	zp_buf_char(out, '}');
}

static inline void json_text(struct zp_buf *out, const struct hcl_json_value *j)
{
	switch (j->kind) {
	case HCL_JSON_STRING:
		if (j->string.template && !j->string.problem_count)
			expr_text(out, j->string.template);
		else
			zp_json_quote(out, j->string.text, false);
		break;
	case HCL_JSON_ARRAY:
		zp_buf_char(out, '[');
		for (size_t i = 0; i < j->array.count; i++) {
			zp_buf_puts(out, i ? ", " : "");
			json_text(out, j->array.items[i]);
		}
		zp_buf_char(out, ']');
		break;
	case HCL_JSON_OBJECT:
		zp_buf_char(out, '{');
		for (size_t i = 0; i < j->object.count; i++) {
			zp_buf_printf(out, "%s%.*s: ", i ? ", " : "",
				ZP_FMT(j->object.items[i].name.text));
			json_text(out, j->object.items[i].value);
		}
		zp_buf_char(out, '}');
		break;
	case HCL_JSON_ERROR:
		zp_buf_puts(out, "ERROR");
		break;
	default:
		literal_text(out, j->literal);
	}
}

static inline void expr_text(struct zp_buf *out, const struct hcl_expr *e)
{
	static const char *const operators[] = { "||", "&&", "==", "!=", "<", "<=", ">", ">=", "+",
		"-", "*", "/", "%", "!", "-" };

	switch (e->kind) {
	case HCL_EXPR_LITERAL:
		literal_text(out, e->literal);
		break;
	case HCL_EXPR_TEMPLATE:
		form(out, "text", e->template.parts, e->template.count);
		break;
	case HCL_EXPR_TEMPLATE_WRAP:
		if (syntax_text_plain)
			expr_text(out, e->wrapped);
		else
			form(out, "wrap", &(struct hcl_expr *){ e->wrapped }, 1);
		break;
	case HCL_EXPR_PARENS:
		if (syntax_text_plain)
			expr_text(out, e->wrapped);
		else
			form(out, "parens", &(struct hcl_expr *){ e->wrapped }, 1);
		break;
	case HCL_EXPR_TRAVERSAL:
		zp_buf_puts(out, e->traversal.root);
		steps_text(out, e->traversal.steps, e->traversal.count);
		break;
	case HCL_EXPR_RELATIVE:
		expr_text(out, e->relative.source);
		zp_buf_puts(out, " ");
		steps_text(out, e->relative.steps, e->relative.count);
		break;
	case HCL_EXPR_INDEX:
		form(out, "index", (struct hcl_expr *[]){ e->index.collection, e->index.key }, 2);
		break;
	case HCL_EXPR_SPLAT:
		form(out, "splat", (struct hcl_expr *[]){ e->splat.source, e->splat.each }, 2);
		break;
	case HCL_EXPR_SPLAT_ITEM:
		zp_buf_char(out, '@');
		break;
	case HCL_EXPR_CALL:
		form(out, e->call.name, e->call.args, e->call.count);
		if (e->call.expand_last)
			zp_buf_puts(out, "...");
		break;
	case HCL_EXPR_CONDITIONAL:
	case HCL_EXPR_TEMPLATE_IF:
		form(out, e->kind == HCL_EXPR_CONDITIONAL ? "?" : "%if",
			(struct hcl_expr *[]){
				e->conditional.condition, e->conditional.yes, e->conditional.no },
			3);
		break;
	case HCL_EXPR_BINARY:
		form(out, operators[e->binary.op],
			(struct hcl_expr *[]){ e->binary.left, e->binary.right }, 2);
		break;
	case HCL_EXPR_UNARY:
		form(out, operators[e->unary.op], &(struct hcl_expr *){ e->unary.operand }, 1);
		break;
	case HCL_EXPR_FOR:
		loop_text(out, e, "for");
		break;
	case HCL_EXPR_TEMPLATE_FOR:
		loop_text(out, e, "%for");
		break;
	case HCL_EXPR_TUPLE:
		form(out, "tuple", e->tuple.items, e->tuple.count);
		break;
	case HCL_EXPR_OBJECT:
		object_text(out, e);
		break;
	case HCL_EXPR_JSON:
		json_text(out, e->json);
		break;
	case HCL_EXPR_ERROR:
		zp_buf_puts(out, "ERROR");
		break;
	}
}

/* name = expr; type "label" { ... } */
static inline void body_text(struct zp_buf *out, const struct hcl_body *body)
{
	for (size_t i = 0; i < body->attribute_count; i++) {
		zp_buf_printf(out, "%s = ", body->attributes[i]->name);
		expr_text(out, body->attributes[i]->expr);
		zp_buf_puts(out, "; ");
	}
	for (size_t i = 0; i < body->block_count; i++) {
		const struct hcl_block *block = body->blocks[i];
		zp_buf_puts(out, block->type);
		for (size_t k = 0; k < block->label_count; k++) {
			zp_buf_char(out, ' ');
			zp_json_quote(out, block->labels[k], false);
		}
		zp_buf_puts(out, " { ");
		body_text(out, block->body);
		zp_buf_puts(out, "} ");
	}
}

/* One line each: 2,6-7 Summary, where the range is of the subject; an empty one is shown as 2,6. */
static inline void diags_text(struct zp_buf *out, const struct zp_diags *diags)
{
	for (size_t i = 0; i < diags->count; i++) {
		const struct zp_diag *d = diags->items[i];
		struct zp_position start = zp_source_position(d->subject.file, d->subject.start);
		struct zp_position end = zp_source_position(d->subject.file, d->subject.end);
		zp_buf_printf(out, "%s%u,%u", i ? "\n" : "", start.line, start.column);
		if (end.line != start.line)
			zp_buf_printf(out, "-%u,%u", end.line, end.column);
		else if (end.column != start.column)
			zp_buf_printf(out, "-%u", end.column);
		zp_buf_printf(out, " %s", d->summary);
	}
}

#endif

/* Walks expressions: which names they depend on, and what they are when only read. */
#include "hcl-lite/syntax.h"

#include "hcl-lite/json_syntax.h"
#include "hcl-lite/parser.h"

/* Names bound around the expression, innermost first. */
struct binding {
	const char *key, *value;
	const struct binding *outer;
};

struct walk {
	void (*fn)(void *data, const struct hcl_expr *traversal);
	void *data;
};

static void walk(const struct walk *w, const struct hcl_expr *expr, const struct binding *bound);

static bool is_bound(const struct binding *bound, const char *name)
{
	for (; bound; bound = bound->outer)
		if (bound->value == name || bound->key == name)
			return true;
	return false;
}

static void walk_list(const struct walk *w, struct hcl_expr *const *items, size_t count,
	const struct binding *bound)
{
	for (size_t i = 0; i < count; i++)
		walk(w, items[i], bound);
}

static void walk_object(
	const struct walk *w, const struct hcl_expr *expr, const struct binding *bound)
{
	for (size_t i = 0; i < expr->object.count; i++) {
		const struct hcl_expr *key = expr->object.items[i].key;
		if (key->kind != HCL_EXPR_TRAVERSAL || key->traversal.count)
			walk(w, key, bound);
		walk(w, expr->object.items[i].value, bound);
	}
}

static void walk_loop(
	const struct walk *w, const struct hcl_expr *expr, const struct binding *bound)
{
	struct binding inner = { expr->loop.key_name, expr->loop.value_name, bound };

	walk(w, expr->loop.collection, bound);
	walk(w, expr->loop.key, &inner);
	walk(w, expr->loop.value, &inner);
	walk(w, expr->loop.condition, &inner);
}

static void walk(const struct walk *w, const struct hcl_expr *expr, const struct binding *bound)
{
	if (!expr)
		return;
	switch (expr->kind) {
	case HCL_EXPR_LITERAL:
	case HCL_EXPR_SPLAT_ITEM:
	case HCL_EXPR_ERROR:
		break;
	case HCL_EXPR_TEMPLATE:
		walk_list(w, expr->template.parts, expr->template.count, bound);
		break;
	case HCL_EXPR_TEMPLATE_WRAP:
	case HCL_EXPR_PARENS:
		walk(w, expr->wrapped, bound);
		break;
	case HCL_EXPR_TRAVERSAL:
		if (!is_bound(bound, expr->traversal.root))
			w->fn(w->data, expr);
		break;
	case HCL_EXPR_RELATIVE:
		walk(w, expr->relative.source, bound);
		break;
	case HCL_EXPR_INDEX:
		walk(w, expr->index.collection, bound);
		walk(w, expr->index.key, bound);
		break;
	case HCL_EXPR_SPLAT:
		walk(w, expr->splat.source, bound);
		walk(w, expr->splat.each, bound);
		break;
	case HCL_EXPR_CALL:
		walk_list(w, expr->call.args, expr->call.count, bound);
		break;
	case HCL_EXPR_CONDITIONAL:
	case HCL_EXPR_TEMPLATE_IF:
		walk(w, expr->conditional.condition, bound);
		walk(w, expr->conditional.yes, bound);
		walk(w, expr->conditional.no, bound);
		break;
	case HCL_EXPR_BINARY:
		walk(w, expr->binary.left, bound);
		walk(w, expr->binary.right, bound);
		break;
	case HCL_EXPR_UNARY:
		walk(w, expr->unary.operand, bound);
		break;
	case HCL_EXPR_FOR:
	case HCL_EXPR_TEMPLATE_FOR:
		walk_loop(w, expr, bound);
		break;
	case HCL_EXPR_TUPLE:
		walk_list(w, expr->tuple.items, expr->tuple.count, bound);
		break;
	case HCL_EXPR_OBJECT:
		walk_object(w, expr, bound);
		break;
	case HCL_EXPR_JSON:
		hcl_json_references(expr->json, w->fn, w->data);
		break;
	}
}

void hcl_expr_references(const struct hcl_expr *expr,
	void (*fn)(void *data, const struct hcl_expr *traversal), void *data)
{
	struct walk w = { fn, data };

	walk(&w, expr, NULL);
}

static void text_references(const struct hcl_json_text *text,
	void (*fn)(void *data, const struct hcl_expr *traversal), void *data)
{
	if (text->template)
		hcl_expr_references(text->template, fn, data);
}

void hcl_json_references(const struct hcl_json_value *json,
	void (*fn)(void *data, const struct hcl_expr *traversal), void *data)
{
	if (json->kind == HCL_JSON_STRING)
		text_references(&json->string, fn, data);
	else if (json->kind == HCL_JSON_ARRAY)
		for (size_t i = 0; i < json->array.count; i++)
			hcl_json_references(json->array.items[i], fn, data);
	else if (json->kind == HCL_JSON_OBJECT)
		for (size_t i = 0; i < json->object.count; i++) {
			text_references(&json->object.items[i].name, fn, data);
			hcl_json_references(json->object.items[i].value, fn, data);
		}
}

const struct hcl_expr *hcl_expr_static(const struct hcl_expr *expr, struct zp_arena *arena)
{
	struct zp_diags unused;

	if (expr->kind != HCL_EXPR_JSON || expr->json->kind != HCL_JSON_STRING)
		return expr;
	const struct hcl_json_text *string = &expr->json->string;
	zp_diags_init(&unused);
	struct hcl_parser *p =
		hcl_parser_new(string->range.file, string->text, HCL_LEX_CONFIG, arena, &unused);
	hcl_parser_restart(p, string->text, HCL_LEX_CONFIG, string->offsets, string->offset_count);
	const struct hcl_expr *parsed = hcl_parse_whole_expression(p);
	if (!unused.errors)
		expr = parsed;
	hcl_parser_free(p);
	zp_diags_release(&unused);
	return expr;
}

static struct hcl_expr *json_expr(struct zp_arena *arena, const struct hcl_json_value *value)
{
	struct hcl_expr *expr = hcl_expr_alloc(arena, HCL_EXPR_JSON, value->range);

	expr->json = value;
	return expr;
}

bool hcl_expr_list(const struct hcl_expr *expr, struct zp_arena *arena, struct hcl_expr ***items,
	size_t *count)
{
	if (expr->kind == HCL_EXPR_TUPLE) {
		*items = expr->tuple.items;
		*count = expr->tuple.count;
		return true;
	}
	if (expr->kind != HCL_EXPR_JSON || expr->json->kind != HCL_JSON_ARRAY)
		return false;
	*count = expr->json->array.count;
	*items = zp_new_array(arena, struct hcl_expr *, *count);
	for (size_t i = 0; i < *count; i++)
		(*items)[i] = json_expr(arena, expr->json->array.items[i]);
	return true;
}

/* The name of a member as the native syntax would have it: text in quotes. */
static struct hcl_expr *name_expr(struct zp_arena *arena, const struct hcl_json_text *name)
{
	struct hcl_expr *expr = name->template;

	if (expr && !name->problem_count)
		return expr;
	expr = hcl_expr_alloc(arena, HCL_EXPR_LITERAL, name->range);
	expr->literal = hcl_string_value(arena, name->text);
	return expr;
}

bool hcl_expr_pairs(const struct hcl_expr *expr, struct zp_arena *arena,
	struct hcl_object_item **items, size_t *count)
{
	if (expr->kind == HCL_EXPR_OBJECT) {
		*items = expr->object.items;
		*count = expr->object.count;
		return true;
	}
	if (expr->kind != HCL_EXPR_JSON || expr->json->kind != HCL_JSON_OBJECT)
		return false;
	*count = expr->json->object.count;
	*items = zp_new_array(arena, struct hcl_object_item, *count);
	for (size_t i = 0; i < *count; i++) {
		(*items)[i].key = name_expr(arena, &expr->json->object.items[i].name);
		(*items)[i].value = json_expr(arena, expr->json->object.items[i].value);
	}
	return true;
}

/*
 * What stood behind the names of an expression that failed: "var.n" "is 5".
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/vec.h"
#include "hcl-lite/eval_internal.h"
#include "hcl-lite/number.h"

ZP_VEC(shown, struct zp_diag_value);

struct collector {
	struct hcl_evaluation ev; /* its diagnostics go nowhere */
	struct zp_arena *arena;	  /* for texts */
	struct shown list;
};

static const char *traversal_text(struct collector *c, const struct hcl_expr *expr, size_t count)
{
	zp_autobuf text = ZP_BUF_INIT;

	zp_buf_puts(&text, expr->traversal.root);
	for (size_t i = 0; i < count; i++) {
		const struct hcl_traverse *step = &expr->traversal.steps[i];
		struct hcl_step one = { step->name, step->key };
		hcl_path_text(&(struct hcl_path){ &one, 1 }, &text);
	}
	return zp_arena_strndup(c->arena, text.ptr, text.len);
}

static void with_count(struct zp_buf *out, const struct hcl_type *type, uint32_t count)
{
	if (count == 0)
		zp_buf_puts(out, "empty ");
	hcl_type_friendly(type, out);
	if (count == 1)
		zp_buf_puts(out, " with 1 element");
	else if (count > 1)
		zp_buf_printf(out, " with %u elements", count);
}

/* In brief; never what is inside, which may be sensitive. */
static void brief(struct hcl_value v, struct zp_buf *out)
{
	if (hcl_is_null(v)) {
		zp_buf_puts(out, "null");
		return;
	}
	switch (v.type->kind) {
	case HCL_BOOL:
		zp_buf_puts(out, v.boolean ? "true" : "false");
		break;
	case HCL_NUMBER:
		hcl_number_brief(v, 10, out);
		break;
	case HCL_STRING:
		hcl_go_quote(out, hcl_text(v));
		break;
	case HCL_OBJECT:
		if (v.count == 0) {
			zp_buf_puts(out, "object with no attributes");
		} else if (v.count == 1) {
			zp_buf_puts(out, "object with 1 attribute ");
			hcl_go_quote(out, zp_str(v.type->attributes[0].name));
		} else {
			zp_buf_printf(out, "object with %u attributes", v.count);
		}
		break;
	default:
		with_count(out, v.type, v.count);
	}
}

static bool statement(struct hcl_value v, struct zp_buf *out)
{
	if (v.marks & HCL_SENSITIVE)
		return false;
	if (!hcl_is_unknown(v)) {
		zp_buf_puts(out, "is ");
		brief(v, out);
		return true;
	}
	if (v.type->kind == HCL_DYNAMIC)
		return false;
	zp_buf_puts(out, "is a ");
	hcl_type_friendly(v.type, out);
	return true;
}

static bool already_shown(struct collector *c, const char *traversal)
{
	for (size_t i = 0; i < c->list.count; i++)
		if (strcmp(c->list.items[i].traversal, traversal) == 0)
			return true;
	return false;
}

/* The longest part of the reference that means something; a bare name is not worth showing. */
static void collect(void *data, const struct hcl_expr *expr)
{
	struct collector *c = data;

	for (size_t count = expr->traversal.count; count > 0; count--) {
		struct hcl_expr shorter = {
			.kind = expr->kind, .range = expr->range, .traversal = expr->traversal
		};
		size_t errors = c->ev.diags->errors;
		zp_autobuf text = ZP_BUF_INIT;
		shorter.traversal.count = count;
		struct hcl_value v = hcl_eval_traversal(&c->ev, &shorter);
		if (c->ev.diags->errors > errors)
			continue;
		const char *traversal = traversal_text(c, expr, count);
		if (!already_shown(c, traversal) && statement(v, &text))
			zp_vec_push(&c->list,
				((struct zp_diag_value){ traversal,
					zp_arena_strndup(c->arena, text.ptr, text.len) }));
		return;
	}
}

static int by_traversal(const void *a, const void *b)
{
	return strcmp(((const struct zp_diag_value *)a)->traversal,
		((const struct zp_diag_value *)b)->traversal);
}

/* The sink's arena is shared with other threads. */
static void hand_over(struct zp_diags *diags, struct zp_diag *diag, const struct shown *list)
{
	pthread_mutex_lock(&diags->lock);
	struct zp_diag_value *values =
		zp_new_array(&diags->arena, struct zp_diag_value, list->count);
	for (size_t i = 0; i < list->count; i++) {
		values[i].traversal = zp_arena_strdup(&diags->arena, list->items[i].traversal);
		values[i].statement = zp_arena_strdup(&diags->arena, list->items[i].statement);
	}
	diag->values = values;
	diag->value_count = list->count;
	pthread_mutex_unlock(&diags->lock);
}

/*
 * Looking up the names again may itself fail or report; that goes to a sink of its own. In trials,
 * whose diagnostics nobody reads, nothing is collected, so that failures do not nest.
 */
void hcl_diag_expression(
	struct hcl_evaluation *ev, struct zp_diag *diag, const struct hcl_expr *expr)
{
	struct zp_diags nowhere;
	struct collector c = { .ev = *ev };

	if (!diag || ev->trial)
		return;
	zp_diags_init(&nowhere);
	c.ev.diags = &nowhere;
	c.ev.trial = true;
	c.arena = &nowhere.arena;
	hcl_expr_references(expr, collect, &c);
	if (c.list.count) {
		qsort(c.list.items, c.list.count, sizeof(*c.list.items), by_traversal);
		hand_over(ev->diags, diag, &c.list);
	}
	zp_vec_release(&c.list);
	zp_diags_release(&nowhere);
}

void hcl_diag_refine(struct hcl_evaluation *ev, struct zp_diag *diag, struct zp_range context,
	const struct hcl_expr *expr)
{
	diag->context = context;
	if (expr)
		hcl_diag_expression(ev, diag, expr);
}

/*
 * Templates: parts put together to text.
 */
#include "base/alloc.h"
#include "hcl-lite/eval_internal.h"

/* How much of what comes before an unknown part is remembered. */
#define MAX_PREFIX 128

static const char invalid_value[] = "Invalid template interpolation value";

struct text {
	struct hcl_evaluation *ev;
	const struct hcl_expr *expr; /* the template */
	const struct hcl_value *parts;
	size_t count, bytes;
	unsigned marks;
	bool known, failed;
};

static void complain(
	struct text *t, const struct hcl_expr *part, const char *detail, const char *reason)
{
	struct zp_diag *diag = zp_diag_error(t->ev->diags, part->range, invalid_value, "%s%s%s",
		detail, reason ? reason : "", reason ? "." : "");
	hcl_diag_refine(t->ev, diag, t->expr->range, part);
	t->failed = true;
}

static void add_part(struct text *t, const struct hcl_expr *part, struct hcl_value *out)
{
	zp_autobuf reason = ZP_BUF_INIT;
	size_t errors = t->ev->diags->errors;
	struct hcl_value v = hcl_evaluate(t->ev, part);

	*out = hcl_string_static("");
	t->marks |= v.marks;
	t->failed |= t->ev->diags->errors > errors;
	if (hcl_is_null(v)) {
		complain(t, part,
			"The expression result is null. Cannot include a null value in a string "
			"template.",
			NULL);
		return;
	}
	v = hcl_unmark(v, NULL);
	if (!hcl_is_known(v)) {
		t->known = false;
		return;
	}
	if (!hcl_convert(t->ev->arena, v, hcl_string, &v, &reason)) {
		complain(t, part, "Cannot include the given value in a string template: ",
			reason.ptr ? reason.ptr : "");
		return;
	}
	if (t->known) {
		*out = v;
		t->bytes += v.count;
	}
}

/* The parts in one piece; normalised again, as a mark may combine across a seam. */
static struct hcl_value join(struct text *t)
{
	char *text = zp_arena_text(t->ev->arena, t->bytes + 1), *end = text;
	unsigned char high = 0;

	for (size_t i = 0; i < t->count; i++) {
		memcpy(end, t->parts[i].text, t->parts[i].count);
		end += t->parts[i].count;
	}
	*end = '\0';
	for (const char *c = text; c < end; c++)
		high |= (unsigned char)*c;
	if (high & 0x80)
		return hcl_string_value(t->ev->arena, zp_strn(text, t->bytes));
	return (struct hcl_value){ .type = hcl_string, .text = text, .count = (uint32_t)t->bytes };
}

static struct hcl_value unknown_text(struct text *t)
{
	struct hcl_refinement *r = zp_new(t->ev->arena, struct hcl_refinement);

	r->not_null = true;
	r->length_max = UINT32_MAX;
	if (!t->failed && t->bytes)
		r->prefix = hcl_safe_prefix(hcl_text(join(t)), MAX_PREFIX);
	return hcl_unknown_refined(hcl_string, r);
}

struct hcl_value hcl_eval_template(struct hcl_evaluation *ev, const struct hcl_expr *expr)
{
	size_t n = expr->template.count;
	struct hcl_value few[16];
	zp_autofree struct hcl_value *many = NULL;
	struct hcl_value *parts = few;

	if (n > ZP_ARRAY_SIZE(few))
		parts = many = zp_reallocarray(NULL, n, sizeof(*many));
	struct text t = { .ev = ev, .expr = expr, .parts = parts, .count = n, .known = true };
	for (size_t i = 0; i < n; i++) {
		add_part(&t, expr->template.parts[i], &parts[i]);
		if (t.bytes > HCL_MAX_TEXT) {
			zp_diag_error(ev->diags, expr->range, "String too long",
				"The result of this template is longer than %u bytes.",
				HCL_MAX_TEXT);
			return hcl_unknown(hcl_string);
		}
	}
	return hcl_mark(t.known && !t.failed ? join(&t) : unknown_text(&t), t.marks);
}

static bool join_element(struct text *t, struct hcl_value v, struct zp_buf *out)
{
	zp_autobuf reason = ZP_BUF_INIT;

	if (hcl_is_null(v)) {
		complain(t, t->expr,
			"An iteration result is null. Cannot include a null value in a string "
			"template.",
			NULL);
		return true;
	}
	t->marks |= v.marks;
	if (!hcl_convert(t->ev->arena, hcl_unmark(v, NULL), hcl_string, &v, &reason)) {
		complain(t, t->expr,
			"Cannot include one of the interpolation results into the string "
			"template: ",
			reason.ptr ? reason.ptr : "");
		return true;
	}
	if (!hcl_is_known(v))
		return false;
	zp_buf_str(out, hcl_text(v));
	return out->len <= HCL_MAX_TEXT;
}

struct hcl_value hcl_eval_template_for(struct hcl_evaluation *ev, const struct hcl_expr *expr)
{
	struct text t = { .ev = ev, .expr = expr };
	zp_autobuf out = ZP_BUF_INIT;
	struct hcl_value tuple = hcl_unmark(hcl_eval_for(ev, expr), &t.marks);

	if (!hcl_is_known(tuple))
		return hcl_mark(hcl_unknown(hcl_string), t.marks);
	for (uint32_t i = 0; i < tuple.count; i++) {
		if (join_element(&t, tuple.elements[i], &out))
			continue;
		if (out.len > HCL_MAX_TEXT)
			zp_diag_error(ev->diags, expr->range, "String too long",
				"The result of this template is longer than %u bytes.",
				HCL_MAX_TEXT);
		return hcl_mark(hcl_unknown(hcl_string), t.marks);
	}
	return hcl_mark(hcl_string_value(ev->arena, zp_buf_slice(&out)), t.marks);
}

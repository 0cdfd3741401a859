/*
 * templatefile and templatestring.
 */
#include <pthread.h>

#include "base/alloc.h"
#include "base/source.h"
#include "base/vec.h"
#include "hcl-lite/function_files.h"

/*
 * Sources of templates that failed stay, as diagnostics point into them; those that did well are
 * freed at once.
 */
static pthread_mutex_t kept_lock = PTHREAD_MUTEX_INITIALIZER;
static ZP_VEC(, struct zp_source *) kept;

/* A template is being rendered: those called in it may not render others. */
static _Thread_local bool rendering;

struct variables {
	struct hcl_call *call;
	struct hcl_value vars;
	bool failed;
};

static bool lookup(const struct variables *v, const char *name, struct hcl_value *out)
{
	if (v->vars.type->kind == HCL_MAP)
		return hcl_map_lookup(v->vars, zp_str(name), out);
	return hcl_value_attribute(v->vars, name, out);
}

static bool resolve(const struct hcl_scope *scope, struct hcl_evaluation *ev,
	const struct hcl_reference *ref, struct hcl_value *value, size_t *consumed)
{
	const struct variables *v = scope->data;

	*consumed = 0;
	if (lookup(v, ref->root, value))
		return true;
	zp_diag_error(ev->diags, ref->root_range, "Unknown variable",
		"There is no variable named \"%s\".", ref->root);
	return false;
}

static void add_place(struct zp_buf *out, struct zp_range range)
{
	struct zp_position start = zp_source_position(range.file, range.start);
	struct zp_position end = zp_source_position(range.file, range.end);

	zp_buf_printf(out, "%s:%u,%u-", range.file->name, start.line, start.column);
	if (end.line != start.line)
		zp_buf_printf(out, "%u,", end.line);
	zp_buf_printf(out, "%u", end.column);
}

static void check_reference(void *data, const struct hcl_expr *traversal)
{
	struct variables *v = data;
	struct hcl_value value;
	zp_autobuf place = ZP_BUF_INIT;

	if (v->failed || lookup(v, traversal->traversal.root, &value))
		return;
	add_place(&place, hcl_root_range(traversal));
	v->failed = true;
	hcl_call_fail_argument(v->call, 1, "vars map does not contain key \"%s\", referenced at %s",
		traversal->traversal.root, place.ptr);
}

static bool check_variables(struct variables *v)
{
	if (v->vars.type->kind != HCL_MAP && v->vars.type->kind != HCL_OBJECT)
		return hcl_call_fail_argument(v->call, 1, "invalid vars value: must be a map");
	for (struct hcl_iterator it = hcl_iterate(v->vars); hcl_iterator_next(&it);)
		if (!hcl_is_identifier(hcl_text(it.key)))
			return hcl_call_fail_argument(v->call, 1,
				"invalid template variable name \"%s\": must start with a letter, "
				"followed by zero or more letters, digits, and underscores",
				it.key.text);
	return true;
}

/* All diagnostics in one line, as a call's failure has to be told. */
static bool fail_with(struct hcl_call *call, const struct zp_diags *diags)
{
	const struct zp_diag *first = NULL;
	zp_autobuf place = ZP_BUF_INIT;

	for (size_t i = 0; i < diags->count && !first; i++)
		if (diags->items[i]->severity == ZP_SEVERITY_ERROR)
			first = diags->items[i];
	if (first->subject.file) {
		add_place(&place, first->subject);
		zp_buf_puts(&place, ": ");
	}
	if (diags->count > 1)
		return hcl_call_fail(call, "%s%s; %s, and %zu other diagnostic(s)",
			place.ptr ? place.ptr : "", first->summary, first->detail,
			diags->count - 1);
	return hcl_call_fail(
		call, "%s%s; %s", place.ptr ? place.ptr : "", first->summary, first->detail);
}

static bool evaluate(struct variables *v, const struct hcl_expr *expr, struct zp_diags *diags,
	struct hcl_value *out)
{
	struct hcl_scope scope = { resolve, v };
	struct hcl_evaluation inner = *v->call->ev;

	hcl_expr_references(expr, check_reference, v);
	if (v->failed)
		return false;
	inner.diags = diags;
	inner.scope = &scope;
	inner.locals = NULL;
	rendering = true;
	*out = hcl_evaluate(&inner, expr);
	rendering = false;
	if (!diags->errors && hcl_is_null(*out))
		zp_diag_error(diags, expr->range, "Template result is null", "%s",
			"The result of the template is null, which is not a valid result for a "
			"templatestring call.");
	return diags->errors == 0 || fail_with(v->call, diags);
}

static bool render(struct variables *v, const struct zp_source *source, struct hcl_value *out)
{
	struct zp_diags diags;

	zp_diags_init(&diags);
	struct hcl_expr *expr = hcl_parse_template(source, v->call->arena, &diags);
	bool done = diags.errors ? fail_with(v->call, &diags) : evaluate(v, expr, &diags, out);
	zp_diags_release(&diags);
	return done;
}

static bool render_text(
	struct hcl_call *call, const char *name, struct zp_str text, struct hcl_value *out)
{
	struct variables v = { .call = call, .vars = call->args[1] };

	if (rendering)
		return hcl_call_fail(call,
			"cannot recursively call %s from inside another template function",
			call->function->name);
	if (!check_variables(&v))
		return false;
	struct zp_source *source = zp_source_new(name, text);
	bool done = render(&v, source, out);
	if (done) {
		zp_source_free(source);
	} else {
		pthread_mutex_lock(&kept_lock);
		zp_vec_push(&kept, source);
		pthread_mutex_unlock(&kept_lock);
	}
	return done;
}

static bool templatefile(struct hcl_call *call, struct hcl_value *out)
{
	zp_autobuf content = ZP_BUF_INIT;

	return hcl_call_read_text(call, &content) &&
	       render_text(call, call->args[0].text, zp_buf_slice(&content), out);
}

/* The template must be text kept somewhere, not one written in place. */
static bool is_reference(const struct hcl_expr *expr)
{
	switch (expr->kind) {
	case HCL_EXPR_TRAVERSAL:
	case HCL_EXPR_INDEX:
	case HCL_EXPR_RELATIVE:
		return true;
	case HCL_EXPR_PARENS:
		return is_reference(expr->wrapped);
	default:
		return false;
	}
}

static bool must_be_reference(struct hcl_call *call)
{
	static const char problem[] =
		"invalid template expression: templatestring is only for rendering templates "
		"retrieved dynamically from elsewhere";
	const struct hcl_expr *expr = call->expr->call.args[0];

	if (is_reference(expr))
		return true;
	if (expr->kind == HCL_EXPR_TEMPLATE_WRAP)
		return hcl_call_fail_argument(call, 0,
			"%s; to treat the inner expression as template syntax, write the reference "
			"expression directly without any template interpolation syntax",
			problem);
	return hcl_call_fail_argument(call, 0,
		"%s, and so does not support providing a literal template; consider using a "
		"template "
		"string expression instead",
		problem);
}

static bool templatestring(struct hcl_call *call, struct hcl_value *out)
{
	zp_autobuf reason = ZP_BUF_INIT;

	if (!must_be_reference(call))
		return false;
	if (call->args[0].type != hcl_string || hcl_is_null(call->args[0]))
		return hcl_call_fail_argument(
			call, 0, "invalid template value: a string is required");
	if (!render_text(call, "<templatestring argument>", hcl_text(call->args[0]), out))
		return false;
	return hcl_convert(call->arena, *out, hcl_string, out, &reason) ||
	       hcl_call_fail(call, "invalid template result: %s", reason.ptr ? reason.ptr : "");
}

static const struct hcl_function functions[] = {
	{ .name = "templatefile",
		.params = { { "path", HCL_T_STRING, 0 }, { "vars", HCL_T_ANY, 0 } },
		.call = templatefile,
		.maybe_null = true },
	{ .name = "templatestring",
		.params = { { "template", HCL_T_ANY, HCL_NULL_OK | HCL_DYNAMIC_OK },
			{ "vars", HCL_T_ANY, 0 } },
		.returns = HCL_T_STRING,
		.call = templatestring,
		.maybe_null = true },
};

const struct hcl_function_list hcl_template_functions = { functions, ZP_ARRAY_SIZE(functions) };

/*
 * Calls: finding the function, preparing its arguments, reporting its failures.
 */
#include "base/alloc.h"
#include "base/vec.h"
#include "hcl-lite/function.h"
#include "hcl-lite/number.h"

ZP_VEC(values, struct hcl_value);

const struct hcl_type *hcl_type_of_code(uint8_t code)
{
	switch (code) {
	case HCL_T_BOOL:
		return hcl_bool;
	case HCL_T_NUMBER:
		return hcl_number;
	case HCL_T_STRING:
		return hcl_string;
	case HCL_T_LIST:
		return hcl_list_type(hcl_dynamic);
	case HCL_T_LIST_BOOL:
		return hcl_list_type(hcl_bool);
	case HCL_T_LIST_NUMBER:
		return hcl_list_type(hcl_number);
	case HCL_T_LIST_STRING:
		return hcl_list_type(hcl_string);
	case HCL_T_SET:
		return hcl_set_type(hcl_dynamic);
	case HCL_T_SET_STRING:
		return hcl_set_type(hcl_string);
	case HCL_T_MAP_LIST_STRING:
		return hcl_map_type(hcl_list_type(hcl_string));
	default:
		return hcl_dynamic;
	}
}

static void set_error(struct hcl_call *call, int argument, const char *fmt, va_list ap)
{
	zp_buf_clear(&call->error);
	zp_buf_vprintf(&call->error, fmt, ap);
	call->argument = argument;
}

bool hcl_call_fail(struct hcl_call *call, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set_error(call, -1, fmt, ap);
	va_end(ap);
	return false;
}

bool hcl_call_fail_argument(struct hcl_call *call, int argument, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set_error(call, argument, fmt, ap);
	va_end(ap);
	return false;
}

bool hcl_call_text(struct hcl_call *call, const struct zp_buf *text, struct hcl_value *out)
{
	if (text->len > HCL_MAX_TEXT)
		return hcl_call_fail(
			call, "the result would be longer than %u bytes", HCL_MAX_TEXT);
	*out = hcl_string_value(call->arena, zp_buf_slice(text));
	return true;
}

bool hcl_call_int(struct hcl_call *call, struct hcl_value v, int64_t min, int64_t max,
	const char *prefix, int64_t *out)
{
	if (hcl_number_to_int(v, out) && *out >= min && *out <= max)
		return true;
	return hcl_call_fail(call, "%svalue must be a whole number, between %lld and %lld", prefix,
		(long long)min, (long long)max);
}

bool hcl_call_check_count(struct hcl_call *call, uint64_t count)
{
	if (count <= HCL_MAX_RESULT_ELEMENTS)
		return true;
	return hcl_call_fail(
		call, "the result would have more than %u elements", HCL_MAX_RESULT_ELEMENTS);
}

static size_t parameter_count(const struct hcl_function *f)
{
	size_t count = 0;

	while (count < ZP_ARRAY_SIZE(f->params) && f->params[count].name)
		count++;
	return count;
}

static const struct hcl_parameter *parameter_at(const struct hcl_function *f, size_t i)
{
	return i < parameter_count(f) ? &f->params[i] : &f->rest;
}

/* An argument's value, and the expression it came from for messages. */
struct argument {
	const struct hcl_expr *expr;
	struct hcl_value value; /* for elements of an expanded one */
	bool expanded;
};

ZP_VEC(arguments, struct argument);

static struct zp_diag *report(struct hcl_evaluation *ev, const struct hcl_expr *expr,
	struct zp_range subject, const char *summary, const char *fmt, ...) ZP_PRINTF(5, 6);

static struct zp_diag *report(struct hcl_evaluation *ev, const struct hcl_expr *expr,
	struct zp_range subject, const char *summary, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	zp_autofree char *detail = zp_vformat(fmt, ap);
	va_end(ap);
	struct zp_diag *diag = zp_diag_error(ev->diags, subject, summary, "%s", detail);
	diag->context = expr->range;
	diag->function = expr->call.name;
	return diag;
}

static void bad_expansion(struct hcl_evaluation *ev, const struct hcl_expr *call,
	const struct hcl_expr *last, const char *detail)
{
	struct zp_diag *diag =
		report(ev, call, last->range, "Invalid expanding argument value", "%s", detail);
	hcl_diag_expression(ev, diag, last);
}

enum expansion { EXPANDED, EXPANSION_UNKNOWN, EXPANSION_FAILED };

/* f(x...): the elements of x are arguments; x's own marks become theirs. */
static enum expansion expand_last(
	struct hcl_evaluation *ev, const struct hcl_expr *call, struct arguments *list)
{
	const struct hcl_expr *last = call->call.args[call->call.count - 1];
	size_t errors = ev->diags->errors;
	struct hcl_value v = hcl_evaluate(ev, last);

	if (ev->diags->errors > errors)
		return EXPANSION_FAILED;
	bool sequence = hcl_type_is_sequence(v.type);
	if (!sequence && v.type->kind != HCL_DYNAMIC) {
		bad_expansion(ev, call, last,
			"The expanding argument (indicated by ...) must be of a tuple, list, or "
			"set "
			"type.");
		return EXPANSION_FAILED;
	}
	if (hcl_is_null(v)) {
		bad_expansion(ev, call, last,
			"The expanding argument (indicated by ...) must not be null.");
		return EXPANSION_FAILED;
	}
	if (hcl_is_unknown(v))
		return EXPANSION_UNKNOWN;
	for (uint32_t i = 0; i < v.count; i++)
		zp_vec_push(
			list, ((struct argument){ last, hcl_mark(v.elements[i], v.marks), true }));
	return EXPANDED;
}

static enum expansion list_arguments(
	struct hcl_evaluation *ev, const struct hcl_expr *expr, struct arguments *list)
{
	size_t plain = expr->call.count - (expr->call.expand_last && expr->call.count ? 1 : 0);

	for (size_t i = 0; i < plain; i++)
		zp_vec_push(list, ((struct argument){ expr->call.args[i], { 0 }, false }));
	return plain < expr->call.count ? expand_last(ev, expr, list) : EXPANDED;
}

static bool check_count(struct hcl_evaluation *ev, const struct hcl_function *f,
	const struct hcl_expr *expr, const struct arguments *list)
{
	size_t wanted = parameter_count(f);

	if (list->count < wanted) {
		report(ev, expr, hcl_call_close_range(expr), "Not enough function arguments",
			"Function \"%s\" expects%s %zu argument(s). Missing value for \"%s\".",
			expr->call.name, f->rest.name ? " at least" : "", wanted,
			f->params[list->count].name);
		return false;
	}
	if (list->count > wanted && !f->rest.name) {
		report(ev, expr, hcl_start_range(list->items[wanted].expr),
			"Too many function arguments",
			"Function \"%s\" expects only %zu argument(s).", expr->call.name, wanted);
		return false;
	}
	return true;
}

static void invalid_argument(struct hcl_evaluation *ev, const struct hcl_expr *expr,
	const struct hcl_expr *argument, const char *parameter, const char *reason)
{
	struct zp_diag *diag =
		report(ev, expr, hcl_start_range(argument), "Invalid function argument",
			"Invalid value for \"%s\" parameter: %s.", parameter, reason);
	hcl_diag_expression(ev, diag, argument);
}

static bool evaluate_arguments(struct hcl_call *call, const struct arguments *list)
{
	struct hcl_evaluation *ev = call->ev;
	size_t errors = ev->diags->errors;

	for (size_t i = 0; i < list->count; i++) {
		const struct argument *arg = &list->items[i];
		const struct hcl_parameter *p = parameter_at(call->function, i);
		const struct hcl_type *type = hcl_type_of_code(p->type);
		zp_autobuf reason = ZP_BUF_INIT;
		struct hcl_value v = arg->expanded ? arg->value : hcl_evaluate(ev, arg->expr);
		call->args[i] = v;
		if (!hcl_convert(call->arena, v, type, &call->args[i], &reason))
			invalid_argument(
				ev, call->expr, arg->expr, p->name, reason.ptr ? reason.ptr : "");
	}
	return ev->diags->errors == errors;
}

/* Null, unknown and marked arguments, as far as the function does not want to see them. */
enum readiness { READY, NOT_READY, REFUSED };

static enum readiness prepare(struct hcl_call *call)
{
	enum readiness result = READY;

	for (size_t i = 0; i < call->count; i++) {
		const struct hcl_parameter *p = parameter_at(call->function, i);
		struct hcl_value *v = &call->args[i];
		if (!(p->flags & HCL_MARKED_OK) && hcl_has_marks_inside(*v)) {
			call->marks |= v->inside & HCL_ALL_MARKS;
			*v = hcl_unmark_deep(call->arena, *v, HCL_ALL_MARKS);
		}
		if (result == READY && hcl_is_null(*v) && !(p->flags & HCL_NULL_OK)) {
			hcl_call_fail_argument(call, (int)i, "argument must not be null");
			return REFUSED;
		}
		/* A null that is of no type yet is as open as an unknown value. */
		if (v->type->kind == HCL_DYNAMIC && !(p->flags & HCL_DYNAMIC_OK))
			result = NOT_READY;
	}
	return result;
}

static bool has_unwanted_unknown(const struct hcl_call *call)
{
	for (size_t i = 0; i < call->count; i++)
		if (hcl_is_unknown(call->args[i]) &&
			!(parameter_at(call->function, i)->flags & HCL_UNKNOWN_OK))
			return true;
	return false;
}

static bool result_type(struct hcl_call *call, const struct hcl_type **type)
{
	const struct hcl_function *f = call->function;

	*type = hcl_type_of_code((enum hcl_type_code)f->returns);
	return !f->type || f->type(call, type);
}

static bool run(struct hcl_call *call, struct hcl_value *out)
{
	const struct hcl_function *f = call->function;
	const struct hcl_functions *where = call->ev->functions;
	const struct hcl_type *type;

	switch (prepare(call)) {
	case REFUSED:
		return false;
	case NOT_READY:
		*out = hcl_mark(hcl_unknown(hcl_dynamic), call->marks);
		return true;
	default:
		break;
	}
	if (has_unwanted_unknown(call) || (f->kind == HCL_IMPURE && where->pure_only)) {
		if (!result_type(call, &type))
			return false;
		*out = f->maybe_null ? hcl_unknown(type) : hcl_unknown_not_null(type);
	} else if (!f->call(call, out)) {
		return false;
	}
	*out = hcl_mark(*out, call->marks);
	return true;
}

static void report_failure(struct hcl_call *call, const struct arguments *list)
{
	const char *reason = call->error.ptr ? call->error.ptr : "unknown reason";
	const struct hcl_expr *expr = call->expr;

	if (call->argument >= 0 && (size_t)call->argument < list->count) {
		size_t i = (size_t)call->argument;
		invalid_argument(call->ev, expr, list->items[i].expr,
			parameter_at(call->function, i)->name, reason);
		return;
	}
	struct zp_diag *diag =
		report(call->ev, expr, hcl_start_range(expr), "Error in function call",
			"Call to function \"%s\" failed: %s.", expr->call.name, reason);
	hcl_diag_expression(call->ev, diag, expr);
}

static struct hcl_value call_function(struct hcl_evaluation *ev, const struct hcl_function *f,
	const struct hcl_expr *expr, struct arguments *list)
{
	struct hcl_value result = hcl_unknown(hcl_dynamic);
	struct hcl_call call = {
		.ev = ev, .arena = ev->arena, .function = f, .expr = expr, .argument = -1
	};

	switch (list_arguments(ev, expr, list)) {
	case EXPANSION_FAILED:
	case EXPANSION_UNKNOWN:
		return result;
	default:
		break;
	}
	if (!check_count(ev, f, expr, list))
		return result;
	zp_autofree struct hcl_value *args = zp_calloc(list->count, sizeof(*args));
	call.args = args;
	call.count = list->count;
	if (evaluate_arguments(&call, list) && !run(&call, &result)) {
		report_failure(&call, list);
		result = hcl_unknown(hcl_dynamic);
	}
	zp_buf_release(&call.error);
	return result;
}

/* A name with colons in it: provider::NAME::FUNCTION, or nothing that exists. */
static void provider_function_not_found(struct hcl_evaluation *ev, const struct hcl_expr *expr)
{
	static const char summary[] = "Unknown provider function";
	static const char prefix[] = "provider::", builtin[] = "provider::terraform::";
	const char *name = expr->call.name;
	size_t len = strncmp(name, prefix, sizeof(prefix) - 1) == 0 ? sizeof(prefix) - 1 : 0;
	const char *end = strstr(name + len, "::");

	if (!len || !end)
		report(ev, expr, hcl_call_name_range(expr), summary,
			"The function namespace \"%.*s\" is not valid. Provider function calls "
			"must "
			"use the \"provider::\" namespace prefix.",
			(int)(strstr(name, "::") - name), name);
	else if (strncmp(name, builtin, sizeof(builtin) - 1) == 0)
		report(ev, expr, hcl_call_name_range(expr), summary,
			"The function \"%s\" is not available from the provider \"terraform\".",
			end + 2);
	else
		report(ev, expr, hcl_call_name_range(expr), summary,
			"There is no function named \"%s\". Ensure that provider name \"%.*s\" is "
			"declared in this module's required_providers block, and that this "
			"provider "
			"offers a function named \"%s\".",
			name, (int)(end - name - (ptrdiff_t)len), name + len, end + 2);
}

static struct hcl_value not_found(struct hcl_evaluation *ev, const struct hcl_expr *expr)
{
	const char *name = expr->call.name;
	size_t count;

	if (!ev->functions) {
		report(ev, expr, expr->range, "Function calls not allowed", "%s",
			"Functions may not be called here.");
	} else if (strstr(name, "::")) {
		provider_function_not_found(ev, expr);
	} else {
		const char *const *names = hcl_function_names(&count);
		const char *suggestion = zp_str_suggest(zp_str(name), names, count);
		/* It may exist, elsewhere. */
		if (suggestion && strcmp(suggestion, name) == 0)
			suggestion = NULL;
		report(ev, expr, hcl_call_name_range(expr), "Call to unknown function",
			"There is no function named \"%s\".%s%s%s", name,
			suggestion ? " Did you mean \"" : "", suggestion ? suggestion : "",
			suggestion ? "\"?" : "");
	}
	return hcl_unknown(hcl_dynamic);
}

struct hcl_value hcl_eval_call(struct hcl_evaluation *ev, const struct hcl_expr *expr)
{
	struct arguments list = { 0 };
	const struct hcl_function *f =
		ev->functions ? hcl_find_function(expr->call.name, ev->functions->console) : NULL;

	if (!f)
		return not_found(ev, expr);
	if (f->lazy)
		return f->lazy(ev, expr);
	struct hcl_value v = call_function(ev, f, expr, &list);
	zp_vec_release(&list);
	return v;
}

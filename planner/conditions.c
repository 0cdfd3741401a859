/* Conditions that must hold: validation, precondition, postcondition, assert. */
#include "planner/checks.h"

/* The author's words, or why they could not be had; *open: they may be told. */
static const char *message_of(struct plan_scope *scope, const struct plan_check_rule *rule, bool *open)
{
	struct zp_diags *diags = scope->plan->diags;
	size_t errors = diags->errors;
	struct hcl_evaluation ev = plan_evaluation(scope);
	struct hcl_value text = hcl_evaluate_as(&ev, rule->error_message, hcl_string);

	*open = false;
	if (diags->errors > errors || text.state != HCL_KNOWN)
		return "The condition failed, and its error message is not known.";
	if (text.marks & HCL_SENSITIVE)
		return "The error message included a sensitive value, so it will not be displayed.";
	*open = true;
	return text.text;
}

/* A check block stops nothing: it warns. */
static void report(struct plan_scope *scope, struct hcl_evaluation *ev, const struct plan_check_rule *rule,
	const char *summary, const char *detail, const char *address)
{
	struct zp_diags *diags = scope->plan->diags;
	struct zp_diag *diag = scope->warns ?
		zp_diag_warning(diags, rule->condition->range, summary, "%s", detail) :
		zp_diag_error(diags, rule->condition->range, summary, "%s", detail);

	hcl_diag_expression(ev, diag, rule->condition);
	zp_diag_about(diags, diag, address);
}

static bool check_rule(struct plan_scope *scope, const struct plan_check_rule *rule, size_t number,
	const char *what, const char *address, bool *deferred)
{
	struct zp_diags *diags = scope->plan->diags;
	size_t errors = diags->errors;
	struct hcl_evaluation ev = plan_evaluation(scope);
	struct hcl_value result = hcl_evaluate_as(&ev, rule->condition, hcl_bool);

	plan_note_check(scope->checked, number, PLAN_CHECK_ERROR, NULL);
	if (diags->errors > errors)
		return false;
	if (hcl_is_unknown(result)) {
		plan_note_check(scope->checked, number, PLAN_CHECK_UNKNOWN, NULL);
		if (deferred)
			*deferred = true;
		if (scope->warns)
			report(scope, &ev, rule, "Check block assertion known after apply",
				"The condition could not be evaluated at this time, a result will be "
				"known when this plan is applied.", address);
		return true;
	}
	if (hcl_is_null(result)) {
		zp_diag_error(diags, rule->condition->range, "Invalid condition result",
			"Condition expression must return either true or false, not null.");
		return false;
	}
	plan_note_check(scope->checked, number, PLAN_CHECK_PASS, NULL);
	if (result.boolean)
		return true;
	bool open;
	const char *message = message_of(scope, rule, &open);
	plan_note_check(scope->checked, number, PLAN_CHECK_FAIL, open ? message : NULL);
	report(scope, &ev, rule, what, message, address);
	return false;
}

bool plan_check_rules(struct plan_scope *scope, const struct plan_check_rule *rules, size_t count,
	const char *what, const char *address, bool *deferred)
{
	bool ok = true;

	for (size_t i = 0; i < count; i++)
		ok &= check_rule(scope, &rules[i], scope->first_rule + i, what, address, deferred);
	return ok;
}

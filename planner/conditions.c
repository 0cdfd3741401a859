/* Conditions that must hold: validation, precondition, postcondition, assert. */
#include "planner/engine.h"

/* The author's words, or why they could not be had. */
static const char *message_of(struct plan_scope *scope, const struct plan_check_rule *rule)
{
	struct zp_diags *diags = scope->plan->diags;
	size_t errors = diags->errors;
	struct hcl_evaluation ev = plan_evaluation(scope);
	struct hcl_value text = hcl_evaluate_as(&ev, rule->error_message, hcl_string);

	if (diags->errors > errors || text.state != HCL_KNOWN)
		return "The condition failed, and its error message is not known.";
	if (text.marks & HCL_SENSITIVE)
		return "The error message included a sensitive value, so it will not be displayed.";
	return text.text;
}

static bool check_rule(struct plan_scope *scope, const struct plan_check_rule *rule, const char *what,
	const char *address, bool *deferred)
{
	struct zp_diags *diags = scope->plan->diags;
	size_t errors = diags->errors;
	struct hcl_evaluation ev = plan_evaluation(scope);
	struct hcl_value result = hcl_evaluate_as(&ev, rule->condition, hcl_bool);

	if (diags->errors > errors)
		return false;
	if (hcl_is_unknown(result)) {
		if (deferred)
			*deferred = true;
		return true;
	}
	if (hcl_is_null(result)) {
		zp_diag_error(diags, rule->condition->range, "Invalid condition result",
			"Condition expression must return either true or false, not null.");
		return false;
	}
	if (result.boolean)
		return true;
	const char *message = message_of(scope, rule);
	struct zp_diag *diag =
		zp_diag_error(diags, rule->condition->range, what, "%s", message);
	hcl_diag_expression(&ev, diag, rule->condition);
	zp_diag_about(diags, diag, address);
	return false;
}

bool plan_check_rules(struct plan_scope *scope, const struct plan_check_rule *rules, size_t count,
	const char *what, const char *address, bool *deferred)
{
	bool ok = true;

	for (size_t i = 0; i < count; i++)
		ok &= check_rule(scope, &rules[i], what, address, deferred);
	return ok;
}

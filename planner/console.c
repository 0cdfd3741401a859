/* Single expressions in the scope of the root module, for `zplan console`. */
#include "base/alloc.h"
#include "base/threads.h"
#include "planner/engine.h"
#include "planner/validate_internal.h"

struct plan *plan_open(struct plan_config *config, const struct plan_options *options,
	const struct state *state, struct zp_diags *diags)
{
	struct plan *plan = plan_new(config, options, diags);

	plan->only_looks = true;
	plan->stored = state_clone(state);
	plan->prior = state_clone(state);
	plan->environment.lineage = plan->prior->lineage;
	plan->root = plan_module_instance(plan, config->root, NULL, NULL, (struct state_key){ 0 },
		hcl_null(hcl_dynamic));
	if (plan_take_inputs(plan, options))
		return plan;
	plan_free(plan);
	return NULL;
}

struct question {
	struct plan *plan;
	const struct zp_source *source;
	struct hcl_value answer;
	size_t errors;
};

static void check(void *data, const struct hcl_expr *traversal)
{
	struct question *question = data;
	struct plan_place place = { .module = question->plan->root->config };

	plan_check_reference(&place, traversal, question->plan->diags);
}

static void answer(void *data)
{
	struct question *question = data;
	struct plan *plan = question->plan;
	struct plan_scope scope;

	struct hcl_expr *expr = hcl_parse_expression(question->source, &plan->arena, plan->diags);
	if (plan->diags->errors > question->errors)
		return;
	hcl_expr_references(expr, check, question);
	if (plan->diags->errors > question->errors)
		return;
	plan_scope_init(&scope, plan, plan->root, (struct state_key){ 0 }, hcl_null(hcl_dynamic));
	struct hcl_evaluation ev = plan_evaluation(&scope);
	struct hcl_functions functions = *ev.functions;
	functions.console = true;
	functions.pure_only = false;
	ev.functions = &functions;
	question->answer = hcl_evaluate(&ev, expr);
	if (plan->diags->errors == question->errors && hcl_misuses_type(question->answer))
		zp_diag_error(plan->diags, ZP_NOWHERE, "Invalid use of type function",
			"The console-only \"type\" function cannot be used as part of an expression.");
}

bool plan_evaluate_text(struct plan *plan, const struct zp_source *source, struct hcl_value *value,
	struct zp_diags *diags)
{
	struct question question = { .plan = plan, .source = source, .errors = diags->errors };

	plan->diags = diags;
	zp_call_with_deep_stack(answer, &question);
	*value = question.answer;
	return diags->errors == question.errors;
}

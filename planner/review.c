/* What no single change shows: providers look at all of them together, once they are known. */
#include "base/alloc.h"
#include "planner/engine.h"

ZP_VEC(change_vec, struct provider_change);

static bool is_asked_about(const struct plan_change *change, const struct provider *provider)
{
	return change->provider == provider && change->mode == PLAN_MANAGED && change->action != PLAN_NO_OP &&
		change->action != PLAN_FORGET;
}

static void collect(struct plan *plan, const struct provider *provider, struct change_vec *changes)
{
	for (size_t i = 0; i < plan->changes.count; i++) {
		const struct plan_change *change = &plan->changes.items[i];
		if (!is_asked_about(change, provider))
			continue;
		const struct provider_resource_type *type = provider_resource(provider, change->type, false);
		if (!type || !type->demand)
			continue;
		struct provider_change given = { .type = type, .address = change->address,
			.prior = hcl_unmark_deep(&plan->arena, change->before, HCL_ALL_MARKS),
			.planned = hcl_unmark_deep(&plan->arena, change->after, HCL_ALL_MARKS) };
		zp_vec_push(changes, given);
	}
}

void plan_review(struct plan *plan)
{
	for (const struct provider *const *provider = provider_all(); *provider; provider++) {
		struct change_vec changes = { 0 };
		struct provider_problems problems = { 0 };
		if (!(*provider)->review)
			continue;
		collect(plan, *provider, &changes);
		struct plan_provider *use = changes.count ? plan_provider_default(plan, *provider) : NULL;
		if (use && use->configured)
			(*provider)->review(&use->instance, changes.items, changes.count, &problems);
		plan_report_problems(plan, NULL, NULL, &problems);
		zp_vec_release(&changes);
	}
}

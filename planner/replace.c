/* Addresses given with -replace. */
#include "base/alloc.h"
#include "planner/engine.h"

static bool is_address(struct plan *plan, const char *text)
{
	struct zp_diags ignored;
	zp_diags_init(&ignored);
	struct zp_source *source = zp_source_new("<address>", zp_str(text));
	struct hcl_expr *expr = hcl_parse_traversal(source, &plan->arena, &ignored);
	bool ok = expr && !ignored.errors && expr->traversal.count;

	zp_source_free(source);
	zp_diags_release(&ignored);
	return ok;
}

bool plan_take_replaces(struct plan *plan, const struct plan_options *options)
{
	size_t errors = plan->diags->errors;

	plan->replaces = zp_new_array(&plan->arena, const char *, options->replace_count);
	plan->replace_count = options->replace_count;
	for (size_t i = 0; i < options->replace_count; i++) {
		plan->replaces[i] = zp_arena_strdup(&plan->arena, options->replaces[i]);
		if (!is_address(plan, options->replaces[i]))
			zp_diag_error(plan->diags, ZP_NOWHERE, "Invalid force-replace address",
				"-replace=%s: this is no address of a resource instance, such as "
				"zos_disk.data[0].", options->replaces[i]);
	}
	return plan->diags->errors == errors;
}

bool plan_is_replace_requested(const struct plan *plan, const char *address)
{
	for (size_t i = 0; i < plan->replace_count; i++)
		if (strcmp(plan->replaces[i], address) == 0)
			return true;
	return false;
}

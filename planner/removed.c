/* "removed" blocks: what leaves the configuration is destroyed, or only forgotten. */
#include "base/alloc.h"
#include "planner/engine.h"

/* The block's address without keys, from the root: module.a.type.name. Heap; NULL when it is none. */
static char *target_of(struct plan *plan, const struct plan_module *module,
	const struct plan_removed *removed)
{
	const struct hcl_expr *from = removed->from;
	zp_autobuf text = ZP_BUF_INIT;
	bool fine = from->kind == HCL_EXPR_TRAVERSAL;

	for (const char *path = module->path; *path;) {
		size_t length = strcspn(path, ".");
		zp_buf_printf(&text, "module.%.*s.", (int)length, path);
		path += length + (path[length] == '.');
	}
	if (fine)
		zp_buf_puts(&text, from->traversal.root);
	/* Keys were refused when it was read. */
	for (size_t i = 0; fine && i < from->traversal.count; i++)
		zp_buf_printf(&text, ".%s", from->traversal.steps[i].name);
	if (!fine) {
		zp_diag_error(plan->diags, from->range, "Invalid address",
			"The address of a resource or a module is required.");
		return NULL;
	}
	return zp_buf_steal(&text);
}

static bool is_at_or_below(const char *address, const char *target)
{
	size_t length = strlen(target);
	bool module = strncmp(target, "module.", 7) == 0;

	return strncmp(address, target, length) == 0 &&
		(!address[length] || (module && address[length] == '.'));
}

static void find(struct plan *plan, const struct plan_module *module, const char *block,
	const struct plan_removed **found)
{
	for (size_t i = 0; i < module->removed_count && !*found; i++) {
		zp_autofree char *target = target_of(plan, module, &module->removed[i]);
		if (target && is_at_or_below(block, target))
			*found = &module->removed[i];
	}
	for (size_t i = 0; i < module->call_count && !*found; i++)
		if (module->calls[i]->module)
			find(plan, module->calls[i]->module, block, found);
}

const struct plan_removed *plan_find_removed(struct plan *plan, const struct state_resource *resource)
{
	const struct plan_removed *found = NULL;

	if (plan->has_removed)
		find(plan, plan->config->root, plan_block_address(&plan->arena, resource->address), &found);
	return found;
}

/* module.a.module.b, with no resource after it; keys were refused when it was read. */
static bool names_module(const struct hcl_expr *from)
{
	const char *word = from->traversal.root;

	for (uint32_t i = 0; strcmp(word, "module") == 0; i += 2) {
		if (i + 1 >= from->traversal.count)
			return true;
		word = from->traversal.steps[i + 1].name;
	}
	return false;
}

/* Where the target is declared still: the resource, or the call of the module. No file: nowhere. */
static struct zp_range declared(const struct plan_module *module, const char *target)
{
	while (strncmp(target, "module.", 7) == 0) {
		const char *name = target + 7;
		size_t length = strcspn(name, ".");
		const struct plan_call *call = zp_map_get(&module->call_map, zp_strn(name, length));
		if (!call || !call->module)
			return ZP_NOWHERE;
		if (!name[length])
			return call->range;
		module = call->module;
		target = name + length + 1;
	}
	const struct plan_resource *resource = zp_map_get(&module->resource_map, zp_str(target));
	return resource ? resource->range : ZP_NOWHERE;
}

static void check(struct plan *plan, const struct plan_module *module)
{
	for (size_t i = 0; i < module->removed_count; i++) {
		zp_autofree char *target = target_of(plan, module, &module->removed[i]);
		plan->has_removed = true;
		struct zp_range place = target ? declared(plan->config->root, target) : ZP_NOWHERE;
		bool resource = !names_module(module->removed[i].from);
		if (place.file)
			zp_diag_error(plan->diags, place, resource ? "Removed resource still exists" :
				"Removed module still exists",
				"This statement declares that %s was removed, but it is still declared in "
				"configuration.", target);
	}
	for (size_t i = 0; i < module->call_count; i++)
		if (module->calls[i]->module)
			check(plan, module->calls[i]->module);
}

void plan_check_removed(struct plan *plan)
{
	check(plan, plan->config->root);
}

void plan_report_forgotten(struct plan *plan)
{
	zp_autobuf list = ZP_BUF_INIT;

	for (size_t i = 0; i < plan->orphans.count; i++)
		if (plan->orphans.items[i].action == PLAN_FORGET)
			zp_buf_printf(&list, "\n - %s", plan->orphans.items[i].stored->address);
	if (list.len)
		zp_diag_warning(plan->diags, ZP_NOWHERE,
			"Some objects will no longer be managed by zplan",
			"If you apply this plan, zplan will discard its tracking information for the "
			"following objects, but it will not delete them:%s\n\nAfter applying this plan, "
			"zplan will no longer manage these objects. You will need to import them into zplan "
			"to manage them again.", list.ptr);
}

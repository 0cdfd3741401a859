/* Which configured provider serves what; each is configured when first needed. */
#include "planner/engine.h"

static void configure(struct plan *plan, struct plan_provider *use,
	const struct plan_provider_config *block)
{
	const struct provider *provider = use->provider;
	struct provider_problems problems = { 0 };
	size_t errors = plan->diags->errors;

	use->instance = (struct provider_instance){ .provider = provider,
		.environment = &plan->environment };
	if (provider->schema)
		use->instance.config = provider_schema_null(provider->schema);
	if (block && provider->schema) {
		struct plan_scope scope;
		plan_scope_init(&scope, plan, (struct plan_scope_module *)use->module,
			(struct state_key){ 0 }, hcl_null(hcl_dynamic));
		struct hcl_evaluation ev = plan_evaluation(&scope);
		struct hcl_value config = plan_decode_body(&ev, block->body, provider->schema);
		use->instance.config = hcl_unmark_deep(&plan->arena, config, HCL_ALL_MARKS);
	}
	if (plan->diags->errors == errors && provider->configure)
		provider->configure(&use->instance, &problems);
	plan_report_problems(plan, NULL, NULL, &problems);
	use->configured = plan->diags->errors == errors;
	use->failed = !use->configured;
}

static const struct plan_provider_config *find_block(const struct plan_module *module,
	const char *name, const char *alias)
{
	for (size_t i = 0; i < module->provider_count; i++) {
		const struct plan_provider_config *block = module->providers[i];
		bool same = alias && block->alias ? strcmp(alias, block->alias) == 0 :
						    !alias && !block->alias;
		if (same && strcmp(block->name, name) == 0)
			return block;
	}
	return NULL;
}

static struct plan_provider *use_provider(struct plan *plan, const struct provider *provider,
	struct plan_scope_module *module, const char *alias, const struct plan_provider_config *block)
{
	const struct plan_scope_module *owner = block ? module : NULL;

	for (size_t i = 0; i < plan->providers.count; i++) {
		struct plan_provider *use = plan->providers.items[i];
		bool same_alias = alias && use->alias ? strcmp(alias, use->alias) == 0 :
							!alias && !use->alias;
		if (use->provider == provider && use->module == owner && same_alias)
			return use;
	}
	struct plan_provider *use = zp_new(&plan->arena, struct plan_provider);
	use->provider = provider;
	use->module = owner;
	use->alias = alias;
	use->missing = alias && !block;
	zp_vec_push(&plan->providers, use);
	configure(plan, use, block);
	return use;
}

/* Follows `providers = { inner = outer }` up to the module whose block configures it. */
struct plan_provider *plan_provider_for(struct plan *plan, struct plan_scope_module *module,
	const struct plan_resource *resource)
{
	const char *name = resource->provider_ref.name ? resource->provider_ref.name :
							 resource->provider->name;
	const char *alias = resource->provider_ref.alias;

	for (;; module = module->parent) {
		const struct plan_provider_config *block = find_block(module->config, name, alias);
		if (block || !module->made_by)
			return use_provider(plan, resource->provider, module, alias, block);
		const struct plan_call *call = module->made_by->call;
		for (size_t i = 0; i < call->provider_count; i++) {
			const struct plan_provider_ref *inner = &call->providers[i].inner;
			bool same_alias = alias && inner->alias ? strcmp(alias, inner->alias) == 0 :
								  !alias && !inner->alias;
			if (!inner->name || strcmp(inner->name, name) != 0 || !same_alias)
				continue;
			name = call->providers[i].outer.name;
			alias = call->providers[i].outer.alias;
			break;
		}
	}
}

struct plan_provider *plan_provider_default(struct plan *plan, const struct provider *provider)
{
	const struct plan_provider_config *block =
		find_block(plan->root->config, provider->name, NULL);

	return use_provider(plan, provider, plan->root, NULL, block);
}

/* What follows the bracket in provider["registry.terraform.io/x/y"].alias. */
static const char *alias_of(const char *address)
{
	const char *end = strncmp(address, "provider[", 9) == 0 ? strstr(address, "\"].") : NULL;

	return end ? end + 3 : NULL;
}

struct plan_provider *plan_provider_of(struct plan *plan, const struct state_resource *resource)
{
	const struct provider *provider = provider_for_type(resource->type);
	const struct plan_module *root = plan->root->config;
	const char *alias = alias_of(resource->provider);
	const struct plan_provider_config *block = NULL;

	if (!alias)
		return plan_provider_default(plan, provider);
	for (size_t i = 0; i < root->provider_count && !block; i++)
		if (root->providers[i]->provider == provider && root->providers[i]->alias &&
			strcmp(root->providers[i]->alias, alias) == 0)
			block = root->providers[i];
	return use_provider(plan, provider, plan->root, block ? block->alias :
		zp_arena_strdup(&plan->arena, alias), block);
}

bool plan_provider_is_there(struct plan *plan, const struct plan_provider *use, const char *address,
	const char *what)
{
	if (!use->missing)
		return true;
	zp_diag_error(plan->diags, ZP_NOWHERE, "Provider configuration not present",
		"To work with %s%s its original provider configuration at %s is required, but it has been "
		"removed. This occurs when a provider configuration is removed while objects created by that "
		"provider still exist in the state. Re-add the provider configuration to destroy %s%s, after "
		"which you can remove the provider configuration again.", address, what,
		plan_provider_address(plan, use->provider, use->alias), address, what);
	return false;
}

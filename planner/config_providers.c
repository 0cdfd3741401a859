/* Which configurations of providers each module of the tree expects, and which its caller gives it. */
#include <stdlib.h>

#include "base/alloc.h"
#include "planner/config_internal.h"

struct check {
	struct zp_arena *arena;
	struct zp_diags *diags;
};

static bool same_alias(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : !a && !b;
}

/* "aws" or "aws.west". */
static const char *ref_text(struct zp_arena *arena, const char *name, const char *alias)
{
	return alias ? zp_arena_format(arena, "%s.%s", name, alias) : name;
}

/* The name alone, without the alias. */
static struct zp_range name_range(const struct plan_provider_ref *ref)
{
	struct zp_range range = ref->range;
	uint32_t end = range.start + (uint32_t)strlen(ref->name);

	if (ref->alias && end < range.end)
		range.end = end;
	return range;
}

/* "the root module" or "module.a.b", as these messages have it. */
static const char *module_text(struct zp_arena *arena, const struct plan_module *module)
{
	zp_autobuf text = ZP_BUF_INIT;

	if (!module->parent)
		return "the root module";
	zp_buf_puts(&text, "module.");
	for (const char *p = module->path; *p; p++)
		if (*p == '.')
			zp_buf_puts(&text, ".module.");
		else
			zp_buf_char(&text, *p);
	return zp_arena_strndup(arena, text.ptr, text.len);
}

static const char *shown_source(const char *source)
{
	static const char host[] = "registry.terraform.io/";

	return strncmp(source, host, sizeof(host) - 1) == 0 ? source + sizeof(host) - 1 : source;
}

/* ---- what a module declares ---- */

static const struct plan_required_provider *find_required(const struct plan_module *module,
	const char *name)
{
	for (size_t i = 0; i < module->required_provider_count; i++)
		if (strcmp(module->required_providers[i].name, name) == 0)
			return &module->required_providers[i];
	return NULL;
}

static bool expects_alias(const struct plan_module *module, const struct plan_provider_ref *ref)
{
	const struct plan_required_provider *required = find_required(module, ref->name);

	for (size_t i = 0; required && i < required->alias_count; i++)
		if (same_alias(required->aliases[i].alias, ref->alias))
			return true;
	return false;
}

static bool is_empty(struct check *check, const struct plan_provider_config *config)
{
	struct hcl_content content = { 0 };
	struct zp_diags ignored;

	if (config->has_version || config->body->attribute_count || config->body->block_count)
		return false;
	zp_diags_init(&ignored);
	hcl_body_attributes(config->body, check->arena, &content, &ignored);
	zp_diags_release(&ignored);
	return !content.attribute_count;
}

static const struct plan_provider_config *find_config(const struct plan_module *module,
	const char *name, const char *alias)
{
	for (size_t i = 0; i < module->provider_count; i++)
		if (strcmp(module->providers[i]->name, name) == 0 &&
			same_alias(module->providers[i]->alias, alias))
			return module->providers[i];
	return NULL;
}

static bool is_configured(struct check *check, const struct plan_module *module, const char *name,
	const char *alias)
{
	const struct plan_provider_config *config = find_config(module, name, alias);

	return config && !is_empty(check, config);
}

/* What a name without a requirement stands for: a provider of ours of that name, or an official one. */
static const char *implied_source(struct check *check, const char *name)
{
	const struct provider *provider = provider_find(name);

	return provider ? provider->source : plan_provider_source(check->arena, name);
}

static const char *source_of(struct check *check, const struct plan_module *module, const char *name)
{
	const struct plan_required_provider *required = find_required(module, name);

	return required ? required->source : implied_source(check, name);
}

/* However each of them is written. */
static bool same_provider(const char *a, const char *b)
{
	const struct provider *known = provider_find(a);

	return strcmp(a, b) == 0 || (known && known == provider_find(b));
}

static const struct plan_provider_ref *passed_in(const struct plan_call *call, const char *name,
	const char *alias)
{
	for (size_t i = 0; call && i < call->provider_count; i++)
		if (call->providers[i].inner.name && strcmp(call->providers[i].inner.name, name) == 0 &&
			same_alias(call->providers[i].inner.alias, alias))
			return &call->providers[i].inner;
	return NULL;
}

/* ---- what a module passes on ---- */

static void check_outer(struct check *check, const struct plan_module *module,
	const struct plan_provider_ref *ref)
{
	const struct plan_call *own = module->call;
	const char *text = module_text(check->arena, module);
	const char *parent = module->parent ? module_text(check->arena, module->parent) : "the root module";
	bool configured = is_configured(check, module, ref->name, NULL);
	const char *source = shown_source(implied_source(check, ref->name));

	if (!configured && !find_required(module, ref->name)) {
		zp_diag_warning(check->diags, name_range(ref), "Reference to undefined provider",
			"There is no explicit declaration for local provider name \"%s\" in %s, so zplan is "
			"assuming you mean to pass a configuration for provider \"%s\".\n\nTo clarify your "
			"intent and silence this warning, add to %s a required_providers entry named \"%s\" "
			"with source = \"%s\", or a different source address if appropriate.",
			ref->name, text, source, parent, ref->name, source);
		return;
	}
	if (own && !configured && !passed_in(own, ref->name, NULL))
		zp_diag_warning(check->diags, own->range, "Missing required provider configuration",
			"The configuration for %s expects to inherit a configuration for provider %s with local "
			"name \"%s\", but %s doesn't pass a configuration under that name.\n\nTo satisfy this "
			"requirement, add an entry for \"%s\" to the \"providers\" argument in the module \"%s\" "
			"block.", text, source, ref->name, parent, ref->name, own->name);
}

/* ---- what a module is given ---- */

static void refuse_local_configurations(struct check *check, const struct plan_module *module,
	const struct zp_range *repeated)
{
	const struct plan_call *call = module->call;
	bool any = false;

	for (size_t i = 0; i < module->provider_count; i++) {
		const struct plan_provider_config *config = module->providers[i];
		if (is_empty(check, config))
			continue;
		any = true;
		const struct plan_provider_ref *passed = passed_in(call, config->name, config->alias);
		if (passed)
			zp_diag_error(check->diags, name_range(passed), "Cannot override provider configuration",
				"The configuration of %s has its own local configuration for %s, and so it "
				"cannot accept an overridden configuration provided by %s.",
				module_text(check->arena, module),
				ref_text(check->arena, config->name, config->alias),
				module_text(check->arena, module->parent));
	}
	if (any && repeated)
		zp_diag_error(check->diags, *repeated,
			"Module is incompatible with count, for_each, and depends_on",
			"The module at %s is a legacy module which contains its own local provider "
			"configurations, and so calls to it may not use the count, for_each, or depends_on "
			"arguments.\n\nIf you also control the module \"%s\", consider updating this module to "
			"instead expect provider configurations to be passed by its caller.",
			module_text(check->arena, module), call->source);
}

static void check_expected(struct check *check, const struct plan_module *module)
{
	for (size_t i = 0; i < module->required_provider_count; i++) {
		const struct plan_required_provider *required = &module->required_providers[i];
		for (size_t k = 0; k < required->alias_count; k++) {
			const char *alias = required->aliases[k].alias;
			const char *text = ref_text(check->arena, required->name, alias);
			if (is_configured(check, module, required->name, alias) ||
				passed_in(module->call, required->name, alias))
				continue;
			zp_diag_error(check->diags, module->call->range,
				"Missing required provider configuration",
				"The child module requires an additional configuration for provider %s, with "
				"the local name \"%s\".\n\nRefer to the module's documentation to understand "
				"the intended purpose of this additional provider configuration, and then add "
				"an entry for %s in the \"providers\" meta-argument in the module block to "
				"choose which provider configuration the module should use for that purpose.",
				shown_source(required->source), text, text);
		}
	}
}

static void check_type(struct check *check, const struct plan_module *module,
	const struct plan_provider_ref *inner, const struct plan_provider_ref *outer)
{
	const char *wanted = source_of(check, module, inner->name);
	const char *given = source_of(check, module->parent, outer->name);
	const char *caller = module_text(check->arena, module->parent);
	const char *text = module_text(check->arena, module);
	const char *slot = ref_text(check->arena, inner->name, inner->alias);

	if (same_provider(wanted, given))
		return;
	for (size_t i = 0; i < module->required_provider_count; i++) {
		if (!same_provider(module->required_providers[i].source, given))
			continue;
		zp_diag_error(check->diags, name_range(inner), "Provider type mismatch",
			"The assigned configuration is for provider \"%s\", but local name \"%s\" in %s "
			"represents \"%s\".\n\nTo pass this configuration to the child module, use the local "
			"name \"%s\" instead.", shown_source(given), inner->name, caller,
			shown_source(wanted), module->required_providers[i].name);
		return;
	}
	zp_diag_error(check->diags, name_range(outer), "Provider type mismatch",
		"The local name \"%s\" in %s represents provider \"%s\", but \"%s\" in %s represents \"%s\".\n\n"
		"Each provider has its own distinct configuration schema and provider types, so this module's "
		"\"%s\" can be assigned only a configuration for %s, which is not required by %s.",
		ref_text(check->arena, outer->name, outer->alias), caller, shown_source(given), slot, text,
		shown_source(wanted), slot, shown_source(wanted), text);
}

static void check_inner(struct check *check, const struct plan_module *module,
	const struct plan_provider_ref *ref)
{
	const char *text = ref_text(check->arena, ref->name, ref->alias);
	const char *source = shown_source(source_of(check, module, ref->name));
	const struct plan_provider_config *config = find_config(module, ref->name, ref->alias);
	bool named = !ref->alias && find_required(module, ref->name);

	if (named || expects_alias(module, ref) || (config && is_empty(check, config)))
		return;
	if (!find_required(module, ref->name))
		zp_diag_warning(check->diags, name_range(ref), "Reference to undefined provider",
			"There is no explicit declaration for local provider name \"%s\" in %s, so zplan is "
			"assuming you mean to pass a configuration for \"%s\".\n\nIf you also control the child "
			"module, add a required_providers entry named \"%s\" with the source address \"%s\".",
			text, module_text(check->arena, module), source, text, source);
	else
		zp_diag_error(check->diags, name_range(ref), "Reference to undefined provider",
			"The child module does not declare any provider requirement with the local name "
			"\"%s\".\n\nIf you also control the child module, you can add a required_providers "
			"entry named \"%s\" with the source address \"%s\" to accept this provider "
			"configuration.", text, text, source);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Of all the empty blocks for one provider; first is the first of them. */
static void warn_of_empty(struct check *check, const struct plan_module *module,
	const struct plan_provider_config *first)
{
	zp_autofree const char **names = zp_calloc(module->provider_count + 1, sizeof(*names));
	const char *source = shown_source(source_of(check, module, first->name));
	zp_autobuf entry = ZP_BUF_INIT;
	size_t count = 0;
	bool aliased = false;

	for (size_t i = 0; i < module->provider_count; i++) {
		const struct plan_provider_config *config = module->providers[i];
		if (strcmp(config->name, first->name) != 0 || !is_empty(check, config))
			continue;
		names[count++] = ref_text(check->arena, config->name, config->alias);
		aliased |= config->alias != NULL;
	}
	qsort(names, count, sizeof(*names), by_text);
	zp_buf_printf(&entry, "    %s = {\n      source = \"%s\"\n", first->name, source);
	if (aliased) {
		zp_buf_puts(&entry, "      configuration_aliases = [\n");
		for (size_t i = 0; i < count; i++)
			zp_buf_printf(&entry, "        %s,\n", names[i]);
		zp_buf_puts(&entry, "      ]\n");
	}
	zp_buf_puts(&entry, "    }");
	zp_diag_warning(check->diags, first->range, "Redundant empty provider block",
		"Earlier versions of Terraform used empty provider blocks (\"proxy provider configurations\") "
		"for child modules to declare their need to be passed a provider configuration by their callers. "
		"That approach was ambiguous and is now deprecated.\n\nIf you control this module, you can "
		"migrate to the new declaration syntax by removing all of the empty provider \"%s\" blocks and "
		"then adding or updating an entry like the following to the required_providers block of %s:\n%s",
		first->name, module_text(check->arena, module), entry.ptr);
}

static void check_empty(struct check *check, const struct plan_module *module)
{
	for (size_t i = 0; i < module->provider_count; i++) {
		const struct plan_provider_config *config = module->providers[i];
		bool first = is_empty(check, config);
		for (size_t k = 0; k < i && first; k++)
			first = strcmp(module->providers[k]->name, config->name) != 0 ||
				!is_empty(check, module->providers[k]);
		if (first)
			warn_of_empty(check, module, config);
	}
}

/* repeated: what of a call around it keeps a module from having configurations of its own; or NULL. */
static void check_module(struct check *check, const struct plan_module *module,
	const struct zp_range *repeated)
{
	for (size_t i = 0; i < module->call_count; i++) {
		const struct plan_call *call = module->calls[i];
		const struct zp_range *here = call->count ? &call->count->range :
			call->for_each			  ? &call->for_each->range :
			call->depends_on_count		  ? &call->depends_on[0]->range :
							    repeated;
		for (size_t k = 0; k < call->provider_count; k++)
			if (call->providers[k].outer.name && !call->providers[k].outer.alias)
				check_outer(check, module, &call->providers[k].outer);
		/* Modules nest no deeper than loading let them. */
		if (call->module)
			check_module(check, call->module, here);
	}
	if (!module->call)
		return;
	refuse_local_configurations(check, module, repeated);
	check_expected(check, module);
	for (size_t i = 0; i < module->call->provider_count; i++) {
		const struct plan_provider_ref *inner = &module->call->providers[i].inner;
		const struct plan_provider_ref *outer = &module->call->providers[i].outer;
		if (!inner->name || !outer->name)
			continue;
		check_inner(check, module, inner);
		check_type(check, module, inner, outer);
	}
	check_empty(check, module);
}

void plan_check_passed_providers(struct plan_config *config, struct zp_diags *diags)
{
	struct check check = { .arena = &config->arena, .diags = diags };

	check_module(&check, config->root, NULL);
}

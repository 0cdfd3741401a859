/* Blocks about providers and the program itself: provider, terraform. */
#include "base/alloc.h"
#include "base/version.h"
#include "planner/config_internal.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define DEFAULT_HOST "registry.terraform.io"

static const struct hcl_attribute_schema provider_attributes[] = { { "alias", false },
	{ "version", false } };
static const struct hcl_body_schema provider_schema = { provider_attributes,
	COUNT(provider_attributes), NULL, 0 };

void plan_load_provider(struct plan_loader *loader, const struct hcl_block *block)
{
	struct plan_provider_config *provider = zp_new(loader->arena, struct plan_provider_config);
	struct hcl_content content =
		plan_content(loader, block->body, &provider_schema, &provider->body);

	if (!plan_check_name(loader, block->labels[0], block->label_ranges[0],
		    "Invalid provider configuration name"))
		return;
	provider->name = zp_intern(block->labels[0]);
	provider->alias = plan_constant_string(loader, &content, "alias");
	struct hcl_attribute *version = hcl_content_attribute(&content, "version");
	provider->has_version = version;
	if (version)
		zp_diag_warning(loader->diags, version->expr->range,
			"Version constraints inside provider configuration blocks are deprecated",
			"Terraform 0.13 and earlier allowed provider version constraints inside the provider "
			"configuration block, but that is now deprecated and will be removed in a future version "
			"of zplan. To silence this warning, move the provider version constraint into the "
			"required_providers block.");
	provider->range = block->header_range;
	for (size_t i = 0; i < loader->providers.count; i++) {
		const struct plan_provider_config *other = loader->providers.items[i];
		bool same_alias = provider->alias && other->alias ?
			strcmp(provider->alias, other->alias) == 0 :
			!provider->alias && !other->alias;
		if (other->name != provider->name || !same_alias)
			continue;
		zp_diag_error(loader->diags, block->header_range,
			"Duplicate provider configuration",
			"A %s provider configuration for \"%s\" was already given at %s. If "
			"multiple configurations are required, set the \"alias\" argument for "
			"alternative configurations.",
			provider->alias ? "aliased" : "default (non-aliased)", provider->name,
			plan_range_text(loader->arena, other->range));
		return;
	}
	zp_vec_push(&loader->providers, provider);
}

static const char *const one_label[] = { "type", NULL };
static const struct hcl_block_schema terraform_blocks[] = {
	{ "backend", one_label },
	{ "encryption", NULL },
	{ "cloud", NULL },
	{ "required_providers", NULL },
	{ "provider_meta", one_label },
};
static const struct hcl_attribute_schema terraform_attributes[] = {
	{ "required_version", false }, { "experiments", false }, { "language", false },
};
static const struct hcl_body_schema terraform_schema = { terraform_attributes,
	COUNT(terraform_attributes), terraform_blocks, COUNT(terraform_blocks) };

const char *plan_provider_source(struct zp_arena *arena, const char *source)
{
	size_t slashes = 0;

	for (const char *p = source; *p; p++)
		slashes += *p == '/';
	if (slashes >= 2)
		return source;
	if (slashes == 1)
		return zp_arena_format(arena, DEFAULT_HOST "/%s", source);
	return zp_arena_format(arena, DEFAULT_HOST "/hashicorp/%s", source);
}

/* A bare word, or a quoted one. */
static const char *required_key(struct plan_loader *loader, struct hcl_expr *expr)
{
	const char *word = hcl_expr_keyword(plan_static(loader, expr));

	if (!word && expr->kind == HCL_EXPR_LITERAL && expr->literal.type == hcl_string &&
		expr->literal.state == HCL_KNOWN)
		word = expr->literal.text;
	return word;
}

static void load_aliases(struct plan_loader *loader, struct plan_required_provider *required,
	const struct hcl_expr *list)
{
	struct hcl_expr **items;
	size_t count;

	if (!plan_static_list(loader, list, &items, &count))
		return;
	required->aliases = zp_arena_calloc(loader->arena, count, sizeof(*required->aliases));
	for (size_t i = 0; i < count; i++) {
		const struct hcl_expr *item = items[i];
		if (item->kind != HCL_EXPR_TRAVERSAL) {
			zp_diag_error(loader->diags, item->range, "Invalid expression",
				"A single static variable reference is required: only attribute access and "
				"indexing with constant keys. No calculations, function calls, template "
				"expressions, etc are allowed here.");
			continue;
		}
		const char *alias =
			item->traversal.count == 1 ? item->traversal.steps[0].name : NULL;
		if (item->traversal.count && !alias) {
			zp_diag_error(loader->diags, list->range, "Invalid configuration_aliases value",
				"Configuration aliases can only contain references to local provider "
				"configuration names in the format of provider.alias");
			continue;
		}
		if (strcmp(item->traversal.root, required->name) != 0) {
			zp_diag_error(loader->diags, list->range, "Invalid configuration_aliases value",
				"Configuration aliases must be prefixed with the provider name. Expected "
				"\"%s\", but found \"%s\".", required->name, item->traversal.root);
			continue;
		}
		required->aliases[required->alias_count++] = (struct plan_provider_ref){
			.name = item->traversal.root, .alias = alias, .range = item->range };
	}
}

static void load_required_provider(struct plan_loader *loader, const struct hcl_attribute *attribute)
{
	struct hcl_evaluation ev = { .arena = loader->arena, .diags = loader->diags };
	struct plan_required_provider required = { .name = attribute->name,
		.range = attribute->range };
	struct hcl_expr *expr = attribute->expr;
	const char *source = NULL;

	struct hcl_object_item *items = NULL;
	size_t count = 0;

	if (!hcl_expr_pairs(expr, loader->arena, &items, &count)) {
		struct hcl_value value = hcl_evaluate_as(&ev, expr, hcl_string);
		if (value.state == HCL_KNOWN)
			required.version = value.text;
	}
	for (size_t i = 0; i < count; i++) {
		const char *key = required_key(loader, items[i].key);
		if (key && strcmp(key, "configuration_aliases") == 0)
			load_aliases(loader, &required, items[i].value);
		if (!key || strcmp(key, "configuration_aliases") == 0)
			continue;
		struct hcl_value value =
			hcl_evaluate_as(&ev, items[i].value, hcl_string);
		if (value.state != HCL_KNOWN)
			continue;
		if (strcmp(key, "source") == 0)
			source = value.text;
		else if (strcmp(key, "version") == 0)
			required.version = value.text;
		else
			zp_diag_error(loader->diags, items[i].key->range,
				"Invalid required_providers object",
				"required_providers objects can only contain \"version\", "
				"\"source\" and \"configuration_aliases\" attributes. To configure "
				"a provider, use a \"provider\" block.");
	}
	required.source = plan_provider_source(loader->arena, source ? source : attribute->name);
	zp_vec_push(&loader->required_providers, required);
}

static void load_backend(struct plan_loader *loader, const struct hcl_block *block)
{
	if (loader->module->backend) {
		zp_diag_error(loader->diags, block->header_range, "Duplicate backend configuration",
			"A module may have only one backend configuration. The backend was "
			"previously configured at %s.",
			plan_range_text(loader->arena, loader->module->backend->range));
		return;
	}
	struct plan_backend_config *backend = zp_new(loader->arena, struct plan_backend_config);
	backend->type = zp_intern(block->labels[0]);
	backend->body = block->body;
	backend->range = block->header_range;
	loader->module->backend = backend;
}

static void check_edition(struct plan_loader *loader, const struct hcl_content *content)
{
	struct hcl_attribute *language = hcl_content_attribute(content, "language");
	struct hcl_attribute *experiments = hcl_content_attribute(content, "experiments");

	if (language) {
		const char *word = hcl_expr_keyword(plan_static(loader, language->expr));
		if (!word)
			zp_diag_error(loader->diags, language->expr->range, "Invalid language edition",
				"The language argument expects a bare language edition keyword. zplan "
				"supports only language edition TF2021, which is the default.");
		else if (strcmp(word, "TF2021") != 0)
			zp_diag_error(loader->diags, language->expr->range,
				"Unsupported language edition",
				"zplan supports only language edition TF2021, which is the default. "
				"\"%s\" is for another version.", word);
	}
	if (experiments)
		zp_diag_error(loader->diags, experiments->range, "Module uses experimental features",
			"Experimental features are for gathering early feedback on new language "
			"designs. There are none in zplan.");
}

static void name_module(struct zp_buf *out, const struct plan_module *module)
{
	if (!module->call) {
		zp_buf_puts(out, "This configuration");
		return;
	}
	zp_buf_puts(out, "Module module.");
	for (const char *p = module->path; *p; p++)
		if (*p == '.')
			zp_buf_puts(out, ".module.");
		else
			zp_buf_char(out, *p);
	zp_buf_printf(out, " (from %s)", module->call->source);
}

/* zplan answers as the version of the language it implements. */
static void check_version(struct plan_loader *loader, const struct hcl_content *content)
{
	struct hcl_attribute *attribute = hcl_content_attribute(content, "required_version");
	const char *constraints = attribute ?
		plan_constant_string(loader, content, "required_version") : NULL;
	zp_autoerror err = ZP_ERROR_INIT;

	if (!constraints || zp_version_meets(STATE_TERRAFORM_VERSION, constraints, &err))
		return;
	if (err.message) {
		zp_diag_error(loader->diags, attribute->expr->range, "Invalid version constraint",
			"This string does not use correct version constraint syntax.");
		return;
	}
	if (loader->root_only)
		return;
	zp_autobuf who = ZP_BUF_INIT;
	name_module(&who, loader->module);
	zp_diag_error(loader->diags, attribute->expr->range, "Unsupported Terraform Core version",
		"%s does not support Terraform version %s, whose language this version of zplan speaks. To "
		"proceed, either choose another version or update this version constraint. Version "
		"constraints are normally set for good reason, so updating the constraint may lead to other "
		"errors or unexpected behavior.", who.ptr, STATE_TERRAFORM_VERSION);
}

void plan_load_terraform(struct plan_loader *loader, const struct hcl_block *block)
{
	struct hcl_content content = plan_content(loader, block->body, &terraform_schema, NULL);

	check_edition(loader, &content);
	check_version(loader, &content);
	for (size_t i = 0; i < content.block_count; i++) {
		const struct hcl_block *inner = content.blocks[i];
		if (strcmp(inner->type, "required_providers") == 0) {
			struct hcl_content providers = { 0 };
			hcl_body_attributes(inner->body, loader->arena, &providers, loader->diags);
			for (size_t k = 0; k < providers.attribute_count; k++)
				load_required_provider(loader, providers.attributes[k]);
		} else if (strcmp(inner->type, "backend") == 0) {
			load_backend(loader, inner);
		} else if (strcmp(inner->type, "encryption") == 0) {
			loader->module->encryption = inner->body;
		} else if (strcmp(inner->type, "cloud") == 0) {
			zp_diag_error(loader->diags, inner->header_range,
				"Unsupported state storage",
				"zplan keeps state in a backend of its own choice of places, not in "
				"HCP Terraform. Replace the \"cloud\" block by a \"backend\" block.");
		}
	}
}

/* "configuration" of a plan document: the blocks as they are written, each expression with what it names. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/vec.h"
#include "cli/show_json.h"
#include "hcl-lite/codec.h"
#include "planner/provisioner_schema.h"

/* ---- expressions ---- */

static void step_text(const struct hcl_traverse *step, struct zp_buf *out)
{
	if (step->name) {
		zp_buf_printf(out, ".%s", step->name);
		return;
	}
	zp_buf_char(out, '[');
	if (step->key.type == hcl_string)
		hcl_quote(out, hcl_text(step->key));
	else
		hcl_number_text(step->key, out);
	zp_buf_char(out, ']');
}

static bool is_index(const struct hcl_expr *traversal, uint32_t at)
{
	return at < traversal->traversal.count && !traversal->traversal.steps[at].name;
}

/*
 * How many steps name the object itself, and how many the block it comes from where that is less: what
 * follows is about a part of it.
 */
static uint32_t subject_steps(const struct hcl_expr *traversal, uint32_t *block)
{
	const char *root = traversal->traversal.root;
	uint32_t count = traversal->traversal.count, n;

	if (strcmp(root, "self") == 0)
		return *block = 0;
	if (strcmp(root, "module") == 0) {
		*block = 1;
		n = 1 + is_index(traversal, 1);
		if (n < count && traversal->traversal.steps[n].name) {
			*block = n;
			n++;
		}
	} else {
		bool plain = strcmp(root, "var") == 0 || strcmp(root, "local") == 0 ||
			strcmp(root, "path") == 0 || strcmp(root, "terraform") == 0 ||
			strcmp(root, "each") == 0 || strcmp(root, "count") == 0;
		bool mode = strcmp(root, "data") == 0 || strcmp(root, "resource") == 0 ||
			strcmp(root, "ephemeral") == 0;
		*block = n = 1 + mode;
		n += !plain && is_index(traversal, n);
	}
	*block = *block < count ? *block : count;
	return n < count ? n : count;
}

/* The reference and all it is a part of, the longest first. */
static void reference_json(void *data, const struct hcl_expr *traversal)
{
	struct zp_json_writer *writer = data;
	uint32_t block, subject = subject_steps(traversal, &block);

	for (uint32_t n = traversal->traversal.count + 1; n-- > 0;) {
		if (n < subject && n != block)
			continue;
		zp_autobuf text = ZP_BUF_INIT;
		zp_buf_puts(&text, traversal->traversal.root);
		for (uint32_t i = 0; i < n; i++)
			step_text(&traversal->traversal.steps[i], &text);
		zp_json_string(writer, zp_buf_slice(&text));
		if (n == block)
			break;
	}
}

static void note_reference(void *data, const struct hcl_expr *traversal)
{
	(void)traversal;
	*(bool *)data = true;
}

/* What the expression is, if that takes no names and no functions. */
static bool constant(const struct hcl_expr *expr, struct zp_arena *arena, struct hcl_value *value)
{
	struct zp_diags diags = { 0 };
	struct hcl_evaluation ev = { .arena = arena, .diags = &diags, .trial = true };

	*value = hcl_evaluate(&ev, expr);
	bool ok = !diags.errors && hcl_is_wholly_known(*value);
	zp_diags_release(&diags);
	return ok;
}

/* Members of an expression's object: its constant value, or its references; nothing for other ones. */
static void expression_members(struct zp_json_writer *writer, const struct hcl_expr *expr)
{
	struct zp_arena arena;
	struct hcl_value value;
	bool names = false;

	hcl_expr_references(expr, note_reference, &names);
	zp_arena_init(&arena);
	/* In JSON syntax the value as it is written is told, templates and all. */
	bool json = expr->kind == HCL_EXPR_JSON && expr->range.file;
	if (json) {
		zp_json_key(writer, "constant_value");
		zp_json_raw(writer, zp_strn(expr->range.file->text.ptr + expr->range.start,
			expr->range.end - expr->range.start));
	}
	if (names) {
		zp_json_key(writer, "references");
		zp_json_begin_array(writer);
		hcl_expr_references(expr, reference_json, writer);
		zp_json_end_array(writer);
	} else if (!json && constant(expr, &arena, &value)) {
		zp_json_key(writer, "constant_value");
		hcl_value_to_json(writer, value, NULL);
	}
	zp_arena_release(&arena);
}

static void expression_json(struct zp_json_writer *writer, const struct hcl_expr *expr)
{
	zp_json_begin_object(writer);
	if (expr)
		expression_members(writer, expr);
	zp_json_end_object(writer);
}

/* A member of its own, left out when the expression says nothing. */
static void expression_member(struct zp_json_writer *writer, const char *name, const struct hcl_expr *expr)
{
	struct zp_arena arena;
	struct hcl_value value;
	bool says = false;

	zp_arena_init(&arena);
	hcl_expr_references(expr, note_reference, &says);
	says = says || constant(expr, &arena, &value);
	zp_arena_release(&arena);
	if (!says)
		return;
	zp_json_key(writer, name);
	expression_json(writer, expr);
}

/* ---- bodies ---- */

static int by_attribute(const void *a, const void *b)
{
	return strcmp((*(struct hcl_attribute *const *)a)->name, (*(struct hcl_attribute *const *)b)->name);
}

static void expressions_json(struct zp_json_writer *writer, const struct hcl_body *body,
	const struct provider_schema *schema);

static void blocks_json(struct zp_json_writer *writer, const struct hcl_content *content,
	const struct provider_block *block)
{
	bool one = block->nesting == PROVIDER_SINGLE || block->nesting == PROVIDER_GROUP, any = false;

	for (size_t i = 0; i < content->block_count; i++) {
		if (strcmp(content->blocks[i]->type, block->name) != 0)
			continue;
		if (!any) {
			zp_json_key(writer, block->name);
			if (!one)
				zp_json_begin_array(writer);
		}
		any = true;
		zp_json_begin_object(writer);
		expressions_json(writer, content->blocks[i]->body, block->schema);
		zp_json_end_object(writer);
		if (one)
			return;
	}
	if (any)
		zp_json_end_array(writer);
}

/* Members for what the body gives of the schema; blocks made by "dynamic" are not seen. */
static void expressions_json(struct zp_json_writer *writer, const struct hcl_body *body,
	const struct provider_schema *schema)
{
	zp_autofree struct hcl_attribute_schema *attributes =
		zp_calloc(schema->attribute_count + 1, sizeof(*attributes));
	zp_autofree struct hcl_block_schema *blocks = zp_calloc(schema->block_count + 1, sizeof(*blocks));
	struct hcl_body_schema wanted = { attributes, schema->attribute_count, blocks,
		schema->block_count };
	struct hcl_content content = { 0 };
	struct zp_diags diags = { 0 };
	struct hcl_body *rest;
	struct zp_arena arena;

	for (size_t i = 0; i < schema->attribute_count; i++)
		attributes[i].name = schema->attributes[i].name;
	for (size_t i = 0; i < schema->block_count; i++)
		blocks[i].type = schema->blocks[i].name;
	zp_arena_init(&arena);
	hcl_body_content(body, &wanted, &arena, &content, &rest, &diags);
	if (content.attribute_count)
		qsort(content.attributes, content.attribute_count, sizeof(struct hcl_attribute *), by_attribute);
	for (size_t i = 0; i < content.attribute_count; i++) {
		zp_json_key(writer, content.attributes[i]->name);
		expression_json(writer, content.attributes[i]->expr);
	}
	for (size_t i = 0; i < schema->block_count; i++)
		blocks_json(writer, &content, &schema->blocks[i]);
	zp_diags_release(&diags);
	zp_arena_release(&arena);
}

/* The same as a member named "expressions", left out when there is none. */
static void expressions_member(struct zp_json_writer *writer, const struct hcl_body *body,
	const struct provider_schema *schema)
{
	zp_autobuf text = ZP_BUF_INIT;
	struct zp_json_writer inner;

	zp_json_writer_init(&inner, &text, false);
	inner.exact_integers = writer->exact_integers;
	inner.html_safe = writer->html_safe;
	zp_json_begin_object(&inner);
	expressions_json(&inner, body, schema);
	zp_json_end_object(&inner);
	if (strcmp(text.ptr, "{}") == 0)
		return;
	zp_json_key(writer, "expressions");
	zp_json_raw(writer, zp_buf_slice(&text));
}

static void depends_on_json(struct zp_json_writer *writer, struct hcl_expr *const *traversals, size_t count)
{
	if (!count)
		return;
	zp_json_key(writer, "depends_on");
	zp_json_begin_array(writer);
	for (size_t i = 0; i < count; i++) {
		const struct hcl_expr *traversal = traversals[i];
		zp_autobuf text = ZP_BUF_INIT;
		zp_buf_puts(&text, traversal->traversal.root);
		for (uint32_t k = 0; k < traversal->traversal.count; k++)
			step_text(&traversal->traversal.steps[k], &text);
		zp_json_string(writer, zp_buf_slice(&text));
	}
	zp_json_end_array(writer);
}

/* ---- providers ---- */

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static const struct plan_provider_config *provider_block(const struct plan_module *module, const char *name,
	const char *alias)
{
	for (size_t i = 0; i < module->provider_count; i++)
		if (strcmp(module->providers[i]->name, name) == 0 &&
			same_text(module->providers[i]->alias, alias))
			return module->providers[i];
	return NULL;
}

static void provider_key(const struct plan_module *module, const char *name, const char *alias,
	struct zp_buf *out)
{
	for (const char *p = module->path; *p; p = strchr(p, '.') ? strchr(p, '.') + 1 : "") {
		size_t length = strcspn(p, ".");
		zp_buf_printf(out, "%smodule.%.*s", p == module->path ? "" : ".", (int)length, p);
	}
	zp_buf_printf(out, "%s%s%s%s", *module->path ? ":" : "", name, alias ? "." : "", alias ? alias : "");
}

static bool mentions_provider(const struct plan_module *module, const char *name)
{
	for (size_t i = 0; i < module->required_provider_count; i++)
		if (strcmp(module->required_providers[i].name, name) == 0)
			return true;
	for (size_t i = 0; i < module->resource_count; i++) {
		const struct plan_resource *resource = module->resources[i];
		if (resource->provider && strcmp(resource->provider_ref.name ? resource->provider_ref.name :
							resource->provider->name, name) == 0)
			return true;
	}
	return provider_block(module, name, NULL) != NULL;
}

/* Where the configuration a resource uses is given, through the modules that pass it on. */
static const struct plan_module *used_provider(const struct plan_module *module,
	const struct plan_resource *resource, const char **name, const char **alias)
{
	*name = resource->provider_ref.name ? resource->provider_ref.name : resource->provider->name;
	*alias = resource->provider_ref.alias;
	for (; module->call && !provider_block(module, *name, *alias); module = module->parent) {
		const struct plan_call *call = module->call;
		bool passed = false;
		for (size_t i = 0; i < call->provider_count && !passed; i++) {
			if (!same_text(call->providers[i].inner.name, *name) ||
				!same_text(call->providers[i].inner.alias, *alias))
				continue;
			*name = call->providers[i].outer.name;
			*alias = call->providers[i].outer.alias;
			passed = true;
		}
		if (!passed && !mentions_provider(module->parent, *name))
			break;
	}
	return module;
}

struct provider_entry {
	char *key;
	const char *name, *source, *version, *alias;
	const struct plan_module *module;
	const struct plan_provider_config *block;
};

ZP_VEC(provider_entries, struct provider_entry);

static const char *required_version(const struct plan_module *module, const char *name)
{
	for (size_t i = 0; i < module->required_provider_count; i++)
		if (strcmp(module->required_providers[i].name, name) == 0)
			return module->required_providers[i].version;
	return NULL;
}

static void add_provider(struct provider_entries *entries, const struct plan_module *module,
	const char *name, const char *alias, const char *source)
{
	zp_autobuf key = ZP_BUF_INIT;

	provider_key(module, name, alias, &key);
	for (size_t i = 0; i < entries->count; i++)
		if (strcmp(entries->items[i].key, key.ptr) == 0)
			return;
	struct provider_entry entry = { .key = zp_strdup(key.ptr), .name = name, .source = source,
		.version = required_version(module, name), .alias = alias, .module = module,
		.block = provider_block(module, name, alias) };
	zp_vec_push(entries, entry);
}

static void collect_providers(struct provider_entries *entries, const struct plan_module *module)
{
	for (size_t i = 0; i < module->provider_count; i++) {
		const struct plan_provider_config *block = module->providers[i];
		if (block->provider)
			add_provider(entries, module, block->name, block->alias, block->provider->source);
		/* The one without alias is there even where nothing configures it. */
		if (block->provider && block->alias && !module->call)
			add_provider(entries, module, block->name, NULL, block->provider->source);
	}
	for (size_t i = 0; !module->call && i < module->required_provider_count; i++)
		add_provider(entries, module, module->required_providers[i].name, NULL,
			module->required_providers[i].source);
	for (size_t i = 0; i < module->resource_count; i++) {
		const struct plan_resource *resource = module->resources[i];
		const char *name, *alias;
		if (!resource->provider)
			continue;
		const struct plan_module *giver = used_provider(module, resource, &name, &alias);
		add_provider(entries, giver, name, alias, resource->provider->source);
	}
	for (size_t i = 0; i < module->call_count; i++)
		if (module->calls[i]->module)
			collect_providers(entries, module->calls[i]->module);
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct provider_entry *)a)->key, ((const struct provider_entry *)b)->key);
}

static void provider_json(struct zp_json_writer *writer, const struct provider_entry *entry)
{
	zp_json_key(writer, entry->key);
	zp_json_begin_object(writer);
	zp_json_member(writer, "name", entry->name);
	zp_json_member(writer, "full_name", entry->source);
	zp_json_member(writer, "alias", entry->alias);
	zp_json_member(writer, "version_constraint", entry->version);
	if (*entry->module->path) {
		const char *colon = strrchr(entry->key, ':');
		zp_json_key(writer, "module_address");
		zp_json_string(writer, zp_strn(entry->key, (size_t)(colon - entry->key)));
	}
	if (entry->block && entry->block->provider && entry->block->provider->schema)
		expressions_member(writer, entry->block->body, entry->block->provider->schema);
	zp_json_end_object(writer);
}

static void providers_json(struct zp_json_writer *writer, const struct plan_module *root)
{
	struct provider_entries entries = { 0 };

	collect_providers(&entries, root);
	if (entries.count) {
		qsort(entries.items, entries.count, sizeof(*entries.items), by_key);
		zp_json_key(writer, "provider_config");
		zp_json_begin_object(writer);
		for (size_t i = 0; i < entries.count; i++)
			provider_json(writer, &entries.items[i]);
		zp_json_end_object(writer);
	}
	for (size_t i = 0; i < entries.count; i++)
		free(entries.items[i].key);
	zp_vec_release(&entries);
}

/* ---- modules ---- */

static int by_name(const void *a, const void *b)
{
	return strcmp(**(const char *const *const *)a, **(const char *const *const *)b);
}

/* Pointers to things that begin with their name, sorted by it. Heap. */
static void *sorted(void *things, size_t count)
{
	void **copy = zp_calloc(count + 1, sizeof(*copy));

	if (count) {
		memcpy(copy, things, count * sizeof(*copy));
		qsort(copy, count, sizeof(*copy), by_name);
	}
	return copy;
}

static void module_json(struct zp_json_writer *writer, const struct plan_module *module);

static void outputs_json(struct zp_json_writer *writer, const struct plan_module *module)
{
	zp_autofree struct plan_output **outputs = sorted(module->outputs, module->output_count);

	if (!module->output_count)
		return;
	zp_json_key(writer, "outputs");
	zp_json_begin_object(writer);
	for (size_t i = 0; i < module->output_count; i++) {
		const struct plan_output *output = outputs[i];
		zp_json_key(writer, output->name);
		zp_json_begin_object(writer);
		if (output->sensitive) {
			zp_json_key(writer, "sensitive");
			zp_json_bool(writer, true);
		}
		if (output->ephemeral) {
			zp_json_key(writer, "ephemeral");
			zp_json_bool(writer, true);
		}
		zp_json_key(writer, "expression");
		expression_json(writer, output->expr);
		depends_on_json(writer, output->depends_on, output->depends_on_count);
		zp_json_member(writer, "description", output->description);
		zp_json_end_object(writer);
	}
	zp_json_end_object(writer);
}

static void provisioners_json(struct zp_json_writer *writer, const struct plan_resource *resource)
{
	if (!resource->provisioner_count)
		return;
	zp_json_key(writer, "provisioners");
	zp_json_begin_array(writer);
	for (size_t i = 0; i < resource->provisioner_count; i++) {
		const struct plan_provisioner *provisioner = &resource->provisioners[i];
		const struct provider_schema *schema = plan_provisioner_schema(provisioner->type);
		zp_json_begin_object(writer);
		zp_json_member(writer, "type", provisioner->type);
		if (schema)
			expressions_member(writer, provisioner->body, schema);
		zp_json_end_object(writer);
	}
	zp_json_end_array(writer);
}

static void resource_json(struct zp_json_writer *writer, const struct plan_module *module,
	const struct plan_resource *resource)
{
	static const char *const modes[] = { "managed", "data", "ephemeral" };
	const char *name, *alias;
	zp_autobuf key = ZP_BUF_INIT;

	zp_json_begin_object(writer);
	zp_json_member(writer, "address", resource->address);
	zp_json_member(writer, "mode", modes[resource->mode]);
	zp_json_member(writer, "type", resource->type);
	zp_json_member(writer, "name", resource->name);
	const struct plan_module *giver = used_provider(module, resource, &name, &alias);
	provider_key(giver, name, alias, &key);
	zp_json_member(writer, "provider_config_key", key.ptr);
	provisioners_json(writer, resource);
	expressions_member(writer, resource->body, resource->resource_type->schema);
	zp_json_key(writer, "schema_version");
	zp_json_int(writer, resource->resource_type->schema->version);
	if (resource->count)
		expression_member(writer, "count_expression", resource->count);
	if (resource->for_each)
		expression_member(writer, "for_each_expression", resource->for_each);
	depends_on_json(writer, resource->depends_on, resource->depends_on_count);
	zp_json_end_object(writer);
}

static int by_address(const void *a, const void *b)
{
	const struct plan_resource *x = *(struct plan_resource *const *)a;
	const struct plan_resource *y = *(struct plan_resource *const *)b;

	return x->mode != y->mode ? (int)x->mode - (int)y->mode : strcmp(x->address, y->address);
}

static void resources_json(struct zp_json_writer *writer, const struct plan_module *module)
{
	zp_autofree const struct plan_resource **resources =
		zp_calloc(module->resource_count + 1, sizeof(*resources));
	size_t count = 0;

	for (size_t i = 0; i < module->resource_count; i++)
		if (module->resources[i]->provider && module->resources[i]->resource_type)
			resources[count++] = module->resources[i];
	if (!count)
		return;
	qsort(resources, count, sizeof(struct plan_resource *), by_address);
	zp_json_key(writer, "resources");
	zp_json_begin_array(writer);
	for (size_t i = 0; i < count; i++)
		resource_json(writer, module, resources[i]);
	zp_json_end_array(writer);
}

/* The arguments, by the variables of the module that is called. */
static void arguments_json(struct zp_json_writer *writer, const struct plan_call *call)
{
	zp_autofree struct provider_attribute *attributes =
		zp_calloc(call->module->variable_count + 1, sizeof(*attributes));
	struct provider_schema schema = { .attributes = attributes,
		.attribute_count = call->module->variable_count };

	for (size_t i = 0; i < schema.attribute_count; i++)
		attributes[i].name = call->module->variables[i]->name;
	expressions_member(writer, call->body, &schema);
}

static void calls_json(struct zp_json_writer *writer, const struct plan_module *module)
{
	zp_autofree struct plan_call **calls = sorted(module->calls, module->call_count);

	if (!module->call_count)
		return;
	zp_json_key(writer, "module_calls");
	zp_json_begin_object(writer);
	for (size_t i = 0; i < module->call_count; i++) {
		const struct plan_call *call = calls[i];
		if (!call->module)
			continue;
		zp_json_key(writer, call->name);
		zp_json_begin_object(writer);
		zp_json_member(writer, "source", call->source);
		arguments_json(writer, call);
		if (call->count)
			expression_member(writer, "count_expression", call->count);
		if (call->for_each)
			expression_member(writer, "for_each_expression", call->for_each);
		zp_json_key(writer, "module");
		module_json(writer, call->module);
		zp_json_member(writer, "version_constraint", call->version);
		depends_on_json(writer, call->depends_on, call->depends_on_count);
		zp_json_end_object(writer);
	}
	zp_json_end_object(writer);
}

static void variables_json(struct zp_json_writer *writer, const struct plan_module *module)
{
	zp_autofree struct plan_variable **variables = sorted(module->variables, module->variable_count);

	if (!module->variable_count)
		return;
	zp_json_key(writer, "variables");
	zp_json_begin_object(writer);
	for (size_t i = 0; i < module->variable_count; i++) {
		const struct plan_variable *variable = variables[i];
		zp_json_key(writer, variable->name);
		zp_json_begin_object(writer);
		if (variable->has_default) {
			zp_json_key(writer, "default");
			hcl_value_to_json(writer, variable->default_value, NULL);
		}
		zp_json_member(writer, "description", variable->description);
		if (variable->sensitive) {
			zp_json_key(writer, "sensitive");
			zp_json_bool(writer, true);
		}
		zp_json_end_object(writer);
	}
	zp_json_end_object(writer);
}

static void module_json(struct zp_json_writer *writer, const struct plan_module *module)
{
	zp_json_begin_object(writer);
	outputs_json(writer, module);
	resources_json(writer, module);
	calls_json(writer, module);
	variables_json(writer, module);
	zp_json_end_object(writer);
}

void cli_config_json(struct zp_json_writer *writer, const struct plan_config *config)
{
	zp_json_begin_object(writer);
	providers_json(writer, config->root);
	zp_json_key(writer, "root_module");
	module_json(writer, config->root);
	zp_json_end_object(writer);
}

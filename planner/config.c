#include "planner/config.h"

#include <dirent.h>
#include <errno.h>

#include "base/file.h"
#include "planner/config_internal.h"

#define MAX_MODULE_DEPTH 64

static char **list_folder(struct plan_file_reader *reader, const char *dir, struct zp_error *err)
{
	ZP_VEC(, char *) names = { 0 };
	zp_autoclosedir DIR *folder = opendir(dir);

	(void)reader;
	if (!folder) {
		zp_error_errno(err, "%s", dir);
		return NULL;
	}
	for (struct dirent *entry; (entry = readdir(folder));)
		zp_vec_push(&names, zp_strdup(entry->d_name));
	zp_vec_push(&names, NULL);
	return names.items;
}

static struct zp_source *read_source(struct plan_file_reader *reader, const char *path,
	struct zp_error *err)
{
	(void)reader;
	return zp_source_load(path, path, err);
}

static struct plan_file_reader disk_reader = { list_folder, read_source };

static void free_names(char **names)
{
	for (size_t i = 0; names && names[i]; i++)
		free(names[i]);
	free(names);
}

/* Editors' backups and hidden files are no configuration. */
static bool is_config_file(const char *name)
{
	struct zp_str text = zp_str(name);

	if (name[0] == '.' || name[0] == '#' || zp_str_ends(text, "~"))
		return false;
	return zp_str_ends(text, ".tf") || zp_str_ends(text, ".tf.json");
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static const char *const two_labels[] = { "type", "name", NULL };
static const char *const name_label[] = { "name", NULL };

/* Every block type of a module, and who reads it. */
static const struct {
	struct hcl_block_schema schema;
	void (*load)(struct plan_loader *loader, const struct hcl_block *block);
} block_types[] = {
	{ { "terraform", NULL }, plan_load_terraform },
	{ { "provider", name_label }, plan_load_provider },
	{ { "variable", name_label }, plan_load_variable },
	{ { "locals", NULL }, plan_load_locals },
	{ { "output", name_label }, plan_load_output },
	{ { "module", name_label }, plan_load_call },
	{ { "resource", two_labels }, plan_load_resource },
	{ { "data", two_labels }, plan_load_resource },
	{ { "ephemeral", two_labels }, plan_load_resource },
	{ { "moved", NULL }, plan_load_moved },
	{ { "removed", NULL }, plan_load_removed },
	{ { "import", NULL }, plan_load_import },
	{ { "check", name_label }, plan_load_check },
};

/* The blocks of a file, to the others of its module. */
static void collect_blocks(struct plan_loader *loader, const struct hcl_body *body,
	struct plan_block_vec *all)
{
	struct hcl_block_schema blocks[ZP_ARRAY_SIZE(block_types)];
	struct hcl_body_schema schema = { NULL, 0, blocks, ZP_ARRAY_SIZE(blocks) };

	for (size_t i = 0; i < ZP_ARRAY_SIZE(blocks); i++)
		blocks[i] = block_types[i].schema;
	struct hcl_content content = plan_content(loader, body, &schema, NULL);
	for (size_t i = 0; i < content.block_count; i++)
		zp_vec_push(all, content.blocks[i]);
}

static void load_blocks(struct plan_loader *loader, const struct plan_block_vec *blocks)
{
	for (size_t i = 0; i < blocks->count; i++)
		for (size_t k = 0; k < ZP_ARRAY_SIZE(block_types); k++)
			if (strcmp(blocks->items[i]->type, block_types[k].schema.type) == 0)
				block_types[k].load(loader, blocks->items[i]);
}

struct plan_source_file *plan_add_file(struct plan_config *config)
{
	if (config->file_count == config->file_capacity) {
		config->file_capacity = config->file_capacity ? config->file_capacity * 2 : 8;
		config->files = zp_reallocarray(config->files, config->file_capacity,
			sizeof(*config->files));
	}
	struct plan_source_file *file = &config->files[config->file_count++];
	*file = (struct plan_source_file){ 0 };
	return file;
}

/* NULL after a diagnostic. */
static struct hcl_body *parse_file(struct plan_loader *loader, const char *dir, const char *name)
{
	zp_autoerror err = ZP_ERROR_INIT;
	zp_autofree char *path = zp_path_join(dir, name);
	struct zp_source *source = loader->reader->read(loader->reader, path, &err);

	if (!source) {
		zp_diag_error(loader->diags, ZP_NOWHERE, "Failed to read file",
			"The file \"%s\" could not be read: %s.", path, zp_error_text(&err));
		return NULL;
	}
	struct plan_source_file *file = plan_add_file(loader->config);
	file->path = zp_arena_strdup(loader->arena, path);
	file->source = source;
	return file->body = hcl_parse_file(source, loader->arena, loader->diags);
}

static void load_file(struct plan_loader *loader, const char *name, struct plan_block_vec *blocks)
{
	struct hcl_body *body = parse_file(loader, loader->module->dir, name);

	if (body)
		collect_blocks(loader, body, blocks);
}

static bool is_override(const char *name)
{
	struct zp_str text = zp_str(name);

	return zp_str_is(text, "override.tf") || zp_str_is(text, "override.tf.json") ||
		zp_str_ends(text, "_override.tf") || zp_str_ends(text, "_override.tf.json");
}

/* False when the folder could not be read. */
static bool load_folder(struct plan_loader *loader, struct zp_error *err)
{
	char **names = loader->reader->list(loader->reader, loader->module->dir, err);
	struct plan_block_vec blocks = { 0 }, overrides = { 0 };
	size_t count = 0;

	if (!names)
		return false;
	while (names[count])
		count++;
	qsort(names, count, sizeof(*names), by_name);
	for (size_t i = 0; i < count; i++)
		if (is_config_file(names[i]))
			load_file(loader, names[i], is_override(names[i]) ? &overrides : &blocks);
	for (size_t i = 0; i < overrides.count; i++)
		plan_override(loader, &blocks, overrides.items[i]);
	load_blocks(loader, &blocks);
	zp_vec_release(&blocks);
	zp_vec_release(&overrides);
	free_names(names);
	return true;
}

static const struct plan_required_provider *required_provider(const struct plan_module *module,
	const char *name)
{
	for (size_t i = 0; i < module->required_provider_count; i++)
		if (strcmp(module->required_providers[i].name, name) == 0)
			return &module->required_providers[i];
	return NULL;
}

/* The built-in provider behind a local name; a diagnostic and NULL when there is none. */
static const struct provider *find_provider(struct plan_loader *loader, const char *name,
	struct zp_range range)
{
	const struct plan_required_provider *required = required_provider(loader->module, name);
	const char *source = required ? required->source : name;
	const struct provider *provider = NULL;

	if (required) {
		provider = provider_find(required->source);
	} else {
		zp_autofree char *any_type = zp_format("%s_", name);
		provider = provider_for_type(any_type);
		if (!provider)
			provider = provider_find(name);
	}
	if (!provider)
		zp_diag_error(loader->diags, required ? required->range : range,
			"Provider not available",
			"There is no provider \"%s\" in zplan: providers are built in, and nothing "
			"is downloaded. `zplan providers` lists those there are.", source);
	return provider;
}

/* Local name of the provider a resource belongs to. */
static const char *provider_name(const struct plan_resource *resource)
{
	if (resource->provider_ref.name)
		return resource->provider_ref.name;
	const char *underscore = strchr(resource->type, '_');
	return underscore ? zp_intern(zp_strn(resource->type, (size_t)(underscore - resource->type))) :
			    resource->type;
}

static void resolve_resource(struct plan_loader *loader, struct plan_resource *resource)
{
	bool data = resource->mode == PLAN_DATA;

	if (resource->mode == PLAN_EPHEMERAL) {
		zp_diag_error(loader->diags, resource->range, "Invalid ephemeral resource type",
			"No built-in provider has an ephemeral resource type \"%s\".",
			resource->type);
		return;
	}
	const char *name = provider_name(resource);
	resource->provider = find_provider(loader, name, resource->range);
	if (!resource->provider)
		return;
	resource->resource_type = provider_resource(resource->provider, resource->type, data);
	if (!resource->resource_type)
		zp_diag_error(loader->diags, resource->range,
			data ? "Invalid data source" : "Invalid resource type",
			"The provider %s does not support %s \"%s\".", resource->provider->source,
			data ? "data source" : "resource type", resource->type);
}

/* Unknown names are reported once, not again by every resource of that provider. */
static void resolve_providers(struct plan_loader *loader)
{
	struct zp_map missing = { 0 };

	for (size_t i = 0; i < loader->module->resource_count; i++) {
		struct plan_resource *resource = loader->module->resources[i];
		const char *name = provider_name(resource);
		if (zp_map_has(&missing, zp_str(name)))
			continue;
		resolve_resource(loader, resource);
		if (!resource->provider)
			zp_map_set(&missing, zp_str(name), resource);
	}
	for (size_t i = 0; i < loader->module->provider_count; i++) {
		struct plan_provider_config *config = loader->module->providers[i];
		if (!zp_map_has(&missing, zp_str(config->name)))
			config->provider = find_provider(loader, config->name, config->range);
	}
	zp_map_release(&missing);
}

#define SEAL(field, counter)                                                                       \
	do {                                                                                       \
		module->field = zp_vec_to_arena(&loader->field, loader->arena);                    \
		module->counter = loader->field.count;                                             \
		zp_vec_release(&loader->field);                                                    \
	} while (0)

static void seal_module(struct plan_loader *loader)
{
	struct plan_module *module = loader->module;

	SEAL(variables, variable_count);
	SEAL(locals, local_count);
	SEAL(outputs, output_count);
	SEAL(resources, resource_count);
	SEAL(calls, call_count);
	SEAL(checks, check_count);
	SEAL(moved, moved_count);
	SEAL(removed, removed_count);
	SEAL(imports, import_count);
	SEAL(providers, provider_count);
	SEAL(required_providers, required_provider_count);
}

static struct plan_module *load_module(const struct plan_loader *parent, const char *dir,
	const struct plan_call *call, struct zp_error *err)
{
	struct plan_module *module = zp_new(parent->arena, struct plan_module);
	struct plan_loader loader = { .config = parent->config, .arena = parent->arena,
		.diags = parent->diags, .reader = parent->reader, .installer = parent->installer,
		.module = module, .root_only = parent->root_only };

	module->dir = zp_arena_strdup(parent->arena, dir);
	module->parent = parent->module;
	module->call = call;
	module->package_dir = call ? call->package_dir : NULL;
	module->path = !call ? "" :
		*parent->module->path ?
		zp_arena_format(parent->arena, "%s.%s", parent->module->path, call->name) :
		call->name;
	bool readable = load_folder(&loader, err);
	seal_module(&loader);
	if (!readable || parent->root_only)
		return module;
	resolve_providers(&loader);
	for (size_t i = 0; i < module->call_count; i++)
		plan_load_child(&loader, module->calls[i]);
	plan_collect_references(module, parent->arena);
	return module;
}

static size_t module_depth(const struct plan_module *module)
{
	size_t depth = 0;

	for (; module->parent; module = module->parent)
		depth++;
	return depth;
}

char *plan_clean_path(const char *path)
{
	ZP_VEC(, struct zp_str) parts = { 0 };
	zp_autobuf out = ZP_BUF_INIT;

	for (const char *p = path; *p;) {
		size_t n = strcspn(p, "/");
		struct zp_str part = zp_strn(p, n);
		p += n + (p[n] == '/');
		if (!n || zp_str_is(part, "."))
			continue;
		if (zp_str_is(part, "..") && parts.count &&
			!zp_str_is(parts.items[parts.count - 1], ".."))
			parts.count--;
		else
			zp_vec_push(&parts, part);
	}
	for (size_t i = 0; i < parts.count; i++) {
		if (i || path[0] == '/')
			zp_buf_char(&out, '/');
		zp_buf_str(&out, parts.items[i]);
	}
	if (!out.len)
		zp_buf_char(&out, path[0] == '/' ? '/' : '.');
	zp_vec_release(&parts);
	return zp_buf_steal(&out);
}

void plan_load_child(struct plan_loader *loader, struct plan_call *call)
{
	zp_autoerror err = ZP_ERROR_INIT;

	if (!call->source)
		return;
	if (module_depth(loader->module) >= MAX_MODULE_DEPTH) {
		zp_diag_error(loader->diags, call->source_range, "Modules nested too deeply",
			"Modules call each other %d levels deep. Does a module call itself?",
			MAX_MODULE_DEPTH);
		return;
	}
	zp_autofree char *dir = plan_module_folder(loader, call);
	if (!dir)
		return;
	call->module = load_module(loader, dir, call, &err);
	if (err.message) {
		zp_diag_error(loader->diags, call->source_range, "Unreadable module directory",
			"The directory %s could not be read for module \"%s\": %s.", dir,
			call->name, zp_error_text(&err));
		call->module = NULL;
	}
}

static bool is_test_file(const char *name)
{
	struct zp_str text = zp_str(name);

	return name[0] != '.' && name[0] != '#' &&
		(zp_str_ends(text, ".tftest.hcl") || zp_str_ends(text, ".tftest.json"));
}

/* A folder that is not there has none. */
static void load_tests(struct plan_loader *loader, const char *dir)
{
	zp_autoerror err = ZP_ERROR_INIT;
	char **names = loader->reader->list(loader->reader, dir, &err);
	size_t count = 0;

	if (!names)
		return;
	while (names[count])
		count++;
	qsort(names, count, sizeof(*names), by_name);
	for (size_t i = 0; i < count; i++) {
		struct hcl_body *body =
			is_test_file(names[i]) ? parse_file(loader, dir, names[i]) : NULL;
		if (body)
			plan_load_test(loader, body);
	}
	free_names(names);
}

static void load_all_tests(struct plan_loader *loader, const struct plan_config_options *options)
{
	zp_autofree char *joined = zp_path_join(options->dir, options->test_dir);
	zp_autofree char *dir = plan_clean_path(joined);

	loader->module = loader->config->root;
	load_tests(loader, options->dir);
	if (strcmp(dir, options->dir) != 0)
		load_tests(loader, dir);
}

struct plan_config *plan_config_load(const struct plan_config_options *options,
	struct zp_diags *diags)
{
	zp_autoerror err = ZP_ERROR_INIT;
	struct plan_config *config = zp_calloc(1, sizeof(*config));

	zp_arena_init(&config->arena);
	struct plan_loader top = { .config = config, .arena = &config->arena, .diags = diags,
		.reader = options->reader ? options->reader : &disk_reader,
		.installer = options->installer, .root_only = options->root_only };
	size_t errors = diags->errors;
	config->root = load_module(&top, options->dir, NULL, &err);
	if (err.message)
		zp_diag_error(diags, ZP_NOWHERE, "Failed to read module directory",
			"Module directory %s could not be read: %s.", options->dir,
			zp_error_text(&err));
	else if (options->test_dir)
		load_all_tests(&top, options);
	if (diags->errors == errors && !options->root_only)
		plan_check_passed_providers(config, diags);
	return config;
}

static void release_maps(struct plan_module *module)
{
	zp_map_release(&module->variable_map);
	zp_map_release(&module->local_map);
	zp_map_release(&module->output_map);
	zp_map_release(&module->resource_map);
	zp_map_release(&module->call_map);
	for (size_t i = 0; i < module->call_count; i++)
		if (module->calls[i]->module)
			release_maps(module->calls[i]->module);
}

void plan_config_free(struct plan_config *config)
{
	if (!config)
		return;
	release_maps(config->root);
	zp_map_release(&config->installed);
	for (size_t i = 0; i < config->file_count; i++)
		zp_source_free(config->files[i].source);
	free(config->files);
	zp_arena_release(&config->arena);
	free(config);
}

void plan_config_annotate(const struct plan_config *config, struct zp_diags *diags)
{
	for (size_t i = 0; i < diags->count; i++) {
		struct zp_diag *diag = diags->items[i];
		if (!diag->subject.file || diag->snippet_context)
			continue;
		for (size_t k = 0; k < config->file_count; k++) {
			const struct plan_source_file *file = &config->files[k];
			if (file->source != diag->subject.file || !file->body)
				continue;
			zp_autobuf context = ZP_BUF_INIT;
			if (hcl_body_context(file->body, diag->subject, &context))
				diag->snippet_context = zp_arena_strdup(&diags->arena, context.ptr);
		}
	}
}

/* What machines ask of the language and the providers: metadata functions, providers schema. */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/map.h"
#include "cli/cli.h"
#include "cli/run.h"
#include "cli/state_command.h"
#include "hcl-lite/codec.h"
#include "hcl-lite/eval.h"
#include "providers/provider.h"

static void true_member(struct zp_json_writer *writer, const char *name, bool set)
{
	if (!set)
		return;
	zp_json_key(writer, name);
	zp_json_bool(writer, true);
}

/* ---- functions ---- */

static void functions_json(struct zp_json_writer *writer)
{
	size_t count;
	const char *const *names = hcl_function_names(&count);

	zp_json_begin_object(writer);
	zp_json_member(writer, "format_version", "1.0");
	zp_json_key(writer, "function_signatures");
	zp_json_begin_object(writer);
	for (size_t i = 0; i < count; i++) {
		zp_json_key(writer, names[i]);
		hcl_function_metadata_json(names[i], writer);
	}
	for (size_t i = 0; i < count; i++) {
		zp_autofree char *qualified = zp_format("core::%s", names[i]);
		zp_json_key(writer, qualified);
		hcl_function_metadata_json(names[i], writer);
	}
	zp_json_end_object(writer);
	zp_json_end_object(writer);
}

/* Both commands give one document, and only for machines. */
static int print_document(const char *command, bool json, const struct zp_buf *text)
{
	if (!json) {
		fprintf(stderr, "The `zplan %s` command requires the `-json` flag.\n", command);
		return 1;
	}
	puts(text->ptr);
	return 0;
}

int cli_metadata(int argc, char **argv)
{
	if (argc)
		fprintf(stderr, "zplan metadata has no subcommand named \"%s\".\n", argv[0]);
	return cli_state_misused("metadata", "");
}

int cli_metadata_functions(int argc, char **argv)
{
	bool json = false;
	struct cli_option options[] = { { "json", CLI_SWITCH, &json } };
	struct zp_json_writer writer;
	zp_autobuf text = ZP_BUF_INIT;

	if (!cli_options_parse(options, ZP_ARRAY_SIZE(options), &argc, argv, "metadata functions"))
		return 1;
	zp_json_writer_init(&writer, &text, false);
	writer.html_safe = true;
	functions_json(&writer);
	return print_document("metadata functions", json, &text);
}

/* ---- schemas ---- */

static int by_attribute(const void *a, const void *b)
{
	return strcmp((*(const struct provider_attribute *const *)a)->name,
		(*(const struct provider_attribute *const *)b)->name);
}

static void attribute_json(struct zp_json_writer *writer, const struct provider_attribute *attribute)
{
	zp_autobuf type = ZP_BUF_INIT;

	zp_json_key(writer, attribute->name);
	zp_json_begin_object(writer);
	hcl_type_to_json(hcl_type_without_optional(attribute->value_type), &type);
	zp_json_key(writer, "type");
	zp_json_raw(writer, zp_buf_slice(&type));
	if (attribute->description)
		zp_json_member(writer, "description", attribute->description);
	zp_json_member(writer, "description_kind", "plain");
	true_member(writer, "deprecated", attribute->flags & PROVIDER_DEPRECATED);
	true_member(writer, "required", attribute->flags & PROVIDER_REQUIRED);
	true_member(writer, "optional", attribute->flags & PROVIDER_OPTIONAL);
	true_member(writer, "computed", attribute->flags & PROVIDER_COMPUTED);
	true_member(writer, "sensitive", attribute->flags & PROVIDER_SENSITIVE);
	true_member(writer, "write_only", attribute->flags & PROVIDER_WRITE_ONLY);
	zp_json_end_object(writer);
}

static void block_json(struct zp_json_writer *writer, const struct provider_schema *schema);

static void block_types_json(struct zp_json_writer *writer, const struct provider_schema *schema)
{
	static const char *const modes[] = { [PROVIDER_SINGLE] = "single", [PROVIDER_LIST] = "list",
		[PROVIDER_SET] = "set", [PROVIDER_MAP] = "map", [PROVIDER_GROUP] = "group" };

	zp_json_key(writer, "block_types");
	zp_json_begin_object(writer);
	for (size_t i = 0; i < schema->block_count; i++) {
		const struct provider_block *block = &schema->blocks[i];
		zp_json_key(writer, block->name);
		zp_json_begin_object(writer);
		zp_json_member(writer, "nesting_mode", modes[block->nesting]);
		zp_json_key(writer, "block");
		block_json(writer, block->schema);
		if (block->min) {
			zp_json_key(writer, "min_items");
			zp_json_int(writer, block->min);
		}
		if (block->max) {
			zp_json_key(writer, "max_items");
			zp_json_int(writer, block->max);
		}
		zp_json_end_object(writer);
	}
	zp_json_end_object(writer);
}

static void block_json(struct zp_json_writer *writer, const struct provider_schema *schema)
{
	zp_autofree const struct provider_attribute **sorted =
		zp_calloc(schema->attribute_count + 1, sizeof(*sorted));

	for (size_t i = 0; i < schema->attribute_count; i++)
		sorted[i] = &schema->attributes[i];
	qsort(sorted, schema->attribute_count, sizeof(struct provider_attribute *), by_attribute);
	zp_json_begin_object(writer);
	if (schema->attribute_count) {
		zp_json_key(writer, "attributes");
		zp_json_begin_object(writer);
		for (size_t i = 0; i < schema->attribute_count; i++)
			attribute_json(writer, sorted[i]);
		zp_json_end_object(writer);
	}
	if (schema->block_count)
		block_types_json(writer, schema);
	if (schema->description)
		zp_json_member(writer, "description", schema->description);
	zp_json_member(writer, "description_kind", "plain");
	zp_json_end_object(writer);
}

static void schema_json(struct zp_json_writer *writer, const struct provider_schema *schema)
{
	zp_json_begin_object(writer);
	zp_json_key(writer, "version");
	zp_json_int(writer, schema ? schema->version : 0);
	if (schema && (schema->attribute_count || schema->block_count)) {
		zp_json_key(writer, "block");
		block_json(writer, schema);
	}
	zp_json_end_object(writer);
}

static void types_json(struct zp_json_writer *writer, const char *name,
	const struct provider_resource_type *const *types)
{
	if (!types || !*types)
		return;
	zp_json_key(writer, name);
	zp_json_begin_object(writer);
	for (; *types; types++) {
		zp_json_key(writer, (*types)->name);
		schema_json(writer, (*types)->schema);
	}
	zp_json_end_object(writer);
}

static void provider_json(struct zp_json_writer *writer, const struct provider *provider)
{
	zp_json_key(writer, provider->source);
	zp_json_begin_object(writer);
	zp_json_key(writer, "provider");
	schema_json(writer, provider->schema);
	types_json(writer, "resource_schemas", provider->resources);
	types_json(writer, "data_source_schemas", provider->data_sources);
	zp_json_end_object(writer);
}

static void note(struct zp_map *used, const struct provider *provider)
{
	if (provider)
		zp_map_set(used, zp_str(provider->source), (void *)provider);
}

static void note_used(struct zp_map *used, const struct plan_module *module)
{
	for (size_t i = 0; i < module->resource_count; i++)
		note(used, module->resources[i]->provider);
	for (size_t i = 0; i < module->provider_count; i++)
		note(used, module->providers[i]->provider);
	for (size_t i = 0; i < module->required_provider_count; i++)
		note(used, provider_find(module->required_providers[i].source));
	for (size_t i = 0; i < module->call_count; i++)
		if (module->calls[i]->module)
			note_used(used, module->calls[i]->module);
}

static void providers_json(struct zp_json_writer *writer, const struct plan_config *config)
{
	struct zp_map used = { 0 };

	note_used(&used, config->root);
	zp_json_begin_object(writer);
	zp_json_member(writer, "format_version", "1.0");
	if (used.count) {
		zp_json_key(writer, "provider_schemas");
		zp_json_begin_object(writer);
		for (const struct provider *const *p = provider_all(); *p; p++)
			if (zp_map_has(&used, zp_str((*p)->source)))
				provider_json(writer, *p);
		zp_json_end_object(writer);
	}
	zp_json_end_object(writer);
	zp_map_release(&used);
}

int cli_providers_schema(int argc, char **argv)
{
	bool json = false;
	struct cli_option options[] = { { "json", CLI_SWITCH, &json } };
	struct zp_json_writer writer;
	zp_autobuf text = ZP_BUF_INIT;
	struct cli_run run;

	if (!cli_options_parse(options, ZP_ARRAY_SIZE(options), &argc, argv, "providers schema"))
		return 1;
	cli_run_init(&run, false);
	if (json && !cli_run_load_config(&run))
		return cli_run_finish(&run, 1);
	if (json) {
		zp_json_writer_init(&writer, &text, false);
		writer.html_safe = true;
		providers_json(&writer, run.config);
	}
	return cli_run_finish(&run, print_document("providers schema", json, &text));
}

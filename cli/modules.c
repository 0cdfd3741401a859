/* The modules of a configuration: get, modules, and which providers each of them uses. */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/module_install.h"
#include "cli/module_list.h"

static void cut(struct zp_buf *text, size_t length)
{
	if (text->ptr)
		text->ptr[text->len = length] = 0;
}

/* ---- get ---- */

int cli_get(int argc, char **argv)
{
	bool update = false, no_color = false;
	const char *test_directory = NULL;
	struct cli_option options[] = {
		{ "update", CLI_SWITCH, &update },
		{ "no-color", CLI_SWITCH, &no_color },
		{ "test-directory", CLI_TEXT, &test_directory },
	};
	struct cli_installer installer;
	struct cli_run run;

	if (!cli_options_parse(options, ZP_ARRAY_SIZE(options), &argc, argv, "get"))
		return 1;
	cli_run_init(&run, no_color);
	run.installer = &installer.interface;
	bool done = cli_installer_init(&installer, update, &run.diags) && cli_run_load_config(&run) &&
		cli_list_modules(&run, update);
	cli_installer_release(&installer);
	return cli_run_finish(&run, done ? 0 : 1);
}

/* ---- modules ---- */

static void modules_json(struct zp_json_writer *writer, const struct plan_module *module)
{
	zp_autofree struct plan_call **calls = cli_sorted_calls(module);

	for (struct plan_call **p = calls; *p; p++) {
		zp_json_begin_object(writer);
		zp_json_key(writer, "key");
		zp_json_cstr(writer, (*p)->name);
		zp_json_key(writer, "source");
		zp_json_cstr(writer, (*p)->source);
		zp_json_key(writer, "version");
		zp_json_cstr(writer, (*p)->version ? (*p)->version : "");
		zp_json_end_object(writer);
		modules_json(writer, (*p)->module);
	}
}

static void print_modules_json(const struct plan_module *root)
{
	struct zp_json_writer writer;
	zp_autobuf text = ZP_BUF_INIT;

	zp_json_writer_init(&writer, &text, false);
	writer.html_safe = true;
	zp_json_begin_object(&writer);
	zp_json_key(&writer, "format_version");
	zp_json_cstr(&writer, "1.0");
	zp_json_key(&writer, "modules");
	if (root->call_count) {
		zp_json_begin_array(&writer);
		modules_json(&writer, root);
		zp_json_end_array(&writer);
	} else {
		zp_json_null(&writer);
	}
	zp_json_end_object(&writer);
	puts(text.ptr);
}

/* One line of a tree, and what goes before the lines below it. */
static void branch(struct zp_buf *indent, bool last, const char *text)
{
	printf("%s%s%s\n", indent->len ? indent->ptr : "", last ? "└── " : "├── ", text);
	zp_buf_puts(indent, last ? "    " : "│   ");
}

static void print_modules(const struct plan_module *module, struct zp_buf *indent)
{
	zp_autofree struct plan_call **calls = cli_sorted_calls(module);

	for (struct plan_call **p = calls; *p; p++) {
		size_t length = indent->len;
		zp_autofree char *text = zp_format("\"%s\"[%s]%s%s%s", (*p)->name, (*p)->source,
			(*p)->version ? " (" : "", (*p)->version ? (*p)->version : "",
			(*p)->version ? ")" : "");
		branch(indent, !p[1], text);
		print_modules((*p)->module, indent);
		cut(indent, length);
	}
}

int cli_modules(int argc, char **argv)
{
	bool json = false;
	struct cli_option options[] = { { "json", CLI_SWITCH, &json } };
	zp_autobuf indent = ZP_BUF_INIT;
	struct cli_run run;

	if (!cli_options_parse(options, ZP_ARRAY_SIZE(options), &argc, argv, "modules"))
		return 1;
	cli_run_init(&run, false);
	if (!cli_run_load_config(&run))
		return cli_run_finish(&run, 1);
	if (json) {
		print_modules_json(run.config->root);
	} else if (!run.config->root->call_count) {
		puts("No modules found in configuration.");
	} else {
		puts("\nModules declared by configuration:\n.");
		print_modules(run.config->root, &indent);
		putchar('\n');
	}
	return cli_run_finish(&run, 0);
}

/* ---- providers ---- */

struct used {
	const char *source, *version;
};

static int by_source(const void *a, const void *b)
{
	return strcmp(((const struct used *)a)->source, ((const struct used *)b)->source);
}

static void add_used(struct used *used, size_t *count, const char *source, const char *version)
{
	for (size_t i = 0; i < *count; i++) {
		if (strcmp(used[i].source, source) != 0)
			continue;
		used[i].version = used[i].version ? used[i].version : version;
		return;
	}
	used[(*count)++] = (struct used){ source, version };
}

/* What a module requires or uses. Heap. */
static struct used *used_by(const struct plan_module *module, size_t *count)
{
	struct used *used = zp_calloc(
		module->required_provider_count + module->resource_count + module->provider_count + 1,
		sizeof(*used));

	*count = 0;
	for (size_t i = 0; i < module->required_provider_count; i++)
		add_used(used, count, module->required_providers[i].source,
			module->required_providers[i].version);
	for (size_t i = 0; i < module->provider_count; i++)
		if (module->providers[i]->provider)
			add_used(used, count, module->providers[i]->provider->source, NULL);
	for (size_t i = 0; i < module->resource_count; i++)
		if (module->resources[i]->provider)
			add_used(used, count, module->resources[i]->provider->source, NULL);
	qsort(used, *count, sizeof(*used), by_source);
	return used;
}

static void print_providers(const struct plan_module *module, struct zp_buf *indent)
{
	size_t count, length = indent->len;
	zp_autofree struct used *used = used_by(module, &count);
	zp_autofree struct plan_call **calls = cli_sorted_calls(module);

	for (size_t i = 0; i < count; i++) {
		zp_autofree char *text = zp_format("provider[%s]%s%s", used[i].source,
			used[i].version ? " " : "", used[i].version ? used[i].version : "");
		branch(indent, i + 1 == count && !calls[0], text);
		cut(indent, length);
	}
	for (struct plan_call **p = calls; *p; p++) {
		zp_autofree char *text = zp_format("module.%s", (*p)->name);
		branch(indent, !p[1], text);
		print_providers((*p)->module, indent);
		cut(indent, length);
	}
}

/* Those the state has objects of. */
static void print_state_providers(const struct state *state)
{
	zp_autofree struct used *used = zp_calloc(state->object_count + 1, sizeof(*used));
	size_t count = 0;

	for (size_t i = 0; i < state->object_count; i++)
		if (state->objects[i])
			add_used(used, &count, state->objects[i]->resource->provider, NULL);
	if (!count)
		return;
	qsort(used, count, sizeof(*used), by_source);
	puts("Providers required by state:\n");
	for (size_t i = 0; i < count; i++) {
		const char *open = strchr(used[i].source, '"');
		const char *close = open ? strchr(open + 1, '"') : NULL;
		printf("    provider[%.*s]\n\n", close ? (int)(close - open - 1) : (int)strlen(used[i].source),
			close ? open + 1 : used[i].source);
	}
}

int cli_providers(int argc, char **argv)
{
	const char *test_directory = NULL;
	struct cli_option options[] = { { "test-directory", CLI_TEXT, &test_directory } };
	zp_autobuf indent = ZP_BUF_INIT;
	struct cli_common common;
	struct cli_run run;

	if (!cli_options_parse(options, ZP_ARRAY_SIZE(options), &argc, argv, "providers"))
		return 1;
	cli_common_init(&common);
	common.lock = false;
	cli_run_init(&run, false);
	if (!cli_run_load_config(&run) || !cli_run_open_state(&run, &common, ""))
		return cli_run_finish(&run, 1);
	puts("\nProviders required by configuration:\n.");
	print_providers(run.config->root, &indent);
	putchar('\n');
	print_state_providers(run.state);
	return cli_run_finish(&run, 0);
}

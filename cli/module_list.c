/* modules.json in the data folder, as a configuration that was loaded has it. */
#include "cli/module_list.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "base/map.h"

static char *list_path(void)
{
	zp_autofree char *dir = zp_path_join(cli_data_dir(), "modules");

	return zp_path_join(dir, "modules.json");
}

static void read_list(struct zp_map *known, struct zp_arena *arena)
{
	zp_autofree char *path = list_path();
	zp_autobuf text = ZP_BUF_INIT;

	if (zp_file_read(path, (size_t)64 << 20, &text, NULL) == 0)
		module_manifest_read(zp_buf_slice(&text), known, arena);
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(struct plan_call *const *)a)->name, (*(struct plan_call *const *)b)->name);
}

struct plan_call **cli_sorted_calls(const struct plan_module *module)
{
	struct plan_call **calls = zp_calloc(module->call_count + 1, sizeof(*calls));
	size_t count = 0;

	for (size_t i = 0; i < module->call_count; i++)
		if (module->calls[i]->module)
			calls[count++] = module->calls[i];
	qsort(calls, count, sizeof(*calls), by_name);
	return calls;
}

struct listing {
	struct zp_json_writer writer;
	const struct zp_map *known;
	bool all; /* those known already are named too */
};

static void list_calls(struct listing *listing, const struct plan_module *module, const char *prefix)
{
	zp_autofree struct plan_call **calls = cli_sorted_calls(module);

	for (struct plan_call **p = calls; *p; p++) {
		const struct plan_call *call = *p;
		zp_autofree char *key = zp_format("%s%s%s", prefix, *prefix ? "." : "", call->name);
		const struct module_entry *former = zp_map_get(listing->known, zp_str(key));
		bool is_local = call->canonical == call->source; /* others were told when they came */
		if (is_local && (listing->all || !former || strcmp(former->source, call->source) != 0))
			printf("- %s in %s\n", key, call->module->dir);
		module_manifest_write(&listing->writer, key, &(struct module_entry){ call->canonical,
			call->installed_version, call->module->dir });
		list_calls(listing, call->module, key);
	}
}

bool cli_list_modules(struct cli_run *run, bool all)
{
	zp_autofree char *path = list_path(), *dir = zp_path_join(cli_data_dir(), "modules");
	zp_autoerror err = ZP_ERROR_INIT;
	zp_autobuf text = ZP_BUF_INIT;
	struct zp_map known = { 0 };
	struct listing listing = { .known = &known, .all = all };
	struct zp_arena arena;

	if (!run->config->root->call_count)
		return true;
	zp_arena_init(&arena);
	read_list(&known, &arena);
	zp_json_writer_init(&listing.writer, &text, false);
	zp_json_begin_object(&listing.writer);
	zp_json_key(&listing.writer, "Modules");
	zp_json_begin_array(&listing.writer);
	module_manifest_write(&listing.writer, "", &(struct module_entry){ "", NULL, "." });
	list_calls(&listing, run->config->root, "");
	zp_json_end_array(&listing.writer);
	zp_json_end_object(&listing.writer);
	bool ok = zp_mkdirs(dir, 0755, &err) == 0 &&
		zp_file_write_atomic(path, zp_buf_slice(&text), 0644, &err) == 0;
	if (!ok)
		zp_diag_error(&run->diags, ZP_NOWHERE, "Failed to update the list of modules", "%s",
			zp_error_text(&err));
	zp_map_release(&known);
	zp_arena_release(&arena);
	return ok;
}

/*
 * modules.json in the data folder: which modules a configuration calls, and where they are. In Terraform's
 * form, so that either program finds what the other one prepared.
 */
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

/* Key -> source, as the list has them; what can not be read is as if it were not there. */
static void read_list(struct zp_map *known, struct zp_arena *arena)
{
	zp_autofree char *path = list_path();
	zp_autoerror err = ZP_ERROR_INIT;
	zp_autobuf text = ZP_BUF_INIT;
	struct zp_json json;
	struct zp_str name;

	if (zp_file_read(path, (size_t)64 << 20, &text, &err) < 0)
		return;
	zp_json_init(&json, zp_buf_slice(&text));
	for (bool more = zp_json_enter_object(&json); more && zp_json_next_key(&json, &name);) {
		if (!zp_str_is(name, "Modules") || !zp_json_enter_array(&json)) {
			zp_json_skip(&json, NULL);
			continue;
		}
		while (zp_json_next_element(&json)) {
			struct zp_str key = { 0 }, source = { 0 }, member;
			for (bool in = zp_json_enter_object(&json); in && zp_json_next_key(&json, &member);) {
				if (zp_str_is(member, "Key"))
					zp_json_read_string_arena(&json, arena, &key);
				else if (zp_str_is(member, "Source"))
					zp_json_read_string_arena(&json, arena, &source);
				else
					zp_json_skip(&json, NULL);
			}
			if (key.ptr && source.ptr)
				zp_map_set(known, key, (void *)source.ptr);
		}
	}
	zp_json_release(&json);
}

static void entry(struct zp_json_writer *writer, const char *key, const char *source, const char *version,
	const char *dir)
{
	zp_json_begin_object(writer);
	zp_json_key(writer, "Key");
	zp_json_cstr(writer, key);
	zp_json_key(writer, "Source");
	zp_json_cstr(writer, source);
	if (version) {
		zp_json_key(writer, "Version");
		zp_json_cstr(writer, version);
	}
	zp_json_key(writer, "Dir");
	zp_json_cstr(writer, dir);
	zp_json_end_object(writer);
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
		const char *former = zp_map_get(listing->known, zp_str(key));
		if (listing->all || !former || strcmp(former, call->source) != 0)
			printf("- %s in %s\n", key, call->module->dir);
		entry(&listing->writer, key, call->source, NULL, call->module->dir);
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
	entry(&listing.writer, "", "", NULL, ".");
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

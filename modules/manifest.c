#include "modules/manifest.h"

static void read_entry(struct zp_json *json, struct zp_map *entries, struct zp_arena *arena)
{
	struct zp_str key = { 0 }, source = { 0 }, version = { 0 }, dir = { 0 }, name;
	struct {
		const char *name;
		struct zp_str *text;
	} members[] = { { "Key", &key }, { "Source", &source }, { "Version", &version }, { "Dir", &dir } };

	for (bool more = zp_json_enter_object(json); more && zp_json_next_key(json, &name);) {
		size_t i = 0;
		while (i < ZP_ARRAY_SIZE(members) && !zp_str_is(name, members[i].name))
			i++;
		if (i < ZP_ARRAY_SIZE(members))
			zp_json_read_string_arena(json, arena, members[i].text);
		else
			zp_json_skip(json, NULL);
	}
	if (json->error || !key.ptr || !source.ptr || !dir.ptr)
		return;
	struct module_entry *entry = zp_new(arena, struct module_entry);
	*entry = (struct module_entry){ source.ptr, version.ptr, dir.ptr };
	zp_map_set(entries, key, entry);
}

void module_manifest_read(struct zp_str text, struct zp_map *entries, struct zp_arena *arena)
{
	struct zp_json json;
	struct zp_str name;

	zp_json_init(&json, text);
	for (bool more = zp_json_enter_object(&json); more && zp_json_next_key(&json, &name);) {
		if (!zp_str_is(name, "Modules") || !zp_json_enter_array(&json)) {
			zp_json_skip(&json, NULL);
			continue;
		}
		while (zp_json_next_element(&json))
			read_entry(&json, entries, arena);
	}
	zp_json_release(&json);
}

static void member(struct zp_json_writer *writer, const char *name, const char *text)
{
	zp_json_key(writer, name);
	zp_json_cstr(writer, text);
}

void module_manifest_write(struct zp_json_writer *writer, const char *key, const struct module_entry *entry)
{
	zp_json_begin_object(writer);
	member(writer, "Key", key);
	member(writer, "Source", entry->source);
	if (entry->version)
		member(writer, "Version", entry->version);
	member(writer, "Dir", entry->dir);
	zp_json_end_object(writer);
}

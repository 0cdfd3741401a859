#include <ctype.h>

#include "base/alloc.h"
#include "cli/report.h"
#include "cli/view.h"

#define SCHEMA "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
#define ROOT "%SRCROOT%"

static void member(struct zp_json_writer *writer, const char *key, const char *value)
{
	zp_json_key(writer, key);
	zp_json_cstr(writer, value);
}

static void number(struct zp_json_writer *writer, const char *key, size_t value)
{
	zp_json_key(writer, key);
	zp_json_int(writer, (int64_t)value);
}

static void text_member(struct zp_json_writer *writer, const char *key, struct zp_str text)
{
	zp_json_key(writer, key);
	zp_json_begin_object(writer);
	zp_json_key(writer, "text");
	zp_json_string(writer, text);
	zp_json_end_object(writer);
}

static const char *level_of(const struct zp_diag *diag)
{
	return diag->severity == ZP_SEVERITY_ERROR ? "error" : "warning";
}

/* "Unsupported argument" as "unsupported-argument". */
static char *rule_id(const char *summary)
{
	zp_autobuf id = ZP_BUF_INIT;

	for (const char *p = summary; *p; p++) {
		if (isalnum((unsigned char)*p))
			zp_buf_char(&id, (char)tolower((unsigned char)*p));
		else if (id.len && id.ptr[id.len - 1] != '-')
			zp_buf_char(&id, '-');
	}
	while (id.len && id.ptr[id.len - 1] == '-')
		id.ptr[--id.len] = 0;
	return id.len ? zp_buf_steal(&id) : zp_strdup("diagnostic");
}

/* Numbers the summaries from 1, in order of appearance; pointers hold the numbers. */
static void number_rules(const struct zp_diags *diags, struct zp_map *rules)
{
	for (size_t i = 0; i < diags->count; i++) {
		void **slot = zp_map_slot(rules, zp_str(diags->items[i]->summary));
		if (!*slot)
			*slot = (void *)rules->count;
	}
}

static void write_rules(struct zp_json_writer *writer, const struct zp_map *rules)
{
	zp_json_key(writer, "rules");
	zp_json_begin_array(writer);
	for (size_t i = 0; i < rules->count; i++) {
		zp_autofree char *summary = zp_strndup(rules->entries[i].key.ptr, rules->entries[i].key.len);
		zp_autofree char *id = rule_id(summary);
		zp_json_begin_object(writer);
		member(writer, "id", id);
		text_member(writer, "shortDescription", rules->entries[i].key);
		zp_json_end_object(writer);
	}
	zp_json_end_array(writer);
}

/* A reference to a file: what is no plain character of a path is written as %XX. */
static void write_artifact(struct zp_json_writer *writer, const char *prefix, const char *name)
{
	zp_autobuf uri = ZP_BUF_INIT;
	bool absolute = name[0] == '/';
	zp_autofree char *path = zp_format("%s%s", absolute ? "" : prefix, name);

	zp_buf_puts(&uri, absolute ? "file://" : "");
	for (const char *p = path; *p; p++) {
		if (isalnum((unsigned char)*p) || strchr("/-._~", *p))
			zp_buf_char(&uri, *p);
		else
			zp_buf_printf(&uri, "%%%02X", (unsigned char)*p);
	}
	zp_json_key(writer, "artifactLocation");
	zp_json_begin_object(writer);
	zp_json_key(writer, "uri");
	zp_json_string(writer, zp_buf_slice(&uri));
	if (!absolute)
		member(writer, "uriBaseId", ROOT);
	zp_json_end_object(writer);
}

/* Columns count code points, from 1. */
static size_t column_of(const struct zp_source *source, uint32_t offset)
{
	size_t column = 1;

	for (uint32_t at = offset; at > 0 && source->text.ptr[at - 1] != '\n'; at--)
		column += ((unsigned char)source->text.ptr[at - 1] & 0xc0) != 0x80;
	return column;
}

static void write_region(struct zp_json_writer *writer, struct zp_range range)
{
	const struct zp_source *source = range.file;
	uint32_t end = range.end > range.start ? range.end : range.start;
	struct zp_str line = zp_source_line(source, zp_source_position(source, range.start).line);

	zp_json_key(writer, "region");
	zp_json_begin_object(writer);
	number(writer, "startLine", zp_source_position(source, range.start).line);
	number(writer, "startColumn", column_of(source, range.start));
	number(writer, "endLine", zp_source_position(source, end).line);
	number(writer, "endColumn", column_of(source, end) + (end == range.start));
	number(writer, "byteOffset", range.start);
	number(writer, "byteLength", end - range.start);
	if (line.len)
		text_member(writer, "snippet", line);
	zp_json_end_object(writer);
}

static void write_locations(struct zp_json_writer *writer, const struct zp_diag *diag,
	const char *prefix)
{
	zp_json_key(writer, "locations");
	zp_json_begin_array(writer);
	if (diag->subject.file || diag->address)
		zp_json_begin_object(writer);
	if (diag->subject.file) {
		zp_json_key(writer, "physicalLocation");
		zp_json_begin_object(writer);
		write_artifact(writer, prefix, diag->subject.file->name);
		write_region(writer, diag->subject);
		zp_json_end_object(writer);
	}
	if (diag->address) {
		zp_json_key(writer, "logicalLocations");
		zp_json_begin_array(writer);
		zp_json_begin_object(writer);
		member(writer, "fullyQualifiedName", diag->address);
		member(writer, "kind", "resource");
		zp_json_end_object(writer);
		zp_json_end_array(writer);
	}
	if (diag->subject.file || diag->address)
		zp_json_end_object(writer);
	zp_json_end_array(writer);
}

static void write_result(struct zp_json_writer *writer, const struct zp_diag *diag, size_t rule,
	const char *prefix)
{
	zp_autofree char *id = rule_id(diag->summary);
	zp_autofree char *message = *diag->detail ? zp_format("%s: %s", diag->summary, diag->detail) :
						    zp_strdup(diag->summary);

	zp_json_begin_object(writer);
	member(writer, "ruleId", id);
	number(writer, "ruleIndex", rule);
	member(writer, "level", level_of(diag));
	text_member(writer, "message", zp_str(message));
	write_locations(writer, diag, prefix);
	zp_json_end_object(writer);
}

static void write_tool(struct zp_json_writer *writer, const struct zp_map *rules)
{
	zp_json_key(writer, "tool");
	zp_json_begin_object(writer);
	zp_json_key(writer, "driver");
	zp_json_begin_object(writer);
	member(writer, "name", "zplan");
	member(writer, "version", ZPLAN_VERSION);
	write_rules(writer, rules);
	zp_json_end_object(writer);
	zp_json_end_object(writer);
}

static void write_invocation(struct zp_json_writer *writer)
{
	zp_json_key(writer, "invocations");
	zp_json_begin_array(writer);
	zp_json_begin_object(writer);
	zp_json_key(writer, "executionSuccessful");
	zp_json_bool(writer, true);
	zp_json_end_object(writer);
	zp_json_end_array(writer);
}

void cli_report_sarif(const struct zp_diags *diags, const char *prefix, struct zp_buf *out)
{
	struct zp_json_writer writer;
	struct zp_map rules = { 0 };

	number_rules(diags, &rules);
	zp_json_writer_init(&writer, out, true);
	zp_json_begin_object(&writer);
	member(&writer, "$schema", SCHEMA);
	member(&writer, "version", "2.1.0");
	zp_json_key(&writer, "runs");
	zp_json_begin_array(&writer);
	zp_json_begin_object(&writer);
	write_tool(&writer, &rules);
	write_invocation(&writer);
	member(&writer, "columnKind", "unicodeCodePoints");
	zp_json_key(&writer, "results");
	zp_json_begin_array(&writer);
	for (size_t i = 0; i < diags->count; i++) {
		const struct zp_diag *diag = diags->items[i];
		size_t rule = (size_t)zp_map_get(&rules, zp_str(diag->summary));
		write_result(&writer, diag, rule - 1, prefix);
	}
	zp_json_end_array(&writer);
	zp_json_end_object(&writer);
	zp_json_end_array(&writer);
	zp_json_end_object(&writer);
	zp_buf_char(out, '\n');
	zp_map_release(&rules);
}

#include "state/settings.h"

#include <stdlib.h>
#include <zlib.h>

#include "base/alloc.h"
#include "hcl-lite/convert.h"
#include "state/backend.h"

void state_settings_init(struct state_settings *settings, const struct state_backend_type *type)
{
	*settings = (struct state_settings){ .type = type };
}

void state_settings_release(struct state_settings *settings)
{
	for (size_t i = 0; i < STATE_MAX_SETTINGS; i++)
		free(settings->values[i]);
	*settings = (struct state_settings){ .type = settings->type };
}

void state_settings_copy(struct state_settings *to, const struct state_settings *from)
{
	state_settings_init(to, from->type);
	for (size_t i = 0; i < STATE_MAX_SETTINGS; i++)
		to->values[i] = from->values[i] ? zp_strdup(from->values[i]) : NULL;
}

bool state_settings_equal(const struct state_settings *a, const struct state_settings *b)
{
	if (a->type != b->type)
		return false;
	for (size_t i = 0; i < STATE_MAX_SETTINGS; i++)
		if (!a->values[i] != !b->values[i] ||
			(a->values[i] && strcmp(a->values[i], b->values[i]) != 0))
			return false;
	return true;
}

int state_settings_find(const struct state_backend_type *type, const char *name)
{
	for (size_t i = 0; i < type->setting_count; i++)
		if (strcmp(type->settings[i].name, name) == 0)
			return (int)i;
	return -1;
}

static bool fits(enum state_setting_kind kind, const char *text)
{
	char *end;

	switch (kind) {
	case STATE_BOOL_SETTING:
		return strcmp(text, "true") == 0 || strcmp(text, "false") == 0;
	case STATE_NUMBER_SETTING:
		strtod(text, &end);
		return *text && !*end;
	case STATE_TEXT_SETTING:
		break;
	}
	return true;
}

int state_settings_set(
	struct state_settings *settings, const char *name, const char *text, struct zp_error *err)
{
	static const char *const kinds[] = { "string", "number", "bool" };
	int index = state_settings_find(settings->type, name);

	if (index < 0)
		return zp_error_set(
			err, "backend \"%s\" has no setting \"%s\"", settings->type->name, name);
	enum state_setting_kind kind = settings->type->settings[index].kind;
	if (text && !fits(kind, text))
		return zp_error_set(err, "setting \"%s\" of backend \"%s\": a %s is required", name,
			settings->type->name, kinds[kind]);
	char *copy = text ? zp_strdup(text) : NULL;
	free(settings->values[index]);
	settings->values[index] = copy;
	return 0;
}

static int set_from_value(struct state_settings *settings, const char *name, struct hcl_value value,
	struct zp_arena *arena, struct zp_error *err)
{
	struct hcl_value text;

	if (hcl_is_null(value))
		return state_settings_set(settings, name, NULL, err);
	if (hcl_is_unknown(value) || !hcl_type_is_primitive(value.type) ||
		!hcl_convert(arena, value, hcl_string, &text, NULL))
		return zp_error_set(err,
			"setting \"%s\" of backend \"%s\": a known string, number or "
			"bool is required",
			name, settings->type->name);
	zp_autofree char *copy = zp_strndup(text.text, text.count);
	return state_settings_set(settings, name, copy, err);
}

int state_settings_from_value(
	struct state_settings *settings, struct hcl_value value, struct zp_error *err)
{
	struct zp_arena arena;
	int rc = 0;

	if (hcl_is_null(value))
		return 0;
	if (hcl_is_unknown(value) ||
		(value.type->kind != HCL_OBJECT && value.type->kind != HCL_MAP))
		return zp_error_set(err, "the configuration of backend \"%s\" must be an object",
			settings->type->name);
	zp_arena_init(&arena);
	for (size_t i = 0; i < value.count && rc == 0; i++) {
		if (value.type->kind == HCL_OBJECT)
			rc = set_from_value(settings, value.type->attributes[i].name,
				value.elements[i], &arena, err);
		else
			rc = set_from_value(settings, value.entries[i].key.ptr,
				value.entries[i].value, &arena, err);
	}
	zp_arena_release(&arena);
	return rc;
}

const char *state_setting(const struct state_settings *settings, const char *name)
{
	int index = state_settings_find(settings->type, name);

	if (index < 0)
		return NULL;
	if (settings->values[index])
		return settings->values[index];
	const char *variable = settings->type->settings[index].env;
	const char *text = variable ? getenv(variable) : NULL;
	return text && *text ? text : NULL;
}

int64_t state_setting_number(
	const struct state_settings *settings, const char *name, int64_t otherwise)
{
	const char *text = state_setting(settings, name);
	char *end;
	double number = text ? strtod(text, &end) : 0;

	return text && *text && !*end && number >= 0 && number < 1e15 ? (int64_t)number : otherwise;
}

bool state_setting_bool(const struct state_settings *settings, const char *name)
{
	const char *text = state_setting(settings, name);

	return text && (strcmp(text, "true") == 0 || strcmp(text, "1") == 0);
}

void state_settings_write(const struct state_settings *settings, struct zp_json_writer *writer)
{
	const struct state_backend_type *type = settings->type;

	zp_json_begin_object(writer);
	for (size_t i = 0; i < type->setting_count; i++) {
		const char *text = settings->values[i];
		zp_json_key(writer, type->settings[i].name);
		if (!text)
			zp_json_null(writer);
		else if (type->settings[i].kind == STATE_TEXT_SETTING)
			zp_json_cstr(writer, text);
		else
			zp_json_raw(writer, zp_str(text));
	}
	zp_json_end_object(writer);
}

bool state_settings_read(struct state_settings *settings, struct zp_json *json)
{
	struct zp_str key, text;

	for (bool more = zp_json_enter_object(json); more && zp_json_next_key(json, &key);) {
		zp_autofree char *name = zp_strndup(key.ptr, key.len);
		bool is_text = zp_json_peek(json) == ZP_JSON_STRING;
		bool is_null = zp_json_peek(json) == ZP_JSON_NULL;
		if (is_text ? !zp_json_read_string(json, &text) : !zp_json_skip(json, &text))
			return false;
		zp_autofree char *copy = zp_strndup(text.ptr, text.len);
		state_settings_set(settings, name, is_null ? NULL : copy, NULL);
	}
	return !json->error;
}

static void quote(struct zp_buf *out, const char *text)
{
	zp_buf_char(out, '"');
	for (const char *p = text; *p; p++) {
		if (*p == '"' || *p == '\\')
			zp_buf_printf(out, "\\%c", *p);
		else if (*p == '\n' || *p == '\t' || *p == '\r')
			zp_buf_puts(out, *p == '\n' ? "\\n" : *p == '\t' ? "\\t" : "\\r");
		else if ((unsigned char)*p < 0x20 || *p == 0x7f)
			zp_buf_printf(out, "\\x%02x", (unsigned)*p);
		else
			zp_buf_char(out, *p);
	}
	zp_buf_char(out, '"');
}

/* The checksum of how cty writes the tuple of type and block: objects and tuples as <element;...>.
 */
uint32_t state_settings_hash(const struct state_settings *settings)
{
	const struct state_backend_type *type = settings->type;
	zp_autobuf text = ZP_BUF_INIT;

	zp_buf_char(&text, '<');
	quote(&text, type->name);
	zp_buf_puts(&text, ";<");
	for (size_t i = 0; i < type->setting_count; i++) {
		const char *value = settings->values[i];
		if (!value)
			zp_buf_char(&text, '~');
		else if (type->settings[i].kind == STATE_BOOL_SETTING)
			zp_buf_char(&text, *value == 't' ? 'T' : 'F');
		else if (type->settings[i].kind == STATE_NUMBER_SETTING)
			zp_buf_puts(&text, value);
		else
			quote(&text, value);
		zp_buf_char(&text, ';');
	}
	zp_buf_puts(&text, ">;>");
	return (uint32_t)crc32(0, (const unsigned char *)text.ptr, (unsigned)text.len);
}

char *state_url_for_messages(const char *url)
{
	const char *host = strstr(url, "://") ? strstr(url, "://") + 3 : url;
	size_t length = strcspn(host, "?#"), authority = strcspn(host, "/?#");
	const char *at = host > url ? memrchr(host, '@', authority) : NULL;
	size_t skip = at ? (size_t)(at + 1 - host) : 0;

	return zp_format("%.*s%.*s", (int)(host - url), url, (int)(length - skip), host + skip);
}

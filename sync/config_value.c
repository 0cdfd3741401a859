/* Attributes of sync.hcl as what they are meant to be, with diagnostics where they are not. */
#include <stdlib.h>

#include "sync/config_internal.h"

bool sync_parse_duration(const char *text, int64_t *ms)
{
	double total = 0;

	if (!*text)
		return false;
	while (*text) {
		char *end;
		double n = *text >= '0' && *text <= '9' ? strtod(text, &end) : -1;
		if (n < 0 || n > 1e12)
			return false;
		size_t unit = strncmp(end, "ms", 2) == 0 ? 2 : 1;
		double scale = unit == 2 ? 1 : *end == 's' ? 1e3 : *end == 'm' ? 60e3 : *end == 'h' ? 3600e3 :
			*end == 'd' ? 86400e3 : 0;
		if (!scale)
			return false;
		total += n * scale;
		text = end + unit;
	}
	*ms = total <= 366 * 86400e3 ? (int64_t)total : 0;
	return total <= 366 * 86400e3;
}

static void keep_secret(struct sync_loader *loader, const char *text)
{
	/* Shorter texts would be found everywhere. */
	if (strlen(text) >= 6)
		zp_vec_push(&loader->secrets, text);
}

/* env.NAME: a variable of the environment. What is read so is taken for a secret. */
static bool resolve(const struct hcl_scope *scope, struct hcl_evaluation *ev,
	const struct hcl_reference *ref, struct hcl_value *value, size_t *consumed)
{
	struct sync_loader *loader = scope->data;
	const char *name = ref->count ? ref->steps[0].name : NULL;

	*consumed = 1;
	if (strcmp(ref->root, "env") != 0 || !name) {
		zp_diag_error(ev->diags, ref->range, "Unknown name",
			"\"%s\" means nothing here. Variables of the environment are env.NAME.", ref->root);
		return false;
	}
	const char *text = getenv(name);
	if (!text) {
		zp_diag_error(ev->diags, ref->range, "Environment variable not set",
			"%s is not set in this program's environment.", name);
		return false;
	}
	*value = hcl_mark(hcl_string_cstr(ev->arena, text), HCL_SENSITIVE);
	keep_secret(loader, value->text);
	zp_vec_push(&loader->secret_names, name);
	return true;
}

struct hcl_scope sync_scope(struct sync_loader *loader)
{
	return (struct hcl_scope){ .resolve = resolve, .data = loader };
}

struct zp_range sync_attribute_range(const struct hcl_content *content, const char *name,
	struct zp_range otherwise)
{
	struct hcl_attribute *attribute = hcl_content_attribute(content, name);

	return attribute ? attribute->expr->range : otherwise;
}

/* False where it is absent, null, or wrong (then reported). */
static bool read_as(struct sync_loader *loader, const struct hcl_content *content, const char *name,
	const struct hcl_type *type, struct hcl_value *value)
{
	struct hcl_attribute *attribute = hcl_content_attribute(content, name);
	size_t errors = loader->diags->errors;

	if (!attribute)
		return false;
	*value = hcl_evaluate_as(&loader->evaluation, attribute->expr, type);
	if (loader->diags->errors > errors || value->state == HCL_NULL)
		return false;
	if (hcl_is_wholly_known(*value))
		return true;
	zp_diag_error(loader->diags, attribute->expr->range, "Unknown value",
		"%s must be known when the configuration is read.", name);
	return false;
}

const char *sync_read_text(struct sync_loader *loader, const struct hcl_content *content,
	const char *name, const char *fallback)
{
	struct hcl_value value;

	if (!read_as(loader, content, name, hcl_string, &value))
		return fallback;
	if (memchr(value.text, 0, value.count) || memchr(value.text, '\n', value.count)) {
		zp_diag_error(loader->diags, sync_attribute_range(content, name, ZP_NOWHERE),
			"Invalid text", "%s must be one line.", name);
		return fallback;
	}
	return value.text;
}

const char *sync_read_path(struct sync_loader *loader, const struct hcl_content *content,
	const char *name)
{
	const char *path = sync_read_text(loader, content, name, NULL);

	if (!path || *path == '/')
		return path;
	return zp_arena_format(&loader->config->arena, "%s/%s", loader->folder, path);
}

const char *sync_read_secret(struct sync_loader *loader, const struct hcl_content *content,
	const char *name)
{
	struct hcl_value value;

	if (!read_as(loader, content, name, hcl_string, &value))
		return NULL;
	/* Files end with a newline that is no part of the secret. */
	size_t length = value.count;
	while (length && (value.text[length - 1] == '\n' || value.text[length - 1] == '\r'))
		length--;
	char *text = zp_arena_strndup(&loader->config->arena, value.text, length);
	if (!length || strpbrk(text, "\r\n")) {
		zp_diag_error(loader->diags, sync_attribute_range(content, name, ZP_NOWHERE),
			"Invalid secret", "%s must be one line that is not empty.", name);
		return NULL;
	}
	keep_secret(loader, text);
	if (loader->readable && hcl_content_attribute(content, name)->expr->kind == HCL_EXPR_LITERAL)
		zp_diag_warning(loader->diags, sync_attribute_range(content, name, ZP_NOWHERE),
			"Others can read this secret",
			"%s stands in a file that other users of this machine can read. Take it from the "
			"environment (env.NAME) or a file of its own (file(\"/path\")), or make the file the "
			"owner's only (chmod 600).", name);
	return text;
}

bool sync_read_bool(struct sync_loader *loader, const struct hcl_content *content, const char *name,
	bool fallback)
{
	struct hcl_value value;

	return read_as(loader, content, name, hcl_bool, &value) ? value.boolean : fallback;
}

int64_t sync_read_number(struct sync_loader *loader, const struct hcl_content *content,
	const char *name, int64_t fallback, int64_t least)
{
	struct hcl_value value;
	int64_t number;

	if (!read_as(loader, content, name, hcl_number, &value))
		return fallback;
	if (hcl_number_to_int(value, &number) && number >= least && number <= INT32_MAX)
		return number;
	zp_diag_error(loader->diags, sync_attribute_range(content, name, ZP_NOWHERE), "Invalid number",
		"%s must be a whole number, %lld or more.", name, (long long)least);
	return fallback;
}

int64_t sync_read_duration(struct sync_loader *loader, const struct hcl_content *content,
	const char *name, int64_t fallback_ms, int64_t least_ms)
{
	struct hcl_value value;
	int64_t ms;

	if (!read_as(loader, content, name, hcl_string, &value))
		return fallback_ms;
	if (sync_parse_duration(value.text, &ms) && ms >= least_ms)
		return ms;
	zp_diag_error(loader->diags, sync_attribute_range(content, name, ZP_NOWHERE), "Invalid duration",
		"%s must be a duration such as \"90s\", \"5m\" or \"1h30m\", at least %lld ms.", name,
		(long long)least_ms);
	return fallback_ms;
}

int sync_read_choice(struct sync_loader *loader, const struct hcl_content *content, const char *name,
	const char *const *names, int fallback)
{
	const char *text = sync_read_text(loader, content, name, NULL);
	zp_autobuf all = ZP_BUF_INIT;

	if (!text)
		return fallback;
	for (int i = 0; names[i]; i++) {
		if (strcmp(text, names[i]) == 0)
			return i;
		zp_buf_printf(&all, "%s\"%s\"", i ? names[i + 1] ? ", " : " or " : "", names[i]);
	}
	zp_diag_error(loader->diags, sync_attribute_range(content, name, ZP_NOWHERE), "Invalid choice",
		"%s must be %s.", name, all.ptr);
	return fallback;
}

const char *const *sync_read_texts(struct sync_loader *loader, const struct hcl_content *content,
	const char *name)
{
	struct zp_arena *arena = &loader->config->arena;
	struct hcl_value value;
	size_t count = 0;

	if (read_as(loader, content, name, hcl_list_type(hcl_string), &value))
		count = value.count;
	const char **texts = zp_new_array(arena, const char *, count + 1);
	for (size_t i = 0; i < count; i++)
		texts[i] = hcl_is_null(value.elements[i]) ? "" : value.elements[i].text;
	return texts;
}

struct hcl_value sync_read_object(struct sync_loader *loader, const struct hcl_content *content,
	const char *name)
{
	struct hcl_value value;

	if (!read_as(loader, content, name, hcl_dynamic, &value))
		return hcl_null(hcl_dynamic);
	if (value.type->kind == HCL_OBJECT)
		return value;
	zp_diag_error(loader->diags, sync_attribute_range(content, name, ZP_NOWHERE), "Invalid value",
		"%s must be an object: { name = value, ... }.", name);
	return hcl_null(hcl_dynamic);
}

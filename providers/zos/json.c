#include "providers/zos/json.h"

#include <math.h>

#include "base/alloc.h"

void zos_json_add_text(cJSON *object, const char *key, struct hcl_value value)
{
	if (value.state == HCL_KNOWN && value.type == hcl_string && value.count)
		cJSON_AddStringToObject(object, key, value.text);
}

void zos_json_add_list(cJSON *object, const char *key, struct hcl_value value)
{
	cJSON *array = cJSON_AddArrayToObject(object, key);
	if (value.state != HCL_KNOWN || !hcl_type_is_sequence(value.type))
		return;
	for (uint32_t i = 0; i < value.count; i++)
		if (value.elements[i].state == HCL_KNOWN)
			cJSON_AddItemToArray(array, cJSON_CreateString(value.elements[i].text));
}

void zos_json_add_map(cJSON *object, const char *key, struct hcl_value value)
{
	cJSON *map = cJSON_AddObjectToObject(object, key);
	if (value.state != HCL_KNOWN || value.type->kind != HCL_MAP)
		return;
	for (uint32_t i = 0; i < value.count; i++) {
		if (value.entries[i].value.state != HCL_KNOWN)
			continue;
		zp_autofree char *name =
			zp_strndup(value.entries[i].key.ptr, value.entries[i].key.len);
		cJSON_AddStringToObject(map, name, value.entries[i].value.text);
	}
}

struct hcl_value zos_json_text(struct zp_arena *arena, const cJSON *object, const char *key)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
	return text && *text ? hcl_string_cstr(arena, text) : hcl_null(hcl_string);
}

struct hcl_value zos_json_list(struct zp_arena *arena, const cJSON *object, const char *key)
{
	const cJSON *array = cJSON_GetObjectItemCaseSensitive(object, key), *item;
	if (!cJSON_IsArray(array))
		return hcl_null(hcl_list_type(hcl_string));
	size_t count = 0, room = (size_t)cJSON_GetArraySize(array);
	struct hcl_value *elements = zp_new_array(arena, struct hcl_value, room);
	cJSON_ArrayForEach(item, array) if (cJSON_IsString(item)) elements[count++] =
		hcl_string_cstr(arena, item->valuestring);
	return hcl_list_value(hcl_string, elements, count);
}

struct hcl_value zos_json_map(struct zp_arena *arena, const cJSON *object, const char *key)
{
	const cJSON *map = cJSON_GetObjectItemCaseSensitive(object, key), *item;
	if (!cJSON_IsObject(map))
		return hcl_null(hcl_map_type(hcl_string));
	size_t count = 0, room = (size_t)cJSON_GetArraySize(map);
	struct hcl_map_entry *entries = zp_new_array(arena, struct hcl_map_entry, room);
	cJSON_ArrayForEach(item, map)
	{
		if (!cJSON_IsString(item))
			continue;
		entries[count].key = zp_arena_str(arena, zp_str(item->string));
		entries[count++].value = hcl_string_cstr(arena, item->valuestring);
	}
	return hcl_map_value(hcl_string, entries, count);
}

int64_t zos_json_int(const cJSON *object, const char *key, int64_t fallback)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
	/* Beyond 2^53 a JSON number of cJSON is no longer exact, so it is no number of ours. */
	if (!cJSON_IsNumber(item) || fabs(item->valuedouble) > 9007199254740992.0 ||
		item->valuedouble != floor(item->valuedouble))
		return fallback;
	return (int64_t)item->valuedouble;
}

static bool is_nothing(struct hcl_value value)
{
	return value.state == HCL_NULL ||
	       (value.state == HCL_KNOWN && value.count == 0 && value.type->kind != HCL_BOOL &&
		       value.type->kind != HCL_NUMBER);
}

struct hcl_value zos_keep_empty(struct hcl_value before, struct hcl_value fresh)
{
	return before.state != HCL_UNKNOWN && before.type == fresh.type && is_nothing(before) &&
			       is_nothing(fresh)
		       ? before
		       : fresh;
}

/*
 * Between resource values and the JSON of workload specs and results.
 */
#ifndef PROVIDERS_ZOS_JSON_H
#define PROVIDERS_ZOS_JSON_H

#include <cjson/cJSON.h>

#include "hcl-lite/value.h"

/* Adds a string, where value is one and not empty. */
void zos_json_add_text(cJSON *object, const char *key, struct hcl_value value);
/* Adds an array out of a list or set of strings. */
void zos_json_add_list(cJSON *object, const char *key, struct hcl_value value);
/* Adds an object out of a map of strings. */
void zos_json_add_map(cJSON *object, const char *key, struct hcl_value value);

/* Null where there is no such text, or it is empty. */
struct hcl_value zos_json_text(struct zp_arena *arena, const cJSON *object, const char *key);
struct hcl_value zos_json_list(struct zp_arena *arena, const cJSON *object, const char *key);
struct hcl_value zos_json_map(struct zp_arena *arena, const cJSON *object, const char *key);
/* fallback where there is no such whole number. */
int64_t zos_json_int(const cJSON *object, const char *key, int64_t fallback);

/*
 * JSON does not tell "not given" from "empty"; a configuration does. fresh, unless it and before
 * are both null or empty: then before, so that nothing seems to have changed.
 */
struct hcl_value zos_keep_empty(struct hcl_value before, struct hcl_value fresh);

#endif

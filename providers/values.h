/*
 * Reading and making resource values, for those who write providers.
 *
 *	const char *node = provider_get_text(op->planned, "node");
 *	struct provider_builder builder;
 *	provider_build(&builder, op->arena, schema, op->planned);
 *	provider_build_set(&builder, "id", hcl_string_cstr(op->arena, identity));
 *	op->result = provider_built(&builder);
 */
#ifndef PROVIDERS_VALUES_H
#define PROVIDERS_VALUES_H

#include "providers/schema.h"

/* Known and not null. A value left zero is none. */
static inline bool provider_is_object(struct hcl_value value)
{
	return value.type && value.state == HCL_KNOWN;
}

/* The attribute's value without its own marks; a null of dynamic type where there is no such
 * attribute, or the object itself is null or unknown. */
struct hcl_value provider_get(struct hcl_value object, const char *name);
/* Known and not null. */
bool provider_has(struct hcl_value object, const char *name);
/* NUL-terminated; NULL when null or unknown. */
const char *provider_get_text(struct hcl_value object, const char *name);
int64_t provider_get_int(struct hcl_value object, const char *name, int64_t fallback);
bool provider_get_bool(struct hcl_value object, const char *name, bool fallback);

/* An object of a schema in the making; lives in the arena given. */
struct provider_builder {
	struct zp_arena *arena;
	const struct provider_schema *schema;
	struct hcl_value *elements; /* in the order of the schema's type */
};

/* Starts from base, or with everything null or empty when base is null. */
void provider_build(struct provider_builder *builder, struct zp_arena *arena,
	const struct provider_schema *schema, struct hcl_value base);
/* name must be an attribute or block of the schema. */
void provider_build_set(struct provider_builder *builder, const char *name, struct hcl_value value);
struct hcl_value provider_built(const struct provider_builder *builder);

#endif

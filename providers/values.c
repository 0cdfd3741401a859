#include "providers/values.h"

#include <stdlib.h>

struct hcl_value provider_get(struct hcl_value object, const char *name)
{
	struct hcl_value value;
	if (!provider_is_object(object) || object.type->kind != HCL_OBJECT ||
		!hcl_value_attribute(object, name, &value))
		return hcl_null(hcl_dynamic);
	return hcl_unmark(value, NULL);
}

bool provider_has(struct hcl_value object, const char *name)
{
	return provider_get(object, name).state == HCL_KNOWN;
}

const char *provider_get_text(struct hcl_value object, const char *name)
{
	struct hcl_value value = provider_get(object, name);
	return value.state == HCL_KNOWN && value.type == hcl_string ? value.text : NULL;
}

int64_t provider_get_int(struct hcl_value object, const char *name, int64_t fallback)
{
	struct hcl_value value = provider_get(object, name);
	int64_t number;
	if (value.state != HCL_KNOWN || value.type != hcl_number ||
		!hcl_number_to_int(value, &number))
		return fallback;
	return number;
}

bool provider_get_bool(struct hcl_value object, const char *name, bool fallback)
{
	struct hcl_value value = provider_get(object, name);
	return value.state == HCL_KNOWN && value.type == hcl_bool ? value.boolean : fallback;
}

void provider_build(struct provider_builder *builder, struct zp_arena *arena,
	const struct provider_schema *schema, struct hcl_value base)
{
	if (!provider_is_object(base))
		base = schema->empty;
	uint32_t count = schema->type->count;
	builder->arena = arena;
	builder->schema = schema;
	builder->elements = zp_new_array(arena, struct hcl_value, count);
	if (count)
		memcpy(builder->elements, base.elements, count * sizeof(*builder->elements));
}

void provider_build_set(struct provider_builder *builder, const char *name, struct hcl_value value)
{
	int slot = hcl_type_attribute(builder->schema->type, name, strlen(name));
	if (slot < 0)
		abort();
	builder->elements[slot] = value;
}

struct hcl_value provider_built(const struct provider_builder *builder)
{
	return provider_schema_object(builder->schema, builder->arena, builder->elements);
}

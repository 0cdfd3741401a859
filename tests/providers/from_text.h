/*
 * Values for tests, written as expressions: from_text(schema, "{ node = \"a\", size = unknown }")
 * is an object of the schema with the rest null or empty; "null" is a null object. The name
 * `unknown` stands for an unknown value.
 */
#ifndef TESTS_PROVIDERS_FROM_TEXT_H
#define TESTS_PROVIDERS_FROM_TEXT_H

#include <stdio.h>

#include "hcl-lite/codec.h"
#include "providers/schema.h"
#include "providers/values.h"

static struct zp_arena from_text_arena;

static bool from_text_resolve(const struct hcl_scope *scope, struct hcl_evaluation *ev,
	const struct hcl_reference *ref, struct hcl_value *value, size_t *consumed)
{
	(void)scope, (void)ev;
	*value = hcl_unknown(hcl_dynamic);
	*consumed = 0;
	return !strcmp(ref->root, "unknown");
}

static struct hcl_value from_text_value(const char *text)
{
	struct zp_diags diags;
	zp_diags_init(&diags);
	struct zp_source *source = zp_source_new("test", zp_str(text));
	struct hcl_scope scope = { .resolve = from_text_resolve };
	struct hcl_evaluation ev = { .arena = &from_text_arena, .diags = &diags, .scope = &scope };
	struct hcl_value value =
		hcl_evaluate(&ev, hcl_parse_expression(source, &from_text_arena, &diags));
	if (diags.errors)
		fail_msg("%s: %s: %s", text, diags.items[0]->summary, diags.items[0]->detail);
	value = hcl_value_copy(&from_text_arena, value);
	zp_diags_release(&diags);
	zp_source_free(source);
	return value;
}

static struct hcl_value from_text_convert(struct hcl_value value, const struct hcl_type *type)
{
	zp_autobuf error = ZP_BUF_INIT;
	struct hcl_value result = hcl_null(type);
	if (!hcl_convert(&from_text_arena, value, type, &result, &error))
		fail_msg("%s", error.ptr);
	return result;
}

static struct hcl_value from_text_object(
	const struct provider_schema *schema, struct hcl_value value);

static struct hcl_value from_text_block(const struct provider_block *block, struct hcl_value value)
{
	const struct hcl_type *object = block->schema->type;
	if (value.state != HCL_KNOWN)
		return hcl_unknown(hcl_list_type(object));
	if (block->nesting == PROVIDER_SINGLE || block->nesting == PROVIDER_GROUP)
		return from_text_object(block->schema, value);
	if (block->nesting == PROVIDER_MAP) {
		struct hcl_map_entry *entries =
			zp_new_array(&from_text_arena, struct hcl_map_entry, value.count);
		for (uint32_t i = 0; i < value.count; i++) {
			entries[i].key = zp_str(value.type->attributes[i].name);
			entries[i].value = from_text_object(block->schema, value.elements[i]);
		}
		return hcl_map_value(object, entries, value.count);
	}
	struct hcl_value *elements = zp_new_array(&from_text_arena, struct hcl_value, value.count);
	for (uint32_t i = 0; i < value.count; i++)
		elements[i] = from_text_object(block->schema, value.elements[i]);
	return block->nesting == PROVIDER_SET ? hcl_set_value(object, elements, value.count)
					      : hcl_list_value(object, elements, value.count);
}

static struct hcl_value from_text_object(
	const struct provider_schema *schema, struct hcl_value value)
{
	struct provider_builder builder;
	if (value.state != HCL_KNOWN)
		return value.state == HCL_NULL ? hcl_null(schema->type) : hcl_unknown(schema->type);
	provider_build(&builder, &from_text_arena, schema, schema->empty);
	for (uint32_t i = 0; i < value.type->count; i++) {
		const char *name = value.type->attributes[i].name;
		const struct provider_attribute *attribute =
			provider_schema_attribute(schema, name);
		const struct provider_block *block = provider_schema_block(schema, name);
		if (!attribute && !block)
			fail_msg("the schema has no %s", name);
		/* An identity that is not known yet is known not to be null. */
		if (!strcmp(name, "id") && hcl_is_unknown(value.elements[i]))
			provider_build_set(&builder, name, hcl_unknown_not_null(hcl_string));
		else
			provider_build_set(&builder, name,
				attribute ? from_text_convert(
						    value.elements[i], attribute->value_type)
					  : from_text_block(block, value.elements[i]));
	}
	return provider_built(&builder);
}

static struct hcl_value from_text(const struct provider_schema *schema, const char *text)
{
	return from_text_object(schema, from_text_value(text));
}

static void __attribute__((unused))
assert_same_value(const char *what, struct hcl_value got, struct hcl_value want)
{
	if (hcl_value_identical(got, want))
		return;
	zp_autobuf a = ZP_BUF_INIT;
	zp_autobuf b = ZP_BUF_INIT;
	hcl_value_to_text(&a, got, 0);
	hcl_value_to_text(&b, want, 0);
	fail_msg(
		"%s:\n--- got\n%s\n--- want\n%s", what, zp_buf_slice(&a).ptr, zp_buf_slice(&b).ptr);
}

static int from_text_setup(void **state)
{
	(void)state;
	zp_arena_init(&from_text_arena);
	return 0;
}

static int from_text_teardown(void **state)
{
	(void)state;
	zp_arena_release(&from_text_arena);
	return 0;
}

#endif

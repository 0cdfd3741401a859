#include "providers/schema.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/intern.h"

/* What compiled schemas refer to lives as long as the process, as the tables themselves do. */
static struct zp_arena schema_arena;

static void table_is_wrong(const char *name, const char *what)
{
	fprintf(stderr, "zplan: schema table: %s: %s\n", name, what);
	abort();
}

static struct hcl_expr *parse_constant(const char *name, const char *text, struct zp_diags *diags)
{
	struct zp_source *source = zp_source_new(name, zp_str(text));
	struct hcl_expr *expr = hcl_parse_expression(source, &schema_arena, diags);
	if (diags->errors)
		table_is_wrong(name, diags->items[0]->detail);
	/* The tree refers to the text, and both are kept for good. */
	struct zp_source **keep = zp_new(&schema_arena, struct zp_source *);
	*keep = source;
	return expr;
}

static const struct hcl_type *plain_type(const char *text)
{
	static const struct {
		const char *text;
		const struct hcl_type *const *type;
	} known[] = {
		{ "string", &hcl_string },
		{ "number", &hcl_number },
		{ "bool", &hcl_bool },
		{ "any", &hcl_dynamic },
	};
	for (size_t i = 0; i < ZP_ARRAY_SIZE(known); i++)
		if (!strcmp(text, known[i].text))
			return *known[i].type;
	return NULL;
}

static const struct hcl_type *compile_type(const struct provider_attribute *attribute)
{
	const struct hcl_type *type = plain_type(attribute->type);
	if (type)
		return type;
	struct zp_diags diags;
	zp_diags_init(&diags);
	struct hcl_constraint constraint = { 0 };
	struct hcl_expr *expr = parse_constant(attribute->name, attribute->type, &diags);
	if (!hcl_type_expression(expr, &schema_arena, false, &constraint, &diags))
		table_is_wrong(attribute->name, "type text is not a type");
	zp_diags_release(&diags);
	return hcl_type_without_optional(constraint.type);
}

static struct hcl_value compile_default(const struct provider_attribute *attribute)
{
	if (!attribute->default_value)
		return hcl_null(attribute->value_type);
	struct zp_diags diags;
	zp_diags_init(&diags);
	struct hcl_evaluation evaluation = { .arena = &schema_arena, .diags = &diags };
	struct hcl_expr *expr = parse_constant(attribute->name, attribute->default_value, &diags);
	struct hcl_value value = hcl_evaluate_as(&evaluation, expr, attribute->value_type);
	if (diags.errors || value.state == HCL_UNKNOWN)
		table_is_wrong(attribute->name, "default is not a constant of its type");
	zp_diags_release(&diags);
	return value;
}

static void compile_attribute(struct provider_attribute *attribute)
{
	unsigned flags = attribute->flags;
	if (!(flags & (PROVIDER_REQUIRED | PROVIDER_OPTIONAL | PROVIDER_COMPUTED)))
		table_is_wrong(attribute->name, "neither required, optional nor computed");
	if ((flags & PROVIDER_REQUIRED) && (flags & (PROVIDER_OPTIONAL | PROVIDER_COMPUTED)))
		table_is_wrong(attribute->name, "required excludes optional and computed");
	if (attribute->default_value && !(flags & PROVIDER_OPTIONAL))
		table_is_wrong(attribute->name, "only an optional attribute has a default");
	if ((flags & PROVIDER_VOLATILE) && !(flags & PROVIDER_COMPUTED))
		table_is_wrong(attribute->name, "only a computed attribute is volatile");
	attribute->name = zp_intern_cstr(attribute->name);
	attribute->value_type = compile_type(attribute);
	attribute->default_compiled = compile_default(attribute);
}

/* As the peer has it: blocks whose objects differ in type from one to the next make no list. */
static const struct hcl_type *block_type(const struct provider_block *block)
{
	const struct hcl_type *object = block->schema->type;
	switch (block->nesting) {
	case PROVIDER_LIST:
		return object->has_dynamic ? hcl_dynamic : hcl_list_type(object);
	case PROVIDER_MAP:
	case PROVIDER_SET:
		if (object->has_dynamic)
			table_is_wrong(block->name, "no \"any\" in blocks of a map or set");
		return block->nesting == PROVIDER_SET ? hcl_set_type(object) : hcl_map_type(object);
	case PROVIDER_SINGLE:
	case PROVIDER_GROUP:
		return object;
	}
	abort();
}

static void place_in_type(struct provider_schema *schema)
{
	size_t attributes = schema->attribute_count, blocks = schema->block_count;
	struct hcl_attribute_type *members =
		zp_new_array(&schema_arena, struct hcl_attribute_type, attributes + blocks);
	for (size_t i = 0; i < attributes; i++) {
		members[i].name = schema->attributes[i].name;
		members[i].type = schema->attributes[i].value_type;
	}
	for (size_t i = 0; i < blocks; i++) {
		members[attributes + i].name = schema->blocks[i].name;
		members[attributes + i].type = block_type(&schema->blocks[i]);
	}
	const struct hcl_type *type = hcl_object_type(members, attributes + blocks);
	if (type->count != attributes + blocks)
		table_is_wrong(members[0].name, "a name occurs twice in its schema");
	schema->attribute_slots = zp_new_array(&schema_arena, uint32_t, attributes);
	schema->block_slots = zp_new_array(&schema_arena, uint32_t, blocks);
	for (size_t i = 0; i < attributes + blocks; i++) {
		uint32_t *slot = i < attributes ? &schema->attribute_slots[i]
						: &schema->block_slots[i - attributes];
		*slot = (uint32_t)hcl_type_attribute(
			type, members[i].name, strlen(members[i].name));
	}
	schema->type = type;
}

static struct hcl_value empty_block(const struct provider_block *block)
{
	const struct hcl_type *object = block->schema->type;
	switch (block->nesting) {
	case PROVIDER_LIST:
		return object->has_dynamic ? hcl_tuple_value(NULL, 0)
					   : hcl_list_value(object, NULL, 0);
	case PROVIDER_MAP:
		return hcl_map_value(object, NULL, 0);
	case PROVIDER_SET:
		return hcl_set_value(object, NULL, 0);
	case PROVIDER_SINGLE:
		return hcl_null(object);
	case PROVIDER_GROUP:
		return block->schema->empty;
	}
	abort();
}

static void make_empty(struct provider_schema *schema)
{
	struct hcl_value *elements =
		zp_new_array(&schema_arena, struct hcl_value, schema->type->count);
	for (size_t i = 0; i < schema->attribute_count; i++)
		elements[schema->attribute_slots[i]] = hcl_null(schema->attributes[i].value_type);
	for (size_t i = 0; i < schema->block_count; i++)
		elements[schema->block_slots[i]] = empty_block(&schema->blocks[i]);
	schema->empty = provider_schema_object(schema, &schema_arena, elements);
}

void provider_schema_compile(struct provider_schema *schema)
{
	if (schema->type)
		return;
	for (size_t i = 0; i < schema->attribute_count; i++) {
		compile_attribute(&schema->attributes[i]);
		if (schema->attributes[i].flags & PROVIDER_SENSITIVE)
			schema->has_sensitive = true;
	}
	for (size_t i = 0; i < schema->block_count; i++) {
		schema->blocks[i].name = zp_intern_cstr(schema->blocks[i].name);
		provider_schema_compile(schema->blocks[i].schema);
		if (schema->blocks[i].schema->has_sensitive)
			schema->has_sensitive = true;
	}
	place_in_type(schema);
	make_empty(schema);
}

const struct provider_attribute *provider_schema_attribute(
	const struct provider_schema *schema, const char *name)
{
	for (size_t i = 0; i < schema->attribute_count; i++)
		if (!strcmp(schema->attributes[i].name, name))
			return &schema->attributes[i];
	return NULL;
}

const struct provider_block *provider_schema_block(
	const struct provider_schema *schema, const char *name)
{
	for (size_t i = 0; i < schema->block_count; i++)
		if (!strcmp(schema->blocks[i].name, name))
			return &schema->blocks[i];
	return NULL;
}

struct hcl_value provider_schema_null(const struct provider_schema *schema)
{
	return hcl_null(schema->type);
}

static bool has_parts_of_type(const struct hcl_type *type, const struct hcl_value *elements)
{
	for (uint32_t i = 0; i < type->count; i++)
		if (type->attributes[i].type != elements[i].type)
			return false;
	return true;
}

static const struct hcl_type *type_of_parts(const struct provider_schema *schema,
	struct zp_arena *arena, const struct hcl_value *elements)
{
	uint32_t count = schema->type->count;
	struct hcl_attribute_type few[16], *members = few;
	if (count > ZP_ARRAY_SIZE(few))
		members = zp_new_array(arena, struct hcl_attribute_type, count);
	for (uint32_t i = 0; i < count; i++) {
		members[i].name = schema->type->attributes[i].name;
		members[i].type = elements[i].type;
		members[i].optional = false;
	}
	return hcl_object_type(members, count);
}

/* Objects of one schema mostly have the types of the one before, so that no table is searched. */
struct hcl_value provider_schema_object(
	const struct provider_schema *schema, struct zp_arena *arena, struct hcl_value *elements)
{
	static _Thread_local const struct provider_schema *last_schema;
	static _Thread_local const struct hcl_type *last_type;
	if (!schema->type->has_dynamic)
		return hcl_object_value(schema->type, elements);
	if (last_schema != schema || !has_parts_of_type(last_type, elements)) {
		last_type = type_of_parts(schema, arena, elements);
		last_schema = schema;
	}
	return hcl_object_value(last_type, elements);
}

static struct hcl_value mark_map(
	const struct provider_schema *schema, struct zp_arena *arena, struct hcl_value value)
{
	struct hcl_map_entry *entries = zp_new_array(arena, struct hcl_map_entry, value.count);
	for (uint32_t i = 0; i < value.count; i++) {
		entries[i].key = value.entries[i].key;
		entries[i].value = provider_schema_mark(schema, arena, value.entries[i].value);
	}
	return hcl_map_value(value.type->element, entries, value.count);
}

static struct hcl_value mark_list(
	const struct provider_schema *schema, struct zp_arena *arena, struct hcl_value value)
{
	struct hcl_value *elements = zp_new_array(arena, struct hcl_value, value.count);
	for (uint32_t i = 0; i < value.count; i++)
		elements[i] = provider_schema_mark(schema, arena, value.elements[i]);
	return value.type->kind == HCL_LIST
		       ? hcl_list_value(value.type->element, elements, value.count)
		       : hcl_tuple_value(elements, value.count);
}

static struct hcl_value mark_block(
	const struct provider_block *block, struct zp_arena *arena, struct hcl_value value)
{
	if (value.state != HCL_KNOWN || !block->schema->has_sensitive)
		return value;
	switch (block->nesting) {
	case PROVIDER_SINGLE:
	case PROVIDER_GROUP:
		return provider_schema_mark(block->schema, arena, value);
	case PROVIDER_MAP:
		return hcl_mark(mark_map(block->schema, arena, value), value.marks);
	case PROVIDER_LIST:
		return hcl_mark(mark_list(block->schema, arena, value), value.marks);
	case PROVIDER_SET: /* its elements have no place of their own: the whole set gets the mark
			    */
		return value.count ? hcl_mark(value, HCL_SENSITIVE) : value;
	}
	abort();
}

struct hcl_value provider_schema_mark(
	const struct provider_schema *schema, struct zp_arena *arena, struct hcl_value value)
{
	if (!schema->has_sensitive || value.state != HCL_KNOWN)
		return value;
	struct hcl_value *elements = zp_new_array(arena, struct hcl_value, value.type->count);
	memcpy(elements, value.elements, value.type->count * sizeof(*elements));
	for (size_t i = 0; i < schema->attribute_count; i++) {
		struct hcl_value *element = &elements[schema->attribute_slots[i]];
		if (schema->attributes[i].flags & PROVIDER_SENSITIVE)
			*element = hcl_mark(*element, HCL_SENSITIVE);
	}
	for (size_t i = 0; i < schema->block_count; i++) {
		struct hcl_value *element = &elements[schema->block_slots[i]];
		*element = mark_block(&schema->blocks[i], arena, *element);
	}
	return hcl_mark(hcl_object_value(value.type, elements), value.marks);
}

/* Bodies by a schema into values; dynamic blocks are expanded on the way. */
#include "base/intern.h"
#include "base/vec.h"
#include "planner/config.h"

#define MAX_DYNAMIC_BLOCKS 100000

ZP_VEC(value_vec, struct hcl_value);

static struct hcl_value decode(struct hcl_evaluation *ev, const struct hcl_body *body,
	const struct provider_schema *schema);

/* The schema as bodies are read: with `dynamic` beside every nested block. */
static struct hcl_body_schema body_schema(const struct provider_schema *schema,
	struct zp_arena *arena)
{
	static const char *const dynamic_label[] = { "type", NULL };
	struct hcl_attribute_schema *attributes =
		zp_new_array(arena, struct hcl_attribute_schema, schema->attribute_count);
	struct hcl_block_schema *blocks =
		zp_new_array(arena, struct hcl_block_schema, schema->block_count + 1);
	static const char *const key_label[] = { "key", NULL };

	for (size_t i = 0; i < schema->attribute_count; i++)
		attributes[i] = (struct hcl_attribute_schema){ schema->attributes[i].name,
			schema->attributes[i].flags & PROVIDER_REQUIRED };
	for (size_t i = 0; i < schema->block_count; i++)
		blocks[i] = (struct hcl_block_schema){ schema->blocks[i].name,
			schema->blocks[i].nesting == PROVIDER_MAP ? key_label : NULL };
	if (schema->block_count)
		blocks[schema->block_count] = (struct hcl_block_schema){ "dynamic", dynamic_label };
	return (struct hcl_body_schema){ attributes, schema->attribute_count, blocks,
		schema->block_count + (schema->block_count > 0) };
}

static struct hcl_value decode_attribute(struct hcl_evaluation *ev,
	const struct provider_attribute *schema, const struct hcl_attribute *attribute)
{
	if (!attribute)
		return hcl_null(hcl_type_without_optional(schema->value_type));
	size_t errors = ev->diags->errors;
	zp_autobuf why = ZP_BUF_INIT;
	struct hcl_value value = hcl_evaluate(ev, attribute->expr), converted;

	if (ev->diags->errors > errors)
		return hcl_unknown(hcl_type_without_optional(schema->value_type));
	if (!(schema->flags & (PROVIDER_REQUIRED | PROVIDER_OPTIONAL))) {
		zp_diag_error(ev->diags, hcl_attribute_name_range(attribute), "Value for unconfigurable attribute",
			"Can't configure a value for \"%s\": its value will be decided "
			"automatically based on the result of applying this configuration.",
			schema->name);
		return hcl_unknown(hcl_type_without_optional(schema->value_type));
	}
	if (!hcl_convert_explained(ev->arena, value, schema->value_type, &converted, &why)) {
		zp_diag_error(ev->diags, attribute->expr->range, "Incorrect attribute value type",
			"Inappropriate value for attribute \"%s\": %s.", schema->name,
			why.ptr);
		return hcl_unknown(hcl_type_without_optional(schema->value_type));
	}
	if (hcl_is_null(converted) && schema->flags & PROVIDER_REQUIRED)
		zp_diag_error(ev->diags, attribute->expr->range, "Missing required argument",
			"The argument \"%s\" is required, but no definition was found.",
			schema->name);
	return converted;
}

/* The iterator of a dynamic block, in front of the scope around it. */
struct iteration {
	struct hcl_scope scope;
	const struct hcl_scope *outer;
	const char *name; /* interned */
	struct hcl_value value; /* object with key and value */
};

static bool resolve_iterator(const struct hcl_scope *scope, struct hcl_evaluation *ev,
	const struct hcl_reference *ref, struct hcl_value *value, size_t *consumed)
{
	const struct iteration *iteration = scope->data;

	if (ref->root == iteration->name) {
		*value = iteration->value;
		*consumed = 0;
		return true;
	}
	if (iteration->outer)
		return iteration->outer->resolve(iteration->outer, ev, ref, value, consumed);
	zp_diag_error(ev->diags, ref->root_range, "Variables not allowed",
		"Variables may not be used here.");
	return false;
}

struct dynamic {
	struct hcl_expr *for_each;
	const char *iterator; /* interned */
	const struct hcl_body *content;
	struct hcl_expr *labels;
};

static bool read_dynamic(struct hcl_evaluation *ev, const struct hcl_block *block,
	struct dynamic *dynamic)
{
	static const struct hcl_attribute_schema attributes[] = { { "for_each", true },
		{ "iterator", false }, { "labels", false } };
	static const struct hcl_block_schema blocks[] = { { "content", NULL } };
	static const struct hcl_body_schema schema = { attributes, 3, blocks, 1 };
	struct hcl_content content = { 0 };

	if (!hcl_body_content(block->body, &schema, ev->arena, &content, NULL, ev->diags))
		return false;
	struct hcl_attribute *iterator = hcl_content_attribute(&content, "iterator");
	struct hcl_attribute *labels = hcl_content_attribute(&content, "labels");
	dynamic->for_each = hcl_content_attribute(&content, "for_each")->expr;
	dynamic->labels = labels ? labels->expr : NULL;
	dynamic->iterator = iterator ? hcl_expr_keyword(iterator->expr) : zp_intern(block->labels[0]);
	if (!dynamic->iterator) {
		zp_diag_error(ev->diags, iterator->expr->range, "Invalid expression",
			"A single variable name is required for the iterator.");
		return false;
	}
	if (content.block_count != 1) {
		zp_diag_error(ev->diags,
			content.block_count ? content.blocks[1]->header_range :
					      block->body->end_range,
			content.block_count ? "Extraneous dynamic content block" :
					      "Missing dynamic content block",
			content.block_count ?
				"Only one nested content block is allowed for each dynamic block." :
				"A dynamic block must have a nested block of type \"content\" to "
				"describe the body of each generated block.");
		return false;
	}
	dynamic->content = content.blocks[0]->body;
	return true;
}

static struct hcl_value iterator_value(struct hcl_evaluation *ev, struct hcl_value key,
	struct hcl_value value)
{
	const char *names[] = { "key", "value" };

	return hcl_object_build(ev->arena, names, (struct hcl_value[]){ key, value }, 2);
}

/* Key and value number i of a known collection. */
static void element(struct hcl_evaluation *ev, struct hcl_value collection, uint32_t i,
	struct hcl_value *key, struct hcl_value *value)
{
	switch (collection.type->kind) {
	case HCL_MAP:
		*key = hcl_string_value(ev->arena, collection.entries[i].key);
		*value = collection.entries[i].value;
		break;
	case HCL_OBJECT:
		*key = hcl_string_static(collection.type->attributes[i].name);
		*value = collection.elements[i];
		break;
	case HCL_SET:
		*key = *value = collection.elements[i];
		break;
	default:
		*key = hcl_int_value(i);
		*value = collection.elements[i];
	}
	*value = hcl_mark(*value, collection.marks);
}

static struct hcl_value map_key(struct hcl_evaluation *ev, const struct dynamic *dynamic,
	struct hcl_value key)
{
	struct hcl_value label = key;

	if (dynamic->labels) {
		struct hcl_value labels = hcl_evaluate(ev, dynamic->labels);
		if (labels.state == HCL_KNOWN && hcl_type_is_sequence(labels.type) && labels.count)
			label = labels.elements[0];
	}
	struct hcl_value text;
	return hcl_convert(ev->arena, label, hcl_string, &text, NULL) ? text :
									hcl_null(hcl_string);
}

/* Blocks of one type, decoded. */
struct decoded {
	struct value_vec values;
	struct value_vec keys; /* of PROVIDER_MAP */
	bool unknown;	       /* a for_each is not known yet */
	unsigned marks;
};

static void decode_iterations(struct hcl_evaluation *ev, const struct dynamic *dynamic,
	const struct provider_block *block, struct hcl_value collection, struct decoded *out)
{
	struct iteration iteration = { .outer = ev->scope, .name = dynamic->iterator };
	struct hcl_evaluation inner = *ev;

	iteration.scope = (struct hcl_scope){ resolve_iterator, &iteration };
	inner.scope = &iteration.scope;
	for (uint32_t i = 0; i < collection.count; i++) {
		struct hcl_value key, value;
		element(ev, collection, i, &key, &value);
		iteration.value = iterator_value(ev, key, value);
		if (block->nesting == PROVIDER_MAP)
			zp_vec_push(&out->keys, map_key(&inner, dynamic, key));
		zp_vec_push(&out->values, decode(&inner, dynamic->content, block->schema));
	}
}

static void decode_dynamic(struct hcl_evaluation *ev, const struct hcl_block *from,
	const struct provider_block *block, struct decoded *out)
{
	struct dynamic dynamic;
	size_t errors = ev->diags->errors;

	if (!read_dynamic(ev, from, &dynamic)) {
		out->unknown = true;
		return;
	}
	struct hcl_value collection = hcl_evaluate(ev, dynamic.for_each);
	out->marks |= collection.marks;
	if (ev->diags->errors > errors || hcl_is_unknown(collection)) {
		out->unknown = true;
		return;
	}
	bool iterable = hcl_type_is_collection(collection.type) ||
		collection.type->kind == HCL_TUPLE || collection.type->kind == HCL_OBJECT;
	if (hcl_is_null(collection) || !iterable) {
		zp_diag_error(ev->diags, dynamic.for_each->range,
			"Invalid dynamic for_each value", hcl_is_null(collection) ?
			"Cannot use a null value in for_each." :
			"Cannot use a %s value in for_each. An iterable collection is required.",
			collection.type == hcl_string ? "string" :
			collection.type == hcl_number ? "number" : "bool");
		out->unknown = true;
		return;
	}
	if (collection.count > MAX_DYNAMIC_BLOCKS) {
		zp_diag_error(ev->diags, dynamic.for_each->range, "Invalid dynamic for_each value",
			"A dynamic block may expand to at most %d blocks.", MAX_DYNAMIC_BLOCKS);
		out->unknown = true;
		return;
	}
	decode_iterations(ev, &dynamic, block, collection, out);
}

static void report_block_count(struct hcl_evaluation *ev, const struct hcl_body *body,
	const struct provider_block *block, size_t count)
{
	if (count < block->min)
		zp_diag_error(ev->diags, body->end_range,
			block->min == 1 ? "Insufficient blocks" : "Insufficient blocks",
			"At least %u \"%s\" block%s required.", block->min, block->name,
			block->min == 1 ? " is" : "s are");
	else if (block->max && count > block->max)
		zp_diag_error(ev->diags, body->end_range, "Too many blocks",
			"No more than %u \"%s\" block%s allowed.", block->max, block->name,
			block->max == 1 ? " is" : "s are");
}

static struct hcl_value assemble_map(struct hcl_evaluation *ev, const struct provider_block *block,
	const struct decoded *decoded)
{
	struct hcl_map_entry *entries =
		zp_new_array(ev->arena, struct hcl_map_entry, decoded->values.count);
	size_t n = 0;

	for (size_t i = 0; i < decoded->values.count; i++)
		if (decoded->keys.items[i].state == HCL_KNOWN)
			entries[n++] = (struct hcl_map_entry){ hcl_text(decoded->keys.items[i]),
				decoded->values.items[i] };
	return hcl_map_value(block->schema->type, entries, n);
}

static struct hcl_value assemble(struct hcl_evaluation *ev, const struct provider_block *block,
	const struct hcl_type *slot_type, struct decoded *decoded)
{
	size_t count = decoded->values.count;

	if (decoded->unknown)
		return hcl_unknown(slot_type);
	if (block->nesting == PROVIDER_SINGLE || block->nesting == PROVIDER_GROUP) {
		if (count)
			return decoded->values.items[0];
		return block->nesting == PROVIDER_GROUP ? block->schema->empty :
							 hcl_null(slot_type);
	}
	if (block->nesting == PROVIDER_MAP)
		return assemble_map(ev, block, decoded);
	struct hcl_value *elements = zp_vec_to_arena(&decoded->values, ev->arena);
	if (slot_type->kind == HCL_DYNAMIC)
		return hcl_tuple_value(elements, count);
	if (block->nesting == PROVIDER_SET)
		return hcl_set_value(block->schema->type, elements, count);
	return hcl_list_value(block->schema->type, elements, count);
}

static struct hcl_value decode_blocks(struct hcl_evaluation *ev, const struct hcl_body *body,
	const struct hcl_content *content, const struct provider_block *block,
	const struct hcl_type *slot_type)
{
	struct decoded decoded = { 0 };

	for (size_t i = 0; i < content->block_count; i++) {
		const struct hcl_block *from = content->blocks[i];
		if (strcmp(from->type, block->name) == 0) {
			if (block->nesting == PROVIDER_MAP)
				zp_vec_push(&decoded.keys, hcl_string_value(ev->arena, from->labels[0]));
			zp_vec_push(&decoded.values, decode(ev, from->body, block->schema));
		} else if (strcmp(from->type, "dynamic") == 0 &&
			zp_str_is(from->labels[0], block->name)) {
			decode_dynamic(ev, from, block, &decoded);
		}
	}
	if (!decoded.unknown)
		report_block_count(ev, body, block, decoded.values.count);
	struct hcl_value value =
		hcl_mark(assemble(ev, block, slot_type, &decoded), decoded.marks);
	zp_vec_release(&decoded.values);
	zp_vec_release(&decoded.keys);
	return value;
}

static void report_unknown_dynamic(struct hcl_evaluation *ev, const struct hcl_content *content,
	const struct provider_schema *schema)
{
	for (size_t i = 0; i < content->block_count; i++) {
		const struct hcl_block *block = content->blocks[i];
		if (strcmp(block->type, "dynamic") != 0)
			continue;
		zp_autofree char *name = zp_strndup(block->labels[0].ptr, block->labels[0].len);
		if (!provider_schema_block(schema, name))
			zp_diag_error(ev->diags, block->label_ranges[0], "Unsupported block type",
				"Blocks of type \"%s\" are not expected here.", name);
	}
}

static struct hcl_value decode(struct hcl_evaluation *ev, const struct hcl_body *body,
	const struct provider_schema *schema)
{
	struct hcl_body_schema shape = body_schema(schema, ev->arena);
	struct hcl_content content = { 0 };
	struct hcl_value *elements = zp_new_array(ev->arena, struct hcl_value, schema->type->count);

	hcl_body_content(body, &shape, ev->arena, &content, NULL, ev->diags);
	report_unknown_dynamic(ev, &content, schema);
	for (size_t i = 0; i < schema->attribute_count; i++)
		elements[schema->attribute_slots[i]] = decode_attribute(ev, &schema->attributes[i],
			hcl_content_attribute(&content, schema->attributes[i].name));
	for (size_t i = 0; i < schema->block_count; i++) {
		uint32_t slot = schema->block_slots[i];
		elements[slot] = decode_blocks(ev, body, &content, &schema->blocks[i],
			schema->type->attributes[slot].type);
	}
	return hcl_object_value(schema->type, elements);
}

struct hcl_value plan_decode_body(struct hcl_evaluation *ev, const struct hcl_body *body,
	const struct provider_schema *schema)
{
	return decode(ev, body, schema);
}

struct zp_range plan_path_range(const struct hcl_body *body, const struct hcl_path *path)
{
	struct zp_range best = body->end_range;

	for (size_t i = 0; i < path->count; i++) {
		const char *name = path->steps[i].name;
		if (!name)
			continue;
		for (size_t k = 0; k < body->attribute_count; k++)
			if (strcmp(body->attributes[k]->name, name) == 0)
				return body->attributes[k]->expr->range;
		/* A nested block: the one an index names, else the first. */
		int64_t want = 0, seen = 0;
		const struct hcl_block *found = NULL;
		if (i + 1 < path->count && !path->steps[i + 1].name &&
			path->steps[i + 1].key.type == hcl_number)
			hcl_number_to_int(path->steps[i + 1].key, &want);
		for (size_t k = 0; k < body->block_count && !found; k++)
			if (strcmp(body->blocks[k]->type, name) == 0 && seen++ == want)
				found = body->blocks[k];
		if (!found)
			return best;
		best = found->header_range;
		body = found->body;
	}
	return best;
}

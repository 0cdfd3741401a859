/* JSON values read as bodies. What is a property there is an attribute or a block only by the
 * schema. */
#include "hcl-lite/json_body.h"

#include "base/intern.h"
#include "base/map.h"
#include "hcl-lite/identifier.h"
#include "hcl-lite/parser.h"

#define WRONG_TYPE "Incorrect JSON value type"

struct hcl_body *hcl_json_body(struct zp_arena *arena, const struct hcl_json_value *value)
{
	struct hcl_body *body = zp_new(arena, struct hcl_body);

	body->json = value;
	body->range = value->range;
	body->end_range = value->close_range;
	return body;
}

typedef void member_fn(void *data, const struct hcl_json_member *member);

/* Calls fn for the members of an object, or of all objects in an array; "//" is a comment. */
static void each_member(struct hcl_content_builder *b, const struct hcl_json_value *value,
	const char *complaint, member_fn *fn, void *data)
{
	if (value->kind == HCL_JSON_OBJECT) {
		for (size_t i = 0; i < value->object.count; i++)
			if (!zp_str_is(value->object.items[i].name.text, "//"))
				fn(data, &value->object.items[i]);
	} else if (value->kind == HCL_JSON_ARRAY) {
		for (size_t i = 0; i < value->array.count; i++) {
			const struct hcl_json_value *item = value->array.items[i];
			if (item->kind == HCL_JSON_ARRAY)
				hcl_body_error(b, item->open_range, WRONG_TYPE, "%s", complaint);
			else
				each_member(b, item, complaint, fn, data);
		}
	} else if (value->kind != HCL_JSON_ERROR) {
		hcl_body_error(b, value->open_range, WRONG_TYPE, "%s", complaint);
	}
}

static const char body_complaint[] =
	"A JSON object is required here, to define arguments and child blocks.";
static const char label_complaint[] = "Either a JSON object or JSON array of objects is required "
				      "here, to specify name labels for this block.";

/* Blocks. */

struct block_builder {
	struct hcl_content_builder *b;
	const struct hcl_json_member *type;
	const struct hcl_block_schema *schema;
	const struct hcl_json_text **labels; /* taken so far */
	size_t label_count;
};

static void read_labelled(struct block_builder *k, const struct hcl_json_value *value);

static void add_block(struct block_builder *k, const struct hcl_json_value *value)
{
	struct zp_arena *arena = k->b->arena;
	struct hcl_block *block = zp_new(arena, struct hcl_block);

	block->type = zp_intern(k->type->name.text);
	block->type_range = block->header_range = k->type->name.range;
	block->label_count = k->label_count;
	block->labels = zp_new_array(arena, struct zp_str, k->label_count);
	block->label_ranges = zp_new_array(arena, struct zp_range, k->label_count);
	for (size_t i = 0; i < k->label_count; i++) {
		block->labels[i] = k->labels[i]->text;
		block->label_ranges[i] = k->labels[i]->range;
	}
	block->body = hcl_json_body(arena, value);
	block->range = value->range;
	block->open_range = value->open_range;
	block->close_range = value->close_range;
	zp_vec_push(&k->b->blocks, block);
}

/* The labels are complete: value is the block's content, or an array of them. */
static void read_contents(struct block_builder *k, const struct hcl_json_value *value)
{
	if (value->kind == HCL_JSON_OBJECT) {
		add_block(k, value);
	} else if (value->kind == HCL_JSON_ARRAY) {
		for (size_t i = 0; i < value->array.count; i++) {
			const struct hcl_json_value *item = value->array.items[i];
			if (item->kind == HCL_JSON_OBJECT)
				add_block(k, item);
			else if (item->kind != HCL_JSON_ERROR && item->kind != HCL_JSON_NULL)
				hcl_body_error(k->b, item->open_range, WRONG_TYPE,
					"A JSON object is required here, setting the arguments "
					"for this block.");
		}
	} else if (value->kind != HCL_JSON_ERROR && value->kind != HCL_JSON_NULL) {
		hcl_body_error(k->b, value->open_range, WRONG_TYPE,
			"Either a JSON object or a JSON array is required, representing the "
			"contents of one or more \"%s\" blocks.",
			k->schema->type);
	}
}

static void count_member(void *data, const struct hcl_json_member *member)
{
	(void)member;
	++*(size_t *)data;
}

static void read_label(void *data, const struct hcl_json_member *member)
{
	struct block_builder *k = data;

	k->labels[k->label_count++] = &member->name;
	read_labelled(k, member->value);
	k->label_count--;
}

static void read_labelled(struct block_builder *k, const struct hcl_json_value *value)
{
	const char *label = k->schema->label_names ? k->schema->label_names[k->label_count] : NULL;
	size_t errors = k->b->errors, members = 0;

	if (!label) {
		read_contents(k, value);
		return;
	}
	if (value->kind == HCL_JSON_ERROR)
		return;
	each_member(k->b, value, label_complaint, count_member, &members);
	if (k->b->errors > errors)
		return;
	if (!members)
		hcl_body_error(k->b, value->open_range, "Missing block label",
			"At least one object property is required, whose name represents the %s "
			"block's %s.",
			k->schema->type, label);
	each_member(k->b, value, label_complaint, read_label, k);
}

static void add_blocks(struct hcl_content_builder *b, const struct hcl_json_member *member,
	const struct hcl_block_schema *schema)
{
	size_t count = 0;

	if (member->value->kind == HCL_JSON_NULL)
		return;
	while (schema->label_names && schema->label_names[count])
		count++;
	const struct hcl_json_text **labels = zp_arena_calloc(b->arena, count + 1, sizeof(*labels));
	struct block_builder k = { .b = b, .type = member, .schema = schema, .labels = labels };
	read_labelled(&k, member->value);
}

/* Attributes. */

struct content_reader {
	struct hcl_content_builder *b;
	const struct hcl_body *body;
	const struct hcl_body_schema *schema; /* NULL: all are attributes */
	struct hcl_body **rest;
	struct zp_map seen;
};

static void add_attribute(struct content_reader *c, const struct hcl_json_member *member)
{
	struct hcl_content_builder *b = c->b;
	void **slot = zp_map_slot(&c->seen, member->name.text);
	const struct hcl_attribute *first = *slot;

	if (first) {
		zp_autobuf place = ZP_BUF_INIT;
		hcl_place_text(first->range, &place);
		hcl_body_error(b, member->name.range, "Duplicate attribute definition",
			"The argument \"%s\" was already set at %s.", first->name, place.ptr);
		return;
	}
	struct hcl_attribute *a = zp_new(b->arena, struct hcl_attribute);
	a->name = hcl_intern_identifier(member->name.text);
	a->range = zp_range_join(member->name.range, member->value->range);
	a->name_end = a->equals_start = member->name.range.end;
	a->expr = hcl_expr_alloc(b->arena, HCL_EXPR_JSON, member->value->range);
	a->expr->json = member->value;
	*slot = a;
	zp_vec_push(&b->attributes, a);
}

static bool is_hidden(const struct hcl_body *body, struct zp_str name)
{
	for (size_t i = 0; body->hidden && body->hidden[i]; i++)
		if (zp_str_is(name, body->hidden[i]))
			return true;
	return false;
}

static void report_extra(struct content_reader *c, const struct hcl_json_member *member)
{
	const struct hcl_body_schema *schema = c->schema;
	size_t count = 0;
	const char **names =
		zp_calloc(schema->attribute_count + schema->block_count + 1, sizeof(*names));
	zp_autobuf hint = ZP_BUF_INIT;

	for (size_t i = 0; i < schema->attribute_count; i++)
		names[count++] = schema->attributes[i].name;
	for (size_t i = 0; i < schema->block_count; i++)
		names[count++] = schema->blocks[i].type;
	const char *near = zp_str_suggest(member->name.text, names, count);
	if (near)
		zp_buf_printf(&hint, " Did you mean \"%s\"?", near);
	free(names);
	hcl_body_error(c->b, member->name.range, "Extraneous JSON object property",
		"No argument or block type is named \"%.*s\".%s", ZP_FMT(member->name.text),
		hint.len ? hint.ptr : "");
}

static void read_member(void *data, const struct hcl_json_member *member)
{
	struct content_reader *c = data;
	const struct hcl_block_schema *block;

	if (is_hidden(c->body, member->name.text))
		return;
	if (!c->schema || hcl_schema_attribute(c->schema, member->name.text))
		add_attribute(c, member);
	else if ((block = hcl_schema_block(c->schema, member->name.text)))
		add_blocks(c->b, member, block);
	else if (!c->rest)
		report_extra(c, member);
}

/* The same body without the names of this schema. */
static struct hcl_body *new_rest(struct hcl_content_builder *b, const struct hcl_body *body,
	const struct hcl_body_schema *schema)
{
	struct hcl_body *rest = zp_new(b->arena, struct hcl_body);
	size_t count = 0;

	*rest = *body;
	while (body->hidden && body->hidden[count])
		count++;
	const char **hidden = (const char **)zp_new_array(
		b->arena, char *, count + schema->attribute_count + schema->block_count + 1);
	for (size_t i = 0; i < count; i++)
		hidden[i] = body->hidden[i];
	for (size_t i = 0; i < schema->attribute_count; i++)
		hidden[count++] = schema->attributes[i].name;
	for (size_t i = 0; i < schema->block_count; i++)
		hidden[count++] = schema->blocks[i].type;
	rest->hidden = hidden;
	return rest;
}

void hcl_json_content(struct hcl_content_builder *b, const struct hcl_body *body,
	const struct hcl_body_schema *schema, struct hcl_body **rest)
{
	struct content_reader c = { .b = b, .body = body, .schema = schema, .rest = rest };

	each_member(b, body->json, body_complaint, read_member, &c);
	for (size_t i = 0; i < schema->attribute_count; i++)
		if (schema->attributes[i].required &&
			!zp_map_has(&c.seen, zp_str(schema->attributes[i].name)))
			hcl_body_error(b, body->end_range, "Missing required argument",
				"The argument \"%s\" is required, but no definition was found.",
				schema->attributes[i].name);
	if (rest)
		*rest = new_rest(b, body, schema);
	zp_map_release(&c.seen);
}

void hcl_json_attributes(struct hcl_content_builder *b, const struct hcl_body *body)
{
	struct content_reader c = { .b = b, .body = body };

	each_member(b, body->json, body_complaint, read_member, &c);
	zp_map_release(&c.seen);
}

static bool is_inside(const struct hcl_json_value *value, uint32_t offset)
{
	return (value->kind == HCL_JSON_OBJECT || value->kind == HCL_JSON_ARRAY) &&
	       offset > value->range.start && offset < value->range.end;
}

bool hcl_json_context(const struct hcl_json_value *root, uint32_t offset, struct zp_buf *out)
{
	const struct hcl_json_value *value = root, *next;
	size_t before = out->len;

	for (; value; value = next) {
		next = NULL;
		if (value->kind == HCL_JSON_OBJECT) {
			for (size_t i = 0; i < value->object.count && !next; i++) {
				struct hcl_json_member *member = &value->object.items[i];
				if (!is_inside(member->value, offset))
					continue;
				zp_buf_printf(out, "%s%.*s", out->len > before ? "." : "",
					ZP_FMT(member->name.text));
				next = member->value;
			}
		} else if (value->kind == HCL_JSON_ARRAY) {
			for (size_t i = 0; i < value->array.count && !next; i++) {
				if (!is_inside(value->array.items[i], offset))
					continue;
				zp_buf_printf(out, "[%zu]", i);
				next = value->array.items[i];
			}
		}
	}
	return out->len > before;
}

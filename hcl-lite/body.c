/* Bodies read through a schema: the native syntax, and the way into JSON's. */
#include "hcl-lite/syntax.h"

#include "hcl-lite/json_body.h"

void hcl_body_error(struct hcl_content_builder *b, struct zp_range range, const char *summary,
	const char *fmt, ...)
{
	zp_autobuf detail = ZP_BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	zp_buf_vprintf(&detail, fmt, ap);
	va_end(ap);
	zp_diag_error(b->diags, range, summary, "%.*s", ZP_FMT(zp_buf_slice(&detail)));
	b->errors++;
}

void hcl_place_text(struct zp_range range, struct zp_buf *out)
{
	struct zp_position start = zp_source_position(range.file, range.start);
	struct zp_position end = zp_source_position(range.file, range.end);

	zp_buf_printf(out, "%s:%u,%u-", range.file->name, start.line, start.column);
	if (start.line != end.line)
		zp_buf_printf(out, "%u,", end.line);
	zp_buf_printf(out, "%u", end.column);
}

const struct hcl_attribute_schema *hcl_schema_attribute(
	const struct hcl_body_schema *schema, struct zp_str name)
{
	for (size_t i = 0; i < schema->attribute_count; i++)
		if (zp_str_is(name, schema->attributes[i].name))
			return &schema->attributes[i];
	return NULL;
}

const struct hcl_block_schema *hcl_schema_block(
	const struct hcl_body_schema *schema, struct zp_str type)
{
	for (size_t i = 0; i < schema->block_count; i++)
		if (zp_str_is(type, schema->blocks[i].type))
			return &schema->blocks[i];
	return NULL;
}

static bool has_attribute(const struct hcl_body *body, const char *name)
{
	for (size_t i = 0; i < body->attribute_count; i++)
		if (strcmp(body->attributes[i]->name, name) == 0)
			return true;
	return false;
}

static void report_missing(struct hcl_content_builder *b, const struct hcl_body *body,
	const struct hcl_body_schema *schema)
{
	for (size_t i = 0; i < schema->attribute_count; i++)
		if (schema->attributes[i].required &&
			!has_attribute(body, schema->attributes[i].name))
			hcl_body_error(b, body->end_range, "Missing required argument",
				"The argument \"%s\" is required, but no definition was found.",
				schema->attributes[i].name);
}

typedef const char *name_at(const struct hcl_body_schema *schema, size_t i);

static const char *attribute_name_at(const struct hcl_body_schema *schema, size_t i)
{
	return schema->attributes[i].name;
}

static const char *block_name_at(const struct hcl_body_schema *schema, size_t i)
{
	return schema->blocks[i].type;
}

static const char *suggest(
	const struct hcl_body_schema *schema, name_at *at, size_t count, const char *name)
{
	const char *near = NULL;
	const char *pair[2];

	/* One against the best so far, so that no list need be made. */
	for (size_t i = 0; i < count; i++) {
		pair[0] = near ? near : at(schema, i);
		pair[1] = at(schema, i);
		near = zp_str_suggest(zp_str(name), pair, 2);
	}
	return near;
}

static void report_attribute(struct hcl_content_builder *b, const struct hcl_body_schema *schema,
	const struct hcl_attribute *a)
{
	zp_autobuf hint = ZP_BUF_INIT;
	const char *near = suggest(schema, attribute_name_at, schema->attribute_count, a->name);

	if (near)
		zp_buf_printf(&hint, " Did you mean \"%s\"?", near);
	else if (hcl_schema_block(schema, zp_str(a->name)))
		zp_buf_printf(&hint, " Did you mean to define a block of type \"%s\"?", a->name);
	hcl_body_error(b, hcl_attribute_name_range(a), "Unsupported argument",
		"An argument named \"%s\" is not expected here.%s", a->name,
		hint.len ? hint.ptr : "");
}

static void report_block(struct hcl_content_builder *b, const struct hcl_body_schema *schema,
	const struct hcl_block *block)
{
	zp_autobuf hint = ZP_BUF_INIT;
	const char *near = suggest(schema, block_name_at, schema->block_count, block->type);

	if (near)
		zp_buf_printf(&hint, " Did you mean \"%s\"?", near);
	else if (hcl_schema_attribute(schema, zp_str(block->type)))
		zp_buf_printf(&hint,
			" Did you mean to define argument \"%s\"? If so, use the equals sign to "
			"assign it a value.",
			block->type);
	hcl_body_error(b, block->type_range, "Unsupported block type",
		"Blocks of type \"%s\" are not expected here.%s", block->type,
		hint.len ? hint.ptr : "");
}

static bool check_labels(struct hcl_content_builder *b, const struct hcl_block_schema *schema,
	const struct hcl_block *block)
{
	zp_autobuf names = ZP_BUF_INIT, summary = ZP_BUF_INIT;
	size_t count = 0;

	for (; schema->label_names && schema->label_names[count]; count++)
		zp_buf_printf(&names, "%s%s", count ? ", " : "", schema->label_names[count]);
	if (block->label_count == count)
		return true;
	if (block->label_count < count) {
		zp_buf_printf(&summary, "Missing %s for %s",
			schema->label_names[block->label_count], block->type);
		hcl_body_error(b, block->open_range, summary.ptr,
			"All %s blocks must have %zu labels (%s).", block->type, count, names.ptr);
		return false;
	}
	zp_buf_printf(&summary, "Extraneous label for %s", block->type);
	if (count == 0)
		hcl_body_error(b, block->label_ranges[0], summary.ptr,
			"No labels are expected for %s blocks.", block->type);
	else
		hcl_body_error(b, block->label_ranges[count], summary.ptr,
			"Only %zu labels (%s) are expected for %s blocks.", count, names.ptr,
			block->type);
	return false;
}

/* What the schema does not name, as a body of its own. */
static struct hcl_body *new_rest(struct hcl_content_builder *b, const struct hcl_body *body)
{
	struct hcl_body *rest = zp_new(b->arena, struct hcl_body);

	*rest = *body;
	rest->attribute_count = rest->block_count = 0;
	rest->attributes = zp_new_array(b->arena, struct hcl_attribute *, body->attribute_count);
	rest->blocks = zp_new_array(b->arena, struct hcl_block *, body->block_count);
	return rest;
}

static void native_content(struct hcl_content_builder *b, const struct hcl_body *body,
	const struct hcl_body_schema *schema, struct hcl_body **rest)
{
	report_missing(b, body, schema);
	if (rest)
		*rest = new_rest(b, body);
	for (size_t i = 0; i < body->attribute_count; i++) {
		struct hcl_attribute *a = body->attributes[i];
		if (hcl_schema_attribute(schema, zp_str(a->name)))
			zp_vec_push(&b->attributes, a);
		else if (rest)
			(*rest)->attributes[(*rest)->attribute_count++] = a;
		else
			report_attribute(b, schema, a);
	}
	for (size_t i = 0; i < body->block_count; i++) {
		struct hcl_block *block = body->blocks[i];
		const struct hcl_block_schema *kind = hcl_schema_block(schema, zp_str(block->type));
		if (!kind && rest)
			(*rest)->blocks[(*rest)->block_count++] = block;
		else if (!kind)
			report_block(b, schema, block);
		else if (check_labels(b, kind, block))
			zp_vec_push(&b->blocks, block);
	}
}

static void finish(struct hcl_content_builder *b, struct hcl_content *content)
{
	content->attribute_count = b->attributes.count;
	content->attributes = zp_vec_to_arena(&b->attributes, b->arena);
	content->block_count = b->blocks.count;
	content->blocks = zp_vec_to_arena(&b->blocks, b->arena);
	zp_vec_release(&b->attributes);
	zp_vec_release(&b->blocks);
}

bool hcl_body_content(const struct hcl_body *body, const struct hcl_body_schema *schema,
	struct zp_arena *arena, struct hcl_content *content, struct hcl_body **rest,
	struct zp_diags *diags)
{
	struct hcl_content_builder b = { .arena = arena, .diags = diags };

	if (body->json)
		hcl_json_content(&b, body, schema, rest);
	else
		native_content(&b, body, schema, rest);
	finish(&b, content);
	return b.errors == 0;
}

bool hcl_body_attributes(const struct hcl_body *body, struct zp_arena *arena,
	struct hcl_content *content, struct zp_diags *diags)
{
	struct hcl_content_builder b = { .arena = arena, .diags = diags };

	if (body->json) {
		hcl_json_attributes(&b, body);
	} else {
		for (size_t i = 0; i < body->attribute_count; i++)
			zp_vec_push(&b.attributes, body->attributes[i]);
		for (size_t i = 0; i < body->block_count; i++) {
			zp_autobuf summary = ZP_BUF_INIT;
			zp_buf_printf(&summary, "Unexpected \"%s\" block", body->blocks[i]->type);
			hcl_body_error(&b, body->blocks[i]->type_range, summary.ptr,
				"Blocks are not allowed here.");
		}
	}
	finish(&b, content);
	return b.errors == 0;
}

struct hcl_attribute *hcl_content_attribute(const struct hcl_content *content, const char *name)
{
	for (size_t i = 0; i < content->attribute_count; i++)
		if (strcmp(content->attributes[i]->name, name) == 0)
			return content->attributes[i];
	return NULL;
}

static void quote_label(struct zp_buf *out, struct zp_str label)
{
	zp_buf_puts(out, " \"");
	for (size_t i = 0; i < label.len; i++) {
		char c = label.ptr[i];
		if (c == '"' || c == '\\')
			zp_buf_char(out, '\\');
		if (c == '\n')
			zp_buf_puts(out, "\\n");
		else
			zp_buf_char(out, c);
	}
	zp_buf_char(out, '"');
}

bool hcl_body_context(const struct hcl_body *body, struct zp_range place, struct zp_buf *out)
{
	if (body->json)
		return hcl_json_context(body->json, place.start, out);
	/* The last block that begins before the place; one without an end lasts to the end of the
	 * file. */
	size_t low = 0, high = body->block_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (body->blocks[middle]->range.start < place.start)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return false;
	const struct hcl_block *block = body->blocks[low - 1];
	bool closed = block->close_range.start < block->close_range.end;
	if (closed && place.start > block->range.end)
		return false;
	zp_buf_puts(out, block->type);
	for (size_t i = 0; i < block->label_count; i++)
		quote_label(out, block->labels[i]);
	return true;
}

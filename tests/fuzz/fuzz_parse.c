/*
 * Parses whatever it is given: the first byte chooses native body, expression, template or traversal.
 * Beyond not crashing, ranges must lie in the source and references
 * must be found without fault. Built by `make fuzz` with clang's libFuzzer; the corpus is in
 * corpus/parse.
 */
#include <stdint.h>

#include "hcl-lite/syntax.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_range(struct zp_range range)
{
	if (range.file && (range.start > range.end || range.end > range.file->text.len))
		__builtin_trap();
}

static void check_reference(void *data, const struct hcl_expr *traversal)
{
	(void)data;
	check_range(traversal->range);
	for (size_t i = 0; i < traversal->traversal.count; i++)
		check_range(traversal->traversal.steps[i].range);
}

static void check_expr(const struct hcl_expr *expr)
{
	if (!expr)
		return;
	check_range(expr->range);
	hcl_expr_references(expr, check_reference, NULL);
}

static void check_body(const struct hcl_body *body)
{
	check_range(body->range);
	check_range(body->end_range);
	for (size_t i = 0; i < body->attribute_count; i++) {
		check_range(body->attributes[i]->range);
		check_expr(body->attributes[i]->expr);
	}
	for (size_t i = 0; i < body->block_count; i++) {
		check_range(body->blocks[i]->range);
		check_range(body->blocks[i]->header_range);
		check_body(body->blocks[i]->body);
	}
}

/* Reads it as the planner would, attributes and blocks alike. */
static void check_content(
	const struct hcl_body *body, struct zp_arena *arena, struct zp_diags *diags)
{
	static const char *const labels[] = { "type", "name", NULL };
	static const struct hcl_attribute_schema attributes[] = { { "a", true }, { "b", false } };
	static const struct hcl_block_schema blocks[] = { { "resource", labels }, { "x", NULL } };
	static const struct hcl_body_schema schema = { attributes, 2, blocks, 2 };
	struct hcl_content content;
	struct hcl_body *rest;

	hcl_body_content(body, &schema, arena, &content, &rest, diags);
	for (size_t i = 0; i < content.attribute_count; i++)
		check_expr(content.attributes[i]->expr);
	hcl_body_attributes(rest, arena, &content, diags);
	for (size_t i = 0; i < content.attribute_count; i++)
		check_expr(hcl_expr_static(content.attributes[i]->expr, arena));
}

static void parse(const struct zp_source *source, uint8_t kind, struct zp_arena *arena,
	struct zp_diags *diags)
{
	struct hcl_body *body;

	switch (kind % 4) {
	case 0:
		body = hcl_parse_native(source, arena, diags);
		check_body(body);
		check_content(body, arena, diags);
		break;
	case 1:
		check_expr(hcl_parse_expression(source, arena, diags));
		break;
	case 2:
		check_expr(hcl_parse_template(source, arena, diags));
		break;
	default:
		check_expr(hcl_parse_traversal(source, arena, diags));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct zp_arena arena;
	struct zp_diags diags;

	if (!size)
		return 0;
	zp_arena_init(&arena);
	zp_diags_init(&diags);
	struct zp_source *source =
		zp_source_new("fuzz.tf", zp_strn((const char *)data + 1, size - 1));
	parse(source, data[0], &arena, &diags);
	for (size_t i = 0; i < diags.count; i++)
		check_range(diags.items[i]->subject);
	zp_source_free(source);
	zp_diags_release(&diags);
	zp_arena_release(&arena);
	return 0;
}

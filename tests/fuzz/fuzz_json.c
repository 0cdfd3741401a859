/*
 * JSON syntax: a document read as a body, through schemas and as attributes, its expressions evaluated.
 * Beyond not crashing, ranges lie in the source. The corpus is in corpus/json.
 */
#include <stdint.h>

#include "hcl-lite/eval.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_range(struct zp_range range)
{
	if (range.file && (range.start > range.end || range.end > range.file->text.len))
		__builtin_trap();
}

static bool resolve(const struct hcl_scope *scope, struct hcl_evaluation *ev,
	const struct hcl_reference *ref, struct hcl_value *value, size_t *consumed)
{
	(void)scope;
	(void)ev;
	(void)ref;
	*consumed = 0;
	*value = hcl_unknown(hcl_dynamic);
	return true;
}

static void evaluate_all(const struct hcl_content *content, struct zp_arena *arena,
	struct zp_diags *diags)
{
	struct hcl_scope scope = { resolve, NULL };
	struct hcl_functions functions = { .base_dir = "/nonexistent" };
	struct hcl_evaluation ev = { .arena = arena, .diags = diags, .scope = &scope,
		.functions = &functions };

	for (size_t i = 0; i < content->attribute_count; i++) {
		check_range(content->attributes[i]->range);
		check_range(content->attributes[i]->expr->range);
		hcl_evaluate(&ev, content->attributes[i]->expr);
		hcl_expr_static(content->attributes[i]->expr, arena);
	}
}

static void read_body(const struct hcl_body *body, struct zp_arena *arena, struct zp_diags *diags,
	int depth)
{
	static const char *const labels[] = { "type", "name", NULL };
	static const struct hcl_attribute_schema attributes[] = { { "a", true }, { "b", false } };
	static const struct hcl_block_schema blocks[] = { { "resource", labels }, { "x", NULL } };
	static const struct hcl_body_schema schema = { attributes, 2, blocks, 2 };
	struct hcl_content content;
	struct hcl_body *rest = NULL;

	check_range(body->range);
	hcl_body_content(body, &schema, arena, &content, &rest, diags);
	evaluate_all(&content, arena, diags);
	for (size_t i = 0; i < content.block_count && depth < 20; i++)
		read_body(content.blocks[i]->body, arena, diags, depth + 1);
	hcl_body_attributes(rest, arena, &content, diags);
	evaluate_all(&content, arena, diags);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct zp_arena arena;
	struct zp_diags diags;

	zp_arena_init(&arena);
	zp_diags_init(&diags);
	struct zp_source *source =
		zp_source_new("fuzz.tf.json", zp_strn((const char *)data, size));
	read_body(hcl_parse_json(source, &arena, &diags), &arena, &diags, 0);
	for (size_t i = 0; i < diags.count; i++)
		check_range(diags.items[i]->subject);
	zp_source_free(source);
	zp_diags_release(&diags);
	zp_arena_release(&arena);
	return 0;
}

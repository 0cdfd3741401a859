/*
 * Formatting: what was free of syntax errors stays so, means the same, and is left as it is the second
 * time. The corpus is in corpus/fmt.
 */
#include <stdint.h>
#include <stdlib.h>

#include "hcl-lite/format.h"
#include "hcl-lite/syntax.h"
#include "tests/hcl-lite/syntax_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Types of variables are rewritten from their old form on purpose. */
static void drop_types(struct hcl_body *body)
{
	for (size_t i = 0; i < body->block_count; i++) {
		struct hcl_body *inner = body->blocks[i]->body;
		for (size_t k = 0; k < inner->attribute_count; k++)
			if (strcmp(body->blocks[i]->type, "variable") == 0 &&
				strcmp(inner->attributes[k]->name, "type") == 0)
				inner->attributes[k]->expr->kind = HCL_EXPR_ERROR;
	}
}

static void meaning(const struct zp_source *source, struct zp_buf *out)
{
	struct zp_arena arena;
	struct zp_diags diags;

	zp_arena_init(&arena);
	zp_diags_init(&diags);
	struct hcl_body *body = hcl_parse_native(source, &arena, &diags);
	if (diags.errors)
		zp_buf_puts(out, "error");
	drop_types(body);
	body_text(out, body);
	zp_diags_release(&diags);
	zp_arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	zp_autobuf once = ZP_BUF_INIT, twice = ZP_BUF_INIT, before = ZP_BUF_INIT, after = ZP_BUF_INIT;
	struct zp_diags diags;

	syntax_text_plain = true;
	zp_diags_init(&diags);
	struct zp_source *source = zp_source_new("fuzz.tf", zp_strn((const char *)data, size));
	if (hcl_format(source, &once, &diags)) {
		struct zp_source *formatted = zp_source_new("once.tf", zp_buf_slice(&once));
		if (!hcl_format(formatted, &twice, &diags) ||
			!zp_str_equal(zp_buf_slice(&once), zp_buf_slice(&twice)))
			abort();
		meaning(source, &before);
		meaning(formatted, &after);
		if (!zp_str_equal(zp_buf_slice(&before), zp_buf_slice(&after)))
			abort();
		zp_diags_truncate(&diags, 0);
		zp_source_free(formatted);
	}
	zp_source_free(source);
	zp_diags_release(&diags);
	return 0;
}

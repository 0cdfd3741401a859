/*
 * Evaluates whatever it is given as an expression of constants, or as a type constraint. Beyond not
 * crashing, the result must have its text and JSON, and be read back from the latter. Built by
 * `make fuzz` with clang's libFuzzer; the corpus is in corpus/eval.
 */
#include <stdint.h>

#include "hcl-lite/codec.h"
#include "hcl-lite/eval.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Files are not what is tested here, nor how long a password takes to hash. */
static bool is_excluded(struct zp_str text)
{
	static const char *const words[] = { "file", "bcrypt" };

	for (size_t i = 0; i < ZP_ARRAY_SIZE(words); i++)
		if (memmem(text.ptr, text.len, words[i], strlen(words[i])))
			return true;
	return false;
}

static void check_round_trip(struct zp_arena *arena, struct hcl_value v)
{
	struct zp_json_writer writer;
	struct zp_json json;
	struct hcl_value back;
	zp_autobuf text = ZP_BUF_INIT;

	zp_json_writer_init(&writer, &text, false);
	hcl_value_to_json(&writer, v, v.type);
	zp_json_init(&json, zp_buf_slice(&text));
	/* Infinity has no JSON; unknown types are not kept. */
	bool odd = v.type->has_dynamic || memmem(text.ptr, text.len, "Inf", 3);
	if (!hcl_value_from_json(&json, arena, v.type, &back) && !odd)
		__builtin_trap();
	zp_json_release(&json);
}

static void check_value(struct zp_arena *arena, struct hcl_value v)
{
	zp_autobuf text = ZP_BUF_INIT, type = ZP_BUF_INIT;
	struct zp_arena other;

	hcl_value_to_text(&text, v, 0);
	hcl_type_to_json(v.type, &type);
	if (hcl_type_from_json(zp_buf_slice(&type)) != v.type)
		__builtin_trap();
	zp_arena_init(&other);
	struct hcl_value copy = hcl_value_copy(&other, v);
	if (!hcl_value_identical(copy, v) || hcl_value_hash(copy) != hcl_value_hash(v))
		__builtin_trap();
	zp_arena_release(&other);
	v = hcl_unmark_deep(arena, v, HCL_ALL_MARKS);
	if (hcl_has_marks_inside(v))
		__builtin_trap();
	if (hcl_is_wholly_known(v))
		check_round_trip(arena, v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct hcl_functions functions = { .base_dir = "/nonexistent",
		.console = true };
	struct zp_arena arena;
	struct zp_diags diags;
	struct hcl_constraint constraint;

	if (size < 1 || size > 4096 || is_excluded(zp_strn((const char *)data, size)))
		return 0;
	struct zp_source *source = zp_source_new("fuzz", zp_strn((const char *)data, size));
	zp_arena_init(&arena);
	zp_diags_init(&diags);
	struct hcl_expr *expr = hcl_parse_expression(source, &arena, &diags);
	if (diags.errors == 0) {
		struct hcl_evaluation ev = {
			.arena = &arena, .diags = &diags, .functions = &functions
		};
		check_value(&arena, hcl_evaluate(&ev, expr));
		if (hcl_type_expression(expr, &arena, true, &constraint, &diags))
			hcl_apply_defaults(
				&arena, constraint.defaults, hcl_unknown(constraint.type));
	}
	zp_diags_release(&diags);
	zp_arena_release(&arena);
	zp_source_free(source);
	return 0;
}

/* Whatever nests is bounded: what goes too deep is one clear error, for the parser and for the formatter, and
 * what is as deep as allowed can be evaluated, formatted and walked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/threads.h"
#include "hcl-lite/hcl.h"

#define DEEP 400
#define TEMPLATES_DEEP 200 /* a sequence in quotes is two levels */
#define TOO_DEEP 100000

#define NESTED "Configuration too deeply nested"
#define LONG "Expression too long"

/* before, DEEP times; middle; after, as many times. */
struct row {
	const char *before, *middle, *after;
	int allowed;
	const char *summary; /* when it is too much */
};

static const struct row rows[] = {
	{ "(", "1", ")", DEEP, NESTED },
	{ "[", "1", "]", DEEP, NESTED },
	{ "{a=", "1", "}", DEEP, NESTED },
	{ "{\na:", "1", "\n}", DEEP, NESTED },
	{ "f(", "1", ")", DEEP, NESTED },
	{ "abs(", "1", ")", DEEP, NESTED },
	{ "[for x in [1]: ", "1", "]", DEEP, NESTED },
	{ "{for x in [1]: \"a\" => ", "1", "}", DEEP, NESTED },
	{ "-", "1", "", DEEP, NESTED },
	{ "!", "true", "", DEEP, NESTED },
	{ "!-", "1", "", DEEP / 2, NESTED },
	{ "true ? 1 : ", "1", "", DEEP, NESTED },
	{ "true ? ", "1", " : 1", DEEP, NESTED },
	{ "\"${", "1", "}\"", TEMPLATES_DEEP, NESTED },
	{ "\"%{ if ", "true", "}x%{ endif }\"", TEMPLATES_DEEP, NESTED },
	{ "<<E\n${", "1", "}\nE\n", TEMPLATES_DEEP, NESTED },
	{ "[1][", "0", "]", DEEP, NESTED },
	{ "1 + ", "1", "", DEEP, LONG },
	{ "1 + (", "1", ")", DEEP, NESTED },
	{ "", "{a=1}", ".a", DEEP, LONG },
	{ "", "[1]", "[0]", DEEP, LONG },
	{ "", "[1]", "[*]", DEEP, NESTED },
	{ "", "[1]", "[*].a", DEEP, NESTED },
};

static const struct row bodies[] = {
	{ "a {\n", "", "}\n", DEEP, NESTED },
	{ "a \"b\" {\n", "", "}\n", DEEP, NESTED },
	{ "a {\n", "b = [\n1 ]\n", "}\n", DEEP, NESTED },
};

static void build(struct zp_buf *out, const struct row *row, int times, bool close)
{
	for (int i = 0; i < times; i++)
		zp_buf_puts(out, row->before);
	zp_buf_puts(out, row->middle);
	for (int i = 0; close && i < times; i++)
		zp_buf_puts(out, row->after);
}

static void evaluate(const char *text, size_t want_errors, const char *summary)
{
	struct zp_source *source = zp_source_new("test", zp_str(text));
	struct hcl_functions functions = { .base_dir = "." };
	struct zp_arena arena;
	struct zp_diags diags;

	zp_arena_init(&arena);
	zp_diags_init(&diags);
	struct hcl_expr *expr = hcl_parse_expression(source, &arena, &diags);
	assert_int_equal(diags.errors, want_errors);
	if (want_errors)
		assert_string_equal(diags.items[0]->summary, summary);
	/* Errors of evaluation are fine, as is an end of its own depth. */
	struct hcl_evaluation ev = { .arena = &arena, .diags = &diags, .functions = &functions };
	hcl_evaluate(&ev, expr);
	assert_int_equal(ev.depth, 0);
	zp_diags_release(&diags);
	zp_arena_release(&arena);
	zp_source_free(source);
}

static void format(const char *text, size_t want_errors, const char *summary)
{
	struct zp_source *source = zp_source_new("test", zp_str(text));
	zp_autobuf out = ZP_BUF_INIT;
	struct zp_diags diags;

	zp_diags_init(&diags);
	assert_true(hcl_format(source, &out, &diags) == !want_errors);
	assert_int_equal(diags.errors, want_errors);
	if (want_errors)
		assert_string_equal(diags.items[0]->summary, summary);
	zp_diags_release(&diags);
	zp_source_free(source);
}

static void expressions(void *data)
{
	(void)data;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		for (int n = 0; n < 3; n++) {
			zp_autobuf text = ZP_BUF_INIT, body = ZP_BUF_INIT;
			build(&text, row, n ? TOO_DEEP : row->allowed, n < 2);
			zp_buf_printf(&body, "a = %s\n", text.ptr);
			/* What follows too many steps was never begun. */
			if (n == 2 && !*row->before)
				continue;
			evaluate(text.ptr, n > 0, row->summary);
			format(body.ptr, n > 0, row->summary);
		}
	}
}

static void test_expressions(void **state)
{
	(void)state;
	zp_call_with_deep_stack(expressions, NULL);
}

static void test_bodies(void **state)
{
	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(bodies); i++)
		for (int n = 0; n < 3; n++) {
			zp_autobuf text = ZP_BUF_INIT;
			build(&text, &bodies[i], n ? TOO_DEEP : bodies[i].allowed, n < 2);
			format(text.ptr, n > 0, bodies[i].summary);
		}
}

/* Closing what was never opened. */
static void test_closing(void **state)
{
	static const char *const closing[] = { ")", "]", "}", "\"", "}\"", "\nE\n" };

	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(closing); i++) {
		zp_autobuf text = ZP_BUF_INIT, out = ZP_BUF_INIT;
		struct zp_diags diags;
		zp_buf_puts(&text, "a = 1");
		for (int n = 0; n < TOO_DEEP; n++)
			zp_buf_puts(&text, closing[i]);
		struct zp_source *source = zp_source_new("test", zp_buf_slice(&text));
		zp_diags_init(&diags);
		assert_false(hcl_format(source, &out, &diags));
		assert_true(diags.errors > 0);
		zp_diags_release(&diags);
		zp_source_free(source);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expressions),
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_closing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

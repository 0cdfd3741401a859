#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "hcl-lite/codec.h"
#include "hcl-lite/convert.h"
#include "hcl-lite/eval.h"

static struct zp_arena arena;
static struct zp_diags diags;

static int setup(void **state)
{
	(void)state;
	zp_arena_init(&arena);
	zp_diags_init(&diags);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	zp_diags_release(&diags);
	zp_arena_release(&arena);
	return 0;
}

static struct hcl_expr *parse(const char *text, struct zp_source **source)
{
	*source = zp_source_new("test", zp_str(text));
	return hcl_parse_expression(*source, &arena, &diags);
}

static struct hcl_constraint constraint(const char *text)
{
	struct zp_source *source;
	struct hcl_constraint result;

	assert_true(hcl_type_expression(parse(text, &source), &arena, true, &result, &diags));
	zp_source_free(source);
	return result;
}

static struct hcl_value value(const char *text)
{
	struct zp_source *source;
	struct hcl_evaluation ev = { .arena = &arena, .diags = &diags };
	static const struct hcl_functions functions = { .base_dir = "." };

	ev.functions = &functions;
	struct hcl_value v = hcl_evaluate(&ev, parse(text, &source));
	zp_source_free(source);
	assert_int_equal(diags.errors, 0);
	return v;
}

static void assert_json(struct hcl_value v, const char *expected)
{
	zp_autobuf out = ZP_BUF_INIT;
	struct zp_json_writer writer;

	zp_json_writer_init(&writer, &out, false);
	hcl_value_to_json(&writer, v, NULL);
	assert_string_equal(out.ptr, expected);
}

static void conversions(void **state)
{
	static const struct {
		const char *from, *type, *json, *result_type; /* type NULL: as asked for */
	} rows[] = {
		{ "1", "string", "\"1\"", NULL },
		{ "\"1.5\"", "number", "1.5", NULL },
		{ "\"true\"", "bool", "true", NULL },
		{ "null", "string", "null", NULL },
		{ "[1, \"a\"]", "list(string)", "[\"1\",\"a\"]", NULL },
		{ "[1, 2]", "list(any)", "[1,2]", "list(number)" },
		{ "[1, \"a\"]", "list(any)", "[\"1\",\"a\"]", "list(string)" },
		{ "[]", "list(any)", "[]", "list(any)" },
		{ "[\"b\", \"a\", \"b\"]", "set(string)", "[\"a\",\"b\"]", NULL },
		{ "toset([2, 1])", "list(string)", "[\"1\",\"2\"]", NULL },
		{ "{ a = 1, b = \"x\" }", "map(string)", "{\"a\":\"1\",\"b\":\"x\"}", NULL },
		{ "{ a = 1, b = true }", "map(any)", "", NULL },
		{ "{ a = 1, b = \"x\" }", "map(any)", "{\"a\":\"1\",\"b\":\"x\"}", "map(string)" },
		{ "{ a = 1, extra = 2 }", "object({ a = string })", "{\"a\":\"1\"}", NULL },
		{ "{ a = 1 }", "object({ a = number, b = optional(string) })",
			"{\"a\":1,\"b\":null}", "object({a=number,b=string})" },
		{ "tomap({ a = \"1\" })", "object({ a = number })", "{\"a\":1}", NULL },
		{ "[1, \"2\"]", "tuple([string, number])", "[\"1\",2]", NULL },
		{ "{ a = [1] }", "object({ a = any })", "{\"a\":[1]}",
			"object({a=tuple([number])})" },
		{ "[{ a = 1 }, { a = \"x\" }]", "list(object({ a = any }))",
			"[{\"a\":\"1\"},{\"a\":\"x\"}]", "list(object({a=string}))" },
		{ "{ a = { b = 1 } }", "any", "{\"a\":{\"b\":1}}",
			"object({a=object({b=number})})" },
	};

	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		struct hcl_value v;
		zp_autobuf type = ZP_BUF_INIT, expected = ZP_BUF_INIT;
		const struct hcl_type *wanted = constraint(rows[i].type).type;
		bool done = hcl_convert(&arena, value(rows[i].from), wanted, &v, NULL);
		assert_int_equal(done, *rows[i].json != '\0');
		if (!done)
			continue;
		assert_json(v, rows[i].json);
		hcl_type_constraint_text(v.type, &type);
		hcl_type_constraint_text(wanted, &expected);
		assert_string_equal(
			type.ptr, rows[i].result_type ? rows[i].result_type : expected.ptr);
	}
}

static void failures(void **state)
{
	static const struct {
		const char *from, *type, *error, *path;
	} rows[] = {
		{ "[]", "string", "string required", "" },
		{ "\"x\"", "number", "a number is required", "" },
		{ "\"True\"", "bool",
			"a bool is required; to convert from string, use lowercase \"true\"", "" },
		{ "\"x\"", "bool", "a bool is required", "" },
		{ "{}", "object({ a = string })", "attribute \"a\" is required", "" },
		{ "{}", "object({ b = string, a = string })",
			"attributes \"a\" and \"b\" are required", "" },
		{ "{}", "object({ c = string, b = string, a = string })",
			"attributes \"a\", \"b\", and \"c\" are required", "" },
		{ "{ a = [] }", "object({ a = string })", "attribute \"a\": string required", "" },
		{ "{ a = [{ b = \"x\" }] }", "object({ a = list(object({ b = number })) })",
			"a number is required", ".a[0].b" },
		{ "[{}]", "list(string)", "element 0: string required", "" },
		{ "{ k = {} }", "map(string)", "element \"k\": string required", "" },
		{ "{ k = \"q\" }", "map(bool)", "a bool is required", "[\"k\"]" },
		{ "tolist([[]])", "list(string)", "incorrect list element type: string required",
			"" },
		{ "[1, []]", "list(any)", "all list elements must have the same type", "" },
		{ "{ a = 1, b = [] }", "map(any)", "all map elements must have the same type", "" },
		{ "[1]", "map(any)", "map of any single type required", "" },
		{ "[1]", "tuple([])", "tuple required", "" },
		{ "tomap({ a = \"1\" })", "object({ b = number })",
			"map has no element for required attribute \"b\"", "" },
	};

	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		struct hcl_value v;
		zp_autobuf error = ZP_BUF_INIT, path = ZP_BUF_INIT;
		assert_false(hcl_convert_at(&arena, value(rows[i].from),
			constraint(rows[i].type).type, &v, &error, &path));
		assert_string_equal(error.ptr, rows[i].error);
		assert_string_equal(path.ptr ? path.ptr : "", rows[i].path);
	}
}

static void unknown_and_marks(void **state)
{
	struct hcl_value v;

	(void)state;
	assert_true(hcl_convert(&arena, hcl_unknown(hcl_number), hcl_string, &v, NULL));
	assert_true(hcl_is_unknown(v) && v.type == hcl_string);
	assert_true(
		hcl_convert(&arena, hcl_unknown(hcl_dynamic), hcl_list_type(hcl_string), &v, NULL));
	assert_ptr_equal(v.type, hcl_list_type(hcl_string));
	assert_true(hcl_convert(&arena, hcl_unknown(hcl_list_type(hcl_number)),
		hcl_set_type(hcl_dynamic), &v, NULL));
	assert_ptr_equal(v.type, hcl_set_type(hcl_number));
	assert_true(hcl_convert(
		&arena, hcl_mark(hcl_int_value(1), HCL_SENSITIVE), hcl_string, &v, NULL));
	assert_true(hcl_is_sensitive(v));
	assert_true(hcl_convert(
		&arena, value("[sensitive(\"a\"), \"b\"]"), hcl_set_type(hcl_string), &v, NULL));
	assert_true(hcl_is_sensitive(v));
	assert_int_equal(v.elements[0].inside, 0);
	assert_true(hcl_convert(
		&arena, value("[sensitive(1), 2]"), hcl_list_type(hcl_string), &v, NULL));
	assert_false(hcl_is_sensitive(v));
	assert_true(hcl_is_sensitive(v.elements[0]));
}

static void unification(void **state)
{
	static const struct {
		const char *types[4];
		const char *common, *safe; /* "": none */
	} rows[] = {
		{ { "string", "number" }, "string", "string" },
		{ { "bool", "number" }, "", "" },
		{ { "bool", "number", "string" }, "string", "string" },
		{ { "list(string)", "list(number)" }, "list(string)", "list(string)" },
		{ { "list(string)", "tuple([number])" }, "list(string)", "list(string)" },
		{ { "list(string)", "set(string)" }, "list(string)", "list(string)" },
		{ { "tuple([number])", "tuple([string])" }, "tuple([string])", "tuple([string])" },
		{ { "tuple([number])", "tuple([string, bool])" }, "list(string)", "list(string)" },
		{ { "tuple([])", "tuple([string])" }, "list(string)", "list(string)" },
		{ { "object({a=number})", "object({a=string})" }, "object({a=string})",
			"object({a=string})" },
		{ { "object({a=number})", "object({b=string})" }, "map(string)", "map(string)" },
		{ { "object({a=number})", "map(string)" }, "map(string)", "map(string)" },
		{ { "object({a=number})", "tuple([number])" }, "", "" },
		{ { "object({a=number})", "object({a=list(string)})" }, "", "" },
		{ { "string", "list(string)" }, "", "" },
		{ { "any", "string" }, "string", "any" },
		{ { "any", "list(string)" }, "any", "any" },
	};

	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		const struct hcl_type *types[4];
		size_t n = 0;
		for (; n < 4 && rows[i].types[n]; n++)
			types[n] = constraint(rows[i].types[n]).type;
		const struct hcl_type *results[] = { hcl_unify(types, n),
			hcl_unify_safe(types, n) };
		for (size_t j = 0; j < 2; j++) {
			zp_autobuf text = ZP_BUF_INIT;
			if (results[j])
				hcl_type_constraint_text(results[j], &text);
			assert_string_equal(
				text.ptr ? text.ptr : "", j ? rows[i].safe : rows[i].common);
		}
	}
}

static void defaults(void **state)
{
	static const struct {
		const char *type, *from, *json;
	} rows[] = {
		{ "object({ a = optional(string, \"x\"), b = optional(number) })", "{}",
			"{\"a\":\"x\",\"b\":null}" },
		{ "object({ a = optional(string, \"x\") })", "{ a = null }", "{\"a\":\"x\"}" },
		{ "object({ a = optional(string, \"x\") })", "{ a = \"y\" }", "{\"a\":\"y\"}" },
		{ "object({ a = optional(string, \"x\") })", "null", "null" },
		{ "list(object({ a = optional(number, 1) }))", "[{}, { a = 2 }]",
			"[{\"a\":1},{\"a\":2}]" },
		{ "map(object({ a = optional(number, 1) }))", "{ k = {}, l = { a = 5 } }",
			"{\"k\":{\"a\":1},\"l\":{\"a\":5}}" },
		{ "set(object({ a = optional(number, 1) }))", "[{}, { a = 1 }]", "[{\"a\":1}]" },
		{ "tuple([object({ a = optional(number, 1) }), string])", "[{}, \"s\"]",
			"[{\"a\":1},\"s\"]" },
		{ "object({ o = optional(object({ a = optional(string, \"x\") }), {}) })", "{}",
			"{\"o\":{\"a\":\"x\"}}" },
		{ "object({ o = optional(object({ a = optional(string, \"x\") })) })", "{}",
			"{\"o\":null}" },
		{ "object({ l = optional(list(object({ a = optional(string, \"x\") })), [{}]) })",
			"{}", "{\"l\":[{\"a\":\"x\"}]}" },
		{ "object({ n = optional(number, \"5\") })", "{}", "{\"n\":5}" },
	};

	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		struct hcl_constraint c = constraint(rows[i].type);
		struct hcl_value v = hcl_apply_defaults(&arena, c.defaults, value(rows[i].from));
		assert_true(hcl_convert(&arena, v, c.type, &v, NULL));
		assert_json(v, rows[i].json);
	}
}

static void type_errors(void **state)
{
	static const struct {
		const char *type, *detail;
	} rows[] = {
		{ "strin", "The keyword \"strin\" is not a valid type specification." },
		{ "list", "The list type constructor requires one argument specifying the element "
			  "type." },
		{ "list()", "The list type constructor requires one argument specifying the "
			    "element type." },
		{ "list(string, string)", "The list type constructor requires one argument "
					  "specifying the element type." },
		{ "string(x)", "Primitive type keyword \"string\" does not expect arguments." },
		{ "any()", "Type constraint keyword \"any\" does not expect arguments." },
		{ "object", "The object type constructor requires one argument specifying the "
			    "attribute "
			    "types and values as a map." },
		{ "object(string)",
			"Object type constructor requires a map whose keys are attribute names "
			"and whose values are the corresponding attribute types." },
		{ "object({ \"a b\" = string })",
			"Object constructor map keys must be attribute names." },
		{ "tuple({})", "Tuple type constructor requires a list of element types." },
		{ "optional(string)", "Keyword \"optional\" is valid only as a modifier for object "
				      "type attributes." },
		{ "vector(string)", "Keyword \"vector\" is not a valid type constructor." },
		{ "object({ a = optional() })", "Optional attribute modifier requires the "
						"attribute type as its argument." },
		{ "object({ a = optional(string, 1, 2) })",
			"Optional attribute modifier expects at most two arguments: the attribute "
			"type, and "
			"a default value." },
		{ "object({ a = optional(number, \"x\") })",
			"This default value is not compatible with the attribute's type "
			"constraint: a number "
			"is required." },
		{ "1 + 1", "A type specification is either a primitive type keyword (bool, number, "
			   "string) "
			   "or a complex type constructor call, like list(string)." },
	};

	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		struct hcl_constraint c;
		struct zp_source *source;
		struct hcl_expr *expr = parse(rows[i].type, &source);
		assert_false(hcl_type_expression(expr, &arena, true, &c, &diags));
		assert_int_equal(diags.count, 1);
		assert_string_equal(diags.items[0]->detail, rows[i].detail);
		zp_diags_truncate(&diags, 0);
		zp_source_free(source);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(conversions, setup, teardown),
		cmocka_unit_test_setup_teardown(failures, setup, teardown),
		cmocka_unit_test_setup_teardown(unknown_and_marks, setup, teardown),
		cmocka_unit_test_setup_teardown(unification, setup, teardown),
		cmocka_unit_test_setup_teardown(defaults, setup, teardown),
		cmocka_unit_test_setup_teardown(type_errors, setup, teardown),
	};
	return cmocka_run_group_tests_name("hcl-lite conversion", tests, NULL, NULL);
}

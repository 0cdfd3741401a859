#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "hcl-lite/codec.h"
#include "hcl-lite/number.h"
#include "hcl-lite/value_internal.h"

static struct zp_arena arena;

static int setup(void **state)
{
	(void)state;
	zp_arena_init(&arena);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	zp_arena_release(&arena);
	return 0;
}

static struct hcl_value number(const char *text)
{
	struct hcl_value v;
	assert_true(hcl_parse_number(&arena, zp_str(text), &v));
	return v;
}

static void assert_number_text(struct hcl_value v, const char *expected)
{
	zp_autobuf text = ZP_BUF_INIT;
	hcl_number_text(v, &text);
	assert_string_equal(text.ptr, expected);
}

static void assert_text(struct hcl_value v, const char *expected)
{
	zp_autobuf text = ZP_BUF_INIT;
	hcl_value_to_text(&text, v, 0);
	assert_string_equal(text.ptr, expected);
}

static void types_are_consed(void **state)
{
	(void)state;
	struct hcl_attribute_type a[] = { { "b", hcl_string, false }, { "a", hcl_number, false } };
	struct hcl_attribute_type b[] = { { "a", hcl_number, false }, { "b", hcl_string, false } };
	const struct hcl_type *members[] = { hcl_string, hcl_bool };

	assert_ptr_equal(hcl_object_type(a, 2), hcl_object_type(b, 2));
	assert_string_equal(hcl_object_type(a, 2)->attributes[0].name, "a");
	assert_ptr_equal(hcl_list_type(hcl_string), hcl_list_type(hcl_string));
	assert_ptr_not_equal(hcl_list_type(hcl_string), hcl_set_type(hcl_string));
	assert_ptr_equal(hcl_tuple_type(members, 2), hcl_tuple_type(members, 2));
	assert_ptr_not_equal(hcl_tuple_type(members, 1), hcl_tuple_type(members, 2));
	b[0].optional = true;
	assert_ptr_not_equal(hcl_object_type(a, 2), hcl_object_type(b, 2));
	assert_ptr_equal(hcl_type_without_optional(hcl_list_type(hcl_object_type(b, 2))),
		hcl_list_type(hcl_object_type(a, 2)));
	assert_int_equal(hcl_type_attribute(hcl_object_type(a, 2), "b", 1), 1);
	assert_int_equal(hcl_type_attribute(hcl_object_type(a, 2), "bb", 2), -1);
	assert_int_equal(hcl_type_attribute(hcl_object_type(a, 2), "", 0), -1);
}

static void types_as_text(void **state)
{
	(void)state;
	static const struct {
		const char *json, *friendly, *constraint;
	} rows[] = {
		{ "\"string\"", "string", "string" },
		{ "\"dynamic\"", "dynamic", "any" },
		{ "[\"list\",[\"map\",\"number\"]]", "list of map of number", "list(map(number))" },
		{ "[\"tuple\",[]]", "tuple", "tuple([])" },
		{ "[\"tuple\",[\"bool\",[\"set\",\"string\"]]]", "tuple",
			"tuple([bool,set(string)])" },
		{ "[\"object\",{}]", "object", "object({})" },
		{ "[\"object\",{\"a\":\"string\",\"b\":\"bool\"},[\"b\"]]", "object",
			"object({a=string,b=optional(bool)})" },
	};
	static const char *const invalid[] = { "", "\"list\"", "\"x\"", "[\"list\"]",
		"[\"list\",\"string\",1]", "[\"object\",{\"a\":1}]", "[\"object\",{},[\"z\"]]",
		"[\"tuple\",{}]", "\"string\" x", "[\"list\",\"string\"" };

	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		zp_autobuf json = ZP_BUF_INIT, friendly = ZP_BUF_INIT, constraint = ZP_BUF_INIT;
		const struct hcl_type *type = hcl_type_from_json(zp_str(rows[i].json));
		assert_non_null(type);
		hcl_type_to_json(type, &json);
		hcl_type_friendly(type, &friendly);
		hcl_type_constraint_text(type, &constraint);
		assert_string_equal(json.ptr, rows[i].json);
		assert_string_equal(friendly.ptr, rows[i].friendly);
		assert_string_equal(constraint.ptr, rows[i].constraint);
	}
	for (size_t i = 0; i < ZP_ARRAY_SIZE(invalid); i++)
		assert_null(hcl_type_from_json(zp_str(invalid[i])));
}

static void numbers_as_text(void **state)
{
	(void)state;
	static const struct {
		const char *from, *text;
	} rows[] = {
		{ "7", "7" },
		{ "1.50", "1.5" },
		{ "1E3", "1000" },
		{ "-5", "-5" },
		{ "-0", "-0" },
		{ "+5", "5" },
		{ ".5", "0.5" },
		{ "5.", "5" },
		{ "1p5", "32" },
		{ "0.1", "0.1" },
		{ "9223372036854775807", "9223372036854775807" },
		{ "9223372036854775808", "9223372036854775808" },
		{ "-9223372036854775808", "-9223372036854775808" },
		{ "12345678901234567890", "12345678901234567890" },
		{ "123456789012345678901234567890.123456789012345678901234567890",
			"123456789012345678901234567890.12345678901234567890123456789" },
		{ "0.0000001", "0.0000001" },
		{ "Inf", "+Inf" },
		{ "-inf", "-Inf" },
	};
	static const char *const invalid[] = { "", "-", ".", "x", "1x", " 1", "1 ", "0x10", "1_0",
		"1e", "1e+", "NaN", "--1", "1e999999999999999999999", "1e300000" };

	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++)
		assert_number_text(number(rows[i].from), rows[i].text);
	for (size_t i = 0; i < ZP_ARRAY_SIZE(invalid); i++) {
		struct hcl_value v;
		assert_false(hcl_parse_number(&arena, zp_str(invalid[i]), &v));
	}
}

/* A number prints with the digits its origin's precision gives it. */
static void numbers_have_a_precision(void **state)
{
	(void)state;
	struct hcl_value third;

	assert_true(hcl_number_divide(&arena, hcl_int_value(1), hcl_int_value(3), &third));
	assert_number_text(third, "0.33333333333333333334");
	assert_true(hcl_number_divide(
		&arena, hcl_double_value(&arena, 1), hcl_double_value(&arena, 3), &third));
	assert_number_text(third, "0.3333333333333333");
	assert_true(hcl_number_divide(&arena, number("1"), hcl_int_value(3), &third));
	assert_number_text(third, "0."
				  "3333333333333333333333333333333333333333333333333333333333333333"
				  "3333333333333333333333333333333333333333333333333333333333333333"
				  "333333333333333333333333335");
	assert_number_text(hcl_double_value(&arena, 4052555153018976267.0), "4052555153018976000");
	assert_number_text(
		hcl_double_value(&arena, 12157665459056928801.0), "12157665459056929000");
	assert_int_equal(hcl_number_compare(hcl_double_value(&arena, 4052555153018976256.0),
				 number("4052555153018976256")),
		0);
}

static void arithmetic(void **state)
{
	(void)state;
	struct hcl_value v;
	typedef bool (*operation)(
		struct zp_arena *, struct hcl_value, struct hcl_value, struct hcl_value *);
	static const struct {
		operation op;
		const char *a, *b, *result;
	} rows[] = {
		{ hcl_number_add, "9223372036854775807", "1", "9223372036854775808" },
		{ hcl_number_subtract, "9223372036854775808", "1", "9223372036854775807" },
		{ hcl_number_add, "0.1", "0.2", "0.3" },
		{ hcl_number_multiply, "0", "-1", "-0" },
		{ hcl_number_multiply, "4294967296", "4294967296", "18446744073709551616" },
		{ hcl_number_divide, "1", "0", "+Inf" },
		{ hcl_number_divide, "-1", "0", "-Inf" },
		{ hcl_number_divide, "0", "0", NULL },
		{ hcl_number_divide, "10", "4", "2.5" },
		{ hcl_number_divide, "-9223372036854775808", "-1", "9223372036854775808" },
		{ hcl_number_modulo, "7", "3", "1" },
		{ hcl_number_modulo, "-7", "3", "-1" },
		{ hcl_number_modulo, "1", "0", "1" },
		{ hcl_number_modulo, "-9223372036854775808", "-1", "0" },
		{ hcl_number_subtract, "Inf", "Inf", NULL },
	};

	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		bool valid = rows[i].op(&arena, number(rows[i].a), number(rows[i].b), &v);
		assert_int_equal(valid, rows[i].result != NULL);
		if (valid)
			assert_number_text(v, rows[i].result);
	}
	assert_number_text(hcl_number_negate(&arena, hcl_int_value(0)), "-0");
	assert_number_text(
		hcl_number_negate(&arena, number("-9223372036854775808")), "9223372036854775808");
	assert_number_text(hcl_number_round_up(&arena, number("0.000001")), "1");
	assert_number_text(hcl_number_round_down(&arena, number("-0.5")), "-1");
	assert_number_text(hcl_number_round_up(&arena, number("-0.5")), "0");
}

static void strings_are_normal(void **state)
{
	(void)state;
	struct hcl_value v = hcl_string_cstr(&arena, "cafe\xcc\x81");

	assert_string_equal(v.text, "caf\xc3\xa9");
	assert_int_equal(v.count, 5);
	v = hcl_string_value(&arena, zp_strn("a\0b", 3));
	assert_int_equal(v.count, 3);
	v = hcl_string_cstr(&arena, "a\xff");
	assert_string_equal(v.text, "a\xef\xbf\xbd");
}

static struct hcl_value strings(const char *a, const char *b, const char *c, bool set)
{
	struct hcl_value *elements = zp_new_array(&arena, struct hcl_value, 3);
	elements[0] = hcl_string_cstr(&arena, a);
	elements[1] = hcl_string_cstr(&arena, b);
	elements[2] = hcl_string_cstr(&arena, c);
	return set ? hcl_set_value(hcl_string, elements, 3)
		   : hcl_list_value(hcl_string, elements, 3);
}

static void sets_are_ordered(void **state)
{
	(void)state;
	struct hcl_value elements[4] = { hcl_int_value(10), hcl_null(hcl_number), hcl_int_value(2),
		hcl_unknown(hcl_number) };

	assert_text(strings("b", "a", "b", true), "toset([\n  \"a\",\n  \"b\",\n])");
	assert_text(hcl_set_value(hcl_number, elements, 4),
		"toset([\n  2,\n  10,\n  (known after apply),\n  tonumber(null),\n])");
	struct hcl_value marked[2] = { hcl_mark(hcl_int_value(1), HCL_SENSITIVE),
		hcl_int_value(1) };
	struct hcl_value set = hcl_set_value(hcl_number, marked, 2);
	assert_int_equal(set.count, 1);
	assert_true(hcl_is_sensitive(set));
	assert_int_equal(set.elements[0].marks, 0);
	struct hcl_value unknown[2] = { hcl_unknown(hcl_number), hcl_unknown(hcl_number) };
	assert_int_equal(hcl_set_value(hcl_number, unknown, 2).count, 2);
}

static void maps_are_sorted(void **state)
{
	(void)state;
	struct hcl_map_entry entries[] = { { ZP_STR("b"), hcl_int_value(1) },
		{ ZP_STR("a"), hcl_int_value(2) }, { ZP_STR("b"), hcl_int_value(3) } };
	struct hcl_value map = hcl_map_value(hcl_number, entries, 3), v;

	assert_int_equal(map.count, 2);
	assert_true(hcl_map_lookup(map, ZP_STR("b"), &v));
	assert_number_text(v, "3");
	assert_false(hcl_map_lookup(map, ZP_STR("c"), &v));
}

static void objects_are_built(void **state)
{
	(void)state;
	const char *names[] = { "z", "a", "z" };
	struct hcl_value values[] = { hcl_int_value(1), hcl_bool_value(true), hcl_int_value(2) }, v;
	struct hcl_value object = hcl_object_build(&arena, names, values, 3);

	assert_text(object, "{\n  \"a\" = true\n  \"z\" = 2\n}");
	assert_true(hcl_value_attribute(object, "z", &v));
	assert_number_text(v, "2");
	assert_false(hcl_value_attribute(object, "y", &v));
	assert_text(hcl_object_build(&arena, NULL, NULL, 0), "{}");
}

static void marks_travel(void **state)
{
	(void)state;
	struct hcl_value list = strings("a", "b", "c", false);
	struct hcl_value *elements = zp_new_array(&arena, struct hcl_value, 2);
	elements[0] = hcl_mark(list, HCL_SENSITIVE);
	elements[1] = hcl_unknown(hcl_string);
	struct hcl_value tuple = hcl_tuple_value(elements, 2);

	assert_int_equal(tuple.marks, 0);
	assert_true(hcl_has_marks_inside(tuple));
	assert_false(hcl_is_wholly_known(tuple));
	struct hcl_value plain = hcl_unmark_deep(&arena, tuple, HCL_ALL_MARKS);
	assert_false(hcl_has_marks_inside(plain));
	assert_true(hcl_has_marks_inside(tuple));
	assert_false(hcl_is_wholly_known(plain));
	assert_false(hcl_value_identical(plain, tuple));
	unsigned marks;
	struct hcl_value outer = hcl_mark(tuple, HCL_EPHEMERAL);
	assert_true(hcl_value_identical(hcl_unmark(outer, &marks), tuple));
	assert_int_equal(marks, HCL_EPHEMERAL);
}

static void copies_are_identical(void **state)
{
	(void)state;
	struct zp_arena other;
	const char *names[] = { "list", "number", "unknown", "null", "map" };
	struct hcl_map_entry entries[] = { { ZP_STR("k"), number("1.5") } };
	struct hcl_refinement r = {
		.not_null = true, .prefix = ZP_STR("ami-"), .length_max = UINT32_MAX
	};
	struct hcl_value values[] = { strings("a", "b", "c", true), number("0.1"),
		hcl_unknown_refined(hcl_string, &r), hcl_null(hcl_string),
		hcl_map_value(hcl_number, entries, 1) };
	struct hcl_value v = hcl_mark(hcl_object_build(&arena, names, values, 5), HCL_SENSITIVE);

	zp_arena_init(&other);
	struct hcl_value copy = hcl_value_copy(&other, v);
	assert_true(hcl_value_identical(copy, v));
	assert_int_equal(hcl_value_hash(copy), hcl_value_hash(v));
	zp_arena_release(&other);
}

static void equality(void **state)
{
	(void)state;
	bool equal;

	assert_int_equal(hcl_value_equality(hcl_int_value(1), number("1.0"), &equal), HCL_KNOWN);
	assert_true(equal);
	assert_int_equal(
		hcl_value_equality(hcl_int_value(1), hcl_string_static("1"), &equal), HCL_KNOWN);
	assert_false(equal);
	assert_int_equal(hcl_value_equality(hcl_unknown(hcl_string), hcl_null(hcl_string), &equal),
		HCL_UNKNOWN);
	assert_int_equal(
		hcl_value_equality(hcl_unknown_not_null(hcl_string), hcl_null(hcl_string), &equal),
		HCL_KNOWN);
	assert_false(equal);
	assert_int_equal(
		hcl_value_equality(hcl_null(hcl_string), hcl_null(hcl_number), &equal), HCL_KNOWN);
	assert_true(equal);
}

static void layout(void **state)
{
	(void)state;
	static const struct {
		const char *text, *shown;
	} rows[] = {
		{ "a\nb\n", "<<EOT\na\nb\n\nEOT" },
		{ "EOT\nEOT", "<<EOT_\nEOT\nEOT\nEOT_" },
		{ "del \x7f", "\"del \\x7f\"" },
		{ "private \xee\x80\x80|", "\"private \\ue000|\"" },
		{ "q\"\\\t", "\"q\\\"\\\\\\t\"" },
		{ "", "\"\"" },
	};

	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++)
		assert_text(hcl_string_cstr(&arena, rows[i].text), rows[i].shown);
	assert_text(hcl_null(hcl_set_type(hcl_dynamic)), "toset(null) /* of dynamic */");
	assert_text(hcl_null(hcl_empty_object()), "null /* object */");
	assert_text(hcl_null(hcl_string), "tostring(null)");
	assert_text(hcl_mark(hcl_unknown(hcl_string), HCL_SENSITIVE), "(known after apply)");
	assert_text(hcl_mark(hcl_null(hcl_string), HCL_SENSITIVE), "(sensitive value)");
	zp_autobuf quoted = ZP_BUF_INIT;
	hcl_quote(&quoted, zp_str("a${b} %{c} $ \"\n\xc3\xa9\x01"));
	assert_string_equal(quoted.ptr, "\"a$${b} %%{c} $ \\\"\\n\xc3\xa9\\u0001\"");
}

static void json_round_trip(void **state)
{
	(void)state;
	static const struct {
		const char *type, *json, *back; /* back NULL: as json; "": an error */
	} rows[] = {
		{ "\"string\"", "\"a\"", NULL },
		{ "\"string\"", "5", "\"5\"" },
		{ "\"number\"", "1.50", "1.5" },
		{ "\"number\"", "\"5\"", "5" },
		{ "\"number\"", "\"x\"", "" },
		{ "\"bool\"", "\"true\"", "true" },
		{ "[\"list\",\"string\"]", "[\"a\",null]", NULL },
		{ "[\"list\",\"string\"]", "{}", "" },
		{ "[\"set\",\"string\"]", "[\"b\",\"a\"]", "[\"a\",\"b\"]" },
		{ "[\"map\",\"bool\"]", "{\"b\":true,\"a\":false}", "{\"a\":false,\"b\":true}" },
		{ "[\"tuple\",[\"string\",\"number\"]]", "[\"a\",1]", NULL },
		{ "[\"tuple\",[\"string\",\"number\"]]", "[\"a\"]", "" },
		{ "[\"tuple\",[\"string\"]]", "[\"a\",1]", "" },
		{ "[\"object\",{\"a\":\"string\",\"b\":\"number\"}]", "{\"b\":1}",
			"{\"a\":null,\"b\":1}" },
		{ "[\"object\",{\"a\":\"string\"}]", "{\"x\":1}", "" },
		{ "\"dynamic\"", "{\"value\":[1],\"type\":[\"list\",\"number\"]}", NULL },
		{ "\"dynamic\"", "{\"type\":\"string\",\"value\":\"x\"}",
			"{\"value\":\"x\",\"type\":\"string\"}" },
		{ "\"dynamic\"", "5", "" },
		{ "\"dynamic\"", "null", NULL },
		{ "[\"object\",{\"d\":\"dynamic\"}]",
			"{\"d\":{\"value\":{\"x\":1},\"type\":[\"object\",{\"x\":\"number\"}]}}",
			NULL },
	};

	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		zp_autobuf out = ZP_BUF_INIT;
		struct zp_json json;
		struct zp_json_writer writer;
		struct hcl_value v;
		const struct hcl_type *type = hcl_type_from_json(zp_str(rows[i].type));
		zp_json_init(&json, zp_str(rows[i].json));
		bool read = hcl_value_from_json(&json, &arena, type, &v);
		assert_int_equal(read, json.error == NULL);
		zp_json_release(&json);
		const char *expected = rows[i].back ? rows[i].back : rows[i].json;
		assert_int_equal(read, *expected != '\0');
		if (!read)
			continue;
		zp_json_writer_init(&writer, &out, false);
		hcl_value_to_json(&writer, v, type);
		assert_string_equal(out.ptr, expected);
	}
}

static void shadows(void **state)
{
	(void)state;
	const char *names[] = { "known", "list", "secret", "unknown" };
	struct hcl_value *elements = zp_new_array(&arena, struct hcl_value, 2);
	elements[0] = hcl_unknown(hcl_string);
	elements[1] = hcl_string_static("x");
	struct hcl_value values[] = { hcl_int_value(1), hcl_list_value(hcl_string, elements, 2),
		hcl_mark(hcl_int_value(2), HCL_SENSITIVE), hcl_unknown(hcl_bool) };
	struct hcl_value v = hcl_object_build(&arena, names, values, 4);
	zp_autobuf unknown = ZP_BUF_INIT, sensitive = ZP_BUF_INIT;
	struct zp_json_writer writer;

	zp_json_writer_init(&writer, &unknown, false);
	hcl_unknown_to_json(&writer, v);
	assert_string_equal(unknown.ptr, "{\"list\":[true,false],\"unknown\":true}");
	zp_json_writer_init(&writer, &sensitive, false);
	hcl_sensitive_to_json(&writer, v);
	assert_string_equal(sensitive.ptr, "{\"list\":[false,false],\"secret\":true}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(types_are_consed, setup, teardown),
		cmocka_unit_test_setup_teardown(types_as_text, setup, teardown),
		cmocka_unit_test_setup_teardown(numbers_as_text, setup, teardown),
		cmocka_unit_test_setup_teardown(numbers_have_a_precision, setup, teardown),
		cmocka_unit_test_setup_teardown(arithmetic, setup, teardown),
		cmocka_unit_test_setup_teardown(strings_are_normal, setup, teardown),
		cmocka_unit_test_setup_teardown(sets_are_ordered, setup, teardown),
		cmocka_unit_test_setup_teardown(maps_are_sorted, setup, teardown),
		cmocka_unit_test_setup_teardown(objects_are_built, setup, teardown),
		cmocka_unit_test_setup_teardown(marks_travel, setup, teardown),
		cmocka_unit_test_setup_teardown(copies_are_identical, setup, teardown),
		cmocka_unit_test_setup_teardown(equality, setup, teardown),
		cmocka_unit_test_setup_teardown(layout, setup, teardown),
		cmocka_unit_test_setup_teardown(json_round_trip, setup, teardown),
		cmocka_unit_test_setup_teardown(shadows, setup, teardown),
	};
	return cmocka_run_group_tests_name("hcl-lite values", tests, NULL, NULL);
}

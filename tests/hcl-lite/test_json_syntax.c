/* The JSON syntax: values with places, bodies through schemas, templates in strings, hostile input.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "tests/hcl-lite/syntax_text.h"

struct fixture {
	struct zp_arena arena;
	struct zp_diags diags;
	struct zp_source *source;
};

static int setup(void **state)
{
	struct fixture *f = zp_calloc(1, sizeof(*f));

	zp_arena_init(&f->arena);
	zp_diags_init(&f->diags);
	*state = f;
	return 0;
}

static void reset(struct fixture *f)
{
	zp_source_free(f->source);
	f->source = NULL;
	zp_arena_release(&f->arena);
	zp_diags_release(&f->diags);
	zp_diags_init(&f->diags);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	reset(f);
	zp_diags_release(&f->diags);
	free(f);
	return 0;
}

static struct hcl_body *parse(struct fixture *f, struct zp_str text)
{
	reset(f);
	f->source = zp_source_new("main.tf.json", text);
	return hcl_parse_file(f->source, &f->arena, &f->diags);
}

static void assert_text(const char *what, struct zp_buf *got, const char *want)
{
	if (strcmp(got->ptr ? got->ptr : "", want) != 0)
		print_error("for:  %s\n", what);
	assert_string_equal(got->ptr ? got->ptr : "", want);
}

struct pair {
	const char *text, *want;
};

static const struct pair values[] = {
	{ "{}", "{}" },
	{ "[]", "[]" },
	{ " { \"a\" : 1 } ", "{a: 1}" },
	{ "{\"a\":[1,-2.5,1e3,true,false,null,\"x\",{},[]]}",
		"{a: [1, -2.5, 1000, true, false, null, \"x\", {}, []]}" },
	{ "{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"}",
		"{a: \"\\\"\\\\/\\b\\f\\n\\r\\t\u00e9\"}" },
	{ "{\"a\":\"\\ud83d\\ude00\"}", "{a: \"\U0001F600\"}" },
	{ "{\"a\":\"\\ud83d\"}", "{a: \"\ufffd\"}" },
	{ "{\"a\":\"${b}\"}", "{a: (wrap b)}" },
	{ "{\"a\":\"x\\n${b}$${c}\"}", "{a: (text \"x\\n\" b \"${c}\")}" },
	{ "{\"a\":\"%{if b}c%{endif}\"}", "{a: (text (%if b \"c\" \"\"))}" },
	{ "{\"a\":\"${b[\\\"c\\\"]}\"}", "{a: (wrap b[\"c\"])}" },
	{ "[{\"a\":1},{\"b\":2}]", "[{a: 1}, {b: 2}]" },
};

static void test_values(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < ZP_ARRAY_SIZE(values); i++) {
		zp_autobuf got = ZP_BUF_INIT;
		json_text(&got, parse(f, zp_str(values[i].text))->json);
		assert_int_equal(f->diags.errors, 0);
		assert_text(values[i].text, &got, values[i].want);
	}
}

static const struct pair broken[] = {
	{ "", "1,1 Missing value" },
	{ "1", "1,1-2 Root value must be object" },
	{ "\"a\"", "1,1-4 Root value must be object" },
	{ "null", "1,1-5 Root value must be object" },
	{ "{", "1,2 Missing value" },
	{ "{\"a\"", "1,5 Missing property value colon" },
	{ "{\"a\":", "1,6 Missing value" },
	{ "{\"a\":1", "1,1-2 Unclosed object" },
	{ "{\"a\":[1", "1,6-7 Unclosed object" },
	{ "{\"a\":}", "1,6-7 Missing JSON value" },
	{ "{\"a\" 1}", "1,6-7 Missing property value colon" },
	{ "{\"a\"=1}", "1,5-6 Missing property value colon" },
	{ "{\"a\":1,}", "1,7-8 Trailing comma in object" },
	{ "{\"a\":[1,]}", "1,8-9 Trailing comma in array" },
	{ "{\"a\":1 \"b\":2}", "1,8-9 Missing attribute seperator comma" },
	{ "{\"a\":[1 2]}", "1,9-10 Missing attribute seperator comma" },
	{ "{\"a\":1]", "1,7-8 Mismatched braces" },
	{ "{\"a\":[1}", "1,8-9 Mismatched brackets" },
	{ "{a:1}", "1,2-3 Invalid object property name" },
	{ "{\"a\":tru}", "1,6-9 Invalid JSON keyword" },
	{ "{\"a\":01}", "1,6-8 Invalid JSON number" },
	{ "{\"a\":1.}", "1,6-8 Invalid JSON number" },
	{ "{\"a\":+1}", "1,6-8 Invalid JSON number" },
	{ "{\"a\":\"\\q\"}", "1,7-9 Invalid JSON string" },
	{ "{\"a\":\"\\u12\"}", "1,7-9 Invalid JSON string" },
	{ "{\"a\":\"b\n\"}", "1,8 Invalid JSON string" },
	{ "{\"a\":\"b", "1,8 Invalid JSON string" },
	{ "{\"a\":'b'}", "1,6-7 Invalid start of value" },
	{ "{} x", "1,4-5 Extraneous data after value" },
	{ "// c\n{}", "1,1-2 Invalid start of value" },
	/* Each of several is reported. */
	{ "{\"a\":tru,\"b\":01,\"c\":{\"d\":nul},\"e\":[1,+2]}",
		"1,6-9 Invalid JSON keyword\n1,14-16 Invalid JSON number\n"
		"1,26-29 Invalid JSON keyword\n1,38-40 Invalid JSON number" },
};

static void test_broken(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < ZP_ARRAY_SIZE(broken); i++) {
		zp_autobuf got = ZP_BUF_INIT;
		parse(f, zp_str(broken[i].text));
		diags_text(&got, &f->diags);
		assert_text(broken[i].text, &got, broken[i].want);
	}
	parse(f, ZP_STR("{\"locals\":{\"a\":tru}}"));
	assert_string_equal(f->diags.items[0]->detail,
		"\"tru\" is not a valid JSON keyword. Did you mean \"true\"?");
	assert_string_equal(f->diags.items[0]->snippet_context, "locals");
}

static void test_template_places(void **state)
{
	struct fixture *f = *state;
	struct hcl_body *body = parse(f, ZP_STR("{\"a\":\"\\n\\u00e9 ${b.c} ${1 2}\"}"));
	const struct hcl_json_text *text = &body->json->object.items[0].value->string;

	/* Kept with the string, not reported: it may be read as plain text. */
	assert_int_equal(f->diags.errors, 0);
	assert_int_equal(text->problem_count, 1);
	assert_string_equal(
		text->problems[0].summary, "Extra characters after interpolation expression");
	assert_true(zp_str_is(zp_range_text(text->problems[0].subject), "2"));

	body = parse(f, ZP_STR("{\"a\":\"\\n\\u00e9 ${b.c}\"}"));
	text = &body->json->object.items[0].value->string;
	assert_true(zp_str_is(zp_range_text(text->template->template.parts[1]->range), "b.c"));
}

static const char *const label_two[] = { "type", "name", NULL };
static const struct hcl_attribute_schema schema_attributes[] = {
	{ "source", true },
	{ "type", false },
};
static const struct hcl_block_schema schema_blocks[] = {
	{ "resource", label_two },
	{ "locals", NULL },
};
static const struct hcl_body_schema schema = { schema_attributes, 2, schema_blocks, 2 };

static void content_text(struct zp_buf *out, const struct hcl_content *content)
{
	for (size_t i = 0; i < content->attribute_count; i++) {
		zp_buf_printf(out, "%s = ", content->attributes[i]->name);
		expr_text(out, content->attributes[i]->expr);
		zp_buf_puts(out, "; ");
	}
	for (size_t i = 0; i < content->block_count; i++) {
		const struct hcl_block *block = content->blocks[i];
		zp_buf_puts(out, block->type);
		for (size_t k = 0; k < block->label_count; k++)
			zp_buf_printf(out, " %.*s", ZP_FMT(block->labels[k]));
		zp_buf_char(out, ' ');
		json_text(out, block->body->json);
		zp_buf_puts(out, "; ");
	}
}

static const struct {
	const char *text, *content, *diags;
} contents[] = {
	{ "{\"source\":1}", "source = 1; ", "" },
	{ "{\"//\":0,\"source\":1}", "source = 1; ", "" },
	{ "{}", "", "1,2-3 Missing required argument" },
	{ "[{\"source\":1},{\"type\":2}]", "source = 1; type = 2; ", "" },
	{ "[{\"source\":1},2]", "source = 1; ", "1,15-16 Incorrect JSON value type" },
	{ "{\"source\":1,\"source\":2}", "source = 1; ", "1,13-21 Duplicate attribute definition" },
	{ "{\"source\":1,\"typ\":2}", "source = 1; ", "1,13-18 Extraneous JSON object property" },
	{ "{\"source\":1,\"locals\":{\"a\":1}}", "source = 1; locals {a: 1}; ", "" },
	{ "{\"source\":1,\"locals\":[{},{\"a\":1}]}", "source = 1; locals {}; locals {a: 1}; ",
		"" },
	{ "{\"source\":1,\"locals\":null}", "source = 1; ", "" },
	{ "{\"source\":1,\"locals\":2}", "source = 1; ", "1,22-23 Incorrect JSON value type" },
	{ "{\"source\":1,\"locals\":[2]}", "source = 1; ", "1,23-24 Incorrect JSON value type" },
	{ "{\"source\":1,\"resource\":{\"a\":{\"b\":{},\"c\":[{},{}]}}}",
		"source = 1; resource a b {}; resource a c {}; resource a c {}; ", "" },
	{ "{\"source\":1,\"resource\":[{\"a\":{\"b\":{}}},{\"a\":[{\"c\":{}}]}]}",
		"source = 1; resource a b {}; resource a c {}; ", "" },
	{ "{\"source\":1,\"resource\":{\"a\":{}}}", "source = 1; ", "1,29-30 Missing block label" },
	{ "{\"source\":1,\"resource\":{\"a\":1}}", "source = 1; ",
		"1,29-30 Incorrect JSON value type" },
};

static void test_content(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < ZP_ARRAY_SIZE(contents); i++) {
		zp_autobuf got = ZP_BUF_INIT, diags = ZP_BUF_INIT;
		struct hcl_content content;
		struct hcl_body *body = parse(f, zp_str(contents[i].text));
		hcl_body_content(body, &schema, &f->arena, &content, NULL, &f->diags);
		diags_text(&diags, &f->diags);
		content_text(&got, &content);
		assert_text(contents[i].text, &diags, contents[i].diags);
		assert_text(contents[i].text, &got, contents[i].content);
	}
}

static void test_rest(void **state)
{
	struct fixture *f = *state;
	struct hcl_content content;
	struct hcl_body *rest;
	zp_autobuf got = ZP_BUF_INIT;
	struct hcl_body *body =
		parse(f, ZP_STR("{\"source\":1,\"other\":2,\"locals\":{},\"more\":{\"x\":3}}"));

	assert_true(hcl_body_content(body, &schema, &f->arena, &content, &rest, &f->diags));
	assert_true(hcl_body_attributes(rest, &f->arena, &content, &f->diags));
	content_text(&got, &content);
	assert_string_equal(got.ptr, "other = 2; more = {x: 3}; ");
}

static void note(void *data, const struct hcl_expr *traversal)
{
	struct zp_buf *out = data;

	zp_buf_puts(out, out->len ? " " : "");
	expr_text(out, traversal);
}

static void test_static_reading(void **state)
{
	struct fixture *f = *state;
	struct hcl_content content;
	zp_autobuf got = ZP_BUF_INIT;
	struct hcl_body *body =
		parse(f, ZP_STR("{\"a\":[\"x.y\",\"not one\"],\"b\":{\"k${r.s}\":\"list(string)\"},"
				"\"c\":\"${p} ${[for q in q: q.z]}\"}"));

	assert_true(hcl_body_attributes(body, &f->arena, &content, &f->diags));
	for (size_t i = 0; i < content.attribute_count; i++)
		hcl_expr_references(content.attributes[i]->expr, note, &got);
	assert_string_equal(got.ptr, "r.s p q");

	struct hcl_expr **items;
	size_t count;
	assert_true(hcl_expr_list(content.attributes[0]->expr, &f->arena, &items, &count));
	assert_int_equal(count, 2);
	const struct hcl_expr *first = hcl_expr_static(items[0], &f->arena);
	assert_int_equal(first->kind, HCL_EXPR_TRAVERSAL);
	assert_true(zp_str_is(zp_range_text(first->range), "x.y"));
	assert_ptr_equal(hcl_expr_static(items[1], &f->arena), items[1]);

	struct hcl_object_item *pairs;
	assert_true(hcl_expr_pairs(content.attributes[1]->expr, &f->arena, &pairs, &count));
	assert_int_equal(count, 1);
	assert_int_equal(hcl_expr_static(pairs[0].value, &f->arena)->kind, HCL_EXPR_CALL);
	assert_false(hcl_expr_list(content.attributes[1]->expr, &f->arena, &items, &count));
}

static void test_context(void **state)
{
	static const struct {
		const char *text, *mark, *want;
	} rows[] = {
		{ "{\"locals\":{\"a\":\"MARK\"}}", "MARK", "locals" },
		{ "{\"locals\":[{},{\"a\":\"MARK\"}]}", "MARK", "locals[1]" },
		{ "{\"output\":{\"x\":{\"value\":[1,\"MARK\"]}}}", "MARK", "output.x.value" },
		{ "{\"a\":\"MARK\"}", "MARK", "" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		zp_autobuf got = ZP_BUF_INIT;
		struct hcl_body *body = parse(f, zp_str(rows[i].text));
		uint32_t at = (uint32_t)(strstr(rows[i].text, rows[i].mark) - rows[i].text);
		struct zp_range place = { f->source, at, at + 1 };
		assert_int_equal(hcl_body_context(body, place, &got), rows[i].want[0] != 0);
		assert_text(rows[i].text, &got, rows[i].want);
	}
}

static const char sample[] =
	"{\"resource\": {\"a\": {\"b\": [{\"x\": \"${c.d[\\\"e\\\"]} \\u00e9 %{if f}g%{endif}\",\n"
	" \"y\": [1, -2.5e3, true, false, null, {\"k${l}\": []}]}]}}, \"//\": \"\\ud83d\\ude00\"}";

static void test_damaged_sample(void **state)
{
	static const char bytes[] = "\"{}[]:,\n\\x\xff";
	struct fixture *f = *state;
	struct hcl_content content;
	char copy[sizeof(sample)];

	for (size_t n = 0; n < sizeof(sample) - 1; n++) {
		struct hcl_body *body = parse(f, zp_strn(sample, n));
		assert_true(f->diags.errors > 0);
		hcl_body_content(body, &schema, &f->arena, &content, NULL, &f->diags);
		memcpy(copy, sample, sizeof(sample));
		copy[n] = bytes[n % (sizeof(bytes) - 1)];
		body = parse(f, zp_strn(copy, sizeof(sample) - 1));
		hcl_body_attributes(body, &f->arena, &content, &f->diags);
	}
	parse(f, ZP_STR(sample));
	assert_int_equal(f->diags.errors, 0);
}

static void test_nesting(void **state)
{
	static const char *const rows[] = { "[", "{\"a\":", "{\"a\":[" };
	struct fixture *f = *state;

	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		zp_autobuf text = ZP_BUF_INIT;
		for (int n = 0; n < 100000; n++)
			zp_buf_puts(&text, rows[i]);
		parse(f, zp_buf_slice(&text));
		assert_int_equal(f->diags.errors, 1);
		assert_string_equal(f->diags.items[0]->summary, "Configuration too deeply nested");
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_values),
		TEST(test_broken),
		TEST(test_template_places),
		TEST(test_content),
		TEST(test_rest),
		TEST(test_static_reading),
		TEST(test_context),
		TEST(test_damaged_sample),
		TEST(test_nesting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/json.h"

static bool valid(const char *text)
{
	struct zp_json json;

	zp_json_init(&json, zp_str(text));
	bool ok = zp_json_skip(&json, NULL) && zp_json_at_end(&json);
	zp_json_release(&json);
	return ok;
}

static void test_grammar(void **data)
{
	static const char *const good[] = { "null", " [ ] ", "{}", "[1,-0.5e+3,0]", "\"\\u00e9\\n\"",
		"{\"a\":[true,{\"b\":false}]}", "\"\\ud83d\\ude00\"" };
	static const char *const bad[] = { "", "nul", "[1,]", "{\"a\"}", "{\"a\":1,}", "[1 2]", "01", "1.",
		"-", "+1", "\"", "\"\\x\"", "\"\n\"", "{a:1}", "[", "{\"a\":", "1 2", "\"\\u12\"", "tru" };

	(void)data;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(good); i++)
		if (!valid(good[i]))
			fail_msg("refused: %s", good[i]);
	for (size_t i = 0; i < ZP_ARRAY_SIZE(bad); i++)
		if (valid(bad[i]))
			fail_msg("accepted: %s", bad[i]);
}

static void test_strings(void **data)
{
	struct zp_json json;
	struct zp_str text;

	(void)data;
	zp_json_init(&json, ZP_STR("\"a\\\"\\u00e9\\ud83d\\ude00\\ud800!\""));
	assert_true(zp_json_read_string(&json, &text));
	assert_true(zp_str_is(text, "a\"\xc3\xa9\xf0\x9f\x98\x80\xef\xbf\xbd!"));
	zp_json_release(&json);
}

static void test_integers(void **data)
{
	static const struct {
		const char *text;
		bool ok;
		int64_t value;
	} rows[] = {
		{ "9223372036854775807", true, INT64_MAX },
		{ "-9223372036854775808", true, INT64_MIN },
		{ "9223372036854775808", false, 0 },
		{ "1.5", false, 0 },
		{ "1e3", false, 0 },
		{ "-0", true, 0 },
	};

	(void)data;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		struct zp_json json;
		int64_t value = 0;
		zp_json_init(&json, zp_str(rows[i].text));
		assert_int_equal(zp_json_read_int(&json, &value), rows[i].ok);
		if (rows[i].ok)
			assert_true(value == rows[i].value);
		zp_json_release(&json);
	}
}

static void test_depth(void **data)
{
	zp_autobuf text = ZP_BUF_INIT;

	(void)data;
	zp_buf_pad(&text, '[', 1000000);
	assert_false(valid(text.ptr));
}

static void test_writer(void **data)
{
	zp_autobuf out = ZP_BUF_INIT;
	struct zp_json_writer writer;

	(void)data;
	zp_json_writer_init(&writer, &out, true);
	writer.html_safe = true;
	zp_json_begin_object(&writer);
	zp_json_key(&writer, "a<b");
	zp_json_begin_array(&writer);
	zp_json_end_array(&writer);
	zp_json_key(&writer, "c");
	zp_json_begin_array(&writer);
	zp_json_int(&writer, -1);
	zp_json_cstr(&writer, "\x01\xe2\x80\xa8\xff");
	zp_json_end_array(&writer);
	zp_json_end_object(&writer);
	assert_string_equal(out.ptr,
		"{\n  \"a\\u003cb\": [],\n  \"c\": [\n    -1,\n    \"\\u0001\\u2028\\ufffd\"\n  ]\n}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grammar), cmocka_unit_test(test_strings),
		cmocka_unit_test(test_integers), cmocka_unit_test(test_depth),
		cmocka_unit_test(test_writer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

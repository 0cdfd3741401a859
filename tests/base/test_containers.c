#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/intern.h"
#include "base/map.h"
#include "base/process.h"
#include "base/source.h"

/* Against a plain array: adding and removing in a fixed pseudo-random order. */
static void test_map(void **data)
{
	enum { KEYS = 500 };
	static char names[KEYS][16];
	static bool has[KEYS];
	struct zp_map map = { 0 };
	uint32_t seed = 1;
	size_t count = 0;

	(void)data;
	for (int i = 0; i < KEYS; i++)
		snprintf(names[i], sizeof(names[i]), "k%d", i);
	for (int round = 0; round < 20000; round++) {
		seed = seed * 1664525u + 1013904223u;
		size_t i = seed >> 8 & 0x1ff;
		if (i >= KEYS)
			continue;
		if (seed >> 31) {
			assert_ptr_equal(zp_map_set(&map, zp_str(names[i]), names[i]),
				has[i] ? names[i] : NULL);
			count += !has[i];
			has[i] = true;
		} else {
			assert_ptr_equal(zp_map_remove(&map, zp_str(names[i])), has[i] ? names[i] : NULL);
			count -= has[i];
			has[i] = false;
		}
		assert_int_equal(map.count, count);
	}
	for (int i = 0; i < KEYS; i++)
		assert_int_equal(zp_map_has(&map, zp_str(names[i])), has[i]);
	zp_map_release(&map);
}

static void test_text(void **data)
{
	static const char *const candidates[] = { "plan", "apply", "show" };
	zp_autobuf buf = ZP_BUF_INIT;

	(void)data;
	zp_buf_rune(&buf, 'a');
	zp_buf_rune(&buf, 0xe9);
	zp_buf_rune(&buf, 0x1f600);
	zp_buf_rune(&buf, 0xd800);
	zp_buf_pad(&buf, '.', 2);
	assert_string_equal(buf.ptr, "a\xc3\xa9\xf0\x9f\x98\x80\xef\xbf\xbd..");
	assert_int_equal(zp_str_distance(ZP_STR("kitten"), ZP_STR("sitting")), 3);
	assert_string_equal(zp_str_suggest(ZP_STR("pln"), candidates, 3), "plan");
	assert_null(zp_str_suggest(ZP_STR("destroy"), candidates, 3));
	assert_ptr_equal(zp_intern_cstr("x"), zp_intern(zp_strn("xy", 1)));
}

/* Columns are grapheme clusters; offsets beyond the end are the end. */
static void test_positions(void **data)
{
	struct zp_source *source = zp_source_new("f", ZP_STR("ab\ne\xcc\x81x\r\n"));
	struct zp_position at = zp_source_position(source, 6);

	(void)data;
	assert_int_equal(at.line, 2);
	assert_int_equal(at.column, 2);
	at = zp_source_position(source, 1000);
	assert_int_equal(at.line, 3);
	assert_true(zp_str_is(zp_source_line(source, 2), "e\xcc\x81x"));
	zp_source_free(source);
	/* A byte order mark counts as bytes, not as a column. */
	source = zp_source_new("f", ZP_STR("\xef\xbb\xbf" "ab\ncd"));
	assert_int_equal(zp_source_position(source, 0).column, 1);
	assert_int_equal(zp_source_position(source, 3).column, 1);
	at = zp_source_position(source, 4);
	assert_int_equal(at.column, 2);
	assert_int_equal(at.byte, 4);
	assert_int_equal(zp_source_position(source, 7).column, 2);
	zp_source_free(source);
}

static void test_process(void **data)
{
	struct zp_process_result result = { 0 };
	struct zp_process_options options = { .input = ZP_STR("hello"), .timeout_ms = 5000 };
	zp_autoerror err = ZP_ERROR_INIT;

	(void)data;
	assert_int_equal(zp_run((const char *[]){ "cat", NULL }, &options, &result, &err), 0);
	assert_string_equal(result.out.ptr, "hello");
	zp_process_result_release(&result);
	assert_int_equal(zp_run((const char *[]){ "ls", "/no/such", NULL }, NULL, NULL, &err), -1);
	assert_non_null(strstr(zp_error_text(&err), "/no/such"));
	assert_int_equal(zp_run((const char *[]){ "/no/such", NULL }, NULL, NULL, &err), -1);
	options.timeout_ms = 100;
	options.input = (struct zp_str){ 0 };
	assert_int_equal(zp_run((const char *[]){ "sleep", "30", NULL }, &options, NULL, &err), -1);
	assert_non_null(strstr(zp_error_text(&err), "not done after"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_map),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_positions),
		cmocka_unit_test(test_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

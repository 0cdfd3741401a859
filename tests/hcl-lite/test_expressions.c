/*
 * Expressions with the results console shows for them, in expressions/cases.txt:
 *
 *	>>> expression
 *	what it gives, or "Error: summary: detail"
 *
 * The expressions may refer to what expressions/module declares.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/file.h"
#include "tests/hcl-lite/console.h"

#define PROMPT ">>> "

static void read_or_fail(const char *path, struct zp_buf *out)
{
	zp_autoerror err = ZP_ERROR_INIT;

	if (zp_file_read(path, 1 << 24, out, &err) < 0)
		fail_msg("%s", zp_error_text(&err));
}

/* The start of the next case, or the end of the text. */
static const char *next_case(const char *at)
{
	const char *next = strstr(at, "\n" PROMPT);

	return next ? next + 1 : at + strlen(at);
}

static bool run_case(struct console *c, const char *at, const char *end)
{
	const char *line_end = strchr(at, '\n');
	zp_autofree char *expression =
		zp_strndup(at + strlen(PROMPT), (size_t)(line_end - at) - strlen(PROMPT));
	zp_autofree char *expected = zp_strndup(line_end + 1, (size_t)(end - line_end) - 2);
	zp_autobuf result = ZP_BUF_INIT;

	console_run(c, expression, &result);
	if (strcmp(result.ptr ? result.ptr : "", expected) == 0)
		return true;
	print_error("%s\n  expected: %s\n  got:      %s\n", expression, expected,
		result.ptr ? result.ptr : "");
	return false;
}

static void expressions(void **state)
{
	zp_autobuf cases = ZP_BUF_INIT, config = ZP_BUF_INIT;
	struct console c;
	unsigned count = 0, failed = 0;

	(void)state;
	read_or_fail("cases.txt", &cases);
	assert_int_equal(chdir("module"), 0);
	read_or_fail("main.tf", &config);
	console_init(&c, config.ptr, ".");
	assert_int_equal(c.diags.errors, 0);
	for (const char *at = cases.ptr, *end; *at; at = end, count++) {
		end = next_case(at);
		failed += !run_case(&c, at, end);
	}
	console_release(&c);
	assert_true(count > 1000);
	assert_int_equal(failed, 0);
}

/* The folder of this file, as the compiler was told it from the root of the tree. */
static int enter_folder(void **state)
{
	zp_autofree char *folder = zp_strdup(__FILE__);

	(void)state;
	*strrchr(folder, '/') = '\0';
	zp_autofree char *path = zp_path_join(folder, "expressions");
	return chdir(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(expressions),
	};
	return cmocka_run_group_tests_name("hcl-lite expressions", tests, enter_folder, NULL);
}

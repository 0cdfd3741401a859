/* Versions and constraints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/version.h"

static void test_constraints(void **state)
{
	static const struct {
		const char *version, *constraints;
		bool meets;
	} cases[] = {
		{ "1.11.4", ">= 1.0", true },
		{ "1.11.4", ">= 1.5, < 2.0", true },
		{ "1.11.4", "~> 1.4", true },
		{ "2.0.0", "~> 1.4", false },
		{ "1.4.9", "~> 1.4.2", true },
		{ "1.5.0", "~> 1.4.2", false },
		{ "1.4.1", "~> 1.4.2", false },
		{ "2.1.0", "~> 2", true },
		{ "1.11.4", "1.11.4", true },
		{ "1.11.4", "= 1.11", false },
		{ "1.11.0", "=1.11", true },
		{ "1.11.4", "!= 1.11.4", false },
		{ "1.11.4", "< 1.11.4", false },
		{ "1.11.4", "<= 1.11.4,>1.11.3", true },
		{ "1.10.0", "> 1.9.0", true },
		{ "1.0.0-beta1", ">= 0.9", false },
		{ "1.0.0-beta1", "1.0.0-beta1", true },
		{ "1.0.0-beta2", "> 1.0.0-beta1", true },
		{ "1.0.0-rc.10", "> 1.0.0-rc.9", true },
		{ "1.0.0", "> 1.0.0-rc.1", true },
		{ "v1.2.3+build", "= 1.2.3", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		zp_autoerror err = ZP_ERROR_INIT;
		bool meets = zp_version_meets(cases[i].version, cases[i].constraints, &err);
		if (meets != cases[i].meets || err.message)
			fail_msg("%s against %s: %d %s", cases[i].version, cases[i].constraints, meets,
				err.message ? err.message : "");
	}
}

static void test_malformed(void **state)
{
	static const char *const wrong[] = { "", ">=", "1.2.3.4", "x", ">= 1.0,", "1.0 2.0", "~~> 1", "1.0-",
		"99999999999", ">= 1.x" };

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		zp_autoerror err = ZP_ERROR_INIT;
		assert_false(zp_version_meets("1.0.0", wrong[i], &err));
		if (!err.message)
			fail_msg("\"%s\" passed", wrong[i]);
	}
}

static void test_order(void **state)
{
	static const char *const sorted[] = { "0.9", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta.2",
		"1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.2", "1.10.1", "v2.0.0" };
	const size_t count = sizeof(sorted) / sizeof(sorted[0]);
	int order;

	(void)state;
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < count; k++) {
			assert_true(zp_version_compare(sorted[i], sorted[k], &order));
			assert_int_equal(order, (i > k) - (i < k));
		}
	assert_true(zp_version_compare("1.2+build", "1.2.0", &order));
	assert_int_equal(order, 0);
	assert_false(zp_version_compare("1.2", "latest", &order));
	assert_false(zp_version_compare("1..2", "1", &order));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_constraints),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "modules/address.h"

static void same(const char *a, const char *b)
{
	if (b)
		assert_string_equal(a, b);
	else
		assert_null(a);
}

static void parses_sources(void **state)
{
	static const struct {
		const char *source;
		enum module_source kind;
		const char *canonical, *package, *subfolder, *url, *ref;
	} rows[] = {
		{ "./a//b", MODULE_LOCAL, "./a//b", "./a", "b", NULL, NULL },
		{ "git::file:///r.git//sub?ref=v1", MODULE_GIT, "git::file:///r.git//sub?ref=v1",
			"git::file:///r.git?ref=v1", "sub", "file:///r.git", "v1" },
		{ "git::https://h/r.git?depth=1&ref=v1&x=2", MODULE_GIT, "git::https://h/r.git?depth=1&ref=v1&x=2",
			"git::https://h/r.git?depth=1&ref=v1&x=2", "", "https://h/r.git?x=2", "v1" },
		{ "git::https://h/r.git?ref=", MODULE_GIT, "git::https://h/r.git?ref=",
			"git::https://h/r.git?ref=", "", "https://h/r.git", NULL },
		{ "github.com/o/r", MODULE_GIT, "git::https://github.com/o/r.git", "git::https://github.com/o/r.git",
			"", "https://github.com/o/r.git", NULL },
		{ "github.com/o/r/a/b?ref=x", MODULE_GIT, "git::https://github.com/o/r.git//a/b?ref=x",
			"git::https://github.com/o/r.git?ref=x", "a/b", "https://github.com/o/r.git", "x" },
		{ "bitbucket.org/o/r.git//s", MODULE_GIT, "git::https://bitbucket.org/o/r.git//s",
			"git::https://bitbucket.org/o/r.git", "s", "https://bitbucket.org/o/r.git", NULL },
		{ "git@github.com:o/r.git//s?ref=v", MODULE_GIT, "git::ssh://git@github.com/o/r.git//s?ref=v",
			"git::ssh://git@github.com/o/r.git?ref=v", "s", "ssh://git@github.com/o/r.git", "v" },
		{ "git::git@h:o/r.git", MODULE_GIT, "git::ssh://git@h/o/r.git", "git::ssh://git@h/o/r.git", "",
			"ssh://git@h/o/r.git", NULL },
		{ "a/b/c//s", MODULE_REGISTRY, "registry.terraform.io/a/b/c//s", "registry.terraform.io/a/b/c", "s",
			NULL, NULL },
		{ "h.example/a/b/c", MODULE_REGISTRY, "h.example/a/b/c", "h.example/a/b/c", "", NULL, NULL },
		{ "https://h/x.zip//s?a=1", MODULE_ARCHIVE, "https://h/x.zip//s?a=1", "https://h/x.zip?a=1", "s",
			"https://h/x.zip?a=1", NULL },
		{ "http://h/x?archive=tgz&checksum=md5:1", MODULE_ARCHIVE, "http://h/x?archive=tgz&checksum=md5:1",
			"http://h/x?archive=tgz&checksum=md5:1", "", "http://h/x", NULL },
		{ "https://h/x", MODULE_PAGE, "https://h/x", "https://h/x", "", "https://h/x", NULL },
		{ "hg::http://x/y", MODULE_OTHER, "hg::http://x/y", "hg::http://x/y", "", NULL, NULL },
		{ "foo", MODULE_UNKNOWN, "foo", "foo", "", NULL, NULL },
		{ "", MODULE_UNKNOWN, "", "", "", NULL, NULL },
		{ "github.com/o", MODULE_UNKNOWN, "github.com/o", "github.com/o", "", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		struct module_address address;
		module_address_parse(rows[i].source, &address);
		assert_int_equal(address.kind, rows[i].kind);
		same(address.canonical, rows[i].canonical);
		same(address.package, rows[i].package);
		same(address.subfolder, rows[i].subfolder);
		same(address.url, rows[i].url);
		same(address.ref, rows[i].ref);
		module_address_release(&address);
	}
}

static void hides_passwords(void **state)
{
	static const char *const rows[][2] = {
		{ "git::https://u:geheim@h/x", "git::https://u:xxxxx@h/x" },
		{ "https://u:p@q@h/x", "https://u:xxxxx@h/x" },
		{ "https://u@h/x", "https://u@h/x" },
		{ "https://h:1/x@y", "https://h:1/x@y" },
		{ "foo", "foo" },
	};

	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		zp_autofree char *shown = module_address_shown(rows[i][0]);
		assert_string_equal(shown, rows[i][1]);
	}
}

static void knows_paths_that_lead_out(void **state)
{
	(void)state;
	assert_true(module_path_is_inside(""));
	assert_true(module_path_is_inside("a/..b/c.."));
	assert_false(module_path_is_inside("a/../b"));
	assert_false(module_path_is_inside(".."));
	assert_false(module_path_is_inside("/a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_sources),
		cmocka_unit_test(hides_passwords),
		cmocka_unit_test(knows_paths_that_lead_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* sync.hcl: what is read, and what is said about mistakes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "sync/config.h"
#include "sync/log.h"

static char path[] = "/tmp/zplan-sync-config-XXXXXX";

static int setup(void **state)
{
	(void)state;
	close(mkstemp(path));
	setenv("SYNC_TEST_TOKEN", "t0ken-of-test", 1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

static struct sync_config *load(const char *text, struct zp_diags *diags)
{
	assert_int_equal(zp_file_write_atomic(path, zp_str(text), 0600, NULL), 0);
	zp_diags_init(diags);
	return sync_config_load(path, diags);
}

static void everything(void **state)
{
	struct zp_diags diags;
	struct sync_config *config = load(
		"data_dir = \"/d\"\nparallel = 7\n"
		"http {\n  listen = \"127.0.0.1:8095\"\n}\n"
		"repository \"infra\" {\n"
		"  url    = \"https://git.example.org/a/b.git\"\n"
		"  token  = env.SYNC_TEST_TOKEN\n"
		"  forge  = \"gitea\"\n"
		"}\n"
		"stack \"net\" {\n  repo = \"infra\"\n}\n"
		"stack \"app\" {\n"
		"  repo        = \"/srv/app.git\"\n  ref = \"v*\"\n  path = \"a/b\"\n  interval = \"90s\"\n"
		"  vars        = { n = 1, s = \"x\" }\n  var_files = [\"a.tfvars\"]\n"
		"  approve     = \"manual\"\n  drift = \"heal\"\n  max_destroy = 3\n"
		"  depends_on  = [\"net\"]\n  workspace = \"dev\"\n"
		"  backend     = { type = \"pg\", conn_str = \"postgres://x\" }\n"
		"}\n", &diags);

	(void)state;
	assert_non_null(config);
	assert_int_equal(config->parallel, 7);
	const struct sync_stack *net = sync_config_stack(config, "net"), *app = sync_config_stack(config, "app");
	assert_true(net && app && app->depends_on[0] == net && !app->depends_on[1]);
	assert_string_equal(net->repository->token, "t0ken-of-test");
	assert_string_equal(net->repository->api_url, "https://git.example.org/api/v1");
	assert_true(net->approve == SYNC_NO_DESTROY && net->drift == SYNC_REPORT && net->limits.destroy == -1);
	assert_string_equal(app->repository->url, "/srv/app.git");
	assert_string_equal(app->variables, "{\"n\":1,\"s\":\"x\"}");
	assert_string_equal(app->backend_type, "pg");
	assert_string_equal(app->backend_settings, "conn_str = \"postgres://x\"\n");
	assert_true(app->interval_ms == 90000 && app->limits.destroy == 3 && app->approve == SYNC_MANUAL);
	assert_null(strstr(app->definition, "postgres"));
	zp_autobuf text = ZP_BUF_INIT;
	zp_buf_puts(&text, "fetch with t0ken-of-test: t0ken-of-test is wrong");
	sync_redact(config, &text);
	assert_string_equal(text.ptr, "fetch with (secret): (secret) is wrong");
	zp_diags_release(&diags);
	sync_config_unref(config);
}

static void mistakes(void **state)
{
	static const struct {
		const char *text, *summary;
	} rows[] = {
		{ "stack \"a\" {\n}\n", "Missing required argument" },
		{ "stack \"a\" {\n  repo = \"x\"\n}\n", "Invalid repository" },
		{ "stack \"a\" {\n  repo = \"https://u:p@h/x\"\n}\n", "Password in an address" },
		{ "stack \"../a\" {\n  repo = \"/x\"\n}\n", "Invalid name" },
		{ "stack \"a\" {\n  repo = \"/x\"\n}\nstack \"a\" {\n  repo = \"/x\"\n}\n", "Duplicate stack" },
		{ "stack \"a\" {\n  repo = \"/x\"\n  path = \"../y\"\n}\n", "Invalid path" },
		{ "stack \"a\" {\n  repo = \"/x\"\n  path = \"/y\"\n}\n", "Invalid path" },
		{ "stack \"a\" {\n  repo = \"/x\"\n  var_files = [\"b/../../y\"]\n}\n", "Invalid path" },
		{ "stack \"a\" {\n  repo = \"/x\"\n  approve = \"maybe\"\n}\n", "Invalid choice" },
		{ "stack \"a\" {\n  repo = \"/x\"\n  interval = \"soon\"\n}\n", "Invalid duration" },
		{ "stack \"a\" {\n  repo = \"/x\"\n  interval = \"1ms\"\n}\n", "Invalid duration" },
		{ "stack \"a\" {\n  repo = \"/x\"\n  max_destroy = -1\n}\n", "Invalid number" },
		{ "stack \"a\" {\n  repo = \"/x\"\n  vars = 1\n}\n", "Invalid value" },
		{ "stack \"a\" {\n  repo = \"/x\"\n  aprove = \"auto\"\n}\n", "Unsupported argument" },
		{ "stack \"a\" {\n  repo = \"/x\"\n  depends_on = [\"b\"]\n}\n", "Unknown stack" },
		{ "stack \"a\" {\n  repo = \"/x\"\n  depends_on = [\"a\"]\n}\n", "Stacks wait for each other" },
		{ "stack \"a\" {\n  repo = \"/x\"\n  depends_on = [\"b\"]\n}\n"
		  "stack \"b\" {\n  repo = \"/x\"\n  depends_on = [\"a\"]\n}\n", "Stacks wait for each other" },
		{ "stack \"a\" {\n  repo = \"/x\"\n  require_signed = true\n}\n", "Nobody may sign" },
		{ "stack \"a\" {\n  repo = env.SYNC_TEST_NOTHING\n}\n", "Environment variable not set" },
		{ "stack \"a\" {\n  repo = nothing.x\n}\n", "Unknown name" },
		{ "http {\n  listen = \"0.0.0.0:80\"\n}\n", "Token required" },
		{ "http {\n  listen = \"nowhere\"\n}\n", "Invalid address" },
		{ "repository \"a\" {\n  url = \"http://h/x\"\n  token = \"secret-x\"\n}\n", "Token in the open" },
		{ "repository \"a\" {\n  url = \"/x\"\n  status_token = \"secret-x\"\n}\n", "Unknown forge" },
		{ "data_dir = \"relative\"\n", "Invalid folder" },
		{ "stack \"a\" {", "Unclosed configuration block" },
	};

	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		struct zp_diags diags;
		assert_null(load(rows[i].text, &diags));
		assert_true(diags.errors > 0);
		assert_string_equal(diags.items[0]->summary, rows[i].summary);
		zp_diags_release(&diags);
	}
}

static void secrets_that_others_can_read(void **state)
{
	static const char literal[] = "repository \"a\" {\n  url = \"https://h/x\"\n  token = \"secret-x\"\n}\n";
	static const char taken[] = "repository \"a\" {\n  url = \"https://h/x\"\n  token = env.SYNC_TEST_TOKEN\n}\n";
	static const struct {
		const char *text;
		mode_t mode;
		size_t warnings;
	} rows[] = { { literal, 0600, 0 }, { literal, 0644, 1 }, { taken, 0644, 0 } };

	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		struct zp_diags diags;
		zp_diags_init(&diags);
		assert_int_equal(zp_file_write_atomic(path, zp_str(rows[i].text), rows[i].mode, NULL), 0);
		struct sync_config *config = sync_config_load(path, &diags);
		assert_non_null(config);
		assert_int_equal(diags.warnings, rows[i].warnings);
		zp_diags_release(&diags);
		sync_config_unref(config);
	}
}

static void loopback(void **state)
{
	(void)state;
	assert_true(sync_is_loopback("127.0.0.1:1") && sync_is_loopback("[::1]:1") && sync_is_loopback("localhost:1"));
	assert_false(sync_is_loopback("0.0.0.0:1") || sync_is_loopback("[::]:1") || sync_is_loopback("10.0.0.1:1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything),
		cmocka_unit_test(mistakes),
		cmocka_unit_test(secrets_that_others_can_read),
		cmocka_unit_test(loopback),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

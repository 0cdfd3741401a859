/* Webhooks of the forges, and the statuses posted back to them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "sync/notify.h"
#include "sync/webhook.h"

static struct sync_config *config;

static int setup(void **state)
{
	static const char text[] =
		"repository \"a\" {\n  url = \"https://git.example.org/team/a.git\"\n"
		"  webhook_secret = \"It's a Secret to Everybody\"\n}\n"
		"repository \"b\" {\n  url = \"git@git.example.org:team/b.git\"\n  webhook_secret = \"secret-of-b\"\n}\n"
		"repository \"quiet\" {\n  url = \"https://git.example.org/team/quiet\"\n}\n"
		"stack \"main\" {\n  repo = \"a\"\n  ref = \"main\"\n}\n"
		"stack \"tags\" {\n  repo = \"a\"\n  ref = \"v*\"\n}\n"
		"stack \"other\" {\n  repo = \"b\"\n}\n";
	char path[] = "/tmp/zplan-sync-hook-XXXXXX";
	struct zp_diags diags;

	(void)state;
	close(mkstemp(path));
	zp_diags_init(&diags);
	zp_file_write_atomic(path, zp_str(text), 0600, NULL);
	config = sync_config_load(path, &diags);
	zp_diags_release(&diags);
	unlink(path);
	return config ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	sync_config_unref(config);
	return 0;
}

/* "status:stack,stack" */
static void expect(struct sync_hook hook, const char *answer_text)
{
	struct sync_hook_answer answer;
	zp_autobuf text = ZP_BUF_INIT;

	sync_hook_read(config, &hook, &answer);
	zp_buf_printf(&text, "%u:", answer.status);
	for (size_t i = 0; i < answer.count; i++)
		zp_buf_printf(&text, "%s%s", i ? "," : "", answer.stacks[i]->name);
	assert_string_equal(text.ptr, answer_text);
	free(answer.stacks);
}

static void addresses_are_compared(void **state)
{
	static const struct {
		const char *url, *normal;
	} rows[] = {
		{ "https://git.example.org/team/a.git", "git.example.org/team/a" },
		{ "https://user@Git.Example.ORG:8443/team/a/", "git.example.org/team/a" },
		{ "ssh://git@git.example.org:22/team/a.git", "git.example.org/team/a" },
		{ "git@git.example.org:team/a.git", "git.example.org/team/a" },
		{ "file:///srv/a.git", "/srv/a.git" },
		{ "/srv/a.git", "/srv/a.git" },
		{ "", "/" },
	};

	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		zp_autofree char *normal = sync_normal_url(rows[i].url);
		assert_string_equal(normal, rows[i].normal);
	}
}

static void refs_concern_stacks(void **state)
{
	(void)state;
	assert_true(sync_ref_concerns("main", "refs/heads/main"));
	assert_true(sync_ref_concerns("main", NULL));
	assert_true(sync_ref_concerns(NULL, "refs/heads/x"));
	assert_true(sync_ref_concerns("refs/heads/main", "refs/heads/main"));
	assert_true(sync_ref_concerns("v*", "refs/tags/v1"));
	assert_true(sync_ref_concerns("refs/tags/v*", "refs/tags/v1"));
	assert_false(sync_ref_concerns("v*", "refs/heads/v1"));
	assert_false(sync_ref_concerns("main", "refs/heads/dev"));
	assert_false(sync_ref_concerns("0123456789012345678901234567890123456789", "refs/heads/main"));
}

/* The example of GitHub's documentation. */
static void signatures_hold(void **state)
{
	static const char secret[] = "It's a Secret to Everybody";
	static const char signature[] =
		"sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

	(void)state;
	assert_true(sync_signature_holds(secret, ZP_STR("Hello, World!"), signature));
	assert_true(sync_signature_holds(secret, ZP_STR("Hello, World!"), signature + 7));
	assert_false(sync_signature_holds(secret, ZP_STR("Hello, World"), signature));
	assert_false(sync_signature_holds("other", ZP_STR("Hello, World!"), signature));
	assert_false(sync_signature_holds(secret, ZP_STR("Hello, World!"), "sha256="));
	assert_false(sync_signature_holds(secret, ZP_STR("Hello, World!"), ""));
	assert_true(sync_same_secret("abc", "abc"));
	assert_false(sync_same_secret("abc", "abcd"));
}

static void gitlab(void **state)
{
	struct sync_hook hook = { .forge = SYNC_GITLAB, .event = "Push Hook", .token = "secret-of-b",
		.body = ZP_STR("{\"ref\":\"refs/heads/main\",\"project\":{\"git_http_url\":"
			       "\"https://git.example.org/team/b.git\"}}") };

	(void)state;
	expect(hook, "202:other");
	hook.event = "Issue Hook";
	expect(hook, "202:");
	hook.token = "secret-of-B";
	expect(hook, "401:");
	hook.token = NULL;
	expect(hook, "401:");
	/* Its token is no signature, and the other way round. */
	hook.forge = SYNC_GITHUB;
	hook.token = "secret-of-b";
	expect(hook, "401:");
}

static void github_and_gitea(void **state)
{
	static const char body[] = "{\"ref\":\"refs/tags/v1\",\"repository\":{\"ssh_url\":"
				   "\"git@git.example.org:team/a.git\"}}";
	/* HMAC-SHA256 of the body. */
	static const char signature[] =
		"731d759c5a4534e725cb12b94dbf4f6752470b824320e74c873adaf4e25e1c53";
	struct sync_hook hook = { .forge = SYNC_GITHUB, .event = "push", .signature = signature,
		.body = ZP_STR(body) };

	(void)state;
	expect(hook, "202:tags");
	hook.forge = SYNC_GITEA;
	expect(hook, "202:tags");
	hook.event = "ping";
	expect(hook, "202:");
	hook.event = NULL;
	expect(hook, "202:");
	hook.forge = SYNC_NO_FORGE;
	expect(hook, "202:tags");
	hook.repository = "a";
	expect(hook, "202:tags");
	hook.repository = "b";
	expect(hook, "401:");
	hook.repository = "nothing";
	expect(hook, "404:");
}

static void what_is_wrong_is_refused(void **state)
{
	static const struct {
		const char *body, *answer;
	} rows[] = {
		{ "", "400:" }, { "x", "400:" }, { "[]", "400:" }, { "{", "400:" }, { "{}", "404:" },
		{ "{\"repository\":{}}", "404:" }, { "{\"repository\":7}", "404:" },
		{ "{\"repository\":\"quiet\"}", "401:" }, { "{\"repository\":\"nothing\"}", "404:" },
		{ "{\"repository\":{\"clone_url\":7},\"ref\":7}", "404:" },
	};

	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++)
		expect((struct sync_hook){ .signature = "00", .body = zp_str(rows[i].body) }, rows[i].answer);
}

static void statuses(void **state)
{
	static const struct {
		enum sync_forge forge;
		const char *state, *url, *body;
	} rows[] = {
		{ SYNC_GITHUB, "running", "http://api/repos/team/a/statuses/c0ffee",
			"{\"state\":\"pending\",\"context\":\"zplan/net\",\"description\":\"m\"}" },
		{ SYNC_GITEA, "failure", "http://api/repos/team/a/statuses/c0ffee",
			"{\"state\":\"failure\",\"context\":\"zplan/net\",\"description\":\"m\"}" },
		{ SYNC_GITLAB, "failure", "http://api/projects/team%2Fa/statuses/c0ffee",
			"{\"state\":\"failed\",\"name\":\"zplan/net\",\"description\":\"m\"}" },
		{ SYNC_GITLAB, "running", "http://api/projects/team%2Fa/statuses/c0ffee",
			"{\"state\":\"running\",\"name\":\"zplan/net\",\"description\":\"m\"}" },
	};

	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		struct sync_repository repository = { .url = "https://git.example.org/team/a.git",
			.forge = rows[i].forge, .api_url = "http://api", .status_token = "t" };
		struct sync_post post = { .commit = (char *)"c0ffee", .stack = (char *)"net",
			.state = (char *)rows[i].state, .message = (char *)"m" };
		zp_autobuf url = ZP_BUF_INIT, body = ZP_BUF_INIT;
		assert_true(sync_status_request(&repository, &post, &url, &body));
		assert_string_equal(url.ptr, rows[i].url);
		assert_string_equal(body.ptr, rows[i].body);
		repository.status_token = NULL;
		assert_false(sync_status_request(&repository, &post, &url, &body));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_compared),
		cmocka_unit_test(refs_concern_stacks),
		cmocka_unit_test(signatures_hold),
		cmocka_unit_test(gitlab),
		cmocka_unit_test(github_and_gitea),
		cmocka_unit_test(what_is_wrong_is_refused),
		cmocka_unit_test(statuses),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

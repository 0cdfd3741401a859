/* Tenants of one node: what they see, change and take; and what a refused change leaves behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "node/client.h"
#include "node/methods.h"

/* A workload that takes the disk its spec says, and a name; "fail" can not be had. */

static int validate(const cJSON *spec, struct zp_error *err)
{
	return cJSON_IsNumber(cJSON_GetObjectItem(spec, "disk")) ? 0 :
		zp_error_set(err, "disk: needed");
}

static void capacity(const cJSON *spec, struct node_capacity *out)
{
	out->disk = (int64_t)cJSON_GetObjectItem(spec, "disk")->valuedouble;
}

static int ensure(struct node_context *node, const struct node_workload *w, cJSON **result,
	struct zp_error *err)
{
	const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(w->spec, "name"));

	if (cJSON_IsTrue(cJSON_GetObjectItem(w->spec, "fail")))
		return zp_error_set(err, "it can not be had");
	if (name && node_lease_take(node, "thing-names", w->id, name, err) < 0)
		return -1;
	*result = cJSON_CreateObject();
	return 0;
}

static int read_it(struct node_context *node, const struct node_workload *w,
	enum node_workload_status *status, cJSON **result, struct zp_buf *message, struct zp_error *err)
{
	(void)node;
	(void)w;
	(void)result;
	(void)message;
	(void)err;
	*status = NODE_OK;
	return 0;
}

static int remove_it(struct node_context *node, const struct node_workload *w, struct zp_error *err)
{
	(void)node;
	(void)w;
	(void)err;
	return 0;
}

static int check_tenant(struct node_context *node, const struct node_workload *w,
	struct zp_error *err)
{
	const char *uses = cJSON_GetStringValue(cJSON_GetObjectItem(w->spec, "uses"));

	return uses ? node_check_own(node, w, uses, err) : 0;
}

static const struct node_workload_type thing = { .name = "thing", .validate = validate, .names = "thing-names",
	.capacity = capacity, .ensure = ensure, .read = read_it, .remove = remove_it,
	.check_tenant = check_tenant };
static const struct node_workload_type *const things[] = { &thing };
static const struct node_workload_types types = { things, 1 };

struct fixture {
	char dir[64];
	struct node_context *node;
	struct node_methods *methods;
	struct node_session owner, a, b;
};

static void start(struct fixture *f, const char *settings)
{
	zp_autofree char *database = zp_format("%s/registry.db", f->dir);
	zp_autofree char *config = zp_format("%s/node.hcl", f->dir);
	zp_autoerror err = ZP_ERROR_INIT;

	f->node = node_context_new(f->dir);
	assert_int_equal(zp_file_write_atomic(config, zp_str(settings), 0600, &err), 0);
	if (node_settings_load(&f->node->settings, config, &err) < 0)
		fail_msg("%s", zp_error_text(&err));
	f->node->registry = node_registry_open(database, &err);
	assert_non_null(f->node->registry);
	f->methods = node_methods_new(f->node, &types);
}

static void stop(struct fixture *f)
{
	node_methods_free(f->methods);
	node_context_free(f->node);
	f->owner = f->a = f->b = (struct node_session){ 0 };
}

/* The result's text, or "code message". */
static char *call(struct fixture *f, struct node_session *session, const char *method,
	const char *params)
{
	zp_autoerror err = ZP_ERROR_INIT;
	cJSON *json = cJSON_Parse(params);

	assert_non_null(json);
	cJSON *result = node_methods_call(f->methods, session, method, json, &err);
	char *text = result ? cJSON_PrintUnformatted(result) :
			      zp_format("%d %s", err.code, zp_error_text(&err));
	cJSON_Delete(result);
	cJSON_Delete(json);
	return text;
}

static void expect(struct fixture *f, struct node_session *session, const char *method,
	const char *params, const char *wanted)
{
	zp_autofree char *got = call(f, session, method, params);

	if (!strstr(got, wanted))
		fail_msg("%s %s: %s", method, params, got);
}

static const char settings_text[] =
	"name = \"n1\"\n"
	"tenant \"a\" {\n  disk = 1000\n  workloads = 3\n}\n"
	"tenant \"b\" {\n  disk = 1\n}\n";

static int setup(void **data)
{
	struct fixture *f = zp_calloc(1, sizeof(*f));

	snprintf(f->dir, sizeof(f->dir), "/tmp/zplan-tenants-XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	start(f, settings_text);
	*data = f;
	return 0;
}

static int teardown(void **data)
{
	struct fixture *f = *data;

	stop(f);
	zp_remove_tree(f->dir, NULL);
	free(f);
	return 0;
}

static void introduce(struct fixture *f)
{
	expect(f, &f->a, "session.tenant", "{\"tenant\":\"a\"}", "{}");
	expect(f, &f->b, "session.tenant", "{\"tenant\":\"b\"}", "{}");
}

#define ENSURE(id, more) "{\"id\":\"" id "\",\"type\":\"thing\",\"spec\":{\"disk\":0" more "}}"

static void test_apart(void **data)
{
	struct fixture *f = *data;

	introduce(f);
	expect(f, &f->a, "workload.ensure", ENSURE("x/1", ""), "{}");
	expect(f, &f->owner, "workload.ensure", ENSURE("o/1", ""), "{}");
	expect(f, &f->b, "workload.read", "{\"ids\":[\"x/1\"]}", "\"status\":\"absent\"");
	expect(f, &f->a, "workload.read", "{\"ids\":[\"x/1\"]}", "\"status\":\"ok\"");
	expect(f, &f->owner, "workload.read", "{\"ids\":[\"x/1\"]}", "\"status\":\"ok\"");
	expect(f, &f->b, "workload.list", "{}", "[]");
	expect(f, &f->b, "workload.ensure", ENSURE("x/1", ""), "-32004");
	expect(f, &f->b, "workload.remove", "{\"id\":\"x/1\"}", "{}");
	expect(f, &f->a, "workload.read", "{\"ids\":[\"x/1\"]}", "\"status\":\"ok\"");
	expect(f, &f->b, "workload.ensure", ENSURE("b/1", ",\"uses\":\"x/1\""), "-32004");
	expect(f, &f->b, "workload.ensure", ENSURE("b/1", ",\"uses\":\"none\""),
		"-32004 node n1 has no workload none for you");
	expect(f, &f->a, "workload.ensure", ENSURE("a/2", ",\"uses\":\"x/1\""), "{}");
	/* The owner mends; the tenant keeps it. */
	expect(f, &f->owner, "workload.ensure", ENSURE("x/1", ""), "{}");
	expect(f, &f->a, "workload.list", "{}", "\"x/1\"");
	expect(f, &f->a, "session.tenant", "{\"tenant\":\"b\"}", "-32004");
	expect(f, &f->owner, "session.tenant", "{\"tenant\":\"../x\"}", "-32602");
}

/* Everyone is told whether a name is taken; by whom, only who may know. */
static void test_names(void **data)
{
	struct fixture *f = *data;
	static const char *const ask = "{\"type\":\"thing\",\"names\":[\"free\",\"web\"]}";

	introduce(f);
	expect(f, &f->a, "workload.ensure", ENSURE("x/1", ",\"name\":\"web\""), "{}");
	expect(f, &f->a, "workload.holders", ask,
		"[{\"taken\":false},{\"taken\":true,\"id\":\"x/1\",\"address\":\"\"}]");
	expect(f, &f->owner, "workload.holders", ask, "\"id\":\"x/1\"");
	expect(f, &f->b, "workload.holders", ask, "[{\"taken\":false},{\"taken\":true}]");
	expect(f, &f->b, "workload.ensure", ENSURE("y/1", ",\"name\":\"web\""), "-32003");
	expect(f, &f->a, "workload.remove", "{\"id\":\"x/1\"}", "{}");
	expect(f, &f->b, "workload.holders", ask, "[{\"taken\":false},{\"taken\":false}]");
	expect(f, &f->b, "workload.holders", "{\"type\":\"none\",\"names\":[]}", "-32602");
	expect(f, &f->b, "workload.holders", "{\"type\":\"thing\",\"names\":[5]}", "[{\"taken\":false}]");
}

/* Certificates of gateways are named so that HAProxy can read the list of them. */
static void test_certificates(void **data)
{
	struct fixture *f = *data;
	static const char *const wrong[] = { "certificates = [\"relative.pem\"]",
		"certificates = [\"/with space.pem\"]", "certificates = 5", "other = 1" };
	zp_autofree char *config = zp_format("%s/other.hcl", f->dir);
	struct node_context *node = node_context_new(f->dir);
	size_t count;

	assert_int_equal(zp_file_write_atomic(config,
				 zp_str("gateway {\n  certificates = [\"/a.pem\", \"/b.pem\"]\n}\n"), 0600,
				 NULL),
		0);
	assert_int_equal(node_settings_load(&node->settings, config, NULL), 0);
	assert_string_equal(node_gateway_certificates(node, &count)[1], "/b.pem");
	assert_int_equal(count, 2);
	node_context_free(node);
	for (size_t i = 0; i < ZP_ARRAY_SIZE(wrong); i++) {
		zp_autofree char *text = zp_format("gateway {\n  %s\n}\n", wrong[i]);

		node = node_context_new(f->dir);
		assert_int_equal(zp_file_write_atomic(config, zp_str(text), 0600, NULL), 0);
		assert_int_equal(node_settings_load(&node->settings, config, NULL), -1);
		node_context_free(node);
	}
}

static void test_quota(void **data)
{
	struct fixture *f = *data;

	introduce(f);
	expect(f, &f->b, "workload.ensure",
		"{\"id\":\"b/1\",\"type\":\"thing\",\"spec\":{\"disk\":2097152}}", "-32001");
	expect(f, &f->b, "node.facts", "{}", "\"disk\":1048576");
	expect(f, &f->b, "workload.ensure",
		"{\"id\":\"b/1\",\"type\":\"thing\",\"spec\":{\"disk\":1048576}}", "{}");
	expect(f, &f->b, "workload.ensure",
		"{\"id\":\"b/2\",\"type\":\"thing\",\"spec\":{\"disk\":1}}", "0 MB free of 1 MB");
	/* The same again costs nothing more, and less gives back. */
	expect(f, &f->b, "workload.ensure",
		"{\"id\":\"b/1\",\"type\":\"thing\",\"spec\":{\"disk\":1048575}}", "{}");
	expect(f, &f->b, "workload.ensure",
		"{\"id\":\"b/2\",\"type\":\"thing\",\"spec\":{\"disk\":1}}", "{}");
	expect(f, &f->b, "workload.remove", "{\"id\":\"b/1\"}", "{}");
	expect(f, &f->b, "workload.ensure",
		"{\"id\":\"b/2\",\"type\":\"thing\",\"spec\":{\"disk\":1048576}}", "{}");
	for (int i = 0; i < 3; i++) {
		zp_autofree char *params = zp_format(
			"{\"id\":\"a/%d\",\"type\":\"thing\",\"spec\":{\"disk\":0}}", i);
		expect(f, &f->a, "workload.ensure", params, "{}");
	}
	expect(f, &f->a, "workload.ensure", ENSURE("a/9", ""), "no more are granted");
}

static void test_dedicated(void **data)
{
	struct fixture *f = *data;

	stop(f);
	start(f, "name = \"n1\"\ndedicated = \"a\"\n");
	introduce(f);
	expect(f, &f->a, "workload.ensure", ENSURE("a/1", ""), "{}");
	expect(f, &f->b, "workload.ensure", ENSURE("b/1", ""), "reserved for another tenant");
	expect(f, &f->owner, "workload.ensure", ENSURE("o/1", ""), "{}");
}

/* A change that fails is not in the registry afterwards, nor in the sums. */
static void test_refused_change(void **data)
{
	struct fixture *f = *data;

	expect(f, &f->owner, "workload.ensure",
		"{\"id\":\"x\",\"type\":\"thing\",\"spec\":{\"disk\":5}}", "{}");
	expect(f, &f->owner, "workload.ensure",
		"{\"id\":\"x\",\"type\":\"thing\",\"spec\":{\"disk\":7,\"fail\":true}}", "-32003");
	expect(f, &f->owner, "workload.list", "{}", "\"spec\":{\"disk\":5}");
	expect(f, &f->owner, "node.facts", "{}", "\"promised\":{\"cores\":0,\"memory\":0,\"disk\":5}");
	stop(f);
	start(f, settings_text);
	expect(f, &f->owner, "node.facts", "{}", "\"promised\":{\"cores\":0,\"memory\":0,\"disk\":5}");
}

static void test_settings(void **data)
{
	struct fixture *f = *data;
	static const struct {
		const char *text, *wanted;
	} rows[] = {
		{ "id = -1\n", "line 1: Unsuitable number" },
		{ "id = \"x\"\n", "line 1" },
		{ "name = [1]\n", "line 1" },
		{ "nome = \"x\"\n", "line 1" },
		{ "tenant {\n}\n", "line 1" },
		{ "public {\n  addresses = 5\n}\n", "line 2" },
		{ "reserved {\n  cores = 1.5\n}\n", "line 2" },
	};
	zp_autofree char *path = zp_format("%s/bad.hcl", f->dir);

	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		struct node_context *node = node_context_new(f->dir);
		zp_autoerror err = ZP_ERROR_INIT;
		assert_int_equal(zp_file_write_atomic(path, zp_str(rows[i].text), 0600, NULL), 0);
		int rc = node_settings_load(&node->settings, path, &err);
		bool fine = rc < 0 && strstr(zp_error_text(&err), rows[i].wanted);
		node_context_free(node);
		if (!fine)
			fail_msg("row %zu: %d %s", i, rc, zp_error_text(&err));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_certificates, setup, teardown),
		cmocka_unit_test_setup_teardown(test_quota, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dedicated, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused_change, setup, teardown),
		cmocka_unit_test_setup_teardown(test_settings, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

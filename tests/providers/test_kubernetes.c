/* zos_kubernetes: what its parts are, who is touched by a change, what is refused, and what an unfinished one leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "providers/provider.h"
#include "tests/providers/fake_client.h"
#include "tests/providers/from_text.h"

static struct provider_environment environment = { .lineage = "the-lineage" };
static struct provider_instance instance = { .environment = &environment };

static const struct provider_resource_type *type(void)
{
	return provider_resource(provider_find("zos"), "zos_kubernetes", false);
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	/* Any address will do: the fake pool is one and the same. */
	environment.nodes = (struct node_pool *)&environment;
	return 0;
}

#define MEMBER(name, node, more)                                                                   \
	"{ name = \"" name "\", node = \"" node "\", disk_size = 2, memory = 512" more " }"
#define CLUSTER(workers)                                                                           \
	"{ network = \"net\", token = \"t0ken\", flist = \"file:///k\", entrypoint = \"/init\","   \
	"  ssh_key = \"ssh-ed25519 A\", master = [" MEMBER("m", "n1", "") "], workers = [" workers "] }"

static struct hcl_value none(void)
{
	return provider_schema_null(type()->schema);
}

static struct provider_plan plan_of(struct hcl_value prior, const char *config)
{
	struct provider_plan plan = { .type = type(), .instance = &instance,
		.arena = &from_text_arena, .prior = prior,
		.config = from_text(type()->schema, config) };

	provider_plan_default(&plan);
	plan.type->plan(&plan);
	return plan;
}

static struct provider_operation operation(
	enum provider_verb verb, struct hcl_value prior, struct hcl_value planned)
{
	return (struct provider_operation){ .verb = verb, .type = type(),
		.address = "zos_kubernetes.k", .identity = "abc", .prior = prior,
		.planned = planned, .arena = &from_text_arena };
}

static struct hcl_value run(struct provider_operation op)
{
	struct provider_operation *ops[] = { &op };

	op.type->run(&instance, ops, 1);
	if (op.problems.count)
		fail_msg("%s: %s", op.problems.items[0].summary, op.problems.items[0].detail);
	return op.result;
}

static struct hcl_value apply(struct hcl_value prior, const char *config)
{
	struct provider_plan plan = plan_of(prior, config);

	if (plan.problems.count)
		fail_msg("%s", plan.problems.items[0].detail);
	return run(operation(hcl_is_null(prior) ? PROVIDER_CREATE : PROVIDER_UPDATE, prior,
		plan.planned));
}

static void assert_spec(const char *node, const char *id, const char *expected)
{
	const struct fake_workload *w = fake_find(node, id);
	cJSON *json = cJSON_Parse(expected);

	assert_non_null(json);
	if (!w || !cJSON_Compare(w->spec, json, true)) {
		zp_autofree char *text = w ? cJSON_PrintUnformatted(w->spec) : NULL;
		fail_msg("%s: %s", id, text ? text : "not there");
	}
	cJSON_Delete(json);
}

static void test_parts(void **state)
{
	(void)state;
	struct hcl_value cluster =
		apply(none(), CLUSTER(MEMBER("w", "2", ", public_ipv4 = true, flist = \"file:///w\"")));
	assert_int_equal(fake_workload_count, 5);
	assert_spec("n1", "abc/disk-m", "{\"size\":2147483648,\"show\":[\"kubeconfig.yaml\"]}");
	assert_spec("n2", "abc/disk-w", "{\"size\":2147483648}");
	assert_spec("n2", "abc/ip-w", "{\"v4\":true,\"v6\":false}");
	assert_spec("n1", "abc/vm-m",
		"{\"flist\":\"file:///k\",\"network\":{\"interfaces\":[{\"network\":\"net/net\",\"ip\":\"\"}]},"
		"\"size\":2147483648,\"compute_capacity\":{\"cpu\":1,\"memory\":536870912},"
		"\"mounts\":[{\"name\":\"abc/disk-m\",\"mountpoint\":\"/mydisk\"}],"
		"\"entrypoint\":\"/init\",\"corex\":false,\"env\":{\"K3S_DATA_DIR\":\"/mydisk\","
		"\"K3S_FLANNEL_IFACE\":\"eth0\",\"K3S_NODE_NAME\":\"m\",\"K3S_TOKEN\":\"t0ken\","
		"\"K3S_KUBECONFIG_OUTPUT\":\"/mydisk/kubeconfig.yaml\",\"K3S_URL\":\"\","
		"\"SSH_KEY\":\"ssh-ed25519 A\"}}");
	assert_spec("n2", "abc/vm-w",
		"{\"flist\":\"file:///w\",\"network\":{\"public_ip\":\"abc/ip-w\","
		"\"interfaces\":[{\"network\":\"net/net\",\"ip\":\"\"}]},"
		"\"size\":2147483648,\"compute_capacity\":{\"cpu\":1,\"memory\":536870912},"
		"\"mounts\":[{\"name\":\"abc/disk-w\",\"mountpoint\":\"/mydisk\"}],"
		"\"entrypoint\":\"/init\",\"corex\":false,\"env\":{\"K3S_DATA_DIR\":\"/mydisk\","
		"\"K3S_FLANNEL_IFACE\":\"eth0\",\"K3S_NODE_NAME\":\"w\",\"K3S_TOKEN\":\"t0ken\","
		"\"K3S_URL\":\"https://10.1.1.2:6443\",\"SSH_KEY\":\"ssh-ed25519 A\"}}");
	assert_string_equal(
		provider_get_text(provider_get(cluster, "master").elements[0], "ip"), "10.1.1.2");
	struct hcl_value again = run(operation(PROVIDER_READ, cluster, none()));
	assert_true(hcl_value_identical(cluster, again));
	/* Nothing to do, and planned as it is. */
	struct provider_plan plan = plan_of(
		again, CLUSTER(MEMBER("w", "2", ", public_ipv4 = true, flist = \"file:///w\"")));
	assert_true(hcl_value_identical(plan.planned, again));
	run(operation(PROVIDER_DELETE, cluster, none()));
	assert_int_equal(fake_workload_count, 0);
}

static void test_workers_come_and_go(void **state)
{
	(void)state;
	struct hcl_value cluster =
		apply(none(), CLUSTER(MEMBER("w0", "n2", "") "," MEMBER("w1", "n1", "")));
	fake_ensure_calls = fake_remove_calls = 0;
	cluster = apply(cluster, CLUSTER(MEMBER("w1", "n1", "") "," MEMBER("w2", "n1", "")));
	assert_int_equal(fake_ensure_calls, 2);
	assert_int_equal(fake_remove_calls, 2);
	assert_null(fake_find("n2", "abc/vm-w0"));
	assert_non_null(fake_find("n1", "abc/vm-w2"));
	assert_int_equal(provider_get(cluster, "nodes").count, 1);
	/* Other content: the machine is made anew, its disk and the others stay. */
	fake_ensure_calls = fake_remove_calls = 0;
	cluster = apply(cluster, CLUSTER(MEMBER("w1", "n1", "") ","
		MEMBER("w2", "n1", ", flist = \"file:///n\"")));
	assert_int_equal(fake_ensure_calls, 1);
	assert_int_equal(fake_remove_calls, 1);
	assert_string_equal(provider_get_text(cluster, "status"), "ok");
}

/* What an update left on a node before it failed is found when the cluster goes. */
static void test_unfinished(void **state)
{
	(void)state;
	struct hcl_value cluster = apply(none(), CLUSTER(""));
	struct provider_plan plan = plan_of(cluster, CLUSTER(MEMBER("w0", "n2", "")));
	struct provider_operation op = operation(PROVIDER_UPDATE, cluster, plan.planned);
	struct provider_operation *ops[] = { &op };

	fake_fail_part = "/vm-w0";
	op.type->run(&instance, ops, 1);
	fake_fail_part = NULL;
	assert_true(op.problems.errors > 0);
	provider_problems_release(&op.problems);
	assert_non_null(fake_find("n2", "abc/disk-w0"));
	cluster = run(operation(PROVIDER_READ, op.result, none()));
	run(operation(PROVIDER_DELETE, cluster, none()));
	assert_int_equal(fake_workload_count, 0);
}

static void test_import(void **state)
{
	(void)state;
	struct hcl_value made = apply(none(), CLUSTER(MEMBER("w0", "n2", "")));
	struct provider_operation op = operation(PROVIDER_IMPORT, none(), none());
	op.identity = NULL;
	op.import_id = "abc";
	struct hcl_value cluster = run(op);
	static const char *const same[] = { "id", "network", "token", "ssh_key", "flist",
		"entrypoint", "nodes", "status" };

	for (size_t i = 0; i < ZP_ARRAY_SIZE(same); i++)
		assert_true(hcl_value_identical(
			provider_get(made, same[i]), provider_get(cluster, same[i])));
	struct hcl_value workers = provider_get(cluster, "workers");
	assert_int_equal(workers.count, 1);
	assert_string_equal(provider_get_text(workers.elements[0], "name"), "w0");
	assert_string_equal(provider_get_text(workers.elements[0], "node"), "n2");
	assert_int_equal(provider_get_int(workers.elements[0], "memory", 0), 512);
}

static void test_refused(void **state)
{
	static const struct {
		const char *config, *says;
	} rows[] = {
		{ CLUSTER(MEMBER("m", "n1", "")), "are called \"m\"" },
		{ CLUSTER(MEMBER("a-b", "n1", "")), "\"a-b\" is not a member's name" },
		{ CLUSTER(MEMBER("w", "n1", ", cpu = 33")), "cpu of w must be" },
		{ CLUSTER(MEMBER("w", "n1", ", rootfs_size = 500, cpu = 32")), "2048 MB at least" },
		{ "{ network = \"n\", token = \"a b\", master = [" MEMBER("m", "n1", "") "] }",
			"letters and digits only" },
	};

	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		struct provider_problems problems = { 0 };
		bool said = false;

		type()->validate(from_text(type()->schema, rows[i].config), &problems);
		for (size_t j = 0; j < problems.count; j++)
			said |= strstr(problems.items[j].detail, rows[i].says) != NULL;
		if (!said)
			fail_msg("%s: %s", rows[i].says,
				problems.count ? problems.items[0].detail : "accepted");
		provider_problems_release(&problems);
	}
	struct provider_problems none_at_all = { 0 };
	type()->validate(from_text(type()->schema, CLUSTER(MEMBER("w", "n2", ""))), &none_at_all);
	assert_int_equal(none_at_all.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_parts, setup),
		cmocka_unit_test_setup(test_workers_come_and_go, setup),
		cmocka_unit_test_setup(test_unfinished, setup),
		cmocka_unit_test_setup(test_import, setup),
		cmocka_unit_test_setup(test_refused, setup),
	};

	return cmocka_run_group_tests(tests, from_text_setup, from_text_teardown);
}

/* The grid types: what they make of values, what they tell nodes, and what they refuse. */
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

static const struct provider_resource_type *grid(const char *name)
{
	return provider_resource(provider_find("threefoldtech/grid"), name, false);
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	environment.nodes = (struct node_pool *)&environment;
	return 0;
}

static struct hcl_value none(const char *type)
{
	return provider_schema_null(grid(type)->schema);
}

/* --- planning and running --- */

static struct provider_plan plan_of(const char *type, struct hcl_value prior, const char *config)
{
	struct provider_plan plan = {
		.type = grid(type),
		.instance = &instance,
		.arena = &from_text_arena,
		.prior = prior,
		.config = from_text(grid(type)->schema, config),
	};
	provider_plan_default(&plan);
	plan.type->plan(&plan);
	return plan;
}

static struct hcl_value planned(const char *type, struct hcl_value prior, const char *config)
{
	struct provider_plan plan = plan_of(type, prior, config);
	if (plan.problems.errors)
		fail_msg("%s: %s", plan.problems.items[0].summary, plan.problems.items[0].detail);
	provider_problems_release(&plan.problems);
	return plan.planned;
}

static struct provider_operation operation(
	const char *type, enum provider_verb verb, struct hcl_value prior, struct hcl_value values)
{
	return (struct provider_operation){ .verb = verb, .type = grid(type), .address = "grid.a",
		.identity = "abc", .prior = prior, .planned = values, .config = none(type),
		.arena = &from_text_arena };
}

static struct hcl_value run(struct provider_operation op)
{
	struct provider_operation *ops[] = { &op };
	op.type->run(&instance, ops, 1);
	if (op.problems.count)
		fail_msg("%s: %s", op.problems.items[0].summary, op.problems.items[0].detail);
	return op.result;
}

static struct hcl_value apply(const char *type, struct hcl_value prior, const char *config)
{
	return run(operation(type, hcl_is_null(prior) ? PROVIDER_CREATE : PROVIDER_UPDATE, prior,
		planned(type, prior, config)));
}

static struct hcl_value create(const char *type, const char *config)
{
	return apply(type, none(type), config);
}

/* What is checked without any node: the text is among what is said. */
static void refuses(const char *type, const char *config, const char *text)
{
	struct provider_problems problems = { 0 };
	grid(type)->validate(from_text(grid(type)->schema, config), &problems);
	for (size_t i = 0; i < problems.count; i++)
		if (strstr(problems.items[i].detail, text)) {
			provider_problems_release(&problems);
			return;
		}
	fail_msg("%s: nothing says \"%s\" but \"%s\"", config, text,
		problems.count ? problems.items[0].detail : "nothing");
}

static void accepts(const char *type, const char *config)
{
	struct provider_problems problems = { 0 };
	grid(type)->validate(from_text(grid(type)->schema, config), &problems);
	if (problems.errors)
		fail_msg("%s: %s", config, problems.items[0].detail);
}

static int64_t number_in(struct hcl_value map, const char *key)
{
	struct hcl_value value;
	int64_t number;
	if (!hcl_map_lookup(map, zp_str(key), &value) || value.state != HCL_KNOWN ||
		!hcl_number_to_int(value, &number))
		return -1;
	return number;
}

/* --- tests --- */

static void test_sources(void **state)
{
	(void)state;
	static const char *const sources[] = { "threefoldtech/grid", "grid",
		"registry.terraform.io/threefoldtech/grid", "threefoldtechdev.com/providers/grid" };
	for (size_t i = 0; i < ZP_ARRAY_SIZE(sources); i++)
		assert_non_null(provider_find(sources[i]));
	assert_ptr_equal(provider_for_type("grid_network"), provider_find("threefoldtech/grid"));
	assert_null(provider_find("somebody/grid"));
}

static const char *const net =
	"{ name = \"net\", nodes = [2, 1, 2], ip_range = \"10.7.0.0/16\", description = \"d\" }";

static void test_network(void **state)
{
	(void)state;
	struct hcl_value network = create("grid_network", net);
	struct hcl_value ranges = provider_get(network, "nodes_ip_range"), range;
	assert_string_equal(provider_get_text(network, "id"), "abc");
	assert_string_equal(provider_get_text(network, "solution_type"), "Network");
	assert_string_equal(provider_get_text(network, "access_wg_config"), "");
	assert_int_equal(provider_get_int(network, "public_node_id", -1), 0);
	assert_int_equal(provider_get(network, "nodes").count, 3);
	assert_true(hcl_map_lookup(ranges, zp_str("1"), &range));
	assert_string_equal(range.text, "10.7.1.0/24");
	assert_true(number_in(provider_get(network, "node_deployment_id"), "2") > 0);
	const struct fake_workload *workload = fake_find("n1", "abc/net");
	assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(workload->spec, "name")), "net");
	/* Nothing to do again; one node less; and gone. */
	struct hcl_value again = planned("grid_network", network, net);
	assert_true(hcl_value_identical(again, network));
	network = apply("grid_network", network,
		"{ name = \"net\", nodes = [1], ip_range = \"10.7.0.0/16\", description = \"d\" }");
	assert_null(fake_find("n2", "abc/net"));
	assert_int_equal(provider_get(network, "nodes_ip_range").count, 1);
	struct hcl_value seen =
		run(operation("grid_network", PROVIDER_READ, network, none("grid_network")));
	assert_true(hcl_value_identical(seen, network));
	run(operation("grid_network", PROVIDER_DELETE, network, none("grid_network")));
	assert_int_equal(fake_workload_count, 0);
}

static void test_network_access(void **state)
{
	(void)state;
	struct hcl_value network = create("grid_network",
		"{ name = \"net\", nodes = [3, 2], ip_range = \"10.7.0.0/16\", add_wg_access = true,"
		"  nodes_ip_range = { \"2\" = \"10.7.9.0/24\" } }");
	struct hcl_value range;
	assert_non_null(strstr(provider_get_text(network, "access_wg_config"), "Endpoint = 192.0.2.2:"));
	assert_int_equal(provider_get_int(network, "public_node_id", -1), 2);
	assert_true(hcl_map_lookup(provider_get(network, "nodes_ip_range"), zp_str("2"), &range));
	assert_string_equal(range.text, "10.7.9.0/24");
}

static void test_network_import(void **state)
{
	(void)state;
	create("grid_network", net);
	struct provider_operation op =
		operation("grid_network", PROVIDER_IMPORT, none("grid_network"), none("grid_network"));
	op.import_id = "abc";
	struct hcl_value network = run(op);
	assert_string_equal(provider_get_text(network, "name"), "net");
	assert_int_equal(provider_get(network, "nodes").count, 2);
	assert_true(number_in(provider_get(network, "node_deployment_id"), "1") > 0);
}

static void test_gateway(void **state)
{
	(void)state;
	create("grid_network", net);
	struct hcl_value proxy = create("grid_name_proxy",
		"{ node = 1, name = \"web\", backends = [\"http://10.7.1.2:8000\"], network = \"net\" }");
	const struct fake_workload *workload = fake_find("n1", "abc/gw");
	assert_string_equal(workload->type, "gateway-name-proxy");
	assert_string_equal(
		cJSON_GetStringValue(cJSON_GetObjectItem(workload->spec, "network")), "abc/net");
	assert_string_equal(provider_get_text(proxy, "fqdn"), "web.example.com");
	assert_string_equal(provider_get_text(proxy, "network"), "net");
	assert_int_equal(provider_get_int(proxy, "node", -1), 1);
	assert_true(hcl_value_identical(proxy, run(operation("grid_name_proxy", PROVIDER_READ, proxy,
						       none("grid_name_proxy")))));
	assert_true(hcl_value_identical(planned("grid_name_proxy", proxy,
		"{ node = 1, name = \"web\", backends = [\"http://10.7.1.2:8000\"], network = \"net\" }"),
		proxy));
	struct provider_operation op = operation("grid_name_proxy", PROVIDER_CREATE,
		none("grid_name_proxy"),
		planned("grid_name_proxy", none("grid_name_proxy"),
			"{ node = 1, name = \"b\", backends = [\"http://10.7.1.2\"], network = \"nope\" }"));
	struct provider_operation *ops[] = { &op };
	op.type->run(&instance, ops, 1);
	assert_non_null(strstr(op.problems.items[0].detail, "no network called \"nope\""));
	assert_true(hcl_is_null(op.result));
	provider_problems_release(&op.problems);
}

static void test_scheduler(void **state)
{
	(void)state;
	static const char *const config =
		"{ requests = ["
		"  { name = \"a\", yggdrasil = false, wireguard = false, distinct = true,"
		"    node_exclude = [1, 3, 4] },"
		"  { name = \"b\", yggdrasil = false, wireguard = false, distinct = true,"
		"    node_exclude = [3, 4] }] }";
	struct hcl_value scheduler = create("grid_scheduler", config);
	struct hcl_value nodes = provider_get(scheduler, "nodes");
	assert_int_equal(number_in(nodes, "a"), 2);
	assert_int_equal(number_in(nodes, "b"), 1);
	assert_true(hcl_value_identical(planned("grid_scheduler", scheduler, config), scheduler));
}

static void test_unknown_node(void **state)
{
	(void)state;
	struct provider_plan plan = plan_of("grid_network", none("grid_network"),
		"{ name = \"net\", nodes = [11], ip_range = \"10.1.0.0/16\" }");
	assert_string_equal(plan.problems.items[0].summary, "No such node");
	assert_non_null(strstr(plan.problems.items[0].detail, "has no node \"11\""));
	assert_non_null(strstr(plan.problems.items[0].detail, "\"n1\" (1)"));
	provider_problems_release(&plan.problems);
}

static void test_checks(void **state)
{
	(void)state;
	refuses("grid_network", "{ name = \"a-b\", nodes = [1], ip_range = \"10.1.0.0/16\" }",
		"\"a-b\" is not");
	refuses("grid_network", "{ name = \"a\", nodes = [1], ip_range = \"10.1.0.0/24\" }", "ip_range");
	refuses("grid_network", "{ name = \"a\", nodes = [], ip_range = \"10.1.0.0/16\" }",
		"at least one node");
	refuses("grid_network",
		"{ name = \"a\", nodes = [1], ip_range = \"10.1.0.0/16\","
		"  nodes_ip_range = { \"1\" = \"10.2.0.0/24\" } }",
		"is not a /24 of");
	refuses("grid_name_proxy", "{ node = 1, name = \"a\", backends = [\"10.1.1.2:80\"] }",
		"must begin with http");
	refuses("grid_fqdn_proxy", "{ node = 1, fqdn = \"nodots\", backends = [\"http://10.1.1.2\"] }",
		"not a full domain name");
	refuses("grid_scheduler",
		"{ requests = [{ name = \"a\", yggdrasil = false, wireguard = false },"
		"  { name = \"a\", yggdrasil = false, wireguard = false }] }",
		"two requests called \"a\"");
	accepts("grid_fqdn_proxy",
		"{ node = 1, fqdn = \"www.example.com\", backends = [\"10.1.1.2:443\"],"
		"  tls_passthrough = true }");
}

/* --- deployments --- */

#define NET "network_name = \"net\""
#define VM(name, more) "{ name = \"" name "\", flist = \"https://hub.example.com/a.flist\"" more " }"

static void with_network(void)
{
	struct provider_operation op = operation("grid_network", PROVIDER_CREATE,
		none("grid_network"), planned("grid_network", none("grid_network"), net));
	op.identity = "the-net";
	run(op);
}

static const char *spec_of(const char *node, const char *id)
{
	static char text[4096];
	const struct fake_workload *workload = fake_find(node, id);
	char *printed = workload ? cJSON_PrintUnformatted(workload->spec) : NULL;
	snprintf(text, sizeof(text), "%s", printed ? printed : "none");
	free(printed);
	return text;
}

static struct hcl_value vm_of(struct hcl_value deployment, uint32_t index)
{
	struct hcl_value vms = provider_get(deployment, "vms");
	assert_true(index < vms.count);
	return vms.elements[index];
}

static struct hcl_value grid_vm(struct hcl_value deployment, const char *name)
{
	struct hcl_value vms = provider_get(deployment, "vms");
	for (uint32_t i = 0; i < vms.count; i++)
		if (!strcmp(provider_get_text(vms.elements[i], "name"), name))
			return vms.elements[i];
	fail_msg("no machine %s", name);
	return vms;
}

static struct hcl_value read_again(const char *type, struct hcl_value object)
{
	return run(operation(type, PROVIDER_READ, object, none(type)));
}

static const char *const two =
	"{ node = 1, " NET ", disks = [{ name = \"data\", size = 2 }],"
	"  vms = [" VM("a", ", cpu = 2, memory = 512, publicip = true, entrypoint = \"/init x\","
	"    env_vars = { A = \"1\" }, mounts = [{ name = \"data\", mount_point = \"/data\" }]") ","
	VM("b", ", ip = \"10.7.1.9\", zlogs = [\"redis://user:pw@1.2.3.4\"]") "] }";

static void test_deployment(void **state)
{
	(void)state;
	with_network();
	struct hcl_value deployment = create("grid_deployment", two);
	assert_string_equal(spec_of("n1", "abc/disk-data"), "{\"size\":2147483648}");
	assert_string_equal(spec_of("n1", "abc/ip4-a"), "{\"v4\":true,\"v6\":false}");
	assert_string_equal(spec_of("n1", "abc/vm-a"),
		"{\"flist\":\"https://hub.example.com/a.flist\","
		"\"network\":{\"interfaces\":[{\"network\":\"the-net/net\",\"ip\":\"\"}],"
		"\"public_ip\":\"abc/ip4-a\"},\"size\":524288000,"
		"\"compute_capacity\":{\"cpu\":2,\"memory\":536870912},"
		"\"mounts\":[{\"name\":\"abc/disk-data\",\"mountpoint\":\"/data\"}],"
		"\"entrypoint\":\"/init x\",\"env\":{\"A\":\"1\"},\"corex\":false}");
	assert_int_equal(fake_workload_count, 2 + 5);
	assert_string_equal(provider_get_text(deployment, "ip_range"), "10.7.1.0/24");
	assert_string_equal(provider_get_text(deployment, "status"), "ok");
	assert_string_equal(provider_get_text(vm_of(deployment, 0), "ip"), "10.1.1.2");
	assert_string_equal(provider_get_text(vm_of(deployment, 1), "ip"), "10.7.1.9");
	assert_string_equal(provider_get_text(vm_of(deployment, 1), "computedip"), "");
	assert_string_equal(provider_get_text(vm_of(deployment, 1), "planetary_ip"), "");
	/* Nothing to do again. */
	assert_true(hcl_value_identical(read_again("grid_deployment", deployment), deployment));
	assert_true(hcl_value_identical(planned("grid_deployment", deployment, two), deployment));
	run(operation("grid_deployment", PROVIDER_DELETE, deployment, none("grid_deployment")));
	assert_int_equal(fake_workload_count, 2);
}

/* The secret in a log's URL is in no name of a part. */
static void test_log_names(void **state)
{
	(void)state;
	with_network();
	create("grid_deployment", two);
	for (size_t i = 0; i < fake_workload_count; i++)
		assert_null(strstr(fake_workloads[i].id, "pw"));
}

static void test_siblings_stay(void **state)
{
	(void)state;
	with_network();
	struct hcl_value deployment = create("grid_deployment",
		"{ node = 1, " NET ", vms = [" VM("a", "") "," VM("b", ", ip = \"10.7.1.9\"") ","
		VM("c", ", ip = \"10.7.1.7\"") "] }");
	/* The first goes: the others move up, and keep what they have. */
	static const char *const fewer = "{ node = 1, " NET ", vms = ["
		VM("b", "") "," VM("c", ", description = \"x\"") "," VM("d", "") "] }";
	struct provider_plan plan = plan_of("grid_deployment", deployment, fewer);
	assert_int_equal(plan.replace_count, 0);
	assert_string_equal(provider_get_text(vm_of(plan.planned, 0), "ip"), "10.7.1.9");
	assert_string_equal(provider_get_text(vm_of(plan.planned, 1), "ip"), "10.7.1.7");
	assert_int_equal(provider_get(vm_of(plan.planned, 2), "ip").state, HCL_UNKNOWN);
	assert_string_equal(provider_get_text(vm_of(plan.planned, 2), "computedip"), "");
	fake_ensure_calls = fake_remove_calls = 0;
	deployment = apply("grid_deployment", deployment, fewer);
	assert_int_equal(fake_ensure_calls, 1);
	assert_int_equal(fake_remove_calls, 1);
	assert_null(fake_find("n1", "abc/vm-a"));
	assert_non_null(fake_find("n1", "abc/vm-d"));
	assert_string_equal(provider_get_text(deployment, "id"), "abc");
}

static void test_machine_made_anew(void **state)
{
	(void)state;
	with_network();
	struct hcl_value deployment = create("grid_deployment",
		"{ node = 1, " NET ", vms = [" VM("a", ", zlogs = [\"ws://1.2.3.4\"]") "] }");
	fake_ensure_calls = fake_remove_calls = 0;
	deployment = apply("grid_deployment", deployment,
		"{ node = 1, " NET ", vms = [{ name = \"a\", flist = \"https://hub.example.com/b.flist\","
		"  zlogs = [\"ws://1.2.3.4\"] }] }");
	assert_int_equal(fake_remove_calls, 2);
	assert_int_equal(fake_ensure_calls, 2);
	assert_string_equal(provider_get_text(vm_of(deployment, 0), "ip"), "10.1.1.2");
}

static void test_public_address_comes_and_goes(void **state)
{
	(void)state;
	with_network();
	struct hcl_value deployment =
		create("grid_deployment", "{ node = 1, " NET ", vms = [" VM("a", "") "] }");
	struct hcl_value more = planned("grid_deployment", deployment,
		"{ node = 1, " NET ", vms = [" VM("a", ", publicip = true") "] }");
	assert_int_equal(provider_get(vm_of(more, 0), "computedip").state, HCL_UNKNOWN);
	assert_string_equal(provider_get_text(vm_of(more, 0), "ip"), "10.1.1.2");
	deployment = apply("grid_deployment", deployment,
		"{ node = 1, " NET ", vms = [" VM("a", ", publicip = true") "] }");
	assert_non_null(fake_find("n1", "abc/ip4-a"));
	apply("grid_deployment", deployment, "{ node = 1, " NET ", vms = [" VM("a", "") "] }");
	assert_null(fake_find("n1", "abc/ip4-a"));
}

static void test_deployment_import(void **state)
{
	(void)state;
	with_network();
	create("grid_deployment", two);
	struct provider_operation op = operation("grid_deployment", PROVIDER_IMPORT,
		none("grid_deployment"), none("grid_deployment"));
	op.identity = NULL;
	op.import_id = "n1/abc";
	struct hcl_value deployment = run(op);
	assert_int_equal(provider_get_int(deployment, "node", -1), 1);
	assert_string_equal(provider_get_text(deployment, "network_name"), "net");
	assert_int_equal(provider_get(deployment, "disks").count, 1);
	assert_int_equal(provider_get(deployment, "vms").count, 2);
	struct hcl_value a = grid_vm(deployment, "a");
	assert_int_equal(provider_get_int(a, "memory", -1), 512);
	assert_true(provider_get_bool(a, "publicip", false));
	assert_string_equal(
		provider_get_text(provider_get(a, "mounts").elements[0], "name"), "data");
}

static void test_drift(void **state)
{
	(void)state;
	with_network();
	struct hcl_value deployment = create("grid_deployment", two);
	struct fake_workload *workload = fake_find("n1", "abc/vm-a");
	cJSON_SetNumberValue(cJSON_GetObjectItem(cJSON_GetObjectItem(workload->spec, "compute_capacity"),
		"memory"), 268435456.0);
	struct hcl_value seen = read_again("grid_deployment", deployment);
	assert_int_equal(provider_get_int(vm_of(seen, 0), "memory", -1), 256);
	fake_drop((size_t)(fake_find("n1", "abc/vm-b") - fake_workloads));
	seen = read_again("grid_deployment", deployment);
	assert_string_equal(
		provider_get_text(seen, "status"), "degraded: vm-b: missing on the node");
	assert_string_equal(provider_get_text(vm_of(seen, 1), "ip"), "10.7.1.9");
}

static void test_failed_creation_keeps_the_list(void **state)
{
	(void)state;
	with_network();
	struct provider_operation op = operation("grid_deployment", PROVIDER_CREATE,
		none("grid_deployment"), planned("grid_deployment", none("grid_deployment"), two));
	struct provider_operation *ops[] = { &op };
	fake_fail_part = "/vm-a";
	op.type->run(&instance, ops, 1);
	assert_true(op.problems.errors > 0);
	assert_int_equal(provider_get(op.result, "vms").count, 2);
	assert_true(hcl_is_wholly_known(op.result));
	assert_string_equal(provider_get_text(vm_of(op.result, 1), "ip"), "10.7.1.9");
	provider_problems_release(&op.problems);
	fake_fail_part = NULL;
	run(operation("grid_deployment", PROVIDER_DELETE, op.result, none("grid_deployment")));
	assert_int_equal(fake_workload_count, 2);
}

static const struct {
	const char *config, *text;
} refused_in_plan[] = {
	{ "{ node = 9 }", "has no node \"9\"" },
	{ "{ node = 1, zdbs = [{ name = \"z\", password = \"p\", size = 1 }] }",
		"Node 1 does not offer key-value stores" },
};

/* Planned with a warning, and not made without what it was to have. */
static void test_gpus(void **state)
{
	(void)state;
	with_network();
	struct provider_plan plan = plan_of("grid_deployment", none("grid_deployment"),
		"{ node = 1, " NET ", vms = [" VM("a", ", gpus = [\"0000:0e:00.0/1002/744c\"]") "] }");
	assert_int_equal(plan.problems.errors, 0);
	assert_int_equal(plan.problems.count, 1);
	provider_problems_release(&plan.problems);
	struct provider_operation op = operation(
		"grid_deployment", PROVIDER_CREATE, none("grid_deployment"), plan.planned);
	struct provider_operation *ops[] = { &op };
	op.type->run(&instance, ops, 1);
	assert_non_null(strstr(op.problems.items[0].detail, "asks for a GPU"));
	assert_true(hcl_is_null(op.result));
	assert_int_equal(fake_workload_count, 2);
	provider_problems_release(&op.problems);
}

static void test_refused_in_plan(void **state)
{
	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(refused_in_plan); i++) {
		struct provider_plan plan = plan_of(
			"grid_deployment", none("grid_deployment"), refused_in_plan[i].config);
		assert_int_equal(plan.problems.errors, 1);
		assert_non_null(strstr(plan.problems.items[0].detail, refused_in_plan[i].text));
		provider_problems_release(&plan.problems);
	}
	struct hcl_value deployment =
		create("grid_deployment", "{ node = 1, disks = [{ name = \"d\", size = 2 }] }");
	struct provider_plan plan = plan_of("grid_deployment", deployment,
		"{ node = 1, disks = [{ name = \"d\", size = 1 }] }");
	assert_string_equal(plan.problems.items[0].summary, "A disk can not shrink");
	provider_problems_release(&plan.problems);
}

static void test_deployment_checks(void **state)
{
	(void)state;
	static const char *const d = "grid_deployment";
	refuses(d, "{ node = 1, name = \"a b\" }", "\"a b\" is not");
	refuses(d, "{ node = 1.5 }", "whole number");
	refuses(d, "{ node = 1, disks = [{ name = \"d\", size = 0 }] }", "from 1 to 10240");
	refuses(d, "{ node = 1, disks = [{ name = \"d-d\", size = 1 }] }", "\"d-d\" is not");
	refuses(d, "{ node = 1, vms = [" VM("a", "") "] }", "names the network");
	refuses(d, "{ node = 1, " NET ", vms = [" VM("a", ", cpu = 0") "] }", "from 1 to 32");
	refuses(d, "{ node = 1, " NET ", vms = [" VM("a", ", cpu = 33") "] }", "from 1 to 32");
	refuses(d, "{ node = 1, " NET ", vms = [" VM("a", ", memory = 255") "] }", "from 256 to 262144");
	refuses(d, "{ node = 1, " NET ", vms = [" VM("a", ", rootfs_size = 1023") "] }", "from 1024");
	refuses(d, "{ node = 1, " NET ", vms = [" VM("a", ", cpu = 8, memory = 1024, rootfs_size = 1024")
		"] }", "at least 2048 MB");
	refuses(d, "{ node = 1, " NET ", vms = [" VM("a", ", ip = \"10.1\"") "] }", "IPv4 address");
	refuses(d, "{ node = 1, " NET ", vms = [" VM("a", ", zlogs = [\"http://x\"]") "] }", "redis://");
	refuses(d, "{ node = 1, " NET ", vms = [" VM("a", ", gpus = [\"x\"]") "] }", "slot/vendor/device");
	refuses(d, "{ node = 1, " NET ", vms = [" VM("a", "") "," VM("a", "") "] }", "two parts called");
	refuses(d, "{ node = 1, " NET ", vms = [" VM("a",
		", mounts = [{ name = \"no\", mount_point = \"/x\" }]") "] }", "no disk called \"no\"");
	refuses(d, "{ node = 1, " NET ", vms = [{ name = \"a\", flist = \"no url\" }] }", "flist");
	accepts(d, two);
	accepts(d, "{ node = 1, " NET ", vms = unknown }");
	accepts(d, "{ node = unknown, network_name = unknown, vms = [{ name = unknown, flist = unknown,"
		   "  cpu = unknown, env_vars = { A = unknown } }] }");
	accepts(d, "{ node = 1, zdbs = [{ name = \"z\", password = \"p\", size = 1 }] }");
}

/* --- clusters --- */

#define MEMBER(name, node, more)                                                                   \
	"{ name = \"" name "\", node = " node ", disk_size = 2, cpu = 1, memory = 1024" more " }"
#define CLUSTER(workers)                                                                           \
	"{ network_name = \"net\", token = \"t0ken\", ssh_key = \"key\","                           \
	"  master = [" MEMBER("mr", "1", "") "], workers = [" workers "] }"

static void test_cluster(void **state)
{
	(void)state;
	with_network();
	struct hcl_value cluster =
		create("grid_kubernetes", CLUSTER(MEMBER("w0", "2", ", publicip = true")));
	struct hcl_value master = provider_get(cluster, "master").elements[0], range;
	assert_string_equal(spec_of("n1", "abc/disk-mr"), "{\"size\":2147483648}");
	assert_non_null(strstr(spec_of("n1", "abc/vm-mr"),
		"\"env\":{\"K3S_DATA_DIR\":\"/mydisk\",\"K3S_FLANNEL_IFACE\":\"eth0\","
		"\"K3S_NODE_NAME\":\"mr\",\"K3S_TOKEN\":\"t0ken\",\"K3S_URL\":\"\",\"SSH_KEY\":\"key\"}"));
	assert_non_null(strstr(spec_of("n1", "abc/vm-mr"), "threefolddev-k3s-v1.31.0.flist"));
	assert_non_null(strstr(spec_of("n2", "abc/vm-w0"), "\"K3S_URL\":\"https://10.1.1.2:6443\""));
	assert_non_null(strstr(spec_of("n2", "abc/vm-w0"), "\"mountpoint\":\"/mydisk\""));
	assert_non_null(fake_find("n2", "abc/ip4-w0"));
	assert_string_equal(provider_get_text(master, "ip"), "10.1.1.2");
	assert_string_equal(provider_get_text(master, "token"), "t0ken");
	assert_true(hcl_map_lookup(provider_get(cluster, "nodes_ip_range"), zp_str("2"), &range));
	assert_string_equal(range.text, "10.7.2.0/24");
	assert_true(number_in(provider_get(cluster, "node_deployment_id"), "1") > 0);
	assert_true(hcl_value_identical(read_again("grid_kubernetes", cluster), cluster));
	assert_true(hcl_value_identical(planned("grid_kubernetes", cluster,
		CLUSTER(MEMBER("w0", "2", ", publicip = true"))), cluster));
	run(operation("grid_kubernetes", PROVIDER_DELETE, cluster, none("grid_kubernetes")));
	assert_int_equal(fake_workload_count, 2);
}

static void test_workers_come_and_go(void **state)
{
	(void)state;
	with_network();
	struct hcl_value cluster =
		create("grid_kubernetes", CLUSTER(MEMBER("w0", "2", "") "," MEMBER("w1", "1", "")));
	fake_ensure_calls = fake_remove_calls = 0;
	cluster = apply("grid_kubernetes", cluster,
		CLUSTER(MEMBER("w1", "1", "") "," MEMBER("w2", "1", "")));
	assert_int_equal(fake_ensure_calls, 2);
	assert_int_equal(fake_remove_calls, 2);
	assert_null(fake_find("n2", "abc/vm-w0"));
	assert_non_null(fake_find("n1", "abc/vm-w2"));
	assert_int_equal(provider_get(cluster, "nodes_ip_range").count, 1);
	/* A worker moves: made on the one node, gone from the other. */
	cluster = apply("grid_kubernetes", cluster,
		CLUSTER(MEMBER("w1", "2", "") "," MEMBER("w2", "1", "")));
	assert_non_null(fake_find("n2", "abc/vm-w1"));
	assert_null(fake_find("n1", "abc/disk-w1"));
	assert_string_equal(provider_get_text(cluster, "id"), "abc");
}

static void test_unfinished_cluster_knows_its_nodes(void **state)
{
	(void)state;
	with_network();
	struct hcl_value cluster = create("grid_kubernetes", CLUSTER(""));
	struct provider_operation op = operation("grid_kubernetes", PROVIDER_UPDATE, cluster,
		planned("grid_kubernetes", cluster, CLUSTER(MEMBER("w0", "2", ""))));
	struct provider_operation *ops[] = { &op };
	fake_fail_part = "/vm-w0";
	op.type->run(&instance, ops, 1);
	assert_true(op.problems.errors > 0);
	provider_problems_release(&op.problems);
	assert_non_null(fake_find("n2", "abc/disk-w0"));
	fake_fail_part = NULL;
	cluster = read_again("grid_kubernetes", op.result);
	run(operation("grid_kubernetes", PROVIDER_DELETE, cluster, none("grid_kubernetes")));
	assert_int_equal(fake_workload_count, 2);
}

static void test_cluster_import(void **state)
{
	(void)state;
	with_network();
	create("grid_kubernetes", CLUSTER(MEMBER("w0", "2", "")));
	struct provider_operation op = operation("grid_kubernetes", PROVIDER_IMPORT,
		none("grid_kubernetes"), none("grid_kubernetes"));
	op.identity = NULL;
	op.import_id = "abc";
	struct hcl_value cluster = run(op);
	struct hcl_value workers = provider_get(cluster, "workers");
	assert_int_equal(workers.count, 1);
	assert_int_equal(provider_get_int(workers.elements[0], "node", -1), 2);
	assert_int_equal(provider_get_int(workers.elements[0], "disk_size", -1), 2);
	assert_string_equal(provider_get_text(cluster, "token"), "t0ken");
	assert_string_equal(provider_get_text(cluster, "network_name"), "net");
	assert_string_equal(
		provider_get_text(provider_get(cluster, "master").elements[0], "name"), "mr");
}

static void test_cluster_checks(void **state)
{
	(void)state;
	static const char *const k = "grid_kubernetes";
	refuses(k, CLUSTER(MEMBER("mr", "2", "")), "two parts called \"mr\"");
	refuses(k, CLUSTER(MEMBER("a-b", "2", "")), "\"a-b\" is not");
	refuses(k, "{ network_name = \"n\", token = \"a b\", master = [" MEMBER("m", "1", "") "] }",
		"letters and digits only");
	refuses(k, "{ token = \"ab\", master = [" MEMBER("m", "1", "") "] }", "names the network");
	accepts(k, CLUSTER(MEMBER("w0", "2", "")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_sources, setup),
		cmocka_unit_test_setup(test_network, setup),
		cmocka_unit_test_setup(test_network_access, setup),
		cmocka_unit_test_setup(test_network_import, setup),
		cmocka_unit_test_setup(test_gateway, setup),
		cmocka_unit_test_setup(test_scheduler, setup),
		cmocka_unit_test_setup(test_unknown_node, setup),
		cmocka_unit_test_setup(test_checks, setup),
		cmocka_unit_test_setup(test_deployment, setup),
		cmocka_unit_test_setup(test_log_names, setup),
		cmocka_unit_test_setup(test_siblings_stay, setup),
		cmocka_unit_test_setup(test_machine_made_anew, setup),
		cmocka_unit_test_setup(test_public_address_comes_and_goes, setup),
		cmocka_unit_test_setup(test_deployment_import, setup),
		cmocka_unit_test_setup(test_drift, setup),
		cmocka_unit_test_setup(test_failed_creation_keeps_the_list, setup),
		cmocka_unit_test_setup(test_refused_in_plan, setup),
		cmocka_unit_test_setup(test_gpus, setup),
		cmocka_unit_test_setup(test_deployment_checks, setup),
		cmocka_unit_test_setup(test_cluster, setup),
		cmocka_unit_test_setup(test_workers_come_and_go, setup),
		cmocka_unit_test_setup(test_unfinished_cluster_knows_its_nodes, setup),
		cmocka_unit_test_setup(test_cluster_import, setup),
		cmocka_unit_test_setup(test_cluster_checks, setup),
	};
	return cmocka_run_group_tests(tests, from_text_setup, from_text_teardown);
}

/* The zos types: what they tell nodes, what they make of the answers, and what they refuse. */
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

static const struct provider_resource_type *zos(const char *name)
{
	return provider_resource(provider_find("zos"), name, false);
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	/* Any address will do: the fake pool is one and the same. */
	environment.nodes = (struct node_pool *)&environment;
	return 0;
}

/* --- planning and running --- */

static struct hcl_value plan_one(const char *type, struct hcl_value prior, const char *config,
	struct provider_problems *problems, size_t *replaces)
{
	struct provider_plan plan = {
		.type = zos(type),
		.instance = &instance,
		.arena = &from_text_arena,
		.prior = prior,
		.config = from_text(zos(type)->schema, config),
	};
	provider_plan_default(&plan);
	plan.type->plan(&plan);
	if (problems)
		*problems = plan.problems;
	else if (plan.problems.count)
		fail_msg("%s: %s", plan.problems.items[0].summary, plan.problems.items[0].detail);
	if (replaces)
		*replaces = plan.replace_count;
	return plan.planned;
}

static struct provider_operation operation(
	const char *type, enum provider_verb verb, struct hcl_value prior, struct hcl_value planned)
{
	return (struct provider_operation){
		.verb = verb,
		.type = zos(type),
		.address = "zos_thing.a",
		.identity = "abc",
		.prior = prior,
		.planned = planned,
		.arena = &from_text_arena,
	};
}

static struct hcl_value run_op(struct provider_operation *op)
{
	op->type->run(&instance, &op, 1);
	if (op->problems.count)
		fail_msg("%s: %s", op->problems.items[0].summary, op->problems.items[0].detail);
	return op->result;
}

static struct hcl_value apply(const char *type, struct hcl_value prior, const char *config)
{
	struct hcl_value planned = plan_one(type, prior, config, NULL, NULL);
	struct provider_operation op = operation(
		type, hcl_is_null(prior) ? PROVIDER_CREATE : PROVIDER_UPDATE, prior, planned);
	return run_op(&op);
}

static struct hcl_value create(const char *type, const char *config)
{
	return apply(type, provider_schema_null(zos(type)->schema), config);
}

static struct hcl_value refresh(const char *type, struct hcl_value prior)
{
	struct provider_operation op =
		operation(type, PROVIDER_READ, prior, provider_schema_null(zos(type)->schema));
	return run_op(&op);
}

/* --- specs --- */

static const char *const machine_config =
	"{ node = \"n1\", flist = \"file:///srv/root\", network = \"net-1\", cpu = 2, memory = 512,"
	"  entrypoint = \"/bin/httpd -f\", env = { B = \"2\", A = \"1\" },"
	"  mounts = [{ disk = \"disk-1\", mount_point = \"/data\" }] }";

static const struct {
	const char *type, *config, *id, *workload, *spec, *object;
} specs[] = {
	{ "zos_disk", "{ node = \"n1\", size = 3 }", "abc/disk", "zmount", "{\"size\":3221225472}",
		"{ id = \"abc\", node = \"n1\", size = 3, volume_id = \"vol-1\", status = \"ok\" "
		"}" },
	{ "zos_ip", "{ node = \"n1\" }", "abc/ip", "ip", "{\"v4\":true,\"v6\":false}",
		"{ id = \"abc\", node = \"n1\", ipv4 = true, ipv6 = false, status = \"ok\" }" },
	{ "zos_machine",
		"{ node = \"n1\", flist = \"file:///srv/root\", network = \"net-1\","
		"  public_ip = \"ip-1\" }",
		"abc/vm", "zmachine",
		"{\"flist\":\"file:///srv/root\","
		"\"network\":{\"interfaces\":[{\"network\":\"net-1/net\",\"ip\":\"\"}],"
		"\"public_ip\":\"ip-1/ip\"},"
		"\"size\":524288000,\"compute_capacity\":{\"cpu\":1,\"memory\":268435456},"
		"\"mounts\":[],\"env\":{},\"corex\":false}",
		"{ id = \"abc\", node = \"n1\", flist = \"file:///srv/root\", network = \"net-1\","
		"  ip = \"10.1.1.2\", cpu = 1, memory = 256, rootfs_size = 500, corex = false, planetary = false,"
		"  public_ip = \"ip-1\","
		"  console_url = \"10.1.1.1:20002\", status = \"ok\" }" },
	{ "zos_machine", "{ node = \"n1\", flist = \"file:///srv/root\", network = \"net-1\" }",
		"abc/vm", "zmachine",
		"{\"flist\":\"file:///srv/root\","
		"\"network\":{\"interfaces\":[{\"network\":\"net-1/net\",\"ip\":\"\"}]},"
		"\"size\":524288000,\"compute_capacity\":{\"cpu\":1,\"memory\":268435456},"
		"\"mounts\":[],\"env\":{},\"corex\":false}",
		"{ id = \"abc\", node = \"n1\", flist = \"file:///srv/root\", network = \"net-1\","
		"  ip = \"10.1.1.2\", cpu = 1, memory = 256, rootfs_size = 500, corex = false, planetary = false,"
		"  console_url = \"10.1.1.1:20002\", status = \"ok\" }" },
	{ "zos_machine",
		"{ node = \"n1\", flist = \"file:///srv/root\", network = \"net-1\", planetary = true }",
		"abc/vm", "zmachine",
		"{\"flist\":\"file:///srv/root\","
		"\"network\":{\"interfaces\":[{\"network\":\"net-1/net\",\"ip\":\"\"}],"
		"\"planetary\":true},"
		"\"size\":524288000,\"compute_capacity\":{\"cpu\":1,\"memory\":268435456},"
		"\"mounts\":[],\"env\":{},\"corex\":false}",
		"{ id = \"abc\", node = \"n1\", flist = \"file:///srv/root\", network = \"net-1\","
		"  ip = \"10.1.1.2\", cpu = 1, memory = 256, rootfs_size = 500, corex = false,"
		"  planetary = true, console_url = \"10.1.1.1:20002\", status = \"ok\" }" },
	{ "zos_machine", machine_config, "abc/vm", "zmachine",
		"{\"flist\":\"file:///srv/root\","
		"\"network\":{\"interfaces\":[{\"network\":\"net-1/net\",\"ip\":\"\"}]},"
		"\"size\":524288000,\"compute_capacity\":{\"cpu\":2,\"memory\":536870912},"
		"\"mounts\":[{\"name\":\"disk-1/disk\",\"mountpoint\":\"/data\"}],"
		"\"entrypoint\":\"/bin/httpd "
		"-f\",\"env\":{\"A\":\"1\",\"B\":\"2\"},\"corex\":false}",
		"{ id = \"abc\", node = \"n1\", flist = \"file:///srv/root\", network = \"net-1\","
		"  ip = \"10.1.1.2\", cpu = 2, memory = 512, rootfs_size = 500, corex = false, planetary = false,"
		"  entrypoint = \"/bin/httpd -f\", env = { A = \"1\", B = \"2\" },"
		"  mounts = [{ disk = \"disk-1\", mount_point = \"/data\" }],"
		"  console_url = \"10.1.1.1:20002\", status = \"ok\" }" },
	{ "zos_machine",
		"{ node = \"n1\", flist = \"https://hub/x.tar.gz\", network = \"n\","
		"  flist_checksum = \"0123456789abcdef0123456789abcdef\", ip = \"10.1.1.9\","
		"  rootfs_size = 2048, corex = true, entrypoint = \"\", env = {} }",
		"abc/vm", "zmachine",
		"{\"flist\":\"https://hub/x.tar.gz\","
		"\"flist_checksum\":\"0123456789abcdef0123456789abcdef\","
		"\"network\":{\"interfaces\":[{\"network\":\"n/net\",\"ip\":\"10.1.1.9\"}]},"
		"\"size\":2147483648,\"compute_capacity\":{\"cpu\":1,\"memory\":268435456},"
		"\"mounts\":[],\"env\":{},\"corex\":true}",
		"{ id = \"abc\", node = \"n1\", flist = \"https://hub/x.tar.gz\", network = \"n\","
		"  flist_checksum = \"0123456789abcdef0123456789abcdef\", ip = \"10.1.1.9\", cpu = "
		"1,"
		"  memory = 256, rootfs_size = 2048, corex = true, planetary = false, entrypoint = \"\", env = {},"
		"  console_url = \"10.1.1.1:20002\", status = \"ok\" }" },
	{ "zos_gateway_name",
		"{ node = \"n1\", name = \"web\", backends = [\"http://10.1.1.2:8000\"],"
		"  network = \"net-1\" }",
		"abc/gw", "gateway-name-proxy",
		"{\"name\":\"web\",\"backends\":[\"http://"
		"10.1.1.2:8000\"],\"tls_passthrough\":false,"
		"\"network\":\"net-1/net\"}",
		"{ id = \"abc\", node = \"n1\", name = \"web\", backends = "
		"[\"http://10.1.1.2:8000\"],"
		"  network = \"net-1\", tls_passthrough = false, redirect_https = false,"
		"  fqdn = \"web.example.com\","
		"  status = \"ok\" }" },
	{ "zos_gateway_fqdn",
		"{ node = \"n1\", fqdn = \"a.b.org\", backends = [\"192.0.2.7:443\"],"
		"  tls_passthrough = true }",
		"abc/gw", "gateway-fqdn-proxy",
		"{\"fqdn\":\"a.b.org\",\"backends\":[\"192.0.2.7:443\"],\"tls_passthrough\":true}",
		"{ id = \"abc\", node = \"n1\", fqdn = \"a.b.org\", backends = [\"192.0.2.7:443\"],"
		"  tls_passthrough = true, redirect_https = false, status = \"ok\" }" },
	{ "zos_logs", "{ node = \"n1\", machine = \"m-1\", output = \"ws://logs/x\" }", "abc/logs",
		"zlogs", "{\"zmachine\":\"m-1/vm\",\"output\":\"ws://logs/x\"}",
		"{ id = \"abc\", node = \"n1\", machine = \"m-1\", output = \"ws://logs/x\","
		"  status = \"ok\" }" },
	{ "zos_network", "{ nodes = [\"n1\"] }", "abc/net", "network",
		"{\"ip_range\":\"10.1.0.0/16\",\"subnet\":\"10.1.1.0/24\",\"peers\":[]}",
		"{ id = \"abc\", nodes = [\"n1\"], ip_range = \"10.1.0.0/16\","
		"  add_wg_access = false, subnets = { n1 = \"10.1.1.0/24\" }, status = \"ok\" }" },
};

/* Created, read back, imported and recovered it is one and the same; then it is gone. */
static void test_life(void **state)
{
	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(specs); i++) {
		const char *type = specs[i].type;
		const struct provider_schema *schema = zos(type)->schema;
		struct hcl_value wanted = from_text(schema, specs[i].object);
		fake_reset();
		struct hcl_value made = create(type, specs[i].config);
		assert_same_value(specs[i].config, made, wanted);
		assert_int_equal(fake_workload_count, 1);
		assert_string_equal(fake_workloads[0].id, specs[i].id);
		assert_string_equal(fake_workloads[0].type, specs[i].workload);
		assert_string_equal(fake_workloads[0].lineage, "the-lineage");
		assert_string_equal(fake_workloads[0].address, "zos_thing.a");
		zp_autofree char *spec = cJSON_PrintUnformatted(fake_workloads[0].spec);
		assert_string_equal(spec, specs[i].spec);

		assert_same_value("read", refresh(type, made), made);
		assert_same_value(
			"no change", plan_one(type, made, specs[i].config, NULL, NULL), made);

		struct provider_operation op = operation(type, PROVIDER_RECOVER,
			provider_schema_null(schema),
			plan_one(type, provider_schema_null(schema), specs[i].config, NULL, NULL));
		assert_same_value("recover", run_op(&op), made);

		op = operation(type, PROVIDER_DELETE, made, provider_schema_null(schema));
		assert_true(hcl_is_null(run_op(&op)));
		assert_int_equal(fake_workload_count, 0);
		assert_true(hcl_is_null(run_op(&op)));
		assert_true(hcl_is_null(refresh(type, made)));
		op.verb = PROVIDER_RECOVER;
		op.planned = made;
		assert_true(hcl_is_null(run_op(&op)));
	}
}

static void test_import(void **state)
{
	(void)state;
	struct hcl_value made = create("zos_machine", machine_config);
	const struct provider_schema *schema = zos("zos_machine")->schema;
	struct provider_operation op = operation("zos_machine", PROVIDER_IMPORT,
		provider_schema_null(schema), provider_schema_null(schema));
	op.import_id = "n1/abc";
	assert_same_value("import", run_op(&op), made);

	static const char *const wrong[] = { "abc", "/abc", "n1/", "", "n1/other", "nowhere/abc" };
	for (size_t i = 0; i < ZP_ARRAY_SIZE(wrong); i++) {
		struct provider_operation *ops[] = { &op };
		op.import_id = wrong[i];
		op.type->run(&instance, ops, 1);
		assert_int_equal(op.problems.errors, 1);
		assert_true(hcl_is_null(op.result));
		provider_problems_release(&op.problems);
	}

	struct hcl_value network = create("zos_network", "{ nodes = [\"n1\", \"n2\"] }");
	op = operation("zos_network", PROVIDER_IMPORT,
		provider_schema_null(zos("zos_network")->schema),
		provider_schema_null(zos("zos_network")->schema));
	op.import_id = "abc";
	assert_same_value("network", run_op(&op), network);
}

/* --- drift --- */

static void test_degraded(void **state)
{
	(void)state;
	static const char *const config = "{ node = \"n1\", size = 3 }";
	struct hcl_value made = create("zos_disk", config);
	fake_nodes[0].status = "degraded";
	fake_nodes[0].message = "the file is too small";
	struct hcl_value seen = refresh("zos_disk", made);
	assert_string_equal(provider_get_text(seen, "status"), "degraded: the file is too small");
	size_t replaces;
	struct hcl_value planned = plan_one("zos_disk", seen, config, NULL, &replaces);
	assert_int_equal(replaces, 0);
	assert_same_value("the plan wants it repaired", planned, made);
	fake_nodes[0].status = fake_nodes[0].message = NULL;
	assert_same_value("repaired", apply("zos_disk", seen, config), made);
	assert_int_equal(fake_ensure_calls, 2);
}

/* The node has it in its books and nothing of it is left: it keeps its identity. */
static void test_lost_but_registered(void **state)
{
	(void)state;
	struct hcl_value made = create("zos_disk", "{ node = \"n1\", size = 3 }");
	fake_nodes[0].status = "absent";
	assert_string_equal(provider_get_text(refresh("zos_disk", made), "status"),
		"degraded: missing on the node");
}

static void test_spec_differs(void **state)
{
	(void)state;
	struct hcl_value made = create("zos_machine", machine_config);
	cJSON_ReplaceItemInObject(cJSON_GetObjectItem(fake_workloads[0].spec, "compute_capacity"),
		"cpu", cJSON_CreateNumber(7));
	assert_int_equal(provider_get_int(refresh("zos_machine", made), "cpu", 0), 7);
}

/* --- in place or anew --- */

static void test_replacement(void **state)
{
	static const struct {
		const char *type, *before, *after, *reason; /* reason "": in place */
	} rows[] = {
		{ "zos_disk", "{ node = \"n1\", size = 3 }", "{ node = \"n1\", size = 4 }", "" },
		{ "zos_disk", "{ node = \"n1\", size = 3 }", "{ node = \"n2\", size = 3 }",
			".node" },
#define M(more) "{ node = \"n1\", flist = \"file:///a\", network = \"x\"" more " }"
		{ "zos_machine", M(""), M(", cpu = 2"), "" },
		{ "zos_machine", M(""), M(", memory = 512"), "" },
		{ "zos_machine", M(""), M(", env = { A = \"b\" }"), "" },
		{ "zos_machine", M(""), M(", entrypoint = \"/x\""), "" },
		{ "zos_machine", M(""), M(", mounts = [{ disk = \"d\", mount_point = \"/d\" }]"),
			"" },
		{ "zos_machine", M(""), M(", rootfs_size = 600"), ".rootfs_size" },
		{ "zos_machine", M(""), M(", ip = \"10.1.1.2\""), "" },
		{ "zos_machine", M(""), M(", ip = \"10.1.1.7\""), ".ip" },
		{ "zos_machine", M(""), "{ node = \"n1\", flist = \"file:///b\", network = \"x\" }",
			".flist" },
		{ "zos_machine", M(""), "{ node = \"n1\", flist = \"file:///a\", network = \"y\" }",
			".network" },
#undef M
#define G(name, more)                                                                              \
	"{ node = \"n1\", name = \"" name "\", backends = [\"http://10.1.1.2\"]" more "}"
		{ "zos_gateway_name", G("a", ""), G("b", ""), ".name" },
		{ "zos_gateway_name", G("a", ""), G("a", ", network = \"x\""), "" },
#undef G
		{ "zos_network", "{ nodes = [\"n1\"] }", "{ nodes = [\"n2\"] }", "" },
		{ "zos_network", "{ nodes = [\"n1\"] }",
			"{ nodes = [\"n1\"], ip_range = \"10.2.0.0/16\" }", ".ip_range" },
	};
	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		fake_reset();
		struct hcl_value made = create(rows[i].type, rows[i].before);
		struct provider_plan plan = {
			.type = zos(rows[i].type),
			.instance = &instance,
			.arena = &from_text_arena,
			.prior = made,
			.config = from_text(zos(rows[i].type)->schema, rows[i].after),
		};
		zp_autobuf reason = ZP_BUF_INIT;
		provider_plan_default(&plan);
		plan.type->plan(&plan);
		for (size_t j = 0; j < plan.replace_count; j++)
			hcl_path_text(&plan.replace[j], &reason);
		if (strcmp(zp_buf_slice(&reason).ptr, rows[i].reason) != 0 || plan.problems.count)
			fail_msg("%s to %s: %s", rows[i].before, rows[i].after, reason.ptr);
		assert_int_equal(hcl_is_wholly_known(plan.planned), !*rows[i].reason);
	}
}

/* A name that another node has is given to nobody else, and who has it is told. */
static void test_names_are_given_once(void **state)
{
	static const char *const type = "zos_gateway_name";
	static const char *const config =
		"{ node = \"n2\", name = \"WEB\", backends = [\"http://10.1.1.2\"] }";
	(void)state;
	create(type, "{ node = \"n1\", name = \"web\", backends = [\"http://10.1.1.2\"] }");
	struct provider_operation op = operation(type, PROVIDER_CREATE,
		provider_schema_null(zos(type)->schema),
		plan_one(type, provider_schema_null(zos(type)->schema), config, NULL, NULL));
	struct provider_operation *ops[] = { &op };
	op.identity = "xyz";
	op.type->run(&instance, ops, 1);
	assert_int_equal(op.problems.errors, 1);
	assert_string_equal(op.problems.items[0].summary, "Name is taken");
	assert_non_null(strstr(op.problems.items[0].detail,
		"zos_thing.a on node n1 has the name \"web\" (abc/gw)"));
	assert_int_equal(op.result.state, HCL_NULL);
	assert_int_equal(fake_workload_count, 1);
	provider_problems_release(&op.problems);
	/* A node that is silent is warned of; it may have the name. */
	fake_reset();
	fake_nodes[1].unreachable = true;
	struct provider_operation other = operation(type, PROVIDER_CREATE,
		provider_schema_null(zos(type)->schema),
		plan_one(type, provider_schema_null(zos(type)->schema),
			"{ node = \"n1\", name = \"web\", backends = [\"http://10.1.1.2\"] }", NULL,
			NULL));
	ops[0] = &other;
	other.type->run(&instance, ops, 1);
	assert_int_equal(other.problems.errors, 0);
	assert_int_equal(other.problems.count, 1);
	assert_non_null(strstr(other.problems.items[0].detail, "Node n2 did not say"));
	assert_int_equal(other.result.state, HCL_KNOWN);
	provider_problems_release(&other.problems);
}

/* --- what is refused --- */

static const struct {
	const char *type, *config;
	const char *attribute,
		*text; /* what the first problem's detail contains; NULL: all is well */
} checks[] = {
	{ "zos_disk", "{ node = \"n1\", size = 1 }", NULL, NULL },
	{ "zos_disk", "{ node = unknown, size = unknown }", NULL, NULL },
	{ "zos_disk", "{ node = \"n1\", size = 0 }", "size", "from 1 to 10240" },
	{ "zos_disk", "{ node = \"n1\", size = 1.5 }", "size", "whole number" },
	{ "zos_disk", "{ node = \"n1\", size = 10241 }", "size", "from 1 to 10240" },
#define M(more) "{ node = \"n1\", flist = \"file:///a\", network = \"x\"" more " }"
	{ "zos_machine", M(""), NULL, NULL },
	{ "zos_machine",
		"{ node = unknown, flist = unknown, network = unknown, ip = unknown, cpu = unknown,"
		"  memory = unknown, rootfs_size = unknown, env = unknown, mounts = unknown }",
		NULL, NULL },
	{ "zos_machine", M(", mounts = [{ disk = unknown, mount_point = unknown }]"), NULL, NULL },
	{ "zos_machine", M(", env = { A = unknown }"), NULL, NULL },
	{ "zos_machine", M(", entrypoint = \"/bin/sh -c 'a b'\""), NULL, NULL },
	{ "zos_machine", M(", entrypoint = \"/bin/sh -c 'a\""), "entrypoint", "entrypoint: " },
	{ "zos_machine", M(", entrypoint = unknown"), NULL, NULL },
	{ "zos_machine", M(", mounts = [{ disk = \"d\", mount_point = \"/data/\" }]"), "mounts",
		"is not an absolute path" },
	{ "zos_machine",
		M(", mounts = [{ disk = unknown, mount_point = \"/a\" },"
		  "            { disk = unknown, mount_point = \"/b\" }]"),
		NULL, NULL },
	{ "zos_machine", M(", cpu = 0"), "cpu", "from 1 to 32, not 0" },
	{ "zos_machine", M(", cpu = 33"), "cpu", "from 1 to 32, not 33" },
	{ "zos_machine", M(", memory = 249"), "memory", "from 250 to" },
	{ "zos_machine", M(", memory = 250"), NULL, NULL },
	{ "zos_machine", M(", rootfs_size = 499"), "rootfs_size", "from 500 to" },
	{ "zos_machine", M(", cpu = 4, memory = 2048"), "rootfs_size", "at least 2048 MB" },
	{ "zos_machine", M(", cpu = 4, memory = 2047"), NULL, NULL },
	{ "zos_machine", M(", cpu = 4, memory = 2048, rootfs_size = 2048"), NULL, NULL },
	{ "zos_machine", M(", cpu = 4, memory = 2048, rootfs_size = unknown"), NULL, NULL },
	{ "zos_machine", M(", ip = \"10.1.1\""), "ip", "not \"10.1.1\"" },
	{ "zos_machine", M(", ip = \"10.1.1.2/24\""), "ip", "without a prefix length" },
	{ "zos_machine", M(", env = { \"A=B\" = \"c\" }"), "env", "\"A=B\" can not be the name" },
	{ "zos_machine", M(", env = { \"\" = \"c\" }"), "env", "can not be the name" },
	{ "zos_machine", M(", env = { A = null }"), "env", "\"A\" is null" },
	{ "zos_machine", M(", flist_checksum = \"xyz\""), "flist_checksum", "SHA-256" },
	{ "zos_machine", "{ node = \"n1\", flist = \"/srv/root\", network = \"x\" }", "flist",
		"begins with http://" },
	{ "zos_machine", "{ node = \"n1\", flist = \"file:///a\", network = \"my net\" }",
		"network", "is the id of a zos_network" },
	{ "zos_machine", M(", mounts = [{ disk = \"d\", mount_point = \"data\" }]"), "mounts",
		"absolute path" },
	{ "zos_machine", M(", mounts = [{ disk = \"d\", mount_point = \"/\" }]"), "mounts",
		"other than /" },
	{ "zos_machine", M(", mounts = [{ disk = \"d\", mount_point = \"/a/../b\" }]"), "mounts",
		"absolute path" },
	{ "zos_machine",
		M(", mounts = [{ disk = \"d\", mount_point = \"/a\" },"
		  "            { disk = \"e\", mount_point = \"/a\" }]"),
		"mounts", "Two disks are to be mounted at \"/a\"" },
	{ "zos_machine",
		M(", mounts = [{ disk = \"d\", mount_point = \"/a\" },"
		  "            { disk = \"d\", mount_point = \"/b\" }]"),
		"mounts", "mounted twice" },
#undef M
#define G(name, backends, more) "{ node = \"n1\", name = " name ", backends = " backends more " }"
	{ "zos_gateway_name", G("\"web\"", "[\"http://10.1.1.2\"]", ""), NULL, NULL },
	{ "zos_gateway_name", G("unknown", "unknown", ", tls_passthrough = unknown"), NULL, NULL },
	{ "zos_gateway_name", G("unknown", "[\"http://10.1.1.2\", unknown]", ""), NULL, NULL },
	{ "zos_gateway_name", G("\"a b\"", "unknown", ""), "name", "\"a b\" must be" },
	{ "zos_gateway_name", G("unknown", "[]", ""), "backends", "at least one" },
	{ "zos_gateway_name", G("\"a\"", "[\"10.1.1.2\"]", ""), "backends",
		"must begin with http" },
	{ "zos_gateway_name", G("\"a\"", "[\"http://h\"]", ""), "backends", "IP address" },
	{ "zos_gateway_name", G("\"a\"", "[\"http://10.1.1.2\"]", ", tls_passthrough = true"),
		"backends", "address:port" },
	{ "zos_gateway_name", G("\"a\"", "[\"10.1.1.2:443\"]", ", tls_passthrough = true"), NULL,
		NULL },
#undef G
	{ "zos_gateway_fqdn", "{ node = \"n1\", fqdn = \"web\", backends = [\"http://10.1.1.2\"] }",
		"fqdn", "not a full domain name" },
	{ "zos_network", "{ nodes = [\"n1\"] }", NULL, NULL },
	{ "zos_network", "{ nodes = unknown, ip_range = unknown, name = unknown }", NULL, NULL },
	{ "zos_network", "{ nodes = [] }", "nodes", "at least one" },
	{ "zos_network", "{ nodes = [\"\"] }", "nodes", "null or empty" },
	{ "zos_network", "{ nodes = [\"n1\"], ip_range = \"10.1.0.0\" }", "ip_range", "/16" },
	{ "zos_network", "{ nodes = [\"n1\"], ip_range = \"10.1.0.0/24\" }", "ip_range", "/16" },
	{ "zos_network", "{ nodes = [\"n1\"], ip_range = \"10.1.2.0/16\" }", "ip_range",
		"did you mean 10.1.0.0/16" },
	{ "zos_network", "{ nodes = [\"n1\"], ip_range = \"127.0.0.0/16\" }", "ip_range",
		"reserved" },
	{ "zos_network", "{ nodes = [\"n1\"], name = \"a-b\" }", "name", "\"a-b\"" },
};

static void test_checks(void **state)
{
	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(checks); i++) {
		struct provider_problems problems = { 0 };
		const struct provider_resource_type *type = zos(checks[i].type);
		type->validate(from_text(type->schema, checks[i].config), &problems);
		if (!checks[i].text) {
			if (problems.count)
				fail_msg("%s: %s", checks[i].config, problems.items[0].detail);
			continue;
		}
		if (!problems.errors || !strstr(problems.items[0].detail, checks[i].text))
			fail_msg("%s: %s", checks[i].config,
				problems.count ? problems.items[0].detail : "no problem found");
		assert_int_equal(problems.items[0].path.count, 1);
		assert_string_equal(problems.items[0].path.steps[0].name, checks[i].attribute);
		provider_problems_release(&problems);
	}
}

static void test_disk_does_not_shrink(void **state)
{
	(void)state;
	struct provider_problems problems;
	struct hcl_value made = create("zos_disk", "{ node = \"n1\", size = 3 }");
	plan_one("zos_disk", made, "{ node = \"n1\", size = 2 }", &problems, NULL);
	assert_int_equal(problems.errors, 1);
	assert_string_equal(problems.items[0].summary, "A disk can not shrink");
	provider_problems_release(&problems);
	/* On another node it is another disk. */
	plan_one("zos_disk", made, "{ node = \"n2\", size = 2 }", &problems, NULL);
	assert_int_equal(problems.count, 0);
}

static void test_missing_node(void **state)
{
	(void)state;
	struct provider_problems problems;
	struct hcl_value none = provider_schema_null(zos("zos_disk")->schema);
	plan_one("zos_disk", none, "{ node = \"n9\", size = 2 }", &problems, NULL);
	assert_int_equal(problems.errors, 1);
	assert_string_equal(problems.items[0].detail, "The inventory nodes.hcl has no node \"n9\". "
						      "It has: \"n1\" (1), \"n2\" (2), \"h1\" (3), \"h2\" (4).");
	provider_problems_release(&problems);
	plan_one("zos_network", provider_schema_null(zos("zos_network")->schema),
		"{ nodes = [\"n1\", \"n9\"] }", &problems, NULL);
	assert_int_equal(problems.errors, 1);
	assert_string_equal(problems.items[0].path.steps[0].name, "nodes");
	provider_problems_release(&problems);
	fake_inventory.path = NULL;
	fake_inventory.count = 0;
	plan_one("zos_disk", none, "{ node = \"n1\", size = 2 }", &problems, NULL);
	assert_string_equal(problems.items[0].summary, "No inventory of nodes");
	assert_non_null(strstr(problems.items[0].detail, "zplan sandbox up"));
	provider_problems_release(&problems);
}

/* Its address is known after apply; a node that has none to give is found at plan. */
static void test_planetary(void **state)
{
	static const char with[] = "{ node = \"n1\", flist = \"file:///r\", network = \"n\","
				   "  planetary = true }";
	static const char without[] = "{ node = \"n1\", flist = \"file:///r\", network = \"n\" }";
	static const char elsewhere[] = "{ node = \"n2\", flist = \"file:///r\", network = \"n\","
					"  planetary = true }";
	struct hcl_value none = provider_schema_null(zos("zos_machine")->schema), planned;
	struct provider_problems problems;

	(void)state;
	planned = plan_one("zos_machine", none, with, NULL, NULL);
	assert_int_equal(provider_get(planned, "planetary_ip").state, HCL_UNKNOWN);
	planned = plan_one("zos_machine", none, without, NULL, NULL);
	assert_int_equal(provider_get(planned, "planetary_ip").state, HCL_NULL);
	planned = plan_one("zos_machine", planned, with, NULL, NULL);
	assert_int_equal(provider_get(planned, "planetary_ip").state, HCL_UNKNOWN);
	fake_free.not_planetary = "node n2 does not offer planetary addresses: no block";
	plan_one("zos_machine", none, elsewhere, &problems, NULL);
	assert_int_equal(problems.errors, 1);
	assert_string_equal(problems.items[0].path.steps[0].name, "planetary");
	assert_string_equal(problems.items[0].detail,
		"The machine is to have a planetary address, and node n2 does not offer planetary "
		"addresses: no block.");
	provider_problems_release(&problems);
	fake_free.not_planetary = NULL;
}

/* --- when nodes fail --- */

static struct provider_operation failing(
	enum provider_verb verb, struct hcl_value prior, const char *config)
{
	struct hcl_value planned = config ? plan_one("zos_disk", prior, config, NULL, NULL)
					  : provider_schema_null(zos("zos_disk")->schema);
	struct provider_operation op = operation("zos_disk", verb, prior, planned);
	struct provider_operation *ops[] = { &op };
	op.type->run(&instance, ops, 1);
	assert_int_equal(op.problems.errors, 1);
	return op;
}

static void test_failures(void **state)
{
	(void)state;
	static const char *const config = "{ node = \"n1\", size = 3 }";
	struct hcl_value none = provider_schema_null(zos("zos_disk")->schema);

	fake_nodes[0].fail_ensure = NODE_E_CAPACITY;
	struct provider_operation op = failing(PROVIDER_CREATE, none, config);
	assert_true(hcl_is_null(op.result));
	assert_string_equal(op.problems.items[0].summary, "Creating zos_disk failed");
	assert_string_equal(op.problems.items[0].detail, "node n1: said no");
	provider_problems_release(&op.problems);

	/* What can not be undone is kept, so that it is destroyed later. */
	fake_nodes[0].fail_ensure = NODE_E_FAILED;
	fake_nodes[0].fail_remove = NODE_E_FAILED;
	op = failing(PROVIDER_CREATE, none, config);
	assert_string_equal(provider_get_text(op.result, "id"), "abc");
	assert_true(hcl_is_wholly_known(op.result));
	provider_problems_release(&op.problems);
	fake_nodes[0].fail_remove = 0;

	/* Nobody knows whether it was made. */
	fake_nodes[0].fail_ensure = NODE_LOST;
	op = failing(PROVIDER_CREATE, none, config);
	assert_string_equal(provider_get_text(op.result, "id"), "abc");
	provider_problems_release(&op.problems);

	fake_nodes[0].fail_ensure = 0;
	struct hcl_value made = create("zos_disk", config);
	fake_nodes[0].fail_ensure = NODE_E_FAILED;
	op = failing(PROVIDER_UPDATE, made, "{ node = \"n1\", size = 4 }");
	assert_same_value("as it was", op.result, made);
	provider_problems_release(&op.problems);

	fake_nodes[0].fail_remove = NODE_E_BUSY;
	op = failing(PROVIDER_DELETE, made, NULL);
	assert_same_value("still there", op.result, made);
	assert_string_equal(op.problems.items[0].detail, "node n1: still needed");
	provider_problems_release(&op.problems);

	fake_nodes[0].unreachable = true;
	static const enum provider_verb verbs[] = { PROVIDER_READ, PROVIDER_UPDATE,
		PROVIDER_DELETE };
	for (size_t i = 0; i < ZP_ARRAY_SIZE(verbs); i++) {
		op = failing(verbs[i], made, verbs[i] == PROVIDER_UPDATE ? config : NULL);
		assert_same_value("unchanged", op.result, made);
		assert_string_equal(op.problems.items[0].detail, "node n1 can not be reached");
		provider_problems_release(&op.problems);
	}
	op = failing(PROVIDER_CREATE, none, config);
	assert_true(hcl_is_null(op.result));
	provider_problems_release(&op.problems);
}

/* --- many at once --- */

static void test_batch(void **state)
{
	(void)state;
	enum { COUNT = 40 };
	struct provider_operation ops[COUNT], *list[COUNT];
	struct zp_arena arenas[COUNT];
	const struct provider_schema *schema = zos("zos_disk")->schema;
	for (size_t i = 0; i < COUNT; i++) {
		const char *config =
			i % 2 ? "{ node = \"n1\", size = 1 }" : "{ node = \"n2\", size = 1 }";
		zp_arena_init(&arenas[i]);
		list[i] = &ops[i];
		ops[i] = operation("zos_disk", PROVIDER_CREATE, provider_schema_null(schema),
			plan_one("zos_disk", provider_schema_null(schema), config, NULL, NULL));
		ops[i].arena = &arenas[i];
		ops[i].identity = zp_arena_format(&arenas[i], "d%zu", i);
	}
	zos("zos_disk")->run(&instance, list, COUNT);
	assert_int_equal(fake_workload_count, COUNT);
	for (size_t i = 0; i < COUNT; i++) {
		assert_int_equal(ops[i].problems.count, 0);
		assert_string_equal(provider_get_text(ops[i].result, "id"), ops[i].identity);
		ops[i].prior = ops[i].result;
		ops[i].verb = i == 7 ? PROVIDER_DELETE : PROVIDER_READ;
	}
	zos("zos_disk")->run(&instance, list, COUNT);
	assert_int_equal(fake_read_calls, 2);
	assert_int_equal(fake_remove_calls, 1);
	for (size_t i = 0; i < COUNT; i++) {
		if (i == 7)
			assert_true(hcl_is_null(ops[i].result));
		else
			assert_same_value("read", ops[i].result, ops[i].prior);
		zp_arena_release(&arenas[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_life, setup),
		cmocka_unit_test_setup(test_names_are_given_once, setup),
		cmocka_unit_test_setup(test_import, setup),
		cmocka_unit_test_setup(test_degraded, setup),
		cmocka_unit_test_setup(test_lost_but_registered, setup),
		cmocka_unit_test_setup(test_spec_differs, setup),
		cmocka_unit_test_setup(test_replacement, setup),
		cmocka_unit_test_setup(test_checks, setup),
		cmocka_unit_test_setup(test_disk_does_not_shrink, setup),
		cmocka_unit_test_setup(test_missing_node, setup),
		cmocka_unit_test_setup(test_planetary, setup),
		cmocka_unit_test_setup(test_failures, setup),
		cmocka_unit_test_setup(test_batch, setup),
	};
	int failed = cmocka_run_group_tests(tests, from_text_setup, from_text_teardown);
	fake_reset();
	return failed;
}

/* Whether nodes have room for what a plan adds, asked before anything is done. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "providers/provider.h"
#include "tests/providers/fake_client.h"
#include "tests/providers/from_text.h"

#define MEGABYTE (INT64_C(1) << 20)

static struct provider_environment environment = { .lineage = "the-lineage" };
static struct provider_instance instance = { .environment = &environment };

static int setup(void **state)
{
	(void)state;
	fake_reset();
	memset(&fake_free, 0, sizeof(fake_free));
	fake_free.cores = 4;
	fake_free.memory = 1000 * MEGABYTE;
	fake_free.disk = 10240 * MEGABYTE;
	fake_free.addresses = 2;
	environment.nodes = (struct node_pool *)&environment;
	return 0;
}

struct row {
	const char *type, *prior, *planned;
};

/* What is said of the changes, sentences joined; "" when there is room. */
static const char *said(const char *provider_name, const struct row *rows, size_t count)
{
	const struct provider *provider = provider_find(provider_name);
	struct provider_problems problems = { 0 };
	struct provider_change changes[8];
	zp_autobuf out = ZP_BUF_INIT;

	for (size_t i = 0; i < count; i++) {
		const struct provider_resource_type *type =
			provider_resource(provider, rows[i].type, false);
		changes[i] = (struct provider_change){ .type = type, .address = rows[i].type,
			.prior = from_text(type->schema, rows[i].prior),
			.planned = from_text(type->schema, rows[i].planned) };
	}
	provider->review(&instance, changes, count, &problems);
	for (size_t i = 0; i < problems.count; i++)
		zp_buf_printf(&out, "%s%s", i ? " " : "", problems.items[i].detail);
	provider_problems_release(&problems);
	return zp_arena_strdup(&from_text_arena, out.ptr ? out.ptr : "");
}

static void expect(const char *provider, const char *wanted, const struct row *rows, size_t count)
{
	const char *text = said(provider, rows, count);

	if (*wanted ? !strstr(text, wanted) : *text)
		fail_msg("%s: wanted \"%s\", got \"%s\"", rows[0].planned, wanted, text);
}

#define EXPECT(provider, wanted, ...)                                                              \
	expect(provider, wanted, (const struct row[]){ __VA_ARGS__ },                              \
		sizeof((const struct row[]){ __VA_ARGS__ }) / sizeof(struct row))

static void test_fits(void **state)
{
	(void)state;
	EXPECT("zplan/zos", "", { "zos_disk", "null", "{ node = \"n1\", size = 10 }" });
	EXPECT("zplan/zos", "", { "zos_disk", "null", "{ node = \"n1\", size = 10 }" },
		{ "zos_disk", "null", "{ node = \"n2\", size = 10 }" });
	/* What goes makes room. */
	EXPECT("zplan/zos", "", { "zos_disk", "{ node = \"n1\", size = 10 }", "null" },
		{ "zos_disk", "null", "{ node = \"1\", size = 20 }" });
	EXPECT("zplan/zos", "", { "zos_disk", "{ node = \"n1\", size = 100 }", "{ node = \"n1\", size = 110 }" });
	/* What is not known yet counts for nothing, nor does a node that nobody knows. */
	EXPECT("zplan/zos", "", { "zos_disk", "null", "{ node = unknown, size = 1000 }" },
		{ "zos_disk", "null", "{ node = \"x\", size = 1000 }" });
	EXPECT("zplan/zos", "", { "zos_ip", "null", "{ node = \"n1\", ipv4 = false, ipv6 = true }" },
		{ "zos_ip", "null", "{ node = \"n1\", ipv4 = true }" });
}

static void test_full(void **state)
{
	(void)state;
	EXPECT("zplan/zos",
		"asks node n1 for 11264 MB more disk than it gives now, for zos_disk; of its 20480 MB, 10240 MB are left",
		{ "zos_disk", "null", "{ node = \"n1\", size = 11 }" });
	/* Number and name are one node. */
	EXPECT("zplan/zos", "asks node n1 for 12288 MB more disk",
		{ "zos_disk", "null", "{ node = \"n1\", size = 6 }" },
		{ "zos_disk", "null", "{ node = \"1\", size = 6 }" });
	EXPECT("zplan/zos", "asks node n2 for 5 more cores",
		{ "zos_machine", "null", "{ node = \"n2\", cpu = 5, memory = 256, rootfs_size = 500 }" });
	EXPECT("zplan/zos", "asks node n2 for 1200 MB more memory",
		{ "zos_machine", "{ node = \"n2\", cpu = 5, memory = 300, rootfs_size = 500 }",
			"{ node = \"n2\", cpu = 1, memory = 1500, rootfs_size = 500 }" });
	EXPECT("zplan/zos", "asks node n1 for 3 more public IPv4 addresses",
		{ "zos_ip", "null", "{ node = \"n1\", ipv4 = true }" }, { "zos_ip", "null", "{ node = \"n1\", ipv4 = true }" },
		{ "zos_ip", "null", "{ node = \"n1\", ipv4 = true }" });
}

static void test_several_parts(void **state)
{
	(void)state;
	EXPECT("threefoldtech/grid", "asks node n1 for 6 more cores",
		{ "grid_deployment", "null",
			"{ node = 1, vms = [{ name = \"a\", cpu = 3, memory = 256 }, { name = \"b\", cpu = 3, memory = 256 }] }" });
	EXPECT("threefoldtech/grid", "more disk",
		{ "grid_deployment", "null", "{ node = 1, disks = [{ name = \"a\", size = 6 }, { name = \"b\", size = 6 }] }" });
	EXPECT("threefoldtech/grid", "asks node n2 for 8 more cores",
		{ "grid_kubernetes", "null",
			"{ master = [{ name = \"m\", node = 1, cpu = 1, memory = 256, disk_size = 1 }], "
			"workers = [{ name = \"w\", node = 2, cpu = 8, memory = 256, disk_size = 1 }] }" });
}

static void test_reserved(void **state)
{
	(void)state;
	fake_free.dedicated = "b";
	EXPECT("zplan/zos", "", { "zos_disk", "null", "{ node = \"n1\", size = 1 }" });
	fake_free.tenant = "a";
	EXPECT("zplan/zos", "Node n1 is reserved for tenant b", { "zos_disk", "null", "{ node = \"n1\", size = 1 }" });
	fake_free.tenant = "b";
	EXPECT("zplan/zos", "of its 20480 MB for you", { "zos_disk", "null", "{ node = \"n1\", size = 11 }" });
}

static void test_silent_node(void **state)
{
	(void)state;
	fake_nodes[0].unreachable = true;
	EXPECT("zplan/zos", "", { "zos_disk", "null", "{ node = \"n1\", size = 1000 }" });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_fits, setup),
		cmocka_unit_test_setup(test_full, setup),
		cmocka_unit_test_setup(test_several_parts, setup),
		cmocka_unit_test_setup(test_reserved, setup),
		cmocka_unit_test_setup(test_silent_node, setup),
	};

	return cmocka_run_group_tests(tests, from_text_setup, from_text_teardown);
}

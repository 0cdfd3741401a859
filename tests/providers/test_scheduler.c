/* Choosing nodes, keeping what was chosen, and what nodes say of themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "providers/provider.h"
#include "providers/scheduler/request.h"
#include "tests/providers/fake_client.h"
#include "tests/providers/from_text.h"

#define GIGABYTE (INT64_C(1) << 30)

static struct provider_environment environment = { .lineage = "the-lineage" };
static struct provider_instance instance = { .environment = &environment };

static int setup(void **state)
{
	(void)state;
	fake_reset();
	environment.nodes = (struct node_pool *)&environment;
	return 0;
}

static struct zos_fleet_node make_node(const char *name, int64_t cores, int64_t memory, int64_t disk)
{
	return (struct zos_fleet_node){ .name = name,
		.domain = "",
		.public_address = "",
		.tenant = "",
		.dedicated = "",
		.labels = hcl_map_value(hcl_string, NULL, 0),
		.capacity = { 8, 16 * GIGABYTE, 100 * GIGABYTE },
		.free = { cores, memory * GIGABYTE, disk * GIGABYTE } };
}

/* Three nodes: a is small, b has a public address and label, c is the emptiest. */
static void make_fleet(struct zos_fleet_node nodes[3])
{
	nodes[0] = make_node("a", 2, 4, 10);
	nodes[1] = make_node("b", 4, 8, 50);
	nodes[2] = make_node("c", 8, 16, 100);
	nodes[0].number = 1;
	nodes[1].number = 2;
	nodes[1].public_address = "192.0.2.2";
	nodes[1].domain = "b.example.org";
	nodes[1].farm = 7;
	nodes[1].public_ips = nodes[1].public_ips_free = 1;
	nodes[1].labels = from_text_convert(
		from_text_value("{ region = \"north\", disk = \"nvme\" }"), hcl_map_type(hcl_string));
}

/* "a b" for the nodes of the requests, or the error. kept: what the first of them has. */
static const char *choose(struct zos_fleet_node nodes[3], const char *text, const char *kept)
{
	struct hcl_value list = from_text_value(text);
	struct zos_request requests[16];
	size_t chosen[16];
	struct zos_fleet fleet = { nodes, 3 };
	zp_autoerror err = ZP_ERROR_INIT;
	zp_autobuf out = ZP_BUF_INIT;

	provider_schema_compile(&zos_request_schema);
	for (uint32_t i = 0; i < list.count; i++) {
		requests[i] = zos_request_read(
			from_text_object(&zos_request_schema, list.elements[i]));
		if (kept && i == 0)
			requests[i].kept = kept;
	}
	if (!zos_choose(&fleet, requests, list.count, chosen, &err))
		return zp_arena_strdup(&from_text_arena, zp_error_text(&err));
	for (uint32_t i = 0; i < list.count; i++)
		zp_buf_printf(&out, "%s%s", i ? " " : "", nodes[chosen[i]].name);
	return zp_arena_strdup(&from_text_arena, out.ptr ? out.ptr : "");
}

static void test_choose(void **state)
{
	static const struct {
		const char *requests, *want;
	} rows[] = {
		{ "[]", "" },
		/* Where most is left, one after the other. */
		{ "[{ name = \"x\" }]", "c" },
		{ "[{ name = \"x\", cru = 5 }, { name = \"y\", cru = 1 }]", "c b" },
		{ "[{ name = \"x\", public_config = true }]", "b" },
		{ "[{ name = \"x\", domain = true }]", "b" },
		{ "[{ name = \"x\", farm_id = 7 }]", "b" },
		{ "[{ name = \"x\", labels = { region = \"north\" } }]", "b" },
		{ "[{ name = \"x\", public_ips_count = 1 }]", "b" },
		{ "[{ name = \"x\", node_exclude = [\"c\"] }]", "b" },
		{ "[{ name = \"x\", node_exclude = [\"c\", \"2\"] }]", "a" },
		{ "[{ name = \"x\", sru = 40000, hru = 40000 }]", "c" },
		/* Distinct ones are apart, the others may be anywhere. */
		{ "[{ name = \"x\", distinct = true }, { name = \"y\", distinct = true },"
		  "{ name = \"z\", distinct = true }, { name = \"w\" }]", "c b a c" },
		/* The first comes, best seen, to the only place of the second: it gives way. */
		{ "[{ name = \"x\", cru = 4 }, { name = \"y\", cru = 8 }]", "b c" },
		{ "[{ name = \"x\", distinct = true }, { name = \"y\", distinct = true, mru = 12000 }]",
			"b c" },
		{ "[{ name = \"x\", cru = 9 }]",
			"request \"x\": no node can take it: a has 2 of 9 cores left; b has 4 of 9 cores "
			"left; c has 8 of 9 cores left" },
		{ "[{ name = \"x\", mru = 9000, public_config = true }]",
			"request \"x\": no node can take it: a has no public address; b has 8192 of 9000 "
			"MB of memory left; c has no public address" },
		{ "[{ name = \"x\", public_ips_count = 1 }, { name = \"y\", public_ips_count = 1 }]",
			"request \"y\": no node can take it: a has 0 of 1 public addresses left; b has 0 "
			"of 1 public addresses left; c has 0 of 1 public addresses left" },
		{ "[{ name = \"x\", dedicated = true }]",
			"request \"x\": no node can take it: a is not reserved for you; b is not reserved "
			"for you; c is not reserved for you" },
		{ "[{ name = \"x\", node_exclude = [\"a\", \"b\"], labels = { region = \"north\" } }]",
			"request \"x\": no node can take it: a is excluded; b is excluded; c has not the "
			"labels" },
	};
	struct zos_fleet_node nodes[3];

	(void)state;
	make_fleet(nodes);
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++)
		assert_string_equal(choose(nodes, rows[i].requests, NULL), rows[i].want);
}

static void test_kept(void **state)
{
	static const struct {
		const char *requests, *want, *kept;
	} rows[] = {
		/* What was chosen stays, and takes nothing once more. */
		{ "[{ name = \"x\", cru = 2 }, { name = \"y\", cru = 2, node_exclude = "
		  "[\"b\", \"c\"] }]", "a a", "a" },
		{ "[{ name = \"x\" }]", "c", "gone" },
		{ "[{ name = \"x\", distinct = true }, { name = \"y\", distinct = true }]",
			"a c", "a" },
	};
	struct zos_fleet_node nodes[3];

	(void)state;
	make_fleet(nodes);
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++)
		assert_string_equal(choose(nodes, rows[i].requests, rows[i].kept), rows[i].want);
}

static void test_reserved(void **state)
{
	struct zos_fleet_node nodes[3];

	(void)state;
	make_fleet(nodes);
	nodes[2].dedicated = "team-a";
	assert_string_equal(choose(nodes, "[{ name = \"x\" }]", NULL), "b");
	for (size_t i = 0; i < 3; i++)
		nodes[i].tenant = "team-a";
	assert_string_equal(choose(nodes, "[{ name = \"x\", dedicated = true }]", NULL), "c");
	nodes[2].failure = "no route";
	assert_string_equal(choose(nodes, "[{ name = \"x\", dedicated = true }]", NULL),
		"request \"x\": no node can take it: a is not reserved for you; b is not reserved for "
		"you; c can not be reached");
	/* A node that is out of reach just now loses nothing it has. */
	assert_string_equal(choose(nodes, "[{ name = \"x\" }]", "c"), "c");
}

static void test_hopeless(void **state)
{
	zp_autobuf text = ZP_BUF_INIT;
	struct zos_fleet_node nodes[3];

	(void)state;
	make_fleet(nodes);
	zp_buf_puts(&text, "[");
	for (int i = 0; i < 15; i++)
		zp_buf_printf(&text, "{ name = \"r%d\", cru = 1 },", i);
	zp_buf_puts(&text, "]");
	/* 14 cores: the fifteenth is refused, however the others are arranged. */
	assert_non_null(strstr(choose(nodes, text.ptr, NULL), "request \"r14\": no node can take it"));
}

/* --- the resource and the data sources --- */

static const struct provider_resource_type *type_of(const char *name, bool data)
{
	return provider_resource(provider_find("zos"), name, data);
}

static struct provider_operation operation(enum provider_verb verb,
	const struct provider_resource_type *type, const char *prior, const char *planned)
{
	return (struct provider_operation){ .verb = verb,
		.type = type,
		.address = "zos_scheduler.s",
		.identity = "the-id",
		.prior = from_text(type->schema, prior),
		.planned = from_text(type->schema, planned),
		.config = from_text(type->schema, planned),
		.arena = &from_text_arena };
}

static struct hcl_value run(struct provider_operation *op)
{
	op->type->run(&instance, &op, 1);
	return op->result;
}

static void test_resource(void **state)
{
	const struct provider_resource_type *type = type_of("zos_scheduler", false);
	const char *before = "{ id = \"the-id\", requests = [{ name = \"web\", public_config = true }, "
			     "{ name = \"db\" }], nodes = { web = \"n2\", db = \"h1\" } }";

	(void)state;
	struct provider_operation op = operation(PROVIDER_CREATE, type, "null",
		"{ requests = [{ name = \"web\", public_config = true, node_exclude = [\"n1\"] }, "
		"{ name = \"db\" }], nodes = unknown, id = unknown }");
	struct hcl_value made = run(&op);
	assert_same_value("created", provider_get(made, "nodes"),
		from_text_convert(from_text_value("{ web = \"n2\", db = \"n1\" }"),
			hcl_map_type(hcl_string)));
	assert_string_equal(provider_get_text(made, "id"), "the-id");
	/* Known entries of the plan are what is done. */
	op = operation(PROVIDER_UPDATE, type, before,
		"{ id = \"the-id\", requests = [{ name = \"db\" }, { name = \"new\" }], "
		"nodes = { db = \"h1\", new = unknown } }");
	assert_same_value("updated", provider_get(run(&op), "nodes"),
		from_text_convert(from_text_value("{ db = \"h1\", new = \"n1\" }"),
			hcl_map_type(hcl_string)));
	/* A request whose node no longer suits loses it; one out of reach does not. */
	fake_nodes[1].public_address = "";
	fake_nodes[2].unreachable = true;
	op = operation(PROVIDER_READ, type, before, "null");
	assert_same_value("read", provider_get(run(&op), "nodes"),
		from_text_convert(from_text_value("{ db = \"h1\" }"), hcl_map_type(hcl_string)));
	fake_nodes[1].public_address = "192.0.2.2";
	op = operation(PROVIDER_CREATE, type, "null",
		"{ requests = [{ name = \"big\", cru = 1 }], nodes = unknown, id = unknown }");
	assert_true(run(&op).state == HCL_NULL);
	assert_int_equal(op.problems.errors, 1);
	assert_non_null(strstr(op.problems.items[0].detail, "request \"big\""));
	provider_problems_release(&op.problems);
}

static void test_plan(void **state)
{
	const struct provider_resource_type *type = type_of("zos_scheduler", false);
	struct provider_plan plan = { .type = type,
		.instance = &instance,
		.arena = &from_text_arena,
		.prior = from_text(type->schema,
			"{ id = \"i\", requests = [{ name = \"a\" }, { name = \"b\" }, { name = \"c\" }], "
			"nodes = { a = \"n1\", b = \"n2\" } }") };

	(void)state;
	plan.config = from_text(type->schema,
		"{ requests = [{ name = \"a\", cru = 7 }, { name = \"b\", domain = true }, { name = \"c\" }, "
		"{ name = \"d\" }] }");
	provider_plan_default(&plan);
	type->plan(&plan);
	/* a asks for more, b for something else, c lost its node, d is new. */
	struct hcl_value nodes = provider_get(plan.planned, "nodes"), value;
	assert_int_equal(nodes.count, 4);
	assert_true(hcl_map_lookup(nodes, zp_str("a"), &value));
	assert_string_equal(value.text, "n1");
	for (size_t i = 0; i < 3; i++) {
		assert_true(hcl_map_lookup(nodes, zp_strn("bcd" + i, 1), &value));
		assert_true(value.state == HCL_UNKNOWN);
	}
}

static void test_validate(void **state)
{
	static const struct {
		const char *config, *want;
	} rows[] = {
		{ "{ requests = [{ name = \"a\" }, { name = \"b\" }] }", NULL },
		{ "{ requests = [{ name = \"a\" }, { name = \"a\" }] }", "two requests called \"a\"" },
		{ "{ requests = [{ name = \"\" }] }", "can not be empty" },
		{ "{ requests = [{ name = \"a\", mru = -1 }] }", "\"mru\" of a request" },
		{ "{ requests = [{ name = \"a\", cru = 1.5 }] }", "\"cru\" of a request" },
		{ "{ requests = [{ name = unknown, cru = unknown }] }", NULL },
	};
	const struct provider_resource_type *type = type_of("zos_scheduler", false);

	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		struct provider_problems problems = { 0 };
		type->validate(from_text(type->schema, rows[i].config), &problems);
		assert_int_equal(problems.errors, rows[i].want ? 1 : 0);
		if (rows[i].want)
			assert_non_null(strstr(problems.items[0].detail, rows[i].want));
		provider_problems_release(&problems);
	}
}

static void test_data(void **state)
{
	(void)state;
	fake_nodes[3].unreachable = true;
	struct provider_operation op = operation(
		PROVIDER_READ, type_of("zos_nodes", true), "null", "{ public_config = true }");
	struct hcl_value found = run(&op);
	struct hcl_value names = provider_get(found, "names");
	assert_int_equal(names.count, 2);
	assert_string_equal(names.elements[0].text, "n1");
	assert_string_equal(names.elements[1].text, "n2");
	assert_int_equal(provider_get(found, "unreachable").count, 1);

	op = operation(PROVIDER_READ, type_of("zos_node", true), "null", "{ node = \"2\" }");
	found = run(&op);
	assert_string_equal(provider_get_text(found, "name"), "n2");
	assert_string_equal(provider_get_text(found, "public_address"), "192.0.2.2");
	assert_int_equal(provider_get_int(found, "number", 0), 2);
	static const char *const bad[] = { "{ node = \"nope\" }", "{ node = \"h2\" }" };
	for (size_t i = 0; i < ZP_ARRAY_SIZE(bad); i++) {
		op = operation(PROVIDER_READ, type_of("zos_node", true), "null", bad[i]);
		assert_true(run(&op).state == HCL_NULL);
		assert_int_equal(op.problems.errors, 1);
		provider_problems_release(&op.problems);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_choose),
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_reserved),
		cmocka_unit_test(test_hopeless),
		cmocka_unit_test_setup(test_resource, setup),
		cmocka_unit_test_setup(test_plan, setup),
		cmocka_unit_test_setup(test_validate, setup),
		cmocka_unit_test_setup(test_data, setup),
	};

	int failed = cmocka_run_group_tests(tests, from_text_setup, from_text_teardown);
	fake_reset();
	return failed;
}

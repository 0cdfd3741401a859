/* Objects of several workloads: what nodes are told, in which order, and what failures leave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "providers/zos/composite.h"
#include "providers/zos/object.h"
#include "providers/zos/specs.h"
#include "tests/providers/fake_client.h"
#include "tests/providers/from_text.h"

/* A pod: disks and machines, each on a node of its own choice. */
static struct provider_attribute thing_attributes[] = {
	{ .name = "name", .type = "string", .flags = PROVIDER_REQUIRED },
	{ .name = "node", .type = "string", .flags = PROVIDER_REQUIRED },
	{ .name = "size", .type = "number", .flags = PROVIDER_OPTIONAL },
	{ .name = "ip", .type = "string", .flags = PROVIDER_COMPUTED },
};
static struct provider_schema thing_schema = {
	.attributes = thing_attributes,
	.attribute_count = ZP_ARRAY_SIZE(thing_attributes),
};
static struct provider_attribute attributes[] = { ZOS_ID, ZOS_STATUS };
static struct provider_block blocks[] = {
	{ .name = "disks", .nesting = PROVIDER_LIST, .schema = &thing_schema },
	{ .name = "machines", .nesting = PROVIDER_LIST, .schema = &thing_schema },
};
static struct provider_schema schema = {
	.attributes = attributes,
	.attribute_count = ZP_ARRAY_SIZE(attributes),
	.blocks = blocks,
	.block_count = ZP_ARRAY_SIZE(blocks),
};
static const struct provider_resource_type type = {
	.name = "test_pod",
	.schema = &schema,
	.identity_attribute = "id",
	.spans_nodes = true,
};

static struct provider_environment environment = { .lineage = "the-lineage" };
static struct provider_instance instance = { .environment = &environment };

static void each_thing(struct hcl_value values, const char *list,
	void (*fn)(struct zos_composition *c, struct hcl_value thing, bool disk),
	struct zos_composition *c)
{
	struct hcl_value things = provider_get(values, list);
	for (uint32_t i = 0; things.state == HCL_KNOWN && i < things.count; i++)
		fn(c, things.elements[i], list[0] == 'd');
}

static void on_node(struct zos_composition *c, struct hcl_value thing, bool disk)
{
	(void)disk;
	zos_composition_on(c, provider_get_text(thing, "node"));
}

static void nodes(struct zos_composition *c, struct hcl_value values)
{
	each_thing(values, "disks", on_node, c);
	each_thing(values, "machines", on_node, c);
}

static void add_part(struct zos_composition *c, struct hcl_value thing, bool disk)
{
	zos_part_add(c, provider_get_text(thing, "node"), disk ? ZOS_STAGE_BASE : ZOS_STAGE_MACHINE,
		disk ? "zmount" : "zmachine", thing, "%s-%s", disk ? "disk" : "vm",
		provider_get_text(thing, "name"));
}

static void parts(struct zos_composition *c, struct hcl_value values)
{
	each_thing(values, "disks", add_part, c);
	each_thing(values, "machines", add_part, c);
}

static cJSON *spec(struct zos_composition *c, const struct zos_part *part)
{
	(void)c;
	return zos_disk_spec(provider_get_int(part->values, "size", 1));
}

/* A machine that shrinks is made anew. */
static bool replaces(struct zos_composition *c, const struct zos_part *part, const cJSON *before,
	const cJSON *after)
{
	(void)c, (void)part;
	return zos_json_int(after, "size", 0) < zos_json_int(before, "size", 0);
}

static void fill(struct zos_composition *c, struct provider_builder *builder, struct hcl_value before)
{
	struct hcl_value machines = provider_get(before, "machines");
	uint32_t count = machines.state == HCL_KNOWN ? machines.count : 0;
	struct hcl_value *elements = zp_new_array(c->arena, struct hcl_value, count);
	for (uint32_t i = 0; i < count; i++) {
		struct provider_builder thing;
		provider_build(&thing, c->arena, &thing_schema, machines.elements[i]);
		const struct zos_part *part = zos_part_find(c,
			zp_arena_format(c->arena, "vm-%s",
				provider_get_text(machines.elements[i], "name")));
		if (part)
			provider_build_set(
				&thing, "ip", zos_json_text(c->arena, part->result, "ip"));
		elements[i] = provider_built(&thing);
	}
	provider_build_set(builder, "machines", hcl_list_value(thing_schema.type, elements, count));
}

static const struct zos_composite kind = {
	.nodes = nodes, .parts = parts, .spec = spec, .replaces = replaces, .fill = fill };

static int setup(void **state)
{
	(void)state;
	provider_all();
	provider_schema_compile(&schema);
	fake_reset();
	environment.nodes = (struct node_pool *)&environment;
	return 0;
}

static struct provider_operation operation(
	enum provider_verb verb, struct hcl_value prior, const char *planned)
{
	return (struct provider_operation){ .verb = verb, .type = &type, .address = "test_pod.a",
		.identity = "abc", .prior = prior, .planned = from_text(&schema, planned),
		.arena = &from_text_arena };
}

static struct hcl_value run(enum provider_verb verb, struct hcl_value prior, const char *planned)
{
	struct provider_operation op = operation(verb, prior, planned), *ops[] = { &op };
	zos_composite_run(&kind, &instance, ops, 1);
	if (op.problems.count)
		fail_msg("%s: %s", op.problems.items[0].summary, op.problems.items[0].detail);
	return op.result;
}

/* Runs what fails, saying text. */
static struct hcl_value fails(
	enum provider_verb verb, struct hcl_value prior, const char *planned, const char *text)
{
	struct provider_operation op = operation(verb, prior, planned), *ops[] = { &op };
	zos_composite_run(&kind, &instance, ops, 1);
	assert_true(op.problems.errors > 0);
	if (!strstr(op.problems.items[0].detail, text))
		fail_msg("%s: %s", op.problems.items[0].summary, op.problems.items[0].detail);
	provider_problems_release(&op.problems);
	return op.result;
}

static struct hcl_value none(void)
{
	return provider_schema_null(&schema);
}

static const char *status_of(struct hcl_value object)
{
	const char *status = provider_get_text(object, "status");
	return status ? status : "none";
}

#define DISK(name, node, size) "{ name = \"" name "\", node = \"" node "\", size = " size " }"
#define POD(disks, machines) "{ disks = [" disks "], machines = [" machines "] }"

static void test_creates_everything(void **state)
{
	(void)state;
	struct hcl_value pod = run(PROVIDER_CREATE, none(),
		POD(DISK("d", "n1", "1"), DISK("a", "n1", "1") "," DISK("b", "2", "1")));
	assert_string_equal(status_of(pod), "ok");
	assert_string_equal(provider_get_text(pod, "id"), "abc");
	assert_non_null(fake_find("n1", "abc/disk-d"));
	assert_non_null(fake_find("n1", "abc/vm-a"));
	assert_non_null(fake_find("n2", "abc/vm-b"));
	assert_string_equal(fake_find("n2", "abc/vm-b")->lineage, "the-lineage");
	struct hcl_value machines = provider_get(pod, "machines");
	assert_string_equal(provider_get_text(machines.elements[1], "ip"), "10.1.1.2");
}

static void test_update_touches_only_what_differs(void **state)
{
	(void)state;
	struct hcl_value pod = run(PROVIDER_CREATE, none(),
		POD(DISK("d", "n1", "1"), DISK("a", "n1", "1") "," DISK("b", "n2", "1")));
	fake_ensure_calls = 0;
	pod = run(PROVIDER_UPDATE, pod,
		POD(DISK("d", "n1", "2"), DISK("a", "n1", "1") "," DISK("c", "n1", "1")));
	assert_int_equal(fake_ensure_calls, 2);
	assert_int_equal(fake_remove_calls, 1);
	assert_null(fake_find("n2", "abc/vm-b"));
	assert_non_null(fake_find("n1", "abc/vm-c"));
	fake_ensure_calls = fake_remove_calls = 0;
	/* Smaller: removed and made anew. */
	run(PROVIDER_UPDATE, pod,
		POD(DISK("d", "n1", "2"), DISK("a", "n1", "0") "," DISK("c", "n1", "1")));
	assert_int_equal(fake_ensure_calls, 1);
	assert_int_equal(fake_remove_calls, 1);
}

static void test_parts_move(void **state)
{
	(void)state;
	struct hcl_value pod = run(PROVIDER_CREATE, none(), POD("", DISK("a", "n1", "1")));
	run(PROVIDER_UPDATE, pod, POD("", DISK("a", "n2", "1")));
	assert_null(fake_find("n1", "abc/vm-a"));
	assert_non_null(fake_find("n2", "abc/vm-a"));
}

static void test_failure_keeps_what_exists(void **state)
{
	(void)state;
	fake_fail_part = "/vm-b";
	fake_fail_code = NODE_E_CAPACITY;
	struct hcl_value pod = fails(PROVIDER_CREATE, none(),
		POD(DISK("d", "n1", "1"), DISK("a", "n1", "1") "," DISK("b", "n2", "1")),
		"vm-b: node n2: said no");
	assert_string_equal(status_of(pod), "degraded: the last change was not completed");
	assert_non_null(fake_find("n1", "abc/vm-a"));
	fake_fail_part = NULL;
	pod = run(PROVIDER_UPDATE, pod,
		POD(DISK("d", "n1", "1"), DISK("a", "n1", "1") "," DISK("b", "n2", "1")));
	assert_string_equal(status_of(pod), "ok");
	assert_non_null(fake_find("n2", "abc/vm-b"));
	assert_true(hcl_is_null(run(PROVIDER_DELETE, pod, "null")));
	assert_int_equal(fake_workload_count, 0);
}

static void test_what_was_refused_leaves_nothing(void **state)
{
	(void)state;
	fake_nodes[0].fail_ensure = NODE_E_INVALID;
	fake_remove_calls = 0;
	assert_true(hcl_is_null(
		fails(PROVIDER_CREATE, none(), POD("", DISK("a", "n1", "1")), "said no")));
	assert_int_equal(fake_remove_calls, 1);
	/* One that could not be taken back is remembered. */
	fake_nodes[0].fail_remove = NODE_E_FAILED;
	assert_string_equal(
		status_of(fails(PROVIDER_CREATE, none(), POD("", DISK("a", "n1", "1")), "said no")),
		"degraded: the last change was not completed");
	fake_nodes[0].unreachable = true;
	assert_true(hcl_is_null(
		fails(PROVIDER_CREATE, none(), POD("", DISK("a", "n1", "1")), "can not be reached")));
}

static void test_failed_destruction_is_remembered(void **state)
{
	(void)state;
	struct hcl_value pod =
		run(PROVIDER_CREATE, none(), POD(DISK("d", "n1", "1"), DISK("a", "n1", "1")));
	fake_fail_part = "/disk-d";
	pod = fails(PROVIDER_DELETE, pod, "null", "disk-d");
	assert_false(hcl_is_null(pod));
	assert_non_null(fake_find("n1", "abc/disk-d"));
	assert_null(fake_find("n1", "abc/vm-a"));
	fake_fail_part = NULL;
	assert_true(hcl_is_null(run(PROVIDER_DELETE, pod, "null")));
	assert_int_equal(fake_workload_count, 0);
}

static void test_reading(void **state)
{
	(void)state;
	struct hcl_value pod =
		run(PROVIDER_CREATE, none(), POD(DISK("d", "n1", "1"), DISK("a", "n1", "1")));
	assert_string_equal(status_of(run(PROVIDER_READ, pod, "null")), "ok");
	fake_drop((size_t)(fake_find("n1", "abc/vm-a") - fake_workloads));
	struct hcl_value seen = run(PROVIDER_READ, pod, "null");
	assert_string_equal(status_of(seen), "degraded: vm-a: missing on the node");
	assert_string_equal(status_of(run(PROVIDER_UPDATE, seen,
				    POD(DISK("d", "n1", "1"), DISK("a", "n1", "1")))),
		"ok");
	assert_non_null(fake_find("n1", "abc/vm-a"));
	fake_nodes[0].unreachable = true;
	fails(PROVIDER_READ, pod, "null", "can not be reached");
	fake_nodes[0].unreachable = false;
	while (fake_workload_count)
		fake_drop(0);
	assert_true(hcl_is_null(run(PROVIDER_READ, pod, "null")));
}

static void test_an_interrupted_run_is_taken_over(void **state)
{
	(void)state;
	struct provider_operation op = operation(PROVIDER_CREATE, none(),
		POD(DISK("d", "n1", "1"), DISK("a", "n2", "1"))), *ops[] = { &op };
	zos_composite_run(&kind, &instance, ops, 1);
	fake_drop((size_t)(fake_find("n2", "abc/vm-a") - fake_workloads));
	struct hcl_value pod = run(
		PROVIDER_RECOVER, none(), POD(DISK("d", "n1", "1"), DISK("a", "n2", "1")));
	assert_string_equal(provider_get_text(pod, "id"), "abc");
	assert_string_equal(status_of(pod), "degraded: vm-a: missing on the node");
	fake_drop(0);
	assert_true(hcl_is_null(
		run(PROVIDER_RECOVER, none(), POD(DISK("d", "n1", "1"), DISK("a", "n2", "1")))));
}

static void test_many_share_messages(void **state)
{
	(void)state;
	struct provider_operation list[3], *ops[3];
	static const char *const identities[] = { "p0", "p1", "p2" };
	for (size_t i = 0; i < 3; i++) {
		list[i] = operation(
			PROVIDER_CREATE, none(), POD(DISK("d", "n1", "1"), DISK("a", "n1", "1")));
		list[i].identity = identities[i];
		ops[i] = &list[i];
	}
	zos_composite_run(&kind, &instance, ops, 3);
	assert_int_equal(fake_workload_count, 6);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(list[i].problems.count, 0);
		list[i] = operation(PROVIDER_READ, list[i].result, "null");
	}
	fake_read_calls = 0;
	zos_composite_run(&kind, &instance, ops, 3);
	assert_string_equal(provider_get_text(list[2].result, "id"), "p2");
}

static void test_import(void **state)
{
	(void)state;
	run(PROVIDER_CREATE, none(), POD(DISK("d", "n1", "1"), DISK("a", "n2", "1")));
	struct provider_operation op = operation(PROVIDER_IMPORT, none(), "null"), *ops[] = { &op };
	op.identity = NULL;
	op.import_id = "abc";
	zos_composite_run(&kind, &instance, ops, 1);
	assert_int_equal(op.problems.count, 0);
	assert_string_equal(provider_get_text(op.result, "id"), "abc");
	op.import_id = "nope";
	op.result = none();
	zos_composite_run(&kind, &instance, ops, 1);
	assert_string_equal(op.problems.items[0].summary, "Cannot import what does not exist");
	provider_problems_release(&op.problems);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_creates_everything, setup),
		cmocka_unit_test_setup(test_update_touches_only_what_differs, setup),
		cmocka_unit_test_setup(test_parts_move, setup),
		cmocka_unit_test_setup(test_failure_keeps_what_exists, setup),
		cmocka_unit_test_setup(test_what_was_refused_leaves_nothing, setup),
		cmocka_unit_test_setup(test_failed_destruction_is_remembered, setup),
		cmocka_unit_test_setup(test_reading, setup),
		cmocka_unit_test_setup(test_an_interrupted_run_is_taken_over, setup),
		cmocka_unit_test_setup(test_many_share_messages, setup),
		cmocka_unit_test_setup(test_import, setup),
	};
	return cmocka_run_group_tests(tests, from_text_setup, from_text_teardown);
}

/*
 * The network workload against the kernel: what it makes works, whatever is damaged is named and
 * repaired, overlapping networks stay apart, and nothing is left when it is removed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/providers/fake_node.h"
#include "tests/providers/isolate.h"
#include "tests/providers/fake_wire.h"

#include "node/client.h"
#include "providers/network/firewall.h"
#include "providers/network/forward.h"
#include "providers/network/kernel.h"
#include "providers/network/names.h"
#include "providers/network/workload.h"

static struct node_context node;
static struct node_workload network = { .id = "u1/net", .type = "network", .tenant = "" };
static struct node_workload twin = { .id = "u2/net", .type = "network", .tenant = "" };
static struct node_workload machine = { .id = "u1/vm", .type = "zmachine", .tenant = "" };
static struct provider_network_names names;

#define SPEC "{\"ip_range\":\"10.1.0.0/16\",\"subnet\":\"10.1.2.0/24\"}"
#define MACHINE "{\"network\":{\"interfaces\":[{\"network\":\"u1/net\",\"ip\":\"10.1.2.2\"}]}}"

static void ensure(const struct node_workload *w)
{
	struct zp_error err = ZP_ERROR_INIT;
	cJSON *result = NULL;
	int rc = provider_network_workload.ensure(&node, w, &result, &err);

	if (rc < 0)
		print_error("%s\n", zp_error_text(&err));
	zp_error_clear(&err);
	assert_int_equal(rc, 0);
	assert_string_equal(
		cJSON_GetStringValue(cJSON_GetObjectItem(result, "gateway")), "10.1.2.1");
	cJSON_Delete(result);
}

static enum node_workload_status look(const struct node_workload *w, char *message, size_t size)
{
	struct zp_error err = ZP_ERROR_INIT;
	struct zp_buf text = ZP_BUF_INIT;
	enum node_workload_status status = NODE_ABSENT;
	cJSON *result = NULL;
	int rc = provider_network_workload.read(&node, w, &status, &result, &text, &err);

	snprintf(message, size, "%s", rc < 0 ? zp_error_text(&err) : zp_buf_slice(&text).ptr);
	zp_buf_release(&text);
	zp_error_clear(&err);
	cJSON_Delete(result);
	assert_int_equal(rc, 0);
	return status;
}

static void assert_ok(const struct node_workload *w)
{
	char message[1024];
	enum node_workload_status status = look(w, message, sizeof(message));

	assert_string_equal(message, "");
	assert_int_equal(status, NODE_OK);
}

static int setup(void **state)
{
	(void)state;
	if (!isolated)
		return 0;
	fake_init(&node, "/run/node");
	network.spec = cJSON_Parse(SPEC);
	twin.spec = cJSON_Parse(SPEC);
	machine.spec = cJSON_Parse(MACHINE);
	provider_network_names(&node, network.id, &names);
	fake_register(&node, &network);
	return fake_wire_internet();
}

static int teardown(void **state)
{
	(void)state;
	cJSON_Delete((cJSON *)network.spec);
	cJSON_Delete((cJSON *)twin.spec);
	cJSON_Delete((cJSON *)machine.spec);
	if (isolated)
		fake_release(&node);
	return 0;
}

static void test_absent(void **state)
{
	char message[1024];

	(void)state;
	need_isolation();
	assert_int_equal(look(&network, message, sizeof(message)), NODE_ABSENT);
}

static void test_works(void **state)
{
	char tap[16];

	(void)state;
	need_isolation();
	ensure(&network);
	assert_ok(&network);
	fake_register(&node, &machine);
	provider_machine_tap_name(&node, machine.id, tap);
	assert_int_equal(fake_wire_machine("m1", tap, names.bridge, "10.1.2.2"), 0);
	assert_true(fake_wire_reaches("m1", "10.1.2.1", NULL));
	assert_true(fake_wire_reaches("m1", "192.0.2.9", "192.0.2.1"));
	ensure(&network);
	assert_ok(&network);
}

/* ---- damage ---- */

static void run_inside(int (*fn)(void *data, struct zp_error *err), void *data)
{
	assert_int_equal(provider_netns_run(names.netns, fn, data, NULL), 0);
}

static void remove_bridge(void)
{
	assert_int_equal(provider_link_remove(names.bridge, NULL), 0);
}

static void remove_netns(void)
{
	assert_int_equal(provider_netns_remove(names.netns, NULL), 0);
}

static void remove_lan(void)
{
	assert_int_equal(provider_link_remove(names.lan, NULL), 0);
}

static void remove_uplink(void)
{
	assert_int_equal(provider_link_remove(names.uplink, NULL), 0);
}

static void detach_lan(void)
{
	assert_int_equal(provider_link_attach(names.lan, NULL, NULL), 0);
}

static void change_uplink(void)
{
	struct provider_subnet other = { 0x647f0501, 30 };

	assert_int_equal(provider_address_set(names.uplink, other, NULL), 0);
}

static int change_gateway_inside(void *data, struct zp_error *err)
{
	(void)data;
	return provider_address_set("lan0", (struct provider_subnet){ 0x0a010263, 24 }, err);
}

static void change_gateway(void)
{
	run_inside(change_gateway_inside, NULL);
}

static int flush_inside(void *data, struct zp_error *err)
{
	(void)data;
	return provider_firewall_run("flush ruleset", NULL, err);
}

static void flush_rules(void)
{
	run_inside(flush_inside, NULL);
}

static void flush_node_rules(void)
{
	assert_int_equal(provider_firewall_run("flush ruleset", NULL, NULL), 0);
}

static int readdress_inside(void *data, struct zp_error *err)
{
	/* Taking the address away takes the default route with it. */
	struct provider_subnet other = { 0x647f0702, 30 }, inner = { names.inner_address, 30 };

	(void)data;
	if (provider_address_set("up0", other, err) < 0)
		return -1;
	return provider_address_set("up0", inner, err);
}

static void lose_route(void)
{
	run_inside(readdress_inside, NULL);
}

static void detach_tap(void)
{
	char tap[16];

	provider_machine_tap_name(&node, machine.id, tap);
	assert_int_equal(provider_link_attach(tap, NULL, NULL), 0);
}

struct damage {
	void (*make)(void);
	const char *says; /* part of the message; %s stands for nothing */
};

static const struct damage damages[] = {
	{ remove_bridge, "bridge b-" },
	{ remove_netns, " is missing" },
	{ remove_lan, "link lan0 in namespace n-" },
	{ remove_uplink, "link up0 in namespace n-" },
	{ detach_lan, "is not attached to bridge b-" },
	{ change_uplink, "does not have address 100.127.0.1/30 and no other" },
	{ change_gateway, "does not have address 10.1.2.1/24 and no other" },
	{ flush_rules, "the firewall rules in namespace n-" },
	{ flush_node_rules, "the node's firewall rules are missing" },
	{ lose_route, "the default route in namespace n-" },
	{ detach_tap, "tap t-" },
};

static void test_repairs(void **state)
{
	(void)state;
	need_isolation();
	provider_network_uplink(&node, network.id, &names, NULL);
	for (size_t i = 0; i < ZP_ARRAY_SIZE(damages); i++) {
		char message[1024];

		damages[i].make();
		assert_int_equal(look(&network, message, sizeof(message)), NODE_DEGRADED);
		if (!strstr(message, damages[i].says))
			fail_msg(
				"row %zu: \"%s\" does not say \"%s\"", i, message, damages[i].says);
		ensure(&network);
		assert_ok(&network);
		if (!fake_wire_reaches("m1", "192.0.2.9", "192.0.2.1"))
			fail_msg("row %zu: repaired, but not reachable", i);
	}
}

/* Same ranges, same address: each its own; and no way from one into the other's uplink. */
static void test_isolation(void **state)
{
	struct provider_network_names other;
	char tap[16];

	(void)state;
	need_isolation();
	fake_register(&node, &twin);
	ensure(&twin);
	assert_ok(&twin);
	assert_ok(&network);
	provider_network_names(&node, twin.id, &other);
	provider_machine_tap_name(&node, "u2/vm", tap);
	assert_int_equal(fake_wire_machine("m2", tap, other.bridge, "10.1.2.2"), 0);
	assert_true(fake_wire_reaches("m2", "192.0.2.9", "192.0.2.1"));
	assert_true(fake_wire_reaches("m1", "192.0.2.9", "192.0.2.1"));
	assert_true(fake_wire_reaches("m1", "100.127.0.1", "100.127.0.2"));
	assert_false(fake_wire_reaches("m1", "100.127.0.6", NULL));
	assert_false(fake_wire_reaches("m2", "100.127.0.2", NULL));
}

static void test_forwards(void **state)
{
	struct provider_forward forwards[] = { { 20001, 0x0a010202, 8080 },
		{ 20002, 0x0a010203, 80 } };
	struct zp_buf message = ZP_BUF_INIT;
	struct zp_error err = ZP_ERROR_INIT;

	(void)state;
	need_isolation();
	assert_false(provider_forward_check(&node, network.id, forwards, 1, &message));
	zp_buf_clear(&message);
	assert_int_equal(provider_forward_apply(&node, network.id, forwards, 1, &err), 0);
	assert_true(provider_forward_check(&node, network.id, forwards, 1, &message));
	assert_int_equal(message.len, 0);
	assert_false(provider_forward_check(&node, network.id, forwards, 2, &message));
	assert_string_equal(message.ptr, "network u1/net does not forward port 20002");
	zp_buf_release(&message);
	assert_true(fake_wire_forwards("m1", 8080, "100.127.0.2", 20001));
	/* From elsewhere the port leads nowhere. */
	assert_false(fake_wire_reaches_port("m2", "100.127.0.2", 20001));
	assert_int_equal(provider_forward_apply(&node, network.id, NULL, 0, &err), 0);
	assert_false(fake_wire_forwards("m1", 8080, "100.127.0.2", 20001));
	assert_int_equal(provider_forward_apply(&node, "nowhere/net", forwards, 1, &err), -1);
	assert_string_equal(err.message, "network nowhere/net is not on this node");
	zp_error_clear(&err);
}

static void test_remove(void **state)
{
	struct zp_error err = ZP_ERROR_INIT;
	struct provider_link link;
	char message[1024];

	(void)state;
	need_isolation();
	assert_int_equal(provider_network_workload.remove(&node, &network, &err), -1);
	assert_string_equal(err.message, "network is in use by u1/vm");
	assert_int_equal(err.code, NODE_E_BUSY);
	zp_error_clear(&err);
	assert_ok(&network);

	fake_forget(&node, machine.id);
	assert_int_equal(provider_network_workload.remove(&node, &network, &err), 0);
	assert_int_equal(look(&network, message, sizeof(message)), NODE_ABSENT);
	assert_false(provider_netns_exists(names.netns));
	assert_int_equal(provider_link_get(names.bridge, &link, NULL), 0);
	assert_int_equal(link.index, 0);
	assert_int_equal(provider_network_workload.remove(&node, &network, &err), 0);
	fake_forget(&node, network.id);

	/* The other still works, and the last takes the node's rules along. */
	assert_ok(&twin);
	assert_true(fake_wire_reaches("m2", "192.0.2.9", "192.0.2.1"));
	assert_int_equal(provider_network_workload.remove(&node, &twin, &err), 0);
	assert_int_equal(provider_firewall_run("list table ip zplan_tt", NULL, NULL), -1);
	/* Asking what is left (read) leases nothing that stays after remove. */
	node_lease_release(&node, NULL, network.id, NULL);
	assert_int_equal(node.leases.count, 0);
}

static int run_all(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_absent),
		cmocka_unit_test(test_works),
		cmocka_unit_test(test_repairs),
		cmocka_unit_test(test_isolation),
		cmocka_unit_test(test_forwards),
		cmocka_unit_test(test_remove),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

int main(void)
{
	return isolate_run(run_all);
}

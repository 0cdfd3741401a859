/* Networks over several nodes: subnets, keys, peers, nodes that join and leave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sodium.h>

#include "providers/network/reach.h"
#include "providers/network/spec.h"
#include "providers/provider.h"
#include "tests/providers/fake_client.h"
#include "tests/providers/from_text.h"

static struct provider_environment environment = { .lineage = "the-lineage" };
static struct provider_instance instance = { .environment = &environment };

static int setup(void **state)
{
	(void)state;
	fake_reset();
	environment.nodes = (struct node_pool *)&environment;
	return 0;
}

static const struct provider_resource_type *network(void)
{
	return provider_resource(provider_find("zos"), "zos_network", false);
}

/* --- subnets --- */

static void test_subnets(void **state)
{
	static const struct {
		const char *range, *nodes, *prior, *want;
	} rows[] = {
		{ "10.1.0.0/16", "[\"b\", \"a\"]", "null",
			"{ a = \"10.1.1.0/24\", b = \"10.1.2.0/24\" }" },
		{ "10.1.0.0/16", "[\"a\", \"b\", \"c\"]", "{ b = \"10.1.2.0/24\" }",
			"{ a = \"10.1.1.0/24\", b = \"10.1.2.0/24\", c = \"10.1.3.0/24\" }" },
		/* One that leaves makes room for one that comes, and nobody else moves. */
		{ "10.1.0.0/16", "[\"c\", \"b\"]", "{ a = \"10.1.1.0/24\", b = \"10.1.2.0/24\" }",
			"{ b = \"10.1.2.0/24\", c = \"10.1.1.0/24\" }" },
		/* Subnets of another range, damaged or double ones are given anew. */
		{ "10.2.0.0/16", "[\"a\", \"b\"]", "{ a = \"10.1.7.0/24\", b = \"10.2.9.0/24\" }",
			"{ a = \"10.2.1.0/24\", b = \"10.2.9.0/24\" }" },
		{ "10.1.0.0/16", "[\"a\", \"b\"]", "{ a = \"rubbish\", b = \"10.1.0.0/24\" }",
			"{ a = \"10.1.1.0/24\", b = \"10.1.2.0/24\" }" },
		{ "10.1.0.0/16", "[\"a\", \"b\"]", "{ a = \"10.1.5.0/24\", b = \"10.1.5.0/24\" }",
			"{ a = \"10.1.5.0/24\", b = \"10.1.1.0/24\" }" },
		{ "10.1.0.0/16", "[\"a\", unknown]", "null", NULL },
		{ "10.1.0.0/16", "unknown", "null", NULL },
		{ NULL, "[\"a\"]", "null", NULL },
	};
	(void)state;
	const struct hcl_type *map = hcl_map_type(hcl_string), *set = hcl_set_type(hcl_string);
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		zp_autoerror err = ZP_ERROR_INIT;
		struct hcl_value nodes = from_text_convert(from_text_value(rows[i].nodes), set),
				 got;
		struct hcl_value prior = from_text_convert(from_text_value(rows[i].prior), map);
		assert_true(zos_subnets_assign(
			&from_text_arena, rows[i].range, nodes, prior, &got, &err));
		assert_same_value(rows[i].nodes, got,
			rows[i].want ? from_text_convert(from_text_value(rows[i].want), map)
				     : hcl_unknown(map));
	}
}

static void test_no_room(void **state)
{
	(void)state;
	struct hcl_value got;
	for (size_t count = 254; count <= 255; count++) {
		zp_autoerror err = ZP_ERROR_INIT;
		struct hcl_value *names = zp_new_array(&from_text_arena, struct hcl_value, count);
		for (size_t i = 0; i < count; i++)
			names[i] = hcl_string_cstr(
				&from_text_arena, zp_arena_format(&from_text_arena, "n%zu", i));
		bool fits = zos_subnets_assign(&from_text_arena, "10.1.0.0/16",
			hcl_set_value(hcl_string, names, count), hcl_null(hcl_dynamic), &got, &err);
		assert_int_equal(fits, count == 254);
		assert_int_equal(fits, err.message == NULL);
	}
}

/* --- specs --- */

#define KEY_A "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAEA="

static struct zos_member member(const char *node, int third, const char *public_address)
{
	struct zos_member made = { .node = node, .port = 10000 + third };
	made.subnet = (struct provider_subnet){ 0x0a010000u | (uint32_t)third << 8, 24 };
	snprintf(made.public_address, sizeof(made.public_address), "%s", public_address);
	assert_true(zos_member_take_key(&made, KEY_A));
	memset(made.public_key, third, sizeof(made.public_key));
	return made;
}

static void print_spec(const struct zos_member *members, size_t count, size_t self,
	const struct zos_member *laptop, char **out)
{
	zp_autoerror err = ZP_ERROR_INIT;
	struct provider_network_spec checked;
	cJSON *spec = zos_member_spec("10.1.0.0/16", members, count, self, laptop);
	/* The node's own reader accepts what is sent. */
	if (provider_network_spec_read(spec, &checked, &err) < 0)
		fail_msg("%s", err.message);
	provider_network_spec_release(&checked);
	*out = cJSON_PrintUnformatted(spec);
	cJSON_Delete(spec);
}

#define HEAD(n)                                                                                    \
	"{\"ip_range\":\"10.1.0.0/16\",\"subnet\":\"10.1." n ".0/24\",\"wireguard_private_key\":"  \
	"\"" KEY_A "\",\"wireguard_listen_port\":1000" n ",\"peers\":["
#define PEER(n, key, more, endpoint)                                                               \
	"{\"subnet\":\"10.1." n ".0/24\",\"wireguard_public_key\":\"" key "\",\"allowed_ips\":["   \
	"\"10.1." n ".0/24\",\"100.64.1." n "/32\"" more "]" endpoint "}"
#define ENDPOINT(address) ",\"endpoint\":\"" address "\""
#define KEY_1 "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="
#define KEY_2 "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI="
#define KEY_3 "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM="

static void test_specs(void **state)
{
	(void)state;
	const struct zos_member members[] = {
		member("p", 1, "192.0.2.1"),
		member("h", 2, ""),
		member("k", 3, ""),
	};
	static const char *const wanted[] = {
		HEAD("1") PEER("2", KEY_2, "", "") "," PEER("3", KEY_3, "", "") "]}",
		/* Hidden nodes reach each other through the public one only. */
		HEAD("2") PEER("1", KEY_1, ",\"10.1.3.0/24\",\"100.64.1.3/32\"",
			ENDPOINT("192.0.2.1:10001")) "]}",
		HEAD("3") PEER("1", KEY_1, ",\"10.1.2.0/24\",\"100.64.1.2/32\"",
			ENDPOINT("192.0.2.1:10001")) "]}",
	};
	for (size_t i = 0; i < ZP_ARRAY_SIZE(wanted); i++) {
		char *text;
		print_spec(members, ZP_ARRAY_SIZE(members), i, NULL, &text);
		assert_string_equal(text, wanted[i]);
		free(text);
	}
	zp_autoerror err = ZP_ERROR_INIT;
	assert_int_equal(zos_members_check(members, 3, NULL, &err), 0);
	assert_int_equal(zos_members_check(members + 1, 1, NULL, &err), 0);
	assert_int_equal(zos_members_check(members + 1, 2, NULL, &err), -1);
	assert_non_null(strstr(err.message, "public address"));
}

static void test_laptop_specs(void **state)
{
	(void)state;
	const struct zos_member members[] = { member("h", 1, ""), member("p", 2, "192.0.2.2"),
		member("q", 3, "192.0.2.3") };
	const struct zos_member laptop = member("", 9, "");
	static const char *const wanted[] = {
		HEAD("1") PEER("2", KEY_2, ",\"10.1.9.0/24\",\"100.64.1.9/32\"",
			ENDPOINT("192.0.2.2:10002")) "," PEER("3", KEY_3, "",
			ENDPOINT("192.0.2.3:10003")) "]}",
		/* The access node has it as a peer, which calls from anywhere. */
		HEAD("2") PEER("1", KEY_1, "", "") "," PEER("3", KEY_3, "",
			ENDPOINT("192.0.2.3:10003")) "," PEER("9",
			"CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=", "", "") "]}",
		HEAD("3") PEER("1", KEY_1, "", "") "," PEER("2", KEY_2,
			",\"10.1.9.0/24\",\"100.64.1.9/32\"", ENDPOINT("192.0.2.2:10002")) "]}",
	};
	for (size_t i = 0; i < ZP_ARRAY_SIZE(wanted); i++) {
		char *text;
		print_spec(members, ZP_ARRAY_SIZE(members), i, &laptop, &text);
		assert_string_equal(text, wanted[i]);
		free(text);
	}
	zp_autoerror err = ZP_ERROR_INIT;
	assert_int_equal(zos_members_check(members, 1, &laptop, &err), -1);
	assert_non_null(strstr(err.message, "add_wg_access"));
	assert_int_equal(zos_members_check(members + 1, 1, &laptop, NULL), 0);
}

static void test_keys(void **state)
{
	(void)state;
	struct zos_member a = { 0 }, b = { 0 };
	zos_member_new_key(&a);
	zos_member_new_key(&b);
	assert_memory_not_equal(a.private_key, b.private_key, 32);
	uint8_t ab[32], ba[32];
	assert_int_equal(crypto_scalarmult(ab, a.private_key, b.public_key), 0);
	assert_int_equal(crypto_scalarmult(ba, b.private_key, a.public_key), 0);
	assert_memory_equal(ab, ba, 32);
	assert_false(zos_member_take_key(&a, "not a key"));
	assert_false(zos_member_take_key(&a, NULL));
	zos_members_wipe(&a, 1);
	assert_int_equal(a.private_key[31], 0);
}

static void test_ports(void **state)
{
	(void)state;
	int port = zos_port_choose("abc/net", NULL);
	assert_in_range(port, 10000, 29999);
	assert_int_equal(zos_port_choose("abc/net", NULL), port);
	zp_autofree char *text =
		zp_format("[{\"id\":\"abc/net\",\"spec\":{\"wireguard_listen_port\":%d}},"
			  "{\"id\":\"x/vm\",\"spec\":{}}]",
			port);
	cJSON *list = cJSON_Parse(text);
	assert_int_equal(zos_port_choose("abc/net", list), port);
	cJSON_ReplaceItemInObject(
		cJSON_GetArrayItem(list, 0), "id", cJSON_CreateString("other/net"));
	int other = zos_port_choose("abc/net", list);
	assert_in_range(other, 10000, 29999);
	assert_int_not_equal(other, port);
	cJSON_Delete(list);
}

/* --- whole networks --- */

static struct provider_operation converge(struct hcl_value prior, const char *config)
{
	struct provider_plan plan = {
		.type = network(),
		.instance = &instance,
		.arena = &from_text_arena,
		.prior = prior,
		.config = from_text(network()->schema, config),
	};
	provider_plan_default(&plan);
	plan.type->plan(&plan);
	assert_int_equal(plan.problems.count, 0);
	struct provider_operation op = {
		.verb = hcl_is_null(prior) ? PROVIDER_CREATE : PROVIDER_UPDATE,
		.type = network(),
		.address = "zos_network.a",
		.identity = "abc",
		.prior = prior,
		.planned = plan.planned,
		.arena = &from_text_arena,
	};
	struct provider_operation *ops[] = { &op };
	op.type->run(&instance, ops, 1);
	return op;
}

static struct hcl_value good(struct hcl_value prior, const char *config)
{
	struct provider_operation op = converge(prior, config);
	if (op.problems.count)
		fail_msg("%s", op.problems.items[0].detail);
	return op.result;
}

static struct hcl_value nothing(void)
{
	return provider_schema_null(network()->schema);
}

static const cJSON *spec_on(const char *node)
{
	const struct fake_workload *w = fake_find(node, "abc/net");
	if (!w)
		fail_msg("no network on %s", node);
	return w->spec;
}

static const char *text_of(const cJSON *object, const char *key)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(object, key));
	return text ? text : "";
}

static const cJSON *peer_of(const cJSON *spec, const char *subnet)
{
	const cJSON *peer;
	cJSON_ArrayForEach(
		peer, cJSON_GetObjectItem(spec, "peers")) if (!strcmp(text_of(peer, "subnet"),
								      subnet)) return peer;
	fail_msg("no peer %s", subnet);
	return NULL;
}

/* The peer's public key on one node belongs to the private key on the other. */
static void assert_peers(const char *node, const char *peer)
{
	struct zos_member self = { 0 };
	const cJSON *theirs = spec_on(peer);
	assert_true(zos_member_take_key(&self, text_of(theirs, "wireguard_private_key")));
	uint8_t key[32];
	const cJSON *entry = peer_of(spec_on(node), text_of(theirs, "subnet"));
	assert_true(provider_wg_key_parse(text_of(entry, "wireguard_public_key"), key));
	assert_memory_equal(key, self.public_key, 32);
}

static void test_join_and_leave(void **state)
{
	(void)state;
	struct hcl_value one = good(nothing(), "{ nodes = [\"n1\"] }");
	assert_string_equal(text_of(spec_on("n1"), "wireguard_private_key"), "");

	struct hcl_value two = good(one, "{ nodes = [\"n1\", \"n2\"] }");
	assert_peers("n1", "n2");
	assert_peers("n2", "n1");
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(spec_on("n1"), "peers")), 1);
	zp_autofree char *key = zp_strdup(text_of(spec_on("n1"), "wireguard_private_key"));
	int port = cJSON_GetObjectItem(spec_on("n1"), "wireguard_listen_port")->valueint;
	zp_autofree char *endpoint = zp_format("192.0.2.1:%d", port);
	assert_string_equal(text_of(peer_of(spec_on("n2"), "10.1.1.0/24"), "endpoint"), endpoint);
	/* Nothing secret is in the state. */
	zp_autobuf text = ZP_BUF_INIT;
	hcl_value_to_text(&text, two, 0);
	assert_null(strstr(text.ptr, key));

	struct hcl_value three = good(two, "{ nodes = [\"n1\", \"n2\", \"h1\"] }");
	assert_string_equal(text_of(spec_on("n1"), "wireguard_private_key"), key);
	assert_int_equal(
		cJSON_GetObjectItem(spec_on("n1"), "wireguard_listen_port")->valueint, port);
	assert_peers("h1", "n1");
	assert_peers("n2", "h1");
	assert_string_equal(text_of(peer_of(spec_on("n1"), "10.1.3.0/24"), "endpoint"), "");

	struct hcl_value left = good(three, "{ nodes = [\"n2\", \"h1\"] }");
	assert_null(fake_find("n1", "abc/net"));
	assert_int_equal(fake_workload_count, 2);
	assert_string_equal(text_of(spec_on("n2"), "subnet"), "10.1.2.0/24");
	assert_int_equal(provider_get(left, "subnets").count, 2);
}

/* Another name for the same node is no move. */
static void test_laptop(void **state)
{
	(void)state;
	struct hcl_value one = good(nothing(), "{ nodes = [\"n1\"], add_wg_access = true }");
	const char *key = provider_get_text(one, "external_sk");
	const char *config = provider_get_text(one, "access_wg_config");
	assert_string_equal(provider_get_text(one, "external_ip"), "10.1.254.0/24");
	zp_autofree char *wanted = zp_format("PrivateKey = %s\n", key);
	assert_non_null(strstr(config, wanted));
	assert_non_null(strstr(config, "Address = 100.64.1.254/32\n"));
	assert_non_null(strstr(config, "AllowedIPs = 10.1.0.0/16, 100.64.0.0/16\n"));
	assert_non_null(strstr(config, "Endpoint = 192.0.2.1:"));
	struct zos_member laptop;
	uint8_t known[32];
	assert_true(zos_member_take_key(&laptop, key));
	const cJSON *peer = peer_of(spec_on("n1"), "10.1.254.0/24");
	assert_true(provider_wg_key_parse(text_of(peer, "wireguard_public_key"), known));
	assert_memory_equal(known, laptop.public_key, 32);

	/* It stays while nodes come, and nothing is to be done when nothing changes. */
	struct hcl_value two = good(one, "{ nodes = [\"n1\", \"n2\"], add_wg_access = true }");
	assert_string_equal(provider_get_text(two, "external_sk"), key);
	assert_string_equal(provider_get_text(two, "access_wg_config"), config);
	struct hcl_value same = good(two, "{ nodes = [\"n1\", \"n2\"], add_wg_access = true }");
	assert_true(hcl_value_identical(two, same));
	/* Another node is called when that one goes. */
	struct hcl_value moved = good(two, "{ nodes = [\"n2\"], add_wg_access = true }");
	assert_string_equal(provider_get_text(moved, "external_sk"), key);
	assert_non_null(strstr(provider_get_text(moved, "access_wg_config"), "Endpoint = 192.0.2.2:"));

	struct hcl_value off = good(moved, "{ nodes = [\"n2\"] }");
	assert_null(provider_get_text(off, "external_sk"));
	assert_null(provider_get_text(off, "access_wg_config"));
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(spec_on("n2"), "peers")), 0);

	struct provider_operation op =
		converge(nothing(), "{ nodes = [\"h1\"], add_wg_access = true }");
	assert_non_null(strstr(op.problems.items[0].detail, "add_wg_access"));
	provider_problems_release(&op.problems);
}

static void test_node_by_number(void **state)
{
	(void)state;
	struct hcl_value made = good(nothing(), "{ nodes = [\"h1\", \"n1\", \"n2\"] }");
	zp_autofree char *before = cJSON_PrintUnformatted(spec_on("n1"));
	struct hcl_value same = good(made, "{ nodes = [\"h1\", \"1\", \"n2\"] }"), subnet;
	zp_autofree char *after = cJSON_PrintUnformatted(spec_on("n1"));
	assert_int_equal(fake_remove_calls, 0);
	assert_true(hcl_map_lookup(provider_get(same, "subnets"), ZP_STR("1"), &subnet));
	assert_string_equal(subnet.text, "10.1.2.0/24");
	assert_string_equal(text_of(spec_on("n1"), "subnet"), "10.1.2.0/24");
	assert_int_equal(strlen(before), strlen(after));

	struct provider_plan plan = {
		.type = network(),
		.instance = &instance,
		.arena = &from_text_arena,
		.prior = nothing(),
		.config = from_text(network()->schema, "{ nodes = [\"n1\", \"1\"] }"),
	};
	provider_plan_default(&plan);
	plan.type->plan(&plan);
	assert_int_equal(plan.problems.errors, 1);
	assert_string_equal(plan.problems.items[0].detail, "\"1\" and \"n1\" are the same node.");
	provider_problems_release(&plan.problems);
}

static void test_hidden_nodes_only(void **state)
{
	(void)state;
	struct provider_operation op = converge(nothing(), "{ nodes = [\"h1\", \"h2\"] }");
	assert_int_equal(op.problems.errors, 1);
	assert_string_equal(op.problems.items[0].summary, "Nodes can not reach each other");
	assert_true(hcl_is_null(op.result));
	assert_int_equal(fake_ensure_calls, 0);
	provider_problems_release(&op.problems);
}

static void test_create_fails_on_one(void **state)
{
	(void)state;
	fake_nodes[1].fail_ensure = NODE_E_FAILED;
	struct provider_operation op = converge(nothing(), "{ nodes = [\"n1\", \"n2\"] }");
	assert_int_equal(op.problems.errors, 1);
	assert_string_equal(op.problems.items[0].detail, "node n2: said no");
	assert_true(hcl_is_null(op.result));
	assert_int_equal(fake_workload_count, 0);
	provider_problems_release(&op.problems);

	/* What can not be taken back is remembered. */
	fake_nodes[0].fail_remove = NODE_E_FAILED;
	op = converge(nothing(), "{ nodes = [\"n1\", \"n2\"] }");
	assert_string_equal(provider_get_text(op.result, "id"), "abc");
	struct hcl_value nodes = provider_get(op.result, "nodes");
	assert_true(nodes.count == 1 && !strcmp(nodes.elements[0].text, "n1"));
	provider_problems_release(&op.problems);
}

static void test_update_fails(void **state)
{
	(void)state;
	struct hcl_value made = good(nothing(), "{ nodes = [\"n1\"] }");
	/* n1 can not be left: the state goes on to name both. */
	fake_nodes[0].fail_remove = NODE_E_BUSY;
	struct provider_operation op = converge(made, "{ nodes = [\"n2\"] }");
	assert_int_equal(op.problems.errors, 1);
	assert_string_equal(op.problems.items[0].detail, "node n1: still needed");
	assert_int_equal(provider_get(op.result, "nodes").count, 2);
	provider_problems_release(&op.problems);
	/* The next attempt finishes it. */
	fake_nodes[0].fail_remove = 0;
	struct hcl_value done = good(op.result, "{ nodes = [\"n2\"] }");
	assert_int_equal(provider_get(done, "nodes").count, 1);
	assert_null(fake_find("n1", "abc/net"));
	assert_string_equal(provider_get_text(done, "status"), "ok");
}

/* A run killed while the network moved: both nodes have a part, the journal names only one of them.
 */
static void test_recover(void **state)
{
	(void)state;
	struct hcl_value made = good(nothing(), "{ nodes = [\"n1\"] }");
	fake_nodes[0].fail_remove = NODE_E_FAILED;
	struct provider_operation op = converge(made, "{ nodes = [\"n2\"] }");
	provider_problems_release(&op.problems);
	fake_nodes[0].fail_remove = 0;
	fake_nodes[3].unreachable = true;
	struct hcl_value planned = from_text(network()->schema,
		"{ nodes = [\"n2\"], ip_range = \"10.1.0.0/16\", name = \"x\" }");
	op = (struct provider_operation){
		.verb = PROVIDER_RECOVER,
		.type = network(),
		.planned = planned,
		.identity = "abc",
		.arena = &from_text_arena,
	};
	struct provider_operation *ops[] = { &op };
	op.type->run(&instance, ops, 1);
	assert_int_equal(op.problems.count, 0);
	assert_same_value("both", provider_get(op.result, "nodes"),
		from_text_convert(from_text_value("[\"n1\", \"n2\"]"), hcl_set_type(hcl_string)));
	assert_string_equal(provider_get_text(op.result, "name"), "x");
	struct hcl_value done = good(op.result, "{ nodes = [\"n2\"], name = \"x\" }");
	assert_null(fake_find("n1", "abc/net"));
	assert_int_equal(provider_get(done, "nodes").count, 1);

	/* The same where the state knew the network: what it knew, and what is found beyond it. */
	good(done, "{ nodes = [\"n1\", \"n2\"], name = \"x\" }");
	op.verb = PROVIDER_READ;
	op.prior = done;
	op.type->run(&instance, ops, 1);
	assert_int_equal(op.problems.count, 0);
	assert_int_equal(provider_get(op.result, "nodes").count, 2);
	op.planned = nothing();
	op.type->run(&instance, ops, 1);
	assert_same_value("a plain look", op.result, done);
	good(op.result, "{ nodes = [\"n2\"], name = \"x\" }");
	fake_drop((size_t)(fake_find("n1", "abc/net") - fake_workloads));
	op.verb = PROVIDER_RECOVER;
	op.prior = nothing();

	/* A removal: what is left is all there is to go by. */
	op.planned = nothing();
	op.type->run(&instance, ops, 1);
	assert_int_equal(provider_get(op.result, "nodes").count, 1);
	fake_reset();
	op.type->run(&instance, ops, 1);
	assert_true(hcl_is_null(op.result));
	assert_int_equal(op.problems.count, 0);
}

static void test_drift(void **state)
{
	(void)state;
	static const char *const config = "{ nodes = [\"n1\", \"n2\"] }";
	struct hcl_value made = good(nothing(), config);
	fake_nodes[1].status = "degraded";
	fake_nodes[1].message = "bridge missing";
	struct provider_operation op = { .verb = PROVIDER_READ,
		.type = network(),
		.prior = made,
		.identity = "abc",
		.arena = &from_text_arena };
	struct provider_operation *ops[] = { &op };
	op.type->run(&instance, ops, 1);
	assert_string_equal(provider_get_text(op.result, "status"), "degraded: n2: bridge missing");
	fake_nodes[1].status = NULL;
	assert_same_value("repaired", good(op.result, config), made);

	fake_drop((size_t)(fake_find("n2", "abc/net") - fake_workloads));
	op.type->run(&instance, ops, 1);
	assert_string_equal(
		provider_get_text(op.result, "status"), "degraded: n2: missing on the node");
	assert_same_value("made again", good(op.result, config), made);
	assert_peers("n1", "n2");

	fake_nodes[1].unreachable = true;
	op.type->run(&instance, ops, 1);
	assert_int_equal(op.problems.errors, 1);
	assert_same_value("unchanged", op.result, made);
	provider_problems_release(&op.problems);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_subnets),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_specs),
		cmocka_unit_test(test_laptop_specs),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_ports),
		cmocka_unit_test_setup(test_join_and_leave, setup),
		cmocka_unit_test_setup(test_laptop, setup),
		cmocka_unit_test_setup(test_node_by_number, setup),
		cmocka_unit_test_setup(test_hidden_nodes_only, setup),
		cmocka_unit_test_setup(test_create_fails_on_one, setup),
		cmocka_unit_test_setup(test_update_fails, setup),
		cmocka_unit_test_setup(test_recover, setup),
		cmocka_unit_test_setup(test_drift, setup),
	};
	int failed = cmocka_run_group_tests(tests, from_text_setup, from_text_teardown);
	fake_reset();
	return failed;
}

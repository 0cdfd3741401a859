/*
 * The tunnel between nodes: what is told to WireGuard to get from one set of peers to another, and
 * two nodes whose machines reach each other, also after wireguard-go died.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sodium.h>

#include "tests/providers/fake_node.h"
#include "tests/providers/isolate.h"
#include "tests/providers/fake_wire.h"

#include "providers/network/forward.h"
#include "providers/network/names.h"
#include "providers/network/wireguard.h"
#include "providers/network/workload.h"

#define AA "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define BB "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define CC "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
/* AA as a private key, with the bits that are fixed. */
#define KEY "a8aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa6a"
#define BASE64_AA "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo="
#define BASE64_BB "u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7s="
#define BASE64_CC "zMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMw="

#define SPEC                                                                                       \
	"{\"ip_range\":\"10.1.0.0/16\",\"subnet\":\"10.1.2.0/"                                     \
	"24\",\"wireguard_private_key\":\"" BASE64_AA                                              \
	"\",\"wireguard_listen_port\":5000,\"peers\":["                                            \
	"{\"subnet\":\"10.1.3.0/24\",\"wireguard_public_key\":\"" BASE64_BB                        \
	"\",\"allowed_ips\":[\"10.1.3.0/24\",\"100.64.1.3/32\"],\"endpoint\":\"192.0.2.9:5001\"}," \
	"{\"subnet\":\"10.1.4.0/24\",\"wireguard_public_key\":\"" BASE64_CC                        \
	"\",\"allowed_ips\":[\"10.1.4.0/24\"]}]}"

#define ADD_BB                                                                                     \
	"public_key=" BB "\nendpoint=192.0.2.9:5001\npersistent_keepalive_interval=25\n"           \
	"replace_allowed_ips=true\nallowed_ip=10.1.3.0/24\nallowed_ip=100.64.1.3/32\n"
#define ADD_CC "public_key=" CC "\nreplace_allowed_ips=true\nallowed_ip=10.1.4.0/24\n"
#define HAS_BB                                                                                     \
	"public_key=" BB "\nendpoint=203.0.113.5:77\nlast_handshake_time_sec=9\n"                  \
	"allowed_ip=100.64.1.3/32\nallowed_ip=10.1.3.0/24\n"
#define HAS_CC "public_key=" CC "\nallowed_ip=10.1.4.0/24\n"

struct change {
	const char *current, *changes;
};

static const struct change changes[] = {
	{ "listen_port=33\nerrno=0\n\n", "private_key=" KEY "\nlisten_port=5000\n" ADD_BB ADD_CC },
	{ "private_key=" KEY "\nlisten_port=5000\n" HAS_BB HAS_CC "errno=0\n\n", "" },
	/* One that stays is not touched when another comes. */
	{ "private_key=" KEY "\nlisten_port=5000\n" HAS_BB "errno=0\n\n", ADD_CC },
	/* One leaves: first, because what it was allowed goes to another. */
	{ "private_key=" KEY "\nlisten_port=5000\n" HAS_BB "public_key=" AA
	  "\nallowed_ip=10.1.4.0/24\nerrno=0\n\n",
		"public_key=" AA "\nremove=true\n" ADD_CC },
	/* Other ranges: the endpoint stays where the peer was last seen. */
	{ "private_key=" KEY "\nlisten_port=5000\n" HAS_CC "public_key=" BB
	  "\nallowed_ip=10.1.3.0/24\nallowed_ip=fd00::/8\nerrno=0\n\n",
		"public_key=" BB "\nreplace_allowed_ips=true\nallowed_ip=10.1.3.0/24\n"
		"allowed_ip=100.64.1.3/32\n" },
	{ "private_key=" CC "\nlisten_port=5000\n" HAS_BB HAS_CC "errno=0\n\n",
		"private_key=" KEY "\n" },
};

static void test_changes(void **state)
{
	struct provider_network_spec spec;
	cJSON *json = cJSON_Parse(SPEC);

	(void)state;
	assert_int_equal(provider_network_spec_read(json, &spec, NULL), 0);
	cJSON_Delete(json);
	for (size_t i = 0; i < ZP_ARRAY_SIZE(changes); i++) {
		struct zp_buf out = ZP_BUF_INIT;

		provider_wireguard_changes(changes[i].current, &spec, &out);
		assert_string_equal(zp_buf_slice(&out).ptr, changes[i].changes);
		zp_buf_release(&out);
	}
	provider_network_spec_release(&spec);
}

/* ---- two nodes ---- */

struct side {
	struct node_context node;
	struct node_workload w;
	struct provider_network_names names;
	char private_key[64], public_key[64];
	const char *subnet, *peer_subnet, *peer_tunnel, *peer_endpoint, *machine, *address;
	int port;
};

static struct side a = { .subnet = "10.1.2.0/24",
	.peer_subnet = "10.1.3.0/24",
	.peer_tunnel = "100.64.1.3/32",
	.peer_endpoint = "192.0.2.9:5002",
	.machine = "ma",
	.address = "10.1.2.2",
	.port = 5001 };
/* A hidden node: the other does not know where it is. */
static struct side b = { .subnet = "10.1.3.0/24",
	.peer_subnet = "10.1.2.0/24",
	.peer_tunnel = "100.64.1.2/32",
	.peer_endpoint = "192.0.2.1:5001",
	.machine = "mb",
	.address = "10.1.3.2",
	.port = 5002 };

static void make_keys(struct side *side)
{
	uint8_t secret[32], public[32];

	randombytes_buf(secret, sizeof(secret));
	crypto_scalarmult_base(public, secret);
	sodium_bin2base64(side->private_key, sizeof(side->private_key), secret, 32,
		sodium_base64_VARIANT_ORIGINAL);
	sodium_bin2base64(side->public_key, sizeof(side->public_key), public, 32,
		sodium_base64_VARIANT_ORIGINAL);
}

static cJSON *make_spec(
	const struct side *side, const struct side *peer, bool with_endpoint, const char *more)
{
	zp_autofree char *endpoint =
		with_endpoint ? zp_format(",\"endpoint\":\"%s\"", side->peer_endpoint)
			      : zp_strdup("");
	zp_autofree char *text = zp_format(
		"{\"ip_range\":\"10.1.0.0/16\",\"subnet\":\"%s\",\"wireguard_private_key\":\"%s\","
		"\"wireguard_listen_port\":%d,\"peers\":[{\"subnet\":\"%s\","
		"\"wireguard_public_key\":\"%s\",\"allowed_ips\":[\"%s\",\"%s\"%s]%s}]}",
		side->subnet, side->private_key, side->port, side->peer_subnet, peer->public_key,
		side->peer_subnet, side->peer_tunnel, more, endpoint);

	return cJSON_Parse(text);
}

static int ensure_side(void *data, struct zp_error *err)
{
	struct side *side = data;
	cJSON *result = NULL;
	int rc = provider_network_workload.ensure(&side->node, &side->w, &result, err);

	cJSON_Delete(result);
	return rc;
}

static int start_side(void *data, struct zp_error *err)
{
	struct side *side = data;
	char tap[16];

	side->w.id = "u/net";
	side->w.type = "network";
	provider_network_names(&side->node, side->w.id, &side->names);
	if (ensure_side(side, err) < 0)
		return -1;
	provider_machine_tap_name(&side->node, side->machine, tap);
	return fake_wire_machine(side->machine, tap, side->names.bridge, side->address);
}

static enum node_workload_status look(struct side *side, char *message, size_t size)
{
	struct zp_buf text = ZP_BUF_INIT;
	enum node_workload_status status = NODE_ABSENT;
	cJSON *result = NULL;

	assert_int_equal(provider_network_workload.read(
				 &side->node, &side->w, &status, &result, &text, NULL),
		0);
	snprintf(message, size, "%s", zp_buf_slice(&text).ptr);
	zp_buf_release(&text);
	cJSON_Delete(result);
	return status;
}

static void assert_ok(struct side *side)
{
	char message[512];
	enum node_workload_status status = look(side, message, sizeof(message));

	assert_string_equal(message, "");
	assert_int_equal(status, NODE_OK);
}

/* A handshake that was answered too early is tried again after some seconds. */
static bool machines_meet(const struct side *from, const struct side *to)
{
	struct wire_socket server = wire_socket("0.0.0.0", 7007);
	bool met = false;

	if (provider_netns_run(to->machine, wire_listen, &server, NULL) != 0)
		return false;
	for (int i = 0; i < 10 && !met; i++)
		met = fake_wire_reaches_port(from->machine, to->address, 7007);
	close(server.fd);
	return met;
}

static int setup(void **state)
{
	(void)state;
	isolated = isolated && access("/usr/bin/wireguard-go", X_OK) == 0 &&
		   access("/dev/net/tun", R_OK) == 0;
	if (!isolated)
		return 0;
	fake_init(&a.node, "/run/node");
	fake_init(&b.node, "/run/other");
	b.node.tag = "bb";
	b.node.wan_interface = "eth0";
	make_keys(&a);
	make_keys(&b);
	a.w.spec = make_spec(&a, &b, false, "");
	b.w.spec = make_spec(&b, &a, true, "");
	return fake_wire_internet();
}

static int release_side(void *data, struct zp_error *err)
{
	struct side *side = data;

	(void)err;
	fake_release(&side->node);
	cJSON_Delete((cJSON *)side->w.spec);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (!isolated)
		return 0;
	release_side(&a, NULL);
	return release_side(&b, NULL);
}

static void test_mesh(void **state)
{
	struct zp_error err = ZP_ERROR_INIT;
	int rc;

	(void)state;
	need_isolation();
	rc = start_side(&a, &err);
	rc |= provider_netns_run("inet", start_side, &b, &err);
	if (rc)
		print_error("%s\n", zp_error_text(&err));
	zp_error_clear(&err);
	assert_int_equal(rc, 0);
	assert_ok(&a);
	assert_true(machines_meet(&b, &a));
	assert_true(machines_meet(&a, &b));
	assert_int_equal(ensure_side(&a, NULL), 0);
	assert_true(machines_meet(&a, &b));
}

/* A port of one node's uplink that leads to a machine of the other node. */
static void test_forward(void **state)
{
	struct provider_forward forward = { 20001, 0x0a010302, 8080 };
	bool arrives = false;

	(void)state;
	need_isolation();
	assert_int_equal(provider_forward_apply(&a.node, a.w.id, &forward, 1, NULL), 0);
	for (int i = 0; i < 5 && !arrives; i++)
		arrives = fake_wire_forwards("mb", 8080, "100.127.0.2", 20001);
	assert_true(arrives);
}

static void test_update(void **state)
{
	char message[512];

	(void)state;
	need_isolation();
	cJSON_Delete((cJSON *)a.w.spec);
	a.w.spec = make_spec(&a, &b, true, ",\"10.1.9.0/24\"");
	assert_int_equal(look(&a, message, sizeof(message)), NODE_DEGRADED);
	assert_non_null(strstr(message, "routes over w-"));
	assert_int_equal(ensure_side(&a, NULL), 0);
	assert_ok(&a);
	cJSON_Delete((cJSON *)a.w.spec);
	a.w.spec = make_spec(&a, &b, true, "");
	assert_int_equal(ensure_side(&a, NULL), 0);
	assert_ok(&a);
	assert_true(machines_meet(&a, &b));
}

static void test_restart(void **state)
{
	zp_autofree char *tunnel = NULL;
	char message[512];
	bool changed = false;

	(void)state;
	need_isolation();
	tunnel = zp_strdup(a.names.tunnel);
	node_helper_stop(&a.node, tunnel, NULL);
	assert_int_equal(look(&a, message, sizeof(message)), NODE_DEGRADED);
	assert_non_null(strstr(message, "wireguard-go of w-"));
	assert_int_equal(provider_network_workload.tick(&a.node, &a.w, &changed, NULL), 0);
	assert_false(changed);
	/* As the node's supervisor does. */
	assert_int_equal(
		node_helper_start(&a.node, tunnel,
			(const char *const[]){ "/usr/bin/wireguard-go", "-f", tunnel, NULL }, NULL),
		0);
	for (int i = 0; i < 300 && !provider_wireguard_restarted(&a.names); i++)
		poll(NULL, 0, 10);
	assert_int_equal(provider_network_workload.tick(&a.node, &a.w, &changed, NULL), 0);
	assert_true(changed);
	assert_ok(&a);
	/* It knows where the other is, so it asks for a new session at once. */
	assert_true(machines_meet(&a, &b));
}

/* The namespace is taken away under the tunnel. */
static void test_repair(void **state)
{
	(void)state;
	need_isolation();
	assert_int_equal(provider_netns_remove(a.names.netns, NULL), 0);
	assert_int_equal(ensure_side(&a, NULL), 0);
	assert_ok(&a);
}

static int remove_side(void *data, struct zp_error *err)
{
	struct side *side = data;

	return provider_network_workload.remove(&side->node, &side->w, err);
}

static void test_remove(void **state)
{
	(void)state;
	need_isolation();
	assert_int_equal(remove_side(&a, NULL), 0);
	assert_int_equal(provider_netns_run("inet", remove_side, &b, NULL), 0);
	assert_int_equal(node_helper_pid(&a.node, a.names.tunnel), 0);
	assert_false(provider_netns_exists(a.names.netns));
	assert_false(provider_netns_exists(b.names.netns));
}

static int run_all(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_mesh),
		cmocka_unit_test(test_forward),
		cmocka_unit_test(test_update),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_repair),
		cmocka_unit_test(test_remove),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

int main(void)
{
	return isolate_run(run_all);
}

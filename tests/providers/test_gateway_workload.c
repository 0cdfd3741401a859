/*
 * The gateway workloads with a real HAProxy: from the internet, by name, into machines of a private
 * network. Whatever is damaged is named and repaired, other sites never notice a change, and
 * nothing is left when the last one is removed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/providers/fake_node.h"
#include "tests/providers/isolate.h"
#include "tests/providers/fake_site.h"
#include "tests/providers/hello.h"

#include "node/client.h"
#include "providers/gateway/certificate.h"
#include "providers/gateway/workload.h"
#include "providers/network/firewall.h"
#include "providers/network/names.h"
#include "providers/network/workload.h"

#define NETWORK "{\"ip_range\":\"10.1.0.0/16\",\"subnet\":\"10.1.2.0/24\"}"
#define MACHINE "{\"network\":{\"interfaces\":[{\"network\":\"u1/net\"}]}}"
#define WWW                                                                                        \
	"{\"name\":\"www\",\"network\":\"u1/net\",\"backends\":[\"http://10.1.2.2:8080\","         \
	"\"http://10.1.2.3:8080\"]}"

static struct node_context node;
static struct node_workload network = { .id = "u1/net", .type = "network", .tenant = "" };
static struct node_workload machines[] = {
	{ .id = "u1/m1", .type = "zmachine", .tenant = "" },
	{ .id = "u1/m2", .type = "zmachine", .tenant = "" },
};
static struct provider_network_names names;
static struct fake_site sites[2];

static const struct node_workload_type *type_of(const char *kind)
{
	return strcmp(kind, "name") == 0 ? &provider_gateway_name_workload
					 : &provider_gateway_fqdn_workload;
}

/* Heap: "ok <fqdn>", or the error's text. *code (may be NULL) is the error's. */
static char *ensure(const char *kind, const char *id, const char *json, int *code)
{
	const struct node_workload_type *type = type_of(kind);
	struct node_workload w = { .id = id, .type = type->name, .tenant = "" };
	struct zp_error err = ZP_ERROR_INIT;
	cJSON *spec = cJSON_Parse(json), *result = NULL;
	char *text;

	w.spec = spec;
	if (type->ensure(&node, &w, &result, &err) == 0)
		text = zp_format(
			"ok %s", cJSON_GetStringValue(cJSON_GetObjectItem(result, "fqdn")));
	else
		text = zp_strdup(zp_error_text(&err));
	if (code)
		*code = err.code;
	zp_error_clear(&err);
	cJSON_Delete(spec);
	cJSON_Delete(result);
	return text;
}

static void assert_ensure(const char *kind, const char *id, const char *json, const char *expected)
{
	char *text = ensure(kind, id, json, NULL);
	bool equal = strcmp(text, expected) == 0;

	if (!equal)
		print_error("%s\n", text);
	free(text);
	assert_true(equal);
}

static enum node_workload_status look(
	const char *kind, const char *id, const char *json, char *message, size_t size)
{
	const struct node_workload_type *type = type_of(kind);
	struct node_workload w = { .id = id, .type = type->name, .tenant = "" };
	struct zp_buf text = ZP_BUF_INIT;
	enum node_workload_status status = NODE_ABSENT;
	cJSON *spec = cJSON_Parse(json), *result = NULL;
	int rc;

	w.spec = spec;
	rc = type->read(&node, &w, &status, &result, &text, NULL);
	snprintf(message, size, "%s", zp_buf_slice(&text).ptr);
	zp_buf_release(&text);
	cJSON_Delete(spec);
	cJSON_Delete(result);
	assert_int_equal(rc, 0);
	return status;
}

static void assert_ok(const char *kind, const char *id, const char *json)
{
	char message[1024];
	enum node_workload_status status = look(kind, id, json, message, sizeof(message));

	assert_string_equal(message, "");
	assert_int_equal(status, NODE_OK);
}

static void remove_gateway(const char *kind, const char *id)
{
	const struct node_workload_type *type = type_of(kind);
	struct node_workload w = { .id = id, .type = type->name, .tenant = "" };

	assert_int_equal(type->remove(&node, &w, NULL), 0);
}

static void ensure_network(void)
{
	cJSON *result = NULL;

	assert_int_equal(provider_network_workload.ensure(&node, &network, &result, NULL), 0);
	cJSON_Delete(result);
}

/* Body of http://192.0.2.1/ asked by that name; the status is in *status. */
static const char *fetch_http(const char *host, long *status)
{
	static struct fetch fetch;

	fetch = (struct fetch){ .url = "http://192.0.2.1/", .host = host };
	*status = fake_fetch(&fetch);
	return fetch.body;
}

static long fetch_status(const char *host)
{
	long status;

	fetch_http(host, &status);
	return status;
}

static int wire_machines(void)
{
	static const char *const ns[] = { "m1", "m2" };
	static const char *const address[] = { "10.1.2.2", "10.1.2.3" };

	for (int i = 0; i < 2; i++) {
		char tap[16];

		provider_machine_tap_name(&node, machines[i].id, tap);
		machines[i].spec = cJSON_Parse(MACHINE);
		fake_register(&node, &machines[i]);
		if (fake_wire_machine(ns[i], tap, names.bridge, address[i]) != 0 ||
			fake_site_start(&sites[i], ns[i], 8080, ns[i]) != 0)
			return -1;
	}
	return 0;
}

static int setup(void **state)
{
	(void)state;
	isolated = isolated && access("/usr/sbin/haproxy", X_OK) == 0;
	if (!isolated)
		return 0;
	curl_global_init(CURL_GLOBAL_DEFAULT);
	fake_init(&node, "/run/node");
	network.spec = cJSON_Parse(NETWORK);
	fake_register(&node, &network);
	provider_network_names(&node, network.id, &names);
	if (fake_wire_internet() != 0)
		return -1;
	ensure_network();
	return wire_machines();
}

static int teardown(void **state)
{
	(void)state;
	fake_site_stop(&sites[0]);
	fake_site_stop(&sites[1]);
	cJSON_Delete((cJSON *)network.spec);
	cJSON_Delete((cJSON *)machines[0].spec);
	cJSON_Delete((cJSON *)machines[1].spec);
	if (isolated)
		fake_release(&node);
	return 0;
}

static void test_refused(void **state)
{
	char message[256];

	(void)state;
	need_isolation();
	assert_int_equal(look("name", "u1/gw", WWW, message, sizeof(message)), NODE_ABSENT);
	node.domain = "";
	assert_ensure("name", "u1/gw", WWW,
		"name: node alpha has no domain, so it can not serve names (domain in node.hcl)");
	node.domain = "a.example";
	node.wan_address = "";
	assert_ensure("name", "u1/gw", WWW,
		"node alpha has no public address, so it can not be a gateway");
	node.wan_address = "192.0.2.1";
	assert_ensure("name", "u1/gw",
		"{\"name\":\"x\",\"network\":\"u9/net\",\"backends\":[\"http://10.1.2.2\"]}",
		"network: u9/net is not on node alpha");
	assert_int_equal(node_helper_pid(&node, "haproxy"), 0);
}

/* Someone else has the port: said, and nothing stays behind. */
static void test_port_taken(void **state)
{
	struct wire_socket server = wire_socket("0.0.0.0", 80);
	char *text;
	bool said;

	(void)state;
	need_isolation();
	assert_int_equal(wire_listen(&server, NULL), 0);
	text = ensure("name", "u1/gw", WWW, NULL);
	close(server.fd);
	said = strstr(text, "HAProxy did not take over its configuration: ") &&
	       strstr(text, "cannot bind socket (Address already in use) for [192.0.2.1:80]");
	if (!said)
		print_error("%s\n", text);
	free(text);
	assert_true(said);
	assert_int_equal(node_helper_pid(&node, "haproxy"), 0);
	assert_false(zp_file_exists("/run/node/gateway/proxies/u1~gw.json"));
	assert_null(fake_find(&node, "gateway-name", NULL, NULL));
}

static void test_serves(void **state)
{
	struct fetch secure = { .url = "https://www.a.example/",
		.authority = "/run/node/gateway/ca.pem" };
	bool seen[2] = { false, false };
	long status;

	(void)state;
	need_isolation();
	assert_ensure("name", "u1/gw", WWW, "ok www.a.example");
	assert_ok("name", "u1/gw", WWW);
	for (int i = 0; i < 8; i++) {
		const char *body =
			fetch_http(i % 2 ? "www.a.example" : "WWW.A.example:80", &status);

		assert_int_equal(status, 200);
		seen[0] |= strcmp(body, "m1") == 0;
		seen[1] |= strcmp(body, "m2") == 0;
	}
	assert_true(seen[0] && seen[1]);
	assert_string_equal(
		fetch_http("other.a.example", &status), "No site has this name here.\n");
	assert_int_equal(status, 404);
	assert_int_equal(fake_fetch(&secure), 200);
	assert_int_equal(secure.body[0], 'm');
	/* Nothing but the public address is listened on. */
	assert_false(fake_wire_reaches_port("m1", "100.127.0.1", 80));
	assert_true(fake_wire_reaches_port("m1", "192.0.2.1", 80));
}

static void test_again_is_nothing(void **state)
{
	struct stat before, after;

	(void)state;
	need_isolation();
	assert_int_equal(stat("/run/node/gateway/haproxy.cfg", &before), 0);
	assert_ensure("name", "u1/gw", WWW, "ok www.a.example");
	assert_int_equal(stat("/run/node/gateway/haproxy.cfg", &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
}

static void test_name_taken(void **state)
{
	int code = 0;
	char *text;
	bool right;

	(void)state;
	need_isolation();
	text = ensure("name", "u2/gw", WWW, &code);
	right = strcmp(text, "www.a.example is taken: u1/gw has it") == 0;
	free(text);
	assert_true(right);
	assert_int_equal(code, NODE_E_BUSY);
	/* The same name by the other kind. */
	text = ensure("fqdn", "u2/gw",
		"{\"fqdn\":\"WWW.a.example\",\"backends\":[\"http://192.0.2.9\"]}", &code);
	free(text);
	assert_int_equal(code, NODE_E_BUSY);
	assert_ok("name", "u1/gw", WWW);
}

static void test_dead_backend_is_skipped(void **state)
{
	long status;

	(void)state;
	need_isolation();
	fake_site_stop(&sites[0]);
	for (int i = 0; i < 6; i++) {
		const char *body = fetch_http("www.a.example", &status);

		assert_string_equal(body, "m2");
		assert_int_equal(status, 200);
	}
	assert_int_equal(fake_site_start(&sites[0], "m1", 8080, "m1"), 0);
}

/* ---- damage ---- */

static void kill_haproxy(void)
{
	kill(node_helper_pid(&node, "haproxy"), SIGKILL);
	while (node_helper_pid(&node, "haproxy") > 0)
		poll(NULL, 0, 5);
}

static int drop_forwards_inside(void *data, struct zp_error *err)
{
	(void)data;
	return provider_firewall_run("delete table ip zplan_gateway", NULL, err);
}

static void drop_forwards(void)
{
	assert_int_equal(provider_netns_run(names.netns, drop_forwards_inside, NULL, NULL), 0);
}

static void lose_namespace(void)
{
	assert_int_equal(provider_netns_remove(names.netns, NULL), 0);
	ensure_network();
}

static void damage_store(void)
{
	assert_int_equal(zp_file_write_atomic(
				 "/run/node/gateway/proxies/u1~gw.json", zp_str("{"), 0600, NULL),
		0);
}

struct damage {
	void (*make)(void);
	const char *says;
};

static const struct damage damages[] = {
	{ kill_haproxy, "HAProxy does not run" },
	{ drop_forwards, "network u1/net forwards nothing" },
	{ lose_namespace, "network u1/net forwards nothing" },
	{ damage_store, "www.a.example is served with other settings" },
};

static void test_repairs(void **state)
{
	(void)state;
	need_isolation();
	for (size_t i = 0; i < ZP_ARRAY_SIZE(damages); i++) {
		char message[1024];

		damages[i].make();
		assert_int_equal(
			look("name", "u1/gw", WWW, message, sizeof(message)), NODE_DEGRADED);
		assert_string_equal(message, damages[i].says);
		assert_ensure("name", "u1/gw", WWW, "ok www.a.example");
		assert_ok("name", "u1/gw", WWW);
		assert_int_equal(fetch_status("www.a.example"), 200);
	}
}

/*
 * HAProxy rejects a configuration (a stored proxy is nonsense): the running one stays. It is loaded
 * anew for the first proxy that passes TLS through.
 */
static void test_rejected(void **state)
{
	static const char *const other =
		"{\"fqdn\":\"b.example\",\"tls_passthrough\":true,\"backends\":[\"192.0.2.9:1\"]}";
	static const char *const nonsense =
		"{\"id\":\"x\",\"fqdn\":\"x.y\",\"tls_passthrough\":true,"
		"\"servers\":[{\"host\":\"a b c\",\"port\":1}]}";
	zp_autofree char *text = NULL;

	(void)state;
	need_isolation();
	assert_int_equal(zp_file_write_atomic(
				 "/run/node/gateway/proxies/x.json", zp_str(nonsense), 0600, NULL),
		0);
	text = ensure("fqdn", "u3/gw", other, NULL);
	assert_non_null(strstr(text, "HAProxy rejects its configuration: "));
	assert_non_null(strstr(text, "'server tcp_1/s1'"));
	assert_int_equal(fetch_status("www.a.example"), 200);
	assert_false(zp_file_exists("/run/node/gateway/proxies/u3~gw.json"));
	assert_ok("name", "u1/gw", WWW);
	assert_int_equal(unlink("/run/node/gateway/proxies/x.json"), 0);

	/* A damaged certificate is no reason to reject anything: it is made anew. */
	assert_int_equal(zp_file_write_atomic("/run/node/gateway/certs/www.a.example.pem",
				 zp_str("garbage\n"), 0600, NULL),
		0);
	assert_ensure("fqdn", "u3/gw", other, "ok b.example");
	assert_ok("fqdn", "u3/gw", other);
	assert_ok("name", "u1/gw", WWW);
	remove_gateway("fqdn", "u3/gw");
}

struct visitor {
	atomic_bool stop;
	atomic_size_t asked;
	size_t failed;
};

/* Asks again and again over one kept connection, and over new ones. */
static void *visit(void *arg)
{
	struct visitor *visitor = arg;
	struct fetch kept = {
		.url = "http://192.0.2.1/", .host = "www.a.example", .handle = curl_easy_init()
	};
	struct fetch fresh = { .url = "http://192.0.2.1/", .host = "www.a.example" };

	while (!atomic_load(&visitor->stop)) {
		atomic_fetch_add(&visitor->asked, 2);
		visitor->failed += fake_fetch(&kept) != 200;
		visitor->failed += fake_fetch(&fresh) != 200;
	}
	curl_easy_cleanup(kept.handle);
	return NULL;
}

/* Proxies of every kind come and go beside one that is being visited: no request of it fails. */
static void test_changes_are_not_noticed(void **state)
{
	static struct visitor visitor;
	pthread_t thread;

	(void)state;
	need_isolation();
	assert_int_equal(pthread_create(&thread, NULL, visit, &visitor), 0);
	/* Changes are quick, and so many more fit between two requests. */
	for (int i = 0; i < 4 || (i < 200 && atomic_load(&visitor.asked) <= 50); i++) {
		free(ensure("name", "u4/a",
			"{\"name\":\"a\",\"network\":\"u1/net\",\"backends\":[\"http://"
			"10.1.2.2:8080\"]}",
			NULL));
		free(ensure("name", "u4/b",
			"{\"name\":\"b\",\"tls_passthrough\":true,\"backends\":[\"192.0.2.9:443\"]"
			"}",
			NULL));
		remove_gateway("name", "u4/a");
		remove_gateway("name", "u4/b");
	}
	atomic_store(&visitor.stop, true);
	pthread_join(thread, NULL);
	print_message("%zu requests, %zu failed\n", atomic_load(&visitor.asked), visitor.failed);
	assert_true(atomic_load(&visitor.asked) > 50);
	assert_int_equal(visitor.failed, 0);
	assert_ok("name", "u1/gw", WWW);
}

/* Another backend, and out of the network: the port leads nowhere any more. */
static void test_update(void **state)
{
	static const char *const one =
		"{\"name\":\"www\",\"network\":\"u1/net\",\"backends\":[\"http://10.1.2.3:8080\"]}";
	static const char *const public =
		"{\"name\":\"www\",\"backends\":[\"http://192.0.2.9:8080\"]}";
	struct fake_site site;
	char message[256];
	long status;

	(void)state;
	need_isolation();
	assert_int_equal(look("name", "u1/gw", one, message, sizeof(message)), NODE_DEGRADED);
	assert_string_equal(message, "www.a.example is served with other settings");
	assert_ensure("name", "u1/gw", one, "ok www.a.example");
	for (int i = 0; i < 3; i++)
		assert_string_equal(fetch_http("www.a.example", &status), "m2");
	assert_int_equal(fake_site_start(&site, "inet", 8080, "outside"), 0);
	assert_ensure("name", "u1/gw", public, "ok www.a.example");
	assert_string_equal(fetch_http("www.a.example", &status), "outside");
	fake_site_stop(&site);
	assert_int_equal(provider_netns_run(names.netns, drop_forwards_inside, NULL, NULL), -1);
	assert_ensure("name", "u1/gw", WWW, "ok www.a.example");
}

/* Bytes of two hellos with different names, on the same port: one goes on, the other does not. */
static void test_passes_tls_on(void **state)
{
	static const char *const raw = "{\"name\":\"raw\",\"network\":\"u1/net\","
				       "\"tls_passthrough\":true,\"redirect_https\":true,"
				       "\"backends\":[\"10.1.2.2:8443\"]}";
	struct wire_socket server = wire_socket("0.0.0.0", 8443);
	struct hello sent = { .name = "raw.a.example" }, other = { .name = "www.a.example" };
	char got[HELLO_MAX];
	int fd;

	(void)state;
	need_isolation();
	assert_int_equal(provider_netns_run("m1", wire_listen, &server, NULL), 0);
	assert_ensure("name", "u1/raw", raw, "ok raw.a.example");
	assert_ok("name", "u1/raw", raw);
	hello_make(&sent);
	assert_int_equal(provider_netns_run("inet", hello_send, &sent, NULL), 0);
	/* Health checks connect too, and say nothing. */
	do {
		fd = accept(server.fd, NULL, NULL);
		assert_true(fd >= 0);
	} while (!hello_receive(fd, got, sent.len) && close(fd) == 0);
	assert_memory_equal(got, sent.bytes, sent.len);
	assert_int_equal(send(fd, "untouched", 9, 0), 9);
	assert_int_equal(recv(sent.fd, got, 9, MSG_WAITALL), 9);
	assert_memory_equal(got, "untouched", 9);
	close(fd);
	close(sent.fd);
	/* The other name's hello is answered by the gateway itself: a handshake record, a server's hello. */
	hello_make(&other);
	assert_int_equal(provider_netns_run("inet", hello_send, &other, NULL), 0);
	assert_int_equal(recv(other.fd, got, 6, MSG_WAITALL), 6);
	assert_int_equal(got[0], 0x16);
	assert_int_equal(got[5], 0x02);
	close(other.fd);
	assert_int_equal(fetch_status("raw.a.example"), 308);
	remove_gateway("name", "u1/raw");
	close(server.fd);
}

/* A backend that accepts connections and answers nothing is passed over, once it is asked. */
static void test_health_is_asked_for(void **state)
{
	static const char *const checked = "{\"name\":\"www\",\"network\":\"u1/net\","
					   "\"health_check\":\"/health\",\"backends\":["
					   "\"http://10.1.2.2:8080\",\"http://10.1.2.3:9999\"]}";
	struct wire_socket silent = wire_socket("0.0.0.0", 9999);
	int quick = 0;

	(void)state;
	need_isolation();
	assert_int_equal(provider_netns_run("m2", wire_listen, &silent, NULL), 0);
	assert_ensure("name", "u1/gw", checked, "ok www.a.example");
	assert_ok("name", "u1/gw", checked);
	for (time_t end = time(NULL) + 20; quick < 6 && time(NULL) < end;)
		quick = fetch_status("www.a.example") == 200 ? quick + 1 : 0;
	assert_int_equal(quick, 6);
	close(silent.fd);
	/* And back to one that is like the others. */
	assert_ensure("name", "u1/gw", WWW, "ok www.a.example");
	assert_ok("name", "u1/gw", WWW);
	assert_int_equal(fetch_status("www.a.example"), 200);
}

/* Text of the result's member, heap; NULL when it has none. */
static char *result_member(const char *id, const char *json, const char *member)
{
	struct node_workload w = { .id = id, .type = "gateway-name-proxy", .tenant = "" };
	cJSON *spec = cJSON_Parse(json), *result = NULL;
	const char *text;
	char *copy;

	w.spec = spec;
	assert_int_equal(provider_gateway_name_workload.ensure(&node, &w, &result, NULL), 0);
	text = cJSON_GetStringValue(cJSON_GetObjectItem(result, member));
	copy = text ? zp_strdup(text) : NULL;
	cJSON_Delete(spec);
	cJSON_Delete(result);
	return copy;
}

/* A certificate of node.hcl takes the place of the authority's, where it names the name. */
static void test_certificate_of_the_node(void **state)
{
	struct fetch secure = { .url = "https://www.a.example/",
		.authority = "/run/bought/ca.pem" };
	char *authority;

	(void)state;
	need_isolation();
	authority = result_member("u1/gw", WWW, "certificate_authority");
	assert_non_null(authority);
	assert_non_null(strstr(authority, "BEGIN CERTIFICATE"));
	free(authority);
	assert_int_equal(fake_fetch(&secure), 0);

	assert_int_equal(provider_certificate_ensure("/run/bought", "bought", "*.a.example", NULL), 0);
	node.certificates[0] = "/run/bought/certs/*.a.example.pem";
	node.certificate_count = 1;
	kill_haproxy();
	authority = result_member("u1/gw", WWW, "certificate_authority");
	assert_null(authority);
	assert_int_equal(fake_fetch(&secure), 200);

	/* One that can not be used costs nobody anything. */
	node.certificates[0] = "/etc/hostname";
	kill_haproxy();
	authority = result_member("u1/gw", WWW, "certificate_authority");
	assert_non_null(authority);
	free(authority);
	secure.authority = "/run/node/gateway/ca.pem";
	assert_int_equal(fake_fetch(&secure), 200);
	node.certificate_count = 0;
}

static void test_remove(void **state)
{
	struct zp_error err = ZP_ERROR_INIT;
	struct node_workload gateway = {
		.id = "u1/gw", .type = "gateway-name-proxy", .tenant = ""
	};
	char message[256];

	(void)state;
	need_isolation();
	/* The network knows who needs it. */
	gateway.spec = cJSON_Parse(WWW);
	fake_forget(&node, "u1/m1");
	fake_forget(&node, "u1/m2");
	fake_register(&node, &gateway);
	assert_int_equal(provider_network_workload.remove(&node, &network, &err), -1);
	assert_string_equal(err.message, "network is in use by u1/gw");
	zp_error_clear(&err);
	fake_forget(&node, "u1/gw");
	cJSON_Delete((cJSON *)gateway.spec);

	remove_gateway("name", "u1/gw");
	assert_int_equal(look("name", "u1/gw", WWW, message, sizeof(message)), NODE_ABSENT);
	assert_int_equal(node_helper_pid(&node, "haproxy"), 0);
	assert_false(fake_wire_reaches_port("inet", "192.0.2.1", 80));
	assert_false(zp_file_exists("/run/node/gateway/haproxy.cfg"));
	assert_false(zp_file_exists("/run/node/gateway/certs/www.a.example.pem"));
	remove_gateway("name", "u1/gw");
	assert_int_equal(provider_network_workload.remove(&node, &network, &err), 0);
	for (size_t i = 0; i < node.leases.count; i++)
		print_error("%s of %s\n", node.leases.items[i].pool, node.leases.items[i].holder);
	assert_int_equal(node.leases.count, 0);
}

static int run_all(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_port_taken),
		cmocka_unit_test(test_serves),
		cmocka_unit_test(test_again_is_nothing),
		cmocka_unit_test(test_name_taken),
		cmocka_unit_test(test_dead_backend_is_skipped),
		cmocka_unit_test(test_repairs),
		cmocka_unit_test(test_rejected),
		cmocka_unit_test(test_changes_are_not_noticed),
		cmocka_unit_test(test_update),
		cmocka_unit_test(test_passes_tls_on),
		cmocka_unit_test(test_health_is_asked_for),
		cmocka_unit_test(test_certificate_of_the_node),
		cmocka_unit_test(test_remove),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

int main(void)
{
	return isolate_run(run_all);
}

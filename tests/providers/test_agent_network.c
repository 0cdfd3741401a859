/*
 * Networks and gateways through a real agent: asked over its socket, killed and started again. The
 * agent runs as a process of its own within the test's namespaces; its helpers end with the test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/file.h"
#include "node/agent.h"
#include "node/client.h"
#include "node/context.h"
#include "providers/gateway/workload.h"
#include "providers/network/kernel.h"
#include "providers/network/workload.h"
#include "tests/providers/fake_site.h"
#include "tests/providers/isolate.h"

#define NETWORK "{\"ip_range\":\"10.1.0.0/16\",\"subnet\":\"10.1.2.0/24\"}"
#define WWW "{\"name\":\"www\",\"network\":\"u1/net\",\"backends\":[\"http://10.1.2.2:8080\"]}"

static const char config[] = "name = \"alpha\"\ntag = \"al\"\ndomain = \"a.example\"\n"
			     "wan_interface = \"wan0\"\nwan_address = \"192.0.2.1\"\n";
static const char nodes[] = "node \"alpha\" { connect = \"unix:///run/alpha/agent.sock\" }\n";

static pid_t agent;
static struct zp_diags diags;
static struct node_inventory *inventory;
static struct node_pool *pool;
static struct fake_site site;

static void run_agent(void)
{
	static const struct node_workload_type *const items[] = { &provider_network_workload,
		&provider_gateway_name_workload, &provider_gateway_fqdn_workload };
	static const struct node_workload_types types = { items, ZP_ARRAY_SIZE(items) };
	struct node_agent_options options = { .root = "/run/alpha", .config = "/run/node.hcl" };
	zp_autoerror err = ZP_ERROR_INIT;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (!freopen("/run/agent.log", "a", stderr) || node_agent_run(&options, &types, &err) < 0)
		fprintf(stderr, "%s\n", zp_error_text(&err));
	_exit(0);
}

static void start_agent(void)
{
	agent = fork();
	if (agent == 0)
		run_agent();
}

static void stop_agent(int number)
{
	if (agent > 0) {
		kill(agent, number);
		waitpid(agent, NULL, 0);
	}
	agent = 0;
}

/* The client, as soon as the agent listens. */
static struct node_client *client(void)
{
	for (int i = 0; i < 100; i++) {
		struct node_client *found = node_pool_get(pool, "alpha", NULL);
		cJSON *facts = found ? node_call(found, "node.facts", NULL, NULL) : NULL;

		cJSON_Delete(facts);
		if (facts)
			return found;
		poll(NULL, 0, 50);
	}
	fail_msg("the agent does not answer");
	return NULL;
}

static int setup(void **state)
{
	(void)state;
	isolated = isolated && access("/usr/sbin/haproxy", X_OK) == 0;
	if (!isolated)
		return 0;
	if (zp_file_write_atomic("/run/node.hcl", zp_str(config), 0600, NULL) != 0 ||
		zp_file_write_atomic("/run/nodes.hcl", zp_str(nodes), 0600, NULL) != 0 ||
		fake_wire_internet() != 0)
		return -1;
	curl_global_init(CURL_GLOBAL_DEFAULT);
	zp_diags_init(&diags);
	inventory = node_inventory_load("/run/nodes.hcl", &diags);
	pool = node_pool_new(inventory);
	start_agent();
	return 0;
}

/* Helpers outlive the agent by design; their pids are in their files. */
static void end_helper(const char *path)
{
	struct zp_buf text = ZP_BUF_INIT;
	cJSON *json;

	if (zp_file_read(path, 65536, &text, NULL) == 0 && (json = cJSON_Parse(text.ptr))) {
		pid_t pid = (pid_t)cJSON_GetNumberValue(cJSON_GetObjectItem(json, "pid"));

		if (pid > 1)
			kill(pid, SIGTERM);
		cJSON_Delete(json);
	}
	zp_buf_release(&text);
}

static int teardown(void **state)
{
	(void)state;
	if (!isolated)
		return 0;
	fake_site_stop(&site);
	stop_agent(SIGTERM);
	end_helper("/run/alpha/run/haproxy.helper");
	node_pool_free(pool);
	node_inventory_free(inventory);
	zp_diags_release(&diags);
	return 0;
}

/* Heap: the result as text, or the error with its code. */
static char *ensure(const char *id, const char *type, const char *json)
{
	struct node_workload w = {
		.id = id, .type = type, .tenant = "", .lineage = "l", .address = "test.this"
	};
	struct zp_error err = ZP_ERROR_INIT;
	cJSON *spec = cJSON_Parse(json);
	char *text;

	w.spec = spec;
	cJSON *result = node_ensure(client(), &w, &err);
	if (result)
		text = cJSON_PrintUnformatted(result);
	else
		text = zp_format("%d %s", err.code, zp_error_text(&err));
	cJSON_Delete(result);
	cJSON_Delete(spec);
	zp_error_clear(&err);
	return text;
}

/* "status: message" */
static void read_state(const char *id, char text[512])
{
	cJSON *answer = node_read(client(), &id, 1, NULL);
	const cJSON *entry = cJSON_GetArrayItem(answer, 0);

	snprintf(text, 512, "%s: %s", cJSON_GetStringValue(cJSON_GetObjectItem(entry, "status")),
		cJSON_GetStringValue(cJSON_GetObjectItem(entry, "message")));
	cJSON_Delete(answer);
}

static void assert_state(const char *id, const char *expected)
{
	char text[512];

	read_state(id, text);
	assert_string_equal(text, expected);
}

/* The agent looks after its workloads once a second; a busy machine takes longer. */
static void await_state(const char *id, const char *expected)
{
	char text[512];

	read_state(id, text);
	for (int i = 0; i < 300 && strcmp(text, expected) != 0; i++) {
		poll(NULL, 0, 100);
		read_state(id, text);
	}
	assert_string_equal(text, expected);
}

static void test_made(void **state)
{
	struct fetch fetch = { .url = "http://192.0.2.1/", .host = "www.a.example" };
	char *text;
	cJSON *result;
	char tap[16];

	(void)state;
	need_isolation();
	text = ensure("u1/net", "network", NETWORK);
	result = cJSON_Parse(text);
	free(text);
	assert_non_null(result);
	node_short_name("t", "al", "u1/vm", tap);
	assert_int_equal(
		fake_wire_machine("m1", tap,
			cJSON_GetStringValue(cJSON_GetObjectItem(result, "bridge")), "10.1.2.2"),
		0);
	cJSON_Delete(result);
	assert_int_equal(fake_site_start(&site, "m1", 8080, "page"), 0);
	text = ensure("u1/gw", "gateway-name-proxy", WWW);
	result = cJSON_Parse(text);
	free(text);
	assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(result, "fqdn")), "www.a.example");
	assert_non_null(cJSON_GetObjectItem(result, "certificate_authority"));
	cJSON_Delete(result);
	assert_state("u1/net", "ok: ");
	assert_state("u1/gw", "ok: ");
	assert_int_equal(fake_fetch(&fetch), 200);
	assert_string_equal(fetch.body, "page");
}

static void assert_says(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" does not say \"%s\"", text, part);
}

static void test_refused(void **state)
{
	char *text;

	(void)state;
	need_isolation();
	text = ensure("u2/gw", "gateway-name-proxy", WWW);
	assert_says(text, "-32002 ");
	assert_says(text, "www.a.example is taken: ");
	assert_says(text, "u1/gw");
	free(text);
	assert_int_equal(node_remove(client(), "u2/gw", NULL), 0);
	text = ensure("u2/net", "network", "{}");
	assert_says(text, "-32000 ");
	assert_says(text, "ip_range: required, but not given");
	free(text);
	struct zp_error err = ZP_ERROR_INIT;
	assert_int_equal(node_remove(client(), "u1/net", &err), -1);
	assert_says(zp_error_text(&err), "network is in use by u1/gw");
	assert_int_equal(err.code, NODE_E_BUSY);
	zp_error_clear(&err);
}

/* What runs goes on running without the agent, and the next one knows it. */
static void test_agent_dies(void **state)
{
	struct fetch fetch = { .url = "http://192.0.2.1/", .host = "www.a.example" };

	(void)state;
	need_isolation();
	stop_agent(SIGKILL);
	assert_int_equal(fake_fetch(&fetch), 200);
	start_agent();
	assert_state("u1/net", "ok: ");
	assert_state("u1/gw", "ok: ");
	assert_int_equal(fake_fetch(&fetch), 200);
}

/* As at a reboot: the agent makes everything again, in order. */
static void test_reboot(void **state)
{
	struct fetch fetch = { .url = "http://192.0.2.1/", .host = "www.a.example" };
	char name[16];
	long status = 0;

	(void)state;
	need_isolation();
	stop_agent(SIGTERM);
	end_helper("/run/alpha/run/haproxy.helper");
	node_short_name("n", "al", "u1/net", name);
	assert_int_equal(provider_netns_remove(name, NULL), 0);
	assert_int_equal(zp_remove_tree("/run/alpha/run", NULL), 0);
	start_agent();
	client();
	for (int i = 0; i < 50 && status == 0; i++) {
		status = fake_fetch(&fetch);
		poll(NULL, 0, 100);
	}
	assert_true(status > 0);
	assert_state("u1/net", "ok: ");
	assert_state("u1/gw", "ok: ");
}

static void test_haproxy_dies(void **state)
{
	struct fetch fetch = { .url = "http://192.0.2.1/", .host = "www.a.example" };
	long status = 0;

	(void)state;
	need_isolation();
	end_helper("/run/alpha/run/haproxy.helper");
	for (int i = 0; i < 600 && status != 404; i++) {
		/* The machine's tap went with its bridge; that the gateway answers is what counts.
		 */
		fetch.host = "nobody.a.example";
		status = fake_fetch(&fetch);
		poll(NULL, 0, 50);
	}
	assert_int_equal(status, 404);
	await_state("u1/gw", "ok: ");
}

static void test_removed(void **state)
{
	struct provider_link link;
	char name[16];

	(void)state;
	need_isolation();
	assert_int_equal(node_remove(client(), "u1/gw", NULL), 0);
	assert_int_equal(node_remove(client(), "u1/net", NULL), 0);
	assert_false(zp_file_exists("/run/alpha/run/haproxy.helper"));
	node_short_name("b", "al", "u1/net", name);
	assert_int_equal(provider_link_get(name, &link, NULL), 0);
	assert_int_equal(link.index, 0);
	assert_false(fake_wire_reaches_port("inet", "192.0.2.1", 80));
}

static int run_all(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_made),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_agent_dies),
		cmocka_unit_test(test_reboot),
		cmocka_unit_test(test_haproxy_dies),
		cmocka_unit_test(test_removed),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

int main(void)
{
	return isolate_run(run_all);
}

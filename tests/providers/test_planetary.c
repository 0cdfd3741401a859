/* What yggdrasil is told, what may pass, and what nodes without it say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "node/client.h"
#include "node/context_internal.h"
#include "providers/planetary/planetary.h"

static struct node_context *node;
static char folder[] = "/tmp/zplan-planetary-XXXXXX";

static const char settings[] = "name = \"n1\"\ntag = \"al\"\nplanetary {\n"
			       "  peers = [\"tls://192.0.2.9:9001\", \"tcp://192.0.2.8:1\"]\n"
			       "  listen = [\"tls://192.0.2.1:9001\"]\n}\n";

static int load(const char *text, struct zp_error *err)
{
	zp_autofree char *path = zp_format("%s/node.hcl", folder);

	node_context_free(node);
	node = node_context_new(folder);
	if (zp_file_write_atomic(path, zp_str(text), 0600, err) < 0)
		return -1;
	return node_settings_load(&node->settings, path, err);
}

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	node = node_context_new(folder);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	node_context_free(node);
	return zp_remove_tree(folder, NULL);
}

static void test_config(void **state)
{
	static const char key[] = "{\"Peers\":[\"x\"],\"PublicKey\":\"p\",\"PrivateKey\":\"s\","
				  "\"IfName\":\"auto\",\"IfMTU\":65535}";
	struct zp_error err = ZP_ERROR_INIT;

	(void)state;
	assert_int_equal(load(settings, NULL), 0);
	zp_autofree char *text = provider_planetary_config(node, key, "y-1", "/r/sock", NULL);
	assert_string_equal(text,
		"{\"PublicKey\":\"p\",\"PrivateKey\":\"s\",\"IfMTU\":65535,"
		"\"Peers\":[\"tls://192.0.2.9:9001\",\"tcp://192.0.2.8:1\"],"
		"\"Listen\":[\"tls://192.0.2.1:9001\"],\"MulticastInterfaces\":[],"
		"\"AdminListen\":\"unix:///r/sock\",\"IfName\":\"y-1\",\"NodeInfoPrivacy\":true}");
	assert_null(provider_planetary_config(node, "{\"PrivateKey\"", "y-1", "/r/sock", &err));
	assert_string_equal(zp_error_text(&err), "the node's planetary key is damaged");
	zp_error_clear(&err);
}

static void test_not_offered(void **state)
{
	struct zp_error err = ZP_ERROR_INIT;

	(void)state;
	assert_int_equal(load("name = \"n2\"\n", NULL), 0);
	assert_int_equal(provider_planetary_check(node, &err), -1);
	assert_string_equal(zp_error_text(&err),
		"node n2 does not offer planetary addresses: its node.hcl has no \"planetary\" "
		"block");
	assert_int_equal(err.code, NODE_E_INVALID);
	zp_error_clear(&err);
	assert_int_equal(load("planetary {\n  peers = [\"192.0.2.9\"]\n}\n", &err), -1);
	assert_non_null(strstr(zp_error_text(&err), "line 2: Unsuitable address"));
	zp_error_clear(&err);
}

static void test_rules(void **state)
{
	struct provider_planetary planetary = { .bridge = "z-1", .link = "y-1" };
	struct zp_buf out = ZP_BUF_INIT;

	(void)state;
	assert_int_equal(inet_pton(AF_INET6, "300:1:2:3::", &planetary.prefix), 1);
	provider_planetary_rules("al", &planetary, &out);
	assert_non_null(strstr(out.ptr, "iifname \"q-*\" ether type ip6 iifname . ether saddr . "
					"ip6 saddr @own accept\n"));
	assert_non_null(strstr(out.ptr, "iifname \"z-1\" ip6 saddr 300:1:2:3::/64 oifname \"y-1\" "
					"ip6 daddr 200::/7 accept\n"));
	zp_buf_release(&out);
}

/* The address follows from the identity and the node's prefix. */
static void test_card(void **state)
{
	struct provider_planetary planetary = { .bridge = "z-1", .link = "y-1" }, found;
	struct provider_planetary_card card, other;
	zp_autofree char *kept = zp_format("%s/planetary", folder);
	zp_autofree char *prefix = zp_format("%s/prefix", kept);

	(void)state;
	assert_int_equal(load(settings, NULL), 0);
	assert_int_equal(inet_pton(AF_INET6, "300:1:2:3::", &planetary.prefix), 1);
	provider_planetary_card(node, &planetary, "u1/vm", &card);
	assert_true(zp_str_starts(zp_str(card.address), "300:1:2:3:"));
	assert_true(zp_str_starts(zp_str(card.tap), "q-"));
	provider_planetary_card(node, &planetary, "u2/vm", &other);
	assert_string_not_equal(card.address, other.address);
	assert_string_not_equal(card.tap, other.tap);
	assert_int_equal(provider_planetary_find(node, &found), -1);
	assert_int_equal(zp_mkdirs(kept, 0700, NULL), 0);
	assert_int_equal(zp_file_write_atomic(prefix, ZP_STR("300:1:2:3::"), 0600, NULL), 0);
	assert_int_equal(provider_planetary_find(node, &found), 0);
	assert_string_equal(found.gateway, "300:1:2:3::1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_not_offered),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_card),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

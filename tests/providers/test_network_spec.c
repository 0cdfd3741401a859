/* What the spec of a network workload may hold, and what is said about one that is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "providers/network/spec.h"

#define KEY "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="
#define BASE "\"ip_range\":\"10.1.0.0/16\",\"subnet\":\"10.1.2.0/24\""
#define WG BASE ",\"wireguard_private_key\":\"" KEY "\",\"wireguard_listen_port\":51820"
#define PEER(more) "{\"subnet\":\"10.1.3.0/24\",\"wireguard_public_key\":\"" KEY "\"" more "}"

struct wrong {
	const char *json, *message;
};

static const struct wrong wrongs[] = {
	{ "[]", "the network's specification must be an object" },
	{ "{}", "ip_range: required, but not given" },
	{ "{\"ip_range\":5}", "ip_range: must be text" },
	{ "{\"ip_range\":\"\"}", "ip_range: must not be empty" },
	{ "{\"ip_range\":\"10.1.0.0\"}",
		"ip_range: \"10.1.0.0\" is not an IPv4 range with prefix /16" },
	{ "{\"ip_range\":\"10.1.0.0/24\"}",
		"ip_range: \"10.1.0.0/24\" is not an IPv4 range with prefix /16" },
	{ "{\"ip_range\":\"10.1.0.0/016\"}",
		"ip_range: \"10.1.0.0/016\" is not an IPv4 range with prefix /16" },
	{ "{\"ip_range\":\"10.1.0.300/16\"}",
		"ip_range: \"10.1.0.300/16\" is not an IPv4 range with prefix /16" },
	{ "{\"ip_range\":\"10.1.2.0/16\"}", "ip_range: \"10.1.2.0/16\" has bits set after its "
					    "prefix; did you mean 10.1.0.0/16?" },
	{ "{\"ip_range\":\"100.64.0.0/16\"}",
		"ip_range: 100.64.0.0/16 is reserved for WireGuard and the node's own links" },
	{ "{\"ip_range\":\"100.127.0.0/16\"}",
		"ip_range: 100.127.0.0/16 is reserved for WireGuard and the node's own links" },
	{ "{\"ip_range\":\"127.0.0.0/16\"}", "ip_range: 127.0.0.0/16 is reserved for loopback" },
	{ "{\"ip_range\":\"239.1.0.0/16\"}",
		"ip_range: 239.1.0.0/16 is reserved for multicast and reserved addresses" },
	{ "{\"ip_range\":\"10.1.0.0/16\"}", "subnet: required, but not given" },
	{ "{\"ip_range\":\"10.1.0.0/16\",\"subnet\":\"10.2.2.0/24\"}",
		"subnet: 10.2.2.0/24 is not within ip_range 10.1.0.0/16" },
	{ "{\"ip_range\":\"10.1.0.0/16\",\"subnet\":\"10.1.2.4/24\"}",
		"subnet: \"10.1.2.4/24\" has bits set after its prefix; did you mean "
		"10.1.2.0/24?" },
	{ "{" BASE ",\"wireguard_private_key\":\"abc\"}",
		"wireguard_private_key: is not a WireGuard key (32 bytes in base 64)" },
	{ "{" BASE ",\"wireguard_private_key\":7}", "wireguard_private_key: must be text" },
	{ "{" BASE ",\"wireguard_listen_port\":70000}",
		"wireguard_listen_port: must be a port, a whole number from 1 to 65535" },
	{ "{" BASE ",\"wireguard_listen_port\":1.5}",
		"wireguard_listen_port: must be a port, a whole number from 1 to 65535" },
	{ "{" BASE ",\"mycelium\":\"x\"}", "mycelium: must be an object" },
	{ "{" BASE ",\"peers\":{}}", "peers: must be a list" },
	{ "{" BASE ",\"peers\":[{}]}", "wireguard_private_key: required when there are peers" },
	{ "{" BASE ",\"wireguard_private_key\":\"" KEY "\",\"peers\":[{}]}",
		"wireguard_listen_port: required when there are peers" },
	{ "{" WG ",\"peers\":[3]}", "peers[0]: must be an object" },
	{ "{" WG ",\"peers\":[{}]}", "peers[0].subnet: required, but not given" },
	{ "{" WG ",\"peers\":[{\"subnet\":\"x\"}]}",
		"peers[0].subnet: \"x\" is not an IPv4 range such as 10.1.2.0/24" },
	{ "{" WG ",\"peers\":[{\"subnet\":\"10.1.3.0/24\"}]}",
		"peers[0].wireguard_public_key: required, but not given" },
	{ "{" WG ",\"peers\":[" PEER("") "]}",
		"peers[0].allowed_ips: must be a list of at least one range" },
	{ "{" WG ",\"peers\":[" PEER(",\"allowed_ips\":[\"10.1.3.0/24\",9]") "]}",
		"peers[0].allowed_ips[1]: is not an IPv4 range such as 10.1.2.0/24" },
	{ "{" WG
	  ",\"peers\":[" PEER(",\"allowed_ips\":[\"10.1.3.0/24\"],\"endpoint\":\"host\"") "]}",
		"peers[0].endpoint: \"host\" is not an address and port such as 192.0.2.1:51820" },
	{ "{" WG
	  ",\"peers\":[" PEER(",\"allowed_ips\":[\"10.1.3.0/24\"],\"endpoint\":\"1.2.3.4:0\"") "]}",
		"peers[0].endpoint: \"1.2.3.4:0\" is not an address and port such as "
		"192.0.2.1:51820" },
};

static void test_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(wrongs); i++) {
		struct zp_error err = ZP_ERROR_INIT;
		struct provider_network_spec spec;
		cJSON *json = cJSON_Parse(wrongs[i].json);

		assert_non_null(json);
		assert_int_equal(provider_network_spec_read(json, &spec, &err), -1);
		assert_string_equal(zp_error_text(&err), wrongs[i].message);
		zp_error_clear(&err);
		cJSON_Delete(json);
	}
}

static void read_text(const char *text, struct provider_network_spec *spec)
{
	struct zp_error err = ZP_ERROR_INIT;
	cJSON *json = cJSON_Parse(text);
	int rc;

	assert_non_null(json);
	rc = provider_network_spec_read(json, spec, &err);
	cJSON_Delete(json);
	assert_null(err.message);
	assert_int_equal(rc, 0);
}

static void test_plain(void **state)
{
	struct provider_network_spec spec;

	(void)state;
	read_text("{" BASE ",\"mycelium\":null,\"peers\":[]}", &spec);
	assert_int_equal(spec.ip_range.address, 0x0a010000);
	assert_int_equal(spec.ip_range.prefix, 16);
	assert_int_equal(spec.subnet.address, 0x0a010200);
	assert_int_equal(spec.gateway, 0x0a010201);
	assert_false(spec.has_private_key);
	assert_int_equal(spec.listen_port, 0);
	assert_int_equal(spec.peer_count, 0);
	provider_network_spec_release(&spec);
}

static void test_peers(void **state)
{
	struct provider_network_spec spec;

	(void)state;
	read_text("{" WG ",\"peers\":[" PEER(
			  ",\"allowed_ips\":[\"10.1.3.0/24\",\"100.64.1.3/"
			  "32\"],\"endpoint\":"
			  "\"192.0.2.7:4000\"") "," PEER(",\"allowed_ips\":[\"10.1.4.0/"
							 "24\"],\"endpoint\":\"[2001:db8:"
							 ":1]:7\"") "," PEER(",\"allowed_"
									     "ips\":["
									     "\"10.1.5.0/"
									     "24\"],"
									     "\"endpoint"
									     "\":\"\"") "]}",
		&spec);
	assert_true(spec.has_private_key);
	assert_int_equal(spec.private_key[0], 'A');
	assert_int_equal(spec.listen_port, 51820);
	assert_int_equal(spec.peer_count, 3);
	assert_int_equal(spec.peers[0].allowed_ip_count, 2);
	assert_int_equal(spec.peers[0].allowed_ips[1].address, 0x64400103);
	assert_string_equal(spec.peers[0].endpoint, "192.0.2.7:4000");
	assert_string_equal(spec.peers[1].endpoint, "[2001:db8::1]:7");
	assert_null(spec.peers[2].endpoint);
	provider_network_spec_release(&spec);
}

static void test_addresses(void **state)
{
	struct provider_subnet a = { 0x0a010000, 16 }, b = { 0x0a010280, 25 };
	char text[PROVIDER_SUBNET_TEXT];

	(void)state;
	assert_true(provider_subnet_contains(a, b));
	assert_false(provider_subnet_contains(b, a));
	assert_true(provider_subnet_overlaps(b, a));
	assert_true(provider_subnet_is_network(b));
	provider_subnet_format(b, text);
	assert_string_equal(text, "10.1.2.128/25");
	assert_int_equal(provider_subnet_mask(0), 0);
	assert_int_equal(provider_subnet_mask(32), 0xffffffff);
	assert_false(provider_subnet_parse("1.2.3.4/33", &a));
	assert_false(provider_subnet_parse("1.2.3.4/", &a));
	assert_false(provider_subnet_parse("1.2.3.4/+1", &a));
	assert_false(provider_subnet_parse("111.222.333.444.555/1", &a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_peers),
		cmocka_unit_test(test_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The text of HAProxy's configuration, what the specs of gateways may hold, and HAProxy's own
 * opinion. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/process.h"
#include "providers/gateway/certificate.h"
#include "providers/gateway/haproxy.h"

static const struct provider_haproxy_options options = {
	.address = "192.0.2.7",
	.stats_socket = "/r/stats.sock",
	.inner_socket = "zp-a-tls",
	.host_map = "/r/host.map",
	.sni_map = "/r/sni.map",
	.plain_map = "/r/plain.map",
	.certificates = "/r/crt.list",
};

static const struct provider_gateway_backend two[] = {
	{ "100.127.0.2", 20001, false },
	{ "100.127.0.2", 20002, false },
};
static const struct provider_gateway_backend secure[] = { { "2001:db8::7", 8443, true } };
static const struct provider_gateway_backend raw[] = { { "10.0.0.9", 443, false } };

static const struct provider_haproxy_proxy proxies[] = {
	{ "p/web", "www.a.example", false, true, NULL, two, 2, 0 },
	{ "p/raw", "raw.a.example", true, false, NULL, raw, 1, 0 },
	{ "p/sec", "sec.example.org", false, false, "/health?a=b", secure, 1, 1 },
};

#define HEAD                                                                                       \
	"# Written by zplan. Changes by hand are lost.\n"                                          \
	"global\n"                                                                                 \
	"\tuser haproxy\n"                                                                         \
	"\tgroup haproxy\n"                                                                        \
	"\tfd-hard-limit 32768\n"                                                                  \
	"\tstats socket /r/stats.sock mode 600 level admin expose-fd listeners\n"                  \
	"\tssl-default-bind-options ssl-min-ver TLSv1.2\n"                                         \
	"\n"                                                                                       \
	"defaults\n"                                                                               \
	"\tmode http\n"                                                                            \
	"\toption idle-close-on-response\n"                                                        \
	"\toption redispatch\n"                                                                    \
	"\tretries 3\n"                                                                            \
	"\tbalance roundrobin\n"                                                                   \
	"\ttimeout connect 5s\n"                                                                   \
	"\ttimeout client 1m\n"                                                                    \
	"\ttimeout server 1m\n"                                                                    \
	"\ttimeout http-request 10s\n"                                                             \
	"\ttimeout http-keep-alive 1m\n"                                                           \
	"\ttimeout tunnel 1h\n"                                                                    \
	"\ttimeout check 2s\n"                                                                     \
	"\tdefault-server check inter 2s fastinter 1s downinter 1s fall 2 rise 1\n"                \
	"\n"                                                                                       \
	"frontend http\n"                                                                          \
	"\tbind 192.0.2.7:80\n"                                                                    \
	"\toption forwardfor\n"                                                                    \
	"\thttp-request set-header X-Forwarded-Proto http\n"                                       \
	"\tuse_backend %[req.hdr(host),field(1,:),lower,map(/r/plain.map,none)]\n"                 \
	"\tdefault_backend none\n"

#define HTTPS                                                                                      \
	" ssl crt-list /r/crt.list alpn h2,http/1.1\n"                                             \
	"\toption forwardfor\n"                                                                    \
	"\thttp-request set-header X-Forwarded-Proto https\n"                                      \
	"\tuse_backend %[req.hdr(host),field(1,:),lower,map(/r/host.map,none)]\n"                  \
	"\tdefault_backend none\n"

#define INSPECT                                                                                    \
	"\n"                                                                                       \
	"frontend tls\n"                                                                           \
	"\tmode tcp\n"                                                                             \
	"\tno option idle-close-on-response\n"                                                     \
	"\tbind 192.0.2.7:443\n"                                                                   \
	"\ttcp-request inspect-delay 5s\n"                                                         \
	"\ttcp-request content accept if { req.ssl_hello_type 1 }\n"                               \
	"\tuse_backend %[req.ssl_sni,lower,map(/r/sni.map,inner_tls)]\n"                           \
	"\tdefault_backend inner_tls\n"                                                           \
	"\n"                                                                                       \
	"backend inner_tls\n"                                                                      \
	"\tmode tcp\n"                                                                             \
	"\tno option redispatch\n"                                                                 \
	"\tserver inner abns@zp-a-tls send-proxy-v2 no-check\n"                                    \
	"\nfrontend https\n\tbind abns@zp-a-tls accept-proxy" HTTPS

#define NONE                                                                                       \
	"\n"                                                                                       \
	"backend none\n"                                                                           \
	"\thttp-request return status 404 content-type text/plain string \"No site has this "      \
	"name here.\\n\"\n"                                                                         \
	"\n"                                                                                       \
	"backend to_https\n"                                                                       \
	"\thttp-request redirect code 308 location https://%[req.hdr(host),field(1,:)]%[pathq]\n"

#define WEB                                                                                        \
	"\n"                                                                                       \
	"# p/web: www.a.example\n"                                                                 \
	"backend http_0\n"                                                                         \
	"\tserver s1 100.127.0.2:20001\n"                                                          \
	"\tserver s2 100.127.0.2:20002\n"

#define RAW                                                                                        \
	"\n"                                                                                       \
	"# p/raw: raw.a.example\n"                                                                 \
	"backend tcp_0\n"                                                                          \
	"\tmode tcp\n"                                                                             \
	"\tserver s1 10.0.0.9:443\n"

#define SEC                                                                                        \
	"\n"                                                                                       \
	"# p/sec: sec.example.org\n"                                                               \
	"backend http_1\n"                                                                         \
	"\toption httpchk\n"                                                                       \
	"\thttp-check send meth GET uri /health?a=b ver HTTP/1.1 hdr Host sec.example.org\n"       \
	"\tserver s1 [2001:db8::7]:8443 ssl verify none sni req.hdr(host)\n"

struct golden {
	size_t first, count;
	bool inspects;
	size_t slots[PROVIDER_HAPROXY_MODES];
	const char *config, *host_map, *sni_map, *plain_map;
};

#define PLAIN "\nfrontend https\n\tbind 192.0.2.7:443" HTTPS

static const struct golden goldens[] = {
	{ 0, 0, false, { 0 }, HEAD PLAIN NONE, "", "", "" },
	{ 0, 1, false, { 3, 0 },
		HEAD PLAIN NONE WEB "\n# to spare\nbackend http_1\nbackend http_2\n",
		"www.a.example http_0\n", "", "www.a.example to_https\n" },
	{ 1, 1, true, { 0, 2 }, HEAD INSPECT NONE RAW "\n# to spare\nbackend tcp_1\n\tmode tcp\n",
		"", "raw.a.example tcp_0\n", "" },
	{ 0, 3, true, { 2, 1 }, HEAD INSPECT NONE WEB RAW SEC,
		"www.a.example http_0\nsec.example.org http_1\n", "raw.a.example tcp_0\n",
		"www.a.example to_https\nsec.example.org http_1\n" },
};

static void test_golden(void **state)
{
	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(goldens); i++) {
		const struct golden *golden = &goldens[i];
		const struct provider_haproxy_proxy *from = proxies + golden->first;
		struct provider_haproxy_options local = options;
		zp_autobuf config = ZP_BUF_INIT, host = ZP_BUF_INIT, sni = ZP_BUF_INIT;
		zp_autobuf plain = ZP_BUF_INIT;

		local.inspects = golden->inspects;
		memcpy(local.slots, golden->slots, sizeof(local.slots));
		provider_haproxy_config(&local, from, golden->count, &config);
		provider_haproxy_map(from, golden->count, PROVIDER_HAPROXY_HTTP, &host);
		provider_haproxy_map(from, golden->count, PROVIDER_HAPROXY_TCP, &sni);
		provider_haproxy_plain_map(from, golden->count, &plain);
		assert_string_equal(config.ptr, golden->config);
		assert_string_equal(zp_buf_slice(&host).ptr, golden->host_map);
		assert_string_equal(zp_buf_slice(&sni).ptr, golden->sni_map);
		assert_string_equal(zp_buf_slice(&plain).ptr, golden->plain_map);
	}
}

/* HAProxy reads the whole of it with no complaint. */
static void test_accepted(void **state)
{
	char dir[] = "/tmp/zplan-haproxy-XXXXXX";
	zp_autofree char *cfg = NULL, *map = NULL, *list = NULL, *line = NULL;
	struct provider_haproxy_options local = options;
	zp_autobuf config = ZP_BUF_INIT;
	struct zp_process_result result = { 0 };
	struct zp_error err = ZP_ERROR_INIT;
	int rc;

	(void)state;
	if (access("/usr/sbin/haproxy", X_OK) != 0 || geteuid() != 0)
		skip();
	assert_non_null(mkdtemp(dir));
	cfg = zp_format("%s/haproxy.cfg", dir);
	map = zp_format("%s/empty.map", dir);
	list = zp_format("%s/crt.list", dir);
	line = zp_format("%s/other.pem\n", dir);
	local.host_map = local.sni_map = local.plain_map = map;
	local.certificates = list;
	local.inspects = true;
	local.slots[PROVIDER_HAPROXY_HTTP] = local.slots[PROVIDER_HAPROXY_TCP] = 64;
	provider_haproxy_config(&local, proxies, 3, &config);
	rc = provider_certificate_ensure_other(dir, "test", &err);
	rc |= zp_file_write_atomic(list, zp_str(line), 0600, &err);
	rc |= zp_file_write_atomic(map, zp_str("a b\n"), 0600, &err);
	rc |= zp_file_write_atomic(cfg, zp_buf_slice(&config), 0600, &err);
	rc |= zp_run((const char *[]){ "/usr/sbin/haproxy", "-c", "-f", cfg, NULL }, NULL, &result,
		&err);
	zp_remove_tree(dir, NULL);
	if (rc < 0)
		print_error("%s\n", zp_error_text(&err));
	zp_error_clear(&err);
	rc |= result.err.len > 0;
	if (result.err.len)
		print_error("%s\n", result.err.ptr);
	zp_process_result_release(&result);
	assert_int_equal(rc, 0);
}

struct wrong {
	bool by_name;
	const char *json, *message;
};

#define B ",\"backends\":[\"http://10.1.2.3\"]"

static const struct wrong wrongs[] = {
	{ true, "5", "the gateway's specification must be an object" },
	{ true, "{}", "name: required, but not given" },
	{ true, "{\"name\":5}", "name: must be text" },
	{ true, "{\"name\":\"a.b\"}",
		"name: \"a.b\" must be 1 to 63 letters, digits, - and _, without - at either end" },
	{ true, "{\"name\":\"a-\"}",
		"name: \"a-\" must be 1 to 63 letters, digits, - and _, without - at either end" },
	{ false, "{\"name\":\"a\"}", "fqdn: required, but not given" },
	{ false, "{\"fqdn\":\"a\"}",
		"fqdn: \"a\" is not a full domain name such as www.example.com" },
	{ false, "{\"fqdn\":\"a..b\"}",
		"fqdn: \"a..b\" is not a full domain name such as www.example.com" },
	{ false, "{\"fqdn\":\"a.b\\n\"}",
		"fqdn: \"a.b\n\" is not a full domain name such as www.example.com" },
	{ true, "{\"name\":\"a\",\"tls_passthrough\":1}",
		"tls_passthrough: must be true or false" },
	{ true, "{\"name\":\"a\",\"redirect_https\":\"yes\"}",
		"redirect_https: must be true or false" },
	{ true, "{\"name\":\"a\",\"health_check\":\"health\"" B "}",
		"health_check: \"health\" is not a path such as /health, of letters, digits and "
		"/ - _ . ~ ? & = + , : @" },
	{ true, "{\"name\":\"a\",\"health_check\":\"/a b\"" B "}",
		"health_check: \"/a b\" is not a path such as /health, of letters, digits and "
		"/ - _ . ~ ? & = + , : @" },
	{ true, "{\"name\":\"a\",\"tls_passthrough\":true,\"health_check\":\"/\"" B "}",
		"health_check: with tls_passthrough the gateway can not ask the backends anything" },
	{ true, "{\"name\":\"a\"}", "backends: must be a list of at least one backend" },
	{ true, "{\"name\":\"a\",\"backends\":[]}",
		"backends: must be a list of at least one backend" },
	{ true, "{\"name\":\"a\",\"backends\":[4]}", "backends[0]: must be text" },
	{ true, "{\"name\":\"a\",\"backends\":[\"10.1.2.3:80\"]}",
		"backends[0]: \"10.1.2.3:80\" must begin with http:// or https://" },
	{ true, "{\"name\":\"a\",\"backends\":[\"http://10.1.2.3/x\"]}",
		"backends[0]: \"http://10.1.2.3/x\" must not have a path" },
	{ true, "{\"name\":\"a\",\"backends\":[\"http://10.1.2.3\",\"http://web:80\"]}",
		"backends[1]: \"http://web:80\" is not http://address[:port] with an IP address "
		"and "
		"a port from 1 to 65535" },
	{ true, "{\"name\":\"a\",\"backends\":[\"http://10.1.2.3:99999\"]}",
		"backends[0]: \"http://10.1.2.3:99999\" is not http://address[:port] with an IP "
		"address and a port from 1 to 65535" },
	{ true, "{\"name\":\"a\",\"tls_passthrough\":true,\"backends\":[\"10.1.2.3\"]}",
		"backends[0]: \"10.1.2.3\" is not address:port, which tls_passthrough needs" },
	{ true, "{\"name\":\"a\",\"network\":\"n/x\",\"backends\":[\"http://[::1]:80\"]}",
		"backends[0]: \"http://[::1]:80\" is IPv6, but private networks have IPv4 "
		"addresses "
		"only" },
	{ true, "{\"name\":\"a\",\"network\":5" B "}", "network: must be text" },
};

static void test_wrong_specs(void **state)
{
	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(wrongs); i++) {
		struct zp_error err = ZP_ERROR_INIT;
		struct provider_gateway_spec spec;
		cJSON *json = cJSON_Parse(wrongs[i].json);

		assert_non_null(json);
		assert_int_equal(
			provider_gateway_spec_read(json, wrongs[i].by_name, &spec, &err), -1);
		assert_string_equal(zp_error_text(&err), wrongs[i].message);
		zp_error_clear(&err);
		cJSON_Delete(json);
	}
}

static void test_good_specs(void **state)
{
	struct provider_gateway_spec spec;
	cJSON *json =
		cJSON_Parse("{\"name\":\"WWW-1_x\",\"network\":\"n/net\",\"backends\":["
			    "\"http://10.1.2.3\",\"https://10.1.2.4/\",\"http://10.1.2.5:81\"]}");

	(void)state;
	assert_int_equal(provider_gateway_spec_read(json, true, &spec, NULL), 0);
	cJSON_Delete(json);
	assert_string_equal(spec.name, "www-1_x");
	assert_string_equal(spec.network, "n/net");
	assert_false(spec.passthrough);
	assert_int_equal(spec.backend_count, 3);
	assert_int_equal(spec.backends[0].port, 80);
	assert_int_equal(spec.backends[1].port, 443);
	assert_true(spec.backends[1].tls);
	assert_string_equal(spec.backends[2].host, "10.1.2.5");
	assert_int_equal(spec.backends[2].port, 81);
	provider_gateway_spec_release(&spec);

	json = cJSON_Parse(
		"{\"fqdn\":\"Www.Example.ORG\",\"network\":\"\",\"tls_passthrough\":true,"
		"\"backends\":[\"[2001:db8::1]:443\"]}");
	assert_int_equal(provider_gateway_spec_read(json, false, &spec, NULL), 0);
	cJSON_Delete(json);
	assert_string_equal(spec.fqdn, "www.example.org");
	assert_null(spec.network);
	assert_string_equal(spec.backends[0].host, "2001:db8::1");
	assert_int_equal(spec.backends[0].port, 443);
	provider_gateway_spec_release(&spec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_wrong_specs),
		cmocka_unit_test(test_good_specs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

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
#include "providers/gateway/haproxy.h"

static const struct provider_haproxy_options options = {
	.address = "192.0.2.7",
	.stats_socket = "/r/stats.sock",
	.inner_socket = "zp-a-tls",
	.host_map = "/r/host.map",
	.sni_map = "/r/sni.map",
	.certificates = "/r/crt.list",
};

static const struct provider_gateway_backend two[] = {
	{ "100.127.0.2", 20001, false },
	{ "100.127.0.2", 20002, false },
};
static const struct provider_gateway_backend secure[] = { { "2001:db8::7", 8443, true } };
static const struct provider_gateway_backend raw[] = { { "10.0.0.9", 443, false } };

static const struct provider_haproxy_proxy proxies[] = {
	{ "p/web", "www.a.example", false, two, 2 },
	{ "p/raw", "raw.a.example", true, raw, 1 },
	{ "p/sec", "sec.example.org", false, secure, 1 },
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
	"\tuse_backend %[req.hdr(host),field(1,:),lower,map(/r/host.map,none)]\n"                  \
	"\tdefault_backend none\n"

#define HTTPS                                                                                      \
	" ssl crt-list /r/crt.list alpn h2,http/1.1\n"                                             \
	"\toption forwardfor\n"                                                                    \
	"\thttp-request set-header X-Forwarded-Proto https\n"                                      \
	"\tuse_backend %[req.hdr(host),field(1,:),lower,map(/r/host.map,none)]\n"                  \
	"\tdefault_backend none\n"

#define INSPECT(otherwise)                                                                         \
	"\n"                                                                                       \
	"frontend tls\n"                                                                           \
	"\tmode tcp\n"                                                                             \
	"\tno option idle-close-on-response\n"                                                     \
	"\tbind 192.0.2.7:443\n"                                                                   \
	"\ttcp-request inspect-delay 5s\n"                                                         \
	"\ttcp-request content accept if { req.ssl_hello_type 1 }\n"                               \
	"\tuse_backend %[req.ssl_sni,lower,map(/r/sni.map," otherwise ")]\n"                       \
	"\tdefault_backend " otherwise "\n"

#define NONE                                                                                       \
	"\n"                                                                                       \
	"backend none\n"                                                                           \
	"\thttp-request return status 404 content-type text/plain string \"No site has this "      \
	"name here.\\n\"\n"

#define WEB                                                                                        \
	"\n"                                                                                       \
	"# p/web\n"                                                                                \
	"backend to_www.a.example\n"                                                               \
	"\tserver s1 100.127.0.2:20001\n"                                                          \
	"\tserver s2 100.127.0.2:20002\n"

#define RAW                                                                                        \
	"\n"                                                                                       \
	"# p/raw\n"                                                                                \
	"backend to_raw.a.example\n"                                                               \
	"\tmode tcp\n"                                                                             \
	"\tserver s1 10.0.0.9:443\n"

#define SEC                                                                                        \
	"\n"                                                                                       \
	"# p/sec\n"                                                                                \
	"backend to_sec.example.org\n"                                                             \
	"\tserver s1 [2001:db8::7]:8443 ssl verify none sni req.hdr(host)\n"

struct golden {
	size_t first, count;
	const char *config, *host_map, *sni_map;
};

static const struct golden goldens[] = {
	{ 0, 0, HEAD NONE, "", "" },
	{ 0, 1, HEAD "\nfrontend https\n\tbind 192.0.2.7:443" HTTPS NONE WEB,
		"www.a.example to_www.a.example\n", "" },
	{ 1, 1,
		HEAD INSPECT("refuse_tls") "\nbackend refuse_tls\n\tmode tcp\n"
					   "\ttcp-request content reject\n" NONE RAW,
		"", "raw.a.example to_raw.a.example\n" },
	{ 0, 3,
		HEAD INSPECT(
			"inner_tls") "\nbackend inner_tls\n\tmode tcp\n"
				     "\tno option redispatch\n"
				     "\tserver inner abns@zp-a-tls send-proxy-v2 no-check\n"
				     "\nfrontend https\n\tbind abns@zp-a-tls accept-proxy" HTTPS
					     NONE WEB RAW SEC,
		"www.a.example to_www.a.example\nsec.example.org to_sec.example.org\n",
		"raw.a.example to_raw.a.example\n" },
};

static void test_golden(void **state)
{
	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(goldens); i++) {
		struct zp_buf config = ZP_BUF_INIT, host = ZP_BUF_INIT, sni = ZP_BUF_INIT;
		const struct provider_haproxy_proxy *from = proxies + goldens[i].first;

		provider_haproxy_config(&options, from, goldens[i].count, &config);
		provider_haproxy_map(from, goldens[i].count, false, &host);
		provider_haproxy_map(from, goldens[i].count, true, &sni);
		assert_string_equal(config.ptr, goldens[i].config);
		assert_string_equal(zp_buf_slice(&host).ptr, goldens[i].host_map);
		assert_string_equal(zp_buf_slice(&sni).ptr, goldens[i].sni_map);
		zp_buf_release(&config);
		zp_buf_release(&host);
		zp_buf_release(&sni);
	}
}

/* HAProxy reads every golden configuration with no complaint (certificates need files:
 * passthrough). */
static void test_accepted(void **state)
{
	char dir[] = "/tmp/zplan-haproxy-XXXXXX";
	zp_autofree char *cfg = NULL, *map = NULL;
	struct provider_haproxy_options local = options;
	struct zp_buf config = ZP_BUF_INIT;
	struct zp_process_result result = { 0 };
	struct zp_error err = ZP_ERROR_INIT;
	int rc;

	(void)state;
	if (access("/usr/sbin/haproxy", X_OK) != 0 || geteuid() != 0)
		skip();
	assert_non_null(mkdtemp(dir));
	cfg = zp_format("%s/haproxy.cfg", dir);
	map = zp_format("%s/empty.map", dir);
	local.host_map = local.sni_map = map;
	provider_haproxy_config(&local, proxies + 1, 1, &config);
	rc = zp_file_write_atomic(map, zp_str("a b\n"), 0600, &err);
	rc |= zp_file_write_atomic(cfg, zp_buf_slice(&config), 0600, &err);
	rc |= zp_run((const char *[]){ "/usr/sbin/haproxy", "-c", "-f", cfg, NULL }, NULL, &result,
		&err);
	zp_remove_tree(dir, NULL);
	zp_buf_release(&config);
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

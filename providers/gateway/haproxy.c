#include "providers/gateway/haproxy.h"

/*
 * idle-close-on-response: without it, keep-alive clients see closed connections at a reload.
 * fd-hard-limit: without it HAProxy sizes its tables by the system's limit, which may be a million.
 */
static void put_globals(const struct provider_haproxy_options *options, struct zp_buf *out)
{
	zp_buf_printf(out,
		"# Written by zplan. Changes by hand are lost.\n"
		"global\n"
		"\tuser haproxy\n"
		"\tgroup haproxy\n"
		"\tfd-hard-limit 32768\n"
		"\tstats socket %s mode 600 level admin expose-fd listeners\n"
		"\tssl-default-bind-options ssl-min-ver TLSv1.2\n"
		"\n"
		"defaults\n"
		"\tmode http\n"
		"\toption idle-close-on-response\n"
		"\toption redispatch\n"
		"\tretries 3\n"
		"\tbalance roundrobin\n"
		"\ttimeout connect 5s\n"
		"\ttimeout client 1m\n"
		"\ttimeout server 1m\n"
		"\ttimeout http-request 10s\n"
		"\ttimeout http-keep-alive 1m\n"
		"\ttimeout tunnel 1h\n"
		"\ttimeout check 2s\n"
		"\tdefault-server check inter 2s fastinter 1s downinter 1s fall 2 rise 1\n",
		options->stats_socket);
}

static void put_routing(
	const struct provider_haproxy_options *options, bool tls, struct zp_buf *out)
{
	zp_buf_printf(out,
		"\toption forwardfor\n"
		"\thttp-request set-header X-Forwarded-Proto %s\n"
		"\tuse_backend %%[req.hdr(host),field(1,:),lower,map(%s,none)]\n"
		"\tdefault_backend none\n",
		tls ? "https" : "http", options->host_map);
}

static void put_http(const struct provider_haproxy_options *options, struct zp_buf *out)
{
	zp_buf_printf(out, "\nfrontend http\n\tbind %s:80\n", options->address);
	put_routing(options, false, out);
}

/* Nothing is passed through: TLS ends where it arrives. */
static void put_https(const struct provider_haproxy_options *options, struct zp_buf *out)
{
	zp_buf_printf(out, "\nfrontend https\n\tbind %s:443 ssl crt-list %s alpn h2,http/1.1\n",
		options->address, options->certificates);
	put_routing(options, true, out);
}

/*
 * Looks at the name in the hello. Who sends none, or one that is not passed through, goes on to
 * where TLS ends, or is turned away where it ends nowhere.
 */
static void put_inspection(
	const struct provider_haproxy_options *options, bool terminates, struct zp_buf *out)
{
	const char *otherwise = terminates ? "inner_tls" : "refuse_tls";

	zp_buf_printf(out,
		"\nfrontend tls\n"
		"\tmode tcp\n"
		"\tno option idle-close-on-response\n"
		"\tbind %s:443\n"
		"\ttcp-request inspect-delay 5s\n"
		"\ttcp-request content accept if { req.ssl_hello_type 1 }\n"
		"\tuse_backend %%[req.ssl_sni,lower,map(%s,%s)]\n"
		"\tdefault_backend %s\n",
		options->address, options->sni_map, otherwise, otherwise);
	if (!terminates) {
		zp_buf_puts(
			out, "\nbackend refuse_tls\n\tmode tcp\n\ttcp-request content reject\n");
		return;
	}
	zp_buf_printf(out,
		"\nbackend inner_tls\n"
		"\tmode tcp\n"
		"\tno option redispatch\n"
		"\tserver inner abns@%s send-proxy-v2 no-check\n",
		options->inner_socket);
	zp_buf_printf(out,
		"\nfrontend https\n\tbind abns@%s accept-proxy ssl crt-list %s alpn h2,http/1.1\n",
		options->inner_socket, options->certificates);
	put_routing(options, true, out);
}

static void put_server(
	const struct provider_gateway_backend *server, size_t number, struct zp_buf *out)
{
	bool v6 = memchr(server->host, ':', strlen(server->host)) != NULL;

	zp_buf_printf(out, "\tserver s%zu %s%s%s:%d", number, v6 ? "[" : "", server->host,
		v6 ? "]" : "", server->port);
	/* Machines have no certificate anyone could check. */
	if (server->tls)
		zp_buf_puts(out, " ssl verify none sni req.hdr(host)");
	zp_buf_char(out, '\n');
}

static void put_backend(const struct provider_haproxy_proxy *proxy, struct zp_buf *out)
{
	zp_buf_printf(out, "\n# %s\nbackend to_%s\n", proxy->id, proxy->fqdn);
	if (proxy->passthrough)
		zp_buf_puts(out, "\tmode tcp\n");
	for (size_t i = 0; i < proxy->server_count; i++)
		put_server(&proxy->servers[i], i + 1, out);
}

void provider_haproxy_config(const struct provider_haproxy_options *options,
	const struct provider_haproxy_proxy *proxies, size_t count, struct zp_buf *out)
{
	bool passes = false, terminates = false;

	for (size_t i = 0; i < count; i++) {
		passes |= proxies[i].passthrough;
		terminates |= !proxies[i].passthrough;
	}
	put_globals(options, out);
	put_http(options, out);
	if (passes)
		put_inspection(options, terminates, out);
	else if (terminates)
		put_https(options, out);
	zp_buf_puts(out, "\nbackend none\n"
			 "\thttp-request return status 404 content-type text/plain "
			 "string \"No site has this name here.\\n\"\n");
	for (size_t i = 0; i < count; i++)
		put_backend(&proxies[i], out);
}

void provider_haproxy_map(const struct provider_haproxy_proxy *proxies, size_t count,
	bool passthrough, struct zp_buf *out)
{
	for (size_t i = 0; i < count; i++)
		if (proxies[i].passthrough == passthrough)
			zp_buf_printf(out, "%s to_%s\n", proxies[i].fqdn, proxies[i].fqdn);
}

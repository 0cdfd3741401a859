#include "providers/gateway/haproxy.h"

#include <string.h>

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
		"\tdefault-server " PROVIDER_HAPROXY_CHECK "\n",
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
		tls ? "https" : "http", tls ? options->host_map : options->plain_map);
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
 * where TLS ends.
 */
static void put_inspection(const struct provider_haproxy_options *options, struct zp_buf *out)
{
	zp_buf_printf(out,
		"\nfrontend tls\n"
		"\tmode tcp\n"
		"\tno option idle-close-on-response\n"
		"\tbind %s:443\n"
		"\ttcp-request inspect-delay 5s\n"
		"\ttcp-request content accept if { req.ssl_hello_type 1 }\n"
		"\tuse_backend %%[req.ssl_sni,lower,map(%s,inner_tls)]\n"
		"\tdefault_backend inner_tls\n",
		options->address, options->sni_map);
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

void provider_haproxy_slot_name(enum provider_haproxy_mode mode, size_t slot, struct zp_buf *out)
{
	zp_buf_printf(out, "%s_%zu", mode == PROVIDER_HAPROXY_TCP ? "tcp" : "http", slot);
}

void provider_haproxy_server(const struct provider_gateway_backend *server, struct zp_buf *out)
{
	bool v6 = strchr(server->host, ':') != NULL;

	zp_buf_printf(
		out, "%s%s%s:%d", v6 ? "[" : "", server->host, v6 ? "]" : "", server->port);
	/* Machines have no certificate anyone could check. */
	if (server->tls)
		zp_buf_puts(out, " ssl verify none sni req.hdr(host)");
}

static void put_slot(enum provider_haproxy_mode mode, size_t slot, struct zp_buf *out)
{
	zp_buf_puts(out, "backend ");
	provider_haproxy_slot_name(mode, slot, out);
	zp_buf_char(out, '\n');
	if (mode == PROVIDER_HAPROXY_TCP)
		zp_buf_puts(out, "\tmode tcp\n");
}

static void put_backend(const struct provider_haproxy_proxy *proxy, struct zp_buf *out)
{
	zp_buf_printf(out, "\n# %s: %s\n", proxy->id, proxy->fqdn);
	put_slot(provider_haproxy_mode(proxy->passthrough), proxy->slot, out);
	if (proxy->health)
		zp_buf_printf(out,
			"\toption httpchk\n"
			"\thttp-check send meth GET uri %s ver HTTP/1.1 hdr Host %s\n",
			proxy->health, proxy->fqdn);
	for (size_t i = 0; i < proxy->server_count; i++) {
		zp_buf_printf(out, "\tserver s%zu ", i + 1);
		provider_haproxy_server(&proxy->servers[i], out);
		zp_buf_char(out, '\n');
	}
}

static void put_spare(const struct provider_haproxy_options *options,
	enum provider_haproxy_mode mode, size_t used, struct zp_buf *out)
{
	if (used < options->slots[mode])
		zp_buf_puts(out, "\n# to spare\n");
	for (size_t slot = used; slot < options->slots[mode]; slot++)
		put_slot(mode, slot, out);
}

void provider_haproxy_config(const struct provider_haproxy_options *options,
	const struct provider_haproxy_proxy *proxies, size_t count, struct zp_buf *out)
{
	size_t used[PROVIDER_HAPROXY_MODES] = { 0 };

	put_globals(options, out);
	put_http(options, out);
	if (options->inspects)
		put_inspection(options, out);
	else
		put_https(options, out);
	zp_buf_puts(out, "\nbackend none\n"
			 "\thttp-request return status 404 content-type text/plain "
			 "string \"No site has this name here.\\n\"\n"
			 "\nbackend " PROVIDER_HAPROXY_REDIRECT "\n"
			 "\thttp-request redirect code 308 location "
			 "https://%[req.hdr(host),field(1,:)]%[pathq]\n");
	for (size_t i = 0; i < count; i++) {
		put_backend(&proxies[i], out);
		used[provider_haproxy_mode(proxies[i].passthrough)]++;
	}
	for (int mode = 0; mode < PROVIDER_HAPROXY_MODES; mode++)
		put_spare(options, (enum provider_haproxy_mode)mode, used[mode], out);
}

static void put_entry(const struct provider_haproxy_proxy *proxy, struct zp_buf *out)
{
	zp_buf_printf(out, "%s ", proxy->fqdn);
	provider_haproxy_slot_name(provider_haproxy_mode(proxy->passthrough), proxy->slot, out);
	zp_buf_char(out, '\n');
}

void provider_haproxy_map(const struct provider_haproxy_proxy *proxies, size_t count,
	enum provider_haproxy_mode mode, struct zp_buf *out)
{
	for (size_t i = 0; i < count; i++)
		if (provider_haproxy_mode(proxies[i].passthrough) == mode)
			put_entry(&proxies[i], out);
}

void provider_haproxy_plain_map(
	const struct provider_haproxy_proxy *proxies, size_t count, struct zp_buf *out)
{
	for (size_t i = 0; i < count; i++) {
		if (proxies[i].redirect)
			zp_buf_printf(out, "%s " PROVIDER_HAPROXY_REDIRECT "\n", proxies[i].fqdn);
		else if (!proxies[i].passthrough)
			put_entry(&proxies[i], out);
	}
}

#include "providers/network/firewall.h"

#include <nftables/libnftables.h>
#include <pthread.h>

/* "table" makes it if missing, so that "delete" always finds one: the text works either way. */
static void begin_table(const char *name, struct zp_buf *out)
{
	zp_buf_printf(out, "table ip %s\ndelete table ip %s\ntable ip %s {\n", name, name, name);
}

void provider_firewall_network_rules(bool first, struct zp_buf *out)
{
	if (first)
		zp_buf_puts(out, "table ip " PROVIDER_NETWORK_TABLE " {\n");
	else
		begin_table(PROVIDER_NETWORK_TABLE, out);
	zp_buf_puts(out, "\tchain postrouting {\n"
			 "\t\ttype nat hook postrouting priority srcnat\n"
			 "\t\toifname \"up0\" masquerade\n"
			 "\t}\n"
			 "\tchain forward {\n"
			 "\t\ttype filter hook forward priority filter\n"
			 "\t\tiifname \"up0\" ct state established,related accept\n"
			 "\t\tiifname \"up0\" ct status dnat accept\n"
			 "\t\tiifname \"up0\" drop\n"
			 "\t\toifname \"w-*\" tcp flags syn tcp option maxseg size set rt mtu\n"
			 "\t}\n"
			 "}\n");
}

void provider_firewall_node_rules(const char *tag, const char *wan, struct zp_buf *out)
{
	zp_autobuf name = ZP_BUF_INIT;

	zp_buf_printf(&name, "zplan_%s", tag);
	begin_table(name.ptr, out);
	if (*wan)
		zp_buf_printf(out,
			"\tchain postrouting {\n"
			"\t\ttype nat hook postrouting priority srcnat\n"
			"\t\tip saddr " PROVIDER_UPLINK_RANGE " oifname \"%s\" masquerade\n"
			"\t}\n",
			wan);
	zp_buf_puts(out, "\tchain forward {\n"
			 "\t\ttype filter hook forward priority filter\n"
			 "\t\tiifname \"u-*\" oifname \"u-*\" drop\n"
			 "\t}\n"
			 "}\n");
}

static void put_elements(const struct provider_forward *forwards, size_t count, struct zp_buf *out)
{
	char address[PROVIDER_IPV4_TEXT];

	for (size_t i = 0; i < count; i++) {
		provider_ipv4_format(forwards[i].address, address);
		zp_buf_printf(out, "%s\t\t\t%d : %s . %d", i ? ",\n" : "", forwards[i].port,
			address, forwards[i].to_port);
	}
}

void provider_firewall_forward_rules(uint32_t node_address, const struct provider_forward *forwards,
	size_t count, struct zp_buf *out)
{
	char from[PROVIDER_IPV4_TEXT];

	if (count == 0) {
		zp_buf_puts(out, "table ip " PROVIDER_GATEWAY_TABLE
				 "\ndelete table ip " PROVIDER_GATEWAY_TABLE "\n");
		return;
	}
	provider_ipv4_format(node_address, from);
	begin_table(PROVIDER_GATEWAY_TABLE, out);
	zp_buf_puts(out, "\tmap backends {\n"
			 "\t\ttype inet_service : ipv4_addr . inet_service\n"
			 "\t\telements = {\n");
	put_elements(forwards, count, out);
	zp_buf_printf(out,
		"\n\t\t}\n"
		"\t}\n"
		"\tchain prerouting {\n"
		"\t\ttype nat hook prerouting priority dstnat\n"
		"\t\tiifname \"up0\" ip saddr %s dnat ip addr . port to tcp dport map @backends\n"
		"\t}\n"
		"\tchain postrouting {\n"
		"\t\ttype nat hook postrouting priority srcnat\n"
		"\t\toifname != \"up0\" ip saddr %s masquerade\n"
		"\t}\n"
		"}\n",
		from, from);
}

void provider_firewall_forward_change(const char *verb, const struct provider_forward *forwards,
	size_t count, struct zp_buf *out)
{
	if (count == 0)
		return;
	zp_buf_printf(out, "%s element ip " PROVIDER_GATEWAY_TABLE " backends {\n", verb);
	put_elements(forwards, count, out);
	zp_buf_puts(out, "\n}\n");
}

/* The first line of what nft says: "file:line:column: Error: ..." */
static int report(struct nft_ctx *context, struct zp_error *err)
{
	const char *text = nft_ctx_get_error_buffer(context);
	struct zp_str line = zp_strn(text, strcspn(text, "\n"));

	return zp_error_set(err, "nftables: %.*s", ZP_FMT(line));
}

int provider_firewall_run(const char *commands, struct zp_buf *out, struct zp_error *err)
{
	/* The library keeps tables of its own that are not guarded. */
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	struct nft_ctx *context;
	int rc = 0;

	pthread_mutex_lock(&lock);
	context = nft_ctx_new(NFT_CTX_DEFAULT);
	if (!context) {
		rc = zp_error_set(err, "nftables: out of memory");
	} else if (nft_ctx_buffer_output(context) || nft_ctx_buffer_error(context)) {
		rc = zp_error_set(err, "nftables: can not capture its output");
	} else {
		nft_ctx_output_set_flags(context, NFT_CTX_OUTPUT_NUMERIC_ALL);
		if (nft_run_cmd_from_buffer(context, commands) != 0)
			rc = report(context, err);
		else if (out)
			zp_buf_puts(out, nft_ctx_get_output_buffer(context));
	}
	if (context)
		nft_ctx_free(context);
	pthread_mutex_unlock(&lock);
	return rc;
}

#include "providers/network/names.h"

#include <sodium.h>
#include <string.h>

#include "base/str.h"

/* 100.127.0.0; each network has four addresses of the /16: network, node, inner, broadcast. */
#define UPLINK_BASE 0x647f0000u
#define UPLINK_COUNT 16384

/* Locally administered, unicast; equal for equal input, so that neighbours keep what they learnt.
 */
static void make_mac(const char *tag, const char *id, char part, uint8_t out[6])
{
	zp_autobuf text = ZP_BUF_INIT;
	uint8_t hash[crypto_generichash_BYTES_MIN];

	zp_buf_printf(&text, "%c %s %s", part, tag, id);
	crypto_generichash(hash, sizeof(hash), (const unsigned char *)text.ptr, text.len, NULL, 0);
	memcpy(out, hash, 6);
	out[0] = (uint8_t)((out[0] & 0xfc) | 0x02);
}

void provider_network_names(
	struct node_context *node, const char *id, struct provider_network_names *out)
{
	const char *tag = node_tag(node);

	memset(out, 0, sizeof(*out));
	node_short_name("n", tag, id, out->netns);
	node_short_name("b", tag, id, out->bridge);
	node_short_name("v", tag, id, out->lan);
	node_short_name("u", tag, id, out->uplink);
	node_short_name("w", tag, id, out->tunnel);
	make_mac(tag, id, 'b', out->bridge_mac);
	make_mac(tag, id, 'g', out->gateway_mac);
}

int provider_network_uplink(struct node_context *node, const char *id,
	struct provider_network_names *names, struct zp_error *err)
{
	int64_t index = 0;

	if (node_lease_int(node, "uplink", id, 0, UPLINK_COUNT - 1, &index, err) < 0)
		return zp_error_wrap(err, "leasing an uplink");
	names->node_address = UPLINK_BASE + (uint32_t)index * 4 + 1;
	names->inner_address = names->node_address + 1;
	return 0;
}

void provider_machine_tap_name(struct node_context *node, const char *machine_id, char out[16])
{
	node_short_name("t", node_tag(node), machine_id, out);
}

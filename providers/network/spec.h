/*
 * The spec of a `network` workload, checked and in typed form. Field names are those of WORKLOADS:
 * ip_range, subnet, wireguard_private_key, wireguard_listen_port, peers[], mycelium.
 *
 *	struct provider_network_spec spec;
 *	if (provider_network_spec_read(json, &spec, err) < 0) ...   err: "subnet: \"10.1.2.0\" is
 *not ..." provider_network_spec_release(&spec);
 */
#ifndef PROVIDER_NETWORK_SPEC_H
#define PROVIDER_NETWORK_SPEC_H

#include <cjson/cJSON.h>

#include "base/error.h"
#include "providers/network/address.h"

#define PROVIDER_NETWORK_MAX_PEERS 1024
#define PROVIDER_NETWORK_MAX_ALLOWED_IPS 4096

struct provider_network_peer {
	struct provider_subnet subnet;
	uint8_t public_key[PROVIDER_WG_KEY_BYTES];
	struct provider_subnet *allowed_ips;
	size_t allowed_ip_count;
	char *endpoint; /* "1.2.3.4:51820"; NULL: the peer calls us */
};

struct provider_network_spec {
	struct provider_subnet ip_range; /* of the whole network, a /16 */
	struct provider_subnet subnet;	 /* of this node, a /24 */
	uint32_t gateway;		 /* first address of the subnet */
	bool has_private_key;
	uint8_t private_key[PROVIDER_WG_KEY_BYTES];
	int listen_port; /* 0: none */
	struct provider_network_peer *peers;
	size_t peer_count;
};

/* 0, or -1 with err naming the field; on error nothing is held. */
int provider_network_spec_read(
	const cJSON *json, struct provider_network_spec *spec, struct zp_error *err);
/* Frees the peers and wipes the key. */
void provider_network_spec_release(struct provider_network_spec *spec);

#define provider_autonetwork zp_cleanup(provider_network_spec_release) struct provider_network_spec

#endif

#include "providers/network/spec.h"

#include <arpa/inet.h>
#include <sodium.h>
#include <string.h>

#include "base/alloc.h"

/* Ranges that mean something else on every node, so that a network in them could not work. */
static const struct {
	struct provider_subnet subnet;
	const char *use;
} reserved[] = {
	{ { 0x00000000, 8 }, "this host" },
	{ { 0x64400000, 10 }, "WireGuard and the node's own links" },
	{ { 0x7f000000, 8 }, "loopback" },
	{ { 0xa9fe0000, 16 }, "link-local addresses" },
	{ { 0xe0000000, 3 }, "multicast and reserved addresses" },
};

/* The field's text; NULL after an error when it is missing, empty or no text. */
static const char *text_field(const cJSON *object, const char *prefix, const char *name,
	bool required, struct zp_error *err)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	if (!item || cJSON_IsNull(item)) {
		if (required)
			zp_error_set(err, "%s%s: required, but not given", prefix, name);
		return NULL;
	}
	if (!cJSON_IsString(item)) {
		zp_error_set(err, "%s%s: must be text", prefix, name);
		return NULL;
	}
	if (required && !item->valuestring[0]) {
		zp_error_set(err, "%s%s: must not be empty", prefix, name);
		return NULL;
	}
	return item->valuestring;
}

static int subnet_field(const cJSON *object, const char *prefix, const char *name, int bits,
	struct provider_subnet *out, struct zp_error *err)
{
	const char *text = text_field(object, prefix, name, true, err);

	if (!text)
		return -1;
	if (!provider_subnet_parse(text, out) || out->prefix != bits)
		return zp_error_set(err, "%s%s: \"%s\" is not an IPv4 range with prefix /%d",
			prefix, name, text, bits);
	if (!provider_subnet_is_network(*out)) {
		struct provider_subnet base = *out;
		char should[PROVIDER_SUBNET_TEXT];

		base.address &= provider_subnet_mask(bits);
		provider_subnet_format(base, should);
		return zp_error_set(err,
			"%s%s: \"%s\" has bits set after its prefix; did you mean %s?", prefix,
			name, text, should);
	}
	return 0;
}

static int check_reserved(struct provider_subnet range, struct zp_error *err)
{
	char text[PROVIDER_SUBNET_TEXT];

	for (size_t i = 0; i < ZP_ARRAY_SIZE(reserved); i++) {
		if (!provider_subnet_overlaps(range, reserved[i].subnet))
			continue;
		provider_subnet_format(range, text);
		return zp_error_set(err, "ip_range: %s is reserved for %s", text, reserved[i].use);
	}
	return 0;
}

/* Integer in [from, to]; absent gives 0. */
static int port_field(const cJSON *object, const char *name, int *out, struct zp_error *err)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	*out = 0;
	if (!item || cJSON_IsNull(item))
		return 0;
	if (!cJSON_IsNumber(item) || item->valuedouble != (double)item->valueint ||
		item->valueint < 0 || item->valueint > 65535)
		return zp_error_set(
			err, "%s: must be a port, a whole number from 1 to 65535", name);
	*out = item->valueint;
	return 0;
}

/* The text of a bad key is not repeated: it may be a private one. */
static int key_field(const cJSON *object, const char *prefix, const char *name, bool required,
	uint8_t key[PROVIDER_WG_KEY_BYTES], bool *given, struct zp_error *err)
{
	zp_autoerror missing = ZP_ERROR_INIT;
	const char *text = text_field(object, prefix, name, required, &missing);

	*given = text && text[0];
	if (missing.message)
		return zp_error_set(err, "%s", missing.message);
	if (*given && !provider_wg_key_parse(text, key))
		return zp_error_set(
			err, "%s%s: is not a WireGuard key (32 bytes in base 64)", prefix, name);
	return 0;
}

static bool endpoint_is_valid(const char *text)
{
	char host[64];
	const char *colon = strrchr(text, ':');
	struct in6_addr scratch;
	size_t len = colon ? (size_t)(colon - text) : 0;
	size_t digits = colon ? strspn(colon + 1, "0123456789") : 0;
	long port;

	if (!colon || len == 0 || len >= sizeof(host) || digits < 1 || digits > 5 ||
		colon[1 + digits])
		return false;
	port = strtol(colon + 1, NULL, 10);
	if (port < 1 || port > 65535)
		return false;
	if (text[0] == '[' && colon[-1] == ']' && len > 2) {
		memcpy(host, text + 1, len - 2);
		host[len - 2] = '\0';
		return inet_pton(AF_INET6, host, &scratch) == 1;
	}
	memcpy(host, text, len);
	host[len] = '\0';
	return inet_pton(AF_INET, host, &scratch) == 1;
}

static int read_allowed_ips(const cJSON *json, const char *prefix,
	struct provider_network_peer *peer, struct zp_error *err)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, "allowed_ips");
	const cJSON *item;
	int count = cJSON_GetArraySize(list);

	if (!cJSON_IsArray(list) || count == 0)
		return zp_error_set(
			err, "%sallowed_ips: must be a list of at least one range", prefix);
	if (count > PROVIDER_NETWORK_MAX_ALLOWED_IPS)
		return zp_error_set(err, "%sallowed_ips: has %d ranges, the limit is %d", prefix,
			count, PROVIDER_NETWORK_MAX_ALLOWED_IPS);
	peer->allowed_ips = zp_calloc((size_t)count, sizeof(*peer->allowed_ips));
	cJSON_ArrayForEach(item, list)
	{
		struct provider_subnet *allowed = &peer->allowed_ips[peer->allowed_ip_count++];

		if (!cJSON_IsString(item) || !provider_subnet_parse(item->valuestring, allowed))
			return zp_error_set(err,
				"%sallowed_ips[%zu]: is not an IPv4 range such as "
				"10.1.2.0/24",
				prefix, peer->allowed_ip_count - 1);
	}
	return 0;
}

static int read_peer(
	const cJSON *json, size_t index, struct provider_network_peer *peer, struct zp_error *err)
{
	zp_autofree char *prefix = zp_format("peers[%zu].", index);
	zp_autoerror bad = ZP_ERROR_INIT;
	const char *text;
	bool given;

	if (!cJSON_IsObject(json))
		return zp_error_set(err, "peers[%zu]: must be an object", index);
	text = text_field(json, prefix, "subnet", true, err);
	if (!text)
		return -1;
	if (!provider_subnet_parse(text, &peer->subnet))
		return zp_error_set(err,
			"%ssubnet: \"%s\" is not an IPv4 range such as 10.1.2.0/24", prefix, text);
	if (key_field(json, prefix, "wireguard_public_key", true, peer->public_key, &given, err) <
			0 ||
		read_allowed_ips(json, prefix, peer, err) < 0)
		return -1;
	text = text_field(json, prefix, "endpoint", false, &bad);
	if (bad.message)
		return zp_error_set(err, "%s", bad.message);
	if (text && text[0]) {
		if (!endpoint_is_valid(text))
			return zp_error_set(err,
				"%sendpoint: \"%s\" is not an address and port such as "
				"192.0.2.1:51820",
				prefix, text);
		peer->endpoint = zp_strdup(text);
	}
	return 0;
}

static int read_peers(const cJSON *json, struct provider_network_spec *spec, struct zp_error *err)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, "peers");
	const cJSON *item;
	int count = cJSON_GetArraySize(list);

	if (!list || cJSON_IsNull(list))
		return 0;
	if (!cJSON_IsArray(list))
		return zp_error_set(err, "peers: must be a list");
	if (count > PROVIDER_NETWORK_MAX_PEERS)
		return zp_error_set(err, "peers: has %d entries, the limit is %d", count,
			PROVIDER_NETWORK_MAX_PEERS);
	if (count == 0)
		return 0;
	if (!spec->has_private_key)
		return zp_error_set(err, "wireguard_private_key: required when there are peers");
	if (spec->listen_port == 0)
		return zp_error_set(err, "wireguard_listen_port: required when there are peers");
	spec->peers = zp_calloc((size_t)count, sizeof(*spec->peers));
	cJSON_ArrayForEach(item, list)
	{
		if (read_peer(item, spec->peer_count, &spec->peers[spec->peer_count], err) < 0) {
			spec->peer_count++;
			return -1;
		}
		spec->peer_count++;
	}
	return 0;
}

static int read_fields(const cJSON *json, struct provider_network_spec *spec, struct zp_error *err)
{
	const cJSON *mycelium = cJSON_GetObjectItemCaseSensitive(json, "mycelium");

	if (!cJSON_IsObject(json))
		return zp_error_set(err, "the network's specification must be an object");
	if (subnet_field(json, "", "ip_range", 16, &spec->ip_range, err) < 0 ||
		check_reserved(spec->ip_range, err) < 0 ||
		subnet_field(json, "", "subnet", 24, &spec->subnet, err) < 0)
		return -1;
	if (!provider_subnet_contains(spec->ip_range, spec->subnet)) {
		char range[PROVIDER_SUBNET_TEXT], subnet[PROVIDER_SUBNET_TEXT];

		provider_subnet_format(spec->ip_range, range);
		provider_subnet_format(spec->subnet, subnet);
		return zp_error_set(err, "subnet: %s is not within ip_range %s", subnet, range);
	}
	spec->gateway = spec->subnet.address + 1;
	if (mycelium && !cJSON_IsNull(mycelium) && !cJSON_IsObject(mycelium))
		return zp_error_set(err, "mycelium: must be an object");
	if (key_field(json, "", "wireguard_private_key", false, spec->private_key,
		    &spec->has_private_key, err) < 0 ||
		port_field(json, "wireguard_listen_port", &spec->listen_port, err) < 0)
		return -1;
	return read_peers(json, spec, err);
}

int provider_network_spec_read(
	const cJSON *json, struct provider_network_spec *spec, struct zp_error *err)
{
	memset(spec, 0, sizeof(*spec));
	if (read_fields(json, spec, err) < 0) {
		provider_network_spec_release(spec);
		return -1;
	}
	return 0;
}

void provider_network_spec_release(struct provider_network_spec *spec)
{
	for (size_t i = 0; i < spec->peer_count; i++) {
		free(spec->peers[i].allowed_ips);
		free(spec->peers[i].endpoint);
	}
	free(spec->peers);
	sodium_memzero(spec, sizeof(*spec));
}

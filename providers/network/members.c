#include "providers/network/members.h"

#include <sodium.h>
#include <string.h>

/* WireGuard's own address for subnet a.b.c.0/24 is 100.64.b.c. */
#define WIREGUARD_BASE UINT32_C(0x64400000)
#define KEY_VARIANT sodium_base64_VARIANT_ORIGINAL

/* Number of a /24 in its /16, or -1 when text is none of that range. */
static int subnet_number(struct provider_subnet range, struct hcl_value text)
{
	struct provider_subnet subnet;
	if (text.state != HCL_KNOWN || !provider_subnet_parse(text.text, &subnet) ||
		subnet.prefix != 24 || !provider_subnet_contains(range, subnet))
		return -1;
	return (subnet.address >> 8) & 0xff;
}

static int lowest_free(const bool taken[256])
{
	for (int number = 1; number <= ZOS_NETWORK_MAX_NODES; number++)
		if (!taken[number])
			return number;
	return -1;
}

/* Marks what nodes that stay have; the others get -1. */
static void keep_former(struct provider_subnet range, struct hcl_value nodes,
	struct hcl_value prior, int *numbers, bool taken[256])
{
	for (uint32_t i = 0; i < nodes.count; i++) {
		struct hcl_value former;
		numbers[i] = -1;
		if (prior.state != HCL_KNOWN ||
			!hcl_map_lookup(prior, hcl_text(nodes.elements[i]), &former))
			continue;
		int number = subnet_number(range, former);
		if (number < 1 || taken[number])
			continue;
		numbers[i] = number;
		taken[number] = true;
	}
}

bool zos_subnets_assign(struct zp_arena *arena, const char *ip_range, struct hcl_value nodes,
	struct hcl_value prior, struct hcl_value *out, struct zp_error *err)
{
	struct provider_subnet range;
	*out = hcl_unknown(hcl_map_type(hcl_string));
	if (!hcl_is_wholly_known(nodes) || nodes.state != HCL_KNOWN || !ip_range)
		return true;
	if (!provider_subnet_parse(ip_range, &range)) {
		zp_error_set(err, "\"%s\" is not an IPv4 range", ip_range);
		return false;
	}
	bool taken[256] = { false };
	int *numbers = zp_new_array(arena, int, nodes.count);
	struct hcl_map_entry *entries = zp_new_array(arena, struct hcl_map_entry, nodes.count);
	keep_former(range, nodes, prior, numbers, taken);
	for (uint32_t i = 0; i < nodes.count; i++) {
		int number = numbers[i] > 0 ? numbers[i] : lowest_free(taken);
		if (number < 0) {
			zp_error_set(
				err, "a network spans at most %d nodes", ZOS_NETWORK_MAX_NODES);
			return false;
		}
		taken[number] = true;
		struct provider_subnet subnet = { .prefix = 24 };
		subnet.address = (range.address & provider_subnet_mask(16)) | (uint32_t)number << 8;
		char text[PROVIDER_SUBNET_TEXT];
		provider_subnet_format(subnet, text);
		entries[i].key = zp_arena_str(arena, hcl_text(nodes.elements[i]));
		entries[i].value = hcl_string_cstr(arena, text);
	}
	*out = hcl_map_value(hcl_string, entries, nodes.count);
	return true;
}

void zos_member_new_key(struct zos_member *member)
{
	randombytes_buf(member->private_key, sizeof(member->private_key));
	/* As `wg genkey` writes it: the bits Curve25519 fixes are set already. */
	member->private_key[0] &= 248;
	member->private_key[31] = (member->private_key[31] & 127) | 64;
	crypto_scalarmult_base(member->public_key, member->private_key);
}

bool zos_member_take_key(struct zos_member *member, const char *text)
{
	if (!text || !provider_wg_key_parse(text, member->private_key))
		return false;
	crypto_scalarmult_base(member->public_key, member->private_key);
	return true;
}

void zos_members_wipe(struct zos_member *members, size_t count)
{
	for (size_t i = 0; i < count; i++)
		sodium_memzero(members[i].private_key, sizeof(members[i].private_key));
}

size_t zos_members_access(const struct zos_member *members, size_t count)
{
	size_t i = 0;
	while (i < count && !members[i].public_address[0])
		i++;
	return i;
}

int zos_members_check(const struct zos_member *members, size_t count,
	const struct zos_member *laptop, struct zp_error *err)
{
	if ((count < 2 && !laptop) || zos_members_access(members, count) < count)
		return 0;
	if (laptop)
		return zp_error_set(err, "none of its nodes has a public address that a laptop "
					 "(add_wg_access) could call; add a node that has one");
	return zp_error_set(err, "none of its nodes has a public address, so that they can not "
				 "reach each other; add a "
				 "node that has one");
}

static void add_key(cJSON *object, const char *name, const uint8_t key[PROVIDER_WG_KEY_BYTES])
{
	char text[ZOS_WG_KEY_TEXT];
	sodium_bin2base64(text, sizeof(text), key, PROVIDER_WG_KEY_BYTES, KEY_VARIANT);
	cJSON_AddStringToObject(object, name, text);
	sodium_memzero(text, sizeof(text));
}

uint32_t zos_member_tunnel_address(const struct zos_member *member)
{
	return WIREGUARD_BASE | ((member->subnet.address >> 8) & 0xffff);
}

/* Its subnet, and its address in the tunnel. */
static void add_allowed(cJSON *list, const struct zos_member *member)
{
	char text[PROVIDER_SUBNET_TEXT];
	struct provider_subnet tunnel = { zos_member_tunnel_address(member), 32 };
	provider_subnet_format(member->subnet, text);
	cJSON_AddItemToArray(list, cJSON_CreateString(text));
	provider_subnet_format(tunnel, text);
	cJSON_AddItemToArray(list, cJSON_CreateString(text));
}

static cJSON *peer_spec(const struct zos_member *peer)
{
	char text[PROVIDER_SUBNET_TEXT];
	cJSON *object = cJSON_CreateObject();
	provider_subnet_format(peer->subnet, text);
	cJSON_AddStringToObject(object, "subnet", text);
	add_key(object, "wireguard_public_key", peer->public_key);
	add_allowed(cJSON_AddArrayToObject(object, "allowed_ips"), peer);
	if (peer->public_address[0]) {
		char endpoint[64];
		snprintf(endpoint, sizeof(endpoint), "%s:%d", peer->public_address, peer->port);
		cJSON_AddStringToObject(object, "endpoint", endpoint);
	}
	return object;
}

/*
 * Two hidden nodes have no tunnel between them: each sends what is for the other to the access
 * node, whose allowed addresses therefore include those of all other hidden ones; and everybody
 * sends it what is for the laptop.
 */
static void add_peers(cJSON *list, const struct zos_member *members, size_t count, size_t self,
	const struct zos_member *laptop)
{
	size_t access = zos_members_access(members, count);
	bool hidden = !members[self].public_address[0];
	for (size_t i = 0; i < count; i++) {
		if (i == self || (hidden && !members[i].public_address[0]))
			continue;
		cJSON *peer = peer_spec(&members[i]);
		cJSON_AddItemToArray(list, peer);
		if (i != access)
			continue;
		if (laptop)
			add_allowed(cJSON_GetObjectItem(peer, "allowed_ips"), laptop);
		for (size_t j = 0; hidden && j < count; j++)
			if (j != self && !members[j].public_address[0])
				add_allowed(cJSON_GetObjectItem(peer, "allowed_ips"), &members[j]);
	}
	if (laptop && self == access)
		cJSON_AddItemToArray(list, peer_spec(laptop));
}

cJSON *zos_member_spec(const char *ip_range, const struct zos_member *members, size_t count,
	size_t self, const struct zos_member *laptop)
{
	char text[PROVIDER_SUBNET_TEXT];
	const struct zos_member *member = &members[self];
	cJSON *spec = cJSON_CreateObject();
	cJSON_AddStringToObject(spec, "ip_range", ip_range);
	provider_subnet_format(member->subnet, text);
	cJSON_AddStringToObject(spec, "subnet", text);
	if (member->port) {
		add_key(spec, "wireguard_private_key", member->private_key);
		cJSON_AddNumberToObject(spec, "wireguard_listen_port", member->port);
	}
	add_peers(cJSON_AddArrayToObject(spec, "peers"), members, count, self, laptop);
	return spec;
}

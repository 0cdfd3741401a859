#include "providers/network/laptop.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "providers/zos/object.h"

#define KEEPALIVE_SECONDS 25

static const char *const attributes[] = { "external_ip", "external_sk", "access_wg_config" };

static bool is_taken(struct hcl_value subnets, struct provider_subnet wanted)
{
	for (uint32_t i = 0; subnets.state == HCL_KNOWN && i < subnets.count; i++) {
		struct provider_subnet subnet;
		if (provider_subnet_parse(subnets.entries[i].value.text, &subnet) &&
			subnet.address == wanted.address)
			return true;
	}
	return false;
}

/* The one it has, else the highest that no node has: nodes take theirs from the other end. */
static bool find_subnet(const char *ip_range, struct hcl_value subnets, struct hcl_value former,
	struct provider_subnet *out)
{
	struct provider_subnet range;

	if (!ip_range || !provider_subnet_parse(ip_range, &range))
		return false;
	if (former.state == HCL_KNOWN && provider_subnet_parse(former.text, out) &&
		out->prefix == 24 && provider_subnet_contains(range, *out) &&
		!is_taken(subnets, *out))
		return true;
	for (uint32_t number = 254; number > 0; number--) {
		*out = (struct provider_subnet){
			(range.address & provider_subnet_mask(16)) | number << 8, 24 };
		if (!is_taken(subnets, *out))
			return true;
	}
	return false;
}

static bool is_wanted(struct hcl_value planned)
{
	return provider_get_bool(planned, "add_wg_access", false);
}

static struct hcl_value planned_subnet(struct provider_plan *plan, struct hcl_value subnets)
{
	char text[PROVIDER_SUBNET_TEXT];
	struct provider_subnet subnet;
	struct hcl_value former = plan->replace_count ? hcl_null(hcl_string) :
							provider_get(plan->prior, "external_ip");

	if (!hcl_is_wholly_known(subnets) ||
		!find_subnet(provider_get_text(plan->planned, "ip_range"), subnets, former, &subnet))
		return hcl_unknown(hcl_string);
	provider_subnet_format(subnet, text);
	return hcl_string_cstr(plan->arena, text);
}

void zos_laptop_plan(struct provider_plan *plan, struct hcl_value subnets, bool same_nodes)
{
	struct provider_builder builder;
	struct hcl_value asked = provider_get(plan->planned, "add_wg_access");
	bool fresh = zos_plan_is_new(plan) || !provider_has(plan->prior, "external_sk");

	provider_build(&builder, plan->arena, plan->type->schema, plan->planned);
	for (size_t i = 0; i < ZP_ARRAY_SIZE(attributes); i++) {
		struct hcl_value value = hcl_null(hcl_string);
		if (asked.state == HCL_UNKNOWN || (is_wanted(plan->planned) && (fresh || i == 2)))
			value = hcl_unknown(hcl_string);
		else if (is_wanted(plan->planned))
			value = provider_get(plan->prior, attributes[i]);
		provider_build_set(&builder, attributes[i], value);
	}
	if (is_wanted(plan->planned)) {
		struct hcl_value subnet = planned_subnet(plan, subnets);
		provider_build_set(&builder, "external_ip", subnet);
		if (!fresh && same_nodes && provider_has(plan->prior, "access_wg_config") &&
			hcl_value_identical(subnet, provider_get(plan->prior, "external_ip")))
			provider_build_set(&builder, "access_wg_config",
				provider_get(plan->prior, "access_wg_config"));
	}
	plan->planned = provider_built(&builder);
}

bool zos_laptop_take(struct zos_member *laptop, struct hcl_value planned, struct hcl_value prior,
	struct hcl_value subnets, struct zp_error *err)
{
	struct hcl_value place = provider_get(planned, "external_ip");

	if (!is_wanted(planned))
		return false;
	*laptop = (struct zos_member){ .node = "" };
	if (place.state == HCL_UNKNOWN)
		place = provider_get(prior, "external_ip");
	if (!find_subnet(provider_get_text(planned, "ip_range"), subnets, place, &laptop->subnet)) {
		zp_error_set(err, "there is no /24 left in the range for the access of a laptop");
		return false;
	}
	if (!zos_member_take_key(laptop, provider_get_text(planned, "external_sk")) &&
		!zos_member_take_key(laptop, provider_get_text(prior, "external_sk")))
		zos_member_new_key(laptop);
	return true;
}

static struct hcl_value key_text(struct zp_arena *arena, const uint8_t key[PROVIDER_WG_KEY_BYTES])
{
	char text[ZOS_WG_KEY_TEXT];

	sodium_bin2base64(text, sizeof(text), key, PROVIDER_WG_KEY_BYTES,
		sodium_base64_VARIANT_ORIGINAL);
	struct hcl_value value = hcl_string_cstr(arena, text);
	sodium_memzero(text, sizeof(text));
	return value;
}

static const char *config_text(struct zp_arena *arena, const char *ip_range,
	const struct zos_member *access, const struct zos_member *laptop)
{
	char own[PROVIDER_IPV4_TEXT];

	provider_ipv4_format(zos_member_tunnel_address(laptop), own);
	return zp_arena_format(arena,
		"[Interface]\n"
		"Address = %s/32\n"
		"PrivateKey = %s\n"
		"\n"
		"[Peer]\n"
		"PublicKey = %s\n"
		"AllowedIPs = %s, 100.64.0.0/16\n"
		"PersistentKeepalive = %d\n"
		"Endpoint = %s:%d\n",
		own, key_text(arena, laptop->private_key).text,
		key_text(arena, access->public_key).text, ip_range, KEEPALIVE_SECONDS,
		access->public_address, access->port);
}

void zos_laptop_fill(struct provider_builder *builder, const char *ip_range,
	const struct zos_member *members, size_t count, const struct zos_member *laptop)
{
	size_t access = zos_members_access(members, count);
	char subnet[PROVIDER_SUBNET_TEXT];

	if (!laptop || access == count) {
		for (size_t i = 0; i < ZP_ARRAY_SIZE(attributes); i++)
			provider_build_set(builder, attributes[i], hcl_null(hcl_string));
		return;
	}
	provider_subnet_format(laptop->subnet, subnet);
	provider_build_set(builder, "external_ip", hcl_string_cstr(builder->arena, subnet));
	provider_build_set(builder, "external_sk", key_text(builder->arena, laptop->private_key));
	provider_build_set(builder, "access_wg_config",
		hcl_string_cstr(builder->arena,
			config_text(builder->arena, ip_range, &members[access], laptop)));
}

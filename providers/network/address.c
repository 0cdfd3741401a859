#include "providers/network/address.h"

#include <arpa/inet.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

bool provider_ipv4_parse(const char *text, uint32_t *out)
{
	struct in_addr address;

	if (inet_pton(AF_INET, text, &address) != 1)
		return false;
	*out = ntohl(address.s_addr);
	return true;
}

void provider_ipv4_format(uint32_t address, char out[PROVIDER_IPV4_TEXT])
{
	snprintf(out, PROVIDER_IPV4_TEXT, "%u.%u.%u.%u", address >> 24, address >> 16 & 255,
		address >> 8 & 255, address & 255);
}

/* One or two digits, no sign, no leading zero. -1 when it is no prefix length. */
static int parse_prefix(const char *text)
{
	size_t len = strlen(text);
	int prefix = 0;

	if (len < 1 || len > 2 || (len == 2 && text[0] == '0'))
		return -1;
	for (const char *c = text; *c; c++) {
		if (*c < '0' || *c > '9')
			return -1;
		prefix = prefix * 10 + (*c - '0');
	}
	return prefix <= 32 ? prefix : -1;
}

bool provider_subnet_parse(const char *text, struct provider_subnet *out)
{
	char address[PROVIDER_IPV4_TEXT];
	const char *slash = strchr(text, '/');

	if (!slash || (size_t)(slash - text) >= sizeof(address))
		return false;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	out->prefix = parse_prefix(slash + 1);
	return out->prefix >= 0 && provider_ipv4_parse(address, &out->address);
}

void provider_subnet_format(struct provider_subnet subnet, char out[PROVIDER_SUBNET_TEXT])
{
	char address[PROVIDER_IPV4_TEXT];

	provider_ipv4_format(subnet.address, address);
	snprintf(out, PROVIDER_SUBNET_TEXT, "%s/%d", address, subnet.prefix & 63);
}

uint32_t provider_subnet_mask(int prefix)
{
	return prefix <= 0 ? 0 : (uint32_t)0xffffffff << (32 - prefix);
}

bool provider_subnet_is_network(struct provider_subnet subnet)
{
	return (subnet.address & ~provider_subnet_mask(subnet.prefix)) == 0;
}

bool provider_subnet_contains(struct provider_subnet outer, struct provider_subnet inner)
{
	uint32_t mask = provider_subnet_mask(outer.prefix);

	return inner.prefix >= outer.prefix && (outer.address & mask) == (inner.address & mask);
}

bool provider_subnet_overlaps(struct provider_subnet a, struct provider_subnet b)
{
	return provider_subnet_contains(a, b) || provider_subnet_contains(b, a);
}

bool provider_wg_key_parse(const char *text, uint8_t out[PROVIDER_WG_KEY_BYTES])
{
	size_t len = 0;
	const char *end = NULL;

	if (sodium_base642bin(out, PROVIDER_WG_KEY_BYTES, text, strlen(text), NULL, &len, &end,
		    sodium_base64_VARIANT_ORIGINAL) != 0)
		return false;
	return len == PROVIDER_WG_KEY_BYTES && *end == '\0';
}

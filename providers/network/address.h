/*
 * IPv4 addresses and subnets as numbers (host byte order), and their text. Also WireGuard's keys,
 * which are written in base 64.
 */
#ifndef PROVIDER_NETWORK_ADDRESS_H
#define PROVIDER_NETWORK_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROVIDER_IPV4_TEXT 16	/* "255.255.255.255" and its end */
#define PROVIDER_SUBNET_TEXT 19 /* "255.255.255.255/32" and its end */
#define PROVIDER_WG_KEY_BYTES 32

struct provider_subnet {
	uint32_t address; /* as written: bits after the prefix are kept */
	int prefix;
};

/* Dotted quads only, as inet_pton takes them. False when text is something else. */
bool provider_ipv4_parse(const char *text, uint32_t *out);
void provider_ipv4_format(uint32_t address, char out[PROVIDER_IPV4_TEXT]);

/* "10.1.2.0/24". False when there is no prefix or it is not from 0 to 32. */
bool provider_subnet_parse(const char *text, struct provider_subnet *out);
void provider_subnet_format(struct provider_subnet subnet, char out[PROVIDER_SUBNET_TEXT]);
uint32_t provider_subnet_mask(int prefix);
/* Whether no bit after the prefix is set. */
bool provider_subnet_is_network(struct provider_subnet subnet);
bool provider_subnet_contains(struct provider_subnet outer, struct provider_subnet inner);
bool provider_subnet_overlaps(struct provider_subnet a, struct provider_subnet b);

/* 32 bytes in base 64, as `wg genkey` prints them. */
bool provider_wg_key_parse(const char *text, uint8_t out[PROVIDER_WG_KEY_BYTES]);

#endif

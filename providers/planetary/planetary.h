/*
 * The planetary network: an IPv6 network (200::/7) of all yggdrasil nodes. A zplan node runs one yggdrasil
 * and has a /64 of it, in which its machines get addresses: on a bridge of their own, from which only the
 * planetary network is reached, and on which machines send as themselves only.
 *
 * Kept under <root>/planetary: the node's key, and the configuration by its hash.
 */
#ifndef PROVIDER_PLANETARY_PLANETARY_H
#define PROVIDER_PLANETARY_PLANETARY_H

#include <netinet/in.h>

#include "node/context.h"

struct provider_planetary {
	char bridge[16], link[16]; /* of the machines; towards the others */
	struct in6_addr prefix;	   /* a /64 */
	char gateway[INET6_ADDRSTRLEN];
};

/* Whether the node can give such addresses; -1: err says what it lacks. */
int provider_planetary_check(const struct node_context *node, struct zp_error *err);
/* Runs yggdrasil and makes the bridge; what is there already stays as it is. */
int provider_planetary_up(
	struct node_context *node, struct provider_planetary *out, struct zp_error *err);

/* What provider_planetary_up() gave last; -1 when it was never up. */
int provider_planetary_find(struct node_context *node, struct provider_planetary *out);

/* A machine on it: names and its address, which follow from its identity. */
struct provider_planetary_card {
	char tap[16], mac[18];
	char address[INET6_ADDRSTRLEN];
};

void provider_planetary_card(struct node_context *node, const struct provider_planetary *planetary,
	const char *machine_id, struct provider_planetary_card *out);
void provider_planetary_tap_name(struct node_context *node, const char *machine_id, char out[16]);
/* Lets the machine send from its address. */
int provider_planetary_admit(struct node_context *node, const struct provider_planetary_card *card,
	struct zp_error *err);
/* Forgets the machine of this tap. */
void provider_planetary_dismiss(
	struct node_context *node, const struct provider_planetary_card *card);
/* What is wrong with the network of this node, for people; nothing is added when it is well. */
int provider_planetary_inspect(
	struct node_context *node, struct zp_buf *message, struct zp_error *err);

/* yggdrasil's configuration (JSON): `key` is what it generated for itself. Pure. NULL with err. */
char *provider_planetary_config(const struct node_context *node, const char *key, const char *link,
	const char *socket, struct zp_error *err);
/* The filter as nft commands, to be run again at any time. Pure. */
void provider_planetary_rules(const char *tag, const struct provider_planetary *planetary,
	struct zp_buf *out);

#endif

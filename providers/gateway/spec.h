/*
 * The specs of `gateway-name-proxy` and `gateway-fqdn-proxy`, checked and in typed form. Fields:
 * name or fqdn, backends[], tls_passthrough, redirect_https, health_check (path that a backend must
 * answer well), network (id of the network workload whose private addresses the backends are).
 *
 * Backends are addresses, never host names: "http://10.1.2.3", "http://10.1.2.3:8080",
 * "https://..." where the gateway ends TLS; "10.1.2.3:443" with tls_passthrough.
 */
#ifndef PROVIDER_GATEWAY_SPEC_H
#define PROVIDER_GATEWAY_SPEC_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "base/error.h"

#define PROVIDER_GATEWAY_MAX_BACKENDS 32
/* A little under DNS's own 253, because it is also part of a file's name. */
#define PROVIDER_GATEWAY_FQDN_MAX 230

struct provider_gateway_backend {
	char host[46]; /* IPv4 or IPv6 address, without brackets */
	int port;
	bool tls; /* speak TLS to it */
};

struct provider_gateway_spec {
	char *name; /* of a name proxy, else NULL; lower case */
	char *fqdn; /* of an fqdn proxy, else NULL; lower case */
	bool passthrough;
	bool redirect; /* answer plain HTTP with where the name is by https */
	char *health; /* path to ask; NULL: to be connected to is enough */
	char *network; /* NULL: the node reaches the backends by itself */
	struct provider_gateway_backend backends[PROVIDER_GATEWAY_MAX_BACKENDS];
	size_t backend_count;
};

/* 0, or -1 with err when this can not be a name proxy's name. */
int provider_gateway_label_check(const char *label, struct zp_error *err);
/* Names are told apart without regard to case: makes this one lower case. */
void provider_gateway_lower(char *name);
/* 0, or -1 with err naming the field; on error nothing is held. */
int provider_gateway_spec_read(
	const cJSON *json, bool by_name, struct provider_gateway_spec *spec, struct zp_error *err);
void provider_gateway_spec_release(struct provider_gateway_spec *spec);

#define provider_autogateway zp_cleanup(provider_gateway_spec_release) struct provider_gateway_spec

#endif

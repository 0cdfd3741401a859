/*
 * Checks of configured values that several zos types share. Each reports a problem of the attribute
 * and passes over what is null or unknown.
 */
#ifndef PROVIDERS_ZOS_CHECKS_H
#define PROVIDERS_ZOS_CHECKS_H

#include "providers/values.h"
#include "providers/provider.h"

/* A whole number in [from, to]. unit: "cores", "MB", for the message. */
void zos_check_int(struct provider_problems *problems, struct hcl_value config, const char *name,
	int64_t from, int64_t to, const char *unit);
/* An IPv4 address in dotted form. */
void zos_check_ipv4(struct provider_problems *problems, struct hcl_value config, const char *name);
/* The id of another object. type: "zos_network", for the message. */
void zos_check_reference(struct provider_problems *problems, struct hcl_value config,
	const char *name, const char *type);

#endif

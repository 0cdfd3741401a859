/*
 * What the person has set up about hosts: credentials, and where their services are. Read from Terraform's own
 * places, so that what works there works here: $TF_CLI_CONFIG_FILE or ~/.terraformrc (blocks "credentials" and
 * "host"), ~/.terraform.d/credentials.tfrc.json, and $TF_TOKEN_<host>, which wins.
 */
#ifndef CLI_HOSTS_H
#define CLI_HOSTS_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/vec.h"
#include "modules/registry.h"

struct cli_hosts {
	struct module_host *items; /* growing; texts in the arena */
	size_t count, capacity;
	struct zp_arena arena;
};

/* False after diagnostics. Files that are not there are as if empty. */
bool cli_hosts_load(struct cli_hosts *hosts, struct zp_diags *diags);
void cli_hosts_release(struct cli_hosts *hosts);

#endif

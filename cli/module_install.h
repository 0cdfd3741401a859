/*
 * Brings the modules of a configuration into the data folder while it is loaded.
 *
 *	struct cli_installer installer;
 *	if (cli_installer_init(&installer, upgrade, &diags))
 *		... plan_config_load(&(struct plan_config_options){ .installer = &installer.interface }) ...
 *	cli_installer_release(&installer);
 */
#ifndef CLI_MODULE_INSTALL_H
#define CLI_MODULE_INSTALL_H

#include "cli/hosts.h"
#include "modules/registry.h"
#include "planner/config.h"

struct cli_installer {
	struct plan_module_installer interface;
	bool upgrade; /* what is here already is fetched again */
	struct cli_hosts hosts;
	struct module_registry registry;
};

/* What is fetched is told on standard output. False after diagnostics; it is to be released all the same. */
bool cli_installer_init(struct cli_installer *installer, bool upgrade, struct zp_diags *diags);
void cli_installer_release(struct cli_installer *installer);

#endif

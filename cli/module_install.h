/*
 * Brings the modules of a configuration into the data folder while it is loaded.
 *
 *	struct cli_installer installer;
 *	cli_installer_init(&installer, upgrade);
 *	... plan_config_load(&(struct plan_config_options){ .installer = &installer.interface }) ...
 */
#ifndef CLI_MODULE_INSTALL_H
#define CLI_MODULE_INSTALL_H

#include "planner/config.h"

struct cli_installer {
	struct plan_module_installer interface;
	bool upgrade; /* what is here already is fetched again */
};

/* Nothing to release. What is fetched is told on standard output. */
void cli_installer_init(struct cli_installer *installer, bool upgrade);

#endif

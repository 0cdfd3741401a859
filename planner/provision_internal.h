/*
 * Shared by the files that run provisioners (provision*.c); not for others.
 */
#ifndef PLANNER_PROVISION_INTERNAL_H
#define PLANNER_PROVISION_INTERNAL_H

#include "planner/apply.h"

/* One provisioner at work. */
struct provisioning {
	struct plan_execution *execution;
	const struct plan_provisioned *what;
	const struct plan_provisioner *provisioner;
	bool sensitive; /* nothing of its output is shown */
};

/* A line of its output. */
void plan_provision_say(const struct provisioning *p, const char *text);
/* The same for zp_process_options.line, with the provisioning as data. */
void plan_provision_line(void *data, struct zp_str line);
/* Reports; true when the configuration says to go on all the same. */
bool plan_provision_failed(const struct provisioning *p, const char *detail);

/* provision_remote.c: file and remote-exec. Values are wholly known and without marks. */
bool plan_provision_remotely(struct provisioning *p, struct hcl_value config, struct hcl_value connection);

#endif

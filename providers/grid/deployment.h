/*
 * grid_deployment, in three files: its schema and checks (deployment_schema.c), its plan (deployment.c), and
 * how it is carried out (deployment_run.c).
 */
#ifndef PROVIDERS_GRID_DEPLOYMENT_H
#define PROVIDERS_GRID_DEPLOYMENT_H

#include "providers/grid/vm.h"

extern struct provider_schema grid_deployment_schema;
extern struct provider_schema grid_disk_schema, grid_vm_schema, grid_mount_schema;

/* Slot validate. */
void grid_deployment_validate(struct hcl_value config, struct provider_problems *problems);
extern const struct zos_composite grid_deployment_kind;

#endif

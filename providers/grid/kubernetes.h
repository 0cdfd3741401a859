/*
 * grid_kubernetes, in two files: its schema, checks and plan (kubernetes.c), and how it is carried out
 * (kubernetes_run.c).
 */
#ifndef PROVIDERS_GRID_KUBERNETES_H
#define PROVIDERS_GRID_KUBERNETES_H

#include "providers/grid/vm.h"

extern struct provider_schema grid_master_schema, grid_worker_schema;
extern const struct zos_composite grid_kubernetes_kind;

/* The nodes of all members, each once, as text in the arena; unknown ones are left out. */
const char **grid_member_nodes(struct zp_arena *arena, struct hcl_value values, size_t *count);

#endif

/*
 * The built-in providers' tables, and their type tables, for the registry.
 */
#ifndef PROVIDERS_BUILTIN_H
#define PROVIDERS_BUILTIN_H

#include "providers/provider.h"

extern const struct provider provider_zos;	     /* zos/provider.c */
extern const struct provider provider_terraform;     /* utility/terraform.c */
extern const struct provider provider_null;	     /* utility/null.c */
extern const struct provider provider_local;	     /* local/local.c */
extern const struct provider provider_random_values; /* random/random.c */
extern const struct provider provider_time;	     /* time/time.c */
extern const struct provider provider_grid;	     /* grid/provider.c */

extern const struct provider_resource_type provider_terraform_remote_state; /* utility/remote_state.c */
extern const struct provider_resource_type provider_terraform_data; /* utility/terraform_data.c */

extern const struct provider_resource_type provider_zos_network;      /* network/resource.c */
extern const struct provider_resource_type provider_zos_disk;	      /* disk/resource.c */
extern const struct provider_resource_type provider_zos_ip;	      /* ip/resource.c */
extern const struct provider_resource_type provider_zos_machine;      /* machine/resource.c */
extern const struct provider_resource_type provider_zos_gateway_name; /* gateway/resource.c */
extern const struct provider_resource_type provider_zos_gateway_fqdn; /* gateway/resource.c */
extern const struct provider_resource_type provider_zos_logs;	      /* logs/resource.c */
extern const struct provider_resource_type provider_zos_kubernetes;   /* kubernetes/resource.c */
extern const struct provider_resource_type provider_zos_scheduler;    /* scheduler/resource.c */
extern const struct provider_resource_type provider_zos_scheduler_data;
extern const struct provider_resource_type provider_zos_gateway_domain_data;
extern const struct provider_resource_type provider_zos_node_data; /* scheduler/node_data.c */
extern const struct provider_resource_type provider_zos_nodes_data;

extern const struct provider_resource_type provider_grid_network;    /* grid/network.c */
extern const struct provider_resource_type provider_grid_name_proxy; /* grid/gateway.c */
extern const struct provider_resource_type provider_grid_fqdn_proxy;
extern const struct provider_resource_type provider_grid_deployment; /* grid/deployment.c */
extern const struct provider_resource_type provider_grid_kubernetes; /* grid/kubernetes.c */
extern const struct provider_resource_type provider_grid_scheduler; /* grid/scheduler.c */
extern const struct provider_resource_type provider_grid_gateway_domain; /* grid/domain.c */

#endif

/*
 * The workload types a node can realise: the one table given to node_agent_run().
 */
#ifndef PROVIDERS_WORKLOADS_H
#define PROVIDERS_WORKLOADS_H

#include "node/workload.h"

const struct node_workload_types *provider_workload_types(void);

#endif

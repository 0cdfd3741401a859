/*
 * The workload type `zlogs`: the console of a machine of this node as a stream of lines to a redis
 * channel or a WebSocket, from now on. Spec: zmachine (id of the machine's workload), output (URL,
 * output.h), certificate_authority (PEM, what to trust of wss). No result.
 *
 * The target is called from inside the machine's private network, from where private addresses and
 * the internet can be reached, and nothing of the node.
 */
#ifndef PROVIDERS_LOGS_WORKLOAD_H
#define PROVIDERS_LOGS_WORKLOAD_H

#include "node/workload.h"

#define PROVIDER_LOGS_TYPE "zlogs"

extern const struct node_workload_type provider_logs_workload;

#endif

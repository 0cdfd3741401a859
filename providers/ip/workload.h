/*
 * The workload type `ip`: a public address of the node for one machine. Spec: v4, v6 (at least one).
 * Result: ip ("203.0.113.10/24"), ip6 ("2001:db8::.../64"), gateway.
 */
#ifndef PROVIDER_IP_WORKLOAD_H
#define PROVIDER_IP_WORKLOAD_H

#include "node/workload.h"

#define PROVIDER_IP_TYPE "ip"

extern const struct node_workload_type provider_ip_workload;

#endif

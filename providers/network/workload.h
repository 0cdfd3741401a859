/*
 * The workload type `network`: this node's part of a private network. See names.h for its objects,
 * spec.h for its fields, firewall.h for its rules.
 *
 * Machines' taps are attached to the bridge by whoever starts them; ensure attaches those it finds,
 * which repairs a bridge that was removed under running machines.
 */
#ifndef PROVIDER_NETWORK_WORKLOAD_H
#define PROVIDER_NETWORK_WORKLOAD_H

#include "node/workload.h"

#define PROVIDER_NETWORK_TYPE "network"

extern const struct node_workload_type provider_network_workload;

#endif

/*
 * The workload types `gateway-name-proxy` and `gateway-fqdn-proxy`: a name on this node's public
 * address that leads to backends, through the node's HAProxy (engine.h).
 *
 * A name, and a domain name, belongs to one workload of a node (pool "gateway-name"); the label of
 * a name proxy (pool "gateway-label") to one in the inventory, which who makes it sees to
 * (names.h). Backends within a network get a port each on the network's uplink (pool
 * "gateway-port/<network>", one block of ports per gateway), which HAProxy connects to (forward.h).
 */
#ifndef PROVIDER_GATEWAY_WORKLOAD_H
#define PROVIDER_GATEWAY_WORKLOAD_H

#include "node/workload.h"

#define PROVIDER_GATEWAY_NAME_TYPE "gateway-name-proxy"
#define PROVIDER_GATEWAY_FQDN_TYPE "gateway-fqdn-proxy"

extern const struct node_workload_type provider_gateway_name_workload;
extern const struct node_workload_type provider_gateway_fqdn_workload;

#endif

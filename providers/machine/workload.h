/*
 * The workload type `zmachine`: a virtual machine on this node. Spec: spec.h. Result: id (its name
 * on the node), ip, planetary_ip, mycelium_ip, console_url.
 *
 * A change of the entrypoint, the environment, the mounts, cpu or memory restarts the machine;
 * other content gives it a new root and keeps its disks. One that dies is started again
 * (restarts.h).
 */
#ifndef PROVIDER_MACHINE_WORKLOAD_H
#define PROVIDER_MACHINE_WORKLOAD_H

#include "node/workload.h"

#define PROVIDER_ZMACHINE_TYPE "zmachine"

extern const struct node_workload_type provider_zmachine_workload;

#endif

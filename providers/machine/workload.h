/*
 * The workload type `zmachine`: a machine, run through libvirt.
 */
#ifndef PROVIDER_MACHINE_WORKLOAD_H
#define PROVIDER_MACHINE_WORKLOAD_H

#include "node/workload.h"

extern const struct node_workload_type provider_zmachine_workload;

#endif

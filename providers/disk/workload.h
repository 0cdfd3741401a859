/*
 * The workload type `zmount`: a disk for one machine.
 */
#ifndef PROVIDER_DISK_WORKLOAD_H
#define PROVIDER_DISK_WORKLOAD_H

#include "node/workload.h"

extern const struct node_workload_type provider_zmount_workload;

#endif

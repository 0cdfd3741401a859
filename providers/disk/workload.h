/*
 * The workload type `zmount`: a disk for one machine of this node. Spec: size (bytes), show (names of
 * small files at the top of its file system). Result: volume_id; what is read also has shown, the
 * content of those files that are there. Grows in place, also under a running machine; never
 * shrinks; stays while a machine has it.
 */
#ifndef PROVIDER_DISK_WORKLOAD_H
#define PROVIDER_DISK_WORKLOAD_H

#include "node/workload.h"

#define PROVIDER_ZMOUNT_TYPE "zmount"

extern const struct node_workload_type provider_zmount_workload;

/* The size out of a spec. 0, or -1 with err naming the field. */
int provider_zmount_size(const cJSON *spec, int64_t *size, struct zp_error *err);

#endif

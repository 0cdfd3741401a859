/*
 * What machines need of the host: the kernel and initramfs they boot, and hardware acceleration.
 */
#ifndef PROVIDER_MACHINE_HOST_H
#define PROVIDER_MACHINE_HOST_H

#include <stdbool.h>

#include "base/error.h"
#include "node/context.h"

struct provider_guest_files {
	char *kernel, *initramfs; /* heap, absolute */
};

/*
 * In $ZPLAN_GUEST, else in guest/ beside the running program, else in /usr/lib/zplan/guest. -1 with
 * err listing where it looked.
 */
int provider_guest_files(struct provider_guest_files *out, struct zp_error *err);
void provider_guest_files_release(struct provider_guest_files *files);

/*
 * Whether machines run on the processor itself: the node's setting, else whether /dev/kvm opens and
 * the processor has what it takes. The first answer that is "no" is logged once.
 */
bool provider_host_has_kvm(const struct node_context *node);

#endif

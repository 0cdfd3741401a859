/*
 * How a machine starts, by what its content is: kernel, initramfs and command line for QEMU, none
 * of them where the firmware boots its disk.
 */
#ifndef PROVIDER_MACHINE_BOOT_H
#define PROVIDER_MACHINE_BOOT_H

#include "base/str.h"
#include "providers/machine/root.h"
#include "providers/machine/spec.h"

struct provider_boot {
	enum provider_root_mode mode;
	char *kernel, *initramfs; /* NULL: none */
	char *command_line;
};

/* folder: the machine's, with its root made. */
int provider_boot_find(const char *folder, const struct provider_machine_spec *spec,
	struct provider_boot *out, struct zp_error *err);
void provider_boot_release(struct provider_boot *boot);

/* The command line of content with its own kernel; -1 when the entrypoint can not be said in one.
 */
int provider_boot_command_line(
	const struct provider_machine_spec *spec, struct zp_buf *out, struct zp_error *err);

#endif

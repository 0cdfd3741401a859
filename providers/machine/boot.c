#include "providers/machine/boot.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "node/client.h"
#include "providers/machine/content_cache.h"
#include "providers/machine/domain.h"
#include "providers/machine/host.h"

/* The root is the first disk; a kernel does not start with more than 2048 bytes, and says nothing.
 */
#define OWN_KERNEL "console=tty0 console=ttyS0 root=/dev/vda rw panic=-1 ds=nocloud"
#define MAX_COMMAND_LINE 2000

int provider_boot_command_line(
	const struct provider_machine_spec *spec, struct zp_buf *out, struct zp_error *err)
{
	zp_buf_puts(out, OWN_KERNEL);
	for (size_t i = 0; i < spec->arg_count; i++) {
		const char *word = spec->args[i];

		if (!*word || word[strcspn(word, " \t\r\n\"")])
			return zp_error_code(err, NODE_E_INVALID,
				"entrypoint: this content starts by a kernel of its own, which "
				"takes no words with white space or quotes, as \"%s\"",
				word);
		zp_buf_puts(out, i == 0 ? " init=" : i == 1 ? " -- " : " ");
		zp_buf_puts(out, word);
	}
	if (out->len > MAX_COMMAND_LINE)
		return zp_error_code(err, NODE_E_INVALID,
			"entrypoint: too long for the command line of a kernel (%d bytes)",
			MAX_COMMAND_LINE);
	return 0;
}

static int find_own_kernel(const char *folder, const struct provider_machine_spec *spec,
	struct provider_boot *out, struct zp_error *err)
{
	zp_autofree char *initrd = zp_format("%s/base/" PROVIDER_BASE_INITRD, folder);
	zp_autobuf line = ZP_BUF_INIT;

	if (provider_boot_command_line(spec, &line, err) < 0)
		return -1;
	out->kernel = zp_format("%s/base/" PROVIDER_BASE_KERNEL, folder);
	if (zp_file_exists(initrd))
		out->initramfs = zp_steal(initrd);
	out->command_line = zp_buf_steal(&line);
	return 0;
}

static int find_node_kernel(struct provider_boot *out, struct zp_error *err)
{
	struct provider_guest_files files;

	if (provider_guest_files(&files, err) < 0)
		return -1;
	out->kernel = files.kernel;
	out->initramfs = files.initramfs;
	out->command_line = zp_strdup(PROVIDER_CONTAINER_COMMAND_LINE);
	return 0;
}

int provider_boot_find(const char *folder, const struct provider_machine_spec *spec,
	struct provider_boot *out, struct zp_error *err)
{
	memset(out, 0, sizeof(*out));
	out->mode = provider_root_mode(folder);
	if (out->mode == PROVIDER_ROOT_FIRMWARE)
		return 0;
	if (out->mode == PROVIDER_ROOT_KERNEL)
		return find_own_kernel(folder, spec, out, err);
	return find_node_kernel(out, err);
}

void provider_boot_release(struct provider_boot *boot)
{
	free(boot->kernel);
	free(boot->initramfs);
	free(boot->command_line);
	memset(boot, 0, sizeof(*boot));
}

#include "providers/machine/root.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/process.h"
#include "node/client.h"
#include "providers/machine/content.h"
#include "providers/machine/content_build.h"
#include "providers/machine/content_cache.h"

#define MAX_SOURCE 16384

/* Two lines that say what the content is, and the size on the third. */
static void describe(const struct provider_machine_spec *spec, struct zp_buf *out)
{
	zp_buf_printf(out, "%s\n%s\n", spec->flist, spec->checksum);
}

static int write_source(
	const char *folder, const struct provider_machine_spec *spec, struct zp_error *err)
{
	zp_autofree char *path = zp_format("%s/root.source", folder);
	zp_autobuf text = ZP_BUF_INIT;

	describe(spec, &text);
	zp_buf_printf(&text, "%" PRId64 "\n", spec->size);
	return zp_file_write_atomic(path, zp_buf_slice(&text), 0600, err);
}

int provider_root_inspect(const char *folder, const struct provider_machine_spec *spec,
	enum provider_root_need *need, struct zp_error *err)
{
	zp_autofree char *source = zp_format("%s/root.source", folder);
	zp_autofree char *root = zp_format("%s/root.qcow2", folder);
	zp_autobuf found = ZP_BUF_INIT, wanted = ZP_BUF_INIT;
	int64_t size;

	*need = PROVIDER_ROOT_BUILD;
	describe(spec, &wanted);
	if (!zp_file_exists(root) || zp_file_read(source, MAX_SOURCE, &found, NULL) < 0 ||
		!zp_str_starts(zp_buf_slice(&found), wanted.ptr))
		return 0;
	size = strtoll(found.ptr + wanted.len, NULL, 10);
	if (size > spec->size)
		return zp_error_code(err, NODE_E_INVALID,
			"size: the root file system can not shrink from %" PRId64 " to %" PRId64
			" bytes",
			size, spec->size);
	*need = size == spec->size ? PROVIDER_ROOT_FINE : PROVIDER_ROOT_GROW;
	return 0;
}

/* The image in the folder, as a path from there; NULL when it has none. */
static const char *image_name(const char *folder)
{
	static const char *const names[] = { "base/" PROVIDER_BASE_ROOT,
		"base/" PROVIDER_BASE_DISK };

	for (size_t i = 0; i < ZP_ARRAY_SIZE(names); i++) {
		zp_autofree char *path = zp_format("%s/%s", folder, names[i]);

		if (zp_file_exists(path))
			return names[i];
	}
	return NULL;
}

enum provider_root_mode provider_root_mode(const char *folder)
{
	zp_autofree char *disk = zp_format("%s/base/" PROVIDER_BASE_DISK, folder);
	zp_autofree char *kernel = zp_format("%s/base/" PROVIDER_BASE_KERNEL, folder);

	if (zp_file_exists(disk))
		return PROVIDER_ROOT_FIRMWARE;
	return zp_file_exists(kernel) ? PROVIDER_ROOT_KERNEL : PROVIDER_ROOT_CONTAINER;
}

/* <folder>/fetched becomes <folder>/base when the root is made. */
int provider_root_fetch(struct node_context *node, const char *id, const char *folder,
	const struct provider_machine_spec *spec, bool local, struct zp_error *err)
{
	zp_autofree char *fetched = zp_format("%s/fetched", folder);
	zp_autofree char *root = zp_format("%s/" PROVIDER_BASE_ROOT, fetched);
	zp_autofree char *disk = zp_format("%s/" PROVIDER_BASE_DISK, fetched);
	const struct provider_content content = {
		.url = spec->flist, .checksum = spec->checksum, .limit = spec->size, .local = local
	};
	struct stat st;

	if (provider_content_link(node, id, &content, fetched, err) < 0)
		return -1;
	if (stat(root, &st) != 0 && stat(disk, &st) != 0)
		return zp_error_errno(err, "opening %s", root);
	return provider_content_fits((int64_t)st.st_size, spec->size, err);
}

static int build(const char *folder, const char *size, struct zp_error *err)
{
	const struct zp_process_options here = { .directory = folder };
	zp_autofree char *source = zp_format("%s/root.source", folder);
	zp_autofree char *fetched = zp_format("%s/fetched", folder);
	zp_autofree char *base = zp_format("%s/base", folder);
	zp_autofree char *root = zp_format("%s/root.qcow2", folder);
	const char *image;

	/* From here on, until the source is written again, this is no root. */
	unlink(source);
	unlink(root);
	if (zp_remove_tree(base, err) < 0)
		return -1;
	if (rename(fetched, base) != 0)
		return zp_error_errno(err, "renaming %s", fetched);
	image = image_name(folder);
	if (!image)
		return zp_error_set(err, "there is no image in %s", base);
	return zp_run((const char *[]){ "qemu-img", "create", "-q", "-f", "qcow2", "-b", image,
			      "-F", "raw", "root.qcow2", size, NULL },
		&here, NULL, err);
}

int provider_root_apply(const char *folder, const struct provider_machine_spec *spec,
	enum provider_root_need need, struct zp_error *err)
{
	const struct zp_process_options here = { .directory = folder };
	zp_autofree char *size = zp_format("%" PRId64, spec->size);
	int rc = 0;

	if (need == PROVIDER_ROOT_FINE)
		return 0;
	if (need == PROVIDER_ROOT_BUILD)
		rc = build(folder, size, err);
	else
		rc = zp_run((const char *[]){ "qemu-img", "resize", "-q", "-f", "qcow2",
				    "root.qcow2", size, NULL },
			&here, NULL, err);
	return rc < 0 ? zp_error_wrap(err, "making the root disk")
		      : write_source(folder, spec, err);
}

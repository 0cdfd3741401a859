#include "providers/machine/capabilities.h"

#include "base/alloc.h"
#include "base/file.h"

#define SUFFIX ".xml"
#define MAX_FILE (4u << 20)

static char *driver_folder(const char *libvirt_root)
{
	return zp_format("%s/cache/qemu/capabilities", libvirt_root);
}

static void copy_file(const char *name, const char *from, const char *to)
{
	zp_autofree char *source = zp_format("%s/%s", from, name);
	zp_autofree char *target = zp_format("%s/%s", to, name);
	zp_autobuf text = ZP_BUF_INIT, known = ZP_BUF_INIT;

	if (zp_file_read(source, MAX_FILE, &text, NULL) < 0 || !text.len)
		return;
	if (zp_file_read(target, MAX_FILE, &known, NULL) == 0 &&
		zp_str_equal(zp_buf_slice(&text), zp_buf_slice(&known)))
		return;
	zp_file_write_atomic(target, zp_buf_slice(&text), 0600, NULL);
}

static void copy_all(const char *from, const char *to)
{
	zp_autoclosedir DIR *dir = opendir(from);
	struct dirent *entry;

	if (!dir || zp_mkdirs(to, 0700, NULL) < 0)
		return;
	while ((entry = readdir(dir)))
		if (zp_str_ends(zp_str(entry->d_name), SUFFIX))
			copy_file(entry->d_name, from, to);
}

void provider_capabilities_borrow(const char *shared, const char *libvirt_root)
{
	zp_autofree char *own = driver_folder(libvirt_root);

	if (!zp_is_directory(own))
		copy_all(shared, own);
}

void provider_capabilities_lend(const char *shared, const char *libvirt_root)
{
	zp_autofree char *own = driver_folder(libvirt_root);

	copy_all(own, shared);
}

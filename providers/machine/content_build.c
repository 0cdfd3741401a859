#include "providers/machine/content_build.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/process.h"
#include "node/client.h"
#include "providers/machine/content_cache.h"

#define MIB (INT64_C(1) << 20)
#define GROUP (128 * MIB) /* of blocks in ext4 */
#define INODES_PER_GROUP 8192
#define INODE_BYTES 256
#define JOURNAL_MIB 16
#define BUILD_TRIES 3
#define QEMU_IMG_LEAKS 3 /* exit status of its check */
#define COPY_CHUNK ((size_t)1 << 30)

void provider_content_size(int64_t bytes, int64_t entries, int64_t *size, int64_t *inodes)
{
	/* A folder takes a block, a file with holes in its extents may take one more. */
	int64_t need = bytes + bytes / 16 + entries * 4096 + (JOURNAL_MIB + 8) * MIB;
	int64_t groups = need / GROUP + 1;

	*inodes = entries + 1024;
	if (*inodes < groups * INODES_PER_GROUP)
		*inodes = groups * INODES_PER_GROUP;
	*size = (need + *inodes * INODE_BYTES + MIB - 1) / MIB * MIB;
}

int provider_content_fits(int64_t bytes, int64_t limit, struct zp_error *err)
{
	if (bytes <= limit)
		return 0;
	return zp_error_code(err, NODE_E_INVALID,
		"size: the content needs a root file system of at least %lld MB",
		(long long)((bytes + MIB - 1) / MIB));
}

/* ---- root file systems ---- */

static int make_image(
	const char *folder, const char *path, int64_t size, int64_t inodes, struct zp_error *err)
{
	zp_autofree char *inode_text = zp_format("%lld", (long long)inodes);
	zp_autofree char *journal = zp_format("size=%d", JOURNAL_MIB);
	zp_autoclose int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || ftruncate(fd, size) != 0)
		return zp_error_errno(err, "making %s", path);
	return zp_run((const char *[]){ "mkfs.ext4", "-q", "-F", "-b", "4096", "-m", "0", "-N",
			      inode_text, "-J", journal, "-E", "lazy_journal_init=1", "-d", folder,
			      path, NULL },
		NULL, NULL, err);
}

/* What content needs on ext4 is an estimate; a failure is answered with more room first. */
static int build_root(const char *folder, const struct provider_tree *tree, const char *to,
	int64_t limit, struct zp_error *err)
{
	zp_autofree char *path = zp_format("%s/" PROVIDER_BASE_ROOT, to);
	int64_t size, inodes;
	int rc = -1;

	provider_content_size(tree->bytes, tree->entries, &size, &inodes);
	for (int i = 0; i < BUILD_TRIES && rc < 0; i++, size *= 2) {
		if (provider_content_fits(size, limit, err) < 0)
			return -1;
		rc = make_image(folder, path, size, inodes, err);
	}
	if (rc == 0 && err)
		zp_error_clear(err);
	return rc < 0 ? zp_error_wrap(err, "making an image of %s", folder) : 0;
}

/* ---- kernels in the content ---- */

static int copy(int from, int to)
{
	ssize_t n;

	while ((n = sendfile(to, from, NULL, COPY_CHUNK)) > 0)
		;
	return n < 0 ? -1 : 0;
}

/* Links lead where they lead in the machine, never out of the folder. Nothing there: fine. */
static int copy_out(const char *folder, const char *name, const char *to, struct zp_error *err)
{
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	zp_autoclose int root = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	zp_autoclose int from = (int)syscall(SYS_openat2, root, name, &how, sizeof(how));
	zp_autoclose int out = -1;
	struct stat st;

	if (from < 0 || fstat(from, &st) != 0 || !S_ISREG(st.st_mode))
		return 0;
	out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0 || copy(from, out) < 0)
		return zp_error_errno(err, "copying %s out of the content", name);
	return 0;
}

static int copy_kernel(const char *folder, const char *to, struct zp_error *err)
{
	zp_autofree char *kernel = zp_format("%s/" PROVIDER_BASE_KERNEL, to);
	zp_autofree char *initrd = zp_format("%s/" PROVIDER_BASE_INITRD, to);

	if (copy_out(folder, "boot/vmlinuz", kernel, err) < 0)
		return -1;
	return zp_file_exists(kernel) ? copy_out(folder, "boot/initrd.img", initrd, err) : 0;
}

/* ---- disks and file systems as they are ---- */

static int convert(const char *path, const char *format, const char *image, struct zp_error *err)
{
	return zp_run((const char *[]){ "qemu-img", "convert", "-f", format, "-O", "raw", path,
			      image, NULL },
		NULL, NULL, err);
}

/* Reading a damaged image would give zeros for what is missing. */
static int check_qcow2(const char *path, struct zp_error *err)
{
	struct zp_process_result result = { 0 };
	int rc = zp_run((const char *[]){ "qemu-img", "check", "-q", "-f", "qcow2", path, NULL },
		NULL, &result, err);

	/* Clusters nobody refers to are a waste, and no damage. */
	if (rc < 0 && result.status == QEMU_IMG_LEAKS)
		rc = 0;
	zp_process_result_release(&result);
	return rc < 0 ? zp_error_code(err, NODE_E_INVALID, "the qcow2 image is damaged or cut off")
		      : 0;
}

int provider_build_image(const char *path, enum provider_content_kind kind, const char *to,
	int64_t limit, struct zp_error *err)
{
	zp_autofree char *image = zp_format("%s/%s", to,
		kind == PROVIDER_CONTENT_EXT4 ? PROVIDER_BASE_ROOT : PROVIDER_BASE_DISK);
	const char *format = kind == PROVIDER_CONTENT_QCOW2 ? "qcow2" : "raw";
	int64_t size = provider_content_disk_size(path, kind);

	if (provider_content_fits(size, limit, err) < 0)
		return -1;
	if (kind == PROVIDER_CONTENT_QCOW2 && check_qcow2(path, err) < 0)
		return -1;
	if (convert(path, format, image, err) < 0)
		return zp_error_wrap(err, "reading the %s image", format);
	if (kind == PROVIDER_CONTENT_EXT4)
		return 0;
	return provider_content_check_boot(image, err);
}

/* ---- folders ---- */

int provider_build_folder(const char *folder, const struct provider_tree *tree, const char *to,
	int64_t limit, struct zp_error *err)
{
	zp_autofree char *disk = zp_format("%s/image.raw", folder);
	enum provider_content_kind kind;
	struct stat st;

	if (lstat(disk, &st) != 0 || !S_ISREG(st.st_mode)) {
		if (build_root(folder, tree, to, limit, err) < 0)
			return -1;
		return copy_kernel(folder, to, err);
	}
	if (provider_content_kind(disk, "", &kind, err) < 0)
		return zp_error_wrap(err, "/image.raw");
	if (kind != PROVIDER_CONTENT_RAW)
		return zp_error_code(
			err, NODE_E_INVALID, "/image.raw has no partition table: it is no disk");
	return provider_build_image(disk, kind, to, limit, err);
}

int provider_build_unpack(
	const char *path, enum provider_content_kind kind, const char *folder, struct zp_error *err)
{
	if (kind == PROVIDER_CONTENT_TAR)
		return zp_run((const char *[]){ "tar", "-x", "-p", "--numeric-owner", "--xattrs",
				      "-f", path, "-C", folder, NULL },
			NULL, NULL, err);
	return zp_run((const char *[]){ "unsquashfs", "-n", "-f", "-d", folder, path, NULL }, NULL,
		NULL, err);
}

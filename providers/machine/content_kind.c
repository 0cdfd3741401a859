#include "providers/machine/content_kind.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "node/client.h"

#define HEAD 4096
#define SECTOR 512
#define BOOT_CODE 440
#define PARTITIONS 446
#define PARTITION_BYTES 16
#define GPT_PARTITION 0xee
#define EXT4_SUPER 1024
#define EXT4_64BIT 0x80
#define QCOW2_DATA_FILE 4 /* incompatible feature: the data is in another file */

struct head {
	uint8_t bytes[HEAD]; /* zeros behind the end of a shorter file */
	uint64_t size;	     /* of the whole file */
};

static uint64_t little(const struct head *head, size_t at, int bytes)
{
	uint64_t value = 0;

	for (int i = bytes; i-- > 0;)
		value = value << 8 | head->bytes[at + (size_t)i];
	return value;
}

static uint64_t big(const struct head *head, size_t at, int bytes)
{
	uint64_t value = 0;

	for (int i = 0; i < bytes; i++)
		value = value << 8 | head->bytes[at + (size_t)i];
	return value;
}

static int read_head(const char *path, struct head *head, struct zp_error *err)
{
	zp_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	size_t len = 0;
	ssize_t n;

	memset(head, 0, sizeof(*head));
	if (fd < 0 || fstat(fd, &st) != 0)
		return zp_error_errno(err, "opening %s", path);
	if (!S_ISREG(st.st_mode))
		return zp_error_code(err, NODE_E_INVALID, "%s is no regular file", path);
	while (len < HEAD && (n = read(fd, head->bytes + len, HEAD - len)) > 0)
		len += (size_t)n;
	head->size = (uint64_t)st.st_size;
	return 0;
}

static int check_length(
	const struct head *head, uint64_t needed, const char *what, struct zp_error *err)
{
	if (needed <= head->size)
		return 0;
	return zp_error_code(err, NODE_E_INVALID,
		"the %s is cut off: it has %" PRIu64 " of %" PRIu64 " bytes", what, head->size,
		needed);
}

/* ---- what is looked at of each ---- */

static int check_squashfs(const struct head *head, struct zp_error *err)
{
	return check_length(head, little(head, 40, 8), "squashfs", err);
}

static int check_ext4(const struct head *head, struct zp_error *err)
{
	uint64_t shift = 10 + little(head, EXT4_SUPER + 24, 4);
	uint64_t blocks = little(head, EXT4_SUPER + 4, 4);

	if (little(head, EXT4_SUPER + 96, 4) & EXT4_64BIT)
		blocks |= little(head, EXT4_SUPER + 336, 4) << 32;
	if (shift > 16 || blocks > UINT64_MAX >> shift)
		return zp_error_code(err, NODE_E_INVALID, "the ext4 file system is damaged");
	return check_length(head, blocks << shift, "ext4 file system", err);
}

static int check_raw(const struct head *head, struct zp_error *err)
{
	uint64_t end = 0;

	if (memcmp(head->bytes + SECTOR, "EFI PART", 8) == 0)
		end = little(head, SECTOR + 32, 8) + 1; /* the copy of the table is the last */
	for (size_t i = 0; i < 4 && !end; i++) {
		size_t at = PARTITIONS + i * PARTITION_BYTES;

		if (head->bytes[at + 4] == GPT_PARTITION)
			return zp_error_code(
				err, NODE_E_INVALID, "the disk image's partition table is damaged");
	}
	for (size_t i = 0; i < 4; i++) {
		size_t at = PARTITIONS + i * PARTITION_BYTES;
		uint64_t last = little(head, at + 8, 4) + little(head, at + 12, 4);

		if (head->bytes[at + 4] && head->bytes[at + 4] != GPT_PARTITION && last > end)
			end = last;
	}
	if (end > UINT64_MAX / SECTOR)
		return zp_error_code(
			err, NODE_E_INVALID, "the disk image's partition table is damaged");
	return check_length(head, end * SECTOR, "disk image", err);
}

/* It must not make QEMU open files of the node. */
static int check_qcow2(const struct head *head, struct zp_error *err)
{
	uint64_t version = big(head, 4, 4);

	if (version != 2 && version != 3)
		return zp_error_code(err, NODE_E_INVALID,
			"a qcow2 image of the unknown version %" PRIu64, version);
	if (big(head, 8, 8))
		return zp_error_code(err, NODE_E_INVALID,
			"the qcow2 image stands on another file: make it whole with `qemu-img "
			"convert`");
	if (version == 3 && (big(head, 72, 8) & QCOW2_DATA_FILE))
		return zp_error_code(err, NODE_E_INVALID,
			"the qcow2 image has its data in another file: make it whole with "
			"`qemu-img convert`");
	if (big(head, 32, 4))
		return zp_error_code(err, NODE_E_INVALID, "the qcow2 image is encrypted");
	return 0;
}

/* Ordered: what a squashfs or an archive holds at the place of a partition table means nothing. */
static const struct {
	size_t at, len;
	const char *bytes;
	enum provider_content_kind kind;
	int (*check)(const struct head *head, struct zp_error *err);
} rows[] = {
	{ 0, 4, "hsqs", PROVIDER_CONTENT_SQUASHFS, check_squashfs },
	{ 0, 4, "QFI\xfb", PROVIDER_CONTENT_QCOW2, check_qcow2 },
	{ 0, 16, "SQLite format 3", PROVIDER_CONTENT_FLIST, NULL },
	{ 0, 2, "\x1f\x8b", PROVIDER_CONTENT_TAR, NULL },
	{ 0, 3, "BZh", PROVIDER_CONTENT_TAR, NULL },
	{ 0, 6, "\xfd\x37zXZ", PROVIDER_CONTENT_TAR, NULL },
	{ 0, 4, "\x28\xb5\x2f\xfd", PROVIDER_CONTENT_TAR, NULL },
	{ 257, 5, "ustar", PROVIDER_CONTENT_TAR, NULL },
	{ EXT4_SUPER + 56, 2, "\x53\xef", PROVIDER_CONTENT_EXT4, check_ext4 },
	{ 510, 2, "\x55\xaa", PROVIDER_CONTENT_RAW, check_raw },
};

/* Archives of before "ustar" have no mark. */
static bool is_named_tar(const char *name)
{
	static const char *const endings[] = { ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz",
		".txz", ".tar.zst", ".tzst" };

	for (size_t i = 0; i < ZP_ARRAY_SIZE(endings); i++)
		if (zp_str_ends(zp_str(name), endings[i]))
			return true;
	return false;
}

int provider_content_kind(
	const char *path, const char *name, enum provider_content_kind *kind, struct zp_error *err)
{
	struct head head;

	if (read_head(path, &head, err) < 0)
		return -1;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		if (memcmp(head.bytes + rows[i].at, rows[i].bytes, rows[i].len) != 0)
			continue;
		*kind = rows[i].kind;
		return rows[i].check ? rows[i].check(&head, err) : 0;
	}
	*kind = PROVIDER_CONTENT_TAR;
	if (is_named_tar(name))
		return 0;
	return zp_error_code(err, NODE_E_INVALID,
		"the content is no tar archive, squashfs, flist, ext4 file system, or disk image "
		"(raw or qcow2)%s",
		head.size ? "" : ": it is empty");
}

int64_t provider_content_disk_size(const char *path, enum provider_content_kind kind)
{
	struct head head;
	uint64_t size;

	if (read_head(path, &head, NULL) < 0)
		return INT64_MAX / 2;
	size = kind == PROVIDER_CONTENT_QCOW2 ? big(&head, 24, 8) : head.size;
	return size > INT64_MAX / 2 ? INT64_MAX / 2 : (int64_t)size;
}

int provider_content_check_boot(const char *path, struct zp_error *err)
{
	static const uint8_t none[BOOT_CODE];
	struct head head;

	if (read_head(path, &head, err) < 0)
		return -1;
	if (memcmp(head.bytes + 510, "\x55\xaa", 2) == 0 &&
		memcmp(head.bytes, none, BOOT_CODE) != 0)
		return 0;
	return zp_error_code(err, NODE_E_INVALID,
		"the disk image has no boot code: machines boot by BIOS, not by UEFI");
}

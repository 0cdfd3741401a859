#include "providers/machine/guest/guest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define FIND_TRIES 500 /* of 10 ms */
#define EXT4_IOC_RESIZE_FS _IOW('f', 16, unsigned long long)
#define SECTOR 512
#define NEW_ROOT "/root"

static char config_text[GUEST_MAX_CONFIG];

/* First line of a small file; "" when it can not be read. */
static void read_line(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd >= 0 ? read(fd, out, size - 1) : 0;

	if (fd >= 0)
		close(fd);
	out[len > 0 ? len : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
}

static bool search_disk(const char *serial, char device[32])
{
	DIR *dir = opendir("/sys/block");
	struct dirent *entry;
	bool found = false;

	while (dir && !found && (entry = readdir(dir))) {
		char path[300], text[64];

		snprintf(path, sizeof(path), "/sys/block/%s/serial", entry->d_name);
		read_line(path, text, sizeof(text));
		found = strcmp(text, serial) == 0;
		if (found)
			snprintf(device, 32, "/dev/%.20s", entry->d_name);
	}
	if (dir)
		closedir(dir);
	return found;
}

bool guest_disk_find(const char *serial, char device[32])
{
	for (int i = 0; i < FIND_TRIES; i++) {
		if (search_disk(serial, device))
			return true;
		usleep(10000);
	}
	return false;
}

void guest_config_load(struct guest_config *config)
{
	char device[32];
	size_t len = 0;
	ssize_t n;
	int fd;

	if (!guest_disk_find(GUEST_CONFIG_SERIAL, device))
		guest_fail("there is no disk with the configuration");
	fd = open(device, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		guest_fail("opening %s", device);
	while (len < sizeof(config_text) &&
		(n = read(fd, config_text + len, sizeof(config_text) - len)) > 0)
		len += (size_t)n;
	close(fd);
	errno = 0;
	if (!guest_config_parse(config_text, len, config))
		guest_fail("the configuration is damaged");
}

static unsigned long long disk_sectors(const char *device)
{
	char path[64], text[32];

	snprintf(path, sizeof(path), "/sys/block/%s/size", device + strlen("/dev/"));
	read_line(path, text, sizeof(text));
	return strtoull(text, NULL, 10);
}

/* Online growth. Says nothing when there is nothing to grow; the file system stays usable if not.
 */
static void grow(struct guest_mount *mount)
{
	unsigned long long sectors = disk_sectors(mount->device), blocks;
	struct statvfs fs;
	int fd;

	if (sectors == mount->sectors || statvfs(mount->path, &fs) != 0)
		return;
	mount->sectors = sectors;
	blocks = sectors * SECTOR / fs.f_frsize;
	fd = open(mount->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, EXT4_IOC_RESIZE_FS, &blocks) != 0)
		guest_say("%s does not grow: %s", mount->path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

static void move_mount(const char *from)
{
	char to[64];

	snprintf(to, sizeof(to), NEW_ROOT "%s", from);
	mkdir(to, 0755);
	if (mount(from, to, NULL, MS_MOVE, NULL) != 0)
		guest_fail("moving %s into the root", from);
}

/* The initramfs stays in memory for ever: leave nothing in it. */
static void drop_initramfs(const char *dir)
{
	DIR *entries = opendir(dir);
	struct dirent *entry;

	while (entries && (entry = readdir(entries))) {
		char path[300];

		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		if (entry->d_type == DT_REG)
			unlink(path);
	}
	if (entries)
		closedir(entries);
}

void guest_root_enter(struct guest_config *config)
{
	struct guest_mount *root = &config->mounts[0];

	if (!guest_disk_find(root->serial, root->device))
		guest_fail("there is no root disk");
	mkdir(NEW_ROOT, 0755);
	if (mount(root->device, NEW_ROOT, "ext4", MS_NOATIME, NULL) != 0)
		guest_fail("mounting the root %s", root->device);
	drop_initramfs("/modules");
	drop_initramfs("/");
	move_mount("/dev");
	move_mount("/proc");
	move_mount("/sys");
	if (chdir(NEW_ROOT) != 0 || mount(".", "/", NULL, MS_MOVE, NULL) != 0 || chroot(".") != 0 ||
		chdir("/") != 0)
		guest_fail("entering the root");
	grow(root);
}

static void make_path(const char *path)
{
	char part[4096];
	size_t len = strlen(path);

	if (len >= sizeof(part))
		return;
	for (size_t i = 1; i <= len; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		mkdir(part, 0755);
	}
}

void guest_disks_mount(struct guest_config *config)
{
	for (size_t i = 1; i < config->mount_count; i++) {
		struct guest_mount *disk = &config->mounts[i];

		if (!guest_disk_find(disk->serial, disk->device))
			guest_fail("the disk for %s is missing", disk->path);
		make_path(disk->path);
		if (mount(disk->device, disk->path, "ext4", MS_NOATIME, NULL) != 0)
			guest_fail("mounting %s at %s", disk->device, disk->path);
		grow(disk);
	}
}

void guest_disks_grow(struct guest_config *config)
{
	for (size_t i = 0; i < config->mount_count; i++)
		grow(&config->mounts[i]);
}

void guest_disks_release(struct guest_config *config)
{
	for (size_t i = config->mount_count; i-- > 1;)
		if (umount(config->mounts[i].path) != 0)
			mount(NULL, config->mounts[i].path, NULL, MS_REMOUNT | MS_RDONLY, NULL);
	mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY, NULL);
}

/*
 * Every kind of content, made by the tools people make it with: what comes of it in the cache, and
 * what is refused. Also how machines of it start, and the seed they are given.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <cjson/cJSON.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/process.h"
#include "node/client.h"
#include "node/context_internal.h"
#include "providers/machine/boot.h"
#include "providers/machine/content.h"
#include "providers/machine/root.h"
#include "providers/machine/seed.h"

#define run(...) zp_run((const char *[]){ __VA_ARGS__, NULL }, NULL, NULL, NULL)

static char folder[] = "/tmp/zplan-kind-XXXXXX";
static struct node_context *node;

static char *at(const char *name)
{
	return zp_format("%s/%s", folder, name);
}

static void put(const char *name, const char *text)
{
	zp_autofree char *path = at(name);

	assert_int_equal(zp_file_write_atomic(path, zp_str(text), 0644, NULL), 0);
}

static void put_number(uint8_t *out, uint64_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		out[i] = (uint8_t)(value >> 8 * i);
}

/* A disk of 8 MiB with a partition from 1 to 5 MiB, and code for the firmware. */
static int make_disk(const char *path, bool boots, bool gpt)
{
	uint8_t head[1024] = { 0 };
	zp_autoclose int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (boots)
		memcpy(head, "\xeb\xfe", 2); /* jumps to itself */
	head[446 + 4] = gpt ? 0xee : 0x83;
	put_number(head + 446 + 8, gpt ? 1 : 2048, 4);
	put_number(head + 446 + 12, gpt ? UINT32_MAX : 8192, 4);
	memcpy(head + 510, "\x55\xaa", 2);
	if (gpt) {
		memcpy(head + 512, "EFI PART", 8);
		put_number(head + 512 + 32, (8 << 20) / 512 - 1, 8);
	}
	return fd < 0 || ftruncate(fd, 8 << 20) != 0 || pwrite(fd, head, 1024, 0) != 1024 ? -1 : 0;
}

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	zp_autofree char *root = at("node"), *bin = at("tree/bin"), *machine = at("machine");
	zp_autofree char *raw = at("x.raw"), *blank = at("blank.raw"), *gpt = at("gpt.raw");
	if (zp_mkdirs(bin, 0755, NULL) < 0 || zp_mkdirs(root, 0700, NULL) < 0 ||
		zp_mkdirs(machine, 0700, NULL) < 0 || make_disk(raw, true, false) < 0 ||
		make_disk(blank, false, false) < 0 || make_disk(gpt, true, true) < 0)
		return -1;
	put("tree/bin/tool", "a tool");
	node = node_context_new(root);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	node_context_free(node);
	return zp_remove_tree(folder, NULL);
}

/* Fetches the file into the machine's folder and makes its root: 0, or -1 with err. */
static int make_root(const char *name, struct zp_error *err)
{
	zp_autofree char *machine = at("machine");
	zp_autofree char *url = zp_format("file://%s/%s", folder, name);
	struct provider_machine_spec spec = { .flist = url, .checksum = "", .size = 500 << 20 };

	if (provider_root_fetch(node, "u/vm", machine, &spec, true, err) < 0)
		return -1;
	return provider_root_apply(machine, &spec, PROVIDER_ROOT_BUILD, err);
}

static void assert_mode(const char *name, enum provider_root_mode mode)
{
	zp_autofree char *machine = at("machine");
	zp_autofree char *root = at("machine/root.qcow2");
	struct zp_error err = ZP_ERROR_INIT;

	if (make_root(name, &err) < 0)
		fail_msg("%s: %s", name, zp_error_text(&err));
	assert_int_equal(provider_root_mode(machine), mode);
	assert_int_equal(run("qemu-img", "check", "-q", root), 0);
	zp_error_clear(&err);
}

/* The content of a file in the root file system that was made last. */
static void assert_holds(const char *path, const char *expected)
{
	zp_autofree char *image = at("machine/base/root.img");
	zp_autofree char *command = zp_format("cat %s", path);
	struct zp_process_result result = { 0 };

	assert_int_equal(zp_run((const char *[]){ "debugfs", "-R", command, image, NULL }, NULL,
				 &result, NULL),
		0);
	assert_string_equal(result.out.ptr ? result.out.ptr : "", expected);
	zp_process_result_release(&result);
}

static void assert_refused(const char *name, const char *expected)
{
	struct zp_error err = ZP_ERROR_INIT;

	assert_int_equal(make_root(name, &err), -1);
	if (!strstr(zp_error_text(&err), expected))
		fail_msg("%s: \"%s\" does not say \"%s\"", name, zp_error_text(&err), expected);
	zp_error_clear(&err);
}

/* Another file of the first bytes of this one. */
static void cut(const char *name, const char *shorter, off_t size)
{
	zp_autofree char *from = at(name), *to = at(shorter);

	assert_int_equal(run("cp", from, to), 0);
	assert_int_equal(truncate(to, size), 0);
}

static off_t size_of(const char *name)
{
	zp_autofree char *path = at(name);
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

/* ---- tests ---- */

static void test_squashfs(void **state)
{
	zp_autofree char *tree = at("tree"), *file = at("x.squashfs");

	(void)state;
	assert_int_equal(run("mksquashfs", tree, file, "-quiet", "-no-progress"), 0);
	assert_mode("x.squashfs", PROVIDER_ROOT_CONTAINER);
	assert_holds("/bin/tool", "a tool");
	/* Its end is padding. */
	cut("x.squashfs", "cut.squashfs", 200);
	assert_refused("cut.squashfs", "the squashfs is cut off: it has 200 of ");
}

static void test_ext4(void **state)
{
	zp_autofree char *tree = at("tree"), *file = at("x.img");

	(void)state;
	assert_int_equal(run("mkfs.ext4", "-q", "-d", tree, file, "20M"), 0);
	assert_mode("x.img", PROVIDER_ROOT_CONTAINER);
	assert_holds("/bin/tool", "a tool");
	cut("x.img", "cut.img", 10 << 20);
	assert_refused("cut.img", "the ext4 file system is cut off: it has 10485760 of 20971520");
}

static void test_raw(void **state)
{
	zp_autofree char *first = at("machine/base/disk.img"), *raw = at("x.raw");

	(void)state;
	assert_mode("x.raw", PROVIDER_ROOT_FIRMWARE);
	assert_int_equal(run("cmp", raw, first), 0);
	cut("x.raw", "cut.raw", 4 << 20);
	assert_refused("cut.raw", "the disk image is cut off: it has 4194304 of 5242880 bytes");
	assert_refused("blank.raw", "the disk image has no boot code: machines boot by BIOS");
	assert_mode("gpt.raw", PROVIDER_ROOT_FIRMWARE);
	cut("gpt.raw", "cutgpt.raw", 7 << 20);
	assert_refused("cutgpt.raw", "the disk image is cut off: it has 7340032 of 8388608 bytes");
}

static void make_noise(const char *path)
{
	zp_autoclose int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	static uint8_t noise[4 << 20];

	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (uint8_t)(i * 7 % 251 + 1);
	assert_int_equal(pwrite(fd, noise, sizeof(noise), 1 << 20), sizeof(noise));
}

static void test_qcow2(void **state)
{
	zp_autofree char *raw = at("x.raw"), *file = at("x.qcow2"), *over = at("over.qcow2");
	zp_autofree char *disk = at("machine/base/disk.img"), *large = at("large.qcow2");
	zp_autofree char *noise = at("noise.raw"), *full = at("full.qcow2");

	(void)state;
	assert_int_equal(run("qemu-img", "convert", "-c", "-O", "qcow2", raw, file), 0);
	assert_mode("x.qcow2", PROVIDER_ROOT_FIRMWARE);
	assert_int_equal(run("cmp", raw, disk), 0);
	/* Whoever made this one could read any file of the node. */
	assert_int_equal(
		run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", raw, over), 0);
	assert_refused("over.qcow2", "the qcow2 image stands on another file");
	assert_int_equal(run("qemu-img", "create", "-q", "-f", "qcow2", large, "600M"), 0);
	assert_refused("large.qcow2", "the content needs a root file system of at least 600 MB");
	make_noise(noise);
	assert_int_equal(run("qemu-img", "convert", "-O", "qcow2", noise, full), 0);
	cut("full.qcow2", "cut.qcow2", size_of("full.qcow2") / 2);
	assert_refused("cut.qcow2", "the qcow2 image is damaged or cut off");
}

/* ---- folders that are more than a root file system ---- */

static void test_kernel(void **state)
{
	zp_autofree char *boot = at("system/boot"), *escape = at("escape/boot");
	zp_autofree char *link = at("system/boot/vmlinuz"), *out = at("escape/boot/vmlinuz");
	zp_autofree char *kernel = at("machine/base/kernel"), *initrd = at("machine/base/initrd");
	struct zp_buf text = ZP_BUF_INIT;

	(void)state;
	assert_int_equal(zp_mkdirs(boot, 0755, NULL), 0);
	put("system/boot/vmlinuz-6.1", "a kernel");
	assert_int_equal(symlink("/boot/vmlinuz-6.1", link), 0);
	assert_mode("system/", PROVIDER_ROOT_KERNEL);
	assert_int_equal(zp_file_read(kernel, 100, &text, NULL), 0);
	assert_string_equal(text.ptr, "a kernel");
	assert_false(zp_file_exists(initrd));
	put("system/boot/initrd.img", "an initrd");
	assert_mode("system/", PROVIDER_ROOT_KERNEL);
	assert_true(zp_file_exists(initrd));
	/* A link out of the content leads nowhere. */
	assert_int_equal(zp_mkdirs(escape, 0755, NULL), 0);
	assert_int_equal(symlink("/etc/passwd", out), 0);
	assert_mode("escape/", PROVIDER_ROOT_CONTAINER);
	zp_buf_release(&text);
}

static void test_disk_inside(void **state)
{
	zp_autofree char *inner = at("disk"), *raw = at("x.raw"), *image = at("disk/image.raw");
	zp_autofree char *made = at("machine/base/disk.img");

	(void)state;
	assert_int_equal(zp_mkdirs(inner, 0755, NULL), 0);
	assert_int_equal(run("cp", raw, image), 0);
	assert_mode("disk/", PROVIDER_ROOT_FIRMWARE);
	assert_int_equal(run("cmp", raw, made), 0);
	put("disk/image.raw", "no disk");
	assert_refused("disk/", "/image.raw: the content is no tar archive");
}

static void test_unknown(void **state)
{
	(void)state;
	put("page.html", "<!DOCTYPE html><html>");
	put("empty", "");
	assert_refused("page.html", "the content is no tar archive, squashfs, flist, ext4");
	assert_refused("empty", ": it is empty");
	put("bad.tar.gz", "\x1f\x8b and no more");
	assert_refused("bad.tar.gz", "tar");
}

/* ---- what a system of its own is told ---- */

static char *args[] = { "/sbin/start", "it's", "--all", NULL };
static const char *env[] = { "A=1 'b'", "SSH_KEY=ssh-ed25519 one\nssh-rsa two", "no.name=x" };
static struct provider_machine_mount mounts[] = { { "d1/disk", "/data" } };
static const struct provider_machine_spec spec = {
	.args = args, .arg_count = 3, .env = env, .env_count = 3, .mounts = mounts, .mount_count = 1
};
static const char *serials[] = { "d-123" }, *dns[] = { "9.9.9.9" };
static const struct provider_machine_config config = { .spec = &spec,
	.hostname = "web",
	.mac = "02:00:00:00:00:01",
	.address = "10.1.1.2/24",
	.gateway = "10.1.1.1",
	.range = "10.1.0.0/16",
	.public_mac = "02:00:00:00:00:02",
	.public_address = "198.51.100.7/24",
	.public_gateway = "198.51.100.1",
	.serials = serials,
	.dns = dns,
	.dns_count = 1 };

static void assert_route(
	const struct provider_machine_config *given, int cards, const char *to, const char *via)
{
	struct zp_buf out = ZP_BUF_INIT;
	cJSON *json, *list, *route;

	provider_seed_network(given, &out);
	json = cJSON_Parse(out.ptr);
	list = cJSON_GetObjectItem(json, "ethernets");
	assert_int_equal(cJSON_GetArraySize(list), cards);
	route = cJSON_GetArrayItem(
		cJSON_GetObjectItem(cJSON_GetObjectItem(list, "private"), "routes"), 0);
	assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(route, "to")), to);
	assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(route, "via")), via);
	cJSON_Delete(json);
	zp_buf_release(&out);
}

static void test_seed_network(void **state)
{
	struct provider_machine_config private = config;

	(void)state;
	assert_route(&config, 2, "10.1.0.0/16", "10.1.1.1");
	private.public_address = "";
	assert_route(&private, 2, "0.0.0.0/0", "10.1.1.1");
	private.public_mac = "";
	assert_route(&private, 1, "0.0.0.0/0", "10.1.1.1");
}

static void test_seed_user(void **state)
{
	struct zp_buf out = ZP_BUF_INIT;
	cJSON *json, *file, *mount;

	(void)state;
	provider_seed_user(&config, true, &out);
	assert_true(zp_str_starts(zp_buf_slice(&out), "#cloud-config\n"));
	json = cJSON_Parse(strchr(out.ptr, '{'));
	file = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "write_files"), 0);
	assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(file, "content")),
		"#!/bin/sh\nexport A='1 '\\''b'\\'''\nexport SSH_KEY='ssh-ed25519 one\nssh-rsa "
		"two'\n'/sbin/start' 'it'\\''s' '--all' </dev/null >/dev/console 2>&1 &\n");
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "ssh_authorized_keys")), 2);
	mount = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "mounts"), 0);
	assert_string_equal(
		cJSON_GetStringValue(cJSON_GetArrayItem(mount, 0)), "/dev/disk/by-id/virtio-d-123");
	assert_string_equal(cJSON_GetStringValue(cJSON_GetArrayItem(mount, 1)), "/data");
	cJSON_Delete(json);
	zp_buf_clear(&out);
	provider_seed_user(&config, false, &out);
	assert_null(strstr(out.ptr, "write_files"));
	zp_buf_release(&out);
}

/* As a system finds it: by its label, with the names as they are. */
static void test_seed_disk(void **state)
{
	zp_autofree char *path = at("seed.img");
	struct zp_process_result result = { 0 };
	struct zp_buf text = ZP_BUF_INIT;
	struct stat st;

	(void)state;
	assert_int_equal(provider_seed_write(&config, "u-u-i-d", true, path, NULL), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(
		zp_run((const char *[]){ "blkid", "-p", "-o", "value", "-s", "LABEL", path, NULL },
			NULL, &result, NULL),
		0);
	assert_string_equal(result.out.ptr, "CIDATA\n");
	zp_process_result_release(&result);
	assert_int_equal(zp_file_read(path, 1 << 20, &text, NULL), 0);
	assert_non_null(memmem(text.ptr, text.len, "meta-data", 9));
	assert_non_null(memmem(text.ptr, text.len, "network-config", 14));
	assert_non_null(memmem(text.ptr, text.len, "\"u-u-i-d-", 9));
	zp_buf_release(&text);
}

static void test_command_line(void **state)
{
	static char *plain[] = { "/sbin/start", "a", "b=1", NULL };
	struct provider_machine_spec own = { .args = plain, .arg_count = 3 };
	struct zp_error err = ZP_ERROR_INIT;
	struct zp_buf out = ZP_BUF_INIT;

	(void)state;
	assert_int_equal(provider_boot_command_line(&own, &out, NULL), 0);
	assert_string_equal(out.ptr, "console=tty0 console=ttyS0 root=/dev/vda rw panic=-1 "
				     "ds=nocloud init=/sbin/start -- "
				     "a b=1");
	plain[1] = "two words";
	assert_int_equal(provider_boot_command_line(&own, &out, &err), -1);
	assert_non_null(strstr(zp_error_text(&err), "as \"two words\""));
	zp_error_clear(&err);
	zp_buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_squashfs),
		cmocka_unit_test(test_ext4),
		cmocka_unit_test(test_raw),
		cmocka_unit_test(test_qcow2),
		cmocka_unit_test(test_kernel),
		cmocka_unit_test(test_disk_inside),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_seed_network),
		cmocka_unit_test(test_seed_user),
		cmocka_unit_test(test_seed_disk),
		cmocka_unit_test(test_command_line),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

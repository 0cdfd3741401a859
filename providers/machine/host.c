#include "providers/machine/host.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"

#define INSTALLED "/usr/lib/zplan/guest"
#define MAX_CPUINFO (4u << 20)

/* Heap; "<folder of the program>/guest". */
static char *beside_program(void)
{
	char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	if (len <= 0)
		return zp_strdup(INSTALLED);
	path[len] = '\0';
	slash = strrchr(path, '/');
	*slash = '\0';
	return zp_format("%s/guest", path);
}

static bool try_folder(const char *folder, struct provider_guest_files *out)
{
	zp_autofree char *kernel = zp_path_join(folder, "vmlinux");
	zp_autofree char *initramfs = zp_path_join(folder, "initramfs");

	if (!zp_file_exists(kernel) || !zp_file_exists(initramfs))
		return false;
	out->kernel = zp_steal(kernel);
	out->initramfs = zp_steal(initramfs);
	return true;
}

int provider_guest_files(struct provider_guest_files *out, struct zp_error *err)
{
	const char *named = getenv("ZPLAN_GUEST");
	zp_autofree char *beside = beside_program();

	memset(out, 0, sizeof(*out));
	if (named && *named)
		return try_folder(named, out)
			       ? 0
			       : zp_error_set(err, "no vmlinux and initramfs in %s (ZPLAN_GUEST)",
					 named);
	if (try_folder(beside, out) || try_folder(INSTALLED, out))
		return 0;
	return zp_error_set(err,
		"no kernel for machines: neither %s nor " INSTALLED
		" has vmlinux and initramfs (made by `make guest`)",
		beside);
}

void provider_guest_files_release(struct provider_guest_files *files)
{
	free(files->kernel);
	free(files->initramfs);
	memset(files, 0, sizeof(*files));
}

static bool has_flag(const char *flags, const char *flag)
{
	size_t len = strlen(flag);

	for (const char *p = strstr(flags, flag); p; p = strstr(p + 1, flag))
		if (p[-1] == ' ' && strchr(" \n", p[len]))
			return true;
	return false;
}

/* KVM's device alone says little: it may be there and refuse to run anything. */
static bool probe(void)
{
	zp_autobuf cpuinfo = ZP_BUF_INIT;
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return false;
	close(fd);
	if (zp_file_read("/proc/cpuinfo", MAX_CPUINFO, &cpuinfo, NULL) < 0 || !cpuinfo.len)
		return false;
	return has_flag(cpuinfo.ptr, "vmx") || has_flag(cpuinfo.ptr, "svm");
}

static bool probed;

static void probe_once(void)
{
	probed = probe();
	if (!probed)
		zp_log(ZP_LOG_WARN, "machines are emulated and slow: this host has no usable KVM");
}

bool provider_host_has_kvm(const struct node_context *node)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	const char *setting = node_acceleration(node);

	if (*setting)
		return strcmp(setting, "kvm") == 0;
	pthread_once(&once, probe_once);
	return probed;
}

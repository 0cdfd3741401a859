/* Named network namespaces, and the kernel's switches in them. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/alloc.h"
#include "base/file.h"
#include "providers/network/kernel.h"

#define FOLDER "/run/netns"

struct visit {
	const char *netns; /* NULL: into a new one, kept under path */
	const char *path;
	int (*fn)(void *data, struct zp_error *err);
	void *data;
	struct zp_error *err;
	int rc;
};

static char *netns_path(const char *name)
{
	return zp_format(FOLDER "/%s", name);
}

bool provider_netns_exists(const char *name)
{
	zp_autofree char *path = netns_path(name);
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == NSFS_MAGIC;
}

/* A mount point that shares what is mounted below, so that every mount namespace sees it. */
static int prepare_folder(struct zp_error *err)
{
	if (zp_mkdirs(FOLDER, 0755, err) < 0)
		return -1;
	if (mount("", FOLDER, "none", MS_SHARED | MS_REC, NULL) == 0)
		return 0;
	if (errno != EINVAL)
		return zp_error_errno(err, "sharing %s", FOLDER);
	if (mount(FOLDER, FOLDER, "none", MS_BIND | MS_REC, NULL) < 0 ||
		mount("", FOLDER, "none", MS_SHARED | MS_REC, NULL) < 0)
		return zp_error_errno(err, "sharing %s", FOLDER);
	return 0;
}

static int keep_new_netns(const struct visit *visit)
{
	if (unshare(CLONE_NEWNET) < 0)
		return zp_error_errno(visit->err, "making a network namespace");
	if (mount("/proc/thread-self/ns/net", visit->path, "none", MS_BIND, NULL) < 0)
		return zp_error_errno(visit->err, "keeping a network namespace as %s", visit->path);
	return 0;
}

static int enter_netns(const struct visit *visit)
{
	zp_autofree char *path = netns_path(visit->netns);
	zp_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return zp_error_errno(visit->err, "network namespace %s", visit->netns);
	if (setns(fd, CLONE_NEWNET) < 0)
		return zp_error_errno(visit->err, "entering network namespace %s", visit->netns);
	return visit->fn(visit->data, visit->err);
}

static void *visit_main(void *arg)
{
	struct visit *visit = arg;

	visit->rc = visit->netns ? enter_netns(visit) : keep_new_netns(visit);
	return NULL;
}

/* On a thread, because the namespace of the caller's must not change even for a moment. */
static int run_visit(struct visit *visit)
{
	pthread_t thread;
	int rc = pthread_create(&thread, NULL, visit_main, visit);

	if (rc != 0)
		return zp_error_code(visit->err, rc, "starting a thread");
	pthread_join(thread, NULL);
	return visit->rc;
}

int provider_netns_run(const char *name, int (*fn)(void *data, struct zp_error *err), void *data,
	struct zp_error *err)
{
	return run_visit(&(struct visit){ .netns = name, .fn = fn, .data = data, .err = err });
}

int provider_netns_make(const char *name, struct zp_error *err)
{
	zp_autofree char *path = netns_path(name);
	int fd;

	if (provider_netns_exists(name))
		return 0;
	if (prepare_folder(err) < 0)
		return -1;
	/* What an interrupted call left: a file without a namespace. */
	fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0444);
	if (fd < 0)
		return zp_error_errno(err, "creating %s", path);
	close(fd);
	if (run_visit(&(struct visit){ .path = path, .err = err }) < 0) {
		unlink(path);
		return -1;
	}
	return 0;
}

int provider_netns_remove(const char *name, struct zp_error *err)
{
	zp_autofree char *path = netns_path(name);

	while (umount2(path, MNT_DETACH) == 0)
		;
	if (errno != EINVAL && errno != ENOENT)
		return zp_error_errno(err, "unmounting %s", path);
	if (unlink(path) < 0 && errno != ENOENT)
		return zp_error_errno(err, "removing %s", path);
	return 0;
}

int provider_sysctl(const char *path, const char *value, struct zp_error *err)
{
	zp_autofree char *full = zp_format("/proc/sys/net/%s", path);
	zp_autoclose int fd = open(full, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return zp_error_errno(err, "opening %s", full);
	if (zp_write_all(fd, value, strlen(value), err) < 0)
		return zp_error_wrap(err, "setting %s", full);
	return 0;
}

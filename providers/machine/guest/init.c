#include "providers/machine/guest/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MODULE_ORDER "/modules/order"

static struct guest_config config;

static void say(const char *fmt, va_list ap, const char *reason)
{
	char line[512];
	size_t len = (size_t)snprintf(line, sizeof(line), GUEST_SAYS);

	len += (size_t)vsnprintf(line + len, sizeof(line) - len, fmt, ap);
	if (len > sizeof(line) - 2)
		len = sizeof(line) - 2;
	if (reason)
		len += (size_t)snprintf(line + len, sizeof(line) - len, ": %s", reason);
	if (len > sizeof(line) - 2)
		len = sizeof(line) - 2;
	line[len++] = '\n';
	if (write(2, line, len) < 0)
		return;
}

void guest_say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap, NULL);
	va_end(ap);
}

_Noreturn void guest_fail(const char *fmt, ...)
{
	int reason = errno;
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap, reason ? strerror(reason) : NULL);
	va_end(ap);
	guest_power_off(1);
}

/* Whether every process is gone within the time: orphans become our children, so none is
 * overlooked. */
static bool all_ended(int seconds)
{
	for (int i = 0; i < seconds * 50; i++) {
		pid_t pid;

		while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
			;
		if (pid < 0 && errno == ECHILD)
			return true;
		usleep(20000);
	}
	return false;
}

_Noreturn void guest_power_off(int grace_seconds)
{
	kill(-1, SIGTERM);
	/* An interactive shell ends when its terminal does, and not before. */
	if (config.console)
		kill(-1, SIGHUP);
	if (!all_ended(grace_seconds)) {
		kill(-1, SIGKILL);
		all_ended(2);
	}
	sync();
	guest_disks_release(&config);
	sync();
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

static void load_module(const char *name)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/modules/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) != 0 && errno != EEXIST))
		guest_say("module %s: %s", name, strerror(errno));
	if (fd >= 0)
		close(fd);
}

/* In the order of their needs, which was worked out when the initramfs was made. */
static void load_modules(void)
{
	FILE *order = fopen(MODULE_ORDER, "re");
	char line[96];

	while (order && fgets(line, sizeof(line), order)) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0])
			load_module(line);
	}
	if (order)
		fclose(order);
}

static void attach(const char *type, const char *path, unsigned long flags, const char *data)
{
	mkdir(path, 0755);
	if (mount(type, path, type, flags, data) != 0 && errno != EBUSY)
		guest_say("mounting %s: %s", path, strerror(errno));
}

static void mount_kernel_views(void)
{
	attach("devtmpfs", "/dev", MS_NOSUID, NULL);
	attach("proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	attach("sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

/* What programs expect of a running system, in the machine's own root. */
static void mount_runtime(void)
{
	attach("devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "mode=620,ptmxmode=666,gid=5");
	attach("tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV, "mode=1777");
	attach("tmpfs", "/run", MS_NOSUID | MS_NODEV, "mode=755");
	attach("cgroup2", "/sys/fs/cgroup", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	mkdir("/tmp", 01777);
	chmod("/tmp", 01777);
	if (symlink("/proc/self/fd", "/dev/fd") != 0 || symlink("fd/0", "/dev/stdin") != 0 ||
		symlink("fd/1", "/dev/stdout") != 0 || symlink("fd/2", "/dev/stderr") != 0)
		guest_say("links in /dev: %s", strerror(errno));
}

static void set_kernel(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		guest_say("setting %s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

/* A machine may lose its host at any time: files reach the disk after seconds, not half a minute.
 */
static void write_back_early(void)
{
	set_kernel("/proc/sys/vm/dirty_expire_centisecs", "200");
	set_kernel("/proc/sys/vm/dirty_writeback_centisecs", "100");
}

static void default_env(char *text)
{
	size_t len = strcspn(text, "=") + 1;

	for (size_t i = 0; i < config.env_count; i++)
		if (strncmp(config.env[i], text, len) == 0)
			return;
	config.env[config.env_count++] = text;
	config.env[config.env_count] = NULL;
}

static void open_console(void)
{
	int fd = open("/dev/console", O_RDWR);

	for (int i = 0; i < 3 && fd >= 0; i++)
		dup2(fd, i);
	if (fd > 2)
		close(fd);
}

/* Without an entrypoint, content with an init of its own is run by that, in our place. */
static void hand_over(void)
{
	static char *const inits[] = { "/sbin/zinit", "/sbin/init", "/init" };

	if (config.console || config.arg_count)
		return;
	for (size_t i = 0; i < sizeof(inits) / sizeof(inits[0]); i++) {
		char *args[] = { inits[i], i == 0 ? "init" : NULL, NULL };

		if (access(inits[i], X_OK) != 0)
			continue;
		guest_say(GUEST_READY);
		execve(inits[i], args, config.env);
	}
	guest_say("no entrypoint and no init in the content: idle");
}

int main(void)
{
	static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	static char home[] = "HOME=/root", term[] = "TERM=linux";

	mount_kernel_views();
	open_console();
	load_modules();
	write_back_early();
	guest_config_load(&config);
	guest_root_enter(&config);
	mount_runtime();
	guest_disks_mount(&config);
	guest_network_up(&config);
	default_env(path);
	default_env(home);
	default_env(term);
	/* execvpe() looks for programs in this process's PATH. */
	for (size_t i = 0; i < config.env_count; i++)
		if (strncmp(config.env[i], "PATH=", 5) == 0)
			setenv("PATH", config.env[i] + 5, 1);
	hand_over();
	guest_serve(&config);
}

#include "planner/remote_shell.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base/alloc.h"
#include "base/file.h"

extern char **environ;

#define LONGEST_PAUSE 8

struct remote_shell {
	char *folder; /* 0700 */
	char *config;
	const char **environment; /* heap; the texts set here too */
	char *askpass;
};

/* ---- what ssh reads ---- */

/* Words of ssh's configuration stand in quotes and have no way to hold others. */
static bool is_plain(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == '"' || *text == '\\' || *text == 0x7f)
			return false;
	return true;
}

/* Without the line's end that files have. Heap. */
static char *one_line(const char *text)
{
	size_t length = strlen(text);

	while (length && strchr(" \t\r\n", text[length - 1]))
		length--;
	return zp_strndup(text, length);
}

static bool check_end(const struct remote_end *end, struct zp_error *err)
{
	zp_autofree char *host_key = end->host_key ? one_line(end->host_key) : NULL;
	const char *values[] = { end->host, end->user, host_key };

	for (size_t i = 0; i < ZP_ARRAY_SIZE(values); i++) {
		if (!values[i] || is_plain(values[i]))
			continue;
		zp_error_set(err, "host, user and host key must be of one line, without quotes and backslashes");
		return false;
	}
	if (end->host && (end->host[0] == '-' || !*end->host)) {
		zp_error_set(err, "\"%s\" is no host", end->host);
		return false;
	}
	return true;
}

static bool write_file(const struct remote_shell *shell, const char *name, const char *text, mode_t mode,
	struct zp_error *err)
{
	zp_autofree char *path = zp_path_join(shell->folder, name);
	size_t length = strlen(text);
	/* Keys must end with a line's end. */
	zp_autofree char *whole = zp_format("%s%s", text, length && text[length - 1] == '\n' ? "" : "\n");
	int result = zp_file_write_atomic(path, zp_str(whole), mode, err);

	explicit_bzero(whole, strlen(whole));
	return result == 0;
}

/* "%" begins a token in settings that name hosts and files. */
static void setting(struct zp_buf *out, const char *name, const char *value)
{
	zp_buf_printf(out, "  %s \"", name);
	for (; *value; value++)
		zp_buf_puts(out, *value == '%' ? "%%" : (char[]){ *value, 0 });
	zp_buf_puts(out, "\"\n");
}

static bool write_end(struct remote_shell *shell, const char *name, const struct remote_end *end,
	const struct remote_settings *settings, struct zp_buf *config, struct zp_error *err)
{
	zp_autofree char *key = zp_format("%s-key", name);
	zp_autofree char *certificate = zp_format("%s-key-cert.pub", name);
	zp_autofree char *known = zp_format("%s-known", name);

	zp_buf_printf(config, "Host %s\n", name);
	setting(config, "HostName", end->host);
	if (end->user)
		zp_buf_printf(config, "  User \"%s\"\n", end->user);
	zp_buf_printf(config, "  Port %d\n", end->port > 0 ? end->port : 22);
	zp_buf_printf(config, "  HostKeyAlias %s\n", name);
	if (end->private_key) {
		zp_autofree char *path = zp_path_join(shell->folder, key);
		setting(config, "IdentityFile", path);
		if (!write_file(shell, key, end->private_key, 0600, err))
			return false;
	}
	if (end->certificate) {
		zp_autofree char *path = zp_path_join(shell->folder, certificate);
		setting(config, "CertificateFile", path);
		if (!write_file(shell, certificate, end->certificate, 0600, err))
			return false;
	}
	zp_buf_printf(config, "  StrictHostKeyChecking %s\n", end->host_key ? "yes" : "no");
	if (end->host_key) {
		zp_autofree char *path = zp_path_join(shell->folder, known);
		zp_autofree char *host_key = one_line(end->host_key);
		zp_autofree char *text = zp_format("%s %s\n@cert-authority %s %s\n", name, host_key, name,
			host_key);
		setting(config, "UserKnownHostsFile", path);
		if (!write_file(shell, known, text, 0600, err))
			return false;
	} else {
		zp_buf_puts(config, "  UserKnownHostsFile /dev/null\n");
	}
	zp_buf_printf(config, "  PasswordAuthentication %s\n  KbdInteractiveAuthentication %s\n",
		end->password ? "yes" : "no", end->password ? "yes" : "no");
	zp_buf_printf(config, "  IdentitiesOnly %s\n",
		settings->agent && !settings->agent_identity ? "no" : "yes");
	return true;
}

static bool write_identity(struct remote_shell *shell, const struct remote_settings *settings,
	struct zp_buf *config, struct zp_error *err)
{
	if (!settings->agent) {
		zp_buf_puts(config, "  IdentityAgent none\n");
		return true;
	}
	if (!settings->agent_identity)
		return true;
	/* A public key tells ssh which of the agent's keys is meant. */
	zp_autofree char *path = zp_path_join(shell->folder, "identity.pub");
	bool is_key = strchr(settings->agent_identity, ' ') != NULL;
	if (!is_plain(settings->agent_identity)) {
		zp_error_set(err, "agent_identity must be a public key or the name of a file");
		return false;
	}
	setting(config, "IdentityFile", is_key ? path : settings->agent_identity);
	return !is_key || write_file(shell, "identity.pub", settings->agent_identity, 0600, err);
}

/* ssh asks this program for passwords; it knows by the host in the question which one is meant. */
static bool write_passwords(struct remote_shell *shell, const struct remote_settings *settings,
	struct zp_error *err)
{
	const struct remote_end *bastion = &settings->bastion;
	zp_autobuf script = ZP_BUF_INIT;

	if (settings->target.password && !write_file(shell, "password", settings->target.password, 0600, err))
		return false;
	if (bastion->password && !write_file(shell, "bastion-password", bastion->password, 0600, err))
		return false;
	if (bastion->host && !write_file(shell, "bastion-host", bastion->host, 0600, err))
		return false;
	zp_buf_printf(&script, "#!/bin/sh\ncd '%s' || exit 1\n", shell->folder);
	if (bastion->host)
		zp_buf_puts(&script, "case $1 in *\"@$(cat bastion-host)\"*) exec cat bastion-password ;; esac\n");
	zp_buf_puts(&script, "exec cat password\n");
	return write_file(shell, "askpass", script.ptr, 0700, err);
}

static bool write_config(struct remote_shell *shell, const struct remote_settings *settings,
	struct zp_error *err)
{
	zp_autobuf config = ZP_BUF_INIT;

	if (!write_end(shell, "target", &settings->target, settings, &config, err))
		return false;
	if (settings->bastion.host)
		zp_buf_puts(&config, "  ProxyJump bastion\n");
	if (settings->bastion.host &&
		!write_end(shell, "bastion", &settings->bastion, settings, &config, err))
		return false;
	zp_buf_puts(&config, "Host *\n");
	if (!write_identity(shell, settings, &config, err))
		return false;
	zp_buf_puts(&config, "  GlobalKnownHostsFile /dev/null\n  NumberOfPasswordPrompts 1\n"
			     "  ConnectTimeout 10\n  ServerAliveInterval 15\n  ServerAliveCountMax 8\n"
			     "  LogLevel ERROR\n  RequestTTY no\n");
	return write_file(shell, "config", config.ptr, 0600, err);
}

/* This process's, and where passwords come from. */
static void make_environment(struct remote_shell *shell)
{
	size_t count = 0, n = 0;

	while (environ[count])
		count++;
	shell->environment = zp_calloc(count + 4, sizeof(*shell->environment));
	for (size_t i = 0; i < count; i++)
		if (strncmp(environ[i], "SSH_ASKPASS", 11) != 0)
			shell->environment[n++] = environ[i];
	shell->askpass = zp_format("SSH_ASKPASS=%s/askpass", shell->folder);
	shell->environment[n++] = shell->askpass;
	shell->environment[n++] = "SSH_ASKPASS_REQUIRE=force";
}

/* ---- commands ---- */

int remote_shell_run(struct remote_shell *shell, const char *command, const struct zp_process_options *options,
	struct zp_process_result *result, struct zp_error *err)
{
	const char *const argv[] = { "ssh", "-F", shell->config, "-T", "target", command, NULL };
	struct zp_process_options own = options ? *options : (struct zp_process_options){ 0 };

	own.environment = shell->environment;
	return zp_run(argv, &own, result, err);
}

void remote_shell_quote(const char *text, struct zp_buf *out)
{
	zp_buf_char(out, '\'');
	for (; *text; text++)
		if (*text == '\'')
			zp_buf_puts(out, "'\\''");
		else
			zp_buf_char(out, *text);
	zp_buf_char(out, '\'');
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Anything but ssh's own failure means that there is a connection. */
static bool connect_to(struct remote_shell *shell, int timeout, struct zp_error *err)
{
	double end = seconds() + timeout;

	for (int pause = 1;; pause = pause < LONGEST_PAUSE ? pause * 2 : pause) {
		struct zp_process_result result = { 0 };
		struct zp_process_options options = { .timeout_ms = 30000 };
		zp_autoerror why = ZP_ERROR_INIT;
		bool ok = remote_shell_run(shell, ":", &options, &result, &why) == 0 ||
			(result.status > 0 && result.status < 128);
		bool again = !ok && seconds() + pause < end;
		if (!ok && !again)
			zp_error_set(err, "timeout - last error: %s", zp_error_text(&why));
		zp_process_result_release(&result);
		if (!again)
			return ok;
		nanosleep(&(struct timespec){ pause, 0 }, NULL);
	}
}

/* ---- the folder ---- */

/* Files are written over before they go. */
static void wipe(const char *path)
{
	static const char zeros[4096];
	struct stat status;
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd >= 0 && fstat(fd, &status) == 0)
		for (off_t left = status.st_size; left > 0;) {
			ssize_t n = write(fd, zeros, left < 4096 ? (size_t)left : sizeof(zeros));
			if (n <= 0)
				break;
			left -= n;
		}
	if (fd >= 0)
		close(fd);
	unlink(path);
}

void remote_shell_close(struct remote_shell *shell)
{
	if (!shell)
		return;
	DIR *dir = opendir(shell->folder);
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		zp_autofree char *path = zp_path_join(shell->folder, entry->d_name);
		if (entry->d_name[0] != '.')
			wipe(path);
	}
	if (dir)
		closedir(dir);
	rmdir(shell->folder);
	free(shell->folder);
	free(shell->config);
	free(shell->askpass);
	free(shell->environment);
	free(shell);
}

struct remote_shell *remote_shell_open(const struct remote_settings *settings, struct zp_error *err)
{
	char folder[] = "/tmp/zplan-ssh.XXXXXX";

	if (!check_end(&settings->target, err) || !check_end(&settings->bastion, err))
		return NULL;
	if (!mkdtemp(folder)) {
		zp_error_errno(err, "%s", folder);
		return NULL;
	}
	struct remote_shell *shell = zp_calloc(1, sizeof(*shell));
	shell->folder = zp_strdup(folder);
	shell->config = zp_path_join(folder, "config");
	make_environment(shell);
	if (write_passwords(shell, settings, err) && write_config(shell, settings, err) &&
		connect_to(shell, settings->timeout_seconds, err))
		return shell;
	remote_shell_close(shell);
	return NULL;
}

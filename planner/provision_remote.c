/* The provisioners file and remote-exec: what is done on a machine that ssh reaches. */
#include <stdlib.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/uuid.h"
#include "planner/provision_internal.h"
#include "planner/remote_shell.h"
#include "providers/values.h"

#define MAX_FILE ((size_t)1 << 30)
#define DEFAULT_TIMEOUT 300
#define DEFAULT_SCRIPT_PATH "/tmp/zplan_%RAND%.sh"

/* ---- the connection ---- */

/* "1m30s", as Go writes durations; -1 for anything else. */
static int read_duration(const char *text)
{
	long total = 0;

	if (!*text)
		return -1;
	while (*text) {
		char *end;
		long number = strtol(text, &end, 10);
		int unit = *end == 's' ? 1 : *end == 'm' ? 60 : *end == 'h' ? 3600 : 0;
		if (end == text || !unit || number < 0 || number > 1000000)
			return -1;
		total += number * unit;
		text = end + 1;
	}
	return total > 1000000 ? -1 : (int)total;
}

static const char *text_or(struct hcl_value values, const char *name, const char *fallback)
{
	const char *text = provider_get_text(values, name);

	return text && *text ? text : fallback;
}

/* What is wrong with the block, or NULL. */
static const char *read_settings(struct hcl_value values, struct remote_settings *settings)
{
	const char *type = text_or(values, "type", "ssh");
	const char *timeout = text_or(values, "timeout", NULL);

	if (!provider_is_object(values))
		return "Missing connection configuration for provisioner.";
	if (strcmp(type, "ssh") != 0)
		return "Connections are made by ssh only: type must be \"ssh\".";
	if (strcmp(text_or(values, "target_platform", "unix"), "unix") != 0)
		return "target_platform must be \"unix\".";
	if (provider_has(values, "proxy_host"))
		return "Connections through a proxy are not made; use bastion_host.";
	*settings = (struct remote_settings){
		.target = { .host = text_or(values, "host", NULL), .user = text_or(values, "user", "root"),
			.port = (int)provider_get_int(values, "port", 22),
			.password = text_or(values, "password", NULL),
			.private_key = text_or(values, "private_key", NULL),
			.certificate = text_or(values, "certificate", NULL),
			.host_key = text_or(values, "host_key", NULL) },
		.agent = provider_get_bool(values, "agent", getenv("SSH_AUTH_SOCK") != NULL),
		.agent_identity = text_or(values, "agent_identity", NULL),
		.timeout_seconds = timeout ? read_duration(timeout) : DEFAULT_TIMEOUT,
	};
	if (!settings->target.host)
		return "host for provisioner cannot be empty";
	if (settings->timeout_seconds < 0)
		return "timeout must be a duration such as \"30s\" or \"5m\".";
	const char *bastion = text_or(values, "bastion_host", NULL);
	if (bastion)
		settings->bastion = (struct remote_end){ .host = bastion,
			.user = text_or(values, "bastion_user", settings->target.user),
			.port = (int)provider_get_int(values, "bastion_port", settings->target.port),
			.password = text_or(values, "bastion_password", settings->target.password),
			.private_key = text_or(values, "bastion_private_key", settings->target.private_key),
			.certificate = text_or(values, "bastion_certificate", NULL),
			.host_key = text_or(values, "bastion_host_key", NULL) };
	return NULL;
}

static void say_member(const struct provisioning *p, const char *name, const char *value)
{
	zp_autofree char *line = zp_format("  %s: %s", name, value);

	plan_provision_say(p, line);
}

static void say_end(const struct provisioning *p, const struct remote_settings *settings,
	const struct remote_end *end)
{
	say_member(p, "Host", end->host);
	say_member(p, "User", end->user);
	say_member(p, "Password", end->password ? "true" : "false");
	say_member(p, "Private key", end->private_key ? "true" : "false");
	say_member(p, "Certificate", end->certificate ? "true" : "false");
	say_member(p, "SSH Agent", settings->agent ? "true" : "false");
	say_member(p, "Checking Host Key", end->host_key ? "true" : "false");
}

static void say_connecting(const struct provisioning *p, const struct remote_settings *settings)
{
	plan_provision_say(p, "Connecting to remote host via SSH...");
	say_end(p, settings, &settings->target);
	say_member(p, "Target Platform", "unix");
	if (!settings->bastion.host)
		return;
	plan_provision_say(p, "Using configured bastion host...");
	say_end(p, settings, &settings->bastion);
}

/* ---- files ---- */

static bool fail_with(const struct provisioning *p, const char *what, const struct zp_error *err)
{
	zp_autofree char *detail = zp_format("%s: %s", what, zp_error_text(err));

	return plan_provision_failed(p, detail);
}

/* Runs `word word ... 'path'` with input. */
static bool send(struct remote_shell *shell, const char *before, const char *path, const char *after,
	struct zp_str input, struct zp_error *err)
{
	struct zp_process_options options = { .input = input };
	zp_autobuf command = ZP_BUF_INIT;

	zp_buf_puts(&command, before);
	remote_shell_quote(path, &command);
	zp_buf_puts(&command, after);
	return remote_shell_run(shell, command.ptr, &options, NULL, err) == 0;
}

static char *base_name(const char *path)
{
	size_t length = strlen(path);

	while (length > 1 && path[length - 1] == '/')
		length--;
	size_t start = length;
	while (start && path[start - 1] != '/')
		start--;
	return zp_strndup(path + start, length - start);
}

/* A folder goes as an archive; without a slash at its end, as a whole. */
static bool send_folder(struct remote_shell *shell, const char *source, const char *destination,
	struct zp_error *err)
{
	const char *const argv[] = { "tar", "-C", source, "-cf", "-", ".", NULL };
	struct zp_process_options options = { .output_limit = MAX_FILE };
	struct zp_process_result archive = { 0 };
	bool contents = source[strlen(source) - 1] == '/';
	zp_autofree char *name = base_name(source);
	zp_autofree char *target = contents ? zp_strdup(destination) : zp_path_join(destination, name);
	zp_autobuf unpack = ZP_BUF_INIT;

	if (zp_run(argv, &options, &archive, err) < 0)
		return false;
	zp_buf_puts(&unpack, " && tar -xf - -C ");
	remote_shell_quote(target, &unpack);
	bool ok = archive.out.len < MAX_FILE;
	if (!ok)
		zp_error_set(err, "%s is larger than 1 GiB", source);
	ok = ok && send(shell, "mkdir -p ", target, unpack.ptr, zp_buf_slice(&archive.out), err);
	zp_process_result_release(&archive);
	return ok;
}

static bool send_file(struct remote_shell *shell, const char *source, const char *destination,
	struct zp_error *err)
{
	bool into = destination[strlen(destination) - 1] == '/';
	zp_autofree char *name = base_name(source);
	zp_autofree char *target = into ? zp_path_join(destination, name) : zp_strdup(destination);
	zp_autobuf content = ZP_BUF_INIT;

	return zp_file_read(source, MAX_FILE, &content, err) == 0 &&
		send(shell, "cat >", target, "", zp_buf_slice(&content), err);
}

static bool provision_file(const struct provisioning *p, struct hcl_value config, struct remote_shell *shell)
{
	const char *source = provider_get_text(config, "source");
	const char *destination = provider_get_text(config, "destination");
	struct stat status;
	zp_autoerror err = ZP_ERROR_INIT;
	bool ok;

	if (provider_has(config, "content")) {
		ok = send(shell, "cat >", destination, "", hcl_text(provider_get(config, "content")), &err);
	} else if (stat(source, &status) < 0) {
		zp_error_errno(&err, "%s", source);
		ok = false;
	} else {
		ok = S_ISDIR(status.st_mode) ? send_folder(shell, source, destination, &err) :
					       send_file(shell, source, destination, &err);
	}
	return ok || fail_with(p, "Upload failed", &err);
}

/* ---- scripts ---- */

static char *script_path(struct hcl_value connection)
{
	const char *pattern = text_or(connection, "script_path", DEFAULT_SCRIPT_PATH);
	const char *mark = strstr(pattern, "%RAND%");
	unsigned number;

	zp_random(&number, sizeof(number));
	if (!mark)
		return zp_strdup(pattern);
	return zp_format("%.*s%u%s", (int)(mark - pattern), pattern, number, mark + strlen("%RAND%"));
}

static bool run_script(const struct provisioning *p, struct remote_shell *shell, const char *path,
	struct zp_str script)
{
	struct zp_process_options options = { .line = plan_provision_line, .data = (void *)p };
	struct zp_process_result result = { 0 };
	zp_autobuf whole = ZP_BUF_INIT, command = ZP_BUF_INIT;
	zp_autoerror err = ZP_ERROR_INIT, ignored = ZP_ERROR_INIT;

	if (!zp_str_starts(script, "#!"))
		zp_buf_puts(&whole, "#!/bin/sh\n");
	zp_buf_str(&whole, script);
	remote_shell_quote(path, &command);
	zp_autofree char *make_runnable = zp_format(" && chmod 0777 %s", command.ptr);
	if (!send(shell, "cat >", path, make_runnable, zp_buf_slice(&whole), &err))
		return fail_with(p, "Failed to upload script", &err);
	bool ok = remote_shell_run(shell, command.ptr, &options, &result, &err) == 0;
	send(shell, "rm -f ", path, "", (struct zp_str){ 0 }, &ignored);
	zp_autofree char *why = result.status && result.status < 255 ?
		zp_format("error executing \"%s\": Process exited with status %d", path, result.status) :
		zp_format("error executing \"%s\": %s", path, zp_error_text(&err));
	zp_process_result_release(&result);
	return ok || plan_provision_failed(p, why);
}

static bool run_inline(const struct provisioning *p, struct hcl_value lines, struct remote_shell *shell,
	const char *path)
{
	zp_autobuf script = ZP_BUF_INIT;

	for (uint32_t i = 0; i < lines.count; i++)
		zp_buf_printf(&script, "%s\n", lines.elements[i].state == HCL_KNOWN ?
			lines.elements[i].text : "");
	return run_script(p, shell, path, zp_buf_slice(&script));
}

static bool run_file(const struct provisioning *p, const char *name, struct remote_shell *shell,
	const char *path)
{
	zp_autobuf script = ZP_BUF_INIT;
	zp_autoerror err = ZP_ERROR_INIT;

	if (zp_file_read(name, MAX_FILE, &script, &err) < 0)
		return fail_with(p, "Failed to read script", &err);
	return run_script(p, shell, path, zp_buf_slice(&script));
}

static bool provision_exec(const struct provisioning *p, struct hcl_value config, struct hcl_value connection,
	struct remote_shell *shell)
{
	zp_autofree char *path = script_path(connection);
	struct hcl_value scripts = provider_get(config, "scripts");
	bool ok = true;

	if (provider_has(config, "inline"))
		return run_inline(p, provider_get(config, "inline"), shell, path);
	if (provider_has(config, "script"))
		return run_file(p, provider_get_text(config, "script"), shell, path);
	for (uint32_t i = 0; i < scripts.count && ok; i++)
		ok = run_file(p, scripts.elements[i].state == HCL_KNOWN ? scripts.elements[i].text : "",
			shell, path);
	return ok;
}

/* What is wrong with the arguments, or NULL. */
static const char *check_arguments(bool file, struct hcl_value config)
{
	if (file && provider_has(config, "source") == provider_has(config, "content"))
		return provider_has(config, "source") ? "Cannot set both 'source' and 'content'." :
			"Must provide one of 'source' or 'content'.";
	if (file && !*text_or(config, "destination", ""))
		return "destination must not be empty.";
	if (file && provider_has(config, "source") && !*text_or(config, "source", ""))
		return "source must not be empty.";
	int given = provider_has(config, "inline") + provider_has(config, "script") +
		provider_has(config, "scripts");
	return file || given == 1 ? NULL : given ? "Only one of inline, script, or scripts must be set" :
						   "One of inline, script, or scripts must be set";
}

bool plan_provision_remotely(struct provisioning *p, struct hcl_value config, struct hcl_value connection)
{
	bool file = strcmp(p->provisioner->type, "file") == 0;
	struct remote_settings settings;
	zp_autoerror err = ZP_ERROR_INIT;
	const char *wrong = check_arguments(file, config);

	if (!wrong)
		wrong = read_settings(connection, &settings);
	if (wrong)
		return plan_provision_failed(p, wrong);
	if (!file)
		say_connecting(p, &settings);
	struct remote_shell *shell = remote_shell_open(&settings, &err);
	if (!shell)
		return plan_provision_failed(p, zp_error_text(&err));
	if (!file)
		plan_provision_say(p, "Connected!");
	bool ok = file ? provision_file(p, config, shell) : provision_exec(p, config, connection, shell);
	remote_shell_close(shell);
	return ok;
}

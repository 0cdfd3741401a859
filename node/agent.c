#include "node/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "node/methods.h"
#include "node/server.h"

#define DEFAULT_ROOT "/var/lib/zplan"
#define DEFAULT_CONFIG "/etc/zplan/node.hcl"
#define COPY_EVERY 3 /* seconds between copies of the registry, when it changes */

static volatile int stopping;

static void on_stop(int number)
{
	(void)number;
	stopping = 1;
}

static int load_settings(struct node_context *node, const struct node_agent_options *options,
	struct zp_error *err)
{
	struct node_settings *settings = &node->settings;
	const char *path = options->config ? options->config : DEFAULT_CONFIG;
	char host[256] = "node";

	if (options->config || zp_file_exists(path))
		if (node_settings_load(settings, path, err) < 0)
			return -1;
	gethostname(host, sizeof(host) - 1);
	if (options->name) {
		free(settings->name);
		settings->name = zp_strdup(options->name);
	}
	if (!settings->name)
		settings->name = zp_strdup(host);
	if (!settings->tag) {
		char tag[16];
		node_short_name("", settings->name, node->root, tag);
		settings->tag = zp_strndup(tag + 1, 4);
	}
	return 0;
}

/* One agent per root folder: the lock goes with the process, however it ends. */
static int take_lock(const char *root, struct zp_error *err)
{
	zp_autofree char *path = zp_format("%s/agent.pid", root);
	zp_autofree char *pid = zp_format("%d\n", (int)getpid());
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return zp_error_errno(err, "open %s", path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		close(fd);
		return zp_error_set(err, "an agent serves %s already", root);
	}
	if (ftruncate(fd, 0) < 0 || pwrite(fd, pid, strlen(pid), 0) < 0)
		zp_log(ZP_LOG_WARN, "%s: %s", path, strerror(errno));
	return fd;
}

static int make_folders(const char *root, struct zp_error *err)
{
	static const char *const names[] = { "workloads", "cache", "run", "libvirt" };

	if (zp_mkdirs(root, 0700, err) < 0)
		return -1;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(names); i++) {
		zp_autofree char *path = zp_path_join(root, names[i]);
		if (zp_mkdirs(path, 0700, err) < 0)
			return -1;
	}
	return 0;
}

static void *ensure_all(void *data)
{
	node_methods_ensure_all(data, &stopping);
	return NULL;
}

static void install_signals(void)
{
	struct sigaction action = { .sa_handler = on_stop };

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
}

static void look_after(struct node_methods *methods, struct node_registry *registry)
{
	for (unsigned second = 0; !stopping; second++) {
		nanosleep(&(struct timespec){ 1, 0 }, NULL);
		if (!stopping)
			node_methods_tick(methods);
		if (second % COPY_EVERY == 0)
			node_registry_copy(registry);
	}
	node_registry_copy(registry);
}

static int serve(struct node_context *node, const struct node_workload_types *types,
	struct zp_error *err)
{
	zp_autofree char *socket = zp_path_join(node->root, "agent.sock");
	struct node_methods *methods = node_methods_new(node, types);
	struct node_server *server = node_server_start(socket, node_methods_call, methods, err);
	pthread_t ensuring;

	if (!server) {
		node_methods_free(methods);
		return -1;
	}
	zp_log(ZP_LOG_INFO, "agent of node %s serves %s", node_name(node), socket);
	bool started = pthread_create(&ensuring, NULL, ensure_all, methods) == 0;
	look_after(methods, node->registry);
	if (started)
		pthread_join(ensuring, NULL);
	node_server_stop(server);
	node_methods_free(methods);
	return 0;
}

int node_agent_run(const struct node_agent_options *options, const struct node_workload_types *types,
	struct zp_error *err)
{
	zp_autofree char *given = realpath(options->root ? options->root : DEFAULT_ROOT, NULL);
	const char *root = given ? given : options->root ? options->root : DEFAULT_ROOT;

	if (make_folders(root, err) < 0)
		return -1;
	zp_autofree char *absolute = realpath(root, NULL);
	zp_autoclose int lock = take_lock(absolute ? absolute : root, err);
	if (lock < 0)
		return -1;
	install_signals();
	if (!zp_log_enabled(ZP_LOG_INFO))
		zp_log_set_level(ZP_LOG_INFO);
	struct node_context *node = node_context_new(absolute ? absolute : root);
	zp_autofree char *database = zp_path_join(node->root, "registry.db");
	int rc = load_settings(node, options, err);
	if (!rc) {
		node->registry = node_registry_open(database, err);
		rc = node->registry ? 0 : -1;
	}
	if (!rc) {
		node_helpers_adopt(node);
		rc = serve(node, types, err);
	}
	node_context_free(node);
	return rc;
}

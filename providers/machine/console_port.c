#include "providers/machine/console_port.h"

#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "providers/network/names.h"

char *provider_console_socket(const struct node_context *node, const char *domain)
{
	return zp_format("%s/run/%s.console", node_root(node), domain);
}

/* Whether the helper is in the namespace of this name, which may have been made anew since. */
static bool is_inside(pid_t helper, const char *netns_path)
{
	zp_autofree char *own = zp_format("/proc/%d/ns/net", (int)helper);
	struct stat a, b;

	return stat(own, &a) == 0 && stat(netns_path, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

int provider_console_open(struct node_context *node, const char *domain, const char *network,
	const char *url, struct zp_error *err)
{
	const char *colon = strchr(url, ':');
	struct provider_network_names names;
	pid_t running;

	provider_network_names(node, network, &names);
	zp_autofree char *helper = zp_format("console-%s", domain);
	zp_autofree char *netns = zp_format("/run/netns/%s", names.netns);
	zp_autofree char *enter = zp_format("--net=%s", netns);
	zp_autofree char *listen = zp_format(
		"TCP4-LISTEN:%s,bind=%.*s,reuseaddr,fork", colon + 1, (int)(colon - url), url);
	zp_autofree char *socket = provider_console_socket(node, domain);
	zp_autofree char *connect = zp_format("UNIX-CONNECT:%s", socket);
	const char *const argv[] = { "nsenter", enter, "socat", listen, connect, NULL };

	running = node_helper_pid(node, helper);
	if (running > 0 && !is_inside(running, netns) && node_helper_stop(node, helper, err) < 0)
		return -1;
	return node_helper_start(node, helper, argv, err);
}

int provider_console_close(struct node_context *node, const char *domain, struct zp_error *err)
{
	zp_autofree char *helper = zp_format("console-%s", domain);
	zp_autofree char *socket = provider_console_socket(node, domain);

	if (node_helper_stop(node, helper, err) < 0)
		return -1;
	unlink(socket);
	return 0;
}

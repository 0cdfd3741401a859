/*
 * Nodes out of network namespaces. Everything of a sandbox can be found again from its folder alone: names
 * carry a tag made of the folder's path, and processes are found by the namespaces they live in. So
 * taking it down works whatever state it is in.
 */
#include "node/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/process.h"
#include "base/vec.h"
#include "node/client.h"
#include "node/context.h"
#include "node/registry.h"
#include "node/wire.h"

#define DEFAULT_FOLDER "/var/lib/zplan-sandbox"
#define NETNS_FOLDER "/run/netns"
#define MAX_NODES 64
#define MAX_PLANETARY_PEERS 8
#define PUBLIC_BRIDGE "pub0"
#define PREFIX6 "2001:db8:5a::"
/* Public addresses of 198.18.0.0/24: above those of the nodes, a few for each of the first. */
#define FIRST_PUBLIC 80
#define POOL_SIZE 8
#define NODES_WITH_POOL 20

struct sandbox {
	char *folder;
	char tag[4]; /* three characters: with the node's number the tag of a node */
};

static void sandbox_init(struct sandbox *sandbox, const char *folder)
{
	const char *env = getenv("ZPLAN_SANDBOX");
	const char *given = folder ? folder : env && *env ? env : DEFAULT_FOLDER;
	char *absolute = realpath(given, NULL), hash[16];

	sandbox->folder = absolute ? absolute : zp_strdup(given);
	node_short_name("", "sandbox", sandbox->folder, hash);
	memcpy(sandbox->tag, hash + 1, 3);
	sandbox->tag[3] = 0;
}

static void sandbox_release(struct sandbox *sandbox)
{
	free(sandbox->folder);
}

static int check_root(struct zp_error *err)
{
	if (geteuid() == 0)
		return 0;
	return zp_error_set(err, "a sandbox is made of network namespaces, and that needs root: run this "
		"command with sudo");
}

/* "zp-abc-n1"; part is n1, net or client. Heap. */
static char *namespace_name(const struct sandbox *sandbox, const char *part)
{
	return zp_format("zp-%s-%s", sandbox->tag, part);
}

static bool namespace_exists(const char *name)
{
	zp_autofree char *path = zp_path_join(NETNS_FOLDER, name);
	struct stat st, folder;

	/* A name left by a crash between create and mount is an ordinary file. */
	return stat(path, &st) == 0 && stat(NETNS_FOLDER, &folder) == 0 && st.st_dev != folder.st_dev;
}

static int add_namespace(const char *name, struct zp_error *err)
{
	const char *argv[] = { "ip", "netns", "add", name, NULL };
	zp_autofree char *path = zp_path_join(NETNS_FOLDER, name);

	if (namespace_exists(name))
		return 0;
	unlink(path);
	return zp_run(argv, NULL, NULL, err);
}

/* One `ip -batch` per namespace: lines of commands on its standard input. */
static int ip_batch(const char *netns, const char *lines, struct zp_error *err)
{
	struct zp_process_options options = { .input = zp_str(lines), .timeout_ms = 30000 };
	const char *argv[] = { "ip", "-n", netns, "-batch", "-", NULL };

	return zp_run(argv, &options, NULL, err);
}

static bool link_exists(const char *netns, const char *name)
{
	const char *argv[] = { "ip", "-n", netns, "link", "show", name, NULL };

	return zp_run(argv, NULL, NULL, NULL) == 0;
}

static int make_bridge(const struct sandbox *sandbox, const char *net, struct zp_error *err)
{
	(void)sandbox;
	if (add_namespace(net, err) < 0)
		return -1;
	if (link_exists(net, "internet"))
		return 0;
	return ip_batch(net,
		"link set lo up\n"
		"link add internet type bridge\n"
		"link set internet up\n"
		"addr add 198.18.0.1/24 dev internet\n"
		"addr add " PREFIX6 "1/64 dev internet nodad\n", err);
}

/* Announces the IPv6 prefix, where dnsmasq is installed: machines make their own addresses of it. */
static void start_router(const struct sandbox *sandbox, const char *net)
{
	zp_autofree char *ns = zp_format("--net=" NETNS_FOLDER "/%s", net);
	zp_autofree char *log = zp_format("%s/router.log", sandbox->folder);
	zp_autofree char *pid = zp_format("--pid-file=%s/router.pid", sandbox->folder);
	const char *argv[] = { "nsenter", ns, "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null",
		"--user=root", "--port=0", "--interface=internet", "--bind-interfaces", "--enable-ra",
		"--dhcp-range=" PREFIX6 ",ra-only,64", "--ra-param=internet,10", pid, NULL };
	zp_autofree char *pid_path = zp_format("%s/router.pid", sandbox->folder);

	if (zp_file_exists("/usr/sbin/dnsmasq") && !zp_file_exists(pid_path))
		zp_spawn_daemon(argv, "/", log, NULL);
}

/* The same every time: who knew the node before it was restarted finds it again at once. */
static void host_mac(const struct sandbox *sandbox, int host, char out[18])
{
	const char *tag = sandbox->tag;

	snprintf(out, 18, "02:%02x:%02x:%02x:5a:%02x", (unsigned char)tag[0], (unsigned char)tag[1],
		(unsigned char)tag[2], (unsigned char)host);
}

/* A namespace on the bridge, with an address on link: wan0, or the bridge that wan0 is a port of. */
static int make_host(const struct sandbox *sandbox, const char *net, const char *netns,
	const char *port, int host, bool bridged, struct zp_error *err)
{
	const char *link = bridged ? PUBLIC_BRIDGE : "wan0";
	char mac[18];

	host_mac(sandbox, host, mac);

	if (add_namespace(netns, err) < 0)
		return -1;
	if (link_exists(netns, "wan0") && link_exists(net, port))
		return 0;
	zp_autofree char *outside = zp_format(
		"link add %s type veth peer name wan0 netns %s\n"
		"link set %s master internet\n"
		"link set %s up\n", port, netns, port, port);
	zp_autofree char *inside = zp_format(
		"link set lo up\n"
		"link set wan0 address %s\n"
		"%s"
		"link set %s address %s\n"
		"link set wan0 up\n"
		"addr add 198.18.0.%d/24 dev %s\n"
		"addr add " PREFIX6 "%x/64 dev %s nodad\n"
		"route add default via 198.18.0.1\n",
		mac, bridged ? "link add " PUBLIC_BRIDGE " type bridge\nlink set wan0 master " PUBLIC_BRIDGE
			  "\nlink set " PUBLIC_BRIDGE " up\n" : "",
		link, mac, host, link, host, link);
	if (ip_batch(net, outside, err) < 0)
		return -1;
	return ip_batch(netns, inside, err);
}

/* Writes sysctls inside a namespace; those the kernel does not have are passed over. */
static int set_sysctls(const char *netns, struct zp_error *err)
{
	static const char *const settings[] = { "net.ipv4.ip_forward=1",
		"net.ipv6.conf.all.forwarding=1", "net.bridge.bridge-nf-call-iptables=0" };
	zp_autofree char *ns = zp_format("--net=" NETNS_FOLDER "/%s", netns);

	for (size_t i = 0; i < ZP_ARRAY_SIZE(settings); i++) {
		const char *argv[] = { "nsenter", ns, "sysctl", "-q", "-e", "-w", settings[i], NULL };
		if (zp_run(argv, NULL, NULL, err) < 0 && i == 0)
			return -1;
	}
	return 0;
}

/* Nodes call each other: whoever comes later finds those that are there. */
static void put_planetary(struct zp_buf *text, int number, int nodes)
{
	const char *comma = "";

	zp_buf_printf(text, "\nplanetary {\n  listen = [\"tls://198.18.0.%d:9001\"]\n  peers  = [", 10 + number);
	for (int i = 1; i <= nodes && i <= MAX_PLANETARY_PEERS; i++) {
		if (i == number)
			continue;
		zp_buf_printf(text, "%s\"tls://198.18.0.%d:9001\"", comma, 10 + i);
		comma = ", ";
	}
	zp_buf_puts(text, "]\n}\n");
}

/* Between the URL and what to read in its place; NULL when text is no mirror. */
static const char *mirror_split(const char *text)
{
	static const char *const targets[] = { "=file:///", "=http://", "=https://" };

	/* They go into a file of the node as they are. */
	if (strpbrk(text, "\"\\\n$") || strstr(text, "%{"))
		return NULL;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(targets); i++) {
		const char *at = strstr(text, targets[i]);
		if (at && at > text)
			return at;
	}
	return NULL;
}

static int add_mirrors(
	const struct node_sandbox_options *options, struct zp_buf *text, struct zp_error *err)
{
	if (!options->mirror_count)
		return 0;
	zp_buf_puts(text, "\ncontent {\n  mirrors = {\n");
	for (size_t i = 0; i < options->mirror_count; i++) {
		const char *mirror = options->mirrors[i], *split = mirror_split(mirror);
		if (!split)
			return zp_error_set(err,
				"-mirror is \"%s\": it must be a URL, \"=\", and the file:///, http:// or "
				"https:// URL to read in its place", mirror);
		zp_buf_printf(text, "    \"%.*s\" = \"%s\"\n", (int)(split - mirror), mirror, split + 1);
	}
	zp_buf_puts(text, "  }\n}\n");
	return 0;
}

static int write_node_file(const struct sandbox *sandbox,
	const struct node_sandbox_options *options, int number, struct zp_error *err)
{
	bool hidden = number > options->nodes - options->hidden;
	zp_autofree char *path = zp_format("%s/n%d.hcl", sandbox->folder, number);
	zp_autobuf text = ZP_BUF_INIT;

	zp_buf_printf(&text, "name          = \"n%d\"\nid            = %d\ntag           = \"%s%d\"\n",
		number, number, sandbox->tag, number);
	zp_buf_printf(&text, "domain        = \"n%d.sandbox.test\"\nwan_interface = \"" PUBLIC_BRIDGE "\"\n", number);
	if (!hidden)
		zp_buf_printf(&text, "wan_address   = \"198.18.0.%d\"\n", 10 + number);
	if (number <= NODES_WITH_POOL)
		zp_buf_printf(&text,
			"\npublic {\n  bridge    = \"" PUBLIC_BRIDGE "\"\n"
			"  gateway   = \"198.18.0.1\"\n  prefix6   = \"" PREFIX6 "/64\"\n"
			"  addresses = [\"198.18.0.%d-198.18.0.%d/24\"]\n}\n",
			FIRST_PUBLIC + (number - 1) * POOL_SIZE,
			FIRST_PUBLIC + number * POOL_SIZE - 1);
	if (zp_file_exists("/usr/sbin/yggdrasil"))
		put_planetary(&text, number, options->nodes);
	if (add_mirrors(options, &text, err) < 0)
		return -1;
	return zp_file_write_atomic(path, zp_buf_slice(&text), 0600, err);
}

static bool agent_answers(const char *root)
{
	zp_autofree char *socket = zp_path_join(root, "agent.sock");
	int fd = node_wire_unix(socket, NULL);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/*
 * In the node's network namespace, and in no mount namespace of its own: namespaces the agent makes
 * must be seen by everybody, and outlive it.
 */
static int start_agent(const struct sandbox *sandbox, const char *program, int number,
	const char *netns, struct zp_error *err)
{
	zp_autofree char *root = zp_format("%s/n%d", sandbox->folder, number);
	zp_autofree char *config = zp_format("%s/n%d.hcl", sandbox->folder, number);
	zp_autofree char *log = zp_format("%s/agent.log", root);
	zp_autofree char *ns = zp_format("--net=" NETNS_FOLDER "/%s", netns);
	const char *argv[] = { "nsenter", ns, program, "agent", "serve", "-root", root, "-config",
		config, NULL };

	if (agent_answers(root))
		return 0;
	if (zp_mkdirs(root, 0700, err) < 0 || zp_spawn_daemon(argv, "/", log, err) < 0)
		return -1;
	for (int i = 0; i < 200; i++) {
		if (agent_answers(root))
			return 0;
		nanosleep(&(struct timespec){ 0, 50000000 }, NULL);
	}
	zp_autobuf said = ZP_BUF_INIT;
	zp_file_read(log, 1 << 20, &said, NULL);
	size_t from = said.len > 500 ? said.len - 500 : 0;
	return zp_error_set(err, "the agent of n%d did not start; the end of %s:\n%s", number, log,
		said.ptr ? said.ptr + from : "");
}

static int make_node(const struct sandbox *sandbox, const struct node_sandbox_options *options,
	const char *net, int number, struct zp_error *err)
{
	zp_autofree char *part = zp_format("n%d", number);
	zp_autofree char *netns = namespace_name(sandbox, part);

	if (make_host(sandbox, net, netns, part, 10 + number, true, err) < 0 || set_sysctls(netns, err) < 0 ||
		write_node_file(sandbox, options, number, err) < 0)
		return zp_error_wrap(err, "node n%d", number);
	return start_agent(sandbox, options->program, number, netns, err);
}

static int write_inventory(const struct sandbox *sandbox, const struct node_sandbox_options *options,
	struct zp_error *err)
{
	zp_autofree char *own = zp_format("%s/nodes.hcl", sandbox->folder);
	zp_autobuf text = ZP_BUF_INIT;

	zp_buf_puts(&text, "# The nodes of a sandbox, written by `zplan sandbox up`.\n");
	for (int i = 1; i <= options->nodes; i++)
		zp_buf_printf(&text,
			"\nnode \"n%d\" {\n  id      = %d\n  connect = \"unix://%s/n%d/agent.sock\"\n"
			"  farm    = 1\n}\n", i, i, sandbox->folder, i);
	if (zp_file_write_atomic(own, zp_buf_slice(&text), 0600, err) < 0)
		return -1;
	return options->inventory && strcmp(options->inventory, own) != 0 ?
		zp_file_write_atomic(options->inventory, zp_buf_slice(&text), 0600, err) : 0;
}

int node_sandbox_up(const struct node_sandbox_options *options, struct zp_error *err)
{
	struct sandbox sandbox;
	const char *env = getenv("ZPLAN_SANDBOX");
	const char *folder = options->folder ? options->folder : env && *env ? env : DEFAULT_FOLDER;

	/* The folder first: its real path is what everything else is named after. */
	if (check_root(err) < 0 || zp_mkdirs(folder, 0700, err) < 0)
		return -1;
	sandbox_init(&sandbox, folder);
	zp_autofree char *net = namespace_name(&sandbox, "net");
	zp_autofree char *client = namespace_name(&sandbox, "client");
	int rc = make_bridge(&sandbox, net, err);
	if (!rc)
		start_router(&sandbox, net);
	if (!rc)
		rc = make_host(&sandbox, net, client, "client", 2, false, err);
	for (int i = 1; !rc && i <= options->nodes; i++)
		rc = make_node(&sandbox, options, net, i, err);
	if (!rc)
		rc = write_inventory(&sandbox, options, err);
	sandbox_release(&sandbox);
	return rc;
}

/* ---- down ---- */

ZP_VEC(inode_vec, ino_t);
ZP_VEC(name_vec, char *);

/* The sandbox's own namespaces; those its nodes made for networks are found by their ids. */
static bool is_ours(const struct sandbox *sandbox, const char *name)
{
	zp_autofree char *prefix = zp_format("zp-%s-", sandbox->tag);

	return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* wireguard-go that is killed leaves its socket, in a folder all nodes of this machine share. */
static void remove_tunnel_socket(const char *tag, const char *id)
{
	char name[16];

	node_short_name("w", tag, id, name);
	zp_autofree char *path = zp_format("/run/wireguard/%s.sock", name);
	unlink(path);
}

/* Names of networks' namespaces derive from tag and id; the ids stand in the nodes' registries. */
static void add_network_namespaces(const struct sandbox *sandbox, struct name_vec *names)
{
	for (int i = 1; i <= MAX_NODES; i++) {
		zp_autofree char *path = zp_format("%s/n%d/registry.db", sandbox->folder, i);
		zp_autofree char *tag = zp_format("%s%d", sandbox->tag, i);
		struct node_registry *registry =
			zp_file_exists(path) ? node_registry_open(path, NULL) : NULL;
		size_t count = 0;
		struct node_workload **all =
			registry ? node_registry_all(registry, "network", &count) : NULL;
		for (size_t k = 0; k < count; k++) {
			char name[16];
			node_short_name("n", tag, all[k]->id, name);
			if (namespace_exists(name))
				zp_vec_push(names, zp_strdup(name));
			remove_tunnel_socket(tag, all[k]->id);
			node_workload_free(all[k]);
		}
		free(all);
		node_registry_close(registry);
	}
}

static void find_namespaces(const struct sandbox *sandbox, struct name_vec *names)
{
	zp_autoclosedir DIR *dir = opendir(NETNS_FOLDER);

	for (struct dirent *entry; dir && (entry = readdir(dir));)
		if (is_ours(sandbox, entry->d_name))
			zp_vec_push(names, zp_strdup(entry->d_name));
	add_network_namespaces(sandbox, names);
}

static void namespace_inodes(const struct name_vec *names, struct inode_vec *inodes)
{
	for (size_t i = 0; i < names->count; i++) {
		zp_autofree char *path = zp_path_join(NETNS_FOLDER, names->items[i]);
		struct stat st;
		if (namespace_exists(names->items[i]) && stat(path, &st) == 0)
			zp_vec_push(inodes, st.st_ino);
	}
}

static bool lives_in(const char *pid, const struct inode_vec *inodes)
{
	zp_autofree char *path = zp_format("/proc/%s/ns/net", pid);
	struct stat st;

	if (stat(path, &st) < 0)
		return false;
	for (size_t i = 0; i < inodes->count; i++)
		if (inodes->items[i] == st.st_ino)
			return true;
	return false;
}

/* Number of processes found; each got the signal. Agents first, so that nothing is restarted. */
static size_t signal_processes(const struct inode_vec *inodes, int number)
{
	zp_autoclosedir DIR *proc = opendir("/proc");
	size_t found = 0;

	for (struct dirent *entry; proc && (entry = readdir(proc));) {
		char *end;
		long pid = strtol(entry->d_name, &end, 10);
		if (*end || pid <= 1 || pid == getpid() || !lives_in(entry->d_name, inodes))
			continue;
		kill((pid_t)pid, number);
		found++;
	}
	return found;
}

static void end_processes(const struct inode_vec *inodes)
{
	for (int i = 0; i < 100 && signal_processes(inodes, SIGKILL); i++)
		nanosleep(&(struct timespec){ 0, 50000000 }, NULL);
}

static void delete_namespaces(const struct name_vec *names)
{
	for (size_t i = 0; i < names->count; i++) {
		zp_autofree char *path = zp_path_join(NETNS_FOLDER, names->items[i]);
		umount2(path, MNT_DETACH);
		unlink(path);
	}
}

/* Whatever is mounted below the folder, deepest first. */
static void unmount_below(const char *folder)
{
	zp_autobuf text = ZP_BUF_INIT;
	struct name_vec targets = { 0 };
	size_t length = strlen(folder);

	if (zp_file_read("/proc/self/mounts", 16 << 20, &text, NULL) < 0)
		return;
	for (char *line = text.ptr, *next; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = 0;
		char *target = strchr(line, ' ');
		char *end = target ? strchr(target + 1, ' ') : NULL;
		if (!end)
			continue;
		*end = 0;
		target++;
		if (strncmp(target, folder, length) == 0 && (target[length] == '/' || !target[length]))
			zp_vec_push(&targets, zp_strdup(target));
	}
	while (targets.count) {
		char *target = targets.items[--targets.count];
		umount2(target, MNT_DETACH);
		free(target);
	}
	zp_vec_release(&targets);
}

int node_sandbox_down(const char *folder, struct zp_error *err)
{
	struct sandbox sandbox;
	struct name_vec names = { 0 };
	struct inode_vec inodes = { 0 };

	if (check_root(err) < 0)
		return -1;
	sandbox_init(&sandbox, folder);
	find_namespaces(&sandbox, &names);
	namespace_inodes(&names, &inodes);
	end_processes(&inodes);
	delete_namespaces(&names);
	unmount_below(sandbox.folder);
	int rc = zp_remove_tree(sandbox.folder, err);
	for (size_t i = 0; i < names.count; i++)
		free(names.items[i]);
	zp_vec_release(&names);
	zp_vec_release(&inodes);
	sandbox_release(&sandbox);
	return rc;
}

/* ---- status ---- */

static cJSON *node_status(const struct node_pool *pool, const struct node_entry *entry)
{
	zp_autoerror err = ZP_ERROR_INIT;
	struct node_client *client = node_pool_get((struct node_pool *)pool, entry->name, &err);
	cJSON *facts = client ? node_call(client, "node.facts", NULL, &err) : NULL;
	cJSON *status = facts ? facts : cJSON_CreateObject();

	if (!facts)
		cJSON_AddStringToObject(status, "name", entry->name);
	cJSON_AddBoolToObject(status, "alive", facts != NULL);
	cJSON_AddStringToObject(status, "connect", entry->connect);
	if (!facts)
		cJSON_AddStringToObject(status, "error", zp_error_text(&err));
	return status;
}

static const char *text_of(const cJSON *object, const char *name)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));

	return text ? text : "";
}

static void print_table(const struct sandbox *sandbox, const cJSON *nodes)
{
	const cJSON *node;

	printf("%-6s %-16s %-22s %-8s %s\n", "node", "address", "domain", "agent", "workloads");
	cJSON_ArrayForEach (node, nodes) {
		bool alive = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(node, "alive"));
		const cJSON *count = cJSON_GetObjectItemCaseSensitive(node, "workloads");
		printf("%-6s %-16s %-22s %-8s %d\n", text_of(node, "name"),
			text_of(node, "public_address"), text_of(node, "domain"),
			alive ? "alive" : "dead", cJSON_IsNumber(count) ? count->valueint : 0);
	}
	printf("\nInventory:  %s/nodes.hcl\nLook from:  ip netns exec zp-%s-client ...\n",
		sandbox->folder, sandbox->tag);
}

int node_sandbox_status(const char *folder, bool json, struct zp_error *err)
{
	struct sandbox sandbox;
	struct zp_diags diags;

	sandbox_init(&sandbox, folder);
	zp_autofree char *path = zp_format("%s/nodes.hcl", sandbox.folder);
	if (!zp_file_exists(path)) {
		zp_error_set(err, "there is no sandbox in %s: `zplan sandbox up` makes one",
			sandbox.folder);
		sandbox_release(&sandbox);
		return -1;
	}
	zp_diags_init(&diags);
	struct node_inventory *inventory = node_inventory_load(path, &diags);
	if (!inventory) {
		zp_error_set(err, "%s: %s", path, diags.items[0]->detail);
	} else {
		struct node_pool *pool = node_pool_new(inventory);
		zp_autofree char *client = namespace_name(&sandbox, "client");
		cJSON *nodes = cJSON_CreateArray();
		for (size_t i = 0; i < inventory->count; i++)
			cJSON_AddItemToArray(nodes, node_status(pool, &inventory->items[i]));
		cJSON *document = cJSON_CreateObject();
		cJSON_AddStringToObject(document, "folder", sandbox.folder);
		cJSON_AddStringToObject(document, "inventory", path);
		cJSON_AddStringToObject(document, "client_namespace", client);
		cJSON_AddItemToObject(document, "nodes", nodes);
		zp_autofree char *text = cJSON_Print(document);
		if (json)
			puts(text);
		else
			print_table(&sandbox, nodes);
		cJSON_Delete(document);
		node_pool_free(pool);
	}
	int rc = inventory ? 0 : -1;
	node_inventory_free(inventory);
	zp_diags_release(&diags);
	sandbox_release(&sandbox);
	return rc;
}

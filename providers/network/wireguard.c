#include "providers/network/wireguard.h"

#include <poll.h>
#include <sodium.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/alloc.h"
#include "base/vec.h"
#include "providers/network/kernel.h"

#define WIREGUARD_GO "/usr/bin/wireguard-go"
#define SOCKETS "/run/wireguard"
#define KEY_TEXT (PROVIDER_WG_KEY_BYTES * 2 + 1)
#define MTU 1420
#define KEEPALIVE_SECONDS 25
#define START_MS 5000
#define REPLY_LIMIT ((size_t)8 << 20)
#define TUNNEL_BASE 0x64400000u

/* ---- what is to be changed ---- */

struct peer {
	struct zp_str key; /* in hex, a slice of the answer */
	ZP_VEC(, struct provider_subnet) allowed;
	bool wanted;
};

struct current {
	ZP_VEC(, struct peer) peers;
	struct zp_str private_key, port;
};

static void current_release(struct current *current)
{
	for (size_t i = 0; i < current->peers.count; i++)
		zp_vec_release(&current->peers.items[i].allowed);
	zp_vec_release(&current->peers);
}

static void take_line(struct current *current, struct zp_str name, struct zp_str value)
{
	struct peer *last =
		current->peers.count ? &current->peers.items[current->peers.count - 1] : NULL;

	if (zp_str_is(name, "private_key")) {
		current->private_key = value;
	} else if (zp_str_is(name, "listen_port")) {
		current->port = value;
	} else if (zp_str_is(name, "public_key")) {
		zp_vec_add(&current->peers)->key = value;
	} else if (zp_str_is(name, "allowed_ip") && last) {
		zp_autofree char *text = zp_strndup(value.ptr, value.len);
		struct provider_subnet subnet;

		/* Another kind of address can not be wanted; as 0 bits of 0.0.0.1 it equals none.
		 */
		if (!provider_subnet_parse(text, &subnet))
			subnet = (struct provider_subnet){ 1, 0 };
		zp_vec_push(&last->allowed, subnet);
	}
}

static void read_current(const char *text, struct current *current)
{
	while (*text) {
		size_t len = strcspn(text, "\n");
		const char *equals = memchr(text, '=', len);

		if (equals)
			take_line(current, zp_strn(text, (size_t)(equals - text)),
				zp_strn(equals + 1, len - (size_t)(equals + 1 - text)));
		text += len + (text[len] ? 1 : 0);
	}
}

static bool allows(const struct provider_network_peer *peer, struct provider_subnet subnet)
{
	for (size_t i = 0; i < peer->allowed_ip_count; i++)
		if (peer->allowed_ips[i].address == subnet.address &&
			peer->allowed_ips[i].prefix == subnet.prefix)
			return true;
	return false;
}

static bool allows_the_same(const struct provider_network_peer *wanted, const struct peer *has)
{
	if (wanted->allowed_ip_count != has->allowed.count)
		return false;
	for (size_t i = 0; i < has->allowed.count; i++)
		if (!allows(wanted, has->allowed.items[i]))
			return false;
	return true;
}

static struct peer *find_peer(struct current *current, const char *key)
{
	for (size_t i = 0; i < current->peers.count; i++)
		if (zp_str_is(current->peers.items[i].key, key))
			return &current->peers.items[i];
	return NULL;
}

static void put_allowed(const struct provider_network_peer *peer, struct zp_buf *out)
{
	char text[PROVIDER_SUBNET_TEXT];

	zp_buf_puts(out, "replace_allowed_ips=true\n");
	for (size_t i = 0; i < peer->allowed_ip_count; i++) {
		provider_subnet_format(peer->allowed_ips[i], text);
		zp_buf_printf(out, "allowed_ip=%s\n", text);
	}
}

/* An endpoint is told once: a peer that moved since is followed by WireGuard itself. */
static void put_peer(
	const struct provider_network_peer *peer, struct current *current, struct zp_buf *out)
{
	char key[KEY_TEXT];
	struct peer *has;

	sodium_bin2hex(key, sizeof(key), peer->public_key, sizeof(peer->public_key));
	has = find_peer(current, key);
	if (has)
		has->wanted = true;
	if (has && allows_the_same(peer, has))
		return;
	zp_buf_printf(out, "public_key=%s\n", key);
	if (!has && peer->endpoint)
		zp_buf_printf(out, "endpoint=%s\npersistent_keepalive_interval=%d\n",
			peer->endpoint, KEEPALIVE_SECONDS);
	put_allowed(peer, out);
}

/* With the bits that Curve25519 fixes set, as WireGuard gives it back. */
static void private_key_text(const struct provider_network_spec *spec, char out[KEY_TEXT])
{
	uint8_t key[PROVIDER_WG_KEY_BYTES];

	memcpy(key, spec->private_key, sizeof(key));
	key[0] &= 248;
	key[31] = (uint8_t)((key[31] & 127) | 64);
	sodium_bin2hex(out, KEY_TEXT, key, sizeof(key));
	sodium_memzero(key, sizeof(key));
}

void provider_wireguard_changes(
	const char *text, const struct provider_network_spec *spec, struct zp_buf *out)
{
	zp_cleanup(current_release) struct current current = { 0 };
	zp_autofree char *port = zp_format("%d", spec->listen_port);
	zp_autobuf peers = ZP_BUF_INIT;
	char key[KEY_TEXT];

	read_current(text, &current);
	private_key_text(spec, key);
	if (!zp_str_is(current.private_key, key))
		zp_buf_printf(out, "private_key=%s\n", key);
	sodium_memzero(key, sizeof(key));
	/* Naming the port again would open a new socket. */
	if (!zp_str_is(current.port, port))
		zp_buf_printf(out, "listen_port=%s\n", port);
	for (size_t i = 0; i < spec->peer_count; i++)
		put_peer(&spec->peers[i], &current, &peers);
	/* First those that leave, so that what they were allowed can go to others. */
	for (size_t i = 0; i < current.peers.count; i++)
		if (!current.peers.items[i].wanted)
			zp_buf_printf(out, "public_key=%.*s\nremove=true\n",
				ZP_FMT(current.peers.items[i].key));
	zp_buf_str(out, zp_buf_slice(&peers));
}

/* ---- its socket ---- */

static void wipe(struct zp_buf *buf)
{
	if (buf->ptr)
		sodium_memzero(buf->ptr, buf->capacity);
	zp_buf_release(buf);
}

#define autosecret zp_cleanup(wipe) struct zp_buf

static int open_control(const char *name, struct zp_error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval timeout = { .tv_sec = 5 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return zp_error_errno(err, "socket");
	snprintf(address.sun_path, sizeof(address.sun_path), SOCKETS "/%s.sock", name);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		zp_error_errno(err, "connecting to wireguard-go of %s", name);
		close(fd);
		return -1;
	}
	return fd;
}

/* An answer ends with "errno=N" and an empty line. */
static int converse(const char *name, const char *text, struct zp_buf *answer, struct zp_error *err)
{
	zp_autoclose int fd = open_control(name, err);
	const char *code;

	if (fd < 0)
		return -1;
	if (send(fd, text, strlen(text), MSG_NOSIGNAL) != (ssize_t)strlen(text))
		return zp_error_errno(err, "writing to wireguard-go of %s", name);
	while (answer->len < 2 || memcmp(answer->ptr + answer->len - 2, "\n\n", 2) != 0) {
		char chunk[4096];
		ssize_t n = recv(fd, chunk, sizeof(chunk), 0);

		if (n <= 0 || answer->len > REPLY_LIMIT)
			return zp_error_set(err, "wireguard-go of %s does not answer", name);
		zp_buf_add(answer, chunk, (size_t)n);
		sodium_memzero(chunk, (size_t)n);
	}
	code = strstr(answer->ptr, "errno=");
	if (!code || strncmp(code, "errno=0\n", 8) != 0)
		return zp_error_set(err, "wireguard-go of %s refuses its settings", name);
	return 0;
}

/* Changes what differs; with only_look tells whether there is anything. */
static int configure(const char *name, const struct provider_network_spec *spec, bool only_look,
	bool *differs, struct zp_error *err)
{
	autosecret current = ZP_BUF_INIT, changes = ZP_BUF_INIT, text = ZP_BUF_INIT,
		   answer = ZP_BUF_INIT;

	if (converse(name, "get=1\n\n", &current, err) < 0)
		return -1;
	provider_wireguard_changes(current.ptr, spec, &changes);
	*differs = changes.len > 0;
	if (only_look || !*differs)
		return 0;
	zp_buf_puts(&text, "set=1\n");
	zp_buf_str(&text, zp_buf_slice(&changes));
	zp_buf_char(&text, '\n');
	return converse(name, text.ptr, &answer, err);
}

/* ---- the interface ---- */

struct inside {
	const char *name;
	const struct provider_network_spec *spec;
	struct provider_link link;
	bool addressed, routed;
};

static struct provider_subnet tunnel_address(const struct provider_network_spec *spec)
{
	return (struct provider_subnet){ TUNNEL_BASE | (spec->subnet.address >> 8 & 0xffff), 32 };
}

static int look_inside(void *data, struct zp_error *err)
{
	struct inside *inside = data;

	return provider_link_get(inside->name, &inside->link, err);
}

/* What the peers are allowed is where they are reached. */
static struct provider_subnet *list_routes(const struct provider_network_spec *spec, size_t *count)
{
	ZP_VEC(, struct provider_subnet) list = { 0 };

	for (size_t i = 0; i < spec->peer_count; i++)
		for (size_t j = 0; j < spec->peers[i].allowed_ip_count; j++)
			zp_vec_push(&list, spec->peers[i].allowed_ips[j]);
	*count = list.count;
	return list.items;
}

static int build_inside(void *data, struct zp_error *err)
{
	const struct inside *inside = data;
	size_t count;
	zp_autofree struct provider_subnet *routes = list_routes(inside->spec, &count);

	if (provider_link_mtu(inside->name, MTU, err) < 0 ||
		provider_address_set(inside->name, tunnel_address(inside->spec), err) < 0 ||
		provider_link_up(inside->name, err) < 0)
		return -1;
	return provider_routes_set(inside->name, routes, count, err);
}

static int inspect_inside(void *data, struct zp_error *err)
{
	struct inside *inside = data;
	size_t count;
	zp_autofree struct provider_subnet *routes = list_routes(inside->spec, &count);

	if (look_inside(data, err) < 0 ||
		provider_address_is(
			inside->name, tunnel_address(inside->spec), &inside->addressed, err) < 0)
		return -1;
	return provider_routes_are(inside->name, routes, count, &inside->routed, err);
}

bool provider_wireguard_restarted(const struct provider_network_names *names)
{
	struct provider_link link;

	return provider_link_get(names->tunnel, &link, NULL) == 0 && link.index;
}

static int start(struct node_context *node, const char *name, struct zp_error *err)
{
	const char *const argv[] = { WIREGUARD_GO, "-f", name, NULL };

	return node_helper_start(node, name, argv, err);
}

/* 1 when the interface is in the namespace and wireguard-go answers, 0 not yet, -1. */
static int fetch_link(const struct provider_network_names *names, struct zp_error *err)
{
	struct inside inside = { .name = names->tunnel };
	autosecret answer = ZP_BUF_INIT;

	if (provider_netns_run(names->netns, look_inside, &inside, err) < 0)
		return -1;
	if (converse(names->tunnel, "get=1\n\n", &answer, NULL) < 0)
		return 0;
	if (inside.link.index)
		return 1;
	if (!provider_wireguard_restarted(names))
		return 0;
	return provider_link_move(names->tunnel, names->netns, err) < 0 ? -1 : 1;
}

/*
 * It may have been ending as this began, because its interface was taken away: then it is started
 * once more.
 */
static int start_and_fetch(
	struct node_context *node, const struct provider_network_names *names, struct zp_error *err)
{
	bool again = false;

	if (start(node, names->tunnel, err) < 0)
		return -1;
	for (int waited = 0; waited < START_MS; waited += 10) {
		int fetched = fetch_link(names, err);

		if (fetched != 0)
			return fetched < 0 ? -1 : 0;
		if (node_helper_pid(node, names->tunnel) == 0) {
			if (again)
				break;
			again = true;
			if (start(node, names->tunnel, err) < 0)
				return -1;
		}
		poll(NULL, 0, 10);
	}
	return zp_error_set(err, "wireguard-go did not start; see %s/run/%s.log", node_root(node),
		names->tunnel);
}

int provider_wireguard_build(struct node_context *node, const struct provider_network_names *names,
	const struct provider_network_spec *spec, struct zp_error *err)
{
	struct inside inside = { .name = names->tunnel, .spec = spec };
	bool differs;

	if (spec->peer_count == 0)
		return provider_wireguard_remove(node, names, err);
	if (start_and_fetch(node, names, err) < 0 ||
		configure(names->tunnel, spec, false, &differs, err) < 0)
		return -1;
	return provider_netns_run(names->netns, build_inside, &inside, err);
}

int provider_wireguard_inspect(struct node_context *node,
	const struct provider_network_names *names, const struct provider_network_spec *spec,
	struct zp_buf *message, struct zp_error *err)
{
	struct inside inside = { .name = names->tunnel, .spec = spec };
	const char *gap = message->len ? "; " : "";
	bool differs = false;

	/* Without the namespace the tunnel is gone too; that is said already. */
	if (spec->peer_count == 0 || !provider_netns_exists(names->netns))
		return 0;
	if (node_helper_pid(node, names->tunnel) == 0) {
		zp_buf_printf(message, "%swireguard-go of %s does not run", gap, names->tunnel);
		return 0;
	}
	if (provider_netns_run(names->netns, inspect_inside, &inside, err) < 0)
		return -1;
	if (!inside.link.index || !inside.link.up || !inside.addressed)
		zp_buf_printf(message,
			"%slink %s in namespace %s is missing, down or without its "
			"address",
			gap, names->tunnel, names->netns);
	else if (!inside.routed)
		zp_buf_printf(message, "%sroutes over %s differ", gap, names->tunnel);
	else if (configure(names->tunnel, spec, true, &differs, NULL) < 0)
		zp_buf_printf(message, "%swireguard-go of %s does not answer", gap, names->tunnel);
	else if (differs)
		zp_buf_printf(message, "%speers of %s differ", gap, names->tunnel);
	return 0;
}

static int remove_inside(void *data, struct zp_error *err)
{
	return provider_link_remove(data, err);
}

int provider_wireguard_remove(
	struct node_context *node, const struct provider_network_names *names, struct zp_error *err)
{
	if (node_helper_stop(node, names->tunnel, err) < 0 ||
		provider_link_remove(names->tunnel, err) < 0)
		return -1;
	if (!provider_netns_exists(names->netns))
		return 0;
	return provider_netns_run(names->netns, remove_inside, (void *)names->tunnel, err);
}

/*
 * The world around a fake node: a namespace "inet" beyond the node's wan0 (192.0.2.1; the other end
 * 192.0.2.9), and machines, which are namespaces with eth0 on a bridge of the node. Connections are
 * tried with TCP: an address is reached when it accepts or refuses.
 */
#ifndef TESTS_PROVIDERS_FAKE_WIRE_H
#define TESTS_PROVIDERS_FAKE_WIRE_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "providers/network/kernel.h"

struct wire_end {
	const char *link;
	const char *address; /* "10.1.2.2/24" */
	const char *gateway; /* NULL: none */
};

static inline int wire_end_inside(void *data, struct zp_error *err)
{
	const struct wire_end *end = data;
	struct provider_subnet subnet;
	uint32_t gateway = 0;

	provider_subnet_parse(end->address, &subnet);
	if (provider_link_up("lo", err) < 0 || provider_address_set(end->link, subnet, err) < 0 ||
		provider_link_up(end->link, err) < 0)
		return -1;
	if (!end->gateway)
		return 0;
	provider_ipv4_parse(end->gateway, &gateway);
	return provider_route_set(end->link, (struct provider_subnet){ 0, 0 }, gateway, err);
}

static inline int fake_wire_internet(void)
{
	struct wire_end node = { "wan0", "192.0.2.1/24", NULL };
	struct wire_end inet = { "eth0", "192.0.2.9/24", NULL };

	if (provider_netns_make("inet", NULL) < 0 ||
		provider_veth_make("wan0", "inet", "eth0", NULL, NULL) < 0 ||
		wire_end_inside(&node, NULL) < 0)
		return -1;
	return provider_netns_run("inet", wire_end_inside, &inet, NULL);
}

static inline int fake_wire_machine(
	const char *name, const char *tap, const char *bridge, const char *address)
{
	zp_autofree char *cidr = zp_format("%s/24", address);
	zp_autofree char *gateway =
		zp_format("%.*s.1", (int)(strrchr(address, '.') - address), address);
	struct wire_end end = { "eth0", cidr, gateway };

	if (provider_netns_make(name, NULL) < 0 ||
		provider_veth_make(tap, name, "eth0", NULL, NULL) < 0 ||
		provider_link_attach(tap, bridge, NULL) < 0 || provider_link_up(tap, NULL) < 0)
		return -1;
	return provider_netns_run(name, wire_end_inside, &end, NULL);
}

struct wire_socket {
	struct sockaddr_in address;
	int fd;
};

static inline int wire_listen(void *data, struct zp_error *err)
{
	struct wire_socket *s = data;
	int one = 1;

	(void)err;
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	return bind(s->fd, (struct sockaddr *)&s->address, sizeof(s->address)) == 0 &&
			       listen(s->fd, 16) == 0
		       ? 0
		       : -1;
}

/* 0 accepted, or errno. */
static inline int wire_connect(void *data, struct zp_error *err)
{
	struct wire_socket *s = data;
	struct pollfd poller = { .events = POLLOUT };
	socklen_t len = sizeof(int);
	int problem = ETIMEDOUT;

	(void)err;
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (connect(s->fd, (struct sockaddr *)&s->address, sizeof(s->address)) < 0 &&
		errno != EINPROGRESS)
		return errno;
	poller.fd = s->fd;
	if (poll(&poller, 1, 1500) == 1)
		getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &problem, &len);
	return problem;
}

static inline struct wire_socket wire_socket(const char *address, int port)
{
	struct wire_socket s = { .fd = -1 };

	s.address.sin_family = AF_INET;
	s.address.sin_port = htons((uint16_t)port);
	inet_pton(AF_INET, address, &s.address.sin_addr);
	return s;
}

/* Whether a connection from the namespace (NULL: the node) to the address and port is accepted. */
static inline bool fake_wire_reaches_port(const char *netns, const char *address, int port)
{
	struct wire_socket s = wire_socket(address, port);
	int rc = netns ? provider_netns_run(netns, wire_connect, &s, NULL) : wire_connect(&s, NULL);

	if (s.fd >= 0)
		close(s.fd);
	return rc == 0;
}

/*
 * Whether the namespace gets an answer from the address; where it is 192.0.2.9 or the node's, also
 * whether it is seen as from (NULL: not asked).
 */
static inline bool fake_wire_reaches(const char *netns, const char *address, const char *from)
{
	struct wire_socket server = wire_socket(address, 7007), client = server;
	struct sockaddr_in peer = { 0 };
	socklen_t len = sizeof(peer);
	char text[INET_ADDRSTRLEN];
	bool ok;
	int rc;

	if (!from) {
		rc = provider_netns_run(netns, wire_connect, &client, NULL);
		close(client.fd);
		return rc == 0 || rc == ECONNREFUSED;
	}
	rc = strcmp(address, "192.0.2.9") == 0
		     ? provider_netns_run("inet", wire_listen, &server, NULL)
		     : wire_listen(&server, NULL);
	ok = rc == 0 && provider_netns_run(netns, wire_connect, &client, NULL) == 0;
	if (ok) {
		int fd = accept(server.fd, (struct sockaddr *)&peer, &len);

		inet_ntop(AF_INET, &peer.sin_addr, text, sizeof(text));
		ok = fd >= 0 && strcmp(text, from) == 0;
		close(fd);
	}
	if (client.fd >= 0)
		close(client.fd);
	close(server.fd);
	return ok;
}

/* Whether a connection from the node to address:port arrives at the machine's port. */
static inline bool fake_wire_forwards(
	const char *machine, int machine_port, const char *address, int port)
{
	struct wire_socket server = wire_socket("0.0.0.0", machine_port);
	bool ok = provider_netns_run(machine, wire_listen, &server, NULL) == 0 &&
		  fake_wire_reaches_port(NULL, address, port);

	close(server.fd);
	return ok;
}

#endif

#include "providers/machine/guest/guest.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <net/route.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIND_TRIES 300 /* of 10 ms */

static void set_name(struct ifreq *request, const char *name)
{
	memset(request, 0, sizeof(*request));
	snprintf(request->ifr_name, sizeof(request->ifr_name), "%s", name);
}

static struct sockaddr ipv4(in_addr_t address)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr = { address } };
	struct sockaddr out;

	memcpy(&out, &in, sizeof(out));
	return out;
}

static bool link_up(int fd, const char *name)
{
	struct ifreq request;

	set_name(&request, name);
	if (ioctl(fd, SIOCGIFFLAGS, &request) != 0)
		return false;
	request.ifr_flags |= IFF_UP;
	return ioctl(fd, SIOCSIFFLAGS, &request) == 0;
}

static bool has_mac(int fd, const char *name, const char *mac)
{
	struct ifreq request;
	const unsigned char *m;
	char text[18];

	set_name(&request, name);
	if (ioctl(fd, SIOCGIFHWADDR, &request) != 0)
		return false;
	m = (const unsigned char *)request.ifr_hwaddr.sa_data;
	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4],
		m[5]);
	return strcmp(text, mac) == 0;
}

static bool find_nic(int fd, const char *mac, char name[IF_NAMESIZE])
{
	for (int i = 0; i < FIND_TRIES; i++) {
		struct if_nameindex *links = if_nameindex();
		bool found = false;

		for (struct if_nameindex *l = links; l && l->if_index && !found; l++) {
			found = has_mac(fd, l->if_name, mac);
			if (found)
				snprintf(name, IF_NAMESIZE, "%s", l->if_name);
		}
		if (links)
			if_freenameindex(links);
		if (found)
			return true;
		usleep(10000);
	}
	return false;
}

static bool set_address(int fd, const char *name, const char *cidr)
{
	struct ifreq request;
	char text[32];
	char *slash;
	int prefix;

	snprintf(text, sizeof(text), "%s", cidr);
	slash = strchr(text, '/');
	if (!slash)
		return false;
	*slash = '\0';
	prefix = (int)strtol(slash + 1, NULL, 10);
	set_name(&request, name);
	request.ifr_addr = ipv4(inet_addr(text));
	if (ioctl(fd, SIOCSIFADDR, &request) != 0)
		return false;
	request.ifr_netmask = ipv4(htonl(prefix <= 0 ? 0 : ~0u << (32 - prefix)));
	return ioctl(fd, SIOCSIFNETMASK, &request) == 0;
}

/* "10.1.0.0/16" as address and mask; NULL is everything. */
static bool parse_range(const char *cidr, in_addr_t *address, in_addr_t *mask)
{
	char text[32];
	char *slash;
	int prefix;

	*address = *mask = 0;
	if (!cidr)
		return true;
	snprintf(text, sizeof(text), "%s", cidr);
	slash = strchr(text, '/');
	if (!slash)
		return false;
	*slash = '\0';
	prefix = (int)strtol(slash + 1, NULL, 10);
	*mask = htonl(prefix <= 0 ? 0 : ~0u << (32 - prefix));
	*address = inet_addr(text) & *mask;
	return true;
}

static bool set_route(int fd, const char *range, const char *gateway)
{
	struct rtentry route = { .rt_flags = RTF_UP | RTF_GATEWAY };
	in_addr_t address, mask;

	if (!parse_range(range, &address, &mask))
		return false;
	route.rt_dst = ipv4(address);
	route.rt_genmask = ipv4(mask);
	route.rt_gateway = ipv4(inet_addr(gateway));
	return ioctl(fd, SIOCADDRT, &route) == 0 || errno == EEXIST;
}

/* Replaces the file, also where the content has a link into the void. */
static void write_file(const char *path, const char *text)
{
	int fd;

	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		guest_say("writing %s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

static void write_names(const struct guest_config *config)
{
	char text[1024];
	size_t len = 0;

	mkdir("/etc", 0755);
	snprintf(text, sizeof(text), "%s\n", config->hostname);
	write_file("/etc/hostname", text);
	snprintf(text, sizeof(text), "127.0.0.1\tlocalhost\n::1\tlocalhost\n%.*s\t%s\n",
		config->address ? (int)strcspn(config->address, "/") : 9,
		config->address ? config->address : "127.0.1.1", config->hostname);
	write_file("/etc/hosts", text);
	text[0] = '\0';
	for (size_t i = 0; i < config->dns_count && len < sizeof(text); i++)
		len += (size_t)snprintf(
			text + len, sizeof(text) - len, "nameserver %s\n", config->dns[i]);
	if (config->dns_count)
		write_file("/etc/resolv.conf", text);
}

/*
 * As <linux/ipv6.h> and <linux/ipv6_route.h> have them, which do not go with the C library's
 * headers.
 */
struct address6 {
	struct in6_addr address;
	uint32_t prefix;
	int link;
};

struct route6 {
	struct in6_addr to, from, gateway;
	uint32_t type;
	uint16_t to_prefix, from_prefix;
	uint32_t metric;
	unsigned long info;
	uint32_t flags;
	int link;
};

/* An address in a /64, and the planetary network (200::/7) behind the gateway. */
static bool planetary_up(const struct guest_config *config)
{
	struct address6 address = { .prefix = 64 };
	struct route6 route = { .to_prefix = 7, .metric = 1, .flags = RTF_UP | RTF_GATEWAY };
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char nic[IF_NAMESIZE];
	bool up = fd >= 0 && find_nic(fd, config->planetary_nic, nic) && link_up(fd, nic);

	route.to.s6_addr[0] = 2;
	if (up)
		route.link = address.link = (int)if_nametoindex(nic);
	up = up && inet_pton(AF_INET6, config->planetary_address, &address.address) == 1 &&
	     inet_pton(AF_INET6, config->planetary_gateway, &route.gateway) == 1 &&
	     (ioctl(fd, SIOCSIFADDR, &address) == 0 || errno == EEXIST) &&
	     (ioctl(fd, SIOCADDRT, &route) == 0 || errno == EEXIST);
	if (fd >= 0)
		close(fd);
	return up;
}

/*
 * Addresses are told to the neighbours when their cards come up: who knew a former machine of the same
 * address by its card would go on asking that one.
 */
static void announce_addresses(void)
{
	int fd = open("/proc/sys/net/ipv4/conf/all/arp_notify", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "1", 1) < 0)
		guest_say("addresses are not announced: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
}

static void card_up(int fd, const char *mac, const char *address)
{
	char nic[IF_NAMESIZE];

	if (!find_nic(fd, mac, nic))
		guest_fail("there is no network card %s", mac);
	if ((address && !set_address(fd, nic, address)) || !link_up(fd, nic))
		guest_fail("setting the address %s of %s", address ? address : "", nic);
}

void guest_network_up(const struct guest_config *config)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (config->hostname) {
		sethostname(config->hostname, strlen(config->hostname));
		write_names(config);
	}
	if (fd < 0)
		guest_fail("a socket for the network");
	link_up(fd, "lo");
	announce_addresses();
	if (config->nic)
		card_up(fd, config->nic, config->address);
	if (config->public_nic)
		card_up(fd, config->public_nic, config->public_address);
	if (config->gateway && !set_route(fd, config->private_range, config->gateway))
		guest_fail("routing through %s", config->gateway);
	if (config->public_gateway && *config->public_gateway &&
		!set_route(fd, NULL, config->public_gateway))
		guest_fail("routing through %s", config->public_gateway);
	if (config->planetary_nic && !planetary_up(config))
		guest_fail("joining the planetary network");
	close(fd);
}

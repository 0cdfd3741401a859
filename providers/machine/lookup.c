#include "providers/machine/lookup.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "node/client.h"
#include "providers/disk/volume.h"
#include "providers/network/address.h"
#include "providers/machine/domain.h"
#include "providers/network/names.h"

#define CONSOLE_PORTS 20000

static void workload_release(struct node_workload **w)
{
	if (*w)
		node_workload_free(*w);
}

#define autoworkload zp_cleanup(workload_release) struct node_workload

/* The workload, which must be of the type; NULL with err. */
static struct node_workload *find(
	struct node_context *node, const char *id, const char *type, struct zp_error *err)
{
	autoworkload *w = node_find(node, id);

	if (!w || strcmp(w->type, type) != 0) {
		zp_error_code(
			err, NODE_E_INVALID, "node %s has no %s %s", node_name(node), type, id);
		return NULL;
	}
	return zp_steal(w);
}

static int find_subnet(struct node_context *node, const char *id, struct provider_subnet *out,
	char range[20], struct zp_error *err)
{
	autoworkload *w = find(node, id, "network", err);
	const char *text, *whole;

	if (!w)
		return -1;
	text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(w->spec, "subnet"));
	if (!text || !provider_subnet_parse(text, out) || out->prefix > 30)
		return zp_error_code(
			err, NODE_E_INVALID, "network %s has no subnet for machines here", id);
	out->address &= provider_subnet_mask(out->prefix);
	whole = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(w->spec, "ip_range"));
	snprintf(range, 20, "%s", whole ? whole : text);
	return 0;
}

/* Takes the address the spec names, or one that is free: numbers within the subnet. */
static int lease_address(struct provider_machine *machine, struct provider_subnet subnet,
	const char *previous, uint32_t *out, struct zp_error *err)
{
	zp_autofree char *pool = zp_format("address/%s", machine->spec.network);
	uint32_t last = ~provider_subnet_mask(subnet.prefix) - 1, ip = machine->spec.ip, before;
	int64_t number = 0;

	if (!ip) {
		if (node_lease_int(machine->node, pool, machine->id, 2, last, &number, err) < 0)
			return zp_error_wrap(err, "leasing an address of the network");
		*out = subnet.address + (uint32_t)number;
		return 0;
	}
	*out = ip;
	number = (int64_t)ip - (int64_t)subnet.address;
	if (number < 2 || number > last) {
		char text[PROVIDER_SUBNET_TEXT];

		provider_subnet_format(subnet, text);
		return zp_error_code(err, NODE_E_INVALID,
			"ip: not an address for machines on this node: its part of the network is "
			"%s, and the first address is the gateway's",
			text);
	}
	if (previous && provider_ipv4_parse(previous, &before) && before != ip &&
		node_lease_release(machine->node, pool, machine->id, err) < 0)
		return -1;
	zp_autofree char *member = zp_format("%" PRId64, number);

	zp_autoerror reason = ZP_ERROR_INIT;

	if (node_lease_take(machine->node, pool, machine->id, member, &reason) < 0)
		return zp_error_code(
			err, NODE_E_BUSY, "ip: the address is taken: %s", zp_error_text(&reason));
	return 0;
}

int provider_machine_find_network(
	struct provider_machine *machine, const char *previous, struct zp_error *err)
{
	struct provider_network_names names;
	struct provider_subnet subnet;
	uint32_t ip = 0;

	if (find_subnet(machine->node, machine->spec.network, &subnet, machine->range, err) < 0 ||
		lease_address(machine, subnet, previous, &ip, err) < 0)
		return -1;
	provider_network_names(machine->node, machine->spec.network, &names);
	memcpy(machine->bridge, names.bridge, sizeof(machine->bridge));
	provider_ipv4_format(ip, machine->ip);
	provider_ipv4_format(subnet.address + 1, machine->gateway);
	snprintf(machine->address, sizeof(machine->address), "%s/%d", machine->ip, subnet.prefix);
	snprintf(machine->console_url, sizeof(machine->console_url), "%s:%u", machine->gateway,
		CONSOLE_PORTS + (ip & 0xff));
	/* One address, one MAC: neighbours of a machine that was replaced know the new one already.
	 */
	zp_autofree char *place = zp_format("%s/%s", machine->spec.network, machine->ip);
	provider_domain_mac(node_tag(machine->node), place, machine->names.mac);
	return 0;
}

int provider_machine_find_public(struct provider_machine *machine, struct zp_error *err)
{
	const char *id = machine->spec.public_ip;

	if (!*id)
		return 0;
	if (provider_ip_find(machine->node, id, &machine->public, err) < 0)
		return zp_error_wrap(err, "public_ip");
	zp_autofree char *user = provider_ip_user(machine->node, id, machine->id);
	return user ? zp_error_code(err, NODE_E_BUSY, "public_ip: %s is in use by %s", id, user)
		    : 0;
}

int provider_machine_find_planetary(struct provider_machine *machine, struct zp_error *err)
{
	if (!machine->spec.planetary)
		return 0;
	if (provider_planetary_up(machine->node, &machine->planetary, err) < 0)
		return zp_error_wrap(err, "network.planetary");
	provider_planetary_card(machine->node, &machine->planetary, machine->id, &machine->card);
	return provider_planetary_admit(machine->node, &machine->card, err);
}

int provider_machine_find_disks(struct provider_machine *machine, struct zp_error *err)
{
	for (size_t i = 0; i < machine->spec.mount_count; i++) {
		const char *id = machine->spec.mounts[i].disk;
		autoworkload *disk = find(machine->node, id, "zmount", err);
		zp_autofree char *user = NULL;

		if (!disk)
			return -1;
		user = provider_volume_user(machine->node, id, machine->id);
		if (user)
			return zp_error_code(
				err, NODE_E_BUSY, "the disk %s is in use by %s", id, user);
		provider_volume_name(machine->node, id, machine->serials[i]);
		machine->paths[i] = provider_volume_path(machine->node, id, err);
		if (!machine->paths[i])
			return -1;
		if (provider_volume_size(machine->paths[i]) < 0)
			return zp_error_code(err, NODE_E_FAILED,
				"the disk %s is not there: its file %s is missing", id,
				machine->paths[i]);
	}
	return 0;
}

int provider_machine_free_address(struct node_context *node, const char *id, struct zp_error *err)
{
	return node_lease_release(node, NULL, id, err);
}

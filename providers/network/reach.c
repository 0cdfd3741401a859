#include "providers/network/reach.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

/* Below what Linux gives to outgoing connections, above what services are used to have. */
#define FIRST_PORT 10000
#define PORT_COUNT 20000

static bool is_port_taken(int port, const char *id, const cJSON *workloads)
{
	const cJSON *item;
	cJSON_ArrayForEach(item, workloads)
	{
		const cJSON *used = cJSON_GetObjectItem(
			cJSON_GetObjectItem(item, "spec"), "wireguard_listen_port");
		const char *other = cJSON_GetStringValue(cJSON_GetObjectItem(item, "id"));
		if (cJSON_IsNumber(used) && used->valueint == port && other &&
			strcmp(other, id) != 0)
			return true;
	}
	return false;
}

int zos_port_choose(const char *id, const cJSON *workloads)
{
	uint64_t start = zp_str_hash(zp_str(id));
	int port = FIRST_PORT;
	for (uint64_t i = 0; i < PORT_COUNT; i++) {
		port = FIRST_PORT + (int)((start + i) % PORT_COUNT);
		if (!is_port_taken(port, id, workloads))
			break;
	}
	return port;
}

static int ask_address(struct zos_member *member, struct node_client *client, struct zp_error *err)
{
	cJSON *facts = node_call(client, "node.facts", NULL, err);
	if (!facts)
		return -1;
	const char *address = cJSON_GetStringValue(cJSON_GetObjectItem(facts, "public_address"));
	uint32_t parsed;
	member->public_address[0] = '\0';
	if (address && provider_ipv4_parse(address, &parsed))
		provider_ipv4_format(parsed, member->public_address);
	cJSON_Delete(facts);
	return 0;
}

int zos_member_ask(
	struct zos_member *member, struct node_client *client, const char *id, struct zp_error *err)
{
	if (ask_address(member, client, err) < 0)
		return -1;
	if (member->port)
		return 0;
	cJSON *workloads = node_call(client, "workload.list", NULL, err);
	if (!workloads)
		return -1;
	member->port = zos_port_choose(id, workloads);
	cJSON_Delete(workloads);
	return 0;
}

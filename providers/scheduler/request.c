#include "providers/scheduler/request.h"

#include <string.h>

#include "base/alloc.h"
#include "providers/values.h"

#define MEGABYTE (INT64_C(1) << 20)

static struct provider_attribute attributes[] = {
	{ .name = "name",
		.type = "string",
		.flags = PROVIDER_REQUIRED,
		.description = "Key of the request in `nodes`." },
	{ .name = "cru",
		.type = "number",
		.flags = PROVIDER_OPTIONAL,
		.description = "Cores that must be free." },
	{ .name = "mru",
		.type = "number",
		.flags = PROVIDER_OPTIONAL,
		.description = "Memory that must be free, in MB." },
	{ .name = "sru",
		.type = "number",
		.flags = PROVIDER_OPTIONAL,
		.description = "Disk that must be free, in MB." },
	{ .name = "hru",
		.type = "number",
		.flags = PROVIDER_OPTIONAL,
		.description = "More disk that must be free, in MB." },
	{ .name = "farm_id",
		.type = "number",
		.flags = PROVIDER_OPTIONAL,
		.description = "Only nodes of this farm." },
	{ .name = "public_config",
		.type = "bool",
		.flags = PROVIDER_OPTIONAL,
		.description = "Only nodes with a public address." },
	{ .name = "public_ips_count",
		.type = "number",
		.flags = PROVIDER_OPTIONAL,
		.description = "Public IPv4 addresses that must be free." },
	{ .name = "domain",
		.type = "bool",
		.flags = PROVIDER_OPTIONAL,
		.description = "Only nodes with a domain for gateways." },
	{ .name = "dedicated",
		.type = "bool",
		.flags = PROVIDER_OPTIONAL,
		.description = "Only nodes that are reserved for you." },
	{ .name = "node_exclude",
		.type = "set(string)",
		.flags = PROVIDER_OPTIONAL,
		.description = "Names or numbers of nodes not to take." },
	{ .name = "labels",
		.type = "map(string)",
		.flags = PROVIDER_OPTIONAL,
		.description = "Only nodes that have these labels." },
	{ .name = "distinct",
		.type = "bool",
		.flags = PROVIDER_OPTIONAL,
		.description = "Not on a node that another distinct request has." },
};

struct provider_schema zos_request_schema = {
	.attributes = attributes,
	.attribute_count = ZP_ARRAY_SIZE(attributes),
};

struct zos_request zos_request_read(struct hcl_value block)
{
	const char *name = provider_get_text(block, "name");

	return (struct zos_request){
		.name = name ? name : "",
		.want = { .cores = provider_get_int(block, "cru", 0),
			.memory = provider_get_int(block, "mru", 0) * MEGABYTE,
			.disk = (provider_get_int(block, "sru", 0) +
					provider_get_int(block, "hru", 0)) *
				MEGABYTE },
		.public_ips = provider_get_int(block, "public_ips_count", 0),
		.farm = provider_get_int(block, "farm_id", 0),
		.public_config = provider_get_bool(block, "public_config", false),
		.domain = provider_get_bool(block, "domain", false),
		.distinct = provider_get_bool(block, "distinct", false),
		.dedicated = provider_get_bool(block, "dedicated", false),
		.exclude = provider_get(block, "node_exclude"),
		.labels = provider_get(block, "labels"),
	};
}

static void check_numbers(struct hcl_value block, struct provider_problems *problems)
{
	static const char *const names[] = { "cru", "mru", "sru", "hru", "farm_id",
		"public_ips_count" };
	const int64_t most = INT64_C(1) << 40;

	for (size_t i = 0; i < ZP_ARRAY_SIZE(names); i++) {
		struct hcl_value value = provider_get(block, names[i]);
		int64_t number;
		if (value.state == HCL_KNOWN &&
			(!hcl_number_to_int(value, &number) || number < 0 || number > most))
			provider_error(problems, "requests", "Unsuitable number",
				"\"%s\" of a request must be a whole number, zero or greater.",
				names[i]);
	}
}

void zos_requests_validate(struct hcl_value config, struct provider_problems *problems)
{
	struct hcl_value blocks = provider_get(config, "requests");

	for (uint32_t i = 0; blocks.state == HCL_KNOWN && i < blocks.count; i++) {
		const char *name = provider_get_text(blocks.elements[i], "name");
		check_numbers(blocks.elements[i], problems);
		if (name && !*name)
			provider_error(problems, "requests", "Request without a name",
				"The name of a request is its key in \"nodes\": it can not be empty.");
		for (uint32_t j = 0; name && j < i; j++) {
			const char *other = provider_get_text(blocks.elements[j], "name");
			if (other && strcmp(name, other) == 0)
				provider_error(problems, "requests", "Two requests of one name",
					"There are two requests called \"%s\".", name);
		}
	}
}

bool zos_request_find(struct hcl_value blocks, const char *name, struct hcl_value *out)
{
	for (uint32_t i = 0; blocks.state == HCL_KNOWN && i < blocks.count; i++) {
		const char *have = provider_get_text(blocks.elements[i], "name");
		if (have && strcmp(have, name) == 0) {
			*out = blocks.elements[i];
			return true;
		}
	}
	return false;
}

static const char *kept_node(struct hcl_value kept, const char *name)
{
	struct hcl_value node;

	if (kept.state != HCL_KNOWN || !hcl_map_lookup(kept, zp_str(name), &node))
		return NULL;
	return node.state == HCL_KNOWN ? node.text : NULL;
}

static struct hcl_value as_map(struct zp_arena *arena, const struct zos_fleet *fleet,
	const struct zos_request *requests, const size_t *chosen, size_t count)
{
	struct hcl_map_entry *entries = zp_new_array(arena, struct hcl_map_entry, count);

	for (size_t i = 0; i < count; i++) {
		entries[i].key = zp_arena_str(arena, zp_str(requests[i].name));
		entries[i].value = hcl_string_cstr(arena, fleet->items[chosen[i]].name);
	}
	return hcl_map_value(hcl_string, entries, count);
}

struct hcl_value zos_requests_schedule(struct provider_instance *instance,
	struct provider_operation *op, struct hcl_value object, struct hcl_value kept)
{
	struct hcl_value blocks = provider_get(object, "requests");
	size_t count = blocks.state == HCL_KNOWN ? blocks.count : 0;
	struct zos_request *requests = zp_new_array(op->arena, struct zos_request, count);
	size_t *chosen = zp_new_array(op->arena, size_t, count);
	zp_autoerror err = ZP_ERROR_INIT;
	struct zos_fleet fleet;

	zos_fleet_ask(&fleet, op->arena, instance->environment->nodes);
	for (size_t i = 0; i < count; i++) {
		requests[i] = zos_request_read(blocks.elements[i]);
		requests[i].kept = kept_node(kept, requests[i].name);
	}
	if (zos_choose(&fleet, requests, count, chosen, &err))
		return as_map(op->arena, &fleet, requests, chosen, count);
	provider_error_from(&op->problems, "requests", "A request can not be met", &err);
	return hcl_unknown(hcl_map_type(hcl_string));
}

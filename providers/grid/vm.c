#include "providers/grid/vm.h"

#include <sodium.h>
#include <string.h>

#include "base/alloc.h"

#define LOG_HASH 8

static bool wants(struct hcl_value vm, const char *name)
{
	return provider_get_bool(vm, name, false);
}

struct hcl_value grid_element(struct hcl_value list, const char *name)
{
	for (uint32_t i = 0; name && list.state == HCL_KNOWN && i < list.count; i++) {
		const char *have = provider_get_text(list.elements[i], "name");
		if (have && strcmp(have, name) == 0)
			return list.elements[i];
	}
	return hcl_null(hcl_dynamic);
}

/* ---- plan ---- */

/* A value that goes with a switch of the block: empty without it, kept as long as it stays. */
static struct hcl_value switched(struct hcl_value planned, struct hcl_value before, bool moves,
	const char *flag, const char *value)
{
	struct hcl_value wanted = provider_get(planned, flag);

	if (wanted.state == HCL_NULL || (wanted.state == HCL_KNOWN && !wanted.boolean))
		return hcl_string_static("");
	if (wanted.state == HCL_KNOWN && !moves && provider_is_object(before) &&
		wants(before, flag) && provider_has(before, value))
		return provider_get(before, value);
	return hcl_unknown(hcl_string);
}

static bool same_switch(struct hcl_value a, struct hcl_value b, const char *flag)
{
	struct hcl_value wanted = provider_get(a, flag);

	return wanted.state != HCL_UNKNOWN && wants(a, flag) == wants(b, flag);
}

/* Given, or what it had, or the next free one. */
static struct hcl_value planned_ip(struct hcl_value config, struct hcl_value before, bool moves)
{
	struct hcl_value given = provider_get(config, "ip");
	bool had = provider_is_object(before) && provider_has(before, "ip");

	if (given.state == HCL_UNKNOWN || (given.state == HCL_KNOWN && given.count))
		return given;
	return had && !moves ? provider_get(before, "ip") : hcl_unknown(hcl_string);
}

struct hcl_value grid_vm_plan(struct zp_arena *arena, const struct provider_schema *schema,
	struct hcl_value planned, struct hcl_value config, struct hcl_value before, bool moves)
{
	struct provider_builder builder;

	if (planned.state != HCL_KNOWN)
		return planned;
	/* Addresses of both kinds are one workload: asking for one more gives new ones. */
	bool new_public = moves || (provider_is_object(before) &&
					   (!same_switch(planned, before, "publicip") ||
						   !same_switch(planned, before, "publicip6")));
	struct hcl_value ip = planned_ip(config, before, moves);
	struct hcl_value console = hcl_unknown(hcl_string);
	if (ip.state == HCL_KNOWN && provider_is_object(before) &&
		hcl_value_identical(ip, provider_get(before, "ip")) &&
		provider_has(before, "console_url"))
		console = provider_get(before, "console_url");
	provider_build(&builder, arena, schema, planned);
	provider_build_set(&builder, "ip", ip);
	provider_build_set(&builder, "console_url", console);
	provider_build_set(&builder, "computedip",
		switched(planned, before, new_public, "publicip", "computedip"));
	provider_build_set(&builder, "computedip6",
		switched(planned, before, new_public, "publicip6", "computedip6"));
	provider_build_set(&builder, "planetary_ip",
		switched(planned, before, moves, "planetary", "planetary_ip"));
	provider_build_set(&builder, "mycelium_ip", hcl_string_static(""));
	return provider_built(&builder);
}

bool grid_vm_wants_gpu(struct hcl_value vm)
{
	struct hcl_value gpus = provider_get(vm, "gpus");

	return gpus.state == HCL_KNOWN && gpus.count;
}

/* ---- parts ---- */

static const char *ip_kind(struct hcl_value vm)
{
	bool v4 = wants(vm, "publicip"), v6 = wants(vm, "publicip6");

	return v4 && v6 ? "ip46" : v4 ? "ip4" : v6 ? "ip6" : NULL;
}

/* Short, and no part of it: URLs of logs hold passwords. */
static const char *log_name(struct zp_arena *arena, const char *name, const char *url)
{
	uint8_t hash[crypto_generichash_BYTES_MIN];
	char text[2 * LOG_HASH + 1];

	crypto_generichash(hash, sizeof(hash), (const uint8_t *)url, strlen(url), NULL, 0);
	sodium_bin2hex(text, sizeof(text), hash, LOG_HASH);
	return zp_arena_format(arena, "log-%s-%s", name, text);
}

static void add_logs(struct zos_composition *composition, const char *node, const char *name,
	struct hcl_value urls)
{
	for (uint32_t i = 0; urls.state == HCL_KNOWN && i < urls.count; i++) {
		if (urls.elements[i].state != HCL_KNOWN || !urls.elements[i].count)
			continue;
		struct hcl_value *pair = zp_new_array(composition->arena, struct hcl_value, 2);
		pair[0] = hcl_string_cstr(composition->arena, name);
		pair[1] = urls.elements[i];
		const char *part = log_name(composition->arena, name, pair[1].text);
		if (!zos_part_find(composition, part))
			zos_part_add(composition, node, ZOS_STAGE_ABOVE, "zlogs",
				hcl_tuple_value(pair, 2), "%s", part);
	}
}

void grid_vm_parts(struct zos_composition *composition, const char *node, enum zos_stage stage,
	struct hcl_value vm)
{
	const char *name = provider_get_text(vm, "name"), *kind = ip_kind(vm);

	if (!name || !node)
		return;
	if (kind)
		zos_part_add(composition, node, ZOS_STAGE_BASE, "ip", vm, "%s-%s", kind, name);
	zos_part_add(composition, node, stage, "zmachine", vm, "vm-%s", name);
	add_logs(composition, node, name, provider_get(vm, "zlogs"));
}

static const cJSON *interface_of(const cJSON *spec)
{
	return cJSON_GetArrayItem(
		cJSON_GetObjectItem(cJSON_GetObjectItem(spec, "network"), "interfaces"), 0);
}

static const char *text_in(const cJSON *object, const char *name)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(object, name));

	return text ? text : "";
}

const char *grid_vm_network(const struct zos_part *part)
{
	return text_in(interface_of(part->spec), "network");
}

/*
 * The address to ask for. A node that chose one itself is asked the same way again, so that nothing seems to
 * change.
 */
static const char *asked_ip(const struct zos_part *part, struct hcl_value vm)
{
	const char *ip = provider_get_text(vm, "ip");
	bool chosen = part->spec && !*text_in(interface_of(part->spec), "ip");

	if (!ip || !*ip || (chosen && strcmp(text_in(part->result, "ip"), ip) == 0))
		return NULL;
	return ip;
}

struct zos_machine grid_vm_machine(struct zos_composition *composition, const struct zos_part *part,
	struct hcl_value vm, const char *network)
{
	const char *kind = ip_kind(vm);
	int64_t cpu = provider_get_int(vm, "cpu", 1);
	int64_t memory = provider_get_int(vm, "memory", ZOS_DEFAULT_MEMORY_MB);

	return (struct zos_machine){
		.flist = provider_get_text(vm, "flist"),
		.checksum = provider_get_text(vm, "flist_checksum"),
		.entrypoint = provider_get_text(vm, "entrypoint"),
		.network = network,
		.ip = asked_ip(part, vm),
		.public_ip = kind ? zos_part_id(composition, "%s-%s", kind,
					    provider_get_text(vm, "name")) :
				    NULL,
		.cpu = cpu,
		.memory_mb = memory,
		.rootfs_mb = provider_get_int(
			vm, "rootfs_size", zos_machine_least_root(cpu, memory)),
		.env = provider_get(vm, "env_vars"),
		.corex = wants(vm, "corex"),
		.planetary = wants(vm, "planetary"),
	};
}

cJSON *grid_vm_side_spec(struct zos_composition *composition, const struct zos_part *part)
{
	if (strcmp(part->workload, "ip") == 0)
		return zos_ip_spec(wants(part->values, "publicip"), wants(part->values, "publicip6"));
	if (strcmp(part->workload, "zlogs") == 0)
		return zos_logs_spec(
			zos_part_id(composition, "vm-%s", part->values.elements[0].text),
			part->values.elements[1].text);
	return NULL;
}

static bool differs(const cJSON *before, const cJSON *after, const char *name)
{
	return strcmp(text_in(before, name), text_in(after, name)) != 0;
}

bool grid_vm_replaces(struct zos_composition *composition, const struct zos_part *part,
	const cJSON *before, const cJSON *after)
{
	if (strcmp(part->workload, "zlogs") == 0) {
		const struct zos_part *vm = zos_part_find(composition,
			zp_arena_format(
				composition->arena, "vm-%s", part->values.elements[0].text));
		return vm && vm->replaced;
	}
	const char *had = text_in(interface_of(before), "ip");
	const char *ip = text_in(interface_of(after), "ip");
	if (!*had)
		had = text_in(part->result, "ip");
	return differs(before, after, "flist") || differs(before, after, "flist_checksum") ||
	       differs(interface_of(before), interface_of(after), "network") ||
	       (*ip && strcmp(had, ip) != 0) ||
	       zos_json_int(before, "size", 0) != zos_json_int(after, "size", 0);
}

/* ---- what nodes tell ---- */

bool grid_vms_network(struct zos_composition *composition, struct zos_network_lookup *network)
{
	for (size_t i = 0; i < composition->parts.count; i++) {
		const struct zos_part *part = &composition->parts.items[i];
		if (strcmp(part->workload, "zmachine") != 0)
			continue;
		*network = (struct zos_network_lookup){ .node = part->node };
		if (zos_network_at(composition->instance, composition->arena, grid_vm_network(part),
			    network))
			return true;
	}
	return false;
}

void grid_vm_fill(struct zos_composition *composition, struct provider_builder *block,
	const char *name)
{
	static const char *const kinds[] = { "ip4", "ip6", "ip46" };
	struct zp_arena *arena = composition->arena;
	const struct zos_part *vm =
		zos_part_find(composition, zp_arena_format(arena, "vm-%s", name));
	const cJSON *result = vm ? vm->result : NULL, *public = NULL;
	const char *ip = text_in(result, "ip");

	for (size_t i = 0; i < ZP_ARRAY_SIZE(kinds); i++) {
		const struct zos_part *part = zos_part_find(
			composition, zp_arena_format(arena, "%s-%s", kinds[i], name));
		if (part)
			public = part->result;
	}
	/* One that is missing had them, and will have them again. */
	if (!vm)
		return;
	if (*ip || *text_in(interface_of(vm->spec), "ip"))
		provider_build_set(block, "ip",
			hcl_string_cstr(arena, *ip ? ip : text_in(interface_of(vm->spec), "ip")));
	provider_build_set(
		block, "console_url", hcl_string_cstr(arena, text_in(result, "console_url")));
	provider_build_set(
		block, "planetary_ip", hcl_string_cstr(arena, text_in(result, "planetary_ip")));
	provider_build_set(
		block, "mycelium_ip", hcl_string_cstr(arena, text_in(result, "mycelium_ip")));
	provider_build_set(block, "computedip", hcl_string_cstr(arena, text_in(public, "ip")));
	provider_build_set(block, "computedip6", hcl_string_cstr(arena, text_in(public, "ip6")));
}

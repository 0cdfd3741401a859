/* grid_kubernetes: its parts, their specs, and what they tell. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "providers/grid/kubernetes.h"
#include "providers/kubernetes/member.h"

#define MEGABYTE (INT64_C(1) << 20)
#define GIGABYTE (INT64_C(1) << 30)

static struct hcl_value master_of(struct hcl_value values)
{
	struct hcl_value list = provider_get(values, "master");

	return list.state == HCL_KNOWN && list.count ? list.elements[0] : hcl_null(hcl_dynamic);
}

/* Those of its members, and those that an unfinished change may have left something on. */
static void nodes(struct zos_composition *composition, struct hcl_value values)
{
	size_t count;
	const char **names = grid_member_nodes(composition->arena, values, &count);
	struct hcl_value known = provider_get(values, "node_deployment_id");

	for (size_t i = 0; i < count; i++)
		zos_composition_on(composition, names[i]);
	if (provider_get_text(values, "status") &&
		strcmp(provider_get_text(values, "status"), "ok") == 0)
		return;
	for (uint32_t i = 0; known.state == HCL_KNOWN && i < known.count; i++)
		zos_composition_on(composition, zp_arena_strndup(composition->arena,
						   known.entries[i].key.ptr, known.entries[i].key.len));
}

static const char *network(struct hcl_value values)
{
	return provider_get_text(values, "network_name");
}

static void add_member(
	struct zos_composition *composition, struct hcl_value member, enum zos_stage stage)
{
	const char *name = provider_get_text(member, "name");
	const char *node = grid_node_text(composition->arena, provider_get(member, "node"));

	if (!name || !node)
		return;
	zos_part_add(composition, node, ZOS_STAGE_BASE, "zmount", member, "disk-%s", name);
	grid_vm_parts(composition, node, stage, member);
}

static void parts(struct zos_composition *composition, struct hcl_value values)
{
	struct hcl_value workers = provider_get(values, "workers");

	add_member(composition, master_of(values), ZOS_STAGE_MACHINE);
	for (uint32_t i = 0; workers.state == HCL_KNOWN && i < workers.count; i++)
		add_member(composition, workers.elements[i], ZOS_STAGE_MEMBER);
}

/* ---- specs ---- */

/* What a member names itself, else the cluster, else the master's default. */
static const char *chosen(
	struct hcl_value member, struct hcl_value cluster, const char *name, const char *standard)
{
	const char *own = provider_get_text(member, name);
	const char *all = provider_get_text(cluster, name);
	const char *masters = provider_get_text(master_of(cluster), name);

	if (own && *own && strcmp(own, standard) != 0)
		return own;
	if (all && *all)
		return all;
	return masters && *masters ? masters : standard;
}

static const char *checksum_of(struct hcl_value member, struct hcl_value cluster)
{
	const char *own = provider_get_text(member, "flist_checksum");

	return own && *own ? own : provider_get_text(cluster, "flist_checksum");
}

/* The machine of a member. master_ip: NULL when it is the master. */
static cJSON *member_spec(struct zos_composition *composition, const struct zos_part *part,
	struct hcl_value cluster, struct hcl_value member, const char *network_id,
	const char *master_ip)
{
	const char *name = provider_get_text(member, "name");
	struct zos_cluster_member role = { .name = name,
		.token = provider_get_text(cluster, "token"),
		.ssh_key = provider_get_text(cluster, "ssh_key"), .master_ip = master_ip };
	struct zos_mount mount = { zos_part_id(composition, "disk-%s", name), ZOS_K3S_MOUNT_POINT };
	struct zos_machine machine = grid_vm_machine(composition, part, member, network_id);

	if (!role.token)
		role.token = "";
	machine.flist = chosen(member, cluster, "flist", ZOS_K3S_FLIST);
	machine.entrypoint = chosen(member, cluster, "entrypoint", ZOS_K3S_ENTRYPOINT);
	machine.checksum = checksum_of(member, cluster);
	machine.env = zos_cluster_environment(composition->arena, &role);
	if (machine.rootfs_mb < ZOS_K3S_LEAST_ROOT_MB)
		machine.rootfs_mb = ZOS_K3S_LEAST_ROOT_MB;
	machine.mounts = &mount;
	machine.mount_count = 1;
	return zos_machine_spec(&machine);
}

static const char *address_of_master(
	struct zos_composition *composition, struct hcl_value cluster)
{
	const char *name = provider_get_text(master_of(cluster), "name");

	return zos_cluster_address(zos_part_find(composition,
		zp_arena_format(composition->arena, "vm-%s", name ? name : "")));
}

static cJSON *spec(struct zos_composition *composition, const struct zos_part *part)
{
	struct hcl_value cluster = composition->op->planned;

	if (strcmp(part->workload, "zmount") == 0)
		return zos_disk_spec(provider_get_int(part->values, "disk_size", 1));
	if (strcmp(part->workload, "zmachine") != 0)
		return grid_vm_side_spec(composition, part);
	const struct zos_place *place = zos_composition_place(composition, part->node);
	return member_spec(composition, part, cluster, part->values, place ? place->network : NULL,
		part->stage == ZOS_STAGE_MACHINE ? NULL : address_of_master(composition, cluster));
}

/* ---- what nodes tell ---- */

static const cJSON *environment_of(const struct zos_part *machine)
{
	return cJSON_GetObjectItem(machine->spec, "env");
}

static bool is_master(const struct zos_part *machine)
{
	const char *url =
		cJSON_GetStringValue(cJSON_GetObjectItem(environment_of(machine), "K3S_URL"));

	return !url || !*url;
}

/* What the specs tell, in the place of what the state had. */
static void take_spec(struct zos_composition *composition, struct provider_builder *builder,
	const struct zos_part *machine)
{
	static const char *const texts[] = { "flist", "entrypoint", "flist_checksum" };
	const cJSON *capacity = cJSON_GetObjectItem(machine->spec, "compute_capacity");

	provider_build_set(builder, "cpu", hcl_int_value(zos_json_int(capacity, "cpu", 1)));
	provider_build_set(builder, "memory",
		hcl_int_value(zos_json_int(capacity, "memory", 0) / MEGABYTE));
	provider_build_set(builder, "node",
		hcl_int_value(grid_node_number(
			composition->instance->environment->nodes, machine->node)));
	for (size_t i = 0; i < ZP_ARRAY_SIZE(texts); i++)
		provider_build_set(builder, texts[i],
			zos_json_text(composition->arena, machine->spec, texts[i]));
	provider_build_set(builder, "planetary",
		hcl_bool_value(cJSON_IsTrue(cJSON_GetObjectItem(
			cJSON_GetObjectItem(machine->spec, "network"), "planetary"))));
}

static void take_addresses(
	struct zos_composition *composition, struct provider_builder *builder, const char *name)
{
	static const struct {
		const char *kind;
		bool v4, v6;
	} kinds[] = { { "ip4", true, false }, { "ip6", false, true }, { "ip46", true, true } };

	for (size_t i = 0; i < ZP_ARRAY_SIZE(kinds); i++) {
		if (!zos_part_find(composition,
			    zp_arena_format(composition->arena, "%s-%s", kinds[i].kind, name)))
			continue;
		if (kinds[i].v4)
			provider_build_set(builder, "publicip", hcl_bool_value(true));
		if (kinds[i].v6)
			provider_build_set(builder, "publicip6", hcl_bool_value(true));
	}
}

static bool has_drifted(struct zos_composition *composition, const struct zos_part *machine,
	struct hcl_value cluster, struct hcl_value before, bool master)
{
	const char *url =
		cJSON_GetStringValue(cJSON_GetObjectItem(environment_of(machine), "K3S_URL"));
	const char *ip = address_of_master(composition, cluster);
	/* The master may be missing: then its address is what the worker was told. */
	zp_autofree char *told = url && strlen(url) > 13 ? zp_strndup(url + 8, strlen(url) - 13) :
							   zp_strdup("");
	cJSON *expected = member_spec(composition, machine, cluster, before, grid_vm_network(machine),
		master ? NULL : *ip ? ip : told);
	bool differs = !cJSON_Compare(expected, machine->spec, true);

	cJSON_Delete(expected);
	return differs;
}

static struct hcl_value fill_member(struct zos_composition *composition,
	const struct provider_schema *member, struct hcl_value cluster, struct hcl_value before,
	const char *name, bool master)
{
	struct zp_arena *arena = composition->arena;
	const struct zos_part *machine =
		zos_part_find(composition, zp_arena_format(arena, "vm-%s", name));
	const struct zos_part *disk =
		zos_part_find(composition, zp_arena_format(arena, "disk-%s", name));
	struct provider_builder builder;

	provider_build(&builder, arena, member, before);
	if (!provider_is_object(before)) {
		provider_build_set(&builder, "name", hcl_string_cstr(arena, name));
		take_addresses(composition, &builder, name);
	}
	if (machine && (!provider_is_object(before) ||
			       has_drifted(composition, machine, cluster, before, master)))
		take_spec(composition, &builder, machine);
	if (disk)
		provider_build_set(&builder, "disk_size",
			hcl_int_value(zos_json_int(disk->spec, "size", 0) / GIGABYTE));
	grid_vm_fill(composition, &builder, name);
	return provider_built(&builder);
}

static const char *machine_name(const struct zos_part *part)
{
	return strncmp(part->name, "vm-", 3) == 0 ? part->name + 3 : NULL;
}

static struct hcl_value fill_members(struct zos_composition *composition, struct hcl_value cluster,
	const char *block, const struct provider_schema *member)
{
	bool master = strcmp(block, "master") == 0;
	struct hcl_value before = provider_get(cluster, block);
	struct hcl_value others = provider_get(cluster, master ? "workers" : "master");
	size_t had = before.state == HCL_KNOWN ? before.count : 0, count = 0;
	struct hcl_value *members = zp_new_array(
		composition->arena, struct hcl_value, had + composition->parts.count);

	for (size_t i = 0; i < had; i++) {
		const char *name = provider_get_text(before.elements[i], "name");
		members[count++] = fill_member(
			composition, member, cluster, before.elements[i], name ? name : "", master);
	}
	for (size_t i = 0; i < composition->parts.count; i++) {
		const struct zos_part *part = &composition->parts.items[i];
		const char *name = machine_name(part);
		if (name && is_master(part) == master && !(master && count) &&
			!provider_is_object(grid_element(before, name)) &&
			!provider_is_object(grid_element(others, name)))
			members[count++] = fill_member(composition, member, cluster,
				hcl_null(member->type), name, master);
	}
	return hcl_list_value(member->type, members, count);
}

/* What an import learns of the cluster from any of its machines. */
static void take_cluster(struct zos_composition *composition, struct provider_builder *builder)
{
	static const struct {
		const char *attribute, *variable;
	} texts[] = { { "token", "K3S_TOKEN" }, { "ssh_key", "SSH_KEY" } };

	for (size_t i = 0; i < composition->parts.count; i++) {
		const struct zos_part *part = &composition->parts.items[i];
		for (size_t j = 0; machine_name(part) && j < ZP_ARRAY_SIZE(texts); j++)
			provider_build_set(builder, texts[j].attribute,
				grid_or_empty(zos_json_text(composition->arena,
					environment_of(part), texts[j].variable)));
	}
	provider_build_set(builder, "solution_type", hcl_string_static(""));
	struct zos_network_lookup found;
	if (grid_vms_network(composition, &found))
		provider_build_set(builder, "network_name",
			hcl_string_cstr(composition->arena, found.name));
}

static const char **numbers_of(struct zos_composition *composition)
{
	const char **numbers =
		zp_new_array(composition->arena, const char *, composition->node_count);

	for (size_t i = 0; i < composition->node_count; i++)
		numbers[i] = grid_node_text(composition->arena,
			hcl_int_value(grid_node_number(composition->instance->environment->nodes,
				composition->nodes[i])));
	return numbers;
}

static struct hcl_value ranges_of(struct zos_composition *composition, const char **numbers)
{
	struct hcl_map_entry *entries =
		zp_new_array(composition->arena, struct hcl_map_entry, composition->node_count);
	size_t count = 0;

	for (size_t i = 0; i < composition->node_count; i++) {
		const struct zos_place *place =
			zos_composition_place(composition, composition->nodes[i]);
		if (!place)
			continue;
		entries[count].key = zp_str(numbers[i]);
		entries[count++].value = grid_text(composition->arena, place->subnet);
	}
	return hcl_map_value(hcl_string, entries, count);
}

static void fill(struct zos_composition *composition, struct provider_builder *builder,
	struct hcl_value before)
{
	const char **numbers = numbers_of(composition);

	if (!provider_is_object(before))
		take_cluster(composition, builder);
	provider_build_set(builder, "master",
		fill_members(composition, before, "master", &grid_master_schema));
	provider_build_set(builder, "workers",
		fill_members(composition, before, "workers", &grid_worker_schema));
	provider_build_set(builder, "node_deployment_id",
		grid_contracts(composition->arena, composition->identity, numbers,
			composition->node_count));
	if (composition->places || !provider_has(before, "nodes_ip_range"))
		provider_build_set(builder, "nodes_ip_range", ranges_of(composition, numbers));
}

const struct zos_composite grid_kubernetes_kind = {
	.nodes = nodes,
	.parts = parts,
	.network = network,
	.spec = spec,
	.replaces = grid_vm_replaces,
	.fill = fill,
};

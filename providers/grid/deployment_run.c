/* grid_deployment: its parts, their specs, and what they tell. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "providers/grid/deployment.h"

#define MEGABYTE (INT64_C(1) << 20)
#define GIGABYTE (INT64_C(1) << 30)

static const char *node_of(struct zos_composition *composition, struct hcl_value values)
{
	return grid_node_text(composition->arena, provider_get(values, "node"));
}

static void nodes(struct zos_composition *composition, struct hcl_value values)
{
	zos_composition_on(composition, node_of(composition, values));
}

static const char *network(struct hcl_value values)
{
	struct hcl_value vms = provider_get(values, "vms");

	return vms.state == HCL_KNOWN && vms.count ? provider_get_text(values, "network_name") : NULL;
}

static void parts(struct zos_composition *composition, struct hcl_value values)
{
	struct hcl_value disks = provider_get(values, "disks"), vms = provider_get(values, "vms");
	const char *node = node_of(composition, values);

	for (uint32_t i = 0; node && disks.state == HCL_KNOWN && i < disks.count; i++) {
		const char *name = provider_get_text(disks.elements[i], "name");
		if (name)
			zos_part_add(composition, node, ZOS_STAGE_BASE, "zmount",
				disks.elements[i], "disk-%s", name);
	}
	for (uint32_t i = 0; vms.state == HCL_KNOWN && i < vms.count; i++)
		grid_vm_parts(composition, node, ZOS_STAGE_MACHINE, vms.elements[i]);
}

static cJSON *vm_spec(struct zos_composition *composition, const struct zos_part *part,
	struct hcl_value vm, const char *network_id)
{
	struct zos_machine machine = grid_vm_machine(composition, part, vm, network_id);
	struct hcl_value list = provider_get(vm, "mounts");
	size_t count = list.state == HCL_KNOWN ? list.count : 0;
	struct zos_mount *mounts = zp_new_array(composition->arena, struct zos_mount, count);

	for (size_t i = 0; i < count; i++)
		mounts[i] = (struct zos_mount){ zos_part_id(composition, "disk-%s",
							provider_get_text(list.elements[i], "name")),
			provider_get_text(list.elements[i], "mount_point") };
	machine.mounts = mounts;
	machine.mount_count = count;
	return zos_machine_spec(&machine);
}

static cJSON *spec(struct zos_composition *composition, const struct zos_part *part)
{
	if (strcmp(part->workload, "zmount") == 0)
		return zos_disk_spec(provider_get_int(part->values, "size", 1));
	if (strcmp(part->workload, "zmachine") == 0) {
		const struct zos_place *place = zos_composition_place(composition, part->node);
		return vm_spec(composition, part, part->values, place ? place->network : NULL);
	}
	return grid_vm_side_spec(composition, part);
}

/* ---- what nodes tell ---- */

static const char *after(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

static struct hcl_value fill_disk(
	struct zos_composition *composition, struct hcl_value before, const char *name)
{
	const struct zos_part *part = zos_part_find(
		composition, zp_arena_format(composition->arena, "disk-%s", name));
	struct provider_builder builder;

	provider_build(&builder, composition->arena, &grid_disk_schema, before);
	if (!provider_is_object(before)) {
		provider_build_set(&builder, "name", hcl_string_cstr(composition->arena, name));
		provider_build_set(&builder, "description", hcl_string_static(""));
	}
	if (part)
		provider_build_set(&builder, "size",
			hcl_int_value(zos_json_int(part->spec, "size", 0) / GIGABYTE));
	return provider_built(&builder);
}

static struct hcl_value mounts_of(struct zos_composition *composition, const cJSON *machine)
{
	const cJSON *list = cJSON_GetObjectItem(machine, "mounts"), *item;
	size_t count = 0, room = (size_t)cJSON_GetArraySize(list);
	struct hcl_value *mounts = zp_new_array(composition->arena, struct hcl_value, room);

	cJSON_ArrayForEach (item, list) {
		struct provider_builder builder;
		const char *id = cJSON_GetStringValue(cJSON_GetObjectItem(item, "name"));
		const char *part = id ? strrchr(id, '/') : NULL;
		const char *disk = part ? after(part + 1, "disk-") : NULL;
		provider_build(
			&builder, composition->arena, &grid_mount_schema, grid_mount_schema.empty);
		provider_build_set(&builder, "name", grid_text(composition->arena, disk));
		provider_build_set(&builder, "mount_point",
			zos_json_text(composition->arena, item, "mountpoint"));
		mounts[count++] = provider_built(&builder);
	}
	return hcl_list_value(grid_mount_schema.type, mounts, count);
}

static void take_text(
	struct provider_builder *builder, struct hcl_value before, const char *name, const cJSON *machine)
{
	provider_build_set(builder, name,
		zos_keep_empty(provider_get(before, name),
			zos_json_text(builder->arena, machine, name)));
}

/* Everything that a spec tells, in the place of what the state had. */
static void take_spec(struct zos_composition *composition, struct provider_builder *builder,
	struct hcl_value before, const cJSON *machine)
{
	const cJSON *capacity = cJSON_GetObjectItem(machine, "compute_capacity");
	int64_t cpu = zos_json_int(capacity, "cpu", 1);
	int64_t memory = zos_json_int(capacity, "memory", 0) / MEGABYTE;
	int64_t root = zos_json_int(machine, "size", 0) / MEGABYTE;
	struct hcl_value env = zos_json_map(composition->arena, machine, "env");

	take_text(builder, before, "flist", machine);
	take_text(builder, before, "flist_checksum", machine);
	take_text(builder, before, "entrypoint", machine);
	provider_build_set(builder, "cpu", hcl_int_value(cpu));
	provider_build_set(builder, "memory", hcl_int_value(memory));
	provider_build_set(builder, "rootfs_size",
		root == zos_machine_least_root(cpu, memory) ? hcl_null(hcl_number) :
							       hcl_int_value(root));
	provider_build_set(builder, "env_vars",
		env.state == HCL_KNOWN && !env.count && !provider_is_object(before) ?
			hcl_null(hcl_map_type(hcl_string)) :
			zos_keep_empty(provider_get(before, "env_vars"), env));
	provider_build_set(builder, "corex",
		hcl_bool_value(cJSON_IsTrue(cJSON_GetObjectItem(machine, "corex"))));
	provider_build_set(builder, "planetary",
		hcl_bool_value(cJSON_IsTrue(cJSON_GetObjectItem(
			cJSON_GetObjectItem(machine, "network"), "planetary"))));
	provider_build_set(builder, "mounts", mounts_of(composition, machine));
}

/* What an import knows besides. */
static void take_new(
	struct zos_composition *composition, struct provider_builder *builder, const char *name)
{
	static const char *const kinds[] = { "ip4", "ip6", "ip46" };

	provider_build_set(builder, "name", hcl_string_cstr(composition->arena, name));
	provider_build_set(builder, "description", hcl_string_static(""));
	for (size_t i = 0; i < ZP_ARRAY_SIZE(kinds); i++) {
		if (!zos_part_find(composition,
			    zp_arena_format(composition->arena, "%s-%s", kinds[i], name)))
			continue;
		if (strchr(kinds[i], '4'))
			provider_build_set(builder, "publicip", hcl_bool_value(true));
		if (strchr(kinds[i], '6'))
			provider_build_set(builder, "publicip6", hcl_bool_value(true));
	}
}

static struct hcl_value fill_vm(
	struct zos_composition *composition, struct hcl_value before, const char *name)
{
	const struct zos_part *part = zos_part_find(
		composition, zp_arena_format(composition->arena, "vm-%s", name));
	bool fresh = !provider_is_object(before);
	struct provider_builder builder;

	provider_build(&builder, composition->arena, &grid_vm_schema, before);
	if (fresh)
		take_new(composition, &builder, name);
	if (part) {
		cJSON *expected =
			fresh ? NULL : vm_spec(composition, part, before, grid_vm_network(part));
		if (!expected || !cJSON_Compare(expected, part->spec, true))
			take_spec(composition, &builder, before, part->spec);
		cJSON_Delete(expected);
	}
	grid_vm_fill(composition, &builder, name);
	return provider_built(&builder);
}

/* The elements there were, and those that came to light. */
static struct hcl_value fill_list(struct zos_composition *composition, struct hcl_value before,
	const char *prefix, const struct hcl_type *type,
	struct hcl_value (*fill_one)(struct zos_composition *composition, struct hcl_value before,
		const char *name))
{
	size_t had = before.state == HCL_KNOWN ? before.count : 0, count = 0;
	struct hcl_value *elements = zp_new_array(
		composition->arena, struct hcl_value, had + composition->parts.count);

	for (size_t i = 0; i < had; i++) {
		const char *name = provider_get_text(before.elements[i], "name");
		elements[count++] =
			name ? fill_one(composition, before.elements[i], name) : before.elements[i];
	}
	for (size_t i = 0; i < composition->parts.count; i++) {
		const char *name = after(composition->parts.items[i].name, prefix);
		if (name && !provider_is_object(grid_element(before, name)))
			elements[count++] = fill_one(composition, hcl_null(type), name);
	}
	return hcl_list_value(type, elements, count);
}

static void set_if_null(
	struct provider_builder *builder, struct hcl_value before, const char *name, struct hcl_value value)
{
	if (provider_get(before, name).state == HCL_NULL)
		provider_build_set(builder, name, value);
}

static void take_network(struct zos_composition *composition, struct provider_builder *builder)
{
	struct zos_network_lookup found;

	if (!grid_vms_network(composition, &found))
		return;
	provider_build_set(
		builder, "network_name", hcl_string_cstr(composition->arena, found.name));
	provider_build_set(builder, "ip_range", hcl_string_cstr(composition->arena, found.subnet));
}

static void fill(struct zos_composition *composition, struct provider_builder *builder,
	struct hcl_value before)
{
	const char *node = composition->node_count ? composition->nodes[0] : "";
	const struct zos_place *place = zos_composition_place(composition, node);

	provider_build_set(builder, "disks",
		fill_list(composition, provider_get(before, "disks"), "disk-", grid_disk_schema.type,
			fill_disk));
	provider_build_set(builder, "vms",
		fill_list(composition, provider_get(before, "vms"), "vm-", grid_vm_schema.type, fill_vm));
	if (place || !provider_has(before, "ip_range"))
		provider_build_set(builder, "ip_range",
			grid_text(composition->arena, place ? place->subnet : NULL));
	set_if_null(builder, before, "name", hcl_string_static("vm"));
	set_if_null(builder, before, "node",
		hcl_int_value(grid_node_number(composition->instance->environment->nodes, node)));
	set_if_null(builder, before, "solution_type", hcl_string_static(""));
	set_if_null(builder, before, "solution_provider", hcl_int_value(0));
	if (!provider_is_object(before))
		take_network(composition, builder);
}

const struct zos_composite grid_deployment_kind = {
	.nodes = nodes,
	.parts = parts,
	.network = network,
	.spec = spec,
	.replaces = grid_vm_replaces,
	.fill = fill,
};

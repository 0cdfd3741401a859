/* zos_kubernetes: its parts, their specs, and what they tell. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "providers/kubernetes/cluster.h"
#include "providers/zos/object.h"
#include "providers/zos/specs.h"

#define MEGABYTE (INT64_C(1) << 20)
#define GIGABYTE (INT64_C(1) << 30)
/* What k3s writes into the file, and only those on the master itself can reach. */
#define LOCAL_SERVER "https://127.0.0.1:6443"

static struct hcl_value master_of(struct hcl_value cluster)
{
	struct hcl_value list = provider_get(cluster, "master");

	return list.state == HCL_KNOWN && list.count ? list.elements[0] : hcl_null(hcl_dynamic);
}

/* Those of its members, and those that an unfinished change may have left something on. */
static void nodes(struct zos_composition *composition, struct hcl_value values)
{
	const char *status = provider_get_text(values, "status");
	struct hcl_value known = provider_get(values, "nodes");

	for (const char *const *block = zos_cluster_blocks; *block; block++) {
		struct hcl_value members = provider_get(values, *block);
		for (uint32_t i = 0; members.state == HCL_KNOWN && i < members.count; i++)
			zos_composition_on(
				composition, provider_get_text(members.elements[i], "node"));
	}
	if (status && strcmp(status, "ok") == 0)
		return;
	for (uint32_t i = 0; known.state == HCL_KNOWN && i < known.count; i++)
		if (known.elements[i].state == HCL_KNOWN)
			zos_composition_on(composition, known.elements[i].text);
}

static bool has_public(struct hcl_value member)
{
	return provider_get_bool(member, "public_ipv4", false) ||
	       provider_get_bool(member, "public_ipv6", false);
}

static void add_member(
	struct zos_composition *composition, struct hcl_value member, enum zos_stage stage)
{
	const char *name = provider_get_text(member, "name");
	const char *node = provider_get_text(member, "node");

	if (!name || !node)
		return;
	if (has_public(member))
		zos_part_add(composition, node, ZOS_STAGE_BASE, "ip", member, "ip-%s", name);
	zos_part_add(composition, node, ZOS_STAGE_BASE, "zmount", member, "disk-%s", name);
	zos_part_add(composition, node, stage, "zmachine", member, "vm-%s", name);
}

static void parts(struct zos_composition *composition, struct hcl_value values)
{
	struct hcl_value workers = provider_get(values, "workers");

	add_member(composition, master_of(values), ZOS_STAGE_MACHINE);
	for (uint32_t i = 0; workers.state == HCL_KNOWN && i < workers.count; i++)
		add_member(composition, workers.elements[i], ZOS_STAGE_MEMBER);
}

/* ---- specs ---- */

static const struct zos_part *machine_of(
	const struct zos_composition *composition, const char *name)
{
	return zos_part_find(
		composition, zp_arena_format(composition->arena, "vm-%s", name ? name : ""));
}

static bool is_master(const struct zos_composition *composition, const struct zos_part *part)
{
	const char *master = provider_get_text(master_of(composition->op->planned), "name");

	return master && strcmp(strchr(part->name, '-') + 1, master) == 0;
}

static cJSON *machine_spec(struct zos_composition *composition, const struct zos_part *part)
{
	struct hcl_value cluster = composition->op->planned, member = part->values;
	const char *name = provider_get_text(member, "name");
	const char *network = provider_get_text(cluster, "network");
	const char *master = provider_get_text(master_of(cluster), "name");
	bool leads = is_master(composition, part);
	const char *token = provider_get_text(cluster, "token");
	struct zos_cluster_member role = { .name = name,
		.token = token ? token : "",
		.ssh_key = provider_get_text(cluster, "ssh_key"),
		.master_ip = leads ? NULL : zos_cluster_address(machine_of(composition, master)),
		.kubeconfig = leads ? ZOS_K3S_MOUNT_POINT "/" ZOS_CLUSTER_KUBECONFIG : NULL };
	struct zos_mount mount = { zos_part_id(composition, "disk-%s", name), ZOS_K3S_MOUNT_POINT };
	struct zos_machine machine = {
		.flist = zos_cluster_chosen(cluster, member, "flist", ZOS_K3S_FLIST),
		.checksum = zos_cluster_chosen(cluster, member, "flist_checksum", NULL),
		.entrypoint = zos_cluster_chosen(cluster, member, "entrypoint", ZOS_K3S_ENTRYPOINT),
		.network = network ? zos_workload_id(composition->arena, network, "net") : NULL,
		.public_ip = has_public(member) ? zos_part_id(composition, "ip-%s", name) : NULL,
		.cpu = provider_get_int(member, "cpu", 1),
		.memory_mb = provider_get_int(member, "memory", 1024),
		.rootfs_mb = provider_get_int(member, "rootfs_size", ZOS_K3S_LEAST_ROOT_MB),
		.env = zos_cluster_environment(composition->arena, &role),
		.planetary = provider_get_bool(member, "planetary", false),
		.mounts = &mount,
		.mount_count = 1,
	};

	return zos_machine_spec(&machine);
}

static cJSON *disk_spec(struct zos_composition *composition, const struct zos_part *part)
{
	static const char *const shown[] = { ZOS_CLUSTER_KUBECONFIG };
	cJSON *spec = zos_disk_spec(provider_get_int(part->values, "disk_size", 1));

	if (is_master(composition, part))
		cJSON_AddItemToObject(spec, "show", cJSON_CreateStringArray(shown, 1));
	return spec;
}

static cJSON *spec(struct zos_composition *composition, const struct zos_part *part)
{
	if (strcmp(part->workload, "ip") == 0)
		return zos_ip_spec(provider_get_bool(part->values, "public_ipv4", false),
			provider_get_bool(part->values, "public_ipv6", false));
	if (strcmp(part->workload, "zmount") == 0)
		return disk_spec(composition, part);
	return machine_spec(composition, part);
}

static const char *text_in(const cJSON *object, const char *name)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(object, name));

	return text ? text : "";
}

static const cJSON *interface_of(const cJSON *spec)
{
	return cJSON_GetArrayItem(
		cJSON_GetObjectItem(cJSON_GetObjectItem(spec, "network"), "interfaces"), 0);
}

/* Another network or content is another machine; a disk stays. */
static bool replaces(struct zos_composition *composition, const struct zos_part *part,
	const cJSON *before, const cJSON *after)
{
	static const char *const texts[] = { "flist", "flist_checksum" };

	(void)composition;
	if (strcmp(part->workload, "zmachine") != 0)
		return false;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(texts); i++)
		if (strcmp(text_in(before, texts[i]), text_in(after, texts[i])) != 0)
			return true;
	return strcmp(text_in(interface_of(before), "network"),
		       text_in(interface_of(after), "network")) != 0 ||
	       zos_json_int(before, "size", 0) != zos_json_int(after, "size", 0);
}

/* ---- what nodes tell ---- */

static const struct zos_part *part_of(
	const struct zos_composition *composition, const char *kind, const char *name)
{
	return zos_part_find(composition, zp_arena_format(composition->arena, "%s-%s", kind, name));
}

/* What only specs tell of a member that the state knows nothing of yet: an import. */
static void take_spec(struct zos_composition *composition, struct provider_builder *builder,
	const struct zos_part *machine, const char *name)
{
	static const char *const texts[] = { "flist", "flist_checksum", "entrypoint" };
	const struct zos_part *ip = part_of(composition, "ip", name);

	provider_build_set(builder, "name", hcl_string_cstr(composition->arena, name));
	provider_build_set(builder, "node", hcl_string_cstr(composition->arena, machine->node));
	provider_build_set(builder, "rootfs_size",
		hcl_int_value(zos_json_int(machine->spec, "size", 0) / MEGABYTE));
	for (size_t i = 0; i < ZP_ARRAY_SIZE(texts); i++)
		provider_build_set(builder, texts[i],
			zos_json_text(composition->arena, machine->spec, texts[i]));
	provider_build_set(builder, "planetary",
		hcl_bool_value(cJSON_IsTrue(cJSON_GetObjectItem(
			cJSON_GetObjectItem(machine->spec, "network"), "planetary"))));
	provider_build_set(builder, "public_ipv4",
		hcl_bool_value(ip && cJSON_IsTrue(cJSON_GetObjectItem(ip->spec, "v4"))));
	provider_build_set(builder, "public_ipv6",
		hcl_bool_value(ip && cJSON_IsTrue(cJSON_GetObjectItem(ip->spec, "v6"))));
}

static void take_results(struct zos_composition *composition, struct provider_builder *builder,
	const struct zos_part *machine, const char *name)
{
	static const char *const texts[] = { "ip", "console_url", "planetary_ip" };
	const struct zos_part *ip = part_of(composition, "ip", name);
	const cJSON *capacity = cJSON_GetObjectItem(machine->spec, "compute_capacity");

	provider_build_set(builder, "cpu", hcl_int_value(zos_json_int(capacity, "cpu", 1)));
	provider_build_set(
		builder, "memory", hcl_int_value(zos_json_int(capacity, "memory", 0) / MEGABYTE));
	for (size_t i = 0; i < ZP_ARRAY_SIZE(texts); i++)
		provider_build_set(builder, texts[i],
			zos_json_text(composition->arena, machine->result, texts[i]));
	provider_build_set(builder, "public_ip",
		zos_json_text(composition->arena, ip ? ip->result : NULL, "ip"));
	provider_build_set(builder, "public_ip6",
		zos_json_text(composition->arena, ip ? ip->result : NULL, "ip6"));
}

static struct hcl_value fill_member(struct zos_composition *composition,
	const struct provider_schema *member, struct hcl_value before, const char *name)
{
	const struct zos_part *machine = machine_of(composition, name);
	const struct zos_part *disk = part_of(composition, "disk", name);
	struct provider_builder builder;

	provider_build(&builder, composition->arena, member, before);
	/* Of one that is missing stays known what it had, and will have again. */
	if (machine && machine->spec) {
		if (!provider_is_object(before))
			take_spec(composition, &builder, machine, name);
		take_results(composition, &builder, machine, name);
	}
	if (disk && disk->spec)
		provider_build_set(&builder, "disk_size",
			hcl_int_value(zos_json_int(disk->spec, "size", 0) / GIGABYTE));
	return provider_built(&builder);
}

static const char *found_name(const struct zos_part *part)
{
	return strncmp(part->name, "vm-", 3) == 0 && part->spec ? part->name + 3 : NULL;
}

static bool leads(const struct zos_part *machine)
{
	return !*text_in(cJSON_GetObjectItem(machine->spec, "env"), "K3S_URL");
}

/* Those the state knows; in an import those that were found. */
static struct hcl_value fill_members(struct zos_composition *composition, struct hcl_value cluster,
	const char *block, const struct provider_schema *member)
{
	struct hcl_value before = provider_get(cluster, block);
	size_t had = before.state == HCL_KNOWN ? before.count : 0, count = 0;
	struct hcl_value *members =
		zp_new_array(composition->arena, struct hcl_value, had + composition->parts.count);

	for (size_t i = 0; i < had; i++) {
		const char *name = provider_get_text(before.elements[i], "name");
		members[count++] =
			fill_member(composition, member, before.elements[i], name ? name : "");
	}
	for (size_t i = 0; !provider_is_object(cluster) && i < composition->parts.count; i++) {
		const struct zos_part *part = &composition->parts.items[i];
		const char *name = found_name(part);
		if (name && leads(part) == (strcmp(block, "master") == 0))
			members[count++] =
				fill_member(composition, member, hcl_null(member->type), name);
	}
	return hcl_list_value(member->type, members, count);
}

/* What an import learns of the cluster from its master. */
static void take_cluster(struct zos_composition *composition, struct provider_builder *builder)
{
	for (size_t i = 0; i < composition->parts.count; i++) {
		const struct zos_part *part = &composition->parts.items[i];
		const char *network = text_in(interface_of(part->spec), "network");
		const cJSON *env = cJSON_GetObjectItem(part->spec, "env");
		if (!found_name(part) || !leads(part))
			continue;
		provider_build_set(builder, "network",
			hcl_string_value(
				composition->arena, zp_strn(network, strcspn(network, "/"))));
		provider_build_set(
			builder, "token", zos_json_text(composition->arena, env, "K3S_TOKEN"));
		provider_build_set(
			builder, "ssh_key", zos_json_text(composition->arena, env, "SSH_KEY"));
		provider_build_set(
			builder, "flist", zos_json_text(composition->arena, part->spec, "flist"));
		provider_build_set(builder, "entrypoint",
			zos_json_text(composition->arena, part->spec, "entrypoint"));
	}
}

/* The file, with the master's private address in the place of its own idea of itself. */
static void fill_kubeconfig(struct zos_composition *composition, struct provider_builder *builder,
	struct hcl_value before)
{
	const char *master = provider_get_text(master_of(before), "name");
	const struct zos_part *disk = master ? part_of(composition, "disk", master) : NULL;
	const char *text = text_in(
		cJSON_GetObjectItem(disk ? disk->result : NULL, "shown"), ZOS_CLUSTER_KUBECONFIG);
	const char *ip = zos_cluster_address(machine_of(composition, master));
	const char *local = strstr(text, LOCAL_SERVER);

	if (!*text)
		return;
	if (local && *ip)
		text = zp_arena_format(composition->arena, "%.*shttps://%s:6443%s",
			(int)(local - text), text, ip, local + strlen(LOCAL_SERVER));
	provider_build_set(builder, "kubeconfig", hcl_string_cstr(composition->arena, text));
}

static int by_text(const void *a, const void *b)
{
	return strcmp(((const struct hcl_value *)a)->text, ((const struct hcl_value *)b)->text);
}

static struct hcl_value node_names(const struct zos_composition *composition)
{
	size_t count = composition->node_count;
	struct hcl_value *names = zp_new_array(composition->arena, struct hcl_value, count);

	for (size_t i = 0; i < count; i++)
		names[i] = hcl_string_cstr(composition->arena, composition->nodes[i]);
	if (count > 1)
		qsort(names, count, sizeof(*names), by_text);
	return hcl_list_value(hcl_string, names, count);
}

static void fill(struct zos_composition *composition, struct provider_builder *builder,
	struct hcl_value before)
{
	provider_build_set(builder, "nodes", node_names(composition));
	if (!provider_is_object(before))
		take_cluster(composition, builder);
	provider_build_set(builder, "master",
		fill_members(composition, before, "master", &zos_cluster_master_schema));
	provider_build_set(builder, "workers",
		fill_members(composition, before, "workers", &zos_cluster_worker_schema));
	fill_kubeconfig(composition, builder, before);
}

const struct zos_composite zos_kubernetes_kind = {
	.nodes = nodes,
	.parts = parts,
	.spec = spec,
	.replaces = replaces,
	.fill = fill,
};

#include "providers/kubernetes/member.h"

#include <string.h>

#include "base/alloc.h"

struct hcl_value zos_cluster_environment(
	struct zp_arena *arena, const struct zos_cluster_member *member)
{
	const char *url = member->master_ip
				  ? zp_arena_format(arena, "https://%s:6443", member->master_ip)
				  : "";
	const struct {
		const char *name, *value;
	} variables[] = {
		{ "K3S_DATA_DIR", ZOS_K3S_MOUNT_POINT },
		{ "K3S_FLANNEL_IFACE", "eth0" },
		{ "K3S_KUBECONFIG_OUTPUT", member->kubeconfig },
		{ "K3S_NODE_NAME", member->name },
		{ "K3S_TOKEN", member->token },
		{ "K3S_URL", url },
		{ "SSH_KEY", member->ssh_key ? member->ssh_key : "" },
	};
	struct hcl_map_entry *entries =
		zp_new_array(arena, struct hcl_map_entry, ZP_ARRAY_SIZE(variables));

	size_t count = 0;

	for (size_t i = 0; i < ZP_ARRAY_SIZE(variables); i++) {
		if (!variables[i].value)
			continue;
		entries[count].key = zp_str(variables[i].name);
		entries[count++].value = hcl_string_cstr(arena, variables[i].value);
	}
	return hcl_map_value(hcl_string, entries, count);
}

const char *zos_cluster_address(const struct zos_part *machine)
{
	const char *ip =
		machine ? cJSON_GetStringValue(cJSON_GetObjectItem(machine->result, "ip")) : NULL;

	return ip ? ip : "";
}

bool zos_cluster_token_is_valid(const char *token)
{
	return *token && strspn(token, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "0123456789") == strlen(token);
}

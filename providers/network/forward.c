#include "providers/network/forward.h"

#include "base/alloc.h"
#include "providers/network/kernel.h"
#include "providers/network/names.h"

struct script {
	const char *commands;
	struct zp_buf *out;
};

static int run_script(void *data, struct zp_error *err)
{
	const struct script *script = data;

	return provider_firewall_run(script->commands, script->out, err);
}

bool provider_network_exists(struct node_context *node, const char *network)
{
	struct provider_network_names names;

	provider_network_names(node, network, &names);
	return provider_netns_exists(names.netns);
}

int provider_forward_apply(struct node_context *node, const char *network,
	const struct provider_forward *forwards, size_t count, struct zp_error *err)
{
	struct provider_network_names names;
	zp_autobuf rules = ZP_BUF_INIT;
	struct script script;

	provider_network_names(node, network, &names);
	if (!provider_netns_exists(names.netns))
		return zp_error_set(err, "network %s is not on this node", network);
	if (provider_network_uplink(node, network, &names, err) < 0)
		return -1;
	provider_firewall_forward_rules(names.node_address, forwards, count, &rules);
	script = (struct script){ rules.ptr, NULL };
	return provider_netns_run(names.netns, run_script, &script, err);
}

int provider_forward_change(struct node_context *node, const char *network,
	const struct provider_forward *gone, size_t gone_count, const struct provider_forward *fresh,
	size_t fresh_count, struct zp_error *err)
{
	struct provider_network_names names;
	zp_autobuf commands = ZP_BUF_INIT;
	struct script script;

	provider_network_names(node, network, &names);
	provider_firewall_forward_change("delete", gone, gone_count, &commands);
	provider_firewall_forward_change("add", fresh, fresh_count, &commands);
	if (commands.len == 0)
		return 0;
	script = (struct script){ commands.ptr, NULL };
	return provider_netns_run(names.netns, run_script, &script, err);
}

/* As nft lists an element: "20001 : 10.1.1.2 . 80", followed by a comma, a space or a brace. */
static bool is_listed(const char *listing, const struct provider_forward *forward)
{
	char address[PROVIDER_IPV4_TEXT];
	zp_autofree char *element = NULL;
	const char *at = listing;

	provider_ipv4_format(forward->address, address);
	element = zp_format("%d : %s . %d", forward->port, address, forward->to_port);
	while ((at = strstr(at, element))) {
		char after = at[strlen(element)];

		if ((after < '0' || after > '9') && at > listing && (at[-1] < '0' || at[-1] > '9'))
			return true;
		at++;
	}
	return false;
}

bool provider_forward_check(struct node_context *node, const char *network,
	const struct provider_forward *forwards, size_t count, struct zp_buf *message)
{
	struct provider_network_names names;
	zp_autobuf listing = ZP_BUF_INIT;
	zp_autoerror problem = ZP_ERROR_INIT;
	zp_autobuf question = ZP_BUF_INIT;
	struct script script = { NULL, &listing };

	provider_network_names(node, network, &names);
	/* Only these: there may be thousands. Where one is not there at all, nft says nothing. */
	zp_buf_puts(&question, "get element ip " PROVIDER_GATEWAY_TABLE " backends { ");
	for (size_t i = 0; i < count; i++)
		zp_buf_printf(&question, "%s%d", i ? ", " : "", forwards[i].port);
	zp_buf_puts(&question, " }\n");
	script.commands = question.ptr;
	if (provider_netns_run(names.netns, run_script, &script, NULL) < 0)
		script.commands = "list map ip " PROVIDER_GATEWAY_TABLE " backends";
	if (listing.len == 0 && provider_netns_run(names.netns, run_script, &script, &problem) < 0) {
		zp_buf_printf(message, "network %s forwards nothing", network);
		return false;
	}
	for (size_t i = 0; i < count; i++)
		if (!is_listed(zp_buf_slice(&listing).ptr, &forwards[i])) {
			zp_buf_printf(message, "network %s does not forward port %d", network,
				forwards[i].port);
			return false;
		}
	return true;
}

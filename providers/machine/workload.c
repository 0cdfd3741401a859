#include "providers/machine/workload.h"

#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "node/client.h"
#include "node/context.h"
#include "providers/ip/filter.h"
#include "providers/machine/console.h"
#include "providers/machine/content.h"
#include "providers/machine/machine.h"
#include "providers/machine/restarts.h"
#include "providers/network/kernel.h"
#include "providers/network/names.h"

static int validate(const cJSON *json, struct zp_error *err)
{
	provider_automachine spec = { 0 };

	return provider_machine_spec_read(json, &spec, err);
}

/* Folders and files of the node are its owner's, not a tenant's. */
static int check_tenant(struct node_context *node, const struct node_workload *w,
	struct zp_error *err)
{
	provider_automachine spec = { 0 };

	if (provider_machine_spec_read(w->spec, &spec, err) < 0)
		return -1;
	if (strncmp(spec.flist, "file:", 5) == 0)
		return zp_error_code(err, NODE_E_DENIED,
			"flist: a tenant's content comes by http or https, not from the node's files");
	if (node_check_own(node, w, spec.network, err) < 0)
		return zp_error_wrap(err, "network.interfaces");
	if (*spec.public_ip && node_check_own(node, w, spec.public_ip, err) < 0)
		return zp_error_wrap(err, "network.public_ip");
	for (size_t i = 0; i < spec.mount_count; i++)
		if (node_check_own(node, w, spec.mounts[i].disk, err) < 0)
			return zp_error_wrap(err, "mounts");
	return 0;
}

static void add_facts(struct node_context *node, cJSON *facts)
{
	zp_autoerror reason = ZP_ERROR_INIT;

	if (provider_planetary_check(node, &reason) == 0)
		cJSON_AddTrueToObject(facts, "planetary");
	else
		cJSON_AddStringToObject(facts, "planetary", zp_error_text(&reason));
}

static void capacity(const cJSON *json, struct node_capacity *out)
{
	provider_automachine spec = { 0 };

	if (provider_machine_spec_read(json, &spec, NULL) < 0)
		return;
	out->cores = spec.cpu;
	out->memory = spec.memory;
	out->disk = spec.size;
}

/* Several nodes may live in one process (tests): the root tells them apart. */
static char *restart_key(const struct node_context *node, const char *id)
{
	return zp_format("%s %s", node_root(node), id);
}

static cJSON *make_result(const struct provider_machine *machine)
{
	cJSON *result = cJSON_CreateObject();

	cJSON_AddStringToObject(result, "id", machine->names.domain);
	cJSON_AddStringToObject(result, "ip", machine->ip);
	cJSON_AddStringToObject(result, "planetary_ip", machine->card.address);
	cJSON_AddStringToObject(result, "mycelium_ip", "");
	cJSON_AddStringToObject(result, "console_url", machine->console_url);
	cJSON_AddStringToObject(result, "public_ip", machine->public.address);
	cJSON_AddStringToObject(result, "public_ip6", machine->public.global);
	return result;
}

static int converge(struct node_context *node, const struct node_workload *w, cJSON **result,
	struct zp_error *err)
{
	provider_autorunning machine = { 0 };

	if (provider_machine_prepare(&machine, node, w, err) < 0 ||
		provider_machine_converge(&machine, err) < 0)
		return -1;
	if (result)
		*result = make_result(&machine);
	return 0;
}

static int ensure(struct node_context *node, const struct node_workload *w, cJSON **result,
	struct zp_error *err)
{
	zp_autofree char *key = restart_key(node, w->id);

	provider_restart_forget(key);
	return converge(node, w, result, err);
}

/* ---- reading ---- */

static void say(struct zp_buf *message, const char *text)
{
	zp_buf_printf(message, "%s%s", message->len ? "; " : "", text);
}

/* Why it is down, as far as can be told. */
static void explain(struct node_context *node, const struct node_workload *w, const char *folder,
	struct zp_buf *message)
{
	zp_autofree char *key = restart_key(node, w->id);
	zp_autofree char *log = provider_machine_log(folder);
	zp_autobuf words = ZP_BUF_INIT;

	if (provider_restart_is_given_up(key))
		zp_buf_printf(message, "it stopped more than %d times in %d seconds",
			PROVIDER_RESTARTS, PROVIDER_RESTART_SECONDS);
	else
		zp_buf_puts(message, "it does not run");
	provider_console_last_words(log, &words);
	if (words.len)
		zp_buf_printf(message, " (its last words: %s)", words.ptr);
}

static int check_public(struct node_context *node, const char *name, struct zp_buf *message,
	struct zp_error *err)
{
	struct provider_link tap, bridge;
	bool filtered;

	if (provider_link_get(name, &tap, err) < 0 ||
		provider_link_get(node_public_bridge(node), &bridge, err) < 0 ||
		provider_ip_filter_has(node, name, &filtered, err) < 0)
		return -1;
	if (!tap.index || !bridge.index || tap.master != bridge.index)
		say(message, "it is not attached to the public bridge");
	if (!filtered)
		say(message, "nothing filters what it sends on the public bridge");
	return 0;
}

static int check_planetary(struct node_context *node, const char *id, struct zp_buf *message,
	struct zp_error *err)
{
	struct provider_link tap;
	char name[16];

	provider_planetary_tap_name(node, id, name);
	if (provider_link_get(name, &tap, err) < 0)
		return -1;
	if (!tap.index || !tap.master)
		say(message, "it is not attached to the planetary network");
	return provider_planetary_inspect(node, message, err);
}

static int check_link(struct node_context *node, const struct node_workload *w,
	struct zp_buf *message, struct zp_error *err)
{
	provider_automachine spec = { 0 };
	struct provider_network_names network;
	struct provider_machine_names names;
	struct provider_link tap, bridge;

	if (provider_machine_spec_read(w->spec, &spec, err) < 0)
		return -1;
	provider_machine_names(node, w->id, &names);
	provider_network_names(node, spec.network, &network);
	if (provider_link_get(names.tap, &tap, err) < 0 ||
		provider_link_get(network.bridge, &bridge, err) < 0)
		return -1;
	if (!tap.index || !bridge.index || tap.master != bridge.index)
		say(message, "it is not attached to its network");
	if (spec.planetary && check_planetary(node, w->id, message, err) < 0)
		return -1;
	return *spec.public_ip ? check_public(node, names.public_tap, message, err) : 0;
}

static void check_root(const char *folder, struct zp_buf *message)
{
	zp_autofree char *root = zp_format("%s/root.qcow2", folder);

	if (!zp_file_exists(root))
		say(message, "its root disk is gone");
}

static int read_machine(struct node_context *node, const struct node_workload *w,
	enum node_workload_status *status, cJSON **result, struct zp_buf *message,
	struct zp_error *err)
{
	zp_autofree char *folder = node_workload_dir(node, w->id, err);
	struct provider_machine_names names;
	enum provider_domain_state state;

	(void)result; /* the last one stands */
	if (!folder)
		return -1;
	provider_machine_names(node, w->id, &names);
	if (provider_hypervisor_state(node, names.domain, &state, err) < 0)
		return -1;
	check_root(folder, message);
	if (state == PROVIDER_DOMAIN_NONE && message->len) {
		*status = NODE_ABSENT;
		return 0;
	}
	if (state == PROVIDER_DOMAIN_NONE)
		explain(node, w, folder, message);
	else if (check_link(node, w, message, err) < 0)
		return -1;
	if (state == PROVIDER_DOMAIN_PAUSED)
		say(message, "it is paused (the node's disk may be full)");
	*status = message->len ? NODE_DEGRADED : NODE_OK;
	return 0;
}

/* ---- the rest ---- */

static int remove_machine(
	struct node_context *node, const struct node_workload *w, struct zp_error *err)
{
	zp_autofree char *key = restart_key(node, w->id);

	if (provider_machine_destroy(node, w->id, err) < 0)
		return -1;
	provider_restart_forget(key);
	provider_content_prune(node);
	return 0;
}

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_BOOTTIME, &time);
	return (int64_t)time.tv_sec;
}

static int revive(struct node_context *node, const struct node_workload *w, bool *changed,
	struct zp_error *err)
{
	zp_autofree char *key = restart_key(node, w->id);

	if (provider_restart_is_given_up(key))
		return 0;
	*changed = true;
	if (!provider_restart_take(key, now()))
		return zp_error_set(err, "it stopped more than %d times in %d seconds: given up",
			PROVIDER_RESTARTS, PROVIDER_RESTART_SECONDS);
	zp_log(ZP_LOG_WARN, "machine %s has stopped: starting it again", w->id);
	return converge(node, w, NULL, err);
}

static int tick(struct node_context *node, const struct node_workload *w, bool *changed,
	struct zp_error *err)
{
	zp_autofree char *folder = node_workload_dir(node, w->id, err);
	zp_autofree char *log = folder ? provider_machine_log(folder) : NULL;
	struct provider_machine_names names;
	enum provider_domain_state state;

	if (!folder)
		return -1;
	provider_machine_names(node, w->id, &names);
	if (provider_hypervisor_state(node, names.domain, &state, err) < 0 ||
		provider_console_rotate(log, PROVIDER_CONSOLE_MAX_BYTES, err) < 0)
		return -1;
	if (state == PROVIDER_DOMAIN_NONE)
		return revive(node, w, changed, err);
	if (state == PROVIDER_DOMAIN_PAUSED)
		return provider_hypervisor_resume(node, names.domain, err);
	return 0;
}

const struct node_workload_type provider_zmachine_workload = {
	.name = PROVIDER_ZMACHINE_TYPE,
	.order = 40,
	.validate = validate,
	.check_tenant = check_tenant,
	.capacity = capacity,
	.facts = add_facts,
	.ensure = ensure,
	.read = read_machine,
	.remove = remove_machine,
	.tick = tick,
};

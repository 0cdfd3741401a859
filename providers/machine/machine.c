#include "providers/machine/machine.h"

#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/file.h"
#include "providers/ip/filter.h"
#include "providers/machine/boot.h"
#include "providers/machine/console.h"
#include "providers/machine/console_port.h"
#include "providers/machine/domain.h"
#include "providers/machine/guest/format.h"
#include "providers/machine/host.h"
#include "providers/machine/lookup.h"
#include "providers/machine/root.h"
#include "providers/machine/seed.h"
#include "providers/machine/tree_hash.h"
#include "providers/network/kernel.h"
#include "providers/network/names.h"

/* A guest gives its entrypoint ten seconds to end; it also has to notice and to write out. */
#define STOP_MS 16000
#define SYSTEM_STOP_MS 40000 /* one with an init of its own has many services to end */
#define MAX_RESOLV_CONF (1 << 16)
#define OUR_DISKS 2 /* root and config */
#define READY_MS 30000
#define READY_POLL_MS 20

void provider_machine_names(
	struct node_context *node, const char *id, struct provider_machine_names *out)
{
	const char *tag = node_tag(node);

	node_short_name("m", tag, id, out->domain);
	provider_machine_tap_name(node, id, out->tap);
	provider_public_tap_name(node, id, out->public_tap);
	provider_domain_uuid(tag, id, out->uuid);
}

char *provider_machine_log(const char *folder)
{
	return zp_format("%s/console.log", folder);
}

/* ---- what it is ---- */

/* Chosen when the machine is made, and kept: its resource may be called otherwise later. */
static int choose_hostname(
	struct provider_machine *machine, const char *address, struct zp_error *err)
{
	zp_autofree char *path = zp_format("%s/hostname", machine->folder);
	zp_autobuf kept = ZP_BUF_INIT;

	if (zp_file_read(path, PROVIDER_HOSTNAME_MAX, &kept, NULL) == 0 && kept.len) {
		memcpy(machine->hostname, kept.ptr, kept.len + 1);
		return 0;
	}
	provider_hostname(address, machine->hostname);
	return zp_file_write_atomic(path, zp_str(machine->hostname), 0600, err);
}

int provider_machine_prepare(struct provider_machine *machine, struct node_context *node,
	const struct node_workload *w, struct zp_error *err)
{
	const char *previous =
		cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(w->result, "ip"));

	memset(machine, 0, sizeof(*machine));
	machine->node = node;
	machine->id = w->id;
	machine->local = !w->tenant || !*w->tenant;
	if (provider_machine_spec_read(w->spec, &machine->spec, err) < 0)
		return -1;
	provider_machine_names(node, w->id, &machine->names);
	machine->folder = node_workload_dir(node, w->id, err);
	if (machine->folder && choose_hostname(machine, w->address, err) == 0 &&
		provider_machine_find_network(machine, previous, err) == 0 &&
		provider_machine_find_public(machine, err) == 0 &&
		provider_machine_find_planetary(machine, err) == 0 &&
		provider_machine_find_disks(machine, err) == 0)
		return 0;
	provider_machine_release(machine);
	return -1;
}

void provider_machine_release(struct provider_machine *machine)
{
	provider_machine_spec_release(&machine->spec);
	for (size_t i = 0; i < PROVIDER_MACHINE_MAX_MOUNTS; i++)
		free(machine->paths[i]);
	free(machine->folder);
	memset(machine, 0, sizeof(*machine));
}

/* serials has room for the machine's mounts, and lives as long as the result. */
static struct provider_machine_config make_config(struct provider_machine *machine,
	const char **serials, const char *const *dns, size_t dns_count)
{
	for (size_t i = 0; i < machine->spec.mount_count; i++)
		serials[i] = machine->serials[i];
	return (struct provider_machine_config){
		.spec = &machine->spec,
		.hostname = machine->hostname,
		.mac = machine->names.mac,
		.address = machine->address,
		.gateway = machine->gateway,
		.range = machine->range,
		.public_mac = machine->public.mac,
		.public_address = machine->public.address,
		.public_gateway = machine->public.gateway,
		.planetary_mac = machine->card.mac,
		.planetary_address = machine->card.address,
		.planetary_gateway = machine->planetary.gateway,
		.serials = serials,
		.dns = dns,
		.dns_count = dns_count,
	};
}

/*
 * What a restart is worth: a hash over all of the spec that a running machine can not take up. The
 * node's name servers, paths and QEMU's options are left out, so that a new version of zplan, or a
 * new resolv.conf, restarts nothing.
 */
static int shape_hash(
	struct provider_machine *machine, char out[PROVIDER_HASH_TEXT], struct zp_error *err)
{
	const char *serials[PROVIDER_MACHINE_MAX_MOUNTS];
	struct provider_machine_config config = make_config(machine, serials, NULL, 0);
	zp_autobuf text = ZP_BUF_INIT;

	if (provider_machine_config_build(&config, &text, err) < 0)
		return -1;
	zp_buf_printf(&text, "cpu %d memory %lld bridge %s", machine->spec.cpu,
		(long long)machine->spec.memory, machine->bridge);
	provider_text_hash(zp_buf_slice(&text), out);
	return 0;
}

static bool is_applied(const struct provider_machine *machine, const char *hash)
{
	zp_autofree char *path = zp_format("%s/applied", machine->folder);
	zp_autobuf found = ZP_BUF_INIT;

	return zp_file_read(path, PROVIDER_HASH_TEXT, &found, NULL) == 0 &&
	       zp_str_is(zp_buf_slice(&found), hash);
}

/* ---- starting ---- */

/* For the node's own init, or for cloud-init of a system that has one of its own. */
static int write_config(struct provider_machine *machine, const char *hash, struct zp_error *err)
{
	zp_autofree char *path = zp_format("%s/config.img", machine->folder);
	zp_autofree char *applied = zp_format("%s/applied", machine->folder);
	enum provider_root_mode mode = provider_root_mode(machine->folder);
	zp_autobuf resolv = ZP_BUF_INIT, image = ZP_BUF_INIT;
	const char *dns[3], *serials[PROVIDER_MACHINE_MAX_MOUNTS];
	int rc;

	zp_file_read("/etc/resolv.conf", MAX_RESOLV_CONF, &resolv, NULL);
	size_t count = provider_name_servers(&machine->spec.arena, resolv.ptr, dns);
	struct provider_machine_config config = make_config(machine, serials, dns, count);

	if (mode != PROVIDER_ROOT_CONTAINER)
		rc = provider_seed_write(
			&config, machine->names.uuid, mode == PROVIDER_ROOT_FIRMWARE, path, err);
	else if ((rc = provider_machine_config_build(&config, &image, err)) == 0)
		rc = zp_file_write_atomic(path, zp_buf_slice(&image), 0600, err);
	return rc < 0 ? -1 : zp_file_write_atomic(applied, zp_str(hash), 0600, err);
}

static int stop(struct node_context *node, const char *id, const char *folder, struct zp_error *err)
{
	struct provider_machine_names names;
	int grace =
		provider_root_mode(folder) == PROVIDER_ROOT_CONTAINER ? STOP_MS : SYSTEM_STOP_MS;

	provider_machine_names(node, id, &names);
	return provider_hypervisor_stop(node, names.domain, grace, err);
}

static void add_disk(struct provider_domain *domain, struct provider_domain_disk *disks,
	const char *path, const char *format, const char *serial, bool readonly)
{
	disks[domain->disk_count++] = (struct provider_domain_disk){
		.path = path, .format = format, .serial = serial, .readonly = readonly
	};
}

static int start(struct provider_machine *machine, struct zp_error *err)
{
	zp_autofree char *root = zp_format("%s/root.qcow2", machine->folder);
	zp_autofree char *config = zp_format("%s/config.img", machine->folder);
	zp_autofree char *run = zp_format("%s/run", node_root(machine->node));
	zp_autofree char *socket = provider_console_socket(machine->node, machine->names.domain);
	zp_autofree char *log = provider_machine_log(machine->folder);
	zp_cleanup(provider_boot_release) struct provider_boot boot = { 0 };
	struct provider_domain_disk disks[OUR_DISKS + PROVIDER_MACHINE_MAX_MOUNTS];
	struct provider_domain domain = {
		.name = machine->names.domain,
		.uuid = machine->names.uuid,
		.kvm = provider_host_has_kvm(machine->node),
		.root = !provider_hypervisor_is_embedded(machine->node),
		.cpu = machine->spec.cpu,
		.memory = machine->spec.memory,
		.disks = disks,
		.bridge = machine->bridge,
		.tap = machine->names.tap,
		.mac = machine->names.mac,
		.public_bridge = node_public_bridge(machine->node),
		.public_tap = machine->names.public_tap,
		.public_mac = machine->public.mac,
		.planetary_bridge = machine->planetary.bridge,
		.planetary_tap = machine->card.tap,
		.planetary_mac = machine->card.mac,
		.console_socket = socket,
		.console_log = log,
	};
	zp_autobuf xml = ZP_BUF_INIT;

	if (provider_boot_find(machine->folder, &machine->spec, &boot, err) < 0 ||
		zp_mkdirs(run, 0700, err) < 0)
		return -1;
	/* The filter first: not one packet of somebody else's address. */
	if (*machine->public.mac && provider_ip_filter_apply(machine->node, NULL, err) < 0)
		return -1;
	domain.kernel = boot.kernel;
	domain.initramfs = boot.initramfs;
	domain.command_line = boot.command_line;
	add_disk(&domain, disks, root, "qcow2", GUEST_ROOT_SERIAL, false);
	add_disk(&domain, disks, config, "raw", GUEST_CONFIG_SERIAL, true);
	for (size_t i = 0; i < machine->spec.mount_count; i++)
		add_disk(&domain, disks, machine->paths[i], "raw", machine->serials[i], false);
	provider_domain_xml(&domain, &xml);
	return provider_hypervisor_start(machine->node, xml.ptr, err);
}

/* ---- the network's side ---- */

/* Puts the tap of a running machine back on its bridge. *lost: there is no tap any more. */
static int attach(
	const char *name, const char *master, const char *what, bool *lost, struct zp_error *err)
{
	struct provider_link tap, bridge;

	if (provider_link_get(name, &tap, err) < 0 || provider_link_get(master, &bridge, err) < 0)
		return -1;
	if (!bridge.index)
		return zp_error_set(err, "the bridge %s of %s is missing", master, what);
	*lost |= !tap.index;
	if (!tap.index || tap.master == bridge.index)
		return 0;
	return provider_link_attach(name, master, err) < 0 ? -1 : provider_link_up(name, err);
}

static int attach_taps(struct provider_machine *machine, bool *lost, struct zp_error *err)
{
	bool filtered = false;

	*lost = false;
	if (attach(machine->names.tap, machine->bridge, machine->spec.network, lost, err) < 0)
		return -1;
	if (machine->spec.planetary && attach(machine->card.tap, machine->planetary.bridge,
					       "the planetary network", lost, err) < 0)
		return -1;
	if (!*machine->public.mac)
		return 0;
	if (provider_ip_filter_has(machine->node, machine->names.public_tap, &filtered, err) < 0 ||
		(!filtered && provider_ip_filter_apply(machine->node, NULL, err) < 0))
		return -1;
	return attach(machine->names.public_tap, node_public_bridge(machine->node),
		machine->spec.public_ip, lost, err);
}

/* ---- converging ---- */

static void pause_ms(int ms)
{
	struct timespec time = { ms / 1000, (ms % 1000) * 1000000L };

	nanosleep(&time, NULL);
}

/*
 * Waits for the entrypoint, so that who made the machine hears what went wrong. A slow machine is
 * no failure: it goes on starting by itself.
 */
static int await_ready(struct provider_machine *machine, int64_t from, struct zp_error *err)
{
	zp_autofree char *log = provider_machine_log(machine->folder);
	enum provider_domain_state state = PROVIDER_DOMAIN_RUNNING;
	zp_autobuf words = ZP_BUF_INIT;

	for (int waited = 0; waited < READY_MS; waited += READY_POLL_MS) {
		if (provider_console_is_ready(log, from))
			return 0;
		pause_ms(READY_POLL_MS);
		if (waited % (25 * READY_POLL_MS) == 0 &&
			provider_hypervisor_state(
				machine->node, machine->names.domain, &state, err) < 0)
			return -1;
		if (state == PROVIDER_DOMAIN_NONE)
			break;
	}
	if (state != PROVIDER_DOMAIN_NONE || provider_console_is_ready(log, from))
		return 0;
	provider_console_last_words(log, &words);
	return zp_error_set(err, "the machine stopped while it started%s%s", words.len ? ": " : "",
		words.len ? words.ptr : "");
}

static int open_console(struct provider_machine *machine, struct zp_error *err)
{
	return provider_console_open(machine->node, machine->names.domain, machine->spec.network,
		machine->console_url, err);
}

static int restart(struct provider_machine *machine, enum provider_root_need need, const char *hash,
	struct zp_error *err)
{
	zp_autofree char *log = provider_machine_log(machine->folder);
	bool news = !is_applied(machine, hash);
	int64_t from;

	if (stop(machine->node, machine->id, machine->folder, err) < 0 ||
		provider_root_apply(machine->folder, &machine->spec, need, err) < 0 ||
		write_config(machine, hash, err) < 0)
		return -1;
	from = provider_console_size(log);
	/* The console while it boots, which takes longer. */
	if (start(machine, err) < 0 || open_console(machine, err) < 0)
		return -1;
	/* Only our own init says when it is ready. */
	return news && provider_root_mode(machine->folder) == PROVIDER_ROOT_CONTAINER
		       ? await_ready(machine, from, err)
		       : 0;
}

int provider_machine_converge(struct provider_machine *machine, struct zp_error *err)
{
	enum provider_domain_state state;
	enum provider_root_need need;
	char hash[PROVIDER_HASH_TEXT];
	bool tap_lost = false;

	if (shape_hash(machine, hash, err) < 0 ||
		provider_root_inspect(machine->folder, &machine->spec, &need, err) < 0 ||
		attach_taps(machine, &tap_lost, err) < 0 ||
		provider_hypervisor_state(machine->node, machine->names.domain, &state, err) < 0)
		return -1;
	if (need == PROVIDER_ROOT_FINE && state != PROVIDER_DOMAIN_NONE && !tap_lost &&
		is_applied(machine, hash)) {
		if (state == PROVIDER_DOMAIN_PAUSED &&
			provider_hypervisor_resume(machine->node, machine->names.domain, err) < 0)
			return -1;
		return open_console(machine, err);
	}
	if (need == PROVIDER_ROOT_BUILD &&
		provider_root_fetch(machine->node, machine->id, machine->folder, &machine->spec,
			machine->local, err) < 0)
		return -1;
	node_progress(machine->node, machine->id, "starting");
	return restart(machine, need, hash, err);
}

/* The filter knows nothing of it any more. */
static int leave_public(struct node_context *node, const char *id, struct zp_error *err)
{
	char tap[16];
	bool filtered = false;

	if (!*node_public_bridge(node))
		return 0;
	provider_public_tap_name(node, id, tap);
	if (provider_ip_filter_has(node, tap, &filtered, err) < 0)
		return -1;
	return filtered ? provider_ip_filter_apply(node, id, err) : 0;
}

static void leave_planetary(struct node_context *node, const char *id)
{
	struct provider_planetary planetary;
	struct provider_planetary_card card;

	if (provider_planetary_find(node, &planetary) < 0)
		return;
	provider_planetary_card(node, &planetary, id, &card);
	provider_planetary_dismiss(node, &card);
}

int provider_machine_destroy(struct node_context *node, const char *id, struct zp_error *err)
{
	zp_autofree char *folder = node_workload_dir(node, id, err);
	struct provider_machine_names names;

	if (!folder)
		return -1;
	provider_machine_names(node, id, &names);
	if (stop(node, id, folder, err) < 0 ||
		provider_console_close(node, names.domain, err) < 0 ||
		node_workload_dir_remove(node, id, err) < 0 || leave_public(node, id, err) < 0)
		return -1;
	leave_planetary(node, id);
	return provider_machine_free_address(node, id, err);
}

int provider_machine_disk_grown(struct node_context *node, const char *id, const char *path,
	int64_t size, struct zp_error *err)
{
	struct provider_machine_names names;
	enum provider_domain_state state;

	provider_machine_names(node, id, &names);
	if (provider_hypervisor_state(node, names.domain, &state, err) < 0)
		return -1;
	/* One that starts later sees the file as it is then. */
	if (state == PROVIDER_DOMAIN_NONE)
		return 0;
	return provider_hypervisor_grow_disk(node, names.domain, path, size, err);
}

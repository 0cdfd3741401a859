#include "providers/planetary/planetary.h"

#include <arpa/inet.h>
#include <cjson/cJSON.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/process.h"
#include "node/client.h"
#include "providers/ip/pool.h"
#include "providers/machine/domain.h"
#include "providers/machine/tree_hash.h"
#include "providers/network/firewall.h"
#include "providers/network/kernel.h"

#define PROGRAM "/usr/sbin/yggdrasil"
#define CONTROL "/usr/sbin/yggdrasilctl"
#define HELPER "planetary"
#define MAX_CONFIG 65536
#define UP_MS 5000
#define POLL_MS 20

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

int provider_planetary_check(const struct node_context *node, struct zp_error *err)
{
	if (!node_is_planetary(node))
		return zp_error_code(err, NODE_E_INVALID,
			"node %s does not offer planetary addresses: its node.hcl has no "
			"\"planetary\" block",
			node_name(node));
	if (access(PROGRAM, X_OK) != 0)
		return zp_error_code(err, NODE_E_INVALID,
			"node %s does not offer planetary addresses: yggdrasil is not installed",
			node_name(node));
	return 0;
}

/* ---- yggdrasil ---- */

static cJSON *text_list(const char *const *items, size_t count)
{
	cJSON *list = cJSON_CreateArray();

	for (size_t i = 0; i < count; i++)
		cJSON_AddItemToArray(list, cJSON_CreateString(items[i]));
	return list;
}

static void replace(cJSON *json, const char *name, cJSON *item)
{
	cJSON_DeleteItemFromObjectCaseSensitive(json, name);
	cJSON_AddItemToObject(json, name, item);
}

char *provider_planetary_config(const struct node_context *node, const char *key, const char *link,
	const char *socket, struct zp_error *err)
{
	zp_autofree char *endpoint = zp_format("unix://%s", socket);
	const char *const *peers, *const *listen;
	size_t peer_count, listen_count;
	cJSON *json = cJSON_Parse(key);
	char *text;

	if (!cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "PrivateKey"))) {
		cJSON_Delete(json);
		zp_error_set(err, "the node's planetary key is damaged");
		return NULL;
	}
	peers = node_planetary_peers(node, &peer_count);
	listen = node_planetary_listen(node, &listen_count);
	replace(json, "Peers", text_list(peers, peer_count));
	replace(json, "Listen", text_list(listen, listen_count));
	replace(json, "MulticastInterfaces", cJSON_CreateArray());
	replace(json, "AdminListen", cJSON_CreateString(endpoint));
	replace(json, "IfName", cJSON_CreateString(link));
	replace(json, "NodeInfoPrivacy", cJSON_CreateTrue());
	text = cJSON_PrintUnformatted(json);
	cJSON_Delete(json);
	return text;
}

/* Made once: the node's address follows from it. */
static int load_key(const char *folder, struct zp_buf *key, struct zp_error *err)
{
	zp_autofree char *path = zp_format("%s/key.json", folder);
	struct zp_process_result result = { 0 };
	int rc;

	if (zp_file_exists(path))
		return zp_file_read(path, MAX_CONFIG, key, err);
	rc = zp_run((const char *[]){ PROGRAM, "-genconf", "-json", NULL }, NULL, &result, err);
	if (rc == 0)
		rc = zp_file_write_atomic(path, zp_buf_slice(&result.out), 0600, err);
	if (rc == 0)
		zp_buf_str(key, zp_buf_slice(&result.out));
	zp_process_result_release(&result);
	return rc;
}

/* Heap: the file with the configuration. Named by its hash: another one is another command line. */
static char *write_config(
	struct node_context *node, const char *link, const char *socket, struct zp_error *err)
{
	zp_autofree char *folder = zp_format("%s/planetary", node_root(node));
	zp_autobuf key = ZP_BUF_INIT;
	char hash[PROVIDER_HASH_TEXT];

	if (zp_mkdirs(folder, 0700, err) < 0 || load_key(folder, &key, err) < 0)
		return NULL;
	zp_autofree char *text = provider_planetary_config(node, key.ptr, link, socket, err);
	if (!text)
		return NULL;
	provider_text_hash(zp_str(text), hash);
	zp_autofree char *path = zp_format("%s/%.12s.conf", folder, hash);
	if (!zp_file_exists(path) && zp_file_write_atomic(path, zp_str(text), 0600, err) < 0)
		return NULL;
	return zp_steal(path);
}

/* "300:1:2:3::/64" */
static int ask_prefix(const char *config, struct in6_addr *prefix, struct zp_error *err)
{
	struct zp_process_result result = { 0 };
	int rc = zp_run((const char *[]){ PROGRAM, "-useconffile", config, "-subnet", NULL }, NULL,
		&result, err);

	if (rc == 0) {
		zp_autofree char *text = zp_strndup(result.out.ptr ? result.out.ptr : "",
			result.out.ptr ? strcspn(result.out.ptr, "/\n") : 0);

		if (inet_pton(AF_INET6, text, prefix) != 1)
			rc = zp_error_set(err, "yggdrasil says no subnet, but \"%s\"", text);
	}
	zp_process_result_release(&result);
	return rc;
}

static void pause_ms(int ms)
{
	struct timespec time = { ms / 1000, (ms % 1000) * 1000000L };

	nanosleep(&time, NULL);
}

/* A peer that is not there when yggdrasil starts is called again after a minute; hence once more
 * now. */
static void call_peers(struct node_context *node, const char *socket)
{
	zp_autofree char *endpoint = zp_format("-endpoint=unix://%s", socket);
	const struct zp_process_options options = { .timeout_ms = 2000 };
	size_t count;
	const char *const *peers = node_planetary_peers(node, &count);

	for (size_t i = 0; i < count; i++) {
		zp_autofree char *uri = zp_format("uri=%s", peers[i]);

		zp_run((const char *[]){ CONTROL, endpoint, "addPeer", uri, NULL }, &options, NULL,
			NULL);
	}
}

static int run_helper(struct node_context *node, const char *config, const char *link,
	const char *socket, struct zp_error *err)
{
	struct provider_link found = { 0 };
	bool ran = node_helper_pid(node, HELPER) > 0;

	if (node_helper_start(node, HELPER,
		    (const char *[]){ PROGRAM, "-useconffile", config, NULL }, err) < 0)
		return -1;
	for (int waited = 0; waited < UP_MS; waited += POLL_MS) {
		if (provider_link_get(link, &found, err) < 0)
			return -1;
		if (found.index && access(socket, F_OK) == 0)
			break;
		pause_ms(POLL_MS);
	}
	if (!found.index)
		return zp_error_set(err, "yggdrasil does not start: see %s/run/" HELPER ".log",
			node_root(node));
	if (!ran)
		call_peers(node, socket);
	return 0;
}

/* ---- the bridge ---- */

void provider_planetary_rules(
	const char *tag, const struct provider_planetary *planetary, struct zp_buf *out)
{
	char prefix[INET6_ADDRSTRLEN];

	inet_ntop(AF_INET6, &planetary->prefix, prefix, sizeof(prefix));
	/* Who sends as whom; elements stay as they are. */
	zp_buf_printf(out,
		"add table bridge zplan_planetary_%s\n"
		"add set bridge zplan_planetary_%s own { type ifname . ether_addr . ipv6_addr; }\n"
		"add chain bridge zplan_planetary_%s machine { type filter hook prerouting "
		"priority "
		"-300; }\n"
		"flush chain bridge zplan_planetary_%s machine\n",
		tag, tag, tag, tag);
	static const char *const rules[] = {
		"icmpv6 type { nd-router-advert, nd-redirect } drop",
		"iifname . ether saddr . ip6 saddr @own accept",
		"ip6 saddr :: icmpv6 type nd-neighbor-solicit accept",
		"drop",
	};
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rules); i++)
		zp_buf_printf(out,
			"add rule bridge zplan_planetary_%s machine iifname \"q-*\" %s%s\n", tag,
			i < 3 ? "ether type ip6 " : "", rules[i]);
	/* Between the machines and the planetary network, and nothing else. */
	zp_buf_printf(out,
		"add table ip6 zplan_planetary_%s\n"
		"delete table ip6 zplan_planetary_%s\n"
		"table ip6 zplan_planetary_%s {\n"
		"\tchain forward {\n"
		"\t\ttype filter hook forward priority 0\n"
		"\t\tiifname \"%s\" ip6 saddr %s/64 oifname \"%s\" ip6 daddr 200::/7 accept\n"
		"\t\tiifname \"%s\" oifname \"%s\" ip6 daddr %s/64 accept\n"
		"\t\tiifname { \"%s\", \"%s\" } drop\n"
		"\t\toifname { \"%s\", \"%s\" } drop\n"
		"\t}\n"
		"}\n",
		tag, tag, tag, planetary->bridge, prefix, planetary->link, planetary->link,
		planetary->bridge, prefix, planetary->bridge, planetary->link, planetary->bridge,
		planetary->link);
}

/* A host that forwards takes no announcements any more, unless it is told to. */
static void keep_announcements(const struct node_context *node)
{
	zp_autofree char *path = zp_format("ipv6/conf/%s/accept_ra", node_wan_interface(node));
	zp_autofree char *file = zp_format("/proc/sys/net/%s", path);
	zp_autobuf value = ZP_BUF_INIT;

	if (*node_wan_interface(node) && zp_file_read(file, 16, &value, NULL) == 0 && value.len &&
		value.ptr[0] == '1')
		provider_sysctl(path, "2", NULL);
}

static int make_bridge(
	struct node_context *node, struct provider_planetary *planetary, struct zp_error *err)
{
	zp_autofree char *address = zp_format("%s/64", planetary->gateway);
	zp_autobuf rules = ZP_BUF_INIT;
	uint8_t mac[6] = { 0x02, 0x5a };

	memcpy(mac + 2, planetary->prefix.s6_addr + 1, 4);
	keep_announcements(node);
	provider_planetary_rules(node_tag(node), planetary, &rules);
	if (provider_bridge_make(planetary->bridge, mac, err) < 0 ||
		provider_link_up(planetary->bridge, err) < 0 ||
		provider_sysctl("ipv6/conf/all/forwarding", "1", err) < 0 ||
		provider_firewall_run(rules.ptr, NULL, err) < 0)
		return -1;
	return zp_run((const char *[]){ "ip", "-6", "address", "replace", address, "dev",
			      planetary->bridge, "nodad", NULL },
		NULL, NULL, err);
}

static void name_links(struct node_context *node, struct provider_planetary *out)
{
	node_short_name("z", node_tag(node), "planetary", out->bridge);
	node_short_name("y", node_tag(node), "planetary", out->link);
}

/* The prefix is written down, so that nobody has to ask yggdrasil. */
static char *prefix_path(const struct node_context *node)
{
	return zp_format("%s/planetary/prefix", node_root(node));
}

static void set_gateway(struct provider_planetary *out)
{
	struct in6_addr gateway = out->prefix;

	gateway.s6_addr[15] = 1;
	inet_ntop(AF_INET6, &gateway, out->gateway, sizeof(out->gateway));
}

int provider_planetary_find(struct node_context *node, struct provider_planetary *out)
{
	zp_autofree char *path = prefix_path(node);
	zp_autobuf text = ZP_BUF_INIT;

	memset(out, 0, sizeof(*out));
	name_links(node, out);
	if (zp_file_read(path, INET6_ADDRSTRLEN, &text, NULL) < 0 || !text.len ||
		inet_pton(AF_INET6, text.ptr, &out->prefix) != 1)
		return -1;
	set_gateway(out);
	return 0;
}

/* It follows from the key, which stays. */
static int find_prefix(struct node_context *node, const char *config,
	struct provider_planetary *out, struct zp_error *err)
{
	zp_autofree char *path = prefix_path(node);
	char text[INET6_ADDRSTRLEN];

	if (provider_planetary_find(node, out) == 0)
		return 0;
	if (ask_prefix(config, &out->prefix, err) < 0)
		return -1;
	set_gateway(out);
	inet_ntop(AF_INET6, &out->prefix, text, sizeof(text));
	return zp_file_write_atomic(path, zp_str(text), 0600, err);
}

int provider_planetary_up(
	struct node_context *node, struct provider_planetary *out, struct zp_error *err)
{
	zp_autofree char *run = zp_format("%s/run", node_root(node));
	zp_autofree char *socket = zp_format("%s/planetary.sock", run);
	zp_autofree char *config = NULL;
	int rc = -1;

	memset(out, 0, sizeof(*out));
	if (provider_planetary_check(node, err) < 0)
		return -1;
	name_links(node, out);
	pthread_mutex_lock(&lock);
	if (zp_mkdirs(run, 0700, err) == 0 &&
		(config = write_config(node, out->link, socket, err)) &&
		find_prefix(node, config, out, err) == 0 &&
		run_helper(node, config, out->link, socket, err) == 0)
		rc = make_bridge(node, out, err);
	pthread_mutex_unlock(&lock);
	return rc < 0 ? zp_error_wrap(err, "the planetary network") : 0;
}

/* ---- machines on it ---- */

void provider_planetary_tap_name(struct node_context *node, const char *machine_id, char out[16])
{
	node_short_name("q", node_tag(node), machine_id, out);
}

void provider_planetary_card(struct node_context *node, const struct provider_planetary *planetary,
	const char *machine_id, struct provider_planetary_card *out)
{
	zp_autofree char *place = zp_format("planetary %s", machine_id);

	provider_planetary_tap_name(node, machine_id, out->tap);
	provider_domain_mac(node_tag(node), place, out->mac);
	provider_ip_eui64(&planetary->prefix, out->mac, out->address);
}

static int change_own(struct node_context *node, const char *verb,
	const struct provider_planetary_card *card, struct zp_error *err)
{
	const struct in6_addr link = { .s6_addr = { 0xfe, 0x80 } };
	zp_autobuf command = ZP_BUF_INIT;
	char local[INET6_ADDRSTRLEN];

	provider_ip_eui64(&link, card->mac, local);
	zp_buf_printf(&command,
		"%s element bridge zplan_planetary_%s own { \"%s\" . %s . %s, \"%s\" . %s . %s "
		"}\n",
		verb, node_tag(node), card->tap, card->mac, card->address, card->tap, card->mac,
		local);
	return provider_firewall_run(command.ptr, NULL, err);
}

int provider_planetary_admit(
	struct node_context *node, const struct provider_planetary_card *card, struct zp_error *err)
{
	return change_own(node, "add", card, err);
}

void provider_planetary_dismiss(
	struct node_context *node, const struct provider_planetary_card *card)
{
	change_own(node, "delete", card, NULL);
}

int provider_planetary_inspect(
	struct node_context *node, struct zp_buf *message, struct zp_error *err)
{
	struct provider_planetary names;
	struct provider_link link, bridge;

	name_links(node, &names);
	if (provider_link_get(names.link, &link, err) < 0 ||
		provider_link_get(names.bridge, &bridge, err) < 0)
		return -1;
	if (node_helper_pid(node, HELPER) <= 0 || !link.index || !bridge.index)
		zp_buf_printf(message, "%sthe planetary network of its node is down",
			message->len ? "; " : "");
	return 0;
}

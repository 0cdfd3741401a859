#include "providers/gateway/live.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "providers/gateway/control.h"

#define CERTIFICATE_LIMIT ((size_t)64 * 1024)

struct live_entry {
	char *id, *fqdn, *text, *network;
	bool passthrough, redirect, plain;
	char *certificate; /* its own; NULL: none */
	size_t slot, servers;
};

static void entry_free(struct live_entry *entry)
{
	if (!entry)
		return;
	free(entry->id);
	free(entry->fqdn);
	free(entry->text);
	free(entry->network);
	free(entry->certificate);
	free(entry);
}

static struct live_entry *entry_new(
	const struct provider_proxy *proxy, const char *text, const char *certificate, size_t slot)
{
	struct live_entry *entry = zp_calloc(1, sizeof(*entry));

	entry->id = zp_strdup(proxy->id);
	entry->fqdn = zp_strdup(proxy->fqdn);
	entry->text = zp_strdup(text);
	entry->network = proxy->network ? zp_strdup(proxy->network) : NULL;
	entry->certificate = certificate ? zp_strdup(certificate) : NULL;
	entry->passthrough = proxy->passthrough;
	entry->redirect = proxy->redirect;
	entry->plain = !proxy->health;
	entry->servers = proxy->server_count;
	entry->slot = slot;
	return entry;
}

/* Keys are the networks' names, the table's own. */
static void count_user(struct provider_live *live, const char *network, int change)
{
	struct zp_str key;
	void **slot;

	if (!network)
		return;
	key = zp_str(network);
	if (!zp_map_has(&live->networks, key))
		key = zp_str(zp_strdup(network));
	slot = zp_map_slot(&live->networks, key);
	*slot = (char *)*slot + change;
}

static void enter(struct provider_live *live, struct live_entry *entry)
{
	zp_map_set(&live->entries, zp_str(entry->id), entry);
	count_user(live, entry->network, 1);
}

static struct live_entry *leave(struct provider_live *live, const char *id)
{
	struct live_entry *entry = zp_map_remove(&live->entries, zp_str(id));

	if (entry)
		count_user(live, entry->network, -1);
	return entry;
}

static struct live_entry *find(const struct provider_live *live, const char *id)
{
	return zp_map_get(&live->entries, zp_str(id));
}

static void release_paths(struct provider_live_paths *paths)
{
	free(paths->host_map);
	free(paths->sni_map);
	free(paths->plain_map);
	free(paths->certificates);
	*paths = (struct provider_live_paths){ 0 };
}

void provider_live_forget(struct provider_live *live)
{
	for (size_t i = 0; i < live->entries.count; i++)
		entry_free(live->entries.entries[i].value);
	zp_map_release(&live->entries);
	for (size_t i = 0; i < live->networks.count; i++)
		free((char *)live->networks.entries[i].key.ptr);
	zp_map_release(&live->networks);
	for (size_t mode = 0; mode < PROVIDER_HAPROXY_MODES; mode++)
		zp_vec_release(&live->spare[mode]);
	zp_vec_release(&live->left);
	release_paths(&live->paths);
	*live = (struct provider_live){ 0 };
}

void provider_live_begin(struct provider_live *live, pid_t worker, bool inspects,
	const struct provider_live_paths *paths)
{
	provider_live_forget(live);
	live->worker = worker;
	live->inspects = inspects;
	live->paths = *paths;
}

void provider_live_note(struct provider_live *live, const struct provider_proxy *proxy,
	const char *text, const char *certificate, size_t slot)
{
	enter(live, entry_new(proxy, text, certificate, slot));
}

void provider_live_spare(struct provider_live *live, enum provider_haproxy_mode mode, size_t slot)
{
	zp_vec_push(&live->spare[mode], slot);
}

bool provider_live_is(const struct provider_live *live, const char *id, const char *text)
{
	const struct live_entry *entry = find(live, id);

	return text ? entry && strcmp(entry->text, text) == 0 : !entry;
}

bool provider_live_is_plain(const struct provider_live *live, const char *id)
{
	const struct live_entry *entry = find(live, id);

	return !entry || entry->plain;
}

size_t provider_live_count(const struct provider_live *live)
{
	return live->entries.count;
}

size_t provider_live_users(const struct provider_live *live, const char *network)
{
	return (size_t)zp_map_get(&live->networks, zp_str(network));
}

/* ---- servers of a slot ---- */

static int add_server(const struct node_context *node, const char *slot, size_t number,
	const struct provider_gateway_backend *server, struct zp_error *err)
{
	zp_autobuf command = ZP_BUF_INIT;

	zp_buf_printf(&command, "add server %s/s%zu ", slot, number);
	provider_haproxy_server(server, &command);
	zp_buf_puts(&command, " " PROVIDER_HAPROXY_CHECK "\n");
	if (provider_haproxy_tell(node, command.ptr, "New server registered", err) < 0)
		return -1;
	zp_buf_clear(&command);
	zp_buf_printf(&command, "enable health %s/s%zu; enable server %s/s%zu\n", slot, number,
		slot, number);
	return provider_haproxy_tell(node, command.ptr, NULL, err);
}

static int fill_slot(const struct node_context *node, const char *slot,
	const struct provider_proxy *proxy, struct zp_error *err)
{
	for (size_t i = 0; i < proxy->server_count; i++)
		if (add_server(node, slot, i + 1, &proxy->servers[i], err) < 0)
			return -1;
	return 0;
}

/* Takes the servers out, last first; one that still has connections stays, as do those before it.
 */
static void clear_slot(
	struct provider_live *live, const struct node_context *node, struct provider_live_slot slot)
{
	zp_autobuf name = ZP_BUF_INIT;

	provider_haproxy_slot_name(slot.mode, slot.number, &name);
	for (; slot.servers > 0; slot.servers--) {
		zp_autofree char *command =
			zp_format("set server %s/s%zu state maint; del server %s/s%zu\n", name.ptr,
				slot.servers, name.ptr, slot.servers);

		if (provider_haproxy_tell(node, command, "Server deleted", NULL) < 0)
			break;
	}
	if (slot.servers > 0)
		zp_vec_push(&live->left, slot);
	else
		provider_live_spare(live, slot.mode, slot.number);
}

static struct provider_live_slot slot_of(const struct live_entry *entry)
{
	return (struct provider_live_slot){ provider_haproxy_mode(entry->passthrough), entry->slot,
		entry->servers };
}

/* Slots whose last connections have ended meanwhile. */
static void reclaim(struct provider_live *live, const struct node_context *node)
{
	size_t count = live->left.count;
	zp_autofree struct provider_live_slot *slots = live->left.items;

	live->left.items = NULL;
	live->left.count = live->left.capacity = 0;
	for (size_t i = 0; i < count; i++)
		clear_slot(live, node, slots[i]);
}

bool provider_live_has_room(struct provider_live *live, const struct node_context *node,
	const struct provider_proxy *proxy)
{
	enum provider_haproxy_mode mode = provider_haproxy_mode(proxy->passthrough);

	if (proxy->passthrough && !live->inspects)
		return false;
	if (live->spare[mode].count == 0)
		reclaim(live, node);
	return live->spare[mode].count > 0;
}

/* ---- names ---- */

/* The command with key and maybe a value, of which no answer is expected. */
static int map_command(const struct node_context *node, const char *command, const char *map,
	const char *key, const char *value, struct zp_error *err)
{
	zp_autofree char *text = zp_format(
		"%s %s %s%s%s\n", command, map, key, value ? " " : "", value ? value : "");

	return provider_haproxy_tell(node, text, NULL, err);
}

/* The key's value in the map from now on; NULL: it has none. was: whether it had one. */
static int set_entry(const struct node_context *node, const char *map, const char *key, bool was,
	const char *value, struct zp_error *err)
{
	if (value)
		return map_command(node, was ? "set map" : "add map", map, key, value, err);
	return was ? map_command(node, "del map", map, key, NULL, err) : 0;
}

/* What the maps have of an entry: of plain HTTP, of host names, of SNI; NULL: nothing. */
struct leads {
	const char *plain, *host, *sni;
};

static struct leads leads_of(const struct live_entry *entry, const char *slot)
{
	if (!entry)
		return (struct leads){ 0 };
	return (struct leads){
		.plain = entry->redirect      ? PROVIDER_HAPROXY_REDIRECT
			 : entry->passthrough ? NULL
					      : slot,
		.host = entry->passthrough ? NULL : slot,
		.sni = entry->passthrough ? slot : NULL,
	};
}

/* Sets what the maps have under a name; was says what they had. */
static int set_leads(const struct provider_live *live, const struct node_context *node,
	const char *fqdn, struct leads was, struct leads now, struct zp_error *err)
{
	if (set_entry(node, live->paths.sni_map, fqdn, was.sni, now.sni, err) < 0 ||
		set_entry(node, live->paths.host_map, fqdn, was.host, now.host, err) < 0 ||
		set_entry(node, live->paths.plain_map, fqdn, was.plain, now.plain, err) < 0)
		return -1;
	return 0;
}

/* Leads the name of entry (NULL: nothing) to its slot, and no longer where before (or NULL) led it.
 */
static int lead_name(const struct provider_live *live, const struct node_context *node,
	const struct live_entry *entry, const struct live_entry *before, struct zp_error *err)
{
	bool same = entry && before && strcmp(before->fqdn, entry->fqdn) == 0;
	struct leads none = { 0 }, was = leads_of(before, "");
	zp_autobuf slot = ZP_BUF_INIT;

	if (entry) {
		provider_haproxy_slot_name(
			provider_haproxy_mode(entry->passthrough), entry->slot, &slot);
		if (set_leads(live, node, entry->fqdn, same ? was : none, leads_of(entry, slot.ptr),
			    err) < 0)
			return -1;
	}
	return before && !same ? set_leads(live, node, before->fqdn, was, none, err) : 0;
}

/* ---- certificates ---- */

/* The file as a payload, which an empty line would end. */
static int certificate_payload(const char *path, struct zp_buf *out, struct zp_error *err)
{
	zp_autobuf content = ZP_BUF_INIT;
	const char *line;

	if (zp_file_read(path, CERTIFICATE_LIMIT, &content, err) < 0)
		return -1;
	zp_buf_printf(out, "set ssl cert %s <<\n", path);
	for (line = zp_buf_slice(&content).ptr; *line; line += strcspn(line, "\n")) {
		line += strspn(line, "\n");
		if (*line)
			zp_buf_printf(out, "%.*s\n", (int)strcspn(line, "\n"), line);
	}
	zp_buf_char(out, '\n');
	sodium_memzero(content.ptr, content.len);
	return 0;
}

static int add_certificate(const struct provider_live *live, const struct node_context *node,
	const char *path, struct zp_error *err)
{
	zp_autofree char *new = zp_format("new ssl cert %s\n", path);
	zp_autofree char *commit = zp_format("commit ssl cert %s\n", path);
	zp_autofree char *list =
		zp_format("add ssl crt-list %s %s\n", live->paths.certificates, path);
	zp_autobuf set = ZP_BUF_INIT;
	int rc = certificate_payload(path, &set, err);

	if (rc == 0 && (provider_haproxy_tell(node, new, "New empty", err) < 0 ||
			       provider_haproxy_tell(node, set.ptr, "created", err) < 0 ||
			       provider_haproxy_tell(node, commit, "Success", err) < 0 ||
			       provider_haproxy_tell(node, list, "Success", err) < 0))
		rc = -1;
	if (set.ptr)
		sodium_memzero(set.ptr, set.len);
	return rc;
}

static int drop_certificate(const struct provider_live *live, const struct node_context *node,
	const char *path, struct zp_error *err)
{
	zp_autofree char *list =
		zp_format("del ssl crt-list %s %s\n", live->paths.certificates, path);
	zp_autofree char *drop = zp_format("del ssl cert %s\n", path);

	if (provider_haproxy_tell(node, list, "deleted", err) < 0)
		return -1;
	return provider_haproxy_tell(node, drop, "deleted", err);
}

/* ---- changes ---- */

/* A name nobody can ask for, in a table that is empty of it whenever it was just loaded. */
#define MARK "."

static int mark(struct provider_live *live, const struct node_context *node, struct zp_error *err)
{
	if (live->is_marked)
		return 0;
	if (map_command(node, "add map", live->paths.plain_map, MARK, "changed", err) < 0)
		return -1;
	live->is_marked = true;
	return 0;
}

bool provider_live_was_changed(const struct node_context *node, const char *plain_map)
{
	zp_autofree char *command = zp_format("get map %s " MARK "\n", plain_map);

	return provider_haproxy_tell(node, command, "found=no", NULL) < 0;
}

/* Everything of entry that before does not have already. */
static int establish(const struct provider_live *live, const struct node_context *node,
	const struct provider_proxy *proxy, const struct live_entry *entry,
	const struct live_entry *before, struct zp_error *err)
{
	const char *certificate = entry->certificate;
	const char *had = before ? before->certificate : NULL;
	zp_autobuf slot = ZP_BUF_INIT;

	provider_haproxy_slot_name(provider_haproxy_mode(entry->passthrough), entry->slot, &slot);
	if (fill_slot(node, slot.ptr, proxy, err) < 0)
		return -1;
	if (certificate && (!had || strcmp(had, certificate) != 0) &&
		add_certificate(live, node, certificate, err) < 0)
		return -1;
	if (lead_name(live, node, entry, before, err) < 0)
		return -1;
	if (had && (!certificate || strcmp(had, certificate) != 0))
		return drop_certificate(live, node, had, err);
	return 0;
}

int provider_live_put(struct provider_live *live, const struct node_context *node,
	const struct provider_proxy *proxy, const char *text, const char *certificate,
	struct zp_error *err)
{
	enum provider_haproxy_mode mode = provider_haproxy_mode(proxy->passthrough);
	size_t slot = live->spare[mode].items[--live->spare[mode].count];
	struct live_entry *before = leave(live, proxy->id);
	struct live_entry *entry = entry_new(proxy, text, certificate, slot);
	int rc = mark(live, node, err);

	if (rc == 0)
		rc = establish(live, node, proxy, entry, before, err);
	enter(live, entry);
	if (rc == 0 && before)
		clear_slot(live, node, slot_of(before));
	entry_free(before);
	if (rc < 0)
		provider_live_forget(live);
	return rc;
}

int provider_live_drop(struct provider_live *live, const struct node_context *node, const char *id,
	struct zp_error *err)
{
	struct live_entry *entry = leave(live, id);
	int rc = 0;

	if (!entry)
		return 0;
	if (mark(live, node, err) < 0 || lead_name(live, node, NULL, entry, err) < 0 ||
		(entry->certificate && drop_certificate(live, node, entry->certificate, err) < 0))
		rc = -1;
	else
		clear_slot(live, node, slot_of(entry));
	entry_free(entry);
	if (rc < 0)
		provider_live_forget(live);
	return rc;
}

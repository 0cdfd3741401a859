#include "providers/gateway/engine.h"

#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "base/map.h"
#include "base/process.h"
#include "base/vec.h"
#include "providers/gateway/certificate.h"
#include "providers/gateway/control.h"
#include "providers/gateway/haproxy.h"
#include "providers/gateway/live.h"
#include "providers/gateway/store.h"

#define HAPROXY "/usr/sbin/haproxy"
#define HASH_BYTES 16
#define HASH_TEXT (HASH_BYTES * 2 + 1)
#define TAKE_OVER_MS 15000
#define CHECK_TIMEOUT_MS 60000
#define CERTIFICATE_LIMIT ((size_t)64 * 1024)
#define MIN_SLOTS 64
/* There is room for this many more after a reload. */
#define MIN_SPARE 16
#define RESTART_CHECK_SECONDS 1
/* Changes often come together. */
#define SETTLING_MS 1000
#define CERTIFICATE_CHECK_SECONDS 10
#define RENEWAL_CHECK_SECONDS (12 * 60 * 60)

/* Everything a generation consists of, in memory. */
struct build {
	struct zp_buf config, host_map, sni_map, plain_map, certificates;
	const struct provider_proxy_list *list;
	struct provider_haproxy_proxy *proxies; /* of the list, in its order */
	char **own; /* paths of the proxies' own certificates; NULL where they have none */
	size_t slots[PROVIDER_HAPROXY_MODES];
	bool inspects;
	char hash[HASH_TEXT];
};

static void build_release(struct build *build)
{
	zp_buf_release(&build->config);
	zp_buf_release(&build->host_map);
	zp_buf_release(&build->sni_map);
	zp_buf_release(&build->plain_map);
	zp_buf_release(&build->certificates);
	for (size_t i = 0; build->own && i < build->list->count; i++)
		free(build->own[i]);
	free(build->own);
	free(build->proxies);
}

/* What HAProxy serves, and of which node it is; the lock is for all. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct provider_live live;
static char *live_root;
/* When it was last changed in a way the files do not know of yet; 0: they know all. */
static int64_t changed_at;

/* <root>/gateway/<kind>-<hash>.<ending> */
static char *part_path(
	const struct node_context *node, const char *kind, const char *hash, const char *ending)
{
	return zp_format("%s/gateway/%s-%s.%s", node_root(node), kind, hash, ending);
}

/* ---- certificates ---- */

/* The certificate node.hcl has for the name, or NULL. */
static const char *configured(const struct node_context *node, const char *fqdn)
{
	size_t count;
	const char *const *paths = node_gateway_certificates(node, &count);

	for (size_t i = 0; i < count; i++)
		if (provider_certificate_serves(paths[i], fqdn))
			return paths[i];
	return NULL;
}

/* Makes the certificate of the proxy's own, if it needs one, and gives its path; heap or NULL. */
static int own_certificate(const struct node_context *node, const struct provider_proxy *proxy,
	char **path, struct zp_error *err)
{
	zp_autofree char *folder = provider_gateway_folder(node);
	zp_autofree char *authority = zp_format("zplan gateway %s", node_name(node));

	*path = NULL;
	if (proxy->passthrough || configured(node, proxy->fqdn))
		return 0;
	if (provider_certificate_ensure(folder, authority, proxy->fqdn, err) < 0)
		return -1;
	*path = provider_certificate_path(folder, proxy->fqdn);
	return 0;
}

char *provider_engine_authority(const struct node_context *node, const char *fqdn, bool passthrough)
{
	zp_autofree char *folder = provider_gateway_folder(node);

	return passthrough || configured(node, fqdn) ? NULL
						     : provider_certificate_authority(folder, NULL);
}

/* A line of the list, and the content into the hash: a renewed one is a new generation. */
static int put_certificate(
	const char *path, crypto_generichash_state *hash, struct zp_buf *out, struct zp_error *err)
{
	zp_autobuf content = ZP_BUF_INIT;

	if (zp_file_read(path, CERTIFICATE_LIMIT, &content, err) < 0)
		return zp_error_wrap(err, "certificate");
	crypto_generichash_update(hash, (const unsigned char *)content.ptr, content.len);
	sodium_memzero(content.ptr, content.len);
	zp_buf_printf(out, "%s\n", path);
	return 0;
}

/* The first is HAProxy's answer to names it does not know; then node.hcl's, and the proxies' own.
 */
static int put_certificates(const struct node_context *node, const struct build *build,
	crypto_generichash_state *hash, struct zp_buf *out, struct zp_error *err)
{
	zp_autofree char *folder = provider_gateway_folder(node);
	zp_autofree char *authority = zp_format("zplan gateway %s", node_name(node));
	zp_autofree char *other = provider_certificate_other_path(folder);
	size_t count;
	const char *const *paths = node_gateway_certificates(node, &count);

	if (provider_certificate_ensure_other(folder, authority, err) < 0 ||
		put_certificate(other, hash, out, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (!provider_certificate_serves(paths[i], NULL))
			zp_log(ZP_LOG_WARN, "%s: no key and valid certificate that belong together",
				paths[i]);
		else if (put_certificate(paths[i], hash, out, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < build->list->count; i++)
		if (build->own[i] && put_certificate(build->own[i], hash, out, err) < 0)
			return -1;
	return 0;
}

/* ---- building ---- */

/* Twice as many whenever they run out: rarely. */
static size_t slots_for(size_t used)
{
	size_t slots = MIN_SLOTS;

	while (slots < used + MIN_SPARE)
		slots *= 2;
	return slots;
}

static int build_proxies(const struct node_context *node, const struct provider_proxy_list *list,
	struct build *build, struct zp_error *err)
{
	size_t used[PROVIDER_HAPROXY_MODES] = { 0 };

	build->list = list;
	build->proxies = zp_calloc(list->count, sizeof(*build->proxies));
	build->own = zp_calloc(list->count, sizeof(*build->own));
	for (size_t i = 0; i < list->count; i++) {
		const struct provider_proxy *proxy = &list->items[i];

		build->proxies[i] = (struct provider_haproxy_proxy){
			.id = proxy->id,
			.fqdn = proxy->fqdn,
			.passthrough = proxy->passthrough,
			.redirect = proxy->redirect,
			.health = proxy->health,
			.servers = proxy->servers,
			.server_count = proxy->server_count,
			.slot = used[provider_haproxy_mode(proxy->passthrough)]++,
		};
		build->inspects |= proxy->passthrough;
		if (own_certificate(node, proxy, &build->own[i], err) < 0)
			return -1;
	}
	for (int mode = 0; mode < PROVIDER_HAPROXY_MODES; mode++)
		build->slots[mode] = slots_for(used[mode]);
	if (!build->inspects)
		build->slots[PROVIDER_HAPROXY_TCP] = 0;
	return 0;
}

static void put_config(const struct node_context *node, const struct build *build, const char *hash,
	struct zp_buf *out)
{
	zp_autofree char *stats = provider_haproxy_stats_socket(node);
	zp_autofree char *inner = zp_format("zplan-%s-tls", node_tag(node));
	zp_autofree char *host = part_path(node, "host", hash, "map");
	zp_autofree char *sni = part_path(node, "sni", hash, "map");
	zp_autofree char *plain = part_path(node, "plain", hash, "map");
	zp_autofree char *certificates = part_path(node, "crt", hash, "list");
	struct provider_haproxy_options options = {
		.address = node_wan_address(node),
		.stats_socket = stats,
		.inner_socket = inner,
		.host_map = host,
		.sni_map = sni,
		.plain_map = plain,
		.certificates = certificates,
		.inspects = build->inspects,
	};

	memcpy(options.slots, build->slots, sizeof(options.slots));
	provider_haproxy_config(&options, build->proxies, build->list->count, out);
}

static void hash_text(crypto_generichash_state *hash, const struct zp_buf *text)
{
	struct zp_str slice = zp_buf_slice(text);
	uint64_t len = slice.len;

	crypto_generichash_update(hash, (const unsigned char *)&len, sizeof(len));
	crypto_generichash_update(hash, (const unsigned char *)slice.ptr, slice.len);
}

/* salt makes a generation of its own out of what one had already; 0: none. */
static int build_fill(
	const struct node_context *node, struct build *build, int64_t salt, struct zp_error *err)
{
	uint8_t digest[HASH_BYTES];
	crypto_generichash_state hash;

	zp_buf_clear(&build->certificates);
	zp_buf_clear(&build->config);
	zp_buf_clear(&build->host_map);
	zp_buf_clear(&build->sni_map);
	zp_buf_clear(&build->plain_map);
	crypto_generichash_init(&hash, NULL, 0, sizeof(digest));
	crypto_generichash_update(&hash, (const unsigned char *)&salt, sizeof(salt));
	if (put_certificates(node, build, &hash, &build->certificates, err) < 0)
		return -1;
	provider_haproxy_map(
		build->proxies, build->list->count, PROVIDER_HAPROXY_HTTP, &build->host_map);
	provider_haproxy_map(
		build->proxies, build->list->count, PROVIDER_HAPROXY_TCP, &build->sni_map);
	provider_haproxy_plain_map(build->proxies, build->list->count, &build->plain_map);
	/* The text with no hash in its names stands for itself in the hash. */
	put_config(node, build, "", &build->config);
	hash_text(&hash, &build->config);
	hash_text(&hash, &build->host_map);
	hash_text(&hash, &build->sni_map);
	hash_text(&hash, &build->plain_map);
	crypto_generichash_final(&hash, digest, sizeof(digest));
	sodium_bin2hex(build->hash, sizeof(build->hash), digest, sizeof(digest));
	zp_buf_clear(&build->config);
	put_config(node, build, build->hash, &build->config);
	return 0;
}

static int write_part(const struct node_context *node, const char *kind, const char *hash,
	const char *ending, const struct zp_buf *text, struct zp_error *err)
{
	zp_autofree char *path = part_path(node, kind, hash, ending);

	return zp_file_write_atomic(path, zp_buf_slice(text), 0600, err);
}

static int write_parts(
	const struct node_context *node, const struct build *build, struct zp_error *err)
{
	if (write_part(node, "host", build->hash, "map", &build->host_map, err) < 0 ||
		write_part(node, "sni", build->hash, "map", &build->sni_map, err) < 0 ||
		write_part(node, "plain", build->hash, "map", &build->plain_map, err) < 0 ||
		write_part(node, "crt", build->hash, "list", &build->certificates, err) < 0)
		return -1;
	return 0;
}

/* Removes maps and lists of other generations ("": of all). Their files are read at start only. */
static void remove_parts(const struct node_context *node, const char *keep)
{
	zp_autofree char *folder = provider_gateway_folder(node);
	zp_autoclosedir DIR *dir = opendir(folder);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		struct zp_str name = zp_str(entry->d_name);
		zp_autofree char *path = zp_path_join(folder, entry->d_name);

		if (!zp_str_starts(name, "host-") && !zp_str_starts(name, "sni-") &&
			!zp_str_starts(name, "plain-") && !zp_str_starts(name, "crt-"))
			continue;
		if (!*keep || !strstr(entry->d_name, keep))
			unlink(path);
	}
}

/* Removes certificates of names that are not served any more; list NULL: all. */
static void remove_certificates(
	const struct node_context *node, const struct provider_proxy_list *list)
{
	zp_autofree char *folder = zp_format("%s/gateway/certs", node_root(node));
	zp_autoclosedir DIR *dir = opendir(folder);
	struct zp_map names = { 0 };
	const struct dirent *entry;

	for (size_t i = 0; list && i < list->count; i++)
		zp_map_set(&names, zp_str(list->items[i].fqdn), &list->items[i]);
	while (dir && (entry = readdir(dir))) {
		struct zp_str name = zp_str(entry->d_name);
		zp_autofree char *path = zp_path_join(folder, entry->d_name);

		if (zp_str_ends(name, ".pem") &&
			!zp_map_has(&names, zp_strn(name.ptr, name.len - strlen(".pem"))))
			unlink(path);
	}
	zp_map_release(&names);
}

/* ---- switching ---- */

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int wait_for_generation(struct node_context *node, const char *hash, struct zp_error *err)
{
	int64_t start = now_ms();
	zp_autobuf alerts = ZP_BUF_INIT;

	for (int pause = 10; now_ms() - start < TAKE_OVER_MS;
		pause = pause < 100 ? pause * 2 : 100) {
		if (provider_haproxy_has_loaded(node, hash) && provider_haproxy_is_alone(node))
			return 0;
		/* A first start that fails shows soon; the supervisor would only try again. */
		if (now_ms() - start > 1000 && node_helper_pid(node, PROVIDER_HAPROXY_HELPER) <= 0)
			break;
		poll(NULL, 0, pause);
	}
	provider_haproxy_last_alerts(node, &alerts);
	return zp_error_set(
		err, "HAProxy did not take over its configuration%s", zp_buf_slice(&alerts).ptr);
}

static int check_config(const char *path, struct zp_error *err)
{
	struct zp_process_options options = { .timeout_ms = CHECK_TIMEOUT_MS };
	struct zp_process_result result = { 0 };
	zp_autobuf alerts = ZP_BUF_INIT;
	zp_autoerror problem = ZP_ERROR_INIT;
	int rc = zp_run(
		(const char *[]){ HAPROXY, "-c", "-f", path, NULL }, &options, &result, &problem);

	provider_haproxy_alerts(zp_buf_slice(&result.err).ptr, &alerts);
	zp_process_result_release(&result);
	if (rc == 0)
		return 0;
	return zp_error_set(err, "HAProxy rejects its configuration%s",
		alerts.len ? alerts.ptr : zp_error_text(&problem));
}

/* The configuration beside the running one, checked, then in its place. */
static int install_config(
	const struct node_context *node, const struct build *build, struct zp_error *err)
{
	zp_autofree char *path = zp_format("%s/gateway/haproxy.cfg", node_root(node));
	zp_autofree char *candidate = zp_format("%s.new", path);

	if (write_parts(node, build, err) < 0 ||
		zp_file_write_atomic(candidate, zp_buf_slice(&build->config), 0600, err) < 0)
		return -1;
	if (check_config(candidate, err) < 0) {
		unlink(candidate);
		return -1;
	}
	if (rename(candidate, path) < 0)
		return zp_error_errno(err, "replacing %s", path);
	return zp_file_sync_parent(path, err);
}

static int start_or_reload(struct node_context *node, struct zp_error *err)
{
	zp_autofree char *config = zp_format("%s/gateway/haproxy.cfg", node_root(node));
	zp_autofree char *master = provider_haproxy_master_socket(node);
	zp_autofree char *listen = zp_format("%s,mode,600", master);
	zp_autofree char *run = zp_path_join(node_root(node), "run");
	const char *const argv[] = { HAPROXY, "-W", "-f", config, "-S", listen, NULL };
	bool running = node_helper_pid(node, PROVIDER_HAPROXY_HELPER) > 0;

	if (zp_mkdirs(run, 0700, err) < 0)
		return -1;
	/* Also when it runs: the node may not yet know it after a restart of the agent. */
	if (node_helper_start(node, PROVIDER_HAPROXY_HELPER, argv, err) < 0)
		return -1;
	return running ? provider_haproxy_reload(node, err) : 0;
}

static int stop_engine(struct node_context *node, struct zp_error *err)
{
	zp_autofree char *config = zp_format("%s/gateway/haproxy.cfg", node_root(node));
	zp_autofree char *stats = provider_haproxy_stats_socket(node);
	zp_autofree char *master = provider_haproxy_master_socket(node);

	if (node_helper_stop(node, PROVIDER_HAPROXY_HELPER, err) < 0)
		return -1;
	unlink(config);
	unlink(stats);
	unlink(master);
	remove_parts(node, "");
	remove_certificates(node, NULL);
	changed_at = 0;
	return 0;
}

/* ---- the whole ---- */

/* What was loaded is what the live knows from now on. */
static void note_generation(struct node_context *node, const struct build *build)
{
	size_t used[PROVIDER_HAPROXY_MODES] = { 0 };
	struct provider_live_paths paths = {
		.host_map = part_path(node, "host", build->hash, "map"),
		.sni_map = part_path(node, "sni", build->hash, "map"),
		.plain_map = part_path(node, "plain", build->hash, "map"),
		.certificates = part_path(node, "crt", build->hash, "list"),
	};

	provider_live_begin(&live, provider_haproxy_worker(node), build->inspects, &paths);
	changed_at = 0;
	free(live_root);
	live_root = zp_strdup(node_root(node));
	for (size_t i = 0; i < build->list->count; i++) {
		zp_autofree char *text = provider_proxy_encode(&build->list->items[i]);

		provider_live_note(
			&live, &build->list->items[i], text, build->own[i], build->proxies[i].slot);
		used[provider_haproxy_mode(build->proxies[i].passthrough)]++;
	}
	/* Taken from the end: the first ones first. */
	for (int mode = 0; mode < PROVIDER_HAPROXY_MODES; mode++)
		for (size_t slot = build->slots[mode]; slot > used[mode]; slot--)
			provider_live_spare(&live, (enum provider_haproxy_mode)mode, slot - 1);
}

static bool is_unchanged(struct node_context *node, const struct build *build)
{
	zp_autofree char *plain = part_path(node, "plain", build->hash, "map");

	return !provider_live_was_changed(node, plain);
}

static int switch_generation(
	struct node_context *node, const struct provider_proxy_list *list, struct zp_error *err)
{
	zp_cleanup(build_release) struct build build = { 0 };

	if (build_proxies(node, list, &build, err) < 0 || build_fill(node, &build, 0, err) < 0)
		return -1;
	if (provider_haproxy_has_loaded(node, build.hash)) {
		if (is_unchanged(node, &build)) {
			note_generation(node, &build);
			return 0;
		}
		if (build_fill(node, &build, now_ms(), err) < 0)
			return -1;
	}
	provider_live_forget(&live);
	if (install_config(node, &build, err) < 0)
		return -1;
	if (start_or_reload(node, err) < 0 || wait_for_generation(node, build.hash, err) < 0)
		return -1;
	note_generation(node, &build);
	remove_parts(node, build.hash);
	remove_certificates(node, list);
	return 0;
}

/*
 * Writes what is served into the files, which HAProxy would start from if it died. Certificates
 * that the files name stay for as long.
 */
static int write_files(struct node_context *node, struct zp_error *err)
{
	zp_cleanup(build_release) struct build build = { 0 };
	provider_autoproxies list = { 0 };

	if (provider_store_list(node, &list, err) < 0 ||
		build_proxies(node, &list, &build, err) < 0 ||
		build_fill(node, &build, 0, err) < 0 || install_config(node, &build, err) < 0)
		return -1;
	remove_parts(node, build.hash);
	remove_certificates(node, &list);
	return 0;
}

static int apply_locked(struct node_context *node, struct zp_error *err)
{
	zp_autofree char *folder = provider_gateway_folder(node);
	provider_autoproxies list = { 0 };

	if (zp_mkdirs(folder, 0700, err) < 0 || provider_store_list(node, &list, err) < 0)
		return -1;
	if (list.count > 0)
		return switch_generation(node, &list, err);
	provider_live_forget(&live);
	return stop_engine(node, err);
}

/* ---- one proxy ---- */

static bool is_known(struct node_context *node)
{
	return live.worker > 0 && live_root && strcmp(live_root, node_root(node)) == 0 &&
	       live.worker == provider_haproxy_worker(node);
}

/* 1: done; 0: only a load of everything can do it. */
static int change_live(struct node_context *node, const char *id, const char *text)
{
	zp_autoerror problem = ZP_ERROR_INIT;
	zp_autofree char *own = NULL;
	provider_autoproxy proxy = { 0 };
	int rc;

	if (!is_known(node))
		return 0;
	if (provider_live_is(&live, id, text))
		return 1;
	if (!provider_live_is_plain(&live, id))
		return 0;
	if (text && (provider_proxy_decode(text, &proxy, NULL) < 0 || proxy.health ||
			    own_certificate(node, &proxy, &own, NULL) < 0 ||
			    !provider_live_has_room(&live, node, &proxy)))
		return 0;
	/* HAProxy stops with the last. */
	if (!text && provider_live_count(&live) == 1)
		return 0;
	rc = text ? provider_live_put(&live, node, &proxy, text, own, &problem)
		  : provider_live_drop(&live, node, id, &problem);
	if (rc < 0)
		zp_log(ZP_LOG_INFO, "%s: %s; loading everything", id, zp_error_text(&problem));
	changed_at = now_ms();
	return rc == 0;
}

int provider_engine_change(struct node_context *node, const char *id, struct zp_error *err)
{
	zp_autofree char *text = NULL;
	int rc = -1;

	pthread_mutex_lock(&lock);
	if (provider_store_get(node, id, &text, err) == 0)
		rc = change_live(node, id, text) ? 0 : apply_locked(node, err);
	pthread_mutex_unlock(&lock);
	return rc;
}

size_t provider_engine_users(const char *network)
{
	size_t count;

	pthread_mutex_lock(&lock);
	count = provider_live_users(&live, network);
	pthread_mutex_unlock(&lock);
	return count;
}

/* ---- watching ---- */

/* Whether it is time again, which it is then not for so many seconds. */
static bool is_due(int64_t *next, int64_t seconds)
{
	int64_t now = now_ms();

	if (now < *next)
		return false;
	*next = now + seconds * 1000 - 100;
	return true;
}

/* Whether the files of node.hcl's certificates are others than when last asked. */
static bool certificates_changed(const struct node_context *node)
{
	static uint64_t before;
	size_t count;
	const char *const *paths = node_gateway_certificates(node, &count);
	zp_autobuf all = ZP_BUF_INIT;
	uint64_t hash;
	bool changed;

	for (size_t i = 0; i < count; i++) {
		struct stat info = { 0 };

		if (stat(paths[i], &info) == 0)
			zp_buf_printf(&all, "%llu %lld %lld.%ld\n", (unsigned long long)info.st_ino,
				(long long)info.st_size, (long long)info.st_mtim.tv_sec,
				info.st_mtim.tv_nsec);
	}
	hash = zp_str_hash(zp_buf_slice(&all));
	changed = before && before != hash;
	before = hash;
	return changed;
}

static bool needs_load(struct node_context *node)
{
	static int64_t restart_check, certificate_check, renewal_check;
	pid_t worker;

	if (live.worker == 0 || !is_due(&restart_check, RESTART_CHECK_SECONDS))
		return false;
	/* None: the supervisor starts it again. */
	worker = provider_haproxy_worker(node);
	if (worker > 0 && worker != live.worker)
		return true;
	if (is_due(&certificate_check, CERTIFICATE_CHECK_SECONDS) && certificates_changed(node))
		return true;
	/* Everything was looked at when it was first loaded. */
	if (!renewal_check)
		is_due(&renewal_check, RENEWAL_CHECK_SECONDS);
	return is_due(&renewal_check, RENEWAL_CHECK_SECONDS);
}

int provider_engine_watch(struct node_context *node, struct zp_error *err)
{
	int rc = 0;

	pthread_mutex_lock(&lock);
	if (needs_load(node)) {
		rc = apply_locked(node, err);
	} else if (live.worker && changed_at && now_ms() - changed_at > SETTLING_MS) {
		changed_at = 0;
		rc = write_files(node, err);
	}
	pthread_mutex_unlock(&lock);
	return rc;
}

#include "providers/gateway/engine.h"

#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <sodium.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/process.h"
#include "base/vec.h"
#include "providers/gateway/certificate.h"
#include "providers/gateway/control.h"
#include "providers/gateway/haproxy.h"
#include "providers/gateway/store.h"

#define HAPROXY "/usr/sbin/haproxy"
#define HASH_BYTES 16
#define HASH_TEXT (HASH_BYTES * 2 + 1)
#define TAKE_OVER_MS 15000
#define CHECK_TIMEOUT_MS 60000
#define CERTIFICATE_LIMIT ((size_t)64 * 1024)

/* Everything a generation consists of, in memory. */
struct build {
	struct zp_buf config, host_map, sni_map, certificates;
	char hash[HASH_TEXT];
};

static void build_release(struct build *build)
{
	zp_buf_release(&build->config);
	zp_buf_release(&build->host_map);
	zp_buf_release(&build->sni_map);
	zp_buf_release(&build->certificates);
}

/* <root>/gateway/<kind>-<hash>.<ending> */
static char *part_path(
	const struct node_context *node, const char *kind, const char *hash, const char *ending)
{
	return zp_format("%s/gateway/%s-%s.%s", node_root(node), kind, hash, ending);
}

/* ---- building ---- */

static void put_config(const struct node_context *node,
	const struct provider_haproxy_proxy *proxies, size_t count, const char *hash,
	struct zp_buf *out)
{
	zp_autofree char *stats = provider_haproxy_stats_socket(node);
	zp_autofree char *inner = zp_format("zplan-%s-tls", node_tag(node));
	zp_autofree char *host = part_path(node, "host", hash, "map");
	zp_autofree char *sni = part_path(node, "sni", hash, "map");
	zp_autofree char *list = part_path(node, "crt", hash, "list");
	struct provider_haproxy_options options = {
		.address = node_wan_address(node),
		.stats_socket = stats,
		.inner_socket = inner,
		.host_map = host,
		.sni_map = sni,
		.certificates = list,
	};

	provider_haproxy_config(&options, proxies, count, out);
}

/* Lists the certificates, and adds their content to the hash: a renewed one is a new generation. */
static int put_certificates(const struct node_context *node, const struct provider_proxy_list *list,
	crypto_generichash_state *hash, struct zp_buf *out, struct zp_error *err)
{
	zp_autofree char *folder = provider_gateway_folder(node);

	for (size_t i = 0; i < list->count; i++) {
		zp_autofree char *path = NULL;
		zp_autobuf content = ZP_BUF_INIT;

		if (list->items[i].passthrough)
			continue;
		path = provider_certificate_path(folder, list->items[i].fqdn);
		if (zp_file_read(path, CERTIFICATE_LIMIT, &content, err) < 0)
			return zp_error_wrap(err, "certificate of %s", list->items[i].fqdn);
		crypto_generichash_update(hash, (const unsigned char *)content.ptr, content.len);
		zp_buf_printf(out, "%s\n", path);
	}
	return 0;
}

static void hash_text(crypto_generichash_state *hash, const struct zp_buf *text)
{
	struct zp_str slice = zp_buf_slice(text);
	uint64_t len = slice.len;

	crypto_generichash_update(hash, (const unsigned char *)&len, sizeof(len));
	crypto_generichash_update(hash, (const unsigned char *)slice.ptr, slice.len);
}

static int build_fill(const struct node_context *node, const struct provider_proxy_list *list,
	struct build *build, struct zp_error *err)
{
	zp_autofree struct provider_haproxy_proxy *proxies =
		zp_calloc(list->count, sizeof(*proxies));
	uint8_t digest[HASH_BYTES];
	crypto_generichash_state hash;

	for (size_t i = 0; i < list->count; i++)
		proxies[i] = (struct provider_haproxy_proxy){
			.id = list->items[i].id,
			.fqdn = list->items[i].fqdn,
			.passthrough = list->items[i].passthrough,
			.servers = list->items[i].servers,
			.server_count = list->items[i].server_count,
		};
	crypto_generichash_init(&hash, NULL, 0, sizeof(digest));
	if (put_certificates(node, list, &hash, &build->certificates, err) < 0)
		return -1;
	provider_haproxy_map(proxies, list->count, false, &build->host_map);
	provider_haproxy_map(proxies, list->count, true, &build->sni_map);
	/* The text with no hash in its names stands for itself in the hash. */
	put_config(node, proxies, list->count, "", &build->config);
	hash_text(&hash, &build->config);
	hash_text(&hash, &build->host_map);
	hash_text(&hash, &build->sni_map);
	crypto_generichash_final(&hash, digest, sizeof(digest));
	sodium_bin2hex(build->hash, sizeof(build->hash), digest, sizeof(digest));
	zp_buf_clear(&build->config);
	put_config(node, proxies, list->count, build->hash, &build->config);
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
			!zp_str_starts(name, "crt-"))
			continue;
		if (!*keep || !strstr(entry->d_name, keep))
			unlink(path);
	}
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
	return 0;
}

/* Certificates that are missing, damaged or about to expire are made anew. */
static int repair_certificates(const struct node_context *node,
	const struct provider_proxy_list *list, struct zp_error *err)
{
	zp_autofree char *folder = provider_gateway_folder(node);
	zp_autofree char *authority = zp_format("zplan gateway %s", node_name(node));

	for (size_t i = 0; i < list->count; i++) {
		const struct provider_proxy *proxy = &list->items[i];

		if (!proxy->passthrough &&
			provider_certificate_ensure(folder, authority, proxy->fqdn, err) < 0)
			return -1;
	}
	return 0;
}

static int switch_generation(
	struct node_context *node, const struct provider_proxy_list *list, struct zp_error *err)
{
	zp_cleanup(build_release) struct build build = { 0 };

	if (build_fill(node, list, &build, err) < 0)
		return -1;
	if (provider_haproxy_has_loaded(node, build.hash))
		return 0;
	if (install_config(node, &build, err) < 0)
		return -1;
	if (start_or_reload(node, err) < 0 || wait_for_generation(node, build.hash, err) < 0)
		return -1;
	remove_parts(node, build.hash);
	return 0;
}

static int apply_locked(struct node_context *node, struct zp_error *err)
{
	zp_autofree char *folder = provider_gateway_folder(node);
	provider_autoproxies list = { 0 };

	if (zp_mkdirs(folder, 0700, err) < 0 || provider_store_list(node, &list, err) < 0)
		return -1;
	if (list.count == 0)
		return stop_engine(node, err);
	if (repair_certificates(node, &list, err) < 0)
		return -1;
	return switch_generation(node, &list, err);
}

int provider_engine_apply(struct node_context *node, struct zp_error *err)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	int rc;

	pthread_mutex_lock(&lock);
	rc = apply_locked(node, err);
	pthread_mutex_unlock(&lock);
	return rc;
}

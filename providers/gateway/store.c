#include "providers/gateway/store.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "base/vec.h"

#define FILE_LIMIT ((size_t)64 * 1024)
#define SUFFIX ".json"

void provider_proxy_release(struct provider_proxy *proxy)
{
	free(proxy->id);
	free(proxy->fqdn);
	free(proxy->health);
	free(proxy->network);
	memset(proxy, 0, sizeof(*proxy));
}

void provider_proxy_list_release(struct provider_proxy_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		provider_proxy_release(&list->items[i]);
	zp_vec_release(list);
}

static cJSON *encode_server(const struct provider_proxy *proxy, size_t i)
{
	const struct provider_gateway_backend *server = &proxy->servers[i];
	const struct provider_forward *forward = &proxy->forwards[i];
	char address[PROVIDER_IPV4_TEXT];
	cJSON *json = cJSON_CreateObject();

	cJSON_AddStringToObject(json, "host", server->host);
	cJSON_AddNumberToObject(json, "port", server->port);
	if (server->tls)
		cJSON_AddTrueToObject(json, "tls");
	if (proxy->network) {
		provider_ipv4_format(forward->address, address);
		cJSON_AddStringToObject(json, "to", address);
		cJSON_AddNumberToObject(json, "to_port", forward->to_port);
	}
	return json;
}

char *provider_proxy_encode(const struct provider_proxy *proxy)
{
	cJSON *json = cJSON_CreateObject();
	cJSON *servers;
	char *text;

	cJSON_AddStringToObject(json, "id", proxy->id);
	cJSON_AddStringToObject(json, "fqdn", proxy->fqdn);
	cJSON_AddBoolToObject(json, "tls_passthrough", proxy->passthrough);
	if (proxy->redirect)
		cJSON_AddTrueToObject(json, "redirect_https");
	if (proxy->health)
		cJSON_AddStringToObject(json, "health_check", proxy->health);
	if (proxy->network)
		cJSON_AddStringToObject(json, "network", proxy->network);
	servers = cJSON_AddArrayToObject(json, "servers");
	for (size_t i = 0; i < proxy->server_count; i++)
		cJSON_AddItemToArray(servers, encode_server(proxy, i));
	text = cJSON_Print(json);
	cJSON_Delete(json);
	return text;
}

/* Heap copy of a text member, NULL when there is none. */
static char *text_member(const cJSON *json, const char *name)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));

	return text ? zp_strdup(text) : NULL;
}

static int port_member(const cJSON *json, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);

	return cJSON_IsNumber(item) && item->valueint > 0 && item->valueint < 65536 ? item->valueint
										    : 0;
}

static bool decode_server(const cJSON *json, struct provider_proxy *proxy)
{
	size_t i = proxy->server_count;
	struct provider_gateway_backend *server = &proxy->servers[i];
	const char *host = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "host"));
	const char *to = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "to"));

	if (i == PROVIDER_GATEWAY_MAX_BACKENDS || !host || strlen(host) >= sizeof(server->host))
		return false;
	memcpy(server->host, host, strlen(host) + 1);
	server->port = port_member(json, "port");
	server->tls = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "tls"));
	proxy->forwards[i].port = server->port;
	proxy->forwards[i].to_port = port_member(json, "to_port");
	proxy->server_count++;
	if (proxy->network && (!to || !provider_ipv4_parse(to, &proxy->forwards[i].address) ||
				      !proxy->forwards[i].to_port))
		return false;
	return server->port > 0;
}

static bool decode(const cJSON *json, struct provider_proxy *proxy)
{
	const cJSON *servers = cJSON_GetObjectItemCaseSensitive(json, "servers");
	const cJSON *item;

	proxy->id = text_member(json, "id");
	proxy->fqdn = text_member(json, "fqdn");
	proxy->health = text_member(json, "health_check");
	proxy->network = text_member(json, "network");
	proxy->passthrough =
		cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "tls_passthrough"));
	proxy->redirect = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "redirect_https"));
	cJSON_ArrayForEach(item, servers) if (!decode_server(item, proxy)) return false;
	return proxy->id && proxy->fqdn && proxy->server_count > 0;
}

int provider_proxy_decode(const char *text, struct provider_proxy *proxy, struct zp_error *err)
{
	cJSON *json = cJSON_Parse(text);
	bool ok;

	memset(proxy, 0, sizeof(*proxy));
	ok = cJSON_IsObject(json) && decode(json, proxy);
	cJSON_Delete(json);
	if (ok)
		return 0;
	provider_proxy_release(proxy);
	return zp_error_set(err, "not a stored proxy");
}

char *provider_gateway_folder(const struct node_context *node)
{
	return zp_path_join(node_root(node), "gateway");
}

static char *store_path(const struct node_context *node, const char *id)
{
	char *path = zp_format("%s/gateway/proxies/%s" SUFFIX, node_root(node), id);

	for (char *c = path + strlen(node_root(node)) + strlen("/gateway/proxies/"); *c; c++)
		if (*c == '/')
			*c = '~';
	return path;
}

/* 1 and the content, 0 when there is no such file, -1. */
static int read_file(const char *path, char **text, struct zp_error *err)
{
	zp_autobuf content = ZP_BUF_INIT;
	zp_autoerror problem = ZP_ERROR_INIT;

	*text = NULL;
	if (zp_file_read(path, FILE_LIMIT, &content, &problem) < 0) {
		if (problem.code == ENOENT)
			return 0;
		return zp_error_code(err, problem.code, "%s", problem.message);
	}
	*text = zp_buf_steal(&content);
	return 1;
}

int provider_store_get(
	const struct node_context *node, const char *id, char **text, struct zp_error *err)
{
	zp_autofree char *path = store_path(node, id);

	return read_file(path, text, err) < 0 ? -1 : 0;
}

int provider_store_put(
	const struct node_context *node, const char *id, const char *text, struct zp_error *err)
{
	zp_autofree char *path = store_path(node, id);
	zp_autofree char *folder = zp_format("%s/gateway/proxies", node_root(node));

	if (!text) {
		if (unlink(path) < 0 && errno != ENOENT)
			return zp_error_errno(err, "removing %s", path);
		return 0;
	}
	if (zp_mkdirs(folder, 0700, err) < 0)
		return -1;
	return zp_file_write_atomic(path, zp_str(text), 0600, err);
}

static int compare_fqdn(const void *a, const void *b)
{
	return strcmp(
		((const struct provider_proxy *)a)->fqdn, ((const struct provider_proxy *)b)->fqdn);
}

static int add_file(const char *path, struct provider_proxy_list *out, struct zp_error *err)
{
	zp_autofree char *text = NULL;
	zp_autoerror damage = ZP_ERROR_INIT;
	struct provider_proxy proxy;
	int found = read_file(path, &text, err);

	/* Gone since the folder was listed: removed by another call. */
	if (found <= 0)
		return found;
	/* A damaged file costs its own proxy only; the workload then reads as degraded. */
	if (provider_proxy_decode(text, &proxy, &damage) < 0)
		zp_log(ZP_LOG_WARN, "%s: %s", path, zp_error_text(&damage));
	else
		zp_vec_push(out, proxy);
	return 0;
}

static int list_folder(const char *folder, struct provider_proxy_list *out, struct zp_error *err)
{
	zp_autoclosedir DIR *dir = opendir(folder);
	const struct dirent *entry;

	if (!dir)
		return errno == ENOENT ? 0 : zp_error_errno(err, "reading %s", folder);
	while ((entry = readdir(dir))) {
		zp_autofree char *path = zp_path_join(folder, entry->d_name);

		if (zp_str_ends(zp_str(entry->d_name), SUFFIX) && add_file(path, out, err) < 0)
			return -1;
	}
	return 0;
}

int provider_store_list(
	const struct node_context *node, struct provider_proxy_list *out, struct zp_error *err)
{
	zp_autofree char *folder = zp_format("%s/gateway/proxies", node_root(node));

	memset(out, 0, sizeof(*out));
	if (list_folder(folder, out, err) < 0) {
		provider_proxy_list_release(out);
		return -1;
	}
	if (out->count > 1)
		qsort(out->items, out->count, sizeof(*out->items), compare_fqdn);
	return 0;
}

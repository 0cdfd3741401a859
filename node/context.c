#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "node/client.h"
#include "node/context_internal.h"

struct node_context *node_context_new(const char *root)
{
	struct node_context *node = zp_calloc(1, sizeof(*node));

	node->root = zp_strdup(root);
	pthread_mutex_init(&node->helper_lock, NULL);
	return node;
}

void node_context_free(struct node_context *node)
{
	struct node_settings *s = &node->settings;
	char *texts[] = { s->name, s->tag, s->domain, s->wan_interface, s->wan_address,
		s->libvirt_uri, s->acceleration, s->dedicated, s->public_bridge,
		s->public_gateway, s->public_prefix6 };

	cJSON_Delete(s->labels);
	cJSON_Delete(s->mirrors);
	node_helpers_release(node);
	node_registry_close(node->registry);
	for (size_t i = 0; i < ZP_ARRAY_SIZE(texts); i++)
		free(texts[i]);
	for (size_t i = 0; i < s->quotas.count; i++)
		free(s->quotas.items[i].tenant);
	zp_vec_release(&s->quotas);
	for (size_t i = 0; i < s->public_addresses.count; i++)
		free(s->public_addresses.items[i]);
	zp_vec_release(&s->public_addresses);
	for (size_t i = 0; i < s->certificates.count; i++)
		free(s->certificates.items[i]);
	zp_vec_release(&s->certificates);
	for (size_t i = 0; i < s->planetary_peers.count; i++)
		free(s->planetary_peers.items[i]);
	zp_vec_release(&s->planetary_peers);
	for (size_t i = 0; i < s->planetary_listen.count; i++)
		free(s->planetary_listen.items[i]);
	zp_vec_release(&s->planetary_listen);
	pthread_mutex_destroy(&node->helper_lock);
	free(node->root);
	free(node);
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

const char *node_root(const struct node_context *node)
{
	return node->root;
}

const char *node_name(const struct node_context *node)
{
	return or_empty(node->settings.name);
}

const char *node_tag(const struct node_context *node)
{
	return or_empty(node->settings.tag);
}

const char *node_domain(const struct node_context *node)
{
	return or_empty(node->settings.domain);
}

char *node_mirror_of(const struct node_context *node, const char *url)
{
	const cJSON *mirror, *best = NULL;

	cJSON_ArrayForEach (mirror, node->settings.mirrors)
		if (zp_str_starts(zp_str(url), mirror->string) &&
			(!best || strlen(mirror->string) > strlen(best->string)))
			best = mirror;
	return best ? zp_format("%s%s", best->valuestring, url + strlen(best->string)) : NULL;
}

const char *node_public_bridge(const struct node_context *node)
{
	return or_empty(node->settings.public_bridge);
}

const char *node_public_gateway(const struct node_context *node)
{
	return or_empty(node->settings.public_gateway);
}

const char *node_public_prefix6(const struct node_context *node)
{
	return or_empty(node->settings.public_prefix6);
}

const char *const *node_public_addresses(const struct node_context *node, size_t *count)
{
	*count = node->settings.public_addresses.count;
	return (const char *const *)node->settings.public_addresses.items;
}

bool node_is_planetary(const struct node_context *node)
{
	return node->settings.planetary;
}

const char *const *node_planetary_peers(const struct node_context *node, size_t *count)
{
	*count = node->settings.planetary_peers.count;
	return (const char *const *)node->settings.planetary_peers.items;
}

const char *const *node_planetary_listen(const struct node_context *node, size_t *count)
{
	*count = node->settings.planetary_listen.count;
	return (const char *const *)node->settings.planetary_listen.items;
}

const char *node_wan_interface(const struct node_context *node)
{
	return or_empty(node->settings.wan_interface);
}

const char *node_wan_address(const struct node_context *node)
{
	return or_empty(node->settings.wan_address);
}

const char *node_libvirt_uri(const struct node_context *node)
{
	return or_empty(node->settings.libvirt_uri);
}

const char *node_acceleration(const struct node_context *node)
{
	return or_empty(node->settings.acceleration);
}

const char *const *node_gateway_certificates(const struct node_context *node, size_t *count)
{
	*count = node->settings.certificates.count;
	return (const char *const *)node->settings.certificates.items;
}

static char *workload_path(const struct node_context *node, const char *id)
{
	char *path = zp_format("%s/workloads/%s", node->root, id);

	for (char *p = path + strlen(node->root) + strlen("/workloads/"); *p; p++)
		if (*p == '/')
			*p = '~';
	return path;
}

char *node_workload_dir(struct node_context *node, const char *id, struct zp_error *err)
{
	char *path = workload_path(node, id);

	if (zp_mkdirs(path, 0700, err) < 0) {
		free(path);
		return NULL;
	}
	return path;
}

int node_workload_dir_remove(struct node_context *node, const char *id, struct zp_error *err)
{
	zp_autofree char *path = workload_path(node, id);

	return zp_remove_tree(path, err);
}

void node_short_name(const char *prefix, const char *tag, const char *id, char out[16])
{
	static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
	zp_autofree char *text = zp_format("%s\n%s", tag, id);
	uint64_t hash = zp_str_hash(zp_str(text));
	size_t n = 0;

	for (const char *p = prefix; *p && n < 6; p++)
		out[n++] = *p;
	out[n++] = '-';
	while (n < 15) {
		out[n++] = digits[hash & 31];
		hash = hash >> 5 | hash << 59;
	}
	out[15] = 0;
}

struct node_workload *node_find(struct node_context *node, const char *id)
{
	return node_registry_get(node->registry, id);
}

int node_check_own(struct node_context *node, const struct node_workload *w, const char *id,
	struct zp_error *err)
{
	struct node_workload *other = node_find(node, id);
	bool own = other && strcmp(other->tenant, w->tenant) == 0;

	node_workload_free(other);
	if (own || !*w->tenant)
		return 0;
	/* The same words whether it is somebody else's or nobody's. */
	return zp_error_code(err, NODE_E_DENIED, "node %s has no workload %s for you",
		node_name(node), id);
}

void node_each(struct node_context *node, const char *type,
	bool (*fn)(void *data, const struct node_workload *w), void *data)
{
	size_t count;
	struct node_workload **all = node_registry_all(node->registry, type, &count);
	bool more = true;

	for (size_t i = 0; i < count; i++) {
		more = more && fn(data, all[i]);
		node_workload_free(all[i]);
	}
	free(all);
}

int node_lease_int(struct node_context *node, const char *pool, const char *holder, int64_t from,
	int64_t to, int64_t *out, struct zp_error *err)
{
	return node_registry_lease_int(node->registry, pool, holder, from, to, out, err);
}

int node_lease_take(struct node_context *node, const char *pool, const char *holder,
	const char *member, struct zp_error *err)
{
	return node_registry_lease_take(node->registry, pool, holder, member, err);
}

int node_lease_release(struct node_context *node, const char *pool, const char *holder,
	struct zp_error *err)
{
	return node_registry_lease_release(node->registry, pool, holder, err);
}

void node_progress(struct node_context *node, const char *id, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	zp_autofree char *text = zp_vformat(fmt, ap);
	va_end(ap);
	if (node->progress)
		node->progress(node, id, text);
}

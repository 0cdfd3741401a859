#include "modules/registry.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/version.h"
#include "modules/http.h"

#define SERVICE "modules.v1"
#define WHERE "X-Terraform-Get"

/* ---- the host ---- */

static const struct module_host *find_host(const struct module_registry *registry, const char *name)
{
	for (size_t i = 0; i < registry->host_count; i++)
		if (strcmp(registry->hosts[i].name, name) == 0)
			return &registry->hosts[i];
	return NULL;
}

/* "host" of "host/namespace/name/system". Heap. */
static char *host_of(const struct module_address *address)
{
	return zp_strndup(address->package, strcspn(address->package, "/"));
}

static char *with_slash(char *url)
{
	if (!*url || url[strlen(url) - 1] == '/')
		return url;
	char *longer = zp_format("%s/", url);
	free(url);
	return longer;
}

/* The address of the host's service out of its document. Heap. */
static char *read_services(const char *base, const char *text, const char *host, struct zp_error *err)
{
	cJSON *document = cJSON_Parse(text ? text : "");
	const char *found = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(document, SERVICE));
	char *url = found ? module_http_resolve(base, found) : NULL;

	if (!document)
		zp_error_set(err, "%s answered something that is no JSON when asked for its services", host);
	else if (!found)
		zp_error_set(err, "host %s does not provide a module registry", host);
	else if (!url || strncmp(url, "https://", 8) != 0)
		zp_error_set(err, "host %s has its modules at \"%s\", which is no https address", host, found);
	cJSON_Delete(document);
	if (url && strncmp(url, "https://", 8) == 0)
		return with_slash(url);
	free(url);
	return NULL;
}

static char *discover(const struct module_host *known, const char *host, struct zp_error *err)
{
	zp_autofree char *url = zp_format("https://%s/.well-known/terraform.json", host);
	struct module_http http = { .url = url, .token = known ? known->token : NULL };
	zp_autobuf text = ZP_BUF_INIT;
	zp_autoerror why = ZP_ERROR_INIT;
	char *service = NULL;

	if (module_http_text(&http, &text, &why) < 0)
		zp_error_set(err, "failed to discover the services of %s: %s", host, zp_error_text(&why));
	else
		service = read_services(http.arrived, text.ptr, host, err);
	module_http_release(&http);
	return service;
}

static const char *service_of(struct module_registry *registry, const char *host, struct zp_error *err)
{
	const struct module_host *known = find_host(registry, host);
	char *service = zp_map_get(&registry->services, zp_str(host));

	if (service)
		return service;
	service = known && known->modules ? with_slash(zp_strdup(known->modules)) :
					    discover(known, host, err);
	if (service)
		zp_map_set(&registry->services, zp_str(zp_strdup(host)), service);
	return service;
}

/* ---- versions ---- */

static const char *version_text(const cJSON *entry)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "version"));
}

/* The newest that meets the constraints; in any, the newest of all that are no pre-releases. */
static const char *choose(const cJSON *versions, const char *constraints, const char **any,
	struct zp_error *err)
{
	const char *best = NULL;
	const cJSON *entry;

	*any = NULL;
	cJSON_ArrayForEach(entry, versions) {
		const char *version = version_text(entry);
		int order;
		if (!version || !zp_version_compare(version, version, &order))
			continue;
		bool released = zp_version_meets(version, ">= 0", NULL);
		if (released && (!*any || (zp_version_compare(version, *any, &order) && order > 0)))
			*any = version;
		if (!(constraints ? zp_version_meets(version, constraints, err) : released))
			continue;
		if (!best || (zp_version_compare(version, best, &order) && order > 0))
			best = version;
	}
	return best;
}

/* Heap; NULL after an error. */
static char *choose_version(const char *text, const char *constraints, struct zp_error *err)
{
	cJSON *document = cJSON_Parse(text ? text : "");
	const cJSON *modules = cJSON_GetObjectItemCaseSensitive(document, "modules");
	const cJSON *versions = cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(modules, 0), "versions");
	zp_autoerror malformed = ZP_ERROR_INIT;
	const char *any = NULL, *best = choose(versions, constraints, &any, &malformed);
	char *version = best ? zp_strdup(best) : NULL;

	if (!cJSON_IsArray(versions))
		zp_error_set(err, "the registry's list of versions is not in the form of one");
	else if (malformed.message)
		zp_error_code(err, MODULE_MALFORMED_CONSTRAINT, "%s", zp_error_text(&malformed));
	else if (!version)
		zp_error_code(err, MODULE_NO_SUCH_VERSION, "%s", any ? any : "");
	cJSON_Delete(document);
	return version;
}

/* ---- where it is ---- */

/* "./x" and "/x" are meant from where they were read; all else is a source as in a module block. */
static char *resolve_source(const char *base, const char *source, struct zp_error *err)
{
	if (*source != '/' && strncmp(source, "./", 2) != 0 && strncmp(source, "../", 3) != 0)
		return zp_strdup(source);
	char *url = module_http_resolve(base, source);
	if (!url)
		zp_error_set(err, "\"%s\" is no address", source);
	return url;
}

static char *find_source(const char *url, const char *token, struct zp_error *err)
{
	struct module_http http = { .url = url, .token = token, .header = WHERE };
	zp_autobuf text = ZP_BUF_INIT;
	char *source = NULL;

	if (module_http_text(&http, &text, err) == 0) {
		cJSON *document = cJSON_Parse(text.len ? text.ptr : "");
		const char *location =
			cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(document, "location"));
		if (http.value && *http.value)
			source = resolve_source(http.arrived, http.value, err);
		else if (location)
			source = resolve_source(http.arrived, location, err);
		else
			zp_error_set(err, "the registry does not say where the module is (no " WHERE
				" in its answer)");
		cJSON_Delete(document);
	}
	module_http_release(&http);
	return source;
}

/* Heap; NULL after an error. */
static char *list_versions(const char *base, const char *token, const char *constraints, struct zp_error *err)
{
	zp_autofree char *url = zp_format("%s/versions", base);
	struct module_http http = { .url = url, .token = token };
	zp_autobuf text = ZP_BUF_INIT;
	char *version = NULL;

	if (module_http_text(&http, &text, err) == 0)
		version = choose_version(text.ptr, constraints, err);
	else if (http.status == 404)
		err->code = MODULE_NOT_IN_REGISTRY;
	module_http_release(&http);
	return version;
}

int module_registry_find(struct module_registry *registry, const struct module_address *address,
	const char *constraints, struct module_release *release, struct zp_error *err)
{
	zp_autofree char *host = host_of(address);
	const char *service = service_of(registry, host, err);
	const struct module_host *known = find_host(registry, host);
	const char *token = known ? known->token : NULL;

	*release = (struct module_release){ 0 };
	if (!service)
		return -1;
	zp_autofree char *base = zp_format("%s%s", service, address->package + strlen(host) + 1);
	release->version = list_versions(base, token, constraints, err);
	if (!release->version)
		return -1;
	zp_autofree char *url = zp_format("%s/%s/download", base, release->version);
	release->source = find_source(url, token, err);
	if (release->source)
		return 0;
	module_release_free(release);
	return -1;
}

void module_release_free(struct module_release *release)
{
	free(release->version);
	free(release->source);
	*release = (struct module_release){ 0 };
}

void module_registry_release(struct module_registry *registry)
{
	for (size_t i = 0; i < registry->services.count; i++) {
		free((char *)registry->services.entries[i].key.ptr);
		free(registry->services.entries[i].value);
	}
	zp_map_release(&registry->services);
}

/* ---- pages ---- */

/* The value of an attribute in a tag: name="value". Empty when it has none. */
static struct zp_str tag_value(struct zp_str tag, const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i + length + 2 < tag.len; i++) {
		char quote = tag.ptr[i + length + 1];
		if (strncasecmp(tag.ptr + i, name, length) != 0 || tag.ptr[i + length] != '=' ||
			(quote != '"' && quote != '\''))
			continue;
		const char *start = tag.ptr + i + length + 2;
		const char *end = memchr(start, quote, (size_t)(tag.ptr + tag.len - start));
		return end ? zp_strn(start, (size_t)(end - start)) : (struct zp_str){ 0 };
	}
	return (struct zp_str){ 0 };
}

/* Of <meta name="terraform-get" content="...">. Heap; NULL: there is none. */
static char *meta_source(const char *text)
{
	for (const char *p = text; p && (p = strcasestr(p, "<meta")); p++) {
		struct zp_str tag = zp_strn(p, strcspn(p, ">"));
		struct zp_str content = tag_value(tag, "content");
		if (zp_str_is(tag_value(tag, "name"), "terraform-get") && content.len)
			return zp_strndup(content.ptr, content.len);
	}
	return NULL;
}

char *module_page_source(const char *url, struct zp_error *err)
{
	zp_autofree char *asking = zp_format("%s%sterraform-get=1", url, strchr(url, '?') ? "&" : "?");
	struct module_http http = { .url = asking, .header = WHERE };
	zp_autobuf text = ZP_BUF_INIT;
	char *source = NULL;

	if (module_http_text(&http, &text, err) == 0) {
		zp_autofree char *meta = http.value && *http.value ? NULL : meta_source(text.ptr);
		const char *said = meta ? meta : http.value;
		if (said && *said)
			source = resolve_source(http.arrived, said, err);
		else
			zp_error_set(err, "the page does not say where the module is: no " WHERE " header "
				"and no <meta name=\"terraform-get\">; of an archive, \"?archive=zip\" tells "
				"that it is one");
	}
	module_http_release(&http);
	return source;
}

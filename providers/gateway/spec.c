#include "providers/gateway/spec.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"

#define NETWORK_ID_MAX 200
#define HEALTH_MAX 200

/* 1 and the text, 0 when absent or null, -1 after an error. */
static int text_field(const cJSON *json, const char *name, const char **out, struct zp_error *err)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);

	*out = NULL;
	if (!item || cJSON_IsNull(item))
		return 0;
	if (!cJSON_IsString(item))
		return zp_error_set(err, "%s: must be text", name);
	*out = item->valuestring;
	return 1;
}

void provider_gateway_lower(char *name)
{
	for (; *name; name++)
		*name = (char)tolower((unsigned char)*name);
}

static char *lower_copy(const char *text)
{
	char *copy = zp_strdup(text);

	provider_gateway_lower(copy);
	return copy;
}

/* Letters, digits, - and _ (which names of proxies may hold), at most 63, no - at either end. */
static bool label_is_valid(const char *label, size_t len)
{
	if (len < 1 || len > 63 || label[0] == '-' || label[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)label[i]) && label[i] != '-' && label[i] != '_')
			return false;
	return true;
}

int provider_gateway_label_check(const char *label, struct zp_error *err)
{
	if (label_is_valid(label, strlen(label)))
		return 0;
	return zp_error_set(err,
		"name: \"%s\" must be 1 to 63 letters, digits, - and _, "
		"without - at either end",
		label);
}

static bool fqdn_is_valid(const char *fqdn)
{
	size_t labels = 0;

	if (strlen(fqdn) > PROVIDER_GATEWAY_FQDN_MAX)
		return false;
	for (;; labels++) {
		size_t len = strcspn(fqdn, ".");

		if (!label_is_valid(fqdn, len))
			return false;
		if (!fqdn[len])
			return labels >= 1;
		fqdn += len + 1;
	}
}

static int read_name(
	const cJSON *json, bool by_name, struct provider_gateway_spec *spec, struct zp_error *err)
{
	const char *field = by_name ? "name" : "fqdn";
	const char *text;
	int given = text_field(json, field, &text, err);

	if (given < 0)
		return -1;
	if (!given || !text[0])
		return zp_error_set(err, "%s: required, but not given", field);
	if (by_name) {
		if (provider_gateway_label_check(text, err) < 0)
			return -1;
		spec->name = lower_copy(text);
		return 0;
	}
	if (!fqdn_is_valid(text))
		return zp_error_set(err,
			"fqdn: \"%s\" is not a full domain name such as "
			"www.example.com",
			text);
	spec->fqdn = lower_copy(text);
	return 0;
}

/* Digits only, 1 to 65535. 0 when it is none. */
static int parse_port(const char *text)
{
	size_t len = strspn(text, "0123456789");
	long port;

	if (len < 1 || len > 5 || text[len])
		return 0;
	port = strtol(text, NULL, 10);
	return port >= 1 && port <= 65535 ? (int)port : 0;
}

/* "1.2.3.4", "1.2.3.4:80", "[::1]", "[::1]:80"; port 0 when none is given. */
static bool parse_address(const char *text, struct provider_gateway_backend *backend)
{
	bool bracket = text[0] == '[';
	const char *start = text + (bracket ? 1 : 0);
	size_t len = strcspn(start, bracket ? "]" : ":");
	const char *rest = start + len;
	struct in6_addr scratch;

	if (len == 0 || len >= sizeof(backend->host) || (bracket && *rest != ']'))
		return false;
	memcpy(backend->host, start, len);
	backend->host[len] = '\0';
	if (inet_pton(bracket ? AF_INET6 : AF_INET, backend->host, &scratch) != 1)
		return false;
	rest += bracket ? 1 : 0;
	backend->port = *rest == ':' ? parse_port(rest + 1) : 0;
	return !*rest || backend->port > 0;
}

static int read_http_backend(const char *text, size_t index,
	struct provider_gateway_backend *backend, struct zp_error *err)
{
	struct zp_str url = zp_str(text);
	zp_autofree char *address = NULL;
	size_t skip, len;

	if (zp_str_starts(url, "http://")) {
		skip = strlen("http://");
	} else if (zp_str_starts(url, "https://")) {
		skip = strlen("https://");
		backend->tls = true;
	} else {
		return zp_error_set(err,
			"backends[%zu]: \"%s\" must begin with http:// or https://", index, text);
	}
	len = strcspn(text + skip, "/");
	if (text[skip + len] && text[skip + len + 1])
		return zp_error_set(err, "backends[%zu]: \"%s\" must not have a path", index, text);
	address = zp_strndup(text + skip, len);
	if (!parse_address(address, backend))
		return zp_error_set(err,
			"backends[%zu]: \"%s\" is not http://address[:port] with an IP "
			"address and a port from 1 to 65535",
			index, text);
	if (backend->port == 0)
		backend->port = backend->tls ? 443 : 80;
	return 0;
}

static int read_backend(const cJSON *item, struct provider_gateway_spec *spec, struct zp_error *err)
{
	size_t index = spec->backend_count;
	struct provider_gateway_backend *backend = &spec->backends[index];

	if (!cJSON_IsString(item))
		return zp_error_set(err, "backends[%zu]: must be text", index);
	if (!spec->passthrough) {
		if (read_http_backend(item->valuestring, index, backend, err) < 0)
			return -1;
	} else if (!parse_address(item->valuestring, backend) || backend->port == 0) {
		return zp_error_set(err,
			"backends[%zu]: \"%s\" is not address:port, which "
			"tls_passthrough needs",
			index, item->valuestring);
	}
	if (spec->network && strchr(backend->host, ':'))
		return zp_error_set(err,
			"backends[%zu]: \"%s\" is IPv6, but private networks have IPv4 "
			"addresses only",
			index, item->valuestring);
	spec->backend_count++;
	return 0;
}

static int read_backends(
	const cJSON *json, struct provider_gateway_spec *spec, struct zp_error *err)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, "backends");
	const cJSON *item;
	int count = cJSON_GetArraySize(list);

	if (!cJSON_IsArray(list) || count < 1)
		return zp_error_set(err, "backends: must be a list of at least one backend");
	if (count > PROVIDER_GATEWAY_MAX_BACKENDS)
		return zp_error_set(err, "backends: has %d entries, the limit is %d", count,
			PROVIDER_GATEWAY_MAX_BACKENDS);
	cJSON_ArrayForEach(item, list) if (read_backend(item, spec, err) < 0) return -1;
	return 0;
}

static int read_network(const cJSON *json, struct provider_gateway_spec *spec, struct zp_error *err)
{
	const char *text;
	int given = text_field(json, "network", &text, err);

	if (given < 0)
		return -1;
	if (!given || !text[0])
		return 0;
	if (strlen(text) > NETWORK_ID_MAX)
		return zp_error_set(err, "network: is longer than %d bytes", NETWORK_ID_MAX);
	spec->network = zp_strdup(text);
	return 0;
}

static int read_flag(const cJSON *json, const char *name, bool *flag, struct zp_error *err)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);

	if (item && !cJSON_IsNull(item) && !cJSON_IsBool(item))
		return zp_error_set(err, "%s: must be true or false", name);
	*flag = cJSON_IsTrue(item);
	return 0;
}

/* It becomes a word of HAProxy's configuration, where some characters mean something. */
static bool is_path(const char *path)
{
	size_t len = strlen(path);

	if (path[0] != '/' || len > HEALTH_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)path[i]) && !strchr("/-_.~?&=+,:@", path[i]))
			return false;
	return true;
}

static int read_health(const cJSON *json, struct provider_gateway_spec *spec, struct zp_error *err)
{
	const char *text;
	int given = text_field(json, "health_check", &text, err);

	if (given < 0)
		return -1;
	if (!given || !text[0])
		return 0;
	if (spec->passthrough)
		return zp_error_set(err, "health_check: with tls_passthrough the gateway can not "
					 "ask the backends anything");
	if (!is_path(text))
		return zp_error_set(err,
			"health_check: \"%s\" is not a path such as /health, of letters, digits "
			"and "
			"/ - _ . ~ ? & = + , : @",
			text);
	spec->health = zp_strdup(text);
	return 0;
}

static int read_fields(
	const cJSON *json, bool by_name, struct provider_gateway_spec *spec, struct zp_error *err)
{
	if (!cJSON_IsObject(json))
		return zp_error_set(err, "the gateway's specification must be an object");
	if (read_name(json, by_name, spec, err) < 0 ||
		read_flag(json, "tls_passthrough", &spec->passthrough, err) < 0 ||
		read_flag(json, "redirect_https", &spec->redirect, err) < 0 ||
		read_health(json, spec, err) < 0 || read_network(json, spec, err) < 0)
		return -1;
	return read_backends(json, spec, err);
}

int provider_gateway_spec_read(
	const cJSON *json, bool by_name, struct provider_gateway_spec *spec, struct zp_error *err)
{
	memset(spec, 0, sizeof(*spec));
	if (read_fields(json, by_name, spec, err) < 0) {
		provider_gateway_spec_release(spec);
		return -1;
	}
	return 0;
}

void provider_gateway_spec_release(struct provider_gateway_spec *spec)
{
	free(spec->name);
	free(spec->fqdn);
	free(spec->health);
	free(spec->network);
	memset(spec, 0, sizeof(*spec));
}

#include "providers/logs/output.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"

#define URL_MAX 2048

static const struct {
	const char *scheme;
	enum provider_log_protocol protocol;
	bool tls;
	int port;
} schemes[] = {
	{ "redis://", PROVIDER_LOG_REDIS, false, 6379 },
	{ "ws://", PROVIDER_LOG_WEBSOCKET, false, 80 },
	{ "wss://", PROVIDER_LOG_WEBSOCKET, true, 443 },
};

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Heap; NULL when an escape is broken, or stands for what no text holds. */
static char *decode(const char *text, size_t len)
{
	zp_autofree char *out = zp_calloc(1, len + 1);
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		int high, low;

		if (text[i] != '%') {
			out[n++] = text[i];
			continue;
		}
		if (i + 2 >= len)
			return NULL;
		high = hex_digit(text[i + 1]);
		low = hex_digit(text[i + 2]);
		if (high < 0 || low < 0 || (high == 0 && low == 0))
			return NULL;
		out[n++] = (char)(high * 16 + low);
		i += 2;
	}
	return zp_steal(out);
}

static bool take_user(const char *text, size_t len, struct provider_log_output *out)
{
	const char *colon = memchr(text, ':', len);
	size_t user = colon ? (size_t)(colon - text) : len;

	out->user = user ? decode(text, user) : NULL;
	if (user && !out->user)
		return false;
	if (colon)
		out->password = decode(colon + 1, len - user - 1);
	return !colon || out->password;
}

static bool is_host(const char *host)
{
	if (!*host)
		return false;
	for (; *host; host++)
		if (!isalnum((unsigned char)*host) && !strchr(".-_:", *host))
			return false;
	return true;
}

static bool take_host(const char *text, size_t len, struct provider_log_output *out)
{
	const char *end = text + len;
	const char *bracket = *text == '[' ? memchr(text, ']', len) : NULL;
	const char *colon = bracket ? bracket + 1 : memchr(text, ':', len);
	const char *start = bracket ? text + 1 : text;
	const char *stop = bracket ? bracket : colon ? colon : end;

	if (*text == '[' && !bracket)
		return false;
	out->host = zp_strndup(start, (size_t)(stop - start));
	if (!is_host(out->host) || (!bracket && strchr(out->host, ':')))
		return false;
	if (!colon || colon == end)
		return true;
	if (*colon != ':')
		return false;
	out->port = 0;
	for (colon++; colon < end && isdigit((unsigned char)*colon) && out->port < 65536; colon++)
		out->port = out->port * 10 + (*colon - '0');
	return colon == end && out->port >= 1 && out->port <= 65535;
}

/* No white space and nothing that is not written in URLs: it goes into a request. */
static bool is_printable(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text <= ' ' || (unsigned char)*text >= 0x7f)
			return false;
	return true;
}

static bool parse(const char *rest, struct provider_log_output *out)
{
	size_t authority = strcspn(rest, "/?#");
	const char *at = NULL;

	for (size_t i = 0; i < authority; i++)
		if (rest[i] == '@')
			at = rest + i;
	if (at && !take_user(rest, (size_t)(at - rest), out))
		return false;
	const char *host = at ? at + 1 : rest;
	if (!take_host(host, authority - (size_t)(host - rest), out))
		return false;
	out->path = zp_strdup(rest + authority);
	return !strchr(out->path, '#');
}

int provider_log_output_parse(
	const char *url, struct provider_log_output *out, struct zp_error *err)
{
	*out = (struct provider_log_output){ 0 };
	for (size_t i = 0; i < ZP_ARRAY_SIZE(schemes); i++) {
		if (!zp_str_starts(zp_str(url), schemes[i].scheme))
			continue;
		out->protocol = schemes[i].protocol;
		out->tls = schemes[i].tls;
		out->port = schemes[i].port;
		if (strlen(url) <= URL_MAX && is_printable(url) &&
			parse(url + strlen(schemes[i].scheme), out))
			return 0;
		provider_log_output_release(out);
		return zp_error_set(err,
			"output: is not of the form %s[user:password@]host[:port][/%s]",
			schemes[i].scheme,
			schemes[i].protocol == PROVIDER_LOG_REDIS ? "channel" : "path");
	}
	return zp_error_set(err, "output: must begin with redis://, ws:// or wss://");
}

static void wipe(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

void provider_log_output_release(struct provider_log_output *output)
{
	free(output->host);
	wipe(output->user);
	wipe(output->password);
	free(output->path);
	*output = (struct provider_log_output){ 0 };
}

char *provider_log_output_name(const struct provider_log_output *output)
{
	bool v6 = strchr(output->host, ':') != NULL;
	const char *scheme = output->protocol == PROVIDER_LOG_REDIS ? "redis"
			     : output->tls			    ? "wss"
								    : "ws";

	return zp_format(
		"%s://%s%s%s:%d", scheme, v6 ? "[" : "", output->host, v6 ? "]" : "", output->port);
}

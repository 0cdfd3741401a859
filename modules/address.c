#include "modules/address.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/alloc.h"

#define PUBLIC_REGISTRY "registry.terraform.io"

void module_address_release(struct module_address *address)
{
	free(address->package);
	free(address->canonical);
	free(address->subfolder);
	free(address->url);
	free(address->ref);
	free(address->checksum);
	*address = (struct module_address){ 0 };
}

bool module_path_is_inside(const char *path)
{
	if (*path == '/')
		return false;
	for (; *path; path += strspn(path, "/")) {
		size_t length = strcspn(path, "/");
		if (length == 2 && memcmp(path, "..", 2) == 0)
			return false;
		path += length;
	}
	return true;
}

char *module_address_shown(const char *text)
{
	const char *start = strstr(text, "://");
	size_t length = start ? strcspn(start + 3, "/?#") : 0;
	const char *at = start ? memrchr(start + 3, '@', length) : NULL;
	const char *colon = at ? memchr(start + 3, ':', (size_t)(at - start - 3)) : NULL;

	return colon ? zp_format("%.*s:xxxxx%s", (int)(colon - text), text, at) : zp_strdup(text);
}

/* "a//b?q" -> "a?q" and "b". The "//" of "scheme://" is none. Heap. */
static char *split_subfolder(const char *source, char **subfolder)
{
	const char *scheme = strstr(source, "://");
	const char *query = source + strcspn(source, "?");
	const char *from = scheme && scheme < query ? scheme + 3 : source;
	const char *slashes = strstr(from, "//");

	if (!slashes || slashes > query) {
		*subfolder = zp_strdup("");
		return zp_strdup(source);
	}
	const char *inner = slashes + strspn(slashes, "/");
	*subfolder = zp_strndup(inner, (size_t)(query - inner));
	return zp_format("%.*s%s", (int)(slashes - source), source, query);
}

/* "host/owner/name[.git][/sub]" of a well-known host -> the git address. NULL when it is too short. Heap. */
static char *hosted(const char *source, char **subfolder)
{
	const char *query = source + strcspn(source, "?"), *end = source;

	for (int i = 0; i < 3; i++) {
		end += *end == '/';
		size_t length = strcspn(end, "/?");
		if (!length)
			return NULL;
		end += length;
	}
	struct zp_str path = zp_strn(source, (size_t)(end - source));
	if (*end == '/' && !**subfolder) {
		free(*subfolder);
		*subfolder = zp_strndup(end + 1, (size_t)(query - end - 1));
	}
	return zp_format("git::https://%.*s%s%s", ZP_FMT(path), zp_str_ends(path, ".git") ? "" : ".git", query);
}

/* "user@host:path" -> the git address; NULL when it is not of this form. Heap. */
static char *like_scp(const char *source)
{
	const char *at = strchr(source, '@'), *colon = strchr(source, ':');

	if (!at || !colon || colon < at || strstr(source, "://") || strcspn(source, "/?") < (size_t)(colon - source))
		return NULL;
	return zp_format("git::ssh://%.*s/%s", (int)(colon - source), source,
		colon + 1 + strspn(colon + 1, "/"));
}

/* One part of a registry's address. */
static bool is_name(struct zp_str part)
{
	for (size_t i = 0; i < part.len; i++)
		if (!isalnum((unsigned char)part.ptr[i]) && part.ptr[i] != '-' && part.ptr[i] != '_')
			return false;
	return part.len > 0;
}

static bool is_registry(const char *package, bool *has_host)
{
	size_t parts = 0;

	for (const char *p = package; *p; p++)
		parts += *p == '/';
	*has_host = ++parts == 4;
	const char *rest = package;
	if (*has_host) {
		size_t length = strcspn(rest, "/");
		if (!memchr(rest, '.', length) || memchr(rest, '@', length))
			return false;
		rest += length + 1;
	}
	while (*rest) {
		size_t length = strcspn(rest, "/");
		if (!is_name(zp_strn(rest, length)))
			return false;
		rest += length + (rest[length] == '/');
	}
	return parts == 3 || parts == 4;
}

/* Takes "name=value" out of the query of an address; the value, or NULL. Heap. */
static char *take_parameter(char *url, const char *name)
{
	size_t length = strlen(name);

	for (char *p = strchr(url, '?'); p; p = strchr(p + 1, '&')) {
		if (strncmp(p + 1, name, length) != 0 || p[1 + length] != '=')
			continue;
		char *value = p + length + 2, *end = value + strcspn(value, "&");
		char *result = zp_strndup(value, (size_t)(end - value));
		if (*end)
			memmove(p + 1, end + 1, strlen(end));
		else
			*p = 0;
		return result;
	}
	return NULL;
}

static void parse_git(struct module_address *address)
{
	address->kind = MODULE_GIT;
	address->url = zp_strdup(address->package + strlen("git::"));
	address->ref = take_parameter(address->url, "ref");
	/* Always the whole history of a ref: the library has no shallow copies. */
	free(take_parameter(address->url, "depth"));
	if (address->ref && !*address->ref) {
		free(address->ref);
		address->ref = NULL;
	}
}

static bool is_archive_name(struct zp_str name)
{
	static const char *const endings[] = { ".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2",
		".tbz2", ".tar.zst", ".tzst" };

	for (size_t i = 0; i < ZP_ARRAY_SIZE(endings); i++)
		if (zp_str_ends(name, endings[i]) || zp_str_is(name, endings[i] + 1))
			return true;
	return false;
}

/* archive=KIND says that it is one whatever it is called; the kind itself shows in the file. */
static void parse_http(struct module_address *address)
{
	address->url = zp_strdup(address->package);
	address->checksum = take_parameter(address->url, "checksum");
	zp_autofree char *archive = take_parameter(address->url, "archive");
	struct zp_str name = archive ? zp_str(archive) : zp_strn(address->url, strcspn(address->url, "?"));
	address->kind = is_archive_name(name) ? MODULE_ARCHIVE : MODULE_PAGE;
}

static const char *const other_kinds[] = { "s3::", "gcs::", "hg::", "http::", "https::",
	"file::", "/" };

static enum module_source other_or_unknown(const char *package)
{
	for (size_t i = 0; i < ZP_ARRAY_SIZE(other_kinds); i++)
		if (zp_str_starts(zp_str(package), other_kinds[i]))
			return MODULE_OTHER;
	return MODULE_UNKNOWN;
}

/* The forms without "git::" that mean it; NULL for any other. Heap. */
static char *short_for_git(const char *package, char **subfolder)
{
	if (zp_str_starts(zp_str(package), "github.com/") || zp_str_starts(zp_str(package), "bitbucket.org/"))
		return hosted(package, subfolder);
	return like_scp(zp_str_starts(zp_str(package), "git::") ? package + strlen("git::") : package);
}

void module_address_parse(const char *source, struct module_address *address)
{
	bool has_host = false;

	*address = (struct module_address){ 0 };
	address->package = split_subfolder(source, &address->subfolder);
	if (zp_str_starts(zp_str(source), "./") || zp_str_starts(zp_str(source), "../")) {
		address->kind = MODULE_LOCAL;
		address->canonical = zp_strdup(source);
		return;
	}
	char *git = short_for_git(address->package, &address->subfolder);
	if (git) {
		free(address->package);
		address->package = git;
	}
	if (zp_str_starts(zp_str(address->package), "git::")) {
		parse_git(address);
	} else if (zp_str_starts(zp_str(address->package), "http://") ||
		zp_str_starts(zp_str(address->package), "https://")) {
		parse_http(address);
	} else if (is_registry(address->package, &has_host)) {
		address->kind = MODULE_REGISTRY;
		char *full = zp_format("%s%s", has_host ? "" : PUBLIC_REGISTRY "/", address->package);
		free(address->package);
		address->package = full;
	} else {
		address->kind = other_or_unknown(address->package);
	}
	const char *query = address->package + strcspn(address->package, "?");
	address->canonical = zp_format("%.*s%s%s%s", (int)(query - address->package), address->package,
		*address->subfolder ? "//" : "", address->subfolder, query);
}

#include "sync/webhook.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <fnmatch.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/vec.h"
#include "sync/fetch_internal.h"

ZP_VEC(stack_vec, const struct sync_stack *);
ZP_VEC(url_vec, char *);

bool sync_same_secret(const char *a, const char *b)
{
	unsigned char x[EVP_MAX_MD_SIZE], y[EVP_MAX_MD_SIZE];
	unsigned length = 0;

	/* Digests have one length, and tell nothing of how much of the texts agrees. */
	EVP_Digest(a, strlen(a), x, &length, EVP_sha256(), NULL);
	EVP_Digest(b, strlen(b), y, &length, EVP_sha256(), NULL);
	return CRYPTO_memcmp(x, y, length) == 0;
}

bool sync_signature_holds(const char *secret, struct zp_str body, const char *signature)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned length = 0;
	char hex[2 * EVP_MAX_MD_SIZE + 1];

	if (strncmp(signature, "sha256=", 7) == 0)
		signature += 7;
	if (!HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)body.ptr, body.len, digest,
		    &length))
		return false;
	for (unsigned i = 0; i < length; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	return sync_same_secret(hex, signature);
}

char *sync_normal_url(const char *url)
{
	const char *scheme = strstr(url, "://");
	const char *rest = scheme ? scheme + 3 : url;
	zp_autobuf out = ZP_BUF_INIT;

	if (*url == '/' || strncmp(url, "file://", 7) == 0)
		return zp_strdup(*url == '/' ? url : url + 7);
	size_t authority = strcspn(rest, "/");
	const char *at = memchr(rest, '@', authority);
	if (at)
		rest = at + 1;
	size_t host = strcspn(rest, ":/");
	for (size_t i = 0; i < host; i++)
		zp_buf_char(&out, (char)tolower((unsigned char)rest[i]));
	rest += host;
	if (scheme && *rest == ':')
		rest += strcspn(rest, "/"); /* a port */
	else if (*rest == ':')
		rest++;
	while (*rest == '/')
		rest++;
	struct zp_str path = zp_str(rest);
	while (path.len && path.ptr[path.len - 1] == '/')
		path.len--;
	if (zp_str_ends(path, ".git"))
		path.len -= 4;
	zp_buf_char(&out, '/');
	zp_buf_str(&out, path);
	return zp_buf_steal(&out);
}

bool sync_ref_concerns(const char *followed, const char *pushed)
{
	if (!pushed || !*pushed || !followed)
		return true;
	if (sync_is_commit_id(followed))
		return false;
	if (strcmp(followed, pushed) == 0)
		return true;
	const char *name = strncmp(pushed, "refs/heads/", 11) == 0 ? pushed + 11 :
		strncmp(pushed, "refs/tags/", 10) == 0 ? pushed + 10 : pushed;
	if (strpbrk(followed, "*?["))
		return strncmp(pushed, "refs/heads/", 11) != 0 &&
			fnmatch(strncmp(followed, "refs/tags/", 10) == 0 ? followed + 10 : followed, name, 0) == 0;
	return strcmp(followed, name) == 0;
}

/* Addresses by which the body may mean a repository; a bare word is a repository's name. */
static void collect_urls(const cJSON *body, struct url_vec *urls)
{
	static const char *const members[] = { "clone_url", "ssh_url", "git_url", "html_url", "url",
		"git_http_url", "git_ssh_url", "http_url", "web_url" };
	static const char *const objects[] = { "repository", "project" };

	for (size_t i = 0; i < ZP_ARRAY_SIZE(objects); i++) {
		const cJSON *object = cJSON_GetObjectItemCaseSensitive(body, objects[i]);
		if (cJSON_IsString(object))
			zp_vec_push(urls, sync_normal_url(object->valuestring));
		for (size_t k = 0; k < ZP_ARRAY_SIZE(members); k++) {
			const cJSON *url = cJSON_GetObjectItemCaseSensitive(object, members[k]);
			if (cJSON_IsString(url))
				zp_vec_push(urls, sync_normal_url(url->valuestring));
		}
	}
}

static bool is_meant(const struct sync_repository *repository, const struct sync_hook *hook,
	const cJSON *body, const struct url_vec *urls)
{
	const cJSON *named = cJSON_GetObjectItemCaseSensitive(body, "repository");
	zp_autofree char *own = sync_normal_url(repository->url);

	if (hook->repository)
		return strcmp(hook->repository, repository->name) == 0;
	if (cJSON_IsString(named) && strcmp(named->valuestring, repository->name) == 0)
		return true;
	for (size_t i = 0; i < urls->count; i++)
		if (strcmp(urls->items[i], own) == 0)
			return true;
	return false;
}

static bool is_trusted(const struct sync_repository *repository, const struct sync_hook *hook)
{
	if (!repository->webhook_secret)
		return false;
	if (hook->forge == SYNC_GITLAB)
		return hook->token && sync_same_secret(repository->webhook_secret, hook->token);
	return hook->signature &&
		sync_signature_holds(repository->webhook_secret, hook->body, hook->signature);
}

static bool is_push(const struct sync_hook *hook)
{
	if (hook->forge == SYNC_GITLAB)
		return hook->event && (strcmp(hook->event, "Push Hook") == 0 ||
			strcmp(hook->event, "Tag Push Hook") == 0);
	return hook->forge == SYNC_NO_FORGE || (hook->event && strcmp(hook->event, "push") == 0);
}

static void add_stacks(const struct sync_config *config, const struct sync_repository *repository,
	const char *ref, struct stack_vec *stacks)
{
	for (size_t i = 0; i < config->stack_count; i++) {
		const struct sync_stack *stack = &config->stacks[i];
		if (strcmp(stack->repository->name, repository->name) == 0 &&
			sync_ref_concerns(stack->ref, ref))
			zp_vec_push(stacks, stack);
	}
}

static void decide(const struct sync_config *config, const struct sync_hook *hook, const cJSON *body,
	struct sync_hook_answer *answer)
{
	const char *ref = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(body, "ref"));
	struct stack_vec stacks = { 0 };
	struct url_vec urls = { 0 };
	bool meant = false, trusted = false;

	collect_urls(body, &urls);
	for (size_t i = 0; i < config->repository_count; i++) {
		const struct sync_repository *repository = &config->repositories[i];
		if (!is_meant(repository, hook, body, &urls))
			continue;
		meant = true;
		if (!is_trusted(repository, hook))
			continue;
		trusted = true;
		if (is_push(hook))
			add_stacks(config, repository, ref, &stacks);
	}
	for (size_t i = 0; i < urls.count; i++)
		free(urls.items[i]);
	zp_vec_release(&urls);
	answer->status = !meant ? 404 : !trusted ? 401 : 202;
	answer->reason = !meant ? "unknown repository" : !trusted ? "wrong signature" : "accepted";
	answer->stacks = stacks.items;
	answer->count = stacks.count;
}

void sync_hook_read(const struct sync_config *config, const struct sync_hook *hook,
	struct sync_hook_answer *answer)
{
	cJSON *body = cJSON_ParseWithLength(hook->body.ptr ? hook->body.ptr : "", hook->body.len);

	*answer = (struct sync_hook_answer){ .status = 400, .reason = "the body is no JSON object" };
	if (cJSON_IsObject(body))
		decide(config, hook, body, answer);
	cJSON_Delete(body);
}

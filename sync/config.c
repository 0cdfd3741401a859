#include <ctype.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "sync/config_internal.h"

static const struct hcl_attribute_schema top_attributes[] = { { "data_dir", false },
	{ "parallel", false }, { "history", false } };
static const char *const name_label[] = { "name", NULL };
static const struct hcl_block_schema top_blocks[] = { { "http", NULL },
	{ "repository", name_label }, { "stack", name_label } };
static const struct hcl_body_schema top_schema = { top_attributes, ZP_ARRAY_SIZE(top_attributes),
	top_blocks, ZP_ARRAY_SIZE(top_blocks) };
static const struct hcl_attribute_schema http_attributes[] = { { "listen", true },
	{ "token", false }, { "max_payload", false } };
static const struct hcl_body_schema http_schema = { http_attributes, ZP_ARRAY_SIZE(http_attributes),
	NULL, 0 };
static const struct hcl_attribute_schema repository_attributes[] = { { "url", true },
	{ "username", false }, { "token", false }, { "ssh_key", false }, { "ssh_passphrase", false },
	{ "known_hosts", false }, { "ca_file", false }, { "require_signed", false },
	{ "allowed_signers", false }, { "allowed_gpg_keys", false }, { "webhook_secret", false },
	{ "forge", false }, { "api_url", false }, { "status_token", false }, { "project", false },
	{ "timeout", false } };
static const struct hcl_body_schema repository_schema = { repository_attributes,
	ZP_ARRAY_SIZE(repository_attributes), NULL, 0 };

bool sync_is_loopback(const char *listen)
{
	return strncmp(listen, "127.", 4) == 0 || strncmp(listen, "localhost:", 10) == 0 ||
		strncmp(listen, "[::1]:", 6) == 0;
}

static bool is_listen_address(const char *listen)
{
	const char *colon = strrchr(listen, ':');
	char *end;

	if (!colon || colon == listen)
		return false;
	long port = strtol(colon + 1, &end, 10);
	return end != colon + 1 && !*end && port >= 0 && port <= 65535;
}

static void load_http(struct sync_loader *loader, const struct hcl_block *block)
{
	struct sync_config *config = loader->config;
	struct hcl_content content = { 0 };

	if (config->listen)
		zp_diag_error(loader->diags, block->header_range, "Duplicate block",
			"There is one http block at most.");
	hcl_body_content(block->body, &http_schema, &config->arena, &content, NULL, loader->diags);
	config->listen = sync_read_text(loader, &content, "listen", NULL);
	config->token = sync_read_secret(loader, &content, "token");
	config->max_payload = sync_read_number(loader, &content, "max_payload", 5 << 20, 1024);
	if (!config->listen)
		return;
	struct zp_range range = sync_attribute_range(&content, "listen", block->header_range);
	if (!is_listen_address(config->listen))
		zp_diag_error(loader->diags, range, "Invalid address",
			"listen must be an address and a port, such as \"127.0.0.1:8095\" or \"[::1]:8095\".");
	else if (!config->token && !sync_is_loopback(config->listen))
		zp_diag_error(loader->diags, range, "Token required",
			"Others can connect to %s: set token, or listen on 127.0.0.1 only.", config->listen);
}

static struct zp_range url_range(const struct hcl_content *content, const struct hcl_block *block)
{
	return sync_attribute_range(content, "url", block->header_range);
}

bool sync_check_url(struct sync_loader *loader, const char *url, struct zp_range range)
{
	static const char *const schemes[] = { "file:///", "https://", "http://", "ssh://" };
	const char *rest = strstr(url, "://");
	const char *at = rest ? strchr(rest, '@') : NULL;
	const char *slash = rest ? strchr(rest + 3, '/') : NULL;
	bool known = *url == '/' || (!rest && strchr(url, '@') && strchr(url, ':'));

	for (size_t i = 0; i < ZP_ARRAY_SIZE(schemes); i++)
		known |= strncmp(url, schemes[i], strlen(schemes[i])) == 0;
	if (!known) {
		zp_diag_error(loader->diags, range, "Invalid repository",
			"\"%s\" is no address of a repository: use file:///path, https://host/path, "
			"ssh://user@host/path or user@host:path, or the name of a repository block.", url);
		return false;
	}
	if (at && (!slash || at < slash) && memchr(rest + 3, ':', (size_t)(at - rest - 3))) {
		zp_diag_error(loader->diags, range, "Password in an address",
			"Take the password out of the address, and set token = env.NAME instead.");
		return false;
	}
	return true;
}

static const char *default_api(struct sync_loader *loader, const struct sync_repository *repository)
{
	static const char *const paths[] = { [SYNC_GITHUB] = "/api/v3", [SYNC_GITLAB] = "/api/v4",
		[SYNC_GITEA] = "/api/v1" };
	const char *scheme = strstr(repository->url, "://");
	const char *host = scheme ? scheme + 3 : repository->url;
	size_t length = strcspn(host, scheme ? "/" : ":/");
	const char *at = memchr(host, '@', length);

	if (repository->forge == SYNC_NO_FORGE)
		return NULL;
	length -= at ? (size_t)(at + 1 - host) : 0;
	host = at ? at + 1 : host;
	if (repository->forge == SYNC_GITHUB && zp_str_is(zp_strn(host, length), "github.com"))
		return "https://api.github.com";
	if (strncmp(repository->url, "ssh://", 6) == 0)
		length = strcspn(host, ":/");
	bool plain = strncmp(repository->url, "http://", 7) == 0;
	return zp_arena_format(&loader->config->arena, "%s://%.*s%s", plain ? "http" : "https",
		(int)length, host, paths[repository->forge]);
}

void sync_load_repository(struct sync_loader *loader, const struct hcl_block *block,
	struct sync_repository *repository)
{
	static const char *const forges[] = { "none", "github", "gitlab", "gitea", NULL };
	struct hcl_content content = { 0 };

	hcl_body_content(block->body, &repository_schema, &loader->config->arena, &content, NULL,
		loader->diags);
	*repository = (struct sync_repository){
		.name = zp_arena_strndup(&loader->config->arena, block->labels[0].ptr, block->labels[0].len),
		.url = sync_read_text(loader, &content, "url", ""),
		.username = sync_read_text(loader, &content, "username", NULL),
		.token = sync_read_secret(loader, &content, "token"),
		.ssh_key = sync_read_path(loader, &content, "ssh_key"),
		.ssh_passphrase = sync_read_secret(loader, &content, "ssh_passphrase"),
		.known_hosts = sync_read_path(loader, &content, "known_hosts"),
		.ca_file = sync_read_path(loader, &content, "ca_file"),
		.require_signed = sync_read_bool(loader, &content, "require_signed", false),
		.allowed_signers = sync_read_path(loader, &content, "allowed_signers"),
		.allowed_gpg_keys = sync_read_path(loader, &content, "allowed_gpg_keys"),
		.webhook_secret = sync_read_secret(loader, &content, "webhook_secret"),
		.forge = (enum sync_forge)sync_read_choice(loader, &content, "forge", forges, 0),
		.api_url = sync_read_text(loader, &content, "api_url", NULL),
		.status_token = sync_read_secret(loader, &content, "status_token"),
		.project = sync_read_text(loader, &content, "project", NULL),
		.timeout_ms = (int)sync_read_duration(loader, &content, "timeout", 120000, 1000),
	};
	bool usable = !*repository->url ||
		sync_check_url(loader, repository->url, url_range(&content, block));
	if (usable && !repository->api_url)
		repository->api_url = default_api(loader, repository);
	if (repository->require_signed && !repository->allowed_signers && !repository->allowed_gpg_keys)
		zp_diag_error(loader->diags, block->header_range, "Nobody may sign",
			"require_signed needs allowed_signers (a file in the form of ssh-keygen) or "
			"allowed_gpg_keys (a file of exported keys).");
	if (repository->status_token && repository->forge == SYNC_NO_FORGE)
		zp_diag_error(loader->diags, block->header_range, "Unknown forge",
			"status_token needs forge = \"github\", \"gitlab\" or \"gitea\".");
	if (usable && repository->token && strncmp(repository->url, "http://", 7) == 0 &&
		!sync_is_loopback(repository->url + 7) && strncmp(repository->url + 7, "localhost/", 10) != 0)
		zp_diag_error(loader->diags, url_range(&content, block), "Token in the open",
			"A token would be readable on the way: use https.");
}

static void load_repositories(struct sync_loader *loader, const struct hcl_content *content)
{
	struct sync_config *config = loader->config;

	config->repositories =
		zp_new_array(&config->arena, struct sync_repository, content->block_count);
	for (size_t i = 0; i < content->block_count; i++) {
		const struct hcl_block *block = content->blocks[i];
		if (strcmp(block->type, "repository") != 0)
			continue;
		struct sync_repository *repository = &config->repositories[config->repository_count++];
		sync_load_repository(loader, block, repository);
		if (zp_map_set(&loader->repositories, zp_str(repository->name), repository))
			zp_diag_error(loader->diags, block->header_range, "Duplicate repository",
				"A repository named \"%s\" stands above.", repository->name);
	}
}

static bool is_name(const char *name)
{
	if (!isalnum((unsigned char)*name) || strlen(name) > 100)
		return false;
	for (const char *p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("-_.", *p))
			return false;
	return true;
}

static void load_stacks(struct sync_loader *loader, const struct hcl_content *content)
{
	struct sync_config *config = loader->config;
	const struct hcl_block **blocks =
		zp_new_array(&config->arena, const struct hcl_block *, content->block_count + 1);

	config->stacks = zp_new_array(&config->arena, struct sync_stack, content->block_count);
	for (size_t i = 0; i < content->block_count; i++) {
		const struct hcl_block *block = content->blocks[i];
		if (strcmp(block->type, "stack") != 0)
			continue;
		struct sync_stack *stack = &config->stacks[config->stack_count];
		blocks[config->stack_count++] = block;
		sync_load_stack(loader, block, stack);
		if (!is_name(stack->name))
			zp_diag_error(loader->diags, block->header_range, "Invalid name",
				"Names of stacks have letters, digits, \"-\", \"_\" and \".\", begin with "
				"a letter or digit, and are not longer than 100 characters.");
		else if (zp_map_set(&config->stacks_by_name, zp_str(stack->name), stack))
			zp_diag_error(loader->diags, block->header_range, "Duplicate stack",
				"A stack named \"%s\" stands above.", stack->name);
	}
	for (size_t i = 0; i < config->stack_count; i++)
		sync_link_stack(loader, blocks[i], &config->stacks[i]);
	sync_refuse_circles(loader);
}

static void load_file(struct sync_loader *loader)
{
	struct sync_config *config = loader->config;
	struct hcl_content content = { 0 };
	struct hcl_body *body = hcl_parse_file(config->source, &config->arena, loader->diags);

	if (loader->diags->errors)
		return;
	hcl_body_content(body, &top_schema, &config->arena, &content, NULL, loader->diags);
	config->data_dir = sync_read_text(loader, &content, "data_dir", "/var/lib/zplan-sync");
	config->parallel = (int)sync_read_number(loader, &content, "parallel", 4, 1);
	config->history = (int)sync_read_number(loader, &content, "history", 200, 1);
	if (*config->data_dir != '/')
		zp_diag_error(loader->diags, sync_attribute_range(&content, "data_dir", ZP_NOWHERE),
			"Invalid folder", "data_dir must be an absolute path.");
	for (size_t i = 0; i < content.block_count; i++)
		if (strcmp(content.blocks[i]->type, "http") == 0)
			load_http(loader, content.blocks[i]);
	load_repositories(loader, &content);
	load_stacks(loader, &content);
}

/* Absolute. Heap. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	zp_autofree char *folder =
		slash ? zp_strndup(path, slash == path ? 1 : (size_t)(slash - path)) : zp_strdup(".");
	char *whole = realpath(folder, NULL);

	return whole ? whole : zp_steal(folder);
}

struct sync_config *sync_config_load(const char *path, struct zp_diags *diags)
{
	zp_autoerror err = ZP_ERROR_INIT;
	zp_autofree char *folder = folder_of(path);
	const struct hcl_functions functions = { .base_dir = folder };
	struct sync_config *config = zp_calloc(1, sizeof(*config));
	struct sync_loader loader = { .config = config, .diags = diags, .folder = folder };
	struct hcl_scope scope = sync_scope(&loader);
	size_t errors = diags->errors;

	atomic_init(&config->references, 1);
	zp_arena_init(&config->arena);
	config->source = zp_source_load(path, path, &err);
	if (!config->source) {
		zp_diag_error(diags, ZP_NOWHERE, "Failed to read the configuration of zplan sync",
			"%s. Name the file with -config=FILE.", zp_error_text(&err));
		sync_config_unref(config);
		return NULL;
	}
	loader.evaluation = (struct hcl_evaluation){ .arena = &config->arena, .diags = diags,
		.scope = &scope, .functions = &functions };
	struct stat file;
	loader.readable = stat(path, &file) == 0 && (file.st_mode & 0044);
	load_file(&loader);
	config->secrets = zp_vec_to_arena(&loader.secrets, &config->arena);
	config->secret_count = loader.secrets.count;
	config->secret_names = zp_vec_to_arena(&loader.secret_names, &config->arena);
	config->secret_name_count = loader.secret_names.count;
	zp_vec_release(&loader.secrets);
	zp_vec_release(&loader.secret_names);
	zp_map_release(&loader.repositories);
	if (diags->errors == errors)
		return config;
	/* Diagnostics point into the source. */
	zp_diags_own(diags, (void (*)(void *))sync_config_unref, config);
	return NULL;
}

struct sync_config *sync_config_ref(struct sync_config *config)
{
	atomic_fetch_add(&config->references, 1);
	return config;
}

void sync_config_unref(struct sync_config *config)
{
	if (!config || atomic_fetch_sub(&config->references, 1) > 1)
		return;
	zp_map_release(&config->stacks_by_name);
	zp_arena_release(&config->arena);
	zp_source_free(config->source);
	free(config);
}

const struct sync_stack *sync_config_stack(const struct sync_config *config, const char *name)
{
	return zp_map_get(&config->stacks_by_name, zp_str(name));
}

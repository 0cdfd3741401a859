/* The stack blocks of sync.hcl. */
#include <openssl/evp.h>

#include "sync/config_internal.h"

static const struct hcl_attribute_schema attributes[] = { { "repo", true }, { "ref", false },
	{ "path", false }, { "interval", false }, { "vars", false }, { "var_files", false },
	{ "approve", false }, { "drift", false }, { "depends_on", false }, { "workspace", false },
	{ "backend", false }, { "max_destroy", false }, { "max_change", false }, { "max_add", false },
	{ "nodes", false }, { "lock_timeout", false }, { "timeout", false }, { "prune", false },
	{ "require_signed", false }, { "allowed_signers", false }, { "allowed_gpg_keys", false } };
static const struct hcl_body_schema schema = { attributes, ZP_ARRAY_SIZE(attributes), NULL, 0 };

/* Paths lead below the folder they count from. */
static bool stays_below(const char *path)
{
	if (*path == '/')
		return false;
	for (const char *p = path; *p;) {
		size_t length = strcspn(p, "/");
		if (length == 2 && p[0] == '.' && p[1] == '.')
			return false;
		p += length + (p[length] == '/');
	}
	return true;
}

static const char *read_below(struct sync_loader *loader, const struct hcl_content *content,
	const char *name)
{
	const char *path = sync_read_text(loader, content, name, ".");

	if (*path && stays_below(path))
		return path;
	zp_diag_error(loader->diags, sync_attribute_range(content, name, ZP_NOWHERE), "Invalid path",
		"%s must be a path inside the repository, without \"..\".", name);
	return ".";
}

static const struct sync_repository *find_repository(struct sync_loader *loader,
	const struct hcl_content *content)
{
	const char *repo = sync_read_text(loader, content, "repo", NULL);
	struct zp_range range = sync_attribute_range(content, "repo", ZP_NOWHERE);

	if (!repo)
		return NULL;
	struct sync_repository *found = zp_map_get(&loader->repositories, zp_str(repo));
	if (found || !sync_check_url(loader, repo, range))
		return found;
	found = zp_new(&loader->config->arena, struct sync_repository);
	*found = (struct sync_repository){ .name = repo, .url = repo, .timeout_ms = 120000 };
	zp_map_set(&loader->repositories, zp_str(found->name), found);
	return found;
}

static const char *read_path_or(struct sync_loader *loader, const struct hcl_content *content,
	const char *name, const char *fallback)
{
	const char *path = sync_read_path(loader, content, name);

	return path ? path : fallback;
}

/* A stack may ask for signatures on its own account. */
static const struct sync_repository *with_signers(struct sync_loader *loader,
	const struct hcl_content *content, const struct hcl_block *block,
	const struct sync_repository *repository)
{
	bool asked = hcl_content_attribute(content, "require_signed") ||
		hcl_content_attribute(content, "allowed_signers") ||
		hcl_content_attribute(content, "allowed_gpg_keys");

	if (!asked || !repository)
		return repository;
	struct sync_repository *own = zp_new(&loader->config->arena, struct sync_repository);
	*own = *repository;
	own->require_signed = sync_read_bool(loader, content, "require_signed", own->require_signed);
	own->allowed_signers = read_path_or(loader, content, "allowed_signers", own->allowed_signers);
	own->allowed_gpg_keys = read_path_or(loader, content, "allowed_gpg_keys", own->allowed_gpg_keys);
	if (own->require_signed && !own->allowed_signers && !own->allowed_gpg_keys)
		zp_diag_error(loader->diags, block->header_range, "Nobody may sign",
			"require_signed needs allowed_signers (a file in the form of ssh-keygen) or "
			"allowed_gpg_keys (a file of exported keys).");
	return own;
}

static const char *variables_json(struct sync_loader *loader, struct hcl_value variables)
{
	zp_autobuf text = ZP_BUF_INIT;
	struct zp_json_writer writer;

	if (hcl_is_null(variables))
		return NULL;
	zp_json_writer_init(&writer, &text, false);
	writer.exact_integers = true;
	hcl_value_to_json(&writer, variables, NULL);
	return zp_arena_strdup(&loader->config->arena, zp_buf_slice(&text).ptr);
}

/* backend = { type = "pg", conn_str = env.X }: the type apart, the rest as init takes it. */
static void read_backend(struct sync_loader *loader, const struct hcl_content *content,
	struct sync_stack *stack)
{
	struct hcl_value backend = sync_read_object(loader, content, "backend");
	zp_autobuf text = ZP_BUF_INIT;

	if (hcl_is_null(backend))
		return;
	for (uint32_t i = 0; i < backend.count; i++) {
		const char *name = backend.type->attributes[i].name;
		struct hcl_value value = hcl_unmark_deep(&loader->config->arena, backend.elements[i],
			HCL_ALL_MARKS);
		if (strcmp(name, "type") == 0 && value.type == hcl_string && !hcl_is_null(value)) {
			stack->backend_type = value.text;
			continue;
		}
		zp_buf_printf(&text, "%s = ", name);
		hcl_value_to_text(&text, value, 0);
		zp_buf_char(&text, '\n');
	}
	if (text.len)
		stack->backend_settings = zp_arena_strdup(&loader->config->arena, text.ptr);
}

static void add_hash(struct zp_json_writer *writer, const char *key, const char *text)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned length = 0;
	char hex[17] = "";

	if (text)
		EVP_Digest(text, strlen(text), digest, &length, EVP_sha256(), NULL);
	for (unsigned i = 0; i < 8 && i < length; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	zp_json_key(writer, key);
	zp_json_cstr(writer, hex);
}

static const char *definition_of(struct sync_loader *loader, const struct sync_stack *stack)
{
	zp_autobuf text = ZP_BUF_INIT;
	struct zp_json_writer writer;

	zp_json_writer_init(&writer, &text, false);
	zp_json_begin_object(&writer);
	zp_json_key(&writer, "path");
	zp_json_cstr(&writer, stack->path);
	zp_json_key(&writer, "workspace");
	zp_json_cstr(&writer, stack->workspace ? stack->workspace : "default");
	zp_json_key(&writer, "nodes");
	zp_json_cstr(&writer, stack->nodes ? stack->nodes : "");
	zp_json_key(&writer, "var_files");
	zp_json_begin_array(&writer);
	for (const char *const *file = stack->var_files; *file; file++)
		zp_json_cstr(&writer, *file);
	zp_json_end_array(&writer);
	zp_json_key(&writer, "backend");
	zp_json_cstr(&writer, stack->backend_type ? stack->backend_type : "");
	add_hash(&writer, "backend_settings", stack->backend_settings);
	add_hash(&writer, "vars", stack->variables);
	zp_json_end_object(&writer);
	return zp_arena_strdup(&loader->config->arena, text.ptr);
}

static void check_var_files(struct sync_loader *loader, const struct hcl_content *content,
	const struct sync_stack *stack)
{
	for (const char *const *file = stack->var_files; *file; file++)
		if (!**file || !stays_below(*file))
			zp_diag_error(loader->diags, sync_attribute_range(content, "var_files", ZP_NOWHERE),
				"Invalid path", "\"%s\" must be a path inside the repository, without "
				"\"..\", counted from the stack's path.", *file);
}

void sync_load_stack(struct sync_loader *loader, const struct hcl_block *block,
	struct sync_stack *stack)
{
	static const char *const approvals[] = { "auto", "no-destroy", "manual", NULL };
	static const char *const drifts[] = { "heal", "report", "ignore", NULL };
	struct hcl_content content = { 0 };

	hcl_body_content(block->body, &schema, &loader->config->arena, &content, NULL, loader->diags);
	*stack = (struct sync_stack){
		.name = zp_arena_strndup(&loader->config->arena, block->labels[0].ptr, block->labels[0].len),
		.repository = find_repository(loader, &content),
		.ref = sync_read_text(loader, &content, "ref", NULL),
		.path = read_below(loader, &content, "path"),
		.interval_ms = sync_read_duration(loader, &content, "interval", 300000, 1000),
		.variables = variables_json(loader, sync_read_object(loader, &content, "vars")),
		.var_files = sync_read_texts(loader, &content, "var_files"),
		.approve = (enum sync_approve)sync_read_choice(loader, &content, "approve", approvals,
			SYNC_NO_DESTROY),
		.drift = (enum sync_drift)sync_read_choice(loader, &content, "drift", drifts, SYNC_REPORT),
		.limits = { sync_read_number(loader, &content, "max_destroy", -1, 0),
			sync_read_number(loader, &content, "max_change", -1, 0),
			sync_read_number(loader, &content, "max_add", -1, 0) },
		.workspace = sync_read_text(loader, &content, "workspace", NULL),
		.nodes = sync_read_path(loader, &content, "nodes"),
		.lock_timeout_ms = (int)sync_read_duration(loader, &content, "lock_timeout", 20000, 0),
		.timeout_ms = (int)sync_read_duration(loader, &content, "timeout", 7200000, 1000),
		.prune = sync_read_bool(loader, &content, "prune", false),
		.range = block->header_range,
	};
	stack->repository = with_signers(loader, &content, block, stack->repository);
	read_backend(loader, &content, stack);
	check_var_files(loader, &content, stack);
	stack->definition = definition_of(loader, stack);
}

void sync_link_stack(struct sync_loader *loader, const struct hcl_block *block,
	struct sync_stack *stack)
{
	struct hcl_content content = { 0 };
	struct zp_diags ignored;
	size_t count = 0;

	zp_diags_init(&ignored); /* reported when the stack was loaded */
	hcl_body_content(block->body, &schema, &loader->config->arena, &content, NULL, &ignored);
	zp_diags_release(&ignored);
	const char *const *names = sync_read_texts(loader, &content, "depends_on");
	while (names[count])
		count++;
	stack->depends_on = zp_new_array(&loader->config->arena, const struct sync_stack *, count + 1);
	for (size_t i = 0, k = 0; i < count; i++) {
		const struct sync_stack *other = sync_config_stack(loader->config, names[i]);
		if (other)
			stack->depends_on[k++] = other;
		else
			zp_diag_error(loader->diags, sync_attribute_range(&content, "depends_on", stack->range),
				"Unknown stack", "There is no stack named \"%s\".", names[i]);
	}
}

/* 0: not seen, 1: being looked at, 2: done. Depth is bounded by the number of stacks. */
static bool is_in_circle(const struct sync_config *config, const struct sync_stack *stack, char *seen)
{
	size_t index = (size_t)(stack - config->stacks);

	if (seen[index])
		return seen[index] == 1;
	seen[index] = 1;
	for (const struct sync_stack **other = stack->depends_on; *other; other++)
		if (is_in_circle(config, *other, seen))
			return true;
	seen[index] = 2;
	return false;
}

void sync_refuse_circles(struct sync_loader *loader)
{
	const struct sync_config *config = loader->config;
	zp_autofree char *seen = zp_calloc(config->stack_count + 1, 1);

	if (config->stack_count > 10000) {
		zp_diag_error(loader->diags, ZP_NOWHERE, "Too many stacks",
			"There are %zu stacks; at most 10000 are supported.", config->stack_count);
		return;
	}
	for (size_t i = 0; i < config->stack_count; i++) {
		if (!is_in_circle(config, &config->stacks[i], seen))
			continue;
		zp_diag_error(loader->diags, config->stacks[i].range, "Stacks wait for each other",
			"depends_on leads from \"%s\" in a circle.", config->stacks[i].name);
		return;
	}
}

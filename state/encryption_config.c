#include <openssl/crypto.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "hcl-lite/eval.h"
#include "state/encryption_internal.h"

struct reading {
	struct state_encryption *encryption;
	struct zp_arena arena;
	struct zp_diags *diags;
};

static void wipe_text(char *text)
{
	if (text)
		OPENSSL_cleanse(text, strlen(text));
	free(text);
}

void state_encryption_free(struct state_encryption *encryption)
{
	if (!encryption)
		return;
	for (size_t i = 0; i < encryption->providers.count; i++) {
		struct state_key_provider *provider = encryption->providers.items[i];
		free(provider->name);
		wipe_text(provider->secret);
		free(provider->where);
		for (char **word = provider->command; word && *word; word++)
			free(*word);
		free(provider->command);
		OPENSSL_cleanse(provider, sizeof(*provider));
		free(provider);
	}
	for (size_t i = 0; i < encryption->methods.count; i++) {
		free(encryption->methods.items[i]->name);
		free(encryption->methods.items[i]);
	}
	zp_vec_release(&encryption->providers);
	zp_vec_release(&encryption->methods);
	free(encryption);
}

/* "key_provider.pbkdf2.main" of a reference. Heap, or NULL. */
static char *reference_name(const struct hcl_expr *expr)
{
	if (expr->kind != HCL_EXPR_TRAVERSAL || expr->traversal.count != 2 ||
		!expr->traversal.steps[0].name || !expr->traversal.steps[1].name)
		return NULL;
	return zp_format("%s.%s.%s", expr->traversal.root, expr->traversal.steps[0].name,
		expr->traversal.steps[1].name);
}

static struct state_key_provider *find_provider(
	struct reading *reading, const struct hcl_attribute *attribute)
{
	zp_autofree char *name = reference_name(attribute->expr);

	for (size_t i = 0; name && i < reading->encryption->providers.count; i++)
		if (strcmp(reading->encryption->providers.items[i]->name, name) == 0)
			return reading->encryption->providers.items[i];
	zp_diag_error(reading->diags, attribute->range, "Reference to undeclared key provider",
		"\"%s\" must name a key_provider block of this encryption block that stands before "
		"it, such as "
		"key_provider.pbkdf2.main.",
		attribute->name);
	return NULL;
}

static struct state_method *find_method(
	struct reading *reading, const struct hcl_attribute *attribute)
{
	zp_autofree char *name = reference_name(attribute->expr);

	for (size_t i = 0; name && i < reading->encryption->methods.count; i++)
		if (strcmp(reading->encryption->methods.items[i]->name, name) == 0)
			return reading->encryption->methods.items[i];
	zp_diag_error(reading->diags, attribute->range, "Reference to undeclared encryption method",
		"\"method\" must name a method block of this encryption block, such as "
		"method.aes_gcm.main.");
	return NULL;
}

static struct hcl_value constant(
	struct reading *reading, const struct hcl_attribute *attribute, const struct hcl_type *type)
{
	struct hcl_evaluation ev = { .arena = &reading->arena, .diags = reading->diags };

	return hcl_evaluate_as(&ev, attribute->expr, type);
}

static char *text_of(struct reading *reading, const struct hcl_attribute *attribute)
{
	struct hcl_value value = constant(reading, attribute, hcl_string);

	return value.state == HCL_KNOWN ? zp_strdup(value.text) : NULL;
}

static int64_t number_of(struct reading *reading, const struct hcl_attribute *attribute,
	int64_t least, int64_t most, int64_t otherwise)
{
	struct hcl_value value = constant(reading, attribute, hcl_number);
	int64_t number = 0;

	if (value.state == HCL_KNOWN && hcl_number_to_int(value, &number) && number >= least &&
		number <= most)
		return number;
	zp_diag_error(reading->diags, attribute->range, "Invalid key provider",
		"\"%s\" must be a whole number from %lld to %lld.", attribute->name,
		(long long)least, (long long)most);
	return otherwise;
}

static char **words_of(struct reading *reading, const struct hcl_attribute *attribute)
{
	struct hcl_value value = constant(reading, attribute, hcl_list_type(hcl_string));

	if (value.state != HCL_KNOWN || !value.count)
		return NULL;
	char **words = zp_calloc(value.count + 1, sizeof(*words));
	for (size_t i = 0; i < value.count; i++)
		words[i] = zp_strdup(
			value.elements[i].state == HCL_KNOWN ? value.elements[i].text : "");
	return words;
}

struct provider_kind {
	const char *label;
	enum state_key_source source;
	struct hcl_attribute_schema attributes[7];
	size_t count;
};

static const struct provider_kind provider_kinds[] = {
	{ "pbkdf2", STATE_KEY_PBKDF2,
		{ { "passphrase", false }, { "chain", false }, { "iterations", false },
			{ "key_length", false }, { "salt_length", false },
			{ "hash_function", false } },
		6 },
	{ "file", STATE_KEY_FILE, { { "path", true } }, 1 },
	{ "env", STATE_KEY_ENV, { { "variable", true } }, 1 },
	{ "command", STATE_KEY_COMMAND, { { "command", true } }, 1 },
	{ "external", STATE_KEY_COMMAND, { { "command", true } }, 1 },
};

static void read_hash_function(struct reading *reading, struct state_key_provider *provider,
	const struct hcl_attribute *attribute)
{
	zp_autofree char *name = text_of(reading, attribute);

	if (name && strcmp(name, "sha256") == 0)
		provider->sha256 = true;
	else if (!name || strcmp(name, "sha512") != 0)
		zp_diag_error(reading->diags, attribute->range, "Invalid key provider",
			"\"hash_function\" must be \"sha256\" or \"sha512\".");
}

static void read_provider_attribute(struct reading *reading, struct state_key_provider *provider,
	const struct hcl_attribute *attribute)
{
	const char *name = attribute->name;

	if (strcmp(name, "passphrase") == 0)
		provider->secret = text_of(reading, attribute);
	else if (strcmp(name, "chain") == 0)
		provider->chain = find_provider(reading, attribute);
	else if (strcmp(name, "iterations") == 0)
		provider->iterations = number_of(
			reading, attribute, STATE_MIN_ITERATIONS, 100000000, STATE_MIN_ITERATIONS);
	else if (strcmp(name, "key_length") == 0)
		provider->key_length =
			number_of(reading, attribute, STATE_MAX_KEY, STATE_MAX_KEY, STATE_MAX_KEY);
	else if (strcmp(name, "salt_length") == 0)
		provider->salt_length = number_of(reading, attribute, 16, 64, STATE_DEFAULT_SALT);
	else if (strcmp(name, "hash_function") == 0)
		read_hash_function(reading, provider, attribute);
	else if (strcmp(name, "command") == 0)
		provider->command = words_of(reading, attribute);
	else
		provider->where = text_of(reading, attribute);
}

static void read_provider(struct reading *reading, const struct hcl_block *block)
{
	const struct provider_kind *kind = NULL;
	struct hcl_content content = { 0 };

	for (size_t i = 0; i < ZP_ARRAY_SIZE(provider_kinds); i++)
		if (zp_str_is(block->labels[0], provider_kinds[i].label))
			kind = &provider_kinds[i];
	if (!kind) {
		zp_diag_error(reading->diags, block->header_range, "Unknown key_provider type",
			"There is no key provider of type \"%.*s\": use pbkdf2, file, env or "
			"command.",
			ZP_FMT(block->labels[0]));
		return;
	}
	struct hcl_body_schema schema = { kind->attributes, kind->count, NULL, 0 };
	size_t errors = reading->diags->errors;
	hcl_body_content(block->body, &schema, &reading->arena, &content, NULL, reading->diags);
	struct state_key_provider *provider = zp_calloc(1, sizeof(*provider));
	provider->source = kind->source;
	provider->iterations = STATE_MIN_ITERATIONS;
	provider->key_length = STATE_MAX_KEY;
	provider->salt_length = STATE_DEFAULT_SALT;
	for (size_t i = 0; i < content.attribute_count; i++)
		read_provider_attribute(reading, provider, content.attributes[i]);
	provider->name = zp_format(
		"key_provider.%.*s.%.*s", ZP_FMT(block->labels[0]), ZP_FMT(block->labels[1]));
	zp_vec_push(&reading->encryption->providers, provider);
	if (kind->source == STATE_KEY_PBKDF2 && reading->diags->errors == errors &&
		!provider->secret == !provider->chain)
		zp_diag_error(reading->diags, block->header_range, "Invalid key provider",
			"A key provider of type pbkdf2 needs either \"passphrase\" or \"chain\".");
	else if (provider->secret && strlen(provider->secret) < 16)
		zp_diag_error(reading->diags, block->header_range, "Invalid key provider",
			"The passphrase must have at least 16 characters.");
}

static void read_method(struct reading *reading, const struct hcl_block *block)
{
	static const struct hcl_attribute_schema keys[] = { { "keys", true } };
	bool plain = zp_str_is(block->labels[0], "unencrypted");
	struct hcl_body_schema schema = { keys, plain ? 0 : 1, NULL, 0 };
	struct hcl_content content = { 0 };

	if (!plain && !zp_str_is(block->labels[0], "aes_gcm")) {
		zp_diag_error(reading->diags, block->header_range, "Unknown encryption method",
			"There is no method of type \"%.*s\": use aes_gcm or unencrypted.",
			ZP_FMT(block->labels[0]));
		return;
	}
	hcl_body_content(block->body, &schema, &reading->arena, &content, NULL, reading->diags);
	struct state_method *method = zp_calloc(1, sizeof(*method));
	method->name =
		zp_format("method.%.*s.%.*s", ZP_FMT(block->labels[0]), ZP_FMT(block->labels[1]));
	zp_vec_push(&reading->encryption->methods, method);
	if (!plain && content.attribute_count)
		method->keys = find_provider(reading, content.attributes[0]);
}

static void read_target(
	struct reading *reading, const struct hcl_block *block, enum state_encryption_target target)
{
	static const struct hcl_attribute_schema attributes[] = { { "method", true },
		{ "enforced", false } };
	static const struct hcl_block_schema blocks[] = { { "fallback", NULL } };
	static const struct hcl_body_schema schema = { attributes, 2, blocks, 1 };
	static const struct hcl_body_schema inner = { attributes, 1, NULL, 0 };
	struct state_encryption *encryption = reading->encryption;
	struct hcl_content content = { 0 }, fallback = { 0 };

	hcl_body_content(block->body, &schema, &reading->arena, &content, NULL, reading->diags);
	const struct hcl_attribute *method = hcl_content_attribute(&content, "method");
	const struct hcl_attribute *enforced = hcl_content_attribute(&content, "enforced");
	if (method)
		encryption->targets[target].method = find_method(reading, method);
	if (enforced) {
		struct hcl_value value = constant(reading, enforced, hcl_bool);
		encryption->targets[target].enforced = value.state == HCL_KNOWN && value.boolean;
	}
	if (content.block_count) {
		hcl_body_content(content.blocks[0]->body, &inner, &reading->arena, &fallback, NULL,
			reading->diags);
		method = hcl_content_attribute(&fallback, "method");
		if (method)
			encryption->targets[target].fallback = find_method(reading, method);
	}
	if (encryption->targets[target].enforced && encryption->targets[target].method &&
		!encryption->targets[target].method->keys)
		zp_diag_error(reading->diags, block->header_range,
			"Unencrypted method is forbidden",
			"Unable to use the method \"unencrypted\" since \"enforced\" is set.");
}

struct state_encryption *state_encryption_read(const struct hcl_body *body, struct zp_diags *diags)
{
	static const char *const two[] = { "type", "name", NULL };
	static const struct hcl_block_schema blocks[] = { { "key_provider", two },
		{ "method", two }, { "state", NULL }, { "plan", NULL } };
	static const struct hcl_body_schema schema = { NULL, 0, blocks, 4 };
	static const char *const order[] = { "key_provider", "method", "state", "plan" };
	struct reading reading = { .encryption = zp_calloc(1, sizeof(struct state_encryption)),
		.diags = diags };
	struct hcl_content content = { 0 };
	size_t errors = diags->errors;

	zp_arena_init(&reading.arena);
	hcl_body_content(body, &schema, &reading.arena, &content, NULL, diags);
	for (size_t kind = 0; kind < ZP_ARRAY_SIZE(order); kind++) {
		for (size_t i = 0; i < content.block_count; i++) {
			if (strcmp(content.blocks[i]->type, order[kind]) != 0)
				continue;
			if (kind == 0)
				read_provider(&reading, content.blocks[i]);
			else if (kind == 1)
				read_method(&reading, content.blocks[i]);
			else
				read_target(&reading, content.blocks[i],
					kind == 2 ? STATE_ENCRYPT_STATE : STATE_ENCRYPT_PLAN);
		}
	}
	zp_arena_release(&reading.arena);
	if (diags->errors == errors)
		return reading.encryption;
	state_encryption_free(reading.encryption);
	return NULL;
}

struct state_encryption *state_encryption_read_text(struct zp_str text, struct zp_diags *diags)
{
	struct zp_diags own;
	struct zp_arena arena;
	struct zp_source *source = zp_source_new(
		text.len && text.ptr[0] == '{' ? "TF_ENCRYPTION.tf.json" : "TF_ENCRYPTION.tf",
		text);
	struct state_encryption *encryption = NULL;

	zp_diags_init(&own);
	zp_arena_init(&arena);
	struct hcl_body *body = hcl_parse_file(source, &arena, &own);
	if (!own.errors)
		encryption = state_encryption_read(body, &own);
	/* Without places: what they point into may hold a passphrase, and must not be shown. */
	for (size_t i = 0; i < own.count; i++)
		zp_diag_error(diags, ZP_NOWHERE, own.items[i]->summary, "In TF_ENCRYPTION: %s",
			own.items[i]->detail);
	zp_diags_release(&own);
	zp_arena_release(&arena);
	zp_source_free(source);
	return encryption;
}

/*
 * random_id and random_bytes: a number of random bytes in several notations.
 */
#include <sodium.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "providers/random/random.h"

static void set_base64(struct provider_builder *builder, const char *name, const char *prefix,
	const uint8_t *bytes, size_t len, int variant)
{
	size_t room = sodium_base64_encoded_len(len, variant);
	char *text = zp_arena_text(builder->arena, room);
	sodium_bin2base64(text, room, bytes, len, variant);
	utility_set_text(builder, name, zp_arena_format(builder->arena, "%s%s", prefix, text));
}

static void set_hex(struct provider_builder *builder, const char *name, const char *prefix,
	const uint8_t *bytes, size_t len)
{
	char *text = zp_arena_text(builder->arena, 2 * len + 1);
	sodium_bin2hex(text, 2 * len + 1, bytes, len);
	utility_set_text(builder, name, zp_arena_format(builder->arena, "%s%s", prefix, text));
}

/* The bytes as one decimal number, most significant first: long division by ten. */
static void set_decimal(
	struct provider_builder *builder, const char *prefix, const uint8_t *bytes, size_t len)
{
	zp_autofree uint8_t *rest = zp_malloc(len + 1);
	size_t room = len * 3 + 2, start = room - 1, first = 0;
	char *text = zp_arena_text(builder->arena, room);
	memcpy(rest, bytes, len);
	text[start] = '\0';
	do {
		unsigned remainder = 0;
		for (size_t i = first; i < len; i++) {
			unsigned value = remainder << 8 | rest[i];
			rest[i] = (uint8_t)(value / 10);
			remainder = value % 10;
		}
		text[--start] = (char)('0' + remainder);
		while (first < len && !rest[first])
			first++;
	} while (first < len);
	utility_set_text(
		builder, "dec", zp_arena_format(builder->arena, "%s%s", prefix, text + start));
}

/* --- random_id --- */

static struct provider_attribute random_id_attributes[] = {
	RANDOM_RESULT("id", "string", 0),
	RANDOM_ARGUMENT("byte_length", "number", PROVIDER_REQUIRED),
	RANDOM_ARGUMENT("prefix", "string", PROVIDER_OPTIONAL),
	UTILITY_TRIGGERS("keepers"),
	RANDOM_RESULT("b64_std", "string", 0),
	RANDOM_RESULT("b64_url", "string", 0),
	RANDOM_RESULT("dec", "string", 0),
	RANDOM_RESULT("hex", "string", 0),
};

static void set_id(
	struct provider_builder *builder, const char *prefix, const uint8_t *bytes, size_t len)
{
	set_base64(builder, "id", "", bytes, len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	set_base64(
		builder, "b64_url", prefix, bytes, len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	set_base64(builder, "b64_std", prefix, bytes, len, sodium_base64_VARIANT_ORIGINAL);
	set_hex(builder, "hex", prefix, bytes, len);
	set_decimal(builder, prefix, bytes, len);
}

static void create_id(struct provider_operation *op, struct provider_builder *builder)
{
	size_t len = (size_t)provider_get_int(op->planned, "byte_length", 1);
	const char *prefix = provider_get_text(op->planned, "prefix");
	uint8_t *bytes = zp_arena_alloc(op->arena, len);
	provider_random(bytes, len);
	set_id(builder, prefix ? prefix : "", bytes, len);
}

/* "prefix,id", or the id alone. */
static void import_id(struct provider_operation *op, struct provider_builder *builder)
{
	const char *comma = strrchr(op->import_id, ','), *text = comma ? comma + 1 : op->import_id;
	const char *prefix =
		comma ? zp_arena_strndup(op->arena, op->import_id, (size_t)(comma - op->import_id))
		      : "";
	size_t len = 0, room = strlen(text);
	uint8_t *bytes = zp_arena_alloc(op->arena, room + 1);
	if (sodium_base642bin(bytes, room, text, room, NULL, &len, NULL,
		    sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
		!len) {
		provider_error(&op->problems, NULL, "Import Random ID Error",
			"\"%s\" is not base 64 in its form for URLs.", text);
		return;
	}
	set_id(builder, prefix, bytes, len);
	utility_set_int(builder, "byte_length", (int64_t)len);
	if (*prefix)
		utility_set_text(builder, "prefix", prefix);
}

static void validate_id(struct hcl_value config, struct provider_problems *problems)
{
	random_check(problems, config, "byte_length", 1, RANDOM_MAX_LENGTH);
}

static const struct utility_kind random_id_kind = { .create = create_id, .import = import_id };

RANDOM_TYPE(random_id, "random_id", 0, "id", .validate = validate_id);

/* --- random_bytes --- */

static struct provider_attribute random_bytes_attributes[] = {
	RANDOM_ARGUMENT("length", "number", PROVIDER_REQUIRED),
	UTILITY_TRIGGERS("keepers"),
	RANDOM_RESULT("base64", "string", PROVIDER_SENSITIVE),
	RANDOM_RESULT("hex", "string", PROVIDER_SENSITIVE),
};

static void set_bytes(struct provider_builder *builder, const uint8_t *bytes, size_t len)
{
	set_base64(builder, "base64", "", bytes, len, sodium_base64_VARIANT_ORIGINAL);
	set_hex(builder, "hex", "", bytes, len);
}

static void create_bytes(struct provider_operation *op, struct provider_builder *builder)
{
	size_t len = (size_t)provider_get_int(op->planned, "length", 1);
	uint8_t *bytes = zp_arena_alloc(op->arena, len);
	provider_random(bytes, len);
	set_bytes(builder, bytes, len);
}

static void import_bytes(struct provider_operation *op, struct provider_builder *builder)
{
	size_t len = 0, room = strlen(op->import_id);
	uint8_t *bytes = zp_arena_alloc(op->arena, room + 1);
	if (sodium_base642bin(bytes, room, op->import_id, room, NULL, &len, NULL,
		    sodium_base64_VARIANT_ORIGINAL) != 0 ||
		!len) {
		provider_error(&op->problems, NULL, "Import Random bytes Error",
			"The import id is not base 64.");
		return;
	}
	set_bytes(builder, bytes, len);
	utility_set_int(builder, "length", (int64_t)len);
}

static void validate_bytes(struct hcl_value config, struct provider_problems *problems)
{
	random_check(problems, config, "length", 1, RANDOM_MAX_LENGTH);
}

static const struct utility_kind random_bytes_kind = {
	.create = create_bytes,
	.import = import_bytes,
};

RANDOM_TYPE(random_bytes, "random_bytes", 0, NULL, .validate = validate_bytes);

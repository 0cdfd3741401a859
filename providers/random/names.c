/*
 * random_uuid and random_pet: names, for machines and for people.
 */
#include "providers/random/random.h"

/* --- random_uuid --- */

static struct provider_attribute random_uuid_attributes[] = {
	RANDOM_RESULT("id", "string", 0),
	UTILITY_TRIGGERS("keepers"),
	RANDOM_RESULT("result", "string", 0),
};

static void create_uuid(struct provider_operation *op, struct provider_builder *builder)
{
	char text[37];
	(void)op;
	zp_uuid(text);
	utility_set_text(builder, "id", text);
	utility_set_text(builder, "result", text);
}

static bool is_uuid(const char *text)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	if (strlen(text) != 36)
		return false;
	for (size_t i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		if (dash ? text[i] != '-' : !strchr(digits, text[i]))
			return false;
	}
	return true;
}

static void import_uuid(struct provider_operation *op, struct provider_builder *builder)
{
	if (!is_uuid(op->import_id)) {
		provider_error(&op->problems, NULL, "Import Random UUID Error",
			"\"%s\" is not a UUID.", op->import_id);
		return;
	}
	utility_set_text(builder, "id", op->import_id);
	utility_set_text(builder, "result", op->import_id);
}

static const struct utility_kind random_uuid_kind = {
	.create = create_uuid,
	.import = import_uuid,
};

RANDOM_TYPE(random_uuid, "random_uuid", 0, "id", );

/* --- random_pet --- */

static struct provider_attribute random_pet_attributes[] = {
	RANDOM_RESULT("id", "string", 0),
	{ .name = "length",
		.type = "number",
		.flags = PROVIDER_OPTIONAL | PROVIDER_FORCE_NEW,
		.default_value = "2" },
	RANDOM_ARGUMENT("prefix", "string", PROVIDER_OPTIONAL),
	{ .name = "separator",
		.type = "string",
		.flags = PROVIDER_OPTIONAL | PROVIDER_FORCE_NEW,
		.default_value = "\"-\"" },
	UTILITY_TRIGGERS("keepers"),
};

static void validate_pet(struct hcl_value config, struct provider_problems *problems)
{
	random_check(problems, config, "length", 1, 64);
}

static void add_word(
	struct zp_buf *name, const char *separator, const char *const *words, uint32_t count)
{
	if (name->len)
		zp_buf_puts(name, separator);
	zp_buf_puts(name, words[provider_random_below(count)]);
}

/* An animal; before it an adjective; before that as many adverbs as make up the length. */
static void create_pet(struct provider_operation *op, struct provider_builder *builder)
{
	int64_t length = provider_get_int(op->planned, "length", 2);
	const char *prefix = provider_get_text(op->planned, "prefix");
	const char *separator = provider_get_text(op->planned, "separator");
	zp_autobuf name = ZP_BUF_INIT;
	separator = separator ? separator : "-";
	zp_buf_puts(&name, prefix ? prefix : "");
	for (int64_t i = 2; i < length; i++)
		add_word(&name, separator, random_adverbs, random_adverb_count);
	if (length > 1)
		add_word(&name, separator, random_adjectives, random_adjective_count);
	add_word(&name, separator, random_animals, random_animal_count);
	utility_set_text(builder, "id", name.ptr);
}

static const struct utility_kind random_pet_kind = { .create = create_pet };

RANDOM_TYPE(random_pet, "random_pet", 0, "id", .validate = validate_pet);

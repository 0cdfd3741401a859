/*
 * random_string and random_password: text of chosen kinds of characters, with at least so many of
 * each.
 */
#include <crypt.h>

#include "providers/random/random.h"

#define BCRYPT_COST 10

enum { UPPER, LOWER, NUMERIC, SPECIAL, CLASSES };

static const struct {
	const char *flag, *minimum, *characters;
} classes[CLASSES] = {
	[UPPER] = { "upper", "min_upper", "ABCDEFGHIJKLMNOPQRSTUVWXYZ" },
	[LOWER] = { "lower", "min_lower", "abcdefghijklmnopqrstuvwxyz" },
	[NUMERIC] = { "numeric", "min_numeric", "0123456789" },
	[SPECIAL] = { "special", "min_special", "!@#$%&*()-_=+[]{}<>:?" },
};

#define FLAG(word)                                                                                 \
	{                                                                                          \
		.name = word, .type = "bool", .flags = PROVIDER_OPTIONAL | PROVIDER_FORCE_NEW,     \
		.default_value = "true"                                                            \
	}
#define MINIMUM(word)                                                                              \
	{                                                                                          \
		.name = word, .type = "number", .flags = PROVIDER_OPTIONAL | PROVIDER_FORCE_NEW,   \
		.default_value = "0"                                                               \
	}
/* Two names of one thing: what is not given follows the other. */
#define TWIN(word, more)                                                                           \
	RANDOM_ARGUMENT(word, "bool", PROVIDER_OPTIONAL | PROVIDER_COMPUTED | (more))

#define TEXT_ARGUMENTS                                                                             \
	RANDOM_RESULT("id", "string", 0), RANDOM_ARGUMENT("length", "number", PROVIDER_REQUIRED),  \
		FLAG("upper"), FLAG("lower"), FLAG("special"), TWIN("numeric", 0),                 \
		TWIN("number", PROVIDER_DEPRECATED), MINIMUM("min_upper"), MINIMUM("min_lower"),   \
		MINIMUM("min_numeric"), MINIMUM("min_special"),                                    \
		RANDOM_ARGUMENT("override_special", "string", PROVIDER_OPTIONAL),                  \
		UTILITY_TRIGGERS("keepers")

static struct provider_attribute random_string_attributes[] = {
	TEXT_ARGUMENTS,
	RANDOM_RESULT("result", "string", 0),
};

static struct provider_attribute random_password_attributes[] = {
	TEXT_ARGUMENTS,
	RANDOM_RESULT("result", "string", PROVIDER_SENSITIVE),
	RANDOM_RESULT("bcrypt_hash", "string", PROVIDER_SENSITIVE),
};

/* Null, or as the configuration or a default has it; unknown counts as true, to be let pass. */
static bool is_wanted(struct hcl_value config, const char *name)
{
	struct hcl_value value = provider_get(config, name);
	return value.state != HCL_KNOWN || value.boolean;
}

static void validate(struct hcl_value config, struct provider_problems *problems)
{
	int64_t sum = 0, length = provider_get_int(config, "length", RANDOM_MAX_LENGTH);
	random_check(problems, config, "length", 1, RANDOM_MAX_LENGTH);
	for (int i = 0; i < CLASSES; i++) {
		random_check(problems, config, classes[i].minimum, 0, RANDOM_MAX_LENGTH);
		sum += provider_get_int(config, classes[i].minimum, 0);
	}
	if (problems->errors)
		return;
	if (sum > length)
		provider_error(problems, "length", "Invalid Attribute Value",
			"Attribute length value must be at least the sum of min_upper, min_lower, "
			"min_numeric and min_special (%lld), got: %lld",
			(long long)sum, (long long)length);
	if (!is_wanted(config, "upper") && !is_wanted(config, "lower") &&
		!is_wanted(config, "special") &&
		(!is_wanted(config, "numeric") || !is_wanted(config, "number")))
		provider_error(problems, NULL, "No characters to choose from",
			"At least one of upper, lower, numeric and special must be true.");
}

/* Without either the kind is wanted; where it was not, that makes another object. */
static void replace_for_twins(struct provider_plan *plan)
{
	struct hcl_value prior = plan->prior;
	plan->prior = provider_schema_null(plan->type->schema);
	provider_plan_default(plan);
	plan->prior = prior;
	struct hcl_step *step = zp_new(plan->arena, struct hcl_step);
	step->name = provider_schema_attribute(plan->type->schema, "numeric")->name;
	plan->replace = zp_new(plan->arena, struct hcl_path);
	*plan->replace = (struct hcl_path){ .steps = step, .count = 1 };
	plan->replace_count = 1;
}

static void plan_twins(struct provider_plan *plan)
{
	if (plan->planned.state != HCL_KNOWN)
		return;
	struct hcl_value numeric = provider_get(plan->config, "numeric");
	struct hcl_value number = provider_get(plan->config, "number");
	struct hcl_value both = !hcl_is_null(numeric)  ? numeric
				: !hcl_is_null(number) ? number
						       : hcl_bool_value(true);
	if (plan->prior.state == HCL_KNOWN && !plan->replace_count &&
		!hcl_value_identical(provider_get(plan->prior, "numeric"), both))
		replace_for_twins(plan);
	struct provider_builder builder;
	provider_build(&builder, plan->arena, plan->type->schema, plan->planned);
	provider_build_set(&builder, "numeric", both);
	provider_build_set(&builder, "number", both);
	plan->planned = provider_built(&builder);
}

static void swap(char *a, char *b)
{
	char kept = *a;
	*a = *b;
	*b = kept;
}

/* The characters asked for first, the others out of all kinds together, and then all mixed. */
static const char *draw(struct provider_operation *op)
{
	size_t length = (size_t)provider_get_int(op->planned, "length", 1), n = 0;
	const char *special = provider_get_text(op->planned, "override_special");
	char *text = zp_arena_text(op->arena, length + 1);
	zp_autobuf all = ZP_BUF_INIT;
	for (int i = 0; i < CLASSES; i++) {
		const char *set =
			i == SPECIAL && special && *special ? special : classes[i].characters;
		if (!provider_get_bool(op->planned, classes[i].flag, true))
			continue;
		zp_buf_puts(&all, set);
		int64_t minimum = provider_get_int(op->planned, classes[i].minimum, 0);
		for (int64_t j = 0; j < minimum && n < length; j++)
			text[n++] = set[provider_random_below((uint32_t)strlen(set))];
	}
	while (all.len && n < length)
		text[n++] = all.ptr[provider_random_below((uint32_t)all.len)];
	for (size_t i = n; i > 1; i--)
		swap(&text[i - 1], &text[provider_random_below((uint32_t)i)]);
	text[n] = '\0';
	return text;
}

static void create_string(struct provider_operation *op, struct provider_builder *builder)
{
	const char *result = draw(op);
	utility_set_text(builder, "result", result);
	utility_set_text(builder, "id", result);
}

static void set_password(
	struct provider_operation *op, struct provider_builder *builder, const char *password)
{
	struct crypt_data data = { 0 };
	char salt[CRYPT_GENSALT_OUTPUT_SIZE];
	/* What bcrypt takes into account: a longer password has no hash of its own there. */
	const char *start = zp_arena_strndup(op->arena, password, strnlen(password, 72));
	utility_set_text(builder, "result", password);
	utility_set_text(builder, "id", "none");
	if (!crypt_gensalt_rn("$2a$", BCRYPT_COST, NULL, 0, salt, sizeof(salt)) ||
		!crypt_r(start, salt, &data) || data.output[0] == '*') {
		provider_error(&op->problems, NULL, "Hashing the password failed",
			"The system's library offers no bcrypt.");
		return;
	}
	utility_set_text(builder, "bcrypt_hash", data.output);
}

static void create_password(struct provider_operation *op, struct provider_builder *builder)
{
	set_password(op, builder, draw(op));
}

/* What a configuration without any of these arguments has. */
static void set_defaults(struct provider_operation *op, struct provider_builder *builder)
{
	static const char *const flags[] = { "upper", "lower", "special", "numeric", "number" };
	for (size_t i = 0; i < ZP_ARRAY_SIZE(flags); i++)
		provider_build_set(builder, flags[i], hcl_bool_value(true));
	for (int i = 0; i < CLASSES; i++)
		utility_set_int(builder, classes[i].minimum, 0);
	utility_set_int(builder, "length", (int64_t)strlen(op->import_id));
}

static void import_string(struct provider_operation *op, struct provider_builder *builder)
{
	set_defaults(op, builder);
	utility_set_text(builder, "result", op->import_id);
	utility_set_text(builder, "id", op->import_id);
}

static void import_password(struct provider_operation *op, struct provider_builder *builder)
{
	set_defaults(op, builder);
	set_password(op, builder, op->import_id);
}

static const struct utility_kind random_string_kind = {
	.create = create_string,
	.import = import_string,
};

static const struct utility_kind random_password_kind = {
	.create = create_password,
	.import = import_password,
};

RANDOM_TYPE(random_string, "random_string", 2, "id", .validate = validate, .plan = plan_twins);
RANDOM_TYPE(random_password, "random_password", 3, "id", .validate = validate, .plan = plan_twins);

/*
 * random_integer and random_shuffle: a choice among what is given.
 */
#include <stdlib.h>

#include "providers/random/random.h"

/* --- random_integer --- */

static struct provider_attribute random_integer_attributes[] = {
	RANDOM_RESULT("id", "string", 0),
	RANDOM_ARGUMENT("min", "number", PROVIDER_REQUIRED),
	RANDOM_ARGUMENT("max", "number", PROVIDER_REQUIRED),
	RANDOM_ARGUMENT("seed", "string", PROVIDER_OPTIONAL),
	UTILITY_TRIGGERS("keepers"),
	RANDOM_RESULT("result", "number", 0),
};

static void validate_integer(struct hcl_value config, struct provider_problems *problems)
{
	random_check(problems, config, "min", INT64_MIN, INT64_MAX);
	random_check(problems, config, "max", INT64_MIN, INT64_MAX);
	if (!problems->errors && provider_has(config, "min") && provider_has(config, "max") &&
		provider_get_int(config, "max", 0) < provider_get_int(config, "min", 0))
		provider_error(problems, "max", "Create Random Integer Error",
			"The minimum (min) value needs to be smaller than or equal to maximum "
			"(max) "
			"value.");
}

static void set_integer(struct provider_builder *builder, int64_t number)
{
	utility_set_int(builder, "result", number);
	utility_set_text(builder, "id", zp_arena_format(builder->arena, "%lld", (long long)number));
}

static void create_integer(struct provider_operation *op, struct provider_builder *builder)
{
	int64_t min = provider_get_int(op->planned, "min", 0);
	int64_t max = provider_get_int(op->planned, "max", 0);
	struct random_source source;
	if (max < min) {
		provider_error(&op->problems, "max", "Create Random Integer Error",
			"The minimum (min) value needs to be smaller than or equal to maximum "
			"(max) "
			"value.");
		return;
	}
	random_source_init(&source, provider_get_text(op->planned, "seed"));
	/* The size of the range; 0 stands for all 2^64 numbers. */
	uint64_t size = (uint64_t)max - (uint64_t)min + 1;
	set_integer(builder, (int64_t)((uint64_t)min + random_source_below(&source, size)));
}

/* "RESULT,MIN,MAX" and maybe ",SEED". */
static void import_integer(struct provider_operation *op, struct provider_builder *builder)
{
	int64_t numbers[3];
	const char *text = op->import_id;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(numbers); i++) {
		char *end;
		numbers[i] = strtoll(text, &end, 10);
		if (end == text || (*end != ',' && (i < 2 || *end))) {
			provider_error(&op->problems, NULL, "Import Random Integer Error",
				"The import id is \"RESULT,MIN,MAX\" or \"RESULT,MIN,MAX,SEED\".");
			return;
		}
		text = *end ? end + 1 : end;
	}
	set_integer(builder, numbers[0]);
	utility_set_int(builder, "min", numbers[1]);
	utility_set_int(builder, "max", numbers[2]);
	if (*text)
		utility_set_text(builder, "seed", text);
}

static const struct utility_kind random_integer_kind = {
	.create = create_integer,
	.import = import_integer,
};

RANDOM_TYPE(random_integer, "random_integer", 0, "id", .validate = validate_integer);

/* --- random_shuffle --- */

static struct provider_attribute random_shuffle_attributes[] = {
	RANDOM_RESULT("id", "string", 0),
	RANDOM_ARGUMENT("input", "list(string)", PROVIDER_REQUIRED),
	RANDOM_ARGUMENT("result_count", "number", PROVIDER_OPTIONAL),
	RANDOM_ARGUMENT("seed", "string", PROVIDER_OPTIONAL),
	UTILITY_TRIGGERS("keepers"),
	RANDOM_RESULT("result", "list(string)", 0),
};

static void validate_shuffle(struct hcl_value config, struct provider_problems *problems)
{
	random_check(problems, config, "result_count", 0, RANDOM_MAX_LENGTH);
}

static void mix(struct random_source *source, struct hcl_value *items, size_t count)
{
	for (size_t i = count; i > 1; i--) {
		size_t other = (size_t)random_source_below(source, i);
		struct hcl_value kept = items[i - 1];
		items[i - 1] = items[other];
		items[other] = kept;
	}
}

/* More results than inputs are several permutations one after the other. */
static void create_shuffle(struct provider_operation *op, struct provider_builder *builder)
{
	struct hcl_value input = provider_get(op->planned, "input");
	size_t have = input.count;
	size_t want = (size_t)provider_get_int(op->planned, "result_count", (int64_t)have);
	struct random_source source;
	random_source_init(&source, provider_get_text(op->planned, "seed"));
	if (!have)
		want = 0;
	struct hcl_value *items = zp_new_array(op->arena, struct hcl_value, want + have);
	for (size_t n = 0; n < want; n += have) {
		memcpy(items + n, input.elements, have * sizeof(*items));
		mix(&source, items + n, have);
	}
	provider_build_set(builder, "result", hcl_list_value(hcl_string, items, want));
	utility_set_text(builder, "id", "-");
}

static const struct utility_kind random_shuffle_kind = { .create = create_shuffle };

RANDOM_TYPE(random_shuffle, "random_shuffle", 0, "id", .validate = validate_shuffle);

/*
 * The provider `random`: values drawn once, when the object is made, and kept in the state. All
 * types are replaced when anything in their configuration changes.
 */
#ifndef PROVIDERS_RANDOM_RANDOM_H
#define PROVIDERS_RANDOM_RANDOM_H

#include "providers/utility/in_process.h"
#include "providers/utility/uuid.h"

#define RANDOM_MAX_LENGTH 65536

extern const struct provider_resource_type random_id_type, random_bytes_type;	     /* bytes.c */
extern const struct provider_resource_type random_string_type, random_password_type; /* text.c */
extern const struct provider_resource_type random_integer_type, random_shuffle_type; /* choice.c */
extern const struct provider_resource_type random_uuid_type, random_pet_type;	     /* names.c */

/* Words of random_pet. */
extern const char *const random_adverbs[], *const random_adjectives[], *const random_animals[];
extern const uint32_t random_adverb_count, random_adjective_count, random_animal_count;

/*
 * A sequence of numbers: out of the kernel, or, with a seed, the same again for the same seed.
 */
struct random_source {
	bool seeded;
	uint64_t state;
};

void random_source_init(struct random_source *source, const char *seed);
/* Evenly distributed in [0, bound); bound 0 stands for 2^64. */
uint64_t random_source_below(struct random_source *source, uint64_t bound);

/* Rows of schemas. */
#define RANDOM_ARGUMENT(word, kind, more)                                                          \
	{                                                                                          \
		.name = word, .type = kind, .flags = PROVIDER_FORCE_NEW | (more)                   \
	}
#define RANDOM_RESULT(word, kind, more)                                                            \
	{                                                                                          \
		.name = word, .type = kind, .flags = PROVIDER_COMPUTED | (more)                    \
	}

/* Checks a length or count: a whole number in [from, to]. */
void random_check(struct provider_problems *problems, struct hcl_value config, const char *name,
	int64_t from, int64_t to);

#define RANDOM_TYPE(symbol, text, version_number, identity, ...)                                   \
	static struct provider_schema symbol##_schema = {                                          \
		.version = version_number,                                                         \
		.attributes = symbol##_attributes,                                                 \
		.attribute_count = ZP_ARRAY_SIZE(symbol##_attributes),                             \
	};                                                                                         \
	static void symbol##_run(struct provider_instance *instance,                               \
		struct provider_operation *const *ops, size_t count)                               \
	{                                                                                          \
		(void)instance;                                                                    \
		utility_run(&symbol##_kind, ops, count);                                           \
	}                                                                                          \
	const struct provider_resource_type symbol##_type = { .name = text,                        \
		.schema = &symbol##_schema,                                                        \
		.identity_attribute = identity,                                                    \
		.in_process = true,                                                                \
		.batch_key = utility_together,                                                     \
		.run = symbol##_run,                                                               \
		__VA_ARGS__ }

#endif

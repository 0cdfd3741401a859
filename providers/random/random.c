#include "providers/random/random.h"

#include "providers/builtin.h"

static struct provider_schema schema;

static const struct provider_resource_type *const resources[] = {
	&random_bytes_type,
	&random_id_type,
	&random_integer_type,
	&random_password_type,
	&random_pet_type,
	&random_shuffle_type,
	&random_string_type,
	&random_uuid_type,
	NULL,
};

const struct provider provider_random_values = {
	.name = "random",
	.source = "registry.terraform.io/hashicorp/random",
	.version = "3.7.2",
	.schema = &schema,
	.resources = resources,
};

void random_check(struct provider_problems *problems, struct hcl_value config, const char *name,
	int64_t from, int64_t to)
{
	struct hcl_value value = provider_get(config, name);
	int64_t number;
	if (value.state != HCL_KNOWN)
		return;
	if (hcl_number_to_int(value, &number) && number >= from && number <= to)
		return;
	zp_autobuf text = ZP_BUF_INIT;
	hcl_number_text(value, &text);
	provider_error(problems, name, "Invalid Attribute Value",
		"Attribute %s value must be a whole number from %lld to %lld, got: %s", name,
		(long long)from, (long long)to, text.ptr);
}

void random_source_init(struct random_source *source, const char *seed)
{
	source->seeded = seed && *seed;
	source->state = source->seeded ? zp_str_hash(zp_str(seed)) : 0;
}

/* splitmix64: every seed gives a sequence of full period. */
static uint64_t next(struct random_source *source)
{
	uint64_t x;
	if (!source->seeded) {
		provider_random(&x, sizeof(x));
		return x;
	}
	x = source->state += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/* Numbers beyond the last whole multiple of bound are drawn again, so that none is more likely. */
uint64_t random_source_below(struct random_source *source, uint64_t bound)
{
	uint64_t x = next(source);
	if (!bound)
		return x;
	uint64_t rest = (UINT64_MAX % bound + 1) % bound;
	while (rest && x > UINT64_MAX - rest)
		x = next(source);
	return x % bound;
}

/*
 * Schemas: what a resource, data source or provider block may hold. Written as tables; compiled once
 * at registration (provider_schema_compile), which parses the type texts.
 */
#ifndef PROVIDERS_SCHEMA_H
#define PROVIDERS_SCHEMA_H

#include "hcl-lite/eval.h"

enum provider_flags {
	PROVIDER_REQUIRED = 1,
	PROVIDER_OPTIONAL = 2,
	PROVIDER_COMPUTED = 4,	 /* set by the provider where the configuration is silent */
	PROVIDER_SENSITIVE = 8,
	PROVIDER_FORCE_NEW = 16, /* a change means replacement */
	PROVIDER_VOLATILE = 32,	 /* computed, and unknown again whenever the object changes */
	PROVIDER_WRITE_ONLY = 64,
	PROVIDER_DEPRECATED = 128,
};

struct provider_attribute {
	const char *name; /* interned by compile */
	const char *type; /* constraint text: "string", "map(string)", "any" */
	unsigned flags;
	const char *default_value; /* constant expression text, as "8" or "\"x\"", or NULL */
	const char *description;
	/* filled by compile */
	const struct hcl_type *value_type;
	struct hcl_value default_compiled;
};

enum provider_nesting { PROVIDER_SINGLE, PROVIDER_LIST, PROVIDER_SET, PROVIDER_MAP, PROVIDER_GROUP };

struct provider_block {
	const char *name; /* interned by compile */
	enum provider_nesting nesting;
	uint32_t min, max; /* of blocks; max 0: any number */
	struct provider_schema *schema;
};

struct provider_schema {
	int64_t version;
	struct provider_attribute *attributes;
	size_t attribute_count;
	struct provider_block *blocks;
	size_t block_count;
	const char *description;
	/* filled by compile: the object type of a value, and where each attribute/block sits in it */
	const struct hcl_type *type;
	uint32_t *attribute_slots, *block_slots;
	struct hcl_value empty; /* every attribute null, every block empty (a single block: null) */
	bool has_sensitive;	/* an attribute here or in a block below is */
};

/* Idempotent; aborts on a table that is wrong in itself. Not for concurrent first use. */
void provider_schema_compile(struct provider_schema *schema);
/* NULL when absent. */
const struct provider_attribute *provider_schema_attribute(const struct provider_schema *schema,
	const char *name);
const struct provider_block *provider_schema_block(const struct provider_schema *schema,
	const char *name);
/* A null of the schema's type: "there is no such object". */
struct hcl_value provider_schema_null(const struct provider_schema *schema);
/*
 * An object out of its parts, in the order of schema->type. Where that type is dynamic the parts' own
 * types stand in the result's. elements must live as long as the value.
 */
struct hcl_value provider_schema_object(const struct provider_schema *schema,
	struct zp_arena *arena, struct hcl_value *elements);
/* Marks what the schema calls sensitive, at every depth. */
struct hcl_value provider_schema_mark(const struct provider_schema *schema, struct zp_arena *arena,
	struct hcl_value value);

#endif

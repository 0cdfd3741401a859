/* What a schema alone makes of prior object and configuration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "providers/provider.h"
#include "tests/providers/from_text.h"

static struct provider_attribute part_attributes[] = {
	{ .name = "name", .type = "string", .flags = PROVIDER_REQUIRED },
	{ .name = "size", .type = "number", .flags = PROVIDER_OPTIONAL, .default_value = "1" },
	{ .name = "address", .type = "string", .flags = PROVIDER_COMPUTED },
};

static struct provider_schema part = {
	.attributes = part_attributes,
	.attribute_count = ZP_ARRAY_SIZE(part_attributes),
};

static struct provider_attribute fixed_attributes[] = {
	{ .name = "key", .type = "string", .flags = PROVIDER_OPTIONAL | PROVIDER_FORCE_NEW },
};

static struct provider_schema fixed = {
	.attributes = fixed_attributes,
	.attribute_count = ZP_ARRAY_SIZE(fixed_attributes),
};

static struct provider_attribute attributes[] = {
	{ .name = "id", .type = "string", .flags = PROVIDER_COMPUTED },
	{ .name = "plain", .type = "string", .flags = PROVIDER_OPTIONAL },
	{ .name = "kept", .type = "string", .flags = PROVIDER_OPTIONAL | PROVIDER_COMPUTED },
	{ .name = "forced", .type = "string", .flags = PROVIDER_OPTIONAL | PROVIDER_FORCE_NEW },
	{ .name = "chosen",
		.type = "string",
		.flags = PROVIDER_OPTIONAL | PROVIDER_COMPUTED | PROVIDER_FORCE_NEW },
	{ .name = "eight", .type = "number", .flags = PROVIDER_OPTIONAL, .default_value = "8" },
	{ .name = "once", .type = "string", .flags = PROVIDER_OPTIONAL | PROVIDER_WRITE_ONLY },
	{ .name = "revision", .type = "string", .flags = PROVIDER_COMPUTED | PROVIDER_VOLATILE },
};

static struct provider_block blocks[] = {
	{ .name = "list", .nesting = PROVIDER_LIST, .schema = &part },
	{ .name = "set", .nesting = PROVIDER_SET, .schema = &part },
	{ .name = "map", .nesting = PROVIDER_MAP, .schema = &part },
	{ .name = "single", .nesting = PROVIDER_SINGLE, .schema = &part },
	{ .name = "fixed", .nesting = PROVIDER_LIST, .schema = &fixed },
	{ .name = "fixed_set", .nesting = PROVIDER_SET, .schema = &fixed },
};

static struct provider_schema schema = {
	.attributes = attributes,
	.attribute_count = ZP_ARRAY_SIZE(attributes),
	.blocks = blocks,
	.block_count = ZP_ARRAY_SIZE(blocks),
};

static const struct provider_resource_type type = {
	.name = "test_thing",
	.schema = &schema,
	.identity_attribute = "id",
};

/* An object as it is after a first apply without any configuration. */
#define MADE "id = \"i\", kept = \"k\", chosen = \"c\", eight = 8, revision = \"1\""
#define NEW "id = unknown, kept = unknown, chosen = unknown, eight = 8, revision = unknown"

static const struct {
	const char *what, *prior, *config, *planned, *replace;
} rows[] = {
	{ "create", "null", "{}", "{" NEW "}", "" },
	{ "create with values", "null", "{ plain = \"p\", kept = \"x\", eight = 9, once = \"o\" }",
		"{ id = unknown, plain = \"p\", kept = \"x\", chosen = unknown, eight = 9,"
		"  revision = unknown }",
		"" },
	{ "create with an unknown value", "null", "{ plain = unknown }",
		"{" NEW ", plain = unknown }", "" },
	{ "nothing changes", "{" MADE "}", "{}", "{" MADE "}", "" },
	{ "write-only alone changes nothing", "{" MADE "}", "{ once = \"o\" }", "{" MADE "}", "" },
	{ "an update makes volatile values unknown", "{" MADE "}", "{ plain = \"p\" }",
		"{ id = \"i\", kept = \"k\", chosen = \"c\", eight = 8, plain = \"p\","
		"  revision = unknown }",
		"" },
	{ "a value is taken away", "{" MADE ", plain = \"p\" }", "{}",
		"{ id = \"i\", kept = \"k\", chosen = \"c\", eight = 8, revision = unknown }", "" },
	{ "a default comes back",
		"{ id = \"i\", kept = \"k\", chosen = \"c\", eight = 9,"
		"  revision = \"1\" }",
		"{}", "{ id = \"i\", kept = \"k\", chosen = \"c\", eight = 8, revision = unknown }",
		"" },
	{ "unknown is a change", "{" MADE ", plain = \"p\" }", "{ plain = unknown }",
		"{ id = \"i\", kept = \"k\", chosen = \"c\", eight = 8, plain = unknown,"
		"  revision = unknown }",
		"" },
	{ "forced: set", "{" MADE "}", "{ forced = \"f\" }", "{" NEW ", forced = \"f\" }",
		".forced" },
	{ "forced: changed", "{" MADE ", forced = \"e\" }", "{ forced = \"f\" }",
		"{" NEW ", forced = \"f\" }", ".forced" },
	{ "forced: taken away", "{" MADE ", forced = \"e\" }", "{}", "{" NEW "}", ".forced" },
	{ "forced: unknown", "{" MADE ", forced = \"e\" }", "{ forced = unknown }",
		"{" NEW ", forced = unknown }", ".forced" },
	{ "forced: same", "{" MADE ", forced = \"e\" }", "{ forced = \"e\" }",
		"{" MADE ", forced = \"e\" }", "" },
	{ "computed and forced: kept while not configured", "{" MADE "}", "{ plain = \"p\" }",
		"{ id = \"i\", kept = \"k\", chosen = \"c\", eight = 8, plain = \"p\","
		"  revision = unknown }",
		"" },
	{ "computed and forced: configured otherwise", "{" MADE "}", "{ chosen = \"d\" }",
		"{ id = unknown, kept = unknown, chosen = \"d\", eight = 8, revision = unknown }",
		".chosen" },
	{ "two reasons", "{" MADE ", forced = \"e\" }", "{ forced = \"f\", chosen = \"d\" }",
		"{ id = unknown, kept = unknown, chosen = \"d\", eight = 8, revision = unknown,"
		"  forced = \"f\" }",
		".forced .chosen" },
	{ "blocks of a new object", "null",
		"{ list = [{ name = \"a\" }], set = [{ name = \"b\" }], map = { k = { name = \"c\" "
		"} },"
		"  single = { name = \"d\", size = 2 } }",
		"{" NEW ", list = [{ name = \"a\", size = 1, address = unknown }],"
		" set = [{ name = \"b\", size = 1, address = unknown }],"
		" map = { k = { name = \"c\", size = 1, address = unknown } },"
		" single = { name = \"d\", size = 2, address = unknown } }",
		"" },
	{ "blocks of a list keep what was computed, by position",
		"{" MADE ", list = [{ name = \"a\", size = 1, address = \"A\" }] }",
		"{ list = [{ name = \"z\" }, { name = \"y\" }] }",
		"{ id = \"i\", kept = \"k\", chosen = \"c\", eight = 8, revision = unknown,"
		"  list = [{ name = \"z\", size = 1, address = \"A\" },"
		"          { name = \"y\", size = 1, address = unknown }] }",
		"" },
	{ "blocks of a set keep what was computed, by content",
		"{" MADE ", set = [{ name = \"a\", size = 1, address = \"A\" },"
		"                  { name = \"b\", size = 1, address = \"B\" }] }",
		"{ set = [{ name = \"b\" }, { name = \"c\" }] }",
		"{ id = \"i\", kept = \"k\", chosen = \"c\", eight = 8, revision = unknown,"
		"  set = [{ name = \"b\", size = 1, address = \"B\" },"
		"         { name = \"c\", size = 1, address = unknown }] }",
		"" },
	{ "blocks of a map keep what was computed, by key",
		"{" MADE ", map = { k = { name = \"a\", size = 1, address = \"A\" } } }",
		"{ map = { j = { name = \"a\" }, k = { name = \"b\" } } }",
		"{ id = \"i\", kept = \"k\", chosen = \"c\", eight = 8, revision = unknown,"
		"  map = { j = { name = \"a\", size = 1, address = unknown },"
		"          k = { name = \"b\", size = 1, address = \"A\" } } }",
		"" },
	{ "the same blocks are no change",
		"{" MADE ", list = [{ name = \"a\", size = 1, address = \"A\" }],"
		" set = [{ name = \"a\", size = 1, address = \"A\" }],"
		" map = { k = { name = \"a\", size = 1, address = \"A\" } },"
		" single = { name = \"a\", size = 1, address = \"A\" } }",
		"{ list = [{ name = \"a\" }], set = [{ name = \"a\" }], map = { k = { name = \"a\" "
		"} },"
		"  single = { name = \"a\" } }",
		"{" MADE ", list = [{ name = \"a\", size = 1, address = \"A\" }],"
		" set = [{ name = \"a\", size = 1, address = \"A\" }],"
		" map = { k = { name = \"a\", size = 1, address = \"A\" } },"
		" single = { name = \"a\", size = 1, address = \"A\" } }",
		"" },
	{ "a single block goes",
		"{" MADE ", single = { name = \"a\", size = 1, address = \"A\" } }", "{}",
		"{ id = \"i\", kept = \"k\", chosen = \"c\", eight = 8, revision = unknown }", "" },
	{ "unknown blocks", "{" MADE "}", "{ list = unknown }",
		"{ id = \"i\", kept = \"k\", chosen = \"c\", eight = 8, revision = unknown,"
		"  list = unknown }",
		"" },
	{ "forced inside a block", "{" MADE ", fixed = [{ key = \"a\" }, { key = \"b\" }] }",
		"{ fixed = [{ key = \"a\" }, { key = \"c\" }] }",
		"{" NEW ", fixed = [{ key = \"a\" }, { key = \"c\" }] }", ".fixed[1].key" },
	{ "forced block added", "{" MADE "}", "{ fixed = [{ key = \"a\" }] }",
		"{" NEW ", fixed = [{ key = \"a\" }] }", ".fixed" },
	{ "forced block in a set", "{" MADE ", fixed_set = [{ key = \"a\" }] }",
		"{ fixed_set = [{ key = \"b\" }] }", "{" NEW ", fixed_set = [{ key = \"b\" }] }",
		".fixed_set" },
};

static void paths_text(const struct provider_plan *plan, struct zp_buf *out)
{
	zp_buf_puts(out, "");
	for (size_t i = 0; i < plan->replace_count; i++) {
		if (i)
			zp_buf_char(out, ' ');
		hcl_path_text(&plan->replace[i], out);
	}
}

static void test_rows(void **state)
{
	(void)state;
	provider_schema_compile(&schema);
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		struct zp_arena arena;
		zp_autobuf paths = ZP_BUF_INIT;
		zp_arena_init(&arena);
		struct provider_plan plan = {
			.type = &type,
			.arena = &arena,
			.prior = from_text(&schema, rows[i].prior),
			.config = from_text(&schema, rows[i].config),
		};
		provider_plan_default(&plan);
		assert_same_value(rows[i].what, plan.planned, from_text(&schema, rows[i].planned));
		paths_text(&plan, &paths);
		if (strcmp(zp_buf_slice(&paths).ptr, rows[i].replace) != 0)
			fail_msg("%s: replaces because of \"%s\"", rows[i].what, paths.ptr);
		zp_arena_release(&arena);
	}
}

static void test_identity_is_not_null(void **state)
{
	(void)state;
	provider_schema_compile(&schema);
	struct provider_plan plan = {
		.type = &type,
		.arena = &from_text_arena,
		.prior = provider_schema_null(&schema),
		.config = schema.empty,
	};
	provider_plan_default(&plan);
	struct hcl_value id = provider_get(plan.planned, "id");
	assert_true(hcl_is_unknown(id) && id.refinement && id.refinement->not_null);
	struct hcl_value kept = provider_get(plan.planned, "kept");
	assert_true(hcl_is_unknown(kept) && !kept.refinement);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_identity_is_not_null),
	};
	return cmocka_run_group_tests(tests, from_text_setup, from_text_teardown);
}

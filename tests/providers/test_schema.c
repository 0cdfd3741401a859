/* Compiling schema tables, empty and marked values, finding providers and types. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "providers/provider.h"
#include "tests/providers/from_text.h"

static struct provider_attribute inner_attributes[] = {
	{ .name = "key", .type = "string", .flags = PROVIDER_REQUIRED | PROVIDER_SENSITIVE },
	{ .name = "size", .type = "number", .flags = PROVIDER_OPTIONAL, .default_value = "3" },
};

static struct provider_schema inner = {
	.attributes = inner_attributes,
	.attribute_count = ZP_ARRAY_SIZE(inner_attributes),
};

static struct provider_attribute outer_attributes[] = {
	{ .name = "z",
		.type = "list(string)",
		.flags = PROVIDER_OPTIONAL,
		.default_value = "[\"a\", \"b\"]" },
	{ .name = "id", .type = "string", .flags = PROVIDER_COMPUTED },
	{ .name = "any", .type = "any", .flags = PROVIDER_OPTIONAL },
	{ .name = "secret", .type = "string", .flags = PROVIDER_OPTIONAL | PROVIDER_SENSITIVE },
	{ .name = "shape",
		.type = "object({ a = number, b = optional(string) })",
		.flags = PROVIDER_OPTIONAL },
};

static struct provider_block outer_blocks[] = {
	{ .name = "list", .nesting = PROVIDER_LIST, .schema = &inner },
	{ .name = "set", .nesting = PROVIDER_SET, .schema = &inner },
	{ .name = "map", .nesting = PROVIDER_MAP, .schema = &inner },
	{ .name = "single", .nesting = PROVIDER_SINGLE, .schema = &inner },
	{ .name = "group", .nesting = PROVIDER_GROUP, .schema = &inner },
};

static struct provider_schema outer = {
	.attributes = outer_attributes,
	.attribute_count = ZP_ARRAY_SIZE(outer_attributes),
	.blocks = outer_blocks,
	.block_count = ZP_ARRAY_SIZE(outer_blocks),
};

static void test_type(void **state)
{
	(void)state;
	zp_autobuf text = ZP_BUF_INIT;
	provider_schema_compile(&outer);
	provider_schema_compile(&outer);
	hcl_type_constraint_text(inner.type, &text);
	assert_string_equal(text.ptr, "object({key=string,size=number})");
	assert_int_equal(outer.type->count, 10);
	for (size_t i = 0; i < outer.attribute_count; i++)
		assert_string_equal(outer.type->attributes[outer.attribute_slots[i]].name,
			outer.attributes[i].name);
	for (size_t i = 0; i < outer.block_count; i++)
		assert_string_equal(
			outer.type->attributes[outer.block_slots[i]].name, outer.blocks[i].name);
	assert_true(outer.has_sensitive);
	const struct provider_attribute *shape = provider_schema_attribute(&outer, "shape");
	assert_non_null(shape);
	assert_false(shape->value_type->has_optional);
	assert_null(provider_schema_attribute(&outer, "list"));
	assert_non_null(provider_schema_block(&outer, "list"));
	assert_null(provider_schema_block(&outer, "id"));
}

static void test_defaults(void **state)
{
	(void)state;
	provider_schema_compile(&outer);
	struct hcl_value z = outer.attributes[0].default_compiled;
	assert_ptr_equal(z.type, hcl_list_type(hcl_string));
	assert_int_equal(z.count, 2);
	assert_int_equal(inner.attributes[1].default_compiled.integer, 3);
	assert_true(hcl_is_null(inner.attributes[0].default_compiled));
}

static void test_empty(void **state)
{
	(void)state;
	provider_schema_compile(&outer);
	struct hcl_value value = outer.empty, part;
	assert_int_equal(value.state, HCL_KNOWN);
	assert_true(hcl_is_null(provider_get(value, "id")));
	assert_true(hcl_value_attribute(value, "list", &part));
	assert_true(part.state == HCL_KNOWN && part.count == 0 && part.type->kind == HCL_LIST);
	assert_true(hcl_value_attribute(value, "set", &part));
	assert_true(part.state == HCL_KNOWN && part.count == 0 && part.type->kind == HCL_SET);
	assert_true(hcl_value_attribute(value, "map", &part));
	assert_true(part.state == HCL_KNOWN && part.count == 0 && part.type->kind == HCL_MAP);
	assert_true(hcl_value_attribute(value, "single", &part));
	assert_true(hcl_is_null(part));
	assert_true(hcl_value_attribute(value, "group", &part));
	assert_true(part.state == HCL_KNOWN && hcl_is_null(provider_get(part, "key")));
	assert_true(hcl_is_null(provider_schema_null(&outer)));
	assert_ptr_equal(provider_schema_null(&outer).type, outer.type);
}

static void test_marks(void **state)
{
	(void)state;
	provider_schema_compile(&outer);
	struct hcl_value plain = from_text(&outer,
		"{ id = \"x\", secret = \"s\", list = [{ key = \"k\" }, { key = \"l\" }],"
		"  set = [{ key = \"m\" }], map = { a = { key = \"n\" } }, single = { key = \"o\" "
		"} }");
	struct hcl_value marked = provider_schema_mark(&outer, &from_text_arena, plain), part, key;
	assert_false(hcl_has_marks_inside(plain));
	assert_true(hcl_value_attribute(marked, "secret", &part) && hcl_is_sensitive(part));
	assert_true(hcl_value_attribute(marked, "id", &part) && !hcl_has_marks_inside(part));
	assert_true(hcl_value_attribute(marked, "list", &part) && !hcl_is_sensitive(part));
	assert_int_equal(part.count, 2);
	assert_true(hcl_value_attribute(part.elements[1], "key", &key) && hcl_is_sensitive(key));
	assert_true(hcl_value_attribute(part.elements[1], "size", &key) && !hcl_is_sensitive(key));
	assert_true(hcl_value_attribute(marked, "set", &part) && hcl_is_sensitive(part));
	assert_true(hcl_value_attribute(marked, "map", &part) && !hcl_is_sensitive(part));
	assert_true(
		hcl_value_attribute(part.entries[0].value, "key", &key) && hcl_is_sensitive(key));
	assert_true(hcl_value_attribute(marked, "single", &part) && !hcl_is_sensitive(part));
	assert_true(hcl_value_attribute(part, "key", &key) && hcl_is_sensitive(key));
	assert_true(hcl_value_identical(
		plain, hcl_unmark_deep(&from_text_arena, marked, HCL_ALL_MARKS)));
	struct hcl_value null = provider_schema_null(&outer);
	assert_true(hcl_is_null(provider_schema_mark(&outer, &from_text_arena, null)));
}

static void test_find(void **state)
{
	static const struct {
		const char *source, *name; /* name NULL: not built in */
	} rows[] = {
		{ "registry.terraform.io/zplan/zos", "zos" },
		{ "registry.opentofu.org/zplan/zos", "zos" },
		{ "zplan/zos", "zos" },
		{ "zos", "zos" },
		{ "hashicorp/zos", "zos" },
		{ "other/zos", NULL },
		{ "terraform.io/builtin/terraform", "terraform" },
		{ "terraform", "terraform" },
		{ "hashicorp/random", "random" },
		{ "registry.terraform.io/hashicorp/null", "null" },
		{ "time", "time" },
		{ "hashicorp/aws", NULL },
		{ "example.com/zplan/zos", NULL },
		{ "", NULL },
	};
	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		const struct provider *provider = provider_find(rows[i].source);
		if (!rows[i].name != !provider)
			fail_msg("%s: %s", rows[i].source, provider ? "found" : "not found");
		if (provider)
			assert_string_equal(provider->name, rows[i].name);
	}
}

static void test_types_of_providers(void **state)
{
	(void)state;
	assert_string_equal(provider_for_type("zos_disk")->name, "zos");
	assert_string_equal(provider_for_type("terraform_data")->name, "terraform");
	assert_null(provider_for_type("zosdisk"));
	assert_null(provider_for_type("aws_instance"));
	const struct provider *zos = provider_find("zos");
	assert_string_equal(provider_resource(zos, "zos_machine", false)->name, "zos_machine");
	assert_null(provider_resource(zos, "zos_machine", true));
	assert_null(provider_resource(zos, "zos_nothing", false));
}

/* Every built-in type says what it is and how it is run. */
static void test_tables(void **state)
{
	(void)state;
	for (const struct provider *const *p = provider_all(); *p; p++) {
		assert_non_null((*p)->schema->type);
		for (const struct provider_resource_type *const *t = (*p)->resources; t && *t;
			t++) {
			const struct provider_resource_type *type = *t;
			assert_non_null(type->schema->type);
			assert_non_null(type->run);
			assert_ptr_equal(provider_for_type(type->name), *p);
			if (type->identity_attribute)
				assert_non_null(provider_schema_attribute(
					type->schema, type->identity_attribute));
			else
				assert_true(type->in_process);
		}
	}
}

static void test_problems(void **state)
{
	(void)state;
	struct provider_problems problems = { 0 };
	zp_autoerror err = ZP_ERROR_INIT;
	provider_error(&problems, "size", "Too big", "%d is too big", 5);
	provider_warning(&problems, NULL, "Careful", "on %s", "Mondays");
	zp_error_set(&err, "broken");
	provider_error_from(&problems, NULL, "Failed", &err);
	assert_null(err.message);
	assert_int_equal(problems.count, 3);
	assert_int_equal(problems.errors, 2);
	assert_string_equal(problems.items[0].detail, "5 is too big");
	assert_string_equal(problems.items[0].path.steps[0].name, "size");
	assert_int_equal(problems.items[1].severity, ZP_SEVERITY_WARNING);
	assert_int_equal(problems.items[1].path.count, 0);
	assert_string_equal(problems.items[2].detail, "broken");
	provider_problems_release(&problems);
	assert_int_equal(problems.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_type),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_types_of_providers),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_problems),
	};
	return cmocka_run_group_tests(tests, from_text_setup, from_text_teardown);
}

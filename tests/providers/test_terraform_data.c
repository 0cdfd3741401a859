/* terraform_data plans and applies as the peer's does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "providers/provider.h"
#include "tests/providers/from_text.h"

static const struct provider_resource_type *data_type(void)
{
	return provider_resource(
		provider_find("terraform.io/builtin/terraform"), "terraform_data", false);
}

#define ID "id = \"i\", "

static const struct {
	const char *what, *prior, *config, *planned, *replace;
} plans[] = {
	{ "create", "null", "{ input = \"a\" }",
		"{ id = unknown, input = \"a\", output = unknown }", "" },
	{ "create without input has its output at once", "null", "{}", "{ id = unknown }", "" },
	{ "no change", "{" ID "input = \"a\", output = \"a\" }", "{ input = \"a\" }",
		"{" ID "input = \"a\", output = \"a\" }", "" },
	{ "input changes", "{" ID "input = \"a\", output = \"a\" }", "{ input = \"b\" }",
		"{" ID "input = \"b\", output = unknown }", "" },
	{ "input goes", "{" ID "input = \"a\", output = \"a\" }", "{}", "{" ID "output = unknown }",
		"" },
	{ "input comes", "{" ID "}", "{ input = \"a\" }",
		"{" ID "input = \"a\", output = unknown }", "" },
	{ "input of another type", "{" ID "input = \"1\", output = \"1\" }", "{ input = 1 }",
		"{" ID "input = 1, output = unknown }", "" },
	{ "triggers change", "{" ID "input = 1, output = 1, triggers_replace = [1] }",
		"{ input = 1, triggers_replace = [2] }",
		"{ id = unknown, input = 1, output = unknown, triggers_replace = [2] }",
		".triggers_replace" },
	{ "triggers come", "{" ID "}", "{ triggers_replace = \"x\" }",
		"{ id = unknown, triggers_replace = \"x\" }", ".triggers_replace" },
	{ "triggers are unknown", "{" ID "triggers_replace = \"x\" }",
		"{ triggers_replace = unknown }", "{ id = unknown, triggers_replace = unknown }",
		".triggers_replace" },
};

/* The output's unknown has the type of the input, which rows do not write out. */
static struct hcl_value with_typed_output(struct hcl_value wanted)
{
	struct provider_builder builder;
	if (!hcl_is_unknown(provider_get(wanted, "output")))
		return wanted;
	provider_build(&builder, &from_text_arena, data_type()->schema, wanted);
	provider_build_set(&builder, "output", hcl_unknown(provider_get(wanted, "input").type));
	return provider_built(&builder);
}

static void test_plans(void **state)
{
	(void)state;
	const struct provider_schema *schema = data_type()->schema;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(plans); i++) {
		zp_autobuf paths = ZP_BUF_INIT;
		struct provider_plan plan = {
			.type = data_type(),
			.arena = &from_text_arena,
			.prior = from_text(schema, plans[i].prior),
			.config = from_text(schema, plans[i].config),
		};
		provider_plan_default(&plan);
		plan.type->plan(&plan);
		assert_same_value(plans[i].what, plan.planned,
			with_typed_output(from_text(schema, plans[i].planned)));
		for (size_t j = 0; j < plan.replace_count; j++)
			hcl_path_text(&plan.replace[j], &paths);
		if (strcmp(zp_buf_slice(&paths).ptr, plans[i].replace) != 0)
			fail_msg("%s: replaces because of \"%s\"", plans[i].what, paths.ptr);
	}
}

static struct hcl_value run_one(struct provider_operation *op)
{
	op->type = data_type();
	op->arena = &from_text_arena;
	op->type->run(NULL, &op, 1);
	assert_int_equal(op->problems.count, 0);
	return op->result;
}

static void test_create(void **state)
{
	(void)state;
	const struct provider_schema *schema = data_type()->schema;
	struct provider_operation op = {
		.verb = PROVIDER_CREATE,
		.identity = "the-id",
		.prior = provider_schema_null(schema),
		.planned =
			from_text(schema, "{ id = unknown, input = [1, \"a\"], output = unknown }"),
	};
	assert_same_value("create", run_one(&op),
		from_text(schema, "{ id = \"the-id\", input = [1, \"a\"], output = [1, \"a\"] }"));
}

static void test_create_chooses_an_id(void **state)
{
	(void)state;
	const struct provider_schema *schema = data_type()->schema;
	struct provider_operation op = {
		.verb = PROVIDER_CREATE,
		.prior = provider_schema_null(schema),
		.planned = from_text(schema, "{ id = unknown }"),
	};
	const char *id = provider_get_text(run_one(&op), "id");
	assert_non_null(id);
	assert_int_equal(strlen(id), 36);
	assert_int_equal(id[14], '4');
	assert_non_null(strchr("89ab", id[19]));
}

static void test_update(void **state)
{
	(void)state;
	const struct provider_schema *schema = data_type()->schema;
	struct provider_operation op = {
		.verb = PROVIDER_UPDATE,
		.identity = "i",
		.prior = from_text(schema, "{" ID "input = \"a\", output = \"a\" }"),
		.planned = from_text(schema, "{" ID "input = \"b\", output = unknown }"),
	};
	assert_same_value("update", run_one(&op),
		from_text(schema, "{" ID "input = \"b\", output = \"b\" }"));
	op.planned = from_text(schema, "{" ID "output = unknown }");
	assert_same_value("to null", run_one(&op), from_text(schema, "{" ID "}"));
}

static void test_other_verbs(void **state)
{
	(void)state;
	const struct provider_schema *schema = data_type()->schema;
	struct provider_operation op = {
		.verb = PROVIDER_READ,
		.prior = from_text(schema, "{" ID "input = \"a\", output = \"a\" }"),
		.planned = provider_schema_null(schema),
		.import_id = "imported",
	};
	assert_same_value("read", run_one(&op), op.prior);
	op.verb = PROVIDER_DELETE;
	assert_true(hcl_is_null(run_one(&op)));
	op.verb = PROVIDER_IMPORT;
	assert_same_value("import", run_one(&op), from_text(schema, "{ id = \"imported\" }"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plans),
		cmocka_unit_test(test_create),
		cmocka_unit_test(test_create_chooses_an_id),
		cmocka_unit_test(test_update),
		cmocka_unit_test(test_other_verbs),
	};
	return cmocka_run_group_tests(tests, from_text_setup, from_text_teardown);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>

#include "base/intern.h"
#include "base/threads.h"
#include "tests/hcl-lite/console.h"

static const char config[] = "variable \"n\" {\n default = 5\n}\n"
			     "variable \"list\" {\n default = [1, 2]\n}\n"
			     "variable \"object\" {\n default = { a = 1, b = \"x\" }\n}\n"
			     "variable \"rows\" {\n default = [{ name = \"a\" }]\n}\n"
			     "variable \"none\" {\n default = null\n}\n"
			     "variable \"secret\" {\n default = \"s\"\n sensitive = true\n}\n"
			     "variable \"text\" {\n type = string\n}\n"
			     "locals {\n loop = local.loop\n one = { a = { b = [1] } }\n}\n";

static struct console console;

static int setup(void **state)
{
	(void)state;
	console_init(&console, config, ".");
	return console.diags.errors ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	console_release(&console);
	return 0;
}

struct evaluation {
	struct zp_diags diags;
	struct zp_source *source;
	struct hcl_expr *expr;
	struct hcl_evaluation ev;
	struct hcl_value value;
};

static void begin(struct evaluation *e, const char *text)
{
	zp_diags_init(&e->diags);
	e->source = zp_source_new("main.tf", zp_str(text));
	e->ev = (struct hcl_evaluation){ .arena = &console.arena,
		.diags = &e->diags,
		.scope = &console.scope,
		.functions = &console.functions };
	e->expr = hcl_parse_expression(e->source, &console.arena, &e->diags);
	e->value = hcl_evaluate(&e->ev, e->expr);
}

static void end(struct evaluation *e)
{
	zp_diags_release(&e->diags);
	zp_source_free(e->source);
}

/* What failed, where, and what the names in it stood for; as the peer shows them. */
static void diagnostics(void **state)
{
	static const struct {
		const char *expr, *summary, *subject, *values, *function;
	} rows[] = {
		{ "var.n + var.object.b", "Invalid operand", "var.object.b",
			"var.object.b is \"x\";", "" },
		{ "var.list[var.n]", "Invalid index", "[var.n]",
			"var.list is tuple with 2 elements;var.n is 5;", "" },
		{ "upper(var.list)", "Invalid function argument", "var.list",
			"var.list is tuple with 2 elements;", "upper" },
		{ "[for x in var.rows : x.name + 1]", "Invalid operand", "x.name",
			"x.name is \"a\";", "" },
		{ "\"x${var.object}\"", "Invalid template interpolation value", "var.object",
			"var.object is object with 2 attributes;", "" },
		{ "var.none.foo", "Attempt to get attribute from null value", ".foo",
			"var.none is null;", "" },
		{ "var.object.zzz", "Unsupported attribute", ".zzz",
			"var.object is object with 2 attributes;", "" },
		{ "substr(var.object.b, var.object, 1)", "Invalid function argument", "var.object",
			"var.object is object with 2 attributes;", "substr" },
		{ "{ (var.list) = 1 }", "Incorrect key type", "(var.list)",
			"var.list is tuple with 2 elements;", "" },
		{ "[for k, v in var.n : k]", "Iteration over non-iterable value", "var.n",
			"var.n is 5;", "" },
		{ "-var.object", "Invalid operand", "var.object",
			"var.object is object with 2 attributes;", "" },
		{ "var.text + local.one.a.b[0] + local.one.a", "Invalid operand", "local.one.a",
			"local.one.a is object with 1 attribute \"b\";", "" },
		{ "var.text.x", "Unsupported attribute", ".x", "var.text is a string;", "" },
		{ "var.secret + 1", "Invalid operand", "var.secret", "", "" },
		{ "join(var.n, var.list, upper)", "Unsupported reference", "upper", "", "" },
		{ "element(var.list, var.n / 2)", "Error in function call", "element(",
			"var.list is tuple with 2 elements;var.n is 5;", "element" },
		{ "var.n ? 1 : 2", "Incorrect condition type", "var.n", "var.n is 5;", "" },
		{ "try(var.none.a, var.list.b)", "Error in function call", "try(",
			"var.list is tuple with 2 elements;var.none is null;", "try" },
	};

	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		struct evaluation e;
		zp_autobuf values = ZP_BUF_INIT;
		begin(&e, rows[i].expr);
		assert_int_equal(e.diags.count, 1);
		const struct zp_diag *diag = e.diags.items[0];
		struct zp_str subject = zp_range_text(diag->subject);
		assert_string_equal(diag->summary, rows[i].summary);
		if (!zp_str_is(subject, rows[i].subject))
			fail_msg("%s: subject is %.*s", rows[i].expr, ZP_FMT(subject));
		for (size_t j = 0; j < diag->value_count; j++)
			zp_buf_printf(&values, "%s %s;", diag->values[j].traversal,
				diag->values[j].statement);
		assert_string_equal(values.ptr ? values.ptr : "", rows[i].values);
		assert_string_equal(diag->function ? diag->function : "", rows[i].function);
		assert_false(hcl_is_wholly_known(e.value));
		end(&e);
	}
}

/* A scope that notes what it was asked for and takes all steps but the last. */
struct recorder {
	struct hcl_reference asked;
	struct hcl_traverse steps[8];
	unsigned calls;
};

static bool record(const struct hcl_scope *scope, struct hcl_evaluation *ev,
	const struct hcl_reference *ref, struct hcl_value *value, size_t *consumed)
{
	struct recorder *r = scope->data;

	(void)ev;
	r->calls++;
	r->asked = *ref;
	assert_true(ref->count <= 8);
	memcpy(r->steps, ref->steps, ref->count * sizeof(*ref->steps));
	*consumed = ref->count - 1;
	*value = hcl_object_build(&console.arena, (const char *const[]){ zp_intern_cstr("id") },
		&(struct hcl_value){ .type = hcl_bool, .boolean = true }, 1);
	return true;
}

/* Whoever resolves a name sees all the steps behind it, with their keys evaluated. */
static void references_arrive_whole(void **state)
{
	static const char *const same[] = { "a[2 + 2].id", "a[4].id", "(a)[4].id", "a.4.id",
		"a[\"${4}\"].id" };

	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(same); i++) {
		struct recorder r = { 0 };
		struct hcl_scope scope = { record, &r };
		struct zp_diags diags;
		struct zp_source *source = zp_source_new("x", zp_str(same[i]));
		int64_t index = 4;
		zp_diags_init(&diags);
		struct hcl_evaluation ev = {
			.arena = &console.arena, .diags = &diags, .scope = &scope
		};
		struct hcl_value v =
			hcl_evaluate(&ev, hcl_parse_expression(source, &console.arena, &diags));
		assert_int_equal(diags.errors, 0);
		assert_int_equal(r.calls, 1);
		assert_string_equal(r.asked.root, "a");
		assert_int_equal(r.asked.count, 2);
		if (r.steps[0].key.type == hcl_number)
			assert_true(hcl_number_to_int(r.steps[0].key, &index));
		assert_int_equal(index, 4);
		assert_string_equal(r.steps[1].name, "id");
		assert_true(v.type == hcl_bool && v.boolean);
		zp_diags_release(&diags);
		zp_source_free(source);
	}
}

static void without_scope_or_functions(void **state)
{
	static const struct {
		const char *expr, *summary;
	} rows[] = { { "a.b", "Variables not allowed" },
		{ "upper(\"a\")", "Function calls not allowed" } };

	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		struct zp_diags diags;
		struct zp_source *source = zp_source_new("x", zp_str(rows[i].expr));
		zp_diags_init(&diags);
		struct hcl_evaluation ev = { .arena = &console.arena, .diags = &diags };
		hcl_evaluate(&ev, hcl_parse_expression(source, &console.arena, &diags));
		assert_int_equal(diags.count, 1);
		assert_string_equal(diags.items[0]->summary, rows[i].summary);
		zp_diags_release(&diags);
		zp_source_free(source);
	}
}

static void evaluate_as(void **state)
{
	struct evaluation e;

	(void)state;
	begin(&e, "{ a = [\"x\"] }");
	struct hcl_attribute_type attribute = { "a", hcl_list_type(hcl_number), false };
	hcl_evaluate_as(&e.ev, e.expr, hcl_object_type(&attribute, 1));
	assert_int_equal(e.diags.count, 1);
	assert_string_equal(e.diags.items[0]->summary, "Incorrect value type");
	assert_string_equal(
		e.diags.items[0]->detail, "Invalid expression value: .a[0]: a number is required.");
	end(&e);
	begin(&e, "\"5\"");
	assert_ptr_equal(hcl_evaluate_as(&e.ev, e.expr, hcl_number).type, hcl_number);
	end(&e);
}

static struct hcl_expr *chain(struct zp_arena *arena, size_t depth)
{
	struct hcl_expr *expr = zp_new(arena, struct hcl_expr);

	expr->kind = HCL_EXPR_LITERAL;
	expr->literal = hcl_bool_value(true);
	for (size_t i = 0; i < depth; i++) {
		struct hcl_expr *outer = zp_new(arena, struct hcl_expr);
		outer->kind = HCL_EXPR_UNARY;
		outer->unary.op = HCL_OP_NOT;
		outer->unary.operand = expr;
		expr = outer;
	}
	return expr;
}

static void evaluate_deep(void *data)
{
	struct hcl_evaluation *ev = data;

	hcl_evaluate(ev, chain(ev->arena, HCL_MAX_EVALUATION_DEPTH - 10));
	assert_int_equal(ev->diags->errors, 0);
	hcl_evaluate(ev, chain(ev->arena, 10 * HCL_MAX_EVALUATION_DEPTH));
}

static void depth_is_bounded(void **state)
{
	struct zp_diags diags;

	(void)state;
	zp_diags_init(&diags);
	struct hcl_evaluation ev = { .arena = &console.arena, .diags = &diags };
	zp_call_with_deep_stack(evaluate_deep, &ev);
	assert_int_equal(diags.count, 1);
	assert_string_equal(diags.items[0]->summary, "Expression nested too deeply");
	assert_int_equal(ev.depth, 0);
	zp_diags_release(&diags);
}

/* Nothing a short expression says takes much memory. */
static void sizes_are_bounded(void **state)
{
	static const char *const rows[] = {
		"setproduct(range(1000), range(1000), range(1000), range(1000))",
		"indent(60000000, \"a\\n\\n\\n\\n\")",
		"format(\"%1000000000d\", 1)",
		"[for x in range(1000) : 1e999999999]",
		"join(\"\", [for x in range(1000) : format(\"%99999d\", x)])",
		"replace(join(\"\", [for x in range(1000) : format(\"%9999d\", x)]), \" \", "
		"\"0123456789\")",
		"regex(\"(a|aa)+$\", "
		"\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\")",
		"yamldecode(\"a: &a [x,x,x,x,x,x,x,x,x,x]\\nb: &b "
		"[*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\\n"
		"c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\\n"
		"e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\")",
	};

	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		struct evaluation e;
		begin(&e, rows[i]);
		if (e.diags.errors == 0)
			fail_msg("%s: no error", rows[i]);
		end(&e);
	}
}

static void planning_leaves_impure_functions_open(void **state)
{
	static const char *const rows[] = { "timestamp()", "uuid()", "bcrypt(\"a\")",
		"\"${uuid()}\"", "plantimestamp()" };

	(void)state;
	console.functions.console = false;
	console.functions.pure_only = true;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		struct evaluation e;
		begin(&e, rows[i]);
		assert_int_equal(e.diags.errors, 0);
		assert_true(hcl_is_unknown(e.value) && e.value.type == hcl_string);
		end(&e);
	}
	struct evaluation e;
	console.functions.plan_time = ZP_STR("2024-01-02T03:04:05Z");
	begin(&e, "formatdate(\"YYYY\", plantimestamp())");
	assert_string_equal(e.value.text, "2024");
	end(&e);
	begin(&e, "type(1)");
	assert_string_equal(e.diags.items[0]->summary, "Call to unknown function");
	end(&e);
}

static void signatures(void **state)
{
	zp_autobuf text = ZP_BUF_INIT;

	(void)state;
	assert_true(hcl_function_signature("substr", &text));
	zp_buf_char(&text, ' ');
	assert_true(hcl_function_signature("max", &text));
	zp_buf_char(&text, ' ');
	assert_true(hcl_function_signature("lookup", &text));
	assert_string_equal(text.ptr,
		"substr(str, offset, length) max(numbers...) lookup(inputMap, key, default...)");
	assert_false(hcl_function_signature("nosuch", &text));
}

static void *evaluate_many(void *data)
{
	struct zp_arena arena;
	struct zp_diags diags;
	zp_autobuf text = ZP_BUF_INIT;
	const struct hcl_expr *expr = data;
	static const struct hcl_functions functions = { .base_dir = "." };

	zp_arena_init(&arena);
	zp_diags_init(&diags);
	struct hcl_evaluation ev = { .arena = &arena, .diags = &diags, .functions = &functions };
	for (int i = 0; i < 200; i++) {
		struct hcl_value v = hcl_evaluate(&ev, expr);
		zp_buf_clear(&text);
		hcl_value_to_text(&text, v, 0);
	}
	size_t errors = diags.errors;
	zp_diags_release(&diags);
	zp_arena_release(&arena);
	return (void *)errors;
}

/* Types are made by several threads at once, and are the same for all. */
static void threads(void **state)
{
	static const char text[] =
		"{ for i in range(20) : \"k${i}\" => { n = i / 3, l = tolist([i, \"x${i}\"]), m = "
		"merge({ a = i }, { \"b${i}\" = regex(\"[0-9]+\", \"x${i}\") }) } }";
	struct zp_source *source = zp_source_new("x", zp_str(text));
	struct hcl_expr *expr = hcl_parse_expression(source, &console.arena, &console.diags);
	pthread_t ids[4];

	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(ids); i++)
		assert_int_equal(pthread_create(&ids[i], NULL, evaluate_many, expr), 0);
	for (size_t i = 0; i < ZP_ARRAY_SIZE(ids); i++) {
		void *errors;
		pthread_join(ids[i], &errors);
		assert_null(errors);
	}
	zp_source_free(source);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(diagnostics, setup, teardown),
		cmocka_unit_test_setup_teardown(references_arrive_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(without_scope_or_functions, setup, teardown),
		cmocka_unit_test_setup_teardown(evaluate_as, setup, teardown),
		cmocka_unit_test_setup_teardown(depth_is_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(sizes_are_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(
			planning_leaves_impure_functions_open, setup, teardown),
		cmocka_unit_test_setup_teardown(signatures, setup, teardown),
		cmocka_unit_test_setup_teardown(threads, setup, teardown),
	};
	return cmocka_run_group_tests_name("hcl-lite evaluation", tests, NULL, NULL);
}

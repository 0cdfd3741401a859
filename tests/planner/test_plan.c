/* Whole plans, in process: configurations in a folder of their own, states in the local backend. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "planner/plan.h"

struct fixture {
	char dir[64];
	char *state_path, *plan_path;
};

static int setup(void **data)
{
	struct fixture *f = zp_calloc(1, sizeof(*f));

	snprintf(f->dir, sizeof(f->dir), "/tmp/zplan-plan-XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	f->state_path = zp_format("%s/terraform.tfstate", f->dir);
	f->plan_path = zp_format("%s/plan", f->dir);
	*data = f;
	return 0;
}

static int teardown(void **data)
{
	struct fixture *f = *data;

	zp_remove_tree(f->dir, NULL);
	free(f->state_path);
	free(f->plan_path);
	free(f);
	return 0;
}

static void write_config(struct fixture *f, const char *name, const char *text)
{
	zp_autofree char *path = zp_format("%s/%s", f->dir, name);
	const char *slash = strchr(name, '/');

	if (slash) {
		zp_autofree char *sub = zp_format("%s/%.*s", f->dir, (int)(slash - name), name);
		assert_int_equal(zp_mkdirs(sub, 0755, NULL), 0);
	}
	assert_int_equal(zp_file_write_atomic(path, zp_str(text), 0600, NULL), 0);
}

static const char action_letters[] = { [PLAN_NO_OP] = '=', [PLAN_CREATE] = '+', [PLAN_READ] = '<',
	[PLAN_UPDATE] = '~', [PLAN_DELETE_CREATE] = 'r', [PLAN_CREATE_DELETE] = 'R',
	[PLAN_DELETE] = '-', [PLAN_FORGET] = '.' };

static void note_plan(const struct plan *plan, struct zp_buf *out)
{
	size_t count;
	const struct plan_change *changes = plan_changes(plan, &count);

	for (size_t i = 0; i < count; i++)
		zp_buf_printf(out, "%s%s%c", i ? " " : "", changes[i].address,
			action_letters[changes[i].action]);
}

static bool apply(struct fixture *f, struct plan *plan, struct zp_diags *diags)
{
	struct state_backend *backend = state_local_open(f->state_path, NULL, NULL, NULL);
	struct plan_apply_options options = { .backend = backend, .parallelism = 4 };

	assert_int_equal(state_backend_lock(backend, "test", 0, NULL), 0);
	assert_int_equal(state_backend_load(backend, &options.state, NULL), 0);
	bool ok = plan_apply(plan, &options, diags);
	state_backend_unlock(backend, NULL);
	state_free(options.state);
	state_backend_free(backend);
	return ok;
}

enum how { PLAN_ONLY, APPLY, APPLY_SAVED };

/* Gives the actions and what was said, heap; *ok whether there was no error. */
static char *run(struct fixture *f, enum plan_kind kind, enum how how, const char *variable, bool *ok)
{
	struct plan_config_options config_options = { .dir = f->dir };
	struct state_backend *backend = state_local_open(f->state_path, NULL, NULL, NULL);
	struct node_inventory none = { 0 };
	struct node_pool *nodes = node_pool_new(&none);
	struct plan_input input = { .name = "v", .source = PLAN_FROM_COMMAND_LINE, .text = variable,
		.origin = "-var" };
	struct zp_diags diags;
	struct state *state = NULL;
	struct plan *plan = NULL;
	zp_autobuf out = ZP_BUF_INIT;

	zp_diags_init(&diags);
	struct plan_config *config = plan_config_load(&config_options, &diags);
	if (!diags.errors)
		plan_config_validate(config, &diags);
	assert_int_equal(state_backend_load(backend, &state, NULL), 0);
	struct plan_options options = { .kind = kind, .refresh = true, .nodes = nodes,
		.inputs = &input, .input_count = variable ? 1 : 0 };
	if (!diags.errors)
		plan = plan_create(config, &options, state, &diags);
	if (plan)
		note_plan(plan, &out);
	if (plan && !diags.errors && how == APPLY_SAVED) {
		assert_int_equal(plan_save(plan, f->plan_path, NULL), 0);
		plan_free(plan);
		plan = plan_load(f->plan_path, nodes, NULL, &diags);
	}
	if (plan && !diags.errors && how != PLAN_ONLY)
		apply(f, plan, &diags);
	for (size_t i = 0; i < diags.count; i++)
		zp_buf_printf(&out, "|%s", diags.items[i]->summary);
	*ok = !diags.errors;
	plan_free(plan);
	plan_config_free(config);
	state_free(state);
	state_backend_free(backend);
	node_pool_free(nodes);
	zp_diags_release(&diags);
	return zp_buf_steal(&out);
}

static void expect(struct fixture *f, enum plan_kind kind, enum how how, const char *variable,
	const char *wanted)
{
	bool ok;
	zp_autofree char *got = run(f, kind, how, variable, &ok);

	assert_string_equal(got, wanted);
	assert_int_equal(ok, strchr(wanted, '|') == NULL);
}

static const char life[] = "variable \"v\" { default = \"1\" }\n"
			   "resource \"terraform_data\" \"a\" {\n"
			   "  count = 2\n"
			   "  input = \"x${var.v}\"\n"
			   "}\n"
			   "resource \"terraform_data\" \"b\" {\n"
			   "  for_each = toset([\"p\", \"q\"])\n"
			   "  input = terraform_data.a[1].output\n"
			   "  triggers_replace = each.key == \"p\" ? var.v : null\n"
			   "}\n"
			   "output \"o\" { value = [for b in terraform_data.b : b.output] }\n";

static void test_life(void **data)
{
	struct fixture *f = *data;

	write_config(f, "main.tf", life);
	expect(f, PLAN_NORMAL, APPLY, NULL,
		"terraform_data.a[0]+ terraform_data.a[1]+ terraform_data.b[\"p\"]+ "
		"terraform_data.b[\"q\"]+");
	expect(f, PLAN_NORMAL, APPLY, NULL,
		"terraform_data.a[0]= terraform_data.a[1]= terraform_data.b[\"p\"]= "
		"terraform_data.b[\"q\"]=");
	expect(f, PLAN_NORMAL, APPLY_SAVED, "2",
		"terraform_data.a[0]~ terraform_data.a[1]~ terraform_data.b[\"p\"]r "
		"terraform_data.b[\"q\"]~");
	expect(f, PLAN_NORMAL, PLAN_ONLY, "2",
		"terraform_data.a[0]= terraform_data.a[1]= terraform_data.b[\"p\"]= "
		"terraform_data.b[\"q\"]=");
	zp_autobuf text = ZP_BUF_INIT;
	assert_int_equal(zp_file_read(f->state_path, 1 << 20, &text, NULL), 0);
	assert_non_null(strstr(text.ptr, "\"x2\",\n        \"x2\""));
	expect(f, PLAN_DESTROY, APPLY, "2",
		"terraform_data.a[0]- terraform_data.a[1]- terraform_data.b[\"p\"]- "
		"terraform_data.b[\"q\"]-");
	expect(f, PLAN_DESTROY, APPLY, NULL, "");
}

static void test_modules(void **data)
{
	struct fixture *f = *data;

	write_config(f, "child/main.tf",
		"variable \"name\" { type = string }\n"
		"resource \"terraform_data\" \"x\" { input = upper(var.name) }\n"
		"output \"up\" { value = terraform_data.x.output }\n");
	write_config(f, "main.tf",
		"module \"m\" {\n  source = \"./child\"\n  for_each = { k = \"v\" }\n"
		"  name = each.value\n}\n"
		"resource \"terraform_data\" \"y\" { input = module.m[\"k\"].up }\n");
	expect(f, PLAN_NORMAL, APPLY_SAVED, NULL,
		"terraform_data.y+ module.m[\"k\"].terraform_data.x+");
	expect(f, PLAN_NORMAL, PLAN_ONLY, NULL,
		"terraform_data.y= module.m[\"k\"].terraform_data.x=");
	zp_autobuf text = ZP_BUF_INIT;
	assert_int_equal(zp_file_read(f->state_path, 1 << 20, &text, NULL), 0);
	assert_non_null(strstr(text.ptr, "\"module.m.terraform_data.x\""));
	write_config(f, "main.tf", "locals {}\n");
	expect(f, PLAN_NORMAL, APPLY, NULL, "terraform_data.y- module.m[\"k\"].terraform_data.x-");
}

static void test_stale(void **data)
{
	struct fixture *f = *data;
	struct node_inventory none = { 0 };
	struct node_pool *nodes = node_pool_new(&none);
	struct zp_diags diags;
	bool ok;

	write_config(f, "main.tf", life);
	free(run(f, PLAN_NORMAL, APPLY_SAVED, NULL, &ok));
	assert_true(ok);
	zp_diags_init(&diags);
	struct plan *plan = plan_load(f->plan_path, nodes, NULL, &diags);
	assert_non_null(plan);
	assert_false(apply(f, plan, &diags));
	assert_string_equal(diags.items[0]->summary, "Saved plan is stale");
	plan_free(plan);
	assert_int_equal(zp_file_write_atomic(f->plan_path, ZP_STR("ZPLAN01\nxxxxxxxxxx"), 0600, NULL), 0);
	assert_null(plan_load(f->plan_path, nodes, NULL, &diags));
	zp_diags_release(&diags);
	node_pool_free(nodes);
}

/* Configurations that go wrong, and the summaries that say so. */
static void test_refused(void **data)
{
	struct fixture *f = *data;
	static const struct {
		const char *config, *wanted;
	} rows[] = {
		{ "resource \"terraform_data\" \"a\" { input = terraform_data.b.id }\n"
		  "resource \"terraform_data\" \"b\" { input = terraform_data.a.id }\n",
			"|Cycle: terraform_data.a, terraform_data.b" },
		{ "output \"x\" { value = local.nope }\n", "|Reference to undeclared local value" },
		{ "variable \"need\" {}\n", "|No value for required variable" },
		{ "resource \"terraform_data\" \"a\" { count = -1 }\n", "|Invalid count argument" },
		{ "resource \"terraform_data\" \"a\" { for_each = [1] }\n",
			"|Invalid for_each argument" },
		{ "resource \"terraform_data\" \"a\" {\n  lifecycle {\n    precondition {\n"
		  "      condition = path.root == 1\n      error_message = \"No.\"\n    }\n  }\n}\n",
			"|Resource precondition failed" },
		{ "moved {\n  from = terraform_data.a\n  to = terraform_data.a\n}\n",
			"|Redundant move statement" },
		{ "resource \"terraform_data\" \"a\" {\n}\nremoved {\n  from = terraform_data.a\n}\n",
			"|Removed resource still exists" },
		{ "import {\n  to = terraform_data.a\n  id = \"x\"\n}\n",
			"|Configuration for import target does not exist" },
		{ "output \"s\" { value = sensitive(1) }\n", "|Output refers to sensitive values" },
	};

	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		bool ok;
		write_config(f, "main.tf", rows[i].config);
		zp_autofree char *got = run(f, PLAN_NORMAL, APPLY, NULL, &ok);
		assert_false(ok);
		assert_string_equal(got, rows[i].wanted);
		assert_false(zp_file_exists(f->state_path));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_life, setup, teardown),
		cmocka_unit_test_setup_teardown(test_modules, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stale, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

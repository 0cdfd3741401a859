/*
 * Expressions with what the peer's console printed for them, tests/compat/expressions.jsonl, and the
 * samples of ../shared/compat where they are. Those of several lines are for tests/e2e/compat.sh.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "base/alloc.h"
#include "base/file.h"
#include "hcl-lite/codec.h"
#include "planner/plan.h"

struct session {
	struct zp_diags diags;
	struct plan_config *config;
	struct plan *plan;
	struct state *state;
};

static void open_session(struct session *s)
{
	struct plan_options options = { .working_dir = ".", .workspace = "default" };

	*s = (struct session){ 0 };
	zp_diags_init(&s->diags);
	s->config = plan_config_load(
		&(struct plan_config_options){ .dir = "." }, &s->diags);
	plan_config_validate(s->config, &s->diags);
	for (size_t i = 0; i < s->diags.count; i++)
		print_error("%s: %s\n", s->diags.items[i]->summary, s->diags.items[i]->detail);
	assert_int_equal(s->diags.errors, 0);
	s->state = state_new();
	s->plan = plan_open(s->config, &options, s->state, &s->diags);
	assert_non_null(s->plan);
}

static void close_session(struct session *s)
{
	plan_free(s->plan);
	state_free(s->state);
	plan_config_free(s->config);
	zp_diags_release(&s->diags);
}

/* As console shows it; "" and false for an error. */
static bool evaluate(struct session *s, const struct zp_source *source, struct zp_buf *out)
{
	struct zp_diags diags;
	struct hcl_value value;

	zp_diags_init(&diags);
	bool fine = plan_evaluate_text(s->plan, source, &value, &diags);
	if (fine) {
		hcl_value_to_text(out, value, 0);
		zp_buf_char(out, '\n');
	}
	zp_diags_release(&diags);
	return fine;
}

static bool run_case(struct session *s, const cJSON *row)
{
	const char *expression = cJSON_GetStringValue(cJSON_GetObjectItem(row, "expression"));
	const char *wanted = cJSON_GetStringValue(cJSON_GetObjectItem(row, "stdout"));
	zp_autobuf got = ZP_BUF_INIT;

	struct zp_source *source = zp_source_new("<console-input>", zp_str(expression));
	bool fine = evaluate(s, source, &got);
	bool equal = fine == (wanted != NULL) && (!fine || strcmp(got.ptr, wanted) == 0);
	if (!equal)
		print_error("%s\n  wanted: %s\n  got:    %s\n", expression,
			wanted ? wanted : "an error\n", fine ? got.ptr : "an error\n");
	zp_source_free(source);
	return equal;
}

/* What is printed depends on where and by whom it was recorded. */
static bool depends_on_home(const char *expression)
{
	return strstr(expression, "pathexpand") || strstr(expression, "abspath");
}

static void run_file(const char *folder, size_t at_least)
{
	zp_autofree char *path = zp_path_join(folder, "expressions.jsonl");
	zp_autofree char *fixture = zp_path_join(folder, "fixture");
	zp_autobuf text = ZP_BUF_INIT;
	zp_autoerror err = ZP_ERROR_INIT;
	char before[4096];
	struct session s;
	size_t count = 0, failed = 0;

	if (zp_file_read(path, 1 << 26, &text, &err) < 0)
		fail_msg("%s", zp_error_text(&err));
	assert_non_null(getcwd(before, sizeof(before)));
	assert_int_equal(chdir(fixture), 0);
	open_session(&s);
	for (char *line = text.ptr, *end; *line; line = end + 1) {
		end = strchr(line, '\n');
		*end = '\0';
		cJSON *row = cJSON_Parse(line);
		assert_non_null(row);
		if (!cJSON_IsTrue(cJSON_GetObjectItem(row, "multiline")) &&
			!depends_on_home(line)) {
			failed += !run_case(&s, row);
			count++;
		}
		cJSON_Delete(row);
	}
	close_session(&s);
	assert_int_equal(chdir(before), 0);
	assert_true(count >= at_least);
	assert_int_equal(failed, 0);
}

static void own_cases(void **state)
{
	(void)state;
	run_file("tests/compat", 900);
}

static void shared_samples(void **state)
{
	(void)state;
	if (!zp_file_exists("../shared/compat/expressions.jsonl"))
		skip();
	run_file("../shared/compat", 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_cases),
		cmocka_unit_test(shared_samples),
	};
	return cmocka_run_group_tests_name("expressions as the peer evaluates them", tests, NULL, NULL);
}

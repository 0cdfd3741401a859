/* The model and its file: what the peer wrote comes back byte for byte, what is damaged is refused. */
#include "tests/state/folder.h"

static void assert_written(const struct state *state, struct zp_str expected)
{
	zp_autobuf text = ZP_BUF_INIT;

	state_write(state, &text);
	assert_int_equal(text.len, expected.len);
	assert_memory_equal(text.ptr, expected.ptr, expected.len);
}

/* JSON without the white space between its tokens. */
static struct zp_buf squeezed(struct zp_str text)
{
	struct zp_buf out = ZP_BUF_INIT;
	bool inside = false;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		if (inside && c == '\\')
			zp_buf_char(&out, text.ptr[i++]);
		else if (c == '"')
			inside = !inside;
		else if (!inside && strchr(" \n", c))
			continue;
		zp_buf_char(&out, text.ptr[i]);
	}
	return out;
}

static void test_peer_round_trip(void **data)
{
	zp_autobuf text = file_text(PEER_STATE);
	zp_autobuf small = squeezed(zp_buf_slice(&text));
	struct state *state = parsed(zp_buf_slice(&text));
	struct state *again = parsed(zp_buf_slice(&small));

	(void)data;
	assert_true(small.len < text.len / 2);
	assert_written(state, zp_buf_slice(&text));
	assert_written(again, zp_buf_slice(&text));
	assert_true(state_equal(state, again));
	state_free(state);
	state_free(again);
}

/* Built from its objects in reverse, the file is the same: the order is the writer's. */
static void test_order_of_the_file(void **data)
{
	zp_autobuf text = file_text(PEER_STATE);
	struct state *from = parsed(zp_buf_slice(&text));
	struct state *state = state_new();

	(void)data;
	state->serial = from->serial;
	state->lineage = zp_arena_strdup(&state->arena, from->lineage);
	state->check_results = zp_arena_str(&state->arena, from->check_results);
	for (size_t i = from->output_count; i-- > 0;)
		state_set_output(state, from->outputs[i].name, from->outputs[i].value,
			from->outputs[i].type, from->outputs[i].sensitive);
	for (size_t i = from->object_count; i-- > 0;) {
		struct state_object object = *from->objects[i];
		const struct state_resource *resource = object.resource;
		object.resource = state_resource(state, resource->module, resource->mode,
			resource->type, resource->name, resource->provider);
		state_set(state, &object);
	}
	assert_written(state, zp_buf_slice(&text));
	state_free(from);
	state_free(state);
}

static void test_peer_content(void **data)
{
	static const struct {
		const char *address, *deposed;
		bool tainted, create_before_destroy;
		size_t dependencies;
	} rows[] = {
		{ "data.terraform_remote_state.none", NULL, false, false, 0 },
		{ "terraform_data.a[11]", NULL, false, true, 1 },
		{ "terraform_data.b[\"a\\\"q\"]", NULL, false, true, 0 },
		{ "terraform_data.b[\"$${y}\"]", NULL, false, true, 0 },
		{ "terraform_data.bad", NULL, true, false, 0 },
		{ "terraform_data.cbd[\"k\"]", NULL, true, true, 0 },
		{ "terraform_data.cbd[\"k\"]", "fb3a2fb8", false, true, 0 },
		{ "module.m[1].terraform_data.in", NULL, false, false, 0 },
	};
	zp_autobuf text = file_text(PEER_STATE);
	struct state *state = parsed(zp_buf_slice(&text));

	(void)data;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		const struct state_object *object =
			state_find(state, rows[i].address, rows[i].deposed);
		if (!object)
			fail_msg("%s is missing", rows[i].address);
		assert_string_equal(object->address, rows[i].address);
		assert_int_equal(object->tainted, rows[i].tainted);
		assert_int_equal(object->create_before_destroy, rows[i].create_before_destroy);
		assert_int_equal(object->dependency_count, rows[i].dependencies);
		assert_ptr_equal(state->objects[object->position], object);
	}
	assert_null(state_find(state, "terraform_data.a", NULL));
	assert_null(state_find(state, "terraform_data.cbd[\"k\"]", "00000000"));
	assert_null(state_find(state, "terraform_data.a[12]", NULL));
	assert_int_equal(state->output_count, 3);
	assert_string_equal(state->outputs[2].name, "s");
	assert_true(state->outputs[2].sensitive);
	state_free(state);
}

static const char unknown_members[] =
	"{\n"
	"  \"version\": 4,\n"
	"  \"terraform_version\": \"1.11.4\",\n"
	"  \"serial\": 7,\n"
	"  \"lineage\": \"l\",\n"
	"  \"outputs\": {\n"
	"    \"o\": {\n"
	"      \"value\": 1.10,\n"
	"      \"type\": \"number\",\n"
	"      \"deprecated\": \"why\"\n"
	"    }\n"
	"  },\n"
	"  \"resources\": [\n"
	"    {\n"
	"      \"mode\": \"managed\",\n"
	"      \"type\": \"t\",\n"
	"      \"name\": \"n\",\n"
	"      \"provider\": \"p\",\n"
	"      \"each\": \"list\",\n"
	"      \"instances\": [\n"
	"        {\n"
	"          \"index_key\": 0,\n"
	"          \"schema_version\": 2,\n"
	"          \"attributes\": {\n"
	"            \"n\": 123456789012345678901234567890.10e+5,\n"
	"            \"t\": \"a\\u003cb \\/ \\u00e9 \\ud83d\\ude00\",\n"
	"            \"e\": {},\n"
	"            \"l\": []\n"
	"          },\n"
	"          \"sensitive_attributes\": [],\n"
	"          \"identity_schema_version\": 1,\n"
	"          \"identity\": {\n"
	"            \"id\": \"x\"\n"
	"          },\n"
	"          \"private\": \"bm9uZQ==\",\n"
	"          \"later\": {\n"
	"            \"a\": [\n"
	"              null\n"
	"            ]\n"
	"          }\n"
	"        },\n"
	"        {\n"
	"          \"index_key\": 1,\n"
	"          \"schema_version\": 0,\n"
	"          \"sensitive_attributes\": [],\n"
	"          \"attributes_flat\": {\n"
	"            \"id\": \"old\"\n"
	"          }\n"
	"        }\n"
	"      ]\n"
	"    }\n"
	"  ],\n"
	"  \"check_results\": null,\n"
	"  \"from_the_future\": true\n"
	"}\n";

static void test_unknown_members(void **data)
{
	struct state *state = parsed(ZP_STR(unknown_members));
	struct state *clone = state_clone(state);

	(void)data;
	assert_written(state, ZP_STR(unknown_members));
	assert_written(clone, ZP_STR(unknown_members));
	state_free(clone);
	state_free(state);
}

/* Whatever order the members come in. */
static void test_order_of_members(void **data)
{
	static const char mixed[] =
		"{\"resources\":[{\"instances\":[{\"attributes\":{\"a\":1},\"schema_version\":1,"
		"\"index_key\":\"k\"}],\"provider\":\"p\",\"name\":\"n\",\"type\":\"t\","
		"\"mode\":\"data\",\"module\":\"module.m\"}],\"serial\":3,\"lineage\":\"l\","
		"\"outputs\":null,\"version\":4}";
	struct state *state = parsed(ZP_STR(mixed));
	const struct state_object *object =
		state_find(state, "module.m.data.t.n[\"k\"]", NULL);

	(void)data;
	assert_non_null(object);
	assert_int_equal(object->schema_version, 1);
	assert_int_equal(state->serial, 3);
	state_free(state);
}

#define HEAD "{\"version\":4,\"serial\":1,\"lineage\":\"l\",\"resources\":["
#define RESOURCE "{\"mode\":\"managed\",\"type\":\"t\",\"name\":\"n\",\"provider\":\"p\",\"instances\":["
#define OBJECT "{\"schema_version\":0,\"attributes\":{}}"

static void test_errors(void **data)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
		{ "{\"version\":5}", "x.tfstate was created by a newer version: its format is number 5" },
		{ "{\"version\":5}", "Use the program that wrote it, or a newer zplan. The file was not "
				     "changed." },
		{ "{\"resources\":\"later\",\"version\":12}", "newer version: its format is number 12" },
		{ "{\"version\":3}", "too old to be read here. Let Terraform 1.x write it once" },
		{ "{}", "it has no member \"version\", so it is no state (line 1, column 3)" },
		{ "[]", "expected an object (line 1, column 1)" },
		{ "not json", "expected an object (line 1, column 1)" },
		{ "{\"version\":\"4\"}", "expected a number (line 1, column 12)" },
		{ "{\"version\":4", "where the text ends (line 1, column 13). Restore it from a backup, "
				    "such as x.tfstate.backup. The file was not changed." },
		{ "{\"version\":4,\n\"serial\":tru", "expected a number (line 2, column 10)" },
		{ "{\"version\":4,\n \"lineage\":\"ab", "unterminated string, where the text ends (line 2" },
		{ "{\"version\":4,\"serial\":-1}", "a negative number where none can be" },
		{ "{\"version\":4,\"serial\":1.5}", "expected a whole number" },
		{ "{\"version\":4,\"serial\":99999999999999999999}", "expected a whole number" },
		{ "{\"version\":4,\"lineage\":{}}", "expected a string (line 1, column 24)" },
		{ "{\"version\":4,\"lineage\":\"a\\u0000b\"}", "a NUL character" },
		{ "{\"version\":4,\"outputs\":[]}", "expected an object" },
		{ "{\"version\":4,\"outputs\":{\"a\":1}}", "expected an object" },
		{ "{\"version\":4,\"resources\":{}}", "expected an array" },
		{ "{\"version\":4} x", "something follows the end of the document" },
		{ "{\"version\":4,}", "trailing comma" },
		{ HEAD "{}]}", "a resource needs mode, type and name" },
		{ HEAD "{\"mode\":\"x\",\"type\":\"t\",\"name\":\"n\"}]}", "a resource needs mode" },
		{ HEAD RESOURCE OBJECT "," OBJECT "]}]}", "t.n stands there twice (line 1" },
		{ HEAD RESOURCE OBJECT "]}," RESOURCE OBJECT "]}]}", "t.n stands there twice" },
		{ HEAD RESOURCE "{\"deposed\":\"aa\"},{\"deposed\":\"aa\"}]}]}",
			"t.n stands there twice" },
		{ HEAD RESOURCE "{\"status\":\"odd\"}]}]}", "status can only be \"tainted\", in t.n" },
		{ HEAD RESOURCE "{\"index_key\":[]}]}]}",
			"index_key must be a number or a string, in t.n" },
		{ HEAD RESOURCE "{\"attributes\":[]}]}]}", "attributes must be an object, in t.n" },
		{ HEAD RESOURCE "{\"schema_version\":\"1\"}]}]}", "expected a number, in t.n" },
		{ HEAD RESOURCE "{\"dependencies\":[1]}]}]}", "expected a string, in t.n" },
		{ HEAD RESOURCE "{\"create_before_destroy\":1}]}]}", "expected true or false, in t.n" },
	};

	(void)data;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		zp_autoerror err = ZP_ERROR_INIT;
		if (state_parse(zp_str(rows[i].text), "x.tfstate", &err))
			fail_msg("accepted: %s", rows[i].text);
		if (!strstr(zp_error_text(&err), rows[i].message))
			fail_msg("%s\n gave: %s\n not: %s", rows[i].text, zp_error_text(&err),
				rows[i].message);
	}
}

/* A file that lacks its end is never a shorter state. */
static void test_truncated_anywhere(void **data)
{
	size_t length = sizeof(unknown_members) - 1;

	(void)data;
	for (size_t n = 1; n < length - 1; n++) {
		zp_autoerror err = ZP_ERROR_INIT;
		if (state_parse(zp_strn(unknown_members, n), "x", &err))
			fail_msg("accepted the first %zu of %zu bytes", n, length);
		assert_non_null(strstr(zp_error_text(&err), "line "));
		assert_null(strstr(zp_error_text(&err), "x.backup"));
	}
}

/* A flipped bit is refused, or gives a state that can be written and read. */
static void test_flipped_anywhere(void **data)
{
	zp_autobuf text = ZP_BUF_INIT;

	(void)data;
	zp_buf_str(&text, ZP_STR(unknown_members));
	for (size_t bit = 0; bit < text.len * 8; bit++) {
		text.ptr[bit / 8] ^= (char)(1 << bit % 8);
		struct state *state = state_parse(zp_buf_slice(&text), "x", NULL);
		text.ptr[bit / 8] ^= (char)(1 << bit % 8);
		if (!state)
			continue;
		zp_autobuf written = ZP_BUF_INIT;
		state_write(state, &written);
		struct state *again = parsed(zp_buf_slice(&written));
		if (!state_equal(state, again))
			fail_msg("bit %zu: other than written:\n%s", bit, written.ptr);
		state_free(again);
		state_free(state);
	}
}

static void test_nothing_is_new(void **data)
{
	static const char *const blanks[] = { "", " \n\t" };

	(void)data;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(blanks); i++) {
		struct state *state = parsed(zp_str(blanks[i]));
		assert_int_equal(strlen(state->lineage), 36);
		assert_int_equal(state->serial, 0);
		assert_true(state_is_empty(state));
		state_free(state);
	}
	struct state *a = state_new(), *b = state_new();
	assert_string_not_equal(a->lineage, b->lineage);
	assert_true(state_equal(a, b));
	state_free(a);
	state_free(b);
}

static void test_set_find_remove(void **data)
{
	struct state *state = state_new();

	(void)data;
	for (int64_t i = 0; i < 5000; i++)
		add_object(state, "many", i, "{\"v\":1}");
	assert_int_equal(state->object_count, 5000);
	struct state_object *first = add_object(state, "many", 7, "{\"v\":2}");
	assert_int_equal(state->object_count, 5000);
	assert_int_equal(first->position, 7);
	assert_ptr_equal(state_find(state, "t.many[7]", NULL), first);
	for (int64_t i = 0; i < 5000; i += 2) {
		zp_autofree char *address = zp_format("t.many[%d]", (int)i);
		state_remove(state, address, NULL);
		assert_null(state_find(state, address, NULL));
	}
	state_remove(state, "t.absent", NULL);
	assert_int_equal(state->by_address.count, 2500);
	for (int64_t i = 1; i < 5000; i += 2) {
		zp_autofree char *address = zp_format("t.many[%d]", (int)i);
		const struct state_object *object = state_find(state, address, NULL);
		assert_non_null(object);
		assert_int_equal(object->key.number, i);
	}
	state_free(state);
}

static void test_depose(void **data)
{
	struct state *state = state_new();

	(void)data;
	add_object(state, "a", -1, "{\"v\":1}");
	assert_false(state_depose(state, "t.b", "00000001"));
	assert_true(state_depose(state, "t.a", "00000001"));
	assert_null(state_find(state, "t.a", NULL));
	assert_non_null(state_find(state, "t.a", "00000001"));
	assert_false(state_depose(state, "t.a", "00000001"));
	add_object(state, "a", -1, "{\"v\":2}");
	assert_false(state_depose(state, "t.a", "00000001"));
	assert_int_equal(state->by_address.count, 2);
	state_remove(state, "t.a", "00000001");
	assert_non_null(state_find(state, "t.a", NULL));
	state_free(state);
}

static void test_addresses(void **data)
{
	static const struct {
		const char *module;
		enum state_mode mode;
		struct state_key key;
		const char *address;
	} rows[] = {
		{ "", STATE_MANAGED, { 0 }, "t.n" },
		{ "", STATE_DATA, { 0 }, "data.t.n" },
		{ "module.a[0].module.b", STATE_DATA, { 0 }, "module.a[0].module.b.data.t.n" },
		{ "", STATE_MANAGED, { .kind = STATE_INT_KEY, .number = 12 }, "t.n[12]" },
		{ "", STATE_MANAGED, { STATE_STRING_KEY, 0, { "a\"b\\c\n", 6 } },
			"t.n[\"a\\\"b\\\\c\\n\"]" },
		{ "", STATE_MANAGED, { STATE_STRING_KEY, 0, { "${x}", 4 } }, "t.n[\"$${x}\"]" },
		{ "", STATE_MANAGED, { STATE_STRING_KEY, 0, { "", 0 } }, "t.n[\"\"]" },
	};

	(void)data;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		zp_autobuf text = ZP_BUF_INIT;
		state_address_text(rows[i].module, rows[i].mode, "t", "n", rows[i].key, &text);
		assert_string_equal(text.ptr, rows[i].address);
	}
}

/* What is written is escaped as the peer does, and escapes alone make no difference. */
static void test_escapes(void **data)
{
	struct state *plain = state_new(), *escaped = state_new();
	zp_autobuf text = ZP_BUF_INIT;

	(void)data;
	add_object(plain, "a", -1, "{\"v\": \"<&> \xe2\x80\xa8 \xc3\xa9\"}");
	add_object(escaped, "a", -1, "{\"v\":\"\\u003c\\u0026\\u003e \\u2028 \\u00e9\"}");
	assert_true(state_equal(plain, escaped));
	state_write(plain, &text);
	assert_non_null(strstr(text.ptr, "\"\\u003c\\u0026\\u003e \\u2028 \xc3\xa9\"\n"));
	add_object(escaped, "a", -1, "{\"v\":\"\\u003c\\u0026\\u003e \\u2029 \\u00e9\"}");
	assert_false(state_equal(plain, escaped));
	state_free(plain);
	state_free(escaped);
}

/* Each change is seen by state_equal, and by no other means. */
static void test_equality(void **data)
{
	zp_autobuf text = file_text(PEER_STATE);
	struct state *state = parsed(zp_buf_slice(&text));

	(void)data;
	for (int change = 0; change < 9; change++) {
		struct state *other = state_clone(state);
		assert_true(state_equal(state, other));
		struct state_object *object = state_find(other, "terraform_data.a[3]", NULL);
		bool same = false;
		switch (change) {
		case 0:
			other->serial++;
			other->lineage = "another";
			same = true;
			break;
		case 1:
			object->tainted = true;
			break;
		case 2:
			object->attributes = ZP_STR("{}");
			break;
		case 3:
			object->dependency_count = 0;
			break;
		case 4:
			state_remove(other, object->address, NULL);
			break;
		case 5:
			state_set_output(other, "o", ZP_STR("1"), ZP_STR("\"number\""), false);
			break;
		case 6:
			state_remove_output(other, "o");
			break;
		case 7:
			other->check_results = (struct zp_str){ 0 };
			break;
		default:
			add_object(other, "new", -1, "{}");
		}
		if (state_equal(state, other) != same)
			fail_msg("change %d", change);
		state_free(other);
	}
	state_free(state);
}

static void test_outputs(void **data)
{
	struct state *state = state_new();

	(void)data;
	for (int i = 0; i < 3000; i++) {
		zp_autofree char *name = zp_format("o%d", i * 7919 % 3000);
		state_set_output(state, name, ZP_STR("1"), ZP_STR("\"number\""), false);
	}
	state_set_output(state, "o5", ZP_STR("\"x\""), ZP_STR("\"string\""), true);
	assert_int_equal(state->output_count, 3000);
	for (size_t i = 1; i < state->output_count; i++)
		assert_true(strcmp(state->outputs[i - 1].name, state->outputs[i].name) < 0);
	state_remove_output(state, "o5");
	state_remove_output(state, "absent");
	assert_int_equal(state->output_count, 2999);
	assert_false(state_is_empty(state));
	state_free(state);
}

static void test_providers_change(void **data)
{
	struct state *state = state_new();
	struct state_object *object = add_object(state, "a", -1, "{}");

	(void)data;
	assert_ptr_equal(object->resource,
		state_resource(state, "", STATE_MANAGED, "t", "a", "provider[\"other\"]"));
	assert_string_equal(object->resource->provider, "provider[\"other\"]");
	state_free(state);
}

/* Quiet and without the user's settings. The exit status, 127 where there is no terraform. */
static int run_terraform(const char *dir, const char *out, char *const *arguments)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		if (chdir(dir) < 0 || !freopen(out, "w", stdout) || !freopen("/dev/null", "w", stderr))
			_exit(126);
		execvp("terraform", arguments);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0 || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/* The peer takes over what was written here: it shows it, and plans no change of what is as it should be. */
static void test_peer_accepts(void **data)
{
	char *const version[] = { "terraform", "version", NULL };
	char *const show[] = { "terraform", "show", "-json", "terraform.tfstate", NULL };
	char *const init[] = { "terraform", "init", "-input=false", NULL };
	char *const plan[] = { "terraform", "plan", "-input=false", "-detailed-exitcode", NULL };
	zp_autofree char *path = path_in(data, "terraform.tfstate"), *config = path_in(data, "main.tf");
	zp_autofree char *out = path_in(data, "out");
	zp_autobuf text = ZP_BUF_INIT;
	struct state *state = state_new();

	if (run_terraform(*data, out, version) != 0)
		skip();
	for (int i = 0; i < 12; i++) {
		zp_autofree char *attributes = zp_format("{\"id\":\"id-%d\",\"input\":{\"value\":\"<%d>\","
							 "\"type\":\"string\"},\"output\":{\"value\":\"<%d>\","
							 "\"type\":\"string\"},\"triggers_replace\":null}", i, i, i);
		state_set(state, &(struct state_object){
			.resource = state_resource(state, "", STATE_MANAGED, "terraform_data", "a",
				"provider[\"terraform.io/builtin/terraform\"]"),
			.key = { STATE_INT_KEY, i, { 0 } },
			.attributes = zp_str(attributes) });
	}
	state_set_output(state, "o", ZP_STR("[\"id-3\"]"), ZP_STR("[\"tuple\",[\"string\"]]"), false);
	state->serial = 1;
	state_write(state, &text);
	state_free(state);
	put_file(path, text.ptr);
	put_file(config, "resource \"terraform_data\" \"a\" {\n count = 12\n input = \"<${count.index}>\"\n}\n"
			 "output \"o\" {\n value = [terraform_data.a[3].id]\n}\n");
	assert_int_equal(run_terraform(*data, out, show), 0);
	zp_autobuf shown = file_text(out);
	assert_non_null(strstr(shown.ptr, "terraform_data.a[11]"));
	assert_int_equal(run_terraform(*data, out, init), 0);
	int status = run_terraform(*data, out, plan);
	zp_autobuf planned = file_text(out);
	if (status != 0)
		fail_msg("terraform plan: %d\n%s", status, planned.ptr);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_peer_round_trip),
		cmocka_unit_test(test_order_of_the_file),
		cmocka_unit_test(test_peer_content),
		cmocka_unit_test(test_unknown_members),
		cmocka_unit_test(test_order_of_members),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_truncated_anywhere),
		cmocka_unit_test(test_flipped_anywhere),
		cmocka_unit_test(test_nothing_is_new),
		cmocka_unit_test(test_set_find_remove),
		cmocka_unit_test(test_depose),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_equality),
		cmocka_unit_test(test_outputs),
		cmocka_unit_test(test_providers_change),
		cmocka_unit_test_setup_teardown(test_peer_accepts, folder_setup, folder_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

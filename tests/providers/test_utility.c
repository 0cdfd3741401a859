/* random_*, null_*, local_* and time_*: what they make, keep, replace and refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "providers/provider.h"
#include "providers/random/random.h"
#include "providers/time/stamp.h"
#include "tests/providers/from_text.h"

static const struct provider_resource_type *find(const char *name, bool data)
{
	const struct provider_resource_type *type =
		provider_resource(provider_for_type(name), name, data);
	if (!type)
		fail_msg("no type %s", name);
	return type;
}

static struct hcl_value planned_for(
	const char *name, struct hcl_value prior, const char *config, size_t *replaces)
{
	const struct provider_resource_type *type = find(name, false);
	struct provider_plan plan = {
		.type = type,
		.arena = &from_text_arena,
		.prior = prior,
		.config = from_text(type->schema, config),
	};
	struct provider_problems problems = { 0 };
	if (type->validate)
		type->validate(plan.config, &problems);
	if (problems.count)
		fail_msg("%s: %s", config, problems.items[0].detail);
	provider_plan_default(&plan);
	if (type->plan)
		type->plan(&plan);
	if (replaces)
		*replaces = plan.replace_count;
	return plan.planned;
}

static struct provider_operation run_op(const struct provider_resource_type *type,
	enum provider_verb verb, struct hcl_value prior, struct hcl_value planned)
{
	struct provider_operation op = {
		.verb = verb,
		.type = type,
		.identity = "identity",
		.prior = prior,
		.planned = planned,
		.config = planned,
		.arena = &from_text_arena,
	};
	struct provider_operation *ops[] = { &op };
	type->run(NULL, ops, 1);
	return op;
}

static struct hcl_value made(const char *name, const char *config)
{
	const struct provider_resource_type *type = find(name, false);
	struct hcl_value none = provider_schema_null(type->schema);
	struct provider_operation op =
		run_op(type, PROVIDER_CREATE, none, planned_for(name, none, config, NULL));
	if (op.problems.count)
		fail_msg("%s %s: %s", name, config, op.problems.items[0].detail);
	assert_true(hcl_is_wholly_known(op.result));
	return op.result;
}

/* Made, it is what it should be; planned again, nothing changes; read again, it is the same. */
static struct hcl_value settled(const char *name, const char *config)
{
	struct hcl_value value = made(name, config);
	assert_same_value(config, planned_for(name, value, config, NULL), value);
	struct provider_operation op = run_op(find(name, false), PROVIDER_READ, value, value);
	assert_same_value(config, op.result, value);
	return value;
}

static const char *text(struct hcl_value object, const char *name)
{
	const char *found = provider_get_text(object, name);
	return found ? found : "(null)";
}

static struct provider_operation import(const char *name, const char *id)
{
	const struct provider_resource_type *type = find(name, false);
	struct hcl_value none = provider_schema_null(type->schema);
	struct provider_operation op = {
		.verb = PROVIDER_IMPORT,
		.type = type,
		.prior = none,
		.planned = none,
		.import_id = id,
		.arena = &from_text_arena,
	};
	struct provider_operation *ops[] = { &op };
	type->run(NULL, ops, 1);
	return op;
}

static void assert_import_fails(const char *name, const char *id)
{
	struct provider_operation op = import(name, id);
	if (!op.problems.errors)
		fail_msg("%s imports \"%s\"", name, id);
	assert_true(hcl_is_null(op.result));
	provider_problems_release(&op.problems);
}

/* --- what is refused --- */

static const struct {
	const char *type, *config, *text; /* text NULL: all is well */
} checks[] = {
	{ "random_id", "{ byte_length = 0 }", "from 1" },
	{ "random_id", "{ byte_length = unknown }", NULL },
	{ "random_string", "{ length = 0 }", "from 1" },
	{ "random_string", "{ length = 3, min_upper = 2, min_lower = 2 }", "(4), got: 3" },
	{ "random_string", "{ length = unknown, min_upper = 2 }", NULL },
	{ "random_string", "{ length = 1, upper = false, lower = false, special = false }", NULL },
	{ "random_string",
		"{ length = 1, upper = false, lower = false, special = false, numeric = false }",
		"At least one" },
	{ "random_integer", "{ min = 2, max = 1 }", "smaller than or equal" },
	{ "random_integer", "{ min = 1, max = 1 }", NULL },
	{ "random_integer", "{ min = 1.5, max = 2 }", "whole number" },
	{ "random_pet", "{ length = 0 }", "from 1" },
	{ "local_file", "{ filename = \"x\" }", "0 attributes specified" },
	{ "local_file", "{ filename = \"x\", content = unknown }", NULL },
	{ "local_file", "{ filename = \"x\", content = \"\" }", NULL },
	{ "local_file", "{ filename = \"x\", content = \"a\", source = \"b\" }", "2 attributes" },
	{ "local_file", "{ filename = \"x\", content = \"a\", file_permission = \"0888\" }",
		"octal" },
	{ "local_file", "{ filename = \"x\", content = \"a\", file_permission = \"644\" }", NULL },
	{ "time_static", "{ rfc3339 = \"yesterday\" }", "not \"yesterday\"" },
	{ "time_offset", "{}", "At least one" },
	{ "time_offset", "{ offset_days = unknown }", NULL },
	{ "time_offset", "{ offset_years = 9000000 }", "beyond" },
	{ "time_rotating", "{}", "At least one" },
	{ "time_sleep", "{}", "At least one" },
	{ "time_sleep", "{ create_duration = \"5\" }", "units" },
	{ "time_sleep", "{ create_duration = \"-5s\" }", "units" },
	{ "time_sleep", "{ create_duration = \"1.5m\" }", NULL },
};

static void test_checks(void **state)
{
	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(checks); i++) {
		const struct provider_resource_type *type = find(checks[i].type, false);
		struct provider_problems problems = { 0 };
		type->validate(from_text(type->schema, checks[i].config), &problems);
		if (!checks[i].text != !problems.errors ||
			(checks[i].text && !strstr(problems.items[0].detail, checks[i].text)))
			fail_msg("%s %s: %s", checks[i].type, checks[i].config,
				problems.count ? problems.items[0].detail : "no problem");
		provider_problems_release(&problems);
	}
}

/* --- random --- */

static void test_random_id(void **state)
{
	(void)state;
	struct hcl_value a = settled("random_id", "{ byte_length = 8 }");
	struct hcl_value b = made("random_id", "{ byte_length = 8, prefix = \"p-\" }");
	assert_int_equal(strlen(text(a, "hex")), 16);
	assert_int_equal(strlen(text(a, "b64_url")), 11);
	assert_int_equal(strlen(text(a, "b64_std")), 12);
	assert_string_equal(text(a, "id"), text(a, "b64_url"));
	assert_string_not_equal(text(a, "id"), text(b, "id"));
	assert_true(!strncmp(text(b, "dec"), "p-", 2) && !strncmp(text(b, "hex"), "p-", 2));
	char decimal[32];
	snprintf(decimal, sizeof(decimal), "%llu", strtoull(text(a, "hex"), NULL, 16));
	assert_string_equal(text(a, "dec"), decimal);

	struct provider_operation op = import("random_id", "my-,AP8AAAAAAAAB");
	assert_string_equal(text(op.result, "hex"), "my-00ff00000000000001");
	assert_string_equal(text(op.result, "dec"), "my-18374686479671623681");
	assert_string_equal(text(op.result, "prefix"), "my-");
	assert_int_equal(provider_get_int(op.result, "byte_length", 0), 9);
	op = import("random_id", "AAAA");
	assert_string_equal(text(op.result, "dec"), "0");
	assert_import_fails("random_id", "not*base64");
	assert_import_fails("random_id", "");
}

static size_t count_of(const char *s, const char *set)
{
	size_t n = 0;
	for (; *s; s++)
		n += strchr(set, *s) != NULL;
	return n;
}

static void test_random_string(void **state)
{
	(void)state;
	static const char digits[] = "0123456789", upper[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	for (int i = 0; i < 50; i++) {
		const char *result =
			text(made("random_string", "{ length = 12, lower = false, min_upper = 3,"
						   "  min_numeric = 4, min_special = 1,"
						   "  override_special = \"_\" }"),
				"result");
		assert_int_equal(strlen(result), 12);
		assert_true(count_of(result, upper) >= 3 && count_of(result, digits) >= 4);
		assert_true(count_of(result, "_") >= 1);
		assert_int_equal(
			count_of(result, upper) + count_of(result, digits) + count_of(result, "_"),
			12);
	}
	struct hcl_value value = settled("random_string", "{ length = 5 }");
	assert_true(provider_get_bool(value, "numeric", false));
	assert_true(provider_get_bool(value, "number", false));
	assert_string_equal(text(value, "id"), text(value, "result"));
	value = settled("random_string", "{ length = 5, numeric = false }");
	assert_false(provider_get_bool(value, "number", true));
	value = settled("random_string", "{ length = 5, number = false }");
	assert_false(provider_get_bool(value, "numeric", true));
	size_t replaces;
	planned_for("random_string", value, "{ length = 6, number = false }", &replaces);
	assert_int_equal(replaces, 1);
	/* A flag taken away is true again. */
	struct hcl_value planned = planned_for("random_string", value, "{ length = 5 }", &replaces);
	assert_int_equal(replaces, 1);
	assert_true(hcl_is_unknown(provider_get(planned, "result")));
	assert_true(provider_get_bool(planned, "numeric", false));
	struct provider_operation op = import("random_string", "hello");
	assert_string_equal(text(op.result, "result"), "hello");
	assert_same_value("imported",
		planned_for("random_string", op.result, "{ length = 5 }", NULL), op.result);
}

static void test_random_password(void **state)
{
	(void)state;
	struct hcl_value value = settled("random_password", "{ length = 100 }");
	assert_string_equal(text(value, "id"), "none");
	assert_int_equal(strlen(text(value, "result")), 100);
	assert_int_equal(strlen(text(value, "bcrypt_hash")), 60);
	assert_true(!strncmp(text(value, "bcrypt_hash"), "$2a$10$", 7));
	struct hcl_value marked = provider_schema_mark(
		find("random_password", false)->schema, &from_text_arena, value);
	struct hcl_value part;
	assert_true(hcl_value_attribute(marked, "result", &part) && hcl_is_sensitive(part));
	assert_true(hcl_value_attribute(marked, "bcrypt_hash", &part) && hcl_is_sensitive(part));
}

static void test_random_bytes(void **state)
{
	(void)state;
	struct hcl_value value = settled("random_bytes", "{ length = 3 }");
	assert_int_equal(strlen(text(value, "hex")), 6);
	assert_int_equal(strlen(text(value, "base64")), 4);
	struct provider_operation op = import("random_bytes", "AP8B");
	assert_string_equal(text(op.result, "hex"), "00ff01");
	assert_int_equal(provider_get_int(op.result, "length", 0), 3);
	assert_import_fails("random_bytes", "?");
}

static void test_random_integer(void **state)
{
	(void)state;
	bool seen[4] = { false };
	for (int i = 0; i < 200; i++) {
		int64_t n = provider_get_int(
			made("random_integer", "{ min = -1, max = 2 }"), "result", 9);
		assert_in_range(n + 1, 0, 3);
		seen[n + 1] = true;
	}
	assert_true(seen[0] && seen[1] && seen[2] && seen[3]);
	static const char *const seeded = "{ min = 1, max = 1000000, seed = \"s\" }";
	struct hcl_value a = settled("random_integer", seeded), b = made("random_integer", seeded);
	assert_same_value("same seed", a, b);
	struct provider_operation op = import("random_integer", "15,1,50");
	assert_string_equal(text(op.result, "id"), "15");
	op = import("random_integer", "15,1,50,seed");
	assert_string_equal(text(op.result, "seed"), "seed");
	assert_import_fails("random_integer", "15,1");
	assert_import_fails("random_integer", "x");
	assert_import_fails("random_integer", "1,2,3x");
}

static void test_random_source(void **state)
{
	(void)state;
	struct random_source source;
	unsigned counts[3] = { 0 };
	random_source_init(&source, "a seed");
	for (int i = 0; i < 30000; i++)
		counts[random_source_below(&source, 3)]++;
	for (size_t i = 0; i < 3; i++)
		assert_in_range(counts[i], 9600, 10400);
	assert_int_equal(random_source_below(&source, 1), 0);
}

static void test_random_shuffle(void **state)
{
	(void)state;
	struct hcl_value value =
		settled("random_shuffle", "{ input = [\"a\", \"b\", \"c\"], seed = \"x\" }");
	struct hcl_value result = provider_get(value, "result");
	assert_int_equal(result.count, 3);
	char all[4] = { result.elements[0].text[0], result.elements[1].text[0],
		result.elements[2].text[0] };
	assert_true(strchr(all, 'a') && strchr(all, 'b') && strchr(all, 'c'));
	assert_string_equal(text(value, "id"), "-");
	value = made("random_shuffle", "{ input = [\"a\", \"b\"], result_count = 5 }");
	assert_int_equal(provider_get(value, "result").count, 5);
	value = made("random_shuffle", "{ input = [\"a\", \"b\"], result_count = 1 }");
	assert_int_equal(provider_get(value, "result").count, 1);
	value = made("random_shuffle", "{ input = [], result_count = 5 }");
	assert_int_equal(provider_get(value, "result").count, 0);
}

static void test_random_names(void **state)
{
	(void)state;
	struct hcl_value value = settled("random_uuid", "{}");
	assert_int_equal(strlen(text(value, "result")), 36);
	assert_int_equal(import("random_uuid", text(value, "id")).problems.count, 0);
	assert_import_fails("random_uuid", "xyz");
	value = settled("random_pet", "{}");
	assert_int_equal(count_of(text(value, "id"), "-"), 1);
	value = made("random_pet", "{ length = 4, prefix = \"p\", separator = \"_\" }");
	assert_int_equal(count_of(text(value, "id"), "_"), 4);
	assert_true(!strncmp(text(value, "id"), "p_", 2));
	value = made("random_pet", "{ length = 1 }");
	assert_int_equal(count_of(text(value, "id"), "-"), 0);
	assert_import_fails("random_pet", "some-pet");
}

/* --- null --- */

static void test_null(void **state)
{
	(void)state;
	struct hcl_value value = settled("null_resource", "{ triggers = { a = \"1\" } }");
	assert_true(strspn(text(value, "id"), "0123456789") == strlen(text(value, "id")));
	size_t replaces;
	planned_for("null_resource", value, "{ triggers = { a = \"2\" } }", &replaces);
	assert_int_equal(replaces, 1);
	const struct provider_resource_type *data = find("null_data_source", true);
	struct provider_operation op =
		run_op(data, PROVIDER_READ, provider_schema_null(data->schema),
			from_text(data->schema, "{ inputs = { a = \"b\" } }"));
	assert_int_equal(provider_get(op.result, "outputs").count, 1);
	assert_string_equal(text(op.result, "has_computed_default"), "default");
}

/* --- local --- */

static char folder[64];

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/zplan-test-local-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int drop_folder(void **state)
{
	(void)state;
	return zp_remove_tree(folder, NULL);
}

static const char *file_config(const char *name, const char *rest)
{
	return zp_arena_format(
		&from_text_arena, "{ filename = \"%s/%s\", %s }", folder, name, rest);
}

static void assert_file(const char *name, const char *content, mode_t mode)
{
	struct stat st;
	zp_autobuf have = ZP_BUF_INIT;
	zp_autofree char *path = zp_path_join(folder, name);
	assert_int_equal(zp_file_read(path, 1000, &have, NULL), 0);
	assert_string_equal(zp_buf_slice(&have).ptr, content);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, mode);
}

static void test_local_file(void **state)
{
	(void)state;
	mode_t mask = umask(022);
	const char *config =
		file_config("a/b/file", "content = \"hello\", file_permission = \"0640\"");
	struct hcl_value value = settled("local_file", config);
	assert_file("a/b/file", "hello", 0640);
	assert_string_equal(text(value, "id"), "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d");
	assert_string_equal(text(value, "content_md5"), "5d41402abc4b2a76b9719d911017c592");
	assert_string_equal(text(value, "content_base64sha256"),
		"LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=");

	const struct provider_resource_type *type = find("local_file", false);
	struct hcl_value none = provider_schema_null(type->schema);
	struct hcl_value planned = planned_for("local_file", none, config, NULL);
	struct provider_operation op = run_op(type, PROVIDER_RECOVER, none, planned);
	assert_same_value("recovered", op.result, value);

	/* Changed by others, it is to be made again; so it is when it is gone. */
	zp_autofree char *path = zp_path_join(folder, "a/b/file");
	assert_int_equal(zp_file_write_atomic(path, ZP_STR("other"), 0600, NULL), 0);
	assert_true(hcl_is_null(run_op(type, PROVIDER_READ, value, value).result));
	assert_true(hcl_is_null(run_op(type, PROVIDER_RECOVER, none, planned).result));
	op = run_op(type, PROVIDER_DELETE, value, none);
	assert_true(hcl_is_null(op.result) && !zp_file_exists(path));
	op = run_op(type, PROVIDER_DELETE, value, none);
	assert_true(hcl_is_null(op.result) && !op.problems.count);
	assert_true(hcl_is_null(run_op(type, PROVIDER_READ, value, value).result));

	made("local_file", file_config("plain", "content_base64 = \"aGV5\""));
	assert_file("plain", "hey", 0755);
	made("local_sensitive_file", file_config("secret", "content = \"s\""));
	assert_file("secret", "s", 0700);
	made("local_file", file_config("copy", zp_arena_format(&from_text_arena,
						       "source = \"%s/plain\"", folder)));
	assert_file("copy", "hey", 0755);
	made("local_file", file_config("empty", "content = \"\""));
	assert_file("empty", "", 0755);
	umask(mask);
}

static void test_local_file_fails(void **state)
{
	(void)state;
	static const char *const rests[] = { "content_base64 = \"***\"",
		"source = \"/nowhere/x\"" };
	const struct provider_resource_type *type = find("local_file", false);
	struct hcl_value none = provider_schema_null(type->schema);
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rests); i++) {
		struct provider_operation op = run_op(type, PROVIDER_CREATE, none,
			planned_for("local_file", none, file_config("no", rests[i]), NULL));
		assert_int_equal(op.problems.errors, 1);
		assert_true(hcl_is_null(op.result));
		provider_problems_release(&op.problems);
	}
	struct provider_operation op = run_op(type, PROVIDER_CREATE, none,
		planned_for("local_file", none, "{ filename = \"/proc/nope/x\", content = \"a\" }",
			NULL));
	assert_int_equal(op.problems.errors, 1);
	provider_problems_release(&op.problems);
}

static void test_local_data(void **state)
{
	(void)state;
	const struct provider_resource_type *type = find("local_file", true);
	struct hcl_value none = provider_schema_null(type->schema);
	made("local_file", file_config("data", "content = \"hello\""));
	struct provider_operation op = run_op(type, PROVIDER_READ, none,
		from_text(type->schema,
			zp_arena_format(&from_text_arena, "{ filename = \"%s/data\" }", folder)));
	assert_string_equal(text(op.result, "content"), "hello");
	assert_string_equal(text(op.result, "content_base64"), "aGVsbG8=");
	assert_string_equal(text(op.result, "id"), "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d");
	op = run_op(type, PROVIDER_READ, none,
		from_text(type->schema, "{ filename = \"/nowhere/at/all\" }"));
	assert_int_equal(op.problems.errors, 1);
	provider_problems_release(&op.problems);
}

/* --- time --- */

static void test_stamps(void **state)
{
	static const struct {
		const char *text;
		int64_t unix_time;
		const char *shown; /* NULL: no time at all */
	} rows[] = {
		{ "1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z" },
		{ "2024-02-29T12:30:45Z", 1709209845, "2024-02-29T12:30:45Z" },
		{ "2024-02-29T12:30:45.123Z", 1709209845, "2024-02-29T12:30:45Z" },
		{ "2024-02-29T12:30:45+01:30", 1709204445, "2024-02-29T12:30:45+01:30" },
		{ "2024-02-29T12:30:45-05:00", 1709227845, "2024-02-29T12:30:45-05:00" },
		{ "2023-02-29T12:30:45Z", 0, NULL },
		{ "1900-02-29T12:30:45Z", 0, NULL },
		{ "2024-04-31T00:00:00Z", 0, NULL },
		{ "2024-07-31T00:00:00Z", 1722384000, "2024-07-31T00:00:00Z" },
		{ "2024-08-31T00:00:00Z", 1725062400, "2024-08-31T00:00:00Z" },
		{ "2024-13-01T00:00:00Z", 0, NULL },
		{ "2024-01-01T24:00:00Z", 0, NULL },
		{ "2024-01-01T00:00:00", 0, NULL },
		{ "2024-01-01 00:00:00Z", 0, NULL },
		{ "2024-01-01T00:00:00Zx", 0, NULL },
		{ "2024-01-01T00:00:00.Z", 0, NULL },
		{ "24-01-01T00:00:00Z", 0, NULL },
		{ "", 0, NULL },
	};
	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		struct time_stamp stamp;
		char shown[TIME_STAMP_TEXT];
		if (time_stamp_parse(rows[i].text, &stamp) != (rows[i].shown != NULL))
			fail_msg("%s", rows[i].text);
		if (!rows[i].shown)
			continue;
		time_stamp_format(&stamp, shown);
		assert_string_equal(shown, rows[i].shown);
		assert_int_equal(time_stamp_unix(&stamp), rows[i].unix_time);
	}
}

static void test_time_static(void **state)
{
	(void)state;
	struct hcl_value value = settled("time_static", "{ rfc3339 = \"2024-02-29T12:30:45Z\" }");
	assert_string_equal(text(value, "id"), "2024-02-29T12:30:45Z");
	assert_int_equal(provider_get_int(value, "month", 0), 2);
	assert_int_equal(provider_get_int(value, "unix", 0), 1709209845);
	value = settled("time_static", "{}");
	int64_t unix_time = provider_get_int(value, "unix", 0);
	assert_true(unix_time <= time(NULL) && unix_time > time(NULL) - 60);
	assert_int_equal(import("time_static", "2024-02-29T12:30:45Z").problems.count, 0);
	assert_import_fails("time_static", "now");
}

static void test_time_offset(void **state)
{
	static const struct {
		const char *config, *want;
	} rows[] = {
		{ "offset_days = 1", "2024-02-01T23:59:59Z" },
		{ "offset_months = 1", "2024-03-02T23:59:59Z" },
		{ "offset_years = 1, offset_seconds = 1", "2025-02-01T00:00:00Z" },
		{ "offset_hours = -24, offset_minutes = -60", "2024-01-30T22:59:59Z" },
	};
	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		struct hcl_value value = settled("time_offset",
			zp_arena_format(&from_text_arena,
				"{ base_rfc3339 = \"2024-01-31T23:59:59Z\", %s }", rows[i].config));
		assert_string_equal(text(value, "rfc3339"), rows[i].want);
		assert_string_equal(text(value, "id"), "2024-01-31T23:59:59Z");
	}
	/* Another offset from the same base, in place. */
	struct hcl_value value = made("time_offset", "{ offset_days = 1 }");
	size_t replaces;
	struct hcl_value planned =
		planned_for("time_offset", value, "{ offset_days = 2 }", &replaces);
	assert_int_equal(replaces, 0);
	assert_true(hcl_is_unknown(provider_get(planned, "rfc3339")));
	struct provider_operation op =
		run_op(find("time_offset", false), PROVIDER_UPDATE, value, planned);
	assert_int_equal(
		provider_get_int(op.result, "unix", 0), provider_get_int(value, "unix", 0) + 86400);
	assert_string_equal(text(op.result, "id"), text(value, "id"));
}

static void test_time_rotating(void **state)
{
	(void)state;
	struct hcl_value value = settled("time_rotating", "{ rotation_days = 30 }");
	struct time_stamp a, b;
	assert_true(time_stamp_parse(text(value, "rfc3339"), &a));
	assert_true(time_stamp_parse(text(value, "rotation_rfc3339"), &b));
	assert_int_equal(time_stamp_unix(&b) - time_stamp_unix(&a), 30 * 86400);
	value = made(
		"time_rotating", "{ rotation_minutes = 5, rfc3339 = \"2020-01-01T00:00:00Z\" }");
	assert_string_equal(text(value, "rotation_rfc3339"), "2020-01-01T00:05:00Z");
	assert_true(hcl_is_null(
		run_op(find("time_rotating", false), PROVIDER_READ, value, value).result));
}

static void test_time_sleep(void **state)
{
	(void)state;
	struct timespec start, end;
	clock_gettime(CLOCK_MONOTONIC, &start);
	struct hcl_value value = settled(
		"time_sleep", "{ create_duration = \"50ms\", destroy_duration = \"0.05s\" }");
	run_op(find("time_sleep", false), PROVIDER_DELETE, value, value);
	clock_gettime(CLOCK_MONOTONIC, &end);
	double passed =
		(double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
	assert_true(passed >= 0.1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_checks),
		cmocka_unit_test(test_random_id),
		cmocka_unit_test(test_random_string),
		cmocka_unit_test(test_random_password),
		cmocka_unit_test(test_random_bytes),
		cmocka_unit_test(test_random_integer),
		cmocka_unit_test(test_random_source),
		cmocka_unit_test(test_random_shuffle),
		cmocka_unit_test(test_random_names),
		cmocka_unit_test(test_null),
		cmocka_unit_test_setup_teardown(test_local_file, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(test_local_file_fails, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(test_local_data, make_folder, drop_folder),
		cmocka_unit_test(test_stamps),
		cmocka_unit_test(test_time_static),
		cmocka_unit_test(test_time_offset),
		cmocka_unit_test(test_time_rotating),
		cmocka_unit_test(test_time_sleep),
	};
	return cmocka_run_group_tests(tests, from_text_setup, from_text_teardown);
}

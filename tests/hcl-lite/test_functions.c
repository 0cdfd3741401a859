/*
 * What a table of expressions and results can not say of functions: files, marks, robustness. The
 * results themselves are in expressions/cases.txt.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <cmocka.h>
#include <zlib.h>

#include "base/file.h"
#include "hcl-lite/deflate.h"
#include "hcl-lite/function_files.h"
#include "tests/hcl-lite/console.h"

static struct console console;
static char folder[] = "/tmp/zplan-test-functions-XXXXXX";

static void write_file(const char *name, const char *content)
{
	zp_autofree char *path = zp_path_join(folder, name);
	zp_autoerror err = ZP_ERROR_INIT;

	if (zp_file_write_atomic(path, zp_str(content), 0600, &err) < 0)
		fail_msg("%s", zp_error_text(&err));
}

static void make_folder(const char *name)
{
	zp_autofree char *path = zp_path_join(folder, name);
	zp_autoerror err = ZP_ERROR_INIT;

	assert_int_equal(zp_mkdirs(path, 0700, &err), 0);
}

static int setup(void **state)
{
	static const char config[] =
		"variable \"text\" {\n type = string\n}\n"
		"variable \"secret\" {\n default = \"s\"\n sensitive = true\n}\n"
		"locals {\n template = \"Hi $${name}\"\n loop = \"%%{ for x in list }$${x},%%{ "
		"endfor }\"\n}\n";

	(void)state;
	if (!mkdtemp(folder))
		return -1;
	console_init(&console, config, folder);
	return console.diags.errors ? -1 : 0;
}

static int teardown(void **state)
{
	zp_autoerror err = ZP_ERROR_INIT;

	(void)state;
	console_release(&console);
	return zp_remove_tree(folder, &err);
}

static void assert_result(const char *expression, const char *expected)
{
	zp_autobuf out = ZP_BUF_INIT;

	console_run(&console, expression, &out);
	if (strcmp(out.ptr ? out.ptr : "", expected) != 0)
		fail_msg("%s\n  expected: %s\n  got:      %s", expression, expected, out.ptr);
}

static void assert_error(const char *expression, const char *part)
{
	zp_autobuf out = ZP_BUF_INIT;

	console_run(&console, expression, &out);
	if (strncmp(out.ptr, "Error: ", 7) != 0 || !strstr(out.ptr, part))
		fail_msg("%s\n  expected an error with: %s\n  got: %s", expression, part, out.ptr);
}

static void files(void **state)
{
	(void)state;
	make_folder("sub/deep");
	make_folder("empty");
	write_file("a.txt", "A\n");
	write_file("b.md", "B");
	write_file(".hidden", "H");
	write_file("sub/c.txt", "C");
	write_file("sub/deep/d.txt", "D");
	write_file("raw", "\xff");
	assert_result("file(\"a.txt\")", "<<EOT\nA\n\nEOT");
	assert_result("file(\"sub/../b.md\")", "\"B\"");
	assert_result("filebase64(\"raw\")", "\"/w==\"");
	assert_error("file(\"raw\")", "not valid UTF-8");
	assert_error("file(\"none\")", "no file exists at");
	assert_error("file(sensitive(\"none\"))", "no file exists at (sensitive value);");
	assert_result("file(sensitive(\"a.txt\"))", "(sensitive value)");
	assert_error("file(\"sub\")", "is a directory");
	assert_result("fileexists(\"a.txt\")", "true");
	assert_result("fileexists(\"a.txt/b\")", "false");
	assert_result("fileexists(\"none\")", "false");
	assert_error("fileexists(\"sub\")", "is a directory, not a file");
	assert_result("join(\",\", fileset(\".\", \"*\"))", "\".hidden,a.txt,b.md,raw\"");
	assert_result(
		"join(\",\", fileset(\".\", \"**/*.txt\"))", "\"a.txt,sub/c.txt,sub/deep/d.txt\"");
	assert_result("join(\",\", fileset(\"sub\", \"**\"))", "\"c.txt,deep/d.txt\"");
	assert_result("join(\",\", fileset(\"sub/deep\", \"../../*.{txt,md}\"))",
		"\"../../a.txt,../../b.md\"");
	assert_result("join(\",\", fileset(\".\", \"[!ab]*\"))", "\".hidden,raw\"");
	assert_result("join(\",\", fileset(\"empty\", \"*\"))", "\"\"");
	assert_result("join(\",\", fileset(\"none\", \"*\"))", "\"\"");
	assert_error("fileset(\".\", \"[\")", "syntax error in pattern");
	assert_result("filemd5(\"a.txt\") == md5(file(\"a.txt\"))", "true");
}

/* Links to folders are followed where they are named, but not by ** in search of more. */
static void links(void **state)
{
	zp_autofree char *loop = zp_path_join(folder, "loop");
	zp_autofree char *link_path = zp_path_join(folder, "link");

	(void)state;
	write_file("target.cfg", "T");
	assert_int_equal(symlink(".", loop), 0);
	assert_int_equal(symlink("target.cfg", link_path), 0);
	assert_result("join(\",\", fileset(\".\", \"**/*.cfg\"))", "\"target.cfg\"");
	assert_result("join(\",\", fileset(\".\", \"loop/*.cfg\"))", "\"loop/target.cfg\"");
	assert_result("file(\"link\")", "\"T\"");
}

static void templates(void **state)
{
	(void)state;
	write_file("t.tftpl", "%{ for k, v in m ~}\n${k}=${v}\n%{ endfor ~}\n");
	write_file("nested.tftpl", "${templatefile(\"t.tftpl\", { m = {} })}");
	write_file("broken.tftpl", "a\n${");
	write_file("functions.tftpl", "${upper(name)} ${length(list)}");
	assert_result("templatefile(\"t.tftpl\", { m = { a = 1, b = true } })",
		"<<EOT\na=1\nb=true\n\nEOT");
	assert_result(
		"templatefile(\"functions.tftpl\", { name = \"x\", list = [1, 2] })", "\"X 2\"");
	assert_result("templatefile(\"functions.tftpl\", { name = var.secret, list = [] })",
		"(sensitive value)");
	assert_result("templatefile(\"functions.tftpl\", { name = var.text, list = [] })",
		"(known after apply)");
	assert_error("templatefile(\"nested.tftpl\", {})", "cannot recursively call templatefile");
	assert_error("templatefile(\"broken.tftpl\", {})", "broken.tftpl:2,");
	assert_error("templatefile(\"functions.tftpl\", { name = 1 })",
		"vars map does not contain key \"list\", referenced at functions.tftpl:1,25-29");
	assert_result("templatestring(local.template, { name = \"Al\" })", "\"Hi Al\"");
	assert_result("templatestring(local.loop, { list = [1, 2] })", "\"1,2,\"");
	/* A failure leaves nothing behind that would make the next call one inside a template. */
	assert_result("templatestring(local.template, { name = \"Al\" })", "\"Hi Al\"");
}

static void provider_functions(void **state)
{
	(void)state;
	assert_result(
		"provider::terraform::encode_tfvars({ a = 1, bcd = \"x\", e = [1, { b = null }], "
		"f = {}, g = { \"x y\" = true, z = [] } })",
		"<<EOT\na   = 1\nbcd = \"x\"\ne = [1, {\n  b = null\n}]\nf = {}\ng = {\n  \"x y\" "
		"= true\n"
		"  z     = []\n}\n\nEOT");
	assert_result("provider::terraform::encode_expr({ a = 1, \"x y\" = \"l\\nm\" })",
		"<<EOT\n{\n  a     = 1\n  \"x y\" = \"l\\nm\"\n}\nEOT");
	assert_result("provider::terraform::encode_expr([])", "\"[]\"");
	assert_result("provider::terraform::decode_tfvars(\"a = 1\\nb = [1, 2]\\n\").b[1]", "2");
	assert_error("provider::terraform::decode_tfvars(\"a = b\")",
		"invalid expression for variable \"a\": <decode_tfvars argument>:1,5-6: Variables "
		"not "
		"allowed");
	assert_error("provider::terraform::decode_tfvars(\"x {}\")", "Blocks are not allowed here");
	assert_error("provider::terraform::encode_tfvars({ \"a b\" = 1 })",
		"invalid variable name \"a b\"");
	assert_error("provider::terraform::encode_tfvars([])", "must be an object");
	assert_result("provider::terraform::decode_tfvars(provider::terraform::encode_tfvars({ a = "
		      "\"$${x}\\n\\\"%%{y}\" })).a == \"$${x}\\n\\\"%%{y}\"",
		"true");
}

static void random_values(void **state)
{
	(void)state;
	assert_result("can(regex(\"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]"
		      "{12}$\", "
		      "uuid()))",
		"true");
	assert_result("uuid() == uuid()", "false");
	assert_result("can(regex(\"^[$]2a[$]05[$].{53}$\", bcrypt(\"x\", 5)))", "true");
	assert_result(
		"can(regex(\"^[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}Z$\", timestamp()))",
		"true");
}

/* Every function takes any arguments without harm: it gives a value or says what is wrong. */
static void any_arguments(void **state)
{
	static const char *const samples[] = { "null", "\"a\"", "-1", "[1, null, \"x\"]",
		"{ a = [\"b\"], c = null }", "tolist([\"b\", var.text])", "toset([var.secret])",
		"var.text", "tomap({ k = [] })", "1e300" };
	size_t count, n = ZP_ARRAY_SIZE(samples), calls = 0;
	const char *const *names = hcl_function_names(&count);

	(void)state;
	assert_true(count > 110);
	for (size_t f = 0; f < count; f++) {
		for (size_t i = 0; i < n * n * n; i++) {
			zp_autobuf text = ZP_BUF_INIT, out = ZP_BUF_INIT;
			/* A third argument changes little: a part of the combinations does. */
			if (i >= n * n && i % 7)
				continue;
			zp_buf_printf(&text, "%s(%s", names[f], samples[i % n]);
			if (i >= n)
				zp_buf_printf(&text, ", %s", samples[i / n % n]);
			if (i >= n * n)
				zp_buf_printf(&text, ", %s", samples[i / n / n]);
			zp_buf_char(&text, ')');
			console_run(&console, text.ptr, &out);
			assert_true(out.len > 0);
			calls++;
		}
	}
	assert_true(calls > 10000);
}

/* What is compressed comes back the same, whatever kind of block it took. */
static void deflate_round_trip(void **state)
{
	static const size_t sizes[] = { 0, 1, 3, 4, 100, 16384, 16385, 40000, 70000, 200000 };
	uint32_t seed = 12345;

	(void)state;
	for (size_t i = 0; i < 3 * ZP_ARRAY_SIZE(sizes); i++) {
		size_t n = sizes[i / 3];
		zp_autobuf data = ZP_BUF_INIT, packed = ZP_BUF_INIT;
		for (size_t j = 0; j < n; j++) {
			seed = seed * 1103515245 + 12345;
			/* Random bytes, few different ones, or text that repeats after a while. */
			zp_buf_char(&data, i % 3 == 0	? (char)(seed >> 16)
					   : i % 3 == 1 ? (char)('a' + (seed >> 16) % 3)
							: (char)('a' + j % 33000 % 71 % 23));
		}
		hcl_deflate_flushed(zp_buf_slice(&data), &packed);
		zp_autofree char *back = zp_malloc(n + 1);
		z_stream stream = { .next_in = (Bytef *)packed.ptr,
			.avail_in = (uInt)packed.len,
			.next_out = (Bytef *)back,
			.avail_out = (uInt)n + 1 };
		assert_int_equal(inflateInit2(&stream, -15), Z_OK);
		assert_int_equal(inflate(&stream, Z_SYNC_FLUSH), Z_OK);
		assert_int_equal(stream.total_out, n);
		assert_int_equal(stream.avail_in, 0);
		inflateEnd(&stream);
		if (n)
			assert_memory_equal(back, data.ptr, n);
	}
}

static void clean_paths(void **state)
{
	static const struct {
		const char *path, *clean;
	} rows[] = { { "", "." }, { ".", "." }, { "/", "/" }, { "//", "/" }, { "a//b/", "a/b" },
		{ "a/./b", "a/b" }, { "a/../b", "b" }, { "a/..", "." }, { "../a", "../a" },
		{ "../../a/..", "../.." }, { "/..", "/" }, { "/a/../../b", "/b" }, { "./a", "a" },
		{ "a/b/../../..", ".." } };

	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		zp_autofree char *clean = hcl_clean_path(zp_str(rows[i].path));
		assert_string_equal(clean, rows[i].clean);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files),
		cmocka_unit_test(links),
		cmocka_unit_test(templates),
		cmocka_unit_test(provider_functions),
		cmocka_unit_test(random_values),
		cmocka_unit_test(any_arguments),
		cmocka_unit_test(deflate_round_trip),
		cmocka_unit_test(clean_paths),
	};
	return cmocka_run_group_tests_name("hcl-lite functions", tests, setup, teardown);
}

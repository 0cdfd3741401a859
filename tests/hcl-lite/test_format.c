/* The canonical layout, row by row as observed with the peer, and side by side where it is
 * installed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/process.h"
#include "hcl-lite/format.h"

struct row {
	const char *text, *want;
};

static const struct row rows[] = {
	{ "", "" },
	{ "\n\na=1\n\n\n", "\n\na = 1\n\n\n" },
	{ "a=1", "a = 1" },
	{ "a=1\n ", "a = 1\n " },
	{ "a\t=\t1  \n", "a = 1\n" },
	{ "a=1\r\nb {\r\nc=1\r\ndd=2\r\n}\r\n", "a = 1\r\nb {\r\n  c  = 1\r\n  dd = 2\r\n}\r\n" },
	{ "a=1\nbcd = 2\n\ne=3\n", "a   = 1\nbcd = 2\n\ne = 3\n" },
	{ "\na=1 # x\n\n\nbcd=2 # y\n \nefg {\n\nh=1\nii=\"${j}\"\n}\n\nk=\"${l}\"",
		"\na = 1 # x\n\n\nbcd = 2 # y\n\nefg {\n\n  h  = 1\n  ii = j\n}\n\nk = l" },
	{ "variable a {\n\ntype=\"list\"\n}\n\ntype=\"list\"\n\nvariable b {\ntype=map\n}\n",
		"variable \"a\" {\n\n  type = list(string)\n}\n\ntype = \"list\"\n\n"
		"variable \"b\" {\n  type = map(any)\n}\n" },
	{ "a=f({x=<<E\ny\nE\n})\n\nb=1\n", "a = f({ x = <<E\ny\nE\n})\n\nb = 1\n" },
	{ "a=1 # x\nbcd = 2//y\n", "a   = 1 # x\nbcd = 2 //y\n" },
	{ "\u00e9\u00e9=1 # \u00e9\ne\u0301=\"\U0001F600\"# x\n",
		"\u00e9\u00e9 = 1   # \u00e9\ne\u0301  = \"\U0001F600\" # x\n" },
	{ "a{\nb=1\n  # c\n}\n", "a {\n  b = 1\n  # c\n}\n" },
	{ "a{}\nb{c=1}\n", "a {}\nb { c = 1 }\n" },
	{ "a b \"c\" {}\n", "a \"b\" \"c\" {}\n" },
	{ "a \"\x01\u00a0\u2028\" \"\\u00e9\\t\" {}\n",
		"a \"\\u0001\\u00a0\\u2028\" \"\u00e9\\t\" {}\n" },
	{ "a /*x*/ b /*y*/ \"c\" /*z*/ {\n}\n", "a \"b\" \"c\" /*z*/ {\n}\n" },
	{ "a=[1,2,3]\nb=[\n1,\n2,\n]\n", "a = [1, 2, 3]\nb = [\n  1,\n  2,\n]\n" },
	{ "a={x=1,y={z=2}}\nbcd=1\n", "a   = { x = 1, y = { z = 2 } }\nbcd = 1\n" },
	{ "a={\nx=1\nyyy:2\n}\nbcd=1\n", "a = {\n  x = 1\n  yyy : 2\n}\nbcd = 1\n" },
	{ "a=f({\nb = 1\n},{\nc = 2\n})\n", "a = f({\n  b = 1\n  }, {\n  c = 2\n})\n" },
	{ "a=[[[\n1\n]],2]\n", "a = [[[\n  1\n]], 2]\n" },
	{ "a=-1\nb=1-1\nc=!x\nd=-x+-y\ne=[-1,x -1]\nf=a?-1:-2\n",
		"a = -1\nb = 1 - 1\nc = !x\nd = -x + -y\ne = [-1, x - 1]\nf = a ? -1 : -2\n" },
	{ "a=b [ 0 ]\nc=b[*] . c\nd=f (x)[0]\ne=g(x ...)\n",
		"a = b[0]\nc = b[*].c\nd = f(x)[0]\ne = g(x...)\n" },
	{ "a=[for x in [1]:x if x>1]\n", "a = [for x in [1] : x if x > 1]\n" },
	{ "a={for k,v in m:k=>v...}\n", "a = { for k, v in m : k => v... }\n" },
	{ "a = p :: q (1)\n", "a = p::q(1)\n" },
	{ "a=\"x ${ b }${  c} %{ if  d }e%{ endif }\"\n", "a = \"x ${b}${c} %{if d}e%{endif}\"\n" },
	{ "a=\"${{x=1}}y\"\n", "a = \"${ { x = 1 } }y\"\n" },
	{ "a {\nb=<<-E\n  x ${ y }\n   z\n  E\nccc=1\n}\n",
		"a {\n  b   = <<-E\n  x ${y}\n   z\n  E\n  ccc = 1\n}\n" },
	{ "/*\n x\n*/\na {\n/*\n x\n*/\nb=1\n}\n", "/*\n x\n*/\na {\n  /*\n x\n*/\n  b = 1\n}\n" },
	/* Beyond layout. */
	{ "a = \"${b}\"\n", "a = b\n" },
	{ "a = \"${b}${c}\"\n", "a = \"${b}${c}\"\n" },
	{ "a = \"${\"x${b}\"}\"\n", "a = \"x${b}\"\n" },
	{ "a = \"${\n b\n}\"\n", "a = b\n" },
	{ "a = \"${b ?\n c : d}\"\n", "a = (b ?\nc : d)\n" },
	{ "a = \"${[1, // c\n2]}\"\n", "a = [1, // c\n2]\n" },
	{ "a = \"${f(1, # c\n{ b = 2 # d\n})}\"\n", "a = f(1,  # c\n  { b = 2 # d\n})\n" },
	{ "a = \"${[1,\n2 // c\n]}\"\n", "a = ([1,\n  2 // c\n])\n" },
	{ "a = [\"${b}\"]\n", "a = [\"${b}\"]\n" },
	{ "variable x {\n type=\"list\"\n}\n", "variable \"x\" {\n  type = list(string)\n}\n" },
	{ "variable \"x\" {\n type=map\n}\n", "variable \"x\" {\n  type = map(any)\n}\n" },
	{ "variable \"x\" {\n type=\"number\"\n}\n", "variable \"x\" {\n  type = \"number\"\n}\n" },
	{ "resource \"x\" \"y\" {\n type=\"list\"\n}\n",
		"resource \"x\" \"y\" {\n  type = \"list\"\n}\n" },
	/* Comments keep what is in them; a heredoc's opening sequences do not indent. */
	{ "#\t\ttabs\t\n#  x  \n", "#\t\ttabs\t\n#  x  \n" },
	{ "a = 1 /* x */ # y\nbb = 22\n", "a  = 1 /* x */ # y\nbb = 22\n" },
};

static struct zp_buf format(const char *text, bool *good)
{
	struct zp_buf out = ZP_BUF_INIT;
	struct zp_diags diags;
	struct zp_source *source = zp_source_new("main.tf", zp_str(text));

	zp_diags_init(&diags);
	*good = hcl_format(source, &out, &diags);
	assert_int_equal(*good, diags.errors == 0);
	zp_diags_release(&diags);
	zp_source_free(source);
	return out;
}

static void test_rows(void **state)
{
	bool good;
	(void)state;

	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		zp_autobuf got = format(rows[i].text, &good);
		assert_true(good);
		assert_string_equal(got.ptr ? got.ptr : "", rows[i].want);
		zp_autobuf again = format(rows[i].want, &good);
		assert_true(good);
		assert_string_equal(again.ptr ? again.ptr : "", rows[i].want);
	}
}

static void test_syntax_errors(void **state)
{
	static const char *const broken[] = { "a = \n", "a {\n", "a = 1 2\n", "a \"${x}\" {}\n" };
	bool good;
	(void)state;

	for (size_t i = 0; i < ZP_ARRAY_SIZE(broken); i++) {
		zp_autobuf got = format(broken[i], &good);
		assert_false(good);
		assert_int_equal(got.len, 0);
	}
}

/* Writing to a terminal, the peer ends the last line where the text does not. */
static void end_last_line(struct zp_buf *text)
{
	if (!text->len || text->ptr[text->len - 1] != '\n')
		zp_buf_char(text, '\n');
}

static void test_side_by_side(void **state)
{
	(void)state;

	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		struct zp_process_result result = { 0 };
		struct zp_process_options options = { .input = zp_str(rows[i].text) };
		zp_autoerror err = ZP_ERROR_INIT;
		if (i == 0 && zp_run((const char *[]){ "terraform", "version", NULL }, NULL, NULL,
				      NULL) < 0)
			skip();
		int rc = zp_run(
			(const char *[]){ "terraform", "fmt", "-", NULL }, &options, &result, &err);
		zp_autobuf want = ZP_BUF_INIT;
		zp_buf_puts(&want, rows[i].want);
		end_last_line(&want);
		assert_int_equal(rc, 0);
		assert_string_equal(want.ptr, result.out.ptr);
		zp_process_result_release(&result);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_syntax_errors),
		cmocka_unit_test(test_side_by_side),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

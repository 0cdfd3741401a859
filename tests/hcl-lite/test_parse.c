/* The native syntax: trees, diagnostics with their places, bodies through schemas, hostile input.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "hcl-lite/lexer.h"
#include "tests/hcl-lite/syntax_text.h"

struct fixture {
	struct zp_arena arena;
	struct zp_diags diags;
	struct zp_source *source;
};

static int setup(void **state)
{
	struct fixture *f = zp_calloc(1, sizeof(*f));

	zp_arena_init(&f->arena);
	zp_diags_init(&f->diags);
	*state = f;
	return 0;
}

static void reset(struct fixture *f)
{
	zp_source_free(f->source);
	f->source = NULL;
	zp_arena_release(&f->arena);
	zp_diags_release(&f->diags);
	zp_diags_init(&f->diags);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	reset(f);
	zp_diags_release(&f->diags);
	free(f);
	return 0;
}

static const struct zp_source *source(struct fixture *f, struct zp_str text)
{
	reset(f);
	f->source = zp_source_new("main.tf", text);
	return f->source;
}

static struct hcl_body *parse(struct fixture *f, struct zp_str text)
{
	const struct zp_source *s = source(f, text);

	return hcl_parse_native(s, &f->arena, &f->diags);
}

static void assert_text(const char *what, struct zp_buf *got, const char *want)
{
	if (strcmp(got->ptr ? got->ptr : "", want) != 0)
		print_error("for:  %s\n", what);
	assert_string_equal(got->ptr ? got->ptr : "", want);
}

struct pair {
	const char *text, *want;
};

static const struct pair expressions[] = {
	{ "1", "1" },
	{ "007", "7" },
	{ "1.50", "1.5" },
	{ "1e3", "1000" },
	{ "true", "true" },
	{ "null", "null" },
	{ "a", "a" },
	{ "a-b", "a-b" },
	{ "_x", "_x" },
	{ "\u00e9t\u00e9.b", "\u00e9t\u00e9.b" },
	{ "e\u0301", "\u00e9" },
	{ "a.b.c", "a.b.c" },
	{ "a . b", "a.b" },
	{ "a[0]", "a[0]" },
	{ "a[\"k\"].c", "a[\"k\"].c" },
	{ "a.0", "a[0]" },
	{ "a.0[1].b", "a[0][1].b" },
	{ "a[b]", "(index a b)" },
	{ "a[b][0].c", "(index a b) [0].c" },
	{ "a[\"x${1}\"]", "(index a (text \"x\" 1))" },
	{ "a[true]", "(index a true)" },
	{ "a[-1]", "(index a (- 1))" },
	{ "a[(0)]", "(index a (parens 0))" },
	{ "a.*.b", "(splat a @ .b)" },
	{ "a.*.b[0]", "(splat a @ .b) [0]" },
	{ "a.*.0", "(splat a @ [0])" },
	{ "a.b[*].c[0]", "(splat a.b @ .c[0])" },
	{ "a[*]", "(splat a @)" },
	{ "a[*][*].b", "(splat a (splat @ @ .b))" },
	{ "a[*].b[c]", "(splat a (index @ .b c))" },
	{ "(a).b", "(parens a) .b" },
	{ "(a\n.b\n)", "(parens a.b)" },
	{ "[1,2][0]", "(tuple 1 2) [0]" },
	{ "f()", "(f)" },
	{ "f(a, 1,)", "(f a 1)" },
	{ "f(a...)", "(f a)..." },
	{ "f(\n1,\n2\n)", "(f 1 2)" },
	{ "core::max(1)", "(core::max 1)" },
	{ "provider :: a :: b (1)", "(provider::a::b 1)" },
	{ "f(1).x", "(f 1) .x" },
	{ "1 + 2 * 3", "(+ 1 (* 2 3))" },
	{ "(1 + 2) * 3", "(* (parens (+ 1 2)) 3)" },
	{ "10 - 2 - 3", "(- (- 10 2) 3)" },
	{ "1 < 2 == true", "(== (< 1 2) true)" },
	{ "a && b || c && d", "(|| (&& a b) (&& c d))" },
	{ "!a == b", "(== (! a) b)" },
	{ "-a.b + 1", "(+ (- a.b) 1)" },
	{ "--1", "(- (- 1))" },
	{ "1 % 2 / 3", "(/ (% 1 2) 3)" },
	{ "a ? b : c", "(? a b c)" },
	{ "a ? b : c ? d : e", "(? a b (? c d e))" },
	{ "a ? b ? 1 : 2 : 3", "(? a (? b 1 2) 3)" },
	{ "[]", "(tuple)" },
	{ "[1, 2,]", "(tuple 1 2)" },
	{ "[\n1\n,\n2\n,\n]", "(tuple 1 2)" },
	{ "[1, # c\n 2]", "(tuple 1 2)" },
	{ "{}", "{}" },
	{ "{a = 1, b : 2}", "{a = 1, b = 2}" },
	{ "{\n\n a = 1\n b = 2 // c\n\n}", "{a = 1, b = 2}" },
	{ "{a = 1,\n\nb = 2,\n}", "{a = 1, b = 2}" },
	{ "{\"a\" = 1, \"b${c}\" = 2}", "{\"a\" = 1, (text \"b\" c) = 2}" },
	{ "{(a) = 1}", "{(parens a) = 1}" },
	{ "{true = 1, null = 2}", "{true = 1, null = 2}" },
	{ "{if = 1, in = 2}", "{if = 1, in = 2}" },
	{ "{1 + 1 = 2}", "{(+ 1 1) = 2}" },
	{ "{a.b = 2}", "{a.b = 2}" },
	{ "({a = 1\nb = 2})", "(parens {a = 1, b = 2})" },
	{ "[for x in y: x]", "(for x y value x)" },
	{ "[for i, x in y: x if i > 1]", "(for i,x y value x if (> i 1))" },
	{ "[\nfor x in y\n:\nx\nif\nx\n]", "(for x y value x if x)" },
	{ "{for k, v in y: k => v}", "(for k,v y key k value v)" },
	{ "{for v in y: v => v... if v}", "(for v y key v value v if v ...)" },
	{ "\"\"", "\"\"" },
	{ "\"abc\"", "\"abc\"" },
	{ "\"a\\n\\r\\t\\\"\\\\\"", "\"a\\n\\r\\t\\\"\\\\\"" },
	{ "\"\\u00e9\\U0001F600\"", "\"\u00e9\U0001F600\"" },
	{ "\"$${a}%%{b}$c%d$$e\"", "\"${a}%{b}$c%d$$e\"" },
	{ "\"$$${a}\"", "\"$${a}\"" },
	{ "\"${a}\"", "(wrap a)" },
	{ "\"${~ a ~}\"", "(wrap a)" },
	{ "\"x${a}\"", "(text \"x\" a)" },
	{ "\"${a}${b}\"", "(text a b)" },
	{ "\" ${~ a ~} \"", "(text \"\" a \"\")" },
	{ "\"a  ${~ b ~}\\n c\"", "(text \"a\" b \"c\")" },
	{ "\"${\"in ${\"out\"}\"}\"", "(wrap (text \"in \" \"out\"))" },
	{ "\"${{a = {b = 1}}.a}\"", "(wrap {a = {b = 1}} .a)" },
	{ "\"${\na\n}\"", "(wrap a)" },
	{ "\"%{if a}b%{endif}\"", "(text (%if a \"b\" \"\"))" },
	{ "\"%{if a}b%{else}c%{endif}d\"", "(text (%if a \"b\" \"c\") \"d\")" },
	{ "\"%{for k, v in a}${v};%{endfor}\"", "(text (%for k,v a value (text v \";\")))" },
	{ "\"%{ for v in a ~} x %{~ endfor }\"", "(text (%for v a value \"x\"))" },
	{ "\"%{if a}%{if b}c%{endif}%{endif}\"", "(text (%if a (text (%if b \"c\" \"\")) \"\"))" },
	{ "<<E\nabc\n  d\nE\n", "\"abc\\n  d\\n\"" },
	{ "<<E\nE\n", "\"\"" },
	{ "<<E\na\\n\"q\" $${x}\nE\n", "\"a\\\\n\\\"q\\\" ${x}\\n\"" },
	{ "<<E\nEx\n xE\n  E\t\n", "\"Ex\\n xE\\n\"" },
	{ "<<E\r\na\r\nE\r\n", "\"a\\r\\n\"" },
	{ "<<E-1\na\nE-1\n", "\"a\\n\"" },
	{ "<<E\n${\"E\"}\n${<<X\nin\nX\n}out\nE\n", "(text \"E\" \"\\n\" \"in\\n\" \"out\\n\")" },
	{ "<<-E\n    a\n   b\n     c\n   E\n", "\" a\\nb\\n  c\\n\"" },
	{ "<<-E\n    a\n\n  \n   b\n   E\n", "\" a\\n\\n  \\nb\\n\"" },
	{ "<<-E\n\ta\n  b\n\tE\n", "\"a\\n b\\n\"" },
	{ "<<-E\n   ${a}\n    y\nE\n", "(text \"\" a \"\\n y\\n\")" },
	{ "<<-E\n    a\n  ${b}\n  E\n", "(text \"  a\\n\" b \"\\n\")" },
	{ "<<-E\n    ${a}\n  ${~ b}\n E\n", "(text \"    \" a \"\\n\" b \"\\n\")" },
	{ "<<E\nx  \n\n${~ a ~}\n\n  y\nE\n", "(text \"x  \\n\" a \"\\n  y\\n\")" },
	{ "/* c */ 1 /* d */ # e", "1" },
};

static void test_expressions(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < ZP_ARRAY_SIZE(expressions); i++) {
		zp_autobuf got = ZP_BUF_INIT;
		const struct zp_source *s = source(f, zp_str(expressions[i].text));
		expr_text(&got, hcl_parse_expression(s, &f->arena, &f->diags));
		zp_autobuf diags = ZP_BUF_INIT;
		diags_text(&diags, &f->diags);
		assert_text(expressions[i].text, &diags, "");
		assert_text(expressions[i].text, &got, expressions[i].want);
	}
}

static const struct pair bodies[] = {
	{ "", "" },
	{ "a = 1", "a = 1; " },
	{ "a = 1\nb = 2\n", "a = 1; b = 2; " },
	{ "\xef\xbb\xbf"
	  "a = 1\n",
		"a = 1; " },
	{ "a {}\n", "a { } " },
	{ "a {\n}", "a { } " },
	{ "a { b = 1 }", "a { b = 1; } " },
	{ "a { # c\n b = 1 // d\n}\n", "a { b = 1; } " },
	{ "a { b = {\n x = 1\n} }", "a { b = {x = 1}; } " },
	{ "a \"b\" c \"d\\n$${e}\" {\n x = 1\n y {}\n}\n",
		"a \"b\" \"c\" \"d\\n${e}\" { x = 1; y { } } " },
	{ "a {\r\n b = 1\r\n}\r\n", "a { b = 1; } " },
	{ "# only a comment", "" },
	{ "a = 1 /* x\ny */\nb = 2", "a = 1; b = 2; " },
	{ "for = 1\ntrue = 2\n", "for = 1; true = 2; " },
	{ "a = (\n 1\n +\n 2\n)\n", "a = (parens (+ 1 2)); " },
	/* # a comment is not read for bad bytes */
	{ "# \xff\na = 1\n", "a = 1; " },
};

static void test_bodies(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < ZP_ARRAY_SIZE(bodies); i++) {
		zp_autobuf got = ZP_BUF_INIT, diags = ZP_BUF_INIT;
		body_text(&got, parse(f, zp_str(bodies[i].text)));
		diags_text(&diags, &f->diags);
		assert_text(bodies[i].text, &diags, "");
		assert_text(bodies[i].text, &got, bodies[i].want);
	}
}

#define IN_LOCALS(text) "locals {\n a = " text "\n b = 3\n}\n"
#define INVALID "Invalid expression"
#define NEWLINE_AFTER "Missing newline after argument"

/* Observed with the peer. Where it reports more, the rest follows from the first. */
static const struct pair broken[] = {
	{ "locals {\n a = 1", "1,8-9 Unclosed configuration block" },
	{ "a {\n b {\n", "2,4-5 Unclosed configuration block" },
	{ "locals", "1,1-7 Argument or block definition required" },
	{ "locals \n{}\n", "1,1-7 Argument or block definition required" },
	{ "locals a b", "1,11 Invalid block definition" },
	{ "locals x y\n{\n}\n", "1,11-2,1 Invalid block definition" },
	{ "locals a = 1\n", "1,10-11 Invalid block definition" },
	{ "a \"b\" 1\n", "1,7-8 Invalid block definition" },
	{ "\"x\" = 1\n", "1,1-2 Invalid argument name" },
	{ "1 = 2\n", "1,1-2 Argument or block definition required" },
	{ "}\n", "1,1-2 Argument or block definition required" },
	{ "/* abc\n", "1,1-2 Argument or block definition required" },
	{ "a { b = 1 c = 2 }\n", "1,11-12 Invalid single-argument block definition" },
	{ "a { b = 1\n}\n", "1,10-2,1 Invalid single-argument block definition" },
	{ "a { b = 1, c = 2 }\n", "1,10-11 Invalid single-argument block definition" },
	{ "a { b {} }\n", "1,5-8 Argument definition required" },
	{ "a { b }\n", "1,5-6 Argument or block definition required" },
	{ "a { , }\n", "1,5-6 Argument or block definition required" },
	{ "a {} b {}\n", "1,6-7 Missing newline after block definition" },
	{ "a {\n}}\n", "2,2-3 Missing newline after block definition" },
	{ "a {\n b = 1 }\n", "2,8-9 " NEWLINE_AFTER },
	{ "a {\n b = 1\n b = 2\n}\n", "3,2-3 Attribute redefined" },
	{ "a \"x${1}\" {\n}\n", "1,5-7 Invalid string literal" },
	{ "a \"x\n{\n}\n", "1,5-2,1 Invalid multi-line string" },
	{ "a \"b", "1,5 Unterminated string literal" },
	{ IN_LOCALS(""), "2,6-3,1 " INVALID },
	{ IN_LOCALS("1 2"), "2,8-9 " NEWLINE_AFTER },
	{ IN_LOCALS("1, 2"), "2,7-8 Unexpected comma after argument" },
	{ IN_LOCALS("(1"), "3,2-3 Unbalanced parentheses" },
	{ IN_LOCALS("[1 2]"), "2,9-10 Missing item separator" },
	{ IN_LOCALS("[1"), "3,2-3 Missing item separator" },
	{ IN_LOCALS("[1}"), "2,8-9 Missing item separator" },
	{ IN_LOCALS("[,]"), "2,7-8 " INVALID },
	{ IN_LOCALS("f(1 2)"), "2,10-11 Missing argument separator" },
	{ IN_LOCALS("f(1...,2)"), "2,9-12 Missing closing parenthesis" },
	{ IN_LOCALS("a::b"), "2,10-3,1 Missing open parenthesis" },
	{ IN_LOCALS("a::1()"), "2,9-10 Missing function name" },
	{ IN_LOCALS("{a}"), "2,8-9 Missing key/value separator" },
	{ IN_LOCALS("{a, b}"), "2,8-9 Missing attribute value" },
	{ IN_LOCALS("{a\n}"), "2,8-3,1 Missing attribute value" },
	{ IN_LOCALS("{a=1 b=2}"), "2,11-12 Missing attribute separator" },
	{ IN_LOCALS("{a="), "2,9-3,1 " INVALID },
	{ IN_LOCALS("a."), "2,8-3,1 Invalid attribute name" },
	{ IN_LOCALS("a[]"), "2,8-9 " INVALID },
	{ IN_LOCALS("a[*"), "3,2-3 Missing close bracket on splat index" },
	{ IN_LOCALS("a[1 2]"), "2,10-11 Missing close bracket on index" },
	{ IN_LOCALS("a.1.2"), "2,8-11 Invalid legacy index syntax" },
	{ IN_LOCALS("a.*.*"), "2,10-11 Nested splat expression not allowed" },
	{ IN_LOCALS("1..2"), "2,6-10 Invalid number literal" },
	{ IN_LOCALS("a ? b"), "2,11-3,1 Missing false expression in conditional" },
	{ IN_LOCALS("1 +"), "2,9-3,1 " INVALID },
	{ IN_LOCALS("a & b"), "2,8-9 Unsupported operator" },
	{ IN_LOCALS("'x'"), "2,6-7 Invalid character" },
	{ IN_LOCALS("1;"), "2,7-8 Invalid character" },
	{ IN_LOCALS("\u201cx\u201d"), "2,6-7 Invalid character" },
	{ IN_LOCALS("\xff"), "2,6-7 Invalid character encoding" },
	{ IN_LOCALS("\"\xff\""), "2,7-8 Invalid character encoding" },
	{ IN_LOCALS("[for x in y]"), "2,17-18 Invalid 'for' expression" },
	{ IN_LOCALS("[for x in y: x => y]"), "2,19-20 Invalid 'for' expression" },
	{ IN_LOCALS("{for x in y: x}"), "2,19-20 Invalid 'for' expression" },
	{ IN_LOCALS("[for x in y: x...]"), "2,20-23 Invalid 'for' expression" },
	{ IN_LOCALS("{for = 1}"), "2,11-12 Invalid 'for' expression" },
	{ IN_LOCALS("\"abc"), "2,10-3,1 Invalid multi-line string" },
	{ IN_LOCALS("\"a\nb\""), "2,8-3,1 Invalid multi-line string" },
	{ IN_LOCALS("\"${}\""), "2,9-10 " INVALID },
	{ IN_LOCALS("\"${a b}\""), "2,11-12 Extra characters after interpolation expression" },
	{ IN_LOCALS("\"${a\""), "2,7-9 Unclosed template interpolation sequence" },
	{ IN_LOCALS("\"a\\q\""), "2,8-10 Invalid escape sequence" },
	{ IN_LOCALS("\"\\u12\""), "2,7-11 Invalid escape sequence" },
	{ IN_LOCALS("\"\\ud800\""), "2,7-13 Invalid escape sequence" },
	{ IN_LOCALS("\"%{if a}\""), "2,14-15 Unexpected end of template" },
	{ IN_LOCALS("\"%{else}\""), "2,7-14 Unexpected else directive" },
	{ IN_LOCALS("\"%{for x in y}%{endif}\""), "2,20-28 Unexpected endif directive" },
	{ IN_LOCALS("\"%{foo}\""), "2,9-12 Invalid template control keyword" },
	{ IN_LOCALS("\"%{ 1 }\""), "2,10-11 Invalid template directive" },
	{ IN_LOCALS("\"%{for x}\""), "2,14-15 Invalid 'for' directive" },
	{ IN_LOCALS("\"%{if a b}c%{endif}\""), "2,14-15 Extra characters in if marker" },
	{ "a = <<E\nabc\n", "3,1 Unterminated template string" },
	{ "a = <<E\nabc\nE", "3,2 Unterminated template string" },
	{ "a = \"x", "1,7 Unterminated template string" },
	{ "a = [1", "1,5-6 Unterminated tuple constructor expression" },
	{ "a = {b=1", "1,5-6 Unterminated object constructor expression" },
	{ "a = f(1", "1,5-7 Unterminated function call" },
	{ "a = ", "1,5 Missing expression" },
	{ "a = \"${x", "1,6-8 Unclosed template interpolation sequence" },
	/* More than one: each is reported, and none because of another. */
	{ "a = 1 2\nb = 2 3\nfoo\n", "1,7-8 " NEWLINE_AFTER "\n2,7-8 " NEWLINE_AFTER
				     "\n3,1-4 Argument or block definition required" },
	{ "a = (1 2)\nb = [1 2]\nc = {a=1 b=2}\nd = 'x'\ne = \"${f(1 2)}\"\ng = 1\n",
		"1,8-9 Unbalanced parentheses\n2,8-9 Missing item separator\n"
		"3,10-11 Missing attribute separator\n4,5-6 Invalid character\n"
		"5,12-13 Missing argument separator" },
	{ "a {\n b = (\n}\nc {\n d = 1 2\n}\n", "3,1-2 " INVALID "\n5,8-9 " NEWLINE_AFTER },
	{ "a {\n b = f(1,\n\n c = 2\n}\nd {\n e = )\n}\n",
		"4,4-5 Missing argument separator\n7,6-7 " INVALID },
	{ "a {\n b = \"x\n c = 1\n d = )\n}\n",
		"2,8-3,1 Invalid multi-line string\n4,6-7 " INVALID },
	{ "a {\n b = \"${x\n c = )\n}\n",
		"3,2-3 Extra characters after interpolation expression\n3,6-7 " INVALID },
	{ "a {\n b = }\n c = )\n}\nd = )\n",
		"2,6-7 " INVALID "\n3,6-7 " INVALID "\n5,5-6 " INVALID },
	{ "a = \"\\q${1 2}\"\n", "1,6-8 Invalid escape sequence\n"
				 "1,12-13 Extra characters after interpolation expression" },
};

static void test_broken(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < ZP_ARRAY_SIZE(broken); i++) {
		zp_autobuf got = ZP_BUF_INIT;
		parse(f, zp_str(broken[i].text));
		diags_text(&got, &f->diags);
		assert_text(broken[i].text, &got, broken[i].want);
	}
}

/* What was understood around an error is in the tree all the same. */
static void test_recovery_keeps_the_rest(void **state)
{
	static const struct pair rows[] = {
		{ "a = 1 2\nb = 2\n", "a = 1; b = 2; " },
		{ "a = )\nb = 2\n", "a = ERROR; b = 2; " },
		{ "a {\n x = (\n y = 2\n}\nb {}\n", "a { x = ERROR; y = 2; } b { } " },
		{ "a {\n x = [1\n y = 2\n}\nb {}\n", "a { x = ERROR; y = 2; } b { } " },
		{ "a {\n x = \"abc\n y = 2\n}\n", "a { x = ERROR; y = 2; } " },
		{ "a b = 1\nc {}\n", "c { } " },
		{ "a {\n x = 1\n", "a { x = 1; } " },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		zp_autobuf got = ZP_BUF_INIT;
		body_text(&got, parse(f, zp_str(rows[i].text)));
		assert_true(f->diags.errors > 0);
		assert_text(rows[i].text, &got, rows[i].want);
	}
}

static void test_details(void **state)
{
	static const struct pair rows[] = {
		{ "a = a.1.2\n",
			"When using the legacy index syntax, chaining two indexes together "
			"is not permitted. Use the proper index syntax instead, like "
			"[1][2]." },
		{ "a {\n b = 1\n b = 2\n}\n",
			"The argument \"b\" was already set at main.tf:2,2-3. "
			"Each argument may be set only once." },
		{ "a = \"%{if x}\"\n", "The if directive at main.tf:1,6-13 is missing its "
				       "corresponding endif directive." },
		{ "a = \"%{foo}\"\n", "\"foo\" is not a valid template control keyword. Did you "
				      "mean \"for\"?" },
		{ "a = \"%{bar}\"\n", "\"bar\" is not a valid template control keyword. Did you "
				      "mean \"for\"?" },
		{ "a = \"\\U00110000\"\n", "Cannot encode character U+110000 in UTF-8." },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		parse(f, zp_str(rows[i].text));
		assert_int_equal(f->diags.count, 1);
		assert_string_equal(f->diags.items[0]->detail, rows[i].want);
	}
	parse(f, zp_str("resource \"a\" \"b\" {\n c = )\n}\n"));
	assert_string_equal(f->diags.items[0]->snippet_context, "resource \"a\" \"b\"");
}

static void test_ranges(void **state)
{
	struct fixture *f = *state;
	struct hcl_body *body = parse(f, zp_str("a \"b\" {\n c = x.y[0] + f(1)\n}\n"));
	const struct hcl_block *block = body->blocks[0];
	const struct hcl_attribute *c = block->body->attributes[0];
	const struct hcl_expr *sum = c->expr;

	assert_true(zp_str_is(zp_range_text(block->type_range), "a"));
	assert_true(zp_str_is(zp_range_text(block->header_range), "a \"b\""));
	assert_true(zp_str_is(zp_range_text(block->label_ranges[0]), "\"b\""));
	assert_true(zp_str_is(zp_range_text(block->open_range), "{"));
	assert_true(zp_str_is(zp_range_text(block->close_range), "}"));
	assert_true(zp_str_is(zp_range_text(block->range), "a \"b\" {\n c = x.y[0] + f(1)\n}"));
	assert_true(zp_str_is(zp_range_text(c->range), "c = x.y[0] + f(1)"));
	assert_true(zp_str_is(zp_range_text(hcl_attribute_name_range(c)), "c"));
	assert_int_equal(c->range.file->text.ptr[c->equals_start], '=');
	assert_true(zp_str_is(zp_range_text(sum->range), "x.y[0] + f(1)"));
	assert_true(zp_str_is(zp_range_text(sum->binary.op_range), "+"));
	assert_true(zp_str_is(zp_range_text(sum->binary.left->range), "x.y[0]"));
	assert_true(zp_str_is(zp_range_text(hcl_root_range(sum->binary.left)), "x"));
	assert_true(zp_str_is(zp_range_text(sum->binary.left->traversal.steps[0].range), ".y"));
	assert_true(zp_str_is(zp_range_text(sum->binary.left->traversal.steps[1].range), "[0]"));
	assert_true(zp_str_is(zp_range_text(hcl_call_name_range(sum->binary.right)), "f"));
	assert_true(zp_str_is(zp_range_text(hcl_call_close_range(sum->binary.right)), ")"));
}

static void test_whole_sources(void **state)
{
	static const struct pair rows[] = {
		{ "1 2", "1,3-4 Extra characters after expression" },
		{ "", "1,1 Missing expression" },
		{ "1)", "1,2-3 Extra characters after expression" },
		{ "(1", "1,3 Unbalanced parentheses" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		zp_autobuf got = ZP_BUF_INIT;
		const struct zp_source *s = source(f, zp_str(rows[i].text));
		assert_int_equal(
			hcl_parse_expression(s, &f->arena, &f->diags)->kind, HCL_EXPR_ERROR);
		diags_text(&got, &f->diags);
		assert_text(rows[i].text, &got, rows[i].want);
	}
	zp_autobuf template = ZP_BUF_INIT;
	const struct zp_source *s =
		source(f, zp_str("a\n \n  %{~ if x ~}\n \"b\" \\n\n%{ endif }$${y}"));
	expr_text(&template, hcl_parse_template(s, &f->arena, &f->diags));
	assert_text("template", &template,
		"(text \"a\\n \\n\" (%if x \" \\\"b\\\" \\\\n\\n\" \"\") \"${y}\")");
}

static void test_traversals(void **state)
{
	static const struct pair good[] = {
		{ "a", "a" },
		{ "a.b[0].c[\"k\"]", "a.b[0].c[\"k\"]" },
		{ "module.x[\"a b\"].y", "module.x[\"a b\"].y" },
	};
	static const struct pair bad[] = {
		{ "", "1,1 Variable name required" },
		{ "1", "1,1-2 Variable name required" },
		{ "a.", "1,3 Attribute name required" },
		{ "a[b]", "1,3-4 Index value required" },
		{ "a[\"${b}\"]", "1,3-4 Index value required" },
		{ "a[0", "1,4 Unclosed index brackets" },
		{ "a b", "1,3-4 Invalid character" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ZP_ARRAY_SIZE(good); i++) {
		zp_autobuf got = ZP_BUF_INIT;
		const struct zp_source *s = source(f, zp_str(good[i].text));
		expr_text(&got, hcl_parse_traversal(s, &f->arena, &f->diags));
		assert_text(good[i].text, &got, good[i].want);
	}
	for (size_t i = 0; i < ZP_ARRAY_SIZE(bad); i++) {
		zp_autobuf got = ZP_BUF_INIT;
		const struct zp_source *s = source(f, zp_str(bad[i].text));
		assert_null(hcl_parse_traversal(s, &f->arena, &f->diags));
		diags_text(&got, &f->diags);
		assert_text(bad[i].text, &got, bad[i].want);
	}
}

static void test_identifiers(void **state)
{
	static const struct {
		const char *text;
		bool valid;
	} rows[] = {
		{ "a", true },
		{ "_", true },
		{ "a-b_1", true },
		{ "\u00e9", true },
		{ "\u5909\u6570", true },
		{ "a\u0301", true },
		{ "", false },
		{ "1a", false },
		{ "-a", false },
		{ "a b", false },
		{ "a.b", false },
		{ "\u0301", false },
		{ "a\xff", false },
		{ "\u2e2f", false },
		{ "\U0001F600", false },
	};
	(void)state;

	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++)
		assert_int_equal(hcl_is_identifier(zp_str(rows[i].text)), rows[i].valid);
}

static const char *const label_one[] = { "name", NULL };
static const char *const label_two[] = { "type", "name", NULL };
static const struct hcl_attribute_schema schema_attributes[] = {
	{ "source", true },
	{ "type", false },
	{ "version", false },
};
static const struct hcl_block_schema schema_blocks[] = {
	{ "resource", label_two },
	{ "variable", label_one },
	{ "locals", NULL },
};
static const struct hcl_body_schema schema = { schema_attributes, 3, schema_blocks, 3 };

struct content_row {
	const char *text, *diag, *detail;
};

static const struct content_row contents[] = {
	{ "source = 1\n", "", NULL },
	{ "", "1,1 Missing required argument",
		"The argument \"source\" is required, but no definition was found." },
	{ "source = 1\ntyp = 1\n", "2,1-4 Unsupported argument",
		"An argument named \"typ\" is not expected here. Did you mean \"type\"?" },
	{ "source = 1\nlocals = 1\n", "2,1-7 Unsupported argument",
		"An argument named \"locals\" is not expected here. Did you mean to define a block "
		"of type \"locals\"?" },
	{ "source = 1\nxyzzy = 1\n", "2,1-6 Unsupported argument",
		"An argument named \"xyzzy\" is not expected here." },
	{ "source = 1\nresourc \"a\" \"b\" {}\n", "2,1-8 Unsupported block type",
		"Blocks of type \"resourc\" are not expected here. Did you mean \"resource\"?" },
	{ "source = 1\ntype {}\n", "2,1-5 Unsupported block type",
		"Blocks of type \"type\" are not expected here. Did you mean to define argument "
		"\"type\"? If so, use the equals sign to assign it a value." },
	{ "source = 1\nresource \"a\" {}\n", "2,14-15 Missing name for resource",
		"All resource blocks must have 2 labels (type, name)." },
	{ "source = 1\nvariable {}\n", "2,10-11 Missing name for variable",
		"All variable blocks must have 1 labels (name)." },
	{ "source = 1\nvariable \"a\" \"b\" {}\n", "2,14-17 Extraneous label for variable",
		"Only 1 labels (name) are expected for variable blocks." },
	{ "source = 1\nlocals x {}\n", "2,8-9 Extraneous label for locals",
		"No labels are expected for locals blocks." },
};

static void test_content(void **state)
{
	struct fixture *f = *state;
	struct hcl_content content;

	for (size_t i = 0; i < ZP_ARRAY_SIZE(contents); i++) {
		zp_autobuf got = ZP_BUF_INIT;
		struct hcl_body *body = parse(f, zp_str(contents[i].text));
		bool ok = hcl_body_content(body, &schema, &f->arena, &content, NULL, &f->diags);
		diags_text(&got, &f->diags);
		assert_text(contents[i].text, &got, contents[i].diag);
		assert_int_equal(ok, f->diags.errors == 0);
		if (contents[i].detail)
			assert_string_equal(f->diags.items[0]->detail, contents[i].detail);
	}
}

static void test_partial_content(void **state)
{
	struct fixture *f = *state;
	struct hcl_content content;
	struct hcl_body *rest;
	struct hcl_body *body = parse(f, zp_str("source = 1\nother = 2\nlocals {}\nmore {}\n"));

	assert_true(hcl_body_content(body, &schema, &f->arena, &content, &rest, &f->diags));
	assert_int_equal(content.attribute_count, 1);
	assert_non_null(hcl_content_attribute(&content, "source"));
	assert_null(hcl_content_attribute(&content, "other"));
	assert_int_equal(content.block_count, 1);
	zp_autobuf text = ZP_BUF_INIT;
	body_text(&text, rest);
	assert_string_equal(text.ptr, "other = 2; more { } ");
	assert_false(hcl_body_attributes(rest, &f->arena, &content, &f->diags));
	assert_string_equal(f->diags.items[0]->summary, "Unexpected \"more\" block");
	assert_int_equal(content.attribute_count, 1);
}

static void note(void *data, const struct hcl_expr *traversal)
{
	struct zp_buf *out = data;

	zp_buf_puts(out, out->len ? " " : "");
	expr_text(out, traversal);
}

static void test_references(void **state)
{
	static const struct pair rows[] = {
		{ "1", "" },
		{ "a.b + c", "a.b c" },
		{ "{a = b, (c) = d, e.f = g, \"${h}\" = 1}", "b c d e.f g h" },
		{ "[for x in xs: x + y if z]", "xs y z" },
		{ "{for k, v in m: k => [for v in v: w]}", "m w" },
		{ "[for x in x: x]", "x" },
		{ "a[*].b[c]", "a c" },
		{ "f(a...)", "a" },
		{ "\"%{for x in xs}${x}${y}%{endfor}\"", "xs y" },
		{ "\"%{if a}b%{else}${c}%{endif}\"", "a c" },
		{ "a ? b[c].d : !e", "a b c e" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		zp_autobuf got = ZP_BUF_INIT;
		const struct zp_source *s = source(f, zp_str(rows[i].text));
		hcl_expr_references(hcl_parse_expression(s, &f->arena, &f->diags), note, &got);
		assert_text(rows[i].text, &got, rows[i].want);
	}
}

static const char sample[] = "# a rich sample\n"
			     "resource \"a\" b {\n"
			     "  count = var.n > 0 ? 1 : -2 // c\n"
			     "  name  = \"x-${upper(\"${var.a[0].b[*].c}\")}-%{ for k, v in m ~} "
			     "${k}=${v} %{~ endfor }\\u00e9\"\n"
			     "  list  = [for x in y : x.*.z if x != null]\n"
			     "  map   = { for k, v in y : k => v... }\n"
			     "  obj   = { \"q\" : 1, (w) = 1.5e3, r = [1, 2,], /* c */ s = !t }\n"
			     "  text  = <<-EOT\n"
			     "    a ${b ~}\n"
			     "      %{ if c }d%{ else }e%{ endif }\n"
			     "    $${f} \u00e9\U0001F600\n"
			     "  EOT\n"
			     "  call = provider::x::y(a..., )\n"
			     "  nested { one = 1 }\n"
			     "}\n";

/* Cut anywhere, or with any byte replaced, it is reported and never more than that. */
static void test_damaged_sample(void **state)
{
	static const char bytes[] = "\"{}[]()$%\n\\<\xff";
	struct fixture *f = *state;
	char copy[sizeof(sample)];

	for (size_t n = 0; n < sizeof(sample); n++) {
		parse(f, zp_strn(sample, n));
		struct hcl_content content;
		hcl_body_content(parse(f, zp_strn(sample, n)), &schema, &f->arena, &content, NULL,
			&f->diags);
	}
	for (size_t n = 0; n < sizeof(sample) - 1; n++) {
		memcpy(copy, sample, sizeof(sample));
		copy[n] = bytes[n % (sizeof(bytes) - 1)];
		parse(f, zp_strn(copy, sizeof(sample) - 1));
		const struct zp_source *s = source(f, zp_strn(copy + n, sizeof(sample) - 1 - n));
		hcl_parse_template(s, &f->arena, &f->diags);
	}
}

static void repeat(struct zp_buf *out, const char *text, size_t count)
{
	while (count--)
		zp_buf_puts(out, text);
}

static void test_nesting(void **state)
{
	static const struct {
		const char *before, *open, *middle, *close;
	} rows[] = {
		{ "a = ", "(", "1", ")" },
		{ "a = ", "[", "1", "]" },
		{ "a = ", "{a=", "1", "}" },
		{ "a = ", "f(", "1", ")" },
		{ "a = ", "-", "1", "" },
		{ "a = ", "!", "1", "" },
		{ "a = ", "\"${", "1", "}\"" },
		{ "a = ", "a[", "1", "]" },
		{ "a = ", "a ? b : ", "1", "" },
		{ "a = ", "[for x in y: ", "1", "]" },
		{ "", "a {\n", "", "}\n" },
		{ "a = \"", "%{if a}", "", "%{endif}" }, /* the quote left open */
		{ "a = ", "1 + ", "1", "" },
		{ "a = a", "[*]", "", "" },
		{ "a = a", ".b", "", "" },
		{ "a = ", "<<E\n${", "1", "}\nE\n" },
	};
	static const size_t depths[] = { 100, 5000, 100000 };
	const size_t open_quote = 11;
	struct fixture *f = *state;

	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++)
		for (size_t d = 0; d < ZP_ARRAY_SIZE(depths); d++) {
			zp_autobuf text = ZP_BUF_INIT;
			zp_buf_puts(&text, rows[i].before);
			repeat(&text, rows[i].open, depths[d]);
			zp_buf_puts(&text, rows[i].middle);
			repeat(&text, rows[i].close, depths[d]);
			parse(f, zp_buf_slice(&text));
			if (depths[d] == 100 && i != open_quote)
				assert_int_equal(f->diags.errors, 0);
			if (depths[d] > 100)
				assert_true(f->diags.errors > 0 && f->diags.errors < 5);
		}
}

static void test_many_errors_end(void **state)
{
	struct fixture *f = *state;
	zp_autobuf text = ZP_BUF_INIT;

	repeat(&text, "a = )\n", 100000);
	parse(f, zp_buf_slice(&text));
	assert_in_range(f->diags.errors, 100, 300);
}

static void test_many_attributes(void **state)
{
	struct fixture *f = *state;
	zp_autobuf text = ZP_BUF_INIT;

	for (int i = 0; i < 20000; i++)
		zp_buf_printf(&text, "a%d = %d\n", i, i);
	zp_buf_puts(&text, "a7 = 1\na19999 = 1\n");
	struct hcl_body *body = parse(f, zp_buf_slice(&text));
	assert_int_equal(body->attribute_count, 20000);
	assert_int_equal(f->diags.errors, 2);
}

/* Tokens and the space between them are the whole text again, whatever it is. */
static void test_lexer_covers_text(void **state)
{
	struct hcl_lexer lexer;
	struct hcl_token token;
	uint32_t end = 0;
	(void)state;

	hcl_lexer_init(&lexer, ZP_STR(sample), HCL_LEX_CONFIG);
	do {
		token = hcl_lexer_next(&lexer);
		assert_true(token.start >= end);
		for (uint32_t i = end; i < token.start; i++)
			assert_true(sample[i] == ' ' || sample[i] == '\t');
		end = token.end;
	} while (token.kind != HCL_TOKEN_EOF);
	assert_int_equal(end, sizeof(sample) - 1);
	hcl_lexer_release(&lexer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_expressions),
		TEST(test_bodies),
		TEST(test_broken),
		TEST(test_recovery_keeps_the_rest),
		TEST(test_details),
		TEST(test_ranges),
		TEST(test_whole_sources),
		TEST(test_traversals),
		TEST(test_identifiers),
		TEST(test_content),
		TEST(test_partial_content),
		TEST(test_references),
		TEST(test_damaged_sample),
		TEST(test_nesting),
		TEST(test_many_errors_end),
		TEST(test_many_attributes),
		TEST(test_lexer_covers_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

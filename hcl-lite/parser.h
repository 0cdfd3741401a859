/*
 * What the parser's files share; not for use outside of them.
 *
 * Tokens are read one at a time with a look-ahead of a few. A syntax error puts the parser in a
 * failed state, in which it sees nothing but the end of the file and reports nothing more; thus
 * every rule unwinds by itself. The rule for a body's items then reads the item's tokens again to
 * find where the next one starts, and goes on from there.
 */
#ifndef HCL_PARSER_H
#define HCL_PARSER_H

#include "base/vec.h"
#include "hcl-lite/lexer.h"
#include "hcl-lite/syntax.h"

/* Where a place in a decoded JSON string stands in the source; between two of them both count
 * alike. */
struct hcl_offset {
	uint32_t text, source;
};

ZP_VEC(hcl_offset_vec, struct hcl_offset);
ZP_VEC(hcl_expr_vec, struct hcl_expr *);
ZP_VEC(hcl_step_vec, struct hcl_traverse);

#define HCL_LOOK_AHEAD 2
#define HCL_NAME_CACHE 1024
/* A file with more syntax errors than this is not read on. */
#define HCL_MAX_SYNTAX_ERRORS 200
/* Operators and steps in one row: each makes the tree one deeper. */
#define HCL_MAX_CHAIN 1000

struct hcl_parser {
	const struct zp_source *source;
	struct zp_str text; /* what is parsed: the source's text, or a decoded JSON string */
	const struct hcl_offset *offsets; /* NULL: text is the source's */
	size_t offset_count;
	struct zp_arena *arena;
	struct zp_diags *diags;
	ZP_VEC(, struct zp_diag *) reported;
	struct hcl_lexer lexer;
	struct hcl_token ahead[HCL_LOOK_AHEAD];
	uint32_t ahead_count;
	uint32_t last_end; /* of the last token taken */
	uint32_t depth, chain;
	bool newlines; /* count as tokens, as in a body; else they are space */
	bool failed;
	bool stopped;	    /* too many errors */
	uint32_t failed_at; /* offset of the token that made it fail */
	struct {
		struct zp_str text;
		const char *name;
	} names[HCL_NAME_CACHE];
};

/* The parser is large: keep it on the heap. */
struct hcl_parser *hcl_parser_new(const struct zp_source *source, struct zp_str text,
	enum hcl_lex_mode mode, struct zp_arena *arena, struct zp_diags *diags);
void hcl_parser_free(struct hcl_parser *p);
/* Begins anew with another text of the same source: offsets tell where its parts stand there. */
void hcl_parser_restart(struct hcl_parser *p, struct zp_str text, enum hcl_lex_mode mode,
	const struct hcl_offset *offsets, size_t offset_count);

/* The same as hcl_peek where it is not at hand already. */
struct hcl_token hcl_peek_further(struct hcl_parser *p);

/* The next token that counts; line comments count as newlines. At the end of file, and once failed:
 * EOF. */
static inline struct hcl_token hcl_peek(struct hcl_parser *p)
{
	if (p->ahead_count && p->ahead[0].kind > HCL_TOKEN_INLINE_COMMENT && !p->failed)
		return p->ahead[0];
	return hcl_peek_further(p);
}

/* The one after it. */
struct hcl_token hcl_peek_second(struct hcl_parser *p);
/* Takes the next token. */
struct hcl_token hcl_take(struct hcl_parser *p);
/* Takes it when it is of that kind. */
bool hcl_accept(struct hcl_parser *p, enum hcl_token_kind kind);

struct zp_str hcl_token_text(const struct hcl_parser *p, struct hcl_token token);
bool hcl_token_is(const struct hcl_parser *p, struct hcl_token token, const char *word);
const char *hcl_token_name(struct hcl_parser *p, struct hcl_token token);
struct zp_range hcl_range(const struct hcl_parser *p, uint32_t start, uint32_t end);
struct zp_range hcl_token_range(const struct hcl_parser *p, struct hcl_token token);

/* Reports and goes on. */
struct zp_diag *hcl_report(struct hcl_parser *p, struct zp_range range, const char *summary,
	const char *detail, ...) ZP_PRINTF(4, 5);
/*
 * Reports at token, where the parser stands, and fails. A token that is itself no token of the
 * language is reported as that instead. The new diagnostic, or NULL when it is not about this.
 */
struct zp_diag *hcl_fail(struct hcl_parser *p, struct hcl_token token, const char *summary,
	const char *detail, ...) ZP_PRINTF(4, 5);
/* The same, with the complaint about another place than the token. */
void hcl_fail_at(struct hcl_parser *p, struct hcl_token token, struct zp_range range,
	const char *summary, const char *detail, ...) ZP_PRINTF(5, 6);
/* The diagnostic, if any, shows the lines from there on, not those of its subject alone. */
void hcl_show_from(struct zp_diag *diag, struct zp_range from);
/* Fails because of what was reported before. */
void hcl_fail_silently(struct hcl_parser *p, struct hcl_token token);
/* Says what is wrong with a token of the invalid kinds; false for others. */
bool hcl_report_invalid(struct hcl_parser *p, struct hcl_token token);
/* A place as messages name it: main.tf:2,7-17. In the arena. */
const char *hcl_place(struct hcl_parser *p, struct zp_range range);

/* One level deeper; false, after a failure, when that is too deep. */
bool hcl_enter(struct hcl_parser *p);
static inline void hcl_leave(struct hcl_parser *p)
{
	p->depth--;
}

/*
 * One more operator or access in a row, at token; true, after a failure, when those are too many.
 * Who calls it saves p->chain before the row and restores it after.
 */
bool hcl_too_long(struct hcl_parser *p, struct hcl_token token);

/* Zeroed, and as large as the kind needs. */
struct hcl_expr *hcl_expr_alloc(
	struct zp_arena *arena, enum hcl_expr_kind kind, struct zp_range range);
/* From start to the end of the last token taken. */
struct hcl_expr *hcl_expr_new(struct hcl_parser *p, enum hcl_expr_kind kind, uint32_t start);
/* Sets the end of the range to that of the last token taken. */
struct hcl_expr *hcl_expr_end(struct hcl_parser *p, struct hcl_expr *expr);
struct hcl_expr *hcl_expr_error(struct hcl_parser *p, uint32_t start);

/* parse_expression.c, parse_collection.c */
struct hcl_expr *hcl_rule_expression(struct hcl_parser *p);
/* What operators stand between: a literal, a call, a tuple and so on, with steps. */
struct hcl_expr *hcl_rule_term(struct hcl_parser *p);
struct hcl_expr *hcl_rule_tuple(struct hcl_parser *p);
struct hcl_expr *hcl_rule_object(struct hcl_parser *p);
struct hcl_expr *hcl_rule_call(struct hcl_parser *p);
/* parse_traversal.c: what follows base: .a [0] .* and so on. */
struct hcl_expr *hcl_rule_steps(struct hcl_parser *p, struct hcl_expr *base);

/* parse_template.c: after the opening quote or heredoc token, or at the start of a bare template.
 */
struct hcl_expr *hcl_rule_template(struct hcl_parser *p, struct hcl_token open);
/* A block label in quotes, the opening one taken. */
struct zp_str hcl_rule_label(struct hcl_parser *p, struct hcl_token open);

/* parse_body.c: the whole file. */
struct hcl_body *hcl_rule_body(struct hcl_parser *p);

/* parse.c: what fills the parser's text. The last gives NULL after an error. */
struct hcl_expr *hcl_parse_whole_expression(struct hcl_parser *p);
struct hcl_expr *hcl_parse_whole_template(struct hcl_parser *p);
struct hcl_expr *hcl_parse_whole_traversal(struct hcl_parser *p);

#endif

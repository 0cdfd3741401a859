/* Tokens as the formatter moves them. Internal to format*.c. */
#ifndef HCL_FORMAT_TOKENS_H
#define HCL_FORMAT_TOKENS_H

#include "base/vec.h"
#include "hcl-lite/lexer.h"
#include "hcl-lite/syntax.h"

struct hcl_format_token {
	struct zp_str text;
	uint32_t offset; /* in the source */
	uint32_t spaces; /* before it */
	uint8_t kind;	 /* enum hcl_token_kind */
	bool dropped;
};

ZP_VEC(hcl_format_tokens, struct hcl_format_token);

/* 1 for a token that opens a bracket of any kind, -1 for one that closes one, else 0. */
int hcl_format_bracket_change(uint8_t kind);

/* How far a file's rewriting has come; zero but for body and arena at its start. */
struct hcl_format_rewriter {
	const struct hcl_body *body;
	struct zp_arena *arena;
	size_t attributes, blocks; /* of the body, done */
};

/*
 * Changes what stands between the tokens' brackets: quotes around interpolations, types, labels. The
 * tokens are those of the next items of the body, all that begin before the offset `end`.
 */
void hcl_format_rewrite(
	struct hcl_format_rewriter *rewriter, struct hcl_format_tokens *tokens, uint32_t end);

#endif

/*
 * Tokens of native syntax. The lexer knows templates: a quote or a heredoc opens a mode in which
 * text comes as literal tokens, ${ and %{ go back to expressions until the brace that ends them.
 *
 *	struct hcl_lexer lexer;
 *	hcl_lexer_init(&lexer, text, HCL_LEX_CONFIG);
 *	do {
 *		token = hcl_lexer_next(&lexer);
 *	} while (token.kind != HCL_TOKEN_EOF);
 *	hcl_lexer_release(&lexer);
 *
 * It allocates nothing per token and never fails: what is no token of the language becomes one of
 * the invalid kinds. Every byte of the text is either in a token or is space between tokens (blanks
 * and tabs), so that the text can be made again from the tokens.
 */
#ifndef HCL_LEXER_H
#define HCL_LEXER_H

#include "base/str.h"

enum hcl_token_kind {
	HCL_TOKEN_EOF,
	HCL_TOKEN_NEWLINE,
	HCL_TOKEN_LINE_COMMENT,	  /* # or //, with the newline that ends it */
	HCL_TOKEN_INLINE_COMMENT, /* between slash-star and star-slash */
	HCL_TOKEN_IDENTIFIER,
	HCL_TOKEN_NUMBER,

	HCL_TOKEN_OPEN_QUOTE,
	HCL_TOKEN_CLOSE_QUOTE,
	HCL_TOKEN_OPEN_HEREDOC,	 /* up to and with the newline after the marker */
	HCL_TOKEN_CLOSE_HEREDOC, /* blanks before the marker, and the marker */
	HCL_TOKEN_LITERAL,	 /* text in a template; at most one line, its newline included */
	HCL_TOKEN_INTERPOLATION, /* ${ or ${~ */
	HCL_TOKEN_DIRECTIVE,	 /* %{ or %{~ */
	HCL_TOKEN_TEMPLATE_END,	 /* } or ~} that ends either of them */

	HCL_TOKEN_OPEN_BRACE,
	HCL_TOKEN_CLOSE_BRACE,
	HCL_TOKEN_OPEN_BRACKET,
	HCL_TOKEN_CLOSE_BRACKET,
	HCL_TOKEN_OPEN_PAREN,
	HCL_TOKEN_CLOSE_PAREN,
	HCL_TOKEN_STAR,
	HCL_TOKEN_SLASH,
	HCL_TOKEN_PERCENT,
	HCL_TOKEN_PLUS,
	HCL_TOKEN_MINUS,
	HCL_TOKEN_EQUAL,
	HCL_TOKEN_EQUAL_EQUAL,
	HCL_TOKEN_NOT_EQUAL,
	HCL_TOKEN_LESS,
	HCL_TOKEN_LESS_EQUAL,
	HCL_TOKEN_GREATER,
	HCL_TOKEN_GREATER_EQUAL,
	HCL_TOKEN_AND,
	HCL_TOKEN_OR,
	HCL_TOKEN_BANG,
	HCL_TOKEN_DOT,
	HCL_TOKEN_COMMA,
	HCL_TOKEN_ELLIPSIS,
	HCL_TOKEN_ARROW,
	HCL_TOKEN_QUESTION,
	HCL_TOKEN_COLON,
	HCL_TOKEN_DOUBLE_COLON,

	HCL_TOKEN_QUOTED_NEWLINE, /* a line ends inside quotes; the text goes on */
	HCL_TOKEN_UNCLOSED_QUOTE, /* a line ends inside quotes, and the next one is another item */
	HCL_TOKEN_INVALID,	  /* a character the language does not know */
	HCL_TOKEN_INVALID_ENCODING, /* bytes that are no UTF-8 */
	HCL_TOKEN_TOO_DEEP,	    /* templates nested beyond HCL_MAX_NESTING */
};

/* Two registers wide: tokens are handed from function to function more often than anything else. */
struct hcl_token {
	uint32_t start, end;
	uint64_t kind; /* enum hcl_token_kind */
};

/* How deep blocks, expressions and templates may nest. */
#define HCL_MAX_NESTING 500

enum hcl_lex_mode {
	HCL_LEX_CONFIG,	  /* a body or an expression */
	HCL_LEX_TEMPLATE, /* a template without quotes around it */
	HCL_LEX_QUOTED,
	HCL_LEX_HEREDOC,
	HCL_LEX_SEQUENCE, /* inner ones */
};

struct hcl_lex_frame {
	enum hcl_lex_mode mode;
	uint32_t braces;	     /* open ones in a sequence */
	uint32_t marker, marker_len; /* of a heredoc */
	bool line_start;	     /* of a heredoc: the marker may stand here */
};

struct hcl_lexer {
	const char *text;
	uint32_t length, offset;
	struct hcl_lex_frame *frames; /* the last is the current one */
	uint32_t depth, capacity;
};

/*
 * text must outlive the lexer and be shorter than 4 GiB. A byte order mark before a body or an
 * expression is skipped.
 */
void hcl_lexer_init(struct hcl_lexer *lexer, struct zp_str text, enum hcl_lex_mode mode);
void hcl_lexer_release(struct hcl_lexer *lexer);
/* Goes on at offset, outside of all templates. */
void hcl_lexer_restart(struct hcl_lexer *lexer, uint32_t offset);
struct hcl_token hcl_lexer_next(struct hcl_lexer *lexer);

/*
 * Whether an attribute or a block seems to begin at offset: a name followed by = or by { with
 * labels between, or a closing brace, or nothing but a comment. Used to guess where broken text
 * ends.
 */
bool hcl_looks_like_item(struct zp_str text, uint32_t offset);

#endif

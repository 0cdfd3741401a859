#include "hcl-lite/lexer.h"

#include "base/alloc.h"
#include "hcl-lite/identifier.h"

static inline struct hcl_lex_frame *top(struct hcl_lexer *lexer)
{
	return &lexer->frames[lexer->depth - 1];
}

static struct hcl_lex_frame *push(struct hcl_lexer *lexer, enum hcl_lex_mode mode)
{
	if (lexer->depth == lexer->capacity) {
		lexer->capacity = lexer->capacity ? lexer->capacity * 2 : 8;
		lexer->frames =
			zp_reallocarray(lexer->frames, lexer->capacity, sizeof(*lexer->frames));
	}
	struct hcl_lex_frame *frame = &lexer->frames[lexer->depth++];
	*frame = (struct hcl_lex_frame){ .mode = mode };
	return frame;
}

void hcl_lexer_init(struct hcl_lexer *lexer, struct zp_str text, enum hcl_lex_mode mode)
{
	*lexer = (struct hcl_lexer){ .text = text.ptr, .length = (uint32_t)text.len };
	if (mode == HCL_LEX_CONFIG && text.len >= 3 && memcmp(text.ptr, "\xef\xbb\xbf", 3) == 0)
		lexer->offset = 3;
	push(lexer, mode);
}

void hcl_lexer_release(struct hcl_lexer *lexer)
{
	free(lexer->frames);
	lexer->frames = NULL;
}

void hcl_lexer_restart(struct hcl_lexer *lexer, uint32_t offset)
{
	lexer->depth = 1;
	lexer->offset = offset;
}

static struct hcl_token take(struct hcl_lexer *lexer, enum hcl_token_kind kind, uint32_t length)
{
	struct hcl_token token = { lexer->offset, lexer->offset + length, (uint8_t)kind };

	lexer->offset = token.end;
	return token;
}

static inline char peek(const struct hcl_lexer *lexer, uint32_t ahead)
{
	uint32_t at = lexer->offset + ahead;

	return at >= lexer->offset && at < lexer->length ? lexer->text[at] : 0;
}

/* Length of the line end at offset: 0 where there is none. */
static uint32_t newline_length(const struct hcl_lexer *lexer, uint32_t offset)
{
	if (offset >= lexer->length)
		return 0;
	if (lexer->text[offset] == '\n')
		return 1;
	return lexer->text[offset] == '\r' && offset + 1 < lexer->length &&
			       lexer->text[offset + 1] == '\n'
		       ? 2
		       : 0;
}

static struct hcl_token line_comment(struct hcl_lexer *lexer)
{
	const char *rest = lexer->text + lexer->offset;
	size_t left = lexer->length - lexer->offset;
	const char *end = memchr(rest, '\n', left);

	return take(lexer, HCL_TOKEN_LINE_COMMENT, (uint32_t)(end ? end + 1 - rest : (long)left));
}

/* A comment that is never closed is no comment: its slash comes as an operator. */
static struct hcl_token inline_comment(struct hcl_lexer *lexer)
{
	const char *rest = lexer->text + lexer->offset;
	size_t left = lexer->length - lexer->offset;
	const char *end = memmem(rest + 2, left - 2, "*/", 2);

	if (!end)
		return take(lexer, HCL_TOKEN_SLASH, 1);
	return take(lexer, HCL_TOKEN_INLINE_COMMENT, (uint32_t)(end + 2 - rest));
}

static inline bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits with dots and exponents among them, up to the last digit; 1...2 is for the parser to
 * refuse. */
static struct hcl_token number(struct hcl_lexer *lexer)
{
	uint32_t i = 0, end = 0;

	for (;;) {
		char c = peek(lexer, i);
		if (is_digit(c)) {
			end = ++i;
		} else if (c == '.') {
			i++;
		} else if ((c == 'e' || c == 'E') && i == end) {
			char sign = peek(lexer, i + 1);
			uint32_t skip = sign == '+' || sign == '-' ? 2 : 1;
			if (!is_digit(peek(lexer, i + skip)))
				break;
			i += skip;
		} else {
			break;
		}
	}
	return take(lexer, HCL_TOKEN_NUMBER, end);
}

/* << or <<-, a name, and at once the end of the line. */
static bool open_heredoc(struct hcl_lexer *lexer, struct hcl_token *token)
{
	uint32_t marker = lexer->offset + (peek(lexer, 2) == '-' ? 3 : 2);
	if (marker >= lexer->length)
		return false;
	uint32_t length =
		(uint32_t)hcl_identifier_length(lexer->text + marker, lexer->length - marker);
	uint32_t end = marker + length;
	uint32_t newline = length ? newline_length(lexer, end) : 0;
	if (!newline)
		return false;
	*token = take(lexer, HCL_TOKEN_OPEN_HEREDOC, end + newline - lexer->offset);
	struct hcl_lex_frame *frame = push(lexer, HCL_LEX_HEREDOC);
	frame->marker = marker;
	frame->marker_len = length;
	frame->line_start = true;
	return true;
}

static struct hcl_token too_deep(struct hcl_lexer *lexer)
{
	struct hcl_token token = { lexer->offset, lexer->offset + 1, HCL_TOKEN_TOO_DEEP };

	lexer->offset = lexer->length;
	return token;
}

static struct hcl_token invalid(struct hcl_lexer *lexer)
{
	int32_t rune;
	size_t n =
		hcl_decode_rune(lexer->text + lexer->offset, lexer->length - lexer->offset, &rune);

	return n ? take(lexer, HCL_TOKEN_INVALID, (uint32_t)n)
		 : take(lexer, HCL_TOKEN_INVALID_ENCODING, 1);
}

static struct hcl_token open_brace(struct hcl_lexer *lexer)
{
	top(lexer)->braces++;
	return take(lexer, HCL_TOKEN_OPEN_BRACE, 1);
}

static bool at_sequence_end(struct hcl_lexer *lexer)
{
	return top(lexer)->mode == HCL_LEX_SEQUENCE && top(lexer)->braces == 0;
}

static struct hcl_token close_brace(struct hcl_lexer *lexer)
{
	if (at_sequence_end(lexer)) {
		lexer->depth--;
		return take(lexer, HCL_TOKEN_TEMPLATE_END, 1);
	}
	if (top(lexer)->braces)
		top(lexer)->braces--;
	return take(lexer, HCL_TOKEN_CLOSE_BRACE, 1);
}

static struct hcl_token tilde(struct hcl_lexer *lexer)
{
	if (peek(lexer, 1) == '}' && at_sequence_end(lexer)) {
		lexer->depth--;
		return take(lexer, HCL_TOKEN_TEMPLATE_END, 2);
	}
	return take(lexer, HCL_TOKEN_INVALID, 1);
}

/* One or two characters: the longer token when `second` follows. */
static struct hcl_token either(
	struct hcl_lexer *lexer, char second, enum hcl_token_kind two, enum hcl_token_kind one)
{
	return peek(lexer, 1) == second ? take(lexer, two, 2) : take(lexer, one, 1);
}

static struct hcl_token operator(struct hcl_lexer *lexer, char c)
{
	struct hcl_token token;

	switch (c) {
	case '{':
		return open_brace(lexer);
	case '}':
		return close_brace(lexer);
	case '[':
		return take(lexer, HCL_TOKEN_OPEN_BRACKET, 1);
	case ']':
		return take(lexer, HCL_TOKEN_CLOSE_BRACKET, 1);
	case '(':
		return take(lexer, HCL_TOKEN_OPEN_PAREN, 1);
	case ')':
		return take(lexer, HCL_TOKEN_CLOSE_PAREN, 1);
	case '*':
		return take(lexer, HCL_TOKEN_STAR, 1);
	case '%':
		return take(lexer, HCL_TOKEN_PERCENT, 1);
	case '+':
		return take(lexer, HCL_TOKEN_PLUS, 1);
	case '-':
		return take(lexer, HCL_TOKEN_MINUS, 1);
	case ',':
		return take(lexer, HCL_TOKEN_COMMA, 1);
	case '?':
		return take(lexer, HCL_TOKEN_QUESTION, 1);
	case ':':
		return either(lexer, ':', HCL_TOKEN_DOUBLE_COLON, HCL_TOKEN_COLON);
	case '=':
		if (peek(lexer, 1) == '>')
			return take(lexer, HCL_TOKEN_ARROW, 2);
		return either(lexer, '=', HCL_TOKEN_EQUAL_EQUAL, HCL_TOKEN_EQUAL);
	case '!':
		return either(lexer, '=', HCL_TOKEN_NOT_EQUAL, HCL_TOKEN_BANG);
	case '>':
		return either(lexer, '=', HCL_TOKEN_GREATER_EQUAL, HCL_TOKEN_GREATER);
	case '<':
		if (peek(lexer, 1) == '<' && open_heredoc(lexer, &token))
			return token;
		return either(lexer, '=', HCL_TOKEN_LESS_EQUAL, HCL_TOKEN_LESS);
	case '&':
		return either(lexer, '&', HCL_TOKEN_AND, HCL_TOKEN_INVALID);
	case '|':
		return either(lexer, '|', HCL_TOKEN_OR, HCL_TOKEN_INVALID);
	case '~':
		return tilde(lexer);
	case '.':
		if (peek(lexer, 1) == '.' && peek(lexer, 2) == '.')
			return take(lexer, HCL_TOKEN_ELLIPSIS, 3);
		return take(lexer, HCL_TOKEN_DOT, 1);
	default:
		return invalid(lexer);
	}
}

static struct hcl_token config_token(struct hcl_lexer *lexer)
{
	while (lexer->offset < lexer->length &&
		(lexer->text[lexer->offset] == ' ' || lexer->text[lexer->offset] == '\t'))
		lexer->offset++;
	if (lexer->offset >= lexer->length)
		return take(lexer, HCL_TOKEN_EOF, 0);
	if (lexer->depth > HCL_MAX_NESTING)
		return too_deep(lexer);

	const char *at = lexer->text + lexer->offset;
	char c = *at;
	struct hcl_token token;
	switch (c) {
	case '\n':
		return take(lexer, HCL_TOKEN_NEWLINE, 1);
	case '\r':
		return peek(lexer, 1) == '\n' ? take(lexer, HCL_TOKEN_NEWLINE, 2) : invalid(lexer);
	case '#':
		return line_comment(lexer);
	case '/':
		if (peek(lexer, 1) == '/')
			return line_comment(lexer);
		return peek(lexer, 1) == '*' ? inline_comment(lexer)
					     : take(lexer, HCL_TOKEN_SLASH, 1);
	case '"':
		token = take(lexer, HCL_TOKEN_OPEN_QUOTE, 1);
		push(lexer, HCL_LEX_QUOTED);
		return token;
	default:
		break;
	}
	if (is_digit(c))
		return number(lexer);
	size_t length = hcl_identifier_length(at, lexer->length - lexer->offset);
	if (length)
		return take(lexer, HCL_TOKEN_IDENTIFIER, (uint32_t)length);
	return operator(lexer, c);
}

/*
 * ${ or %{ at offset? A doubled sign before the brace is an escape, and belongs to the text:
 * *escape is then its length.
 */
static bool at_sequence(const struct hcl_lexer *lexer, uint32_t offset, uint32_t *escape)
{
	char sign = lexer->text[offset];
	uint32_t left = lexer->length - offset;

	*escape = 0;
	if (left >= 2 && lexer->text[offset + 1] == '{')
		return true;
	if (left >= 3 && lexer->text[offset + 1] == sign && lexer->text[offset + 2] == '{')
		*escape = 3;
	return false;
}

static struct hcl_token open_sequence(struct hcl_lexer *lexer)
{
	enum hcl_token_kind kind =
		peek(lexer, 0) == '$' ? HCL_TOKEN_INTERPOLATION : HCL_TOKEN_DIRECTIVE;
	struct hcl_token token = take(lexer, kind, peek(lexer, 2) == '~' ? 3 : 2);

	push(lexer, HCL_LEX_SEQUENCE);
	return token;
}

/* Whether only blanks and the marker stand on the line at offset; *end is then the marker's end. */
static bool at_marker(
	const struct hcl_lexer *lexer, const struct hcl_lex_frame *frame, uint32_t *end)
{
	uint32_t i = lexer->offset;

	while (i < lexer->length && (lexer->text[i] == ' ' || lexer->text[i] == '\t'))
		i++;
	if (lexer->length - i < frame->marker_len ||
		memcmp(lexer->text + i, lexer->text + frame->marker, frame->marker_len) != 0)
		return false;
	i += frame->marker_len;
	*end = i;
	while (i < lexer->length && (lexer->text[i] == ' ' || lexer->text[i] == '\t'))
		i++;
	return newline_length(lexer, i) > 0;
}

static bool line_after_looks_like_item(const struct hcl_lexer *lexer)
{
	uint32_t next = lexer->offset + newline_length(lexer, lexer->offset);

	return hcl_looks_like_item(zp_strn(lexer->text, lexer->length), next);
}

static struct hcl_token quoted_newline(struct hcl_lexer *lexer)
{
	uint32_t length = newline_length(lexer, lexer->offset);

	if (!line_after_looks_like_item(lexer))
		return take(lexer, HCL_TOKEN_QUOTED_NEWLINE, length);
	/* The newline itself comes once more, as one that ends the item. */
	struct hcl_token token = { lexer->offset, lexer->offset + length,
		HCL_TOKEN_UNCLOSED_QUOTE };
	lexer->depth--;
	return token;
}

/* Literal text from the offset on: up to a sequence, the closing quote, a line's end, or bad bytes.
 */
static uint32_t literal_end(const struct hcl_lexer *lexer, enum hcl_lex_mode mode)
{
	uint32_t i = lexer->offset, escape;

	while (i < lexer->length) {
		unsigned char c = (unsigned char)lexer->text[i];
		if (c >= 0x80) {
			int32_t rune;
			size_t n = hcl_decode_rune(lexer->text + i, lexer->length - i, &rune);
			if (!n)
				break;
			i += (uint32_t)n;
			continue;
		}
		if (c == '$' || c == '%') {
			if (at_sequence(lexer, i, &escape))
				break;
			i += escape ? escape : 1;
			continue;
		}
		if (mode == HCL_LEX_QUOTED) {
			if (c == '"' || newline_length(lexer, i))
				break;
			if (c == '\\' && i + 1 < lexer->length && !newline_length(lexer, i + 1) &&
				(unsigned char)lexer->text[i + 1] < 0x80)
				i++;
		} else if (c == '\n') {
			return i + 1;
		}
		i++;
	}
	return i;
}

static struct hcl_token template_token(struct hcl_lexer *lexer)
{
	struct hcl_lex_frame *frame = top(lexer);
	uint32_t end, escape;

	if (lexer->offset >= lexer->length)
		return take(lexer, HCL_TOKEN_EOF, 0);
	if (lexer->depth > HCL_MAX_NESTING)
		return too_deep(lexer);
	if (frame->mode == HCL_LEX_HEREDOC && frame->line_start && at_marker(lexer, frame, &end)) {
		lexer->depth--;
		return take(lexer, HCL_TOKEN_CLOSE_HEREDOC, end - lexer->offset);
	}
	char c = lexer->text[lexer->offset];
	frame->line_start = false;
	if ((c == '$' || c == '%') && at_sequence(lexer, lexer->offset, &escape))
		return open_sequence(lexer);
	if (frame->mode == HCL_LEX_QUOTED && c == '"') {
		lexer->depth--;
		return take(lexer, HCL_TOKEN_CLOSE_QUOTE, 1);
	}
	if (frame->mode == HCL_LEX_QUOTED && newline_length(lexer, lexer->offset))
		return quoted_newline(lexer);
	end = literal_end(lexer, frame->mode);
	if (end == lexer->offset)
		return take(lexer, HCL_TOKEN_INVALID_ENCODING, 1);
	frame->line_start = lexer->text[end - 1] == '\n';
	return take(lexer, HCL_TOKEN_LITERAL, end - lexer->offset);
}

struct hcl_token hcl_lexer_next(struct hcl_lexer *lexer)
{
	switch (top(lexer)->mode) {
	case HCL_LEX_CONFIG:
	case HCL_LEX_SEQUENCE:
		return config_token(lexer);
	default:
		return template_token(lexer);
	}
}

static uint32_t skip_blanks(struct zp_str text, uint32_t i)
{
	while (i < text.len && (text.ptr[i] == ' ' || text.ptr[i] == '\t'))
		i++;
	return i;
}

static bool at_line_end(struct zp_str text, uint32_t i)
{
	return i >= text.len || text.ptr[i] == '\n' || text.ptr[i] == '\r' || text.ptr[i] == '#';
}

/* A quoted label without escapes, or a name: its end, or i itself where neither stands there. */
static uint32_t skip_label(struct zp_str text, uint32_t i)
{
	if (i < text.len && text.ptr[i] == '"') {
		uint32_t end = i + 1;
		while (end < text.len && text.ptr[end] != '"' && text.ptr[end] != '\n')
			end++;
		return end < text.len && text.ptr[end] == '"' ? end + 1 : i;
	}
	return i < text.len ? i + (uint32_t)hcl_identifier_length(text.ptr + i, text.len - i) : i;
}

bool hcl_looks_like_item(struct zp_str text, uint32_t offset)
{
	uint32_t i = skip_blanks(text, offset);

	if (at_line_end(text, i))
		return i < text.len && text.ptr[i] == '#';
	if (text.ptr[i] == '}')
		return at_line_end(text, skip_blanks(text, i + 1));
	uint32_t name = i;
	i += (uint32_t)hcl_identifier_length(text.ptr + i, text.len - i);
	if (i == name)
		return false;
	i = skip_blanks(text, i);
	if (i < text.len && text.ptr[i] == '=')
		return i + 1 >= text.len || (text.ptr[i + 1] != '=' && text.ptr[i + 1] != '>');
	for (int labels = 0; labels < 8; labels++) {
		uint32_t end = skip_label(text, i);
		if (end == i)
			break;
		i = skip_blanks(text, end);
	}
	return i < text.len && text.ptr[i] == '{' &&
	       (at_line_end(text, skip_blanks(text, i + 1)) ||
		       text.ptr[skip_blanks(text, i + 1)] == '}');
}

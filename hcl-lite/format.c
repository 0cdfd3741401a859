/* Lines, spaces and alignment. */
#include "hcl-lite/format.h"

#include <utf8proc.h>

#include "hcl-lite/format_tokens.h"
#include "hcl-lite/identifier.h"

/* A line is up to three cells; those of neighbouring lines are aligned. Each is a run of tokens. */
struct cell {
	struct hcl_format_token *tokens;
	size_t count;
};

struct line {
	struct cell lead, assign, comment;
};

ZP_VEC(line_vec, struct line);
ZP_VEC(depth_vec, size_t);

static bool is_comment(const struct hcl_format_token *token)
{
	return token->kind == HCL_TOKEN_LINE_COMMENT || token->kind == HCL_TOKEN_INLINE_COMMENT;
}

static bool ends_line(const struct hcl_format_token *token)
{
	return token->kind == HCL_TOKEN_NEWLINE ||
	       (is_comment(token) && token->text.ptr[token->text.len - 1] == '\n');
}

int hcl_format_bracket_change(uint8_t kind)
{
	switch (kind) {
	case HCL_TOKEN_OPEN_BRACE:
	case HCL_TOKEN_OPEN_BRACKET:
	case HCL_TOKEN_OPEN_PAREN:
	case HCL_TOKEN_INTERPOLATION:
	case HCL_TOKEN_DIRECTIVE:
		return 1;
	case HCL_TOKEN_CLOSE_BRACE:
	case HCL_TOKEN_CLOSE_BRACKET:
	case HCL_TOKEN_CLOSE_PAREN:
	case HCL_TOKEN_TEMPLATE_END:
		return -1;
	default:
		return 0;
	}
}

static long cell_brackets(const struct cell *cell)
{
	long net = 0;

	for (size_t i = 0; i < cell->count; i++)
		net += hcl_format_bracket_change(cell->tokens[i].kind);
	return net;
}

/* The same as far as it counts for indentation: what a heredoc opens on its first line does not. */
static long level_change(const struct cell *cell)
{
	long net = 0;

	for (size_t i = 0; i < cell->count; i++) {
		net += hcl_format_bracket_change(cell->tokens[i].kind);
		if (cell->tokens[i].kind == HCL_TOKEN_OPEN_HEREDOC)
			break;
	}
	return net;
}

/* The value of an attribute is a cell of its own where all brackets in it close on the same line.
 */
static void split_assign(struct line *line)
{
	for (size_t i = 1; i < line->lead.count; i++) {
		if (line->lead.tokens[i].kind != HCL_TOKEN_EQUAL)
			continue;
		struct cell value = { line->lead.tokens + i, line->lead.count - i };
		if (cell_brackets(&value) == 0) {
			line->assign = value;
			line->lead.count = i;
		}
		return;
	}
}

static void split_comment(struct line *line)
{
	size_t count = line->lead.count;

	if (count < 2 || !is_comment(&line->lead.tokens[count - 1]))
		return;
	line->comment = (struct cell){ line->lead.tokens + count - 1, 1 };
	line->lead.count = count - 1;
}

static void split_lines(struct hcl_format_tokens *tokens, struct line_vec *lines)
{
	size_t start = 0;

	for (size_t i = 0; i <= tokens->count; i++) {
		bool end = i == tokens->count;
		if (!end && !ends_line(&tokens->items[i]))
			continue;
		struct line line = { .lead = { tokens->items + start, i - start + !end } };
		split_comment(&line);
		split_assign(&line);
		zp_vec_push(lines, line);
		start = i + 1;
	}
}

/* Closes that many brackets; a line that opened several closed again by as many. */
static void close_brackets(struct depth_vec *levels, size_t closed)
{
	while (closed && levels->count) {
		size_t *innermost = &levels->items[levels->count - 1];
		if (closed < *innermost) {
			*innermost -= closed;
			return;
		}
		closed -= *innermost;
		levels->count--;
	}
}

static void indent_lines(struct line_vec *lines, struct depth_vec *levels)
{
	for (size_t i = 0; i < lines->count; i++) {
		struct line *line = &lines->items[i];
		if (!line->lead.count)
			continue;
		long net = level_change(&line->lead) + level_change(&line->assign);
		if (net < 0)
			close_brackets(levels, (size_t)-net);
		line->lead.tokens[0].spaces = line->lead.tokens[0].kind == HCL_TOKEN_NEWLINE
						      ? 0
						      : 2 * (uint32_t)levels->count;
		if (net > 0)
			zp_vec_push(levels, (size_t)net);
	}
}

/* A minus behind one of these is a sign, not a subtraction. */
static bool precedes_sign(uint8_t before)
{
	switch (before) {
	case HCL_TOKEN_EOF:
	case HCL_TOKEN_OPEN_PAREN:
	case HCL_TOKEN_OPEN_BRACE:
	case HCL_TOKEN_OPEN_BRACKET:
	case HCL_TOKEN_EQUAL:
	case HCL_TOKEN_COLON:
	case HCL_TOKEN_COMMA:
	case HCL_TOKEN_QUESTION:
	case HCL_TOKEN_PLUS:
	case HCL_TOKEN_STAR:
	case HCL_TOKEN_SLASH:
	case HCL_TOKEN_PERCENT:
	case HCL_TOKEN_MINUS:
	case HCL_TOKEN_EQUAL_EQUAL:
	case HCL_TOKEN_NOT_EQUAL:
	case HCL_TOKEN_GREATER:
	case HCL_TOKEN_GREATER_EQUAL:
	case HCL_TOKEN_LESS:
	case HCL_TOKEN_LESS_EQUAL:
	case HCL_TOKEN_AND:
	case HCL_TOKEN_OR:
	case HCL_TOKEN_BANG:
		return true;
	default:
		return false;
	}
}

static bool is_template_text(uint8_t left, uint8_t right)
{
	return left == HCL_TOKEN_LITERAL || left == HCL_TOKEN_OPEN_QUOTE ||
	       left == HCL_TOKEN_OPEN_HEREDOC || right == HCL_TOKEN_LITERAL ||
	       right == HCL_TOKEN_CLOSE_QUOTE || right == HCL_TOKEN_CLOSE_HEREDOC;
}

static bool is_sequence(uint8_t kind)
{
	return kind == HCL_TOKEN_INTERPOLATION || kind == HCL_TOKEN_DIRECTIVE;
}

/* Pairs that are written together whatever they are part of. */
static bool is_joined(uint8_t left, uint8_t right)
{
	if (right == HCL_TOKEN_NEWLINE || left == HCL_TOKEN_DOT || right == HCL_TOKEN_DOT)
		return true;
	if (left == HCL_TOKEN_IDENTIFIER)
		return right == HCL_TOKEN_OPEN_PAREN || right == HCL_TOKEN_DOUBLE_COLON ||
		       right == HCL_TOKEN_COMMA || right == HCL_TOKEN_ELLIPSIS;
	if (left == HCL_TOKEN_DOUBLE_COLON && right == HCL_TOKEN_IDENTIFIER)
		return true;
	return right == HCL_TOKEN_COMMA || right == HCL_TOKEN_ELLIPSIS;
}

static bool is_index(uint8_t left, uint8_t right)
{
	return right == HCL_TOKEN_OPEN_BRACKET &&
	       (left == HCL_TOKEN_IDENTIFIER || left == HCL_TOKEN_NUMBER ||
		       hcl_format_bracket_change(left) < 0);
}

/* Whether a space stands between two tokens; before is what precedes the left one, EOF for nothing.
 */
static bool is_spaced(uint8_t before, const struct hcl_format_token *left_token, uint8_t right)
{
	uint8_t left = left_token->kind;

	if (is_joined(left, right))
		return false;
	if (left == HCL_TOKEN_COMMA)
		return true;
	if (is_template_text(left, right))
		return false;
	/* "in" of a for expression, not a name that is indexed. */
	if (left == HCL_TOKEN_IDENTIFIER && before == HCL_TOKEN_IDENTIFIER &&
		zp_str_is(left_token->text, "in"))
		return true;
	if (is_index(left, right) || left == HCL_TOKEN_BANG)
		return false;
	if (left == HCL_TOKEN_MINUS)
		return !precedes_sign(before);
	if (left == HCL_TOKEN_OPEN_BRACE || right == HCL_TOKEN_CLOSE_BRACE)
		return left != HCL_TOKEN_OPEN_BRACE || right != HCL_TOKEN_CLOSE_BRACE;
	if (is_sequence(left) && right == HCL_TOKEN_OPEN_BRACE)
		return true;
	if (left == HCL_TOKEN_CLOSE_BRACE && right == HCL_TOKEN_TEMPLATE_END)
		return true;
	if (left == HCL_TOKEN_TEMPLATE_END && is_sequence(right))
		return false;
	return hcl_format_bracket_change(left) <= 0 && hcl_format_bracket_change(right) >= 0;
}

/* 1 .5 is an index of a number; written together it would be another number. */
static bool would_fuse(const struct cell *cell, size_t i)
{
	return i + 2 < cell->count && cell->tokens[i].kind == HCL_TOKEN_NUMBER &&
		cell->tokens[i + 1].kind == HCL_TOKEN_DOT &&
		cell->tokens[i + 2].kind == HCL_TOKEN_NUMBER;
}

static void space_cell(struct cell *cell)
{
	uint8_t before = HCL_TOKEN_EOF;

	for (size_t i = 0; i + 1 < cell->count; i++) {
		cell->tokens[i + 1].spaces =
			is_spaced(before, &cell->tokens[i], cell->tokens[i + 1].kind) ||
			would_fuse(cell, i);
		before = cell->tokens[i].kind;
	}
}

/* One column a byte: no two of these make one cluster but the carriage return and its newline. */
static bool is_plain(struct zp_str text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] >= 0x80 || text.ptr[i] == '\r')
			return false;
	return true;
}

static size_t width(struct zp_str text)
{
	utf8proc_int32_t state = 0, previous = -1;
	size_t clusters = 0;

	if (is_plain(text))
		return text.len;
	for (size_t i = 0; i < text.len;) {
		int32_t rune;
		size_t n = hcl_decode_rune(text.ptr + i, text.len - i, &rune);
		if (!n) {
			n = 1;
			rune = 0xfffd;
		}
		if (previous < 0 || utf8proc_grapheme_break_stateful(previous, rune, &state))
			clusters++;
		previous = rune;
		i += n;
	}
	return clusters;
}

static size_t cell_width(const struct cell *cell)
{
	size_t columns = 0;

	for (size_t i = 0; i < cell->count; i++)
		columns += cell->tokens[i].spaces + width(cell->tokens[i].text);
	return columns;
}

static size_t width_before(const struct line *line, bool comments)
{
	return cell_width(&line->lead) + (comments ? cell_width(&line->assign) : 0);
}

static struct cell *cell_of(struct line *line, bool comments)
{
	return comments ? &line->comment : &line->assign;
}

/* Lines in a row that have the cell get it at one column. */
static void align(struct line_vec *lines, bool comments)
{
	for (size_t start = 0; start < lines->count;) {
		size_t end = start, widest = 0;
		for (; end < lines->count && cell_of(&lines->items[end], comments)->count; end++) {
			size_t columns = width_before(&lines->items[end], comments);
			widest = columns > widest ? columns : widest;
		}
		for (size_t i = start; i < end; i++) {
			struct line *line = &lines->items[i];
			cell_of(line, comments)->tokens[0].spaces =
				(uint32_t)(widest - width_before(line, comments) + 1);
		}
		start = end > start ? end : start + 1;
	}
}

/*
 * The file is laid out a piece at a time: from one empty line outside of all brackets to the next.
 * Nothing is aligned across such a line, so pieces share the indentation alone, and what is kept of
 * a file is its tree, not its tokens.
 */
struct formatter {
	const struct zp_source *source;
	struct hcl_lexer lexer;
	struct hcl_format_rewriter rewriter;
	struct hcl_format_tokens tokens; /* of the piece */
	struct line_vec lines;
	struct depth_vec levels;
	uint32_t end; /* of the last token read */
};

static void layout(struct formatter *f)
{
	f->lines.count = 0;
	split_lines(&f->tokens, &f->lines);
	indent_lines(&f->lines, &f->levels);
	for (size_t i = 0; i < f->lines.count; i++) {
		space_cell(&f->lines.items[i].lead);
		space_cell(&f->lines.items[i].assign);
	}
	align(&f->lines, false);
	align(&f->lines, true);
}

/* Reads a piece. False at the end of the file, which then begins at *offset. */
static bool read_tokens(struct formatter *f, uint32_t *offset)
{
	struct hcl_token token;
	bool line_ended = false;
	long depth = 0;

	f->tokens.count = 0;
	while ((token = hcl_lexer_next(&f->lexer)).kind != HCL_TOKEN_EOF) {
		struct hcl_format_token *t = zp_vec_add(&f->tokens);
		t->text = zp_strn(f->source->text.ptr + token.start, token.end - token.start);
		t->offset = token.start;
		t->kind = (uint8_t)token.kind;
		t->spaces = token.start - f->end;
		f->end = token.end;
		depth += hcl_format_bracket_change(t->kind);
		if (line_ended && depth == 0 && t->kind == HCL_TOKEN_NEWLINE)
			return true;
		line_ended = ends_line(t);
	}
	*offset = token.start;
	return false;
}

static void drop_dropped(struct hcl_format_tokens *tokens)
{
	size_t kept = 0;

	for (size_t i = 0; i < tokens->count; i++)
		if (!tokens->items[i].dropped)
			tokens->items[kept++] = tokens->items[i];
	tokens->count = kept;
}

static void format_piece(struct formatter *f, struct zp_buf *out)
{
	hcl_format_rewrite(&f->rewriter, &f->tokens, f->end);
	drop_dropped(&f->tokens);
	if (f->tokens.count)
		layout(f);
	for (size_t i = 0; i < f->tokens.count; i++) {
		if (f->tokens.items[i].spaces)
			zp_buf_pad(out, ' ', f->tokens.items[i].spaces);
		zp_buf_str(out, f->tokens.items[i].text);
	}
}

static void format_body(const struct zp_source *source, const struct hcl_body *body,
	struct zp_arena *arena, struct zp_buf *out)
{
	struct formatter f = { .source = source, .rewriter = { .body = body, .arena = arena } };
	uint32_t end = 0;
	bool more;

	hcl_lexer_init(&f.lexer, source->text, HCL_LEX_CONFIG);
	f.end = f.lexer.offset;
	zp_buf_reserve(out, source->text.len + source->text.len / 16);
	do {
		more = read_tokens(&f, &end);
		format_piece(&f, out);
	} while (more);
	zp_buf_pad(out, ' ', end - f.end);
	hcl_lexer_release(&f.lexer);
	zp_vec_release(&f.tokens);
	zp_vec_release(&f.lines);
	zp_vec_release(&f.levels);
}

bool hcl_format(const struct zp_source *source, struct zp_buf *out, struct zp_diags *diags)
{
	struct zp_arena arena;
	size_t errors = diags->errors;

	zp_arena_init(&arena);
	struct hcl_body *body = hcl_parse_native(source, &arena, diags);
	bool good = diags->errors == errors;
	if (good)
		format_body(source, body, &arena, out);
	zp_arena_release(&arena);
	return good;
}

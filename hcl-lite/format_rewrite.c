/* What the formatter changes beyond layout. */
#include "hcl-lite/codec.h"
#include "hcl-lite/format_tokens.h"

/* The tokens of a place in the source: [*first, *end). */
static void find(
	const struct hcl_format_tokens *tokens, struct zp_range range, size_t *first, size_t *end)
{
	size_t bounds[2];
	const uint32_t offsets[2] = { range.start, range.end };

	for (int i = 0; i < 2; i++) {
		size_t low = 0, high = tokens->count;
		while (low < high) {
			size_t middle = low + (high - low) / 2;
			if (tokens->items[middle].offset < offsets[i])
				low = middle + 1;
			else
				high = middle;
		}
		bounds[i] = low;
	}
	*first = bounds[0];
	*end = bounds[1];
}

/* One interpolation and nothing else between the quotes; quotes inside it may hold more of them. */
static bool is_one_interpolation(const struct hcl_format_token *inside, size_t count)
{
	size_t quotes = 0, heredocs = 0;

	for (size_t i = 0; i < count; i++) {
		uint8_t kind = inside[i].kind;
		heredocs += kind == HCL_TOKEN_OPEN_HEREDOC;
		heredocs -= kind == HCL_TOKEN_CLOSE_HEREDOC;
		if (kind == HCL_TOKEN_OPEN_QUOTE)
			quotes++;
		else if (kind == HCL_TOKEN_CLOSE_QUOTE)
			quotes -= quotes > 0;
		else if (!quotes &&
			 (kind == HCL_TOKEN_INTERPOLATION || kind == HCL_TOKEN_TEMPLATE_END ||
				 (kind == HCL_TOKEN_LITERAL && !heredocs)))
			return false;
	}
	return true;
}

static void replace(struct hcl_format_token *token, enum hcl_token_kind kind, const char *text)
{
	token->kind = kind;
	token->text = zp_str(text);
}

/* A comment that ends a line counts outside of brackets only: inside them the line may end there.
 */
static bool spans_lines(const struct hcl_format_token *tokens, size_t count)
{
	long depth = 0;

	for (size_t i = 0; i < count; i++) {
		depth += hcl_format_bracket_change(tokens[i].kind);
		if (tokens[i].kind == HCL_TOKEN_NEWLINE ||
			(tokens[i].kind == HCL_TOKEN_LINE_COMMENT && depth == 0 && i + 1 < count))
			return true;
	}
	return false;
}

/* "${x}" is x; over several lines (x). */
static void unwrap(struct hcl_format_token *tokens, size_t count)
{
	if (count < 5 || tokens[0].kind != HCL_TOKEN_OPEN_QUOTE ||
		tokens[1].kind != HCL_TOKEN_INTERPOLATION ||
		tokens[count - 2].kind != HCL_TOKEN_TEMPLATE_END ||
		tokens[count - 1].kind != HCL_TOKEN_CLOSE_QUOTE ||
		!is_one_interpolation(tokens + 2, count - 4))
		return;
	size_t first = 2, end = count - 2;
	while (first < end && tokens[first].kind == HCL_TOKEN_NEWLINE)
		tokens[first++].dropped = true;
	while (end > first && tokens[end - 1].kind == HCL_TOKEN_NEWLINE)
		tokens[--end].dropped = true;
	bool lines = spans_lines(tokens + first, end - first);
	bool parens = first < end && tokens[first].kind == HCL_TOKEN_OPEN_PAREN &&
		      tokens[end - 1].kind == HCL_TOKEN_CLOSE_PAREN;
	tokens[1].dropped = tokens[count - 2].dropped = true;
	if (lines && !parens) {
		replace(&tokens[0], HCL_TOKEN_OPEN_PAREN, "(");
		replace(&tokens[count - 1], HCL_TOKEN_CLOSE_PAREN, ")");
	} else {
		tokens[0].dropped = tokens[count - 1].dropped = true;
	}
}

/* Spellings of types from before there were type expressions. */
static const struct {
	const char *old, *new;
	bool quoted;
} types[] = {
	{ "list", "list(any)", false },
	{ "map", "map(any)", false },
	{ "set", "set(any)", false },
	{ "string", "string", true },
	{ "list", "list(string)", true },
	{ "map", "map(string)", true },
};

static void rewrite_type(struct hcl_format_token *tokens, size_t count)
{
	bool quoted = count == 3 && tokens[0].kind == HCL_TOKEN_OPEN_QUOTE &&
		      tokens[1].kind == HCL_TOKEN_LITERAL;

	if (!quoted && (count != 1 || tokens[0].kind != HCL_TOKEN_IDENTIFIER))
		return;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(types); i++) {
		if (types[i].quoted != quoted || !zp_str_is(tokens[quoted].text, types[i].old))
			continue;
		replace(&tokens[0], HCL_TOKEN_IDENTIFIER, types[i].new);
		if (quoted)
			tokens[1].dropped = tokens[2].dropped = true;
		return;
	}
}

/* A label in quotes, spelled as the writer of labels does. */
static struct zp_str quote_label(struct zp_str label, struct zp_arena *arena)
{
	zp_autobuf out = ZP_BUF_INIT;

	hcl_quote(&out, label);
	return zp_arena_str(arena, zp_buf_slice(&out));
}

static void rewrite_labels(
	struct hcl_format_tokens *tokens, const struct hcl_block *block, struct zp_arena *arena)
{
	size_t first, end;
	struct zp_range header = { block->type_range.file, block->type_range.end,
		block->header_range.end };

	find(tokens, header, &first, &end);
	for (size_t i = first; i < end; i++)
		tokens->items[i].dropped = true;
	for (size_t i = 0; i < block->label_count; i++) {
		find(tokens, block->label_ranges[i], &first, &end);
		if (first == end)
			continue;
		tokens->items[first].dropped = false;
		tokens->items[first].kind = HCL_TOKEN_IDENTIFIER;
		tokens->items[first].text = quote_label(block->labels[i], arena);
	}
}

static void rewrite_attribute(
	struct hcl_format_tokens *tokens, const struct hcl_attribute *a, bool in_variable)
{
	size_t first, end;

	find(tokens, a->expr->range, &first, &end);
	if (in_variable && strcmp(a->name, "type") == 0)
		rewrite_type(tokens->items + first, end - first);
	else
		unwrap(tokens->items + first, end - first);
}

static void rewrite_block(struct hcl_format_tokens *tokens, const struct hcl_block *block, bool top,
	struct zp_arena *arena)
{
	bool variable = top && strcmp(block->type, "variable") == 0;

	rewrite_labels(tokens, block, arena);
	for (size_t i = 0; i < block->body->attribute_count; i++)
		rewrite_attribute(tokens, block->body->attributes[i], variable);
	for (size_t i = 0; i < block->body->block_count; i++)
		rewrite_block(tokens, block->body->blocks[i], false, arena);
}

void hcl_format_rewrite(
	struct hcl_format_rewriter *r, struct hcl_format_tokens *tokens, uint32_t end)
{
	const struct hcl_body *body = r->body;

	while (r->attributes < body->attribute_count &&
		body->attributes[r->attributes]->range.start < end)
		rewrite_attribute(tokens, body->attributes[r->attributes++], false);
	while (r->blocks < body->block_count && body->blocks[r->blocks]->range.start < end)
		rewrite_block(tokens, body->blocks[r->blocks++], true, r->arena);
}

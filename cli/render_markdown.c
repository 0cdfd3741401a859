#include "cli/render_markdown.h"

#include "base/alloc.h"
#include "cli/render_plan.h"

/* What a reader has to see first comes first. */
static const struct {
	enum plan_action action;
	const char *text;
} order[] = {
	{ PLAN_DELETE, "**destroy**" },
	{ PLAN_DELETE_CREATE, "**replace**" },
	{ PLAN_CREATE_DELETE, "**replace** (create first)" },
	{ PLAN_UPDATE, "update" },
	{ PLAN_CREATE, "create" },
	{ PLAN_FORGET, "forget" },
	{ PLAN_READ, "read" },
	{ PLAN_NO_OP, "move or import" },
};

/* The longest row of this character in text. */
static size_t longest_row(struct zp_str text, char c)
{
	size_t longest = 0, row = 0;

	for (size_t i = 0; i < text.len; i++) {
		row = text.ptr[i] == c ? row + 1 : 0;
		longest = row > longest ? row : longest;
	}
	return longest;
}

/* Text as it stands, inside a cell of a table. */
static void code_span(struct zp_buf *out, struct zp_str text)
{
	size_t fence = longest_row(text, '`') + 1;

	zp_buf_pad(out, '`', fence);
	zp_buf_puts(out, fence > 1 ? " " : "");
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '|')
			zp_buf_char(out, '\\');
		zp_buf_char(out, text.ptr[i] == '\n' || text.ptr[i] == '\r' ? ' ' : text.ptr[i]);
	}
	zp_buf_puts(out, fence > 1 ? " " : "");
	zp_buf_pad(out, '`', fence);
}

static bool is_shown(const struct plan_change *change)
{
	return change->action != PLAN_NO_OP || change->previous_address || change->import_id;
}

static void table_row(const struct plan_change *change, const char *action, struct zp_buf *out)
{
	zp_buf_printf(out, "| %s | ", action);
	code_span(out, zp_str(change->address));
	if (change->previous_address) {
		zp_buf_puts(out, " (was ");
		code_span(out, zp_str(change->previous_address));
		zp_buf_char(out, ')');
	}
	zp_buf_puts(out, " |\n");
}

/* Rows as long as there is room; the rest is counted. */
static void table(const struct plan *plan, size_t room, struct zp_buf *out)
{
	size_t count, left_out = 0, start = out->len;
	const struct plan_change *changes = plan_changes(plan, &count);
	zp_autobuf row = ZP_BUF_INIT;

	for (size_t k = 0; k < ZP_ARRAY_SIZE(order); k++) {
		for (size_t i = 0; i < count; i++) {
			if (changes[i].action != order[k].action || !is_shown(&changes[i]))
				continue;
			zp_buf_clear(&row);
			if (!left_out)
				table_row(&changes[i], order[k].text, &row);
			if (left_out || out->len - start + row.len > room) {
				left_out++;
				continue;
			}
			if (out->len == start)
				zp_buf_puts(out, "| Action | Object |\n| --- | --- |\n");
			zp_buf_str(out, zp_buf_slice(&row));
		}
	}
	if (left_out)
		zp_buf_printf(out, "\n%zu more that do not fit here.\n", left_out);
	if (out->len > start)
		zp_buf_char(out, '\n');
}

/* The symbols of a plan, moved to the first column, as what colours differences looks for them. */
static void diff_line(struct zp_buf *out, struct zp_str line)
{
	size_t blanks = 0, symbol = 0;
	char mark = ' ';

	while (blanks < line.len && line.ptr[blanks] == ' ')
		blanks++;
	struct zp_str rest = zp_strn(line.ptr + blanks, line.len - blanks);
	if (zp_str_starts(rest, "-/+ ") || zp_str_starts(rest, "+/- ")) {
		mark = '!';
		symbol = 3;
	} else if (rest.len > 1 && rest.ptr[1] == ' ' && strchr("+-~", rest.ptr[0])) {
		mark = rest.ptr[0] == '~' ? '!' : rest.ptr[0];
		symbol = 1;
	} else if (zp_str_starts(rest, "# ")) {
		mark = '#';
		symbol = 1;
	}
	if (!line.len)
		return;
	zp_buf_char(out, mark);
	zp_buf_pad(out, ' ', blanks + symbol > 0 ? blanks + symbol - 1 : 0);
	zp_buf_add(out, rest.ptr + symbol, rest.len - symbol);
}

static struct zp_str next_line(struct zp_str *text)
{
	const char *newline = memchr(text->ptr, '\n', text->len);
	size_t length = newline ? (size_t)(newline - text->ptr) : text->len;
	struct zp_str line = zp_strn(text->ptr, length);

	text->ptr += newline ? length + 1 : length;
	text->len -= newline ? length + 1 : length;
	return line;
}

static void folded_plan(const struct plan *plan, size_t room, struct zp_buf *out)
{
	const struct cli_view plain = { .columns = 78 };
	zp_autobuf text = ZP_BUF_INIT, line = ZP_BUF_INIT;
	size_t left_out = 0, start = out->len;

	cli_render_plan(&plain, plan, &text);
	struct zp_str rest = zp_buf_slice(&text);
	while (zp_str_starts(rest, "\n"))
		next_line(&rest);
	size_t fence = longest_row(rest, '`') + 1;
	fence = fence < 3 ? 3 : fence;
	size_t around = 2 * fence + 200;
	if (around > room)
		return;
	zp_buf_puts(out, "<details><summary>The whole plan</summary>\n\n");
	zp_buf_pad(out, '`', fence);
	zp_buf_puts(out, "diff\n");
	while (rest.len) {
		zp_buf_clear(&line);
		diff_line(&line, next_line(&rest));
		if (left_out || out->len - start + line.len + around > room) {
			left_out++;
			continue;
		}
		zp_buf_str(out, zp_buf_slice(&line));
		zp_buf_char(out, '\n');
	}
	zp_buf_pad(out, '`', fence);
	zp_buf_char(out, '\n');
	if (left_out)
		zp_buf_printf(out, "\n%zu more lines that do not fit here.\n", left_out);
	zp_buf_puts(out, "\n</details>\n");
}

void cli_render_markdown(const struct plan *plan, size_t limit, struct zp_buf *out)
{
	zp_autofree char *summary = cli_plan_summary(plan);
	size_t start = out->len, drifts;

	limit = limit < CLI_MARKDOWN_LEAST ? CLI_MARKDOWN_LEAST : limit;
	/* By this line a job finds the comment it made before. */
	zp_buf_puts(out, "<!-- zplan plan -->\n");
	if (plan_is_empty(plan)) {
		zp_buf_puts(out, "### Plan: no changes\n\nThe infrastructure matches the configuration.\n");
		return;
	}
	zp_buf_printf(out, "### Plan: %s\n\n", summary);
	if (plan_errored(plan))
		zp_buf_puts(out, "Planning ended with errors: this is not all.\n\n");
	plan_drifts(plan, &drifts);
	if (drifts)
		zp_buf_printf(out, "%zu object%s changed outside of zplan since the last apply.\n\n",
			drifts, drifts == 1 ? " was" : "s were");
	table(plan, limit / 3, out);
	folded_plan(plan, limit - (out->len - start), out);
}

#include "cli/view.h"

#include <stdio.h>
#include <sys/ioctl.h>

#include "base/alloc.h"
#include "hcl-lite/eval.h"

struct cli_view cli_view_init(bool no_color)
{
	struct winsize size;
	const char *env = getenv("NO_COLOR");
	bool terminal = isatty(STDOUT_FILENO);
	struct cli_view view = { .color = terminal && !no_color && !(env && *env), .columns = 78 };

	if (terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20)
		view.columns = size.ws_col - 1;
	return view;
}

const char *cli_style(const struct cli_view *view, enum cli_style style)
{
	static const char *const codes[] = {
		[CLI_RESET] = "\033[0m",  [CLI_BOLD] = "\033[1m",    [CLI_UNDERLINE] = "\033[4m",
		[CLI_RED] = "\033[31m",	  [CLI_GREEN] = "\033[32m",  [CLI_YELLOW] = "\033[33m",
		[CLI_BLUE] = "\033[34m",  [CLI_CYAN] = "\033[36m",   [CLI_GREY] = "\033[90m",
	};

	return view->color ? codes[style] : "";
}

static void wrap_line(struct zp_buf *out, struct zp_str line, unsigned columns)
{
	size_t used = 0;

	if (line.len && line.ptr[0] == ' ') {
		zp_buf_str(out, line);
		return;
	}
	for (size_t i = 0; i < line.len;) {
		size_t start = i;
		while (i < line.len && line.ptr[i] != ' ')
			i++;
		size_t word = i - start;
		if (used && used + 1 + word > columns) {
			zp_buf_char(out, '\n');
			used = 0;
		} else if (used) {
			zp_buf_char(out, ' ');
			used++;
		}
		zp_buf_add(out, line.ptr + start, word);
		used += word;
		while (i < line.len && line.ptr[i] == ' ')
			i++;
	}
}

void cli_wrap(struct zp_buf *out, const char *text, unsigned columns)
{
	for (;;) {
		size_t n = strcspn(text, "\n");
		wrap_line(out, zp_strn(text, n), columns);
		if (!text[n])
			break;
		zp_buf_char(out, '\n');
		text += n + 1;
	}
}

/* The lines a diagnostic shows, and where in them its subject is, as offsets. */
struct snippet {
	struct zp_buf code;
	uint32_t number; /* of the first line */
	size_t start, end;
};

static struct zp_range at_least_one(struct zp_range range)
{
	if (range.end <= range.start)
		range.end = range.start + 1;
	return range;
}

static size_t offset_in(const struct snippet *snippet, size_t first, size_t offset)
{
	offset = offset > first ? offset - first : 0;
	return offset < snippet->code.len ? offset : snippet->code.len;
}

/*
 * Whole lines of the subject and what belongs with it, those without text left out, as the peer has it.
 * A range that ends with a newline takes in the line after.
 */
/* A password that stands in an address is not repeated: user:xxxx@host. */
static void hide_passwords(struct zp_buf *code)
{
	char *end = code->ptr + code->len;

	for (char *p = code->ptr; p && (p = memmem(p, (size_t)(end - p), "://", 3)); p++) {
		char *stop = p + 3, *colon = NULL, *at = NULL;
		for (; stop < end && !strchr("/?#\"' \t\n", *stop); stop++) {
			if (*stop == ':' && !colon)
				colon = stop;
			else if (*stop == '@')
				at = stop;
		}
		if (colon && at && colon < at)
			memset(colon + 1, 'x', (size_t)(at - colon - 1));
	}
}

static void snippet_init(struct snippet *snippet, const struct zp_diag *diag)
{
	const struct zp_source *source = diag->subject.file;
	struct zp_range subject = at_least_one(diag->subject), shown = diag->subject;
	size_t first = source->text.len;
	struct zp_str line;

	*snippet = (struct snippet){ .code = ZP_BUF_INIT };
	if (diag->context.file == source) {
		struct zp_range around = diag->context;
		shown.start = around.start < shown.start ? around.start : shown.start;
		shown.end = around.end > shown.end ? around.end : shown.end;
	}
	shown = at_least_one(shown);
	snippet->number = zp_source_position(source, shown.start).line;
	for (uint32_t n = snippet->number;; n++) {
		line = zp_source_line(source, n);
		if (!line.ptr || line.ptr < source->text.ptr)
			break;
		size_t at = (size_t)(line.ptr - source->text.ptr);
		if (at > shown.end || at >= source->text.len)
			break;
		if (!line.len)
			continue;
		if (snippet->code.len)
			zp_buf_char(&snippet->code, '\n');
		else
			first = at;
		zp_buf_str(&snippet->code, line);
	}
	hide_passwords(&snippet->code);
	snippet->start = offset_in(snippet, first, subject.start);
	snippet->end = offset_in(snippet, first, subject.end);
}

/* Where colours can not underline, a line of marks does. */
static void mark_below(struct zp_buf *out, struct zp_str line, size_t start, size_t end)
{
	zp_buf_puts(out, "       ");
	for (size_t i = 0; i < start; i++)
		if (((unsigned char)line.ptr[i] & 0xc0) != 0x80)
			zp_buf_char(out, line.ptr[i] == '\t' ? '\t' : ' ');
	for (size_t i = start; i < end || i == start; i++)
		if (i >= line.len || ((unsigned char)line.ptr[i] & 0xc0) != 0x80)
			zp_buf_char(out, i == start ? '^' : '~');
	zp_buf_char(out, '\n');
}

static size_t clamp(size_t value, size_t low, size_t high)
{
	return value < low ? low : value > high ? high : value;
}

static void add_lines(const struct cli_view *view, const struct snippet *snippet, struct zp_buf *out)
{
	struct zp_str code = zp_buf_slice(&snippet->code);
	uint32_t number = snippet->number;

	for (size_t at = 0; at <= code.len; number++) {
		const char *newline = code.len ? memchr(code.ptr + at, '\n', code.len - at) : NULL;
		size_t length = newline ? (size_t)(newline - code.ptr) - at : code.len - at;
		struct zp_str line = zp_strn(code.len ? code.ptr + at : "", length);
		size_t start = clamp(snippet->start, at, at + length) - at;
		size_t end = clamp(snippet->end, at, at + length) - at;
		bool begins = snippet->start >= at && snippet->start <= at + length;
		zp_buf_printf(out, "%4u: ", number);
		zp_buf_add(out, line.ptr, start);
		if (end > start)
			zp_buf_puts(out, cli_style(view, CLI_UNDERLINE));
		zp_buf_add(out, line.ptr + start, end - start);
		if (end > start)
			zp_buf_puts(out, cli_style(view, CLI_RESET));
		zp_buf_add(out, line.ptr + end, line.len - end);
		zp_buf_char(out, '\n');
		if (!view->color && begins)
			mark_below(out, line, start, end);
		at += length + 1;
	}
}

static void add_snippet(const struct cli_view *view, const struct zp_diag *diag, struct zp_buf *out)
{
	struct snippet snippet;

	zp_buf_printf(out, "  on %s line %u", diag->subject.file->name,
		zp_source_position(diag->subject.file, diag->subject.start).line);
	if (diag->snippet_context)
		zp_buf_printf(out, ", in %s", diag->snippet_context);
	zp_buf_puts(out, ":\n");
	snippet_init(&snippet, diag);
	add_lines(view, &snippet, out);
	zp_buf_release(&snippet.code);
	zp_autobuf signature = ZP_BUF_INIT;
	bool called = diag->function && hcl_function_signature(diag->function, &signature);
	if (!diag->value_count && !called)
		return;
	zp_buf_puts(out, "    ├────────────────\n");
	if (called)
		zp_buf_printf(out, "    │ while calling %s%s%s%s\n", cli_style(view, CLI_BOLD),
			diag->function, cli_style(view, CLI_RESET),
			signature.ptr + strlen(diag->function));
	for (size_t i = 0; i < diag->value_count; i++)
		zp_buf_printf(out, "    │ %s%s%s %s\n", cli_style(view, CLI_BOLD),
			diag->values[i].traversal, cli_style(view, CLI_RESET),
			diag->values[i].statement);
}

static void add_body(const struct cli_view *view, const struct zp_diag *diag, unsigned columns,
	struct zp_buf *out)
{
	if (diag->address)
		zp_buf_printf(out, "  with %s,\n", diag->address);
	if (diag->subject.file)
		add_snippet(view, diag, out);
	if (diag->address || diag->subject.file)
		zp_buf_char(out, '\n');
	if (*diag->detail) {
		cli_wrap(out, diag->detail, columns);
		zp_buf_char(out, '\n');
	}
}

/* Puts the coloured bar of the box before every line. */
static void frame(const struct cli_view *view, enum cli_style color, struct zp_str text,
	struct zp_buf *out)
{
	const char *on = cli_style(view, color), *off = cli_style(view, CLI_RESET);

	zp_buf_printf(out, "%s╷%s\n", on, off);
	for (size_t i = 0; i < text.len;) {
		const char *newline = memchr(text.ptr + i, '\n', text.len - i);
		size_t end = newline ? (size_t)(newline - text.ptr) : text.len;
		zp_buf_printf(out, "%s│%s ", on, off);
		zp_buf_add(out, text.ptr + i, end - i);
		zp_buf_char(out, '\n');
		i = end + 1;
	}
	zp_buf_printf(out, "%s╵%s\n", on, off);
}

void cli_diag_text(const struct cli_view *view, const struct zp_diag *diag, struct zp_buf *out)
{
	bool error = diag->severity == ZP_SEVERITY_ERROR;
	enum cli_style color = error ? CLI_RED : CLI_YELLOW;
	zp_autobuf text = ZP_BUF_INIT;

	zp_buf_printf(&text, "%s%s%s: %s%s%s%s\n\n", cli_style(view, CLI_BOLD),
		cli_style(view, color), error ? "Error" : "Warning", cli_style(view, CLI_RESET),
		cli_style(view, CLI_BOLD), diag->summary, cli_style(view, CLI_RESET));
	add_body(view, diag, view->color ? view->columns - 3 : view->columns - 1, &text);
	if (view->color) {
		frame(view, color, zp_buf_slice(&text), out);
	} else {
		zp_buf_char(out, '\n');
		zp_buf_str(out, zp_buf_slice(&text));
	}
}

static void position_json(struct zp_json_writer *writer, const char *key, struct zp_position at)
{
	zp_json_key(writer, key);
	zp_json_begin_object(writer);
	zp_json_key(writer, "line");
	zp_json_int(writer, at.line);
	zp_json_key(writer, "column");
	zp_json_int(writer, at.column);
	zp_json_key(writer, "byte");
	zp_json_int(writer, at.byte);
	zp_json_end_object(writer);
}

static void snippet_json(struct zp_json_writer *writer, const struct zp_diag *diag)
{
	struct snippet snippet;

	snippet_init(&snippet, diag);
	zp_json_key(writer, "snippet");
	zp_json_begin_object(writer);
	zp_json_key(writer, "context");
	if (diag->snippet_context)
		zp_json_cstr(writer, diag->snippet_context);
	else
		zp_json_null(writer);
	zp_json_key(writer, "code");
	zp_json_string(writer, zp_buf_slice(&snippet.code));
	zp_json_key(writer, "start_line");
	zp_json_int(writer, snippet.number);
	zp_json_key(writer, "highlight_start_offset");
	zp_json_int(writer, (int64_t)snippet.start);
	zp_json_key(writer, "highlight_end_offset");
	zp_json_int(writer, (int64_t)snippet.end);
	zp_json_key(writer, "values");
	zp_json_begin_array(writer);
	for (size_t i = 0; i < diag->value_count; i++) {
		zp_json_begin_object(writer);
		zp_json_key(writer, "traversal");
		zp_json_cstr(writer, diag->values[i].traversal);
		zp_json_key(writer, "statement");
		zp_json_cstr(writer, diag->values[i].statement);
		zp_json_end_object(writer);
	}
	zp_json_end_array(writer);
	if (diag->function && hcl_function_exists(diag->function)) {
		zp_json_key(writer, "function_call");
		zp_json_begin_object(writer);
		zp_json_key(writer, "called_as");
		zp_json_cstr(writer, diag->function);
		zp_json_key(writer, "signature");
		hcl_function_signature_json(diag->function, writer);
		zp_json_end_object(writer);
	}
	zp_json_end_object(writer);
	zp_buf_release(&snippet.code);
}

void cli_diag_json(struct zp_json_writer *writer, const struct zp_diag *diag)
{
	zp_json_begin_object(writer);
	zp_json_key(writer, "severity");
	zp_json_cstr(writer, diag->severity == ZP_SEVERITY_ERROR ? "error" : "warning");
	zp_json_key(writer, "summary");
	zp_json_cstr(writer, diag->summary);
	zp_json_key(writer, "detail");
	zp_json_cstr(writer, diag->detail);
	if (diag->address) {
		zp_json_key(writer, "address");
		zp_json_cstr(writer, diag->address);
	}
	if (diag->subject.file) {
		const struct zp_source *source = diag->subject.file;
		uint32_t start = diag->subject.start, end = diag->subject.end;
		zp_json_key(writer, "range");
		zp_json_begin_object(writer);
		zp_json_key(writer, "filename");
		zp_json_cstr(writer, source->name);
		position_json(writer, "start", zp_source_position(source, start));
		/* An empty range is shown as the one character at its place. */
		struct zp_position last = zp_source_position(source, end);
		if (end <= start) {
			last.column++;
			last.byte++;
		}
		position_json(writer, "end", last);
		zp_json_end_object(writer);
		snippet_json(writer, diag);
	}
	zp_json_end_object(writer);
}

/* How many warnings say the same of other places; 0 when an earlier one spoke for this. */
static size_t similar(const struct zp_diags *diags, size_t at)
{
	const struct zp_diag *diag = diags->items[at];
	size_t count = 0;

	if (diag->severity != ZP_SEVERITY_WARNING || !diag->subject.file)
		return 1;
	for (size_t i = 0; i < diags->count; i++) {
		const struct zp_diag *other = diags->items[i];
		if (other->severity != ZP_SEVERITY_WARNING || !other->subject.file ||
			strcmp(other->summary, diag->summary) != 0)
			continue;
		if (i < at)
			return 0;
		count++;
	}
	return count;
}

void cli_print_diags(const struct cli_view *view, struct zp_diags *diags)
{
	zp_diags_sort(diags);
	for (size_t i = 0; i < diags->count; i++) {
		zp_autobuf text = ZP_BUF_INIT, detail = ZP_BUF_INIT;
		struct zp_diag diag = *diags->items[i];
		size_t count = similar(diags, i);
		if (count == 0)
			continue;
		if (count == 2)
			zp_buf_printf(&detail, "%s\n\n(and one more similar warning elsewhere)",
				diag.detail);
		else if (count > 2)
			zp_buf_printf(&detail, "%s\n\n(and %zu more similar warnings elsewhere)",
				diag.detail, count - 1);
		if (detail.len)
			diag.detail = detail.ptr;
		cli_diag_text(view, &diag, &text);
		FILE *to = diag.severity == ZP_SEVERITY_ERROR ? stderr : stdout;
		fwrite(text.ptr, 1, text.len, to);
		fflush(to);
	}
}

void cli_print_error(const struct cli_view *view, const char *summary, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	zp_autofree char *detail = zp_vformat(fmt, ap);
	va_end(ap);
	struct zp_diag diag = { .severity = ZP_SEVERITY_ERROR, .summary = summary, .detail = detail };
	zp_autobuf text = ZP_BUF_INIT;
	cli_diag_text(view, &diag, &text);
	fwrite(text.ptr, 1, text.len, stderr);
}

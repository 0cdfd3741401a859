#include "cli/render_internal.h"
#include "hcl-lite/codec.h"
#include "hcl-lite/syntax.h"

void cli_render_indent(struct cli_render *render, unsigned depth)
{
	zp_buf_pad(render->out, ' ', 4 * (size_t)(depth + !render->plain));
}

void cli_render_symbol(struct cli_render *render, enum plan_action action, unsigned depth)
{
	static const struct {
		const char *sign;
		enum cli_style color;
	} signs[] = {
		[PLAN_CREATE] = { "+", CLI_GREEN },
		[PLAN_UPDATE] = { "~", CLI_YELLOW },
		[PLAN_DELETE] = { "-", CLI_RED },
		[PLAN_READ] = { "<=", CLI_CYAN },
		[PLAN_FORGET] = { ".", CLI_RED },
	};
	const struct cli_view *view = render->view;
	const char *off = cli_style(view, CLI_RESET);

	if (render->plain || action == PLAN_NO_OP) {
		cli_render_indent(render, depth);
		return;
	}
	size_t column = 4 * (size_t)(depth + 1);
	if (action == PLAN_DELETE_CREATE || action == PLAN_CREATE_DELETE) {
		bool first_delete = action == PLAN_DELETE_CREATE;
		zp_buf_pad(render->out, ' ', column - 4);
		zp_buf_printf(render->out, "%s%s%s/%s%s%s ",
			cli_style(view, first_delete ? CLI_RED : CLI_GREEN), first_delete ? "-" : "+",
			off, cli_style(view, first_delete ? CLI_GREEN : CLI_RED),
			first_delete ? "+" : "-", off);
		return;
	}
	size_t width = strlen(signs[action].sign);
	zp_buf_pad(render->out, ' ', column - width - 1);
	zp_buf_printf(render->out, "%s%s%s ", cli_style(view, signs[action].color),
		signs[action].sign, off);
}

size_t cli_render_key_width(struct zp_str key, bool quoted)
{
	zp_autobuf text = ZP_BUF_INIT;

	if (!quoted && hcl_is_identifier(key))
		return key.len;
	hcl_quote(&text, key);
	return text.len;
}

void cli_render_key(struct cli_render *render, struct zp_str key, bool quoted, size_t width)
{
	size_t start = render->out->len;

	if (!quoted && hcl_is_identifier(key))
		zp_buf_str(render->out, key);
	else
		hcl_quote(render->out, key);
	size_t used = render->out->len - start;
	if (used < width)
		zp_buf_pad(render->out, ' ', width - used);
	zp_buf_puts(render->out, " = ");
}

bool cli_render_is_heredoc(struct hcl_value value)
{
	return value.type == hcl_string && value.state == HCL_KNOWN && !hcl_is_sensitive(value) &&
		value.count && memchr(value.text, '\n', value.count);
}

void cli_render_line(struct cli_render *render, struct zp_str line, enum plan_action action,
	unsigned depth)
{
	cli_render_symbol(render, action, depth);
	zp_buf_str(render->out, line);
	zp_buf_char(render->out, '\n');
}

static void heredoc(struct cli_render *render, struct zp_str text, unsigned depth)
{
	zp_buf_puts(render->out, "<<-EOT\n");
	while (text.len) {
		const char *newline = memchr(text.ptr, '\n', text.len);
		size_t n = newline ? (size_t)(newline - text.ptr) : text.len;
		cli_render_line(render, zp_strn(text.ptr, n), PLAN_NO_OP, depth + 1);
		n += newline != NULL;
		text.ptr += n;
		text.len -= n;
	}
	cli_render_indent(render, depth);
	zp_buf_puts(render->out, "EOT");
}

static void sequence(struct cli_render *render, struct hcl_value value, enum plan_action action,
	unsigned depth)
{
	if (!value.count) {
		zp_buf_puts(render->out, "[]");
		return;
	}
	zp_buf_puts(render->out, "[\n");
	for (uint32_t i = 0; i < value.count; i++) {
		cli_render_symbol(render, action, depth + 1);
		cli_render_plain(render, value.elements[i], action, depth + 1);
		zp_buf_puts(render->out, ",\n");
	}
	cli_render_indent(render, depth);
	zp_buf_char(render->out, ']');
}

static struct zp_str key_of(struct hcl_value value, uint32_t i)
{
	if (value.type->kind == HCL_MAP)
		return value.entries[i].key;
	return zp_str(value.type->attributes[i].name);
}

static void mapping(struct cli_render *render, struct hcl_value value, enum plan_action action,
	unsigned depth)
{
	bool map = value.type->kind == HCL_MAP, quoted = map && !render->open;
	size_t width = 0;

	if (!value.count) {
		zp_buf_puts(render->out, "{}");
		return;
	}
	for (uint32_t i = 0; i < value.count; i++) {
		size_t w = cli_render_key_width(key_of(value, i), quoted);
		width = w > width ? w : width;
	}
	zp_buf_puts(render->out, "{\n");
	for (uint32_t i = 0; i < value.count; i++) {
		cli_render_symbol(render, action, depth + 1);
		cli_render_key(render, key_of(value, i), quoted, width);
		cli_render_plain(render, map ? value.entries[i].value : value.elements[i], action,
			depth + 1);
		zp_buf_char(render->out, '\n');
	}
	cli_render_indent(render, depth);
	zp_buf_char(render->out, '}');
}

void cli_render_plain(struct cli_render *render, struct hcl_value value, enum plan_action action,
	unsigned depth)
{
	if (hcl_is_unknown(value)) {
		zp_buf_puts(render->out, "(known after apply)");
	} else if (value.marks & HCL_SENSITIVE) {
		zp_buf_puts(render->out, "(sensitive value)");
	} else if (hcl_is_null(value)) {
		zp_buf_printf(render->out, "%snull%s", cli_style(render->view, CLI_GREY),
			cli_style(render->view, CLI_RESET));
	} else if (value.type->kind == HCL_MAP || value.type->kind == HCL_OBJECT) {
		mapping(render, value, action, depth);
	} else if (hcl_type_is_sequence(value.type)) {
		sequence(render, value, action, depth);
	} else if (cli_render_is_heredoc(value)) {
		heredoc(render, hcl_text(value), depth);
	} else if (value.type == hcl_string) {
		hcl_quote(render->out, hcl_text(value));
	} else if (value.type == hcl_bool) {
		zp_buf_puts(render->out, value.boolean ? "true" : "false");
	} else {
		hcl_number_text(value, render->out);
	}
}

#include "base/alloc.h"
#include "cli/report.h"
#include "cli/view.h"

/* Length of the UTF-8 sequence at p, 0 where it is none or stands for what XML 1.0 does not allow. */
static size_t sequence(const unsigned char *p, const unsigned char *end)
{
	size_t length = *p < 0x80 ? 1 : *p < 0xc2 ? 0 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : *p < 0xf5 ? 4 : 0;

	if (!length || (size_t)(end - p) < length)
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if (length == 1)
		return *p >= 0x20 || *p == '\t' || *p == '\n' || *p == '\r';
	bool surrogate = p[0] == 0xed && p[1] >= 0xa0;
	bool overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
	bool beyond = p[0] == 0xf4 && p[1] >= 0x90;
	bool no_character = p[0] == 0xef && p[1] == 0xbf && p[2] >= 0xbe;
	return surrogate || overlong || beyond || no_character ? 0 : length;
}

/* Text of an element, or with `inside` of an attribute, where ends of lines would be blanks. */
static void xml_text(struct zp_buf *out, const char *text, bool inside)
{
	const char *special = inside ? "<>&\"\n\t\r" : "<>&\r";
	const unsigned char *p = (const unsigned char *)text, *end = p + strlen(text);

	while (p < end) {
		size_t length = sequence(p, end);
		if (!length) {
			zp_buf_puts(out, "\xef\xbf\xbd");
			p++;
			continue;
		}
		if (strchr(special, *p))
			zp_buf_printf(out, "&#%u;", *p);
		else
			zp_buf_add(out, p, length);
		p += length;
	}
}

static void attribute(struct zp_buf *out, const char *name, const char *value)
{
	zp_buf_printf(out, " %s=\"", name);
	xml_text(out, value, true);
	zp_buf_char(out, '"');
}

static void begin_case(struct zp_buf *out, const char *name, const char *file, uint32_t line)
{
	zp_buf_puts(out, "    <testcase");
	attribute(out, "name", name);
	attribute(out, "classname", "zplan.validate");
	if (file)
		attribute(out, "file", file);
	if (line)
		zp_buf_printf(out, " line=\"%u\"", line);
	zp_buf_puts(out, " time=\"0\"");
}

static char *path_of(const char *prefix, const char *name)
{
	return zp_format("%s%s", *name == '/' ? "" : prefix, name);
}

static void write_failure(const struct zp_diag *diag, const char *prefix, struct zp_buf *out)
{
	const struct cli_view plain = { .columns = 100 };
	const struct zp_source *source = diag->subject.file;
	zp_autobuf body = ZP_BUF_INIT;
	zp_autofree char *path = source ? path_of(prefix, source->name) : NULL;
	uint32_t line = source ? zp_source_position(source, diag->subject.start).line : 0;
	zp_autofree char *name = source ? zp_format("%s:%u: %s", path, line, diag->summary) :
					  zp_strdup(diag->summary);

	cli_diag_text(&plain, diag, &body);
	begin_case(out, name, path, line);
	zp_buf_puts(out, ">\n      <failure");
	attribute(out, "message", diag->summary);
	attribute(out, "type", "error");
	zp_buf_char(out, '>');
	xml_text(out, zp_buf_slice(&body).ptr, false);
	zp_buf_puts(out, "</failure>\n    </testcase>\n");
}

static void write_warnings(const struct zp_diags *diags, struct zp_buf *out)
{
	const struct cli_view plain = { .columns = 100 };
	zp_autobuf body = ZP_BUF_INIT;

	for (size_t i = 0; i < diags->count; i++)
		if (diags->items[i]->severity == ZP_SEVERITY_WARNING)
			cli_diag_text(&plain, diags->items[i], &body);
	if (!body.len)
		return;
	zp_buf_puts(out, "    <system-out>");
	xml_text(out, body.ptr, false);
	zp_buf_puts(out, "</system-out>\n");
}

static void note_broken(const struct zp_diags *diags, struct zp_map *broken)
{
	for (size_t i = 0; i < diags->count; i++) {
		const struct zp_diag *diag = diags->items[i];
		if (diag->severity == ZP_SEVERITY_ERROR && diag->subject.file)
			zp_map_set(broken, zp_str(diag->subject.file->name), (void *)diag);
	}
}

void cli_report_junit(const struct zp_diags *diags, const struct plan_config *config,
	const char *prefix, struct zp_buf *out)
{
	zp_autobuf cases = ZP_BUF_INIT;
	struct zp_map broken = { 0 };
	size_t count = diags->errors;

	note_broken(diags, &broken);
	for (size_t i = 0; i < diags->count; i++)
		if (diags->items[i]->severity == ZP_SEVERITY_ERROR)
			write_failure(diags->items[i], prefix, &cases);
	for (size_t i = 0; config && i < config->file_count; i++) {
		const char *name = config->files[i].path;
		zp_autofree char *path = path_of(prefix, name);
		if (zp_map_has(&broken, zp_str(name)))
			continue;
		begin_case(&cases, path, path, 0);
		zp_buf_puts(&cases, "/>\n");
		count++;
	}
	zp_map_release(&broken);
	zp_buf_printf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
			   "<testsuites name=\"zplan\" tests=\"%zu\" failures=\"%zu\" errors=\"0\">\n"
			   "  <testsuite name=\"zplan validate\" tests=\"%zu\" failures=\"%zu\" errors=\"0\" "
			   "skipped=\"0\" time=\"0\">\n",
		count, diags->errors, count, diags->errors);
	zp_buf_str(out, zp_buf_slice(&cases));
	write_warnings(diags, out);
	zp_buf_puts(out, "  </testsuite>\n</testsuites>\n");
}

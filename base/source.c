#include "base/source.h"

#include <utf8proc.h>

#include "base/alloc.h"
#include "base/file.h"

struct zp_source *zp_source_new(const char *name, struct zp_str text)
{
	struct zp_source *source = zp_calloc(1, sizeof(*source));

	source->name = zp_strdup(name);
	source->text = zp_strn(zp_strndup(text.ptr, text.len), text.len);
	return source;
}

struct zp_source *zp_source_load(const char *path, const char *name, struct zp_error *err)
{
	zp_autobuf text = ZP_BUF_INIT;

	if (zp_file_read(path, ZP_SOURCE_MAX_BYTES, &text, err) < 0)
		return NULL;
	struct zp_source *source = zp_calloc(1, sizeof(*source));
	source->name = zp_strdup(name);
	source->text.len = text.len;
	source->text.ptr = zp_buf_steal(&text);
	return source;
}

void zp_source_free(struct zp_source *source)
{
	if (!source)
		return;
	free((char *)source->name);
	free((char *)source->text.ptr);
	free(source->lines);
	free(source);
}

static uint32_t *index_lines(struct zp_str text, uint32_t *count)
{
	uint32_t lines = 1;
	for (size_t i = 0; i < text.len; i++)
		lines += text.ptr[i] == '\n';

	uint32_t *starts = zp_malloc(lines * sizeof(*starts));
	uint32_t n = 0;
	starts[n++] = 0;
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] == '\n')
			starts[n++] = (uint32_t)i + 1;
	*count = lines;
	return starts;
}

/*
 * The index is made when first asked for, which may be by several threads at once; the first to
 * publish wins.
 */
static const uint32_t *lines_of(const struct zp_source *source, uint32_t *count)
{
	struct zp_source *s = (struct zp_source *)source;
	uint32_t *lines = __atomic_load_n(&s->lines, __ATOMIC_ACQUIRE);

	if (!lines) {
		uint32_t *made = index_lines(s->text, count);
		__atomic_store_n(&s->line_count, *count, __ATOMIC_RELAXED);
		if (__atomic_compare_exchange_n(&s->lines, &lines, made, false, __ATOMIC_ACQ_REL,
			    __ATOMIC_ACQUIRE))
			return made;
		free(made);
	}
	*count = __atomic_load_n(&s->line_count, __ATOMIC_RELAXED);
	return lines;
}

/* Grapheme clusters that start in text. */
static uint32_t count_graphemes(struct zp_str text)
{
	uint32_t clusters = 0;
	utf8proc_int32_t state = 0, previous = -1;

	for (size_t i = 0; i < text.len;) {
		utf8proc_int32_t rune;
		utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)text.ptr + i,
			(utf8proc_ssize_t)(text.len - i), &rune);
		if (n <= 0) {
			n = 1;
			rune = 0xfffd;
		}
		if (previous < 0 || utf8proc_grapheme_break_stateful(previous, rune, &state))
			clusters++;
		previous = rune;
		i += (size_t)n;
	}
	return clusters;
}

static uint32_t line_index(const uint32_t *lines, uint32_t count, uint32_t offset)
{
	uint32_t low = 0, high = count;

	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;
		if (lines[middle] <= offset)
			low = middle;
		else
			high = middle;
	}
	return low;
}

struct zp_position zp_source_position(const struct zp_source *source, uint32_t offset)
{
	uint32_t count;

	if (offset > source->text.len)
		offset = (uint32_t)source->text.len;
	const uint32_t *lines = lines_of(source, &count);
	uint32_t line = line_index(lines, count, offset);
	uint32_t start = lines[line];
	if (!start && offset >= 3 && memcmp(source->text.ptr, "\xef\xbb\xbf", 3) == 0)
		start = 3; /* a byte order mark is no column */
	struct zp_str before = { source->text.ptr + start, offset - start };
	return (struct zp_position){ line + 1, count_graphemes(before) + 1, offset };
}

struct zp_str zp_source_line(const struct zp_source *source, uint32_t line)
{
	uint32_t count;
	const uint32_t *lines = lines_of(source, &count);

	if (line == 0 || line > count)
		return zp_strn("", 0);
	size_t start = lines[line - 1];
	size_t end = line < count ? lines[line] - 1 : source->text.len;
	if (end > start && source->text.ptr[end - 1] == '\r')
		end--;
	return zp_strn(source->text.ptr + start, end - start);
}

struct zp_range zp_range_join(struct zp_range a, struct zp_range b)
{
	if (!a.file)
		return b;
	if (!b.file)
		return a;
	return (struct zp_range){ a.file, a.start < b.start ? a.start : b.start,
		a.end > b.end ? a.end : b.end };
}

struct zp_str zp_range_text(struct zp_range range)
{
	if (!range.file || range.end > range.file->text.len || range.start > range.end)
		return zp_strn("", 0);
	return zp_strn(range.file->text.ptr + range.start, range.end - range.start);
}

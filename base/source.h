/*
 * Source text and places in it. A range is a pair of byte offsets into a retained source; lines and
 * columns are computed when something is printed, never stored.
 */
#ifndef ZP_BASE_SOURCE_H
#define ZP_BASE_SOURCE_H

#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

struct zp_source {
	const char *name;    /* as shown to people: a path, or "<value for var.x>" */
	struct zp_str text;  /* whole content, followed by a NUL */
	uint32_t *lines;     /* offset of each line's start; made on first use */
	uint32_t line_count;
};

/* file is NULL for "nowhere". end is exclusive. */
struct zp_range {
	const struct zp_source *file;
	uint32_t start, end;
};

/* line and column from 1, column in grapheme clusters; byte is the offset, from 0. */
struct zp_position {
	uint32_t line, column, byte;
};

#define ZP_SOURCE_MAX_BYTES (1u << 30)

/* Copies name and text. Never NULL. Freed with zp_source_free(). */
struct zp_source *zp_source_new(const char *name, struct zp_str text);
/* Reads the file; name is what diagnostics show. NULL and err on failure, also beyond 1 GiB. */
struct zp_source *zp_source_load(const char *path, const char *name, struct zp_error *err);
void zp_source_free(struct zp_source *source);

struct zp_position zp_source_position(const struct zp_source *source, uint32_t offset);
/* Line number line (from 1) without its newline. */
struct zp_str zp_source_line(const struct zp_source *source, uint32_t line);

/* From the start of a to the end of b; same file. */
struct zp_range zp_range_join(struct zp_range a, struct zp_range b);
struct zp_str zp_range_text(struct zp_range range);

#endif

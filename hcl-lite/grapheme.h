/*
 * Text by grapheme clusters, what people take for characters.
 */
#ifndef HCL_GRAPHEME_H
#define HCL_GRAPHEME_H

#include "base/str.h"

/* The offset after the cluster that starts at `at`; text.len at the end. */
size_t hcl_grapheme_end(struct zp_str text, size_t at);
size_t hcl_grapheme_count(struct zp_str text);
/* The code point at `at` and its length in bytes; U+FFFD and 1 for an invalid byte. */
uint32_t hcl_rune_at(struct zp_str text, size_t at, size_t *len);

#endif

/*
 * What may stand in an identifier: a letter of any script or an underscore first, then letters,
 * marks, digits and dashes too (Unicode's ID_Start and ID_Continue).
 */
#ifndef HCL_IDENTIFIER_H
#define HCL_IDENTIFIER_H

#include "base/str.h"

/*
 * Decodes one code point of at most `left` bytes into *rune. Returns its length, or 0 where the
 * bytes are no UTF-8.
 */
size_t hcl_decode_rune(const char *text, size_t left, int32_t *rune);

/* Bytes of the identifier that text begins with; 0 when it begins with none. */
size_t hcl_identifier_length(const char *text, size_t left);

/* The text interned, brought to NFC where it has other than ASCII characters. */
const char *hcl_intern_identifier(struct zp_str text);

#endif

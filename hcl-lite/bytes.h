/*
 * Bytes and text: base64, UTF-8. Internal to the functions.
 */
#ifndef HCL_BYTES_H
#define HCL_BYTES_H

#include "base/str.h"

void hcl_base64_encode(struct zp_str data, struct zp_buf *out);
/* Padding is required, line breaks are skipped. False when the text is no base64; at says where. */
bool hcl_base64_decode(struct zp_str text, struct zp_buf *out, size_t *at);
bool hcl_is_utf8(struct zp_str text);
void hcl_hex_encode(struct zp_str data, struct zp_buf *out);

#endif

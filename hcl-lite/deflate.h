/*
 * DEFLATE (RFC 1951) by the peer's choices: which of the many valid encodings of a text comes out
 * is visible to users, as base64gzip's result is compared between runs and tools.
 */
#ifndef HCL_DEFLATE_H
#define HCL_DEFLATE_H

#include "base/str.h"

/* Appends the data as blocks, none of which is marked the last, and ends them on a whole byte. */
void hcl_deflate_flushed(struct zp_str data, struct zp_buf *out);

#endif

/*
 * The canonical layout of native syntax, as `terraform fmt` writes it: two spaces a level by
 * counting brackets, equals signs and trailing comments of neighbouring lines aligned, one space or
 * none between tokens. Beyond layout, values that are one interpolation lose their quotes, legacy
 * type keywords of variables are spelled out, and labels are quoted.
 */
#ifndef HCL_FORMAT_H
#define HCL_FORMAT_H

#include "base/diag.h"
#include "base/str.h"

/*
 * Appends the formatted text. With syntax errors in the source they are reported, nothing is
 * appended and false is returned.
 */
bool hcl_format(const struct zp_source *source, struct zp_buf *out, struct zp_diags *diags);

#endif

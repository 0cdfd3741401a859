/*
 * Versions and constraints on them, as configurations write them: "1.11.4", "2.0.0-beta1", ">= 1.2, < 2.0",
 * "~> 1.4". Precedence is that of Semantic Versioning 2.0.0.
 */
#ifndef ZP_BASE_VERSION_H
#define ZP_BASE_VERSION_H

#include <stdbool.h>

#include "base/error.h"

/*
 * Whether the version meets all constraints of the list. A pre-release meets only a constraint that names it
 * exactly. False with err set when either text is malformed; false alone when it does not.
 */
bool zp_version_meets(const char *version, const char *constraints, struct zp_error *err);

/* -1, 0 or 1 into order; false when either text is malformed. */
bool zp_version_compare(const char *a, const char *b, int *order);

#endif

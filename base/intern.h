/*
 * Interned identifiers: equal text, equal pointer. The table lives as long as the process and may be
 * used by any thread. Only for names out of configuration (attributes, types, variables), never for
 * data.
 */
#ifndef ZP_BASE_INTERN_H
#define ZP_BASE_INTERN_H

#include "base/str.h"

/* NUL-terminated; valid until the process ends. */
const char *zp_intern(struct zp_str s);
const char *zp_intern_cstr(const char *s);

#endif

/*
 * What a machine writes on its console: a file in its folder, kept from growing without end.
 */
#ifndef PROVIDER_MACHINE_CONSOLE_H
#define PROVIDER_MACHINE_CONSOLE_H

#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

#define PROVIDER_CONSOLE_MAX_BYTES (INT64_C(8) << 20)

/*
 * Appends the last thing the machine's init said, without its line end. Nothing when that was that
 * all is well, or it said nothing.
 */
void provider_console_last_words(const char *log, struct zp_buf *out);
/* Size in bytes, 0 when there is none. */
int64_t provider_console_size(const char *log);
/* Whether the machine's init has said, behind the first `from` bytes, that the entrypoint runs. */
bool provider_console_is_ready(const char *log, int64_t from);
/*
 * When the log is larger than max bytes, what it has moves to <log>.1 and it begins anew. Whoever
 * writes it appends, so nothing else has to know.
 */
int provider_console_rotate(const char *log, int64_t max, struct zp_error *err);

#endif

/*
 * A run as machines read it along: one JSON document a line, in the peer's form ("ui" 1.2), on standard
 * output.
 */
#ifndef CLI_STREAM_H
#define CLI_STREAM_H

#include "cli/progress.h"

void cli_stream_version(void);
/* Everything found, in order. */
void cli_stream_diags(const struct zp_diags *diags);
/* Planned changes alone. */
void cli_stream_changes(const struct plan *plan);
/* Drift, planned changes, their summary, and output changes. */
void cli_stream_plan(const struct plan *plan);
/* What an apply came to. operation: "apply" or "destroy". */
void cli_stream_result(const struct cli_progress *done, const char *operation);
void cli_stream_outputs(const struct state *state);
/* One event of the run. */
void cli_stream_event(const struct plan_event *event);

#endif

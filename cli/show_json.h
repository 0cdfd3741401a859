/*
 * The machine-readable documents of `show -json`: plans (format_version 1.2) and states (1.0), as
 * Terraform documents them ("JSON Output Format").
 */
#ifndef CLI_SHOW_JSON_H
#define CLI_SHOW_JSON_H

#include "planner/plan.h"

/* Each appends the document and a newline. */
void cli_plan_json(struct plan *plan, struct zp_buf *out);
void cli_state_json(const struct state *state, struct zp_buf *out);

/* "checks": of a plan, and of a state. Nothing is written where there are none. */
void cli_plan_checks_json(struct zp_json_writer *writer, struct plan *plan);
void cli_state_checks_json(struct zp_json_writer *writer, const struct state *state);

/* "configuration": the blocks as written, as one object. */
void cli_config_json(struct zp_json_writer *writer, const struct plan_config *config);

/* The peer's word for it in machine output; NULL for none. */
const char *cli_reason_name(enum plan_reason reason);

#endif

/*
 * Terraform's lock info document, as it lies beside a locked state.
 */
#ifndef STATE_LOCK_INFO_H
#define STATE_LOCK_INFO_H

#include "state/backend.h"

void state_lock_info_write(const struct state_lock_info *info, struct zp_buf *out);
/* Fills what the text has; false when it is no such document. info must be initialised. */
bool state_lock_info_read(struct zp_str text, struct state_lock_info *info);

#endif

/*
 * Records of the journal as lines: 8 hex digits of CRC-32 over the rest, a blank, one JSON object. Shared
 * by the writer and the reader of the journal; not for others.
 */
#ifndef STATE_JOURNAL_RECORD_H
#define STATE_JOURNAL_RECORD_H

#include "base/json.h"
#include "state/journal.h"

#define STATE_JOURNAL_FORMAT 1

/* Wraps the JSON text as a line with its checksum. */
void state_record_seal(struct zp_str json, struct zp_buf *line);
/* The JSON of a line without its newline; false when the checksum does not fit. */
bool state_record_open(struct zp_str line, struct zp_str *json);

void state_record_intent(struct zp_buf *json, uint64_t number, const struct state_intent *intent);
/* object NULL: the object is gone (done) or nothing new is known (failed). */
void state_record_outcome(struct zp_buf *json, uint64_t number, bool failed,
	const struct state_object *object, const char *message);

/* As state_journal_read, of text. */
int state_journal_parse(struct zp_str text, const char *name, struct state_replay **replay,
	struct zp_error *err);

#endif

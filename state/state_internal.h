/*
 * Shared by the files of the state model; not for others.
 */
#ifndef STATE_STATE_INTERNAL_H
#define STATE_STATE_INTERNAL_H

#include "base/json.h"
#include "state/state.h"

/* An empty state without lineage. */
struct state *state_allocate(void);
/* Puts an object of the state's arena, address set, at its place. Gives what was there, or NULL. */
struct state_object *state_index(struct state *state, struct state_object *object);
/* The place of the output in the sorted array, made when missing: then all but its name is empty. */
struct state_output *state_output_slot(struct state *state, const char *name);
/* Deep copy into an arena; the resource is shared. */
void state_object_copy(struct zp_arena *arena, struct state_object *to,
	const struct state_object *from);
const char *state_object_address(struct zp_arena *arena, const struct state_resource *resource,
	struct state_key key);
/* The same document, whatever the white space between its tokens and the escapes in its texts. */
bool state_json_equal(struct zp_str a, struct zp_str b);
/*
 * Copies a document through the writer, so that it gets the writer's layout. Numbers and texts stay as
 * written, but for what the writer escapes: < > & (html_safe), U+2028 and U+2029.
 */
void state_json_copy(struct zp_json_writer *writer, struct zp_str json);

#endif

/*
 * One turn of one stack: look what its repository has, and do what that asks for. What happened is in the
 * store at every step, so that a turn that is cut off can be taken up by the next one.
 */
#ifndef SYNC_TURN_H
#define SYNC_TURN_H

#include "sync/config.h"
#include "sync/store.h"

struct sync_turn {
	struct sync_config *config;
	const struct sync_stack *stack;
	struct sync_store *store;
	const char *program;
	int stop_fd; /* readable once the controller is to end */
	int64_t *unreachable; /* attempts in a row that found no repository */
};

struct sync_outcome {
	int64_t next_at;   /* when to look again, unless asked before */
	bool changed;	   /* something was applied: who depends on the stack looks again */
};

struct sync_outcome sync_turn(const struct sync_turn *turn);
/*
 * Destroys what a stack that is no longer configured made, if it was to be so. True when it is gone and
 * forgotten.
 */
bool sync_prune(const struct sync_turn *turn, const char *name);
/* The folder of a stack's files. Heap. */
char *sync_stack_folder(const struct sync_config *config, const char *name);
/* What waits for approval, as Markdown; NULL where there is nothing. Heap. */
char *sync_stack_plan(const struct sync_config *config, const char *name);

#endif

/*
 * Results of conditions. Rules are evaluated in conditions.c; here is what became of them, object by object.
 */
#ifndef PLANNER_CHECKS_H
#define PLANNER_CHECKS_H

#include "planner/engine.h"

/* One object with conditions, and the answer to each of them. */
struct plan_checked {
	enum plan_checked_kind kind;
	const char *block;   /* its block, without keys: module.a.output.o */
	const char *address; /* module.a["k"].output.o */
	struct plan_scope_module *module;
	struct plan_instance *instance; /* PLAN_CHECKED_RESOURCE */
	uint32_t index; /* of the declaration in the module, for the other kinds */
	size_t count;	/* of rules; a resource's preconditions come first */
	enum plan_check_status *status;
	const char **messages; /* of rules that failed; NULL where it must not be told */
};

/* The entry for the object, made when there is none yet; NULL when the object has no rules. */
struct plan_checked *plan_checked(struct plan *plan, const struct plan_checked *what);
struct plan_checked *plan_checked_instance(struct plan *plan, struct plan_instance *instance);
struct plan_checked *plan_checked_named(struct plan *plan, enum plan_checked_kind kind,
	struct plan_scope_module *module, uint32_t index, size_t count);
/* checked may be NULL. */
void plan_note_check(struct plan_checked *checked, size_t rule, enum plan_check_status status,
	const char *message);

/* Evaluates the asserts of the module's check blocks: warnings. */
void plan_assert_checks(struct plan *plan, struct plan_scope_module *module);
/* The data source within a check block could not be read. */
void plan_fail_check(struct plan *plan, struct plan_instance *instance, const char *message);
/* At the end of an apply: what could not be answered before, and all check blocks. */
void plan_check_rest(struct plan *plan);
/* How far an apply came with a cell. */
enum plan_reached { PLAN_NOT_REACHED, PLAN_REACHED, PLAN_GOT_DONE };
/*
 * After an apply that did not get done with everything: what was not asked again is unknown. plan->unfinished
 * is filled.
 */
void plan_forget_checks(struct plan *plan, enum plan_reached (*reached)(void *data, const struct plan_cell *cell),
	void *data);
/* Writes the results into the state. */
void plan_store_checks(struct plan *plan, struct state *state);

#endif

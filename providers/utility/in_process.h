/*
 * Types whose objects live in the state, or are made by zplan itself on this machine. What they
 * have in common is here; a kind says how an object is made. Each slot may be NULL.
 */
#ifndef PROVIDERS_UTILITY_IN_PROCESS_H
#define PROVIDERS_UTILITY_IN_PROCESS_H

#include "providers/provider.h"
#include "providers/values.h"

struct utility_kind {
	/*
	 * Sets the values of a new object in builder, which holds the planned ones. On failure adds
	 * a problem. NULL: there is nothing but the id.
	 */
	void (*create)(struct provider_operation *op, struct provider_builder *builder);
	/* The same for a changed one. NULL: the planned values are the result. */
	void (*update)(struct provider_operation *op, struct provider_builder *builder);
	/* Whether the object still is as op->prior says; false: it is gone. NULL: it is. */
	bool (*exists)(struct provider_operation *op);
	void (*remove)(struct provider_operation *op);
	/* Sets the values of an object to adopt, from op->import_id. NULL: can not be imported. */
	void (*import)(struct provider_operation *op, struct provider_builder *builder);
	/* After a crash: whether the planned object exists, and if so its values. NULL: it does
	 * not. */
	bool (*recover)(struct provider_operation *op, struct provider_builder *builder);
	/* A data source: sets what is computed from op->config. */
	void (*read)(struct provider_operation *op, struct provider_builder *builder);
};

/* Slot run, with the kind. */
void utility_run(
	const struct utility_kind *kind, struct provider_operation *const *ops, size_t count);

/* Slot batch_key of types whose objects take no time: any number of them go together. */
const char *utility_together(const struct provider_operation *op);

void utility_set_text(struct provider_builder *builder, const char *name, const char *text);
void utility_set_int(struct provider_builder *builder, const char *name, int64_t number);

/* Row of a schema: a map whose change replaces the object. */
#define UTILITY_TRIGGERS(word)                                                                     \
	{                                                                                          \
		.name = word, .type = "map(string)",                                               \
		.flags = PROVIDER_OPTIONAL | PROVIDER_FORCE_NEW,                                   \
		.description = "Any values; a change replaces the object."                         \
	}

#endif

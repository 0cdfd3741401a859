/*
 * The journal: intents before deeds, outcomes after. An append-only file beside the state, 0600, one
 * checksummed record per line; a run that ended well truncates it away after the state was stored.
 *
 *	struct state_journal *journal = state_journal_create(path, lineage, serial, err);
 *	uint64_t n = state_journal_intent(journal, &intent, err);     durable when it returns
 *	...the deed...
 *	state_journal_outcome(journal, n, object or removal, err);    durable at the next sync
 *	state_journal_finish(journal, err);                           after the state was stored
 *
 * Safe for any number of threads: fsyncs are grouped, so that ten intents at once cost one.
 */
#ifndef STATE_JOURNAL_H
#define STATE_JOURNAL_H

#include "state/state.h"

enum state_action { STATE_ACT_CREATE, STATE_ACT_UPDATE, STATE_ACT_DELETE, STATE_ACT_FORGET };

/* What is about to be done. Texts are JSON where the state has JSON. */
struct state_intent {
	enum state_action action;
	const char *address;	  /* with instance key */
	const char *deposed;	  /* or NULL */
	/*
	 * Create before destroy: the id under which the former object is deposed as soon as this one is
	 * made. NULL otherwise.
	 */
	const char *replaced_as;
	const char *identity;	  /* of the object; the nodes know it by this */
	const char *module, *type, *name, *provider; /* as in struct state_resource */
	struct state_key key;
	int64_t schema_version;
	struct zp_str planned;	  /* JSON of planned values, unknown as null; empty for delete */
	struct zp_str sensitive;  /* JSON paths, or empty */
	const char *const *dependencies;
	size_t dependency_count;
};

struct state_journal;

/* Creates (fails when an unfinished journal exists: replay first). NULL and err on failure. */
struct state_journal *state_journal_create(const char *path, const char *lineage, int64_t serial,
	struct zp_error *err);
/* Number of the intent (from 1) or 0 with err. On disk when it returns. */
uint64_t state_journal_intent(struct state_journal *journal, const struct state_intent *intent,
	struct zp_error *err);
/* The deed was done: object is the new state of it (NULL: it is gone). */
int state_journal_outcome(struct state_journal *journal, uint64_t intent,
	const struct state_object *object, struct zp_error *err);
/* The deed failed and left nothing to remember beyond the former state, or object (tainted). */
int state_journal_failed(struct state_journal *journal, uint64_t intent,
	const struct state_object *object, const char *message, struct zp_error *err);
int state_journal_sync(struct state_journal *journal, struct zp_error *err);
/* The state with all outcomes is stored: removes the file and frees the journal. */
int state_journal_finish(struct state_journal *journal, struct zp_error *err);
/* Closes without finishing: the next run replays. */
void state_journal_abandon(struct state_journal *journal);

/*
 * After the state was stored with every outcome so far: begins the file anew with the intents that have no
 * outcome yet, so that its size is bounded by what is under way. Outcomes must not be recorded between the
 * two. A failure leaves the journal as it was.
 */
int state_journal_checkpoint(struct state_journal *journal, const char *lineage, int64_t serial,
	struct zp_error *err);

/* An unfinished journal, read back. */
struct state_replay_entry {
	struct state_intent intent; /* address NULL when its record was damaged */
	bool done;	/* an outcome was recorded */
	bool failed;
	struct state_object *object; /* the outcome's object, NULL: gone */
};

struct state_replay {
	char *lineage;
	int64_t serial;
	struct state_replay_entry *entries;
	size_t count;
	bool truncated; /* something was damaged; every record that was not is here */
	size_t lost;	/* damaged records before good ones: no mere crash explains them */
	struct zp_arena arena;
};

/*
 * *replay NULL when there is no journal (or an empty one). Damaged records are not an error; a journal
 * of a newer zplan is.
 */
int state_journal_read(const char *path, struct state_replay **replay, struct zp_error *err);
void state_replay_free(struct state_replay *replay);
/*
 * Takes over the recorded outcomes into state, which may have some or all of them already; entries
 * without outcome are the caller's to ask about.
 */
void state_replay_apply(const struct state_replay *replay, struct state *state);
/* After the recovered state was stored. */
int state_journal_remove(const char *path, struct zp_error *err);

#endif

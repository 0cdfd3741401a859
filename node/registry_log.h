/*
 * What the registry has done since its last copy, statement by statement, in a file of its own: a registry that
 * was damaged is made again from both.
 *
 *	{"sql":"DELETE FROM workload WHERE id = ?1","texts":["x/disk"]}
 *
 * It is there against a database that can no longer be read, not against a loss of power: nothing is synced.
 */
#ifndef NODE_REGISTRY_LOG_H
#define NODE_REGISTRY_LOG_H

#include <stddef.h>

#include "base/str.h"

struct node_registry_log {
	char *path;
	int fd;		       /* -1: it can not be written */
	struct zp_buf pending; /* of the transaction that is open */
};

void node_registry_log_open(struct node_registry_log *log, const char *registry);
void node_registry_log_close(struct node_registry_log *log);
/* texts: what is bound to ?1, ?2, ...; NULL for null. */
void node_registry_log_note(struct node_registry_log *log, const char *sql, const char *const *texts,
	int count);
/* The transaction has become durable, or come to nothing. */
void node_registry_log_keep(struct node_registry_log *log);
void node_registry_log_drop(struct node_registry_log *log);
/* There is a copy that has all of it. */
void node_registry_log_clear(struct node_registry_log *log);
/*
 * Calls fn for each statement, in order, up to the first line that is none. Returns how many there were.
 */
size_t node_registry_log_replay(const char *registry,
	void (*fn)(void *data, const char *sql, const char *const *texts, int count), void *data);

#endif

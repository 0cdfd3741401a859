/* Shared by the files of the store; not for others. */
#ifndef SYNC_STORE_INTERNAL_H
#define SYNC_STORE_INTERNAL_H

#include <pthread.h>
#include <sqlite3.h>

#include "sync/store.h"

struct sync_store {
	sqlite3 *db;
	pthread_mutex_t lock;
};

/* A value for ?1, ?2, ...: a text, or a number where text is NULL. */
struct sync_value {
	const char *text;
	int64_t number;
};
#define SYNC_TEXT(t) { (t) ? (t) : "", 0 }
#define SYNC_NUMBER(n) { NULL, (n) }

/*
 * Runs one statement. each, which may be NULL, is called for every row until it gives false. Gives how many
 * rows it changed or gave, or -1.
 */
int64_t sync_store_execute(struct sync_store *store, const char *sql,
	const struct sync_value *values, int count,
	bool (*each)(void *data, sqlite3_stmt *row), void *data, struct zp_error *err);
/* A column's text, on the heap. */
char *sync_store_text(sqlite3_stmt *row, int column);

#endif

/*
 * Where configurations come from. The work with git is done by a process of its own (fetch.c), so that a
 * server that hangs, or a repository that confuses the library, ends nothing but one attempt.
 *
 *	struct sync_commit commit = { 0 };
 *	sync_source_fetch(&place, &commit, err);             what the ref points to, its objects here
 *	sync_source_checkout(&place, commit.id, tree, err);  its files, nothing else
 */
#ifndef SYNC_SOURCE_H
#define SYNC_SOURCE_H

#include "sync/config.h"

struct sync_place {
	const char *program; /* of this program */
	const char *data_dir;
	const struct sync_repository *repository;
	const char *ref; /* or NULL */
};

struct sync_commit {
	char id[65];
	char *subject, *author; /* heap */
};

/* Also checks the signature, where one is required. */
int sync_source_fetch(const struct sync_place *place, struct sync_commit *commit,
	struct zp_error *err);
/* Replaces the folder by the commit's files. A crash leaves the former or the new one, or none. */
int sync_source_checkout(const struct sync_place *place, const char *commit, const char *folder,
	struct zp_error *err);
void sync_commit_release(struct sync_commit *commit);

/* The process: a request on standard input, the answer on standard output. Exit status. */
int sync_fetch_main(void);

#endif

/*
 * Refs of a repository elsewhere, read and changed by comparison. A path on this machine is worked
 * on directly; any other address goes through a bare repository in the data folder, which keeps
 * what was fetched.
 */
#ifndef STATE_BACKENDS_GIT_REMOTE_H
#define STATE_BACKENDS_GIT_REMOTE_H

#include <git2.h>
#include <stdbool.h>

#include "base/error.h"

struct state_git_access {
	const char *url;
	const char *username, *token;		  /* https; may be NULL */
	const char *ssh_key, *ssh_key_passphrase; /* path of the private key; NULL: the agent's */
};

struct state_git_place {
	struct state_git_access access; /* borrowed texts */
	git_repository *repository;	/* where objects are read and written */
	bool direct;			/* it is the repository itself */
	int lock_fd;			/* of a repository on this machine, while refs change */
	int credential_attempts;
};

/* Opens what holds the objects; does not connect. */
int state_git_place_open(
	struct state_git_place *place, const struct state_git_access *access, struct zp_error *err);
void state_git_place_release(struct state_git_place *place);
/* What the ref points to, with its objects here; *found false where there is none. */
int state_git_place_read(struct state_git_place *place, const char *ref, git_oid *oid, bool *found,
	struct zp_error *err);
/*
 * Points the ref to `now`, or removes it (NULL), if it is as `before` says (NULL: absent). Fails
 * with STATE_CONFLICT when it is not.
 */
int state_git_place_update(struct state_git_place *place, const char *ref, const git_oid *now,
	const git_oid *before, struct zp_error *err);
/* Wraps libgit2's last error. */
int state_git_place_failed(const char *doing, struct zp_error *err);

#endif

/* Shared by the files of the process that works with git; not for others. */
#ifndef SYNC_FETCH_INTERNAL_H
#define SYNC_FETCH_INTERNAL_H

#include <git2.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/str.h"

struct sync_request {
	const char *operation, *url, *ref, *username, *token, *ssh_key, *ssh_passphrase, *known_hosts,
		*ca_file, *allowed_signers, *allowed_gpg_keys, *cache, *commit, *tree;
	bool require_signed;
	int attempts; /* credentials given so far */
};

/* Wraps libgit2's last error. */
int sync_git_failed(const char *doing, struct zp_error *err);

/* Credentials and the check of who the server is. */
void sync_remote_callbacks(git_remote_callbacks *callbacks, struct sync_request *request);

/* A ref of the remote, chosen: its name and, once fetched, where it is kept here. */
struct sync_choice {
	char *name; /* heap; refs/heads/x, refs/tags/x */
	git_oid oid;
};

/*
 * What the request's ref means among the remote's: a branch, a tag, the newest of the tags that match a
 * pattern, or (NULL) the default branch. Commits are not its business.
 */
int sync_choose_ref(const git_remote_head *const *heads, size_t count, const char *ref,
	struct sync_choice *choice, struct zp_error *err);
bool sync_is_commit_id(const char *ref);
/* Order of versions in names of tags: v1.9 before v1.10, v2-rc1 before v2. <0, 0, >0. */
int sync_compare_versions(const char *a, const char *b);

/* Joins the packs of a bare repository at this path once they are many. Nobody else may be at work in it. */
void sync_tidy(git_repository *repository, const char *path);

/* 0 when the commit carries a signature of somebody allowed. */
int sync_check_signature(const struct sync_request *request, git_repository *repository,
	const git_oid *commit, struct zp_error *err);

#endif

/* Modules from git repositories, through libgit2. */
#include <git2.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/file.h"
#include "modules/fetch_internal.h"

#define MAX_ATTEMPTS 3

static void start_library(void)
{
	const char *authorities = getenv("GIT_SSL_CAINFO");

	if (!authorities || !*authorities)
		authorities = getenv("SSL_CERT_FILE");
	git_libgit2_init();
	if (authorities && *authorities)
		git_libgit2_opts(GIT_OPT_SET_SSL_CERT_LOCATIONS, authorities, NULL);
}

static int failed(const char *doing, struct zp_error *err)
{
	const git_error *last = git_error_last();

	return zp_error_set(err, "%s: %s", doing, last && last->message ? last->message : "failed");
}

static int give_credential(git_credential **out, const char *url, const char *user, unsigned allowed,
	void *data)
{
	int *attempts = data;

	(void)url;
	if ((*attempts)++ >= MAX_ATTEMPTS) {
		git_error_set_str(GIT_ERROR_NET, "the server did not accept the keys of the ssh agent");
		return GIT_EAUTH;
	}
	if (allowed & GIT_CREDENTIAL_USERNAME)
		return git_credential_username_new(out, user ? user : "git");
	if (allowed & GIT_CREDENTIAL_SSH_KEY)
		return git_credential_ssh_key_from_agent(out, user ? user : "git");
	git_error_set_str(GIT_ERROR_NET, "there is no such repository, or the server wants credentials: write them "
		"into the address, or fetch over ssh with an agent");
	return GIT_EAUTH;
}

/* All branches and tags. */
static int fetch_all(git_repository *repository, const char *url, struct zp_error *err)
{
	char *specs[] = { "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*", "+HEAD:refs/zplan/head" };
	git_strarray refspecs = { specs, ZP_ARRAY_SIZE(specs) };
	git_fetch_options options;
	git_remote *remote = NULL;
	int attempts = 0;

	git_fetch_options_init(&options, GIT_FETCH_OPTIONS_VERSION);
	options.callbacks.credentials = give_credential;
	options.callbacks.payload = &attempts;
	options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
	options.follow_redirects = GIT_REMOTE_REDIRECT_INITIAL;
	int rc = git_remote_create_anonymous(&remote, repository, url);
	if (rc == 0)
		rc = git_remote_fetch(remote, &refspecs, &options, NULL);
	git_remote_free(remote);
	return rc == 0 ? 0 : failed("git fetch", err);
}

/* The tree of a branch, tag or commit. */
static int find_tree(git_repository *repository, const char *ref, git_object **tree, struct zp_error *err)
{
	static const char *const places[] = { "refs/heads/", "refs/tags/", "" };
	git_object *object = NULL;
	int rc = -1;

	if (!ref)
		rc = git_revparse_single(&object, repository, "refs/zplan/head");
	else if (*ref != '-' && !strpbrk(ref, ":^~@{"))
		for (size_t i = 0; i < ZP_ARRAY_SIZE(places) && rc != 0; i++) {
			zp_autofree char *name = zp_format("%s%s", places[i], ref);
			rc = git_revparse_single(&object, repository, name);
		}
	if (rc != 0)
		return ref ? zp_error_set(err, "the repository has no branch, tag or commit \"%s\"", ref) :
			     zp_error_set(err, "the repository has no default branch");
	rc = git_object_peel(tree, object, GIT_OBJECT_TREE);
	git_object_free(object);
	return rc == 0 ? 0 : failed("git", err);
}

static int check_out(git_repository *repository, const git_object *tree, const char *folder,
	struct zp_error *err)
{
	git_checkout_options options;

	git_checkout_options_init(&options, GIT_CHECKOUT_OPTIONS_VERSION);
	options.checkout_strategy = GIT_CHECKOUT_FORCE | GIT_CHECKOUT_DONT_UPDATE_INDEX;
	options.target_directory = folder;
	return git_checkout_tree(repository, tree, &options) == 0 ? 0 : failed("git checkout", err);
}

int module_fetch_git(const struct module_address *address, const char *work, const char *tree,
	struct zp_error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	zp_autofree char *path = zp_path_join(work, "git");
	git_repository *repository = NULL;
	git_object *object = NULL;

	pthread_once(&once, start_library);
	if (zp_mkdirs(tree, 0755, err) < 0)
		return -1;
	int rc = git_repository_init(&repository, path, true) == 0 ? 0 : failed("git init", err);
	if (rc == 0)
		rc = fetch_all(repository, address->url, err);
	if (rc == 0)
		rc = find_tree(repository, address->ref, &object, err);
	if (rc == 0)
		rc = check_out(repository, object, tree, err);
	git_object_free(object);
	git_repository_free(repository);
	return rc;
}

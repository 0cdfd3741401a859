/* Modules from git repositories, through libgit2. */
#include <git2.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/file.h"
#include "modules/fetch_internal.h"

#define MAX_ATTEMPTS 3
/* Submodules: of one module, and within one another. */
#define MAX_REPOSITORIES 100
#define MAX_DEPTH 8

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

/* ---- submodules ---- */

/* A repository on its way into a folder; a submodule's is within another's. */
struct checkout {
	const char *url, *ref; /* ref NULL: the default branch */
	const char *work;      /* for the repositories, each under a number */
	const char *folder;
	int depth;
	int *repositories; /* made so far */
};

static int check_out_repository(const struct checkout *what, struct zp_error *err);

/* "https", "ssh", "git", "http"; "" for a path or file. */
static struct zp_str transport(const char *url)
{
	const char *end = strstr(url, "://");
	struct zp_str scheme = zp_strn(url, end ? (size_t)(end - url) : 0);

	return zp_str_is(scheme, "file") ? zp_strn(url, 0) : scheme;
}

/* "../b.git" is meant from the address of the repository it is written in. Heap. */
static char *submodule_url(const char *base, const char *url)
{
	size_t length = strlen(base);

	if (strncmp(url, "./", 2) != 0 && strncmp(url, "../", 3) != 0)
		return zp_strdup(url);
	while (length && base[length - 1] == '/')
		length--;
	for (;; url += strspn(url, "/")) {
		if (strncmp(url, "./", 2) == 0) {
			url += 2;
		} else if (strncmp(url, "../", 3) == 0 && memrchr(base, '/', length)) {
			length = (size_t)((const char *)memrchr(base, '/', length) - base);
			url += 3;
		} else {
			return zp_format("%.*s/%s", (int)length, base, url);
		}
	}
}

static int fetch_submodule(const struct checkout *outer, const git_tree *tree, const char *path, const char *url,
	struct zp_error *err)
{
	char commit[GIT_OID_HEXSZ + 1] = "";
	git_tree_entry *entry = NULL;
	zp_autofree char *full = submodule_url(outer->url, url);
	zp_autofree char *folder = zp_path_join(outer->folder, path);

	if (!module_path_is_inside(path))
		return zp_error_set(err, "the submodule \"%s\" would lie outside of the module", path);
	if (!zp_str_equal(transport(full), transport(outer->url)) && !zp_str_is(transport(full), "https"))
		return zp_error_set(err, "the submodule \"%s\" is at another kind of address than what it is part of",
			path);
	/* Listed, and not part of this tree. */
	if (git_tree_entry_bypath(&entry, tree, path) != 0)
		return 0;
	bool is_commit = git_tree_entry_type(entry) == GIT_OBJECT_COMMIT;
	git_oid_tostr(commit, sizeof(commit), git_tree_entry_id(entry));
	git_tree_entry_free(entry);
	const struct checkout inner = { .url = full, .ref = commit, .work = outer->work, .folder = folder,
		.depth = outer->depth + 1, .repositories = outer->repositories };
	return is_commit ? check_out_repository(&inner, err) : 0;
}

/* Both texts of the submodule of that name in .gitmodules; heap. False when one is missing. */
static bool read_submodule(git_config *config, const char *path_name, char **path, char **url)
{
	size_t length = strlen(path_name) - strlen(".path");
	zp_autofree char *url_name = zp_format("%.*s.url", (int)length, path_name);
	git_buf text = { 0 };

	*path = *url = NULL;
	if (git_config_get_string_buf(&text, config, path_name) == 0)
		*path = zp_strdup(text.ptr);
	git_buf_dispose(&text);
	if (git_config_get_string_buf(&text, config, url_name) == 0)
		*url = zp_strdup(text.ptr);
	git_buf_dispose(&text);
	return *path && *url;
}

static int fetch_submodules(const struct checkout *outer, const git_tree *tree, struct zp_error *err)
{
	zp_autofree char *list = zp_path_join(outer->folder, ".gitmodules");
	git_config_iterator *each = NULL;
	git_config_entry *entry;
	git_config *config = NULL;
	int rc = 0;

	if (!zp_file_exists(list))
		return 0;
	if (git_config_open_ondisk(&config, list) != 0 ||
		git_config_iterator_glob_new(&each, config, "^submodule\\..*\\.path$") != 0)
		rc = failed("reading .gitmodules", err);
	while (rc == 0 && git_config_next(&entry, each) == 0) {
		zp_autofree char *path = NULL, *url = NULL;
		if (read_submodule(config, entry->name, &path, &url))
			rc = fetch_submodule(outer, tree, path, url, err);
	}
	git_config_iterator_free(each);
	git_config_free(config);
	return rc;
}

/* ---- a whole repository ---- */

static int check_out_repository(const struct checkout *what, struct zp_error *err)
{
	zp_autofree char *name = zp_format("git-%d", (*what->repositories)++);
	zp_autofree char *path = zp_path_join(what->work, name);
	git_repository *repository = NULL;
	git_object *object = NULL;

	if (what->depth > MAX_DEPTH || *what->repositories > MAX_REPOSITORIES)
		return zp_error_set(err, "submodules: more than %d of them, or %d within one another",
			MAX_REPOSITORIES, MAX_DEPTH);
	if (zp_mkdirs(what->folder, 0755, err) < 0)
		return -1;
	/* Where submodules lie, only a repository with a work tree says. */
	int rc = git_repository_init(&repository, path, false) == 0 &&
			git_repository_set_workdir(repository, what->folder, 0) == 0 ?
		0 : failed("git init", err);
	if (rc == 0)
		rc = fetch_all(repository, what->url, err);
	if (rc == 0)
		rc = find_tree(repository, what->ref, &object, err);
	if (rc == 0)
		rc = check_out(repository, object, what->folder, err);
	if (rc == 0)
		rc = fetch_submodules(what, (const git_tree *)object, err);
	git_object_free(object);
	git_repository_free(repository);
	return rc;
}

int module_fetch_git(const struct module_address *address, const char *work, const char *tree,
	struct zp_error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int repositories = 0;
	const struct checkout whole = { .url = address->url, .ref = address->ref, .work = work, .folder = tree,
		.repositories = &repositories };

	pthread_once(&once, start_library);
	return check_out_repository(&whole, err);
}

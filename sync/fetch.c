/* The process that works with git: `zplan sync fetch`, started by source.c. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>

#include "base/alloc.h"
#include "base/file.h"
#include "sync/fetch_internal.h"
#include "sync/source.h"

#define MAX_REQUEST ((size_t)1 << 20)

int sync_git_failed(const char *doing, struct zp_error *err)
{
	const git_error *last = git_error_last();

	return zp_error_set(err, "%s: %s", doing, last && last->message ? last->message : "failed");
}

static int open_cache(const struct sync_request *request, git_repository **repository, int *lock,
	struct zp_error *err)
{
	zp_autofree char *path = zp_format("%s.lock", request->cache);

	if (zp_mkdirs(request->cache, 0700, err) < 0)
		return -1;
	*lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (*lock < 0 || flock(*lock, LOCK_EX) < 0)
		return zp_error_errno(err, "lock %s", path);
	if (git_repository_open_bare(repository, request->cache) == 0)
		return 0;
	/* What a crash left while it was made is made anew. */
	if (zp_remove_tree(request->cache, err) < 0)
		return -1;
	return git_repository_init(repository, request->cache, true) < 0 ?
		sync_git_failed("making the copy of the repository", err) : 0;
}

static bool is_here(git_repository *repository, const git_oid *oid)
{
	git_odb *odb = NULL;
	bool here = git_repository_odb(&odb, repository) == 0 && git_odb_exists(odb, oid);

	git_odb_free(odb);
	return here;
}

static int connect_remote(struct sync_request *request, git_repository *repository,
	git_remote **remote, struct zp_error *err)
{
	git_remote_callbacks callbacks;

	sync_remote_callbacks(&callbacks, request);
	if (git_remote_create_anonymous(remote, repository, request->url) < 0)
		return sync_git_failed("opening", err);
	return git_remote_connect(*remote, GIT_DIRECTION_FETCH, &callbacks, NULL, NULL) < 0 ?
		sync_git_failed("connecting", err) : 0;
}

/* Gets refs of the remote; each spec is "+theirs:ours". */
static int download(struct sync_request *request, git_remote *remote, char **specs, size_t count,
	bool whole, struct zp_error *err)
{
	git_fetch_options options;
	git_strarray array = { specs, count };

	git_fetch_options_init(&options, GIT_FETCH_OPTIONS_VERSION);
	sync_remote_callbacks(&options.callbacks, request);
	options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
	options.update_fetchhead = 0;
#if LIBGIT2_VER_MAJOR > 1 || LIBGIT2_VER_MINOR >= 7
	/* Over the network the history is left where it is. */
	if (!whole && *request->url != '/' && strncmp(request->url, "file:", 5) != 0)
		options.depth = 1;
#else
	(void)whole;
#endif
	return git_remote_fetch(remote, &array, &options, NULL) < 0 ? sync_git_failed("fetching", err) : 0;
}

/* A commit by its id: somewhere below the branches and tags. */
static int fetch_commit(struct sync_request *request, git_repository *repository, git_oid *oid,
	struct zp_error *err)
{
	char *specs[] = { "+refs/heads/*:refs/zplan/heads/*", "+refs/tags/*:refs/zplan/tags/*" };
	git_remote *remote = NULL;

	if (git_oid_fromstr(oid, request->ref) < 0)
		return sync_git_failed(request->ref, err);
	if (is_here(repository, oid))
		return 0;
	int rc = connect_remote(request, repository, &remote, err);
	if (rc == 0)
		rc = download(request, remote, specs, 2, true, err);
	git_remote_free(remote);
	if (rc == 0 && !is_here(repository, oid))
		rc = zp_error_set(err, "commit %s is not in any branch or tag", request->ref);
	return rc;
}

static int fetch_ref(struct sync_request *request, git_repository *repository, git_oid *oid,
	struct zp_error *err)
{
	struct sync_choice choice = { 0 };
	const git_remote_head **heads;
	git_remote *remote = NULL;
	size_t count;

	int rc = connect_remote(request, repository, &remote, err);
	if (rc == 0 && git_remote_ls(&heads, &count, remote) < 0)
		rc = sync_git_failed("listing branches", err);
	if (rc == 0)
		rc = sync_choose_ref((const git_remote_head *const *)heads, count, request->ref, &choice, err);
	if (rc == 0 && !is_here(repository, &choice.oid)) {
		zp_autofree char *spec = zp_format("+%s:refs/zplan/%s", choice.name,
			strncmp(choice.name, "refs/", 5) == 0 ? choice.name + 5 : choice.name);
		rc = download(request, remote, &spec, 1, false, err);
	}
	if (rc == 0)
		git_oid_cpy(oid, &choice.oid);
	git_remote_free(remote);
	free(choice.name);
	return rc;
}

/* The commit a tag points to, through any number of tags. */
static int peel(git_repository *repository, git_oid *oid, git_commit **commit, struct zp_error *err)
{
	git_object *object = NULL, *peeled = NULL;

	if (git_object_lookup(&object, repository, oid, GIT_OBJECT_ANY) < 0 ||
		git_object_peel(&peeled, object, GIT_OBJECT_COMMIT) < 0) {
		git_object_free(object);
		return sync_git_failed("finding the commit", err);
	}
	git_object_free(object);
	*commit = (git_commit *)peeled;
	git_oid_cpy(oid, git_commit_id(*commit));
	return 0;
}

static cJSON *describe(git_commit *commit)
{
	cJSON *answer = cJSON_CreateObject();
	const git_signature *author = git_commit_author(commit);
	const char *subject = git_commit_summary(commit);
	char id[GIT_OID_HEXSZ + 1];

	git_oid_tostr(id, sizeof(id), git_commit_id(commit));
	cJSON_AddStringToObject(answer, "commit", id);
	cJSON_AddStringToObject(answer, "subject", subject ? subject : "");
	cJSON_AddStringToObject(answer, "author", author && author->name ? author->name : "");
	return answer;
}

static int fetch(struct sync_request *request, git_repository *repository, cJSON **answer,
	struct zp_error *err)
{
	git_commit *commit = NULL;
	git_oid oid;

	int rc = sync_is_commit_id(request->ref) ? fetch_commit(request, repository, &oid, err) :
						   fetch_ref(request, repository, &oid, err);
	if (rc == 0)
		rc = peel(repository, &oid, &commit, err);
	if (rc == 0 && request->require_signed)
		rc = sync_check_signature(request, repository, &oid, err);
	if (rc == 0)
		*answer = describe(commit);
	git_commit_free(commit);
	return rc;
}

static int check_out(const struct sync_request *request, git_repository *repository, cJSON **answer,
	struct zp_error *err)
{
	git_checkout_options options;
	git_commit *commit = NULL;
	git_tree *tree = NULL;
	git_oid oid;

	if (!request->commit || !request->tree || git_oid_fromstr(&oid, request->commit) < 0)
		return zp_error_set(err, "commit and tree are required");
	git_checkout_options_init(&options, GIT_CHECKOUT_OPTIONS_VERSION);
	options.checkout_strategy = GIT_CHECKOUT_FORCE | GIT_CHECKOUT_DONT_UPDATE_INDEX;
	options.disable_filters = 1;
	options.target_directory = request->tree;
	int rc = git_commit_lookup(&commit, repository, &oid);
	if (rc == 0)
		rc = git_commit_tree(&tree, commit);
	if (rc == 0)
		rc = git_checkout_tree(repository, (git_object *)tree, &options);
	if (rc < 0)
		rc = sync_git_failed("checking out", err);
	else
		*answer = describe(commit);
	git_tree_free(tree);
	git_commit_free(commit);
	return rc;
}

static int work(struct sync_request *request, cJSON **answer, struct zp_error *err)
{
	git_repository *repository = NULL;
	zp_autoclose int lock = -1;

	if (!request->operation || !request->url || !request->cache)
		return zp_error_set(err, "operation, url and cache are required");
	git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
	/* The repository was named by who runs this, whoever owns its files. */
	git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
	if (request->ca_file &&
		git_libgit2_opts(GIT_OPT_SET_SSL_CERT_LOCATIONS, request->ca_file, NULL) < 0)
		return sync_git_failed(request->ca_file, err);
	if (open_cache(request, &repository, &lock, err) < 0)
		return -1;
	int rc = strcmp(request->operation, "checkout") == 0 ?
		check_out(request, repository, answer, err) : fetch(request, repository, answer, err);
	if (rc == 0 && *answer)
		sync_tidy(repository, request->cache);
	git_repository_free(repository);
	return rc;
}

static void read_request(const cJSON *object, struct sync_request *request)
{
	const struct {
		const char *name, **text;
	} members[] = {
		{ "operation", &request->operation }, { "url", &request->url }, { "ref", &request->ref },
		{ "username", &request->username }, { "token", &request->token },
		{ "ssh_key", &request->ssh_key }, { "ssh_passphrase", &request->ssh_passphrase },
		{ "known_hosts", &request->known_hosts }, { "ca_file", &request->ca_file },
		{ "allowed_signers", &request->allowed_signers },
		{ "allowed_gpg_keys", &request->allowed_gpg_keys }, { "cache", &request->cache },
		{ "commit", &request->commit }, { "tree", &request->tree },
	};

	for (size_t i = 0; i < ZP_ARRAY_SIZE(members); i++)
		*members[i].text =
			cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, members[i].name));
	request->require_signed =
		cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, "require_signed"));
}

int sync_fetch_main(void)
{
	struct sync_request request = { 0 };
	zp_autoerror err = ZP_ERROR_INIT;
	zp_autobuf text = ZP_BUF_INIT;
	cJSON *answer = NULL;

	int rc = zp_file_read("/dev/stdin", MAX_REQUEST, &text, &err);
	cJSON *object = rc < 0 ? NULL : cJSON_ParseWithLength(zp_buf_slice(&text).ptr, text.len);
	if (rc == 0 && !object)
		rc = zp_error_set(&err, "the request on standard input is no JSON");
	if (rc == 0) {
		read_request(object, &request);
		git_libgit2_init();
		rc = work(&request, &answer, &err);
		git_libgit2_shutdown();
	}
	if (rc < 0)
		fprintf(stderr, "%s\n", zp_error_text(&err));
	zp_autofree char *out = answer ? cJSON_PrintUnformatted(answer) : NULL;
	if (out)
		puts(out);
	cJSON_Delete(answer);
	cJSON_Delete(object);
	return rc < 0 ? 1 : 0;
}

#include "state/backends/git_remote.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "state/backend.h"

#define MAX_CREDENTIAL_ATTEMPTS 3

int state_git_place_failed(const char *doing, struct zp_error *err)
{
	const git_error *last = git_error_last();

	return zp_error_set(
		err, "git, %s: %s", doing, last && last->message ? last->message : "failed");
}

static const char *local_path(const char *url)
{
	if (strncmp(url, "file://", 7) == 0)
		return url + 7;
	return strstr(url, "://") || (strchr(url, ':') && *url != '/' && *url != '.') ? NULL : url;
}

static void start_library(void)
{
	git_libgit2_init();
	git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
}

static int open_direct(struct state_git_place *place, const char *path, struct zp_error *err)
{
	if (git_repository_open_ext(&place->repository, path, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL) <
		0)
		return state_git_place_failed(path, err);
	place->direct = true;
	return 0;
}

/* One per address, so that a fetch brings only what is new. */
static int open_cache(struct state_git_place *place, struct zp_error *err)
{
	const char *data = getenv("TF_DATA_DIR");
	zp_autofree char *name = zp_format(
		"git-%016llx", (unsigned long long)zp_str_hash(zp_str(place->access.url)));
	zp_autofree char *path = zp_path_join(data && *data ? data : ".terraform", name);

	if (zp_mkdirs(path, 0700, err) < 0)
		return -1;
	if (git_repository_open_bare(&place->repository, path) == 0 ||
		git_repository_init(&place->repository, path, true) == 0)
		return 0;
	return state_git_place_failed("making the local copy", err);
}

int state_git_place_open(
	struct state_git_place *place, const struct state_git_access *access, struct zp_error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	const char *path = local_path(access->url);

	pthread_once(&once, start_library);
	*place = (struct state_git_place){ .access = *access, .lock_fd = -1 };
	return path ? open_direct(place, path, err) : open_cache(place, err);
}

void state_git_place_release(struct state_git_place *place)
{
	git_repository_free(place->repository);
	place->repository = NULL;
}

static int give_credential(git_credential **out, const char *url, const char *user_of_url,
	unsigned allowed, void *data)
{
	struct state_git_place *place = data;
	const struct state_git_access *access = &place->access;
	const char *user = access->username ? access->username : user_of_url ? user_of_url : "git";

	(void)url;
	if (place->credential_attempts++ >= MAX_CREDENTIAL_ATTEMPTS) {
		git_error_set_str(GIT_ERROR_NET, "the server did not accept the credentials");
		return GIT_EAUTH;
	}
	if (allowed & GIT_CREDENTIAL_USERNAME)
		return git_credential_username_new(out, user);
	if ((allowed & GIT_CREDENTIAL_SSH_KEY) && access->ssh_key)
		return git_credential_ssh_key_new(
			out, user, NULL, access->ssh_key, access->ssh_key_passphrase);
	if (allowed & GIT_CREDENTIAL_SSH_KEY)
		return git_credential_ssh_key_from_agent(out, user);
	if ((allowed & GIT_CREDENTIAL_USERPASS_PLAINTEXT) && access->token)
		return git_credential_userpass_plaintext_new(out, user, access->token);
	git_error_set_str(GIT_ERROR_NET,
		"the server wants credentials: set token (or ZPLAN_GIT_TOKEN), or ssh_key");
	return GIT_EAUTH;
}

struct refusal {
	struct state_git_place *place;
	char *reason; /* heap */
};

static int give_credential_for_push(
	git_credential **out, const char *url, const char *user, unsigned allowed, void *data)
{
	return give_credential(out, url, user, allowed, ((struct refusal *)data)->place);
}

static int note_refusal(const char *ref, const char *status, void *data)
{
	struct refusal *refusal = data;

	(void)ref;
	if (status && !refusal->reason)
		refusal->reason = zp_strdup(status);
	return 0;
}

static int connect_remote(struct state_git_place *place, git_remote **remote, struct zp_error *err)
{
	git_remote_callbacks callbacks;

	git_remote_init_callbacks(&callbacks, GIT_REMOTE_CALLBACKS_VERSION);
	callbacks.credentials = give_credential;
	callbacks.payload = place;
	place->credential_attempts = 0;
	if (git_remote_create_anonymous(remote, place->repository, place->access.url) < 0)
		return state_git_place_failed("opening the remote", err);
	if (git_remote_connect(*remote, GIT_DIRECTION_FETCH, &callbacks, NULL, NULL) == 0)
		return 0;
	git_remote_free(*remote);
	*remote = NULL;
	return state_git_place_failed("connecting", err);
}

static bool find_head(git_remote *remote, const char *ref, git_oid *oid)
{
	const git_remote_head **heads;
	size_t count;

	if (git_remote_ls(&heads, &count, remote) < 0)
		return false;
	for (size_t i = 0; i < count; i++)
		if (strcmp(heads[i]->name, ref) == 0) {
			git_oid_cpy(oid, &heads[i]->oid);
			return true;
		}
	return false;
}

/* Into a ref of this run's own: runs that share the copy do not get in each other's way. */
static int fetch(
	struct state_git_place *place, git_remote *remote, const char *ref, struct zp_error *err)
{
	git_fetch_options options;
	zp_autofree char *mine = zp_format(
		"refs/runs/%ld-%p/%s", (long)getpid(), (void *)place, ref + strlen("refs/"));
	zp_autofree char *kept = zp_format("refs/kept/%s", ref + strlen("refs/"));
	zp_autofree char *spec = zp_format("+%s:%s", ref, mine);
	char *specs[] = { spec };
	git_strarray array = { specs, 1 };
	git_reference *reference = NULL;

	git_fetch_options_init(&options, GIT_FETCH_OPTIONS_VERSION);
	options.callbacks.credentials = give_credential;
	options.callbacks.payload = place;
	options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
	options.update_fetchhead = 0;
	if (git_remote_fetch(remote, &array, &options, NULL) < 0)
		return state_git_place_failed("fetching", err);
	if (git_reference_lookup(&reference, place->repository, mine) == 0) {
		git_reference *copy = NULL;
		/* Only so that later fetches know what is here: whoever is first may have it. */
		git_reference_create(
			&copy, place->repository, kept, git_reference_target(reference), 1, NULL);
		git_reference_free(copy);
		git_reference_delete(reference);
		git_reference_free(reference);
	}
	return 0;
}

int state_git_place_read(struct state_git_place *place, const char *ref, git_oid *oid, bool *found,
	struct zp_error *err)
{
	*found = false;
	if (place->direct) {
		int rc = git_reference_name_to_id(oid, place->repository, ref);
		*found = rc == 0;
		return rc == 0 || rc == GIT_ENOTFOUND
			       ? 0
			       : state_git_place_failed("reading the branch", err);
	}
	git_remote *remote = NULL;
	if (connect_remote(place, &remote, err) < 0)
		return -1;
	*found = find_head(remote, ref, oid);
	git_odb *odb = NULL;
	bool here = *found && git_repository_odb(&odb, place->repository) == 0 &&
		    git_odb_exists(odb, oid);
	int rc = *found && !here ? fetch(place, remote, ref, err) : 0;
	git_odb_free(odb);
	git_remote_disconnect(remote);
	git_remote_free(remote);
	return rc;
}

static int conflict(struct zp_error *err)
{
	return zp_error_code(err, STATE_CONFLICT,
		"the repository was changed by another program since this "
		"run read it");
}

/*
 * Between the comparison and the change nobody else of us comes: a lock on a file in the
 * repository. git itself is kept out by the comparison that libgit2 repeats under the ref's own
 * lock.
 */
static int update_direct(struct state_git_place *place, const char *ref, const git_oid *now,
	const git_oid *before, struct zp_error *err)
{
	zp_autofree char *path =
		zp_format("%szplan.lock", git_repository_commondir(place->repository));
	zp_autoclose int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	git_reference *reference = NULL;
	git_oid there;

	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		return zp_error_errno(err, "lock %s", path);
	int rc = git_reference_name_to_id(&there, place->repository, ref);
	bool is_as_before = before ? rc == 0 && git_oid_equal(&there, before) : rc == GIT_ENOTFOUND;
	if (!is_as_before)
		return conflict(err);
	if (!now)
		rc = git_reference_remove(place->repository, ref);
	else if (before)
		rc = git_reference_create_matching(
			&reference, place->repository, ref, now, 1, before, "zplan");
	else
		rc = git_reference_create(&reference, place->repository, ref, now, 0, "zplan");
	git_reference_free(reference);
	if (rc == GIT_EMODIFIED || rc == GIT_EEXISTS)
		return conflict(err);
	return rc < 0 ? state_git_place_failed("updating the branch", err) : 0;
}

/* The server compares with what it advertised when the push began; that it is what we know is seen
 * to here. */
static int push(struct state_git_place *place, const char *spec, struct zp_error *err)
{
	git_push_options options;
	struct refusal refusal = { .place = place };
	char *specs[] = { (char *)spec };
	git_strarray array = { specs, 1 };
	git_remote *remote = NULL;

	place->credential_attempts = 0;
	if (git_remote_create_anonymous(&remote, place->repository, place->access.url) < 0)
		return state_git_place_failed("opening the remote", err);
	git_push_options_init(&options, GIT_PUSH_OPTIONS_VERSION);
	options.callbacks.credentials = give_credential_for_push;
	options.callbacks.push_update_reference = note_refusal;
	options.callbacks.payload = &refusal;
	int rc = git_remote_push(remote, &array, &options);
	git_remote_free(remote);
	if (rc == GIT_ENONFASTFORWARD ||
		(rc == 0 && refusal.reason &&
			(strstr(refusal.reason, "fast") || strstr(refusal.reason, "lock") ||
				strstr(refusal.reason, "exist") ||
				strstr(refusal.reason, "update ref") ||
				strstr(refusal.reason, "fetch first"))))
		rc = conflict(err);
	else if (rc < 0)
		rc = state_git_place_failed("pushing", err);
	else if (refusal.reason)
		rc = zp_error_set(err, "git, pushing: the server refused: %s", refusal.reason);
	free(refusal.reason);
	return rc;
}

int state_git_place_update(struct state_git_place *place, const char *ref, const git_oid *now,
	const git_oid *before, struct zp_error *err)
{
	git_reference *reference = NULL;
	git_oid there;
	bool found;

	if (place->direct)
		return update_direct(place, ref, now, before, err);
	if (state_git_place_read(place, ref, &there, &found, err) < 0)
		return -1;
	if (before ? !found || !git_oid_equal(&there, before) : found)
		return conflict(err);
	/* What is pushed needs a name here. */
	zp_autofree char *mine = zp_format("refs/runs/%ld-%p/push", (long)getpid(), (void *)place);
	if (now && git_reference_create(&reference, place->repository, mine, now, 1, NULL) < 0)
		return state_git_place_failed("naming the commit", err);
	zp_autofree char *spec = zp_format("%s:%s", now ? mine : "", ref);
	int rc = push(place, spec, err);
	if (reference)
		git_reference_delete(reference);
	git_reference_free(reference);
	return rc;
}

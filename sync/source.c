#include "sync/source.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/process.h"

static cJSON *request(const struct sync_place *place, const char *operation)
{
	const struct sync_repository *repository = place->repository;
	const struct {
		const char *name, *text;
	} members[] = {
		{ "operation", operation },
		{ "url", repository->url },
		{ "ref", place->ref },
		{ "username", repository->username },
		{ "token", repository->token },
		{ "ssh_key", repository->ssh_key },
		{ "ssh_passphrase", repository->ssh_passphrase },
		{ "known_hosts", repository->known_hosts },
		{ "ca_file", repository->ca_file },
		{ "allowed_signers", repository->allowed_signers },
		{ "allowed_gpg_keys", repository->allowed_gpg_keys },
	};
	cJSON *object = cJSON_CreateObject();

	for (size_t i = 0; i < ZP_ARRAY_SIZE(members); i++)
		if (members[i].text)
			cJSON_AddStringToObject(object, members[i].name, members[i].text);
	cJSON_AddBoolToObject(object, "require_signed", repository->require_signed);
	/* One copy for all who read from the same address. */
	zp_autofree char *cache = zp_format("%s/repositories/%016llx.git", place->data_dir,
		(unsigned long long)zp_str_hash(zp_str(repository->url)));
	cJSON_AddStringToObject(object, "cache", cache);
	return object;
}

/* Asks the process; its answer, or NULL. */
static cJSON *converse(const struct sync_place *place, cJSON *question, struct zp_error *err)
{
	zp_autofree char *text = cJSON_PrintUnformatted(question);
	const char *const argv[] = { place->program, "sync", "fetch", NULL };
	struct zp_process_options options = { .input = zp_str(text),
		.timeout_ms = place->repository->timeout_ms };
	struct zp_process_result result = { 0 };
	zp_autoerror failure = ZP_ERROR_INIT;
	cJSON *answer = NULL;

	cJSON_Delete(question);
	int rc = zp_run(argv, &options, &result, &failure);
	if (rc == 0)
		answer = cJSON_ParseWithLength(result.out.ptr ? result.out.ptr : "", result.out.len);
	struct zp_str words = zp_buf_slice(&result.err);
	while (words.len && words.ptr[words.len - 1] == '\n')
		words.len--;
	if (rc < 0 && result.status == 1 && words.len)
		zp_error_set(err, "%s: %.*s", place->repository->url, ZP_FMT(words));
	else if (rc < 0)
		zp_error_set(err, "%s: %s", place->repository->url, zp_error_text(&failure));
	else if (!answer)
		zp_error_set(err, "%s: the answer of zplan sync fetch can not be read",
			place->repository->url);
	zp_process_result_release(&result);
	return answer;
}

static char *text_of(const cJSON *object, const char *name)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));

	return zp_strdup(text ? text : "");
}

int sync_source_fetch(const struct sync_place *place, struct sync_commit *commit,
	struct zp_error *err)
{
	cJSON *answer = converse(place, request(place, "fetch"), err);

	*commit = (struct sync_commit){ 0 };
	if (!answer)
		return -1;
	zp_autofree char *id = text_of(answer, "commit");
	snprintf(commit->id, sizeof(commit->id), "%s", id);
	commit->subject = text_of(answer, "subject");
	commit->author = text_of(answer, "author");
	cJSON_Delete(answer);
	return 0;
}

void sync_commit_release(struct sync_commit *commit)
{
	free(commit->subject);
	free(commit->author);
	*commit = (struct sync_commit){ 0 };
}

int sync_source_checkout(const struct sync_place *place, const char *commit, const char *folder,
	struct zp_error *err)
{
	zp_autofree char *fresh = zp_format("%s.new", folder);
	cJSON *question = request(place, "checkout");

	cJSON_AddStringToObject(question, "commit", commit);
	cJSON_AddStringToObject(question, "tree", fresh);
	if (zp_remove_tree(fresh, err) < 0 || zp_mkdirs(fresh, 0700, err) < 0) {
		cJSON_Delete(question);
		return -1;
	}
	cJSON *answer = converse(place, question, err);
	if (!answer)
		return -1;
	cJSON_Delete(answer);
	if (zp_remove_tree(folder, err) < 0)
		return -1;
	return rename(fresh, folder) < 0 ? zp_error_errno(err, "rename %s", fresh) : 0;
}

/* Whose signature a commit carries: the programs that make signatures check them. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/process.h"
#include "sync/fetch_internal.h"

#define TIMEOUT_MS 20000

/* Text in a file of its own, for programs that want a name; removed by the caller. Heap path or NULL. */
static char *write_aside(struct zp_str text, struct zp_error *err)
{
	char path[] = "/tmp/zplan-signature-XXXXXX";
	zp_autoclose int fd = mkstemp(path);

	if (fd < 0) {
		zp_error_errno(err, "mkstemp");
		return NULL;
	}
	if (zp_write_all(fd, text.ptr, text.len, err) == 0)
		return zp_strdup(path);
	unlink(path);
	return NULL;
}

static int run_with(const char *const argv[], struct zp_str input, struct zp_process_result *result)
{
	return zp_run(argv, &(struct zp_process_options){ .input = input, .timeout_ms = TIMEOUT_MS }, result,
		NULL);
}

static int check_ssh(const struct sync_request *request, const char *signature, struct zp_str data,
	struct zp_error *err)
{
	const char *const find[] = { "ssh-keygen", "-Y", "find-principals", "-f", request->allowed_signers,
		"-s", signature, NULL };
	struct zp_process_result found = { 0 }, checked = { 0 };

	if (!request->allowed_signers)
		return zp_error_set(err, "it is signed with ssh, and allowed_signers is not set");
	int rc = run_with(find, zp_strn(NULL, 0), &found);
	struct zp_str out = zp_buf_slice(&found.out);
	zp_autofree char *who = zp_strndup(out.ptr, out.len ? strcspn(out.ptr, ",\n") : 0);
	const char *const verify[] = { "ssh-keygen", "-Y", "verify", "-f", request->allowed_signers, "-I",
		who, "-n", "git", "-s", signature, NULL };
	if (rc < 0 || !*who)
		rc = zp_error_set(err, "its signer is not among those of %s", request->allowed_signers);
	else if (run_with(verify, data, &checked) < 0)
		rc = zp_error_set(err, "the signature of %s does not hold", who);
	zp_process_result_release(&found);
	zp_process_result_release(&checked);
	return rc;
}

/* The keys in the form gpgv takes. Heap path or NULL. */
static char *binary_keys(const struct sync_request *request, struct zp_error *err)
{
	const char *const argv[] = { "gpg", "--batch", "--no-default-keyring", "--dearmor", NULL };
	struct zp_process_result result = { 0 };
	zp_autobuf keys = ZP_BUF_INIT;
	char *path = NULL;

	if (zp_file_read(request->allowed_gpg_keys, (size_t)16 << 20, &keys, err) < 0)
		return NULL;
	if (!zp_str_starts(zp_buf_slice(&keys), "-----BEGIN"))
		return write_aside(zp_buf_slice(&keys), err);
	if (run_with(argv, zp_buf_slice(&keys), &result) == 0)
		path = write_aside(zp_buf_slice(&result.out), err);
	else
		zp_error_set(err, "%s holds no exported keys", request->allowed_gpg_keys);
	zp_process_result_release(&result);
	return path;
}

static int check_gpg(const struct sync_request *request, const char *signature, struct zp_str data,
	struct zp_error *err)
{
	struct zp_process_result result = { 0 };

	if (!request->allowed_gpg_keys)
		return zp_error_set(err, "it is signed with gpg, and allowed_gpg_keys is not set");
	zp_autofree char *keys = binary_keys(request, err);
	if (!keys)
		return -1;
	const char *const argv[] = { "gpgv", "--status-fd", "1", "--keyring", keys, signature, "-", NULL };
	int rc = run_with(argv, data, &result);
	const char *said = zp_buf_slice(&result.out).ptr;
	if (rc < 0 || !strstr(said, "[GNUPG:] GOODSIG ") || !strstr(said, "[GNUPG:] VALIDSIG "))
		rc = zp_error_set(err, "it is not signed by a key of %s", request->allowed_gpg_keys);
	zp_process_result_release(&result);
	unlink(keys);
	return rc;
}

int sync_check_signature(const struct sync_request *request, git_repository *repository,
	const git_oid *commit, struct zp_error *err)
{
	git_buf signature = { 0 }, data = { 0 };
	char id[GIT_OID_HEXSZ + 1];
	git_oid oid = *commit;

	git_oid_tostr(id, sizeof(id), commit);
	int rc = git_commit_extract_signature(&signature, &data, repository, &oid, NULL);
	if (rc < 0)
		return zp_error_set(err, "commit %.12s is not signed, and require_signed is set", id);
	char *path = write_aside(zp_strn(signature.ptr, signature.size), err);
	bool ssh = strncmp(signature.ptr, "-----BEGIN SSH", 14) == 0;
	struct zp_str text = zp_strn(data.ptr, data.size);
	rc = !path ? -1 : ssh ? check_ssh(request, path, text, err) : check_gpg(request, path, text, err);
	if (path)
		unlink(path);
	free(path);
	git_buf_dispose(&signature);
	git_buf_dispose(&data);
	return rc < 0 ? zp_error_wrap(err, "commit %.12s", id) : 0;
}

/* Who we are to a server, and who it is to us. */
#include <stdlib.h>
#include <sodium.h>

#include "base/alloc.h"
#include "base/process.h"
#include "sync/fetch_internal.h"

#define MAX_ATTEMPTS 3

static int refuse(const char *why)
{
	git_error_set_str(GIT_ERROR_NET, why);
	return GIT_EAUTH;
}

static int give_credential(git_credential **out, const char *url, const char *user_of_url,
	unsigned allowed, void *data)
{
	struct sync_request *request = data;
	const char *user = request->username ? request->username : user_of_url ? user_of_url : "git";

	(void)url;
	if (request->attempts++ >= MAX_ATTEMPTS)
		return refuse("the server did not accept the credentials");
	if (allowed & GIT_CREDENTIAL_USERNAME)
		return git_credential_username_new(out, user);
	if ((allowed & GIT_CREDENTIAL_SSH_KEY) && request->ssh_key)
		return git_credential_ssh_key_new(out, user, NULL, request->ssh_key, request->ssh_passphrase);
	if (allowed & GIT_CREDENTIAL_SSH_KEY)
		return git_credential_ssh_key_from_agent(out, user);
	if ((allowed & GIT_CREDENTIAL_USERPASS_PLAINTEXT) && request->token)
		return git_credential_userpass_plaintext_new(out, user, request->token);
	return refuse("the server wants credentials: set token, or ssh_key");
}

/* "[host]:port" where the address names another port than ssh's. Heap. */
static char *host_in_file(const char *url, const char *host)
{
	const char *rest = strncmp(url, "ssh://", 6) == 0 ? url + 6 : NULL;
	const char *at = rest ? strpbrk(rest, "@/") : NULL;

	if (at && *at == '@')
		rest = at + 1;
	const char *colon = rest ? strpbrk(rest, ":/") : NULL;
	if (!colon || *colon != ':' || strncmp(colon, ":22/", 4) == 0)
		return zp_strdup(host);
	return zp_format("[%s]:%.*s", host, (int)strspn(colon + 1, "0123456789"), colon + 1);
}

/* Whether a line of known_hosts gives this key, in base64; revoked keys and authorities do not count. */
static bool line_has_key(struct zp_str line, const char *key, bool *revoked)
{
	zp_autofree char *text = zp_strndup(line.ptr, line.len);
	char *save = NULL, *word = strtok_r(text, " \t", &save);
	bool marked = word && *word == '@';

	if (!word || *word == '#')
		return false;
	bool is_revoked = marked && strcmp(word, "@revoked") == 0;
	for (; (word = strtok_r(NULL, " \t", &save));) {
		if (strcmp(word, key) != 0)
			continue;
		*revoked |= is_revoked;
		return !marked;
	}
	return false;
}

/* ssh-keygen finds the lines: it knows names that are hashed, and patterns. */
static int check_host_key(const struct sync_request *request, const git_cert_hostkey *cert,
	const char *host)
{
	zp_autofree char *name = host_in_file(request->url, host);
	const char *const argv[] = { "ssh-keygen", "-F", name, "-f", request->known_hosts, NULL };
	struct zp_process_result result = { 0 };
	char key[4096];
	bool known = false, revoked = false;

	if (!(cert->type & GIT_CERT_SSH_RAW) ||
		sodium_base64_ENCODED_LEN(cert->hostkey_len, sodium_base64_VARIANT_ORIGINAL) > sizeof(key))
		return refuse("the server's key can not be read");
	sodium_bin2base64(key, sizeof(key), (const unsigned char *)cert->hostkey, cert->hostkey_len,
		sodium_base64_VARIANT_ORIGINAL);
	zp_run(argv, &(struct zp_process_options){ .timeout_ms = 10000 }, &result, NULL);
	struct zp_str rest = zp_buf_slice(&result.out);
	while (rest.len) {
		const char *newline = memchr(rest.ptr, '\n', rest.len);
		size_t length = newline ? (size_t)(newline - rest.ptr) : rest.len;
		known |= line_has_key(zp_strn(rest.ptr, length), key, &revoked);
		rest.ptr += length + (newline != NULL);
		rest.len -= length + (newline != NULL);
	}
	zp_process_result_release(&result);
	if (known && !revoked)
		return 0;
	zp_autofree char *why = zp_format("the key of host %s is not the one in %s: if the server is the right "
		"one, add its key to that file", name, request->known_hosts);
	git_error_set_str(GIT_ERROR_NET, why);
	return GIT_ECERTIFICATE;
}

static int check_certificate(git_cert *cert, int valid, const char *host, void *data)
{
	const struct sync_request *request = data;

	if (cert->cert_type == GIT_CERT_HOSTKEY_LIBSSH2 && request->known_hosts)
		return check_host_key(request, (const git_cert_hostkey *)cert, host);
	if (valid)
		return 0;
	git_error_set_str(GIT_ERROR_NET, cert->cert_type == GIT_CERT_HOSTKEY_LIBSSH2 ?
		"the server's key is not known: set known_hosts" :
		"the server's certificate is not trusted: set ca_file");
	return GIT_ECERTIFICATE;
}

void sync_remote_callbacks(git_remote_callbacks *callbacks, struct sync_request *request)
{
	git_remote_init_callbacks(callbacks, GIT_REMOTE_CALLBACKS_VERSION);
	callbacks->credentials = give_credential;
	callbacks->certificate_check = check_certificate;
	callbacks->payload = request;
	request->attempts = 0;
}

#include "providers/gateway/certificate.h"

#include <errno.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"

#define DAY 86400L
#define AUTHORITY_DAYS 3650L
/* The longest that common clients accept. */
#define NAME_DAYS 397L
#define RENEW_DAYS 30L
#define FILE_LIMIT ((size_t)64 * 1024)
/* X.509 bounds a common name; longer names stand in the alternative names alone. */
#define COMMON_NAME_MAX 64
/* Of the certificate for whoever asks for a name that is not served. */
#define OTHER_NAME "gateway.invalid"

static void free_key(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

static void free_x509(X509 **x509)
{
	X509_free(*x509);
}

static void free_bio(BIO **bio)
{
	BIO_free(*bio);
}

#define autokey zp_cleanup(free_key) EVP_PKEY
#define autox509 zp_cleanup(free_x509) X509
#define autobio zp_cleanup(free_bio) BIO

static int openssl_error(struct zp_error *err, const char *what)
{
	unsigned long code = ERR_get_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;

	ERR_clear_error();
	return zp_error_set(err, "%s: %s", what, reason ? reason : "OpenSSL failed");
}

static int add_extension(X509 *x509, X509 *issuer, int nid, const char *value, struct zp_error *err)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;
	int ok;

	X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
	X509V3_set_ctx_nodb(&context);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	if (!extension)
		return openssl_error(err, "making a certificate's extension");
	ok = X509_add_ext(x509, extension, -1);
	X509_EXTENSION_free(extension);
	return ok ? 0 : openssl_error(err, "adding a certificate's extension");
}

/* 126 random bits: positive, and never met twice. */
static int set_serial(X509 *x509, struct zp_error *err)
{
	unsigned char bytes[16];
	BIGNUM *number;
	int ok;

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		return openssl_error(err, "random serial number");
	bytes[0] = (unsigned char)((bytes[0] & 0x3f) | 0x40);
	number = BN_bin2bn(bytes, sizeof(bytes), NULL);
	ok = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509));
	BN_free(number);
	return ok ? 0 : openssl_error(err, "serial number");
}

/* Unsigned, without extensions; starts an hour ago, for clocks that are behind. */
static X509 *new_certificate(
	EVP_PKEY *key, const char *common_name, X509 *issuer, long days, struct zp_error *err)
{
	autox509 *x509 = X509_new();
	X509_NAME *subject = x509 ? X509_get_subject_name(x509) : NULL;

	if (!x509 || set_serial(x509, err) < 0)
		return NULL;
	if (strlen(common_name) <= COMMON_NAME_MAX &&
		!X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
			(const unsigned char *)common_name, -1, -1, 0)) {
		openssl_error(err, "certificate's name");
		return NULL;
	}
	if (!X509_set_version(x509, X509_VERSION_3) ||
		!X509_gmtime_adj(X509_getm_notBefore(x509), -3600) ||
		!X509_gmtime_adj(X509_getm_notAfter(x509), days * DAY) ||
		!X509_set_issuer_name(x509, issuer ? X509_get_subject_name(issuer) : subject) ||
		!X509_set_pubkey(x509, key)) {
		openssl_error(err, "making a certificate");
		return NULL;
	}
	return zp_steal(x509);
}

static int write_pem(
	const char *path, EVP_PKEY *key, X509 *first, X509 *second, struct zp_error *err)
{
	autobio *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	long len;
	int rc;

	if (!bio || (key && !PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL)) ||
		(first && !PEM_write_bio_X509(bio, first)) ||
		(second && !PEM_write_bio_X509(bio, second)))
		return openssl_error(err, "writing a certificate");
	len = BIO_get_mem_data(bio, &text);
	rc = zp_file_write_atomic(path, zp_strn(text, (size_t)len), 0600, err);
	if (key)
		OPENSSL_cleanse(text, (size_t)len);
	return rc;
}

/* Key and first certificate of a file, either may be NULL if not asked for; false when not there.
 */
static bool read_pem(const char *path, EVP_PKEY **key, X509 **x509)
{
	zp_autobuf text = ZP_BUF_INIT;
	autobio *bio = NULL;
	bool ok;

	if (zp_file_read(path, FILE_LIMIT, &text, NULL) < 0 || text.len == 0)
		return false;
	bio = BIO_new_mem_buf(text.ptr, (int)text.len);
	if (!bio)
		return false;
	if (key)
		*key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	if (x509)
		*x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	ok = (!key || *key) && (!x509 || *x509);
	ERR_clear_error();
	OPENSSL_cleanse(text.ptr, text.len);
	return ok;
}

static bool expires_soon(const X509 *x509)
{
	time_t limit = time(NULL) + RENEW_DAYS * DAY;

	return X509_cmp_time(X509_get0_notAfter(x509), &limit) <= 0;
}

static int make_authority(const char *key_path, const char *path, const char *name, EVP_PKEY **key,
	X509 **x509, struct zp_error *err)
{
	*key = EVP_EC_gen("P-256");
	if (!*key)
		return openssl_error(err, "making the authority's key");
	*x509 = new_certificate(*key, name, NULL, AUTHORITY_DAYS, err);
	if (!*x509 ||
		add_extension(*x509, *x509, NID_basic_constraints, "critical,CA:TRUE,pathlen:0",
			err) < 0 ||
		add_extension(*x509, *x509, NID_key_usage, "critical,keyCertSign,cRLSign", err) <
			0 ||
		add_extension(*x509, *x509, NID_subject_key_identifier, "hash", err) < 0)
		return -1;
	if (!X509_sign(*x509, *key, EVP_sha256()))
		return openssl_error(err, "signing the authority");
	/* The key first: a certificate without its key would be of no use to anyone. */
	if (write_pem(key_path, *key, NULL, NULL, err) < 0)
		return -1;
	return write_pem(path, NULL, *x509, NULL, err);
}

static int get_authority(
	const char *folder, const char *name, EVP_PKEY **key, X509 **x509, struct zp_error *err)
{
	zp_autofree char *key_path = zp_path_join(folder, "ca.key");
	zp_autofree char *path = zp_path_join(folder, "ca.pem");

	if (read_pem(key_path, key, NULL) && read_pem(path, NULL, x509) &&
		X509_check_private_key(*x509, *key) == 1 && !expires_soon(*x509))
		return 0;
	ERR_clear_error();
	EVP_PKEY_free(zp_steal(*key));
	X509_free(zp_steal(*x509));
	if (make_authority(key_path, path, name, key, x509, err) < 0)
		return zp_error_wrap(err, "making the gateway's certificate authority");
	return 0;
}

static int make_named(const char *path, const char *fqdn, EVP_PKEY *authority_key, X509 *authority,
	struct zp_error *err)
{
	zp_autofree char *alternative = zp_format("DNS:%s", fqdn);
	autokey *key = EVP_EC_gen("P-256");
	autox509 *x509 = NULL;

	if (!key)
		return openssl_error(err, "making a key");
	x509 = new_certificate(key, fqdn, authority, NAME_DAYS, err);
	if (!x509 ||
		add_extension(x509, authority, NID_basic_constraints, "critical,CA:FALSE", err) <
			0 ||
		add_extension(x509, authority, NID_key_usage, "critical,digitalSignature", err) <
			0 ||
		add_extension(x509, authority, NID_ext_key_usage, "serverAuth", err) < 0 ||
		add_extension(x509, authority, NID_subject_alt_name, alternative, err) < 0 ||
		add_extension(x509, authority, NID_subject_key_identifier, "hash", err) < 0 ||
		add_extension(x509, authority, NID_authority_key_identifier, "keyid:always", err) <
			0)
		return -1;
	if (!X509_sign(x509, authority_key, EVP_sha256()))
		return openssl_error(err, "signing");
	return write_pem(path, key, x509, authority, err);
}

static bool is_current(const char *path, const char *fqdn, EVP_PKEY *authority_key)
{
	autokey *key = NULL;
	autox509 *x509 = NULL;
	bool current = read_pem(path, &key, &x509) && X509_check_private_key(x509, key) == 1 &&
		       X509_verify(x509, authority_key) == 1 &&
		       X509_check_host(x509, fqdn, 0, 0, NULL) == 1 && !expires_soon(x509);

	ERR_clear_error();
	return current;
}

char *provider_certificate_path(const char *folder, const char *fqdn)
{
	return zp_format("%s/certs/%s.pem", folder, fqdn);
}

static int ensure_at(const char *path, const char *folder, const char *authority, const char *fqdn,
	struct zp_error *err)
{
	zp_autofree char *certs = zp_path_join(folder, "certs");
	autokey *authority_key = NULL;
	autox509 *authority_x509 = NULL;

	if (zp_mkdirs(certs, 0700, err) < 0 ||
		get_authority(folder, authority, &authority_key, &authority_x509, err) < 0)
		return -1;
	if (is_current(path, fqdn, authority_key))
		return 0;
	if (make_named(path, fqdn, authority_key, authority_x509, err) < 0)
		return zp_error_wrap(err, "making a certificate for %s", fqdn);
	return 0;
}

int provider_certificate_ensure(
	const char *folder, const char *authority, const char *fqdn, struct zp_error *err)
{
	zp_autofree char *path = provider_certificate_path(folder, fqdn);

	return ensure_at(path, folder, authority, fqdn, err);
}

char *provider_certificate_other_path(const char *folder)
{
	return zp_path_join(folder, "other.pem");
}

int provider_certificate_ensure_other(
	const char *folder, const char *authority, struct zp_error *err)
{
	zp_autofree char *path = provider_certificate_other_path(folder);

	return ensure_at(path, folder, authority, OTHER_NAME, err);
}

char *provider_certificate_authority(const char *folder, struct zp_error *err)
{
	zp_autofree char *path = zp_path_join(folder, "ca.pem");
	zp_autobuf text = ZP_BUF_INIT;

	return zp_file_read(path, FILE_LIMIT, &text, err) < 0 ? NULL : zp_buf_steal(&text);
}

bool provider_certificate_serves(const char *path, const char *fqdn)
{
	autokey *key = NULL;
	autox509 *x509 = NULL;
	/* Either may come first in a file that was put together by hand. */
	bool serves = read_pem(path, &key, NULL) && read_pem(path, NULL, &x509) &&
		      X509_check_private_key(x509, key) == 1 &&
		      (!fqdn || X509_check_host(x509, fqdn, 0, 0, NULL) == 1) &&
		      X509_cmp_current_time(X509_get0_notAfter(x509)) > 0;

	ERR_clear_error();
	return serves;
}

/*
 * Certificates for names whose TLS ends at the gateway: a private authority of the node (EC P-256,
 * made once: <folder>/ca.key, <folder>/ca.pem) and one certificate per name signed by it
 * (<folder>/certs/<name>.pem: key, certificate, authority, as HAProxy takes them). Files are 0600
 * and replaced whole.
 */
#ifndef PROVIDER_GATEWAY_CERTIFICATE_H
#define PROVIDER_GATEWAY_CERTIFICATE_H

#include <stdbool.h>

#include "base/error.h"

/*
 * Makes the authority and the name's certificate where they are missing, unreadable, of another
 * authority, or expire within 30 days. authority is the name of one made now.
 */
int provider_certificate_ensure(
	const char *folder, const char *authority, const char *fqdn, struct zp_error *err);
/* Where the name's certificate is; heap. */
char *provider_certificate_path(const char *folder, const char *fqdn);
/* The same for whoever asks for a name that is not served: <folder>/other.pem. */
int provider_certificate_ensure_other(
	const char *folder, const char *authority, struct zp_error *err);
char *provider_certificate_other_path(const char *folder);
/* The authority's certificate as PEM text, heap; NULL with err. */
char *provider_certificate_authority(const char *folder, struct zp_error *err);
/*
 * Whether a file with key, certificate and maybe a chain can be used for the name now: it can be
 * read, its parts belong together, it names fqdn (maybe by a wildcard; NULL: whatever it
 * names) and has not expired.
 */
bool provider_certificate_serves(const char *path, const char *fqdn);

#endif

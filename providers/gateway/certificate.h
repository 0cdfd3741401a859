/*
 * Certificates for names whose TLS ends at the gateway: a private authority of the node (EC P-256,
 * made once: <folder>/ca.key, <folder>/ca.pem) and one certificate per name signed by it
 * (<folder>/certs/<name>.pem: key, certificate, authority, as HAProxy takes them). Files are 0600
 * and replaced whole.
 */
#ifndef PROVIDER_GATEWAY_CERTIFICATE_H
#define PROVIDER_GATEWAY_CERTIFICATE_H

#include "base/error.h"

/*
 * Makes the authority and the name's certificate where they are missing, unreadable, of another
 * authority, or expire within 30 days. authority is the name of one made now.
 */
int provider_certificate_ensure(
	const char *folder, const char *authority, const char *fqdn, struct zp_error *err);
/* Where the name's certificate is; heap. */
char *provider_certificate_path(const char *folder, const char *fqdn);
/* Removes the name's certificate; none there is fine. */
int provider_certificate_remove(const char *folder, const char *fqdn, struct zp_error *err);

#endif

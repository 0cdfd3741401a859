/*
 * Modules of a registry, by Terraform's module registry protocol
 * (https://developer.hashicorp.com/terraform/internals/module-registry-protocol).
 *
 *	struct module_release release;
 *	if (module_registry_find(&registry, &address, "~> 1.2", &release, &err) < 0) ...
 *	... release.version, release.source ...
 *	module_release_free(&release);
 */
#ifndef MODULES_REGISTRY_H
#define MODULES_REGISTRY_H

#include "base/error.h"
#include "base/map.h"
#include "modules/address.h"

/* What is known of a host beforehand. */
struct module_host {
	const char *name;    /* "example.com", "example.com:8443" */
	const char *token;   /* or NULL */
	const char *modules; /* address of its modules.v1 service; NULL: it is asked */
};

struct module_registry {
	const struct module_host *hosts;
	size_t host_count;
	struct zp_map services; /* host -> address, heap: what hosts have answered */
};

/* Codes of errors. */
enum {
	MODULE_NOT_IN_REGISTRY = 1,
	MODULE_NO_SUCH_VERSION = 2, /* the error's text is the newest version there is */
	MODULE_MALFORMED_CONSTRAINT = 3,
};

struct module_release {
	char *version;
	char *source; /* as in a module block: what module_address_parse takes */
};

/*
 * The newest version that meets the constraints (NULL: the newest that is no pre-release), and where it is. The
 * address is of kind MODULE_REGISTRY.
 */
int module_registry_find(struct module_registry *registry, const struct module_address *address,
	const char *constraints, struct module_release *release, struct zp_error *err);
void module_release_free(struct module_release *release);
void module_registry_release(struct module_registry *registry);

/*
 * Where a page at an http(s) address says that the module is (header X-Terraform-Get, or <meta
 * name="terraform-get" content="...">). Heap; NULL after an error.
 */
char *module_page_source(const char *url, struct zp_error *err);

#endif

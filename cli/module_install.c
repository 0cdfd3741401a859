#include "cli/module_install.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/intern.h"
#include "cli/run.h"
#include "modules/fetch.h"

/* Pages and registries may name one another, but not without end. */
#define MAX_HOPS 5

/* A module on its way here. */
struct errand {
	struct cli_installer *installer;
	const char *key;
	struct plan_call *call;
	struct zp_diags *diags;
	char *release;	 /* "registry address version", or NULL */
	char *subfolder; /* in the package, as the call and those it was asked of say */
};

static bool is_here(const struct plan_call *call, const struct module_entry *former)
{
	return former && strcmp(former->source, call->canonical) == 0 && zp_is_directory(former->dir) &&
		plan_module_version_fits(call, former);
}

static char *place_of(const struct plan_call *call)
{
	struct zp_position at = zp_source_position(call->range.file, call->range.start);

	return zp_format("%s:%u", call->range.file->name, at.line);
}

static void refuse(const struct errand *errand, const struct module_address *address)
{
	zp_autofree char *shown = module_address_shown(address->package);

	zp_diag_error(errand->diags, errand->call->source_range, "Unsupported module source",
		"The source \"%s\" is of a kind that this version of zplan does not fetch. Modules come from folders "
		"(\"./name\"), registries (\"namespace/name/system\"), git repositories (\"git::https://...\") and "
		"archives (\"https://.../x.zip\"; with \"?archive=zip\" where the name does not say so).", shown);
}

static void report(const struct errand *errand, const struct module_address *address,
	const struct zp_error *err)
{
	zp_autofree char *shown = module_address_shown(address->package);

	zp_diag_error(errand->diags, errand->call->range, "Failed to download module",
		"Could not download module \"%s\" source code from \"%s\": %s.", errand->call->name, shown,
		zp_error_text(err));
}

static void report_registry(const struct errand *errand, const struct module_address *address,
	const struct zp_error *err)
{
	struct plan_call *call = errand->call;
	zp_autofree char *place = place_of(call);
	int host = (int)strcspn(address->package, "/");

	if (err->code == MODULE_NOT_IN_REGISTRY)
		zp_diag_error(errand->diags, call->range, "Module not found",
			"Module \"%s\" (from %s) cannot be found in the module registry at %.*s.", call->name,
			place, host, address->package);
	else if (err->code == MODULE_NO_SUCH_VERSION && *zp_error_text(err))
		zp_diag_error(errand->diags, call->range, "Unresolvable module version constraint",
			"There is no available version of module \"%s\" (%s) which matches the given version "
			"constraint. The newest available version is %s.", call->name, place,
			zp_error_text(err));
	else if (err->code == MODULE_NO_SUCH_VERSION)
		zp_diag_error(errand->diags, call->range, "Module has no versions",
			"Module \"%s\" (%s) has no versions available on %.*s.", call->name, place, host,
			address->package);
	else if (err->code == MODULE_MALFORMED_CONSTRAINT)
		zp_diag_error(errand->diags, call->range, "Invalid version constraint",
			"This string does not use correct version constraint syntax.");
	else
		zp_diag_error(errand->diags, call->range, "Error accessing remote module registry",
			"Failed to retrieve available versions for module \"%s\" (%s) from %.*s: %s.",
			call->name, place, host, address->package, zp_error_text(err));
}

/* Asks the registry; the source it names, on the heap. */
static char *ask_registry(struct errand *errand, const struct module_address *address)
{
	struct module_release release;
	zp_autoerror err = ZP_ERROR_INIT;

	if (module_registry_find(&errand->installer->registry, address, errand->call->version, &release, &err) <
		0) {
		report_registry(errand, address, &err);
		return NULL;
	}
	errand->call->installed_version = zp_intern(zp_str(release.version));
	free(errand->release);
	errand->release = zp_format("%s %s", address->package, release.version);
	printf("Downloading %s %s for %s...\n", address->package, release.version, errand->key);
	char *source = zp_strdup(release.source);
	module_release_free(&release);
	return source;
}

static char *ask_page(const struct errand *errand, const struct module_address *address)
{
	zp_autoerror err = ZP_ERROR_INIT;
	char *source = module_page_source(address->url, &err);

	if (!source)
		report(errand, address, &err);
	return source;
}

/* The outer folder of a package comes before what was asked for within it. */
static void go_deeper(struct errand *errand, const char *outer)
{
	char *inner = errand->subfolder;

	errand->subfolder = *inner ? zp_path_join(outer, inner) : zp_strdup(outer);
	free(inner);
}

static bool fetch(struct errand *errand, const struct module_address *address, const char *dir)
{
	zp_autofree char *shown = module_address_shown(address->package);
	zp_autoerror err = ZP_ERROR_INIT;

	if (!module_path_is_inside(errand->subfolder)) {
		zp_diag_error(errand->diags, errand->call->source_range, "Invalid module source address",
			"The part after \"//\" is a folder of the package: it can not lead out of it.");
		return false;
	}
	if (!errand->release)
		printf("Downloading %s for %s...\n", shown, errand->key);
	fflush(stdout);
	if (module_fetch(address, errand->release, dir, &err) == 0)
		return true;
	report(errand, address, &err);
	return false;
}

/* One step from where the call says to where the module is. False after a diagnostic. */
static bool go(struct errand *errand, const struct module_address *address, const char *dir, int hops)
{
	zp_autofree char *source = NULL;
	struct module_address next;

	go_deeper(errand, address->subfolder);
	if (address->kind == MODULE_GIT || address->kind == MODULE_ARCHIVE)
		return fetch(errand, address, dir);
	/* A registry names packages, never another registry. */
	if (hops < MAX_HOPS && address->kind == MODULE_REGISTRY && !hops)
		source = ask_registry(errand, address);
	else if (hops < MAX_HOPS && address->kind == MODULE_PAGE)
		source = ask_page(errand, address);
	else
		refuse(errand, address);
	if (!source)
		return false;
	module_address_parse(source, &next);
	bool done = go(errand, &next, dir, hops + 1);
	module_address_release(&next);
	return done;
}

/* The subfolder of the package; NULL after a diagnostic when there is none. Heap. */
static char *find_subfolder(const struct errand *errand, const char *dir)
{
	char *inner = *errand->subfolder ? zp_path_join(dir, errand->subfolder) : zp_strdup(dir);

	if (zp_is_directory(inner))
		return inner;
	zp_diag_error(errand->diags, errand->call->source_range, "Module folder not found",
		"The package of module \"%s\" has no folder \"%s\".", errand->call->name, errand->subfolder);
	free(inner);
	return NULL;
}

static char *install(struct plan_module_installer *interface, const char *key, struct plan_call *call,
	const struct module_address *address, const struct module_entry *former, struct zp_diags *diags)
{
	struct cli_installer *installer = (struct cli_installer *)interface;
	zp_autofree char *dir = zp_format("%s/modules/%s", cli_data_dir(), key);
	struct errand errand = { installer, key, call, diags, NULL, zp_strdup("") };
	char *folder = NULL;

	if (is_here(call, former) && !installer->upgrade)
		folder = zp_strdup(former->dir);
	else if (go(&errand, address, dir, 0))
		folder = find_subfolder(&errand, dir);
	if (folder && !is_here(call, former))
		printf("- %s in %s\n", key, folder);
	free(errand.release);
	free(errand.subfolder);
	return folder;
}

bool cli_installer_init(struct cli_installer *installer, bool upgrade, struct zp_diags *diags)
{
	*installer = (struct cli_installer){ .interface = { install }, .upgrade = upgrade };
	bool ok = cli_hosts_load(&installer->hosts, diags);
	installer->registry.hosts = installer->hosts.items;
	installer->registry.host_count = installer->hosts.count;
	return ok;
}

void cli_installer_release(struct cli_installer *installer)
{
	module_registry_release(&installer->registry);
	cli_hosts_release(&installer->hosts);
}

#include "cli/module_install.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/file.h"
#include "cli/run.h"
#include "modules/fetch.h"

static bool is_here(const struct plan_call *call, const struct module_entry *former)
{
	return former && strcmp(former->source, call->canonical) == 0 && zp_is_directory(former->dir) &&
		plan_module_version_fits(call, former);
}

static char *refuse(const struct plan_call *call, const struct module_address *address, struct zp_diags *diags)
{
	zp_autofree char *shown = module_address_shown(address->package);

	if (address->kind == MODULE_REGISTRY)
		zp_diag_error(diags, call->source_range, "Registry modules can not be fetched",
			"The source \"%s\" names a module of a registry, which this version of zplan does not "
			"ask. Name the module's git repository (\"git::https://...?ref=v1.0.0\"), or run "
			"\"terraform get\": zplan uses what that installed.", shown);
	else
		zp_diag_error(diags, call->source_range, "Unsupported module source",
			"The source \"%s\" is of a kind that this version of zplan does not fetch. Modules come "
			"from folders (\"./name\"), git repositories (\"git::https://...\") and archives "
			"(\"https://.../x.zip\"; with \"?archive=zip\" where the name does not say so).", shown);
	return NULL;
}

static void report(const char *key, const struct plan_call *call, const struct module_address *address,
	const struct zp_error *err, struct zp_diags *diags)
{
	zp_autofree char *shown = module_address_shown(address->package);

	zp_diag_error(diags, call->range, "Failed to download module",
		"Could not download module \"%s\" source code from \"%s\": %s.", key, shown,
		zp_error_text(err));
}

/* The subfolder of the package; NULL after a diagnostic when there is none. Heap. */
static char *find_subfolder(const char *dir, const struct plan_call *call,
	const struct module_address *address, struct zp_diags *diags)
{
	char *inner = *address->subfolder ? zp_path_join(dir, address->subfolder) : zp_strdup(dir);

	if (zp_is_directory(inner))
		return inner;
	zp_diag_error(diags, call->source_range, "Module folder not found",
		"The package of module \"%s\" has no folder \"%s\".", call->name, address->subfolder);
	free(inner);
	return NULL;
}

static char *install(struct plan_module_installer *interface, const char *key, struct plan_call *call,
	const struct module_address *address, const struct module_entry *former, struct zp_diags *diags)
{
	const struct cli_installer *installer = (const struct cli_installer *)interface;
	zp_autofree char *shown = module_address_shown(address->package);
	zp_autofree char *dir = zp_format("%s/modules/%s", cli_data_dir(), key);
	zp_autoerror err = ZP_ERROR_INIT;

	bool can_fetch = address->kind == MODULE_GIT || address->kind == MODULE_ARCHIVE;
	if (is_here(call, former) && (!installer->upgrade || !can_fetch))
		return zp_strdup(former->dir);
	if (!can_fetch)
		return refuse(call, address, diags);
	printf("Downloading %s for %s...\n", shown, key);
	fflush(stdout);
	if (module_fetch(address, dir, &err) < 0) {
		report(key, call, address, &err, diags);
		return NULL;
	}
	char *folder = find_subfolder(dir, call, address, diags);
	if (folder)
		printf("- %s in %s\n", key, folder);
	return folder;
}

void cli_installer_init(struct cli_installer *installer, bool upgrade)
{
	*installer = (struct cli_installer){ { install }, upgrade };
}

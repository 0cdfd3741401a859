/* Which folder holds the module that a block calls. */
#include "base/file.h"
#include "base/version.h"
#include "planner/config_internal.h"

/* "a.b" */
static char *make_key(const struct plan_loader *loader, const struct plan_call *call)
{
	const char *parent = loader->module->path;

	return zp_format("%s%s%s", parent, *parent ? "." : "", call->name);
}

/* The list of what was installed. It counts among the configuration's files, so that plan files hold it. */
static void read_manifest(struct plan_loader *loader)
{
	const char *data = getenv("TF_DATA_DIR");
	zp_autofree char *dir = zp_path_join(data && *data ? data : ".terraform", "modules");
	zp_autofree char *path = zp_path_join(dir, "modules.json");
	struct plan_config *config = loader->config;
	zp_autoerror err = ZP_ERROR_INIT;

	if (config->manifest_read)
		return;
	config->manifest_read = true;
	struct zp_source *source = loader->reader->read(loader->reader, path, &err);
	if (!source)
		return;
	struct plan_source_file *file = plan_add_file(config);
	file->path = zp_arena_strdup(loader->arena, path);
	file->source = source;
	module_manifest_read(source->text, &config->installed, loader->arena);
}

bool plan_module_version_fits(const struct plan_call *call, const struct module_entry *entry)
{
	return !call->version ||
		(entry->version && zp_version_meets(entry->version, call->version, NULL));
}

static char *installed_folder(struct plan_loader *loader, struct plan_call *call,
	const struct module_entry *entry)
{
	if (!entry) {
		zp_diag_error(loader->diags, call->range, "Module not installed",
			"This module is not yet installed. Run \"zplan init\" to install all modules "
			"required by this configuration.");
		return NULL;
	}
	if (strcmp(entry->source, call->canonical) != 0) {
		zp_diag_error(loader->diags, call->source_range, "Module source has changed",
			"The source address was changed since this module was installed. Run \"zplan "
			"init\" to install all modules required by this configuration.");
		return NULL;
	}
	if (!plan_module_version_fits(call, entry)) {
		zp_diag_error(loader->diags, call->range, "Module version requirements have changed",
			"The version requirements have changed since this module was installed and the "
			"installed version is no longer acceptable. Run \"zplan init\" to install all "
			"modules required by this configuration.");
		return NULL;
	}
	return zp_strdup(entry->dir);
}

static void refuse_unknown(struct plan_loader *loader, const struct plan_call *call)
{
	zp_autofree char *shown = module_address_shown(call->source);

	zp_diag_error(loader->diags, call->source_range, "Invalid module source address",
		"zplan failed to determine your intended installation method for remote module package "
		"\"%s\".\n\nIf you intended this as a path relative to the current module, use \"./%s\" "
		"instead. The \"./\" prefix indicates that the address is a relative filesystem path.",
		shown, shown);
}

static char *remote_folder(struct plan_loader *loader, struct plan_call *call,
	const struct module_address *address)
{
	zp_autofree char *key = make_key(loader, call);

	if (address->kind == MODULE_UNKNOWN) {
		refuse_unknown(loader, call);
		return NULL;
	}
	if (!module_path_is_inside(address->subfolder)) {
		zp_diag_error(loader->diags, call->source_range, "Invalid module source address",
			"The part after \"//\" is a folder of the package: it can not lead out of it.");
		return NULL;
	}
	read_manifest(loader);
	const struct module_entry *entry = zp_map_get(&loader->config->installed, zp_str(key));
	call->canonical = zp_arena_strdup(loader->arena, address->canonical);
	char *dir = loader->installer ?
		loader->installer->install(loader->installer, key, call, address, entry, loader->diags) :
		installed_folder(loader, call, entry);
	if (dir && !call->installed_version && entry && strcmp(entry->source, call->canonical) == 0)
		call->installed_version = entry->version;
	return dir;
}

/* Whether a folder beside a module that was fetched would lie outside of what was fetched with it. */
static bool escapes_package(const struct plan_loader *loader, const char *dir)
{
	const char *package = loader->module->package_dir;
	size_t length = package ? strlen(package) : 0;

	return package && (strncmp(dir, package, length) != 0 || (dir[length] && dir[length] != '/'));
}

static char *local_folder(struct plan_loader *loader, struct plan_call *call)
{
	zp_autofree char *joined = zp_path_join(loader->module->dir, call->source);
	char *dir = plan_clean_path(joined);

	call->canonical = call->source;
	call->package_dir = loader->module->package_dir;
	if (!escapes_package(loader, dir))
		return dir;
	zp_diag_error(loader->diags, call->source_range, "Local module path escapes module package",
		"The given source directory for module.%s would be outside of its containing package "
		"\"%s\". Local source addresses starting with \"../\" must stay within the same package "
		"that the calling module belongs to.", call->name, loader->module->package_dir);
	free(dir);
	return NULL;
}

char *plan_module_folder(struct plan_loader *loader, struct plan_call *call)
{
	struct module_address address;

	module_address_parse(call->source, &address);
	char *dir = address.kind == MODULE_LOCAL ? local_folder(loader, call) :
						   remote_folder(loader, call, &address);
	if (dir && address.kind != MODULE_LOCAL) {
		zp_autofree char *suffix = zp_format("/%s", address.subfolder);
		size_t length = strlen(dir), cut = *address.subfolder ? strlen(suffix) : 0;
		bool ends = cut && length > cut && strcmp(dir + length - cut, suffix) == 0;
		call->package_dir = zp_arena_format(loader->arena, "%.*s", (int)(ends ? length - cut : length), dir);
	}
	module_address_release(&address);
	return dir;
}

#include "cli/backend.h"

#include <errno.h>

#include "base/alloc.h"
#include "base/file.h"

static char *saved_path(void)
{
	return zp_path_join(cli_data_dir(), "terraform.tfstate");
}

static bool read_backend(struct zp_json *json, struct cli_saved_backend *saved, char **unknown)
{
	struct zp_str key, config = { 0 }, text;
	int64_t hash = 0;

	for (bool more = zp_json_enter_object(json); more && zp_json_next_key(json, &key);) {
		if (zp_str_is(key, "type") && zp_json_read_string(json, &text)) {
			zp_autofree char *name = zp_strndup(text.ptr, text.len);
			state_settings_init(&saved->settings, state_backend_type(name));
			if (!saved->settings.type)
				*unknown = zp_strdup(name);
		} else if (zp_str_is(key, "config")) {
			zp_json_skip(json, &config);
		} else if (zp_str_is(key, "hash")) {
			zp_json_read_int(json, &hash);
		} else {
			zp_json_skip(json, NULL);
		}
	}
	if (json->error || !saved->settings.type)
		return !json->error;
	saved->present = true;
	saved->hash = (uint32_t)hash;
	struct zp_json inner;
	zp_json_init(&inner, config);
	bool ok = !config.len || state_settings_read(&saved->settings, &inner);
	zp_json_release(&inner);
	return ok;
}

bool cli_backend_load_saved(struct cli_run *run, struct cli_saved_backend *saved)
{
	zp_autofree char *path = saved_path();
	zp_autofree char *unknown = NULL;
	zp_autobuf text = ZP_BUF_INIT;
	struct zp_json json;
	struct zp_str key;
	bool ok = true;

	*saved = (struct cli_saved_backend){ 0 };
	if (!zp_file_exists(path))
		return true;
	zp_autoerror err = ZP_ERROR_INIT;
	if (zp_file_read(path, 1 << 20, &text, &err) < 0) {
		zp_diag_error(&run->diags, ZP_NOWHERE, "Failed to read the backend's settings",
			"%s", zp_error_text(&err));
		return false;
	}
	zp_json_init(&json, zp_buf_slice(&text));
	for (bool more = zp_json_enter_object(&json); ok && more && zp_json_next_key(&json, &key);)
		ok = zp_str_is(key, "backend") && zp_json_peek(&json) == ZP_JSON_OBJECT
			     ? read_backend(&json, saved, &unknown)
			     : zp_json_skip(&json, NULL);
	ok &= !json.error;
	zp_json_release(&json);
	if (unknown)
		zp_diag_error(&run->diags, ZP_NOWHERE, "Unsupported backend type",
			"%s says that this folder's state is in a backend of type \"%s\", which "
			"zplan "
			"does not have. Run \"zplan init -reconfigure\" to use the backend of the "
			"configuration instead; the state is not copied then.",
			path, unknown);
	else if (!ok)
		zp_diag_error(&run->diags, ZP_NOWHERE, "Failed to read the backend's settings",
			"%s is damaged. Run \"zplan init -reconfigure\" to write it again.", path);
	return ok && !unknown;
}

/* settings NULL: no backend. What else the file of the peer has is not needed. */
static bool save(struct cli_run *run, const struct state_settings *settings, uint32_t hash)
{
	zp_autofree char *path = saved_path();
	zp_autobuf text = ZP_BUF_INIT;
	zp_autoerror err = ZP_ERROR_INIT;
	struct zp_json_writer writer;

	zp_json_writer_init(&writer, &text, true);
	zp_json_begin_object(&writer);
	zp_json_key(&writer, "version");
	zp_json_int(&writer, 3);
	zp_json_key(&writer, "terraform_version");
	zp_json_cstr(&writer, STATE_TERRAFORM_VERSION);
	if (settings) {
		zp_json_key(&writer, "backend");
		zp_json_begin_object(&writer);
		zp_json_key(&writer, "type");
		zp_json_cstr(&writer, settings->type->name);
		zp_json_key(&writer, "config");
		state_settings_write(settings, &writer);
		zp_json_key(&writer, "hash");
		zp_json_int(&writer, hash);
		zp_json_end_object(&writer);
	}
	zp_json_end_object(&writer);
	if (zp_mkdirs(cli_data_dir(), 0755, &err) == 0 &&
		zp_file_write_atomic(path, zp_buf_slice(&text), 0600, &err) == 0)
		return true;
	zp_diag_error(&run->diags, ZP_NOWHERE, "Failed to save the backend's settings", "%s",
		zp_error_text(&err));
	return false;
}

/* Attributes of a body through the type's names into settings; constants only, as the peer wants
 * them. */
static bool decode_body(
	struct cli_run *run, const struct hcl_body *body, struct state_settings *settings)
{
	const struct state_backend_type *type = settings->type;
	struct hcl_attribute_schema *names = zp_calloc(type->setting_count, sizeof(*names));
	struct hcl_content content = { 0 };
	struct hcl_evaluation ev = { .arena = &run->arena, .diags = &run->diags };
	size_t errors = run->diags.errors;

	for (size_t i = 0; i < type->setting_count; i++)
		names[i] = (struct hcl_attribute_schema){ type->settings[i].name, false };
	struct hcl_body_schema schema = { names, type->setting_count, NULL, 0 };
	hcl_body_content(body, &schema, &run->arena, &content, NULL, &run->diags);
	for (size_t i = 0; i < content.attribute_count; i++) {
		const struct hcl_attribute *found = content.attributes[i];
		int index = state_settings_find(type, found->name);
		enum state_setting_kind kind = type->settings[index].kind;
		struct hcl_value value = hcl_evaluate_as(&ev, found->expr,
			kind == STATE_BOOL_SETTING     ? hcl_bool
			: kind == STATE_NUMBER_SETTING ? hcl_number
						       : hcl_string);
		struct hcl_value text;
		zp_autoerror err = ZP_ERROR_INIT;
		if (value.state != HCL_KNOWN ||
			!hcl_convert(&run->arena, value, hcl_string, &text, NULL))
			continue;
		if (state_settings_set(settings, found->name, text.text, &err) < 0)
			zp_diag_error(&run->diags, found->range, "Incorrect attribute value type",
				"Inappropriate value for attribute \"%s\": %s.", found->name,
				zp_error_text(&err));
	}
	free(names);
	return run->diags.errors == errors;
}

static bool override_from_file(
	struct cli_run *run, const char *path, struct state_settings *settings)
{
	size_t errors = run->diags.errors;
	struct zp_source *source = zp_source_load(path, path, NULL);

	if (!source) {
		zp_diag_error(&run->diags, ZP_NOWHERE, "Failed to read file",
			"The file \"%s\" could not be read.", path);
		return false;
	}
	run->sources = zp_reallocarray(run->sources, run->source_count + 1, sizeof(*run->sources));
	run->sources[run->source_count++] = source;
	struct hcl_body *body = hcl_parse_file(source, &run->arena, &run->diags);
	return run->diags.errors == errors && decode_body(run, body, settings);
}

static bool override(struct cli_run *run, const char *text, struct state_settings *settings)
{
	const char *equals = strchr(text, '=');
	zp_autoerror err = ZP_ERROR_INIT;

	if (!equals)
		return override_from_file(run, text, settings);
	zp_autofree char *name = zp_strndup(text, (size_t)(equals - text));
	if (state_settings_find(settings->type, name) < 0) {
		zp_diag_error(&run->diags, ZP_NOWHERE, "Invalid backend configuration argument",
			"The backend configuration argument \"%s\" given on the command line is "
			"not "
			"expected for the selected backend type.",
			name);
		return false;
	}
	if (state_settings_set(settings, name, equals + 1, &err) == 0)
		return true;
	zp_diag_error(&run->diags, ZP_NOWHERE, "Invalid backend configuration argument", "%s.",
		zp_error_text(&err));
	return false;
}

bool cli_backend_decode(struct cli_run *run, const struct plan_backend_config *block,
	const struct cli_list *overrides, const char *summary, struct state_settings *settings,
	uint32_t *hash)
{
	const struct state_backend_type *type = state_backend_type(block->type);

	state_settings_init(settings, type);
	if (!type) {
		zp_diag_error(&run->diags, block->range, summary,
			"There is no backend type named \"%s\".", block->type);
		return false;
	}
	if (!decode_body(run, block->body, settings))
		return false;
	*hash = state_settings_hash(settings);
	for (size_t i = 0; overrides && i < overrides->count; i++)
		if (!override(run, overrides->items[i], settings))
			return false;
	return true;
}

static bool need_init(struct cli_run *run, bool changed, const char *reason)
{
	zp_autofree char *summary = zp_format(
		"Backend initialization required%s please run \"zplan init\"", changed ? ":" : ",");

	zp_diag_error(&run->diags, ZP_NOWHERE, summary,
		"Reason: %s\n\nThe \"backend\" is the interface that zplan uses to store state, "
		"perform operations, etc. If this message is showing up, it means that the "
		"zplan configuration you're using is using a custom configuration for the zplan "
		"backend.\n\nChanges to backend configurations require reinitialization. This "
		"allows zplan to set up the new configuration, copy existing state, etc. Please "
		"run\n\"zplan init\" with either the \"-reconfigure\" or \"-migrate-state\" flags "
		"to use the current configuration.\n\nIf the change reason above is incorrect, "
		"please verify your configuration hasn't changed and try again. At this point, no "
		"changes to your existing configuration or state have been made.",
		reason);
	return false;
}

static bool settings_in_force(struct cli_run *run, const struct plan_backend_config *block,
	const struct cli_saved_backend *saved, struct state_settings *settings)
{
	struct state_settings wanted = { 0 };
	zp_autofree char *reason = NULL;
	uint32_t hash = 0;

	if (!block && !saved->present) {
		state_settings_init(settings, &state_local_type);
		return true;
	}
	if (!block) {
		reason = zp_format(
			"Unsetting the previously set backend \"%s\"", saved->settings.type->name);
		return need_init(run, false, reason);
	}
	bool ok = cli_backend_decode(run, block, NULL, "Invalid backend type", &wanted, &hash);
	if (ok && !saved->present) {
		reason = zp_format(
			"Initial configuration of the requested backend \"%s\"", block->type);
		ok = need_init(run, false, reason);
	} else if (ok && hash != saved->hash && !state_settings_equal(&wanted, &saved->settings)) {
		reason = wanted.type == saved->settings.type
				 ? zp_strdup("Backend configuration block has changed")
				 : zp_format("Backend type changed from \"%s\" to \"%s\"",
					   saved->settings.type->name, block->type);
		ok = need_init(run, true, reason);
	}
	if (ok)
		state_settings_copy(settings, &saved->settings);
	state_settings_release(&wanted);
	return ok;
}

bool cli_backend_settings(struct cli_run *run, struct state_settings *settings)
{
	const struct plan_backend_config *block = run->config ? run->config->root->backend : NULL;
	struct cli_saved_backend saved;

	state_settings_init(settings, &state_local_type);
	bool ok = cli_backend_load_saved(run, &saved) &&
		  settings_in_force(run, block, &saved, settings);
	state_settings_release(&saved.settings);
	return ok;
}

/* Migration. */

struct migration {
	struct cli_run *run;
	const struct cli_init_options *options;
	const struct state_settings *from, *to;
	bool copied; /* something was */
};

/* 1: yes, 0: no, -1: nobody answers. */
static int confirm(struct migration *migration, const char *question, const char *explanation)
{
	const struct cli_view *view = &migration->run->view;
	zp_autobuf text = ZP_BUF_INIT;

	zp_buf_printf(&text, "%s%s%s\n%s\n\n  %sEnter a value:%s ", cli_style(view, CLI_BOLD),
		question, cli_style(view, CLI_RESET), explanation, cli_style(view, CLI_BOLD),
		cli_style(view, CLI_RESET));
	for (;;) {
		zp_autofree char *answer = cli_ask(text.ptr);
		putchar('\n');
		if (strcmp(answer, "yes") == 0)
			return 1;
		if (strcmp(answer, "no") == 0)
			return 0;
		if (feof(stdin))
			return -1;
	}
}

static bool may_copy(struct migration *migration, bool over_existing, bool *copy)
{
	const char *from = migration->from->type->name, *to = migration->to->type->name;
	zp_autofree char *text = NULL;

	*copy = migration->options->force_copy;
	if (*copy)
		return true;
	if (!migration->options->input) {
		zp_diag_error(&migration->run->diags, ZP_NOWHERE,
			"Can't ask approval for state migration when interactive input is "
			"disabled.",
			"Please remove the \"-input=false\" option and try again.");
		return false;
	}
	text = over_existing ? zp_format("  Pre-existing state was found while migrating the "
					 "previous \"%s\" backend to\n"
					 "  the newly configured \"%s\" backend. An existing "
					 "non-empty state already\n"
					 "  exists in the new backend.\n\n"
					 "  Do you want to overwrite the state in the new backend "
					 "with the previous "
					 "state?\n"
					 "  Enter \"yes\" to copy and \"no\" to start with the "
					 "existing state in the "
					 "newly\n  configured \"%s\" backend.",
				       from, to, to)
			     : zp_format("  Pre-existing state was found while migrating the "
					 "previous \"%s\" backend to\n"
					 "  the newly configured \"%s\" backend. No existing state "
					 "was found in the newly\n"
					 "  configured \"%s\" backend. Do you want to copy this "
					 "state to the new \"%s\"\n"
					 "  backend? Enter \"yes\" to copy and \"no\" to start "
					 "with an empty state.",
				       from, to, to, to);
	int answer =
		confirm(migration, "Do you want to copy existing state to the new backend?", text);
	if (answer < 0)
		zp_diag_error(&migration->run->diags, ZP_NOWHERE,
			"Error asking for confirmation: EOF", "%s", "");
	*copy = answer > 0;
	return answer >= 0;
}

static bool migration_failed(
	struct migration *migration, const char *doing, const struct zp_error *err)
{
	zp_diag_error(&migration->run->diags, ZP_NOWHERE, "Error migrating state",
		"Error %s: %s.\n\nThe state in the previous backend is as it was, and the previous "
		"backend stays in use.",
		doing, zp_error_text(err));
	return false;
}

/* Whoever stored something once has a serial or objects. */
static bool was_never_stored(const struct state *state)
{
	return !state->serial && state_is_empty(state);
}

static bool copy_state(
	struct migration *migration, const struct state *source, struct state_backend *to)
{
	zp_autoerror err = ZP_ERROR_INIT;
	struct state *there = NULL;
	bool copy = false, ok = true;

	if (state_backend_lock(to, "migrate state", 0, &err) < 0)
		return migration_failed(migration, "locking the new state", &err);
	if (state_backend_load(to, &there, &err) < 0)
		ok = migration_failed(migration, "loading the new state", &err);
	else if (strcmp(there->lineage, source->lineage) != 0 || !state_equal(there, source))
		ok = may_copy(migration, !was_never_stored(there), &copy);
	if (ok && copy) {
		struct state *copied = state_clone(source);
		if (state_backend_store(to, copied, &err) < 0)
			ok = migration_failed(migration, "storing the state", &err);
		migration->copied |= ok;
		state_free(copied);
	}
	state_free(there);
	if (state_backend_unlock(to, &err) < 0 && ok)
		ok = migration_failed(migration, "unlocking the new state", &err);
	return ok;
}

static bool migrate_workspace(struct migration *migration, const char *name)
{
	zp_autoerror err = ZP_ERROR_INIT;
	struct state_backend *from = state_backend_open(migration->from, name, &err);
	struct state_backend *to = from ? state_backend_open(migration->to, name, &err) : NULL;
	struct state *source = NULL;
	bool ok = false, locked = false;

	if (to)
		from->is_own = to->is_own = true;
	if (!to)
		migration_failed(migration, "opening the backends", &err);
	else if (from->is_local && to->is_local &&
		 strcmp(state_local_path(from), state_local_path(to)) == 0)
		ok = true;
	else if (state_backend_load(from, &source, &err) < 0)
		migration_failed(migration, "loading the previous state", &err);
	else if (was_never_stored(source))
		ok = true;
	else if (zp_file_exists(from->journal_path))
		zp_diag_error(&migration->run->diags, ZP_NOWHERE,
			"An interrupted run is not taken over",
			"The journal %s of the previous backend has records of a run that did not "
			"end. Run \"zplan apply\" with the previous backend first.",
			from->journal_path);
	else if (!(locked = state_backend_lock(from, "migrate state", 0, &err) == 0))
		migration_failed(migration, "locking the previous state", &err);
	else
		ok = copy_state(migration, source, to);
	if (locked)
		state_backend_unlock(from, NULL);
	state_free(source);
	state_backend_free(from);
	state_backend_free(to);
	return ok;
}

static bool migrate(struct cli_run *run, const struct cli_init_options *options,
	const struct state_settings *from, const struct state_settings *to, bool *copied)
{
	struct migration migration = { run, options, from, to, false };
	zp_autoerror err = ZP_ERROR_INIT;
	struct state_backend *source = state_backend_open(from, "default", &err);
	char **names = NULL;
	bool ok = true;

	if (!source)
		return migration_failed(&migration, "opening the previous backend", &err);
	if (!source->type->workspaces)
		ok = migrate_workspace(&migration, "default");
	else if (state_backend_workspaces(source, &names, &err) < 0)
		ok = migration_failed(
			&migration, "listing the previous backend's workspaces", &err);
	if (names && names[1] && !to->type->workspaces) {
		zp_diag_error(&run->diags, ZP_NOWHERE, "Error migrating state",
			"The existing \"%s\" backend has more than one workspace, and the newly "
			"configured \"%s\" backend doesn't support workspaces. Delete all but the "
			"default workspace first.",
			from->type->name, to->type->name);
		ok = false;
	}
	for (size_t i = 0; ok && names && names[i]; i++)
		ok = migrate_workspace(&migration, names[i]);
	state_workspaces_free(names);
	state_backend_free(source);
	*copied = migration.copied;
	return ok;
}

static bool must_choose(struct cli_run *run)
{
	zp_diag_error(&run->diags, ZP_NOWHERE, "Backend configuration changed",
		"A change in the backend configuration has been detected, which may require "
		"migrating "
		"existing state.\n\nIf you wish to attempt automatic migration of the state, use "
		"\"zplan init -migrate-state\".\nIf you wish to store the current configuration "
		"with no changes to the state, use \"zplan init -reconfigure\".");
	return false;
}

static void say_configured(struct cli_run *run, const char *type)
{
	printf("%s\nSuccessfully configured the backend \"%s\"! zplan will automatically\n"
	       "use this backend unless the backend configuration changes.%s\n",
		cli_style(&run->view, CLI_GREEN), type, cli_style(&run->view, CLI_RESET));
}

static bool unset_backend(struct cli_run *run, const struct cli_init_options *options,
	const struct cli_saved_backend *saved)
{
	struct state_settings local;
	bool copied;

	if (!options->migrate)
		return must_choose(run);
	printf("zplan has detected you're unconfiguring your previously set \"%s\" backend.\n",
		saved->settings.type->name);
	fflush(stdout);
	state_settings_init(&local, &state_local_type);
	if (!migrate(run, options, &saved->settings, &local, &copied) || !save(run, NULL, 0))
		return false;
	printf("%s\n\nSuccessfully unset the backend \"%s\". zplan will now operate locally.%s\n",
		cli_style(&run->view, CLI_GREEN), saved->settings.type->name,
		cli_style(&run->view, CLI_RESET));
	return true;
}

/* The settings make sense to the backend itself: better now than when state is to be stored. */
static bool try_opening(struct cli_run *run, const struct state_settings *settings)
{
	zp_autoerror err = ZP_ERROR_INIT;
	struct state_backend *backend = state_backend_open(settings, "default", &err);

	if (!backend) {
		zp_diag_error(&run->diags, run->config->root->backend->range,
			"Invalid backend configuration", "%s.", zp_error_text(&err));
		return false;
	}
	state_backend_free(backend);
	return true;
}

/* The state has moved: what is left in the folder must not be taken for it. */
static void retire_local_state(struct cli_run *run)
{
	if (rename("terraform.tfstate", "terraform.tfstate.backup") == 0 || errno == ENOENT)
		return;
	zp_diag_warning(&run->diags, ZP_NOWHERE, "The former state is still there",
		"The state was copied to the new backend, but terraform.tfstate could not be "
		"renamed to "
		"terraform.tfstate.backup: %s. It is not used any more.",
		strerror(errno));
}

static bool first_backend(struct cli_run *run, const struct cli_init_options *options,
	const struct state_settings *wanted, uint32_t hash)
{
	struct state_settings local;
	bool copied;

	state_settings_init(&local, &state_local_type);
	if (!try_opening(run, wanted) || !migrate(run, options, &local, wanted, &copied) ||
		!save(run, wanted, hash))
		return false;
	if (copied)
		retire_local_state(run);
	say_configured(run, wanted->type->name);
	return true;
}

static bool change_backend(struct cli_run *run, const struct cli_init_options *options,
	const struct cli_saved_backend *saved, const struct state_settings *wanted, uint32_t hash)
{
	bool copied;

	if (!options->migrate)
		return must_choose(run);
	if (saved->settings.type == wanted->type)
		puts("Backend configuration changed!\n\nzplan has detected that the configuration "
		     "specified for the backend\nhas changed. zplan will now check for existing "
		     "state in the backends.\n");
	else
		printf("zplan detected that the backend type changed from \"%s\" to \"%s\".\n\n",
			saved->settings.type->name, wanted->type->name);
	fflush(stdout);
	if (!try_opening(run, wanted) ||
		!migrate(run, options, &saved->settings, wanted, &copied) ||
		!save(run, wanted, hash))
		return false;
	say_configured(run, wanted->type->name);
	return true;
}

static bool configure(struct cli_run *run, const struct cli_init_options *options,
	const struct cli_saved_backend *saved)
{
	const struct plan_backend_config *block = run->config->root->backend;
	struct state_settings wanted = { 0 };
	uint32_t hash = 0;
	bool ok = cli_backend_decode(
		run, block, &options->overrides, "Unsupported backend type", &wanted, &hash);

	if (!ok)
		;
	else if (!saved->present)
		ok = first_backend(run, options, &wanted, hash);
	else if ((hash == saved->hash && !options->overrides.count) ||
		 state_settings_equal(&wanted, &saved->settings))
		ok = hash == saved->hash || save(run, &saved->settings, hash);
	else
		ok = change_backend(run, options, saved, &wanted, hash);
	if (wanted.type)
		state_settings_release(&wanted);
	return ok;
}

bool cli_backend_init(struct cli_run *run, const struct cli_init_options *options)
{
	struct cli_saved_backend saved = { 0 };
	bool ok = true;

	if (!options->reconfigure && !cli_backend_load_saved(run, &saved))
		ok = false;
	else if (run->config->root->backend)
		ok = configure(run, options, &saved);
	else if (saved.present)
		ok = unset_backend(run, options, &saved);
	else if (options->reconfigure && zp_file_exists(cli_data_dir()))
		ok = save(run, NULL, 0);
	if (ok && options->overrides.count && !run->config->root->backend)
		zp_diag_warning(&run->diags, ZP_NOWHERE, "Missing backend configuration",
			"-backend-config was used without a \"backend\" block in the "
			"configuration.\n\n"
			"If you intended to override the default local backend configuration, no "
			"action is required, but you may add an explicit backend block to your "
			"configuration to clear this warning:\n\nterraform {\n  backend \"local\" "
			"{}\n}\n\nHowever, if you intended to override a defined backend, please "
			"verify that the backend configuration is present and valid.");
	if (saved.settings.type)
		state_settings_release(&saved.settings);
	return ok;
}

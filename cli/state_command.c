#include "cli/state_command.h"

#include <time.h>

#include "base/alloc.h"
#include "base/file.h"
#include "cli/usage.h"

char *cli_state_backup_path(const char *path, const char *given)
{
	if (given && *given && strcmp(given, "-") != 0)
		return zp_strdup(given);
	return zp_format("%s.%lld.backup", path, (long long)time(NULL));
}

/* -state names a file, whatever backend is configured. */
static bool open_backend(struct cli_run *run, const struct cli_common *common)
{
	if (!common->state_path)
		return cli_run_open_backend(run, NULL);
	if (!cli_run_select_workspace(run) || !cli_run_take_encryption(run))
		return false;
	run->backend = state_local_open(common->state_path, "default", NULL, NULL);
	run->backend->is_own = true;
	return true;
}

/* The peer's "state" commands keep every former state, and want one; the others the last one. */
static bool keeps_every_backup(const char *operation)
{
	return strncmp(operation, "state-", 6) == 0 && strcmp(operation, "state-push") != 0;
}

static void choose_backup(
	struct cli_run *run, const struct cli_common *common, const char *operation)
{
	const char *path = state_local_path(run->backend);
	bool keeps_all = keeps_every_backup(operation);

	if (!path)
		return;
	zp_autofree char *every =
		keeps_all ? cli_state_backup_path(path, common->backup_path) : NULL;
	state_local_override(
		run->backend, NULL, common->state_out_path, every ? every : common->backup_path);
}

static bool nothing_interrupted(struct cli_run *run)
{
	const char *path = run->backend->journal_path;

	if (!zp_file_exists(path))
		return true;
	zp_diag_error(&run->diags, ZP_NOWHERE, "An interrupted run is not taken over",
		"The journal %s has records of a run that did not end. Run \"zplan plan\" first: "
		"it "
		"takes over what that run did.",
		path);
	return false;
}

bool cli_state_begin(struct cli_run *run, struct cli_common *common, const char *operation)
{
	cli_run_init(run, common->no_color);
	common->lock = common->lock && operation;
	if (!cli_run_load_root(run) || !open_backend(run, common))
		return false;
	if (operation)
		choose_backup(run, common, operation);
	if (!cli_run_open_state(run, common, operation ? operation : "") ||
		(operation && !nothing_interrupted(run)))
		return false;
	bool may_lack = !operation || strcmp(operation, "state-recover") == 0 ||
			!keeps_every_backup(operation);
	if (may_lack || run->state->serial || !state_is_empty(run->state))
		return true;
	cli_state_say_none();
	return false;
}

bool cli_state_save(struct cli_run *run)
{
	zp_autoerror err = ZP_ERROR_INIT;

	run->state->serial++;
	if (state_backend_store(run->backend, run->state, &err) == 0)
		return true;
	zp_diag_error(&run->diags, ZP_NOWHERE, "Failed to save state", "%s", zp_error_text(&err));
	return false;
}

bool cli_state_parse_address(struct cli_run *run, const char *text, struct state_address *address)
{
	zp_autoerror err = ZP_ERROR_INIT;

	if (state_address_parse(text, &run->arena, address, &err))
		return true;
	zp_diag_error(
		&run->diags, ZP_NOWHERE, "Invalid address", "%s: %s", text, zp_error_text(&err));
	return false;
}

static int by_order(const void *a, const void *b)
{
	const struct state_object *x = *(const struct state_object *const *)a;
	const struct state_object *y = *(const struct state_object *const *)b;
	int order = state_object_compare(x, y);

	if (order || !x->deposed || !y->deposed)
		return order ? order : (x->deposed != NULL) - (y->deposed != NULL);
	return strcmp(x->deposed, y->deposed);
}

static void missing(struct cli_run *run, const struct state_address *address)
{
	const char *after = "you must run \"zplan apply\" first to create the";

	if (!address->is_resource)
		zp_diag_error(&run->diags, ZP_NOWHERE, "Unknown module",
			"The current state contains no module at %s. If you've just added this "
			"module "
			"to the configuration, %s module's entry in the state.",
			address->text, after);
	else if (address->key.kind == STATE_NO_KEY)
		zp_diag_error(&run->diags, ZP_NOWHERE, "Unknown resource",
			"The current state contains no resource %s. If you've just added this "
			"resource "
			"to the configuration, %s resource's entry in the state.",
			address->text, after);
	else
		zp_diag_error(&run->diags, ZP_NOWHERE, "Unknown resource instance",
			"The current state contains no resource instance %s. If you've just added "
			"its "
			"resource to the configuration or have changed the count or for_each "
			"arguments, you must run \"zplan apply\" first to update the resource's "
			"entry "
			"in the state.",
			address->text);
}

struct selection {
	const struct state_object **items;
	size_t count, capacity;
};

static void add_matching(
	const struct state *state, const struct state_address *address, struct selection *selection)
{
	size_t first = selection->count;

	for (size_t i = 0; i < state->object_count; i++) {
		const struct state_object *object = state->objects[i];
		if (!object || (address && !state_address_contains(address, object)))
			continue;
		if (selection->count == selection->capacity) {
			selection->capacity = selection->capacity ? selection->capacity * 2 : 64;
			selection->items = zp_reallocarray(
				selection->items, selection->capacity, sizeof(*selection->items));
		}
		selection->items[selection->count++] = object;
	}
	if (selection->count > first)
		qsort(selection->items + first, selection->count - first, sizeof(*selection->items),
			by_order);
}

bool cli_state_select(struct cli_run *run, int words, char **word, bool allow_missing,
	const struct state_object ***found, size_t *count)
{
	struct selection selection = { 0 };
	size_t errors = run->diags.errors;

	if (!words)
		add_matching(run->state, NULL, &selection);
	for (int i = 0; i < words; i++) {
		struct state_address address;
		size_t before = selection.count;
		if (!cli_state_parse_address(run, word[i], &address))
			continue;
		add_matching(run->state, &address, &selection);
		if (selection.count == before && !allow_missing)
			missing(run, &address);
	}
	*found = selection.items;
	*count = selection.count;
	return run->diags.errors == errors;
}

void cli_state_say_none(void)
{
	fputs("No state file was found!\n\nState management commands require a state file. Run "
	      "this "
	      "command\nin a directory where zplan has been run or use the -state flag\nto point "
	      "the "
	      "command to a specific state location.\n",
		stderr);
}

int cli_state_misused(const char *command, const char *message)
{
	if (*message)
		fprintf(stderr, "%s\n\n", message);
	for (size_t i = 0; i < cli_command_count; i++)
		if (strcmp(cli_commands[i].name, command) == 0)
			fputs(cli_commands[i].usage, stderr);
	return 1;
}

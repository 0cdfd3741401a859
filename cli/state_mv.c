#include <stdlib.h>

#include "base/alloc.h"
#include "cli/cli.h"
#include "cli/state_command.h"
#include "hcl-lite/codec.h"

struct move {
	struct cli_run *run;
	struct state *from, *to; /* may be the same */
	struct state_address source, target;
	bool whole; /* a module, or a resource with all its instances */
	const struct state_object **found;
	size_t count;
};

static bool refuse(struct move *move, const char *summary, const char *reason)
{
	const char *to = strcmp(summary, "Invalid source address") == 0 ? "" : " to ";

	zp_diag_error(&move->run->diags, ZP_NOWHERE, summary, "Cannot move %s%s%s: %s",
		move->source.text, to, *to ? move->target.text : "", reason);
	return false;
}

static bool is_source(const struct move *move, const struct state_object *object)
{
	if (!move->source.is_resource)
		return state_address_is_module_or_below(
			object->resource->module, move->source.module);
	return state_address_contains(&move->source, object) &&
	       (move->whole || strcmp(object->address, move->source.text) == 0);
}

static void find_source(struct move *move)
{
	size_t capacity = 0;

	/* One instance without key is that instance; else an address without key is the whole
	 * resource. */
	move->whole = !move->source.is_resource ||
		      (move->source.key.kind == STATE_NO_KEY &&
			      !state_find(move->from, move->source.text, NULL));
	for (size_t i = 0; i < move->from->object_count; i++) {
		const struct state_object *object = move->from->objects[i];
		if (!object || !is_source(move, object))
			continue;
		if (move->count == capacity) {
			capacity = capacity ? capacity * 2 : 16;
			move->found = zp_reallocarray(move->found, capacity, sizeof(*move->found));
		}
		move->found[move->count++] = object;
	}
}

static bool refuse_taken(struct move *move, const char *what)
{
	zp_diag_error(&move->run->diags, ZP_NOWHERE, "Invalid target address",
		"Cannot move to %s: there is already a %s at that address in the current state.",
		move->target.text, what);
	return false;
}

static bool resource_is_taken(const struct move *move)
{
	for (size_t i = 0; i < move->to->object_count; i++)
		if (move->to->objects[i] &&
			state_address_contains(&move->target, move->to->objects[i]))
			return true;
	return false;
}

static bool module_is_taken(const struct move *move)
{
	for (size_t i = 0; i < move->to->object_count; i++)
		if (move->to->objects[i] &&
			state_address_is_module_or_below(
				move->to->objects[i]->resource->module, move->target.module))
			return true;
	return false;
}

static bool check_module(struct move *move)
{
	if (move->target.is_resource)
		return refuse(move, "Invalid target address", "the target must also be a module.");
	if (module_is_taken(move)) {
		fputs("Error moving state: destination module already exists\n\nPlease ensure your "
		      "addresses and state paths are valid. No\nstate was persisted. Your existing "
		      "states are untouched.\n",
			stderr);
		return false;
	}
	return true;
}

static bool check_resource(struct move *move)
{
	const struct state_address *source = &move->source, *target = &move->target;

	if (!target->is_resource)
		return refuse(move, "Invalid target address",
			move->whole ? "the source is a whole resource (not a resource instance) so "
				      "the target must "
				      "also be a whole resource."
				    : "the target must also be a resource instance.");
	if (move->whole && target->key.kind != STATE_NO_KEY)
		return refuse(move, "Invalid target address",
			"the source is a whole resource (not a resource instance) so the target "
			"must "
			"also be a whole resource.");
	if (source->mode != target->mode || strcmp(source->type, target->type) != 0)
		return refuse(move, "Invalid state move request", "resource types don't match.");
	if (move->whole && resource_is_taken(move))
		return refuse_taken(move, "resource");
	if (!move->whole && state_find(move->to, target->text, NULL))
		return refuse_taken(move, "resource instance");
	return true;
}

/* Where the object's module lies after the move. Heap. */
static char *new_module(const struct move *move, const struct state_object *object)
{
	const char *module = object->resource->module;

	if (move->source.is_resource)
		return zp_strdup(move->target.module);
	module += strlen(move->source.module);
	return zp_format("%s%s", move->target.module,
		*move->target.module ? module
		: *module == '.'     ? module + 1
				     : module);
}

static void move_object(struct move *move, const struct state_object *object)
{
	struct state_object moved = *object;
	const struct state_resource *old = object->resource;
	zp_autofree char *module = new_module(move, object);

	state_remove(move->from, object->address, object->deposed);
	moved.resource = state_resource(move->to, module, old->mode, old->type,
		move->source.is_resource ? move->target.name : old->name, old->provider);
	if (move->source.is_resource && !move->whole)
		moved.key = move->target.key;
	state_set(move->to, &moved);
}

static bool carry_out(struct move *move, bool dry_run)
{
	zp_autobuf from = ZP_BUF_INIT, to = ZP_BUF_INIT;

	find_source(move);
	if (!move->count)
		return refuse(move, "Invalid source address",
			"does not match anything in the current state.");
	if (!(move->source.is_resource ? check_resource(move) : check_module(move)))
		return false;
	hcl_quote(&from, zp_str(move->source.text));
	hcl_quote(&to, zp_str(move->target.text));
	printf("%s %s to %s\n", dry_run ? "Would move" : "Move", from.ptr, to.ptr);
	for (size_t i = 0; i < move->count && !dry_run; i++)
		move_object(move, move->found[i]);
	return true;
}

/* The other file first: should the second store fail, an object is in both rather than in none. */
static bool store_both(struct cli_run *run, struct state_backend *other, struct state *there)
{
	zp_autoerror err = ZP_ERROR_INIT;

	if (other) {
		there->serial++;
		if (state_backend_store(other, there, &err) < 0) {
			zp_diag_error(&run->diags, ZP_NOWHERE, "Failed to save state", "%s",
				zp_error_text(&err));
			return false;
		}
	}
	return cli_state_save(run);
}

static struct state_backend *open_other(struct cli_run *run, const char *path, const char *backup,
	const struct cli_common *common, struct state **there)
{
	zp_autoerror err = ZP_ERROR_INIT;
	zp_autofree char *backup_path = cli_state_backup_path(path, backup);
	struct state_backend *other = state_local_open(path, "default", NULL, backup_path);

	other->is_own = true;
	if ((common->lock &&
		    state_backend_lock(other, "state-mv", common->lock_timeout, &err) < 0) ||
		state_backend_load(other, there, &err) < 0) {
		zp_diag_error(&run->diags, ZP_NOWHERE,
			"Failed to open the state given with -state-out", "%s",
			zp_error_text(&err));
		state_backend_free(other);
		return NULL;
	}
	return other;
}

static bool is_same_file(const struct cli_run *run, const char *path)
{
	const char *mine = state_local_path(run->backend);
	zp_autofree char *a = mine ? realpath(mine, NULL) : NULL, *b = realpath(path, NULL);

	return mine && (strcmp(mine, path) == 0 || (a && b && strcmp(a, b) == 0));
}

static int move_objects(struct cli_run *run, const struct cli_common *common, char **word,
	bool dry_run, const char *out_path, const char *backup_out)
{
	struct move move = { .run = run, .from = run->state, .to = run->state };
	struct state_backend *other = NULL;
	struct state *there = NULL;

	if (!cli_state_parse_address(run, word[0], &move.source) ||
		!cli_state_parse_address(run, word[1], &move.target))
		return 1;
	if (out_path && !is_same_file(run, out_path)) {
		other = open_other(run, out_path, backup_out, common, &there);
		if (!other)
			return 1;
		move.to = there;
	}
	bool ok = carry_out(&move, dry_run) && (dry_run || store_both(run, other, there));
	if (ok && !dry_run)
		puts("Successfully moved 1 object(s).");
	free(move.found);
	state_free(there);
	if (other && common->lock)
		state_backend_unlock(other, NULL);
	state_backend_free(other);
	return ok ? 0 : 1;
}

int cli_state_mv(int argc, char **argv)
{
	struct cli_common common;
	bool dry_run = false, ignored = false;
	const char *out_path = NULL, *backup_out = NULL;
	cli_common_init(&common);
	struct cli_option options[] = {
		{ "dry-run", CLI_SWITCH, &dry_run },
		{ "state", CLI_TEXT, &common.state_path },
		{ "state-out", CLI_TEXT, &out_path },
		{ "backup", CLI_TEXT, &common.backup_path },
		{ "backup-out", CLI_TEXT, &backup_out },
		{ "lock", CLI_SWITCH, &common.lock },
		{ "lock-timeout", CLI_DURATION, &common.lock_timeout },
		{ "ignore-remote-version", CLI_SWITCH, &ignored },
		{ "no-color", CLI_SWITCH, &common.no_color },
	};
	struct cli_run run;

	if (!cli_options_parse(options, ZP_ARRAY_SIZE(options), &argc, argv, "state mv"))
		return 1;
	if (argc != 2)
		return cli_state_misused("state mv", "Exactly two arguments expected.");
	if (!cli_state_begin(&run, &common, "state-mv"))
		return cli_run_finish(&run, 1);
	return cli_run_finish(
		&run, move_objects(&run, &common, argv, dry_run, out_path, backup_out));
}

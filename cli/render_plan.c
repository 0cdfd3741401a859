#include "cli/render_plan.h"

#include "base/alloc.h"
#include "cli/render_value.h"
#include "hcl-lite/codec.h"

static const struct {
	enum plan_action action;
	const char *text;
} legend[] = {
	{ PLAN_CREATE, "create" },
	{ PLAN_UPDATE, "update in-place" },
	{ PLAN_DELETE, "destroy" },
	{ PLAN_DELETE_CREATE, "destroy and then create replacement" },
	{ PLAN_CREATE_DELETE, "create replacement and then destroy" },
	{ PLAN_READ, "read (data resources)" },
};

struct tally {
	size_t add, change, destroy, import, forget, read, move;
	bool seen[PLAN_FORGET + 1];
};

static struct tally count_changes(const struct plan_change *changes, size_t count)
{
	struct tally tally = { 0 };

	for (size_t i = 0; i < count; i++) {
		enum plan_action action = changes[i].action;
		bool replace = action == PLAN_DELETE_CREATE || action == PLAN_CREATE_DELETE;
		tally.seen[action] = true;
		tally.add += action == PLAN_CREATE || replace;
		tally.change += action == PLAN_UPDATE;
		tally.destroy += action == PLAN_DELETE || replace;
		tally.forget += action == PLAN_FORGET;
		tally.read += action == PLAN_READ;
		tally.import += changes[i].import_id != NULL;
		tally.move += action == PLAN_NO_OP && changes[i].previous_address != NULL;
	}
	return tally;
}

static const char *headline(const struct plan_change *change)
{
	switch (change->action) {
	case PLAN_CREATE:
		return "will be created";
	case PLAN_READ:
		return "will be read during apply";
	case PLAN_UPDATE:
		return "will be updated in-place";
	case PLAN_DELETE:
		return "will be destroyed";
	case PLAN_FORGET:
		return "will no longer be managed by zplan, but will not be destroyed";
	case PLAN_DELETE_CREATE:
	case PLAN_CREATE_DELETE:
		return change->reason == PLAN_REPLACE_BECAUSE_TAINTED ?
			"is tainted, so must be replaced" :
			change->reason == PLAN_REPLACE_BY_REQUEST ?
			"will be replaced, as requested" :
			change->reason == PLAN_REPLACE_BY_TRIGGERS ?
			"will be replaced due to changes in replace_triggered_by" :
			"must be replaced";
	case PLAN_NO_OP:
		break;
	}
	return change->import_id ? "will be imported" : "will not change";
}

static void explain(const struct plan_change *change, struct zp_buf *out)
{
	zp_autobuf key = ZP_BUF_INIT;

	state_key_text(change->key, &key);
	switch (change->reason) {
	case PLAN_DELETE_BECAUSE_NO_RESOURCE_CONFIG:
		zp_buf_printf(out, "  # (because %s.%s is not in configuration)\n", change->type,
			change->name);
		break;
	case PLAN_DELETE_BECAUSE_NO_MOVE_TARGET:
		zp_buf_printf(out, "  # (because %s was moved to %s, which is not in "
				   "configuration)\n",
			change->previous_address ? change->previous_address : change->address,
			change->address);
		break;
	case PLAN_DELETE_BECAUSE_NO_MODULE:
		zp_buf_printf(out, "  # (because %s is not in configuration)\n", change->module);
		break;
	case PLAN_DELETE_BECAUSE_WRONG_REPETITION:
		zp_buf_printf(out, "  # (because resource %s)\n",
			change->key.kind == STATE_INT_KEY    ? "does not use count" :
			change->key.kind == STATE_STRING_KEY ? "does not use for_each" :
							       "uses count or for_each");
		break;
	case PLAN_DELETE_BECAUSE_COUNT_INDEX:
		zp_buf_printf(out, "  # (because index %s is out of range for count)\n",
			zp_buf_slice(&key).ptr);
		break;
	case PLAN_DELETE_BECAUSE_EACH_KEY:
		zp_buf_printf(out, "  # (because key %s is not in for_each map)\n",
			zp_buf_slice(&key).ptr);
		break;
	case PLAN_READ_BECAUSE_CONFIG_UNKNOWN:
		zp_buf_puts(out, "  # (config refers to values not yet known)\n");
		break;
	case PLAN_READ_BECAUSE_CHECK_NESTED:
		zp_buf_puts(out, "  # (config will be reloaded to verify a check block)\n");
		break;
	case PLAN_READ_BECAUSE_DEPENDENCY_PENDING:
		zp_buf_puts(out, "  # (depends on a resource or a module with changes pending)\n");
		break;
	default:
		break;
	}
}

static void print_change(const struct cli_view *view, const struct plan_change *change,
	const char *said, struct zp_arena *scratch, struct zp_buf *out)
{
	struct cli_render render = { .view = view, .out = out, .scratch = scratch,
		.replace = change->replace, .replace_count = change->replace_count };
	bool replace = change->action == PLAN_DELETE_CREATE || change->action == PLAN_CREATE_DELETE;

	bool stays = change->action == PLAN_NO_OP, forgotten = change->action == PLAN_FORGET;
	bool moved = change->previous_address && stays && !change->import_id;

	zp_buf_printf(out, "%s %s# %s%s", cli_style(view, CLI_BOLD), forgotten ? "" : " ",
		moved ? change->previous_address : change->address, cli_style(view, CLI_RESET));
	if (change->deposed)
		zp_buf_printf(out, " (deposed object %s)", change->deposed);
	if (moved)
		zp_buf_printf(out, " has moved to %s%s%s\n", cli_style(view, CLI_BOLD),
			change->address, cli_style(view, CLI_RESET));
	else
		zp_buf_printf(out, " %s\n", said);
	if (forgotten)
		zp_buf_puts(out, " # (destroy = false is set in the configuration)\n");
	else
		explain(change, out);
	if (change->previous_address && !moved)
		zp_buf_printf(out, "  # (moved from %s)\n", change->previous_address);
	if (change->generated)
		zp_buf_puts(out, "  # (config will be generated)\n");
	if (change->import_id && !stays)
		zp_buf_printf(out, "  # (imported from \"%s\")\n", change->import_id);
	if (change->import_id && replace)
		zp_buf_printf(out, "  # %sWarning: this will destroy the imported resource%s\n",
			cli_style(view, CLI_YELLOW), cli_style(view, CLI_RESET));
	if (forgotten)
		zp_buf_puts(out, " . ");
	else
		cli_render_symbol(&render, change->action, 0);
	zp_buf_printf(out, "%s \"%s\" \"%s\" {\n", change->mode == PLAN_DATA ? "data" : "resource",
		change->type, change->name);
	/* What stays shows how it is, and hides most of it. */
	cli_render_object(&render, change->schema, change->before,
		forgotten ? change->before : change->after,
		replace || stays || forgotten ? PLAN_UPDATE : change->action, 1);
	zp_buf_puts(out, "    }\n\n");
}

static void print_legend(const struct cli_view *view, const struct tally *tally, struct zp_buf *out)
{
	struct cli_render render = { .view = view, .out = out };

	if (!tally->add && !tally->change && !tally->destroy && !tally->read && !tally->forget)
		return;
	zp_buf_puts(out, "\nzplan used the selected providers to generate the following execution\n"
			 "plan. Resource actions are indicated with the following symbols:\n");
	for (size_t i = 0; i < ZP_ARRAY_SIZE(legend); i++) {
		if (!tally->seen[legend[i].action])
			continue;
		cli_render_symbol(&render, legend[i].action, 0);
		zp_buf_printf(out, "%s\n", legend[i].text);
	}
}

static size_t print_outputs(const struct cli_view *view, const struct plan_output_change *outputs,
	size_t count, struct zp_arena *scratch, struct zp_buf *out)
{
	struct cli_render render = { .view = view, .out = out, .scratch = scratch };
	size_t width = 0, shown = 0;

	for (size_t i = 0; i < count; i++) {
		shown += outputs[i].action != PLAN_NO_OP;
		if (strlen(outputs[i].name) > width)
			width = strlen(outputs[i].name);
	}
	if (!shown)
		return 0;
	zp_buf_puts(out, "\nChanges to Outputs:\n");
	for (size_t i = 0; i < count; i++) {
		const struct plan_output_change *change = &outputs[i];
		if (change->action == PLAN_NO_OP)
			continue;
		struct hcl_value before = change->before_sensitive && !hcl_is_null(change->before) ?
			hcl_mark(change->before, HCL_SENSITIVE) : change->before;
		struct hcl_value after = change->sensitive && !hcl_is_null(change->after) ?
			hcl_mark(change->after, HCL_SENSITIVE) : change->after;
		cli_render_named(&render, change->name, width, before, after, 0);
	}
	return shown;
}

static void print_drift(const struct cli_view *view, const struct plan *plan,
	struct zp_arena *scratch, struct zp_buf *out)
{
	size_t count;
	const struct plan_drift *drifts = plan_drifts(plan, &count);
	size_t moved;
	const struct plan_change *moves = plan_moved_changes(plan, &moved);

	if (!count && !moved)
		return;
	zp_buf_printf(out, "\n%sNote:%s Objects have changed outside of zplan\n\n",
		cli_style(view, CLI_BOLD), cli_style(view, CLI_RESET));
	cli_wrap(out, "zplan detected the following changes made outside of zplan since the last "
		      "\"zplan apply\" which may have affected this plan:", view->columns);
	zp_buf_puts(out, "\n\n");
	for (size_t i = 0; i < count; i++) {
		const struct plan_change *change = &drifts[i].change;
		print_change(view, change, change->action == PLAN_DELETE ? "has been deleted" :
			"has changed", scratch, out);
	}
	for (size_t i = 0; i < moved; i++)
		print_change(view, &moves[i], "", scratch, out);
	if (plan_kind(plan) == PLAN_REFRESH_ONLY)
		return;
	zp_buf_puts(out, "\nUnless you have made equivalent changes to your configuration, or "
			 "ignored the\nrelevant attributes using ignore_changes, the following plan "
			 "may include\nactions to undo or respond to these changes.\n\n");
	for (int i = 0; i < 77; i++)
		zp_buf_puts(out, "─");
	zp_buf_char(out, '\n');
}

static void print_summary(const struct cli_view *view, const struct tally *tally, struct zp_buf *out)
{
	zp_buf_printf(out, "%sPlan:%s ", cli_style(view, CLI_BOLD), cli_style(view, CLI_RESET));
	if (tally->import)
		zp_buf_printf(out, "%zu to import, ", tally->import);
	zp_buf_printf(out, "%zu to add, %zu to change, %zu to destroy", tally->add, tally->change,
		tally->destroy);
	zp_buf_puts(out, ".\n");
}

char *cli_plan_summary(const struct plan *plan)
{
	size_t count;
	const struct plan_change *changes = plan_changes(plan, &count);
	struct tally tally = count_changes(changes, count);

	return zp_format("%zu to add, %zu to change, %zu to destroy", tally.add, tally.change,
		tally.destroy);
}

static void print_nothing(const struct cli_view *view, const struct plan *plan, struct zp_buf *out)
{
	size_t drifts, moves;
	plan_drifts(plan, &drifts);
	plan_moved_changes(plan, &moves);
	bool only_refresh = plan_kind(plan) == PLAN_REFRESH_ONLY;

	if (plan_kind(plan) == PLAN_DESTROY) {
		zp_buf_printf(out, "\n%s%sNo changes.%s%s No objects need to be destroyed.%s\n\n"
				   "Either you have not created any objects yet or the existing "
				   "objects were\nalready deleted outside of zplan.\n",
			cli_style(view, CLI_BOLD), cli_style(view, CLI_GREEN),
			cli_style(view, CLI_RESET), cli_style(view, CLI_BOLD),
			cli_style(view, CLI_RESET));
		return;
	}
	if (only_refresh && (drifts || moves)) {
		zp_buf_puts(out, "\nThis is a refresh-only plan, so zplan will not take any actions "
				 "to undo\nthese. If you were expecting these changes then you can "
				 "apply this plan to\nrecord the updated values in the state without "
				 "changing any remote objects.\n");
		return;
	}
	zp_buf_printf(out, "\n%s%sNo changes.%s%s Your infrastructure %s the configuration.%s\n\n",
		cli_style(view, CLI_BOLD), cli_style(view, CLI_GREEN), cli_style(view, CLI_RESET),
		cli_style(view, CLI_BOLD), only_refresh ? "still matches" : "matches",
		cli_style(view, CLI_RESET));
	zp_buf_puts(out, "zplan has compared your real infrastructure against your configuration\n"
			 "and found no differences, so no changes are needed.\n");
}

void cli_render_plan(const struct cli_view *view, const struct plan *plan, struct zp_buf *out)
{
	size_t count, output_count;
	const struct plan_change *changes = plan_changes(plan, &count);
	const struct plan_output_change *outputs = plan_output_changes(plan, &output_count);
	struct tally tally = count_changes(changes, count);
	struct zp_arena scratch;
	bool only_refresh = plan_kind(plan) == PLAN_REFRESH_ONLY;
	bool any = tally.add || tally.change || tally.destroy || tally.import || tally.forget ||
		tally.read || (tally.move && !only_refresh);

	zp_arena_init(&scratch);
	if (any || only_refresh)
		print_drift(view, plan, &scratch, out);
	if (any) {
		print_legend(view, &tally, out);
		zp_buf_puts(out, plan_errored(plan) ?
			"\nzplan planned the following actions, but then encountered a problem:\n\n" :
			"\nzplan will perform the following actions:\n\n");
		for (size_t i = 0; i < count; i++)
			if (changes[i].action != PLAN_NO_OP || changes[i].previous_address ||
				changes[i].import_id)
				print_change(view, &changes[i], headline(&changes[i]), &scratch, out);
		print_summary(view, &tally, out);
	}
	size_t shown = print_outputs(view, outputs, output_count, &scratch, out);
	if (!any && shown) {
		zp_buf_char(out, '\n');
		cli_wrap(out, "You can apply this plan to save these new output values to the zplan "
			      "state, without changing any real infrastructure.", view->columns);
		zp_buf_char(out, '\n');
	}
	if (!any && !shown && !plan_errored(plan))
		print_nothing(view, plan, out);
	zp_arena_release(&scratch);
}

/* sync: the controller, and what people say to it. */
#include <pwd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "cli/view.h"
#include "sync/controller.h"
#include "sync/source.h"
#include "sync/status.h"
#include "sync/turn.h"

struct sync_command {
	const char *config_path;
	bool json, once;
	int limit, run;
	struct sync_config *config;
	struct sync_store *store;
};

/* All on standard error: what programs read is on standard output. */
static void show(struct zp_diags *diags)
{
	struct cli_view view = cli_view_init(!isatty(STDERR_FILENO));
	zp_autobuf text = ZP_BUF_INIT;

	zp_diags_sort(diags);
	for (size_t i = 0; i < diags->count; i++)
		cli_diag_text(&view, diags->items[i], &text);
	if (text.len)
		fwrite(text.ptr, 1, text.len, stderr);
	zp_diags_truncate(diags, 0);
}

static int failed(const char *summary, const struct zp_error *err)
{
	struct cli_view view = cli_view_init(false);

	cli_print_error(&view, summary, "%s.", zp_error_text(err));
	return 1;
}

static bool load(struct sync_command *command)
{
	struct zp_diags diags;

	zp_diags_init(&diags);
	command->config = sync_config_load(command->config_path, &diags);
	show(&diags);
	zp_diags_release(&diags);
	return command->config != NULL;
}

static bool open_store(struct sync_command *command)
{
	zp_autoerror err = ZP_ERROR_INIT;

	if (!load(command))
		return false;
	zp_autofree char *path = zp_path_join(command->config->data_dir, "sync.db");
	if (!zp_file_exists(path)) {
		zp_error_set(&err, "%s does not exist: the controller of this configuration never ran here",
			path);
		failed("No history", &err);
		return false;
	}
	command->store = sync_store_open(path, &err);
	if (!command->store)
		failed("No history", &err);
	return command->store != NULL;
}

static int print(int rc, const struct zp_buf *out, const struct zp_error *err)
{
	if (rc < 0)
		return failed("No history", err);
	fwrite(out->ptr, 1, out->len, stdout);
	return 0;
}

static int status(struct sync_command *command, const char *stack)
{
	zp_autoerror err = ZP_ERROR_INIT;
	zp_autobuf out = ZP_BUF_INIT;

	(void)stack;
	int rc = command->json ? sync_status_json(command->config, command->store, &out, &err) :
				 sync_status_text(command->config, command->store, &out, &err);
	return print(rc, &out, &err);
}

static int history(struct sync_command *command, const char *stack)
{
	zp_autoerror err = ZP_ERROR_INIT;
	zp_autobuf out = ZP_BUF_INIT;

	int rc = command->json ? sync_history_json(command->store, stack, command->limit, &out, &err) :
				 sync_history_text(command->store, stack, command->limit, &out, &err);
	return print(rc, &out, &err);
}

static int decide(struct sync_command *command, const char *stack, bool approve)
{
	const struct passwd *user = getpwuid(getuid());
	zp_autofree char *who = zp_strdup(user ? user->pw_name : "somebody");
	zp_autoerror err = ZP_ERROR_INIT;

	if (sync_store_decide(command->store, stack, command->run, approve, who, &err) < 0)
		return failed(approve ? "Not approved" : "Not rejected", &err);
	return 0;
}

static int approve(struct sync_command *command, const char *stack)
{
	return decide(command, stack, true);
}

static int reject(struct sync_command *command, const char *stack)
{
	return decide(command, stack, false);
}

static int run_now(struct sync_command *command, const char *stack)
{
	zp_autoerror err = ZP_ERROR_INIT;

	if (sync_store_ask(command->store, stack, "manual", true, &err) < 0)
		return failed("Not asked", &err);
	return 0;
}

static int show_plan(struct sync_command *command, const char *stack)
{
	zp_autofree char *plan = sync_stack_plan(command->config, stack);
	zp_autoerror err = ZP_ERROR_INIT;

	if (!plan) {
		zp_error_set(&err, "no plan of stack \"%s\" waits for approval", stack);
		return failed("No plan", &err);
	}
	fputs(plan, stdout);
	return 0;
}

static const struct {
	const char *name;
	int (*run)(struct sync_command *command, const char *stack);
	int least, most; /* words after it */
} verbs[] = {
	{ "status", status, 0, 0 },
	{ "history", history, 0, 1 },
	{ "approve", approve, 1, 1 },
	{ "reject", reject, 1, 1 },
	{ "run", run_now, 1, 1 },
	{ "show", show_plan, 1, 1 },
};

static int say(struct sync_command *command, int argc, char **argv)
{
	struct cli_view view = cli_view_init(false);

	for (size_t i = 0; i < ZP_ARRAY_SIZE(verbs); i++) {
		if (strcmp(argv[0], verbs[i].name) != 0)
			continue;
		if (argc - 1 < verbs[i].least || argc - 1 > verbs[i].most) {
			cli_print_error(&view, "Wrong number of arguments",
				verbs[i].most ? "Expected the name of a stack after \"zplan sync %s\"." :
						"Expected nothing after \"zplan sync %s\".",
				argv[0]);
			return 1;
		}
		if (!open_store(command))
			return 1;
		/* A stack that is gone has a history still. */
		bool known = argc < 2 || verbs[i].run == history || sync_config_stack(command->config, argv[1]);
		if (!known) {
			cli_print_error(&view, "Unknown stack", "%s has no stack named \"%s\".",
				command->config_path, argv[1]);
			return 1;
		}
		return verbs[i].run(command, argc > 1 ? argv[1] : NULL);
	}
	cli_print_error(&view, "Unknown subcommand", "zplan sync has no \"%s\". See zplan sync -help.",
		argv[0]);
	return 1;
}

static int serve(const struct sync_command *command)
{
	struct sync_options options = { .config_path = command->config_path, .program = cli_program(),
		.once = command->once, .show = show };

	return sync_controller_run(&options);
}

int cli_sync(int argc, char **argv)
{
	struct sync_command command = { .limit = 20,
		.config_path = zp_file_exists("sync.hcl") ? "sync.hcl" : "/etc/zplan/sync.hcl" };
	struct cli_option options[] = {
		{ "config", CLI_TEXT, &command.config_path },
		{ "json", CLI_SWITCH, &command.json },
		{ "limit", CLI_NUMBER, &command.limit },
		{ "run", CLI_NUMBER, &command.run },
		{ "once", CLI_SWITCH, &command.once },
	};
	int result;

	if (!cli_options_parse(options, ZP_ARRAY_SIZE(options), &argc, argv, "sync"))
		return 1;
	if (argc == 1 && strcmp(argv[0], "fetch") == 0)
		return sync_fetch_main();
	if (argc == 1 && strcmp(argv[0], "validate") == 0)
		result = load(&command) ? 0 : 1;
	else
		result = argc ? say(&command, argc, argv) : serve(&command);
	sync_store_close(command.store);
	sync_config_unref(command.config);
	return result;
}

/* zplan console: expressions in, values out. */
#include <editline/readline.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/vec.h"
#include "cli/cli.h"
#include "cli/run.h"
#include "hcl-lite/codec.h"
#include "hcl-lite/lexer.h"

#define INPUT_NAME "<console-input>"

struct console {
	struct cli_run run;
	struct plan *plan;
	ZP_VEC(, struct zp_source *) sources; /* of expressions: values and messages point into them */
};

static const char help[] =
	"The console evaluates expressions of the language, one at a time, in the scope\n"
	"of this folder's configuration: variables, local values, the outputs of modules,\n"
	"and resources as the state has them. For example: \"zos_machine.web.ip\" is the\n"
	"address of that machine, if it exists.\n\n"
	"Type an expression and press <enter> to see its value.\n\n"
	"To leave, type \"exit\" and press <enter>, or press Control-C or Control-D.";

/* Appends what the line gives. False after diagnostics. */
static bool evaluate(struct console *console, const char *line, struct zp_buf *out)
{
	struct zp_source *source = zp_source_new(INPUT_NAME, zp_str(line));
	struct hcl_value value;

	zp_vec_push(&console->sources, source);
	if (!plan_evaluate_text(console->plan, source, &value, &console->run.diags))
		return false;
	hcl_value_to_text(out, value, 0);
	return true;
}

static char *trimmed(const char *line)
{
	static const char blanks[] = " \t\r\n\v\f";
	const char *start = line + strspn(line, blanks);
	size_t length = strlen(start);

	while (length && strchr(blanks, start[length - 1]))
		length--;
	return zp_strndup(start, length);
}

/* One line, or several that belong together. *exits: it was the word to leave. */
static bool handle(struct console *console, const char *line, struct zp_buf *out, bool *exits)
{
	zp_autofree char *text = trimmed(line);

	if (strcmp(text, "exit") == 0)
		*exits = true;
	else if (strcmp(text, "help") == 0)
		zp_buf_puts(out, help);
	else if (*text)
		return evaluate(console, text, out);
	return true;
}

/* As the peer: every line is an expression, the last one's value is the output, an error ends it. */
static int read_pipe(struct console *console)
{
	zp_autobuf last = ZP_BUF_INIT;
	char *line = NULL;
	size_t capacity = 0;
	bool fine = true, exits = false;

	while (fine && !exits && getline(&line, &capacity, stdin) >= 0) {
		zp_buf_clear(&last);
		fine = handle(console, line, &last, &exits);
	}
	free(line);
	if (fine && !exits)
		printf("%s\n", last.ptr ? last.ptr : "");
	return fine ? 0 : 1;
}

/* What a token does to the number of things that are open. */
static int opens(enum hcl_token_kind kind)
{
	switch (kind) {
	case HCL_TOKEN_OPEN_BRACE:
	case HCL_TOKEN_OPEN_BRACKET:
	case HCL_TOKEN_OPEN_PAREN:
	case HCL_TOKEN_OPEN_HEREDOC:
	case HCL_TOKEN_INTERPOLATION:
	case HCL_TOKEN_DIRECTIVE:
		return 1;
	case HCL_TOKEN_CLOSE_BRACE:
	case HCL_TOKEN_CLOSE_BRACKET:
	case HCL_TOKEN_CLOSE_PAREN:
	case HCL_TOKEN_CLOSE_HEREDOC:
	case HCL_TOKEN_TEMPLATE_END:
		return -1;
	default:
		return 0;
	}
}

/* Whether the input goes on in the next line: a bracket, a template or a heredoc is open. */
static bool is_unfinished(const char *text)
{
	struct hcl_lexer lexer;
	struct hcl_token token;
	int open = 0;

	hcl_lexer_init(&lexer, zp_str(text), HCL_LEX_CONFIG);
	do {
		token = hcl_lexer_next(&lexer);
		open += opens(token.kind);
	} while (token.kind != HCL_TOKEN_EOF && open >= 0);
	hcl_lexer_release(&lexer);
	return open > 0;
}

/* Heap; NULL at the end of input. */
static char *read_expression(void)
{
	zp_autobuf text = ZP_BUF_INIT;
	char *line = readline("> ");

	if (!line)
		return NULL;
	zp_buf_puts(&text, line);
	free(line);
	while (is_unfinished(text.ptr) && (line = readline(": "))) {
		zp_buf_printf(&text, "\n%s", line);
		free(line);
	}
	return zp_buf_steal(&text);
}

static int read_terminal(struct console *console)
{
	bool exits = false;

	using_history();
	while (!exits) {
		zp_autofree char *text = read_expression();
		zp_autobuf out = ZP_BUF_INIT;
		if (!text) {
			putchar('\n');
			break;
		}
		if (*text)
			add_history(text);
		if (handle(console, text, &out, &exits) && out.len)
			puts(out.ptr);
		cli_print_diags(&console->run.view, &console->run.diags);
		zp_diags_truncate(&console->run.diags, 0);
	}
	return 0;
}

static bool open_plan(struct console *console, const struct cli_common *common, bool planned)
{
	struct cli_run *run = &console->run;
	struct plan_options options = { .refresh = true };

	run->config = plan_config_load(&(struct plan_config_options){ .dir = "." }, &run->diags);
	if (run->diags.errors)
		return false;
	plan_config_validate(run->config, &run->diags);
	if (run->diags.errors || !cli_run_collect_inputs(run, common) ||
		!cli_run_open_nodes(run, common->nodes_path) ||
		!cli_run_open_state(run, common, "OperationTypeInvalid"))
		return false;
	options.inputs = run->inputs;
	options.input_count = run->input_count;
	options.working_dir = ".";
	options.workspace = run->workspace;
	options.nodes = run->nodes;
	console->plan = planned ? plan_create(run->config, &options, run->state, &run->diags) :
				  plan_open(run->config, &options, run->state, &run->diags);
	return console->plan && !run->diags.errors;
}

static int finish(struct console *console, int status)
{
	struct cli_run *run = &console->run;

	if (run->diags.errors)
		status = 1;
	if (run->config)
		plan_config_annotate(run->config, &run->diags);
	cli_print_diags(&run->view, &run->diags);
	zp_diags_truncate(&run->diags, 0);
	plan_free(console->plan);
	status = cli_run_finish(run, status);
	for (size_t i = 0; i < console->sources.count; i++)
		zp_source_free(console->sources.items[i]);
	zp_vec_release(&console->sources);
	return status;
}

int cli_console(int argc, char **argv)
{
	struct console console = { 0 };
	struct cli_common common;
	bool planned = false;
	cli_common_init(&common);
	struct cli_option options[] = {
		{ "plan", CLI_SWITCH, &planned },
		{ "state", CLI_TEXT, &common.state_path },
		{ "var", CLI_LIST, &common.variables },
		{ "var-file", CLI_LIST, &common.variables },
		{ "nodes", CLI_TEXT, &common.nodes_path },
		{ "lock", CLI_SWITCH, &common.lock },
		{ "lock-timeout", CLI_DURATION, &common.lock_timeout },
		{ "compact-warnings", CLI_SWITCH, &common.compact_warnings },
		{ "no-color", CLI_SWITCH, &common.no_color },
	};
	int status = 1;

	if (!cli_options_parse(options, ZP_ARRAY_SIZE(options), &argc, argv, "console"))
		return 1;
	cli_run_init(&console.run, common.no_color);
	/* It only looks: whoever works on the state meanwhile is not kept from it. */
	common.lock = false;
	if (argc)
		zp_diag_error(&console.run.diags, ZP_NOWHERE, "Too many command line arguments",
			"The console command expects no positional arguments.");
	else if (open_plan(&console, &common, planned))
		status = isatty(STDIN_FILENO) ? read_terminal(&console) : read_pipe(&console);
	cli_list_release(&common.variables);
	return finish(&console, status);
}

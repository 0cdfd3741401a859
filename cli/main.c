#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/vec.h"
#include "cli/cli.h"
#include "cli/usage.h"

static char program[PATH_MAX];

const char *cli_program(void)
{
	return program;
}

void cli_print_usage(const struct cli_command *command)
{
	fputs(command->usage, stdout);
}

static void remember_program(void)
{
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);

	program[n > 0 ? n : 0] = 0;
}

static void print_overview(void)
{
	puts("Usage: zplan [global options] <subcommand> [args]\n\n"
	     "The available commands for execution are listed below.\n"
	     "The primary workflow commands are given first, followed by\n"
	     "less common or more advanced commands.\n\nMain commands:");
	for (size_t i = 0; i < cli_command_count; i++)
		if (cli_commands[i].main_workflow)
			printf("  %-12s  %s\n", cli_commands[i].name, cli_commands[i].synopsis);
	puts("\nAll other commands:");
	for (size_t i = 0; i < cli_command_count; i++)
		if (!cli_commands[i].main_workflow && !strchr(cli_commands[i].name, ' '))
			printf("  %-12s  %s\n", cli_commands[i].name, cli_commands[i].synopsis);
	puts("\nGlobal options (use these before the subcommand, if any):\n"
	     "  -chdir=DIR    Switch to a different working directory before executing the\n"
	     "                given subcommand.\n"
	     "  -help         Show this help output, or the help for a specified subcommand.\n"
	     "  -version      An alias for the \"version\" subcommand.");
}

/* The command that the words begin with, the longest name first; *words is how many it takes. */
static const struct cli_command *find_command(int argc, char **argv, int *words)
{
	if (argc > 1) {
		zp_autofree char *two = zp_format("%s %s", argv[0], argv[1]);
		for (size_t i = 0; i < cli_command_count; i++) {
			if (strcmp(two, cli_commands[i].name) == 0) {
				*words = 2;
				return &cli_commands[i];
			}
		}
	}
	*words = 1;
	for (size_t i = 0; i < cli_command_count; i++)
		if (strcmp(argv[0], cli_commands[i].name) == 0)
			return &cli_commands[i];
	return NULL;
}

/* Commands of the peer that have no counterpart, and why. */
static const char *why_absent(const char *name)
{
	static const struct {
		const char *name, *why;
	} absent[] = {
		{ "login", "Access to registries and repositories is given by TF_TOKEN_* variables and the "
			   "CLI configuration." },
		{ "logout", "Access to registries and repositories is given by TF_TOKEN_* variables and the "
			    "CLI configuration." },
		{ "test", "Test files are checked by \"zplan validate\"; nothing runs them." },
		{ "stacks", "Use \"zplan sync\" for stacks that repositories keep." },
		{ "cloud", "States are kept in a backend of your own: see docs/state.md." },
	};

	for (size_t i = 0; i < ZP_ARRAY_SIZE(absent); i++)
		if (strcmp(name, absent[i].name) == 0)
			return absent[i].why;
	return NULL;
}

static int unknown_command(const char *name)
{
	if (why_absent(name)) {
		fprintf(stderr, "zplan has no command named \"%s\". %s\n", name, why_absent(name));
		return 1;
	}
	const char **names = zp_calloc(cli_command_count, sizeof(*names));

	for (size_t i = 0; i < cli_command_count; i++)
		names[i] = cli_commands[i].name;
	const char *near = zp_str_suggest(zp_str(name), names, cli_command_count);
	fprintf(stderr, "zplan has no command named \"%s\".%s%s%s\n\n"
			"To see all of zplan's top-level commands, run:\n  zplan -help\n\n",
		name, near ? " Did you mean \"" : "", near ? near : "", near ? "\"?" : "");
	free(names);
	return 1;
}

static bool is_help(const char *arg)
{
	return strcmp(arg, "-help") == 0 || strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0;
}

ZP_VEC(word_vec, char *);

/* Words as a shell would split them: blanks separate, quotes and backslashes keep together. */
static void split_words(const char *text, struct word_vec *words)
{
	zp_autobuf word = ZP_BUF_INIT;
	bool inside = false;
	char quote = 0;

	for (const char *p = text; *p; p++) {
		if (quote && *p == quote) {
			quote = 0;
		} else if (!quote && (*p == '\'' || *p == '"')) {
			quote = *p;
			inside = true;
		} else if (*p == '\\' && quote != '\'' && p[1]) {
			zp_buf_char(&word, *++p);
			inside = true;
		} else if (!quote && (*p == ' ' || *p == '\t' || *p == '\n')) {
			if (inside)
				zp_vec_push(words, zp_buf_steal(&word));
			inside = false;
		} else {
			zp_buf_char(&word, *p);
			inside = true;
		}
	}
	if (inside)
		zp_vec_push(words, zp_buf_steal(&word));
}

/* TF_CLI_ARGS and TF_CLI_ARGS_<command> stand before the command's own words. */
static void add_words_from(const char *variable, struct word_vec *words)
{
	const char *text = getenv(variable);

	if (text)
		split_words(text, words);
}

static int run_command(const struct cli_command *command, int argc, char **argv)
{
	struct word_vec words = { 0 };
	zp_autofree char *variable = zp_format("TF_CLI_ARGS_%s", command->name);

	for (char *p = variable; *p; p++)
		if (*p == ' ')
			*p = '_';
	add_words_from("TF_CLI_ARGS", &words);
	add_words_from(variable, &words);
	size_t owned = words.count;
	for (int i = 0; i < argc; i++)
		zp_vec_push(&words, argv[i]);
	/* The command reorders its words: what is ours to free is remembered apart. */
	char **own = zp_calloc(owned, sizeof(*own));
	for (size_t i = 0; i < owned; i++)
		own[i] = words.items[i];
	int status = command->run((int)words.count, words.items);
	for (size_t i = 0; i < owned; i++)
		free(own[i]);
	free(own);
	zp_vec_release(&words);
	return status;
}

static int change_directory(const char *dir)
{
	if (chdir(dir) == 0)
		return 0;
	fprintf(stderr, "Error handling -chdir option: chdir %s: %s\n", dir, strerror(errno));
	return 1;
}

int main(int argc, char **argv)
{
	char *version[] = { "version" };

	signal(SIGPIPE, SIG_IGN);
	remember_program();
	zp_log_init_from_environment();
	argc--;
	argv++;
	for (; argc && argv[0][0] == '-'; argc--, argv++) {
		if (strncmp(argv[0], "-chdir=", 7) == 0) {
			if (change_directory(argv[0] + 7))
				return 1;
		} else if (strcmp(argv[0], "-version") == 0 || strcmp(argv[0], "--version") == 0 ||
			strcmp(argv[0], "-v") == 0) {
			argv = version;
			argc = 1;
			break;
		} else {
			print_overview();
			return is_help(argv[0]) ? 0 : 127;
		}
	}
	if (!argc) {
		print_overview();
		return 127;
	}
	int words;
	const struct cli_command *command = find_command(argc, argv, &words);
	if (!command)
		return unknown_command(argv[0]);
	for (int i = words; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (is_help(argv[i])) {
			cli_print_usage(command);
			return 0;
		}
	}
	return run_command(command, argc - words, argv + words);
}

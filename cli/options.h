/*
 * Flags as Go programs read them: -name, -name=value, -name value (not for switches), --name too; "--"
 * or the first word that is no flag ends them, except that words may stand between flags.
 *
 *	struct cli_option options[] = { { "json", CLI_SWITCH, &json }, { "var", CLI_LIST, &vars } };
 *	if (!cli_options_parse(options, n, &argc, argv)) return 1;      words that are left: argv[0..argc)
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

enum cli_option_kind {
	CLI_SWITCH, /* bool *: true, or as -name=false says */
	CLI_TEXT,   /* const char ** */
	CLI_NUMBER, /* int * */
	CLI_LIST,   /* struct cli_list * of values, in order */
	CLI_DURATION, /* int * of milliseconds: "10s", "1m30s", "500ms", "0" */
};

struct cli_list {
	const char **items; /* heap array of borrowed texts */
	size_t count;
	const char **names; /* the flag each was given by; lists may be shared by flags */
};

struct cli_option {
	const char *name;
	enum cli_option_kind kind;
	void *target;
};

/*
 * Takes the flags out of argv and leaves the other words, in order, in argv[0..*argc). On an unknown
 * flag or a bad value prints an error with what to do and returns false.
 */
bool cli_options_parse(const struct cli_option *options, size_t count, int *argc, char **argv,
	const char *command);
void cli_list_release(struct cli_list *list);

#endif

#include "cli/options.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/view.h"

static bool complain(const char *command, const char *what, const char *name, const char *value)
{
	struct cli_view view = cli_view_init(false);
	zp_autobuf detail = ZP_BUF_INIT;

	zp_buf_printf(&detail, "%s: -%s", what, name);
	if (value)
		zp_buf_printf(&detail, "=%s", value);
	cli_print_error(&view, "Failed to parse command-line flags", "%s", detail.ptr);
	fprintf(stderr, "\nFor more help on using this command, run:\n  zplan %s -help\n", command);
	return false;
}

static bool parse_bool(const char *text, bool *value)
{
	static const char *const yes[] = { "true", "1", "t", "T", "TRUE", "True" };
	static const char *const no[] = { "false", "0", "f", "F", "FALSE", "False" };

	for (size_t i = 0; i < ZP_ARRAY_SIZE(yes); i++) {
		if (strcmp(text, yes[i]) == 0 || strcmp(text, no[i]) == 0) {
			*value = strcmp(text, yes[i]) == 0;
			return true;
		}
	}
	return false;
}

static bool parse_int(const char *text, int *value)
{
	char *end;

	errno = 0;
	long n = strtol(text, &end, 10);
	if (errno || end == text || *end || n > INT_MAX || n < INT_MIN)
		return false;
	*value = (int)n;
	return true;
}

static bool parse_duration(const char *text, int *milliseconds)
{
	double total = 0;

	if (strcmp(text, "0") == 0) {
		*milliseconds = 0;
		return true;
	}
	if (!*text)
		return false;
	while (*text) {
		char *end;
		double n = strtod(text, &end);
		if (end == text || n < 0)
			return false;
		if (strncmp(end, "ms", 2) == 0) {
			total += n;
			end += 2;
		} else if (*end == 's' || *end == 'm' || *end == 'h') {
			total += n * (*end == 's' ? 1e3 : *end == 'm' ? 60e3 : 3600e3);
			end++;
		} else {
			return false;
		}
		text = end;
	}
	if (total > INT_MAX)
		return false;
	*milliseconds = (int)total;
	return true;
}

static void list_add(struct cli_list *list, const char *name, const char *value)
{
	list->items = zp_reallocarray(list->items, list->count + 1, sizeof(*list->items));
	list->names = zp_reallocarray(list->names, list->count + 1, sizeof(*list->names));
	list->items[list->count] = value;
	list->names[list->count++] = name;
}

void cli_list_release(struct cli_list *list)
{
	free(list->items);
	free(list->names);
	*list = (struct cli_list){ 0 };
}

static bool store(const struct cli_option *option, const char *value)
{
	switch (option->kind) {
	case CLI_SWITCH:
		return parse_bool(value, option->target);
	case CLI_TEXT:
		*(const char **)option->target = value;
		return true;
	case CLI_NUMBER:
		return parse_int(value, option->target);
	case CLI_LIST:
		list_add(option->target, option->name, value);
		return true;
	case CLI_DURATION:
		return parse_duration(value, option->target);
	}
	return false;
}

static const struct cli_option *find(const struct cli_option *options, size_t count,
	struct zp_str name)
{
	for (size_t i = 0; i < count; i++)
		if (zp_str_is(name, options[i].name))
			return &options[i];
	return NULL;
}

bool cli_options_parse(const struct cli_option *options, size_t count, int *argc, char **argv,
	const char *command)
{
	int words = 0;
	bool only_words = false;

	for (int i = 0; i < *argc; i++) {
		char *arg = argv[i];
		if (only_words || arg[0] != '-' || !arg[1]) {
			argv[words++] = arg;
			continue;
		}
		if (strcmp(arg, "--") == 0) {
			only_words = true;
			continue;
		}
		const char *name = arg + (arg[1] == '-' ? 2 : 1);
		size_t length = strcspn(name, "=");
		const char *value = name[length] ? name + length + 1 : NULL;
		const struct cli_option *option = find(options, count, zp_strn(name, length));
		zp_autofree char *bare = zp_strndup(name, length);
		if (!option)
			return complain(command, "flag provided but not defined", bare, NULL);
		if (!value && option->kind == CLI_SWITCH)
			value = "true";
		if (!value && i + 1 < *argc)
			value = argv[++i];
		if (!value)
			return complain(command, "flag needs an argument", bare, NULL);
		if (!store(option, value))
			return complain(command, "invalid value for flag", bare, value);
	}
	*argc = words;
	return true;
}

#include "providers/machine/command.h"

#include <string.h>

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Copies what is quoted; *text is at the opening quote, afterwards behind the closing one. */
static int take_quoted(const char **text, char **out, struct zp_error *err)
{
	char quote = **text;
	const char *p = *text + 1;

	for (; *p && *p != quote; p++) {
		if (quote == '"' && *p == '\\' && p[1] && strchr("\"\\$`", p[1]))
			p++;
		*(*out)++ = *p;
	}
	if (!*p)
		return zp_error_set(
			err, "a %s quote is not closed", quote == '"' ? "double" : "single");
	*text = p + 1;
	return 0;
}

/* Copies one word, at most as long as its text. */
static int take_word(const char **text, char *out, struct zp_error *err)
{
	const char *p = *text;

	while (*p && !is_space(*p)) {
		if (*p == '"' || *p == '\'') {
			if (take_quoted(&p, &out, err) < 0)
				return -1;
			continue;
		}
		if (*p == '\\' && p[1])
			p++;
		*out++ = *p++;
	}
	*out = '\0';
	*text = p;
	return 0;
}

int provider_command_split(struct zp_arena *arena, const char *text, char ***words, size_t *count,
	struct zp_error *err)
{
	char **list = zp_new_array(arena, char *, PROVIDER_COMMAND_MAX_WORDS + 1);

	*words = list;
	*count = 0;
	for (;;) {
		while (is_space(*text))
			text++;
		if (!*text)
			return 0;
		if (*count == PROVIDER_COMMAND_MAX_WORDS)
			return zp_error_set(err, "more than %d words", PROVIDER_COMMAND_MAX_WORDS);
		list[*count] = zp_arena_text(arena, strlen(text) + 1);
		if (take_word(&text, list[*count], err) < 0)
			return -1;
		(*count)++;
	}
}

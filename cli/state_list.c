#include <stdlib.h>

#include "base/alloc.h"
#include "cli/cli.h"
#include "cli/state_command.h"

static bool has_id(const struct state_object *object, const char *id)
{
	struct zp_json json;
	struct zp_str key, text;
	bool found = false;

	zp_json_init(&json, object->attributes);
	for (bool more = zp_json_enter_object(&json); more && zp_json_next_key(&json, &key);) {
		if (zp_str_is(key, "id") && zp_json_peek(&json) == ZP_JSON_STRING)
			found = zp_json_read_string(&json, &text) && zp_str_is(text, id);
		else
			zp_json_skip(&json, NULL);
	}
	zp_json_release(&json);
	return found;
}

/* An address once, however many deposed objects stand behind it. */
static void list(const struct state_object **found, size_t count, const char *id)
{
	const struct state_object *last = NULL;

	for (size_t i = 0; i < count; i++) {
		if (id && (found[i]->deposed || !has_id(found[i], id)))
			continue;
		if (!last || strcmp(last->address, found[i]->address) != 0)
			puts(found[i]->address);
		last = found[i];
	}
}

int cli_state_list(int argc, char **argv)
{
	struct cli_common common;
	const char *id = NULL;
	cli_common_init(&common);
	struct cli_option options[] = {
		{ "state", CLI_TEXT, &common.state_path },
		{ "id", CLI_TEXT, &id },
	};
	struct cli_run run;
	const struct state_object **found = NULL;
	size_t count = 0;

	if (!cli_options_parse(options, ZP_ARRAY_SIZE(options), &argc, argv, "state list"))
		return 1;
	if (!cli_state_begin(&run, &common, NULL))
		return cli_run_finish(&run, 1);
	if (!run.state->serial && state_is_empty(run.state)) {
		cli_state_say_none();
		return cli_run_finish(&run, 1);
	}
	bool ok = cli_state_select(&run, argc, argv, false, &found, &count);
	if (ok)
		list(found, count, id && *id ? id : NULL);
	free(found);
	return cli_run_finish(&run, ok ? 0 : 1);
}

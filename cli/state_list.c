#include <stdlib.h>

#include "base/alloc.h"
#include "cli/cli.h"
#include "cli/run.h"
#include "hcl-lite/codec.h"

/* At the address or below it: what follows must begin a new step. */
static bool is_within(const char *address, const char *filter)
{
	size_t n = strlen(filter);

	return strncmp(address, filter, n) == 0 &&
		(!address[n] || address[n] == '.' || address[n] == '[');
}

static bool is_wanted(const struct state_object *object, int filters, char **filter)
{
	for (int i = 0; i < filters; i++)
		if (is_within(object->address, filter[i]))
			return true;
	return !filters;
}

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

static int by_address(const void *a, const void *b)
{
	const struct state_object *x = *(struct state_object *const *)a;
	const struct state_object *y = *(struct state_object *const *)b;
	int order = strcmp(x->resource->address, y->resource->address);

	if (order)
		return order;
	if (x->key.kind == STATE_INT_KEY && y->key.kind == STATE_INT_KEY)
		return (x->key.number > y->key.number) - (x->key.number < y->key.number);
	return strcmp(x->address, y->address);
}

static void list(const struct state *state, const char *id, int filters, char **filter)
{
	const struct state_object **found = zp_calloc(state->object_count, sizeof(*found));
	size_t count = 0;

	for (size_t i = 0; i < state->object_count; i++) {
		const struct state_object *object = state->objects[i];
		if (object && is_wanted(object, filters, filter) && (!id || has_id(object, id)))
			found[count++] = object;
	}
	qsort(found, count, sizeof(*found), by_address);
	for (size_t i = 0; i < count; i++)
		if (found[i]->deposed)
			printf("%s (deposed object %s)\n", found[i]->address, found[i]->deposed);
		else
			puts(found[i]->address);
	free(found);
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

	if (!cli_options_parse(options, ZP_ARRAY_SIZE(options), &argc, argv, "state list"))
		return 1;
	cli_run_init(&run, false);
	common.lock = false;
	run.config = plan_config_load(&(struct plan_config_options){ .dir = "." }, &run.diags);
	zp_diags_truncate(&run.diags, 0); /* only its backend block counts here */
	if (!cli_run_open_state(&run, &common, ""))
		return cli_run_finish(&run, 1);
	if (!run.state->serial && state_is_empty(run.state)) {
		fputs("No state file was found!\n\nState management commands require a state file. Run "
		      "this command\nin a directory where zplan has been run or use the -state flag\n"
		      "to point the command to a specific state location.\n", stderr);
		return cli_run_finish(&run, 1);
	}
	list(run.state, id, argc, argv);
	return cli_run_finish(&run, 0);
}

#include <ctype.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/vec.h"
#include "cli/cli.h"
#include "cli/state_command.h"

#define DEFAULT_HOST "registry.terraform.io"

/* "type", "namespace/type" or "host/namespace/type" in full. Heap; NULL after a diagnostic. */
static char *full_source(struct cli_run *run, const char *text, const char *which)
{
	size_t slashes = 0;
	bool ok = *text && *text != '/' && text[strlen(text) - 1] != '/' && !strstr(text, "//");

	for (const char *p = text; *p; p++) {
		slashes += *p == '/';
		ok &= isalnum((unsigned char)*p) || strchr("-_./:", *p);
	}
	if (!ok || slashes > 2) {
		zp_diag_error(&run->diags, ZP_NOWHERE, "Invalid provider source string",
			"Invalid %s provider \"%s\": the \"source\" must be in the format "
			"\"[hostname/][namespace/]name\".",
			which, text);
		return NULL;
	}
	return slashes == 2   ? zp_strdup(text)
	       : slashes == 1 ? zp_format(DEFAULT_HOST "/%s", text)
			      : zp_format(DEFAULT_HOST "/hashicorp/%s", text);
}

/* As people write it: without the host that goes without saying. */
static const char *short_source(const char *full)
{
	return strncmp(full, DEFAULT_HOST "/", strlen(DEFAULT_HOST "/")) == 0
		       ? full + strlen(DEFAULT_HOST "/")
		       : full;
}

ZP_VEC(resource_vec, const struct state_object *);

/* One object of each resource of that provider, in order. */
static void find_resources(const struct state *state, const char *mark, struct resource_vec *found)
{
	const struct state_resource *last = NULL;

	for (size_t i = 0; i < state->object_count; i++) {
		const struct state_object *object = state->objects[i];
		if (!object || object->resource == last ||
			!strstr(object->resource->provider, mark))
			continue;
		last = object->resource;
		zp_vec_push(found, object);
	}
}

static int by_order(const void *a, const void *b)
{
	return state_object_compare(
		*(const struct state_object *const *)a, *(const struct state_object *const *)b);
}

/* Objects of a resource may lie apart in the file: each resource once. */
static void sort_unique(struct resource_vec *found)
{
	size_t kept = 0;

	if (found->count)
		qsort(found->items, found->count, sizeof(*found->items), by_order);
	for (size_t i = 0; i < found->count; i++)
		if (!kept || found->items[kept - 1]->resource != found->items[i]->resource)
			found->items[kept++] = found->items[i];
	found->count = kept;
}

static void replace(struct state *state, const struct state_resource *resource, const char *mark,
	const char *to)
{
	const char *at = strstr(resource->provider, mark);
	zp_autofree char *provider = zp_format("%.*sprovider[\"%s\"]%s",
		(int)(at - resource->provider), resource->provider, to, at + strlen(mark));

	state_resource(
		state, resource->module, resource->mode, resource->type, resource->name, provider);
}

static bool approve(const struct cli_common *common, bool auto_approve)
{
	if (auto_approve || !common->input)
		return true;
	zp_autofree char *answer =
		cli_ask("\nDo you want to make these changes?\nOnly 'yes' will be "
			"accepted to continue.\n\nEnter a value: ");
	if (strcmp(answer, "yes") == 0) {
		putchar('\n');
		return true;
	}
	puts("Cancelled replacing providers.");
	return false;
}

static int replace_all(
	struct cli_run *run, const struct cli_common *common, char **word, bool auto_approve)
{
	zp_autofree char *from = full_source(run, word[0], "source");
	zp_autofree char *to = full_source(run, word[1], "destination");
	struct resource_vec found = { 0 };

	if (!from || !to)
		return 1;
	zp_autofree char *mark = zp_format("provider[\"%s\"]", from);
	find_resources(run->state, mark, &found);
	sort_unique(&found);
	if (!found.count) {
		puts("No matching resources found.");
		return 0;
	}
	printf("zplan will perform the following actions:\n\n  ~ Updating provider:\n    - %s\n    "
	       "+ "
	       "%s\n\nChanging %zu resources:\n\n",
		short_source(from), short_source(to), found.count);
	for (size_t i = 0; i < found.count; i++)
		printf("  %s\n", found.items[i]->resource->address);
	bool ok = approve(common, auto_approve);
	for (size_t i = 0; i < found.count && ok; i++)
		replace(run->state, found.items[i]->resource, mark, to);
	ok = ok && cli_state_save(run);
	if (ok)
		printf("\nSuccessfully replaced provider for %zu resources.\n", found.count);
	zp_vec_release(&found);
	return ok ? 0 : 1;
}

int cli_state_replace_provider(int argc, char **argv)
{
	struct cli_common common;
	bool auto_approve = false, ignored = false;
	cli_common_init(&common);
	struct cli_option options[] = {
		{ "auto-approve", CLI_SWITCH, &auto_approve },
		{ "state", CLI_TEXT, &common.state_path },
		{ "backup", CLI_TEXT, &common.backup_path },
		{ "lock", CLI_SWITCH, &common.lock },
		{ "lock-timeout", CLI_DURATION, &common.lock_timeout },
		{ "ignore-remote-version", CLI_SWITCH, &ignored },
		{ "no-color", CLI_SWITCH, &common.no_color },
	};
	struct cli_run run;

	if (!cli_options_parse(
		    options, ZP_ARRAY_SIZE(options), &argc, argv, "state replace-provider"))
		return 1;
	if (argc != 2)
		return cli_state_misused(
			"state replace-provider", "Exactly two arguments expected.");
	if (!cli_state_begin(&run, &common, "state-replace-provider"))
		return cli_run_finish(&run, 1);
	return cli_run_finish(&run, replace_all(&run, &common, argv, auto_approve));
}

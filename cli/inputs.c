/* Variables' values, from the weakest source to the strongest; a later one replaces an earlier one. */
#include <dirent.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/intern.h"
#include "base/vec.h"
#include "cli/run.h"

extern char **environ;

static struct plan_input *add_input(struct cli_run *run, const char *name, enum plan_source source,
	const char *origin)
{
	if (run->input_count == run->input_capacity) {
		run->input_capacity = run->input_capacity ? run->input_capacity * 2 : 16;
		run->inputs = zp_reallocarray(run->inputs, run->input_capacity, sizeof(*run->inputs));
	}
	struct plan_input *input = &run->inputs[run->input_count++];
	*input = (struct plan_input){ .name = name, .source = source, .origin = origin };
	return input;
}

static void from_environment(struct cli_run *run)
{
	static const char prefix[] = "TF_VAR_";

	for (char **entry = environ; *entry; entry++) {
		const char *equals = strchr(*entry, '=');
		if (!equals || strncmp(*entry, prefix, sizeof(prefix) - 1) != 0)
			continue;
		const char *name = *entry + sizeof(prefix) - 1;
		struct plan_input *input = add_input(run,
			zp_intern(zp_strn(name, (size_t)(equals - name))), PLAN_FROM_ENVIRONMENT,
			zp_arena_strndup(&run->arena, *entry, (size_t)(equals - *entry)));
		input->text = equals + 1;
	}
}

static bool from_file(struct cli_run *run, const char *path)
{
	zp_autoerror err = ZP_ERROR_INIT;
	struct zp_source *source = zp_source_load(path, path, &err);
	struct hcl_content content = { 0 };
	size_t errors = run->diags.errors;

	if (!source) {
		zp_diag_error(&run->diags, ZP_NOWHERE, "Failed to read variables file",
			"Given variables file %s could not be read: %s.", path, zp_error_text(&err));
		return false;
	}
	run->sources = zp_reallocarray(run->sources, run->source_count + 1, sizeof(*run->sources));
	run->sources[run->source_count++] = source;
	struct hcl_body *body = hcl_parse_file(source, &run->arena, &run->diags);
	if (run->diags.errors > errors)
		return false;
	hcl_body_attributes(body, &run->arena, &content, &run->diags);
	for (size_t i = 0; i < content.attribute_count; i++) {
		struct plan_input *input = add_input(run, content.attributes[i]->name,
			PLAN_FROM_FILE, source->name);
		input->expr = content.attributes[i]->expr;
		input->range = content.attributes[i]->range;
	}
	return run->diags.errors == errors;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool from_automatic_files(struct cli_run *run)
{
	static const char *const fixed[] = { "terraform.tfvars", "terraform.tfvars.json" };
	ZP_VEC(, char *) names = { 0 };
	zp_autoclosedir DIR *dir = opendir(".");
	bool ok = true;

	for (size_t i = 0; i < ZP_ARRAY_SIZE(fixed); i++)
		if (zp_file_exists(fixed[i]))
			ok &= from_file(run, fixed[i]);
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		struct zp_str name = zp_str(entry->d_name);
		if (name.ptr[0] != '.' &&
			(zp_str_ends(name, ".auto.tfvars") || zp_str_ends(name, ".auto.tfvars.json")))
			zp_vec_push(&names, zp_strdup(entry->d_name));
	}
	if (names.count)
		qsort(names.items, names.count, sizeof(*names.items), by_text);
	for (size_t i = 0; i < names.count; i++) {
		ok &= from_file(run, names.items[i]);
		free(names.items[i]);
	}
	zp_vec_release(&names);
	return ok;
}

static bool from_command_line(struct cli_run *run, const struct cli_list *variables)
{
	bool ok = true;

	for (size_t i = 0; i < variables->count; i++) {
		const char *text = variables->items[i];
		if (strcmp(variables->names[i], "var-file") == 0) {
			ok &= from_file(run, text);
			continue;
		}
		const char *equals = strchr(text, '=');
		if (!equals || equals == text) {
			zp_diag_error(&run->diags, ZP_NOWHERE, "Invalid -var option",
				"The given -var option \"%s\" is not correctly specified. Must be a "
				"variable name and value separated by an equals sign, like "
				"-var=\"key=value\".", text);
			ok = false;
			continue;
		}
		struct plan_input *input = add_input(run,
			zp_intern(zp_strn(text, (size_t)(equals - text))), PLAN_FROM_COMMAND_LINE,
			"-var");
		input->text = equals + 1;
	}
	return ok;
}

bool cli_run_collect_inputs(struct cli_run *run, const struct cli_common *common)
{
	from_environment(run);
	bool ok = from_automatic_files(run);

	return from_command_line(run, &common->variables) && ok;
}

#include "cli/hosts.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/source.h"
#include "hcl-lite/eval.h"

extern char **environ;

static struct module_host *host_named(struct cli_hosts *hosts, struct zp_str name)
{
	for (size_t i = 0; i < hosts->count; i++)
		if (zp_str_is(name, hosts->items[i].name))
			return &hosts->items[i];
	struct module_host *host = zp_vec_add(hosts);
	host->name = zp_arena_strndup(&hosts->arena, name.ptr, name.len);
	return host;
}

/* A constant string; NULL for anything else, after a diagnostic. */
static const char *read_text(struct cli_hosts *hosts, const struct hcl_expr *expr, struct zp_diags *diags)
{
	struct hcl_evaluation ev = { .arena = &hosts->arena, .diags = diags };
	struct hcl_value value = hcl_evaluate_as(&ev, expr, hcl_string);

	return value.state == HCL_KNOWN ? zp_arena_strndup(&hosts->arena, value.text, value.count) : NULL;
}

static void read_credentials(struct cli_hosts *hosts, const struct hcl_block *block, struct zp_diags *diags)
{
	static const struct hcl_attribute_schema attributes[] = { { "token", false } };
	static const struct hcl_body_schema schema = { attributes, 1, NULL, 0 };
	struct hcl_content content = { 0 };
	struct hcl_body *rest = NULL;

	hcl_body_content(block->body, &schema, &hosts->arena, &content, &rest, diags);
	const struct hcl_attribute *token = hcl_content_attribute(&content, "token");
	if (token)
		host_named(hosts, block->labels[0])->token = read_text(hosts, token->expr, diags);
}

static void read_services(struct cli_hosts *hosts, const struct hcl_block *block, struct zp_diags *diags)
{
	static const struct hcl_attribute_schema attributes[] = { { "services", false } };
	static const struct hcl_body_schema schema = { attributes, 1, NULL, 0 };
	struct hcl_content content = { 0 };
	struct hcl_body *rest = NULL;
	struct hcl_evaluation ev = { .arena = &hosts->arena, .diags = diags };
	struct hcl_value modules;

	hcl_body_content(block->body, &schema, &hosts->arena, &content, &rest, diags);
	const struct hcl_attribute *services = hcl_content_attribute(&content, "services");
	if (!services)
		return;
	struct hcl_value value = hcl_evaluate(&ev, services->expr);
	if (value.state != HCL_KNOWN || value.type->kind != HCL_OBJECT ||
		!hcl_value_attribute(value, "modules.v1", &modules) || modules.state != HCL_KNOWN ||
		modules.type != hcl_string)
		return;
	host_named(hosts, block->labels[0])->modules =
		zp_arena_strndup(&hosts->arena, modules.text, modules.count);
}

static void read_body(struct cli_hosts *hosts, const struct hcl_body *body, struct zp_diags *diags)
{
	static const char *const labels[] = { "name", NULL };
	static const struct hcl_block_schema blocks[] = { { "credentials", labels }, { "host", labels } };
	static const struct hcl_body_schema schema = { NULL, 0, blocks, ZP_ARRAY_SIZE(blocks) };
	struct hcl_content content = { 0 };
	struct hcl_body *rest = NULL; /* what concerns other programs */

	hcl_body_content(body, &schema, &hosts->arena, &content, &rest, diags);
	for (size_t i = 0; i < content.block_count; i++)
		if (strcmp(content.blocks[i]->type, "credentials") == 0)
			read_credentials(hosts, content.blocks[i], diags);
		else
			read_services(hosts, content.blocks[i], diags);
}

/* Without the line itself: a token may stand there. */
static void pass_on(const char *path, const struct zp_diags *found, struct zp_diags *diags)
{
	for (size_t i = 0; i < found->count; i++) {
		const struct zp_diag *diag = found->items[i];
		unsigned line = diag->subject.file ?
			zp_source_position(diag->subject.file, diag->subject.start).line : 0;
		zp_diag_error(diags, ZP_NOWHERE, "Error in the CLI configuration", "%s, line %u: %s.", path, line,
			diag->summary);
	}
}

static void read_file(struct cli_hosts *hosts, const char *path, struct zp_diags *diags)
{
	zp_autoerror err = ZP_ERROR_INIT;
	struct zp_diags found;

	if (!zp_file_exists(path) || zp_is_directory(path))
		return;
	struct zp_source *source = zp_source_load(path, path, &err);
	if (!source) {
		zp_diag_error(diags, ZP_NOWHERE, "Unable to read the CLI configuration", "%s.",
			zp_error_text(&err));
		return;
	}
	zp_diags_init(&found);
	struct hcl_body *body = strlen(path) > 5 && strcmp(path + strlen(path) - 5, ".json") == 0 ?
		hcl_parse_json(source, &hosts->arena, &found) :
		hcl_parse_native(source, &hosts->arena, &found);
	if (!found.errors)
		read_body(hosts, body, &found);
	pass_on(path, &found, diags);
	zp_diags_release(&found);
	zp_source_free(source);
}

/* "app_terraform_io" -> "app.terraform.io"; "__" stands for a dash. */
static struct zp_str decode_name(struct cli_hosts *hosts, struct zp_str name)
{
	char *text = zp_arena_strndup(&hosts->arena, name.ptr, name.len), *to = text;

	for (const char *p = text; *p; p++) {
		bool dash = p[0] == '_' && p[1] == '_';
		*to++ = dash ? '-' : *p == '_' ? '.' : *p;
		p += dash;
	}
	*to = 0;
	return zp_str(text);
}

static void read_environment(struct cli_hosts *hosts)
{
	static const char prefix[] = "TF_TOKEN_";

	for (char **entry = environ; *entry; entry++) {
		const char *equals = strchr(*entry, '=');
		if (!equals || strncmp(*entry, prefix, sizeof(prefix) - 1) != 0)
			continue;
		const char *name = *entry + sizeof(prefix) - 1;
		host_named(hosts, decode_name(hosts, zp_strn(name, (size_t)(equals - name))))->token =
			zp_arena_strdup(&hosts->arena, equals + 1);
	}
}

bool cli_hosts_load(struct cli_hosts *hosts, struct zp_diags *diags)
{
	const char *home = getenv("HOME"), *named = getenv("TF_CLI_CONFIG_FILE");
	size_t errors = diags->errors;

	*hosts = (struct cli_hosts){ 0 };
	zp_arena_init(&hosts->arena);
	if (home && *home) {
		zp_autofree char *saved = zp_format("%s/.terraform.d/credentials.tfrc.json", home);
		read_file(hosts, saved, diags);
	}
	if (named && *named) {
		read_file(hosts, named, diags);
	} else if (home && *home) {
		zp_autofree char *own = zp_format("%s/.terraformrc", home);
		read_file(hosts, own, diags);
	}
	read_environment(hosts);
	return diags->errors == errors;
}

void cli_hosts_release(struct cli_hosts *hosts)
{
	zp_vec_release(hosts);
	zp_arena_release(&hosts->arena);
}

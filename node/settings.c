/* node.hcl: what a node says of itself. */
#include <stdlib.h>

#include "base/alloc.h"
#include "hcl-lite/eval.h"
#include "node/context_internal.h"

static const struct hcl_attribute_schema attributes[] = {
	{ "name", false },	  { "tag", false },	    { "domain", false },
	{ "wan_interface", false }, { "wan_address", false }, { "libvirt_uri", false },
	{ "accel", false },	  { "id", false },	    { "farm", false },
};

static void take_text(char **target, struct hcl_value value, const struct hcl_type *type)
{
	if (type != hcl_string || value.state != HCL_KNOWN)
		return;
	free(*target);
	*target = zp_strndup(value.text, value.count);
}

static void take(struct node_settings *settings, const char *name, struct hcl_value value)
{
	const struct {
		const char *name;
		char **target;
	} texts[] = {
		{ "name", &settings->name }, { "tag", &settings->tag },
		{ "domain", &settings->domain }, { "wan_interface", &settings->wan_interface },
		{ "wan_address", &settings->wan_address },
		{ "libvirt_uri", &settings->libvirt_uri }, { "accel", &settings->acceleration },
	};
	int64_t number;

	for (size_t i = 0; i < ZP_ARRAY_SIZE(texts); i++)
		if (strcmp(name, texts[i].name) == 0)
			take_text(texts[i].target, value, value.type);
	if (value.state != HCL_KNOWN || value.type != hcl_number || !hcl_number_to_int(value, &number))
		return;
	if (strcmp(name, "id") == 0)
		settings->id = number;
	else if (strcmp(name, "farm") == 0)
		settings->farm = number;
}

int node_settings_load(struct node_settings *settings, const char *path, struct zp_error *err)
{
	static const struct hcl_body_schema schema = { attributes, ZP_ARRAY_SIZE(attributes), NULL, 0 };
	struct zp_source *source = zp_source_load(path, path, err);
	struct hcl_content content = { 0 };
	struct zp_arena arena;
	struct zp_diags diags;

	if (!source)
		return -1;
	zp_arena_init(&arena);
	zp_diags_init(&diags);
	struct hcl_body *body = hcl_parse_file(source, &arena, &diags);
	hcl_body_content(body, &schema, &arena, &content, NULL, &diags);
	struct hcl_evaluation ev = { .arena = &arena, .diags = &diags };
	for (size_t i = 0; i < content.attribute_count; i++)
		take(settings, content.attributes[i]->name,
			hcl_evaluate(&ev, content.attributes[i]->expr));
	if (diags.errors) {
		struct zp_position at = { 0 };
		if (diags.items[0]->subject.file)
			at = zp_source_position(source, diags.items[0]->subject.start);
		zp_error_set(err, "%s line %u: %s: %s", path, at.line, diags.items[0]->summary,
			diags.items[0]->detail);
	}
	int rc = diags.errors ? -1 : 0;
	zp_diags_release(&diags);
	zp_arena_release(&arena);
	zp_source_free(source);
	return rc;
}

/* Reads app.hcl and says what stands in it; see README.md. */
#include <stdio.h>
#include <stdlib.h>

#include "hcl-lite/hcl.h"

/* ${env.NAME} is a variable of the environment; nothing else has a name here. */
static bool resolve(const struct hcl_scope *scope, struct hcl_evaluation *ev,
	const struct hcl_reference *ref, struct hcl_value *value, size_t *consumed)
{
	const char *name = ref->count ? ref->steps[0].name : NULL;
	const char *text = name && strcmp(ref->root, "env") == 0 ? getenv(name) : NULL;

	(void)scope;
	*consumed = 1;
	*value = text ? hcl_string_cstr(ev->arena, text) : hcl_null(hcl_string);
	return true;
}

int main(int argc, char **argv)
{
	static const char *const labels[] = { "name", NULL };
	static const struct hcl_attribute_schema attributes[] = { { "greeting", true } };
	static const struct hcl_block_schema blocks[] = { { "service", labels } };
	static const struct hcl_body_schema schema = { attributes, 1, blocks, 1 };
	struct hcl_scope scope = { .resolve = resolve };
	struct hcl_functions functions = { .base_dir = "." };
	struct hcl_content content;
	struct zp_arena arena;
	struct zp_diags diags;
	zp_autoerror err = ZP_ERROR_INIT;
	struct zp_source *source = zp_source_load(argc > 1 ? argv[1] : "app.hcl", "app.hcl", &err);

	if (!source)
		return fprintf(stderr, "%s\n", zp_error_text(&err)), 1;
	zp_arena_init(&arena);
	zp_diags_init(&diags);
	struct hcl_evaluation ev = { .arena = &arena, .diags = &diags, .scope = &scope,
		.functions = &functions };
	hcl_body_content(hcl_parse_file(source, &arena, &diags), &schema, &arena, &content, NULL, &diags);
	for (size_t i = 0; i < content.attribute_count; i++) {
		struct hcl_value v = hcl_evaluate_as(&ev, content.attributes[i]->expr, hcl_string);
		if (v.state == HCL_KNOWN)
			printf("%s: %s\n", content.attributes[i]->name, v.text);
	}
	for (size_t i = 0; i < content.block_count; i++)
		printf("service %.*s\n", ZP_FMT(content.blocks[i]->labels[0]));
	for (size_t i = 0; i < diags.count; i++)
		fprintf(stderr, "line %u: %s: %s\n",
			zp_source_position(source, diags.items[i]->subject.start).line,
			diags.items[i]->summary, diags.items[i]->detail);
	int status = diags.errors > 0;
	zp_diags_release(&diags);
	zp_arena_release(&arena);
	zp_source_free(source);
	return status;
}

/*
 * A small module to evaluate expressions in: variables with types and defaults, and locals, out of
 * one file of configuration. Variables without a default are unknown. Shows results as console
 * does.
 */
#ifndef TEST_CONSOLE_H
#define TEST_CONSOLE_H

#include "base/alloc.h"
#include "hcl-lite/codec.h"
#include "hcl-lite/eval.h"

struct console {
	struct zp_arena arena;
	struct zp_diags diags;
	struct zp_source *source;
	struct hcl_body *body;
	struct hcl_scope scope;
	struct hcl_functions functions;
	unsigned depth;
};

static inline struct hcl_block *console_block(
	struct console *c, const char *type, const char *label)
{
	for (size_t i = 0; i < c->body->block_count; i++) {
		struct hcl_block *block = c->body->blocks[i];
		if (strcmp(block->type, type) == 0 &&
			(!label || (block->label_count && zp_str_is(block->labels[0], label))))
			return block;
	}
	return NULL;
}

static inline struct hcl_attribute *console_attribute(
	const struct hcl_block *block, const char *name)
{
	for (size_t i = 0; block && i < block->body->attribute_count; i++)
		if (strcmp(block->body->attributes[i]->name, name) == 0)
			return block->body->attributes[i];
	return NULL;
}

static inline bool console_flag(const struct hcl_block *block, const char *name)
{
	struct hcl_attribute *attribute = console_attribute(block, name);
	return attribute && attribute->expr->kind == HCL_EXPR_LITERAL &&
	       attribute->expr->literal.boolean;
}

static inline bool console_variable(
	struct console *c, struct hcl_evaluation *ev, const char *name, struct hcl_value *out)
{
	struct hcl_block *block = console_block(c, "variable", name);
	struct hcl_attribute *type = console_attribute(block, "type");
	struct hcl_attribute *def = console_attribute(block, "default");
	struct hcl_constraint constraint = { hcl_dynamic, NULL };
	struct hcl_evaluation inner = { .arena = ev->arena, .diags = ev->diags };

	if (!block)
		return false;
	if (type && !hcl_type_expression(type->expr, ev->arena, true, &constraint, ev->diags))
		return false;
	if (def) {
		*out = hcl_apply_defaults(
			ev->arena, constraint.defaults, hcl_evaluate(&inner, def->expr));
		if (!hcl_convert(ev->arena, *out, constraint.type, out, NULL))
			return false;
	} else {
		*out = hcl_unknown(constraint.type);
	}
	if (console_flag(block, "sensitive"))
		*out = hcl_mark(*out, HCL_SENSITIVE);
	if (console_flag(block, "ephemeral"))
		*out = hcl_mark(*out, HCL_EPHEMERAL);
	return true;
}

static inline bool console_resolve(const struct hcl_scope *scope, struct hcl_evaluation *ev,
	const struct hcl_reference *ref, struct hcl_value *value, size_t *consumed)
{
	struct console *c = scope->data;
	const char *name = ref->count ? ref->steps[0].name : NULL;

	*consumed = 1;
	if (name && strcmp(ref->root, "var") == 0 && console_variable(c, ev, name, value))
		return true;
	if (name && strcmp(ref->root, "path") == 0) {
		*value = hcl_string_static(".");
		return true;
	}
	for (size_t i = 0; name && strcmp(ref->root, "local") == 0 && i < c->body->block_count;
		i++) {
		struct hcl_block *block = c->body->blocks[i];
		struct hcl_attribute *attribute = console_attribute(block, name);
		if (strcmp(block->type, "locals") != 0 || !attribute || c->depth > 20)
			continue;
		struct hcl_evaluation inner = *ev;
		inner.locals = NULL;
		c->depth++;
		*value = hcl_evaluate(&inner, attribute->expr);
		c->depth--;
		return true;
	}
	zp_diag_error(ev->diags, ref->range, "Unsupported reference", "%s.%s does not exist.",
		ref->root, name ? name : "?");
	return false;
}

static inline void console_init(struct console *c, const char *config, const char *base_dir)
{
	*c = (struct console){ .functions = { .base_dir = base_dir, .console = true } };
	c->scope = (struct hcl_scope){ console_resolve, c };
	zp_arena_init(&c->arena);
	zp_diags_init(&c->diags);
	c->source = zp_source_new("main.tf", zp_str(config));
	c->body = hcl_parse_native(c->source, &c->arena, &c->diags);
}

static inline void console_release(struct console *c)
{
	zp_diags_release(&c->diags);
	zp_arena_release(&c->arena);
	zp_source_free(c->source);
}

/* Appends the value as console shows it, or "Error: summary: detail" for each error. */
static inline void console_run(struct console *c, const char *text, struct zp_buf *out)
{
	struct zp_arena arena;
	struct zp_diags diags;
	struct zp_source *source = zp_source_new("<console-input>", zp_str(text));

	zp_arena_init(&arena);
	zp_diags_init(&diags);
	struct hcl_evaluation ev = {
		.arena = &arena, .diags = &diags, .scope = &c->scope, .functions = &c->functions
	};
	struct hcl_expr *expr = hcl_parse_expression(source, &arena, &diags);
	struct hcl_value v = hcl_unknown(hcl_dynamic);
	if (!diags.errors)
		v = hcl_evaluate(&ev, expr);
	if (!diags.errors && hcl_misuses_type(v))
		zp_diag_error(&diags, ZP_NOWHERE, "Invalid use of type function", "%s",
			"The console-only \"type\" function cannot be used as part of an "
			"expression.");
	if (!diags.errors)
		hcl_value_to_text(out, v, 0);
	for (size_t i = 0; i < diags.count; i++) {
		const struct zp_diag *diag = diags.items[i];
		zp_buf_printf(out, "%sError: %s: %s", i ? "\n" : "", diag->summary, diag->detail);
	}
	zp_diags_release(&diags);
	zp_arena_release(&arena);
	zp_source_free(source);
}

#endif

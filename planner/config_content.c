/* Small readers shared by all block types. */
#include "planner/config_internal.h"

struct hcl_content plan_content(struct plan_loader *loader, const struct hcl_body *body,
	const struct hcl_body_schema *schema, struct hcl_body **rest)
{
	struct hcl_content content = { 0 };

	hcl_body_content(body, schema, loader->arena, &content, rest, loader->diags);
	return content;
}

struct hcl_expr *plan_content_expr(const struct hcl_content *content, const char *name)
{
	struct hcl_attribute *attribute = hcl_content_attribute(content, name);

	return attribute ? attribute->expr : NULL;
}

/* A setting's value: no names, no functions, not null. False after a diagnostic. */
static bool constant(struct plan_loader *loader, struct hcl_expr *expr, const struct hcl_type *type,
	struct hcl_value *value)
{
	struct hcl_evaluation ev = { .arena = loader->arena, .diags = loader->diags };
	size_t errors = loader->diags->errors;
	zp_autobuf reason = ZP_BUF_INIT;
	struct hcl_value given = hcl_evaluate(&ev, expr);

	if (loader->diags->errors > errors || given.state == HCL_UNKNOWN)
		return false;
	if (given.state == HCL_NULL)
		zp_buf_puts(&reason, "null value is not allowed");
	else if (hcl_convert(loader->arena, given, type, value, &reason))
		return true;
	struct zp_diag *diag = zp_diag_error(loader->diags, hcl_start_range(expr),
		"Unsuitable value type", "Unsuitable value: %s", reason.ptr ? reason.ptr : "");
	diag->context = expr->range;
	return false;
}

bool plan_constant_bool(struct plan_loader *loader, const struct hcl_content *content,
	const char *name, bool otherwise)
{
	struct hcl_expr *expr = plan_content_expr(content, name);
	struct hcl_value value;

	return expr && constant(loader, expr, hcl_bool, &value) ? value.boolean : otherwise;
}

const char *plan_constant_string(struct plan_loader *loader, const struct hcl_content *content,
	const char *name)
{
	struct hcl_expr *expr = plan_content_expr(content, name);
	struct hcl_value value;

	return expr && constant(loader, expr, hcl_string, &value) ? value.text : NULL;
}

struct hcl_expr *plan_static(struct plan_loader *loader, struct hcl_expr *expr)
{
	/* Trees are never changed, so that const says nothing here the other readers rely on. */
	return (struct hcl_expr *)hcl_expr_static(expr, loader->arena);
}

static bool is_quoted(const struct hcl_expr *expr)
{
	return expr->kind == HCL_EXPR_LITERAL && expr->literal.type == hcl_string &&
		expr->literal.state == HCL_KNOWN && expr->range.file &&
		expr->range.file->text.ptr[expr->range.start] == '"';
}

/* a.b.c as the traversal it would be without quotes; NULL when it is nothing of the kind. */
static struct hcl_expr *dotted(struct plan_loader *loader, const struct hcl_expr *quoted)
{
	struct zp_str text = hcl_text(quoted->literal);
	struct hcl_expr *expr = zp_new(loader->arena, struct hcl_expr);
	struct zp_range inside = { quoted->range.file, quoted->range.start + 1,
		quoted->range.end - 1 };
	size_t parts = 1;

	for (size_t i = 0; i < text.len; i++)
		parts += text.ptr[i] == '.';
	struct hcl_traverse *steps = zp_new_array(loader->arena, struct hcl_traverse, parts);
	*expr = (struct hcl_expr){ .kind = HCL_EXPR_TRAVERSAL, .range = inside };
	expr->traversal.root_end = inside.end;
	expr->traversal.steps = steps;
	for (size_t i = 0; i < parts; i++) {
		const char *dot = memchr(text.ptr, '.', text.len);
		struct zp_str name = zp_strn(text.ptr, dot ? (size_t)(dot - text.ptr) : text.len);
		if (!hcl_is_identifier(name))
			return NULL;
		if (i == 0)
			expr->traversal.root = zp_intern(name);
		else
			steps[expr->traversal.count++] = (struct hcl_traverse){
				.name = zp_intern(name), .range = inside };
		text = dot ? zp_strn(dot + 1, text.len - name.len - 1) : text;
	}
	return expr;
}

void plan_warn_quoted(struct plan_loader *loader, const struct hcl_expr *expr, const char *what)
{
	zp_autofree char *summary = zp_format("Quoted %ss are deprecated", what);

	zp_diag_warning(loader->diags, expr->range, summary,
		"In this context, %ss are expected literally rather than in quotes. Terraform 0.11 "
		"and earlier required quotes, but quoted %ss are now deprecated and will be removed "
		"in a future version of Terraform. Remove the quotes surrounding this %s to silence "
		"this warning.", what, what, what);
}

struct hcl_expr *plan_unquoted(struct plan_loader *loader, struct hcl_expr *expr, const char *what)
{
	struct hcl_expr *inner = is_quoted(expr) ? dotted(loader, expr) : NULL;

	if (!inner)
		return plan_static(loader, expr);
	plan_warn_quoted(loader, expr, what);
	return inner;
}

bool plan_static_list(struct plan_loader *loader, const struct hcl_expr *list,
	struct hcl_expr ***items, size_t *count)
{
	struct hcl_expr **given;

	if (!hcl_expr_list(list, loader->arena, &given, count)) {
		if (list->kind != HCL_EXPR_ERROR)
			zp_diag_error(loader->diags, list->range, "Invalid expression",
				"A static list expression is required.");
		*count = 0;
		return false;
	}
	*items = zp_new_array(loader->arena, struct hcl_expr *, *count);
	for (size_t i = 0; i < *count; i++)
		(*items)[i] = plan_static(loader, given[i]);
	return true;
}

struct hcl_expr **plan_depends_on(struct plan_loader *loader, const struct hcl_content *content,
	size_t *count)
{
	struct hcl_expr *list = plan_content_expr(content, "depends_on");
	struct plan_expr_vec found = { 0 };
	struct hcl_expr **given;
	size_t given_count;

	*count = 0;
	if (!list || !plan_static_list(loader, list, &given, &given_count))
		return NULL;
	for (size_t i = 0; i < given_count; i++) {
		struct hcl_expr *item = plan_unquoted(loader, given[i], "reference");
		if (item->kind == HCL_EXPR_TRAVERSAL)
			zp_vec_push(&found, item);
		else if (item->kind != HCL_EXPR_ERROR)
			zp_diag_error(loader->diags, item->range, "Invalid expression",
				"A single static variable reference is required: only attribute "
				"access and indexing with constant keys. No calculations, function "
				"calls, template expressions, etc are allowed here.");
	}
	struct hcl_expr **items = zp_vec_to_arena(&found, loader->arena);
	*count = found.count;
	zp_vec_release(&found);
	return items;
}

static void note_reference(void *data, const struct hcl_expr *traversal)
{
	bool *any = data;

	(void)traversal;
	*any = true;
}

/* What refers to nothing checks nothing. */
static void refuse_constant(struct plan_loader *loader, const struct hcl_block *block,
	const struct hcl_expr *condition)
{
	bool any = false;

	hcl_expr_references(condition, note_reference, &any);
	if (any)
		return;
	zp_autofree char *summary = zp_format("Invalid %s expression", block->type);
	zp_diag_error(loader->diags, condition->range, summary,
		"The condition expression must refer to at least one object from elsewhere in the "
		"configuration, or else its result would not be checking anything.");
}

struct plan_check_rule plan_load_rule(struct plan_loader *loader, const struct hcl_block *block)
{
	static const struct hcl_attribute_schema attributes[] = {
		{ "condition", true },
		{ "error_message", true },
	};
	static const struct hcl_body_schema schema = { attributes, 2, NULL, 0 };
	struct hcl_content content = plan_content(loader, block->body, &schema, NULL);

	struct hcl_expr *condition = plan_content_expr(&content, "condition");

	if (condition)
		refuse_constant(loader, block, condition);
	return (struct plan_check_rule){
		.condition = condition,
		.error_message = plan_content_expr(&content, "error_message"),
		.range = block->header_range,
	};
}

bool plan_check_name(struct plan_loader *loader, struct zp_str name, struct zp_range range,
	const char *summary)
{
	if (hcl_is_identifier(name))
		return true;
	zp_diag_error(loader->diags, range, summary,
		"A name must start with a letter or underscore and may contain only letters, "
		"digits, underscores, and dashes.");
	return false;
}

struct plan_provider_ref plan_load_provider_ref(struct plan_loader *loader, struct hcl_expr *expr,
	const char *argument)
{
	struct plan_provider_ref ref = { .range = expr->range };

	expr = plan_unquoted(loader, expr, "reference");
	bool plain = expr->kind == HCL_EXPR_TRAVERSAL &&
		(expr->traversal.count == 0 ||
			(expr->traversal.count == 1 && expr->traversal.steps[0].name));

	if (!plain) {
		if (expr->kind != HCL_EXPR_ERROR)
			zp_diag_error(loader->diags, expr->range,
				"Invalid provider configuration reference",
				"The %s argument requires a provider type name, optionally "
				"followed by a period and then a configuration alias.", argument);
		return ref;
	}
	ref.name = expr->traversal.root;
	if (expr->traversal.count)
		ref.alias = expr->traversal.steps[0].name;
	return ref;
}

const char *plan_place_text(struct zp_arena *arena, struct zp_range range)
{
	if (!range.file)
		return "an unknown place";
	struct zp_position start = zp_source_position(range.file, range.start);
	return zp_arena_format(arena, "%s:%u,%u", range.file->name, start.line, start.column);
}

const char *plan_range_text(struct zp_arena *arena, struct zp_range range)
{
	if (!range.file)
		return "an unknown place";
	struct zp_position start = zp_source_position(range.file, range.start);
	struct zp_position end = zp_source_position(range.file, range.end);
	if (end.line == start.line)
		return zp_arena_format(arena, "%s:%u,%u-%u", range.file->name, start.line,
			start.column, end.column);
	return zp_arena_format(arena, "%s:%u,%u-%u,%u", range.file->name, start.line, start.column,
		end.line, end.column);
}

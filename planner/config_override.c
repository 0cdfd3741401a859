/*
 * Override files: blocks that say something else about what other files declare. They are merged into
 * those before anything is read: arguments replace arguments of their name, nested blocks all those of
 * their type; "lifecycle", "required_providers" and "locals" are merged argument by argument.
 */
#include "base/alloc.h"
#include "planner/config_internal.h"

ZP_VEC(attribute_vec, struct hcl_attribute *);

/* A dynamic block makes blocks of its label's type. */
static struct zp_str kind_of(const struct hcl_block *block)
{
	return strcmp(block->type, "dynamic") == 0 && block->label_count == 1 ?
		block->labels[0] : zp_str(block->type);
}

static bool merges(const struct hcl_block *block)
{
	return strcmp(block->type, "lifecycle") == 0 || strcmp(block->type, "required_providers") == 0;
}

static struct hcl_body *merge_bodies(struct plan_loader *loader, const struct hcl_body *base,
	const struct hcl_body *over);

static void merge_attributes(struct plan_loader *loader, const struct hcl_body *base,
	const struct hcl_body *over, struct hcl_body *merged)
{
	struct attribute_vec all = { 0 };

	for (size_t i = 0; i < base->attribute_count; i++)
		zp_vec_push(&all, base->attributes[i]);
	for (size_t i = 0; i < over->attribute_count; i++) {
		size_t k = 0;
		while (k < all.count && strcmp(all.items[k]->name, over->attributes[i]->name) != 0)
			k++;
		if (k < all.count)
			all.items[k] = over->attributes[i];
		else
			zp_vec_push(&all, over->attributes[i]);
	}
	merged->attribute_count = all.count;
	merged->attributes = zp_vec_to_arena(&all, loader->arena);
	zp_vec_release(&all);
}

static struct hcl_block *with_body(struct plan_loader *loader, const struct hcl_block *block,
	struct hcl_body *body)
{
	struct hcl_block *copy = zp_new(loader->arena, struct hcl_block);

	*copy = *block;
	copy->body = body;
	return copy;
}

/* The override's block of that kind, when it is to be merged; *replaced: it has blocks of the kind. */
static const struct hcl_block *override_of(const struct hcl_body *over, const struct hcl_block *block,
	bool *replaced)
{
	*replaced = false;
	for (size_t i = 0; i < over->block_count; i++) {
		if (!zp_str_equal(kind_of(over->blocks[i]), kind_of(block)))
			continue;
		if (merges(block))
			return over->blocks[i];
		/* A state is kept in one place: any backend replaces any other. */
		*replaced = true;
	}
	for (size_t i = 0; i < over->block_count; i++)
		if ((strcmp(block->type, "backend") == 0 || strcmp(block->type, "cloud") == 0) &&
			(strcmp(over->blocks[i]->type, "backend") == 0 ||
				strcmp(over->blocks[i]->type, "cloud") == 0))
			*replaced = true;
	return NULL;
}

static bool has_kind(const struct hcl_body *body, const struct hcl_block *block)
{
	for (size_t i = 0; i < body->block_count; i++)
		if (zp_str_equal(kind_of(body->blocks[i]), kind_of(block)))
			return true;
	return false;
}

static void merge_blocks(struct plan_loader *loader, const struct hcl_body *base,
	const struct hcl_body *over, struct hcl_body *merged)
{
	struct plan_block_vec all = { 0 };

	for (size_t i = 0; i < base->block_count; i++) {
		bool replaced;
		const struct hcl_block *other = override_of(over, base->blocks[i], &replaced);
		if (other)
			zp_vec_push(&all, with_body(loader, base->blocks[i],
				merge_bodies(loader, base->blocks[i]->body, other->body)));
		else if (!replaced)
			zp_vec_push(&all, base->blocks[i]);
	}
	for (size_t i = 0; i < over->block_count; i++)
		if (!merges(over->blocks[i]) || !has_kind(base, over->blocks[i]))
			zp_vec_push(&all, over->blocks[i]);
	merged->block_count = all.count;
	merged->blocks = zp_vec_to_arena(&all, loader->arena);
	zp_vec_release(&all);
}

/* The parser bounds how deep blocks nest. */
static struct hcl_body *merge_bodies(struct plan_loader *loader, const struct hcl_body *base,
	const struct hcl_body *over)
{
	struct hcl_body *merged = zp_new(loader->arena, struct hcl_body);

	*merged = *base;
	merge_attributes(loader, base, over, merged);
	merge_blocks(loader, base, over, merged);
	return merged;
}

/* ---- what is overridden ---- */

static const struct {
	const char *type, *summary, *detail;
} missing[] = {
	{ "resource", "Missing resource to override",
		"There is no %s resource named \"%s\". An override file can only override a resource block "
		"defined in a primary configuration file." },
	{ "data", "Missing data resource to override",
		"There is no %s data resource named \"%s\". An override file can only override a data block "
		"defined in a primary configuration file." },
	{ "variable", "Missing base variable declaration to override",
		"There is no variable%s named \"%s\". An override file can only override a variable that was "
		"already declared in a primary configuration file." },
	{ "output", "Missing base output definition to override",
		"There is no output%s named \"%s\". An override file can only override an output that was "
		"already defined in a primary configuration file." },
	{ "module", "Missing module call to override",
		"There is no module call%s named \"%s\". An override file can only override a module call "
		"that was defined in a primary configuration file." },
	{ "provider", "Missing base provider configuration for override",
		"There is no provider configuration%s for \"%s\". An override file can only override a "
		"provider block defined in a primary configuration file." },
	{ "locals", "Missing base local value definition to override",
		"There is no local value%s named \"%s\". An override file can only override a local value "
		"that was already defined in a primary configuration file." },
};

static void report_missing(struct plan_loader *loader, const char *type, const char *first,
	const char *name, struct zp_range range)
{
	for (size_t i = 0; i < ZP_ARRAY_SIZE(missing); i++) {
		if (strcmp(missing[i].type, type) != 0)
			continue;
		/* Both words are names of the language: they hold no conversion. */
		zp_autobuf detail = ZP_BUF_INIT;
		const char *at = missing[i].detail, *mark;
		const char *words[] = { first, name };
		for (size_t k = 0; k < 2 && (mark = strstr(at, "%s")); k++) {
			zp_buf_add(&detail, at, (size_t)(mark - at));
			zp_buf_puts(&detail, words[k]);
			at = mark + 2;
		}
		zp_buf_puts(&detail, at);
		zp_diag_error(loader->diags, range, missing[i].summary, "%s", detail.ptr);
	}
}

static bool same_labels(const struct hcl_block *a, const struct hcl_block *b)
{
	if (strcmp(a->type, b->type) != 0 || a->label_count != b->label_count)
		return false;
	for (size_t i = 0; i < a->label_count; i++)
		if (!zp_str_equal(a->labels[i], b->labels[i]))
			return false;
	return true;
}

static const struct hcl_attribute *attribute_of(const struct hcl_body *body, const char *name)
{
	for (size_t i = 0; i < body->attribute_count; i++)
		if (strcmp(body->attributes[i]->name, name) == 0)
			return body->attributes[i];
	return NULL;
}

/* Configurations of one provider are told apart by their aliases. */
static bool same_alias(const struct hcl_block *a, const struct hcl_block *b)
{
	const struct hcl_attribute *x = attribute_of(a->body, "alias");
	const struct hcl_attribute *y = attribute_of(b->body, "alias");

	if (!x || !y || x->expr->kind != HCL_EXPR_LITERAL || y->expr->kind != HCL_EXPR_LITERAL)
		return !x && !y;
	return hcl_value_identical(x->expr->literal, y->expr->literal);
}

static void override_locals(struct plan_loader *loader, struct plan_block_vec *blocks,
	const struct hcl_block *over)
{
	for (size_t i = 0; i < over->body->attribute_count; i++) {
		struct hcl_attribute *attribute = over->body->attributes[i];
		bool found = false;
		for (size_t k = 0; k < blocks->count && !found; k++) {
			struct hcl_block *block = blocks->items[k];
			if (strcmp(block->type, "locals") != 0 || block->body->json ||
				!attribute_of(block->body, attribute->name))
				continue;
			struct hcl_body one = { .attributes = &attribute, .attribute_count = 1 };
			blocks->items[k] =
				with_body(loader, block, merge_bodies(loader, block->body, &one));
			found = true;
		}
		if (!found)
			report_missing(loader, "locals", "", attribute->name, hcl_attribute_name_range(attribute));
	}
}

static void override_block(struct plan_loader *loader, struct plan_block_vec *blocks,
	struct hcl_block *over)
{
	bool provider = strcmp(over->type, "provider") == 0;

	for (size_t i = 0; i < blocks->count; i++) {
		struct hcl_block *block = blocks->items[i];
		if (!same_labels(block, over) || (provider && !same_alias(block, over)))
			continue;
		if (block->body->json) {
			zp_diag_error(loader->diags, over->header_range, "Cannot override JSON syntax",
				"The block this one overrides is written in JSON syntax, which zplan does "
				"not merge with override files. Write it in native syntax.");
			return;
		}
		blocks->items[i] =
			with_body(loader, block, merge_bodies(loader, block->body, over->body));
		return;
	}
	if (strcmp(over->type, "terraform") == 0) {
		zp_vec_push(blocks, over);
		return;
	}
	bool typed = over->label_count == 2;
	zp_autofree char *first =
		zp_format("%.*s", ZP_FMT(typed ? over->labels[0] : zp_strn("", 0)));
	zp_autofree char *name = zp_format("%.*s",
		ZP_FMT(over->label_count ? over->labels[over->label_count - 1] : zp_strn("", 0)));
	report_missing(loader, over->type, first, name, over->header_range);
}

/* Blocks of JSON syntax do not say what is an argument and what a block: arguments are taken to be meant. */
static struct hcl_block *as_native(struct plan_loader *loader, struct hcl_block *block)
{
	struct hcl_content content = { 0 };
	struct hcl_body *body;

	if (!block->body->json)
		return block;
	hcl_body_attributes(block->body, loader->arena, &content, loader->diags);
	body = zp_new(loader->arena, struct hcl_body);
	*body = (struct hcl_body){ .attributes = content.attributes,
		.attribute_count = content.attribute_count, .range = block->body->range,
		.end_range = block->body->end_range };
	return with_body(loader, block, body);
}

static bool can_not_be_overridden(struct plan_loader *loader, const struct hcl_block *block)
{
	static const char *const types[] = { "moved", "removed", "import", "check" };

	for (size_t i = 0; i < ZP_ARRAY_SIZE(types); i++) {
		if (strcmp(block->type, types[i]) != 0)
			continue;
		zp_autofree char *summary = zp_format("Cannot override '%s' blocks", types[i]);
		zp_diag_error(loader->diags, block->header_range,
			zp_arena_strdup(loader->arena, summary),
			"Blocks of this type can appear only in normal files, not in override files.");
		return true;
	}
	return false;
}

void plan_override(struct plan_loader *loader, struct plan_block_vec *blocks, struct hcl_block *over)
{
	if (can_not_be_overridden(loader, over))
		return;
	over = as_native(loader, over);
	if (strcmp(over->type, "locals") == 0)
		override_locals(loader, blocks, over);
	else
		override_block(loader, blocks, over);
}

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/vec.h"
#include "hcl-lite/eval.h"
#include "node/client.h"

ZP_VEC(entry_vec, struct node_entry);

static const struct hcl_attribute_schema attributes[] = { { "id", false }, { "connect", true },
	{ "farm", false }, { "identity_file", false }, { "known_hosts", false } };
static const char *const name_label[] = { "name", NULL };
static const struct hcl_block_schema blocks[] = { { "node", name_label } };
static const struct hcl_body_schema file_schema = { NULL, 0, blocks, 1 };
static const struct hcl_body_schema node_schema = { attributes, ZP_ARRAY_SIZE(attributes), NULL, 0 };

static int64_t number_of(struct hcl_evaluation *ev, const struct hcl_content *content,
	const char *name)
{
	struct hcl_attribute *attribute = hcl_content_attribute(content, name);
	int64_t number = 0;

	if (!attribute)
		return 0;
	size_t errors = ev->diags->errors;
	struct hcl_value value = hcl_evaluate_as(ev, attribute->expr, hcl_number);
	if (ev->diags->errors == errors &&
		(value.state != HCL_KNOWN || !hcl_number_to_int(value, &number) || number < 0))
		zp_diag_error(ev->diags, attribute->expr->range, "Invalid number",
			"%s must be a whole number, zero or greater.", name);
	return number;
}

/* A path beside the inventory, or absolute; NULL when there is none. */
static const char *path_of(struct node_inventory *inventory, struct hcl_evaluation *ev,
	const struct hcl_content *content, const char *name)
{
	struct hcl_attribute *attribute = hcl_content_attribute(content, name);
	const char *slash = strrchr(inventory->path, '/');

	if (!attribute)
		return NULL;
	struct hcl_value value = hcl_evaluate_as(ev, attribute->expr, hcl_string);
	if (value.state != HCL_KNOWN || !value.count)
		return NULL;
	if (value.text[0] == '/' || !slash)
		return value.text;
	return zp_arena_format(&inventory->arena, "%.*s/%s", (int)(slash - inventory->path),
		inventory->path, value.text);
}

static void read_node(struct node_inventory *inventory, struct entry_vec *entries,
	const struct hcl_block *block, struct zp_diags *diags)
{
	struct hcl_evaluation ev = { .arena = &inventory->arena, .diags = diags };
	struct hcl_content content = { 0 };
	struct node_entry entry = { .range = block->header_range };

	hcl_body_content(block->body, &node_schema, &inventory->arena, &content, NULL, diags);
	entry.name = zp_arena_strndup(&inventory->arena, block->labels[0].ptr, block->labels[0].len);
	entry.id = number_of(&ev, &content, "id");
	entry.farm = number_of(&ev, &content, "farm");
	entry.identity_file = path_of(inventory, &ev, &content, "identity_file");
	entry.known_hosts = path_of(inventory, &ev, &content, "known_hosts");
	struct hcl_attribute *connect = hcl_content_attribute(&content, "connect");
	struct hcl_value value = connect ? hcl_evaluate_as(&ev, connect->expr, hcl_string) :
					   hcl_null(hcl_string);
	if (value.state != HCL_KNOWN)
		return;
	entry.connect = value.text;
	if (strncmp(entry.connect, "ssh://", 6) != 0 && strncmp(entry.connect, "unix://", 7) != 0 &&
		strcmp(entry.connect, "local") != 0)
		zp_diag_error(diags, connect->expr->range, "Invalid transport",
			"connect must be ssh://user@host[:port], unix:///path/to/agent.sock or local.");
	for (size_t i = 0; i < entries->count; i++)
		if (strcmp(entries->items[i].name, entry.name) == 0 ||
			(entry.id && entries->items[i].id == entry.id))
			zp_diag_error(diags, block->header_range, "Duplicate node",
				"A node of this name or number stands above.");
	zp_vec_push(entries, entry);
}

static void read_file(struct node_inventory *inventory, struct zp_diags *diags)
{
	struct entry_vec entries = { 0 };
	struct hcl_content content = { 0 };
	struct hcl_body *body = hcl_parse_file(inventory->source, &inventory->arena, diags);

	hcl_body_content(body, &file_schema, &inventory->arena, &content, NULL, diags);
	for (size_t i = 0; i < content.block_count; i++)
		read_node(inventory, &entries, content.blocks[i], diags);
	inventory->items = zp_vec_to_arena(&entries, &inventory->arena);
	inventory->count = entries.count;
	zp_vec_release(&entries);
}

/* The user's own inventory; heap. */
static char *user_path(void)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (config && *config)
		return zp_format("%s/zplan/nodes.hcl", config);
	return zp_format("%s/.config/zplan/nodes.hcl", home ? home : "");
}

/* The first file of the search; heap, or NULL. */
static char *find_file(void)
{
	const char *named = getenv("ZPLAN_NODES");

	if (named && *named)
		return zp_strdup(named);
	if (zp_file_exists("nodes.hcl"))
		return zp_strdup("nodes.hcl");
	char *user = user_path();
	if (zp_file_exists(user))
		return user;
	free(user);
	return NULL;
}

struct node_inventory *node_inventory_load(const char *path, struct zp_diags *diags)
{
	zp_autofree char *found = path ? zp_strdup(path) : find_file();
	struct node_inventory *inventory = zp_calloc(1, sizeof(*inventory));
	zp_autoerror err = ZP_ERROR_INIT;
	size_t errors = diags->errors;

	zp_arena_init(&inventory->arena);
	if (!found)
		return inventory;
	inventory->path = zp_arena_strdup(&inventory->arena, found);
	inventory->source = zp_source_load(found, found, &err);
	if (!inventory->source)
		zp_diag_error(diags, ZP_NOWHERE, "Failed to read the inventory of nodes", "%s.",
			zp_error_text(&err));
	else
		read_file(inventory, diags);
	if (diags->errors == errors)
		return inventory;
	/* Diagnostics still point into the source: it stays until the program ends. */
	inventory->source = NULL;
	node_inventory_free(inventory);
	return NULL;
}

void node_inventory_free(struct node_inventory *inventory)
{
	if (!inventory)
		return;
	zp_source_free(inventory->source);
	zp_arena_release(&inventory->arena);
	free(inventory);
}

const struct node_entry *node_inventory_find(const struct node_inventory *inventory, const char *name)
{
	char number[24];

	for (size_t i = 0; i < inventory->count; i++) {
		const struct node_entry *entry = &inventory->items[i];
		snprintf(number, sizeof(number), "%" PRId64, entry->id);
		if (strcmp(entry->name, name) == 0 || (entry->id && strcmp(number, name) == 0))
			return entry;
	}
	return NULL;
}

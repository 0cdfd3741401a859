/*
 * node.hcl: what a node says of itself.
 *
 *	name = "n1"  id = 11  farm = 1  domain = "n1.example.org"
 *	wan_interface = "eth0"  wan_address = "203.0.113.2"
 *	overcommit = 16  dedicated = "team-a"
 *	labels = { region = "north", disk = "nvme" }
 *	reserved { cores = 1  memory = 2048  disk = 10240 }			cores, MB, MB
 *	public { bridge = "pub"  gateway = "203.0.113.1"  addresses = ["203.0.113.10-203.0.113.20/24"]
 *		prefix6 = "2001:db8::/64" }
 *	planetary { peers = ["tls://198.51.100.9:9001"]  listen = ["tls://203.0.113.2:9001"] }
 *	gateway { certificates = ["/etc/zplan/example.org.pem"] }
 *	content { mirrors = { "https://hub.example.org/" = "file:///srv/hub/" } }
 *	tenant "team-b" { cores = 4  memory = 8192  disk = 51200  workloads = 50 }
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "hcl-lite/eval.h"
#include "node/context_internal.h"

#define MEGABYTE (INT64_C(1) << 20)
#define MAX_NUMBER (INT64_C(1) << 40)

static const struct hcl_attribute_schema attributes[] = {
	{ "name", false },	  { "tag", false },	    { "domain", false },
	{ "wan_interface", false }, { "wan_address", false }, { "libvirt_uri", false },
	{ "accel", false },	  { "id", false },	    { "farm", false },
	{ "overcommit", false },  { "dedicated", false },
	{ "labels", false },
};
static const char *const tenant_labels[] = { "name", NULL };
static const struct hcl_block_schema blocks[] = {
	{ "tenant", tenant_labels }, { "reserved", NULL }, { "public", NULL },
	{ "gateway", NULL }, { "planetary", NULL }, { "content", NULL },
};
static const struct hcl_body_schema schema = { attributes, ZP_ARRAY_SIZE(attributes), blocks,
	ZP_ARRAY_SIZE(blocks) };

static const struct hcl_attribute_schema limit_attributes[] = {
	{ "cores", false }, { "memory", false }, { "disk", false }, { "workloads", false },
};
static const struct hcl_body_schema tenant_schema = { limit_attributes, 4, NULL, 0 };
static const struct hcl_body_schema reserved_schema = { limit_attributes, 3, NULL, 0 };

static const struct hcl_attribute_schema public_attributes[] = {
	{ "bridge", false }, { "gateway", false }, { "addresses", false },
	{ "prefix6", false },
};
static const struct hcl_body_schema public_schema = { public_attributes,
	ZP_ARRAY_SIZE(public_attributes), NULL, 0 };

static const struct hcl_attribute_schema gateway_attributes[] = { { "certificates", false } };
static const struct hcl_body_schema gateway_schema = { gateway_attributes, 1, NULL, 0 };

static const struct hcl_attribute_schema planetary_attributes[] = { { "peers", false },
	{ "listen", false } };
static const struct hcl_body_schema planetary_schema = { planetary_attributes, 2, NULL, 0 };
static const struct hcl_attribute_schema content_attributes[] = { { "mirrors", false } };
static const struct hcl_body_schema content_schema = { content_attributes, 1, NULL, 0 };

struct loader {
	struct node_settings *settings;
	struct zp_arena arena;
	struct zp_diags diags;
};

static void take_text(struct loader *loader, const struct hcl_content *content, const char *name,
	char **target)
{
	struct hcl_evaluation ev = { .arena = &loader->arena, .diags = &loader->diags };
	const struct hcl_attribute *attribute = hcl_content_attribute(content, name);

	if (!attribute)
		return;
	struct hcl_value value = hcl_evaluate_as(&ev, attribute->expr, hcl_string);
	if (value.state != HCL_KNOWN)
		return;
	free(*target);
	*target = zp_strndup(value.text, value.count);
}

static void take_number(struct loader *loader, const struct hcl_content *content, const char *name,
	int64_t scale, int64_t *target)
{
	struct hcl_evaluation ev = { .arena = &loader->arena, .diags = &loader->diags };
	const struct hcl_attribute *attribute = hcl_content_attribute(content, name);
	int64_t number;

	if (!attribute)
		return;
	struct hcl_value value = hcl_evaluate_as(&ev, attribute->expr, hcl_number);
	if (value.state != HCL_KNOWN)
		return;
	if (!hcl_number_to_int(value, &number) || number < 0 || number > MAX_NUMBER)
		zp_diag_error(&loader->diags, attribute->expr->range, "Unsuitable number",
			"A whole number from 0 is needed.");
	else
		*target = number * scale;
}

static void take_limits(struct loader *loader, const struct hcl_content *content,
	struct node_capacity *limit)
{
	take_number(loader, content, "cores", 1, &limit->cores);
	take_number(loader, content, "memory", MEGABYTE, &limit->memory);
	take_number(loader, content, "disk", MEGABYTE, &limit->disk);
}

static void take_tenant(struct loader *loader, const struct hcl_block *block)
{
	struct node_quota quota = { .limit = { -1, -1, -1 }, .workloads = -1 };
	struct hcl_content content = { 0 };

	hcl_body_content(block->body, &tenant_schema, &loader->arena, &content, NULL, &loader->diags);
	quota.tenant = zp_strndup(block->labels[0].ptr, block->labels[0].len);
	take_limits(loader, &content, &quota.limit);
	take_number(loader, &content, "workloads", 1, &quota.workloads);
	zp_vec_push(&loader->settings->quotas, quota);
}

static struct hcl_value text_list(struct loader *loader, const struct hcl_attribute *attribute)
{
	struct hcl_evaluation ev = { .arena = &loader->arena, .diags = &loader->diags };

	return hcl_evaluate_as(&ev, attribute->expr, hcl_list_type(hcl_string));
}

static void take_addresses(struct loader *loader, const struct hcl_content *content)
{
	const struct hcl_attribute *attribute = hcl_content_attribute(content, "addresses");

	if (!attribute)
		return;
	struct hcl_value list = text_list(loader, attribute);
	for (uint32_t i = 0; list.state == HCL_KNOWN && i < list.count; i++)
		if (list.elements[i].state == HCL_KNOWN)
			zp_vec_push(&loader->settings->public_addresses,
				zp_strndup(list.elements[i].text, list.elements[i].count));
}

static void take_certificates(struct loader *loader, const struct hcl_content *content)
{
	const struct hcl_attribute *attribute = hcl_content_attribute(content, "certificates");

	if (!attribute)
		return;
	struct hcl_value list = text_list(loader, attribute);
	for (uint32_t i = 0; list.state == HCL_KNOWN && i < list.count; i++) {
		if (list.elements[i].state != HCL_KNOWN)
			continue;
		/* HAProxy and the agent read them, from wherever they run; names are words of a list. */
		if (list.elements[i].text[0] != '/' || strpbrk(list.elements[i].text, " \t\n#\"\\[]"))
			zp_diag_error(&loader->diags, attribute->expr->range, "Unsuitable path",
				"Certificates are named by absolute paths without spaces.");
		else
			zp_vec_push(&loader->settings->certificates,
				zp_strndup(list.elements[i].text, list.elements[i].count));
	}
}

/* Addresses of yggdrasil, "tls://198.51.100.9:9001". */
static void take_uris(struct loader *loader, const struct hcl_content *content, const char *name,
	struct node_uris *target)
{
	const struct hcl_attribute *attribute = hcl_content_attribute(content, name);

	if (!attribute)
		return;
	struct hcl_value list = text_list(loader, attribute);
	for (uint32_t i = 0; list.state == HCL_KNOWN && i < list.count; i++) {
		if (list.elements[i].state != HCL_KNOWN)
			continue;
		if (!strstr(list.elements[i].text, "://"))
			zp_diag_error(&loader->diags, attribute->expr->range, "Unsuitable address",
				"Peers are named as in \"tls://198.51.100.9:9001\".");
		else
			zp_vec_push(target,
				zp_strndup(list.elements[i].text, list.elements[i].count));
	}
}

static void take_planetary(struct loader *loader, const struct hcl_content *content)
{
	loader->settings->planetary = true;
	take_uris(loader, content, "peers", &loader->settings->planetary_peers);
	take_uris(loader, content, "listen", &loader->settings->planetary_listen);
}

static void take_map(struct loader *loader, const struct hcl_content *content, const char *name,
	cJSON **target)
{
	struct hcl_evaluation ev = { .arena = &loader->arena, .diags = &loader->diags };
	const struct hcl_attribute *attribute = hcl_content_attribute(content, name);

	if (!attribute)
		return;
	struct hcl_value map = hcl_evaluate_as(&ev, attribute->expr, hcl_map_type(hcl_string));
	cJSON_Delete(*target);
	*target = cJSON_CreateObject();
	for (uint32_t i = 0; map.state == HCL_KNOWN && i < map.count; i++) {
		const struct hcl_map_entry *entry = &map.entries[i];
		zp_autofree char *key = zp_strndup(entry->key.ptr, entry->key.len);
		if (entry->value.state == HCL_KNOWN)
			cJSON_AddStringToObject(*target, key, entry->value.text);
	}
}

static void take_block(struct loader *loader, const struct hcl_block *block)
{
	struct hcl_content content = { 0 };

	if (strcmp(block->type, "tenant") == 0) {
		take_tenant(loader, block);
	} else if (strcmp(block->type, "reserved") == 0) {
		hcl_body_content(block->body, &reserved_schema, &loader->arena, &content, NULL,
			&loader->diags);
		take_limits(loader, &content, &loader->settings->reserved);
	} else if (strcmp(block->type, "gateway") == 0) {
		hcl_body_content(block->body, &gateway_schema, &loader->arena, &content, NULL,
			&loader->diags);
		take_certificates(loader, &content);
	} else if (strcmp(block->type, "planetary") == 0) {
		hcl_body_content(block->body, &planetary_schema, &loader->arena, &content, NULL,
			&loader->diags);
		take_planetary(loader, &content);
	} else if (strcmp(block->type, "content") == 0) {
		hcl_body_content(block->body, &content_schema, &loader->arena, &content, NULL,
			&loader->diags);
		take_map(loader, &content, "mirrors", &loader->settings->mirrors);
	} else {
		hcl_body_content(block->body, &public_schema, &loader->arena, &content, NULL,
			&loader->diags);
		take_text(loader, &content, "bridge", &loader->settings->public_bridge);
		take_text(loader, &content, "gateway", &loader->settings->public_gateway);
		take_text(loader, &content, "prefix6", &loader->settings->public_prefix6);
		take_addresses(loader, &content);
	}
}

static void take_all(struct loader *loader, const struct hcl_content *content)
{
	struct node_settings *settings = loader->settings;
	const struct {
		const char *name;
		char **target;
	} texts[] = {
		{ "name", &settings->name }, { "tag", &settings->tag },
		{ "domain", &settings->domain }, { "wan_interface", &settings->wan_interface },
		{ "wan_address", &settings->wan_address },
		{ "libvirt_uri", &settings->libvirt_uri }, { "accel", &settings->acceleration },
		{ "dedicated", &settings->dedicated },
	};

	for (size_t i = 0; i < ZP_ARRAY_SIZE(texts); i++)
		take_text(loader, content, texts[i].name, texts[i].target);
	take_number(loader, content, "id", 1, &settings->id);
	take_number(loader, content, "farm", 1, &settings->farm);
	take_number(loader, content, "overcommit", 1, &settings->overcommit);
	take_map(loader, content, "labels", &settings->labels);
	for (size_t i = 0; i < content->block_count; i++)
		take_block(loader, content->blocks[i]);
}

int node_settings_load(struct node_settings *settings, const char *path, struct zp_error *err)
{
	struct zp_source *source = zp_source_load(path, path, err);
	struct loader loader = { .settings = settings };
	struct hcl_content content = { 0 };

	if (!source)
		return -1;
	zp_arena_init(&loader.arena);
	zp_diags_init(&loader.diags);
	struct hcl_body *body = hcl_parse_file(source, &loader.arena, &loader.diags);
	hcl_body_content(body, &schema, &loader.arena, &content, NULL, &loader.diags);
	take_all(&loader, &content);
	int rc = loader.diags.errors ? -1 : 0;
	if (rc) {
		const struct zp_diag *first = loader.diags.items[0];
		struct zp_position at = { 0 };
		if (first->subject.file)
			at = zp_source_position(source, first->subject.start);
		zp_error_set(err, "%s line %u: %s: %s", path, at.line, first->summary,
			first->detail);
	}
	zp_diags_release(&loader.diags);
	zp_arena_release(&loader.arena);
	zp_source_free(source);
	return rc;
}

/* JSON values read as bodies. Internal: callers use hcl_body_content. */
#ifndef HCL_JSON_BODY_H
#define HCL_JSON_BODY_H

#include "base/vec.h"
#include "hcl-lite/json_syntax.h"

ZP_VEC(hcl_attribute_vec, struct hcl_attribute *);
ZP_VEC(hcl_block_vec, struct hcl_block *);

struct hcl_content_builder {
	struct zp_arena *arena;
	struct zp_diags *diags;
	size_t errors;
	struct hcl_attribute_vec attributes;
	struct hcl_block_vec blocks;
};

struct hcl_body *hcl_json_body(struct zp_arena *arena, const struct hcl_json_value *value);
void hcl_json_content(struct hcl_content_builder *b, const struct hcl_body *body,
	const struct hcl_body_schema *schema, struct hcl_body **rest);
void hcl_json_attributes(struct hcl_content_builder *b, const struct hcl_body *body);
bool hcl_json_context(const struct hcl_json_value *root, uint32_t offset, struct zp_buf *out);

/* body.c */
/* A place as messages name it: main.tf:2,7-17. */
void hcl_place_text(struct zp_range range, struct zp_buf *out);
void hcl_body_error(struct hcl_content_builder *b, struct zp_range range, const char *summary,
	const char *detail, ...) ZP_PRINTF(4, 5);
const struct hcl_attribute_schema *hcl_schema_attribute(
	const struct hcl_body_schema *schema, struct zp_str name);
const struct hcl_block_schema *hcl_schema_block(
	const struct hcl_body_schema *schema, struct zp_str type);

#endif

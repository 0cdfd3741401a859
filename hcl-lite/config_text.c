/* Values as configuration has them. */
#include "hcl-lite/codec.h"
#include "hcl-lite/syntax.h"
#include "hcl-lite/value_internal.h"

void hcl_name_to_config(struct zp_buf *out, struct zp_str name)
{
	if (hcl_is_identifier(name))
		zp_buf_str(out, name);
	else
		hcl_quote(out, name);
}

void hcl_value_to_config(struct zp_buf *out, struct hcl_value v)
{
	if (hcl_is_null(v)) {
		zp_buf_puts(out, "null");
		return;
	}
	switch (v.type->kind) {
	case HCL_BOOL:
		zp_buf_puts(out, v.boolean ? "true" : "false");
		break;
	case HCL_NUMBER:
		hcl_number_text(v, out);
		break;
	case HCL_STRING:
		hcl_quote(out, hcl_text(v));
		break;
	case HCL_MAP:
	case HCL_OBJECT:
		zp_buf_puts(out, v.count ? "{\n" : "{");
		for (struct hcl_iterator it = hcl_iterate(v); hcl_iterator_next(&it);) {
			hcl_name_to_config(out, hcl_text(it.key));
			zp_buf_puts(out, " = ");
			hcl_value_to_config(out, it.value);
			zp_buf_char(out, '\n');
		}
		zp_buf_char(out, '}');
		break;
	default:
		zp_buf_char(out, '[');
		for (uint32_t i = 0; i < v.count; i++) {
			if (i)
				zp_buf_puts(out, ", ");
			hcl_value_to_config(out, v.elements[i]);
		}
		zp_buf_char(out, ']');
	}
}

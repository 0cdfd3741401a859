/*
 * Why one type does not convert to another, in words.
 */
#include "base/json.h"
#include "hcl-lite/convert.h"
#include "hcl-lite/value_internal.h"

static void required(const struct hcl_type *want, struct zp_buf *out)
{
	hcl_type_friendly_constraint(want, out);
	zp_buf_puts(out, " required");
}

static bool missing(const struct hcl_type *got, const struct hcl_attribute_type *want)
{
	return !want->optional && hcl_type_attribute(got, want->name, strlen(want->name)) < 0;
}

/* attribute "a" is required; attributes "a" and "b" are; attributes "a", "b", and "c" are. */
static bool missing_attributes(
	const struct hcl_type *got, const struct hcl_type *want, struct zp_buf *out)
{
	uint32_t count = 0, written = 0;

	for (uint32_t i = 0; i < want->count; i++)
		count += missing(got, &want->attributes[i]);
	if (count == 0)
		return false;
	zp_buf_puts(out, count == 1 ? "attribute " : "attributes ");
	for (uint32_t i = 0; i < want->count; i++) {
		if (!missing(got, &want->attributes[i]))
			continue;
		if (written)
			zp_buf_puts(out, count == 2		? " and "
					 : written + 1 == count ? ", and "
								: ", ");
		hcl_go_quote(out, zp_str(want->attributes[i].name));
		written++;
	}
	zp_buf_puts(out, count == 1 ? " is required" : " are required");
	return true;
}

static bool bad_attribute(
	const struct hcl_type *got, const struct hcl_type *want, bool lossy, struct zp_buf *out)
{
	for (uint32_t i = 0; i < want->count; i++) {
		const struct hcl_attribute_type *attribute = &want->attributes[i];
		int at = hcl_type_attribute(got, attribute->name, strlen(attribute->name));
		if (at < 0 || hcl_type_converts(got->attributes[at].type, attribute->type, lossy))
			continue;
		zp_buf_puts(out, "attribute ");
		hcl_go_quote(out, zp_str(attribute->name));
		zp_buf_puts(out, ": ");
		hcl_mismatch_text(got->attributes[at].type, attribute->type, out);
		return true;
	}
	return false;
}

static void objects(const struct hcl_type *got, const struct hcl_type *want, struct zp_buf *out)
{
	if (!missing_attributes(got, want, out) && !bad_attribute(got, want, true, out) &&
		!bad_attribute(got, want, false, out))
		zp_buf_puts(out, "incorrect object attributes");
}

static void structural_to_collection(
	const struct hcl_type *got, const struct hcl_type *want, struct zp_buf *out)
{
	bool tuple = got->kind == HCL_TUPLE;

	if (tuple == (want->kind == HCL_MAP)) {
		required(want, out);
		return;
	}
	if (want->element->kind == HCL_DYNAMIC) {
		zp_buf_printf(out, "all %s elements must have the same type",
			want->kind == HCL_LIST	? "list"
			: want->kind == HCL_SET ? "set"
						: "map");
		return;
	}
	for (uint32_t i = 0; i < got->count; i++) {
		const struct hcl_type *member = tuple ? got->elements[i] : got->attributes[i].type;
		if (hcl_type_converts(member, want->element, true))
			continue;
		zp_buf_puts(out, "element ");
		if (tuple)
			zp_buf_printf(out, "%u", i);
		else
			hcl_go_quote(out, zp_str(got->attributes[i].name));
		zp_buf_puts(out, ": ");
		hcl_mismatch_text(member, want->element, out);
		return;
	}
	zp_buf_puts(out, "all elements must be ");
	hcl_type_friendly_constraint(want->element, out);
}

static void collections(const struct hcl_type *got, const struct hcl_type *want, struct zp_buf *out)
{
	if ((want->kind == HCL_MAP) != (got->kind == HCL_MAP)) {
		required(want, out);
		return;
	}
	zp_buf_printf(out, "incorrect %s element type: ",
		want->kind == HCL_LIST	? "list"
		: want->kind == HCL_SET ? "set"
					: "map");
	hcl_mismatch_text(got->element, want->element, out);
}

void hcl_mismatch_text(const struct hcl_type *got, const struct hcl_type *want, struct zp_buf *out)
{
	bool structural = got->kind == HCL_TUPLE || got->kind == HCL_OBJECT;

	if (got->kind == HCL_OBJECT && want->kind == HCL_OBJECT)
		objects(got, want, out);
	else if (structural && hcl_type_is_collection(want))
		structural_to_collection(got, want, out);
	else if (hcl_type_is_collection(got) && hcl_type_is_collection(want))
		collections(got, want, out);
	else
		required(want, out);
}

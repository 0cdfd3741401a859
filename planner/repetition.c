#include "planner/repetition.h"

#include "hcl-lite/convert.h"

#define MAX_INSTANCES 50000000

static const char bad_count[] = "Invalid count argument";
static const char bad_for_each[] = "Invalid for_each argument";

/* A sensitive number is let pass: how many there are shows anyway. */
static bool count_is_open(struct zp_diags *diags, const struct hcl_expr *expr, struct hcl_value raw,
	bool deciding)
{
	if (deciding && raw.marks & HCL_EPHEMERAL) {
		zp_diag_error(diags, expr->range, bad_count,
			"The given \"count\" is derived from an ephemeral value, which means that zplan "
			"cannot persist it between plan/apply rounds. Use only non-ephemeral values to "
			"specify the number of resource instances.");
		return false;
	}
	if (hcl_is_null(raw)) {
		zp_diag_error(diags, expr->range, bad_count,
			"The given \"count\" argument value is null. An integer is required.");
		return false;
	}
	if (hcl_is_unknown(raw)) {
		if (deciding)
			zp_diag_error(diags, expr->range, bad_count,
				"The \"count\" value depends on resource attributes that cannot be "
				"determined until apply, so zplan cannot predict how many instances "
				"will be created. To work around this, use the -target argument to "
				"first apply only the resources that the count depends on.");
		return false;
	}
	return true;
}

bool plan_count_from(struct zp_arena *arena, struct zp_diags *diags, const struct hcl_expr *expr,
	struct hcl_value raw, bool deciding, int64_t *count)
{
	struct hcl_value value;
	zp_autobuf why = ZP_BUF_INIT;

	if (!hcl_convert(arena, raw, hcl_number, &value, &why)) {
		zp_diag_error(diags, expr->range, "Incorrect value type",
			"Invalid expression value: %s.", why.ptr ? why.ptr : "number required");
		return false;
	}
	if (!count_is_open(diags, expr, value, deciding))
		return false;
	if (!hcl_number_to_int(value, count)) {
		zp_diag_error(diags, expr->range, bad_count,
			"The given \"count\" argument value is unsuitable: value must be a whole "
			"number, between -9223372036854775808 and 9223372036854775807.");
		return false;
	}
	if (*count < 0 || *count > MAX_INSTANCES) {
		zp_diag_error(diags, expr->range, bad_count,
			"The given \"count\" argument value is unsuitable: must be %s.",
			*count < 0 ? "greater than or equal to zero" : "less than 50 million");
		return false;
	}
	return true;
}

static bool set_fits(struct zp_diags *diags, const struct hcl_expr *expr, struct hcl_value set)
{
	static const char summary[] = "Invalid for_each set argument";

	for (uint32_t i = 0; i < set.count; i++) {
		if (set.type->element != hcl_string) {
			zp_autobuf type = ZP_BUF_INIT;
			hcl_type_friendly(set.type->element, &type);
			zp_diag_error(diags, expr->range, summary,
				"The given \"for_each\" argument value is unsuitable: \"for_each\" "
				"supports maps and sets of strings, but you have provided a set "
				"containing type %s.", type.ptr);
			return false;
		}
		if (hcl_is_null(set.elements[i])) {
			zp_diag_error(diags, expr->range, summary,
				"The given \"for_each\" argument value is unsuitable: \"for_each\" "
				"sets must not contain null values.");
			return false;
		}
	}
	return true;
}

static void report_unknown(struct zp_diags *diags, const struct hcl_expr *expr, bool map)
{
	zp_diag_error(diags, expr->range, bad_for_each,
		"The \"for_each\" %s includes %s derived from resource attributes that cannot be "
		"determined until apply, and so zplan cannot determine the full set of keys that "
		"will identify the instances of this resource.\n\nWhen working with unknown values "
		"in for_each, it's better to define the map keys statically in your configuration "
		"and place apply-time results only in the map values.",
		map ? "map" : "set", map ? "keys" : "values");
}

bool plan_for_each_fits(struct zp_diags *diags, const struct hcl_expr *expr, struct hcl_value value,
	bool deciding)
{
	bool map = value.type->kind == HCL_MAP || value.type->kind == HCL_OBJECT;

	if (value.marks & HCL_EPHEMERAL) {
		zp_diag_error(diags, expr->range, bad_for_each,
			"The given \"for_each\" value is derived from an ephemeral value, which means "
			"that zplan cannot persist it between plan/apply rounds. Use only non-ephemeral "
			"values to specify a resource's instance keys.");
		return false;
	}
	if (value.marks & HCL_SENSITIVE) {
		zp_diag_error(diags, expr->range, bad_for_each,
			"Sensitive values, or values derived from sensitive values, cannot be used as "
			"for_each arguments. If used, the sensitive value could be exposed as a "
			"resource instance key.");
		return false;
	}
	if (hcl_is_null(value)) {
		zp_diag_error(diags, expr->range, bad_for_each,
			"The given \"for_each\" argument value is unsuitable: the given \"for_each\" "
			"argument value is null. A map, or set of strings is allowed.");
		return false;
	}
	if (value.type->kind != HCL_DYNAMIC && !map && value.type->kind != HCL_SET) {
		zp_autobuf type = ZP_BUF_INIT;
		hcl_type_friendly(value.type, &type);
		zp_diag_error(diags, expr->range, bad_for_each,
			"The given \"for_each\" argument value is unsuitable: the \"for_each\" "
			"argument must be a map, or set of strings, and you have provided a value of "
			"type %s.", type.ptr);
		return false;
	}
	if (hcl_is_unknown(value) || (!map && !hcl_is_wholly_known(value))) {
		if (deciding)
			report_unknown(diags, expr, map);
		return false;
	}
	return map || set_fits(diags, expr, value);
}

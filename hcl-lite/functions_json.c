#include "base/json.h"
#include "hcl-lite/codec.h"
#include "hcl-lite/function.h"

static bool jsonencode(struct hcl_call *call, struct hcl_value *out)
{
	struct zp_json_writer writer;
	zp_autobuf text = ZP_BUF_INIT;

	if (!hcl_is_wholly_known(call->args[0])) {
		*out = hcl_unknown_not_null(hcl_string);
		return true;
	}
	zp_json_writer_init(&writer, &text, false);
	writer.html_safe = true;
	hcl_value_to_json(&writer, call->args[0], NULL);
	return hcl_call_text(call, &text, out);
}

static bool jsondecode(struct hcl_call *call, struct hcl_value *out)
{
	struct zp_json json;

	zp_json_init(&json, hcl_text(call->args[0]));
	bool valid = hcl_value_from_plain_json(&json, call->arena, out);
	if (valid && !zp_json_at_end(&json))
		valid = zp_json_fail(&json, "extraneous data after JSON object");
	if (!valid)
		hcl_call_fail(call, "%s at offset %zu", json.error ? json.error : "invalid JSON",
			json.offset);
	zp_json_release(&json);
	return valid;
}

static const struct hcl_function functions[] = {
	{ .name = "jsonencode",
		.params = { { "val", HCL_T_ANY, HCL_NULL_OK | HCL_UNKNOWN_OK | HCL_DYNAMIC_OK } },
		.returns = HCL_T_STRING,
		.call = jsonencode },
	{ .name = "jsondecode",
		.params = { { "str", HCL_T_STRING, 0 } },
		.call = jsondecode,
		.maybe_null = true },
};

const struct hcl_function_list hcl_json_functions = { functions, ZP_ARRAY_SIZE(functions) };

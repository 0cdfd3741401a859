/*
 * The functions of the provider that is built in: values as text of configuration, and back.
 */
#include "base/alloc.h"
#include "base/vec.h"
#include "hcl-lite/codec.h"
#include "hcl-lite/format.h"
#include "hcl-lite/function.h"

static void free_source(struct zp_source **source)
{
	zp_source_free(*source);
}

/* Attributes laid out as fmt does. */
static bool lay_out(struct hcl_call *call, const struct zp_buf *text, struct zp_buf *out)
{
	struct zp_diags diags;
	zp_cleanup(free_source) struct zp_source *source =
		zp_source_new("<encoded>", zp_buf_slice(text));

	zp_diags_init(&diags);
	bool done = hcl_format(source, out, &diags) ||
		    hcl_call_fail(call, "the value has no text form");
	zp_diags_release(&diags);
	return done;
}

static bool encode_expr(struct hcl_call *call, struct hcl_value *out)
{
	static const char name[] = "x = ";
	zp_autobuf text = ZP_BUF_INIT, laid_out = ZP_BUF_INIT;

	if (!hcl_is_wholly_known(call->args[0])) {
		*out = hcl_unknown_not_null(hcl_string);
		return true;
	}
	zp_buf_puts(&text, name);
	hcl_value_to_config(&text, call->args[0]);
	zp_buf_char(&text, '\n');
	if (!lay_out(call, &text, &laid_out))
		return false;
	size_t skip = sizeof(name) - 1;
	*out = hcl_string_value(call->arena, zp_strn(laid_out.ptr + skip, laid_out.len - skip - 1));
	return true;
}

static bool encode_tfvars(struct hcl_call *call, struct hcl_value *out)
{
	struct hcl_value v = call->args[0];
	zp_autobuf text = ZP_BUF_INIT, laid_out = ZP_BUF_INIT;

	if (v.type->kind != HCL_OBJECT && v.type->kind != HCL_MAP)
		return hcl_call_fail(call, "invalid value to encode: must be an object whose "
					   "attribute names will become "
					   "the encoded variable names");
	if (!hcl_is_wholly_known(v)) {
		*out = hcl_unknown_not_null(hcl_string);
		return true;
	}
	for (struct hcl_iterator it = hcl_iterate(v); hcl_iterator_next(&it);) {
		if (!hcl_is_identifier(hcl_text(it.key)))
			return hcl_call_fail(call,
				"invalid variable name \"%s\": must be a valid identifier, per "
				"Terraform's rules for input variable declarations",
				it.key.text);
		zp_buf_printf(&text, "%s = ", it.key.text);
		hcl_value_to_config(&text, it.value);
		zp_buf_char(&text, '\n');
	}
	return lay_out(call, &text, &laid_out) && hcl_call_text(call, &laid_out, out);
}

static bool fail_with(
	struct hcl_call *call, const char *what, const char *name, const struct zp_diags *diags)
{
	const struct zp_diag *diag = diags->items[0];
	struct zp_position start = zp_source_position(diag->subject.file, diag->subject.start);
	struct zp_position end = zp_source_position(diag->subject.file, diag->subject.end);
	zp_autobuf where = ZP_BUF_INIT;

	zp_buf_printf(&where, "%s:%u,%u-", diag->subject.file->name, start.line, start.column);
	if (start.line != end.line)
		zp_buf_printf(&where, "%u,", end.line);
	return hcl_call_fail(call, "invalid %s%s: %s%u: %s; %s", what, name, where.ptr, end.column,
		diag->summary, diag->detail);
}

static bool evaluate_all(struct hcl_call *call, const struct hcl_content *content,
	struct zp_diags *diags, struct hcl_value *out)
{
	size_t n = content->attribute_count;
	zp_autofree const char **names = zp_reallocarray(NULL, n, sizeof(*names));
	zp_autofree struct hcl_value *values = zp_reallocarray(NULL, n, sizeof(*values));
	struct hcl_evaluation ev = { .arena = call->arena, .diags = diags, .trial = true };

	for (size_t i = 0; i < n; i++) {
		names[i] = content->attributes[i]->name;
		values[i] = hcl_evaluate(&ev, content->attributes[i]->expr);
		if (diags->errors) {
			zp_autofree char *name = zp_format(" \"%s\"", names[i]);
			return fail_with(call, "expression for variable", name, diags);
		}
	}
	*out = hcl_object_build(call->arena, names, values, n);
	return true;
}

static bool decode_tfvars(struct hcl_call *call, struct hcl_value *out)
{
	zp_cleanup(free_source) struct zp_source *source =
		zp_source_new("<decode_tfvars argument>", hcl_text(call->args[0]));
	struct hcl_content content;
	struct zp_diags diags;
	bool done;

	zp_diags_init(&diags);
	struct hcl_body *body = hcl_parse_native(source, call->arena, &diags);
	if (diags.errors)
		done = fail_with(call, "tfvars syntax", "", &diags);
	else if (!hcl_body_attributes(body, call->arena, &content, &diags))
		done = fail_with(call, "tfvars content", "", &diags);
	else
		done = evaluate_all(call, &content, &diags, out);
	zp_diags_release(&diags);
	return done;
}

static const struct hcl_function functions[] = {
	{ .name = "provider::terraform::encode_expr",
		.params = { { "value", HCL_T_ANY, HCL_UNKNOWN_OK | HCL_DYNAMIC_OK } },
		.returns = HCL_T_STRING,
		.call = encode_expr },
	{ .name = "provider::terraform::encode_tfvars",
		.params = { { "value", HCL_T_ANY, 0 } },
		.returns = HCL_T_STRING,
		.call = encode_tfvars },
	{ .name = "provider::terraform::decode_tfvars",
		.params = { { "src", HCL_T_STRING, 0 } },
		.call = decode_tfvars },
};

const struct hcl_function_list hcl_provider_functions = { functions, ZP_ARRAY_SIZE(functions) };

/*
 * Explicit conversions, and what deals with marks: tostring, sensitive, type and the like.
 */
#include "hcl-lite/function.h"

/* What tolist(x) and the others convert to. */
static const struct hcl_type *wanted_type(const struct hcl_call *call)
{
	static const struct {
		const char *name;
		enum hcl_kind kind;
	} names[] = {
		{ "tobool", HCL_BOOL },
		{ "tonumber", HCL_NUMBER },
		{ "tostring", HCL_STRING },
		{ "tolist", HCL_LIST },
		{ "toset", HCL_SET },
		{ "tomap", HCL_MAP },
	};
	enum hcl_kind kind = HCL_STRING;

	for (size_t i = 0; i < ZP_ARRAY_SIZE(names); i++)
		if (strcmp(call->function->name, names[i].name) == 0)
			kind = names[i].kind;
	switch (kind) {
	case HCL_BOOL:
		return hcl_bool;
	case HCL_NUMBER:
		return hcl_number;
	case HCL_LIST:
		return hcl_list_type(hcl_dynamic);
	case HCL_SET:
		return hcl_set_type(hcl_dynamic);
	case HCL_MAP:
		return hcl_map_type(hcl_dynamic);
	default:
		return hcl_string;
	}
}

static bool cannot_convert(struct hcl_call *call, const char *what, const struct hcl_type *got,
	const struct hcl_type *want)
{
	zp_autobuf from = ZP_BUF_INIT, to = ZP_BUF_INIT;

	hcl_type_friendly(got, &from);
	hcl_type_friendly_constraint(want, &to);
	return hcl_call_fail_argument(call, 0, "cannot convert %s%s to %s", what, from.ptr, to.ptr);
}

static bool convert_type(struct hcl_call *call, const struct hcl_type **type)
{
	const struct hcl_type *want = wanted_type(call), *got = call->args[0].type;

	if (!hcl_type_converts(got, want, true))
		return cannot_convert(call, "", got, want);
	*type = want;
	return true;
}

static bool bad_text(struct hcl_call *call, struct hcl_value v, const char *form)
{
	zp_autobuf quoted = ZP_BUF_INIT;

	if (hcl_is_null(v))
		zp_buf_puts(&quoted, "string");
	else
		hcl_go_quote(&quoted, hcl_text(v));
	return hcl_call_fail_argument(call, 0, "cannot convert %s to %s", quoted.ptr, form);
}

static bool convert_call(struct hcl_call *call, struct hcl_value *out)
{
	const struct hcl_type *want = wanted_type(call);
	struct hcl_value v = call->args[0];

	if (!hcl_type_converts(v.type, want, true))
		return cannot_convert(call, "", v.type, want);
	if (hcl_convert(call->arena, v, want, out, NULL))
		return true;
	if (v.inside & HCL_SENSITIVE)
		return cannot_convert(call, "this sensitive ", v.type, want);
	if (v.type == hcl_string && want == hcl_bool)
		return bad_text(
			call, v, "bool; only the strings \"true\" or \"false\" are allowed");
	if (v.type == hcl_string && want == hcl_number)
		return bad_text(call, v,
			"number; given string must be a decimal representation of a number");
	return cannot_convert(call, "", v.type, want);
}

static bool same_type(struct hcl_call *call, const struct hcl_type **type)
{
	*type = call->args[0].type;
	return true;
}

static bool sensitive(struct hcl_call *call, struct hcl_value *out)
{
	*out = hcl_mark(call->args[0], HCL_SENSITIVE);
	return true;
}

static bool nonsensitive(struct hcl_call *call, struct hcl_value *out)
{
	unsigned marks;
	struct hcl_value v = hcl_unmark(call->args[0], &marks);

	*out = hcl_mark(v, marks & ~(unsigned)HCL_SENSITIVE);
	return true;
}

static bool issensitive(struct hcl_call *call, struct hcl_value *out)
{
	struct hcl_value v = call->args[0];

	if (v.marks & HCL_SENSITIVE)
		*out = hcl_bool_value(true);
	else if (!hcl_is_known(v))
		*out = hcl_unknown_not_null(hcl_bool);
	else
		*out = hcl_bool_value(false);
	return true;
}

static struct hcl_value without_ephemeral(struct zp_arena *arena, struct hcl_value v)
{
	if (v.marks & HCL_EPHEMERAL)
		return hcl_mark(hcl_null(v.type), v.marks & ~(unsigned)HCL_EPHEMERAL);
	if (!(v.inside & HCL_EPHEMERAL))
		return v;
	v.inside &= (uint8_t)~HCL_EPHEMERAL;
	if (v.type->kind == HCL_MAP) {
		struct hcl_map_entry *entries = zp_arena_alloc(arena, v.count * sizeof(*entries));
		for (uint32_t i = 0; i < v.count; i++)
			entries[i] = (struct hcl_map_entry){ v.entries[i].key,
				without_ephemeral(arena, v.entries[i].value) };
		v.entries = entries;
		return v;
	}
	struct hcl_value *elements = zp_arena_alloc(arena, v.count * sizeof(*elements));
	for (uint32_t i = 0; i < v.count; i++)
		elements[i] = without_ephemeral(arena, v.elements[i]);
	v.elements = elements;
	return v;
}

static bool ephemeralasnull(struct hcl_call *call, struct hcl_value *out)
{
	*out = without_ephemeral(call->arena, call->args[0]);
	return true;
}

static void indent(struct zp_buf *out, unsigned level)
{
	zp_buf_pad(out, ' ', level * 4);
}

static void type_text(const struct hcl_type *type, struct zp_buf *out, unsigned level)
{
	bool object = type->kind == HCL_OBJECT;

	if (hcl_type_is_collection(type)) {
		bool wide = type->element->kind == HCL_OBJECT || type->element->kind == HCL_TUPLE;
		zp_buf_puts(out, type->kind == HCL_LIST	 ? "list("
				 : type->kind == HCL_SET ? "set("
							 : "map(");
		if (wide) {
			zp_buf_char(out, '\n');
			indent(out, level + 1);
		}
		type_text(type->element, out, level + wide);
		if (wide) {
			zp_buf_puts(out, ",\n");
			indent(out, level);
		}
		zp_buf_char(out, ')');
		return;
	}
	if (!object && type->kind != HCL_TUPLE) {
		hcl_type_friendly(type, out);
		return;
	}
	zp_buf_puts(out, object ? "object({" : "tuple([");
	for (uint32_t i = 0; i < type->count; i++) {
		zp_buf_puts(out, i ? "" : "\n");
		indent(out, level + 1);
		if (object)
			zp_buf_printf(out, "%s: ", type->attributes[i].name);
		type_text(object ? type->attributes[i].type : type->elements[i], out, level + 1);
		zp_buf_puts(out, ",\n");
	}
	if (type->count)
		indent(out, level);
	zp_buf_puts(out, object ? "})" : "])");
}

static bool type_call(struct hcl_call *call, struct hcl_value *out)
{
	zp_autobuf text = ZP_BUF_INIT;

	if (call->args[0].marks & HCL_CONSOLE_TYPE)
		zp_buf_puts(&text, "type");
	else
		type_text(call->args[0].type, &text, 0);
	if (!hcl_call_text(call, &text, out))
		return false;
	*out = hcl_mark(*out, HCL_CONSOLE_TYPE | call->args[0].marks);
	return true;
}

#define CONVERSION                                                                                 \
	.params = { { "v", HCL_T_ANY, HCL_NULL_OK | HCL_MARKED_OK | HCL_DYNAMIC_OK } },            \
	.returns = HCL_T_ANY, .type = convert_type, .call = convert_call, .maybe_null = true
#define VALUE .params = { { "value", HCL_T_ANY, HCL_ANYTHING } }, .type = same_type

static const struct hcl_function functions[] = {
	{ .name = "tobool", CONVERSION },
	{ .name = "tonumber", CONVERSION },
	{ .name = "tostring", CONVERSION },
	{ .name = "tolist", CONVERSION },
	{ .name = "toset", CONVERSION },
	{ .name = "tomap", CONVERSION },
	{ .name = "sensitive", VALUE, .call = sensitive },
	{ .name = "nonsensitive", VALUE, .call = nonsensitive },
	{ .name = "issensitive", VALUE, .call = issensitive },
	{ .name = "ephemeralasnull", VALUE, .call = ephemeralasnull },
	{ .name = "type", VALUE, .call = type_call, .kind = HCL_CONSOLE },
};

const struct hcl_function_list hcl_conversion_functions = { functions, ZP_ARRAY_SIZE(functions) };

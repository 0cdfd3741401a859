/* JSON values as values of the language. */
#include "base/map.h"
#include "hcl-lite/json_body.h"

static struct hcl_value unknown(void)
{
	return hcl_unknown(hcl_dynamic);
}

/* Where nothing can be referred to, a string is no template. */
static bool is_literal_mode(const struct hcl_evaluation *ev)
{
	return !ev->scope && !ev->functions;
}

static struct hcl_value evaluate_text(struct hcl_evaluation *ev, const struct hcl_json_text *text)
{
	if (!text->template || is_literal_mode(ev))
		return hcl_string_value(ev->arena, text->text);
	for (size_t i = 0; i < text->problem_count; i++)
		zp_diags_copy(ev->diags, &text->problems[i]);
	return text->problem_count ? unknown() : hcl_evaluate(ev, text->template);
}

static struct hcl_value evaluate_array(struct hcl_evaluation *ev, const struct hcl_json_value *json)
{
	struct hcl_value *items = zp_new_array(ev->arena, struct hcl_value, json->array.count);

	for (size_t i = 0; i < json->array.count; i++)
		items[i] = hcl_json_evaluate(ev, json->array.items[i]);
	return hcl_tuple_value(items, json->array.count);
}

/* The member's name; NULL, after a diagnostic where it is a wrong one, when it is not known. */
static const char *evaluate_name(
	struct hcl_evaluation *ev, const struct hcl_json_text *name, unsigned *marks)
{
	size_t errors = ev->diags->errors;
	struct hcl_value raw = hcl_unmark(evaluate_text(ev, name), marks), text;

	if (ev->diags->errors > errors || hcl_is_unknown(raw))
		return NULL;
	if (hcl_is_null(raw) || !hcl_convert(ev->arena, raw, hcl_string, &text, NULL)) {
		zp_diag_error(ev->diags, name->range, "Invalid object key expression",
			"Cannot use this expression as an object key.");
		return NULL;
	}
	return text.text;
}

static struct hcl_value evaluate_object(
	struct hcl_evaluation *ev, const struct hcl_json_value *json)
{
	size_t count = json->object.count;
	const char **names = (const char **)zp_new_array(ev->arena, char *, count);
	struct hcl_value *values = zp_new_array(ev->arena, struct hcl_value, count);
	struct zp_map seen = { 0 };
	bool known = true;
	unsigned marks = 0;

	for (size_t i = 0; i < count; i++) {
		const struct hcl_json_member *member = &json->object.items[i];
		names[i] = evaluate_name(ev, &member->name, &marks);
		values[i] = hcl_json_evaluate(ev, member->value);
		if (!names[i]) {
			known = false;
			continue;
		}
		void **slot = zp_map_slot(&seen, zp_str(names[i]));
		const struct hcl_json_member *first = *slot;
		if (first) {
			zp_autobuf place = ZP_BUF_INIT;
			hcl_place_text(first->name.range, &place);
			zp_diag_error(ev->diags, member->name.range, "Duplicate object attribute",
				"An attribute named \"%s\" was already defined at %s.", names[i],
				place.ptr);
			known = false;
		}
		*slot = (void *)member;
	}
	zp_map_release(&seen);
	if (!known)
		return hcl_mark(unknown(), marks);
	return hcl_mark(hcl_object_build(ev->arena, names, values, count), marks);
}

struct hcl_value hcl_json_evaluate(struct hcl_evaluation *ev, const struct hcl_json_value *json)
{
	switch (json->kind) {
	case HCL_JSON_NULL:
	case HCL_JSON_BOOL:
	case HCL_JSON_NUMBER:
		return json->literal;
	case HCL_JSON_STRING:
		return evaluate_text(ev, &json->string);
	case HCL_JSON_ARRAY:
		return evaluate_array(ev, json);
	case HCL_JSON_OBJECT:
		return evaluate_object(ev, json);
	default:
		return unknown();
	}
}

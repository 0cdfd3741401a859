/*
 * Type constraints: list(object({ a = optional(string, "x") })).
 */
#include "base/alloc.h"
#include "base/vec.h"
#include "hcl-lite/defaults.h"
#include "hcl-lite/eval.h"

ZP_VEC(types, const struct hcl_type *);
ZP_VEC(attributes, struct hcl_attribute_type);
ZP_VEC(default_values, struct hcl_default_value);
ZP_VEC(children, struct hcl_defaults_child);

struct reader {
	struct zp_arena *arena;
	struct zp_diags *diags;
	bool allow_defaults;
};

static bool read_type(struct reader *r, const struct hcl_expr *expr, struct hcl_constraint *out);

static struct zp_diag *refuse(struct reader *r, struct zp_range range, const char *fmt, ...)
	ZP_PRINTF(3, 4);

static struct zp_diag *refuse(struct reader *r, struct zp_range range, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	zp_autofree char *detail = zp_vformat(fmt, ap);
	va_end(ap);
	return zp_diag_error(r->diags, range, "Invalid type specification", "%s", detail);
}

/* From the opening parenthesis to the closing one. */
static struct zp_range arguments_range(const struct hcl_expr *call)
{
	struct zp_range range = hcl_call_close_range(call);

	range.start = call->call.name_end;
	return range;
}

static const char *missing_argument(const char *name)
{
	if (strcmp(name, "object") == 0)
		return "The object type constructor requires one argument specifying the attribute "
		       "types and values as a map.";
	if (strcmp(name, "tuple") == 0)
		return "The tuple type constructor requires one argument specifying the element "
		       "types "
		       "as a list.";
	return NULL;
}

static bool is_collection(const char *name)
{
	return strcmp(name, "list") == 0 || strcmp(name, "set") == 0 || strcmp(name, "map") == 0;
}

static const struct hcl_type *primitive(const char *name)
{
	if (strcmp(name, "string") == 0)
		return hcl_string;
	if (strcmp(name, "number") == 0)
		return hcl_number;
	if (strcmp(name, "bool") == 0)
		return hcl_bool;
	return strcmp(name, "any") == 0 ? hcl_dynamic : NULL;
}

static bool read_keyword(
	struct reader *r, const struct hcl_expr *expr, const char *word, struct hcl_constraint *out)
{
	out->type = primitive(word);
	if (out->type)
		return true;
	if (is_collection(word))
		refuse(r, expr->range,
			"The %s type constructor requires one argument specifying the element "
			"type.",
			word);
	else if (missing_argument(word))
		refuse(r, expr->range, "%s", missing_argument(word));
	else
		refuse(r, expr->range, "The keyword \"%s\" is not a valid type specification.",
			word);
	return false;
}

/* A constructor's one argument. */
static bool check_count(struct reader *r, const struct hcl_expr *expr)
{
	const char *name = expr->call.name;
	struct zp_range subject = arguments_range(expr);
	struct zp_diag *diag;

	if (expr->call.count == 1 || (!is_collection(name) && !missing_argument(name)))
		return true;
	if (expr->call.count > 1)
		subject = zp_range_join(
			expr->call.args[1]->range, expr->call.args[expr->call.count - 1]->range);
	if (is_collection(name))
		diag = refuse(r, subject,
			"The %s type constructor requires one argument specifying the element "
			"type.",
			name);
	else
		diag = refuse(r, subject, "%s", missing_argument(name));
	diag->context = arguments_range(expr);
	return false;
}

static const struct hcl_defaults *make_defaults(struct reader *r, const struct hcl_type *type,
	const struct default_values *values, const struct children *children)
{
	if ((!values || values->count == 0) && children->count == 0)
		return NULL;
	struct hcl_defaults *d = zp_new(r->arena, struct hcl_defaults);
	d->type = type;
	if (values) {
		d->values = zp_vec_to_arena(values, r->arena);
		d->value_count = values->count;
	}
	d->children = zp_vec_to_arena(children, r->arena);
	d->child_count = children->count;
	return d;
}

static bool read_collection(
	struct reader *r, const struct hcl_expr *expr, struct hcl_constraint *out)
{
	struct hcl_constraint element;
	struct children children = { 0 };

	if (!read_type(r, expr->call.args[0], &element))
		return false;
	out->type = expr->call.name[0] == 'l'	? hcl_list_type(element.type)
		    : expr->call.name[0] == 's' ? hcl_set_type(element.type)
						: hcl_map_type(element.type);
	if (element.defaults)
		zp_vec_push(&children, ((struct hcl_defaults_child){ NULL, 0, element.defaults }));
	out->defaults = make_defaults(r, out->type, NULL, &children);
	zp_vec_release(&children);
	return true;
}

static bool read_tuple(struct reader *r, const struct hcl_expr *expr, struct hcl_constraint *out)
{
	struct hcl_expr **items;
	struct types types = { 0 };
	struct children children = { 0 };
	size_t count;
	bool valid = true;

	if (!hcl_expr_list(expr->call.args[0], r->arena, &items, &count)) {
		struct zp_diag *diag = refuse(r, expr->call.args[0]->range,
			"Tuple type constructor requires a list of element types.");
		diag->context = expr->range;
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		struct hcl_constraint element = { hcl_dynamic, NULL };
		valid &= read_type(r, items[i], &element);
		zp_vec_push(&types, element.type);
		if (element.defaults)
			zp_vec_push(&children, ((struct hcl_defaults_child){
						       NULL, (uint32_t)i, element.defaults }));
	}
	out->type = hcl_tuple_type(types.items, types.count);
	out->defaults = make_defaults(r, out->type, NULL, &children);
	zp_vec_release(&types);
	zp_vec_release(&children);
	return valid;
}

struct object {
	struct attributes attributes;
	struct default_values values;
	struct children children;
};

/* The arguments of optional(...); false when they are wrong. */
static bool read_optional(
	struct reader *r, const struct hcl_expr *call, const struct hcl_expr **value)
{
	struct zp_diag *diag = NULL;

	if (call->call.count == 0)
		diag = refuse(r, arguments_range(call),
			"Optional attribute modifier requires the attribute type as its argument.");
	else if (call->call.count == 2 && r->allow_defaults)
		*value = call->call.args[1];
	else if (call->call.count > 1)
		diag = refuse(r, arguments_range(call), "%s",
			r->allow_defaults
				? "Optional attribute modifier expects at most two arguments: the "
				  "attribute type, and a default value."
				: "Optional attribute modifier expects only one argument: the "
				  "attribute "
				  "type.");
	if (diag)
		diag->context = call->range;
	return !diag;
}

static bool read_default(struct reader *r, struct object *o, const char *name,
	const struct hcl_expr *expr, const struct hcl_type *type)
{
	struct hcl_evaluation ev = { .arena = r->arena, .diags = r->diags };
	zp_autobuf reason = ZP_BUF_INIT;
	size_t errors = r->diags->errors;
	struct hcl_value v = hcl_evaluate(&ev, expr);

	if (r->diags->errors > errors)
		return false;
	if (!hcl_convert(r->arena, v, type, &v, &reason)) {
		zp_diag_error(r->diags, expr->range, "Invalid default value for optional attribute",
			"This default value is not compatible with the attribute's type "
			"constraint: "
			"%s.",
			reason.ptr ? reason.ptr : "");
		return false;
	}
	zp_vec_push(&o->values, ((struct hcl_default_value){ name, v }));
	return true;
}

static bool read_attribute(struct reader *r, struct object *o, const struct hcl_expr *object,
	const struct hcl_object_item *item)
{
	const struct hcl_expr *value = NULL;
	const char *name = hcl_expr_keyword(hcl_expr_static(item->key, r->arena));
	const struct hcl_expr *expr = hcl_expr_static(item->value, r->arena);
	struct hcl_attribute_type *attribute;
	struct hcl_constraint constraint;
	bool optional = expr->kind == HCL_EXPR_CALL && strcmp(expr->call.name, "optional") == 0;

	if (!name) {
		struct zp_diag *diag = refuse(r, item->key->range,
			"Object constructor map keys must be attribute names.");
		diag->context = object->range;
		return false;
	}
	bool valid = !optional || read_optional(r, expr, &value);
	if (optional && expr->call.count == 0)
		return false;
	if (!read_type(r, optional ? expr->call.args[0] : expr, &constraint))
		return false;
	attribute = zp_vec_add(&o->attributes);
	*attribute = (struct hcl_attribute_type){ name, constraint.type, optional };
	if (constraint.defaults)
		zp_vec_push(&o->children,
			((struct hcl_defaults_child){ name, 0, constraint.defaults }));
	if (value)
		valid &= read_default(r, o, name, value, constraint.type);
	return valid;
}

static bool read_object(struct reader *r, const struct hcl_expr *expr, struct hcl_constraint *out)
{
	struct object o = { 0 };
	struct hcl_object_item *items;
	size_t count;
	bool valid = true;

	if (!hcl_expr_pairs(expr->call.args[0], r->arena, &items, &count)) {
		struct zp_diag *diag = refuse(r, expr->call.args[0]->range,
			"Object type constructor requires a map whose keys are attribute names and "
			"whose values are the corresponding attribute types.");
		diag->context = expr->range;
		return false;
	}
	for (size_t i = 0; i < count; i++)
		valid &= read_attribute(r, &o, expr, &items[i]);
	out->type = hcl_object_type(o.attributes.items, o.attributes.count);
	out->defaults = make_defaults(r, out->type, &o.values, &o.children);
	zp_vec_release(&o.attributes);
	zp_vec_release(&o.values);
	zp_vec_release(&o.children);
	return valid;
}

static bool read_call(struct reader *r, const struct hcl_expr *expr, struct hcl_constraint *out)
{
	const char *name = expr->call.name;
	const struct hcl_type *type = primitive(name);

	if (type) {
		refuse(r, arguments_range(expr), "%s keyword \"%s\" does not expect arguments.",
			type == hcl_dynamic ? "Type constraint" : "Primitive type", name);
		return false;
	}
	if (!check_count(r, expr))
		return false;
	if (is_collection(name))
		return read_collection(r, expr, out);
	if (strcmp(name, "object") == 0)
		return read_object(r, expr, out);
	if (strcmp(name, "tuple") == 0)
		return read_tuple(r, expr, out);
	if (strcmp(name, "optional") == 0)
		refuse(r, hcl_call_name_range(expr),
			"Keyword \"%s\" is valid only as a modifier for object type attributes.",
			name);
	else
		refuse(r, expr->range, "Keyword \"%s\" is not a valid type constructor.", name);
	return false;
}

static bool read_type(struct reader *r, const struct hcl_expr *expr, struct hcl_constraint *out)
{
	expr = hcl_expr_static(expr, r->arena);
	const char *word = hcl_expr_keyword(expr);

	*out = (struct hcl_constraint){ hcl_dynamic, NULL };
	if (word)
		return read_keyword(r, expr, word, out);
	if (expr->kind == HCL_EXPR_CALL)
		return read_call(r, expr, out);
	if (expr->kind != HCL_EXPR_ERROR)
		refuse(r, expr->range,
			"A type specification is either a primitive type keyword (bool, number, "
			"string) or a complex type constructor call, like list(string).");
	return false;
}

bool hcl_type_expression(const struct hcl_expr *expr, struct zp_arena *arena, bool allow_defaults,
	struct hcl_constraint *out, struct zp_diags *diags)
{
	struct reader r = { arena, diags, allow_defaults };

	return read_type(&r, expr, out);
}

/*
 * Types of values, after cty: bool, number, string, list, set, map, tuple, object, dynamic.
 *
 * Types are hash-consed: one pointer per distinct type for the life of the process, so equality is
 * pointer equality and a type needs no owner. Constructors may be called from any thread.
 */
#ifndef HCL_TYPE_H
#define HCL_TYPE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum hcl_kind {
	HCL_BOOL,
	HCL_NUMBER,
	HCL_STRING,
	HCL_LIST,
	HCL_SET,
	HCL_MAP,
	HCL_TUPLE,
	HCL_OBJECT,
	HCL_DYNAMIC, /* not known yet; "any" in a type constraint */
};

struct hcl_attribute_type {
	const char *name; /* interned, NFC */
	const struct hcl_type *type;
	bool optional; /* in type constraints only; no value has such a type */
};

struct hcl_type {
	enum hcl_kind kind;
	uint32_t count;				 /* elements of a tuple, attributes of an object */
	const struct hcl_type *element;		 /* list, set, map */
	const struct hcl_type *const *elements;	 /* tuple */
	const struct hcl_attribute_type *attributes; /* object, sorted bytewise by name */
	bool has_dynamic;			 /* dynamic is it or is in it */
	bool has_optional;			 /* an object type in it has optional attributes */
};

extern const struct hcl_type *const hcl_bool, *const hcl_number, *const hcl_string,
	*const hcl_dynamic;
/* tuple([]) and object({}) */
const struct hcl_type *hcl_empty_tuple(void);
const struct hcl_type *hcl_empty_object(void);

const struct hcl_type *hcl_list_type(const struct hcl_type *element);
const struct hcl_type *hcl_set_type(const struct hcl_type *element);
const struct hcl_type *hcl_map_type(const struct hcl_type *element);
const struct hcl_type *hcl_tuple_type(const struct hcl_type *const *elements, size_t count);
/* Attributes in any order; names need not be interned. */
const struct hcl_type *hcl_object_type(const struct hcl_attribute_type *attributes, size_t count);

/* Position of the attribute, or -1. */
int hcl_type_attribute(const struct hcl_type *object, const char *name, size_t len);
/* The type with optional flags dropped at every depth. */
const struct hcl_type *hcl_type_without_optional(const struct hcl_type *type);

static inline bool hcl_type_is_primitive(const struct hcl_type *type)
{
	return type->kind <= HCL_STRING;
}

static inline bool hcl_type_is_collection(const struct hcl_type *type)
{
	return type->kind >= HCL_LIST && type->kind <= HCL_MAP;
}

static inline bool hcl_type_is_sequence(const struct hcl_type *type)
{
	return type->kind == HCL_LIST || type->kind == HCL_SET || type->kind == HCL_TUPLE;
}

/* For messages: "string", "list of string", "object", "tuple", "dynamic". */
void hcl_type_friendly(const struct hcl_type *type, struct zp_buf *out);
/* The same, but "any type" instead of "dynamic", for what a constraint asks for. */
void hcl_type_friendly_constraint(const struct hcl_type *type, struct zp_buf *out);
/* As a constraint in source: list(object({a=optional(string)})). */
void hcl_type_constraint_text(const struct hcl_type *type, struct zp_buf *out);
/* cty's JSON form: "string", ["list","string"], ["object",{"a":"string"},["a"]]. */
void hcl_type_to_json(const struct hcl_type *type, struct zp_buf *out);
/* NULL when the text is not such a form. */
const struct hcl_type *hcl_type_from_json(struct zp_str text);

#endif

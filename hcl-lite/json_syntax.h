/*
 * Values of JSON syntax. They keep their places in the source. A string may be a template; whether
 * it is one depends on who reads it, so its syntax errors are kept with it and reported only when
 * it is evaluated as a template.
 */
#ifndef HCL_JSON_SYNTAX_H
#define HCL_JSON_SYNTAX_H

#include "hcl-lite/eval.h"

enum hcl_json_kind {
	HCL_JSON_NULL,
	HCL_JSON_BOOL,
	HCL_JSON_NUMBER,
	HCL_JSON_STRING,
	HCL_JSON_ARRAY,
	HCL_JSON_OBJECT,
	HCL_JSON_ERROR, /* not understood; reported */
};

/* A string, or the name of a member. */
struct hcl_json_text {
	struct zp_str text;		/* escapes resolved */
	struct zp_range range;		/* quotes included */
	struct hcl_expr *template;	/* NULL: there is nothing of a template in it */
	const struct zp_diag *problems; /* of the template */
	size_t problem_count;
	const struct hcl_offset *offsets; /* from text back to the source */
	size_t offset_count;
};

struct hcl_json_member {
	struct hcl_json_text name;
	struct hcl_json_value *value;
};

struct hcl_json_value {
	enum hcl_json_kind kind;
	struct zp_range range;
	struct zp_range open_range;  /* of arrays and objects the first bracket, else the whole */
	struct zp_range close_range; /* the last one */
	union {
		struct hcl_value literal; /* null, bool, number */
		struct hcl_json_text string;
		struct {
			struct hcl_json_value **items;
			size_t count;
		} array;
		struct {
			struct hcl_json_member *items;
			size_t count;
		} object; /* in source order */
	};
};

/*
 * The value: arrays are tuples, objects objects, strings templates. Without a scope and functions
 * strings are taken as they are, as are the peer's where nothing can be referred to.
 */
struct hcl_value hcl_json_evaluate(struct hcl_evaluation *ev, const struct hcl_json_value *json);
/* Calls fn for all variable traversals in its templates. */
void hcl_json_references(const struct hcl_json_value *json,
	void (*fn)(void *data, const struct hcl_expr *traversal), void *data);

#endif

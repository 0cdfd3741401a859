/*
 * The defaults of optional attributes, as a tree beside the type: built by type_expression.c, applied
 * by defaults.c.
 */
#ifndef HCL_DEFAULTS_H
#define HCL_DEFAULTS_H

#include "hcl-lite/convert.h"

struct hcl_default_value {
	const char *name;
	struct hcl_value value;
};

struct hcl_defaults_child {
	const char *name; /* an object's attribute; NULL elsewhere */
	uint32_t index;	  /* a tuple's element; 0 elsewhere */
	const struct hcl_defaults *defaults;
};

struct hcl_defaults {
	const struct hcl_type *type;
	const struct hcl_default_value *values; /* of an object's attributes */
	size_t value_count;
	const struct hcl_defaults_child *children;
	size_t child_count;
};

#endif

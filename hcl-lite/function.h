/*
 * Functions of the language. Each is a row of a table: name, parameters, result, implementation.
 *
 * The common work is done before the implementation sees its arguments: they are evaluated and
 * converted to the parameters' types; null, unknown and marked ones are dealt with unless the
 * parameter asks for them. So an implementation that asks for nothing gets known values without marks
 * (though parts of a collection may be null or unknown), and its result is marked with what the
 * arguments were marked with.
 *
 * An implementation returns true and sets *out, or fails with hcl_call_fail.
 */
#ifndef HCL_FUNCTION_H
#define HCL_FUNCTION_H

#include "hcl-lite/eval_internal.h"

/* Types in tables, which need constants. */
enum hcl_type_code {
	HCL_T_ANY,
	HCL_T_BOOL,
	HCL_T_NUMBER,
	HCL_T_STRING,
	HCL_T_LIST,
	HCL_T_LIST_BOOL,
	HCL_T_LIST_NUMBER,
	HCL_T_LIST_STRING,
	HCL_T_SET,
	HCL_T_SET_STRING,
	HCL_T_MAP_LIST_STRING,
};

enum hcl_parameter_flags {
	HCL_NULL_OK = 1,
	HCL_UNKNOWN_OK = 2,
	HCL_DYNAMIC_OK = 4, /* unknown of unknown type */
	HCL_MARKED_OK = 8,
	HCL_ANYTHING = 15,
};

struct hcl_parameter {
	const char *name; /* NULL: there is none */
	uint8_t type;	  /* enum hcl_type_code */
	uint8_t flags;	  /* enum hcl_parameter_flags */
};

enum hcl_function_kind {
	HCL_PURE,
	HCL_IMPURE,  /* another result each time: unknown while planning */
	HCL_CONSOLE, /* exists in console only */
	HCL_NOT_CONSOLE, /* exists everywhere else */
};

const struct hcl_type *hcl_type_of_code(uint8_t code);

struct hcl_call;

struct hcl_function {
	const char *name;
	struct hcl_parameter params[4];
	struct hcl_parameter rest; /* of which any number may follow */
	uint8_t returns;	   /* enum hcl_type_code */
	uint8_t kind;		   /* enum hcl_function_kind */
	bool maybe_null;	   /* an unknown result may turn out null */
	/*
	 * For HCL_T_ANY: the type of the result where arguments are unknown; may fail. NULL: not known
	 * either.
	 */
	bool (*type)(struct hcl_call *call, const struct hcl_type **type);
	bool (*call)(struct hcl_call *call, struct hcl_value *out);
	/* Instead of call: gets the arguments unevaluated (try, can). Reports its own errors. */
	struct hcl_value (*lazy)(struct hcl_evaluation *ev, const struct hcl_expr *expr);
};

struct hcl_call {
	struct hcl_evaluation *ev;
	struct zp_arena *arena;
	const struct hcl_function *function;
	const struct hcl_expr *expr;
	struct hcl_value *args;
	size_t count;
	unsigned marks; /* that arguments had before they were taken off */
	struct zp_buf error;
	int argument; /* the one the error is about; -1: none */
};

/* Sets what went wrong, in words that follow "failed: ". Returns false. */
bool hcl_call_fail(struct hcl_call *call, const char *fmt, ...) ZP_PRINTF(2, 3);
/* The same about one argument. */
bool hcl_call_fail_argument(struct hcl_call *call, int argument, const char *fmt, ...)
	ZP_PRINTF(3, 4);

/* A string out of a buffer; fails when it is longer than a text may be. */
bool hcl_call_text(struct hcl_call *call, const struct zp_buf *text, struct hcl_value *out);
/* A whole number between the limits, or a failure that says so. */
bool hcl_call_int(struct hcl_call *call, struct hcl_value v, int64_t min, int64_t max,
	const char *prefix, int64_t *out);
/* How many elements results may have in all, so that no call fills the memory. */
#define HCL_MAX_RESULT_ELEMENTS (16u << 20)
bool hcl_call_check_count(struct hcl_call *call, uint64_t count);

/* NULL when there is none of that name. */
const struct hcl_function *hcl_find_function(const char *name, bool console);

/* functions_regex.c: replace("...", "/.../", "..."). */
bool hcl_regex_replace(struct hcl_call *call, struct zp_str pattern, struct hcl_value *out);

struct hcl_function_list {
	const struct hcl_function *functions;
	size_t count;
};

extern const struct hcl_function_list hcl_string_functions, hcl_format_functions,
	hcl_regex_functions, hcl_collection_functions, hcl_sequence_functions, hcl_set_functions,
	hcl_number_functions, hcl_conversion_functions, hcl_encoding_functions, hcl_json_functions,
	hcl_yaml_functions, hcl_csv_functions, hcl_hash_functions, hcl_crypto_functions,
	hcl_network_functions, hcl_time_functions, hcl_file_functions, hcl_template_functions,
	hcl_control_functions, hcl_provider_functions;

#endif

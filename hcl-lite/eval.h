/*
 * Evaluation of expressions.
 *
 * What a name means is the caller's business: a scope has one callback, resolve. It is given the root
 * name together with all steps that follow it, evaluated (so `a[count.index].id` arrives as root `a`
 * and steps [4] .id), and takes as many of them as it likes. Thus a reference to one instance never
 * builds the list of all.
 *
 *	struct hcl_evaluation ev = { .arena = &arena, .diags = &diags, .scope = &scope, .functions = &fns };
 *	size_t before = diags.errors;
 *	struct hcl_value v = hcl_evaluate(&ev, expr);
 *	if (diags.errors > before) ...
 *
 * Errors become diagnostics with the subject range and the values of the variables involved; in the
 * result, an unknown value then stands for what failed.
 */
#ifndef HCL_EVAL_H
#define HCL_EVAL_H

#include "base/json.h"
#include "hcl-lite/convert.h"
#include "hcl-lite/syntax.h"

struct hcl_evaluation;

struct hcl_reference {
	const char *root; /* interned */
	struct zp_range root_range;
	const struct hcl_traverse *steps; /* keys are evaluated, maybe unknown or marked */
	size_t count;
	struct zp_range range;
};

struct hcl_scope {
	/*
	 * Sets *value to what root and the first *consumed steps mean, and *consumed to their number
	 * (0 is fine). False when the name means nothing here: a diagnostic was added. The evaluator
	 * applies the remaining steps.
	 */
	bool (*resolve)(const struct hcl_scope *scope, struct hcl_evaluation *ev,
		const struct hcl_reference *ref, struct hcl_value *value, size_t *consumed);
	void *data;
};

/* What functions need to know of where they run. */
struct hcl_functions {
	const char *base_dir;	   /* file(), templatefile(), fileset() are relative to it */
	struct zp_str plan_time;   /* RFC 3339; empty: plantimestamp() is unknown */
	bool pure_only;		   /* timestamp(), uuid(), bcrypt() give unknown: while planning */
	bool console;		   /* type() exists */
};

struct hcl_evaluation {
	struct zp_arena *arena; /* results */
	struct zp_diags *diags;
	const struct hcl_scope *scope; /* NULL: constants only, any name is an error */
	const struct hcl_functions *functions; /* NULL: no functions */
	uint32_t depth; /* of nesting; the evaluator's own */
	struct hcl_locals *locals; /* names bound by for; the evaluator's own */
	bool trial; /* diagnostics will not be shown: no values are collected for them */
};

#define HCL_MAX_EVALUATION_DEPTH 2000

struct hcl_value hcl_evaluate(struct hcl_evaluation *ev, const struct hcl_expr *expr);
/* Evaluates and converts; a failed conversion is a diagnostic. */
struct hcl_value hcl_evaluate_as(struct hcl_evaluation *ev, const struct hcl_expr *expr,
	const struct hcl_type *type);
/* Applies steps to a value, as .a[0] does; a diagnostic and unknown on failure. */
struct hcl_value hcl_apply_steps(struct hcl_evaluation *ev, struct hcl_value v,
	const struct hcl_traverse *steps, size_t count);

/*
 * Reads an expression as a type constraint: string, list(number), object({a=optional(string,"x")}).
 * Returns false after a diagnostic. allow_defaults: optional() may have a second argument.
 */
bool hcl_type_expression(const struct hcl_expr *expr, struct zp_arena *arena, bool allow_defaults,
	struct hcl_constraint *out, struct zp_diags *diags);

/* Keyword check for places such as `type = string` or `ignore_changes = all`: the bare word or NULL. */
const char *hcl_expr_keyword(const struct hcl_expr *expr);

/* Where an expression begins, for messages that point there: its first token or so. */
struct zp_range hcl_start_range(const struct hcl_expr *expr);

/* Adds to a diagnostic what the names in expr stood for. diag may be NULL. */
void hcl_diag_expression(struct hcl_evaluation *ev, struct zp_diag *diag,
	const struct hcl_expr *expr);

/* Names of all functions, sorted; for did-you-mean and metadata. */
const char *const *hcl_function_names(size_t *count);
/* How a function is called, as messages show it: substr(str, offset, length), max(numbers...). False
 * when there is none of that name. */
bool hcl_function_signature(const char *name, struct zp_buf *out);
bool hcl_function_exists(const char *name);
/* The same for machines: name, params, variadic_param, return_type. The function must exist. */
void hcl_function_signature_json(const char *name, struct zp_json_writer *writer);
/* As "metadata functions" has it: return_type, parameters, variadic_parameter. */
void hcl_function_metadata_json(const char *name, struct zp_json_writer *writer);

#endif

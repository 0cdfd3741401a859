/*
 * What the evaluator's files share; not for use outside of them.
 */
#ifndef HCL_EVAL_INTERNAL_H
#define HCL_EVAL_INTERNAL_H

#include "hcl-lite/eval.h"
#include "hcl-lite/value_internal.h"

/* No text made by an expression is longer. */
#define HCL_MAX_TEXT (64u << 20)

/* A name bound by `for`, or the element a splat is at; innermost first. */
struct hcl_locals {
	const char *name;	      /* interned; NULL: an element of a splat */
	const struct hcl_expr *item;  /* the SPLAT_ITEM it stands for */
	struct hcl_value value;
	struct hcl_locals *outer;
};

/* eval_diag.c: hcl_diag_expression with what is shown around the subject. */
void hcl_diag_refine(struct hcl_evaluation *ev, struct zp_diag *diag, struct zp_range context,
	const struct hcl_expr *expr);

/* eval_traversal.c */
struct hcl_value hcl_eval_traversal(struct hcl_evaluation *ev, const struct hcl_expr *expr);
/* eval_for.c: for expressions and loops in templates give the tuple or object. */
struct hcl_value hcl_eval_for(struct hcl_evaluation *ev, const struct hcl_expr *expr);
struct hcl_value hcl_eval_splat(struct hcl_evaluation *ev, const struct hcl_expr *expr);
/* eval_template.c */
struct hcl_value hcl_eval_template(struct hcl_evaluation *ev, const struct hcl_expr *expr);
struct hcl_value hcl_eval_template_for(struct hcl_evaluation *ev, const struct hcl_expr *expr);
/* operators.c */
struct hcl_value hcl_eval_binary(struct hcl_evaluation *ev, const struct hcl_expr *expr);
struct hcl_value hcl_eval_unary(struct hcl_evaluation *ev, const struct hcl_expr *expr);
/* eval_conditional.c */
struct hcl_value hcl_eval_conditional(struct hcl_evaluation *ev, const struct hcl_expr *expr);
/* call.c */
struct hcl_value hcl_eval_call(struct hcl_evaluation *ev, const struct hcl_expr *expr);

#endif

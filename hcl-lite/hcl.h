/*
 * hcl-lite: HCL 2 and Terraform's expression language as a library. One include, one archive:
 *
 *	cc -I<zplan> app.c build/libhcl-lite.a $(pkg-config --libs libcjson mpfr libutf8proc libpcre2-8 \
 *		yaml-0.1 libcrypto zlib libcrypt) -lpthread -lm
 *
 * The usual sequence (examples/embed-hcl has it as a program):
 *
 *	struct zp_source *source = zp_source_load("app.hcl", "app.hcl", &err);
 *	struct hcl_body *body = hcl_parse_file(source, &arena, &diags);		.hcl or .json by its name
 *	hcl_body_content(body, &schema, &arena, &content, NULL, &diags);	what may stand in it
 *	struct hcl_value v = hcl_evaluate_as(&evaluation, attribute->expr, hcl_string);
 *
 * Ownership: a parse and the values made from it live in the arena they were given, and refer to the
 * source: release arena and source together, last. Diagnostics own their texts. Everything is immutable
 * once made, so threads may share it; an arena and a list of diagnostics that is being written to belong
 * to one thread at a time (diagnostics lock themselves).
 *
 * Input is never trusted: nesting, sizes and expansion are bounded, mistakes are reported with their
 * place, and nothing of a program's input ends the program. Only running out of memory does.
 *
 *	syntax.h   bodies, blocks, attributes, expressions; both syntaxes
 *	value.h    values: null, unknown, sensitive; numbers as Terraform has them
 *	type.h     types, and constraints as written
 *	convert.h  conversion and unification
 *	eval.h     evaluation against a scope of your own, and the functions
 *	codec.h    values from and to JSON, and as text for people
 *	format.h   the canonical layout
 */
#ifndef HCL_H
#define HCL_H

#include "base/alloc.h"
#include "base/arena.h"
#include "base/diag.h"
#include "base/source.h"
#include "base/str.h"
#include "hcl-lite/codec.h"
#include "hcl-lite/convert.h"
#include "hcl-lite/eval.h"
#include "hcl-lite/format.h"
#include "hcl-lite/syntax.h"
#include "hcl-lite/type.h"
#include "hcl-lite/value.h"

#endif

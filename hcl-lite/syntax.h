/*
 * The syntax tree of native HCL 2, and of JSON syntax behind the same body interface.
 *
 * A parse allocates from one arena given by the caller; nodes refer to the source, which must outlive
 * them. Every node carries its range. Nodes are never changed after the parse, so threads share them.
 */
#ifndef HCL_SYNTAX_H
#define HCL_SYNTAX_H

#include "base/diag.h"
#include "hcl-lite/value.h"

enum hcl_expr_kind {
	HCL_EXPR_LITERAL,      /* number, bool, null, or plain text: `literal` */
	HCL_EXPR_TEMPLATE,     /* quoted or heredoc template of several parts, always a string */
	HCL_EXPR_TEMPLATE_WRAP,/* "${x}" alone: the value of x unchanged; `wrapped` */
	HCL_EXPR_TEMPLATE_IF,  /* %{ if } in a template; as `conditional`, no else: empty text */
	HCL_EXPR_TEMPLATE_FOR, /* %{ for } in a template: as `loop`, joined to text */
	HCL_EXPR_TRAVERSAL,    /* a.b[0].c with constant steps: `traversal` */
	HCL_EXPR_RELATIVE,     /* constant steps from another expression: `relative` */
	HCL_EXPR_INDEX,	       /* x[expr]: `index` */
	HCL_EXPR_SPLAT,	       /* x[*].a or x.*.a: `splat` */
	HCL_EXPR_SPLAT_ITEM,   /* stands for the current element inside splat's `each` */
	HCL_EXPR_CALL,
	HCL_EXPR_CONDITIONAL,
	HCL_EXPR_BINARY,
	HCL_EXPR_UNARY,
	HCL_EXPR_FOR,
	HCL_EXPR_TUPLE,
	HCL_EXPR_OBJECT,
	HCL_EXPR_PARENS, /* `wrapped`; keeps (a) apart from a as an object key */
	HCL_EXPR_JSON,	 /* a value out of JSON syntax: `json` */
	HCL_EXPR_ERROR,	 /* already reported; evaluates to unknown without another diagnostic */
};

enum hcl_operator {
	HCL_OP_OR, HCL_OP_AND,
	HCL_OP_EQUAL, HCL_OP_NOT_EQUAL,
	HCL_OP_LESS, HCL_OP_LESS_EQUAL, HCL_OP_GREATER, HCL_OP_GREATER_EQUAL,
	HCL_OP_ADD, HCL_OP_SUBTRACT,
	HCL_OP_MULTIPLY, HCL_OP_DIVIDE, HCL_OP_MODULO,
	HCL_OP_NOT, HCL_OP_NEGATE,
};

/* .name, or [key] with a constant key, or legacy .0 */
struct hcl_traverse {
	const char *name;     /* interned; NULL: index by key */
	struct hcl_value key; /* string or number */
	struct zp_range range;/* of this step, dot or brackets included */
};

struct hcl_object_item {
	struct hcl_expr *key; /* a bare word is a TRAVERSAL of one name: its name is the key */
	struct hcl_expr *value;
};

/* Allocated as large as its kind needs: never copy one as a whole, nor change its kind. */
struct hcl_expr {
	enum hcl_expr_kind kind;
	struct zp_range range;
	union {
		struct hcl_value literal;
		struct { struct hcl_expr **parts; size_t count; } template;
		struct hcl_expr *wrapped;
		struct {
			const char *root; /* interned */
			struct hcl_traverse *steps;
			uint32_t count;
			uint32_t root_end; /* offset; see hcl_root_range */
		} traversal;
		struct { struct hcl_expr *source; struct hcl_traverse *steps; size_t count; } relative;
		struct { struct hcl_expr *collection, *key; struct zp_range brackets; } index;
		struct {
			struct hcl_expr *source, *each; /* each contains SPLAT_ITEM */
			struct hcl_expr *item;		/* that SPLAT_ITEM node */
			struct zp_range marker;
		} splat;
		struct {
			const char *name; /* interned, "core::x" and "provider::a::b" whole */
			struct hcl_expr **args;
			uint32_t count;
			uint32_t name_end, close_start, close_end; /* see hcl_call_name_range */
			bool expand_last; /* f(x...) */
		} call;
		struct { struct hcl_expr *condition, *yes, *no; } conditional;
		struct { enum hcl_operator op; struct hcl_expr *left, *right; struct zp_range op_range; } binary;
		struct { enum hcl_operator op; struct hcl_expr *operand; struct zp_range op_range; } unary;
		struct {
			const char *key_name;	/* interned, NULL when there is one name only */
			const char *value_name; /* interned */
			struct hcl_expr *collection;
			struct hcl_expr *key;	/* NULL: [for ...] */
			struct hcl_expr *value;
			struct hcl_expr *condition; /* may be NULL */
			bool group;		    /* ... */
		} loop;
		struct { struct hcl_expr **items; size_t count; } tuple;
		struct { struct hcl_object_item *items; size_t count; } object;
		const struct hcl_json_value *json;
	};
};

struct hcl_attribute {
	const char *name; /* interned */
	struct hcl_expr *expr;
	struct zp_range range;
	uint32_t name_end;     /* see hcl_attribute_name_range */
	uint32_t equals_start; /* of the sign, or of JSON's colon or the space before it */
};

/*
 * Trees are mostly places. Those that begin where their node begins, or lie in it, are kept as offsets
 * and asked for here: the name of an attribute, the first name of a traversal, the name of a call and
 * the parenthesis that ends it.
 */
static inline struct zp_range hcl_attribute_name_range(const struct hcl_attribute *a)
{
	return (struct zp_range){ a->range.file, a->range.start, a->name_end };
}

static inline struct zp_range hcl_root_range(const struct hcl_expr *traversal)
{
	return (struct zp_range){ traversal->range.file, traversal->range.start,
		traversal->traversal.root_end };
}

static inline struct zp_range hcl_call_name_range(const struct hcl_expr *call)
{
	return (struct zp_range){ call->range.file, call->range.start, call->call.name_end };
}

static inline struct zp_range hcl_call_close_range(const struct hcl_expr *call)
{
	return (struct zp_range){ call->range.file, call->call.close_start, call->call.close_end };
}

struct hcl_block {
	const char *type; /* interned */
	struct zp_str *labels;
	struct zp_range *label_ranges;
	size_t label_count;
	struct hcl_body *body;
	struct zp_range type_range;
	struct zp_range header_range; /* type and labels */
	struct zp_range range;	      /* up to and with the closing brace */
	struct zp_range open_range, close_range;
};

/*
 * A body, native or JSON. JSON does not tell attributes from blocks, so a body is read through a
 * schema (hcl_body_content), as in HCL's own implementation. Native code may walk the items.
 */
struct hcl_body {
	struct hcl_attribute **attributes; /* native: in source order */
	size_t attribute_count;
	struct hcl_block **blocks; /* native: in source order */
	size_t block_count;
	const struct hcl_json_value *json; /* JSON syntax: an object or an array of objects; else NULL */
	struct zp_range range;
	struct zp_range end_range; /* where a missing item is reported: { , in JSON the closing } */
	const char *const *hidden; /* JSON: names taken already, NULL-terminated; internal */
};

/*
 * Parsing. Each reports all syntax errors it finds to diags, recovers at the next item, and returns
 * the tree of what could be understood; never NULL.
 */
struct hcl_body *hcl_parse_native(const struct zp_source *source, struct zp_arena *arena,
	struct zp_diags *diags);
struct hcl_body *hcl_parse_json(const struct zp_source *source, struct zp_arena *arena,
	struct zp_diags *diags);
/* By the file's name: *.json is JSON. */
struct hcl_body *hcl_parse_file(const struct zp_source *source, struct zp_arena *arena,
	struct zp_diags *diags);
/* One expression that fills the source, as for console and -var. */
struct hcl_expr *hcl_parse_expression(const struct zp_source *source, struct zp_arena *arena,
	struct zp_diags *diags);
/* The whole source as a template, as for templatefile. */
struct hcl_expr *hcl_parse_template(const struct zp_source *source, struct zp_arena *arena,
	struct zp_diags *diags);
/* A traversal alone, as `a.b["c"]` on a command line; NULL after a diagnostic. */
struct hcl_expr *hcl_parse_traversal(const struct zp_source *source, struct zp_arena *arena,
	struct zp_diags *diags);

/* True when the text is a valid identifier. */
bool hcl_is_identifier(struct zp_str text);

/* What a body may hold. */
struct hcl_attribute_schema {
	const char *name;
	bool required;
};

struct hcl_block_schema {
	const char *type;
	const char *const *label_names; /* NULL-terminated; NULL: no labels */
};

struct hcl_body_schema {
	const struct hcl_attribute_schema *attributes;
	size_t attribute_count;
	const struct hcl_block_schema *blocks;
	size_t block_count;
};

struct hcl_content {
	struct hcl_attribute **attributes; /* in source order, each of the schema at most once */
	size_t attribute_count;
	struct hcl_block **blocks; /* in source order */
	size_t block_count;
};

/*
 * Reads the body through the schema into content (allocated in arena). Missing required attributes,
 * wrong label counts, and (unless rest is given) anything the schema does not name are reported, with
 * did-you-mean. With rest, what is left over becomes the body *rest. Returns false when it reported an
 * error; content holds what was usable all the same.
 */
bool hcl_body_content(const struct hcl_body *body, const struct hcl_body_schema *schema,
	struct zp_arena *arena, struct hcl_content *content, struct hcl_body **rest,
	struct zp_diags *diags);
/* All attributes, for bodies whose names are not known beforehand; blocks are reported. */
bool hcl_body_attributes(const struct hcl_body *body, struct zp_arena *arena,
	struct hcl_content *content, struct zp_diags *diags);
/* NULL when absent. */
struct hcl_attribute *hcl_content_attribute(const struct hcl_content *content, const char *name);

/*
 * Appends the outermost block around a place, as messages name it: resource "a" "b", or in JSON the
 * path of names down to it. False when it is in none; nothing is appended then.
 */
bool hcl_body_context(const struct hcl_body *body, struct zp_range place, struct zp_buf *out);

/*
 * Expressions that are read rather than evaluated, in either syntax.
 *
 * hcl_expr_static gives what a string of JSON syntax says when taken as an expression, as for types
 * and references ("list(string)", "module.x"); any other expression is given back as it is, as is a
 * string that is none. hcl_expr_list and hcl_expr_pairs take [a, b] and {a = b} apart; false for all
 * else.
 */
const struct hcl_expr *hcl_expr_static(const struct hcl_expr *expr, struct zp_arena *arena);
bool hcl_expr_list(const struct hcl_expr *expr, struct zp_arena *arena, struct hcl_expr ***items,
	size_t *count);
bool hcl_expr_pairs(const struct hcl_expr *expr, struct zp_arena *arena,
	struct hcl_object_item **items, size_t *count);

/* Calls fn for every variable traversal the expression depends on, those bound inside it left out. */
void hcl_expr_references(const struct hcl_expr *expr,
	void (*fn)(void *data, const struct hcl_expr *traversal), void *data);

#endif

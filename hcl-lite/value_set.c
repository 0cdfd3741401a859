/*
 * Building sets: sorted in cty's order, equal elements once.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "hcl-lite/value_internal.h"

/*
 * Elements that are ordered by a text have it made once. The texts are in one buffer, which moves
 * while it grows: offsets.
 */
struct ranked {
	struct hcl_value value;
	size_t at; /* to keep the given order among equals */
	size_t text, text_len;
	const struct zp_buf *texts; /* NULL: ordered by the value itself */
};

static struct zp_str order_text(const struct ranked *r)
{
	return zp_strn(r->texts->ptr + r->text, r->text_len);
}

static int compare_ranked(const struct ranked *x, const struct ranked *y)
{
	return x->texts && y->texts ? zp_str_compare(order_text(x), order_text(y))
				    : hcl_value_set_order(x->value, y->value);
}

static int by_order(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	int order = compare_ranked(x, y);

	return order ? order : (x->at > y->at) - (x->at < y->at);
}

static void rank(struct ranked *ranked, struct hcl_value v, size_t at, struct zp_buf *texts)
{
	*ranked = (struct ranked){ .value = v, .at = at };
	if (v.state != HCL_KNOWN || hcl_type_is_primitive(v.type))
		return;
	ranked->texts = texts;
	ranked->text = texts->len;
	hcl_value_order_text(v, texts);
	ranked->text_len = texts->len - ranked->text;
}

static bool ascends(const struct hcl_value *elements, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (!hcl_type_is_primitive(elements[i].type) ||
			hcl_value_set_order(elements[i - 1], elements[i]) >= 0)
			return false;
	return true;
}

/* Whether one of those kept that have the same place in the order is the same. */
static bool is_duplicate(const struct ranked *kept, size_t count, const struct ranked *r)
{
	bool equal;

	/* Unknown elements may differ, so none is a duplicate. */
	if (!hcl_is_wholly_known(r->value))
		return false;
	for (size_t i = count; i-- > 0 && compare_ranked(&kept[i], r) == 0;)
		if (hcl_value_equality(kept[i].value, r->value, &equal) == HCL_KNOWN && equal)
			return true;
	return false;
}

static size_t sort_and_deduplicate(struct hcl_value *elements, size_t n)
{
	zp_autofree struct ranked *ranked = zp_reallocarray(NULL, n, sizeof(*ranked));
	zp_autobuf texts = ZP_BUF_INIT;
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		rank(&ranked[i], elements[i], i, &texts);
	qsort(ranked, n, sizeof(*ranked), by_order);
	for (size_t i = 0; i < n; i++)
		if (!is_duplicate(ranked, kept, &ranked[i]))
			ranked[kept++] = ranked[i];
	for (size_t i = 0; i < kept; i++)
		elements[i] = ranked[i].value;
	return kept;
}

struct hcl_value hcl_set_value(const struct hcl_type *element, struct hcl_value *elements, size_t n)
{
	unsigned marks = 0;
	uint8_t inside = 0;

	for (size_t i = 0; i < n; i++) {
		marks |= elements[i].inside & HCL_ALL_MARKS;
		if (elements[i].marks)
			elements[i] = hcl_unmark(elements[i], NULL);
		inside |= elements[i].inside;
	}
	if (n > 1 && !ascends(elements, n))
		n = sort_and_deduplicate(elements, n);
	struct hcl_value set = { .type = hcl_set_type(element),
		.elements = elements,
		.count = (uint32_t)n,
		.inside = inside };
	return hcl_mark(set, marks);
}

struct hcl_value hcl_set_build(struct zp_arena *arena, const struct hcl_type *element,
	struct hcl_value *elements, size_t n)
{
	unsigned marks = 0;

	for (size_t i = 0; i < n; i++) {
		marks |= elements[i].inside & HCL_ALL_MARKS;
		elements[i] = hcl_unmark_deep(arena, elements[i], HCL_ALL_MARKS);
	}
	return hcl_mark(hcl_set_value(element, elements, n), marks);
}

/*
 * Building sets: sorted in cty's order, equal elements once.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "hcl-lite/value_internal.h"

struct ranked {
	struct hcl_value value;
	size_t at; /* to keep the given order among equals */
};

static int by_order(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	int order = hcl_value_set_order(x->value, y->value);

	return order ? order : (x->at > y->at) - (x->at < y->at);
}

static bool ascends(const struct hcl_value *elements, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (hcl_value_set_order(elements[i - 1], elements[i]) >= 0)
			return false;
	return true;
}

static bool is_duplicate(const struct hcl_value *kept, size_t count, struct hcl_value v)
{
	bool equal;

	/* Unknown elements may differ, so none is a duplicate. */
	if (!hcl_is_wholly_known(v))
		return false;
	for (size_t i = count; i-- > 0 && hcl_value_set_order(kept[i], v) == 0;)
		if (hcl_value_equality(kept[i], v, &equal) == HCL_KNOWN && equal)
			return true;
	return false;
}

static size_t sort_and_deduplicate(struct hcl_value *elements, size_t n)
{
	zp_autofree struct ranked *ranked = zp_reallocarray(NULL, n, sizeof(*ranked));
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		ranked[i] = (struct ranked){ elements[i], i };
	qsort(ranked, n, sizeof(*ranked), by_order);
	for (size_t i = 0; i < n; i++)
		if (!is_duplicate(elements, kept, ranked[i].value))
			elements[kept++] = ranked[i].value;
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
	if (!ascends(elements, n))
		n = sort_and_deduplicate(elements, n);
	struct hcl_value set = { .type = hcl_set_type(element), .elements = elements,
		.count = (uint32_t)n, .inside = inside };
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

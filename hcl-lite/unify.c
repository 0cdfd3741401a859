/*
 * What types convert to what, and the type several have in common. Follows cty's rules, as the
 * result's type is visible to the user.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/vec.h"
#include "hcl-lite/convert.h"

ZP_VEC(types, const struct hcl_type *);

static const struct hcl_type *unify(const struct hcl_type *const *types, size_t count, bool lossy);

static bool primitive_converts(const struct hcl_type *from, const struct hcl_type *to, bool lossy)
{
	if (from == to)
		return true;
	if (to == hcl_string)
		return true;
	return lossy && from == hcl_string;
}

static bool object_converts(const struct hcl_type *from, const struct hcl_type *to, bool lossy)
{
	for (uint32_t i = 0; i < to->count; i++) {
		const struct hcl_attribute_type *want = &to->attributes[i];
		int at = hcl_type_attribute(from, want->name, strlen(want->name));
		if (at < 0) {
			if (!want->optional)
				return false;
		} else if (!hcl_type_converts(from->attributes[at].type, want->type, lossy)) {
			return false;
		}
	}
	return true;
}

static bool map_converts_to_object(const struct hcl_type *from, const struct hcl_type *to)
{
	for (uint32_t i = 0; i < to->count; i++)
		if (!to->attributes[i].optional &&
			!hcl_type_converts(from->element, to->attributes[i].type, true))
			return false;
	return true;
}

static bool tuple_converts(const struct hcl_type *from, const struct hcl_type *to, bool lossy)
{
	if (from->count != to->count)
		return false;
	for (uint32_t i = 0; i < to->count; i++)
		if (!hcl_type_converts(from->elements[i], to->elements[i], lossy))
			return false;
	return true;
}

static const struct hcl_type **member_types(const struct hcl_type *type)
{
	const struct hcl_type **members = zp_reallocarray(NULL, type->count, sizeof(*members));

	for (uint32_t i = 0; i < type->count; i++)
		members[i] = type->kind == HCL_TUPLE ? type->elements[i] : type->attributes[i].type;
	return members;
}

/* A tuple or object whose members all become elements of a collection. */
static bool members_convert(const struct hcl_type *from, const struct hcl_type *element, bool lossy)
{
	zp_autofree const struct hcl_type **members = member_types(from);

	if (from->count == 0)
		return true;
	if (element->kind == HCL_DYNAMIC) {
		element = unify(members, from->count, lossy);
		if (!element)
			return false;
		/* For lists, nothing in common is good enough only where nothing is known of any. */
		for (uint32_t i = 0; element->kind == HCL_DYNAMIC && i < from->count; i++)
			if (from->kind == HCL_TUPLE && members[i]->kind != HCL_DYNAMIC)
				return false;
	}
	for (uint32_t i = 0; i < from->count; i++)
		if (!hcl_type_converts(members[i], element, lossy))
			return false;
	return true;
}

static bool converts(const struct hcl_type *from, const struct hcl_type *to, bool lossy)
{
	if (hcl_type_is_primitive(from) && hcl_type_is_primitive(to))
		return primitive_converts(from, to, lossy);
	switch (to->kind) {
	case HCL_OBJECT:
		if (from->kind == HCL_OBJECT)
			return object_converts(from, to, lossy);
		return from->kind == HCL_MAP && lossy && map_converts_to_object(from, to);
	case HCL_TUPLE:
		return from->kind == HCL_TUPLE && tuple_converts(from, to, lossy);
	case HCL_SET:
		if (from->kind == HCL_LIST && !lossy)
			return false;
		/* fallthrough */
	case HCL_LIST:
		if (from->kind == HCL_TUPLE)
			return members_convert(from, to->element, lossy);
		return (from->kind == HCL_LIST || from->kind == HCL_SET) &&
		       hcl_type_converts(from->element, to->element, lossy);
	case HCL_MAP:
		if (from->kind == HCL_OBJECT)
			return members_convert(from, to->element, lossy);
		return from->kind == HCL_MAP &&
		       hcl_type_converts(from->element, to->element, lossy);
	default:
		return false;
	}
}

/* One conversion is asked for again and again, for each instance. */
static _Thread_local struct remembered {
	const struct hcl_type *from, *to;
	bool lossy, answer;
} remembered[256];

bool hcl_type_converts(const struct hcl_type *from, const struct hcl_type *to, bool lossy)
{
	if (from == to || to->kind == HCL_DYNAMIC || (lossy && from->kind == HCL_DYNAMIC))
		return true;
	if (from->kind == HCL_DYNAMIC)
		return false;
	if (hcl_type_is_primitive(to))
		return converts(from, to, lossy);
	uintptr_t key = ((uintptr_t)from >> 4) * 31 ^ (uintptr_t)to >> 4 ^ lossy;
	struct remembered *slot = &remembered[(key ^ key >> 8) % ZP_ARRAY_SIZE(remembered)];
	if (slot->from != from || slot->to != to || slot->lossy != lossy) {
		bool answer = converts(from, to, lossy);
		*slot = (struct remembered){ from, to, lossy, answer };
	}
	return slot->answer;
}

/* -1 where a is the more general one, which a common type should be; 1 where b is. */
static int compare_generality(const struct hcl_type *a, const struct hcl_type *b);

static int compare_members(const struct hcl_type *a, const struct hcl_type *b)
{
	bool a_wins = false, b_wins = false;

	if (a->count != b->count)
		return 0;
	for (uint32_t i = 0; i < a->count; i++) {
		int order;
		if (a->kind == HCL_TUPLE) {
			order = compare_generality(a->elements[i], b->elements[i]);
		} else {
			if (strcmp(a->attributes[i].name, b->attributes[i].name) != 0)
				return 0;
			order = compare_generality(a->attributes[i].type, b->attributes[i].type);
		}
		a_wins |= order < 0;
		b_wins |= order > 0;
	}
	return a_wins == b_wins ? 0 : a_wins ? -1 : 1;
}

/* Of two kinds, the one the other converts to. */
static bool is_more_general(const struct hcl_type *a, const struct hcl_type *b)
{
	return (b->kind == HCL_SET && (a->kind == HCL_TUPLE || a->kind == HCL_LIST)) ||
	       (a->kind == HCL_LIST && b->kind == HCL_TUPLE) ||
	       (a->kind == HCL_MAP && b->kind == HCL_OBJECT);
}

static int compare_generality(const struct hcl_type *a, const struct hcl_type *b)
{
	if (a->kind == HCL_DYNAMIC || b->kind == HCL_DYNAMIC)
		return (a->kind == HCL_DYNAMIC) - (b->kind == HCL_DYNAMIC);
	if (hcl_type_is_primitive(a) && hcl_type_is_primitive(b))
		return (b == hcl_string) - (a == hcl_string);
	if (a->kind == b->kind)
		return hcl_type_is_collection(a) ? compare_generality(a->element, b->element)
						 : compare_members(a, b);
	if (is_more_general(a, b))
		return -1;
	return is_more_general(b, a) ? 1 : 0;
}

/* Indices ordered so that a type comes before those it is more general than. */
static size_t *preference_order(const struct hcl_type *const *types, size_t count)
{
	size_t *order = zp_reallocarray(NULL, count, sizeof(*order));
	zp_autofree size_t *above = zp_calloc(count, sizeof(*above));
	size_t found = 0;

	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < count; j++)
			above[i] += i != j && compare_generality(types[j], types[i]) < 0;
	for (size_t i = 0; i < count; i++)
		if (above[i] == 0)
			order[found++] = i;
	for (size_t at = 0; at < found; at++)
		for (size_t j = 0; j < count; j++)
			if (compare_generality(types[order[at]], types[j]) < 0 && --above[j] == 0)
				order[found++] = j;
	/* Preferences that go in a circle: those types stay last. */
	for (size_t i = 0; i < count && found < count; i++)
		if (above[i] != 0)
			order[found++] = i;
	return order;
}

static const struct hcl_type *most_general(
	const struct hcl_type *const *types, size_t count, bool lossy)
{
	zp_autofree size_t *order = preference_order(types, count);

	for (size_t i = 0; i < count; i++) {
		const struct hcl_type *want = types[order[i]];
		size_t fit = 0;
		while (fit < count && hcl_type_converts(types[fit], want, lossy))
			fit++;
		if (fit == count)
			return want;
	}
	return NULL;
}

static const struct hcl_type *unify_elements(
	const struct hcl_type *const *types, size_t count, bool lossy)
{
	zp_autofree const struct hcl_type **elements =
		zp_reallocarray(NULL, count, sizeof(*elements));

	for (size_t i = 0; i < count; i++)
		elements[i] = types[i]->element;
	return unify(elements, count, lossy);
}

/* The common type of all members of all tuples, or of all objects. */
static const struct hcl_type *unify_all_members(
	const struct hcl_type *const *types, size_t count, bool lossy)
{
	struct types all = { 0 };

	for (size_t i = 0; i < count; i++)
		for (uint32_t j = 0; j < types[i]->count; j++)
			zp_vec_push(&all, types[i]->kind == HCL_TUPLE
						  ? types[i]->elements[j]
						  : types[i]->attributes[j].type);
	const struct hcl_type *element = unify(all.items, all.count, lossy);
	zp_vec_release(&all);
	return element;
}

/* What unify gave for a whole is right only if each converts to it. */
static const struct hcl_type *if_all_convert(
	const struct hcl_type *const *types, size_t count, const struct hcl_type *want, bool lossy)
{
	for (size_t i = 0; i < count; i++)
		if (!hcl_type_converts(types[i], want, lossy))
			return NULL;
	return want;
}

static const struct hcl_type *unify_to_collection(
	const struct hcl_type *const *types, size_t count, bool lossy)
{
	const struct hcl_type *element = unify_all_members(types, count, lossy);

	if (!element)
		return NULL;
	return if_all_convert(types, count,
		types[0]->kind == HCL_TUPLE ? hcl_list_type(element) : hcl_map_type(element),
		lossy);
}

static bool same_shape(const struct hcl_type *a, const struct hcl_type *b)
{
	if (a->count != b->count)
		return false;
	for (uint32_t i = 0; a->kind == HCL_OBJECT && i < a->count; i++)
		if (strcmp(a->attributes[i].name, b->attributes[i].name) != 0)
			return false;
	return true;
}

/* Tuples of one length, or objects of the same attributes: member by member. */
static const struct hcl_type *unify_members(
	const struct hcl_type *const *types, size_t count, bool lossy)
{
	const struct hcl_type *first = types[0];
	zp_autofree const struct hcl_type **across = zp_reallocarray(NULL, count, sizeof(*across));
	zp_autofree struct hcl_attribute_type *members = zp_calloc(first->count, sizeof(*members));
	zp_autofree const struct hcl_type **elements =
		zp_reallocarray(NULL, first->count, sizeof(*elements));

	for (size_t i = 1; i < count; i++)
		if (!same_shape(first, types[i]))
			return unify_to_collection(types, count, lossy);
	for (uint32_t i = 0; i < first->count; i++) {
		for (size_t j = 0; j < count; j++)
			across[j] = first->kind == HCL_TUPLE ? types[j]->elements[i]
							     : types[j]->attributes[i].type;
		elements[i] = unify(across, count, lossy);
		if (!elements[i])
			return NULL;
		if (first->kind == HCL_OBJECT)
			members[i] = (struct hcl_attribute_type){ first->attributes[i].name,
				elements[i], false };
	}
	return if_all_convert(types, count,
		first->kind == HCL_TUPLE ? hcl_tuple_type(elements, first->count)
					 : hcl_object_type(members, first->count),
		lossy);
}

/* Tuples beside lists, objects beside maps: the structural ones are made collections first. */
static const struct hcl_type *unify_mixed(
	const struct hcl_type *const *types, size_t count, enum hcl_kind structural, bool lossy)
{
	struct types list = { 0 };
	const struct hcl_type *result = NULL;

	for (size_t i = 0; i < count; i++)
		if (types[i]->kind == structural)
			zp_vec_push(&list, types[i]);
	const struct hcl_type *collection = unify_to_collection(list.items, list.count, lossy);
	if (collection) {
		list.count = 0;
		for (size_t i = 0; i < count; i++)
			zp_vec_push(&list, types[i]->kind == structural ? collection : types[i]);
		result = unify(list.items, list.count, lossy);
		if (result && result->kind != collection->kind)
			result = NULL;
	}
	zp_vec_release(&list);
	return result;
}

static const struct hcl_type *collection_of(enum hcl_kind kind, const struct hcl_type *element)
{
	if (!element)
		return NULL;
	return kind == HCL_LIST	 ? hcl_list_type(element)
	       : kind == HCL_SET ? hcl_set_type(element)
				 : hcl_map_type(element);
}

static const struct hcl_type *unify_distinct(
	const struct hcl_type *const *types, size_t count, bool lossy)
{
	size_t of[HCL_DYNAMIC + 1] = { 0 };

	for (size_t i = 0; i < count; i++)
		of[types[i]->kind]++;
	size_t dynamic = of[HCL_DYNAMIC];
	for (enum hcl_kind kind = HCL_LIST; kind <= HCL_OBJECT; kind++) {
		if (!of[kind] || of[kind] + dynamic != count)
			continue;
		/* What the unknown ones turn out to be may change everything. */
		if (dynamic)
			return hcl_dynamic;
		return kind <= HCL_MAP ? collection_of(kind, unify_elements(types, count, lossy))
				       : unify_members(types, count, lossy);
	}
	if (of[HCL_MAP] && of[HCL_MAP] + of[HCL_OBJECT] + dynamic == count) {
		const struct hcl_type *map = unify_mixed(types, count, HCL_OBJECT, lossy);
		if (map)
			return map;
	} else if (of[HCL_LIST] && of[HCL_LIST] + of[HCL_TUPLE] + dynamic == count) {
		const struct hcl_type *list = unify_mixed(types, count, HCL_TUPLE, lossy);
		if (list)
			return list;
	} else if (of[HCL_OBJECT] && of[HCL_TUPLE]) {
		return NULL;
	}
	return most_general(types, count, lossy);
}

static int by_address(const void *a, const void *b)
{
	const struct hcl_type *x = *(const struct hcl_type *const *)a;
	const struct hcl_type *y = *(const struct hcl_type *const *)b;

	return ((uintptr_t)x > (uintptr_t)y) - ((uintptr_t)x < (uintptr_t)y);
}

/* Each type once, in the order of first appearance. */
static size_t distinct(const struct hcl_type **types, size_t count)
{
	if (count <= 16) {
		size_t kept = 0;
		for (size_t i = 0; i < count; i++) {
			size_t j = 0;
			while (j < kept && types[j] != types[i])
				j++;
			if (j == kept)
				types[kept++] = types[i];
		}
		return kept;
	}
	zp_autofree const struct hcl_type **sorted = zp_reallocarray(NULL, count, sizeof(*sorted));
	zp_autofree bool *seen = zp_calloc(count, sizeof(*seen));
	memcpy(sorted, types, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), by_address);
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		const struct hcl_type **found =
			bsearch(&types[i], sorted, count, sizeof(*sorted), by_address);
		while (found > sorted && found[-1] == *found)
			found--;
		if (!seen[found - sorted])
			types[kept++] = types[i];
		seen[found - sorted] = true;
	}
	return kept;
}

static const struct hcl_type *unify(const struct hcl_type *const *types, size_t count, bool lossy)
{
	if (count == 0)
		return NULL;
	size_t same = 1;
	while (same < count && types[same] == types[0])
		same++;
	if (same == count)
		return types[0];
	zp_autofree const struct hcl_type **copy = zp_reallocarray(NULL, count, sizeof(*copy));
	memcpy(copy, types, count * sizeof(*copy));
	count = distinct(copy, count);
	return unify_distinct(copy, count, lossy);
}

const struct hcl_type *hcl_unify(const struct hcl_type *const *types, size_t count)
{
	return unify(types, count, true);
}

const struct hcl_type *hcl_unify_safe(const struct hcl_type *const *types, size_t count)
{
	return unify(types, count, false);
}

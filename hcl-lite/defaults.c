#include "hcl-lite/defaults.h"

#include "base/alloc.h"
#include "hcl-lite/value_internal.h"

static struct hcl_value apply(
	struct zp_arena *arena, const struct hcl_defaults *d, struct hcl_value v);

/* Defaults for the element under key, or NULL. A value of another kind than the type says has none.
 */
static const struct hcl_defaults *child(const struct hcl_defaults *d, struct hcl_value key)
{
	if (hcl_type_is_collection(d->type))
		return d->child_count ? d->children[0].defaults : NULL;
	for (size_t i = 0; i < d->child_count; i++) {
		const struct hcl_defaults_child *c = &d->children[i];
		int64_t at;
		if (d->type->kind == HCL_OBJECT) {
			if (key.type == hcl_string && c->name && zp_str_is(hcl_text(key), c->name))
				return c->defaults;
		} else if (key.type == hcl_number && hcl_number_to_int(key, &at) &&
			   at == c->index) {
			return c->defaults;
		}
	}
	return NULL;
}

static struct hcl_value apply_child(struct zp_arena *arena, const struct hcl_defaults *d,
	struct hcl_value key, struct hcl_value v)
{
	const struct hcl_defaults *of = child(d, key);
	return of ? apply(arena, of, v) : v;
}

/* The types that elements of a collection have in common after their defaults were put in. */
static const struct hcl_type *common_type(const struct hcl_value *elements, size_t n)
{
	zp_autofree const struct hcl_type **types = zp_reallocarray(NULL, n, sizeof(*types));

	for (size_t i = 0; i < n; i++)
		types[i] = elements[i].type;
	return hcl_unify(types, n);
}

static bool bring_together(struct zp_arena *arena, struct hcl_value *elements, size_t n,
	const struct hcl_type **element)
{
	*element = common_type(elements, n);
	for (size_t i = 0; *element && i < n; i++)
		if (!hcl_convert(arena, elements[i], *element, &elements[i], NULL))
			return false;
	return *element != NULL;
}

static struct hcl_value apply_sequence(
	struct zp_arena *arena, const struct hcl_defaults *d, struct hcl_value v)
{
	struct hcl_value *elements = zp_arena_alloc(arena, v.count * sizeof(*elements));
	const struct hcl_type *element;

	for (uint32_t i = 0; i < v.count; i++)
		elements[i] = apply_child(arena, d, hcl_int_value(i), v.elements[i]);
	if (v.type->kind == HCL_TUPLE)
		return hcl_tuple_value(elements, v.count);
	if (v.count == 0 || !bring_together(arena, elements, v.count, &element))
		return v;
	return v.type->kind == HCL_LIST ? hcl_list_value(element, elements, v.count)
					: hcl_set_build(arena, element, elements, v.count);
}

struct named_values {
	const char **names;
	struct hcl_value *values;
	size_t count;
};

static struct hcl_value *find(struct named_values *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->names[i], name) == 0)
			return &list->values[i];
	return NULL;
}

static void fill_in(struct zp_arena *arena, const struct hcl_defaults *d, struct named_values *list)
{
	for (size_t i = 0; i < d->value_count; i++) {
		const struct hcl_default_value *def = &d->values[i];
		struct hcl_value *slot = find(list, def->name);
		if (slot && !hcl_is_null(*slot))
			continue;
		if (!slot) {
			list->names[list->count] = def->name;
			slot = &list->values[list->count++];
		}
		*slot = apply_child(arena, d, hcl_string_static(def->name), def->value);
	}
}

static struct hcl_value apply_mapping(
	struct zp_arena *arena, const struct hcl_defaults *d, struct hcl_value v)
{
	size_t room = v.count + d->value_count;
	zp_autofree const char **names = zp_reallocarray(NULL, room, sizeof(*names));
	struct hcl_value *values = zp_arena_alloc(arena, room * sizeof(*values));
	struct named_values list = { names, values, 0 };
	const struct hcl_type *element;

	for (struct hcl_iterator it = hcl_iterate(v); hcl_iterator_next(&it);) {
		names[list.count] = it.key.text;
		values[list.count++] = apply_child(arena, d, it.key, it.value);
	}
	fill_in(arena, d, &list);
	if (v.type->kind == HCL_OBJECT)
		return hcl_object_build(arena, names, values, list.count);
	if (list.count == 0 || !bring_together(arena, values, list.count, &element))
		return v;
	struct hcl_map_entry *entries = zp_arena_alloc(arena, list.count * sizeof(*entries));
	for (size_t i = 0; i < list.count; i++)
		entries[i] = (struct hcl_map_entry){ zp_str(names[i]), values[i] };
	return hcl_map_value(element, entries, list.count);
}

/* Nothing is put into what is null or unknown as a whole. */
static struct hcl_value apply(
	struct zp_arena *arena, const struct hcl_defaults *d, struct hcl_value v)
{
	unsigned marks;

	if (v.state != HCL_KNOWN || hcl_type_is_primitive(v.type))
		return v;
	v = hcl_unmark(v, &marks);
	if (hcl_type_is_sequence(v.type))
		v = apply_sequence(arena, d, v);
	else
		v = apply_mapping(arena, d, v);
	return hcl_mark(v, marks);
}

struct hcl_value hcl_apply_defaults(
	struct zp_arena *arena, const struct hcl_defaults *defaults, struct hcl_value v)
{
	return defaults ? apply(arena, defaults, v) : v;
}

#include "hcl-lite/type.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/intern.h"

/*
 * Every type is a node that is never freed. The types made of one other type hang off it, so that
 * list(x) costs one load; tuples and objects are found in a small cache of each thread, and behind
 * it in a table under a lock.
 */
struct node {
	struct hcl_type type; /* first: a type's address is its node's */
	uint64_t hash;
	struct node *next;			/* in the table's bucket */
	_Atomic(struct node *) derived[3];	/* list, set, map of it */
	_Atomic(const struct hcl_type *) plain; /* without optional flags */
};

static struct node bool_node = { .type = { .kind = HCL_BOOL }, .hash = 0x9e3779b97f4a7c15u };
static struct node number_node = { .type = { .kind = HCL_NUMBER }, .hash = 0xc2b2ae3d27d4eb4fu };
static struct node string_node = { .type = { .kind = HCL_STRING }, .hash = 0x165667b19e3779f9u };
static struct node dynamic_node = { .type = { .kind = HCL_DYNAMIC, .has_dynamic = true },
	.hash = 0x27d4eb2f165667c5u };

const struct hcl_type *const hcl_bool = &bool_node.type;
const struct hcl_type *const hcl_number = &number_node.type;
const struct hcl_type *const hcl_string = &string_node.type;
const struct hcl_type *const hcl_dynamic = &dynamic_node.type;

#define THREAD_CACHE_SLOTS 256

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct zp_arena storage;
static struct node **buckets;
static size_t bucket_count, node_count;
static _Thread_local struct node *thread_cache[THREAD_CACHE_SLOTS];

static struct node *node_of(const struct hcl_type *type)
{
	return (struct node *)type;
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash ^= value + 0x9e3779b97f4a7c15u + (hash << 6) + (hash >> 2);
	return hash * 0xff51afd7ed558ccdu ^ hash >> 32;
}

/* Under the lock. */
static void grow_table(void)
{
	size_t count = bucket_count ? bucket_count * 2 : 256;
	struct node **table = zp_calloc(count, sizeof(*table));

	for (size_t i = 0; i < bucket_count; i++) {
		for (struct node *node = buckets[i], *next; node; node = next) {
			next = node->next;
			node->next = table[node->hash & (count - 1)];
			table[node->hash & (count - 1)] = node;
		}
	}
	free(buckets);
	buckets = table;
	bucket_count = count;
}

static bool same_attribute(const struct hcl_attribute_type *a, const struct hcl_attribute_type *b)
{
	return a->type == b->type && a->optional == b->optional &&
	       (a->name == b->name || strcmp(a->name, b->name) == 0);
}

static bool same_structure(const struct hcl_type *a, const struct hcl_type *b)
{
	if (a->kind != b->kind || a->count != b->count)
		return false;
	if (a->kind == HCL_TUPLE)
		return a->count == 0 ||
		       memcmp(a->elements, b->elements, a->count * sizeof(*a->elements)) == 0;
	for (uint32_t i = 0; i < a->count; i++)
		if (!same_attribute(&a->attributes[i], &b->attributes[i]))
			return false;
	return true;
}

/* Copies what the wanted type points to into storage and interns its names. */
static struct node *make_node(const struct hcl_type *wanted, uint64_t hash)
{
	struct node *node = zp_new(&storage, struct node);

	node->type = *wanted;
	node->hash = hash;
	if (wanted->kind == HCL_TUPLE && wanted->count) {
		const struct hcl_type **elements =
			zp_new_array(&storage, const struct hcl_type *, wanted->count);
		memcpy(elements, wanted->elements, wanted->count * sizeof(*elements));
		node->type.elements = elements;
		for (uint32_t i = 0; i < wanted->count; i++) {
			node->type.has_dynamic |= elements[i]->has_dynamic;
			node->type.has_optional |= elements[i]->has_optional;
		}
	} else if (wanted->kind == HCL_OBJECT && wanted->count) {
		struct hcl_attribute_type *attributes =
			zp_new_array(&storage, struct hcl_attribute_type, wanted->count);
		for (uint32_t i = 0; i < wanted->count; i++) {
			attributes[i] = wanted->attributes[i];
			attributes[i].name = zp_intern_cstr(wanted->attributes[i].name);
			node->type.has_dynamic |= attributes[i].type->has_dynamic;
			node->type.has_optional |=
				attributes[i].optional || attributes[i].type->has_optional;
		}
		node->type.attributes = attributes;
	}
	return node;
}

static struct node *find_or_make(const struct hcl_type *wanted, uint64_t hash)
{
	pthread_mutex_lock(&lock);
	if (node_count >= bucket_count)
		grow_table();
	struct node **bucket = &buckets[hash & (bucket_count - 1)];
	struct node *node = *bucket;
	while (node && !(node->hash == hash && same_structure(&node->type, wanted)))
		node = node->next;
	if (!node) {
		node = make_node(wanted, hash);
		node->next = *bucket;
		*bucket = node;
		node_count++;
	}
	pthread_mutex_unlock(&lock);
	return node;
}

static const struct hcl_type *cons(const struct hcl_type *wanted, uint64_t hash)
{
	struct node **slot = &thread_cache[(hash >> 7) % THREAD_CACHE_SLOTS];

	if (*slot && (*slot)->hash == hash && same_structure(&(*slot)->type, wanted))
		return &(*slot)->type;
	*slot = find_or_make(wanted, hash);
	return &(*slot)->type;
}

static const struct hcl_type *collection(enum hcl_kind kind, const struct hcl_type *element)
{
	struct node *of = node_of(element);
	_Atomic(struct node *) *slot = &of->derived[kind - HCL_LIST];
	struct node *node = atomic_load_explicit(slot, memory_order_acquire);

	if (node)
		return &node->type;
	pthread_mutex_lock(&lock);
	node = atomic_load_explicit(slot, memory_order_acquire);
	if (!node) {
		node = zp_new(&storage, struct node);
		node->type = (struct hcl_type){ .kind = kind,
			.element = element,
			.has_dynamic = element->has_dynamic,
			.has_optional = element->has_optional };
		node->hash = mix(of->hash, kind);
		atomic_store_explicit(slot, node, memory_order_release);
	}
	pthread_mutex_unlock(&lock);
	return &node->type;
}

const struct hcl_type *hcl_list_type(const struct hcl_type *element)
{
	return collection(HCL_LIST, element);
}

const struct hcl_type *hcl_set_type(const struct hcl_type *element)
{
	return collection(HCL_SET, element);
}

const struct hcl_type *hcl_map_type(const struct hcl_type *element)
{
	return collection(HCL_MAP, element);
}

const struct hcl_type *hcl_tuple_type(const struct hcl_type *const *elements, size_t count)
{
	struct hcl_type wanted = {
		.kind = HCL_TUPLE, .count = (uint32_t)count, .elements = elements
	};
	uint64_t hash = mix(HCL_TUPLE, count);

	for (size_t i = 0; i < count; i++)
		hash = mix(hash, node_of(elements[i])->hash);
	return cons(&wanted, hash);
}

static const struct hcl_type *object_type_sorted(
	const struct hcl_attribute_type *attributes, size_t count)
{
	struct hcl_type wanted = {
		.kind = HCL_OBJECT, .count = (uint32_t)count, .attributes = attributes
	};
	uint64_t hash = mix(HCL_OBJECT, count);

	for (size_t i = 0; i < count; i++) {
		hash = mix(hash, zp_str_hash(zp_str(attributes[i].name)));
		hash = mix(hash, node_of(attributes[i].type)->hash + attributes[i].optional);
	}
	return cons(&wanted, hash);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct hcl_attribute_type *)a)->name,
		((const struct hcl_attribute_type *)b)->name);
}

static bool is_sorted(const struct hcl_attribute_type *attributes, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (by_name(&attributes[i - 1], &attributes[i]) >= 0)
			return false;
	return true;
}

const struct hcl_type *hcl_object_type(const struct hcl_attribute_type *attributes, size_t count)
{
	if (is_sorted(attributes, count))
		return object_type_sorted(attributes, count);

	zp_autofree struct hcl_attribute_type *sorted =
		zp_reallocarray(NULL, count, sizeof(*sorted));
	memcpy(sorted, attributes, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), by_name);
	size_t kept = 0;
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || by_name(&sorted[kept - 1], &sorted[i]) != 0)
			sorted[kept++] = sorted[i];
	return object_type_sorted(sorted, kept);
}

const struct hcl_type *hcl_empty_tuple(void)
{
	static _Atomic(const struct hcl_type *) empty;
	const struct hcl_type *type = atomic_load_explicit(&empty, memory_order_acquire);

	if (!type) {
		type = hcl_tuple_type(NULL, 0);
		atomic_store_explicit(&empty, type, memory_order_release);
	}
	return type;
}

const struct hcl_type *hcl_empty_object(void)
{
	static _Atomic(const struct hcl_type *) empty;
	const struct hcl_type *type = atomic_load_explicit(&empty, memory_order_acquire);

	if (!type) {
		type = hcl_object_type(NULL, 0);
		atomic_store_explicit(&empty, type, memory_order_release);
	}
	return type;
}

int hcl_type_attribute(const struct hcl_type *object, const char *name, size_t len)
{
	uint32_t low = 0, high = object->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const char *candidate = object->attributes[middle].name;
		int order = candidate == name
				    ? 0
				    : zp_str_compare(zp_str(candidate), zp_strn(name, len));
		if (order == 0)
			return (int)middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return -1;
}

static const struct hcl_type *object_without_optional(const struct hcl_type *type)
{
	zp_autofree struct hcl_attribute_type *attributes =
		zp_reallocarray(NULL, type->count, sizeof(*attributes));

	for (uint32_t i = 0; i < type->count; i++)
		attributes[i] = (struct hcl_attribute_type){ type->attributes[i].name,
			hcl_type_without_optional(type->attributes[i].type), false };
	return hcl_object_type(attributes, type->count);
}

static const struct hcl_type *tuple_without_optional(const struct hcl_type *type)
{
	zp_autofree const struct hcl_type **elements =
		zp_reallocarray(NULL, type->count, sizeof(*elements));

	for (uint32_t i = 0; i < type->count; i++)
		elements[i] = hcl_type_without_optional(type->elements[i]);
	return hcl_tuple_type(elements, type->count);
}

const struct hcl_type *hcl_type_without_optional(const struct hcl_type *type)
{
	if (!type->has_optional)
		return type;
	_Atomic(const struct hcl_type *) *slot = &node_of(type)->plain;
	const struct hcl_type *plain = atomic_load_explicit(slot, memory_order_acquire);
	if (plain)
		return plain;
	if (hcl_type_is_collection(type))
		plain = collection(type->kind, hcl_type_without_optional(type->element));
	else if (type->kind == HCL_TUPLE)
		plain = tuple_without_optional(type);
	else
		plain = object_without_optional(type);
	atomic_store_explicit(slot, plain, memory_order_release);
	return plain;
}

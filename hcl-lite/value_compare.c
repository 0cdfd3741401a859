#include <stdlib.h>
#include <utf8proc.h>

#include "base/alloc.h"
#include "hcl-lite/number.h"
#include "hcl-lite/value_internal.h"

bool hcl_iterator_next(struct hcl_iterator *it)
{
	if (it->next >= it->of.count)
		return false;
	uint32_t at = it->next++;
	switch (it->of.type->kind) {
	case HCL_MAP: {
		const struct hcl_map_entry *entry = &it->of.entries[at];
		it->key = (struct hcl_value){ .type = hcl_string,
			.text = entry->key.ptr,
			.count = (uint32_t)entry->key.len };
		it->value = entry->value;
		break;
	}
	case HCL_OBJECT:
		it->key = hcl_string_static(it->of.type->attributes[at].name);
		it->value = it->of.elements[at];
		break;
	case HCL_SET:
		it->key = it->value = it->of.elements[at];
		break;
	default:
		it->key = hcl_int_value(at);
		it->value = it->of.elements[at];
	}
	return true;
}

bool hcl_rune_printable(uint32_t rune)
{
	if (rune < 0x80)
		return rune >= 0x20 && rune < 0x7f;
	switch (utf8proc_category((utf8proc_int32_t)rune)) {
	case UTF8PROC_CATEGORY_CN:
	case UTF8PROC_CATEGORY_ZS:
	case UTF8PROC_CATEGORY_ZL:
	case UTF8PROC_CATEGORY_ZP:
	case UTF8PROC_CATEGORY_CC:
	case UTF8PROC_CATEGORY_CF:
	case UTF8PROC_CATEGORY_CS:
	case UTF8PROC_CATEGORY_CO:
		return false;
	default:
		return true;
	}
}

static void quote_rune(struct zp_buf *out, uint32_t rune)
{
	static const char escapes[] = { ['\a'] = 'a',
		['\b'] = 'b',
		['\t'] = 't',
		['\n'] = 'n',
		['\v'] = 'v',
		['\f'] = 'f',
		['\r'] = 'r',
		['"'] = '"',
		['\\'] = '\\' };

	if (rune < sizeof(escapes) && escapes[rune]) {
		zp_buf_char(out, '\\');
		zp_buf_char(out, escapes[rune]);
	} else if (hcl_rune_printable(rune)) {
		zp_buf_rune(out, rune);
	} else if (rune < 0x80) {
		zp_buf_printf(out, "\\x%02x", rune);
	} else if (rune < 0x10000) {
		zp_buf_printf(out, "\\u%04x", rune);
	} else {
		zp_buf_printf(out, "\\U%08x", rune);
	}
}

void hcl_go_quote(struct zp_buf *out, struct zp_str text)
{
	zp_buf_char(out, '"');
	for (size_t i = 0; i < text.len;) {
		utf8proc_int32_t rune;
		utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)text.ptr + i,
			(utf8proc_ssize_t)(text.len - i), &rune);
		if (n > 0) {
			quote_rune(out, (uint32_t)rune);
			i += (size_t)n;
		} else {
			zp_buf_printf(out, "\\x%02x", (unsigned char)text.ptr[i++]);
		}
	}
	zp_buf_char(out, '"');
}

/*
 * Sets of anything but strings, numbers and bools are ordered by this text of their elements. Its
 * form is the peer's, as the order is visible.
 */
void hcl_value_order_text(struct hcl_value v, struct zp_buf *out)
{
	if (v.state != HCL_KNOWN) {
		zp_buf_char(out, v.state == HCL_UNKNOWN ? '?' : '~');
		return;
	}
	switch (v.type->kind) {
	case HCL_NUMBER:
		hcl_number_brief(v, 10, out);
		return;
	case HCL_BOOL:
		zp_buf_char(out, v.boolean ? 'T' : 'F');
		return;
	case HCL_STRING:
		hcl_go_quote(out, hcl_text(v));
		return;
	default:
		break;
	}
	enum hcl_kind kind = v.type->kind;
	zp_buf_char(out, kind == HCL_MAP ? '{' : kind == HCL_LIST || kind == HCL_SET ? '[' : '<');
	for (struct hcl_iterator it = hcl_iterate(v); hcl_iterator_next(&it);) {
		if (kind == HCL_MAP) {
			hcl_value_order_text(it.key, out);
			zp_buf_char(out, ':');
		}
		hcl_value_order_text(it.value, out);
		zp_buf_char(out, ';');
	}
	zp_buf_char(out, kind == HCL_MAP ? '}' : kind == HCL_LIST || kind == HCL_SET ? ']' : '>');
}

static int compare_text_order(struct hcl_value a, struct hcl_value b)
{
	zp_autobuf x = ZP_BUF_INIT, y = ZP_BUF_INIT;

	hcl_value_order_text(a, &x);
	hcl_value_order_text(b, &y);
	return zp_str_compare(zp_buf_slice(&x), zp_buf_slice(&y));
}

int hcl_value_set_order(struct hcl_value a, struct hcl_value b)
{
	static const int rank[] = { [HCL_KNOWN] = 0, [HCL_UNKNOWN] = 1, [HCL_NULL] = 2 };

	if (a.state != HCL_KNOWN || b.state != HCL_KNOWN)
		return rank[a.state] - rank[b.state];
	switch (a.type->kind) {
	case HCL_BOOL:
		return a.boolean - b.boolean;
	case HCL_NUMBER:
		return hcl_number_compare(a, b);
	case HCL_STRING:
		return zp_str_compare(hcl_text(a), hcl_text(b));
	default:
		return compare_text_order(a, b);
	}
}

/* The first element that differs, or whose sameness is unknown, decides. */
static enum hcl_state elements_equality(struct hcl_value a, struct hcl_value b, bool *equal)
{
	bool map = a.type->kind == HCL_MAP, same;

	*equal = false;
	for (uint32_t i = 0; i < a.count; i++) {
		if (map && !zp_str_equal(a.entries[i].key, b.entries[i].key))
			return HCL_KNOWN;
		enum hcl_state state =
			map ? hcl_value_equality(a.entries[i].value, b.entries[i].value, &same)
			    : hcl_value_equality(a.elements[i], b.elements[i], &same);
		if (state == HCL_UNKNOWN || !same)
			return state;
	}
	*equal = true;
	return HCL_KNOWN;
}

static bool known_not_null(struct hcl_value v)
{
	return v.state == HCL_KNOWN || (v.state == HCL_UNKNOWN && v.type->kind != HCL_DYNAMIC &&
					       v.refinement && v.refinement->not_null);
}

static bool outside_refinement(struct hcl_value unknown, struct hcl_value known)
{
	const struct hcl_refinement *r =
		unknown.type->kind == HCL_DYNAMIC ? NULL : unknown.refinement;

	if (!r || known.state != HCL_KNOWN || unknown.type != known.type)
		return false;
	if (known.type == hcl_string && r->prefix.len)
		return known.count < r->prefix.len ||
		       memcmp(known.text, r->prefix.ptr, r->prefix.len) != 0;
	if (known.type == hcl_number) {
		int low = r->has_min ? hcl_number_compare(known, *r->min) : 1;
		int high = r->has_max ? hcl_number_compare(known, *r->max) : -1;
		return low < 0 || (low == 0 && !r->min_inclusive) || high > 0 ||
		       (high == 0 && !r->max_inclusive);
	}
	if (hcl_type_is_collection(known.type) && hcl_is_wholly_known(known))
		return known.count < r->length_min || known.count > r->length_max;
	return false;
}

/*
 * Whether two known values of different types may turn out to be of one: where they differ, one of
 * them has a part of which not even the type is known.
 */
static bool may_become_same_type(struct hcl_value a, struct hcl_value b)
{
	bool open = (hcl_is_unknown(a) && a.type->kind == HCL_DYNAMIC) ||
		    (hcl_is_unknown(b) && b.type->kind == HCL_DYNAMIC);

	if (a.type == b.type || open)
		return true;
	if (a.state != HCL_KNOWN || b.state != HCL_KNOWN || a.type->kind != b.type->kind ||
		a.count != b.count || (a.type->kind != HCL_TUPLE && a.type->kind != HCL_OBJECT))
		return false;
	for (uint32_t i = 0; i < a.count; i++) {
		if (a.type->kind == HCL_OBJECT &&
			strcmp(a.type->attributes[i].name, b.type->attributes[i].name) != 0)
			return false;
		if (!may_become_same_type(a.elements[i], b.elements[i]))
			return false;
	}
	return true;
}

/* Whether a value of one type is what the other, which may be open in parts, asks for. */
static bool conforms(const struct hcl_type *given, const struct hcl_type *wanted)
{
	if (given == wanted || wanted->kind == HCL_DYNAMIC)
		return true;
	if (given->kind != wanted->kind || hcl_type_is_primitive(wanted))
		return false;
	if (hcl_type_is_collection(wanted))
		return conforms(given->element, wanted->element);
	if (given->count != wanted->count)
		return false;
	for (uint32_t i = 0; i < wanted->count; i++) {
		bool same = wanted->kind == HCL_TUPLE
				    ? conforms(given->elements[i], wanted->elements[i])
				    : given->attributes[i].name == wanted->attributes[i].name &&
					      conforms(given->attributes[i].type,
						      wanted->attributes[i].type);
		if (!same)
			return false;
	}
	return true;
}

/* A known value with a part of which not even the type is known. */
static bool has_open_part(struct hcl_value v)
{
	if (!v.type->has_dynamic || !(v.inside & HCL_HAS_UNKNOWN))
		return false;
	if (v.state != HCL_KNOWN)
		return v.type->kind == HCL_DYNAMIC;
	bool map = v.type->kind == HCL_MAP;
	for (uint32_t i = 0; i < v.count; i++)
		if (has_open_part(map ? v.entries[i].value : v.elements[i]))
			return true;
	return false;
}

static enum hcl_state unknown_equality(struct hcl_value a, struct hcl_value b)
{
	if (outside_refinement(a, b) || outside_refinement(b, a))
		return HCL_KNOWN;
	if ((a.state == HCL_KNOWN && !conforms(a.type, b.type)) ||
		(b.state == HCL_KNOWN && !conforms(b.type, a.type)))
		return HCL_KNOWN;
	return HCL_UNKNOWN;
}

enum hcl_state hcl_value_equality(struct hcl_value a, struct hcl_value b, bool *equal)
{
	*equal = false;
	if (a.state == HCL_NULL && b.state == HCL_NULL) {
		*equal = true;
		return HCL_KNOWN;
	}
	if ((a.state == HCL_NULL && known_not_null(b)) ||
		(b.state == HCL_NULL && known_not_null(a)))
		return HCL_KNOWN;
	if (a.state == HCL_UNKNOWN || b.state == HCL_UNKNOWN)
		return unknown_equality(a, b);
	if (a.type != b.type)
		return may_become_same_type(a, b) ? HCL_UNKNOWN : HCL_KNOWN;
	if (has_open_part(a) || has_open_part(b))
		return HCL_UNKNOWN;
	switch (a.type->kind) {
	case HCL_BOOL:
		*equal = a.boolean == b.boolean;
		return HCL_KNOWN;
	case HCL_NUMBER:
		*equal = hcl_number_compare(a, b) == 0;
		return HCL_KNOWN;
	case HCL_STRING:
		*equal = a.count == b.count && memcmp(a.text, b.text, a.count) == 0;
		return HCL_KNOWN;
	case HCL_SET:
		if (!hcl_is_wholly_known(a) || !hcl_is_wholly_known(b))
			return HCL_UNKNOWN;
		break;
	default:
		break;
	}
	if (a.count != b.count)
		return HCL_KNOWN;
	return elements_equality(a, b, equal);
}

static bool same_refinement(const struct hcl_refinement *a, const struct hcl_refinement *b)
{
	static const struct hcl_refinement none = { .length_max = UINT32_MAX };

	a = a ? a : &none;
	b = b ? b : &none;
	return a == b || (a->not_null == b->not_null && zp_str_equal(a->prefix, b->prefix) &&
				 a->length_min == b->length_min && a->length_max == b->length_max);
}

bool hcl_value_identical(struct hcl_value a, struct hcl_value b)
{
	if (a.type != b.type || a.state != b.state || a.marks != b.marks || a.inside != b.inside)
		return false;
	if (a.state == HCL_NULL)
		return true;
	if (a.state == HCL_UNKNOWN)
		return a.type->kind == HCL_DYNAMIC || same_refinement(a.refinement, b.refinement);
	switch (a.type->kind) {
	case HCL_BOOL:
		return a.boolean == b.boolean;
	case HCL_NUMBER:
		return hcl_number_compare(a, b) == 0;
	case HCL_STRING:
		return a.count == b.count && memcmp(a.text, b.text, a.count) == 0;
	default:
		break;
	}
	if (a.count != b.count)
		return false;
	if (a.elements == b.elements)
		return true;
	for (uint32_t i = 0; i < a.count; i++) {
		if (a.type->kind != HCL_MAP) {
			if (!hcl_value_identical(a.elements[i], b.elements[i]))
				return false;
		} else if (!zp_str_equal(a.entries[i].key, b.entries[i].key) ||
			   !hcl_value_identical(a.entries[i].value, b.entries[i].value)) {
			return false;
		}
	}
	return true;
}

static uint64_t combine(uint64_t hash, uint64_t value)
{
	return (hash ^ value) * 0x9e3779b97f4a7c15u + (hash << 7 | hash >> 57);
}

/* Equal numbers may be held in two forms. */
static uint64_t number_hash(struct hcl_value v)
{
	int64_t i;

	if (hcl_number_to_int(v, &i))
		return combine(3, (uint64_t)i);
	double d = hcl_number_to_double(v);
	uint64_t bits;
	memcpy(&bits, &d, sizeof(bits));
	return combine(5, bits);
}

uint64_t hcl_value_hash(struct hcl_value v)
{
	if (v.state != HCL_KNOWN)
		return combine(17, v.state);
	uint64_t hash = combine(23, v.type->kind);
	switch (v.type->kind) {
	case HCL_BOOL:
		return combine(hash, v.boolean);
	case HCL_NUMBER:
		return combine(hash, number_hash(v));
	case HCL_STRING:
		return combine(hash, zp_str_hash(hcl_text(v)));
	case HCL_MAP:
		for (uint32_t i = 0; i < v.count; i++) {
			hash = combine(hash, zp_str_hash(v.entries[i].key));
			hash = combine(hash, hcl_value_hash(v.entries[i].value));
		}
		return hash;
	default:
		for (uint32_t i = 0; i < v.count; i++)
			hash = combine(hash, hcl_value_hash(v.elements[i]));
		return hash;
	}
}

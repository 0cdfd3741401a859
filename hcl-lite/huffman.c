#include "hcl-lite/huffman.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LEN 15
#define NONE UINT32_MAX

struct leaf {
	uint32_t frequency;
	uint16_t symbol;
};

/*
 * The boundary package-merge algorithm (Katajainen, Moffat, Turpin): rows of items, one for each
 * bit of length, where an item is a symbol or a pair of items of the row below. Only the two newest
 * items of each row are looked at, and how many symbols are left of each.
 */
struct row {
	uint32_t last;		      /* weight of the newest item */
	uint32_t next_leaf;	      /* weight of the next symbol */
	uint32_t next_pair;	      /* weight of the next pair of the row below */
	uint32_t needed;	      /* items still to be made */
	uint32_t leaves[MAX_LEN + 1]; /* symbols used, here and in each row below */
};

static int by_frequency(const void *a, const void *b)
{
	const struct leaf *x = a, *y = b;

	if (x->frequency != y->frequency)
		return x->frequency < y->frequency ? -1 : 1;
	return x->symbol - y->symbol;
}

static int by_symbol(const void *a, const void *b)
{
	return ((const struct leaf *)a)->symbol - ((const struct leaf *)b)->symbol;
}

static void start_rows(struct row *rows, const struct leaf *leaves, unsigned max_len)
{
	for (unsigned i = 1; i <= max_len; i++) {
		rows[i].last = leaves[1].frequency;
		rows[i].next_leaf = leaves[2].frequency;
		rows[i].next_pair = i == 1 ? NONE : leaves[0].frequency + leaves[1].frequency;
		rows[i].leaves[i] = 2;
	}
}

/* One more item in a row. */
static void add_item(struct row *rows, unsigned at, const struct leaf *leaves)
{
	struct row *row = &rows[at];

	if (row->next_leaf < row->next_pair) {
		row->last = row->next_leaf;
		row->next_leaf = leaves[++row->leaves[at]].frequency;
		return;
	}
	row->last = row->next_pair;
	memcpy(row->leaves, rows[at - 1].leaves, at * sizeof(row->leaves[0]));
	rows[at - 1].needed = 2;
}

static void merge(struct row *rows, const struct leaf *leaves, unsigned count, unsigned max_len)
{
	unsigned at = max_len;

	rows[max_len].needed = 2 * count - 4;
	for (;;) {
		struct row *row = &rows[at];
		if (row->next_pair == NONE && row->next_leaf == NONE) {
			row->needed = 0;
			rows[++at].next_pair = NONE;
			continue;
		}
		uint32_t previous = row->last;
		add_item(rows, at, leaves);
		if (--row->needed) {
			while (rows[at - 1].needed)
				at--;
			continue;
		}
		if (at == max_len)
			return;
		rows[++at].next_pair = previous + row->last;
	}
}

uint16_t hcl_reverse_bits(uint16_t bits, unsigned len)
{
	uint16_t reversed = 0;

	for (unsigned i = 0; i < len; i++)
		reversed = (uint16_t)(reversed << 1 | (bits >> i & 1));
	return reversed;
}

/* The most frequent symbols get the shortest codes; those of one length go by their number. */
static void assign(struct leaf *leaves, unsigned count, const struct row *top, unsigned max_len,
	struct hcl_code *codes)
{
	uint16_t code = 0;

	for (unsigned len = 1; len <= max_len; len++) {
		unsigned level = max_len + 1 - len;
		unsigned n = top->leaves[level] - top->leaves[level - 1];
		struct leaf *chunk = leaves + count - n;
		code = (uint16_t)(code << 1);
		if (n)
			qsort(chunk, n, sizeof(*chunk), by_symbol);
		for (unsigned i = 0; i < n; i++, code++)
			codes[chunk[i].symbol] =
				(struct hcl_code){ hcl_reverse_bits(code, len), (uint16_t)len };
		count -= n;
	}
}

void hcl_huffman_codes(
	const uint32_t *frequencies, size_t symbols, unsigned max_len, struct hcl_code *codes)
{
	struct leaf leaves[HCL_MAX_SYMBOLS + 1];
	struct row rows[MAX_LEN + 2] = { 0 };
	unsigned count = 0;

	for (size_t i = 0; i < symbols; i++) {
		codes[i] = (struct hcl_code){ 0, 0 };
		if (frequencies[i])
			leaves[count++] = (struct leaf){ frequencies[i], (uint16_t)i };
	}
	if (count <= 2) {
		for (unsigned i = 0; i < count; i++)
			codes[leaves[i].symbol] = (struct hcl_code){ (uint16_t)i, 1 };
		return;
	}
	qsort(leaves, count, sizeof(*leaves), by_frequency);
	leaves[count] = (struct leaf){ NONE, UINT16_MAX };
	if (max_len > count - 1)
		max_len = count - 1;
	start_rows(rows, leaves, max_len);
	merge(rows, leaves, count, max_len);
	assign(leaves, count, &rows[max_len], max_len, codes);
}

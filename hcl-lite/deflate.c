#include "hcl-lite/deflate.h"

#include "base/alloc.h"
#include "hcl-lite/huffman.h"

#define WINDOW 32768
#define MIN_MATCH 4 /* shorter ones are not worth it */
#define MAX_MATCH 258
#define HASH_BITS 17
#define MAX_TOKENS (1 << 14) /* of a block */
#define MAX_STORED 65535
/* How hard to search: a match this long ends the search; one this long makes it shorter; and so on.
 */
#define GOOD_MATCH 8
#define LAZY_MATCH 16
#define NICE_MATCH 128
#define MAX_CHAIN 128

#define END_OF_BLOCK 256
#define LITERALS 286
#define OFFSETS 30
#define CODEGENS 19

/* A byte, or with length a match. */
struct token {
	uint16_t length; /* 0: a literal */
	uint16_t value;	 /* the literal, or the offset less one */
};

struct deflater {
	struct zp_str data;
	struct zp_buf *out;
	uint64_t bits; /* not written yet, the next one lowest */
	unsigned bit_count;
	uint32_t *heads;    /* newest place of each hash, plus one */
	uint32_t *previous; /* the one before each place, plus one */
	struct token tokens[MAX_TOKENS];
	size_t token_count, block_start;
	uint32_t literal_count[LITERALS], offset_count[OFFSETS], codegen_count[CODEGENS];
	struct hcl_code literals[LITERALS], offsets[OFFSETS], codegens[CODEGENS];
	uint8_t codegen[LITERALS + OFFSETS + 1]; /* lengths of codes, run-length encoded */
	size_t codegen_len;
};

static const uint8_t length_extra[] = { 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3,
	4, 4, 4, 4, 5, 5, 5, 5, 0 };
static const uint16_t length_base[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32,
	40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 255 };
static const uint8_t offset_extra[] = { 0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8,
	9, 9, 10, 10, 11, 11, 12, 12, 13, 13 };
static const uint16_t offset_base[] = { 0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192,
	256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192, 12288, 16384, 24576 };
static const uint8_t codegen_order[] = { 16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14,
	1, 15 };

static unsigned class_of(const uint16_t *bases, size_t count, unsigned value)
{
	size_t i = count - 1;

	while (bases[i] > value)
		i--;
	return (unsigned)i;
}

static void put_bits(struct deflater *d, uint32_t bits, unsigned count)
{
	d->bits |= (uint64_t)bits << d->bit_count;
	for (d->bit_count += count; d->bit_count >= 8; d->bit_count -= 8, d->bits >>= 8)
		zp_buf_char(d->out, (char)d->bits);
}

static void put_code(struct deflater *d, struct hcl_code code)
{
	put_bits(d, code.bits, code.len);
}

static void align(struct deflater *d)
{
	if (d->bit_count)
		put_bits(d, 0, 8 - d->bit_count);
}

static void put_stored(struct deflater *d, struct zp_str data)
{
	put_bits(d, 0, 3);
	align(d);
	put_bits(d, (uint32_t)data.len, 16);
	put_bits(d, ~(uint32_t)data.len & 0xffff, 16);
	zp_buf_str(d->out, data);
}

static void fixed_codes(struct hcl_code *literals, struct hcl_code *offsets)
{
	for (unsigned i = 0; i < LITERALS; i++) {
		unsigned len = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
		unsigned code = i < 144	  ? i + 48
				: i < 256 ? i + 400 - 144
				: i < 280 ? i - 256
					  : i + 192 - 280;
		literals[i] =
			(struct hcl_code){ hcl_reverse_bits((uint16_t)code, len), (uint16_t)len };
	}
	for (unsigned i = 0; i < OFFSETS; i++)
		offsets[i] = (struct hcl_code){ hcl_reverse_bits((uint16_t)i, 5), 5 };
}

static size_t cost(const struct hcl_code *codes, const uint32_t *counts, size_t n)
{
	size_t bits = 0;

	for (size_t i = 0; i < n; i++)
		bits += (size_t)codes[i].len * counts[i];
	return bits;
}

static void count_tokens(struct deflater *d, size_t *literals, size_t *offsets)
{
	memset(d->literal_count, 0, sizeof(d->literal_count));
	memset(d->offset_count, 0, sizeof(d->offset_count));
	for (size_t i = 0; i < d->token_count; i++) {
		const struct token *t = &d->tokens[i];
		if (!t->length) {
			d->literal_count[t->value]++;
			continue;
		}
		d->literal_count[257 + class_of(length_base, ZP_ARRAY_SIZE(length_base),
					       t->length - 3u)]++;
		d->offset_count[class_of(offset_base, ZP_ARRAY_SIZE(offset_base), t->value)]++;
	}
	d->literal_count[END_OF_BLOCK]++;
	for (*literals = LITERALS; !d->literal_count[*literals - 1];)
		--*literals;
	for (*offsets = OFFSETS; *offsets && !d->offset_count[*offsets - 1];)
		--*offsets;
	if (*offsets == 0) {
		/* A dynamic block must have one. */
		d->offset_count[0] = 1;
		*offsets = 1;
	}
}

static void add_codegen(struct deflater *d, uint8_t symbol)
{
	d->codegen[d->codegen_len++] = symbol;
	d->codegen_count[symbol]++;
}

static void add_run(struct deflater *d, uint8_t symbol, unsigned extra)
{
	add_codegen(d, symbol);
	d->codegen[d->codegen_len++] = (uint8_t)extra;
}

/* count times the same length of a code. */
static void encode_run(struct deflater *d, uint8_t len, unsigned count)
{
	if (len) {
		add_codegen(d, len);
		for (count--; count >= 3;) {
			unsigned n = count < 6 ? count : 6;
			add_run(d, 16, n - 3);
			count -= n;
		}
	} else {
		while (count >= 11) {
			unsigned n = count < 138 ? count : 138;
			add_run(d, 18, n - 11);
			count -= n;
		}
		if (count >= 3) {
			add_run(d, 17, count - 3);
			count = 0;
		}
	}
	for (; count; count--)
		add_codegen(d, len);
}

static void encode_lengths(struct deflater *d, size_t literals, size_t offsets)
{
	size_t n = literals + offsets;
	uint8_t lengths[LITERALS + OFFSETS];

	for (size_t i = 0; i < n; i++)
		lengths[i] =
			(uint8_t)(i < literals ? d->literals[i].len : d->offsets[i - literals].len);
	d->codegen_len = 0;
	memset(d->codegen_count, 0, sizeof(d->codegen_count));
	for (size_t start = 0, end; start < n; start = end) {
		for (end = start + 1; end < n && lengths[end] == lengths[start];)
			end++;
		encode_run(d, lengths[start], (unsigned)(end - start));
	}
	hcl_huffman_codes(d->codegen_count, CODEGENS, 7, d->codegens);
}

static size_t used_codegens(const struct deflater *d)
{
	size_t n = CODEGENS;

	while (n > 4 && !d->codegen_count[codegen_order[n - 1]])
		n--;
	return n;
}

static void put_dynamic_header(struct deflater *d, size_t literals, size_t offsets)
{
	size_t used = used_codegens(d);

	put_bits(d, 4, 3);
	put_bits(d, (uint32_t)literals - 257, 5);
	put_bits(d, (uint32_t)offsets - 1, 5);
	put_bits(d, (uint32_t)used - 4, 4);
	for (size_t i = 0; i < used; i++)
		put_bits(d, d->codegens[codegen_order[i]].len, 3);
	for (size_t i = 0; i < d->codegen_len; i++) {
		uint8_t symbol = d->codegen[i];
		put_code(d, d->codegens[symbol]);
		if (symbol >= 16)
			put_bits(d, d->codegen[++i], symbol == 16 ? 2 : symbol == 17 ? 3 : 7);
	}
}

static void put_tokens(
	struct deflater *d, const struct hcl_code *literals, const struct hcl_code *offsets)
{
	for (size_t i = 0; i < d->token_count; i++) {
		const struct token *t = &d->tokens[i];
		if (!t->length) {
			put_code(d, literals[t->value]);
			continue;
		}
		unsigned length = t->length - 3u;
		unsigned c = class_of(length_base, ZP_ARRAY_SIZE(length_base), length);
		put_code(d, literals[257 + c]);
		put_bits(d, length - length_base[c], length_extra[c]);
		c = class_of(offset_base, ZP_ARRAY_SIZE(offset_base), t->value);
		put_code(d, offsets[c]);
		put_bits(d, (uint32_t)t->value - offset_base[c], offset_extra[c]);
	}
	put_code(d, literals[END_OF_BLOCK]);
}

static size_t extra_bits(const struct deflater *d)
{
	size_t bits = 0;

	for (size_t i = 0; i < ZP_ARRAY_SIZE(length_extra); i++)
		bits += (size_t)d->literal_count[257 + i] * length_extra[i];
	for (size_t i = 0; i < OFFSETS; i++)
		bits += (size_t)d->offset_count[i] * offset_extra[i];
	return bits;
}

/* The tokens up to `end` in whichever way is the shortest. */
static void end_block(struct deflater *d, size_t end)
{
	struct hcl_code fixed_literals[LITERALS], fixed_offsets[OFFSETS];
	struct zp_str input = { d->data.ptr + d->block_start, end - d->block_start };
	size_t literals, offsets;

	d->block_start = end;
	count_tokens(d, &literals, &offsets);
	hcl_huffman_codes(d->literal_count, LITERALS, 15, d->literals);
	hcl_huffman_codes(d->offset_count, OFFSETS, 15, d->offsets);
	fixed_codes(fixed_literals, fixed_offsets);
	encode_lengths(d, literals, offsets);

	bool storable = input.len <= MAX_STORED;
	size_t extra = storable ? extra_bits(d) : 0;
	size_t fixed = 3 + cost(fixed_literals, d->literal_count, LITERALS) +
		       cost(fixed_offsets, d->offset_count, OFFSETS) + extra;
	size_t dynamic = 3 + 5 + 5 + 4 + 3 * used_codegens(d) +
			 cost(d->codegens, d->codegen_count, CODEGENS) + d->codegen_count[16] * 2 +
			 d->codegen_count[17] * 3 + d->codegen_count[18] * 7 +
			 cost(d->literals, d->literal_count, LITERALS) +
			 cost(d->offsets, d->offset_count, OFFSETS) + extra;
	size_t best = dynamic < fixed ? dynamic : fixed;
	if (storable && (input.len + 5) * 8 < best) {
		put_stored(d, input);
	} else if (dynamic < fixed) {
		put_dynamic_header(d, literals, offsets);
		put_tokens(d, d->literals, d->offsets);
	} else {
		put_bits(d, 2, 3);
		put_tokens(d, fixed_literals, fixed_offsets);
	}
	d->token_count = 0;
}

static void add_token(struct deflater *d, unsigned length, unsigned value, size_t end)
{
	d->tokens[d->token_count++] = (struct token){ (uint16_t)length, (uint16_t)value };
	if (d->token_count == MAX_TOKENS)
		end_block(d, end);
}

/* Remembers the place; gives the last one of the same four bytes, or one of the same hash, plus
 * one. */
static uint32_t insert(struct deflater *d, size_t at)
{
	const unsigned char *b = (const unsigned char *)d->data.ptr + at;
	uint32_t word = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
	uint32_t *head = &d->heads[word * 0x1e35a7bdu >> (32 - HASH_BITS)];
	uint32_t before = *head;

	d->previous[at % WINDOW] = before;
	*head = (uint32_t)at + 1;
	return before;
}

struct match {
	size_t length, offset;
};

static size_t common_length(const char *a, const char *b, size_t limit)
{
	size_t n = 0;

	while (n < limit && a[n] == b[n])
		n++;
	return n;
}

/* The longest match of at least four bytes that is found with reasonable effort. */
static struct match find_match(struct deflater *d, size_t at, uint32_t first)
{
	size_t left = d->data.len - at, limit = left < MAX_MATCH ? left : MAX_MATCH;
	size_t nice = limit < NICE_MATCH ? limit : NICE_MATCH;
	struct match best = { MIN_MATCH - 1, 0 };
	const char *text = d->data.ptr;

	if (limit <= best.length)
		return best;
	for (int tries = MAX_CHAIN; tries > 0 && first; tries--) {
		size_t place = first - 1;
		if (at - place > WINDOW)
			break;
		if (text[at + best.length] == text[place + best.length]) {
			size_t n = common_length(text + place, text + at, limit);
			if (n > best.length && (n > MIN_MATCH || at - place <= 4096)) {
				best = (struct match){ n, at - place };
				if (n >= nice)
					break;
			}
		}
		if (at - place == WINDOW)
			break;
		first = d->previous[place % WINDOW];
	}
	return best;
}

/* A match is taken only when the one that starts a byte later is no better. */
static void compress(struct deflater *d)
{
	size_t last_insert = d->data.len < MIN_MATCH ? 0 : d->data.len - MIN_MATCH + 1;
	struct match now = { MIN_MATCH - 1, 0 };
	bool pending = false; /* the byte before is not out yet */
	uint32_t chain = 0;
	size_t at = 0;

	while (at < d->data.len) {
		struct match before = now;
		if (at < last_insert)
			chain = insert(d, at);
		now = (struct match){ MIN_MATCH - 1, 0 };
		bool reachable = chain && (at < WINDOW || chain - 1 >= at - WINDOW);
		if (reachable && d->data.len - at > before.length && before.length < LAZY_MATCH)
			now = find_match(d, at, chain);
		if (before.length >= MIN_MATCH && now.length <= before.length) {
			size_t end = at + before.length - 1;
			for (at++; at < end; at++)
				if (at < last_insert)
					insert(d, at);
			pending = false;
			now.length = MIN_MATCH - 1;
			add_token(d, (unsigned)before.length, (unsigned)before.offset - 1, at);
		} else {
			if (pending)
				add_token(d, 0, (unsigned char)d->data.ptr[at - 1], at);
			at++;
			pending = true;
		}
	}
	if (pending)
		d->tokens[d->token_count++] =
			(struct token){ 0, (unsigned char)d->data.ptr[at - 1] };
	if (d->token_count)
		end_block(d, at);
}

void hcl_deflate_flushed(struct zp_str data, struct zp_buf *out)
{
	zp_autofree struct deflater *d = zp_calloc(1, sizeof(*d));
	zp_autofree uint32_t *heads = zp_calloc((size_t)1 << HASH_BITS, sizeof(*heads));
	zp_autofree uint32_t *previous = zp_calloc(WINDOW, sizeof(*previous));

	d->data = data;
	d->out = out;
	d->heads = heads;
	d->previous = previous;
	compress(d);
	put_stored(d, ZP_STR(""));
}

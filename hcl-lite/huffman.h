/*
 * Huffman codes of limited length. Internal to deflate.
 */
#ifndef HCL_HUFFMAN_H
#define HCL_HUFFMAN_H

#include <stddef.h>
#include <stdint.h>

struct hcl_code {
	uint16_t bits; /* in the order they are written */
	uint16_t len;  /* 0: the symbol does not occur */
};

#define HCL_MAX_SYMBOLS 286

/* The codes for symbols that occur so often, none longer than max_len (at most 15). */
void hcl_huffman_codes(
	const uint32_t *frequencies, size_t count, unsigned max_len, struct hcl_code *codes);
uint16_t hcl_reverse_bits(uint16_t bits, unsigned len);

#endif

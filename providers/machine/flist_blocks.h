/*
 * Blocks of flists: where they are stored, and from what is stored there to what files hold.
 *
 * A stored block is found by its id, the BLAKE2b-256 of what is stored, and opened with its key,
 * the BLAKE2b-256 of what it holds: both are checked. It is AES-256-GCM (nonce: the key's first 12
 * bytes, tag at the end) over raw snappy.
 *
 *	provider_blocks_init(&blocks, cache, local);
 *	provider_blocks_route(&blocks, 0, 255, "https://blocks.example.org/store");
 *	fetcher = provider_fetcher_new();                      one per thread
 *	rc = provider_block_get(&blocks, fetcher, &block, data, &len, err);
 */
#ifndef PROVIDER_MACHINE_FLIST_BLOCKS_H
#define PROVIDER_MACHINE_FLIST_BLOCKS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/vec.h"

#define PROVIDER_BLOCK_BYTES (512 * 1024)

struct provider_block {
	uint8_t id[32], key[32];
};

/* Blocks whose id's first byte is in [first, last] are at the URL: dir://, http:// or https://. */
struct provider_route {
	uint8_t first, last;
	char *url;
	_Atomic bool
		flat; /* the last block was at <url>/<id>, not at <url>/<its 2 first digits>/<id> */
};

struct provider_blocks {
	char *folder; /* what was fetched is kept here for a while, as it was stored */
	bool local;   /* dir:// is allowed: a folder of the node */
	ZP_VEC(, struct provider_route) routes;
};

struct provider_fetcher;

/* cache: the node's cache; the blocks get a folder in it. */
int provider_blocks_init(
	struct provider_blocks *blocks, const char *cache, bool local, struct zp_error *err);
void provider_blocks_release(struct provider_blocks *blocks);
void provider_blocks_route(
	struct provider_blocks *blocks, uint8_t first, uint8_t last, const char *url);

struct provider_fetcher *provider_fetcher_new(void);
void provider_fetcher_free(struct provider_fetcher *fetcher);

/* What the block holds into data, which has room for PROVIDER_BLOCK_BYTES. */
int provider_block_get(struct provider_blocks *blocks, struct provider_fetcher *fetcher,
	const struct provider_block *block, char *data, size_t *len, struct zp_error *err);

#endif

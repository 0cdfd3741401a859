/*
 * A folder's identity: a hash over all that is in it, so that equal content is stored once.
 */
#ifndef PROVIDER_MACHINE_TREE_HASH_H
#define PROVIDER_MACHINE_TREE_HASH_H

#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

#define PROVIDER_HASH_TEXT 65 /* SHA-256 in hexadecimal and its end */

struct provider_tree {
	char hash[PROVIDER_HASH_TEXT];
	int64_t bytes;	 /* of file content, in whole blocks of 4 KiB */
	int64_t entries; /* files, folders, links, devices */
};

/* Names, kinds, modes, owners, times, link targets and content. Links are not followed. */
int provider_tree_hash(const char *path, struct provider_tree *out, struct zp_error *err);
/* SHA-256 (bits 256) or MD5 (128) of a file's content. */
int provider_file_hash(
	const char *path, int bits, char out[PROVIDER_HASH_TEXT], struct zp_error *err);
/* SHA-256 of text. */
void provider_text_hash(struct zp_str text, char out[PROVIDER_HASH_TEXT]);

#endif

/*
 * What a file of content is, told by its first bytes, and whether it is whole as far as these tell.
 */
#ifndef PROVIDER_MACHINE_CONTENT_KIND_H
#define PROVIDER_MACHINE_CONTENT_KIND_H

#include <stdint.h>

#include "base/error.h"

enum provider_content_kind {
	PROVIDER_CONTENT_TAR, /* plain, or compressed by gzip, bzip2, xz or zstd */
	PROVIDER_CONTENT_SQUASHFS,
	PROVIDER_CONTENT_FLIST, /* a database of metadata, its blocks elsewhere */
	PROVIDER_CONTENT_EXT4,	/* a file system by itself */
	PROVIDER_CONTENT_RAW,	/* a disk with a partition table */
	PROVIDER_CONTENT_QCOW2,
};

/*
 * name: what the file was called, whose ending counts where the bytes say nothing. -1 with err when
 * it is nothing a machine can be made of, cut off, or a disk that refers to other files.
 */
int provider_content_kind(
	const char *path, const char *name, enum provider_content_kind *kind, struct zp_error *err);

/* Bytes of the file system or disk in a file of the kinds EXT4, RAW and QCOW2. */
int64_t provider_content_disk_size(const char *path, enum provider_content_kind kind);

/* 0 when the disk (raw) begins with code for the firmware to run. */
int provider_content_check_boot(const char *path, struct zp_error *err);

#endif

/*
 * Disks as files: one sparse raw image per `zmount` workload, an ext4 file system from its start to
 * its end, so that a machine can mount it without having tools of its own.
 */
#ifndef PROVIDER_DISK_VOLUME_H
#define PROVIDER_DISK_VOLUME_H

#include "node/context.h"

#define PROVIDER_VOLUME_MIN (INT64_C(16) << 20)
#define PROVIDER_VOLUME_MAX (INT64_C(15) << 40) /* ext4's own end with its blocks is 16 TiB */

/* Its name: the result's volume_id, and the serial by which machines know the disk. */
void provider_volume_name(struct node_context *node, const char *id, char out[16]);
/* Heap string, or NULL with err. The file need not be there. */
char *provider_volume_path(struct node_context *node, const char *id, struct zp_error *err);

/* Id of a machine, other than the one named (may be NULL), that has the disk; heap, or NULL. */
char *provider_volume_user(struct node_context *node, const char *id, const char *but);

/* Size in bytes; -1 when there is no file. */
int64_t provider_volume_size(const char *path);
/* Makes the image and its file system; a crash in between leaves nothing. */
int provider_volume_create(const char *path, int64_t size, struct zp_error *err);
/* The file only: whoever has it mounted lets the file system follow. */
int provider_volume_grow(const char *path, int64_t size, struct zp_error *err);

#endif

/*
 * Files and folders. Paths are NUL-terminated. Everything opened is close-on-exec.
 */
#ifndef ZP_BASE_FILE_H
#define ZP_BASE_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/str.h"

/* Reads the whole file, at most limit bytes (more is an error). Appends to out. */
int zp_file_read(const char *path, size_t limit, struct zp_buf *out, struct zp_error *err);
/*
 * Replaces path with data so that a reader, or a crash, sees the old or the new content whole:
 * temporary file in the same folder, fsync, rename, fsync of the folder.
 */
int zp_file_write_atomic(const char *path, struct zp_str data, mode_t mode, struct zp_error *err);
/* write(2) until all is written. */
int zp_write_all(int fd, const void *data, size_t len, struct zp_error *err);
/* fsync of the folder that holds path. */
int zp_file_sync_parent(const char *path, struct zp_error *err);
bool zp_file_exists(const char *path);
bool zp_is_directory(const char *path);
/* Makes the folder and its missing parents. An existing folder is fine. */
int zp_mkdirs(const char *path, mode_t mode, struct zp_error *err);
/* Removes a file, link or folder with all it holds, never following links or crossing mounts. */
int zp_remove_tree(const char *path, struct zp_error *err);
/* "dir/name" on the heap; just name when dir is "" or ".", or name is absolute. */
char *zp_path_join(const char *dir, const char *name);

#endif

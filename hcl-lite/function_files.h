/*
 * Files as functions see them. Internal to the functions.
 */
#ifndef HCL_FUNCTION_FILES_H
#define HCL_FUNCTION_FILES_H

#include "hcl-lite/function.h"

/* Larger files are refused. */
#define HCL_MAX_FILE (64u << 20)

/* The file named by the first argument, ~ expanded, relative to the module's folder. */
bool hcl_call_read_file(struct hcl_call *call, struct zp_buf *out);
/* The same for digests, which say less when there is none. */
bool hcl_call_read_raw(struct hcl_call *call, struct zp_buf *out);
/* The same, which must be text. */
bool hcl_call_read_text(struct hcl_call *call, struct zp_buf *out);
/* The path with ~ expanded, made absolute where `base` is not "", and cleaned; heap, NULL on failure. */
char *hcl_call_path(struct hcl_call *call, struct zp_str path, const char *base);
/* As Go's filepath.Clean: no doubled slashes, ".", or "..", where that can be seen from the text. */
char *hcl_clean_path(struct zp_str path);
/* Files that match a pattern of *, ?, [...], {...} and **, in no order: calls fn with each path. */
bool hcl_glob(const char *pattern, void (*fn)(void *data, const char *path), void *data,
	const char **problem);

#endif

/*
 * Regular expressions of the peer's syntax (RE2) on top of PCRE2: the pattern is read, refused where
 * RE2 refuses it, and written anew so that PCRE2 understands by it what RE2 does.
 */
#ifndef HCL_REGEX_H
#define HCL_REGEX_H

#include "base/arena.h"

struct hcl_regex;

/*
 * NULL when the pattern is invalid; code and expr then say what is wrong and with which part of it,
 * as in "missing closing ]" and "[a". Freed with hcl_regex_free.
 */
struct hcl_regex *hcl_regex_new(struct zp_str pattern, const char **code, struct zp_buf *expr);
void hcl_regex_free(struct hcl_regex *regex);

/* Groups in parentheses, and their names, NULL where they have none. */
size_t hcl_regex_group_count(const struct hcl_regex *regex);
const char *hcl_regex_group_name(const struct hcl_regex *regex, size_t group);

enum hcl_match { HCL_MATCH, HCL_NO_MATCH, HCL_MATCH_TOO_COMPLEX };

/*
 * Finds the first match at or after `from`. spans gets start and end of the match and of each group,
 * 2 * (groups + 1) offsets; SIZE_MAX where a group took no part.
 */
enum hcl_match hcl_regex_find(const struct hcl_regex *regex, struct zp_str text, size_t from,
	size_t *spans);

#endif

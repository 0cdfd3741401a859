#include "base/version.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "base/str.h"

struct version {
	uint32_t parts[3];
	int given; /* how many of them were written */
	struct zp_str prerelease;
};

static bool read_number(const char **p, uint32_t *number)
{
	uint64_t value = 0;

	if (!isdigit((unsigned char)**p))
		return false;
	for (; isdigit((unsigned char)**p); (*p)++) {
		value = value * 10 + (uint64_t)(**p - '0');
		if (value > UINT32_MAX)
			return false;
	}
	*number = (uint32_t)value;
	return true;
}

static bool is_suffix(char c)
{
	return isalnum((unsigned char)c) || c == '.' || c == '-';
}

/* Leaves *p after it. */
static bool read_version(const char **p, struct version *version)
{
	*version = (struct version){ 0 };
	if (**p == 'v')
		(*p)++;
	do {
		if (version->given == 3 || !read_number(p, &version->parts[version->given++]))
			return false;
	} while (**p == '.' && (*p)++);
	if (**p == '-') {
		const char *start = ++*p;
		while (is_suffix(**p))
			(*p)++;
		version->prerelease = zp_strn(start, (size_t)(*p - start));
		if (!version->prerelease.len)
			return false;
	}
	if (**p == '+') /* of the build: says nothing of the order */
		for ((*p)++; is_suffix(**p);)
			(*p)++;
	return true;
}

/* The next identifier of a pre-release. */
static struct zp_str next_identifier(struct zp_str *rest)
{
	size_t length = 0;

	while (length < rest->len && rest->ptr[length] != '.')
		length++;
	struct zp_str identifier = zp_strn(rest->ptr, length);
	length += length < rest->len;
	rest->ptr += length;
	rest->len -= length;
	return identifier;
}

static bool is_number(struct zp_str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!isdigit((unsigned char)text.ptr[i]))
			return false;
	return text.len > 0;
}

static int compare_identifiers(struct zp_str a, struct zp_str b)
{
	bool x = is_number(a), y = is_number(b);

	if (x != y)
		return x ? -1 : 1;
	if (x && a.len != b.len)
		return a.len < b.len ? -1 : 1;
	int order = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);
	return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_prereleases(struct zp_str a, struct zp_str b)
{
	/* What is released comes after all that led to it. */
	if (!a.len || !b.len)
		return (a.len == 0) - (b.len == 0);
	while (a.len && b.len) {
		int order = compare_identifiers(next_identifier(&a), next_identifier(&b));
		if (order)
			return order;
	}
	return (a.len > 0) - (b.len > 0);
}

static int compare(const struct version *a, const struct version *b)
{
	for (int i = 0; i < 3; i++)
		if (a->parts[i] != b->parts[i])
			return a->parts[i] < b->parts[i] ? -1 : 1;
	return compare_prereleases(a->prerelease, b->prerelease);
}

/* "~> 1.4": the last part that was written may grow, those before it may not. */
static bool is_close(const struct version *version, const struct version *wanted)
{
	int fixed = wanted->given > 1 ? wanted->given - 1 : 1;

	for (int i = 0; i < fixed; i++)
		if (version->parts[i] != wanted->parts[i])
			return false;
	return compare(version, wanted) >= 0;
}

static bool meets_one(const struct version *version, const char *operator, const struct version *wanted)
{
	int order = compare(version, wanted);
	bool same_parts = memcmp(version->parts, wanted->parts, sizeof(version->parts)) == 0;

	if (!*operator || strcmp(operator, "=") == 0)
		return order == 0;
	if (strcmp(operator, "!=") == 0)
		return order != 0;
	if (version->prerelease.len && !(wanted->prerelease.len && same_parts))
		return false;
	if (strcmp(operator, "~>") == 0)
		return is_close(version, wanted);
	if (strcmp(operator, ">") == 0)
		return order > 0;
	if (strcmp(operator, ">=") == 0)
		return order >= 0;
	return strcmp(operator, "<") == 0 ? order < 0 : order <= 0;
}

/* The longest that stands there; "" for none. */
static const char *read_operator(const char **p)
{
	static const char *const operators[] = { "!=", ">=", "<=", "~>", "=", ">", "<", "" };
	size_t i = 0;

	while (strncmp(*p, operators[i], strlen(operators[i])) != 0)
		i++;
	*p += strlen(operators[i]);
	return operators[i];
}

static void skip_blanks(const char **p)
{
	while (**p == ' ' || **p == '\t')
		(*p)++;
}

bool zp_version_compare(const char *a, const char *b, int *order)
{
	struct version x, y;

	if (!read_version(&a, &x) || *a || !read_version(&b, &y) || *b)
		return false;
	int difference = compare(&x, &y);
	*order = (difference > 0) - (difference < 0);
	return true;
}

bool zp_version_meets(const char *version, const char *constraints, struct zp_error *err)
{
	const char *p = version;
	struct version own;
	bool meets = true;

	if (!read_version(&p, &own) || *p) {
		zp_error_set(err, "malformed version: %s", version);
		return false;
	}
	for (p = constraints;; p++) {
		struct version wanted;
		skip_blanks(&p);
		const char *operator = read_operator(&p);
		skip_blanks(&p);
		bool fine = read_version(&p, &wanted);
		skip_blanks(&p);
		if (!fine || (*p && *p != ',')) {
			zp_error_set(err, "malformed constraint: %s", constraints);
			return false;
		}
		meets = meets && meets_one(&own, operator, &wanted);
		if (!*p)
			return meets;
	}
}

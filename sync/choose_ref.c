#include <ctype.h>
#include <fnmatch.h>
#include <string.h>

#include "base/alloc.h"
#include "sync/fetch_internal.h"

bool sync_is_commit_id(const char *ref)
{
	size_t length = ref ? strspn(ref, "0123456789abcdef") : 0;

	return (length == 40 || length == 64) && !ref[length];
}

/* Runs of digits compare as numbers, however long. */
static int compare_digits(const char **a, const char **b)
{
	while (**a == '0')
		++*a;
	while (**b == '0')
		++*b;
	size_t x = strspn(*a, "0123456789"), y = strspn(*b, "0123456789");
	int order = x != y ? (x < y ? -1 : 1) : strncmp(*a, *b, x);
	*a += x;
	*b += y;
	return order;
}

int sync_compare_versions(const char *a, const char *b)
{
	while (*a || *b) {
		if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
			int order = compare_digits(&a, &b);
			if (order)
				return order;
			continue;
		}
		if (*a == *b) {
			a++;
			b++;
			continue;
		}
		/* What a hyphen begins comes before the release itself. */
		if (*a == '-' || *b == '-')
			return *a == '-' ? -1 : 1;
		return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
	}
	return 0;
}

static bool is_peeled(const char *name)
{
	size_t length = strlen(name);

	return length > 3 && strcmp(name + length - 3, "^{}") == 0;
}

static int take(struct sync_choice *choice, const git_remote_head *head)
{
	choice->name = zp_strdup(head->name);
	git_oid_cpy(&choice->oid, &head->oid);
	return 0;
}

static const git_remote_head *find(const git_remote_head *const *heads, size_t count,
	const char *prefix, const char *name)
{
	zp_autofree char *whole = zp_format("%s%s", prefix, name);

	for (size_t i = 0; i < count; i++)
		if (strcmp(heads[i]->name, whole) == 0)
			return heads[i];
	return NULL;
}

static const git_remote_head *newest_tag(const git_remote_head *const *heads, size_t count,
	const char *pattern)
{
	const git_remote_head *newest = NULL;

	for (size_t i = 0; i < count; i++) {
		const char *name = heads[i]->name;
		if (strncmp(name, "refs/tags/", 10) != 0 || is_peeled(name) ||
			fnmatch(pattern, name + 10, 0) != 0)
			continue;
		if (!newest || sync_compare_versions(newest->name, name) < 0)
			newest = heads[i];
	}
	return newest;
}

static const git_remote_head *default_branch(const git_remote_head *const *heads, size_t count)
{
	const git_remote_head *head = find(heads, count, "", "HEAD");

	if (head && head->symref_target) {
		const git_remote_head *branch = find(heads, count, "", head->symref_target);
		return branch ? branch : head;
	}
	for (size_t i = 0; head && i < count; i++)
		if (strncmp(heads[i]->name, "refs/heads/", 11) == 0 && git_oid_equal(&heads[i]->oid, &head->oid))
			return heads[i];
	return head;
}

int sync_choose_ref(const git_remote_head *const *heads, size_t count, const char *ref,
	struct sync_choice *choice, struct zp_error *err)
{
	const git_remote_head *found;

	*choice = (struct sync_choice){ 0 };
	if (!ref) {
		found = default_branch(heads, count);
		return found ? take(choice, found) : zp_error_set(err, "the repository has no default branch: "
								       "set ref");
	}
	if (strncmp(ref, "refs/tags/", 10) == 0 && strpbrk(ref, "*?["))
		ref += 10;
	if (strpbrk(ref, "*?[")) {
		found = newest_tag(heads, count, ref);
		return found ? take(choice, found) : zp_error_set(err, "no tag matches \"%s\"", ref);
	}
	found = strncmp(ref, "refs/", 5) == 0 ? find(heads, count, "", ref) : NULL;
	if (!found)
		found = find(heads, count, "refs/heads/", ref);
	if (!found)
		found = find(heads, count, "refs/tags/", ref);
	return found ? take(choice, found) : zp_error_set(err, "there is no branch or tag \"%s\"", ref);
}

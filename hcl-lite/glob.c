/*
 * Patterns over files: *, ?, [a-z], [^a-z], {x,y} and **, the last for any number of folders.
 */
#include <dirent.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/vec.h"
#include "hcl-lite/function_files.h"
#include "hcl-lite/grapheme.h"

#define MAX_BRACE_DEPTH 20
#define MAX_FOLDER_DEPTH 100
#define MAX_EXPANSIONS 1000

ZP_VEC(texts, char *);

struct glob {
	void (*fn)(void *data, const char *path);
	void *data;
	const char *problem;
	size_t expansions;
};

/* The end of [...]; NULL when it has none. */
static const char *class_end(const char *p)
{
	p++;
	if (*p == '^' || *p == '!')
		p++;
	if (*p == ']')
		p++;
	while (*p && *p != ']')
		p += *p == '\\' && p[1] ? 2 : 1;
	return *p ? p : NULL;
}

static bool in_class(const char *p, const char *end, uint32_t rune)
{
	bool negated = p[1] == '^' || p[1] == '!', found = false;
	struct zp_str members = { p + 1 + negated, (size_t)(end - p) - 1 - negated };
	size_t len;

	for (size_t at = 0; at < members.len;) {
		at += members.ptr[at] == '\\' && at + 1 < members.len;
		uint32_t low = hcl_rune_at(members, at, &len), high = low;
		at += len;
		if (at + 1 < members.len && members.ptr[at] == '-') {
			high = hcl_rune_at(members, at + 1, &len);
			at += 1 + len;
		}
		found |= rune >= low && rune <= high;
	}
	return found != negated;
}

/* One segment against one name. A star that fails is tried one character further, the last one
 * only. */
static bool matches(const char *p, const char *name)
{
	const char *star = NULL, *star_name = NULL;
	size_t len;

	while (*name || *p) {
		const char *end = *p == '[' ? class_end(p) : NULL;
		if (*p == '*') {
			star = ++p;
			star_name = name;
			continue;
		}
		if (*name) {
			uint32_t rune = hcl_rune_at(zp_str(name), 0, &len);
			bool escaped = *p == '\\' && p[1];
			const char *literal = p + escaped;
			if (!escaped && *p == '?') {
				p++;
				name += len;
				continue;
			}
			if (!escaped && end && in_class(p, end, rune)) {
				p = end + 1;
				name += len;
				continue;
			}
			if ((escaped || !end) && *literal == *name) {
				p = literal + 1;
				name++;
				continue;
			}
		}
		if (!star || !*star_name)
			return false;
		p = star;
		name = ++star_name;
	}
	return true;
}

static bool is_folder(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool is_plain(const char *segment)
{
	return !strpbrk(segment, "*?[\\");
}

static char *join(const char *folder, const char *name)
{
	if (!*folder)
		return zp_strdup(name);
	return zp_format("%s%s%s", folder, folder[strlen(folder) - 1] == '/' ? "" : "/", name);
}

static void walk(struct glob *g, const char *folder, char **segments, size_t count, unsigned depth);

static void walk_names(
	struct glob *g, const char *folder, char **segments, size_t count, unsigned depth)
{
	bool any_depth = strcmp(segments[0], "**") == 0;
	zp_autoclosedir DIR *dir = opendir(*folder ? folder : ".");

	if (!dir)
		return;
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		zp_autofree char *path = join(folder, entry->d_name);
		if (any_depth) {
			if (count == 1)
				g->fn(g->data, path);
			struct stat st;
			if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode))
				walk(g, path, segments, count, depth + 1);
		} else if (matches(segments[0], entry->d_name)) {
			walk(g, path, segments + 1, count - 1, depth + 1);
		}
	}
}

static void walk(struct glob *g, const char *folder, char **segments, size_t count, unsigned depth)
{
	if (depth > MAX_FOLDER_DEPTH) {
		g->problem = "folders nest too deeply";
		return;
	}
	if (count == 0) {
		g->fn(g->data, folder);
		return;
	}
	if (is_plain(segments[0])) {
		zp_autofree char *path = join(folder, segments[0]);
		struct stat st;
		if (stat(path, &st) == 0)
			walk(g, path, segments + 1, count - 1, depth + 1);
		return;
	}
	if (*folder && !is_folder(folder))
		return;
	if (strcmp(segments[0], "**") == 0 && count > 1)
		walk(g, folder, segments + 1, count - 1, depth + 1);
	walk_names(g, folder, segments, count, depth);
}

static void run_pattern(struct glob *g, const char *pattern)
{
	zp_autofree char *copy = zp_strdup(pattern);
	struct texts segments = { 0 };
	char *rest = NULL;

	for (char *part = strtok_r(copy, "/", &rest); part; part = strtok_r(NULL, "/", &rest))
		zp_vec_push(&segments, part);
	for (size_t i = 0; i < segments.count; i++)
		for (const char *p = strchr(segments.items[i], '['); p; p = strchr(p + 1, '['))
			if (!class_end(p))
				g->problem = "syntax error in pattern";
	if (!g->problem)
		walk(g, pattern[0] == '/' ? "/" : "", segments.items, segments.count, 0);
	zp_vec_release(&segments);
}

/* The brace that closes the one at p, in the same segment, and where its alternatives end. */
static const char *closing_brace(const char *p, struct texts *commas)
{
	unsigned depth = 0;

	for (; *p; p++) {
		if (*p == '\\' && p[1]) {
			p++;
		} else if (*p == '{') {
			depth++;
		} else if (*p == ',' && depth == 1) {
			zp_vec_push(commas, (char *)p);
		} else if (*p == '}' && --depth == 0) {
			return p;
		} else if (*p == '/') {
			return NULL;
		}
	}
	return NULL;
}

/* a{b,c}d is ad twice, with b and with c between. */
static void expand_braces(struct glob *g, const char *pattern, unsigned depth)
{
	const char *open = strchr(pattern, '{');
	struct texts commas = { 0 };

	if (g->problem)
		return;
	if (!open) {
		run_pattern(g, pattern);
		return;
	}
	const char *close = closing_brace(open, &commas);
	if (!close || depth > MAX_BRACE_DEPTH || ++g->expansions > MAX_EXPANSIONS) {
		g->problem = "syntax error in pattern";
	} else {
		const char *start = open + 1;
		for (size_t i = 0; i <= commas.count; i++) {
			const char *end = i < commas.count ? commas.items[i] : close;
			zp_autofree char *one = zp_format("%.*s%.*s%s", (int)(open - pattern),
				pattern, (int)(end - start), start, close + 1);
			expand_braces(g, one, depth + 1);
			start = end + 1;
		}
	}
	zp_vec_release(&commas);
}

bool hcl_glob(const char *pattern, void (*fn)(void *data, const char *path), void *data,
	const char **problem)
{
	struct glob g = { .fn = fn, .data = data };

	expand_braces(&g, pattern, 0);
	*problem = g.problem;
	return !g.problem;
}

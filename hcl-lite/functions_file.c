/*
 * Files that belong to the configuration, and paths.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/vec.h"
#include "hcl-lite/bytes.h"
#include "hcl-lite/function_files.h"

ZP_VEC(values, struct hcl_value);

char *hcl_clean_path(struct zp_str path)
{
	zp_autobuf out = ZP_BUF_INIT;
	bool absolute = path.len && path.ptr[0] == '/';
	size_t depth = 0; /* segments that ".." may take away */

	if (absolute)
		zp_buf_char(&out, '/');
	for (size_t at = 0; at < path.len;) {
		const char *slash = memchr(path.ptr + at, '/', path.len - at);
		size_t len = slash ? (size_t)(slash - path.ptr) - at : path.len - at;
		struct zp_str part = { path.ptr + at, len };
		at += len + 1;
		if (len == 0 || zp_str_is(part, "."))
			continue;
		if (zp_str_is(part, "..") && depth) {
			while (out.len > absolute && out.ptr[out.len - 1] != '/')
				out.len--;
			if (out.len > absolute)
				out.len--;
			out.ptr[out.len] = '\0';
			depth--;
			continue;
		}
		if (zp_str_is(part, "..") && absolute)
			continue;
		if (out.len > absolute)
			zp_buf_char(&out, '/');
		zp_buf_str(&out, part);
		depth += !zp_str_is(part, "..");
	}
	if (out.len == 0)
		zp_buf_char(&out, '.');
	return zp_buf_steal(&out);
}

static char *home_folder(void)
{
	const char *home = getenv("HOME");
	struct passwd entry, *found = NULL;
	char scratch[4096];

	if (home && *home)
		return zp_strdup(home);
	if (getpwuid_r(getuid(), &entry, scratch, sizeof(scratch), &found) == 0 && found)
		return zp_strdup(found->pw_dir);
	return NULL;
}

/* ~ and ~/x; other users' folders are not looked up. NULL after a failure. */
static char *expand_home(struct hcl_call *call, struct zp_str path)
{
	if (path.len == 0 || path.ptr[0] != '~')
		return zp_strndup(path.ptr, path.len);
	if (path.len > 1 && path.ptr[1] != '/') {
		hcl_call_fail_argument(
			call, 0, "failed to expand ~: cannot expand user-specific home dir");
		return NULL;
	}
	zp_autofree char *home = home_folder();
	if (!home) {
		hcl_call_fail(call, "failed to expand ~: the home folder is not known");
		return NULL;
	}
	zp_autofree char *joined = zp_format("%s/%.*s", home, (int)path.len - 1, path.ptr + 1);
	return hcl_clean_path(zp_str(joined));
}

char *hcl_call_path(struct hcl_call *call, struct zp_str path, const char *base)
{
	zp_autofree char *expanded = expand_home(call, path);

	if (!expanded)
		return NULL;
	if (expanded[0] == '/' || !*base)
		return hcl_clean_path(zp_str(expanded));
	zp_autofree char *joined = zp_format("%s/%s", base, expanded);
	return hcl_clean_path(zp_str(joined));
}

static const char *base_dir(const struct hcl_call *call)
{
	const char *base = call->ev->functions->base_dir;
	return base && *base ? base : ".";
}

static void shown(const struct hcl_call *call, const char *path, struct zp_buf *out)
{
	if (call->marks & HCL_SENSITIVE)
		zp_buf_puts(out, "(sensitive value)");
	else
		hcl_go_quote(out, zp_str(path));
}

/* Reading from a pipe would wait for whoever writes to it. */
static bool is_endless(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
}

bool hcl_call_read_file(struct hcl_call *call, struct zp_buf *out)
{
	zp_autofree char *path = hcl_call_path(call, hcl_text(call->args[0]), base_dir(call));
	zp_autobuf name = ZP_BUF_INIT;
	zp_autoerror err = ZP_ERROR_INIT;

	if (!path)
		return false;
	shown(call, path, &name);
	if (access(path, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR))
		return hcl_call_fail_argument(call, 0,
			"no file exists at %s; this function works only with files that are "
			"distributed as part of the configuration source code, so if this file "
			"will "
			"be created by a resource in this configuration you must instead obtain "
			"this "
			"result from an attribute of that resource",
			name.ptr);
	if (zp_is_directory(path))
		return hcl_call_fail_argument(
			call, 0, "failed to read file: read %s: is a directory", path);
	if (is_endless(path))
		return hcl_call_fail_argument(
			call, 0, "failed to read file: %s is not a regular file", path);
	if (zp_file_read(path, HCL_MAX_FILE, out, &err) < 0)
		return hcl_call_fail_argument(
			call, 0, "failed to read file: %s", zp_error_text(&err));
	return true;
}

bool hcl_call_read_raw(struct hcl_call *call, struct zp_buf *out)
{
	zp_autofree char *path = hcl_call_path(call, hcl_text(call->args[0]), base_dir(call));
	zp_autoerror err = ZP_ERROR_INIT;

	if (!path)
		return false;
	if (access(path, R_OK) < 0)
		return hcl_call_fail(call, "open %s: %s", path,
			errno == ENOENT	  ? "no such file or directory"
			: errno == EACCES ? "permission denied"
					  : "not readable");
	if (zp_is_directory(path))
		return hcl_call_fail(call, "read %s: is a directory", path);
	if (is_endless(path))
		return hcl_call_fail(call, "open %s: not a regular file", path);
	return zp_file_read(path, HCL_MAX_FILE, out, &err) == 0 ||
	       hcl_call_fail(call, "failed to read file: %s", zp_error_text(&err));
}

bool hcl_call_read_text(struct hcl_call *call, struct zp_buf *out)
{
	zp_autobuf name = ZP_BUF_INIT;

	if (!hcl_call_read_file(call, out))
		return false;
	if (hcl_is_utf8(zp_buf_slice(out)))
		return true;
	zp_autofree char *path = hcl_call_path(call, hcl_text(call->args[0]), base_dir(call));
	shown(call, path ? path : "", &name);
	return hcl_call_fail(call,
		"contents of %s are not valid UTF-8; use the filebase64 function to obtain the "
		"Base64 "
		"encoded contents or the other file functions (e.g. filemd5, filesha256) to obtain "
		"file hashing results instead",
		name.ptr);
}

static bool file(struct hcl_call *call, struct hcl_value *out)
{
	zp_autobuf content = ZP_BUF_INIT;

	return hcl_call_read_text(call, &content) && hcl_call_text(call, &content, out);
}

static bool filebase64(struct hcl_call *call, struct hcl_value *out)
{
	zp_autobuf content = ZP_BUF_INIT, text = ZP_BUF_INIT;

	if (!hcl_call_read_file(call, &content))
		return false;
	hcl_base64_encode(zp_buf_slice(&content), &text);
	return hcl_call_text(call, &text, out);
}

static const char *kind_of_file(mode_t mode)
{
	if (S_ISDIR(mode))
		return "a directory";
	if (S_ISCHR(mode) || S_ISBLK(mode))
		return "a device node";
	return S_ISFIFO(mode) ? "a named pipe" : "an unsupported file type";
}

static bool fileexists(struct hcl_call *call, struct hcl_value *out)
{
	zp_autofree char *path = hcl_call_path(call, hcl_text(call->args[0]), base_dir(call));
	zp_autobuf name = ZP_BUF_INIT;
	struct stat st;

	if (!path)
		return false;
	shown(call, path, &name);
	if (stat(path, &st) < 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			return hcl_call_fail_argument(call, 0, "failed to stat %s", name.ptr);
		*out = hcl_bool_value(false);
		return true;
	}
	if (!S_ISREG(st.st_mode))
		return hcl_call_fail(
			call, "%s is %s, not a file", name.ptr, kind_of_file(st.st_mode));
	*out = hcl_bool_value(true);
	return true;
}

/* The path to target as seen from a folder; both cleaned, and both absolute or both not. */
static char *relative_path(const char *from, const char *target)
{
	zp_autobuf out = ZP_BUF_INIT;
	size_t common = 0;

	if (strcmp(from, ".") == 0)
		return zp_strdup(target);
	for (size_t i = 0;; i++) {
		bool from_ends = !from[i] || from[i] == '/',
		     target_ends = !target[i] || target[i] == '/';
		if (from_ends && target_ends)
			common = i;
		if (!from[i] || from[i] != target[i])
			break;
	}
	for (const char *rest = from + common; *rest; rest++)
		if (rest[0] == '/' && rest[1])
			zp_buf_puts(&out, "../");
	if (common == 0 && *from)
		zp_buf_puts(&out, "../");
	const char *tail = target + common;
	zp_buf_puts(&out, *tail == '/' ? tail + 1 : tail);
	return zp_buf_steal(&out);
}

struct listing {
	struct hcl_call *call;
	const char *folder;
	struct values list;
};

static void add_file(void *data, const char *path)
{
	struct listing *l = data;
	struct stat st;

	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	zp_autofree char *relative = relative_path(l->folder, path);
	zp_vec_push(&l->list, hcl_string_cstr(l->call->arena, relative));
}

static bool fileset(struct hcl_call *call, struct hcl_value *out)
{
	zp_autofree char *folder = hcl_call_path(call, hcl_text(call->args[0]), base_dir(call));
	const char *problem = NULL;

	if (!folder)
		return false;
	struct listing l = { .call = call, .folder = folder };
	zp_autofree char *joined = zp_format("%s/%s", folder, call->args[1].text);
	zp_autofree char *pattern = hcl_clean_path(zp_str(joined));
	bool done = hcl_glob(pattern, add_file, &l, &problem);
	if (!done)
		hcl_call_fail(call, "failed to glob pattern \"%s\": %s", pattern, problem);
	else
		*out = hcl_set_value(
			hcl_string, zp_vec_to_arena(&l.list, call->arena), l.list.count);
	zp_vec_release(&l.list);
	return done;
}

static bool give_path(struct hcl_call *call, char *path, struct hcl_value *out)
{
	if (path)
		*out = hcl_string_cstr(call->arena, path);
	return path != NULL;
}

static bool abspath(struct hcl_call *call, struct hcl_value *out)
{
	zp_autofree char *here = getcwd(NULL, 0);
	struct zp_str text = hcl_text(call->args[0]);

	if (text.len && text.ptr[0] == '/') {
		zp_autofree char *clean = hcl_clean_path(text);
		return give_path(call, clean, out);
	}
	if (!here)
		return hcl_call_fail(call, "the working folder is not known");
	zp_autofree char *joined = zp_format("%s/%s", here, call->args[0].text);
	zp_autofree char *clean = hcl_clean_path(zp_str(joined));
	return give_path(call, clean, out);
}

static bool dirname_call(struct hcl_call *call, struct hcl_value *out)
{
	struct zp_str text = hcl_text(call->args[0]);

	while (text.len && text.ptr[text.len - 1] != '/')
		text.len--;
	zp_autofree char *clean = hcl_clean_path(text);
	return give_path(call, clean, out);
}

static bool basename_call(struct hcl_call *call, struct hcl_value *out)
{
	struct zp_str text = hcl_text(call->args[0]);

	if (text.len == 0) {
		*out = hcl_string_static(".");
		return true;
	}
	while (text.len && text.ptr[text.len - 1] == '/')
		text.len--;
	if (text.len == 0) {
		*out = hcl_string_static("/");
		return true;
	}
	size_t start = text.len;
	while (start && text.ptr[start - 1] != '/')
		start--;
	*out = hcl_string_value(call->arena, zp_strn(text.ptr + start, text.len - start));
	return true;
}

static bool pathexpand(struct hcl_call *call, struct hcl_value *out)
{
	struct zp_str text = hcl_text(call->args[0]);

	if (text.len > 1 && text.ptr[0] == '~' && text.ptr[1] != '/')
		return hcl_call_fail(call, "cannot expand user-specific home dir");
	zp_autofree char *path = expand_home(call, text);
	return give_path(call, path, out);
}

#define PATH .params = { { "path", HCL_T_STRING, 0 } }, .returns = HCL_T_STRING

static const struct hcl_function functions[] = {
	{ .name = "file", PATH, .call = file },
	{ .name = "filebase64", PATH, .call = filebase64 },
	{ .name = "fileexists",
		.params = { { "path", HCL_T_STRING, 0 } },
		.returns = HCL_T_BOOL,
		.call = fileexists },
	{ .name = "fileset",
		.params = { { "path", HCL_T_STRING, 0 }, { "pattern", HCL_T_STRING, 0 } },
		.returns = HCL_T_SET_STRING,
		.call = fileset },
	{ .name = "abspath", PATH, .call = abspath },
	{ .name = "dirname", PATH, .call = dirname_call },
	{ .name = "basename", PATH, .call = basename_call },
	{ .name = "pathexpand", PATH, .call = pathexpand },
};

const struct hcl_function_list hcl_file_functions = { functions, ZP_ARRAY_SIZE(functions) };

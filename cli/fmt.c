/* zplan fmt: configuration files in the canonical layout. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/process.h"
#include "base/vec.h"
#include "cli/cli.h"
#include "cli/run.h"
#include "hcl-lite/format.h"

#define MAX_FILE ((size_t)1 << 30)
#define MAX_DEPTH 200
#define MAX_DIFF ((size_t)256 << 20)
#define STDIN_NAME "<stdin>"

static const char *const endings[] = { ".tf", ".tfvars", ".tftest.hcl", ".tfmock.hcl" };

struct formatter {
	struct cli_run run;
	bool list, write, diff, check, recursive;
	struct zp_buf out; /* what -check keeps back until all is known */
	ZP_VEC(, struct zp_source *) sources; /* that diagnostics point into */
};

static bool is_ours(const char *name)
{
	for (size_t i = 0; i < ZP_ARRAY_SIZE(endings); i++)
		if (zp_str_ends(zp_str(name), endings[i]))
			return true;
	return false;
}

/* Hidden files, and what editors leave. */
static bool is_ignored(const char *name)
{
	size_t length = strlen(name);

	return name[0] == '.' || (length && name[length - 1] == '~') ||
		(length > 1 && name[0] == '#' && name[length - 1] == '#');
}

/* Text, with a newline at its end. */
static void put(struct formatter *formatter, struct zp_str text)
{
	struct zp_buf *out = &formatter->out;

	zp_buf_add(out, text.ptr, text.len);
	if (!text.len || text.ptr[text.len - 1] != '\n')
		zp_buf_char(out, '\n');
	if (!formatter->check) {
		fwrite(out->ptr, 1, out->len, stdout);
		zp_buf_clear(out);
	}
}

/* ---- differences ---- */

/* A file of the text that nobody else can read, unlinked by the caller. Heap; NULL with err. */
static char *temporary(struct zp_str text, struct zp_error *err)
{
	const char *folder = getenv("TMPDIR");
	zp_autofree char *path = zp_format("%s/zplan-fmt-XXXXXX", folder && *folder ? folder : "/tmp");
	zp_autoclose int fd = mkostemp(path, O_CLOEXEC);

	if (fd < 0) {
		zp_error_errno(err, "create %s", path);
		return NULL;
	}
	if (zp_write_all(fd, text.ptr, text.len, err) < 0) {
		unlink(path);
		return NULL;
	}
	return zp_steal(path);
}

static int show_difference(struct formatter *formatter, const char *name, struct zp_str before,
	struct zp_str after, struct zp_error *err)
{
	zp_autofree char *old_label = zp_format("--label=old/%s", name);
	zp_autofree char *new_label = zp_format("--label=new/%s", name);
	zp_autofree char *old_path = temporary(before, err);
	zp_autofree char *new_path = old_path ? temporary(after, err) : NULL;
	struct zp_process_options options = { .output_limit = MAX_DIFF };
	struct zp_process_result result = { 0 };

	if (new_path) {
		const char *argv[] = { "diff", old_label, new_label, "-u", old_path, new_path, NULL };
		zp_run(argv, &options, &result, NULL);
		unlink(new_path);
	}
	if (old_path)
		unlink(old_path);
	int rc = !new_path ? -1 :
		result.status <= 1 ? 0 :
		zp_error_set(err, "diff: %s", result.err.ptr ? result.err.ptr : "can not be run");
	if (!rc && result.out.len)
		put(formatter, zp_buf_slice(&result.out));
	zp_process_result_release(&result);
	return rc;
}

/* ---- one file ---- */

static void report(struct formatter *formatter, const char *summary, struct zp_error *err)
{
	zp_diag_error(&formatter->run.diags, ZP_NOWHERE, summary, "%s", zp_error_text(err));
	zp_error_clear(err);
}

/* Mode and, where that can be, owner stay; a link stays a link. */
static int replace(const char *path, struct zp_str text, struct zp_error *err)
{
	zp_autofree char *real = realpath(path, NULL);
	struct stat before;

	if (!real || stat(real, &before) < 0)
		return zp_error_errno(err, "open %s", path);
	if (zp_file_write_atomic(real, text, before.st_mode & 07777, err) < 0)
		return -1;
	if (before.st_uid != geteuid() && chown(real, before.st_uid, before.st_gid) < 0)
		return zp_error_errno(err, "chown %s", path);
	return 0;
}

static void format_source(struct formatter *formatter, const char *path, struct zp_source *source)
{
	zp_autobuf formatted = ZP_BUF_INIT;
	zp_autoerror err = ZP_ERROR_INIT;
	struct zp_str before = source->text;

	zp_vec_push(&formatter->sources, source);
	if (!hcl_format(source, &formatted, &formatter->run.diags))
		return;
	struct zp_str after = zp_buf_slice(&formatted);
	if (!zp_str_equal(before, after)) {
		if (formatter->list)
			put(formatter, zp_str(path));
		if (formatter->write && replace(path, after, &err) < 0)
			report(formatter, "Failed to write file", &err);
		if (formatter->diff && show_difference(formatter, path, before, after, &err) < 0)
			report(formatter, "Failed to generate diff", &err);
	}
	if (!formatter->list && !formatter->write && !formatter->diff)
		put(formatter, after);
}

static void format_file(struct formatter *formatter, const char *path)
{
	zp_autoerror err = ZP_ERROR_INIT;
	struct zp_source *source = zp_source_load(path, path, &err);

	if (source)
		format_source(formatter, path, source);
	else
		report(formatter, "Failed to read file", &err);
}

static void format_stdin(struct formatter *formatter)
{
	zp_autobuf text = ZP_BUF_INIT;
	zp_autoerror err = ZP_ERROR_INIT;

	if (zp_file_read("/dev/stdin", MAX_FILE, &text, &err) < 0)
		report(formatter, "Failed to read standard input", &err);
	else
		format_source(formatter, STDIN_NAME,
			zp_source_new(STDIN_NAME, zp_buf_slice(&text)));
}

/* ---- folders ---- */

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static bool is_folder(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static void format_folder(struct formatter *formatter, const char *dir, int depth)
{
	struct dirent **entries;
	int count = scandir(dir, &entries, NULL, by_name);
	zp_autoerror err = ZP_ERROR_INIT;

	if (count < 0) {
		zp_error_errno(&err, "open %s", dir);
		report(formatter, "Failed to read directory", &err);
		return;
	}
	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;
		zp_autofree char *path = zp_path_join(dir, name);
		if (is_ignored(name))
			;
		else if (is_folder(path)) {
			if (formatter->recursive && depth < MAX_DEPTH)
				format_folder(formatter, path, depth + 1);
		} else if (is_ours(name)) {
			format_file(formatter, path);
		}
		free(entries[i]);
	}
	free(entries);
}

static void format_path(struct formatter *formatter, const char *given)
{
	zp_autofree char *path = zp_strdup(given);
	size_t length = strlen(path);

	while (length > 1 && path[length - 1] == '/')
		path[--length] = '\0';
	while (path[0] == '.' && path[1] == '/' && path[2])
		memmove(path, path + 2, strlen(path + 2) + 1);
	if (!zp_file_exists(path))
		zp_diag_error(&formatter->run.diags, ZP_NOWHERE,
			zp_arena_format(&formatter->run.arena, "No file or directory at %s", path), "%s",
			"");
	else if (zp_is_directory(path))
		format_folder(formatter, path, 0);
	else if (is_ours(path))
		format_file(formatter, path);
	else
		zp_diag_error(&formatter->run.diags, ZP_NOWHERE,
			"Only .tf, .tfvars, and .tftest.hcl files can be processed with zplan fmt", "%s",
			"");
}

static int finish(struct formatter *formatter, bool list)
{
	int status = formatter->run.diags.errors ? 2 : formatter->check && formatter->out.len ? 3 : 0;

	if (status == 3 && list)
		fwrite(formatter->out.ptr, 1, formatter->out.len, stdout);
	status = cli_run_finish(&formatter->run, status);
	for (size_t i = 0; i < formatter->sources.count; i++)
		zp_source_free(formatter->sources.items[i]);
	zp_vec_release(&formatter->sources);
	zp_buf_release(&formatter->out);
	return status;
}

int cli_fmt(int argc, char **argv)
{
	struct formatter formatter = { .list = true, .write = true };
	bool no_color = false;
	struct cli_option options[] = {
		{ "list", CLI_SWITCH, &formatter.list },
		{ "write", CLI_SWITCH, &formatter.write },
		{ "diff", CLI_SWITCH, &formatter.diff },
		{ "check", CLI_SWITCH, &formatter.check },
		{ "recursive", CLI_SWITCH, &formatter.recursive },
		{ "no-color", CLI_SWITCH, &no_color },
	};

	if (!cli_options_parse(options, ZP_ARRAY_SIZE(options), &argc, argv, "fmt"))
		return 1;
	cli_run_init(&formatter.run, no_color);
	bool from_stdin = argc && strcmp(argv[0], "-") == 0;
	if (from_stdin)
		formatter.list = formatter.write = false;
	bool list = formatter.list;
	if (formatter.check) {
		/* What would be listed tells whether anything differs. */
		formatter.list = true;
		formatter.write = false;
	}
	if (from_stdin)
		format_stdin(&formatter);
	else if (!argc)
		format_path(&formatter, ".");
	for (int i = 0; i < argc && !from_stdin; i++)
		format_path(&formatter, argv[i]);
	return finish(&formatter, list);
}

/*
 * Flists: made by tests/e2e/make_flist.py, then read, taken apart, and read again. Run from the
 * root of the source; skipped without Python.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/process.h"
#include "node/client.h"
#include "providers/machine/flist.h"
#include "providers/machine/tree_hash.h"

#define MAKER "tests/e2e/make_flist.py"
#define LARGE (1300 * 1024)

static char folder[] = "/tmp/zplan-flist-XXXXXX";
static char *tree, *flist, *store, *cache, *route;
static int number;

static int setup(void **state)
{
	zp_autobuf large = ZP_BUF_INIT;

	(void)state;
	if (!mkdtemp(folder))
		return -1;
	tree = zp_format("%s/tree", folder);
	flist = zp_format("%s/x y%%.fl", folder);
	store = zp_format("%s/store", folder);
	cache = zp_format("%s/cache", folder);
	route = zp_format("dir://%s/", store);
	zp_autofree char *inner = zp_format("%s/usr/share", tree),
			 *link = zp_format("%s/link", tree);
	zp_autofree char *file = zp_format("%s/usr/large", tree);
	zp_autofree char *tool = zp_format("%s/usr/share/a tool", tree);
	zp_autofree char *empty = zp_format("%s/empty", tree), *pipe = zp_format("%s/pipe", tree);
	for (int i = 0; i < LARGE; i++)
		zp_buf_char(&large, (char)(i / 1000));
	if (zp_mkdirs(inner, 0755, NULL) < 0 || symlink("usr/share/a tool", link) != 0 ||
		mkfifo(pipe, 0600) != 0 ||
		zp_file_write_atomic(file, zp_buf_slice(&large), 0644, NULL) < 0 ||
		zp_file_write_atomic(tool, ZP_STR("a tool"), 0600, NULL) < 0 ||
		zp_file_write_atomic(empty, ZP_STR(""), 0444, NULL) < 0 || chmod(tool, 04755) != 0)
		return -1;
	return zp_run((const char *[]){ "find", tree, "-exec", "touch", "-h", "-d", "2020-01-01",
			      "{}", "+", NULL },
		NULL, NULL, NULL);
}

static int teardown(void **state)
{
	(void)state;
	free(tree);
	free(flist);
	free(store);
	free(cache);
	free(route);
	return zp_remove_tree(folder, NULL);
}

static bool make(const char *to)
{
	zp_remove_tree(store, NULL);
	zp_remove_tree(cache, NULL);
	return zp_run((const char *[]){ "python3", MAKER, tree, flist, store, to, NULL }, NULL,
		       NULL, NULL) == 0;
}

static void need_flist(const char *to)
{
	if (access(MAKER, R_OK) != 0 || access("/usr/bin/python3", X_OK) != 0)
		skip();
	assert_true(make(to));
}

/* Into a new folder, whose path is given: heap, NULL with err. */
static char *unpack(bool local, int64_t limit, struct zp_error *err)
{
	const struct provider_flist given = {
		.path = flist, .cache = cache, .limit = limit, .local = local
	};
	zp_autofree char *to = zp_format("%s/out%d", folder, number++);

	assert_int_equal(mkdir(to, 0700), 0);
	return provider_flist_unpack(&given, to, err) < 0 ? NULL : zp_steal(to);
}

static void assert_whole(void)
{
	struct provider_tree before, after;
	struct zp_error err = ZP_ERROR_INIT;
	zp_autofree char *to = unpack(true, 1 << 30, &err);

	if (!to)
		fail_msg("%s", zp_error_text(&err));
	/* Names, kinds, modes, owners, times, links and content. */
	assert_int_equal(provider_tree_hash(tree, &before, NULL), 0);
	assert_int_equal(provider_tree_hash(to, &after, NULL), 0);
	assert_string_equal(before.hash, after.hash);
	assert_int_equal(before.entries, after.entries);
}

static void assert_fails(bool local, const char *expected)
{
	struct zp_error err = ZP_ERROR_INIT;
	zp_autofree char *to = unpack(local, 1 << 30, &err);

	assert_null(to);
	if (!strstr(zp_error_text(&err), expected))
		fail_msg("\"%s\" does not say \"%s\"", zp_error_text(&err), expected);
	zp_error_clear(&err);
}

static void change(const char *statement)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(flist, &db), SQLITE_OK);
	if (sqlite3_exec(db, statement, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", statement, sqlite3_errmsg(db));
	sqlite3_close(db);
}

static void test_whole(void **state)
{
	(void)state;
	need_flist(route);
	assert_whole();
}

static void test_too_large(void **state)
{
	struct zp_error err = ZP_ERROR_INIT;

	(void)state;
	need_flist(route);
	assert_null(unpack(true, 1 << 20, &err));
	assert_non_null(strstr(zp_error_text(&err), "size: the content is larger than"));
	assert_int_equal(err.code, NODE_E_INVALID);
	zp_error_clear(&err);
}

/* A folder of the node is not for everybody; what can not be read is said. */
static void test_stores(void **state)
{
	(void)state;
	need_flist(route);
	assert_fails(false, "is for the node's owner only");
	assert_true(make("zdb://[::1]:9900/blocks"));
	assert_fails(true, "zdb://[::1]:9900/blocks: a store of this kind can not be read");
	assert_true(make("dir:///nowhere"));
	assert_fails(true, "dir:///nowhere: it is not there");
	assert_true(make("http://user:secret@127.0.0.1:1/x"));
	assert_fails(true, "http://127.0.0.1:1/x: Failed to connect");
	assert_true(make(route));
	change("DELETE FROM route");
	assert_fails(true, "the flist names no store for it");
	/* One store may do for another. */
	change("INSERT INTO route VALUES (0, 255, 'dir:///nowhere')");
	zp_autofree char *second = zp_format("INSERT INTO route VALUES (0, 255, '%s')", route);
	change(second);
	assert_whole();
}

/* Overwrites one byte of every stored block, or cuts them. */
static void damage(bool cut)
{
	zp_autofree char *command = zp_format("%s", store);
	const char *const *argv =
		cut ? (const char *[]){ "find", command, "-type", "f", "-size", "-2", "-exec",
			"truncate", "-s", "10", "{}", "+", NULL }
		    : (const char *[]){ "find", command, "-type", "f", "-exec", "sh", "-c",
			      "for f; do printf x | dd of=\"$f\" bs=1 seek=3 conv=notrunc; done",
			      "x", "{}", "+", NULL };

	assert_int_equal(zp_run(argv, NULL, NULL, NULL), 0);
}

static void test_damaged_blocks(void **state)
{
	(void)state;
	need_flist(route);
	damage(false);
	assert_fails(true, "what is stored there is damaged");
	assert_true(make(route));
	damage(true);
	assert_fails(true, "what is stored there is damaged");
	assert_true(make(route));
	change("UPDATE block SET key = zeroblob(32)");
	assert_fails(true, "its key does not open it");
}

static void test_damaged_metadata(void **state)
{
	static const struct {
		const char *change, *error;
	} rows[] = {
		{ "UPDATE inode SET name = '..' WHERE name = 'empty'", "no name a file can have" },
		{ "UPDATE inode SET name = 'a/b' WHERE name = 'empty'", "no name a file can have" },
		{ "UPDATE inode SET name = '' WHERE name = 'empty'", "no name a file can have" },
		{ "UPDATE inode SET name = 'link' WHERE name = 'empty'", "File exists" },
		{ "UPDATE inode SET parent = 77 WHERE name = 'empty'", "are in no folder" },
		{ "UPDATE inode SET parent = ino WHERE name = 'usr'", "are in no folder" },
		{ "UPDATE inode SET parent = 0 WHERE name = 'usr'", "it has no root, or several" },
		{ "DELETE FROM inode", "it has no root, or several" },
		/* What hangs on a link would be made where that leads. */
		{ "UPDATE inode SET parent = (SELECT ino FROM inode WHERE name = 'link') WHERE "
		  "name = 'empty'",
			"are in no folder" },
		{ "DELETE FROM extra", "making /link of the flist" },
		{ "DELETE FROM block WHERE rowid = 1", "more or fewer blocks" },
		{ "UPDATE block SET id = x'00' WHERE rowid = 1", "have 32 bytes" },
		{ "UPDATE inode SET size = -1 WHERE name = 'large'", "size: " },
		{ "UPDATE route SET start = 9, end = 300", "a route leads nowhere" },
		{ "DROP TABLE block", "no such table: block" },
		{ "ALTER TABLE inode RENAME TO old; CREATE VIEW inode AS SELECT * FROM old",
			"access to view \"inode\" prohibited" },
	};

	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		need_flist(route);
		change(rows[i].change);
		assert_fails(true, rows[i].error);
	}
}

static void test_cut_database(void **state)
{
	struct stat st;

	(void)state;
	need_flist(route);
	assert_int_equal(stat(flist, &st), 0);
	assert_int_equal(truncate(flist, st.st_size / 2), 0);
	assert_fails(true, "the flist is damaged: ");
	assert_int_equal(truncate(flist, 100), 0);
	assert_fails(true, "the flist is damaged: ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_stores),
		cmocka_unit_test(test_damaged_blocks),
		cmocka_unit_test(test_damaged_metadata),
		cmocka_unit_test(test_cut_database),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

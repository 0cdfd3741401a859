#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "node/client.h"
#include "providers/machine/content_build.h"
#include "providers/machine/flist_internal.h"

#define MAX_ENTRIES 4000000
#define MAX_DEPTH 1000
#define MAX_NAME 255
#define MAX_TARGET 4095

/* What is being read, and the statement under way. */
struct reader {
	const struct provider_flist *flist;
	struct provider_flist_content *content;
	sqlite3 *db;
	sqlite3_stmt *row;
};

static void reader_release(struct reader *reader)
{
	sqlite3_finalize(reader->row);
	sqlite3_close(reader->db);
}

static int damaged(struct zp_error *err, const char *what)
{
	return zp_error_code(err, NODE_E_INVALID, "the flist is damaged: %s", what);
}

/* ---- SQLite ---- */

/* Nothing beside the file is looked at, nothing in it is run. */
static int open_database(struct reader *reader, struct zp_error *err)
{
	zp_autobuf uri = ZP_BUF_INIT;

	zp_buf_puts(&uri, "file:");
	for (const unsigned char *p = (const unsigned char *)reader->flist->path; *p; p++)
		zp_buf_printf(&uri, *p == '/' ? "/" : "%%%02x", *p);
	zp_buf_puts(&uri, "?immutable=1");
	if (sqlite3_open_v2(uri.ptr, &reader->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL) !=
		SQLITE_OK)
		return damaged(err, reader->db ? sqlite3_errmsg(reader->db) : "no memory");
	sqlite3_db_config(reader->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(reader->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(reader->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	sqlite3_db_config(reader->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	return 0;
}

static int prepare(struct reader *reader, const char *text, struct zp_error *err)
{
	sqlite3_finalize(reader->row);
	reader->row = NULL;
	if (sqlite3_prepare_v2(reader->db, text, -1, &reader->row, NULL) != SQLITE_OK)
		return damaged(err, sqlite3_errmsg(reader->db));
	return 0;
}

/* 1: a row, 0: the end, -1: an error. */
static int step(struct reader *reader, struct zp_error *err)
{
	int rc = sqlite3_step(reader->row);

	if (rc == SQLITE_ROW)
		return 1;
	return rc == SQLITE_DONE ? 0 : damaged(err, sqlite3_errmsg(reader->db));
}

/* Text of at most so many bytes without a NUL in it, in the arena; NULL when it is not. */
static const char *text_column(struct reader *reader, int column, int most)
{
	const char *text = (const char *)sqlite3_column_blob(reader->row, column);
	int len = sqlite3_column_bytes(reader->row, column);

	if (!text || len <= 0 || len > most || memchr(text, '\0', (size_t)len))
		return NULL;
	return zp_arena_strndup(&reader->content->arena, text, (size_t)len);
}

static int check_database(struct reader *reader, struct zp_error *err)
{
	const char *text;
	int rc = prepare(reader, "PRAGMA quick_check(1)", err);

	if (rc == 0)
		rc = step(reader, err);
	text = rc == 1 ? (const char *)sqlite3_column_text(reader->row, 0) : NULL;
	if (rc >= 0 && (!text || strcmp(text, "ok") != 0))
		return damaged(err, text ? text : "it is no database");
	return rc < 0 ? -1 : 0;
}

static int count_rows(
	struct reader *reader, const char *query, int64_t most, size_t *count, struct zp_error *err)
{
	int64_t found;

	if (prepare(reader, query, err) < 0 || step(reader, err) < 0)
		return -1;
	found = sqlite3_column_int64(reader->row, 0);
	if (found < 0 || found > most)
		return zp_error_code(err, NODE_E_INVALID,
			"the flist has %lld entries: no machine has room for these",
			(long long)found);
	*count = (size_t)found;
	return 0;
}

/* ---- entries ---- */

static bool is_name(const char *name)
{
	return name && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static int read_entry(
	struct reader *reader, struct provider_flist_entry *entry, struct zp_error *err)
{
	sqlite3_stmt *row = reader->row;

	*entry = (struct provider_flist_entry){
		.ino = sqlite3_column_int64(row, 0),
		.parent_ino = sqlite3_column_int64(row, 1),
		.name = text_column(reader, 2, MAX_NAME),
		.size = sqlite3_column_int64(row, 3),
		.uid = (uint32_t)sqlite3_column_int64(row, 4),
		.gid = (uint32_t)sqlite3_column_int64(row, 5),
		.mode = (uint32_t)sqlite3_column_int64(row, 6),
		.rdev = (uint64_t)sqlite3_column_int64(row, 7),
		.mtime = sqlite3_column_int64(row, 8),
	};
	if (entry->parent_ino != 0 && !is_name(entry->name))
		return damaged(err, "an entry has no name a file can have");
	if (!S_ISREG(entry->mode))
		entry->size = 0;
	if (entry->size < 0 || entry->size > reader->flist->limit)
		return zp_error_code(err, NODE_E_INVALID,
			"size: the content is larger than the root file system of %lld MB",
			(long long)(reader->flist->limit >> 20));
	reader->content->bytes += entry->size;
	/* At once: sizes of millions of entries need not fit into a sum. */
	return provider_content_fits(reader->content->bytes, reader->flist->limit, err);
}

static int read_entries(struct reader *reader, struct zp_error *err)
{
	struct provider_flist_content *content = reader->content;
	size_t count;
	int rc;

	if (count_rows(reader, "SELECT count(*) FROM inode", MAX_ENTRIES, &count, err) < 0)
		return -1;
	content->entries = zp_new_array(&content->arena, struct provider_flist_entry, count);
	if (prepare(reader,
		    "SELECT ino, parent, name, size, uid, gid, mode, rdev, mtime FROM inode "
		    "ORDER BY ino",
		    err) < 0)
		return -1;
	while ((rc = step(reader, err)) == 1 && content->count < count) {
		struct provider_flist_entry *entry = &content->entries[content->count];

		if (read_entry(reader, entry, err) < 0)
			return -1;
		if (content->count++ && entry->ino == entry[-1].ino)
			return damaged(err, "two entries have one number");
	}
	return rc < 0 ? -1 : 0;
}

static int by_ino(const void *key, const void *item)
{
	int64_t ino = *(const int64_t *)key;
	const struct provider_flist_entry *entry = item;

	return ino < entry->ino ? -1 : ino > entry->ino;
}

static struct provider_flist_entry *find(struct reader *reader, int64_t ino)
{
	return bsearch(&ino, reader->content->entries, reader->content->count,
		sizeof(*reader->content->entries), by_ino);
}

static int read_targets(struct reader *reader, struct zp_error *err)
{
	int rc;

	if (prepare(reader, "SELECT ino, data FROM extra", err) < 0)
		return -1;
	while ((rc = step(reader, err)) == 1) {
		struct provider_flist_entry *entry =
			find(reader, sqlite3_column_int64(reader->row, 0));

		if (!entry || !S_ISLNK(entry->mode))
			continue;
		entry->target = text_column(reader, 1, MAX_TARGET);
		if (!entry->target)
			return damaged(err, "a symbolic link leads nowhere");
	}
	return rc;
}

/* ---- the tree ---- */

static int by_parent(const void *a, const void *b)
{
	const struct provider_flist_entry *left = *(struct provider_flist_entry *const *)a;
	const struct provider_flist_entry *right = *(struct provider_flist_entry *const *)b;

	if (left->parent_ino != right->parent_ino)
		return left->parent_ino < right->parent_ino ? -1 : 1;
	return left->ino < right->ino ? -1 : left->ino > right->ino;
}

/* The first in list, which is sorted by parents, of this parent; count when there is none. */
static size_t first_child(struct provider_flist_entry *const *list, size_t count, int64_t parent)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (list[middle]->parent_ino < parent)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* By levels: each comes after its parent, and what no path leads to is not among them. */
static size_t put_in_order(
	struct provider_flist_content *content, struct provider_flist_entry **sorted)
{
	size_t done = 0, count = 1;

	content->order[0] = sorted[0];
	for (; done < count; done++) {
		struct provider_flist_entry *parent = content->order[done];
		size_t i = first_child(sorted, content->count, parent->ino);

		if (!S_ISDIR(parent->mode))
			continue;
		for (; i < content->count && sorted[i]->parent_ino == parent->ino; i++) {
			if (count == content->count)
				return content->count + 1;
			sorted[i]->parent = parent;
			content->order[count++] = sorted[i];
		}
	}
	return count;
}

static int make_tree(struct reader *reader, struct zp_error *err)
{
	struct provider_flist_content *content = reader->content;
	struct provider_flist_entry **sorted =
		zp_new_array(&content->arena, struct provider_flist_entry *, content->count);

	content->order =
		zp_new_array(&content->arena, struct provider_flist_entry *, content->count);
	for (size_t i = 0; i < content->count; i++)
		sorted[i] = &content->entries[i];
	qsort(sorted, content->count, sizeof(struct provider_flist_entry *), by_parent);
	if (!content->count || sorted[0]->parent_ino != 0 || !S_ISDIR(sorted[0]->mode) ||
		sorted[0]->ino == 0 || (content->count > 1 && sorted[1]->parent_ino == 0))
		return damaged(err, "it has no root, or several");
	if (put_in_order(content, sorted) != content->count)
		return damaged(err, "some of its entries are in no folder");
	return 0;
}

/* ---- blocks ---- */

static int read_block(struct reader *reader, struct provider_block *block, struct zp_error *err)
{
	if (sqlite3_column_bytes(reader->row, 1) != 32 ||
		sqlite3_column_bytes(reader->row, 2) != 32)
		return damaged(err, "ids and keys of blocks have 32 bytes");
	memcpy(block->id, sqlite3_column_blob(reader->row, 1), 32);
	memcpy(block->key, sqlite3_column_blob(reader->row, 2), 32);
	return 0;
}

/* Sorted by file, and in the order in which they were written within it. */
static int read_blocks(struct reader *reader, struct zp_error *err)
{
	struct provider_flist_content *content = reader->content;
	int64_t most = content->bytes / PROVIDER_BLOCK_BYTES + (int64_t)content->count;
	size_t count;
	int rc;

	if (count_rows(reader, "SELECT count(*) FROM block", most, &count, err) < 0)
		return -1;
	content->blocks = zp_new_array(&content->arena, struct provider_block, count);
	if (prepare(reader, "SELECT ino, id, key FROM block ORDER BY ino, rowid", err) < 0)
		return -1;
	while ((rc = step(reader, err)) == 1 && content->block_count < count) {
		struct provider_flist_entry *entry =
			find(reader, sqlite3_column_int64(reader->row, 0));

		if (!entry || !S_ISREG(entry->mode))
			return damaged(err, "a block belongs to no file");
		if (read_block(reader, &content->blocks[content->block_count], err) < 0)
			return -1;
		if (!entry->block_count++)
			entry->first_block = content->block_count;
		content->block_count++;
	}
	for (size_t i = 0; rc >= 0 && i < content->count; i++) {
		const struct provider_flist_entry *entry = &content->entries[i];
		size_t needed =
			(size_t)((entry->size + PROVIDER_BLOCK_BYTES - 1) / PROVIDER_BLOCK_BYTES);

		if (entry->block_count != needed)
			return damaged(err, "a file has more or fewer blocks than it needs");
	}
	return rc;
}

static int read_routes(struct reader *reader, struct zp_error *err)
{
	struct provider_blocks *stores = &reader->content->stores;
	int rc;

	if (provider_blocks_init(stores, reader->flist->cache, reader->flist->local, err) < 0 ||
		prepare(reader, "SELECT start, \"end\", url FROM route", err) < 0)
		return -1;
	while ((rc = step(reader, err)) == 1 && stores->routes.count < MAX_DEPTH) {
		int64_t first = sqlite3_column_int64(reader->row, 0);
		int64_t last = sqlite3_column_int64(reader->row, 1);
		const char *url = text_column(reader, 2, MAX_TARGET);

		if (first < 0 || last > 255 || first > last || !url)
			return damaged(err, "a route leads nowhere");
		provider_blocks_route(stores, (uint8_t)first, (uint8_t)last, url);
	}
	return rc < 0 ? -1 : 0;
}

int provider_flist_read(const struct provider_flist *flist, struct provider_flist_content *content,
	struct zp_error *err)
{
	zp_cleanup(reader_release) struct reader reader = { .flist = flist, .content = content };

	memset(content, 0, sizeof(*content));
	zp_arena_init(&content->arena);
	if (open_database(&reader, err) < 0 || check_database(&reader, err) < 0 ||
		read_entries(&reader, err) < 0 || read_targets(&reader, err) < 0 ||
		make_tree(&reader, err) < 0 || read_blocks(&reader, err) < 0)
		return -1;
	return read_routes(&reader, err);
}

void provider_flist_release(struct provider_flist_content *content)
{
	provider_blocks_release(&content->stores);
	zp_arena_release(&content->arena);
}

char *provider_flist_path(const char *folder, const struct provider_flist_entry *entry)
{
	const char *names[MAX_DEPTH];
	zp_autobuf path = ZP_BUF_INIT;
	size_t depth = 0;

	for (; entry->parent && depth < MAX_DEPTH; entry = entry->parent)
		names[depth++] = entry->name;
	zp_buf_puts(&path, folder);
	while (depth)
		zp_buf_printf(&path, "/%s", names[--depth]);
	return zp_buf_steal(&path);
}

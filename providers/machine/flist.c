#include "providers/machine/flist.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "providers/machine/flist_internal.h"

#define FETCHERS 4
#define PROGRESS_SECONDS 2
#define MODE_BITS 07777

/* ---- what files are ---- */

static int make_entry(
	const char *folder, const struct provider_flist_entry *entry, struct zp_error *err)
{
	zp_autofree char *path = provider_flist_path(folder, entry);
	zp_autoclose int fd = -1;
	int rc = 0;

	if (!entry->parent)
		return 0;
	if (S_ISDIR(entry->mode))
		rc = mkdir(path, 0700);
	else if (S_ISLNK(entry->mode))
		rc = symlink(entry->target ? entry->target : "", path);
	else if (S_ISREG(entry->mode))
		rc = (fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) < 0
			     ? -1
			     : ftruncate(fd, (off_t)entry->size);
	else
		rc = mknod(path, (entry->mode & S_IFMT) | 0600, (dev_t)entry->rdev);
	if (rc != 0)
		return zp_error_errno(err, "making %s of the flist", path + strlen(folder));
	return 0;
}

/* Of folders after what is in them, which changes their times. */
static int dress_entry(
	const char *folder, const struct provider_flist_entry *entry, struct zp_error *err)
{
	zp_autofree char *path = provider_flist_path(folder, entry);
	const struct timespec times[2] = { { .tv_sec = entry->mtime }, { .tv_sec = entry->mtime } };

	if (lchown(path, entry->uid, entry->gid) != 0 ||
		(!S_ISLNK(entry->mode) && chmod(path, entry->mode & MODE_BITS) != 0) ||
		utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW) != 0)
		return zp_error_errno(err, "making %s of the flist", path + strlen(folder));
	return 0;
}

/* ---- what is in them: several threads share the blocks ---- */

struct crew {
	const struct provider_flist *flist;
	struct provider_flist_content *content;
	const char *folder;
	pthread_mutex_t lock;
	size_t next;	   /* of content->order, */
	size_t next_block; /* and of the blocks of that file */
	int64_t bytes;	   /* done */
	time_t reported;
	bool failed;
	struct zp_error error; /* the first */
};

/* One block to be written. */
struct piece {
	const struct provider_flist_entry *entry;
	size_t number;
};

/* False when there is none left, or something has failed. */
static bool next_piece(struct crew *crew, struct piece *piece)
{
	bool found = false;

	pthread_mutex_lock(&crew->lock);
	while (!found && !crew->failed && crew->next < crew->content->count) {
		piece->entry = crew->content->order[crew->next];
		piece->number = crew->next_block++;
		found = piece->number < piece->entry->block_count;
		if (!found) {
			crew->next++;
			crew->next_block = 0;
		}
	}
	pthread_mutex_unlock(&crew->lock);
	return found;
}

static void note(struct crew *crew, size_t bytes)
{
	const struct provider_flist *flist = crew->flist;
	time_t now = time(NULL);

	pthread_mutex_lock(&crew->lock);
	crew->bytes += (int64_t)bytes;
	if (flist->progress && now >= crew->reported + PROGRESS_SECONDS) {
		crew->reported = now;
		flist->progress(flist->data, crew->bytes, crew->content->bytes);
	}
	pthread_mutex_unlock(&crew->lock);
}

static int write_at(
	const char *path, const char *data, size_t len, off_t from, struct zp_error *err)
{
	zp_autoclose int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t written = fd < 0 ? -1 : pwrite(fd, data, len, from);

	if (written < 0)
		return zp_error_errno(err, "writing it");
	if (written != (ssize_t)len)
		return zp_error_code(err, ENOSPC, "writing it: %s", strerror(ENOSPC));
	return 0;
}

static int fill(struct crew *crew, struct provider_fetcher *fetcher, const struct piece *piece,
	char *data, struct zp_error *err)
{
	const struct provider_flist_entry *entry = piece->entry;
	struct provider_flist_content *content = crew->content;
	zp_autofree char *path = provider_flist_path(crew->folder, entry);
	off_t from = (off_t)piece->number * PROVIDER_BLOCK_BYTES;
	size_t len = 0, expected = PROVIDER_BLOCK_BYTES;
	int rc;

	if (entry->size - from < (int64_t)expected)
		expected = (size_t)(entry->size - from);
	rc = provider_block_get(&content->stores, fetcher,
		&content->blocks[entry->first_block + piece->number], data, &len, err);
	if (rc == 0 && len != expected)
		rc = zp_error_set(err, "a block has %zu bytes, not %zu", len, expected);
	if (rc == 0)
		rc = write_at(path, data, len, from, err);
	if (rc < 0)
		return zp_error_wrap(err, "%s", path + strlen(crew->folder));
	note(crew, len);
	return 0;
}

static void fail(struct crew *crew, struct zp_error *err)
{
	pthread_mutex_lock(&crew->lock);
	if (!crew->failed)
		crew->error = *err;
	else
		zp_error_clear(err);
	crew->failed = true;
	pthread_mutex_unlock(&crew->lock);
}

static void *work(void *data)
{
	struct crew *crew = data;
	struct provider_fetcher *fetcher = provider_fetcher_new();
	zp_autofree char *block = zp_malloc(PROVIDER_BLOCK_BYTES);
	struct piece piece;

	while (next_piece(crew, &piece)) {
		struct zp_error err = ZP_ERROR_INIT;

		if (fill(crew, fetcher, &piece, block, &err) < 0)
			fail(crew, &err);
	}
	provider_fetcher_free(fetcher);
	return NULL;
}

static int fill_files(const struct provider_flist *flist, struct provider_flist_content *content,
	const char *folder, struct zp_error *err)
{
	struct crew crew = { .flist = flist,
		.content = content,
		.folder = folder,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.reported = time(NULL) };
	pthread_t threads[FETCHERS];
	size_t count = 0;

	while (count < FETCHERS && count + 1 < content->block_count &&
		pthread_create(&threads[count], NULL, work, &crew) == 0)
		count++;
	work(&crew);
	while (count)
		pthread_join(threads[--count], NULL);
	if (crew.failed)
		zp_error_code(err, crew.error.code, "%s", zp_error_text(&crew.error));
	zp_error_clear(&crew.error);
	return crew.failed ? -1 : 0;
}

int provider_flist_unpack(
	const struct provider_flist *flist, const char *folder, struct zp_error *err)
{
	zp_cleanup(provider_flist_release) struct provider_flist_content content = { 0 };

	if (provider_flist_read(flist, &content, err) < 0)
		return -1;
	for (size_t i = 0; i < content.count; i++)
		if (make_entry(folder, content.order[i], err) < 0)
			return -1;
	if (fill_files(flist, &content, folder, err) < 0)
		return -1;
	for (size_t i = content.count; i-- > 0;)
		if (dress_entry(folder, content.order[i], err) < 0)
			return -1;
	return 0;
}

/*
 * Content of machines: hashes, images, archives, downloads; root disks; console logs. Images are
 * looked into with debugfs, nothing is mounted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/process.h"
#include "node/client.h"
#include "node/context_internal.h"
#include "providers/machine/capabilities.h"
#include "providers/machine/console.h"
#include "providers/machine/content.h"
#include "providers/machine/content_build.h"
#include "providers/machine/content_cache.h"
#include "providers/machine/content_kind.h"
#include "providers/machine/download.h"
#include "providers/machine/root.h"
#include "providers/machine/tree_hash.h"

static char folder[] = "/tmp/zplan-content-XXXXXX";
static char *tree, *linked, *image;
static struct node_context *node;

static void put(const char *name, const char *text)
{
	zp_autofree char *path = zp_format("%s/%s", tree, name);

	assert_int_equal(zp_file_write_atomic(path, zp_str(text), 0644, NULL), 0);
}

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	tree = zp_format("%s/tree", folder);
	linked = zp_format("%s/linked", folder);
	image = zp_format("%s/root.img", linked);
	zp_autofree char *inner = zp_format("%s/bin", tree);
	zp_autofree char *link = zp_format("%s/link", tree);
	zp_autofree char *root = zp_format("%s/node", folder);
	if (zp_mkdirs(inner, 0755, NULL) < 0 || zp_mkdirs(root, 0700, NULL) < 0 ||
		symlink("bin/tool", link) != 0)
		return -1;
	put("bin/tool", "a tool");
	put("text", "some text");
	node = node_context_new(root);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	node_context_free(node);
	free(tree);
	free(linked);
	free(image);
	return zp_remove_tree(folder, NULL);
}

/* The file's content in the image; heap. */
static char *look(const char *path)
{
	zp_autofree char *command = zp_format("cat %s", path);
	struct zp_process_result result = { 0 };
	char *text;

	assert_int_equal(zp_run((const char *[]){ "debugfs", "-R", command, image, NULL }, NULL,
				 &result, NULL),
		0);
	text = zp_buf_steal(&result.out);
	zp_process_result_release(&result);
	return text;
}

static void assert_file(const char *path, const char *expected)
{
	zp_autofree char *text = look(path);

	assert_string_equal(text, expected);
}

static void test_hash(void **state)
{
	struct provider_tree first, second;
	zp_autofree char *tool = zp_format("%s/bin/tool", tree);
	zp_autofree char *missing = zp_format("%s/missing", tree);

	(void)state;
	assert_int_equal(provider_tree_hash(tree, &first, NULL), 0);
	assert_int_equal(strlen(first.hash), 64);
	assert_int_equal(first.entries, 5);
	assert_int_equal(first.bytes, 8192);
	assert_int_equal(provider_tree_hash(tree, &second, NULL), 0);
	assert_string_equal(first.hash, second.hash);
	assert_int_equal(chmod(tool, 0755), 0);
	assert_int_equal(provider_tree_hash(tree, &second, NULL), 0);
	assert_string_not_equal(first.hash, second.hash);
	assert_int_equal(chmod(tool, 0644), 0);
	assert_int_equal(provider_tree_hash(tree, &second, NULL), 0);
	assert_string_equal(first.hash, second.hash);
	struct zp_error err = ZP_ERROR_INIT;
	assert_int_equal(provider_tree_hash(missing, &second, &err), -1);
	assert_non_null(strstr(zp_error_text(&err), "No such file or directory"));
	zp_error_clear(&err);
	char hash[PROVIDER_HASH_TEXT];
	assert_int_equal(provider_file_hash(tool, 128, hash, NULL), 0);
	assert_string_equal(hash, "0748ccf156f3f0f4779549d45a73964f");
}

static void test_path(void **state)
{
	static const struct {
		const char *url, *path;
	} rows[] = {
		{ "file:///a/b/", "/a/b/" },
		{ "file:///a%20b%2fc", "/a b/c" },
		{ "file:///", "/" },
		{ "file://host/a", NULL },
		{ "http:///a", NULL },
		{ "file:///a%2", NULL },
		{ "file:///a%zz", NULL },
		{ "file:///a%00", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		zp_autofree char *path = provider_content_path(rows[i].url, NULL);

		if (rows[i].path)
			assert_string_equal(path, rows[i].path);
		else
			assert_null(path);
	}
}

static void test_image_size(void **state)
{
	static const int64_t rows[][2] = { { 0, 1 }, { 1 << 20, 100 }, { 1 << 20, 100000 },
		{ INT64_C(10) << 30, 200000 } };
	int64_t size, inodes;

	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		provider_content_size(rows[i][0], rows[i][1], &size, &inodes);
		assert_true(size > rows[i][0] + rows[i][1] * 256);
		assert_int_equal(size % (1 << 20), 0);
		assert_true(inodes > rows[i][1]);
	}
}

static size_t count_cache(void)
{
	zp_autofree char *cache = zp_format("%s/node/cache", folder);
	struct zp_process_result result = { 0 };
	size_t count = 0;

	zp_run((const char *[]){ "ls", cache, NULL }, NULL, &result, NULL);
	for (size_t i = 0; i < result.out.len; i++)
		count += result.out.ptr[i] == '\n';
	zp_process_result_release(&result);
	return count;
}

static int link_url(const char *url, const char *checksum, struct zp_error *err)
{
	const struct provider_content content = {
		.url = url, .checksum = checksum, .limit = 600 << 20, .local = true
	};

	return provider_content_link(node, "u/vm", &content, linked, err);
}

static void test_folder(void **state)
{
	zp_autofree char *url = zp_format("file://%s/", tree);
	struct stat before, after;

	(void)state;
	assert_int_equal(link_url(url, "", NULL), 0);
	assert_file("/text", "some text");
	assert_file("/bin/tool", "a tool");
	assert_int_equal(stat(image, &before), 0);
	assert_int_equal(before.st_nlink, 2);
	assert_int_equal(link_url(url, "", NULL), 0);
	assert_int_equal(stat(image, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(count_cache(), 1);
	put("text", "other text");
	assert_int_equal(link_url(url, "", NULL), 0);
	assert_file("/text", "other text");
	assert_int_equal(count_cache(), 2);
}

static char *make_archive(const char *name, char hash[PROVIDER_HASH_TEXT])
{
	char *path = zp_format("%s/%s", folder, name);

	assert_int_equal(zp_run((const char *[]){ "tar", "-caf", path, "-C", tree, ".", NULL },
				 NULL, NULL, NULL),
		0);
	assert_int_equal(provider_file_hash(path, 256, hash, NULL), 0);
	return path;
}

static void test_archive(void **state)
{
	char hash[PROVIDER_HASH_TEXT], md5[PROVIDER_HASH_TEXT];
	zp_autofree char *path = make_archive("x.tar.gz", hash);
	zp_autofree char *url = zp_format("file://%s", path);
	struct zp_error err = ZP_ERROR_INIT;

	(void)state;
	assert_int_equal(link_url(url, hash, NULL), 0);
	assert_file("/text", "other text");
	assert_int_equal(provider_file_hash(path, 128, md5, NULL), 0);
	assert_int_equal(link_url(url, md5, NULL), 0);
	hash[0] = hash[0] == 'a' ? 'b' : 'a';
	assert_int_equal(link_url(url, hash, &err), -1);
	assert_non_null(strstr(zp_error_text(&err), "flist_checksum: the content hashes to "));
	assert_int_equal(err.code, NODE_E_INVALID);
	zp_error_clear(&err);
	assert_int_equal(count_cache(), 3);
}

static void test_refused(void **state)
{
	zp_autofree char *missing = zp_format("file://%s/missing/", folder);
	zp_autofree char *plain = zp_format("file://%s/text", tree);
	zp_autofree char *good = zp_format("file://%s/", tree);
	zp_autofree char *bad = zp_format("file://%s/bad.tar", folder);
	zp_autofree char *bad_path = zp_format("%s/bad.tar", folder);
	const struct {
		const char *url, *checksum, *error;
	} rows[] = {
		{ missing, "", "there is no " },
		{ plain, "", "the content is no tar archive, squashfs, flist, " },
		{ good, "00000000000000000000000000000000", "flist_checksum: a folder has none" },
		{ bad, "", "tar" },
		{ "http://127.0.0.1:1/x.tar", "", "downloading: " },
	};

	(void)state;
	assert_int_equal(zp_file_write_atomic(bad_path, ZP_STR("no archive"), 0644, NULL), 0);
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		struct zp_error err = ZP_ERROR_INIT;

		assert_int_equal(link_url(rows[i].url, rows[i].checksum, &err), -1);
		assert_non_null(strstr(zp_error_text(&err), rows[i].error));
		assert_non_null(strstr(zp_error_text(&err), rows[i].url));
		zp_error_clear(&err);
	}
}

/* ---- a web server for one file that knows ranges and versions, and breaks off ---- */

static struct {
	int fd, port;
	pthread_t thread;
	struct zp_buf content;
	const char *version; /* NULL: says nothing of it */
	int status;	     /* 0: as it should */
	int breaks;	     /* so many answers end in their middle */
	int requests, ranged, unchanged, delay_ms;
} site;

static void answer(int fd)
{
	char request[4096] = "";
	size_t from = 0, to = site.content.len, len = 0;
	ssize_t n;

	while (!strstr(request, "\r\n\r\n") && len < sizeof(request) - 1 &&
		(n = read(fd, request + len, sizeof(request) - 1 - len)) > 0)
		request[len += (size_t)n] = '\0';
	const char *range = strstr(request, "Range: bytes=");
	const char *same = strstr(request, "If-None-Match: "), *of = strstr(request, "If-Range: ");

	site.requests++;
	poll(NULL, 0, site.delay_ms);
	if (site.status) {
		dprintf(fd, "HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n", site.status);
		return;
	}
	if (same && site.version && zp_str_starts(zp_str(same + 15), site.version)) {
		site.unchanged++;
		dprintf(fd, "HTTP/1.1 304 Same\r\nETag: %s\r\n\r\n", site.version);
		return;
	}
	if (of && !(site.version && zp_str_starts(zp_str(of + 10), site.version)))
		range = NULL;
	if (range)
		from = strtoul(range + strlen("Range: bytes="), NULL, 10);
	dprintf(fd, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n", range ? "206 Partial" : "200 OK",
		to - from);
	if (range)
		dprintf(fd, "Content-Range: bytes %zu-%zu/%zu\r\n", from, to - 1, to);
	if (site.version)
		dprintf(fd, "ETag: %s\r\n", site.version);
	dprintf(fd, "Connection: close\r\n\r\n");
	if (site.breaks > 0 && site.breaks--)
		to = from + (to - from) / 2;
	site.ranged += range != NULL;
	zp_write_all(fd, site.content.ptr + from, to - from, NULL);
}

static void *serve(void *data)
{
	int fd;

	(void)data;
	while ((fd = accept(site.fd, NULL, NULL)) >= 0) {
		answer(fd);
		close(fd);
	}
	return NULL;
}

static char *site_url(const char *name)
{
	return zp_format("http://127.0.0.1:%d/%s", site.port, name);
}

static int site_up(void **state)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);

	(void)state;
	memset(&site, 0, sizeof(site));
	site.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(site.fd, (struct sockaddr *)&address, len) != 0 || listen(site.fd, 8) != 0 ||
		getsockname(site.fd, (struct sockaddr *)&address, &len) != 0)
		return -1;
	site.port = ntohs(address.sin_port);
	return pthread_create(&site.thread, NULL, serve, NULL);
}

static int site_down(void **state)
{
	(void)state;
	shutdown(site.fd, SHUT_RDWR);
	pthread_join(site.thread, NULL);
	close(site.fd);
	zp_buf_release(&site.content);
	return 0;
}

/* An archive of the tree with this text in it is what the site has from now on. */
static void publish(const char *text, char hash[PROVIDER_HASH_TEXT])
{
	put("more", text);
	zp_autofree char *path = make_archive("y.tar", hash);

	zp_buf_clear(&site.content);
	assert_int_equal(zp_file_read(path, 1 << 24, &site.content, NULL), 0);
	site.requests = site.ranged = site.unchanged = 0;
}

static void test_download(void **state)
{
	zp_autofree char *url = site_url("y.tar?x=1");
	struct zp_error err = ZP_ERROR_INIT;
	char hash[PROVIDER_HASH_TEXT];

	(void)state;
	publish("downloaded", hash);
	site.breaks = 3;
	/* What was got is kept, and the rest asked for. */
	assert_int_equal(link_url(url, hash, NULL), 0);
	assert_int_equal(site.requests, 4);
	assert_int_equal(site.ranged, 3);
	assert_file("/more", "downloaded");
	/* With a checksum the cache is found without asking. */
	assert_int_equal(link_url(url, hash, NULL), 0);
	assert_int_equal(site.requests, 4);
	assert_int_equal(link_url(url, "", NULL), 0);
	assert_int_equal(site.requests, 5);
	/* Nobody says that what comes next belongs to what came before. */
	publish("of no version", hash);
	site.breaks = 1;
	assert_int_equal(link_url(url, "", NULL), 0);
	assert_int_equal(site.requests, 2);
	assert_int_equal(site.ranged, 0);
	assert_file("/more", "of no version");
	publish("another", hash);
	hash[5] ^= 1;
	assert_int_equal(link_url(url, hash, &err), -1);
	assert_non_null(strstr(zp_error_text(&err), "flist_checksum: the content hashes to "));
	assert_null(strstr(zp_error_text(&err), "x=1"));
	zp_error_clear(&err);
}

static void test_versions(void **state)
{
	zp_autofree char *url = site_url("y.tar");
	struct zp_error err = ZP_ERROR_INIT;
	char hash[PROVIDER_HASH_TEXT];

	(void)state;
	publish("version one", hash);
	site.version = "\"one\"";
	site.breaks = 1;
	assert_int_equal(link_url(url, "", NULL), 0);
	assert_int_equal(site.requests, 2);
	assert_int_equal(site.ranged, 1);
	assert_file("/more", "version one");
	assert_int_equal(link_url(url, "", NULL), 0);
	assert_int_equal(site.unchanged, 1);
	assert_file("/more", "version one");
	/* An attempt that fails is gone on with by the next, of the same version only. */
	publish("version two", hash);
	site.version = "\"two\"";
	site.breaks = 1;
	site.status = 0;
	assert_int_equal(link_url(url, "", NULL), 0);
	assert_file("/more", "version two");
	publish("version three", hash);
	site.version = "\"three\"";
	site.status = 404;
	assert_int_equal(link_url(url, "", &err), -1);
	assert_non_null(strstr(zp_error_text(&err), "404"));
	assert_int_equal(site.requests, 1);
	zp_error_clear(&err);
	site.status = 503;
	assert_int_equal(link_url(url, "", &err), -1);
	assert_non_null(strstr(zp_error_text(&err), "503"));
	assert_int_equal(site.requests, 5);
	zp_error_clear(&err);
}

static size_t count_downloads(void)
{
	zp_autofree char *cache = zp_format("%s/node/cache", folder);
	DIR *dir = opendir(cache);
	struct dirent *entry;
	size_t count = 0;

	while ((entry = readdir(dir)))
		count += zp_str_starts(zp_str(entry->d_name), "download-");
	closedir(dir);
	return count;
}

static void test_too_large(void **state)
{
	zp_autofree char *url = site_url("y.tar");
	const struct provider_content content = {
		.url = url, .checksum = "", .limit = 4096, .local = true
	};
	struct zp_error err = ZP_ERROR_INIT;
	char hash[PROVIDER_HASH_TEXT];

	(void)state;
	publish("large", hash);
	assert_int_equal(provider_content_link(node, "u/vm", &content, linked, &err), -1);
	assert_non_null(strstr(zp_error_text(&err), "size: the content is larger than"));
	assert_int_equal(err.code, NODE_E_INVALID);
	zp_error_clear(&err);
	/* Also where it could be gone on with. */
	site.version = "\"v\"";
	assert_int_equal(provider_content_link(node, "u/vm", &content, linked, NULL), -1);
	assert_int_equal(count_downloads(), 0);
}

/* What is there under the hash without an image is made anew. */
static void test_damaged_cache(void **state)
{
	zp_autofree char *url = zp_format("file://%s/", tree);
	zp_autofree char *cache = zp_format("%s/node/cache", folder);
	struct provider_tree now;

	(void)state;
	put("more", "damaged");
	assert_int_equal(provider_tree_hash(tree, &now, NULL), 0);
	zp_autofree char *rest = zp_format("%s/%s/rest", cache, now.hash);
	assert_int_equal(zp_mkdirs(rest, 0700, NULL), 0);
	assert_int_equal(link_url(url, "", NULL), 0);
	assert_file("/more", "damaged");
	assert_false(zp_file_exists(rest));
}

static void *link_slow(void *data)
{
	zp_autofree char *url = site_url("slow.tar");
	const struct provider_content content = {
		.url = url, .checksum = "", .limit = 600 << 20, .local = true
	};
	int *rc = data;
	zp_autofree char *to = zp_format("%s/slow-%p", folder, data);

	*rc = provider_content_link(node, "u/vm", &content, to, NULL);
	zp_remove_tree(to, NULL);
	return NULL;
}

/* Many that want the same at once cost one fetch, and are told the same. */
static void test_one_fetch(void **state)
{
	pthread_t threads[6];
	int rcs[6];
	char hash[PROVIDER_HASH_TEXT];

	(void)state;
	publish("slow", hash);
	site.delay_ms = 300;
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < ZP_ARRAY_SIZE(threads); i++)
			assert_int_equal(pthread_create(&threads[i], NULL, link_slow, &rcs[i]), 0);
		for (size_t i = 0; i < ZP_ARRAY_SIZE(threads); i++) {
			pthread_join(threads[i], NULL);
			assert_int_equal(rcs[i], round == 0 ? 0 : -1);
		}
		assert_int_equal(site.requests, 1);
		site.requests = 0;
		site.status = 404;
	}
}

static void test_display(void **state)
{
	static const char *const rows[][2] = {
		{ "http://a/b", "http://a/b" },
		{ "https://me:secret@a:8/b?token=x#y", "https://a:8/b" },
		{ "https://a/b@c", "https://a/b@c" },
		{ "file:///a b", "file:///a b" },
		{ "https://a?x@y/z", "https://a" },
	};

	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		zp_autofree char *shown = provider_url_display(rows[i][0]);

		assert_string_equal(shown, rows[i][1]);
	}
}

static void test_prune(void **state)
{
	(void)state;
	zp_autofree char *good = zp_format("file://%s/", tree);
	size_t count = count_cache();
	struct provider_tree now;

	put("more", "kept");
	assert_int_equal(link_url(good, "", NULL), 0);
	assert_int_equal(count_cache(), count + 1);
	provider_content_prune(node);
	assert_int_equal(count_cache(), count + 1);
	assert_int_equal(provider_tree_hash(tree, &now, NULL), 0);
	zp_autofree char *cache = zp_format("%s/node/cache", folder);
	assert_int_equal(zp_run((const char *[]){ "find", cache, "-mindepth", "1", "-exec", "touch",
					"-d", "2001-01-01", "{}", "+", NULL },
				 NULL, NULL, NULL),
		0);
	/* The one that is linked stays. */
	provider_content_prune(node);
	assert_int_equal(count_cache(), 1);
	assert_true(provider_cache_has(cache, now.hash));
	assert_file("/more", "kept");
}

static void test_root(void **state)
{
	zp_autofree char *url = zp_format("file://%s/", tree);
	zp_autofree char *machine = zp_format("%s/machine", folder);
	zp_autofree char *disk = zp_format("%s/root.qcow2", machine);
	struct provider_machine_spec spec = { .flist = url, .checksum = "", .size = 600 << 20 };
	struct provider_machine_spec small = spec, large = spec, other = spec;
	enum provider_root_need need;
	struct zp_error err = ZP_ERROR_INIT;

	(void)state;
	assert_int_equal(zp_mkdirs(machine, 0700, NULL), 0);
	assert_int_equal(provider_root_inspect(machine, &spec, &need, NULL), 0);
	assert_int_equal(need, PROVIDER_ROOT_BUILD);
	small.size = 1 << 20;
	assert_int_equal(provider_root_fetch(node, "u/vm", machine, &small, true, &err), -1);
	assert_non_null(strstr(zp_error_text(&err), "size: the content needs a root file system"));
	zp_error_clear(&err);
	assert_int_equal(provider_root_fetch(node, "u/vm", machine, &spec, true, NULL), 0);
	assert_int_equal(provider_root_apply(machine, &spec, need, NULL), 0);
	assert_int_equal(provider_root_inspect(machine, &spec, &need, NULL), 0);
	assert_int_equal(need, PROVIDER_ROOT_FINE);
	large.size = 700 << 20;
	assert_int_equal(provider_root_inspect(machine, &large, &need, NULL), 0);
	assert_int_equal(need, PROVIDER_ROOT_GROW);
	assert_int_equal(provider_root_apply(machine, &large, need, NULL), 0);
	assert_int_equal(provider_root_inspect(machine, &large, &need, NULL), 0);
	assert_int_equal(need, PROVIDER_ROOT_FINE);
	assert_int_equal(provider_root_inspect(machine, &spec, &need, &err), -1);
	assert_string_equal(zp_error_text(&err),
		"size: the root file system can not shrink from 734003200 to 629145600 bytes");
	zp_error_clear(&err);
	other.flist = "file:///other/";
	assert_int_equal(provider_root_inspect(machine, &other, &need, NULL), 0);
	assert_int_equal(need, PROVIDER_ROOT_BUILD);
	assert_int_equal(unlink(disk), 0);
	assert_int_equal(provider_root_inspect(machine, &large, &need, NULL), 0);
	assert_int_equal(need, PROVIDER_ROOT_BUILD);
}

static void append(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	assert_int_equal(zp_write_all(fd, text, strlen(text), NULL), 0);
	close(fd);
}

static void assert_words(const char *log, const char *expected)
{
	struct zp_buf words = ZP_BUF_INIT;

	provider_console_last_words(log, &words);
	assert_string_equal(words.len ? words.ptr : "", expected);
	zp_buf_release(&words);
}

static void test_capabilities(void **state)
{
	zp_autofree char *shared = zp_format("%s/shared", folder);
	zp_autofree char *kept = zp_format("%s/q.xml", shared);
	zp_autofree char *first = zp_format("%s/libvirt1", folder);
	zp_autofree char *second = zp_format("%s/libvirt2", folder);
	zp_autofree char *inner = zp_format("%s/cache/qemu/capabilities", first);
	zp_autofree char *own = zp_format("%s/q.xml", inner);
	zp_autofree char *other = zp_format("%s/cache/qemu/capabilities/q.xml", second);
	struct zp_buf text = ZP_BUF_INIT;

	(void)state;
	provider_capabilities_borrow(shared, first);
	assert_false(zp_file_exists(inner));
	assert_int_equal(zp_mkdirs(inner, 0700, NULL), 0);
	assert_int_equal(zp_file_write_atomic(own, ZP_STR("<a/>"), 0600, NULL), 0);
	provider_capabilities_lend(shared, first);
	provider_capabilities_borrow(shared, second);
	assert_int_equal(zp_file_read(other, 100, &text, NULL), 0);
	assert_string_equal(text.ptr, "<a/>");
	/* One that knows something keeps to it, and tells. */
	assert_int_equal(zp_file_write_atomic(own, ZP_STR("<b/>"), 0600, NULL), 0);
	provider_capabilities_borrow(shared, first);
	provider_capabilities_lend(shared, first);
	zp_buf_clear(&text);
	assert_int_equal(zp_file_read(kept, 100, &text, NULL), 0);
	assert_string_equal(text.ptr, "<b/>");
	zp_buf_release(&text);
}

static void test_console(void **state)
{
	zp_autofree char *log = zp_format("%s/console.log", folder);
	zp_autofree char *old = zp_format("%s.1", log);
	struct zp_buf text = ZP_BUF_INIT;
	int64_t size;

	(void)state;
	assert_words(log, "");
	assert_false(provider_console_is_ready(log, 0));
	assert_int_equal(provider_console_rotate(log, 10, NULL), 0);
	append(log, "firmware\r\nzplan: ready\r\n");
	assert_true(provider_console_is_ready(log, 0));
	assert_words(log, "");
	size = provider_console_size(log);
	assert_int_equal(size, 24);
	assert_false(provider_console_is_ready(log, size));
	append(log, "output\nzplan: the entrypoint ended with status 3\r\n[ 1.2] off\r\n");
	assert_words(log, "the entrypoint ended with status 3");
	append(log, "zplan: ready\r\n");
	assert_true(provider_console_is_ready(log, size));
	for (int i = 0; i < 2000; i++)
		append(log, "much output\n");
	assert_words(log, "");
	size = provider_console_size(log);
	assert_int_equal(provider_console_rotate(log, size, NULL), 0);
	assert_int_equal(provider_console_size(log), size);
	assert_int_equal(provider_console_rotate(log, size - 1, NULL), 0);
	assert_int_equal(provider_console_size(log), 0);
	assert_int_equal(zp_file_read(old, 1 << 20, &text, NULL), 0);
	assert_int_equal(text.len, size);
	assert_memory_equal(text.ptr, "firmware", 8);
	zp_buf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_path),
		cmocka_unit_test(test_image_size),
		cmocka_unit_test(test_folder),
		cmocka_unit_test(test_archive),
		cmocka_unit_test(test_refused),
		cmocka_unit_test_setup_teardown(test_download, site_up, site_down),
		cmocka_unit_test_setup_teardown(test_versions, site_up, site_down),
		cmocka_unit_test_setup_teardown(test_too_large, site_up, site_down),
		cmocka_unit_test(test_damaged_cache),
		cmocka_unit_test_setup_teardown(test_one_fetch, site_up, site_down),
		cmocka_unit_test(test_display),
		cmocka_unit_test(test_prune),
		cmocka_unit_test(test_root),
		cmocka_unit_test(test_console),
		cmocka_unit_test(test_capabilities),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

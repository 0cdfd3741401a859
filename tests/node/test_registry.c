/* A registry whose file is damaged comes back whole: from its copy, and the log of what was done since. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/file.h"
#include "node/context.h"
#include "node/registry.h"

static char folder[] = "/tmp/zplan-registry-XXXXXX";
static char *path;

static int setup(void **state)
{
	(void)state;
	memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
	if (!mkdtemp(folder))
		return -1;
	path = zp_path_join(folder, "registry.db");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(path);
	return zp_remove_tree(folder, NULL);
}

static struct node_registry *open_registry(void)
{
	zp_autoerror err = ZP_ERROR_INIT;
	struct node_registry *registry = node_registry_open(path, &err);

	if (!registry)
		fail_msg("%s", zp_error_text(&err));
	return registry;
}

static void put(struct node_registry *registry, const char *id, int size)
{
	cJSON *spec = cJSON_CreateObject();
	const struct node_workload w = { .id = id, .type = "zmount", .tenant = "", .lineage = "l",
		.address = "zos_disk.\"x\"\n", .spec = spec };

	cJSON_AddNumberToObject(spec, "size", size);
	assert_int_equal(node_registry_put(registry, &w, NULL), 0);
	assert_int_equal(node_registry_set_result(registry, id, spec, NULL), 0);
	cJSON_Delete(spec);
}

/* "a:1 b:2 ", results in the place of sizes. */
static void expect(struct node_registry *registry, const char *wanted)
{
	zp_autobuf found = ZP_BUF_INIT;
	size_t count;
	struct node_workload **all = node_registry_all(registry, NULL, &count);

	for (size_t i = 0; i < count; i++) {
		assert_string_equal(all[i]->address, "zos_disk.\"x\"\n");
		zp_buf_printf(&found, "%s:%d ", all[i]->id,
			cJSON_GetObjectItem(all[i]->result, "size")->valueint);
		node_workload_free(all[i]);
	}
	free(all);
	assert_string_equal(found.ptr ? found.ptr : "", wanted);
}

static void damage(void)
{
	zp_autofree char *wal = zp_format("%s-wal", path), *shm = zp_format("%s-shm", path);

	unlink(wal);
	unlink(shm);
	assert_int_equal(zp_file_write_atomic(path, zp_str("this is no database at all, whatever its name says"),
				 0600, NULL), 0);
}

static void test_comes_back_whole(void **state)
{
	int64_t first, second;

	(void)state;
	struct node_registry *registry = open_registry();
	put(registry, "a", 1);
	put(registry, "b", 2);
	assert_int_equal(node_registry_lease_int(registry, "pool", "a", 1, 9, &first, NULL), 0);
	node_registry_copy(registry);
	put(registry, "a", 3);
	put(registry, "c", 4);
	assert_int_equal(node_registry_delete(registry, "b", NULL), 0);
	assert_int_equal(node_registry_lease_int(registry, "pool", "c", 1, 9, &second, NULL), 0);
	node_registry_close(registry);
	damage();

	registry = open_registry();
	expect(registry, "a:3 c:4 ");
	assert_int_equal(node_registry_lease_int(registry, "pool", "c", 1, 9, &first, NULL), 0);
	assert_int_equal(first, second);
	/* And goes on as before. */
	put(registry, "d", 5);
	node_registry_close(registry);
	registry = open_registry();
	expect(registry, "a:3 c:4 d:5 ");
	node_registry_close(registry);
}

static void test_log_cut_off(void **state)
{
	zp_autofree char *log = zp_format("%s.log", path);
	zp_autobuf text = ZP_BUF_INIT;

	(void)state;
	struct node_registry *registry = open_registry();
	put(registry, "a", 1);
	node_registry_copy(registry);
	put(registry, "b", 2);
	put(registry, "c", 3);
	node_registry_close(registry);
	assert_int_equal(zp_file_read(log, 1 << 20, &text, NULL), 0);
	assert_int_equal(zp_file_write_atomic(log, zp_strn(text.ptr, text.len - 5), 0600, NULL), 0);
	damage();

	registry = open_registry();
	size_t count;
	struct node_workload **all = node_registry_all(registry, NULL, &count);
	assert_int_equal(count, 3); /* the last result is what is lacking */
	for (size_t i = 0; i < count; i++)
		node_workload_free(all[i]);
	free(all);
	node_registry_close(registry);
}

static void test_no_copy(void **state)
{
	zp_autoerror err = ZP_ERROR_INIT;

	(void)state;
	struct node_registry *registry = open_registry();
	put(registry, "a", 1);
	node_registry_close(registry);
	damage();
	assert_null(node_registry_open(path, &err));
	assert_non_null(strstr(zp_error_text(&err), "there is no copy of it"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_comes_back_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(test_log_cut_off, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_copy, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

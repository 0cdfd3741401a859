/* Disks: their size, their file, its file system. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/process.h"
#include "providers/disk/volume.h"
#include "providers/disk/workload.h"

#define MIB (INT64_C(1) << 20)

static char folder[] = "/tmp/zplan-disk-XXXXXX";
static char *path;

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	path = zp_format("%s/volume.raw", folder);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(path);
	return zp_remove_tree(folder, NULL);
}

static void test_size(void **state)
{
	static const struct {
		const char *spec;
		int64_t size; /* -1: refused */
		const char *error;
	} rows[] = {
		{ "{\"size\":1073741824}", 1073741824, NULL },
		{ "{\"size\":16777216}", 16777216, NULL },
		{ "{\"size\":16777217}", 16777216, NULL }, /* whole blocks */
		{ "{\"size\":16777215}", -1,
			"size: must be a whole number of bytes from 16777216 " },
		{ "{\"size\":-1}", -1, "size: must be a whole number" },
		{ "{\"size\":1e300}", -1, "size: must be a whole number" },
		{ "{\"size\":20000000.5}", -1, "size: must be a whole number" },
		{ "{\"size\":\"1G\"}", -1, "size: must be a whole number" },
		{ "{}", -1, "size: required, but not given" },
	};
	static const char *const shown_wrongly[] = { "5", "[5]", "[\"\"]", "[\"../x\"]", "[\"a b\"]",
		"[\".x\"]", "[\"a\",\"a\",\"a\",\"a\",\"a\"]" };

	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(shown_wrongly); i++) {
		zp_autofree char *text =
			zp_format("{\"size\":1073741824,\"show\":%s}", shown_wrongly[i]);
		cJSON *spec = cJSON_Parse(text);
		zp_autoerror err = ZP_ERROR_INIT;

		assert_int_equal(provider_zmount_workload.validate(spec, &err), -1);
		assert_non_null(strstr(zp_error_text(&err), "show: must be"));
		cJSON_Delete(spec);
	}
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		cJSON *spec = cJSON_Parse(rows[i].spec);
		struct zp_error err = ZP_ERROR_INIT;
		int64_t size = -1;
		int rc = provider_zmount_size(spec, &size, &err);

		assert_int_equal(rc, rows[i].size < 0 ? -1 : 0);
		assert_int_equal(size, rows[i].size);
		if (rows[i].error)
			assert_non_null(strstr(zp_error_text(&err), rows[i].error));
		zp_error_clear(&err);
		cJSON_Delete(spec);
	}
}

static void test_file(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(provider_volume_size(path), -1);
	assert_int_equal(provider_volume_size(folder), -1);
	assert_int_equal(provider_volume_create(path, 256 * MIB, NULL), 0);
	assert_int_equal(provider_volume_size(path), 256 * MIB);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_true((int64_t)st.st_blocks * 512 < 64 * MIB);
	assert_int_equal(
		zp_run((const char *[]){ "e2fsck", "-fn", path, NULL }, NULL, NULL, NULL), 0);
	assert_int_equal(provider_volume_grow(path, 300 * MIB, NULL), 0);
	assert_int_equal(provider_volume_size(path), 300 * MIB);
	assert_int_equal(
		zp_run((const char *[]){ "e2fsck", "-fn", path, NULL }, NULL, NULL, NULL), 0);
}

static void test_failure_leaves_nothing(void **state)
{
	zp_autofree char *inside = zp_format("%s/missing/volume.raw", folder);
	zp_autofree char *fresh = zp_format("%s/small.raw.new", folder);
	zp_autofree char *small = zp_format("%s/small.raw", folder);
	struct zp_error err = ZP_ERROR_INIT;

	(void)state;
	assert_int_equal(provider_volume_create(inside, 64 * MIB, &err), -1);
	assert_non_null(strstr(zp_error_text(&err), "No such file or directory"));
	zp_error_clear(&err);
	/* Too small for a file system: mkfs refuses. */
	assert_int_equal(provider_volume_create(small, 4096, &err), -1);
	assert_false(zp_file_exists(fresh));
	assert_false(zp_file_exists(small));
	zp_error_clear(&err);
	assert_int_equal(provider_volume_grow(small, 4096, &err), -1);
	zp_error_clear(&err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_failure_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

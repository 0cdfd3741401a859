/*
 * For the tests of states: a temporary folder per test, files in it, and samples.
 */
#ifndef TESTS_STATE_FOLDER_H
#define TESTS_STATE_FOLDER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/file.h"
#include "state/state.h"

/* As the peer wrote it: every kind of key, tainted and deposed objects, sensitive paths, checks, ... */
#define PEER_STATE "tests/state/peer/everything.tfstate"

/* *data is the folder's path. */
static inline int folder_setup(void **data)
{
	char *path = zp_strdup("/tmp/zplan-state-XXXXXX");

	if (!mkdtemp(path))
		return -1;
	*data = path;
	return 0;
}

static inline int folder_teardown(void **data)
{
	zp_remove_tree(*data, NULL);
	free(*data);
	return 0;
}

/* Heap string. */
static inline char *path_in(void **data, const char *name)
{
	return zp_path_join(*data, name);
}

static inline struct zp_buf file_text(const char *path)
{
	struct zp_buf text = ZP_BUF_INIT;
	zp_autoerror err = ZP_ERROR_INIT;

	if (zp_file_read(path, (size_t)1 << 30, &text, &err) < 0)
		fail_msg("%s", zp_error_text(&err));
	return text;
}

static inline void put_file(const char *path, const char *text)
{
	zp_autoerror err = ZP_ERROR_INIT;

	if (zp_file_write_atomic(path, zp_str(text), 0600, &err) < 0)
		fail_msg("%s", zp_error_text(&err));
}

static inline struct state *parsed(struct zp_str text)
{
	zp_autoerror err = ZP_ERROR_INIT;
	struct state *state = state_parse(text, "sample.tfstate", &err);

	if (!state)
		fail_msg("%s", zp_error_text(&err));
	return state;
}

/* Adds t.NAME, keyed by number where that is not negative. */
static inline struct state_object *add_object(struct state *state, const char *name, int64_t number,
	const char *attributes)
{
	struct state_object object = {
		.resource = state_resource(state, "", STATE_MANAGED, "t", name,
			"provider[\"registry.terraform.io/x/y\"]"),
		.key = { number < 0 ? STATE_NO_KEY : STATE_INT_KEY, number < 0 ? 0 : number,
			{ 0 } },
		.attributes = zp_str(attributes),
	};

	return state_set(state, &object);
}

#endif

/* The protocol's edge: what is malformed, too long or unknown is answered, and ends nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "node/client.h"
#include "node/server.h"
#include "node/wire.h"

struct fixture {
	char dir[64];
	char *path;
	struct node_server *server;
};

static cJSON *handle(void *data, struct node_session *session, const char *method,
	const cJSON *params, struct zp_error *err)
{
	(void)data;
	(void)session;
	if (strcmp(method, "echo") == 0)
		return params ? cJSON_Duplicate(params, true) : cJSON_CreateObject();
	zp_error_code(err, NODE_RPC_METHOD, "no method %s", method);
	return NULL;
}

static int setup(void **data)
{
	struct fixture *f = zp_calloc(1, sizeof(*f));

	snprintf(f->dir, sizeof(f->dir), "/tmp/zplan-server-XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	f->path = zp_format("%s/agent.sock", f->dir);
	f->server = node_server_start(f->path, handle, NULL, NULL);
	*data = f;
	return f->server ? 0 : -1;
}

static int teardown(void **data)
{
	struct fixture *f = *data;

	if (f->server)
		node_server_stop(f->server);
	zp_remove_tree(f->dir, NULL);
	free(f->path);
	free(f);
	return 0;
}

/* Sends raw text and reads one line. */
static char *ask(const struct fixture *f, struct zp_str text)
{
	zp_autoclose int fd = node_wire_unix(f->path, NULL);
	zp_autobuf line = ZP_BUF_INIT;
	char c;

	assert_true(fd >= 0);
	assert_int_equal(zp_write_all(fd, text.ptr, text.len, NULL), 0);
	while (read(fd, &c, 1) == 1 && c != '\n')
		zp_buf_char(&line, c);
	return zp_buf_steal(&line);
}

static void test_answers(void **data)
{
	static const struct {
		const char *sent, *wanted;
	} rows[] = {
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"params\":{\"a\":1}}\n",
			"\"result\":{\"a\":1}" },
		{ "\n\n{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"echo\"}\n", "\"id\":\"x\"" },
		{ "not json\n", "-32700" },
		{ "{}\n", "-32600" },
		{ "[1]\n", "-32600" },
		{ "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"echo\"}\n", "-32600" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":5}\n", "-32600" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"nope\"}\n", "-32601" },
	};

	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		zp_autofree char *got = ask(*data, zp_str(rows[i].sent));
		if (!strstr(got, rows[i].wanted))
			fail_msg("row %zu: %s", i, got);
	}
}

/* Too long, or nested too deeply: one error, and the connection goes on. */
static void test_oversized(void **data)
{
	zp_autobuf text = ZP_BUF_INIT;

	zp_buf_pad(&text, 'x', NODE_MAX_MESSAGE + 100000);
	zp_buf_char(&text, '\n');
	zp_autofree char *got = ask(*data, zp_buf_slice(&text));
	assert_non_null(strstr(got, "too long"));
	zp_buf_clear(&text);
	zp_buf_pad(&text, '[', 100000);
	zp_buf_char(&text, '\n');
	zp_autofree char *nested = ask(*data, zp_buf_slice(&text));
	assert_non_null(strstr(nested, "-32700"));
}

static void *call_many(void *data)
{
	struct node_client *client = data;

	for (int i = 0; i < 100; i++) {
		cJSON *params = cJSON_CreateObject();
		cJSON_AddNumberToObject(params, "n", i);
		cJSON *result = node_call(client, "echo", params, NULL);
		const cJSON *n = cJSON_GetObjectItem(result, "n");
		bool same = cJSON_IsNumber(n) && n->valueint == i;
		cJSON_Delete(params);
		cJSON_Delete(result);
		if (!same)
			return data;
	}
	return NULL;
}

static void test_client(void **data)
{
	struct fixture *f = *data;
	zp_autofree char *connect = zp_format("unix://%s", f->path);
	struct node_entry entry = { .name = "n1", .id = 1, .connect = connect };
	struct node_inventory inventory = { .items = &entry, .count = 1, .path = "nodes.hcl" };
	struct node_pool *pool = node_pool_new(&inventory);
	zp_autoerror err = ZP_ERROR_INIT;
	struct node_client *client = node_pool_get(pool, "1", &err);
	pthread_t threads[8];

	assert_non_null(client);
	for (size_t i = 0; i < 8; i++)
		pthread_create(&threads[i], NULL, call_many, client);
	for (size_t i = 0; i < 8; i++) {
		void *failed;
		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	assert_null(node_pool_get(pool, "n9", &err));
	assert_non_null(strstr(zp_error_text(&err), "nodes.hcl, which has: n1"));
	node_server_stop(f->server);
	f->server = NULL;
	assert_null(node_call(client, "echo", NULL, &err));
	assert_int_equal(err.code, NODE_LOST);
	f->server = node_server_start(f->path, handle, NULL, NULL);
	sleep(2); /* a failure is remembered for a second */
	cJSON *result = node_call(client, "echo", NULL, &err);
	assert_non_null(result);
	cJSON_Delete(result);
	node_pool_free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_oversized, setup, teardown),
		cmocka_unit_test_setup_teardown(test_client, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Log streams: what targets may be, reading on in a log that is emptied, and delivery to a real redis server and to a
 * WebSocket server that breaks connections: nothing is lost, and the order stays.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "tests/providers/log_server.h"

#include "base/file.h"
#include "base/process.h"
#include "providers/logs/output.h"
#include "providers/logs/stream.h"
#include "providers/logs/tail.h"
#include "providers/machine/console.h"

static char folder[] = "/tmp/zplan-logs-XXXXXX";
static char *console, *position;

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	console = zp_format("%s/console.log", folder);
	position = zp_format("%s/position", folder);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(console);
	free(position);
	return zp_remove_tree(folder, NULL);
}

static void start_over(void)
{
	zp_autofree char *former = zp_format("%s.1", console);

	unlink(console);
	unlink(former);
	unlink(position);
}

static void say(const char *text)
{
	int fd = open(console, O_WRONLY | O_CREAT | O_APPEND, 0600);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* ---- targets ---- */

static void test_outputs(void **state)
{
	static const struct {
		const char *url, *name, *user, *password, *path;
	} rows[] = {
		{ "redis://10.0.0.1", "redis://10.0.0.1:6379", NULL, NULL, "" },
		{ "redis://:p%40ss@logs:6380/all", "redis://logs:6380", NULL, "p@ss", "/all" },
		{ "redis://me:a:b@logs/x", "redis://logs:6379", "me", "a:b", "/x" },
		{ "ws://[2001:db8::1]/in?a=b", "ws://[2001:db8::1]:80", NULL, NULL, "/in?a=b" },
		{ "wss://logs.example.org", "wss://logs.example.org:443", NULL, NULL, "" },
		{ "ws://a@b@h:81?q", "ws://h:81", "a@b", NULL, "?q" },
	};
	static const char *const wrong[] = { "", "http://x", "redis://", "redis:///x", "ws://h:0",
		"ws://h:99999", "ws://h:8a", "ws://[::1", "ws://[::1]x", "ws://u%zz@h", "ws://h/a b",
		"ws://h/#f", "ws://u%00@h", "redis://a_b!", "ws://h\r\nx" };

	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		provider_autooutput output = { 0 };

		assert_int_equal(provider_log_output_parse(rows[i].url, &output, NULL), 0);
		zp_autofree char *name = provider_log_output_name(&output);
		assert_string_equal(name, rows[i].name);
		assert_string_equal(output.path, rows[i].path);
		assert_string_equal(output.user ? output.user : "-", rows[i].user ? rows[i].user : "-");
		assert_string_equal(output.password ? output.password : "-",
			rows[i].password ? rows[i].password : "-");
	}
	for (size_t i = 0; i < ZP_ARRAY_SIZE(wrong); i++) {
		provider_autooutput output = { 0 };
		zp_autoerror err = ZP_ERROR_INIT;

		assert_int_equal(provider_log_output_parse(wrong[i], &output, &err), -1);
		assert_non_null(strstr(zp_error_text(&err), "output: "));
	}
}

/* ---- reading on ---- */

/* The next lines, each with a comma behind it; heap. */
static char *next(struct provider_log_tail *tail, bool advance)
{
	struct provider_log_lines lines = { 0 };
	struct zp_buf text = ZP_BUF_INIT;

	provider_log_tail_next(tail, 512, &lines);
	for (size_t i = 0; i < lines.items.count; i++)
		zp_buf_printf(&text, "%.*s,", ZP_FMT(lines.items.items[i]));
	if (advance)
		provider_log_tail_advance(tail, &lines);
	provider_log_lines_release(&lines);
	return text.ptr ? zp_buf_steal(&text) : zp_strdup("");
}

static void assert_next(struct provider_log_tail *tail, const char *expected)
{
	zp_autofree char *text = next(tail, true);

	assert_string_equal(text, expected);
}

static void empty_log(void)
{
	assert_int_equal(provider_console_rotate(console, 0, NULL), 0);
}

static void test_tail(void **state)
{
	struct provider_log_tail tail;

	(void)state;
	start_over();
	say("before\nhalf");
	assert_int_equal(provider_log_tail_open(&tail, console, position, NULL), 0);
	assert_next(&tail, "");
	say(" a line\r\nsecond\n\npart");
	assert_next(&tail, " a line,second,,");
	assert_next(&tail, "");
	say("ly\n");
	zp_autofree char *not_taken = next(&tail, false);
	assert_string_equal(not_taken, "partly,");
	assert_next(&tail, "partly,");
	/* Emptied in the middle of a line, with some not read yet. */
	say("old 1\nold 2\nover ");
	empty_log();
	say("the edge\nnew 1\n");
	assert_next(&tail, "old 1,old 2,over the edge,new 1,");
	say("new 2\n");
	assert_next(&tail, "new 2,");
	empty_log();
	assert_next(&tail, "");
	say("fresh\n");
	assert_next(&tail, "fresh,");
	/* Another agent goes on where this one was. */
	say("kept 1\n");
	assert_next(&tail, "kept 1,");
	assert_int_equal(provider_log_tail_save(&tail, NULL), 0);
	provider_log_tail_close(&tail);
	say("kept 2\n");
	empty_log();
	say("kept 3\n");
	assert_int_equal(provider_log_tail_open(&tail, console, position, NULL), 0);
	assert_next(&tail, "kept 2,kept 3,");
	assert_int_equal(provider_log_tail_save(&tail, NULL), 0);
	provider_log_tail_close(&tail);
	/* A log that is another one altogether. */
	unlink(console);
	say("x\n");
	assert_int_equal(provider_log_tail_open(&tail, console, position, NULL), 0);
	assert_next(&tail, "x,");
	/* The same while it is read: the machine was made anew. */
	zp_autofree char *aside = zp_format("%s.aside", console);
	assert_int_equal(rename(console, aside), 0);
	assert_next(&tail, "");
	say("another machine\n");
	assert_next(&tail, "another machine,");
	unlink(aside);
	provider_log_tail_close(&tail);
}

/* Lines longer than a message may be are cut, batches are limited, and nothing is lost by either. */
static void test_tail_is_bounded(void **state)
{
	struct provider_log_lines lines = { 0 };
	struct provider_log_tail tail;
	size_t bytes = 0, total = 0;

	(void)state;
	start_over();
	say("");
	assert_int_equal(provider_log_tail_open(&tail, console, position, NULL), 0);
	zp_autofree char *line = zp_calloc(1, 300000);
	memset(line, 'x', 299998);
	line[299998] = '\n';
	for (int i = 0; i < 5; i++) {
		say(line);
		total += 299998;
	}
	while (provider_log_tail_next(&tail, 512, &lines) > 0) {
		for (size_t i = 0; i < lines.items.count; i++) {
			assert_true(lines.items.items[i].len <= PROVIDER_LOG_LINE_MAX);
			bytes += lines.items.items[i].len;
		}
		provider_log_tail_advance(&tail, &lines);
	}
	assert_int_equal(bytes, total);
	for (int i = 0; i < 3000; i++)
		say("short\n");
	size_t count = 0, n;
	while ((n = provider_log_tail_next(&tail, 512, &lines)) > 0) {
		assert_true(n <= 512);
		count += n;
		provider_log_tail_advance(&tail, &lines);
	}
	assert_int_equal(count, 3000);
	provider_log_lines_release(&lines);
	provider_log_tail_close(&tail);
}

/* ---- delivery ---- */

static struct log_server server;

static void start_stream(const char *id, const char *url)
{
	struct provider_log_stream_options options = { .log = console, .state = position,
		.output = url, .channel = "m1/vm" };
	zp_autoerror err = ZP_ERROR_INIT;

	if (provider_log_stream_start(id, &options, &err) < 0)
		fail_msg("%s", zp_error_text(&err));
}

static void say_numbers(int from, int to)
{
	zp_autobuf text = ZP_BUF_INIT;

	for (int i = from; i < to; i++)
		zp_buf_printf(&text, "line %d\n", i);
	say(text.ptr);
}

static void wait_for_messages(size_t count)
{
	for (int i = 0; i < 1000 && log_server_count(&server) < count; i++)
		usleep(20000);
}

/* Number of the last message, 0 when there is none. */
static int last_number(void)
{
	int number = -1;

	pthread_mutex_lock(&server.lock);
	if (server.messages.count)
		sscanf(server.messages.items[server.messages.count - 1], "line %d", &number);
	pthread_mutex_unlock(&server.lock);
	return number;
}

static void wait_for_number(int number)
{
	for (int i = 0; i < 1500 && last_number() != number; i++)
		usleep(20000);
	assert_int_equal(last_number(), number);
}

/* Every number is there; one that comes again was not confirmed before. */
static void assert_complete(int count)
{
	int next_number = 0;

	for (size_t i = 0; i < server.messages.count; i++) {
		int number = -1;

		assert_int_equal(sscanf(server.messages.items[i], "line %d", &number), 1);
		assert_true(number <= next_number);
		if (number == next_number)
			next_number++;
	}
	assert_int_equal(next_number, count);
}

static void test_websocket(void **state)
{
	zp_autofree char *url = NULL;

	(void)state;
	start_over();
	assert_int_equal(log_server_start(&server, 0), 0);
	url = zp_format("ws://joe:s%%20cret@127.0.0.1:%d/in?x=1", server.port);
	say("before\n");
	start_stream("l1", url);
	say("first\nbad \xff\xc3( \xe2\x82\xac\n");
	wait_for_messages(2);
	assert_int_equal(log_server_count(&server), 2);
	assert_string_equal(server.messages.items[0], "first");
	assert_string_equal(server.messages.items[1], "bad \xef\xbf\xbd\xef\xbf\xbd( \xe2\x82\xac");
	assert_non_null(strstr(server.request, "GET /in?x=1 HTTP/1.1\r\n"));
	assert_non_null(strstr(server.request, "Authorization: Basic am9lOnMgY3JldA==\r\n"));
	log_server_forget(&server);

	/* Connections that break, a server that goes and comes, a log that is emptied meanwhile. */
	atomic_store(&server.break_after, 300);
	say_numbers(0, 2000);
	wait_for_number(1999);
	atomic_store(&server.break_after, 0);
	int port = server.port;
	log_server_stop(&server);
	say_numbers(2000, 3000);
	usleep(600000);
	empty_log();
	say_numbers(3000, 4000);
	assert_int_equal(log_server_start(&server, port), 0);
	wait_for_number(3999);
	assert_true(atomic_load(&server.connections) > 5);
	/* And an agent that is another. */
	provider_log_stream_stop("l1");
	say_numbers(4000, 4100);
	start_stream("l1", url);
	start_stream("l1", url);
	wait_for_number(4099);
	provider_log_stream_stop("l1");
	provider_log_stream_stop("l1");
	log_server_stop(&server);
	assert_complete(4100);
	log_server_forget(&server);
}

/* What the target says is not a WebSocket server's, or nothing at all: told, and tried again. */
static void test_failure_is_told(void **state)
{
	struct provider_log_stream_options options = { .log = console, .state = position,
		.output = "ws://127.0.0.1:1", .channel = "m1/vm" };
	zp_autobuf message = ZP_BUF_INIT;

	(void)state;
	start_over();
	assert_false(provider_log_stream_check("l2", &options, &message));
	assert_string_equal(message.ptr, "nothing is streamed");
	start_stream("l2", options.output);
	usleep(300000);
	zp_buf_clear(&message);
	/* A short absence is no reason for alarm. */
	assert_true(provider_log_stream_check("l2", &options, &message));
	options.output = "ws://127.0.0.1:2";
	assert_false(provider_log_stream_check("l2", &options, &message));
	assert_string_equal(message.ptr, "it streams otherwise");
	provider_log_stream_stop("l2");
}

/* ---- redis ---- */

static int free_port(void)
{
	struct log_server probe = { 0 };

	assert_int_equal(log_server_start(&probe, 0), 0);
	log_server_stop(&probe);
	return probe.port;
}

static pid_t spawn(const char *const *argv, const char *out)
{
	pid_t pid = zp_spawn_daemon(argv, "/", out, NULL);

	assert_true(pid > 0);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
}

/* Runs redis-cli until what it prints holds text. */
static void wait_for_redis(const char *port, const char *password, const char *const words[4],
	const char *text)
{
	for (int i = 0; i < 200; i++) {
		struct zp_process_result result = { 0 };
		const char *argv[] = { "redis-cli", "-p", port, "--no-auth-warning", "-a", password,
			words[0], words[1], words[2], words[3], NULL };
		bool done = zp_run(argv, NULL, &result, NULL) == 0 && result.out.len > 0 &&
			    strstr(result.out.ptr, text);

		zp_process_result_release(&result);
		if (done)
			return;
		usleep(50000);
	}
	fail_msg("redis does not say %s", text);
}

static void wait_for_text(const char *path, const char *text)
{
	for (int i = 0; i < 300; i++) {
		zp_autobuf content = ZP_BUF_INIT;

		if (zp_file_read(path, 16 << 20, &content, NULL) == 0 && content.len &&
			strstr(content.ptr, text))
			return;
		usleep(50000);
	}
	fail_msg("%s does not say %s", path, text);
}

/* Numbers in what a subscriber printed: all of [from, to), in order. */
static void assert_numbers(const char *path, int from, int to)
{
	zp_autobuf content = ZP_BUF_INIT;
	int next_number = from;

	assert_int_equal(zp_file_read(path, 16 << 20, &content, NULL), 0);
	for (const char *at = content.ptr; (at = strstr(at, "\nline ")); at++) {
		int number = (int)strtol(at + 6, NULL, 10);

		assert_true(number <= next_number);
		next_number += number == next_number;
	}
	assert_int_equal(next_number, to);
}

static void test_redis(void **state)
{
	zp_autofree char *port = zp_format("%d", free_port());
	zp_autofree char *url = zp_format("redis://:old@127.0.0.1:%s/logs", port);
	zp_autofree char *first = zp_format("%s/first", folder);
	zp_autofree char *second = zp_format("%s/second", folder);
	zp_autofree char *noise = zp_format("%s/redis.log", folder);
	const char *redis[] = { "redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "",
		"--dir", folder, "--requirepass", "old", NULL };
	const char *subscribe[] = { "redis-cli", "-p", port, "--no-auth-warning", "-a", "old",
		"subscribe", "logs", NULL };
	const char *const ping[4] = { "ping" };
	const char *const let_in[4] = { "acl", "setuser", "default", ">old" };
	pid_t pid, reader;

	(void)state;
	if (access("/usr/bin/redis-server", X_OK) != 0)
		skip();
	start_over();
	pid = spawn(redis, noise);
	wait_for_redis(port, "old", ping, "PONG");
	reader = spawn(subscribe, first);
	wait_for_text(first, "logs");
	start_stream("l3", url);
	say_numbers(0, 5000);
	wait_for_text(first, "\nline 4999\n");
	assert_numbers(first, 0, 5000);
	end(reader);
	end(pid);

	/* While it is away, and while it does not let us in, nothing is lost. */
	say_numbers(5000, 6000);
	redis[10] = "new";
	pid = spawn(redis, noise);
	wait_for_redis(port, "new", ping, "PONG");
	subscribe[5] = "new";
	reader = spawn(subscribe, second);
	wait_for_text(second, "logs");
	wait_for_redis(port, "new", let_in, "OK");
	wait_for_text(second, "\nline 5999\n");
	assert_numbers(second, 5000, 6000);
	provider_log_stream_stop("l3");
	end(reader);
	end(pid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_outputs),
		cmocka_unit_test(test_tail),
		cmocka_unit_test(test_tail_is_bounded),
		cmocka_unit_test(test_websocket),
		cmocka_unit_test(test_failure_is_told),
		cmocka_unit_test(test_redis),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

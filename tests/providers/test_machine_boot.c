/*
 * Machines through a real agent: booted under QEMU, asked over the network, killed, changed,
 * removed. Needs root, QEMU, and guest/ and rootfs/ in the build folder (make guest
 * example-rootfs); skips otherwise.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/process.h"
#include "node/agent.h"
#include "node/client.h"
#include "node/context.h"
#include "providers/disk/workload.h"
#include "providers/machine/workload.h"
#include "providers/network/kernel.h"
#include "providers/network/workload.h"
#include "tests/providers/fake_wire.h"
#include "tests/providers/isolate.h"

#define NETWORK "{\"ip_range\":\"10.1.0.0/16\",\"subnet\":\"10.1.2.0/24\"}"
#define SERVE                                                                                      \
	"/bin/sh -c '[ -f /data/page ] || echo \"$PAGE\" >/data/page; cd /data; echo \"$PAGE\" "   \
	">env; cat /proc/sys/kernel/random/boot_id >boot; hostname >name; ls / >top; sync; "       \
	"while df -m /data >df; do sleep 1; done & exec httpd -f -p 80 -h /data'"

static const char config[] = "name = \"alpha\"\ntag = \"al\"\nwan_interface = \"wan0\"\n"
			     "wan_address = \"192.0.2.1\"\n";
static const char nodes[] = "node \"alpha\" { connect = \"unix:///run/alpha/agent.sock\" }\n";

static pid_t agent;
static struct zp_diags diags;
static struct node_inventory *inventory;
static struct node_pool *pool;
static char *rootfs;
static bool made; /* later tests are about the machine the first one made */

/* ---- the agent ---- */

static int run_agent(void)
{
	static const struct node_workload_type *const items[] = { &provider_network_workload,
		&provider_zmount_workload, &provider_zmachine_workload };
	static const struct node_workload_types types = { items, ZP_ARRAY_SIZE(items) };
	struct node_agent_options options = { .root = "/run/alpha", .config = "/run/node.hcl" };
	zp_autoerror err = ZP_ERROR_INIT;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (!freopen("/run/agent.log", "a", stderr) || node_agent_run(&options, &types, &err) < 0)
		fprintf(stderr, "%s\n", zp_error_text(&err));
	_exit(0); /* libvirt's threads still run: no leak check */
}

/* A program of its own: a copy of this process could find locks taken by threads it does not have.
 */
static void start_agent(void)
{
	agent = fork();
	if (agent == 0) {
		execl("/proc/self/exe", "test_machine_boot", "agent", NULL);
		_exit(127);
	}
}

static void stop_agent(int number)
{
	if (agent > 0) {
		kill(agent, number);
		waitpid(agent, NULL, 0);
	}
	agent = 0;
}

static struct node_client *client(void)
{
	for (int i = 0; i < 200; i++) {
		struct node_client *found = node_pool_get(pool, "alpha", NULL);
		cJSON *facts = found ? node_call(found, "node.facts", NULL, NULL) : NULL;

		cJSON_Delete(facts);
		if (facts)
			return found;
		poll(NULL, 0, 50);
	}
	fail_msg("the agent does not answer");
	return NULL;
}

/* "<folder of this program>/../.." is the build folder. */
static char *build_path(const char *name)
{
	char path[512];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);

	path[len > 0 ? len : 0] = '\0';
	for (int i = 0; i < 3; i++)
		*strrchr(path, '/') = '\0';
	return zp_format("%s/%s", path, name);
}

static int setup(void **state)
{
	zp_autofree char *guest = build_path("guest");
	zp_autofree char *kernel = zp_format("%s/vmlinux", guest);

	(void)state;
	rootfs = build_path("rootfs");
	isolated = isolated && access("/usr/bin/qemu-system-x86_64", X_OK) == 0 &&
		   zp_file_exists(kernel) && zp_is_directory(rootfs);
	if (!isolated)
		return 0;
	setenv("ZPLAN_GUEST", guest, 0);
	if (zp_file_write_atomic("/run/node.hcl", zp_str(config), 0600, NULL) != 0 ||
		zp_file_write_atomic("/run/nodes.hcl", zp_str(nodes), 0600, NULL) != 0 ||
		fake_wire_internet() != 0)
		return -1;
	zp_diags_init(&diags);
	inventory = node_inventory_load("/run/nodes.hcl", &diags);
	pool = node_pool_new(inventory);
	start_agent();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(rootfs);
	if (!isolated)
		return 0;
	stop_agent(SIGTERM);
	node_pool_free(pool);
	node_inventory_free(inventory);
	zp_diags_release(&diags);
	return 0;
}

/* ---- asking ---- */

/* Heap: the result as text, or the error with its code. */
static char *ensure(const char *id, const char *type, const char *json)
{
	struct node_workload w = { .id = id,
		.type = type,
		.tenant = "",
		.lineage = "l",
		.address = "zos_machine.web[\"Blue 1\"]" };
	struct zp_error err = ZP_ERROR_INIT;
	cJSON *spec = cJSON_Parse(json);
	char *text;

	w.spec = spec;
	cJSON *result = node_ensure(client(), &w, &err);
	if (result)
		text = cJSON_PrintUnformatted(result);
	else
		text = zp_format("%d %s", err.code, zp_error_text(&err));
	cJSON_Delete(result);
	cJSON_Delete(spec);
	zp_error_clear(&err);
	return text;
}

static void assert_says(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" does not say \"%s\"", text, part);
}

static void assert_ensure(const char *id, const char *type, const char *json, const char *part)
{
	zp_autofree char *text = ensure(id, type, json);

	assert_says(text, part);
}

static void get_state(const char *id, char text[512])
{
	cJSON *answer = node_read(client(), &id, 1, NULL);
	const cJSON *entry = cJSON_GetArrayItem(answer, 0);

	snprintf(text, 512, "%s: %s", cJSON_GetStringValue(cJSON_GetObjectItem(entry, "status")),
		cJSON_GetStringValue(cJSON_GetObjectItem(entry, "message")));
	cJSON_Delete(answer);
}

static void assert_state(const char *id, const char *expected)
{
	char text[512];

	get_state(id, text);
	assert_string_equal(text, expected);
}

static char *machine_spec(const char *flist, const char *page, const char *entrypoint)
{
	cJSON *spec = cJSON_Parse(
		"{\"network\":{\"interfaces\":[{\"network\":\"u1/net\",\"ip\":\"\"}]},"
		"\"size\":629145600,\"compute_capacity\":{\"cpu\":1,\"memory\":268435456},"
		"\"mounts\":[{\"name\":\"d1/disk\",\"mountpoint\":\"/data\"}],\"env\":{}}");
	char *text;

	cJSON_AddStringToObject(spec, "flist", flist);
	cJSON_AddStringToObject(cJSON_GetObjectItem(spec, "env"), "PAGE", page);
	cJSON_AddStringToObject(spec, "entrypoint", entrypoint);
	text = cJSON_PrintUnformatted(spec);
	cJSON_Delete(spec);
	return text;
}

static char *ensure_machine(const char *folder, const char *page, const char *entrypoint)
{
	zp_autofree char *flist = zp_format("file://%s/", folder);
	zp_autofree char *spec = machine_spec(flist, page, entrypoint);

	return ensure("u1/vm", "zmachine", spec);
}

struct get {
	const char *path;
	char body[4096]; /* the first line */
	char rest[4096];
};

/* From the network's own namespace. */
static int get_inside(void *data, struct zp_error *err)
{
	struct get *get = data;
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(80) };
	zp_autoclose int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct timeval wait = { 1, 0 };
	char text[sizeof(get->body)];
	size_t len = 0;
	ssize_t n;

	(void)err;
	get->body[0] = '\0';
	inet_pton(AF_INET, "10.1.2.2", &to.sin_addr);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0 ||
		dprintf(fd, "GET /%s HTTP/1.0\r\n\r\n", get->path) < 0)
		return -1;
	while (len < sizeof(text) - 1 && (n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	if (!strstr(text, " 200 OK") || !strstr(text, "\r\n\r\n"))
		return -1;
	snprintf(get->body, sizeof(get->body), "%s", strstr(text, "\r\n\r\n") + 4);
	snprintf(get->rest, sizeof(get->rest), "%s", strchrnul(get->body, '\n'));
	get->body[strcspn(get->body, "\n")] = '\0';
	return 0;
}

static bool try_get(const char *path, char body[4096])
{
	struct get get = { .path = path };
	char netns[16];
	int rc;

	node_short_name("n", "al", "u1/net", netns);
	rc = provider_netns_run(netns, get_inside, &get, NULL);
	memcpy(body, get.body, sizeof(get.body));
	return rc == 0;
}

/* Waits until the page is there. */
static void fetch(const char *path, char body[4096])
{
	for (int i = 0; i < 150; i++) {
		if (try_get(path, body))
			return;
		poll(NULL, 0, 200);
	}
	fail_msg("/%s is not served", path);
}

static void assert_page(const char *path, const char *expected)
{
	char body[4096];

	fetch(path, body);
	assert_string_equal(body, expected);
}

static void machine_pid(pid_t *pid)
{
	zp_autobuf text = ZP_BUF_INIT;
	char name[16];

	node_short_name("m", "al", "u1/vm", name);
	zp_autofree char *path = zp_format("/run/alpha/libvirt/run/qemu/%s.pid", name);
	assert_int_equal(zp_file_read(path, 64, &text, NULL), 0);
	*pid = (pid_t)strtol(text.ptr, NULL, 10);
	assert_true(*pid > 1);
}

/* ---- tests ---- */

static void test_made(void **state)
{
	char *text;

	(void)state;
	need_isolation();
	assert_ensure("u1/net", "network", NETWORK, "\"bridge\"");
	assert_ensure("d1/disk", "zmount", "{\"size\":33554432}", "\"volume_id\":\"d-");
	text = ensure_machine(rootfs, "hello <one>", SERVE);
	assert_says(text, "\"ip\":\"10.1.2.2\",\"planetary_ip\":\"\",\"mycelium_ip\":\"\"");
	free(text);
	assert_page("page", "hello <one>");
	assert_page("name", "web-blue-1");
	assert_state("d1/disk", "ok: ");
	assert_state("u1/vm", "ok: ");
	made = true;
}

static void need_machine(void)
{
	if (!made)
		skip();
}

static void test_unchanged(void **state)
{
	char before[4096], after[4096];

	(void)state;
	need_machine();
	fetch("boot", before);
	free(ensure_machine(rootfs, "hello <one>", SERVE));
	fetch("boot", after);
	assert_string_equal(before, after);
}

static void test_refused(void **state)
{
	zp_autofree char *twice = machine_spec("file:///nowhere/", "x", SERVE);
	struct zp_error err = ZP_ERROR_INIT;

	(void)state;
	need_machine();
	assert_int_equal(node_remove(client(), "d1/disk", &err), -1);
	assert_says(zp_error_text(&err), "the disk is in use by u1/vm");
	assert_int_equal(err.code, NODE_E_BUSY);
	zp_error_clear(&err);
	assert_ensure("u2/vm", "zmachine", twice, "the disk d1/disk is in use by u1/vm");
	assert_int_equal(node_remove(client(), "u2/vm", NULL), 0);
	assert_ensure("d1/disk", "zmount", "{\"size\":16777216}", "can not shrink");
	assert_ensure("d1/disk", "zmount", "{\"size\":33554432}", "volume_id");
	free(ensure_machine("/nowhere", "x", SERVE));
	assert_page("page", "hello <one>");
}

static void test_disk_grows(void **state)
{
	long size = 0;

	(void)state;
	need_machine();
	free(ensure_machine(rootfs, "hello <one>", SERVE));
	assert_ensure("d1/disk", "zmount", "{\"size\":268435456}", "volume_id");
	for (int i = 0; i < 50 && size < 200; i++) {
		struct get get = { .path = "df" };
		char netns[16];

		poll(NULL, 0, 200);
		node_short_name("n", "al", "u1/net", netns);
		/* A line of headings, then device and size. */
		if (provider_netns_run(netns, get_inside, &get, NULL) == 0)
			size = strtol(get.rest + strcspn(get.rest, " "), NULL, 10);
	}
	assert_true(size >= 200);
	assert_state("d1/disk", "ok: ");
	assert_state("u1/vm", "ok: ");
}

static void test_killed(void **state)
{
	char before[4096], after[4096] = "";
	pid_t pid;

	(void)state;
	need_machine();
	fetch("boot", before);
	machine_pid(&pid);
	assert_int_equal(kill(pid, SIGKILL), 0);
	for (int i = 0; i < 100 && (!after[0] || strcmp(before, after) == 0); i++) {
		poll(NULL, 0, 200);
		try_get("boot", after);
	}
	assert_string_not_equal(before, after);
	assert_page("page", "hello <one>");
	assert_state("u1/vm", "ok: ");
}

static void test_agent_dies(void **state)
{
	char before[4096], after[4096];

	(void)state;
	need_machine();
	fetch("boot", before);
	stop_agent(SIGKILL);
	start_agent();
	client();
	poll(NULL, 0, 3000);
	assert_state("u1/vm", "ok: ");
	fetch("boot", after);
	assert_string_equal(before, after);
	free(ensure_machine(rootfs, "hello <one>", SERVE));
	fetch("boot", after);
	assert_string_equal(before, after);
}

/* Nobody is there to take a machine down that has ended: the next agent does, and starts it. */
static void test_ends_unwatched(void **state)
{
	char text[512] = "";

	(void)state;
	need_machine();
	free(ensure_machine(rootfs, "hello",
		"/bin/sh -c 'if [ -f /data/once ]; then rm /data/once; cd /data; exec httpd -f -p "
		"80; fi; touch /data/once; sync; sleep 2; exit 5'"));
	stop_agent(SIGKILL);
	poll(NULL, 0, 4000);
	start_agent();
	assert_page("page", "hello <one>");
	for (int i = 0; i < 50 && strcmp(text, "ok: ") != 0; i++) {
		poll(NULL, 0, 100);
		get_state("u1/vm", text);
	}
	assert_string_equal(text, "ok: ");
	free(ensure_machine(rootfs, "hello <one>", SERVE));
}

static void test_tap_detached(void **state)
{
	char tap[16];

	(void)state;
	need_machine();
	node_short_name("t", "al", "u1/vm", tap);
	assert_int_equal(provider_link_attach(tap, NULL, NULL), 0);
	assert_state("u1/vm", "degraded: it is not attached to its network");
	free(ensure_machine(rootfs, "hello <one>", SERVE));
	assert_state("u1/vm", "ok: ");
	assert_page("page", "hello <one>");
}

static void test_env_changes(void **state)
{
	char before[4096], after[4096];

	(void)state;
	need_machine();
	fetch("boot", before);
	free(ensure_machine(rootfs, "hello two", SERVE));
	fetch("boot", after);
	assert_string_not_equal(before, after);
	assert_page("env", "hello two");
	assert_page("page", "hello <one>");
}

static void test_content_changes(void **state)
{
	char netns[16];
	struct get get = { .path = "top" };

	(void)state;
	need_machine();
	assert_int_equal(zp_run((const char *[]){ "cp", "-a", rootfs, "/run/other", NULL }, NULL,
				 NULL, NULL),
		0);
	assert_int_equal(mkdir("/run/other/a-new-folder", 0755), 0);
	free(ensure_machine("/run/other", "hello two", SERVE));
	assert_page("page", "hello <one>");
	node_short_name("n", "al", "u1/net", netns);
	assert_int_equal(provider_netns_run(netns, get_inside, &get, NULL), 0);
	assert_string_equal(get.body, "a-new-folder");
	assert_state("u1/vm", "ok: ");
}

struct chat {
	const char *text;
	char answer[4096];
};

static int chat_inside(void *data, struct zp_error *err)
{
	struct chat *chat = data;
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(20002) };
	zp_autoclose int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct timeval wait = { 1, 0 };
	size_t len = 0;
	ssize_t n;

	(void)err;
	inet_pton(AF_INET, "10.1.2.1", &to.sin_addr);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		return -1;
	dprintf(fd, "%s\n", chat->text);
	while (len < sizeof(chat->answer) - 1 &&
		(n = read(fd, chat->answer + len, sizeof(chat->answer) - 1 - len)) > 0)
		len += (size_t)n;
	chat->answer[len] = '\0';
	return 0;
}

/* Instead of the entrypoint, a shell on the address the result names. */
static void test_console(void **state)
{
	struct chat chat = { .text = "echo $((6 * 7)) at $(hostname) of $PAGE" };
	zp_autofree char *flist = zp_format("file://%s/", rootfs);
	zp_autofree char *plain = machine_spec(flist, "hello two", SERVE);
	zp_autofree char *text = NULL;
	cJSON *spec = cJSON_Parse(plain);
	char netns[16];

	(void)state;
	need_machine();
	cJSON_AddBoolToObject(spec, "corex", true);
	text = cJSON_PrintUnformatted(spec);
	cJSON_Delete(spec);
	assert_ensure("u1/vm", "zmachine", text, "\"console_url\":\"10.1.2.1:20002\"");
	node_short_name("n", "al", "u1/net", netns);
	for (int i = 0; i < 10 && !strstr(chat.answer, "42 at web-blue-1 of hello two"); i++) {
		poll(NULL, 0, 300);
		assert_int_equal(provider_netns_run(netns, chat_inside, &chat, NULL), 0);
	}
	assert_says(chat.answer, "42 at web-blue-1 of hello two");
	assert_state("u1/vm", "ok: ");
}

static void test_entrypoint_ends(void **state)
{
	char text[512] = "";

	(void)state;
	need_machine();
	free(ensure_machine("/run/other", "x", "/bin/sh -c 'exit 3'"));
	for (int i = 0; i < 600 && !strstr(text, "more than 4 times"); i++) {
		poll(NULL, 0, 100);
		get_state("u1/vm", text);
	}
	assert_string_equal(text,
		"degraded: it stopped more than 4 times in 120 seconds (its last words: the "
		"entrypoint ended with status 3)");
	free(ensure_machine("/run/other", "hello three", SERVE));
	assert_page("env", "hello three");
	assert_state("u1/vm", "ok: ");
}

static size_t count_images(void)
{
	DIR *dir = opendir("/run/alpha/cache");
	size_t count = 0;
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

static void test_removed(void **state)
{
	struct provider_link link;
	struct timespec start, end;
	char name[16];
	pid_t pid;

	(void)state;
	need_machine();
	machine_pid(&pid);
	clock_gettime(CLOCK_MONOTONIC, &start);
	assert_int_equal(node_remove(client(), "u1/vm", NULL), 0);
	clock_gettime(CLOCK_MONOTONIC, &end);
	assert_true(end.tv_sec - start.tv_sec < 8);
	assert_int_equal(kill(pid, 0), -1);
	node_short_name("t", "al", "u1/vm", name);
	assert_int_equal(provider_link_get(name, &link, NULL), 0);
	assert_int_equal(link.index, 0);
	assert_false(zp_file_exists("/run/alpha/workloads/u1~vm"));
	assert_int_equal(node_remove(client(), "u1/vm", NULL), 0);
	node_short_name("n", "al", "u1/net", name);
	assert_int_equal(
		provider_netns_run(name, chat_inside, &(struct chat){ .text = "" }, NULL), -1);
	assert_int_equal(count_images(), 2);
	assert_int_equal(node_remove(client(), "d1/disk", NULL), 0);
	assert_false(zp_file_exists("/run/alpha/workloads/d1~disk"));
	assert_int_equal(node_remove(client(), "u1/net", NULL), 0);
}

static int run_all(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_made),
		cmocka_unit_test(test_unchanged),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_disk_grows),
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_agent_dies),
		cmocka_unit_test(test_ends_unwatched),
		cmocka_unit_test(test_tap_detached),
		cmocka_unit_test(test_env_changes),
		cmocka_unit_test(test_content_changes),
		cmocka_unit_test(test_console),
		cmocka_unit_test(test_entrypoint_ends),
		cmocka_unit_test(test_removed),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "agent") == 0)
		return run_agent();
	return isolate_run(run_all);
}

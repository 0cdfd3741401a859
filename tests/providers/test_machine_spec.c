/* The spec of a machine, its command line, config disk, host name, restarts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "providers/machine/command.h"
#include "providers/machine/config.h"
#include "providers/machine/restarts.h"
#include "providers/machine/spec.h"

/* The other side of the config disk: no part of the library, as it runs in machines only. */
#include "providers/machine/guest/config.c"

static const char plain[] =
	"{\"flist\":\"file:///x/\",\"size\":524288000,"
	"\"compute_capacity\":{\"cpu\":2,\"memory\":536870912},"
	"\"network\":{\"interfaces\":[{\"network\":\"u1/net\",\"ip\":\"10.1.2.9\"}]},"
	"\"mounts\":[{\"name\":\"d2/disk\",\"mountpoint\":\"/data/logs\"},"
	"{\"name\":\"d1/disk\",\"mountpoint\":\"/data\"}],"
	"\"entrypoint\":\"/bin/serve --page 'a b'\",\"env\":{\"Z\":\"1\",\"A\":\"x=y\\nz\"}}";

static void test_read(void **state)
{
	cJSON *json = cJSON_Parse(plain);
	struct provider_machine_spec spec;

	(void)state;
	assert_int_equal(provider_machine_spec_read(json, &spec, NULL), 0);
	cJSON_Delete(json); /* the spec keeps nothing of it */
	assert_string_equal(spec.flist, "file:///x/");
	assert_string_equal(spec.checksum, "");
	assert_int_equal(spec.size, 524288000);
	assert_int_equal(spec.memory, 536870912);
	assert_int_equal(spec.cpu, 2);
	assert_string_equal(spec.network, "u1/net");
	assert_int_equal(spec.ip, 0x0a010209);
	assert_int_equal(spec.mount_count, 2);
	/* What is mounted inside another comes after it, whatever the order given. */
	assert_string_equal(spec.mounts[0].path, "/data");
	assert_string_equal(spec.mounts[1].disk, "d2/disk");
	assert_int_equal(spec.arg_count, 3);
	assert_string_equal(spec.args[2], "a b");
	assert_null(spec.args[3]);
	assert_int_equal(spec.env_count, 2);
	assert_string_equal(spec.env[0], "A=x=y\nz");
	assert_string_equal(spec.env[1], "Z=1");
	assert_false(spec.corex);
	provider_machine_spec_release(&spec);
}

/* Replaces one top-level field of the plain spec (NULL: removes it). */
static cJSON *with(const char *field, const char *value)
{
	cJSON *json = cJSON_Parse(plain);

	cJSON_DeleteItemFromObjectCaseSensitive(json, field);
	if (value)
		cJSON_AddItemToObject(json, field, cJSON_Parse(value));
	return json;
}

#define CAPACITY(cpu, memory) "{\"cpu\":" cpu ",\"memory\":" memory "}"
#define MOUNT(name, path) "{\"name\":\"" name "\",\"mountpoint\":\"" path "\"}"
#define INTERFACE(ip) "{\"interfaces\":[{\"network\":\"n\",\"ip\":\"" ip "\"}]}"

static void test_refused(void **state)
{
	static const struct {
		const char *field, *value, *error;
	} rows[] = {
		{ "flist", NULL, "flist: required, but not given" },
		{ "flist", "\"ftp://x/\"",
			"flist: \"ftp://x/\" does not begin with http://, https:// or file:///" },
		{ "flist", "\"file://x/\"",
			"flist: \"file://x/\" does not begin with http://, https:// or file:///" },
		{ "flist", "7", "flist: must be text" },
		{ "flist_checksum", "\"abc\"",
			"flist_checksum: must be a SHA-256 or MD5 in hexadecimal" },
		{ "size", NULL, "size: required, but not given" },
		{ "size", "1048576",
			"size: must be a whole number from 524288000 to 17592186044416" },
		{ "size", "5.5e300",
			"size: must be a whole number from 524288000 to 17592186044416" },
		{ "compute_capacity", NULL, "compute_capacity: required, but not given" },
		{ "compute_capacity", CAPACITY("0", "536870912"),
			"compute_capacity.cpu: must be a whole number from 1 to 32" },
		{ "compute_capacity", CAPACITY("1.5", "536870912"),
			"compute_capacity.cpu: must be a whole number from 1 to 32" },
		{ "compute_capacity", CAPACITY("\"1\"", "536870912"),
			"compute_capacity.cpu: must be a whole number from 1 to 32" },
		{ "compute_capacity", CAPACITY("1", "1"),
			"compute_capacity.memory: must be a whole number from 262144000 to "
			"1099511627776" },
		{ "compute_capacity", CAPACITY("4", "2147483648"),
			"size: a machine of 4 cores and 2048 MB needs a root of at least 2048 MB" },
		{ "network", "{}", "network.interfaces: exactly one is needed" },
		{ "network", "{\"interfaces\":[{},{}]}",
			"network.interfaces: exactly one is needed" },
		{ "network", "{\"interfaces\":[{}]}",
			"network.interfaces: network: required, but not given" },
		{ "network", INTERFACE("10.1.2"),
			"network.interfaces: ip: \"10.1.2\" is not an IPv4 address" },
		{ "mounts", "{}", "mounts: must be a list of at most 16" },
		{ "mounts", "[{}]", "mounts: name: required, but not given" },
		{ "mounts", "[" MOUNT("d", "data") "]",
			"mounts: mountpoint: \"data\" is not an absolute path of a folder" },
		{ "mounts", "[" MOUNT("d", "/a/../etc") "]",
			"mounts: mountpoint: \"/a/../etc\" is not an absolute path of a folder" },
		{ "mounts", "[" MOUNT("d", "/") "]",
			"mounts: mountpoint: \"/\" is not an absolute path of a folder" },
		{ "mounts", "[" MOUNT("d", "/a b") "]",
			"mounts: mountpoint: \"/a b\" is not an absolute path of a folder" },
		{ "mounts", "[" MOUNT("d", "/a") "," MOUNT("e", "/a") "]",
			"mounts: mountpoint: /a is given twice" },
		{ "mounts", "[" MOUNT("d", "/a") "," MOUNT("d", "/b") "]",
			"mounts: name: the disk d is mounted twice" },
		{ "env", "{\"A=B\":\"x\"}", "env: \"A=B\" can not be a variable's name" },
		{ "env", "{\"A\":1}", "env: A must be text" },
		{ "env", "[]", "env: must be an object of at most 512 texts" },
		{ "entrypoint", "\"sh -c 'x\"", "entrypoint: a single quote is not closed" },
	};

	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		struct zp_error err = ZP_ERROR_INIT;
		struct provider_machine_spec spec;
		cJSON *json = with(rows[i].field, rows[i].value);

		assert_int_equal(provider_machine_spec_read(json, &spec, &err), -1);
		assert_string_equal(zp_error_text(&err), rows[i].error);
		zp_error_clear(&err);
		cJSON_Delete(json);
	}
}

static void test_command(void **state)
{
	static const struct {
		const char *text, *words; /* words joined by '|'; NULL: refused */
	} rows[] = {
		{ "", "" },
		{ "  \t\n", "" },
		{ "a b  c", "a|b|c" },
		{ "/bin/sh -c 'echo \"$PAGE\" > /x; y'", "/bin/sh|-c|echo \"$PAGE\" > /x; y" },
		{ "a\"b c\"d", "ab cd" },
		{ "a\\ b", "a b" },
		{ "'a\\b'", "a\\b" },
		{ "\"a\\\"b\\n\"", "a\"b\\n" },
		{ "''", "" },
		{ "a '' b", "a||b" },
		{ "a\\", "a\\" },
		{ "'a", NULL },
		{ "\"a", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		struct zp_error err = ZP_ERROR_INIT;
		struct zp_buf joined = ZP_BUF_INIT;
		struct zp_arena arena;
		char **words;
		size_t count;

		zp_arena_init(&arena);
		int rc = provider_command_split(&arena, rows[i].text, &words, &count, &err);
		assert_int_equal(rc, rows[i].words ? 0 : -1);
		for (size_t j = 0; rc == 0 && j < count; j++)
			zp_buf_printf(&joined, "%s%s", j ? "|" : "", words[j]);
		if (rc == 0)
			assert_string_equal(joined.len ? joined.ptr : "", rows[i].words);
		zp_buf_release(&joined);
		zp_error_clear(&err);
		zp_arena_release(&arena);
	}
}

static void test_hostname(void **state)
{
	static const struct {
		const char *address, *name;
	} rows[] = {
		{ "zos_machine.web", "web" },
		{ "zos_machine.web[0]", "web-0" },
		{ "zos_machine.web[\"Blue 1\"]", "web-blue-1" },
		{ "zos_machine.my_web", "my-web" },
		{ "module.a.zos_machine.web", "web" },
		{ "module.a[\"x.y\"].zos_machine.web[\"b.c\"]", "web-b-c" },
		{ "module.a[0].module.b.zos_machine.web", "web" },
		{ "zos_machine.___", "machine" },
		{ "", "machine" },
		{ NULL, "machine" },
	};
	char name[PROVIDER_HOSTNAME_MAX + 1], text[200];

	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		provider_hostname(rows[i].address, name);
		assert_string_equal(name, rows[i].name);
	}
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	provider_hostname(text, name);
	assert_int_equal(strlen(name), PROVIDER_HOSTNAME_MAX);
}

static void test_name_servers(void **state)
{
	struct zp_arena arena;
	const char *out[3];

	(void)state;
	zp_arena_init(&arena);
	assert_int_equal(provider_name_servers(&arena,
				 "# x\nnameserver 127.0.0.53\nsearch a\nnameserver\t10.0.0.1 \n"
				 "nameserver fe80::1\nnameserver 10.0.0.2",
				 out),
		2);
	assert_string_equal(out[0], "10.0.0.1");
	assert_string_equal(out[1], "10.0.0.2");
	assert_int_equal(provider_name_servers(&arena, "nameserver 127.0.0.1\n", out), 2);
	assert_string_equal(out[0], "9.9.9.9");
	assert_int_equal(provider_name_servers(&arena, NULL, out), 2);
	zp_arena_release(&arena);
}

/* What init makes of it, and that it takes nothing that was cut off. */
static void check_guest(const char *disk, size_t len)
{
	static struct guest_config guest;
	char *copy = zp_malloc(len);

	memcpy(copy, disk, len);
	assert_true(guest_config_parse(copy, len, &guest));
	assert_string_equal(guest.hostname, "web");
	assert_string_equal(guest.address, "10.1.2.9/24");
	assert_int_equal(guest.mount_count, 3);
	assert_string_equal(guest.mounts[0].path, "/");
	assert_string_equal(guest.mounts[2].serial, "d-2");
	assert_string_equal(guest.mounts[2].path, "/data/logs");
	assert_int_equal(guest.arg_count, 3);
	assert_string_equal(guest.args[2], "a b");
	assert_null(guest.args[3]);
	assert_int_equal(guest.env_count, 2);
	assert_false(guest.console);
	free(copy);
	for (size_t cut = 0; cut < len; cut++) {
		copy = zp_malloc(cut + 1);
		memcpy(copy, disk, cut);
		if (guest_config_parse(copy, cut, &guest))
			assert_int_equal(guest.arg_count, 3);
		free(copy);
	}
}

/* The disk as the guest's init reads it: texts ended by NUL, to the last record. */
static void test_config(void **state)
{
	static const char *const expected[] = { "zplan machine 1", "hostname", "web", "nic",
		"02:00:00:00:00:01", "address", "10.1.2.9/24", "gateway", "10.1.2.1", "dns",
		"9.9.9.9", "mount", "d-1 /data", "mount", "d-2 /data/logs", "env", "A=x=y\nz",
		"env", "Z=1", "arg", "/bin/serve", "arg", "--page", "arg", "a b", "end", "" };
	static const char *const serials[] = { "d-1", "d-2" }, *const dns[] = { "9.9.9.9" };
	struct provider_machine_spec spec;
	struct provider_machine_config config = { .spec = &spec,
		.hostname = "web",
		.mac = "02:00:00:00:00:01",
		.address = "10.1.2.9/24",
		.gateway = "10.1.2.1",
		.serials = serials,
		.dns = dns,
		.dns_count = 1 };
	struct zp_buf out = ZP_BUF_INIT;
	cJSON *json = cJSON_Parse(plain);
	const char *at;

	(void)state;
	assert_int_equal(provider_machine_spec_read(json, &spec, NULL), 0);
	assert_int_equal(provider_machine_config_build(&config, &out, NULL), 0);
	assert_int_equal(out.len % 512, 0);
	at = out.ptr;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(expected); i++, at += strlen(at) + 1)
		assert_string_equal(at, expected[i]);
	for (; at < out.ptr + out.len; at++)
		assert_int_equal(*at, 0);
	check_guest(out.ptr, out.len);
	zp_buf_release(&out);
	cJSON_Delete(json);
	provider_machine_spec_release(&spec);
}

static void test_restarts(void **state)
{
	(void)state;
	for (int64_t now = 1000; now < 1004; now++)
		assert_true(provider_restart_take("a", now));
	assert_false(provider_restart_is_given_up("a"));
	assert_true(provider_restart_take("b", 1004));
	assert_false(provider_restart_take("a", 1119));
	assert_true(provider_restart_is_given_up("a"));
	/* Later does not help; somebody has to look. */
	assert_false(provider_restart_take("a", 9000));
	provider_restart_forget("a");
	assert_true(provider_restart_take("a", 9000));
	/* Now and then is fine for ever. */
	for (int64_t now = 10000; now < 20000; now += 31)
		assert_true(provider_restart_take("b", now));
	provider_restart_forget("a");
	provider_restart_forget("b");
	provider_restart_forget("never heard of");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_command),
		cmocka_unit_test(test_hostname),
		cmocka_unit_test(test_name_servers),
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_restarts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "providers/machine/hypervisor.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "providers/machine/capabilities.h"

#define POLL_MS 50
#define PRESS_AGAIN_MS 2000
#define GONE_MS 10000

/*
 * For the embedded driver: machines run as root with the files as they are. By default libvirt
 * would hand images, and the kernel all machines share, over to another user.
 */
static const char qemu_conf[] = "user = \"root\"\n"
				"group = \"root\"\n"
				"dynamic_ownership = 0\n"
				"remember_owner = 0\n"
				"security_driver = \"none\"\n"
				"namespaces = []\n"
				"cgroup_controllers = []\n"
				"stdio_handler = \"file\"\n";

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static virConnectPtr connection;
static char *connected_uri;

/* ---- staying on one processor ---- */

/*
 * The embedded driver keeps what it learnt of QEMU only while the processor answers the same, and
 * processors differ in their number: a call from another one costs seconds. Hence a thread stays on
 * the first processor it may use while it is inside libvirt.
 */
struct pin {
	cpu_set_t before;
	bool pinned;
};

static void pin_release(struct pin *pin)
{
	if (pin->pinned)
		sched_setaffinity(0, sizeof(pin->before), &pin->before);
}

static struct pin pin_thread(bool wanted)
{
	struct pin pin = { .pinned = false };
	cpu_set_t one;

	if (!wanted || sched_getaffinity(0, sizeof(pin.before), &pin.before) != 0)
		return pin;
	CPU_ZERO(&one);
	for (int i = 0; i < CPU_SETSIZE; i++) {
		if (!CPU_ISSET(i, &pin.before))
			continue;
		CPU_SET(i, &one);
		break;
	}
	pin.pinned = sched_setaffinity(0, sizeof(one), &one) == 0;
	return pin;
}

#define autopin __attribute__((unused)) zp_cleanup(pin_release) struct pin

/* ---- the connection ---- */

static int fail(struct zp_error *err, const char *what)
{
	const virError *last = virGetLastError();

	return zp_error_code(err, last ? last->code : 0, "%s: %s", what,
		last && last->message ? last->message : "unknown error");
}

static void quiet(void *data, virErrorPtr error)
{
	(void)data;
	(void)error;
}

static void *run_events(void *arg)
{
	(void)arg;
	for (;;)
		if (virEventRunDefaultImpl() < 0)
			usleep(100000);
	return NULL;
}

/* The loop only sleeps in poll() until something registers: a timer lets it look again. */
static void tick(int timer, void *data)
{
	(void)timer;
	(void)data;
}

static int start_events(struct zp_error *err)
{
	static bool started;
	sigset_t all, before;
	pthread_t thread;
	int rc;

	if (started)
		return 0;
	virSetErrorFunc(NULL, quiet);
	if (virInitialize() < 0 || virEventRegisterDefaultImpl() < 0 ||
		virEventAddTimeout(1000, tick, NULL, NULL) < 0)
		return fail(err, "starting libvirt's event loop");
	/* Signals are for the program's own threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&thread, NULL, run_events, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0)
		return zp_error_code(err, rc, "starting a thread for libvirt: %s", strerror(rc));
	pthread_detach(thread);
	started = true;
	return 0;
}

bool provider_hypervisor_is_embedded(const struct node_context *node)
{
	return !*node_libvirt_uri(node);
}

/* The driver reads etc/qemu.conf under its root when it is opened. */
static int write_settings(const char *root, struct zp_error *err)
{
	zp_autofree char *folder = zp_format("%s/etc", root);
	zp_autofree char *path = zp_format("%s/qemu.conf", folder);
	zp_autobuf found = ZP_BUF_INIT;

	if (zp_file_read(path, 1 << 16, &found, NULL) == 0 &&
		zp_str_is(zp_buf_slice(&found), qemu_conf))
		return 0;
	if (zp_mkdirs(folder, 0700, err) < 0)
		return -1;
	return zp_file_write_atomic(path, zp_str(qemu_conf), 0600, err);
}

static char *driver_root(const struct node_context *node)
{
	return zp_format("%s/libvirt", node_root(node));
}

/* Heap: the URI to open, with '%' escapes for what a URI can not hold. */
static char *make_uri(const struct node_context *node)
{
	zp_autofree char *root = driver_root(node);
	zp_autobuf uri = ZP_BUF_INIT;

	if (!provider_hypervisor_is_embedded(node))
		return zp_strdup(node_libvirt_uri(node));
	zp_buf_puts(&uri, "qemu:///embed?root=");
	for (const unsigned char *p = (const unsigned char *)root; *p; p++) {
		if (*p > ' ' && *p < 127 && !strchr("%&#?;+", *p))
			zp_buf_char(&uri, (char)*p);
		else
			zp_buf_printf(&uri, "%%%02X", *p);
	}
	return zp_buf_steal(&uri);
}

/*
 * The embedded driver takes machines over in the background; until that is done, acting on one goes
 * wrong. A question only QEMU can answer waits for it.
 */
static void await_takeover(virConnectPtr conn)
{
	virDomainPtr *domains = NULL;
	int count = virConnectListAllDomains(conn, &domains, 0);

	for (int i = 0; i < count; i++) {
		struct _virDomainBlockStats stats;

		virDomainBlockStats(domains[i], "vda", &stats, sizeof(stats));
		virDomainFree(domains[i]);
	}
	free(domains);
}

/* Under the lock. */
static int connect_uri(const struct node_context *node, const char *uri, struct zp_error *err)
{
	zp_autofree char *root = driver_root(node);
	virConnectPtr conn;

	if (start_events(err) < 0)
		return -1;
	if (provider_hypervisor_is_embedded(node)) {
		if (write_settings(root, err) < 0)
			return -1;
		provider_capabilities_borrow(PROVIDER_CAPABILITIES, root);
	}
	conn = virConnectOpen(uri);
	if (!conn)
		return fail(err, "opening libvirt");
	await_takeover(conn);
	connection = conn;
	connected_uri = zp_strdup(uri);
	return 0;
}

static void disconnect(void)
{
	if (connection)
		virConnectClose(connection);
	connection = NULL;
	free(connected_uri);
	connected_uri = NULL;
}

/* The connection with a reference of the caller's; NULL after an error. */
static virConnectPtr get_connection(struct node_context *node, struct zp_error *err)
{
	zp_autofree char *uri = make_uri(node);
	virConnectPtr conn = NULL;

	pthread_mutex_lock(&lock);
	if (connection && (strcmp(connected_uri, uri) != 0 || virConnectIsAlive(connection) != 1))
		disconnect();
	if (connection || connect_uri(node, uri, err) == 0) {
		conn = connection;
		virConnectRef(conn);
	}
	pthread_mutex_unlock(&lock);
	return conn;
}

void provider_hypervisor_close(void)
{
	pthread_mutex_lock(&lock);
	disconnect();
	pthread_mutex_unlock(&lock);
}

/* ---- domains ---- */

struct handle {
	virConnectPtr conn;
	virDomainPtr domain; /* NULL: there is none of this name */
};

static void handle_release(struct handle *handle)
{
	if (handle->domain)
		virDomainFree(handle->domain);
	if (handle->conn)
		virConnectClose(handle->conn);
}

#define autohandle zp_cleanup(handle_release) struct handle

static bool is_missing(void)
{
	const virError *last = virGetLastError();

	return last && last->code == VIR_ERR_NO_DOMAIN;
}

static int find(
	struct node_context *node, const char *name, struct handle *handle, struct zp_error *err)
{
	handle->conn = get_connection(node, err);
	if (!handle->conn)
		return -1;
	handle->domain = virDomainLookupByName(handle->conn, name);
	if (!handle->domain && !is_missing())
		return fail(err, "looking for the machine");
	return 0;
}

static int get_state(virDomainPtr domain, enum provider_domain_state *state, struct zp_error *err)
{
	int found = 0;

	*state = PROVIDER_DOMAIN_NONE;
	if (!domain)
		return 0;
	if (virDomainGetState(domain, &found, NULL, 0) < 0)
		return is_missing() ? 0 : fail(err, "asking for the machine's state");
	switch (found) {
	case VIR_DOMAIN_SHUTOFF:
	case VIR_DOMAIN_CRASHED:
		break;
	case VIR_DOMAIN_PAUSED:
	case VIR_DOMAIN_PMSUSPENDED:
		*state = PROVIDER_DOMAIN_PAUSED;
		break;
	default:
		*state = PROVIDER_DOMAIN_RUNNING;
	}
	return 0;
}

int provider_hypervisor_state(struct node_context *node, const char *name,
	enum provider_domain_state *state, struct zp_error *err)
{
	autopin pin = pin_thread(provider_hypervisor_is_embedded(node));
	autohandle handle = { 0 };

	*state = PROVIDER_DOMAIN_NONE;
	if (find(node, name, &handle, err) < 0)
		return -1;
	return get_state(handle.domain, state, err);
}

/* By now libvirt has found out what QEMU can do. */
static void lend_once(const struct node_context *node)
{
	static atomic_flag lent = ATOMIC_FLAG_INIT;
	zp_autofree char *root = driver_root(node);

	if (provider_hypervisor_is_embedded(node) && !atomic_flag_test_and_set(&lent))
		provider_capabilities_lend(PROVIDER_CAPABILITIES, root);
}

int provider_hypervisor_start(struct node_context *node, const char *xml, struct zp_error *err)
{
	autopin pin = pin_thread(provider_hypervisor_is_embedded(node));
	autohandle handle = { .conn = get_connection(node, err) };

	if (!handle.conn)
		return -1;
	handle.domain = virDomainCreateXML(handle.conn, xml, 0);
	if (!handle.domain)
		return fail(err, "starting the machine");
	lend_once(node);
	return 0;
}

static void sleep_ms(int ms)
{
	struct timespec time = { ms / 1000, (ms % 1000) * 1000000L };

	nanosleep(&time, NULL);
}

/* Whether it is gone within the time. */
static bool await_end(virDomainPtr domain, int ms)
{
	enum provider_domain_state state = PROVIDER_DOMAIN_RUNNING;

	for (int waited = 0;; waited += POLL_MS) {
		if (get_state(domain, &state, NULL) == 0 && state == PROVIDER_DOMAIN_NONE)
			return true;
		if (waited >= ms)
			return false;
		sleep_ms(POLL_MS);
	}
}

/* A guest that has just started does not notice its button yet, so it is pressed again. */
static bool shut_down(virDomainPtr domain, int grace_ms)
{
	enum provider_domain_state state;

	if (get_state(domain, &state, NULL) == 0 && state == PROVIDER_DOMAIN_PAUSED)
		return false;
	for (int left = grace_ms; left > 0; left -= PRESS_AGAIN_MS) {
		if (virDomainShutdownFlags(domain, VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN) < 0)
			return await_end(domain, 0);
		if (await_end(domain, left < PRESS_AGAIN_MS ? left : PRESS_AGAIN_MS))
			return true;
	}
	return false;
}

int provider_hypervisor_stop(
	struct node_context *node, const char *name, int grace_ms, struct zp_error *err)
{
	autopin pin = pin_thread(provider_hypervisor_is_embedded(node));
	autohandle handle = { 0 };

	if (find(node, name, &handle, err) < 0)
		return -1;
	if (!handle.domain || await_end(handle.domain, 0) || shut_down(handle.domain, grace_ms))
		return 0;
	if (virDomainDestroy(handle.domain) == 0)
		return 0;
	/* It may have ended by itself between the two. */
	zp_autoerror reason = ZP_ERROR_INIT;

	fail(&reason, "stopping the machine");
	return await_end(handle.domain, GONE_MS)
		       ? 0
		       : zp_error_code(err, reason.code, "%s", zp_error_text(&reason));
}

int provider_hypervisor_resume(struct node_context *node, const char *name, struct zp_error *err)
{
	autopin pin = pin_thread(provider_hypervisor_is_embedded(node));
	autohandle handle = { 0 };

	if (find(node, name, &handle, err) < 0)
		return -1;
	if (handle.domain && virDomainResume(handle.domain) < 0)
		return fail(err, "continuing the machine");
	return 0;
}

int provider_hypervisor_grow_disk(struct node_context *node, const char *name, const char *path,
	int64_t size, struct zp_error *err)
{
	autopin pin = pin_thread(provider_hypervisor_is_embedded(node));
	autohandle handle = { 0 };

	if (find(node, name, &handle, err) < 0)
		return -1;
	if (!handle.domain)
		return zp_error_set(err, "the machine does not run");
	if (virDomainBlockResize(handle.domain, path, (unsigned long long)size,
		    VIR_DOMAIN_BLOCK_RESIZE_BYTES) < 0)
		return fail(err, "growing the disk of the running machine");
	return 0;
}

#include "sync/controller.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/signalfd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "sync/child.h"
#include "sync/http.h"
#include "sync/log.h"
#include "sync/notify.h"
#include "sync/slots.h"
#include "sync/turn.h"

#define LOOK_MS 500 /* how often is looked for what other processes wrote */
#define ORPHAN_PATIENCE_MS 60000
#define PRUNE_RETRY_MS 300000

struct sync_controller {
	const struct sync_options *options;
	pthread_mutex_t lock;
	struct sync_config *config;
	struct sync_store *store;
	struct sync_slots slots;
	int wake_fd, stop_fd, signal_fd, lock_fd;
	int running;
	bool stopping;
	int64_t looked_at, version;
	struct sync_http *http;
	char *listen; /* where it listens; heap, or NULL */
	struct sync_notifier *notifier;
};

struct task {
	struct sync_controller *controller;
	struct sync_slot *slot;
	struct sync_config *config;
	const struct sync_stack *stack;
};

struct sync_config *sync_controller_config(struct sync_controller *controller)
{
	pthread_mutex_lock(&controller->lock);
	struct sync_config *config = sync_config_ref(controller->config);
	pthread_mutex_unlock(&controller->lock);
	return config;
}

struct sync_store *sync_controller_store(struct sync_controller *controller)
{
	return controller->store;
}

void sync_controller_wake(struct sync_controller *controller)
{
	uint64_t one = 1;

	(void)!write(controller->wake_fd, &one, sizeof(one));
}

void sync_controller_pulse(struct sync_controller *controller, int *running, int64_t *idle_ms)
{
	pthread_mutex_lock(&controller->lock);
	*running = controller->running;
	*idle_ms = sync_now() - controller->looked_at;
	pthread_mutex_unlock(&controller->lock);
}

/* ---- turns ---- */

/* Those who depend on what changed look again: they may read its outputs. */
static void ask_dependents(const struct task *task)
{
	for (size_t i = 0; i < task->config->stack_count; i++) {
		const struct sync_stack *other = &task->config->stacks[i];
		for (const struct sync_stack **before = other->depends_on; *before; before++)
			if (*before == task->stack)
				sync_store_ask(task->controller->store, other->name, "dependency", false, NULL);
	}
}

static void end_task(struct task *task, int64_t next_at, bool gone)
{
	struct sync_controller *controller = task->controller;

	pthread_mutex_lock(&controller->lock);
	controller->running--;
	if (gone && !task->slot->stack) {
		sync_slots_remove(&controller->slots, task->slot);
	} else {
		task->slot->running = false;
		task->slot->next_at = gone ? 0 : next_at;
	}
	/* Under the lock: once it is free, the controller may be gone. */
	sync_controller_wake(controller);
	pthread_mutex_unlock(&controller->lock);
	sync_config_unref(task->config);
	free(task);
}

static void *run_task(void *data)
{
	struct task *task = data;
	struct sync_turn turn = { .config = task->config, .stack = task->stack,
		.store = task->controller->store, .program = task->controller->options->program,
		.stop_fd = task->controller->stop_fd, .unreachable = &task->slot->unreachable };

	if (!task->stack) {
		bool gone = sync_prune(&turn, task->slot->name);
		end_task(task, sync_now() + PRUNE_RETRY_MS, gone);
		return NULL;
	}
	struct sync_outcome outcome = sync_turn(&turn);
	if (outcome.changed)
		ask_dependents(task);
	end_task(task, outcome.next_at, false);
	return NULL;
}

/* Under the lock. */
static void start_task(struct sync_controller *controller, struct sync_slot *slot)
{
	struct task *task = zp_calloc(1, sizeof(*task));
	pthread_attr_t attributes;
	pthread_t thread;

	*task = (struct task){ controller, slot, sync_config_ref(controller->config), slot->stack };
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	slot->running = true;
	slot->asked = false;
	slot->due_since = 0;
	controller->running++;
	int rc = pthread_create(&thread, &attributes, run_task, task);
	pthread_attr_destroy(&attributes);
	if (!rc)
		return;
	sync_log(ZP_LOG_ERROR, controller->config, slot->name, 0, "no thread for it: %s", strerror(rc));
	controller->running--;
	slot->running = false;
	slot->next_at = sync_now() + 10000;
	sync_config_unref(task->config);
	free(task);
}

/* Starts whatever may start; gives when to look again. Under the lock. */
static int64_t schedule(struct sync_controller *controller)
{
	struct sync_slots *slots = &controller->slots;
	int64_t now = sync_now(), next = now + 60000;
	size_t count;

	sync_slots_look(slots, controller->store, now);
	struct sync_slot **due = sync_slots_due(slots, &count);
	for (size_t i = 0; i < count && controller->running < controller->config->parallel; i++)
		if (!due[i]->stack || !sync_slots_awaited(slots, due[i], controller->store, now))
			start_task(controller, due[i]);
	free(due);
	for (size_t i = 0; i < slots->by_name.count; i++) {
		const struct sync_slot *slot = sync_slots_at(slots, i);
		if (!slot->running && !slot->due_since && slot->next_at < next)
			next = slot->next_at;
	}
	return next;
}

/* ---- start and reload ---- */

/* What a run that was cut off left: its command is ended, and its stack is looked at again. */
static void take_over(struct sync_controller *controller, const char *name)
{
	struct sync_run run = { 0 };
	zp_autoerror err = ZP_ERROR_INIT;

	if (sync_store_open_run(controller->store, name, &run, &err) <= 0)
		return;
	bool cut_off = strcmp(run.state, SYNC_PLANNING) == 0 || strcmp(run.state, SYNC_APPLYING) == 0;
	if (cut_off) {
		if (*run.child)
			sync_child_end(run.child, ORPHAN_PATIENCE_MS);
		free(run.state);
		free(run.message);
		run.state = zp_strdup(SYNC_INTERRUPTED);
		run.message = zp_strdup("the controller was killed");
		sync_log(ZP_LOG_WARN, controller->config, name, run.id, "was cut off: taken up again");
		if (sync_store_finish(controller->store, &run, controller->config->history, &err) < 0 ||
			sync_store_ask(controller->store, name, "resume", false, &err) < 0)
			sync_log(ZP_LOG_ERROR, controller->config, name, 0, "%s", zp_error_text(&err));
	}
	sync_run_release(&run);
}

static void ask_changed(struct sync_controller *controller, const struct sync_config *before)
{
	for (size_t i = 0; i < controller->config->stack_count; i++) {
		const struct sync_stack *stack = &controller->config->stacks[i];
		const struct sync_stack *old = sync_config_stack(before, stack->name);
		if (old && strcmp(old->definition, stack->definition) != 0)
			sync_store_ask(controller->store, stack->name, "settings", true, NULL);
	}
}

/* Listens where the configuration says, and leaves there the address at which it can be reached. */
static int listen_again(struct sync_controller *controller, struct zp_error *err)
{
	const char *listen = controller->config->listen;
	zp_autofree char *path = zp_path_join(controller->config->data_dir, "address");

	if (listen && controller->listen && strcmp(listen, controller->listen) == 0)
		return 0;
	sync_http_stop(controller->http);
	free(controller->listen);
	controller->http = NULL;
	controller->listen = NULL;
	if (!listen)
		return 0;
	controller->http = sync_http_start(controller, listen, err);
	if (!controller->http)
		return -1;
	controller->listen = zp_strdup(listen);
	zp_autofree char *address = zp_format("%.*s:%d\n", (int)(strrchr(listen, ':') - listen), listen,
		sync_http_port(controller->http));
	sync_log(ZP_LOG_INFO, controller->config, NULL, 0, "listening on %.*s", (int)strlen(address) - 1, address);
	return zp_file_write_atomic(path, zp_str(address), 0600, err);
}

static void reload(struct sync_controller *controller)
{
	zp_autoerror err = ZP_ERROR_INIT;
	struct zp_diags diags;

	zp_diags_init(&diags);
	struct sync_config *config = sync_config_load(controller->options->config_path, &diags);
	if (config && strcmp(config->data_dir, controller->config->data_dir) != 0) {
		zp_diag_error(&diags, ZP_NOWHERE, "The data folder can not be changed",
			"data_dir is %s while this controller runs. Start it anew.",
			controller->config->data_dir);
		sync_config_unref(config);
		config = NULL;
	}
	if (config) {
		pthread_mutex_lock(&controller->lock);
		struct sync_config *before = controller->config;
		controller->config = config;
		sync_slots_update(&controller->slots, config, controller->store);
		ask_changed(controller, before);
		pthread_mutex_unlock(&controller->lock);
		sync_log(ZP_LOG_INFO, config, NULL, 0, "configuration read again: %zu stacks",
			config->stack_count);
		sync_config_unref(before);
		if (listen_again(controller, &err) < 0)
			sync_log(ZP_LOG_ERROR, config, NULL, 0, "%s", zp_error_text(&err));
	} else {
		sync_log(ZP_LOG_ERROR, controller->config, NULL, 0,
			"the configuration has errors: the former one stays in force");
		controller->options->show(&diags);
	}
	zp_diags_release(&diags);
}

static int open_store(struct sync_controller *controller, struct zp_error *err)
{
	const char *dir = controller->config->data_dir;
	zp_autofree char *lock = zp_path_join(dir, "lock"), *path = zp_path_join(dir, "sync.db");

	if (zp_mkdirs(dir, 0700, err) < 0)
		return -1;
	controller->lock_fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (controller->lock_fd < 0)
		return zp_error_errno(err, "open %s", lock);
	if (flock(controller->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return zp_error_set(err, "another controller works in %s", dir);
	controller->store = sync_store_open(path, err);
	return controller->store ? 0 : -1;
}

static int start(struct sync_controller *controller, struct zp_error *err)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	controller->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	controller->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	controller->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (controller->signal_fd < 0 || controller->wake_fd < 0 || controller->stop_fd < 0)
		return zp_error_errno(err, "eventfd");
	if (open_store(controller, err) < 0)
		return -1;
	sync_slots_update(&controller->slots, controller->config, controller->store);
	for (size_t i = 0; i < controller->slots.by_name.count; i++)
		take_over(controller, sync_slots_at(&controller->slots, i)->name);
	controller->looked_at = sync_now();
	controller->notifier = sync_notify_start(controller);
	return listen_again(controller, err);
}

/* ---- the loop ---- */

static void stop(struct sync_controller *controller)
{
	uint64_t one = 1;

	if (controller->stopping)
		return;
	controller->stopping = true;
	sync_log(ZP_LOG_INFO, controller->config, NULL, 0, "ending: %d stacks at work", controller->running);
	(void)!write(controller->stop_fd, &one, sizeof(one));
}

static void handle_signals(struct sync_controller *controller)
{
	struct signalfd_siginfo info;

	while (read(controller->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP)
			reload(controller);
		else
			stop(controller);
	}
}

static bool is_over(struct sync_controller *controller)
{
	bool idle = controller->running == 0, due = false;

	for (size_t i = 0; i < controller->slots.by_name.count; i++)
		due |= sync_slot_is_due(sync_slots_at(&controller->slots, i), sync_now());
	return idle && (controller->stopping || (controller->options->once && !due));
}

/* Another process may have written to the queue. */
static bool has_news(struct sync_controller *controller)
{
	int64_t version = sync_store_version(controller->store);
	bool news = version != controller->version;

	controller->version = version;
	return news;
}

static void loop(struct sync_controller *controller)
{
	int64_t next = 0;
	bool woken = true;

	for (;;) {
		struct pollfd fds[] = { { controller->wake_fd, POLLIN, 0 }, { controller->signal_fd, POLLIN, 0 } };
		uint64_t count;
		woken |= has_news(controller);
		pthread_mutex_lock(&controller->lock);
		controller->looked_at = sync_now();
		if (!controller->stopping && (woken || controller->looked_at >= next))
			next = schedule(controller);
		bool over = is_over(controller);
		pthread_mutex_unlock(&controller->lock);
		if (over)
			return;
		int64_t left = next - sync_now();
		poll(fds, 2, (int)(left < 1 ? 1 : left < LOOK_MS ? left : LOOK_MS));
		woken = read(controller->wake_fd, &count, sizeof(count)) == sizeof(count);
		handle_signals(controller);
	}
}

static bool is_well(const struct sync_controller *controller)
{
	bool well = true;

	for (size_t i = 0; i < controller->config->stack_count; i++) {
		struct sync_stack_row row = { 0 };
		sync_store_stack(controller->store, controller->config->stacks[i].name, &row, NULL);
		well &= !*row.failed && !*row.problem;
		sync_stack_row_release(&row);
	}
	return well;
}

static void release(struct sync_controller *controller)
{
	int *fds[] = { &controller->wake_fd, &controller->stop_fd, &controller->signal_fd,
		&controller->lock_fd };

	sync_http_stop(controller->http);
	free(controller->listen);
	sync_notify_stop(controller->notifier);
	sync_slots_release(&controller->slots);
	sync_store_close(controller->store);
	sync_config_unref(controller->config);
	for (size_t i = 0; i < ZP_ARRAY_SIZE(fds); i++)
		if (*fds[i] >= 0)
			close(*fds[i]);
	pthread_mutex_destroy(&controller->lock);
}

int sync_controller_run(const struct sync_options *options)
{
	struct sync_controller controller = { .options = options, .wake_fd = -1, .stop_fd = -1,
		.signal_fd = -1, .lock_fd = -1 };
	zp_autoerror err = ZP_ERROR_INIT;
	struct zp_diags diags;

	zp_diags_init(&diags);
	controller.config = sync_config_load(options->config_path, &diags);
	options->show(&diags);
	zp_diags_release(&diags);
	if (!controller.config)
		return 1;
	pthread_mutex_init(&controller.lock, NULL);
	int rc = start(&controller, &err);
	if (rc == 0) {
		sync_log(ZP_LOG_INFO, controller.config, NULL, 0, "started: %zu stacks",
			controller.config->stack_count);
		loop(&controller);
		if (options->once && !is_well(&controller))
			rc = -1;
	} else {
		sync_log(ZP_LOG_ERROR, controller.config, NULL, 0, "%s", zp_error_text(&err));
	}
	release(&controller);
	return rc < 0 ? 1 : 0;
}

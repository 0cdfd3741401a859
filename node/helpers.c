/*
 * Long-lived helper processes of workloads. They outlive the agent: a pid file under run/ holds pid, start
 * time and arguments, so that the next agent adopts what runs, and a reused pid is not mistaken for it.
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
#include "node/context_internal.h"
#include "node/process_id.h"

#define RESTART_WINDOW 120
#define MAX_RESTARTS 4

struct node_helper {
	char *name;
	char **argv; /* NULL-terminated */
	struct node_process_id process;
	time_t restarts[MAX_RESTARTS]; /* of the last ones */
	bool given_up;
};

static char *pid_path(const struct node_context *node, const char *name)
{
	return zp_format("%s/run/%s.helper", node->root, name);
}

static void free_argv(char **argv)
{
	for (size_t i = 0; argv && argv[i]; i++)
		free(argv[i]);
	free(argv);
}

static char **copy_argv(const char *const argv[])
{
	size_t count = 0;

	while (argv[count])
		count++;
	char **copy = zp_calloc(count + 1, sizeof(*copy));
	for (size_t i = 0; i < count; i++)
		copy[i] = zp_strdup(argv[i]);
	return copy;
}

static bool same_argv(char *const *a, const char *const *b)
{
	size_t i = 0;

	while (a[i] && b[i] && strcmp(a[i], b[i]) == 0)
		i++;
	return !a[i] && !b[i];
}

static void helper_free(struct node_helper *helper)
{
	free(helper->name);
	free_argv(helper->argv);
	free(helper);
}

/* Under helper_lock. */
static struct node_helper *find(struct node_context *node, const char *name)
{
	for (size_t i = 0; i < node->helpers.count; i++)
		if (strcmp(node->helpers.items[i]->name, name) == 0)
			return node->helpers.items[i];
	return NULL;
}

static int save(const struct node_context *node, const struct node_helper *helper,
	struct zp_error *err)
{
	zp_autofree char *path = pid_path(node, helper->name);
	cJSON *json = cJSON_CreateObject();

	cJSON_AddNumberToObject(json, "pid", helper->process.pid);
	cJSON_AddNumberToObject(json, "started", (double)helper->process.started);
	cJSON *argv = cJSON_AddArrayToObject(json, "argv");
	for (size_t i = 0; helper->argv[i]; i++)
		cJSON_AddItemToArray(argv, cJSON_CreateString(helper->argv[i]));
	zp_autofree char *text = cJSON_PrintUnformatted(json);
	cJSON_Delete(json);
	return zp_file_write_atomic(path, zp_str(text), 0600, err);
}

static int launch(struct node_context *node, struct node_helper *helper, struct zp_error *err)
{
	zp_autofree char *log = zp_format("%s/run/%s.log", node->root, helper->name);
	pid_t pid = zp_spawn_daemon((const char *const *)helper->argv, "/", log, err);

	if (pid < 0)
		return -1;
	helper->process = node_process_identify(pid);
	return save(node, helper, err);
}

static void end_process(struct node_process_id process)
{
	for (int i = 0; i < 200 && node_process_alive(process); i++) {
		/* Kindly first; after two seconds not any more. */
		kill(process.pid, i < 100 ? SIGTERM : SIGKILL);
		waitpid(process.pid, NULL, WNOHANG);
		nanosleep(&(struct timespec){ 0, 20000000 }, NULL);
	}
	waitpid(process.pid, NULL, WNOHANG);
}

int node_helper_start(struct node_context *node, const char *name, const char *const argv[],
	struct zp_error *err)
{
	pthread_mutex_lock(&node->helper_lock);
	struct node_helper *helper = find(node, name);
	int rc = 0;
	if (helper && node_process_alive(helper->process) && same_argv(helper->argv, argv)) {
		pthread_mutex_unlock(&node->helper_lock);
		return 0;
	}
	if (helper) {
		end_process(helper->process);
	} else {
		helper = zp_calloc(1, sizeof(*helper));
		helper->name = zp_strdup(name);
		zp_vec_push(&node->helpers, helper);
	}
	free_argv(helper->argv);
	helper->argv = copy_argv(argv);
	helper->given_up = false;
	memset(helper->restarts, 0, sizeof(helper->restarts));
	rc = launch(node, helper, err);
	pthread_mutex_unlock(&node->helper_lock);
	return rc;
}

int node_helper_stop(struct node_context *node, const char *name, struct zp_error *err)
{
	zp_autofree char *path = pid_path(node, name);

	(void)err;
	pthread_mutex_lock(&node->helper_lock);
	for (size_t i = 0; i < node->helpers.count; i++) {
		struct node_helper *helper = node->helpers.items[i];
		if (strcmp(helper->name, name) != 0)
			continue;
		end_process(helper->process);
		helper_free(helper);
		node->helpers.items[i] = node->helpers.items[--node->helpers.count];
		break;
	}
	unlink(path);
	pthread_mutex_unlock(&node->helper_lock);
	return 0;
}

pid_t node_helper_pid(struct node_context *node, const char *name)
{
	pthread_mutex_lock(&node->helper_lock);
	const struct node_helper *helper = find(node, name);
	pid_t pid = helper && node_process_alive(helper->process) ? helper->process.pid : 0;
	pthread_mutex_unlock(&node->helper_lock);
	return pid;
}

static void adopt(struct node_context *node, const char *path, const char *name)
{
	zp_autobuf text = ZP_BUF_INIT;
	const cJSON *item;

	if (zp_file_read(path, 1 << 20, &text, NULL) < 0)
		return;
	cJSON *json = cJSON_Parse(text.ptr);
	const cJSON *argv = cJSON_GetObjectItemCaseSensitive(json, "argv");
	if (cJSON_IsArray(argv) && cJSON_GetArraySize(argv) > 0) {
		struct node_helper *helper = zp_calloc(1, sizeof(*helper));
		size_t n = 0;
		helper->name = zp_strdup(name);
		helper->argv = zp_calloc((size_t)cJSON_GetArraySize(argv) + 1, sizeof(char *));
		cJSON_ArrayForEach (item, argv)
			helper->argv[n++] = zp_strdup(cJSON_IsString(item) ? item->valuestring : "");
		helper->process.pid = (pid_t)cJSON_GetNumberValue(
			cJSON_GetObjectItemCaseSensitive(json, "pid"));
		helper->process.started = (uint64_t)cJSON_GetNumberValue(
			cJSON_GetObjectItemCaseSensitive(json, "started"));
		zp_vec_push(&node->helpers, helper);
	}
	cJSON_Delete(json);
}

void node_helpers_adopt(struct node_context *node)
{
	zp_autofree char *run = zp_format("%s/run", node->root);
	zp_autoclosedir DIR *dir = opendir(run);

	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		struct zp_str name = zp_str(entry->d_name);
		if (!zp_str_ends(name, ".helper"))
			continue;
		zp_autofree char *path = zp_path_join(run, entry->d_name);
		zp_autofree char *bare = zp_strndup(name.ptr, name.len - strlen(".helper"));
		adopt(node, path, bare);
	}
}

/* True while it may be started once more within the window. */
static bool may_restart(struct node_helper *helper)
{
	time_t now = time(NULL);

	if (now - helper->restarts[0] < RESTART_WINDOW)
		return false;
	memmove(helper->restarts, helper->restarts + 1, sizeof(helper->restarts) - sizeof(time_t));
	helper->restarts[MAX_RESTARTS - 1] = now;
	return true;
}

void node_helpers_tick(struct node_context *node)
{
	pthread_mutex_lock(&node->helper_lock);
	for (size_t i = 0; i < node->helpers.count; i++) {
		struct node_helper *helper = node->helpers.items[i];
		zp_autoerror err = ZP_ERROR_INIT;
		waitpid(helper->process.pid, NULL, WNOHANG);
		if (helper->given_up || node_process_alive(helper->process))
			continue;
		if (!may_restart(helper)) {
			helper->given_up = true;
			zp_log(ZP_LOG_ERROR, "helper %s died %d times within %d s: not started again",
				helper->name, MAX_RESTARTS + 1, RESTART_WINDOW);
			continue;
		}
		zp_log(ZP_LOG_WARN, "helper %s died, starting it again", helper->name);
		if (launch(node, helper, &err) < 0)
			zp_log(ZP_LOG_ERROR, "helper %s: %s", helper->name, zp_error_text(&err));
	}
	pthread_mutex_unlock(&node->helper_lock);
}

void node_helpers_release(struct node_context *node)
{
	for (size_t i = 0; i < node->helpers.count; i++)
		helper_free(node->helpers.items[i]);
	zp_vec_release(&node->helpers);
}

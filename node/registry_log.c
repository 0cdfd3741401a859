#include "node/registry_log.h"

#include <cjson/cJSON.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"

#define MAX_LOG ((size_t)1 << 30)
#define MAX_TEXTS 16

static char *log_path(const char *registry)
{
	return zp_format("%s.log", registry);
}

void node_registry_log_open(struct node_registry_log *log, const char *registry)
{
	log->path = log_path(registry);
	log->fd = open(log->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	log->pending = (struct zp_buf)ZP_BUF_INIT;
	if (log->fd < 0)
		zp_log(ZP_LOG_WARN, "%s can not be written: a damaged registry would lose what came after its "
			"last copy", log->path);
}

void node_registry_log_close(struct node_registry_log *log)
{
	if (log->fd >= 0)
		close(log->fd);
	zp_buf_release(&log->pending);
	free(log->path);
	*log = (struct node_registry_log){ .fd = -1 };
}

void node_registry_log_note(struct node_registry_log *log, const char *sql, const char *const *texts,
	int count)
{
	cJSON *line = cJSON_CreateObject();
	cJSON *list = cJSON_AddArrayToObject(line, "texts");

	cJSON_AddStringToObject(line, "sql", sql);
	for (int i = 0; i < count; i++)
		cJSON_AddItemToArray(list, texts[i] ? cJSON_CreateString(texts[i]) : cJSON_CreateNull());
	zp_autofree char *text = cJSON_PrintUnformatted(line);
	zp_buf_puts(&log->pending, text ? text : "");
	zp_buf_char(&log->pending, '\n');
	cJSON_Delete(line);
}

void node_registry_log_keep(struct node_registry_log *log)
{
	if (log->fd >= 0 && log->pending.len)
		zp_write_all(log->fd, log->pending.ptr, log->pending.len, NULL);
	zp_buf_clear(&log->pending);
}

void node_registry_log_drop(struct node_registry_log *log)
{
	zp_buf_clear(&log->pending);
}

void node_registry_log_clear(struct node_registry_log *log)
{
	if (log->fd >= 0 && ftruncate(log->fd, 0) < 0)
		zp_log(ZP_LOG_WARN, "%s can not be emptied", log->path);
}

/* False where the line is no statement: what a crash cut off. */
static bool replay_line(const char *line, size_t length,
	void (*fn)(void *data, const char *sql, const char *const *texts, int count), void *data)
{
	cJSON *json = cJSON_ParseWithLength(line, length);
	const char *sql = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "sql"));
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, "texts"), *item;
	const char *texts[MAX_TEXTS];
	int count = 0;
	bool good = sql && cJSON_IsArray(list) && cJSON_GetArraySize(list) <= MAX_TEXTS;

	if (good) {
		cJSON_ArrayForEach(item, list)
			texts[count++] = cJSON_GetStringValue(item);
		fn(data, sql, texts, count);
	}
	cJSON_Delete(json);
	return good;
}

size_t node_registry_log_replay(const char *registry,
	void (*fn)(void *data, const char *sql, const char *const *texts, int count), void *data)
{
	zp_autofree char *path = log_path(registry);
	zp_autobuf content = ZP_BUF_INIT;
	size_t done = 0;

	if (!zp_file_exists(path) || zp_file_read(path, MAX_LOG, &content, NULL) < 0)
		return 0;
	const char *line = content.ptr, *end = content.ptr + content.len;
	const char *newline;
	while (line < end && (newline = memchr(line, '\n', (size_t)(end - line)))) {
		if (!replay_line(line, (size_t)(newline - line), fn, data))
			break;
		done++;
		line = newline + 1;
	}
	return done;
}

#include "sync/rules.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"

#define FIRST_BACKOFF_MS 10000
#define MOST_BACKOFF_MS 3600000
#define MOST_PROBLEM 2000

static const char *text_of(const cJSON *object, const char *name)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));

	return text ? text : "";
}

static int64_t number_of(const cJSON *object, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	return cJSON_IsNumber(item) ? (int64_t)item->valuedouble : 0;
}

static void note_error(const cJSON *diagnostic, struct sync_report *report)
{
	const char *summary = text_of(diagnostic, "summary"), *detail = text_of(diagnostic, "detail");
	const char *address = text_of(diagnostic, "address");

	if (strcmp(text_of(diagnostic, "severity"), "error") != 0)
		return;
	report->stale |= strcmp(summary, "Saved plan is stale") == 0;
	report->locked |= strcmp(summary, "Error acquiring the state lock") == 0;
	if (report->problem)
		return;
	const cJSON *range = cJSON_GetObjectItemCaseSensitive(diagnostic, "range");
	const cJSON *start = cJSON_GetObjectItemCaseSensitive(range, "start");
	zp_autobuf text = ZP_BUF_INIT;
	if (range)
		zp_buf_printf(&text, "%s:%lld: ", text_of(range, "filename"), (long long)number_of(start, "line"));
	zp_buf_printf(&text, "%s%s%s%s%s", *address ? address : "", *address ? ": " : "", summary,
		*detail ? ": " : "", detail);
	report->problem = zp_strndup(text.ptr, text.len < MOST_PROBLEM ? text.len : MOST_PROBLEM);
}

static void read_line(const char *line, struct sync_report *report)
{
	cJSON *event = *line == '{' ? cJSON_Parse(line) : NULL;
	const char *type = text_of(event, "type");

	if (strcmp(type, "change_summary") == 0) {
		const cJSON *changes = cJSON_GetObjectItemCaseSensitive(event, "changes");
		report->summed = true;
		report->adds = number_of(changes, "add");
		report->changes = number_of(changes, "change");
		report->destroys = number_of(changes, "remove");
		report->imports = number_of(changes, "import");
	} else if (strcmp(type, "outputs") == 0) {
		report->outputs = true;
	} else if (strcmp(type, "diagnostic") == 0) {
		note_error(cJSON_GetObjectItemCaseSensitive(event, "diagnostic"), report);
	}
	cJSON_Delete(event);
}

/* Without a document there is at least what was said last. */
static void note_words(const char *line, struct sync_report *report, struct zp_buf *words)
{
	if (*line == '{' || *line == '\n' || report->problem)
		return;
	zp_buf_puts(words, line);
	if (words->len > MOST_PROBLEM) {
		memmove(words->ptr, words->ptr + words->len - MOST_PROBLEM / 2, MOST_PROBLEM / 2 + 1);
		words->len = MOST_PROBLEM / 2;
	}
}

int sync_report_read(const char *path, struct sync_report *report, struct zp_error *err)
{
	zp_autofclose FILE *file = fopen(path, "re");
	zp_autobuf words = ZP_BUF_INIT;
	zp_autofree char *line = NULL;
	size_t size = 0;

	*report = (struct sync_report){ 0 };
	if (!file)
		return zp_error_errno(err, "open %s", path);
	while (getline(&line, &size, file) >= 0) {
		read_line(line, report);
		note_words(line, report, &words);
	}
	while (words.len && words.ptr[words.len - 1] == '\n')
		words.ptr[--words.len] = 0;
	if (!report->problem && words.len)
		report->problem = zp_buf_steal(&words);
	return 0;
}

void sync_report_release(struct sync_report *report)
{
	free(report->problem);
	*report = (struct sync_report){ 0 };
}

/* The word after a label at the start of a line; NULL where there is none. */
static const char *labelled(const char *text, const char *label)
{
	const char *line = strstr(text, label);

	if (!line)
		return NULL;
	line += strlen(label);
	return line + strspn(line, " ");
}

bool sync_find_stale_lock(const char *problem, struct sync_stale_lock *lock)
{
	const char *id = labelled(problem, "\n  ID:"), *process = labelled(problem, "\n  Info:");
	size_t length = id ? strcspn(id, " \n") : 0;

	if (!strstr(problem, "does not run any more on this machine: the lock is stale") || !process ||
		strncmp(process, "process ", 8) != 0 || !length || length >= sizeof(lock->id))
		return false;
	*lock = (struct sync_stale_lock){ .pid = strtol(process + 8, NULL, 10) };
	memcpy(lock->id, id, length);
	return lock->pid > 0;
}

static bool is_beyond(int64_t count, int64_t limit, const char *name, struct zp_buf *why)
{
	if (limit < 0 || count <= limit)
		return false;
	zp_buf_printf(why, "%s%lld to %s, and max_%s is %lld", why->len ? "; " : "", (long long)count, name,
		name, (long long)limit);
	return true;
}

bool sync_may_apply(const struct sync_stack *stack, const struct sync_report *report, struct zp_buf *why)
{
	bool asks = false;

	if (stack->approve == SYNC_MANUAL) {
		zp_buf_puts(why, "approve is \"manual\"");
		asks = true;
	} else if (stack->approve == SYNC_NO_DESTROY && report->destroys) {
		zp_buf_printf(why, "%lld to destroy, and approve is \"no-destroy\"", (long long)report->destroys);
		asks = true;
	}
	asks |= is_beyond(report->destroys, stack->limits.destroy, "destroy", why);
	asks |= is_beyond(report->changes, stack->limits.change, "change", why);
	asks |= is_beyond(report->adds, stack->limits.add, "add", why);
	return !asks;
}

enum sync_need sync_need(const struct sync_stack *stack, const struct sync_stack_row *row,
	const char *commit, bool forced, int64_t now)
{
	if (forced)
		return SYNC_NEW;
	if (strcmp(commit, row->rejected) == 0)
		return SYNC_NOTHING;
	/* What failed is tried again, but not at once; what came after it is tried in any case. */
	if (strcmp(commit, row->failed) == 0)
		return now >= row->retry_at ? SYNC_NEW : SYNC_NOTHING;
	if (*row->failed || strcmp(commit, row->applied) != 0 ||
		strcmp(stack->definition, row->definition) != 0)
		return SYNC_NEW;
	return stack->drift == SYNC_IGNORE ? SYNC_NOTHING : SYNC_CHECK;
}

int64_t sync_backoff(int64_t failures, uint32_t random)
{
	int64_t ms = FIRST_BACKOFF_MS;

	for (int64_t i = 1; i < failures && ms < MOST_BACKOFF_MS; i++)
		ms *= 2;
	ms = ms > MOST_BACKOFF_MS ? MOST_BACKOFF_MS : ms;
	/* Between three quarters and five quarters. */
	return ms * 3 / 4 + ms / 2 * (random % 1000) / 1000;
}

int64_t sync_jitter(int64_t ms, uint32_t random)
{
	return ms * 9 / 10 + ms / 5 * (random % 1000) / 1000;
}

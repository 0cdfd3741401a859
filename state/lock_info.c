#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/uuid.h"
#include "state/lock_info.h"
#include "state/state_internal.h"

/* The members in the order the peer writes them. */
#define FIELDS(lock)                                                                               \
	{                                                                                          \
		{ "ID", &(lock)->id }, { "Operation", &(lock)->operation },                        \
		{ "Info", &(lock)->info }, { "Who", &(lock)->who },                                \
		{ "Version", &(lock)->version }, { "Created", &(lock)->created },                  \
		{ "Path", &(lock)->path },                                                         \
	}

struct field {
	const char *name;
	char **text;
};

void state_lock_info_release(struct state_lock_info *info)
{
	struct field fields[] = FIELDS(info);

	for (size_t i = 0; i < ZP_ARRAY_SIZE(fields); i++)
		free(*fields[i].text);
	*info = (struct state_lock_info){ 0 };
}

static char *who(void)
{
	char host[HOST_NAME_MAX + 1] = "localhost";
	const struct passwd *user = getpwuid(getuid());

	gethostname(host, sizeof(host) - 1);
	return zp_format("%s@%s", user ? user->pw_name : "unknown", host);
}

/* RFC 3339 with as many digits of the second as it takes. */
static char *now_text(void)
{
	struct timespec now;
	struct tm tm;
	zp_autobuf text = ZP_BUF_INIT;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	zp_buf_printf(&text, "%04d-%02d-%02dT%02d:%02d:%02d.%09ld", tm.tm_year + 1900, tm.tm_mon + 1,
		tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, now.tv_nsec);
	while (text.ptr[text.len - 1] == '0' && now.tv_nsec)
		text.len--;
	if (!now.tv_nsec)
		text.len -= sizeof(".000000000") - 1;
	zp_buf_char(&text, 'Z');
	return zp_buf_steal(&text);
}

void state_lock_info_fill(struct state_lock_info *info, const char *operation, const char *path)
{
	char id[ZP_UUID_LENGTH + 1];

	zp_uuid(id);
	*info = (struct state_lock_info){
		.id = zp_strdup(id),
		.operation = zp_strdup(operation),
		.info = zp_strdup(""),
		.who = who(),
		.version = zp_strdup(STATE_TERRAFORM_VERSION),
		.created = now_text(),
		.path = zp_strdup(path),
	};
}

void state_lock_info_write(const struct state_lock_info *info, struct zp_buf *out)
{
	struct state_lock_info *lock = (struct state_lock_info *)info;
	const struct field fields[] = FIELDS(lock);
	struct zp_json_writer writer;

	zp_json_writer_init(&writer, out, false);
	zp_json_begin_object(&writer);
	for (size_t i = 0; i < ZP_ARRAY_SIZE(fields); i++) {
		zp_json_key(&writer, fields[i].name);
		zp_json_cstr(&writer, *fields[i].text ? *fields[i].text : "");
	}
	zp_json_end_object(&writer);
}

bool state_lock_info_read(struct zp_str text, struct state_lock_info *info)
{
	struct field fields[] = FIELDS(info);
	struct zp_json json;
	struct zp_str key, value;

	zp_json_init(&json, text);
	for (bool more = zp_json_enter_object(&json); more && zp_json_next_key(&json, &key);) {
		char **target = NULL;
		for (size_t i = 0; i < ZP_ARRAY_SIZE(fields); i++)
			if (zp_str_is(key, fields[i].name))
				target = fields[i].text;
		if (!target || zp_json_peek(&json) != ZP_JSON_STRING) {
			zp_json_skip(&json, NULL);
			continue;
		}
		if (zp_json_read_string(&json, &value)) {
			free(*target);
			*target = zp_strndup(value.ptr, value.len);
		}
	}
	bool ok = !json.error;
	zp_json_release(&json);
	return ok;
}

/*
 * The provider `time`: points in time kept in the state, and pauses between other objects.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "providers/builtin.h"
#include "providers/time/stamp.h"
#include "providers/utility/in_process.h"

static struct provider_schema provider_schema;

/* --- what the types share --- */

#define TIME_PARTS(more)                                                                           \
	{ .name = "year", .type = "number", .flags = PROVIDER_COMPUTED | (more) },                 \
		{ .name = "month", .type = "number", .flags = PROVIDER_COMPUTED | (more) },        \
		{ .name = "day", .type = "number", .flags = PROVIDER_COMPUTED | (more) },          \
		{ .name = "hour", .type = "number", .flags = PROVIDER_COMPUTED | (more) },         \
		{ .name = "minute", .type = "number", .flags = PROVIDER_COMPUTED | (more) },       \
		{ .name = "second", .type = "number", .flags = PROVIDER_COMPUTED | (more) },       \
	{                                                                                          \
		.name = "unix", .type = "number", .flags = PROVIDER_COMPUTED | (more)              \
	}

#define TIME_SCHEMA(symbol)                                                                        \
	static struct provider_schema symbol##_schema = {                                          \
		.attributes = symbol##_attributes,                                                 \
		.attribute_count = ZP_ARRAY_SIZE(symbol##_attributes),                             \
	}

#define TIME_RUN(symbol)                                                                           \
	static void symbol##_run(struct provider_instance *instance,                               \
		struct provider_operation *const *ops, size_t count)                               \
	{                                                                                          \
		(void)instance;                                                                    \
		utility_run(&symbol##_kind, ops, count);                                           \
	}

static void set_parts(struct provider_builder *builder, const struct time_stamp *stamp)
{
	utility_set_int(builder, "year", stamp->local.tm_year + 1900);
	utility_set_int(builder, "month", stamp->local.tm_mon + 1);
	utility_set_int(builder, "day", stamp->local.tm_mday);
	utility_set_int(builder, "hour", stamp->local.tm_hour);
	utility_set_int(builder, "minute", stamp->local.tm_min);
	utility_set_int(builder, "second", stamp->local.tm_sec);
	utility_set_int(builder, "unix", time_stamp_unix(stamp));
}

static void check_stamp(
	struct provider_problems *problems, struct hcl_value config, const char *name)
{
	struct time_stamp stamp;
	const char *text = provider_get_text(config, name);
	if (text && !time_stamp_parse(text, &stamp))
		provider_error(problems, name, "Invalid RFC3339 timestamp",
			"\"%s\" is a time such as \"2024-02-29T12:00:00Z\", not \"%s\".", name,
			text);
}

/* The time an attribute says, or now; its text in out. */
static bool base_time(struct provider_operation *op, const char *name, struct time_stamp *stamp,
	char out[TIME_STAMP_TEXT])
{
	const char *text = provider_get_text(op->planned, name);
	*stamp = time_stamp_now();
	if (text && !time_stamp_parse(text, stamp)) {
		provider_error(&op->problems, name, "Invalid RFC3339 timestamp",
			"\"%s\" is no time.", text);
		return false;
	}
	time_stamp_format(stamp, out);
	return true;
}

/* The id, and the attribute as configured or as chosen. */
static void set_base(struct provider_operation *op, struct provider_builder *builder,
	const char *name, const char *text)
{
	const char *given = provider_get_text(op->planned, name);
	utility_set_text(builder, "id", given ? given : text);
	utility_set_text(builder, name, given ? given : text);
}

/* offset_days and so on, or rotation_days and so on. */
static struct time_offset offset_of(struct hcl_value object, const char *prefix)
{
	struct time_offset offset = { 0 };
	const struct {
		const char *unit;
		int64_t *number;
	} units[] = {
		{ "years", &offset.years },
		{ "months", &offset.months },
		{ "days", &offset.days },
		{ "hours", &offset.hours },
		{ "minutes", &offset.minutes },
		{ "seconds", &offset.seconds },
	};
	for (size_t i = 0; i < ZP_ARRAY_SIZE(units); i++) {
		char name[32];
		snprintf(name, sizeof(name), "%s_%s", prefix, units[i].unit);
		*units[i].number = provider_get_int(object, name, 0);
	}
	return offset;
}

/* Whether any of the names is given, or may turn out to be. */
static bool is_any_given(struct hcl_value config, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!hcl_is_null(provider_get(config, names[i])))
			return true;
	return false;
}

static void check_offset(
	struct provider_problems *problems, struct hcl_value config, const char *prefix)
{
	struct time_offset offset = offset_of(config, prefix);
	if (!time_offset_is_sane(&offset))
		provider_error(problems, NULL, "Offset out of range",
			"The offset leads beyond the years that can be written.");
}

/* --- time_static --- */

static struct provider_attribute static_attributes[] = {
	{ .name = "id", .type = "string", .flags = PROVIDER_COMPUTED },
	{ .name = "rfc3339",
		.type = "string",
		.flags = PROVIDER_OPTIONAL | PROVIDER_COMPUTED | PROVIDER_FORCE_NEW },
	UTILITY_TRIGGERS("triggers"),
	TIME_PARTS(0),
};

TIME_SCHEMA(static);

static void static_validate(struct hcl_value config, struct provider_problems *problems)
{
	check_stamp(problems, config, "rfc3339");
}

static void static_create(struct provider_operation *op, struct provider_builder *builder)
{
	struct time_stamp stamp;
	char text[TIME_STAMP_TEXT];
	if (!base_time(op, "rfc3339", &stamp, text))
		return;
	set_base(op, builder, "rfc3339", text);
	set_parts(builder, &stamp);
}

static void static_import(struct provider_operation *op, struct provider_builder *builder)
{
	struct time_stamp stamp;
	if (!time_stamp_parse(op->import_id, &stamp)) {
		provider_error(&op->problems, NULL, "Import time static error",
			"The import id is a time such as \"2024-02-29T12:00:00Z\".");
		return;
	}
	utility_set_text(builder, "id", op->import_id);
	utility_set_text(builder, "rfc3339", op->import_id);
	set_parts(builder, &stamp);
}

static const struct utility_kind static_kind = { .create = static_create, .import = static_import };

TIME_RUN(static)

static const struct provider_resource_type time_static = {
	.name = "time_static",
	.schema = &static_schema,
	.identity_attribute = "id",
	.in_process = true,
	.validate = static_validate,
	.run = static_run,
};

/* --- time_offset --- */

#define OFFSET(word)                                                                               \
	{                                                                                          \
		.name = word, .type = "number", .flags = PROVIDER_OPTIONAL                         \
	}

static struct provider_attribute offset_attributes[] = {
	{ .name = "id", .type = "string", .flags = PROVIDER_COMPUTED },
	{ .name = "base_rfc3339",
		.type = "string",
		.flags = PROVIDER_OPTIONAL | PROVIDER_COMPUTED | PROVIDER_FORCE_NEW },
	OFFSET("offset_years"),
	OFFSET("offset_months"),
	OFFSET("offset_days"),
	OFFSET("offset_hours"),
	OFFSET("offset_minutes"),
	OFFSET("offset_seconds"),
	{ .name = "rfc3339", .type = "string", .flags = PROVIDER_COMPUTED | PROVIDER_VOLATILE },
	UTILITY_TRIGGERS("triggers"),
	TIME_PARTS(PROVIDER_VOLATILE),
};

TIME_SCHEMA(offset);

static void offset_validate(struct hcl_value config, struct provider_problems *problems)
{
	static const char *const names[] = { "offset_years", "offset_months", "offset_days",
		"offset_hours", "offset_minutes", "offset_seconds" };
	check_stamp(problems, config, "base_rfc3339");
	check_offset(problems, config, "offset");
	if (!is_any_given(config, names, ZP_ARRAY_SIZE(names)))
		provider_error(problems, NULL, "Missing Attribute Configuration",
			"At least one of offset_years, offset_months, offset_days, offset_hours, "
			"offset_minutes and offset_seconds must be set.");
}

static void offset_fill(struct provider_operation *op, struct provider_builder *builder)
{
	struct time_stamp base;
	char text[TIME_STAMP_TEXT];
	if (!base_time(op, "base_rfc3339", &base, text))
		return;
	set_base(op, builder, "base_rfc3339", text);
	struct time_offset offset = offset_of(op->planned, "offset");
	struct time_stamp stamp = time_stamp_add(&base, &offset);
	time_stamp_format(&stamp, text);
	utility_set_text(builder, "rfc3339", text);
	set_parts(builder, &stamp);
}

static const struct utility_kind offset_kind = { .create = offset_fill, .update = offset_fill };

TIME_RUN(offset)

static const struct provider_resource_type time_offset = {
	.name = "time_offset",
	.schema = &offset_schema,
	.identity_attribute = "id",
	.in_process = true,
	.validate = offset_validate,
	.run = offset_run,
};

/* --- time_rotating --- */

static struct provider_attribute rotating_attributes[] = {
	{ .name = "id", .type = "string", .flags = PROVIDER_COMPUTED },
	{ .name = "rfc3339",
		.type = "string",
		.flags = PROVIDER_OPTIONAL | PROVIDER_COMPUTED | PROVIDER_FORCE_NEW },
	OFFSET("rotation_years"),
	OFFSET("rotation_months"),
	OFFSET("rotation_days"),
	OFFSET("rotation_hours"),
	OFFSET("rotation_minutes"),
	{ .name = "rotation_rfc3339",
		.type = "string",
		.flags = PROVIDER_OPTIONAL | PROVIDER_COMPUTED | PROVIDER_VOLATILE },
	UTILITY_TRIGGERS("triggers"),
	TIME_PARTS(0),
};

TIME_SCHEMA(rotating);

static void rotating_validate(struct hcl_value config, struct provider_problems *problems)
{
	static const char *const names[] = { "rotation_years", "rotation_months", "rotation_days",
		"rotation_hours", "rotation_minutes", "rotation_rfc3339" };
	check_stamp(problems, config, "rfc3339");
	check_stamp(problems, config, "rotation_rfc3339");
	check_offset(problems, config, "rotation");
	if (!is_any_given(config, names, ZP_ARRAY_SIZE(names)))
		provider_error(problems, NULL, "Missing Attribute Configuration",
			"At least one of rotation_years, rotation_months, rotation_days, "
			"rotation_hours, "
			"rotation_minutes and rotation_rfc3339 must be set.");
}

static void rotating_fill(struct provider_operation *op, struct provider_builder *builder)
{
	struct time_stamp base;
	char text[TIME_STAMP_TEXT];
	if (!base_time(op, "rfc3339", &base, text))
		return;
	set_base(op, builder, "rfc3339", text);
	set_parts(builder, &base);
	if (provider_has(op->planned, "rotation_rfc3339"))
		return;
	struct time_offset offset = offset_of(op->planned, "rotation");
	struct time_stamp next = time_stamp_add(&base, &offset);
	time_stamp_format(&next, text);
	utility_set_text(builder, "rotation_rfc3339", text);
}

/* One whose time has come is gone: the plan makes a new one. */
static bool rotating_exists(struct provider_operation *op)
{
	struct time_stamp end, now = time_stamp_now();
	const char *text = provider_get_text(op->prior, "rotation_rfc3339");
	return !text || !time_stamp_parse(text, &end) ||
	       time_stamp_unix(&now) < time_stamp_unix(&end);
}

static const struct utility_kind rotating_kind = {
	.create = rotating_fill,
	.update = rotating_fill,
	.exists = rotating_exists,
};

TIME_RUN(rotating)

/* Not in_process: it must be looked at before every plan, because its time may have come. */
static const struct provider_resource_type time_rotating = {
	.name = "time_rotating",
	.schema = &rotating_schema,
	.identity_attribute = "id",
	.validate = rotating_validate,
	.run = rotating_run,
};

/* --- time_sleep --- */

static struct provider_attribute sleep_attributes[] = {
	{ .name = "id", .type = "string", .flags = PROVIDER_COMPUTED },
	{ .name = "create_duration", .type = "string", .flags = PROVIDER_OPTIONAL },
	{ .name = "destroy_duration", .type = "string", .flags = PROVIDER_OPTIONAL },
	UTILITY_TRIGGERS("triggers"),
};

TIME_SCHEMA(sleep);

/* "30s", "1.5m", "250ms", "2h" in seconds; negative when it is none. */
static double duration(const char *text)
{
	static const struct {
		const char *unit;
		double seconds;
	} units[] = { { "ms", 0.001 }, { "s", 1 }, { "m", 60 }, { "h", 3600 } };
	size_t whole = strspn(text, "0123456789"), len = whole;
	if (text[whole] == '.') {
		size_t fraction = strspn(text + whole + 1, "0123456789");
		len = fraction ? whole + 1 + fraction : 0;
	}
	if (!whole || !len || len > 15)
		return -1;
	char number[16];
	memcpy(number, text, len);
	number[len] = '\0';
	for (size_t i = 0; i < ZP_ARRAY_SIZE(units); i++)
		if (!strcmp(text + len, units[i].unit))
			return strtod(number, NULL) * units[i].seconds;
	return -1;
}

static void check_duration(
	struct provider_problems *problems, struct hcl_value config, const char *name)
{
	const char *text = provider_get_text(config, name);
	if (text && duration(text) < 0)
		provider_error(problems, name, "Invalid duration",
			"\"%s\" is a number with one of the units ms, s, m and h, such as \"30s\", "
			"not "
			"\"%s\".",
			name, text);
}

static void sleep_validate(struct hcl_value config, struct provider_problems *problems)
{
	static const char *const names[] = { "create_duration", "destroy_duration" };
	check_duration(problems, config, "create_duration");
	check_duration(problems, config, "destroy_duration");
	if (!is_any_given(config, names, ZP_ARRAY_SIZE(names)))
		provider_error(problems, NULL, "Missing Attribute Configuration",
			"At least one of create_duration and destroy_duration must be set.");
}

static void wait_for(const char *text)
{
	double seconds = text ? duration(text) : 0;
	if (seconds <= 0)
		return;
	struct timespec left = { .tv_sec = (time_t)seconds };
	left.tv_nsec = (long)((seconds - floor(seconds)) * 1e9);
	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

static void sleep_create(struct provider_operation *op, struct provider_builder *builder)
{
	char text[TIME_STAMP_TEXT];
	wait_for(provider_get_text(op->planned, "create_duration"));
	struct time_stamp now = time_stamp_now();
	time_stamp_format(&now, text);
	utility_set_text(builder, "id", text);
}

static void sleep_remove(struct provider_operation *op)
{
	wait_for(provider_get_text(op->prior, "destroy_duration"));
}

static const struct utility_kind sleep_kind = { .create = sleep_create, .remove = sleep_remove };

TIME_RUN(sleep)

static const struct provider_resource_type time_sleep = {
	.name = "time_sleep",
	.schema = &sleep_schema,
	.identity_attribute = "id",
	.in_process = true,
	.validate = sleep_validate,
	.run = sleep_run,
};

static const struct provider_resource_type *const resources[] = {
	&time_offset,
	&time_rotating,
	&time_sleep,
	&time_static,
	NULL,
};

const struct provider provider_time = {
	.name = "time",
	.source = "registry.terraform.io/hashicorp/time",
	.version = "0.13.1",
	.schema = &provider_schema,
	.resources = resources,
};

#include "cli/stream.h"

#include <stdio.h>
#include <sys/time.h>
#include <time.h>

#include "base/alloc.h"
#include "cli/show_json.h"
#include "state/address.h"

/* A line begins with level, message and time; what the type of message adds follows. */
struct line {
	struct zp_buf text;
	struct zp_json_writer writer;
};

static void begin(struct line *line, const char *level, const char *message)
{
	struct timeval now;
	struct tm tm;
	char stamp[64], whole[96];

	gettimeofday(&now, NULL);
	gmtime_r(&now.tv_sec, &tm);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(whole, sizeof(whole), "%s.%06ldZ", stamp, (long)now.tv_usec);
	*line = (struct line){ .text = ZP_BUF_INIT };
	zp_json_writer_init(&line->writer, &line->text, false);
	line->writer.exact_integers = true;
	zp_json_begin_object(&line->writer);
	zp_json_key(&line->writer, "@level");
	zp_json_cstr(&line->writer, level);
	zp_json_key(&line->writer, "@message");
	zp_json_cstr(&line->writer, message);
	zp_json_key(&line->writer, "@module");
	zp_json_cstr(&line->writer, "terraform.ui");
	zp_json_key(&line->writer, "@timestamp");
	zp_json_cstr(&line->writer, whole);
}

static void member(struct line *line, const char *key, const char *text)
{
	zp_json_key(&line->writer, key);
	zp_json_cstr(&line->writer, text);
}

static void end(struct line *line, const char *type)
{
	member(line, "type", type);
	zp_json_end_object(&line->writer);
	printf("%s\n", line->text.ptr);
	zp_buf_release(&line->text);
}

void cli_stream_version(void)
{
	struct line line;

	begin(&line, "info", "zplan " ZPLAN_VERSION);
	member(&line, "terraform", ZPLAN_VERSION);
	zp_json_key(&line.writer, "ui");
	zp_json_cstr(&line.writer, "1.2");
	end(&line, "version");
	fflush(stdout);
}

void cli_stream_diags(const struct zp_diags *diags)
{
	for (size_t i = 0; i < diags->count; i++) {
		const struct zp_diag *diag = diags->items[i];
		bool error = diag->severity == ZP_SEVERITY_ERROR;
		zp_autofree char *message =
			zp_format("%s: %s", error ? "Error" : "Warning", diag->summary);
		struct line line;
		begin(&line, error ? "error" : "warn", message);
		zp_json_key(&line.writer, "diagnostic");
		cli_diag_json(&line.writer, diag);
		end(&line, "diagnostic");
	}
	fflush(stdout);
}

/* ---- objects ---- */

static void write_key(struct line *line, struct state_key key)
{
	zp_json_key(&line->writer, "resource_key");
	if (key.kind == STATE_INT_KEY)
		zp_json_int(&line->writer, key.number);
	else if (key.kind == STATE_STRING_KEY)
		zp_json_string(&line->writer, key.text);
	else
		zp_json_null(&line->writer);
}

static void write_resource(struct line *line, const char *name, const char *text)
{
	struct state_address address;
	struct zp_arena arena;

	zp_arena_init(&arena);
	zp_json_key(&line->writer, name);
	zp_json_begin_object(&line->writer);
	member(line, "addr", text);
	if (state_address_parse(text, &arena, &address, NULL) && address.is_resource) {
		size_t skip = *address.module ? strlen(address.module) + 1 : 0;
		size_t prefix = strcspn(address.type, "_");
		zp_autofree char *provider = zp_strndup(address.type, prefix);
		const struct provider *known = provider_for_type(address.type);
		member(line, "module", address.module);
		member(line, "resource", text + skip);
		member(line, "implied_provider", known ? known->name : provider);
		member(line, "resource_type", address.type);
		member(line, "resource_name", address.name);
		write_key(line, address.key);
	}
	zp_json_end_object(&line->writer);
	zp_arena_release(&arena);
}

static const char *action_name(enum plan_action action)
{
	static const char *const names[] = {
		[PLAN_NO_OP] = "noop", [PLAN_CREATE] = "create", [PLAN_READ] = "read",
		[PLAN_UPDATE] = "update", [PLAN_DELETE_CREATE] = "replace",
		[PLAN_CREATE_DELETE] = "replace", [PLAN_DELETE] = "delete", [PLAN_FORGET] = "forget",
	};

	return names[action];
}

/* As the message says it, and as the member does. */
static void write_change(const struct plan_change *change, const char *type)
{
	const char *reason = cli_reason_name(change->reason);
	bool drift = strcmp(type, "resource_drift") == 0;
	const char *action = change->action != PLAN_NO_OP ? action_name(change->action) :
		change->import_id ? "import" : change->previous_address ? "move" : "noop";
	zp_autofree char *message = zp_format(drift ? "%s: Drift detected (%s)" : "%s: Plan to %s",
		change->address, action);
	struct line line;

	begin(&line, "info", message);
	zp_json_key(&line.writer, "change");
	zp_json_begin_object(&line.writer);
	write_resource(&line, "resource", change->address);
	if (change->previous_address)
		write_resource(&line, "previous_resource", change->previous_address);
	member(&line, "action", action);
	if (reason)
		member(&line, "reason", reason);
	if (change->import_id) {
		zp_json_key(&line.writer, "importing");
		zp_json_begin_object(&line.writer);
		member(&line, "id", change->import_id);
		zp_json_end_object(&line.writer);
	}
	zp_json_end_object(&line.writer);
	end(&line, type);
}

static void write_summary(const char *message, const struct cli_progress *sums, const char *operation)
{
	struct line line;
	const struct {
		const char *name;
		size_t count;
	} rows[] = {
		{ "add", sums->added }, { "change", sums->changed }, { "import", sums->imported },
		{ "remove", sums->destroyed },
	};

	begin(&line, "info", message);
	zp_json_key(&line.writer, "changes");
	zp_json_begin_object(&line.writer);
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		zp_json_key(&line.writer, rows[i].name);
		zp_json_int(&line.writer, (int64_t)rows[i].count);
	}
	member(&line, "operation", operation);
	zp_json_end_object(&line.writer);
	end(&line, "change_summary");
}

static void count(struct cli_progress *sums, const struct plan_change *change)
{
	bool replace = change->action == PLAN_DELETE_CREATE || change->action == PLAN_CREATE_DELETE;

	sums->added += change->action == PLAN_CREATE || replace;
	sums->changed += change->action == PLAN_UPDATE;
	sums->destroyed += change->action == PLAN_DELETE || replace;
	sums->imported += change->import_id != NULL;
}

static void write_output_changes(const struct plan *plan)
{
	size_t changes;
	const struct plan_output_change *outputs = plan_output_changes(plan, &changes);
	size_t shown = changes;
	struct line line;

	if (!shown)
		return;
	zp_autofree char *message = zp_format("Outputs: %zu", shown);
	begin(&line, "info", message);
	zp_json_key(&line.writer, "outputs");
	zp_json_begin_object(&line.writer);
	for (size_t i = 0; i < changes; i++) {
		zp_json_key(&line.writer, outputs[i].name);
		zp_json_begin_object(&line.writer);
		zp_json_key(&line.writer, "sensitive");
		zp_json_bool(&line.writer, outputs[i].sensitive);
		member(&line, "action", action_name(outputs[i].action));
		zp_json_end_object(&line.writer);
	}
	zp_json_end_object(&line.writer);
	end(&line, "outputs");
}

void cli_stream_changes(const struct plan *plan)
{
	size_t changes;
	const struct plan_change *change = plan_changes(plan, &changes);

	for (size_t i = 0; i < changes; i++)
		if (change[i].action != PLAN_NO_OP || change[i].previous_address || change[i].import_id)
			write_change(&change[i], "planned_change");
	fflush(stdout);
}

void cli_stream_plan(const struct plan *plan)
{
	struct cli_progress sums = { 0 };
	size_t drifts, changes;
	const struct plan_drift *drift = plan_drifts(plan, &drifts);
	const struct plan_change *change = plan_changes(plan, &changes);

	for (size_t i = 0; i < drifts; i++)
		write_change(&drift[i].change, "resource_drift");
	for (size_t i = 0; i < changes; i++)
		count(&sums, &change[i]);
	cli_stream_changes(plan);
	zp_autofree char *imports = zp_format("%zu to import, ", sums.imported);
	zp_autofree char *message = zp_format("Plan: %s%zu to add, %zu to change, %zu to destroy.",
		sums.imported ? imports : "", sums.added, sums.changed, sums.destroyed);
	write_summary(message, &sums, "plan");
	if (plan_kind(plan) != PLAN_DESTROY)
		write_output_changes(plan);
}

void cli_stream_result(const struct cli_progress *done, const char *operation)
{
	bool destroy = strcmp(operation, "destroy") == 0;
	zp_autofree char *imports = zp_format("%zu imported, ", done->imported);
	zp_autofree char *message = destroy ?
		zp_format("Destroy complete! Resources: %zu destroyed.", done->destroyed) :
		zp_format("Apply complete! Resources: %s%zu added, %zu changed, %zu destroyed.",
			done->imported ? imports : "", done->added, done->changed, done->destroyed);

	write_summary(message, done, operation);
	fflush(stdout);
}

void cli_stream_outputs(const struct state *state)
{
	zp_autofree char *message = zp_format("Outputs: %zu", state->output_count);
	struct line line;

	if (!state->output_count)
		return;
	begin(&line, "info", message);
	zp_json_key(&line.writer, "outputs");
	zp_json_begin_object(&line.writer);
	for (size_t i = 0; i < state->output_count; i++) {
		const struct state_output *output = &state->outputs[i];
		zp_json_key(&line.writer, output->name);
		zp_json_begin_object(&line.writer);
		zp_json_key(&line.writer, "sensitive");
		zp_json_bool(&line.writer, output->sensitive);
		zp_json_key(&line.writer, "type");
		zp_json_raw(&line.writer, output->type);
		if (!output->sensitive) {
			zp_json_key(&line.writer, "value");
			zp_json_raw(&line.writer, output->value);
		}
		zp_json_end_object(&line.writer);
	}
	zp_json_end_object(&line.writer);
	end(&line, "outputs");
	fflush(stdout);
}

/* ---- events ---- */

static const struct {
	enum plan_event_kind kind;
	const char *type;
} types[] = {
	{ PLAN_EVENT_REFRESH_START, "refresh_start" },
	{ PLAN_EVENT_REFRESH_COMPLETE, "refresh_complete" },
	{ PLAN_EVENT_READ_START, "apply_start" },
	{ PLAN_EVENT_READ_COMPLETE, "apply_complete" },
	{ PLAN_EVENT_APPLY_START, "apply_start" },
	{ PLAN_EVENT_APPLY_PROGRESS, "apply_progress" },
	{ PLAN_EVENT_APPLY_COMPLETE, "apply_complete" },
	{ PLAN_EVENT_APPLY_ERROR, "apply_errored" },
	{ PLAN_EVENT_PROVISION_START, "provision_start" },
	{ PLAN_EVENT_PROVISION_OUTPUT, "provision_progress" },
	{ PLAN_EVENT_PROVISION_COMPLETE, "provision_complete" },
	{ PLAN_EVENT_PROVISION_ERROR, "provision_errored" },
};

static const char *type_of(const struct plan_event *event)
{
	for (size_t i = 0; i < ZP_ARRAY_SIZE(types); i++)
		if (types[i].kind == event->kind)
			return types[i].type;
	return NULL;
}

static void write_hook(struct line *line, const struct plan_event *event, const char *type)
{
	bool refresh = strncmp(type, "refresh", 7) == 0, provision = event->provisioner != NULL;
	bool timed = strcmp(type, "apply_complete") == 0 || strcmp(type, "apply_errored") == 0 ||
		strcmp(type, "apply_progress") == 0;
	bool ends_delete = strcmp(type, "apply_complete") == 0 && event->action == PLAN_DELETE;

	zp_json_key(&line->writer, "hook");
	zp_json_begin_object(&line->writer);
	write_resource(line, "resource", event->address);
	if (provision)
		member(line, "provisioner", event->provisioner);
	if (event->kind == PLAN_EVENT_PROVISION_OUTPUT)
		member(line, "output", event->text ? event->text : "");
	if (!refresh && !provision)
		member(line, "action", action_name(event->action));
	if (!provision && event->id_key && event->id_value && !ends_delete) {
		member(line, "id_key", event->id_key);
		member(line, "id_value", event->id_value);
	}
	if (timed) {
		zp_json_key(&line->writer, "elapsed_seconds");
		zp_json_int(&line->writer, (int64_t)event->elapsed);
	}
	zp_json_end_object(&line->writer);
}

void cli_stream_event(const struct plan_event *event)
{
	const char *type = event->address ? type_of(event) : NULL;
	zp_autobuf words = ZP_BUF_INIT, message = ZP_BUF_INIT;
	struct line line;

	cli_progress_words(event, &words);
	if (event->kind == PLAN_EVENT_PROVISION_OUTPUT)
		zp_buf_printf(&message, "%s: (%s): %s", event->address, event->provisioner,
			event->text ? event->text : "");
	else if (event->kind == PLAN_EVENT_PROVISION_COMPLETE ||
		event->kind == PLAN_EVENT_PROVISION_ERROR)
		zp_buf_printf(&message, "%s: (%s) Provisioning %s", event->address, event->provisioner,
			event->kind == PLAN_EVENT_PROVISION_ERROR ? "errored" : "complete");
	else
		zp_buf_printf(&message, "%s%s%s", event->address ? event->address : "",
			event->address ? ": " : "", words.ptr ? words.ptr : "");
	begin(&line, "info", message.ptr ? message.ptr : "");
	if (type)
		write_hook(&line, event, type);
	end(&line, type ? type : "log");
}

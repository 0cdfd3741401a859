/* Provisioners: commands that are run when an object has been made, or before it is destroyed. */
#include "base/alloc.h"
#include "base/process.h"
#include "planner/provision_internal.h"
#include "planner/provisioner_schema.h"
#include "providers/values.h"

extern char **environ;

#define MAX_OUTPUT ((size_t)64 << 20)
#define SHOWN_OUTPUT 8192 /* of a failed command, its end */

struct plan_provisioned plan_provisioned_by(const struct plan_execution *execution,
	const struct plan_work *work)
{
	const struct plan_orphan *orphan = work->node->orphan;
	const struct plan_instance *instance = work->node->kind == PLAN_NODE_CELL ?
		(const struct plan_instance *)work->node->cell : work->node->instance;

	if (orphan)
		return (struct plan_provisioned){ .address = orphan->stored->address,
			.provisioners = orphan->removed ? orphan->removed->provisioners : NULL,
			.count = orphan->removed ? orphan->removed->provisioner_count : 0,
			.connection = orphan->removed ? orphan->removed->connection : NULL,
			.module = execution->plan->root, .key = orphan->stored->key,
			.each_value = hcl_null(hcl_dynamic) };
	return (struct plan_provisioned){ .address = instance->address,
		.provisioners = instance->resource->config->provisioners,
		.count = instance->resource->config->provisioner_count,
		.connection = instance->resource->config->connection,
		.module = instance->cell.module, .key = instance->key,
		.each_value = instance->each_value };
}

bool plan_has_provisioners(const struct plan_provisioned *what, bool when_destroy)
{
	for (size_t i = 0; i < what->count; i++)
		if (what->provisioners[i].when_destroy == when_destroy)
			return true;
	return false;
}

/* ---- what is said ---- */

static void emit(const struct provisioning *p, enum plan_event_kind kind, const char *text)
{
	plan_emit(p->execution->plan, &(struct plan_event){ .kind = kind,
		.address = p->what->address, .action = PLAN_CREATE,
		.provisioner = p->provisioner->type, .text = text });
}

void plan_provision_say(const struct provisioning *p, const char *text)
{
	emit(p, PLAN_EVENT_PROVISION_OUTPUT, p->sensitive ?
		"(output suppressed due to sensitive value in config)" : text);
}

void plan_provision_line(void *data, struct zp_str line)
{
	const struct provisioning *p = data;
	zp_autofree char *text = zp_strndup(line.ptr, line.len);

	plan_provision_say(p, text);
}

bool plan_provision_failed(const struct provisioning *p, const char *detail)
{
	struct plan *plan = p->execution->plan;
	zp_autofree char *summary = zp_format("%s provisioner error", p->provisioner->type);

	if (p->provisioner->on_failure_continue)
		return true;
	struct zp_diag *diag =
		zp_diag_error(plan->diags, p->provisioner->range, summary, "%s", detail);
	zp_diag_about(plan->diags, diag, p->what->address);
	return false;
}

/* ---- local-exec ---- */

/* The environment of this process, with what the map says instead or besides. Heap. */
static const char **make_environment(struct hcl_value map, struct zp_arena *arena)
{
	size_t count = 0, extra = map.state == HCL_KNOWN ? map.count : 0;

	while (environ[count])
		count++;
	const char **list = zp_calloc(count + extra + 1, sizeof(*list));
	size_t n = 0;
	for (size_t i = 0; i < count; i++) {
		size_t length = strcspn(environ[i], "=");
		bool replaced = false;
		for (size_t k = 0; k < extra && !replaced; k++)
			replaced = map.entries[k].value.state == HCL_KNOWN &&
				zp_str_equal(map.entries[k].key, zp_strn(environ[i], length));
		if (!replaced)
			list[n++] = environ[i];
	}
	for (size_t k = 0; k < extra; k++)
		if (map.entries[k].value.state == HCL_KNOWN)
			list[n++] = zp_arena_format(arena, "%.*s=%s", ZP_FMT(map.entries[k].key),
				map.entries[k].value.text);
	return list;
}

/* The words of the command line; heap array. */
static const char **make_words(struct hcl_value interpreter, const char *command)
{
	size_t count = interpreter.state == HCL_KNOWN ? interpreter.count : 0, n = 0;
	const char **words = zp_calloc(count + 4, sizeof(*words));

	for (size_t i = 0; i < count; i++)
		words[n++] = interpreter.elements[i].state == HCL_KNOWN ?
			interpreter.elements[i].text : "";
	if (!count) {
		words[n++] = "/bin/sh";
		words[n++] = "-c";
	}
	words[n] = command;
	return words;
}

static void announce(const struct provisioning *p, const char **words, bool quiet)
{
	zp_autobuf text = ZP_BUF_INIT;

	if (quiet) {
		plan_provision_say(p, "local-exec: Executing: Suppressed by quiet=true");
		return;
	}
	zp_buf_puts(&text, "Executing: [");
	for (size_t i = 0; words[i]; i++) {
		zp_buf_puts(&text, i ? " " : "");
		zp_json_quote(&text, zp_str(words[i]), false);
	}
	zp_buf_char(&text, ']');
	plan_provision_say(p, text.ptr);
}

static bool report_command(const struct provisioning *p, const char *command,
	const struct zp_process_result *result, const struct zp_error *err)
{
	struct zp_str output = zp_buf_slice(&result->out);
	zp_autobuf why = ZP_BUF_INIT;

	if (output.len > SHOWN_OUTPUT) {
		output.ptr += output.len - SHOWN_OUTPUT;
		output.len = SHOWN_OUTPUT;
	}
	if (result->status > 128)
		zp_buf_printf(&why, "signal: %s", strsignal(result->status - 128));
	else if (result->status)
		zp_buf_printf(&why, "exit status %d", result->status);
	else
		zp_buf_puts(&why, zp_error_text(err));
	zp_autofree char *detail = zp_format("Error running command '%s': %s. Output: %.*s",
		p->sensitive ? "(sensitive value)" : command, why.ptr,
		p->sensitive ? 0 : (int)output.len, output.len ? output.ptr : "");
	return plan_provision_failed(p, detail);
}

static bool local_exec(struct provisioning *p, struct hcl_value config, struct zp_arena *arena)
{
	struct zp_process_result result = { 0 };
	zp_autoerror err = ZP_ERROR_INIT;
	const char *command = provider_get_text(config, "command");

	if (!command || !*command)
		return plan_provision_failed(p, "local-exec provisioner command must be a non-empty string");
	zp_autofree const char **words = make_words(provider_get(config, "interpreter"), command);
	zp_autofree const char **environment =
		make_environment(provider_get(config, "environment"), arena);
	struct zp_process_options options = { .environment = environment,
		.directory = provider_get_text(config, "working_dir"), .output_limit = MAX_OUTPUT,
		.line = plan_provision_line, .data = p };
	announce(p, words, provider_get_bool(config, "quiet", false));
	bool ok = zp_run(words, &options, &result, &err) == 0;
	if (!ok)
		ok = report_command(p, command, &result, &err);
	zp_process_result_release(&result);
	return ok;
}

/* ---- one after the other ---- */

/* What a connection block of the provisioner says goes before what one of the resource says. */
static struct hcl_value merge(struct zp_arena *arena, struct hcl_value base, struct hcl_value over)
{
	struct hcl_value *elements = zp_new_array(arena, struct hcl_value, base.count);

	for (uint32_t i = 0; i < base.count; i++)
		elements[i] = hcl_is_null(over.elements[i]) ? base.elements[i] : over.elements[i];
	return hcl_object_value(base.type, elements);
}

/* Both blocks together; a null object where there is none. */
static struct hcl_value evaluate_connection(struct provisioning *p, struct hcl_evaluation *ev)
{
	const struct provider_schema *schema = plan_connection_schema();
	const struct hcl_body *bodies[] = { p->what->connection, p->provisioner->connection };
	struct hcl_value result = hcl_null(schema->type);

	for (size_t i = 0; i < ZP_ARRAY_SIZE(bodies); i++) {
		if (!bodies[i])
			continue;
		struct hcl_value value = plan_decode_body(ev, bodies[i], schema);
		if (value.state != HCL_KNOWN)
			continue;
		result = hcl_is_null(result) ? value : merge(ev->arena, result, value);
	}
	return result;
}

/* The values of the blocks; false after diagnostics. Takes plan->lock. */
static bool evaluate(struct provisioning *p, struct hcl_value self, struct hcl_value *config,
	struct hcl_value *connection)
{
	struct plan *plan = p->execution->plan;
	struct plan_scope scope;

	pthread_mutex_lock(&plan->lock);
	size_t errors = plan->diags->errors;
	plan_scope_init(&scope, plan, p->what->module, p->what->key, p->what->each_value);
	scope.self = &self;
	struct hcl_evaluation ev = plan_evaluation(&scope);
	struct hcl_value value = plan_decode_body(
		&ev, p->provisioner->body, plan_provisioner_schema(p->provisioner->type));
	struct hcl_value link = strcmp(p->provisioner->type, "local-exec") == 0 ?
		hcl_null(plan_connection_schema()->type) : evaluate_connection(p, &ev);
	bool ok = plan->diags->errors == errors;
	if (ok && (!hcl_is_wholly_known(value) || !hcl_is_wholly_known(link))) {
		plan_provision_failed(p, "The configuration of this provisioner has values that are not known.");
		ok = false;
	}
	p->sensitive = value.inside & HCL_SENSITIVE;
	*config = hcl_unmark_deep(&plan->arena, value, HCL_ALL_MARKS);
	*connection = hcl_unmark_deep(&plan->arena, link, HCL_ALL_MARKS);
	pthread_mutex_unlock(&plan->lock);
	return ok;
}

static bool run(struct provisioning *p, struct hcl_value config, struct hcl_value connection,
	struct zp_arena *arena)
{
	if (strcmp(p->provisioner->type, "local-exec") == 0)
		return local_exec(p, config, arena);
	return plan_provision_remotely(p, config, connection);
}

bool plan_provision(struct plan_execution *execution, const struct plan_provisioned *what,
	struct hcl_value self, bool when_destroy)
{
	struct provisioning p = { .execution = execution, .what = what };
	struct zp_arena arena;
	bool ok = true;

	zp_arena_init(&arena);
	for (size_t i = 0; i < what->count && ok; i++) {
		struct hcl_value config, connection;
		p.provisioner = &what->provisioners[i];
		if (p.provisioner->when_destroy != when_destroy)
			continue;
		emit(&p, PLAN_EVENT_PROVISION_START, p.provisioner->type);
		ok = evaluate(&p, self, &config, &connection) && run(&p, config, connection, &arena);
		emit(&p, ok ? PLAN_EVENT_PROVISION_COMPLETE : PLAN_EVENT_PROVISION_ERROR, NULL);
	}
	zp_arena_release(&arena);
	return ok;
}

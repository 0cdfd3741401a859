#include "providers/logs/workload.h"

#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "node/client.h"
#include "node/context.h"
#include "providers/logs/output.h"
#include "providers/logs/stream.h"
#include "providers/machine/machine.h"
#include "providers/machine/workload.h"
#include "providers/network/names.h"

static const char *text_of(const cJSON *spec, const char *name)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(spec, name));
}

static int validate(const cJSON *spec, struct zp_error *err)
{
	const char *machine = text_of(spec, "zmachine"), *url = text_of(spec, "output");
	const char *authority = text_of(spec, "certificate_authority");
	provider_autooutput output = { 0 };

	if (!machine || !*machine)
		return zp_error_set(err, "zmachine: required, but not given");
	if (!url || !*url)
		return zp_error_set(err, "output: required, but not given");
	if (authority && !strstr(authority, "-----BEGIN CERTIFICATE-----"))
		return zp_error_set(
			err, "certificate_authority: must be a certificate in PEM form");
	return provider_log_output_parse(url, &output, err);
}

static int check_tenant(
	struct node_context *node, const struct node_workload *w, struct zp_error *err)
{
	return node_check_own(node, w, text_of(w->spec, "zmachine"), err);
}

/* What a stream is started with, and the texts it is made of. */
struct plan {
	struct provider_log_stream_options options;
	struct provider_network_names names;
	char *log, *state;
};

static void plan_release(struct plan *plan)
{
	free(plan->log);
	free(plan->state);
}

static const char *network_of(const cJSON *machine)
{
	const cJSON *interfaces = cJSON_GetObjectItemCaseSensitive(
		cJSON_GetObjectItemCaseSensitive(machine, "network"), "interfaces");

	return text_of(cJSON_GetArrayItem(interfaces, 0), "network");
}

static int make_plan(struct node_context *node, const struct node_workload *w, struct plan *plan,
	struct zp_error *err)
{
	const char *machine = text_of(w->spec, "zmachine");
	struct node_workload *found = node_find(node, machine);
	const char *network = found ? network_of(found->spec) : NULL;
	bool is_there = found && strcmp(found->type, PROVIDER_ZMACHINE_TYPE) == 0 && network;

	if (is_there)
		provider_network_names(node, network, &plan->names);
	node_workload_free(found);
	if (!is_there)
		return zp_error_code(err, NODE_E_FAILED, "zmachine: %s is not a machine of node %s",
			machine, node_name(node));
	zp_autofree char *folder = node_workload_dir(node, machine, err);
	zp_autofree char *own = node_workload_dir(node, w->id, err);
	if (!folder || !own)
		return -1;
	plan->log = provider_machine_log(folder);
	plan->state = zp_path_join(own, "position");
	plan->options = (struct provider_log_stream_options){
		.log = plan->log,
		.state = plan->state,
		.output = text_of(w->spec, "output"),
		.authority = text_of(w->spec, "certificate_authority"),
		.channel = machine,
		.netns = plan->names.netns,
	};
	return 0;
}

/* A position within another machine's log is none in this one's. */
static int check_state(struct node_context *node, const struct node_workload *w,
	const struct plan *plan, struct zp_error *err)
{
	zp_autofree char *own = node_workload_dir(node, w->id, err);
	zp_autofree char *path = own ? zp_path_join(own, "machine") : NULL;
	zp_autobuf before = ZP_BUF_INIT;

	if (!own)
		return -1;
	if (zp_file_read(path, 1024, &before, NULL) == 0 &&
		zp_str_is(zp_buf_slice(&before), plan->options.channel))
		return 0;
	provider_log_stream_stop(w->id);
	unlink(plan->state);
	return zp_file_write_atomic(path, zp_str(plan->options.channel), 0600, err);
}

static int ensure(struct node_context *node, const struct node_workload *w, cJSON **result,
	struct zp_error *err)
{
	zp_cleanup(plan_release) struct plan plan = { 0 };

	if (make_plan(node, w, &plan, err) < 0 || check_state(node, w, &plan, err) < 0 ||
		provider_log_stream_start(w->id, &plan.options, err) < 0)
		return -1;
	*result = cJSON_CreateObject();
	return 0;
}

static int read_logs(struct node_context *node, const struct node_workload *w,
	enum node_workload_status *status, cJSON **result, struct zp_buf *message,
	struct zp_error *err)
{
	zp_cleanup(plan_release) struct plan plan = { 0 };
	zp_autoerror problem = ZP_ERROR_INIT;

	(void)err;
	*status = NODE_DEGRADED;
	if (make_plan(node, w, &plan, &problem) < 0)
		zp_buf_puts(message, zp_error_text(&problem));
	else if (provider_log_stream_check(w->id, &plan.options, message))
		*status = NODE_OK;
	*result = cJSON_CreateObject();
	return 0;
}

static int remove_logs(
	struct node_context *node, const struct node_workload *w, struct zp_error *err)
{
	provider_log_stream_stop(w->id);
	return node_workload_dir_remove(node, w->id, err);
}

const struct node_workload_type provider_logs_workload = {
	.name = PROVIDER_LOGS_TYPE,
	.order = 60,
	.check_tenant = check_tenant,
	.validate = validate,
	.ensure = ensure,
	.read = read_logs,
	.remove = remove_logs,
};

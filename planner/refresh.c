/* How things really are: every object of the state is read, in batches. */
#include <stdlib.h>

#include "planner/engine.h"

struct refreshing {
	const struct state_object *stored;
	const struct provider_resource_type *type;
	struct plan_provider *provider;
	const char *batch;
	struct hcl_value before; /* with marks */
	struct provider_operation op;
};

ZP_VEC(refreshing_vec, struct refreshing);

static const struct provider *provider_of(const struct state_resource *resource)
{
	const char *open = strchr(resource->provider, '"');
	const char *close = open ? strchr(open + 1, '"') : NULL;
	char source[512];

	if (!close || (size_t)(close - open) > sizeof(source))
		return provider_for_type(resource->type);
	snprintf(source, sizeof(source), "%.*s", (int)(close - open - 1), open + 1);
	const struct provider *provider = provider_find(source);
	return provider ? provider : provider_for_type(resource->type);
}

static const struct provider_resource_type *type_of(const struct state_resource *resource)
{
	const struct provider *provider = provider_of(resource);

	return provider ? provider_resource(provider, resource->type, false) : NULL;
}

/* A text member of the object's JSON, in the scratch; NULL when there is none. */
static const char *text_member(const struct state_object *object, const char *name, struct zp_buf *scratch)
{
	const char *found = NULL;
	struct zp_json json;
	struct zp_str key, text;

	zp_json_init(&json, object->attributes);
	for (bool more = zp_json_enter_object(&json); more && !found && zp_json_next_key(&json, &key);) {
		if (!zp_str_is(key, name) || zp_json_peek(&json) != ZP_JSON_STRING) {
			zp_json_skip(&json, NULL);
		} else if (zp_json_read_string(&json, &text)) {
			zp_buf_clear(scratch);
			zp_buf_str(scratch, text);
			found = scratch->ptr ? scratch->ptr : "";
		}
	}
	zp_json_release(&json);
	return found;
}

/* What lives in the state is as it is there: nobody is asked, and it is said all the same. */
static void tell_in_process(struct plan *plan)
{
	zp_autobuf scratch = ZP_BUF_INIT;

	if (!plan->hooks || plan->loaded)
		return;
	plan_emit_begin(plan);
	for (size_t i = 0; i < plan->prior->object_count; i++) {
		const struct state_object *object = plan->prior->objects[i];
		const struct provider_resource_type *type =
			object && object->resource->mode == STATE_MANAGED ? type_of(object->resource) : NULL;
		if (!type || !type->in_process || !plan_selects_object(plan, object))
			continue;
		struct plan_event event = { .kind = PLAN_EVENT_REFRESH_START, .address = object->address,
			.id_key = type->identity_attribute,
			.id_value = text_member(object, type->identity_attribute, &scratch) };
		plan_emit_next(plan, &event);
		event.kind = PLAN_EVENT_REFRESH_COMPLETE;
		plan_emit_next(plan, &event);
	}
	plan_emit_end(plan);
}

static void add(struct plan *plan, struct refreshing_vec *all, const struct state_object *object)
{
	const struct provider_resource_type *type = type_of(object->resource);
	struct refreshing item = { .stored = object, .type = type };
	zp_autoerror err = ZP_ERROR_INIT;

	if (!type || type->in_process || !plan_selects_object(plan, object))
		return;
	if (!plan_decode_object(object, type->schema, &plan->arena, &item.before, &err)) {
		zp_diag_error(plan->diags, ZP_NOWHERE, "Failed to decode resource from state", "%s",
			zp_error_text(&err));
		return;
	}
	item.provider = plan_provider_of(plan, object->resource);
	if (!item.provider->configured)
		return;
	item.op = (struct provider_operation){ .verb = PROVIDER_READ, .type = type,
		.address = object->address, .arena = &plan->arena,
		.identity = plan_text_attribute(item.before, type->identity_attribute),
		.prior = hcl_unmark_deep(&plan->arena, item.before, HCL_ALL_MARKS),
		.planned = hcl_null(type->schema->type), .config = hcl_null(type->schema->type),
		.private_in = object->private_data };
	item.batch = type->batch_key ? type->batch_key(&item.op) : NULL;
	zp_vec_push(all, item);
}

static int batch_order(const void *x, const void *y)
{
	const struct refreshing *a = x, *b = y;
	int order = strcmp(a->type->name, b->type->name);

	if (!order)
		order = (a->provider > b->provider) - (a->provider < b->provider);
	if (!order)
		order = strcmp(a->batch ? a->batch : "", b->batch ? b->batch : "");
	return order ? order : strcmp(a->op.address, b->op.address);
}

/* Runs [first, last), which belong together, and gives true when all could be asked. */
static void run_batch(struct plan *plan, struct refreshing *items, size_t count)
{
	struct provider_operation **ops = zp_calloc(count, sizeof(*ops));

	for (size_t i = 0; i < count; i++) {
		ops[i] = &items[i].op;
		plan_emit(plan, &(struct plan_event){ .kind = PLAN_EVENT_REFRESH_START,
			.address = items[i].op.address, .id_key = items[i].type->identity_attribute,
			.id_value = items[i].op.identity });
	}
	items->type->run(&items->provider->instance, ops, count);
	free(ops);
}

static void note_drift(struct plan *plan, const struct refreshing *item, struct hcl_value after)
{
	const struct state_resource *resource = item->stored->resource;
	struct plan_drift drift = { .change = {
		.address = item->stored->address,
		.module = resource->module,
		.mode = PLAN_MANAGED,
		.type = resource->type,
		.name = resource->name,
		.key = item->stored->key,
		.deposed = item->stored->deposed,
		.provider = item->provider->provider,
		.provider_address = item->provider->provider->source,
		.schema = item->type->schema,
		.action = hcl_is_null(after) ? PLAN_DELETE : PLAN_UPDATE,
		.before = item->before,
		.after = after,
	} };

	zp_vec_push(&plan->drifts, drift);
}

/* The result takes the object's place in the prior state. */
static void take_result(struct plan *plan, struct refreshing *item)
{
	const struct state_object *stored = item->stored;
	size_t errors = plan->diags->errors;

	plan_report_problems(plan, NULL, item->op.address, &item->op.problems);
	if (plan->diags->errors > errors || !item->op.result.type)
		return;
	struct hcl_value after = plan_carry_marks(plan, item->type->schema, item->before,
		item->op.result);
	if (hcl_value_identical(item->before, after))
		return;
	note_drift(plan, item, after);
	if (hcl_is_null(after)) {
		state_remove(plan->prior, stored->address, stored->deposed);
		return;
	}
	zp_autobuf attributes = ZP_BUF_INIT, sensitive = ZP_BUF_INIT;
	struct state_object changed = *stored;
	plan_encode_attributes(item->type->schema, after, &attributes);
	plan_encode_sensitive(after, &sensitive);
	changed.attributes = zp_buf_slice(&attributes);
	changed.sensitive_attributes = zp_buf_slice(&sensitive);
	changed.schema_version = item->type->schema->version;
	if (item->op.private_out.len)
		changed.private_data = item->op.private_out;
	state_set(plan->prior, &changed);
}

void plan_refresh(struct plan *plan)
{
	struct refreshing_vec all = { 0 };

	tell_in_process(plan);
	for (size_t i = 0; i < plan->prior->object_count; i++) {
		const struct state_object *object = plan->prior->objects[i];
		if (object && object->resource->mode == STATE_MANAGED)
			add(plan, &all, object);
	}
	if (all.count)
		qsort(all.items, all.count, sizeof(*all.items), batch_order);
	for (size_t i = 0; i < all.count;) {
		size_t end = i + 1;
		while (end < all.count && all.items[end].type == all.items[i].type &&
			all.items[end].provider == all.items[i].provider && all.items[i].batch &&
			all.items[end].batch &&
			strcmp(all.items[end].batch, all.items[i].batch) == 0)
			end++;
		run_batch(plan, &all.items[i], end - i);
		i = end;
	}
	for (size_t i = 0; i < all.count; i++)
		take_result(plan, &all.items[i]);
	zp_vec_release(&all);
}

void plan_restore_drift(struct plan *plan, const char *address, const char *deposed)
{
	const struct state_object *before = state_find(plan->stored, address, deposed);
	const struct state_object *after = state_find(plan->prior, address, deposed);
	struct refreshing item = { .stored = before };
	struct hcl_value found;

	item.type = before ? type_of(before->resource) : NULL;
	if (!item.type ||
		!plan_decode_object(before, item.type->schema, &plan->arena, &item.before, NULL))
		return;
	found = hcl_null(item.type->schema->type);
	if (after)
		plan_decode_object(after, item.type->schema, &plan->arena, &found, NULL);
	item.provider = plan_provider_of(plan, before->resource);
	note_drift(plan, &item, found);
}

/*
 * Cycles among the objects of a configuration: Tarjan's strongly connected components over all modules
 * at once, without recursion over the objects.
 */
#include "planner/validate_internal.h"

enum object_kind { VARIABLE, LOCAL, OUTPUT, RESOURCE };

struct object {
	const struct plan_module *module;
	enum object_kind kind;
	uint32_t index;
	uint32_t order, low; /* Tarjan's; order 0: not met yet */
	bool on_stack;
};

struct module_base {
	const struct plan_module *module;
	uint32_t variables, locals, outputs, resources; /* first object of each kind */
};

ZP_VEC(number_vec, uint32_t);

struct web {
	ZP_VEC(, struct object) objects;
	ZP_VEC(, struct module_base) modules;
	ZP_VEC(, struct number_vec) edges; /* of each object: what it needs */
	struct zp_arena scratch;
	const struct module_base *at; /* module of the object whose edges are collected */
	uint32_t from;
};

static void add_objects(struct web *web, const struct plan_module *module, enum object_kind kind,
	size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct object object = { .module = module, .kind = kind, .index = (uint32_t)i };
		zp_vec_push(&web->objects, object);
		zp_vec_add(&web->edges);
	}
}

static void add_module(struct web *web, const struct plan_module *module)
{
	struct module_base base = { .module = module };

	base.variables = (uint32_t)web->objects.count;
	add_objects(web, module, VARIABLE, module->variable_count);
	base.locals = (uint32_t)web->objects.count;
	add_objects(web, module, LOCAL, module->local_count);
	base.outputs = (uint32_t)web->objects.count;
	add_objects(web, module, OUTPUT, module->output_count);
	base.resources = (uint32_t)web->objects.count;
	add_objects(web, module, RESOURCE, module->resource_count);
	zp_vec_push(&web->modules, base);
	for (size_t i = 0; i < module->call_count; i++)
		if (module->calls[i]->module)
			add_module(web, module->calls[i]->module);
}

static const struct module_base *base_of(const struct web *web, const struct plan_module *module)
{
	for (size_t i = 0; i < web->modules.count; i++)
		if (web->modules.items[i].module == module)
			return &web->modules.items[i];
	return NULL;
}

static void need(struct web *web, uint32_t object)
{
	zp_vec_push(&web->edges.items[web->from], object);
}

static void need_outputs(struct web *web, const struct plan_call *call, const char *output)
{
	if (!call->module)
		return;
	const struct module_base *child = base_of(web, call->module);
	for (size_t i = 0; i < call->module->output_count; i++)
		if (!output || call->module->outputs[i]->name == output)
			need(web, child->outputs + (uint32_t)i);
}

static void follow(struct web *web, const struct plan_reference *reference)
{
	switch (reference->target) {
	case PLAN_TO_VARIABLE:
		need(web, web->at->variables + reference->index);
		break;
	case PLAN_TO_LOCAL:
		need(web, web->at->locals + reference->index);
		break;
	case PLAN_TO_RESOURCE:
		need(web, web->at->resources + reference->index);
		break;
	case PLAN_TO_CALL:
		need_outputs(web, web->at->module->calls[reference->index], reference->output);
	}
}

static void follow_traversal(void *data, const struct hcl_expr *traversal)
{
	struct web *web = data;
	struct plan_reference reference;

	if (plan_resolve_static(web->at->module, traversal, &reference))
		follow(web, &reference);
}

static void follow_expression(void *data, const struct hcl_expr *expr)
{
	if (expr)
		hcl_expr_references(expr, follow_traversal, data);
}

/* A child's variable needs what its argument in the call refers to, and what decides repetition. */
static void variable_edges(struct web *web, const struct plan_module *module,
	const struct plan_variable *variable)
{
	const struct plan_call *call = module->call;

	if (!call)
		return;
	web->at = base_of(web, module->parent);
	follow_expression(web, call->count);
	follow_expression(web, call->for_each);
	struct hcl_content content = { 0 };
	struct zp_diags ignored;
	zp_diags_init(&ignored);
	hcl_body_attributes(call->body, &web->scratch, &content, &ignored);
	zp_diags_release(&ignored);
	struct hcl_attribute *attribute = hcl_content_attribute(&content, variable->name);
	follow_expression(web, attribute ? attribute->expr : NULL);
}

static void object_edges(struct web *web, uint32_t number)
{
	const struct object object = web->objects.items[number];
	const struct plan_module *module = object.module;

	web->from = number;
	web->at = base_of(web, module);
	switch (object.kind) {
	case VARIABLE:
		variable_edges(web, module, module->variables[object.index]);
		break;
	case LOCAL:
		follow_expression(web, module->locals[object.index]->expr);
		break;
	case OUTPUT:
		follow_expression(web, module->outputs[object.index]->expr);
		for (size_t i = 0; i < module->outputs[object.index]->depends_on_count; i++)
			follow_traversal(web, module->outputs[object.index]->depends_on[i]);
		break;
	case RESOURCE:
		for (size_t i = 0; i < module->resources[object.index]->reference_count; i++)
			follow(web, &module->resources[object.index]->references[i]);
	}
}

static void object_name(const struct object *object, struct zp_buf *out)
{
	const struct plan_module *module = object->module;

	if (*module->path)
		zp_buf_puts(out, "module.");
	for (const char *p = module->path; *p; p++) {
		if (*p == '.')
			zp_buf_puts(out, ".module.");
		else
			zp_buf_char(out, *p);
	}
	if (*module->path)
		zp_buf_char(out, '.');
	switch (object->kind) {
	case VARIABLE:
		zp_buf_printf(out, "var.%s", module->variables[object->index]->name);
		break;
	case LOCAL:
		zp_buf_printf(out, "local.%s", module->locals[object->index]->name);
		break;
	case OUTPUT:
		zp_buf_printf(out, "output.%s", module->outputs[object->index]->name);
		break;
	case RESOURCE:
		zp_buf_puts(out, module->resources[object->index]->address);
	}
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void report(const struct web *web, const uint32_t *members, size_t count,
	struct zp_diags *diags)
{
	char **names = zp_calloc(count, sizeof(*names));
	zp_autobuf summary = ZP_BUF_INIT;

	for (size_t i = 0; i < count; i++) {
		zp_autobuf name = ZP_BUF_INIT;
		object_name(&web->objects.items[members[i]], &name);
		names[i] = zp_buf_steal(&name);
	}
	qsort(names, count, sizeof(*names), by_text);
	zp_buf_puts(&summary, "Cycle: ");
	for (size_t i = 0; i < count; i++) {
		zp_buf_printf(&summary, "%s%s", i ? ", " : "", names[i]);
		free(names[i]);
	}
	free(names);
	zp_diag_error(diags, ZP_NOWHERE, summary.ptr, "%s", "");
}

struct frame {
	uint32_t object;
	size_t next_edge;
};

struct tarjan {
	ZP_VEC(, struct frame) frames;
	struct number_vec stack;
	uint32_t clock;
};

static void enter(struct web *web, struct tarjan *tarjan, uint32_t number)
{
	struct object *object = &web->objects.items[number];
	struct frame frame = { number, 0 };

	object->order = object->low = ++tarjan->clock;
	object->on_stack = true;
	zp_vec_push(&tarjan->stack, number);
	zp_vec_push(&tarjan->frames, frame);
}

static void leave(struct web *web, struct tarjan *tarjan, struct zp_diags *diags)
{
	uint32_t number = tarjan->frames.items[--tarjan->frames.count].object;
	struct object *object = &web->objects.items[number];

	if (tarjan->frames.count) {
		uint32_t parent = tarjan->frames.items[tarjan->frames.count - 1].object;
		if (object->low < web->objects.items[parent].low)
			web->objects.items[parent].low = object->low;
	}
	if (object->low != object->order)
		return;
	size_t start = tarjan->stack.count;
	do
		web->objects.items[tarjan->stack.items[--start]].on_stack = false;
	while (tarjan->stack.items[start] != number);
	if (tarjan->stack.count - start > 1)
		report(web, tarjan->stack.items + start, tarjan->stack.count - start, diags);
	tarjan->stack.count = start;
}

static void explore(struct web *web, struct tarjan *tarjan, uint32_t root, struct zp_diags *diags)
{
	enter(web, tarjan, root);
	while (tarjan->frames.count) {
		struct frame *frame = &tarjan->frames.items[tarjan->frames.count - 1];
		const struct number_vec *edges = &web->edges.items[frame->object];
		if (frame->next_edge == edges->count) {
			leave(web, tarjan, diags);
			continue;
		}
		uint32_t to = edges->items[frame->next_edge++];
		struct object *from = &web->objects.items[frame->object];
		const struct object *target = &web->objects.items[to];
		if (!target->order)
			enter(web, tarjan, to);
		else if (target->on_stack && target->order < from->low)
			from->low = target->order;
	}
}

void plan_check_cycles(const struct plan_config *config, struct zp_diags *diags)
{
	struct web web = { 0 };
	struct tarjan tarjan = { 0 };

	zp_arena_init(&web.scratch);
	add_module(&web, config->root);
	for (size_t i = 0; i < web.objects.count; i++)
		object_edges(&web, (uint32_t)i);
	for (size_t i = 0; i < web.objects.count; i++)
		if (!web.objects.items[i].order)
			explore(&web, &tarjan, (uint32_t)i, diags);
	for (size_t i = 0; i < web.edges.count; i++)
		zp_vec_release(&web.edges.items[i]);
	zp_vec_release(&web.edges);
	zp_vec_release(&web.objects);
	zp_vec_release(&web.modules);
	zp_vec_release(&tarjan.frames);
	zp_vec_release(&tarjan.stack);
	zp_arena_release(&web.scratch);
}

/* grid_deployment: its plan. */
#include <string.h>

#include "base/alloc.h"
#include "providers/grid/deployment.h"
#include "providers/zos/object.h"
#include "providers/scheduler/demand.h"

static const char *text_or_empty(struct hcl_value object, const char *name)
{
	const char *text = provider_get_text(object, name);

	return text ? text : "";
}

static bool same_network(const struct provider_plan *plan)
{
	return !zos_plan_is_new(plan) &&
	       provider_get(plan->planned, "network_name").state != HCL_UNKNOWN &&
	       strcmp(text_or_empty(plan->prior, "network_name"),
		       text_or_empty(plan->planned, "network_name")) == 0;
}

/* Machines are known by their names: one that moves up in the list keeps its addresses. */
static struct hcl_value plan_vms(struct provider_plan *plan)
{
	struct hcl_value planned = provider_get(plan->planned, "vms");
	struct hcl_value config = provider_get(plan->config, "vms");
	struct hcl_value before = zos_plan_is_new(plan) ? hcl_null(hcl_dynamic) :
							  provider_get(plan->prior, "vms");

	if (planned.state != HCL_KNOWN || config.state != HCL_KNOWN)
		return planned;
	struct hcl_value *vms = zp_new_array(plan->arena, struct hcl_value, planned.count);
	for (uint32_t i = 0; i < planned.count; i++) {
		const char *name = provider_get_text(planned.elements[i], "name");
		if (grid_vm_wants_gpu(planned.elements[i]))
			provider_warning(&plan->problems, "vms", "No GPUs here",
				"The machine %s asks for a GPU, and no node has any to give: this can be "
				"planned, but not applied.", name ? name : "");
		vms[i] = grid_vm_plan(plan->arena, &grid_vm_schema, planned.elements[i],
			config.elements[i], grid_element(before, name), !same_network(plan));
	}
	return hcl_list_value(grid_vm_schema.type, vms, planned.count);
}

static struct hcl_value plan_range(struct provider_plan *plan)
{
	struct hcl_value network = provider_get(plan->planned, "network_name");

	if (network.state == HCL_NULL || (network.state == HCL_KNOWN && !network.count))
		return hcl_string_static("");
	if (same_network(plan) && provider_has(plan->prior, "ip_range"))
		return provider_get(plan->prior, "ip_range");
	return hcl_unknown(hcl_string);
}

static void check_growth(struct provider_plan *plan)
{
	struct hcl_value disks = provider_get(plan->planned, "disks");

	for (uint32_t i = 0; disks.state == HCL_KNOWN && i < disks.count; i++) {
		const char *name = provider_get_text(disks.elements[i], "name");
		struct hcl_value had = grid_element(provider_get(plan->prior, "disks"), name);
		int64_t before = provider_is_object(had) ? provider_get_int(had, "size", 0) : 0;
		int64_t after = provider_get_int(disks.elements[i], "size", before);
		if (after < before)
			provider_error(&plan->problems, "disks", "A disk can not shrink",
				"The disk %s has %lld GB and can not be made %lld GB without losing data. "
				"Keep the size, or make a disk of another name and copy what is needed.",
				name, (long long)before, (long long)after);
	}
}

static void refuse(struct provider_plan *plan, const char *block, const char *what)
{
	struct hcl_value list = provider_get(plan->planned, block);
	const char *node = grid_node_text(plan->arena, provider_get(plan->planned, "node"));

	if (list.state == HCL_KNOWN && list.count)
		provider_error(&plan->problems, block, "Not offered by the node",
			"Node %s does not offer %s, as no node does yet: leave the block \"%s\" out.",
			node ? node : "", what, block);
}

static void plan_deployment(struct provider_plan *plan)
{
	struct provider_builder builder;

	if (plan->planned.state != HCL_KNOWN)
		return;
	provider_build(&builder, plan->arena, plan->type->schema, plan->planned);
	provider_build_set(&builder, "vms", plan_vms(plan));
	provider_build_set(&builder, "ip_range", plan_range(plan));
	provider_build_set(&builder, "status", hcl_string_static("ok"));
	plan->planned = provider_built(&builder);
	refuse(plan, "zdbs", "key-value stores (zdb)");
	refuse(plan, "qsfs", "quantum safe file systems (qsfs)");
	if (zos_plan_is_new(plan))
		grid_plan_node(plan, "node", provider_get(plan->planned, "node"));
	else
		check_growth(plan);
}

/* A machine without what it was to have is not made. */
static bool refuse_gpus(struct provider_operation *op)
{
	struct hcl_value vms = provider_get(op->planned, "vms");
	bool changes = op->verb == PROVIDER_CREATE || op->verb == PROVIDER_UPDATE;

	for (uint32_t i = 0; changes && vms.state == HCL_KNOWN && i < vms.count; i++) {
		if (!grid_vm_wants_gpu(vms.elements[i]))
			continue;
		provider_error(&op->problems, "vms", "No GPUs here",
			"The machine %s asks for a GPU, and no node has any to give.",
			provider_get_text(vms.elements[i], "name"));
		op->result = op->verb == PROVIDER_CREATE ? provider_schema_null(op->type->schema) :
							   op->prior;
		return true;
	}
	return false;
}

static void run(
	struct provider_instance *instance, struct provider_operation *const *ops, size_t count)
{
	zp_autofree struct provider_operation **list = zp_calloc(count + 1, sizeof(*list));
	size_t used = 0;

	for (size_t i = 0; i < count; i++)
		if (!refuse_gpus(ops[i]))
			list[used++] = ops[i];
	zos_composite_run(&grid_deployment_kind, instance, list, used);
}

static void demand(struct hcl_value object, void (*add)(void *data, const struct provider_demand *demand),
	void *data)
{
	const struct zos_demand to = { add, data };
	struct hcl_value vms = provider_get(object, "vms"), disks = provider_get(object, "disks");
	char text[24];
	const char *node = zos_demand_node(provider_get(object, "node"), text);

	for (uint32_t i = 0; vms.state == HCL_KNOWN && i < vms.count; i++) {
		int64_t cpu = provider_get_int(vms.elements[i], "cpu", 1);
		int64_t memory = provider_get_int(vms.elements[i], "memory", ZOS_DEFAULT_MEMORY_MB);
		zos_demand_machine(&to, vms.elements[i], node, zos_machine_least_root(cpu, memory), "publicip");
	}
	for (uint32_t i = 0; disks.state == HCL_KNOWN && i < disks.count; i++)
		zos_demand_disk(&to, node, provider_get_int(disks.elements[i], "size", 0));
}

const struct provider_resource_type provider_grid_deployment = {
	.name = "grid_deployment",
	.schema = &grid_deployment_schema,
	.identity_attribute = "id",
	.validate = grid_deployment_validate,
	.plan = plan_deployment,
	.run = run,
	.batch_key = grid_batch_key,
	.demand = demand,
};

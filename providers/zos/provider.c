#include "providers/builtin.h"
#include "providers/scheduler/room.h"

static struct provider_schema schema = {
	.description = "Workloads on nodes. Which nodes there are, the inventory says (-nodes, "
		       "ZPLAN_NODES, nodes.hcl); the provider itself needs no configuration.",
};

static const struct provider_resource_type *const resources[] = {
	&provider_zos_network,
	&provider_zos_ip,
	&provider_zos_disk,
	&provider_zos_machine,
	&provider_zos_gateway_name,
	&provider_zos_gateway_fqdn,
	&provider_zos_logs,
	&provider_zos_kubernetes,
	&provider_zos_scheduler,
	NULL,
};

static const struct provider_resource_type *const data_sources[] = {
	&provider_zos_node_data,
	&provider_zos_nodes_data,
	&provider_zos_scheduler_data,
	&provider_zos_gateway_domain_data,
	NULL,
};

const struct provider provider_zos = {
	.name = "zos",
	.source = "registry.terraform.io/zplan/zos",
	.version = ZPLAN_VERSION,
	.schema = &schema,
	.resources = resources,
	.data_sources = data_sources,
	.review = zos_review_room,
};

#include "providers/workloads.h"

#include "base/cleanup.h"
#include "providers/disk/workload.h"
#include "providers/gateway/workload.h"
#include "providers/ip/workload.h"
#include "providers/logs/workload.h"
#include "providers/machine/workload.h"
#include "providers/network/workload.h"

static const struct node_workload_type *const types[] = {
	&provider_network_workload,
	&provider_ip_workload,
	&provider_zmount_workload,
	&provider_zmachine_workload,
	&provider_gateway_name_workload,
	&provider_gateway_fqdn_workload,
	&provider_logs_workload,
};

const struct node_workload_types *provider_workload_types(void)
{
	static const struct node_workload_types table = { types, ZP_ARRAY_SIZE(types) };

	return &table;
}

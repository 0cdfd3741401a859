#include "providers/scheduler/demand.h"

#include <inttypes.h>
#include <stdio.h>

#include "providers/values.h"
#include "providers/zos/specs.h"

#define MEGABYTE (INT64_C(1) << 20)
#define GIGABYTE (INT64_C(1) << 30)

void zos_demand_machine(const struct zos_demand *to, struct hcl_value machine, const char *node,
	int64_t least_root_mb, const char *public_ipv4)
{
	int64_t root = provider_get_int(machine, "rootfs_size", least_root_mb);

	to->add(to->data, &(struct provider_demand){ .node = node,
				  .cores = provider_get_int(machine, "cpu", 1),
				  .memory = provider_get_int(machine, "memory", ZOS_DEFAULT_MEMORY_MB) * MEGABYTE,
				  .disk = (root > least_root_mb ? root : least_root_mb) * MEGABYTE +
					  provider_get_int(machine, "disk_size", 0) * GIGABYTE,
				  .addresses = public_ipv4 && provider_get_bool(machine, public_ipv4, false) });
}

void zos_demand_disk(const struct zos_demand *to, const char *node, int64_t gigabytes)
{
	to->add(to->data, &(struct provider_demand){ .node = node, .disk = gigabytes * GIGABYTE });
}

const char *zos_demand_node(struct hcl_value number, char text[24])
{
	int64_t value;

	if (number.state != HCL_KNOWN || number.type != hcl_number || !hcl_number_to_int(number, &value))
		return NULL;
	snprintf(text, 24, "%" PRId64, value);
	return text;
}

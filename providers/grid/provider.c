/*
 * The provider block: what it once configured has no meaning for nodes of one's own, so it is accepted,
 * and said once.
 */
#include <stdatomic.h>

#include "base/alloc.h"
#include "providers/grid/grid.h"
#include "providers/scheduler/room.h"

#define UNUSED(attribute, text, extra)                                                             \
	{                                                                                          \
		.name = attribute, .type = text, .flags = PROVIDER_OPTIONAL | (extra),             \
		.description = "Accepted, and without meaning for nodes of an inventory."          \
	}

static struct provider_attribute attributes[] = {
	UNUSED("mnemonic", "string", PROVIDER_SENSITIVE),
	UNUSED("mnemonics", "string", PROVIDER_SENSITIVE),
	UNUSED("key_type", "string", 0),
	UNUSED("network", "string", 0),
	UNUSED("substrate_url", "any", 0),
	UNUSED("relay_url", "any", 0),
	UNUSED("rmb_timeout", "number", 0),
};

static struct provider_schema schema = {
	.description = "Workloads in the words of the ThreeFold Grid's Terraform provider, on the nodes of "
		       "the inventory (-nodes, ZPLAN_NODES, nodes.hcl).",
	.attributes = attributes,
	.attribute_count = ZP_ARRAY_SIZE(attributes),
};

static void configure(struct provider_instance *instance, struct provider_problems *problems)
{
	static atomic_flag said = ATOMIC_FLAG_INIT; /* by whichever block of several comes first */
	zp_autobuf names = ZP_BUF_INIT;

	for (size_t i = 0; i < ZP_ARRAY_SIZE(attributes); i++)
		if (provider_get(instance->config, attributes[i].name).state != HCL_NULL)
			zp_buf_printf(&names, "%s%s", names.len ? ", " : "", attributes[i].name);
	if (names.len && !atomic_flag_test_and_set(&said))
		provider_warning(problems, NULL, "Settings without meaning",
			"The nodes are those of the inventory, reached as it says: what the provider "
			"block \"grid\" sets (%s) is not used.",
			names.ptr);
}

static const struct provider_resource_type *const resources[] = {
	&provider_grid_network,
	&provider_grid_deployment,
	&provider_grid_kubernetes,
	&provider_grid_name_proxy,
	&provider_grid_fqdn_proxy,
	&provider_grid_scheduler,
	NULL,
};

static const struct provider_resource_type *const data_sources[] = {
	&provider_grid_gateway_domain,
	NULL,
};

/* What configurations named while they were tried out with a provider built by hand. */
static const char *const other_sources[] = { "threefoldtechdev.com/providers/grid", NULL };

const struct provider provider_grid = {
	.name = "grid",
	.source = "registry.terraform.io/threefoldtech/grid",
	.other_sources = other_sources,
	.version = ZPLAN_VERSION,
	.schema = &schema,
	.resources = resources,
	.data_sources = data_sources,
	.review = zos_review_room,
	.configure = configure,
};

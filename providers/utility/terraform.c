#include "providers/builtin.h"

static struct provider_schema schema;

static const struct provider_resource_type *const resources[] = {
	&provider_terraform_data,
	NULL,
};

static const struct provider_resource_type *const data_sources[] = {
	&provider_terraform_remote_state,
	NULL,
};

const struct provider provider_terraform = {
	.name = "terraform",
	.source = "terraform.io/builtin/terraform",
	.version = "",
	.schema = &schema,
	.resources = resources,
	.data_sources = data_sources,
};

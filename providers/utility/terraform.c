#include "providers/builtin.h"

static struct provider_schema schema;

static const struct provider_resource_type *const resources[] = {
	&provider_terraform_data,
	NULL,
};

const struct provider provider_terraform = {
	.name = "terraform",
	.source = "terraform.io/builtin/terraform",
	.version = "",
	.schema = &schema,
	.resources = resources,
};

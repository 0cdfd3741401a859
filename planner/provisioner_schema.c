#include "planner/provisioner_schema.h"

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"

static struct provider_attribute local_exec[] = {
	{ .name = "command", .type = "string", .flags = PROVIDER_REQUIRED },
	{ .name = "interpreter", .type = "list(string)", .flags = PROVIDER_OPTIONAL },
	{ .name = "working_dir", .type = "string", .flags = PROVIDER_OPTIONAL },
	{ .name = "environment", .type = "map(string)", .flags = PROVIDER_OPTIONAL },
	{ .name = "quiet", .type = "bool", .flags = PROVIDER_OPTIONAL },
};

static struct provider_schema local_exec_schema = {
	.attributes = local_exec, .attribute_count = ZP_ARRAY_SIZE(local_exec),
};

static const struct {
	const char *type;
	struct provider_schema *schema;
} schemas[] = {
	{ "local-exec", &local_exec_schema },
};

static void compile(void)
{
	for (size_t i = 0; i < ZP_ARRAY_SIZE(schemas); i++)
		provider_schema_compile(schemas[i].schema);
}

const struct provider_schema *plan_provisioner_schema(const char *type)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, compile);
	for (size_t i = 0; i < ZP_ARRAY_SIZE(schemas); i++)
		if (strcmp(schemas[i].type, type) == 0)
			return schemas[i].schema;
	return NULL;
}

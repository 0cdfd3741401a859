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

static struct provider_attribute file[] = {
	{ .name = "source", .type = "string", .flags = PROVIDER_OPTIONAL },
	{ .name = "content", .type = "string", .flags = PROVIDER_OPTIONAL },
	{ .name = "destination", .type = "string", .flags = PROVIDER_REQUIRED },
};

static struct provider_schema file_schema = {
	.attributes = file, .attribute_count = ZP_ARRAY_SIZE(file),
};

static struct provider_attribute remote_exec[] = {
	{ .name = "inline", .type = "list(string)", .flags = PROVIDER_OPTIONAL },
	{ .name = "script", .type = "string", .flags = PROVIDER_OPTIONAL },
	{ .name = "scripts", .type = "list(string)", .flags = PROVIDER_OPTIONAL },
};

static struct provider_schema remote_exec_schema = {
	.attributes = remote_exec, .attribute_count = ZP_ARRAY_SIZE(remote_exec),
};

static struct provider_attribute connection[] = {
	{ .name = "type", .type = "string", .flags = PROVIDER_OPTIONAL },
	{ .name = "user", .type = "string", .flags = PROVIDER_OPTIONAL },
	{ .name = "password", .type = "string", .flags = PROVIDER_OPTIONAL },
	{ .name = "host", .type = "string", .flags = PROVIDER_OPTIONAL },
	{ .name = "port", .type = "number", .flags = PROVIDER_OPTIONAL },
	{ .name = "timeout", .type = "string", .flags = PROVIDER_OPTIONAL },
	{ .name = "script_path", .type = "string", .flags = PROVIDER_OPTIONAL },
	{ .name = "target_platform", .type = "string", .flags = PROVIDER_OPTIONAL },
	{ .name = "private_key", .type = "string", .flags = PROVIDER_OPTIONAL },
	{ .name = "certificate", .type = "string", .flags = PROVIDER_OPTIONAL },
	{ .name = "host_key", .type = "string", .flags = PROVIDER_OPTIONAL },
	{ .name = "agent", .type = "bool", .flags = PROVIDER_OPTIONAL },
	{ .name = "agent_identity", .type = "string", .flags = PROVIDER_OPTIONAL },
	{ .name = "proxy_scheme", .type = "string", .flags = PROVIDER_OPTIONAL },
	{ .name = "proxy_host", .type = "string", .flags = PROVIDER_OPTIONAL },
	{ .name = "proxy_port", .type = "number", .flags = PROVIDER_OPTIONAL },
	{ .name = "proxy_user_name", .type = "string", .flags = PROVIDER_OPTIONAL },
	{ .name = "proxy_user_password", .type = "string", .flags = PROVIDER_OPTIONAL },
	{ .name = "bastion_host", .type = "string", .flags = PROVIDER_OPTIONAL },
	{ .name = "bastion_host_key", .type = "string", .flags = PROVIDER_OPTIONAL },
	{ .name = "bastion_port", .type = "number", .flags = PROVIDER_OPTIONAL },
	{ .name = "bastion_user", .type = "string", .flags = PROVIDER_OPTIONAL },
	{ .name = "bastion_password", .type = "string", .flags = PROVIDER_OPTIONAL },
	{ .name = "bastion_private_key", .type = "string", .flags = PROVIDER_OPTIONAL },
	{ .name = "bastion_certificate", .type = "string", .flags = PROVIDER_OPTIONAL },
	{ .name = "https", .type = "bool", .flags = PROVIDER_OPTIONAL },
	{ .name = "insecure", .type = "bool", .flags = PROVIDER_OPTIONAL },
	{ .name = "use_ntlm", .type = "bool", .flags = PROVIDER_OPTIONAL },
	{ .name = "cacert", .type = "string", .flags = PROVIDER_OPTIONAL },
};

static struct provider_schema connection_schema = {
	.attributes = connection, .attribute_count = ZP_ARRAY_SIZE(connection),
};

static struct provider_schema local_exec_schema = {
	.attributes = local_exec, .attribute_count = ZP_ARRAY_SIZE(local_exec),
};

static const struct {
	const char *type;
	struct provider_schema *schema;
} schemas[] = {
	{ "local-exec", &local_exec_schema },
	{ "file", &file_schema },
	{ "remote-exec", &remote_exec_schema },
};

static void compile(void)
{
	for (size_t i = 0; i < ZP_ARRAY_SIZE(schemas); i++)
		provider_schema_compile(schemas[i].schema);
	provider_schema_compile(&connection_schema);
}

static void compile_once(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, compile);
}

const struct provider_schema *plan_connection_schema(void)
{
	compile_once();
	return &connection_schema;
}

const struct provider_schema *plan_provisioner_schema(const char *type)
{
	compile_once();
	for (size_t i = 0; i < ZP_ARRAY_SIZE(schemas); i++)
		if (strcmp(schemas[i].type, type) == 0)
			return schemas[i].schema;
	return NULL;
}

/* What the configuration asks for and the engine does not do: said before anything is planned. */
#include "planner/engine.h"
#include "planner/provisioner_schema.h"

static void report(struct zp_diags *diags, struct zp_range range, const char *what)
{
	zp_diag_error(diags, range, "Not available in this version",
		"This version of zplan does not carry out %s. Nothing was planned, so that nothing is "
		"done by halves; remove the block to go on without it.", what);
}

/* Depth of modules was bounded when they were loaded. */
void plan_report_absent(const struct plan_module *module, struct zp_diags *diags)
{
	for (size_t i = 0; i < module->resource_count; i++) {
		const struct plan_resource *resource = module->resources[i];
		for (size_t k = 0; k < resource->provisioner_count; k++)
			if (!plan_provisioner_schema(resource->provisioners[k].type))
				report(diags, resource->provisioners[k].range,
					"provisioners other than local-exec, file and remote-exec");
	}
	for (size_t i = 0; i < module->call_count; i++)
		if (module->calls[i]->module)
			plan_report_absent(module->calls[i]->module, diags);
}

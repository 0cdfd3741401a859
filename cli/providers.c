#include <stdio.h>

#include "cli/cli.h"
#include "providers/provider.h"

int cli_providers(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	puts("Providers built in to zplan:\n");
	for (const struct provider *const *p = provider_all(); *p; p++) {
		printf("%s %s\n", (*p)->source, (*p)->version ? (*p)->version : "");
		for (const struct provider_resource_type *const *type = (*p)->resources;
			type && *type; type++)
			printf("  resource %s\n", (*type)->name);
		for (const struct provider_resource_type *const *type = (*p)->data_sources;
			type && *type; type++)
			printf("  data     %s\n", (*type)->name);
	}
	return 0;
}

#include "state/backend.h"

const struct state_backend_type *const state_backend_types[] = {
	&state_git_type,
	&state_http_type,
	&state_local_type,
	&state_pg_type,
};

const size_t state_backend_type_count = ZP_ARRAY_SIZE(state_backend_types);

const struct state_backend_type *state_backend_type(const char *name)
{
	for (size_t i = 0; i < state_backend_type_count; i++)
		if (strcmp(state_backend_types[i]->name, name) == 0)
			return state_backend_types[i];
	return NULL;
}

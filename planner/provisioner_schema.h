/*
 * What the blocks of the provisioners may hold.
 */
#ifndef PLANNER_PROVISIONER_SCHEMA_H
#define PLANNER_PROVISIONER_SCHEMA_H

#include "providers/schema.h"

/* NULL for a type there is not. */
const struct provider_schema *plan_provisioner_schema(const char *type);

/* What "connection" blocks may hold. */
const struct provider_schema *plan_connection_schema(void);

#endif

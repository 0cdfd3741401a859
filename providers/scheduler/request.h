/*
 * Requests as configurations write them: the nested block `requests` of zos_scheduler, and what the types
 * that choose nodes share.
 */
#ifndef PROVIDERS_SCHEDULER_REQUEST_H
#define PROVIDERS_SCHEDULER_REQUEST_H

#include "providers/provider.h"
#include "providers/scheduler/choose.h"

extern struct provider_schema zos_request_schema;

/* One block; numbers are cores and MB. Missing attributes ask for nothing. */
struct zos_request zos_request_read(struct hcl_value block);
/* Names that are there twice or missing, negative numbers. */
void zos_requests_validate(struct hcl_value config, struct provider_problems *problems);
/* The block of that name in a list of blocks; false when there is none. */
bool zos_request_find(struct hcl_value blocks, const char *name, struct hcl_value *out);
/*
 * The nodes of all requests of object, as a map from request to node. kept: a map like that, of which
 * known entries stay; or null. An unknown with a problem of the operation where one can not be met.
 */
struct hcl_value zos_requests_schedule(struct provider_instance *instance,
	struct provider_operation *op, struct hcl_value object, struct hcl_value kept);

#endif

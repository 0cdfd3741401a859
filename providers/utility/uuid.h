/*
 * Randomness out of the kernel, and identifiers made of it.
 */
#ifndef PROVIDERS_UTILITY_UUID_H
#define PROVIDERS_UTILITY_UUID_H

#include "base/uuid.h"
#include "providers/provider.h"

void provider_random(void *out, size_t len);
/* Evenly distributed in [0, bound); bound at least 1. */
uint32_t provider_random_below(uint32_t bound);
/* What a created object is to carry as its identity: the planner's choice, else a new UUID. */
struct hcl_value provider_identity_or_uuid(const struct provider_operation *op);

#endif

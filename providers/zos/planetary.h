/*
 * Whether a node gives planetary addresses, asked when a machine that wants one is planned.
 */
#ifndef PROVIDERS_ZOS_PLANETARY_H
#define PROVIDERS_ZOS_PLANETARY_H

#include "providers/provider.h"

/*
 * A problem of the plan when the node says that it has none to give; one that can not be reached now is
 * asked at apply. Each node is asked once.
 */
void zos_plan_planetary(struct provider_plan *plan, const char *attribute, const char *node);

#endif

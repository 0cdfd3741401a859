#include "base/fault.h"

#ifdef ZP_FAULTS

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void zp_fault_point(const char *name)
{
	static long met;
	const char *wanted = getenv("ZPLAN_FAULT");
	const char *colon = wanted ? strrchr(wanted, ':') : NULL;

	if (!colon)
		return;
	size_t length = (size_t)(colon - wanted);
	bool any = length == 3 && strncmp(wanted, "any", 3) == 0;
	if (!any && (strlen(name) != length || strncmp(wanted, name, length) != 0))
		return;
	if (__atomic_add_fetch(&met, 1, __ATOMIC_SEQ_CST) == strtol(colon + 1, NULL, 10))
		_exit(ZP_FAULT_STATUS);
}

#else

/* An empty translation unit is not C. */
typedef int zp_no_faults;

#endif

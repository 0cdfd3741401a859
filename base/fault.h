/*
 * Places where a crash is worth trying. In ordinary builds zp_fault_point() is nothing. Built with
 * -DZP_FAULTS (SAN=1 does) the environment variable ZPLAN_FAULT="NAME:N" (or "any:N") ends the process at
 * the N-th time such a place is reached, as kill -9 would.
 */
#ifndef ZP_BASE_FAULT_H
#define ZP_BASE_FAULT_H

#ifdef ZP_FAULTS
void zp_fault_point(const char *name);
#else
static inline void zp_fault_point(const char *name)
{
	(void)name;
}
#endif

#define ZP_FAULT_STATUS 86

#endif

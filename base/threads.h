/*
 * A thread with a stack deep enough for recursion over user data. Evaluation follows references by
 * recursion and bounds its depth; this is the room it counts on.
 */
#ifndef ZP_BASE_THREADS_H
#define ZP_BASE_THREADS_H

#include <stddef.h>

#define ZP_DEEP_STACK_BYTES ((size_t)1 << 30)

/* Runs fn(arg) on a thread with ZP_DEEP_STACK_BYTES of stack (committed as used) and waits for it. */
void zp_call_with_deep_stack(void (*fn)(void *arg), void *arg);

#endif

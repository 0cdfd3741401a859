/*
 * Part of builds with AddressSanitizer only. Its allocator, as of GCC 12, is not held still while a process
 * with several threads forks: when another thread is inside it at that moment, the child waits for it
 * forever at its first allocation. libvirt allocates in such children. Hence the allocator's locks, which
 * the static runtime offers for its leak checks, are taken around every fork.
 */
#include <pthread.h>

extern void lock_allocator(void) __asm__("_ZN6__lsan13LockAllocatorEv");
extern void unlock_allocator(void) __asm__("_ZN6__lsan15UnlockAllocatorEv");

__attribute__((constructor)) static void guard_forks(void)
{
	pthread_atfork(lock_allocator, unlock_allocator, unlock_allocator);
}

/*
 * What libvirt learnt of this host's QEMU. Finding it out takes seconds, and the embedded driver of
 * every new node folder would do it again: so it is kept for the whole host, too. libvirt checks
 * what it reads and asks again where QEMU, the processor or libvirt itself have changed.
 */
#ifndef PROVIDER_MACHINE_CAPABILITIES_H
#define PROVIDER_MACHINE_CAPABILITIES_H

/* Both do what they can and never fail: without it things are only slower. */

/* Into a driver's folder (before it is opened) that has nothing yet. */
void provider_capabilities_borrow(const char *shared, const char *libvirt_root);
/* Out of a driver's folder, where it knows something else. */
void provider_capabilities_lend(const char *shared, const char *libvirt_root);

#define PROVIDER_CAPABILITIES "/var/cache/zplan/capabilities"

#endif

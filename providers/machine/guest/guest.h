/*
 * The init of a machine in container mode: the only program of ours inside it. It sets the machine
 * up as the config disk (format.h) says, runs the entrypoint as its child and stops the machine
 * when that ends or the power button is pressed.
 *
 * It is process 1: nothing here allocates after the configuration is read, and whatever fails is
 * said on the console and ends in guest_power_off(), never in an exit.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "providers/machine/guest/format.h"

#define GUEST_MAX_MOUNTS 32
#define GUEST_MAX_WORDS 1024

struct guest_mount {
	const char *serial, *path;
	char device[32]; /* "/dev/vdb" once mounted */
	unsigned long long sectors;
};

struct guest_config {
	const char *hostname, *nic, *address, *gateway;
	/* Of the second card: where it has an IPv4 address, the default route goes there. */
	const char *public_nic, *public_address, *public_gateway, *private_range;
	const char *planetary_nic, *planetary_address, *planetary_gateway;
	const char *dns[4];
	size_t dns_count;
	struct guest_mount mounts[GUEST_MAX_MOUNTS + 1]; /* the root first */
	size_t mount_count;
	char *args[GUEST_MAX_WORDS + 1]; /* ended by NULL */
	size_t arg_count;
	char *env[GUEST_MAX_WORDS + 4];
	size_t env_count;
	bool console;
};

/* Writes a line to the console. */
void guest_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Says what failed, with errno, and stops the machine. */
_Noreturn void guest_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Ends every process, writes everything out, stops the machine. */
_Noreturn void guest_power_off(int grace_seconds);

/* Points into text, which stays. False when it is not whole. */
bool guest_config_parse(char *text, size_t len, struct guest_config *config);

/* The device of the disk with this serial; waits a little for it. False when there is none. */
bool guest_disk_find(const char *serial, char device[32]);
/* Reads the config disk. */
void guest_config_load(struct guest_config *config);
/* Mounts the root at /root and makes it /, taking the pseudo file systems along. */
void guest_root_enter(struct guest_config *config);
void guest_disks_mount(struct guest_config *config);
/* Lets file systems grow into disks that have grown. */
void guest_disks_grow(struct guest_config *config);
void guest_disks_release(struct guest_config *config);

void guest_network_up(const struct guest_config *config);

/* Runs the entrypoint to its end and stops the machine. */
_Noreturn void guest_serve(struct guest_config *config);

#endif

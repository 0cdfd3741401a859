/*
 * What nodes are told of each primitive: plain values to the spec of a workload. The zos types, and those
 * that make several workloads at once, all come through here.
 *
 * Workloads are named by their ids ("<object identity>/<part>"). Texts may be NULL or empty for "none".
 * Sizes are in the units of configurations. Every spec is the caller's to free.
 */
#ifndef PROVIDERS_ZOS_SPECS_H
#define PROVIDERS_ZOS_SPECS_H

#include <cjson/cJSON.h>

#include "hcl-lite/value.h"

struct zos_mount {
	const char *disk; /* id of a zmount; NULL while it is unknown */
	const char *path;
};

struct zos_machine {
	const char *flist, *checksum, *entrypoint;
	const char *network; /* id of a network workload; NULL while it is unknown */
	const char *ip;	     /* NULL: the node chooses */
	const char *public_ip; /* id of an ip workload */
	int64_t cpu, memory_mb, rootfs_mb;
	struct hcl_value env; /* map of string, or null */
	bool corex, planetary;
	const struct zos_mount *mounts;
	size_t mount_count;
};

#define ZOS_DEFAULT_MEMORY_MB 256

/* The root file system a machine needs at least, in MB. */
int64_t zos_machine_least_root(int64_t cpu, int64_t memory_mb);
cJSON *zos_machine_spec(const struct zos_machine *machine);

cJSON *zos_disk_spec(int64_t gigabytes);
cJSON *zos_ip_spec(bool v4, bool v6);
/* machine: id of a zmachine; output: redis://, ws:// or wss:// URL. */
cJSON *zos_logs_spec(const char *machine, const char *output);

struct zos_gateway {
	const char *name, *fqdn; /* one of them */
	struct hcl_value backends; /* list of string; unknown ones are left out */
	bool tls_passthrough, redirect_https;
	const char *health_check; /* a path */
	const char *network; /* id of a network workload */
};

cJSON *zos_gateway_spec(const struct zos_gateway *gateway);

#endif

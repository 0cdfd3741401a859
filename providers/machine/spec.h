/*
 * The spec of a `zmachine` workload, checked and in typed form. Field names are those of WORKLOADS.
 *
 *	struct provider_machine_spec spec;
 *	if (provider_machine_spec_read(json, &spec, err) < 0) ...   err: "compute_capacity.cpu: ..."
 *	provider_machine_spec_release(&spec);
 */
#ifndef PROVIDER_MACHINE_SPEC_H
#define PROVIDER_MACHINE_SPEC_H

#include <cjson/cJSON.h>

#include "base/arena.h"
#include "base/error.h"

#define PROVIDER_MACHINE_MAX_CPU 32
#define PROVIDER_MACHINE_MIN_MEMORY (INT64_C(250) << 20)
#define PROVIDER_MACHINE_MAX_MEMORY (INT64_C(1) << 40)
#define PROVIDER_MACHINE_MIN_ROOT (INT64_C(500) << 20)
#define PROVIDER_MACHINE_MAX_ROOT (INT64_C(16) << 40)
#define PROVIDER_MACHINE_MAX_MOUNTS 16
#define PROVIDER_MACHINE_MAX_ENV 512
#define PROVIDER_MACHINE_MAX_TEXT (512 * 1024) /* of all env and the entrypoint together */

struct provider_machine_mount {
	const char *disk; /* id of a zmount */
	const char *path;
};

struct provider_machine_spec {
	const char *flist;
	const char *checksum; /* "" when none is given */
	int64_t size;	      /* of the root file system, bytes */
	int64_t memory;	      /* bytes */
	int cpu;
	const char *network; /* id of a network workload */
	uint32_t ip;	     /* 0: the node chooses */
	const char *public_ip; /* id of an ip workload, "" for none */
	bool planetary;
	struct provider_machine_mount *mounts;
	size_t mount_count;
	char **args; /* of the entrypoint, ended by NULL */
	size_t arg_count;
	const char **env; /* "NAME=VALUE", sorted by name */
	size_t env_count;
	bool corex;
	struct zp_arena arena;
};

/* 0, or -1 with err naming the field; on error nothing is held. */
int provider_machine_spec_read(
	const cJSON *json, struct provider_machine_spec *spec, struct zp_error *err);
void provider_machine_spec_release(struct provider_machine_spec *spec);

#define provider_automachine zp_cleanup(provider_machine_spec_release) struct provider_machine_spec

#endif

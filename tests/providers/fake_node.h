/*
 * A node in memory for tests of workload types: registry, leases and helper processes. Included by
 * one .c file of a test; defines the functions of node/context.h.
 */
#ifndef TESTS_PROVIDERS_FAKE_NODE_H
#define TESTS_PROVIDERS_FAKE_NODE_H

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/process.h"
#include "base/vec.h"
#include "node/context.h"

struct fake_lease {
	char *pool, *holder, *member;
};

struct node_context {
	char root[64];
	const char *tag, *domain, *wan_interface, *wan_address;
	const char *certificates[2]; /* of gateways */
	size_t certificate_count;
	ZP_VEC(, const struct node_workload *) workloads;
	ZP_VEC(, struct fake_lease) leases;
	struct fake_helper {
		char name[16];
		pid_t pid;
	} helpers[4];
};

static inline struct fake_helper *fake_helper(struct node_context *node, const char *name)
{
	struct fake_helper *helper = node->helpers;

	while (helper->name[0] && strcmp(helper->name, name) != 0)
		helper++;
	snprintf(helper->name, sizeof(helper->name), "%s", name);
	return helper;
}

static inline void fake_init(struct node_context *node, const char *root)
{
	zp_autofree char *run = zp_format("%s/run", root);

	memset(node, 0, sizeof(*node));
	snprintf(node->root, sizeof(node->root), "%s", root);
	zp_mkdirs(run, 0700, NULL);
	node->tag = "tt";
	node->domain = "a.example";
	node->wan_interface = "wan0";
	node->wan_address = "192.0.2.1";
}

static inline void fake_release(struct node_context *node)
{
	for (size_t i = 0; i < ZP_ARRAY_SIZE(node->helpers); i++)
		if (node->helpers[i].pid > 0)
			node_helper_stop(node, node->helpers[i].name, NULL);
	for (size_t i = 0; i < node->leases.count; i++) {
		free(node->leases.items[i].pool);
		free(node->leases.items[i].holder);
		free(node->leases.items[i].member);
	}
	zp_vec_release(&node->leases);
	zp_vec_release(&node->workloads);
	zp_remove_tree(node->root, NULL);
}

static inline void fake_register(struct node_context *node, const struct node_workload *w)
{
	zp_vec_push(&node->workloads, w);
}

static inline void fake_forget(struct node_context *node, const char *id)
{
	for (size_t i = 0; i < node->workloads.count; i++)
		if (strcmp(node->workloads.items[i]->id, id) == 0)
			node->workloads.items[i--] = node->workloads.items[--node->workloads.count];
}

const char *node_root(const struct node_context *node)
{
	return node->root;
}

const char *node_name(const struct node_context *node)
{
	(void)node;
	return "alpha";
}

const char *node_tag(const struct node_context *node)
{
	return node->tag;
}

const char *node_domain(const struct node_context *node)
{
	return node->domain;
}

const char *node_wan_interface(const struct node_context *node)
{
	return node->wan_interface;
}

const char *node_wan_address(const struct node_context *node)
{
	return node->wan_address;
}

const char *const *node_gateway_certificates(const struct node_context *node, size_t *count)
{
	*count = node->certificate_count;
	return node->certificates;
}

void node_short_name(const char *prefix, const char *tag, const char *id, char out[16])
{
	uint64_t hash = zp_str_hash(zp_str(id)) ^ zp_str_hash(zp_str(tag));

	snprintf(out, 16, "%s-%012llx", prefix, (unsigned long long)(hash & 0xffffffffffff));
}

int node_check_own(struct node_context *node, const struct node_workload *w, const char *id,
	struct zp_error *err)
{
	(void)node;
	(void)w;
	(void)id;
	(void)err;
	return 0;
}

void node_each(struct node_context *node, const char *type,
	bool (*fn)(void *data, const struct node_workload *w), void *data)
{
	for (size_t i = 0; i < node->workloads.count; i++)
		if (!type || strcmp(type, node->workloads.items[i]->type) == 0)
			if (!fn(data, node->workloads.items[i]))
				return;
}

static inline struct fake_lease *fake_find(
	struct node_context *node, const char *pool, const char *holder, const char *member)
{
	for (size_t i = 0; i < node->leases.count; i++) {
		struct fake_lease *lease = &node->leases.items[i];

		if (strcmp(lease->pool, pool) == 0 &&
			(!holder || strcmp(lease->holder, holder) == 0) &&
			(!member || strcmp(lease->member, member) == 0))
			return lease;
	}
	return NULL;
}

int node_lease_take(struct node_context *node, const char *pool, const char *holder,
	const char *member, struct zp_error *err)
{
	struct fake_lease *lease = fake_find(node, pool, NULL, member);

	if (lease && strcmp(lease->holder, holder) != 0)
		return zp_error_set(err, "%s has it", lease->holder);
	if (!lease) {
		struct fake_lease fresh = { zp_strdup(pool), zp_strdup(holder), zp_strdup(member) };

		zp_vec_push(&node->leases, fresh);
	}
	return 0;
}

int node_lease_int(struct node_context *node, const char *pool, const char *holder, int64_t from,
	int64_t to, int64_t *out, struct zp_error *err)
{
	struct fake_lease *lease = fake_find(node, pool, holder, NULL);

	if (lease) {
		*out = strtoll(lease->member, NULL, 10);
		return 0;
	}
	for (int64_t i = from; i <= to; i++) {
		zp_autofree char *member = zp_format("%lld", (long long)i);

		if (fake_find(node, pool, NULL, member))
			continue;
		*out = i;
		return node_lease_take(node, pool, holder, member, err);
	}
	return zp_error_set(err, "pool %s is empty", pool);
}

int node_lease_release(
	struct node_context *node, const char *pool, const char *holder, struct zp_error *err)
{
	(void)err;
	for (size_t i = 0; i < node->leases.count; i++) {
		struct fake_lease *lease = &node->leases.items[i];

		if (strcmp(lease->holder, holder) != 0 || (pool && strcmp(lease->pool, pool) != 0))
			continue;
		free(lease->pool);
		free(lease->holder);
		free(lease->member);
		*lease = node->leases.items[--node->leases.count];
		i--;
	}
	return 0;
}

pid_t node_helper_pid(struct node_context *node, const char *name)
{
	struct fake_helper *helper = fake_helper(node, name);

	if (helper->pid > 0 && waitpid(helper->pid, NULL, WNOHANG) != 0)
		helper->pid = 0;
	return helper->pid;
}

int node_helper_start(
	struct node_context *node, const char *name, const char *const argv[], struct zp_error *err)
{
	zp_autofree char *log = zp_format("%s/run/%s.log", node->root, name);

	if (node_helper_pid(node, name) > 0)
		return 0;
	fake_helper(node, name)->pid = zp_spawn_daemon(argv, NULL, log, err);
	return fake_helper(node, name)->pid < 0 ? -1 : 0;
}

int node_helper_stop(struct node_context *node, const char *name, struct zp_error *err)
{
	struct fake_helper *helper = fake_helper(node, name);

	(void)err;
	if (helper->pid > 0) {
		kill(helper->pid, SIGTERM);
		waitpid(helper->pid, NULL, 0);
	}
	helper->pid = 0;
	return 0;
}

#endif

#include "node/capacity.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "node/client.h"

#define DEFAULT_SHARE 4 /* a tenant without a block: one part of so many */
#define DEFAULT_WORKLOADS 200

struct promise {
	struct node_capacity takes;
	char *id, *tenant;
};

struct account {
	struct node_account account;
	char *tenant;
};

struct node_ledger {
	const char *node;
	struct node_capacity total;
	const struct node_quota *quotas;
	size_t quota_count;
	pthread_mutex_t lock;
	struct zp_map promises; /* id -> struct promise * */
	struct zp_map accounts; /* tenant -> struct account * */
	struct node_account all;
};

struct node_ledger *node_ledger_new(const char *node, struct node_capacity total,
	const struct node_quota *quotas, size_t quota_count)
{
	struct node_ledger *ledger = zp_calloc(1, sizeof(*ledger));

	ledger->node = node;
	ledger->total = total;
	ledger->quotas = quotas;
	ledger->quota_count = quota_count;
	pthread_mutex_init(&ledger->lock, NULL);
	return ledger;
}

static void promise_free(struct promise *promise)
{
	free(promise->id);
	free(promise->tenant);
	free(promise);
}

void node_ledger_free(struct node_ledger *ledger)
{
	for (size_t i = 0; i < ledger->promises.count; i++)
		promise_free(ledger->promises.entries[i].value);
	for (size_t i = 0; i < ledger->accounts.count; i++) {
		struct account *account = ledger->accounts.entries[i].value;
		free(account->tenant);
		free(account);
	}
	zp_map_release(&ledger->promises);
	zp_map_release(&ledger->accounts);
	pthread_mutex_destroy(&ledger->lock);
	free(ledger);
}

static struct node_account *account_of(struct node_ledger *ledger, const char *tenant)
{
	struct account *account = zp_map_get(&ledger->accounts, zp_str(tenant));

	if (!account) {
		account = zp_calloc(1, sizeof(*account));
		account->tenant = zp_strdup(tenant);
		zp_map_set(&ledger->accounts, zp_str(account->tenant), account);
	}
	return &account->account;
}

static void add(struct node_account *account, struct node_capacity takes, int64_t sign)
{
	account->promised.cores += sign * takes.cores;
	account->promised.memory += sign * takes.memory;
	account->promised.disk += sign * takes.disk;
	account->workloads += sign;
}

static const struct node_quota *quota_of(const struct node_ledger *ledger, const char *tenant)
{
	for (size_t i = 0; i < ledger->quota_count; i++)
		if (strcmp(ledger->quotas[i].tenant, tenant) == 0)
			return &ledger->quotas[i];
	return NULL;
}

static int64_t limit(int64_t granted, int64_t total)
{
	return granted < 0 ? total : granted;
}

struct node_capacity node_ledger_limit(const struct node_ledger *ledger, const char *tenant)
{
	const struct node_quota *quota = quota_of(ledger, tenant);
	struct node_capacity total = ledger->total;

	if (!*tenant)
		return total;
	if (!quota)
		return (struct node_capacity){ total.cores / DEFAULT_SHARE,
			total.memory / DEFAULT_SHARE, total.disk / DEFAULT_SHARE };
	return (struct node_capacity){ limit(quota->limit.cores, total.cores),
		limit(quota->limit.memory, total.memory), limit(quota->limit.disk, total.disk) };
}

static int64_t workload_limit(const struct node_ledger *ledger, const char *tenant)
{
	const struct node_quota *quota = quota_of(ledger, tenant);

	if (!*tenant || (quota && quota->workloads < 0))
		return INT64_MAX;
	return quota ? quota->workloads : DEFAULT_WORKLOADS;
}

/* had: what the workload counts for already. */
static int check(const char *who, struct node_capacity limits, struct node_capacity promised,
	struct node_capacity had, struct node_capacity want, struct zp_error *err)
{
	const struct {
		const char *name, *unit;
		int64_t want, free, limit, scale;
	} rows[] = {
		{ "cores", "", want.cores, limits.cores - promised.cores + had.cores, limits.cores, 1 },
		{ "memory", " MB", want.memory, limits.memory - promised.memory + had.memory,
			limits.memory, 1 << 20 },
		{ "disk", " MB", want.disk, limits.disk - promised.disk + had.disk, limits.disk,
			1 << 20 },
	};

	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++)
		if (rows[i].want > 0 && rows[i].want > rows[i].free)
			return zp_error_code(err, NODE_E_CAPACITY,
				"%s is full: %" PRId64 "%s %s asked for, %" PRId64 "%s free of %" PRId64
				"%s", who, rows[i].want / rows[i].scale, rows[i].unit, rows[i].name,
				rows[i].free / rows[i].scale, rows[i].unit,
				rows[i].limit / rows[i].scale, rows[i].unit);
	return 0;
}

static int check_tenant(struct node_ledger *ledger, const char *tenant, struct node_capacity had,
	bool is_new, struct node_capacity want, struct zp_error *err)
{
	const struct node_account *account = account_of(ledger, tenant);
	zp_autofree char *who = zp_format("what node %s grants tenant %s", ledger->node, tenant);

	if (!*tenant)
		return 0;
	if (is_new && account->workloads >= workload_limit(ledger, tenant))
		return zp_error_code(err, NODE_E_CAPACITY,
			"%s is full: it has %" PRId64 " workloads, and no more are granted", who,
			account->workloads);
	return check(who, node_ledger_limit(ledger, tenant), account->promised, had, want,
		err);
}

static void put(struct node_ledger *ledger, const char *id, const char *tenant,
	struct node_capacity want)
{
	struct promise *promise = zp_map_get(&ledger->promises, zp_str(id));

	if (promise) {
		add(account_of(ledger, promise->tenant), promise->takes, -1);
		add(&ledger->all, promise->takes, -1);
		free(promise->tenant);
	} else {
		promise = zp_calloc(1, sizeof(*promise));
		promise->id = zp_strdup(id);
		zp_map_set(&ledger->promises, zp_str(promise->id), promise);
	}
	promise->takes = want;
	promise->tenant = zp_strdup(tenant);
	add(account_of(ledger, tenant), want, 1);
	add(&ledger->all, want, 1);
}

int node_ledger_promise(struct node_ledger *ledger, const char *id, const char *tenant,
	struct node_capacity want, struct zp_error *err)
{
	zp_autofree char *who = zp_format("node %s", ledger->node);

	pthread_mutex_lock(&ledger->lock);
	struct promise *promise = zp_map_get(&ledger->promises, zp_str(id));
	struct node_capacity had = promise ? promise->takes : (struct node_capacity){ 0 };
	int rc = check(who, ledger->total, ledger->all.promised, had, want, err);
	if (!rc)
		rc = check_tenant(ledger, tenant, had, !promise, want, err);
	if (!rc)
		put(ledger, id, tenant, want);
	pthread_mutex_unlock(&ledger->lock);
	return rc;
}

void node_ledger_set(struct node_ledger *ledger, const char *id, const char *tenant,
	struct node_capacity want)
{
	pthread_mutex_lock(&ledger->lock);
	put(ledger, id, tenant, want);
	pthread_mutex_unlock(&ledger->lock);
}

void node_ledger_drop(struct node_ledger *ledger, const char *id)
{
	pthread_mutex_lock(&ledger->lock);
	struct promise *promise = zp_map_remove(&ledger->promises, zp_str(id));
	if (promise) {
		add(account_of(ledger, promise->tenant), promise->takes, -1);
		add(&ledger->all, promise->takes, -1);
		promise_free(promise);
	}
	pthread_mutex_unlock(&ledger->lock);
}

struct node_account node_ledger_account(struct node_ledger *ledger, const char *tenant)
{
	pthread_mutex_lock(&ledger->lock);
	struct node_account account = tenant ? *account_of(ledger, tenant) : ledger->all;
	pthread_mutex_unlock(&ledger->lock);
	return account;
}

static int64_t lesser(int64_t a, int64_t b)
{
	int64_t least = a < b ? a : b;

	return least < 0 ? 0 : least;
}

struct node_capacity node_ledger_left(struct node_ledger *ledger, const char *tenant)
{
	struct node_capacity own = node_ledger_limit(ledger, tenant), total = ledger->total;
	struct node_capacity used = node_ledger_account(ledger, *tenant ? tenant : NULL).promised;
	struct node_capacity all = node_ledger_account(ledger, NULL).promised;

	return (struct node_capacity){
		lesser(own.cores - used.cores, total.cores - all.cores),
		lesser(own.memory - used.memory, total.memory - all.memory),
		lesser(own.disk - used.disk, total.disk - all.disk),
	};
}

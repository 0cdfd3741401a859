#include "node/methods.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/map.h"
#include "node/capacity.h"
#include "node/client.h"
#include "node/server.h"

#define MAX_ID 200
/* Workloads with the same number exclude each other; different ones nearly always run at once. */
#define STRIPES 256
#define DEFAULT_OVERCOMMIT 16

struct node_methods {
	struct node_context *node;
	const struct node_workload_types *types;
	pthread_mutex_t stripes[STRIPES];
	struct node_ledger *ledger;
	pthread_mutex_t share_lock;
	struct zp_map shares; /* tenant -> struct node_share * */
};

static pthread_mutex_t *stripe_of(struct node_methods *methods, const char *id)
{
	return &methods->stripes[zp_str_hash(zp_str(id)) % STRIPES];
}

static const char *text_of(const cJSON *params, const char *name)
{
	const char *text =
		cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(params, name));

	return text ? text : "";
}

static bool is_valid_id(const char *id)
{
	size_t n = strlen(id);

	if (!n || n > MAX_ID || strstr(id, ".."))
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = id[i];
		bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-' || c == '/';
		if (!fine)
			return false;
	}
	return true;
}

/* ---- capacity ---- */

static int64_t at_least_zero(int64_t number)
{
	return number < 0 ? 0 : number;
}

static struct node_capacity total_capacity(const struct node_context *node)
{
	const struct node_capacity *reserved = &node->settings.reserved;
	struct node_capacity total = { .cores = sysconf(_SC_NPROCESSORS_ONLN) };
	struct statvfs fs;

	total.memory = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
	if (statvfs(node_root(node), &fs) == 0)
		total.disk = (int64_t)fs.f_blocks * (int64_t)fs.f_frsize;
	total.memory = at_least_zero(total.memory - reserved->memory);
	total.disk = at_least_zero(total.disk - reserved->disk);
	/* Cores may be promised several times over: machines are idle most of the time. */
	total.cores = at_least_zero(total.cores - reserved->cores) *
		(node->settings.overcommit ? node->settings.overcommit : DEFAULT_OVERCOMMIT);
	return total;
}

static struct node_capacity taken_by(struct node_methods *methods, const struct node_workload *w)
{
	const struct node_workload_type *type = node_workload_type_find(methods->types, w->type);
	struct node_capacity takes = { 0 };

	if (type && type->capacity)
		type->capacity(w->spec, &takes);
	return takes;
}

static bool enter(void *data, const struct node_workload *w)
{
	struct node_methods *methods = data;

	node_ledger_set(methods->ledger, w->id, w->tenant, taken_by(methods, w));
	return true;
}

struct node_methods *node_methods_new(struct node_context *node,
	const struct node_workload_types *types)
{
	struct node_methods *methods = zp_calloc(1, sizeof(*methods));

	methods->node = node;
	methods->types = types;
	for (size_t i = 0; i < STRIPES; i++)
		pthread_mutex_init(&methods->stripes[i], NULL);
	pthread_mutex_init(&methods->share_lock, NULL);
	methods->ledger = node_ledger_new(node_name(node), total_capacity(node),
		node->settings.quotas.items, node->settings.quotas.count);
	node_each(node, NULL, enter, methods);
	return methods;
}

void node_methods_free(struct node_methods *methods)
{
	for (size_t i = 0; i < STRIPES; i++)
		pthread_mutex_destroy(&methods->stripes[i]);
	pthread_mutex_destroy(&methods->share_lock);
	node_ledger_free(methods->ledger);
	for (size_t i = 0; i < methods->shares.count; i++) {
		struct node_share *share = methods->shares.entries[i].value;
		free((char *)share->name);
		free(share);
	}
	zp_map_release(&methods->shares);
	free(methods);
}

/* ---- methods ---- */

static void add_capacity(cJSON *object, const char *name, struct node_capacity capacity)
{
	cJSON *json = cJSON_AddObjectToObject(object, name);

	cJSON_AddNumberToObject(json, "cores", (double)capacity.cores);
	cJSON_AddNumberToObject(json, "memory", (double)capacity.memory);
	cJSON_AddNumberToObject(json, "disk", (double)capacity.disk);
}

static cJSON *facts(struct node_methods *methods, const char *tenant, const cJSON *params,
	struct zp_error *err)
{
	const struct node_context *node = methods->node;
	struct node_account own = node_ledger_account(methods->ledger, *tenant ? tenant : NULL);
	cJSON *result = cJSON_CreateObject();
	size_t pool;

	(void)params;
	(void)err;
	cJSON_AddStringToObject(result, "name", node_name(node));
	cJSON_AddStringToObject(result, "version", ZPLAN_VERSION);
	cJSON_AddNumberToObject(result, "id", (double)node->settings.id);
	cJSON_AddNumberToObject(result, "farm", (double)node->settings.farm);
	cJSON_AddStringToObject(result, "domain", node_domain(node));
	cJSON_AddStringToObject(result, "public_address", node_wan_address(node));
	cJSON_AddStringToObject(result, "tenant", tenant);
	cJSON_AddStringToObject(result, "dedicated",
		node->settings.dedicated ? node->settings.dedicated : "");
	node_public_addresses(node, &pool);
	cJSON_AddBoolToObject(result, "public_addresses", pool > 0);
	cJSON_AddNumberToObject(result, "workloads", (double)own.workloads);
	add_capacity(result, "capacity", node_ledger_limit(methods->ledger, tenant));
	add_capacity(result, "promised", own.promised);
	add_capacity(result, "free", node_ledger_left(methods->ledger, tenant));
	cJSON_AddItemToObject(result, "labels", node->settings.labels ?
		cJSON_Duplicate(node->settings.labels, true) : cJSON_CreateObject());
	cJSON *names = cJSON_AddArrayToObject(result, "types");
	for (size_t i = 0; i < methods->types->count; i++) {
		const struct node_workload_type *type = methods->types->items[i];
		cJSON_AddItemToArray(names, cJSON_CreateString(type->name));
		if (type->facts)
			type->facts(methods->node, result);
	}
	return result;
}

/* A workload out of parameters; strings and spec stay theirs. */
static int parse_workload(const char *tenant, const cJSON *params, struct node_workload *w,
	struct zp_error *err)
{
	const cJSON *spec = cJSON_GetObjectItemCaseSensitive(params, "spec");

	*w = (struct node_workload){ .id = text_of(params, "id"), .type = text_of(params, "type"),
		.tenant = tenant, .lineage = text_of(params, "lineage"),
		.address = text_of(params, "address"), .spec = spec };
	if (!is_valid_id(w->id))
		return zp_error_code(err, NODE_RPC_PARAMS,
			"id: 1 to %d of letters, digits and _ . - / are needed", MAX_ID);
	if (!cJSON_IsObject(spec))
		return zp_error_code(err, NODE_RPC_PARAMS, "spec: an object is needed");
	return 0;
}

/* What a tenant may see: its own. The owner of the node sees everything. */
static bool may_see(const char *tenant, const struct node_workload *w)
{
	return !*tenant || strcmp(tenant, w->tenant) == 0;
}

static int check_tenant(struct node_methods *methods, const char *tenant,
	const struct node_workload *old, const char *type, struct zp_error *err)
{
	const char *dedicated = methods->node->settings.dedicated;

	if (*tenant && dedicated && strcmp(dedicated, tenant) != 0)
		return zp_error_code(err, NODE_E_DENIED, "node %s is reserved for another tenant",
			node_name(methods->node));
	if (old && !may_see(tenant, old))
		return zp_error_code(err, NODE_E_DENIED, "the id %s is another tenant's", old->id);
	if (old && strcmp(old->type, type) != 0)
		return zp_error_code(err, NODE_E_INVALID, "%s is a %s already", old->id, old->type);
	return 0;
}

static void forget_promise(struct node_methods *methods, const char *id,
	const struct node_workload *old)
{
	if (old)
		node_ledger_set(methods->ledger, id, old->tenant, taken_by(methods, old));
	else
		node_ledger_drop(methods->ledger, id);
}

/* Promises, and writes it down, before anything is made. */
static int admit(struct node_methods *methods, const struct node_workload *w,
	const struct node_workload *old, struct zp_error *err)
{
	if (node_ledger_promise(methods->ledger, w->id, w->tenant, taken_by(methods, w), err) < 0)
		return -1;
	if (node_registry_put(methods->node->registry, w, err) == 0)
		return 0;
	forget_promise(methods, w->id, old);
	return -1;
}

static cJSON *converge(struct node_methods *methods, const struct node_workload_type *type,
	const struct node_workload *w, struct zp_error *err)
{
	cJSON *result = NULL;

	if (type->ensure(methods->node, w, &result, err) < 0) {
		cJSON_Delete(result);
		if (!err->code || err->code > -32000)
			err->code = NODE_E_FAILED;
		return NULL;
	}
	if (!result)
		result = cJSON_CreateObject();
	if (node_registry_set_result(methods->node->registry, w->id, result, err) < 0) {
		cJSON_Delete(result);
		return NULL;
	}
	return result;
}

/* Under the workload's lock; old may be NULL. */
static cJSON *ensure_locked(struct node_methods *methods, const struct node_workload_type *type,
	struct node_workload *w, const struct node_workload *old, struct zp_error *err)
{
	if (check_tenant(methods, w->tenant, old, w->type, err) < 0)
		return NULL;
	if (old) {
		/* The owner of the node may mend what is a tenant's: that stays the tenant's. */
		w->tenant = old->tenant;
		w->result = old->result;
	}
	if (*w->tenant && type->check_tenant && type->check_tenant(methods->node, w, err) < 0)
		return NULL;
	if (admit(methods, w, old, err) < 0)
		return NULL;
	cJSON *result = converge(methods, type, w, err);
	/* What could not be had was not promised: the former spec stands, also after a restart. */
	if (!result && old && node_registry_put(methods->node->registry, old, NULL) == 0)
		forget_promise(methods, w->id, old);
	return result;
}

static cJSON *ensure(struct node_methods *methods, const char *tenant, const cJSON *params,
	struct zp_error *err)
{
	struct node_workload w;

	if (parse_workload(tenant, params, &w, err) < 0)
		return NULL;
	const struct node_workload_type *type = node_workload_type_find(methods->types, w.type);
	if (!type) {
		zp_error_code(err, NODE_E_INVALID, "this node offers no workload type \"%s\"", w.type);
		return NULL;
	}
	if (type->validate(w.spec, err) < 0) {
		err->code = NODE_E_INVALID;
		return NULL;
	}
	pthread_mutex_t *stripe = stripe_of(methods, w.id);
	pthread_mutex_lock(stripe);
	struct node_workload *old = node_find(methods->node, w.id);
	cJSON *result = ensure_locked(methods, type, &w, old, err);
	node_workload_free(old);
	pthread_mutex_unlock(stripe);
	return result;
}

static void describe(struct node_methods *methods, const struct node_workload *w, cJSON *entry)
{
	const struct node_workload_type *type = node_workload_type_find(methods->types, w->type);
	enum node_workload_status status = NODE_DEGRADED;
	zp_autobuf message = ZP_BUF_INIT;
	zp_autoerror err = ZP_ERROR_INIT;
	cJSON *result = NULL;

	if (!type)
		zp_buf_printf(&message, "this node offers no workload type \"%s\"", w->type);
	else if (type->read(methods->node, w, &status, &result, &message, &err) < 0)
		zp_buf_printf(&message, "%s", zp_error_text(&err));
	if (status == NODE_ABSENT && !message.len)
		zp_buf_puts(&message, "nothing of it is there");
	/* What the registry promises and the world lacks is damaged, not unknown. */
	cJSON_AddStringToObject(entry, "status", status == NODE_OK ? "ok" : "degraded");
	cJSON_AddStringToObject(entry, "message", message.len ? message.ptr : "");
	cJSON_AddStringToObject(entry, "type", w->type);
	cJSON_AddStringToObject(entry, "lineage", w->lineage);
	cJSON_AddStringToObject(entry, "address", w->address);
	cJSON_AddItemToObject(entry, "spec", cJSON_Duplicate(w->spec, true));
	if (!result && w->result)
		result = cJSON_Duplicate(w->result, true);
	cJSON_AddItemToObject(entry, "result", result ? result : cJSON_CreateObject());
}

static void read_one(struct node_methods *methods, const char *tenant, const char *id, cJSON *result)
{
	cJSON *entry = cJSON_CreateObject();

	cJSON_AddItemToArray(result, entry);
	cJSON_AddStringToObject(entry, "id", id);
	pthread_mutex_lock(stripe_of(methods, id));
	struct node_workload *w = node_find(methods->node, id);
	if (w && may_see(tenant, w))
		describe(methods, w, entry);
	else
		cJSON_AddStringToObject(entry, "status", "absent");
	pthread_mutex_unlock(stripe_of(methods, id));
	node_workload_free(w);
}

/* All workloads of one object, however many they are. */
static void read_object(
	struct node_methods *methods, const char *tenant, const char *identity, cJSON *result)
{
	size_t count;
	struct node_workload **all =
		node_registry_of_object(methods->node->registry, identity, &count);

	for (size_t i = 0; i < count; i++) {
		if (may_see(tenant, all[i]))
			read_one(methods, tenant, all[i]->id, result);
		node_workload_free(all[i]);
	}
	free(all);
}

static cJSON *read_many(struct node_methods *methods, const char *tenant, const cJSON *params,
	struct zp_error *err)
{
	const cJSON *ids = cJSON_GetObjectItemCaseSensitive(params, "ids"), *id;
	const cJSON *objects = cJSON_GetObjectItemCaseSensitive(params, "objects");
	cJSON *result;

	if (!cJSON_IsArray(ids) && !cJSON_IsArray(objects)) {
		zp_error_code(err, NODE_RPC_PARAMS, "ids: an array is needed");
		return NULL;
	}
	result = cJSON_CreateArray();
	cJSON_ArrayForEach (id, ids)
		read_one(methods, tenant, cJSON_IsString(id) ? id->valuestring : "", result);
	cJSON_ArrayForEach (id, objects)
		if (cJSON_IsString(id) && *id->valuestring)
			read_object(methods, tenant, id->valuestring, result);
	return result;
}

static cJSON *remove_one(struct node_methods *methods, const char *tenant, const cJSON *params,
	struct zp_error *err)
{
	const char *id = text_of(params, "id");
	pthread_mutex_t *stripe = stripe_of(methods, id);
	int rc = 0;

	pthread_mutex_lock(stripe);
	struct node_workload *w = node_find(methods->node, id);
	if (w && !may_see(tenant, w)) {
		/* To a tenant others' workloads do not exist, and removing nothing succeeds. */
		node_workload_free(w);
		w = NULL;
	}
	const struct node_workload_type *type =
		w ? node_workload_type_find(methods->types, w->type) : NULL;
	if (type)
		rc = type->remove(methods->node, w, err);
	if (w && !rc)
		rc = node_registry_delete(methods->node->registry, id, err);
	if (w && !rc)
		node_ledger_drop(methods->ledger, id);
	node_workload_free(w);
	pthread_mutex_unlock(stripe);
	if (rc < 0 && (!err->code || err->code > -32000))
		err->code = NODE_E_FAILED;
	return rc < 0 ? NULL : cJSON_CreateObject();
}

static cJSON *list(struct node_methods *methods, const char *tenant, const cJSON *params,
	struct zp_error *err)
{
	const char *lineage = text_of(params, "lineage"), *type = text_of(params, "type");
	cJSON *result = cJSON_CreateArray();
	size_t count;
	struct node_workload **all =
		node_registry_all(methods->node->registry, *type ? type : NULL, &count);

	(void)err;
	for (size_t i = 0; i < count; i++) {
		if (may_see(tenant, all[i]) &&
			(!*lineage || strcmp(lineage, all[i]->lineage) == 0)) {
			cJSON *entry = cJSON_CreateObject();
			cJSON_AddStringToObject(entry, "id", all[i]->id);
			cJSON_AddStringToObject(entry, "type", all[i]->type);
			cJSON_AddStringToObject(entry, "lineage", all[i]->lineage);
			cJSON_AddStringToObject(entry, "address", all[i]->address);
			cJSON_AddItemToObject(entry, "spec", cJSON_Duplicate(all[i]->spec, true));
			cJSON_AddItemToObject(entry, "result", all[i]->result ?
				cJSON_Duplicate(all[i]->result, true) : cJSON_CreateObject());
			cJSON_AddItemToArray(result, entry);
		}
		node_workload_free(all[i]);
	}
	free(all);
	return result;
}

/* Who has names of a type: to a tenant, of others' no more than that they are taken. */
static cJSON *holders(struct node_methods *methods, const char *tenant, const cJSON *params,
	struct zp_error *err)
{
	const cJSON *names = cJSON_GetObjectItemCaseSensitive(params, "names"), *name;
	const struct node_workload_type *type =
		node_workload_type_find(methods->types, text_of(params, "type"));

	if (!type || !type->names || !cJSON_IsArray(names)) {
		zp_error_code(err, NODE_RPC_PARAMS,
			"type and names: a type that has names, and an array of them are needed");
		return NULL;
	}
	cJSON *result = cJSON_CreateArray();
	cJSON_ArrayForEach (name, names) {
		zp_autofree char *id = node_registry_lease_holder(methods->node->registry, type->names,
			cJSON_IsString(name) ? name->valuestring : "");
		struct node_workload *w = id ? node_find(methods->node, id) : NULL;
		cJSON *entry = cJSON_CreateObject();
		cJSON_AddItemToArray(result, entry);
		cJSON_AddBoolToObject(entry, "taken", id != NULL);
		if (id && (!*tenant || (w && may_see(tenant, w)))) {
			cJSON_AddStringToObject(entry, "id", id);
			cJSON_AddStringToObject(entry, "address", w ? w->address : "");
		}
		node_workload_free(w);
	}
	return result;
}

static const struct {
	const char *name;
	cJSON *(*call)(struct node_methods *methods, const char *tenant, const cJSON *params,
		struct zp_error *err);
} table[] = {
	{ "node.facts", facts },	  { "workload.ensure", ensure },
	{ "workload.read", read_many },	  { "workload.remove", remove_one },
	{ "workload.list", list },	  { "workload.holders", holders },
};

static bool is_tenant_name(const char *name)
{
	size_t n = strlen(name);

	return n >= 1 && n <= 64 &&
		strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == n;
}

/* The first thing `agent dial -tenant` says; whoever it speaks for can not take it back. */
static cJSON *session_tenant(struct node_methods *methods, struct node_session *session,
	const cJSON *params, struct zp_error *err)
{
	const char *name = text_of(params, "tenant");

	if (session->share) {
		zp_error_code(err, NODE_E_DENIED, "this connection is tenant %s's",
			session->share->name);
		return NULL;
	}
	if (!is_tenant_name(name)) {
		zp_error_code(err, NODE_RPC_PARAMS,
			"tenant: 1 to 64 of letters, digits and _ . - are needed");
		return NULL;
	}
	pthread_mutex_lock(&methods->share_lock);
	session->share = zp_map_get(&methods->shares, zp_str(name));
	if (!session->share) {
		session->share = zp_calloc(1, sizeof(*session->share));
		session->share->name = zp_strdup(name);
		zp_map_set(&methods->shares, zp_str(session->share->name), session->share);
	}
	pthread_mutex_unlock(&methods->share_lock);
	return cJSON_CreateObject();
}

cJSON *node_methods_call(void *data, struct node_session *session, const char *method,
	const cJSON *params, struct zp_error *err)
{
	const char *tenant = session->share ? session->share->name : "";

	zp_log(ZP_LOG_DEBUG, "call %s", method);
	if (strcmp(method, "session.tenant") == 0)
		return session_tenant(data, session, params, err);
	for (size_t i = 0; i < ZP_ARRAY_SIZE(table); i++)
		if (strcmp(method, table[i].name) == 0)
			return table[i].call(data, tenant, params, err);
	zp_error_code(err, NODE_RPC_METHOD, "there is no method \"%s\"", method);
	return NULL;
}

/* ---- upkeep ---- */

static void ensure_type(struct node_methods *methods, const struct node_workload_type *type,
	const volatile int *stop)
{
	size_t count;
	struct node_workload **all = node_registry_all(methods->node->registry, type->name, &count);

	for (size_t i = 0; i < count; i++) {
		zp_autoerror err = ZP_ERROR_INIT;
		pthread_mutex_t *stripe = stripe_of(methods, all[i]->id);
		if (!*stop) {
			pthread_mutex_lock(stripe);
			struct node_workload *now = node_find(methods->node, all[i]->id);
			cJSON *result = now ? converge(methods, type, now, &err) : NULL;
			if (now && !result)
				zp_log(ZP_LOG_ERROR, "%s %s: %s", type->name, now->id,
					zp_error_text(&err));
			cJSON_Delete(result);
			node_workload_free(now);
			pthread_mutex_unlock(stripe);
		}
		node_workload_free(all[i]);
	}
	free(all);
}

static int by_order(const void *a, const void *b)
{
	return (*(const struct node_workload_type *const *)a)->order -
		(*(const struct node_workload_type *const *)b)->order;
}

void node_methods_ensure_all(struct node_methods *methods, const volatile int *stop)
{
	size_t count = methods->types->count;
	const struct node_workload_type **order = zp_calloc(count, sizeof(*order));

	memcpy(order, methods->types->items, count * sizeof(*order));
	qsort(order, count, sizeof(*order), by_order);
	for (size_t i = 0; i < count; i++)
		ensure_type(methods, order[i], stop);
	free(order);
}

static void tick_type(struct node_methods *methods, const struct node_workload_type *type)
{
	size_t count;
	struct node_workload **all = node_registry_all(methods->node->registry, type->name, &count);

	for (size_t i = 0; i < count; i++) {
		zp_autoerror err = ZP_ERROR_INIT;
		bool changed = false;
		/* One that is being worked on is in good hands. */
		if (pthread_mutex_trylock(stripe_of(methods, all[i]->id)) == 0) {
			struct node_workload *now = node_find(methods->node, all[i]->id);
			if (now && now->result &&
				type->tick(methods->node, now, &changed, &err) < 0)
				zp_log(ZP_LOG_ERROR, "%s %s: %s", type->name, now->id,
					zp_error_text(&err));
			node_workload_free(now);
			pthread_mutex_unlock(stripe_of(methods, all[i]->id));
		}
		node_workload_free(all[i]);
	}
	free(all);
}

void node_methods_tick(struct node_methods *methods)
{
	for (size_t i = 0; i < methods->types->count; i++)
		if (methods->types->items[i]->tick)
			tick_type(methods, methods->types->items[i]);
	node_helpers_tick(methods->node);
}

#include "providers/scheduler/choose.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define NOWHERE SIZE_MAX
/* Placements tried before a set of requests is taken for one that can not be met. */
#define MAX_TRIES 20000
#define MAX_REASONS 12
#define MEGABYTE (INT64_C(1) << 20)

/* A search under way. */
struct search {
	const struct zos_fleet *fleet;
	const struct zos_request *requests;
	size_t count;
	size_t *chosen;
	struct zos_fleet_node *left; /* the fleet, less what is placed */
	size_t *order;		     /* per request: nodes, the best first */
	size_t *next;		     /* per request: which of them is to be tried */
	size_t deepest;		     /* the request no node was left for, as far as the search came */
	struct zp_buf why;	     /* of the deepest */
};

static bool is_excluded(const struct zos_request *request, const struct zos_fleet_node *node)
{
	char number[24];

	snprintf(number, sizeof(number), "%" PRId64, node->number);
	for (uint32_t i = 0; request->exclude.state == HCL_KNOWN && i < request->exclude.count; i++) {
		const struct hcl_value *name = &request->exclude.elements[i];
		if (name->state == HCL_KNOWN && (strcmp(name->text, node->name) == 0 ||
						(node->number && strcmp(name->text, number) == 0)))
			return true;
	}
	return false;
}

static bool refuse(struct zp_buf *why, const char *reason)
{
	if (why)
		zp_buf_puts(why, reason);
	return false;
}

bool zos_request_suits(
	const struct zos_request *request, const struct zos_fleet_node *node, struct zp_buf *why)
{
	if (is_excluded(request, node))
		return refuse(why, "is excluded");
	if (node->failure)
		return refuse(why, "can not be reached");
	if (request->farm && request->farm != node->farm)
		return refuse(why, "is of another farm");
	if (request->public_config && !*node->public_address)
		return refuse(why, "has no public address");
	if (request->domain && !*node->domain)
		return refuse(why, "has no domain");
	if (zos_fleet_is_reserved(node))
		return refuse(why, "is reserved for another tenant");
	if (request->dedicated && !*node->dedicated)
		return refuse(why, "is not reserved for you");
	if (!zos_fleet_has_labels(node, request->labels))
		return refuse(why, "has not the labels");
	return true;
}

static bool fits(const struct zos_request *request, const struct zos_fleet_node *left,
	struct zp_buf *why)
{
	const struct {
		const char *what;
		int64_t want, left;
	} rows[] = {
		{ "cores", request->want.cores, left->free.cores },
		{ "MB of memory", request->want.memory / MEGABYTE, left->free.memory / MEGABYTE },
		{ "MB of disk", request->want.disk / MEGABYTE, left->free.disk / MEGABYTE },
		{ "public addresses", request->public_ips, left->public_ips_free },
	};

	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		if (rows[i].want <= rows[i].left)
			continue;
		if (why)
			zp_buf_printf(why, "has %" PRId64 " of %" PRId64 " %s left",
				rows[i].left < 0 ? 0 : rows[i].left, rows[i].want, rows[i].what);
		return false;
	}
	return true;
}

static bool is_apart(const struct search *search, size_t request, size_t node)
{
	if (!search->requests[request].distinct)
		return true;
	for (size_t i = 0; i < search->count; i++)
		if (i != request && search->requests[i].distinct && search->chosen[i] == node)
			return false;
	return true;
}

static void place(struct search *search, size_t request, size_t node, int64_t sign)
{
	const struct zos_request *r = &search->requests[request];
	struct zos_fleet_node *left = &search->left[node];

	search->chosen[request] = sign > 0 ? node : NOWHERE;
	left->free.cores -= sign * r->want.cores;
	left->free.memory -= sign * r->want.memory;
	left->free.disk -= sign * r->want.disk;
	left->public_ips_free -= sign * r->public_ips;
}

static double share(int64_t left, int64_t all)
{
	return all > 0 ? (double)left / (double)all : 1;
}

/* The share that is left of what is scarcest on a node. */
static double room(const struct search *search, size_t node)
{
	const struct zos_fleet_node *left = &search->left[node];
	double least = share(left->free.cores, left->capacity.cores);
	double memory = share(left->free.memory, left->capacity.memory);
	double disk = share(left->free.disk, left->capacity.disk);

	least = memory < least ? memory : least;
	return disk < least ? disk : least;
}

static int by_room(const void *a, const void *b, void *data)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	double difference = room(data, y) - room(data, x);

	if (difference != 0)
		return difference > 0 ? 1 : -1;
	return x < y ? -1 : x > y;
}

static void note_failure(struct search *search, size_t request)
{
	const struct zos_request *r = &search->requests[request];

	if (search->why.len && request <= search->deepest)
		return;
	search->deepest = request;
	zp_buf_clear(&search->why);
	for (size_t i = 0; i < search->fleet->count && i < MAX_REASONS; i++) {
		zp_buf_printf(&search->why, "%s%s ", i ? "; " : "", search->fleet->items[i].name);
		if (zos_request_suits(r, &search->fleet->items[i], &search->why) &&
			fits(r, &search->left[i], &search->why))
			zp_buf_puts(&search->why, "has another distinct request");
	}
	if (search->fleet->count > MAX_REASONS)
		zp_buf_printf(&search->why, "; and %zu more", search->fleet->count - MAX_REASONS);
	if (!search->fleet->count)
		zp_buf_puts(&search->why, "the inventory has no nodes");
}

/* The next node for a request after those tried, placed; false when there is none. */
static bool place_next(struct search *search, size_t request)
{
	size_t nodes = search->fleet->count;
	size_t *order = &search->order[request * nodes];
	size_t *next = &search->next[request];

	if (*next == 0) {
		for (size_t i = 0; i < nodes; i++)
			order[i] = i;
		qsort_r(order, nodes, sizeof(*order), by_room, search);
	}
	while (*next < nodes) {
		size_t node = order[(*next)++];
		const struct zos_request *r = &search->requests[request];
		if (!zos_request_suits(r, &search->fleet->items[node], NULL) ||
			!fits(r, &search->left[node], NULL) || !is_apart(search, request, node))
			continue;
		place(search, request, node, 1);
		return true;
	}
	note_failure(search, request);
	*next = 0;
	return false;
}

/* What was chosen before stays, also on a node that is out of reach, and takes nothing once more. */
static void place_kept(struct search *search)
{
	for (size_t i = 0; i < search->count; i++) {
		const char *kept = search->requests[i].kept;
		const struct zos_fleet_node *node =
			kept ? zos_fleet_find(search->fleet, kept) : NULL;
		search->chosen[i] = node ? (size_t)(node - search->fleet->items) : NOWHERE;
	}
}

static bool run(struct search *search, const size_t *open, size_t open_count)
{
	size_t depth = 0;

	for (size_t tries = 0; depth < open_count && tries < MAX_TRIES; tries++) {
		if (place_next(search, open[depth])) {
			depth++;
			continue;
		}
		if (!depth)
			return false;
		depth--;
		place(search, open[depth], search->chosen[open[depth]], -1);
	}
	return depth == open_count;
}

static void search_init(struct search *search, const struct zos_fleet *fleet)
{
	size_t slots = search->count * fleet->count + 1;

	search->fleet = fleet;
	search->left = zp_calloc(fleet->count + 1, sizeof(*search->left));
	memcpy(search->left, fleet->items, fleet->count * sizeof(*search->left));
	search->order = zp_calloc(slots, sizeof(*search->order));
	search->next = zp_calloc(search->count + 1, sizeof(*search->next));
}

static void search_release(struct search *search)
{
	free(search->left);
	free(search->order);
	free(search->next);
	zp_buf_release(&search->why);
}

bool zos_choose(const struct zos_fleet *fleet, const struct zos_request *requests, size_t count,
	size_t *chosen, struct zp_error *err)
{
	struct search search = { .requests = requests, .count = count, .chosen = chosen };
	zp_autofree size_t *open = zp_calloc(count + 1, sizeof(*open));
	size_t open_count = 0;

	search_init(&search, fleet);
	place_kept(&search);
	for (size_t i = 0; i < count; i++)
		if (chosen[i] == NOWHERE)
			open[open_count++] = i;
	bool met = run(&search, open, open_count);
	if (!met)
		zp_error_set(err, "request \"%s\": no node can take it: %s",
			requests[search.deepest].name,
			search.why.len ? search.why.ptr : "too many combinations were tried");
	search_release(&search);
	return met;
}

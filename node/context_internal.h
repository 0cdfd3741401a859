/*
 * The context of a node, for the agent's own files.
 */
#ifndef NODE_CONTEXT_INTERNAL_H
#define NODE_CONTEXT_INTERNAL_H

#include <pthread.h>

#include "base/vec.h"
#include "node/context.h"
#include "node/registry.h"

/* What a tenant may have of the node. -1: as much as there is. */
struct node_quota {
	char *tenant;
	struct node_capacity limit;
	int64_t workloads;
};

ZP_VEC(node_uris, char *);

struct node_settings {
	char *name, *tag, *domain, *wan_interface, *wan_address, *libvirt_uri, *acceleration;
	char *dedicated; /* the tenant the whole node is reserved for */
	int64_t id, farm;
	struct node_capacity reserved; /* for the node itself */
	int64_t overcommit;	       /* times a core may be promised; 0: the default */
	ZP_VEC(, struct node_quota) quotas;
	char *public_bridge, *public_gateway, *public_prefix6;
	ZP_VEC(, char *) public_addresses;
	ZP_VEC(, char *) certificates; /* of gateways */
	bool planetary;
	struct node_uris planetary_peers, planetary_listen;
	cJSON *labels; /* name -> text, for whoever looks for nodes; NULL: none */
	cJSON *mirrors; /* beginning of a URL -> what to read in its place; NULL: none */
};

struct node_helper; /* helpers.c */

struct node_context {
	char *root;
	struct node_settings settings;
	struct node_registry *registry;
	pthread_mutex_t helper_lock;
	ZP_VEC(, struct node_helper *) helpers;
	/* Called by node_progress; set by the server. */
	void (*progress)(struct node_context *node, const char *id, const char *text);
	void *server;
};

struct node_context *node_context_new(const char *root);
void node_context_free(struct node_context *node);
/* Reads node.hcl into the settings; what it does not say keeps its default. */
int node_settings_load(struct node_settings *settings, const char *path, struct zp_error *err);

/* Adopts helpers that outlived the last agent. */
void node_helpers_adopt(struct node_context *node);
/* Restarts helpers that died. Called every second. */
void node_helpers_tick(struct node_context *node);
void node_helpers_release(struct node_context *node);

#endif

/*
 * A machine's console on a port of its network's gateway: a helper process in the network's
 * namespace hands connections to the console's socket. One connection at a time sees the console;
 * others wait.
 */
#ifndef PROVIDER_MACHINE_CONSOLE_PORT_H
#define PROVIDER_MACHINE_CONSOLE_PORT_H

#include "node/context.h"

/* url: "10.1.1.1:20002". Again with the same values: nothing happens. */
int provider_console_open(struct node_context *node, const char *domain, const char *network,
	const char *url, struct zp_error *err);
int provider_console_close(struct node_context *node, const char *domain, struct zp_error *err);

/* Heap: path of the console's socket. */
char *provider_console_socket(const struct node_context *node, const char *domain);

#endif

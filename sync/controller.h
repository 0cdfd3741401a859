/*
 * The controller: gives every stack its turns, until it is told to end.
 *
 *	return sync_controller_run(&(struct sync_options){ .config_path = path, .program = program });
 *
 * SIGHUP reads the configuration again; SIGTERM and SIGINT end it, once commands in flight have saved what
 * they did. Killed, it takes up at its next start what it finds in the store.
 */
#ifndef SYNC_CONTROLLER_H
#define SYNC_CONTROLLER_H

#include "sync/config.h"
#include "sync/store.h"

struct sync_options {
	const char *config_path;
	const char *program; /* of zplan */
	bool once;	     /* end when every stack had its turn and nothing is asked */
	/* Shows what is wrong with the configuration. */
	void (*show)(struct zp_diags *diags);
};

/* Exit status: 1 where it could not start, or, with once, where a stack failed. */
int sync_controller_run(const struct sync_options *options);

/* What the HTTP side sees of it. */
struct sync_controller;
/* The configuration now in force, counted. */
struct sync_config *sync_controller_config(struct sync_controller *controller);
struct sync_store *sync_controller_store(struct sync_controller *controller);
/* Something is in the queue. */
void sync_controller_wake(struct sync_controller *controller);
/* Stacks at work, and milliseconds since it last looked around. */
void sync_controller_pulse(struct sync_controller *controller, int *running, int64_t *idle_ms);

#endif

/*
 * Work that several want at once is done once: the first to ask does it, the others wait and take
 * what it came to.
 */
#ifndef PROVIDER_MACHINE_FLIGHT_H
#define PROVIDER_MACHINE_FLIGHT_H

#include "base/error.h"
#include "providers/machine/tree_hash.h"

/* Gives the hash of what it made: 0, or -1 with err. */
typedef int provider_flight_work(void *data, char hash[PROVIDER_HASH_TEXT], struct zp_error *err);

/*
 * Runs work(data), unless another thread is about the same key: then waits for that one, and gives
 * its hash or its error. Who asks after the end begins anew.
 */
int provider_flight(const char *key, provider_flight_work *work, void *data,
	char hash[PROVIDER_HASH_TEXT], struct zp_error *err);

#endif

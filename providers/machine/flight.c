#include "providers/machine/flight.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

struct flight {
	char *key;
	int users;
	bool landed;
	int rc;
	char hash[PROVIDER_HASH_TEXT];
	struct zp_error error;
	struct flight *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t landing = PTHREAD_COND_INITIALIZER;
static struct flight *flights; /* those under way */

/* Under the lock. The flight of this key, a new one where there is none. */
static struct flight *join(const char *key, bool *first)
{
	struct flight *flight = flights;

	while (flight && strcmp(flight->key, key) != 0)
		flight = flight->next;
	*first = !flight;
	if (!flight) {
		flight = zp_malloc(sizeof(*flight));
		*flight = (struct flight){ .key = zp_strdup(key), .next = flights };
		flights = flight;
	}
	flight->users++;
	return flight;
}

/* Under the lock: whoever asks from now on begins anew. */
static void land(struct flight *flight)
{
	struct flight **at = &flights;

	while (*at != flight)
		at = &(*at)->next;
	*at = flight->next;
	flight->landed = true;
	pthread_cond_broadcast(&landing);
}

/* Under the lock. The last of its users takes it down. */
static int leave(struct flight *flight, char hash[PROVIDER_HASH_TEXT], struct zp_error *err)
{
	int rc = flight->rc;

	memcpy(hash, flight->hash, sizeof(flight->hash));
	if (rc < 0)
		zp_error_code(err, flight->error.code, "%s", zp_error_text(&flight->error));
	if (--flight->users == 0) {
		zp_error_clear(&flight->error);
		free(flight->key);
		free(flight);
	}
	return rc;
}

int provider_flight(const char *key, provider_flight_work *work, void *data,
	char hash[PROVIDER_HASH_TEXT], struct zp_error *err)
{
	struct flight *flight;
	bool first;
	int rc;

	pthread_mutex_lock(&lock);
	flight = join(key, &first);
	if (first) {
		pthread_mutex_unlock(&lock);
		rc = work(data, flight->hash, &flight->error);
		pthread_mutex_lock(&lock);
		flight->rc = rc;
		land(flight);
	}
	while (!flight->landed)
		pthread_cond_wait(&landing, &lock);
	rc = leave(flight, hash, err);
	pthread_mutex_unlock(&lock);
	return rc;
}

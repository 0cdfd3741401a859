#include "base/threads.h"

#include <pthread.h>

struct call {
	void (*fn)(void *arg);
	void *arg;
};

static void *run(void *data)
{
	struct call *call = data;

	call->fn(call->arg);
	return NULL;
}

void zp_call_with_deep_stack(void (*fn)(void *arg), void *arg)
{
	struct call call = { fn, arg };
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, ZP_DEEP_STACK_BYTES);
	int failed = pthread_create(&thread, &attributes, run, &call);
	pthread_attr_destroy(&attributes);
	if (failed)
		fn(arg); /* address space is short: the ordinary stack must do */
	else
		pthread_join(thread, NULL);
}

/*
 * Content from elsewhere: http and https, into a file of the node's cache.
 *
 * A connection that breaks is made again and goes on where it broke, as far as the server says what
 * it sends (ETag, Last-Modified) or a checksum was promised: else a mixture of two versions would
 * not be noticed, and it begins anew. What a failed download got is kept in the same way for the
 * next one.
 */
#ifndef PROVIDER_MACHINE_DOWNLOAD_H
#define PROVIDER_MACHINE_DOWNLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define PROVIDER_VALIDATOR_TEXT 256

struct provider_download {
	const char *url, *folder;
	bool promised; /* there is a checksum */
	int64_t limit; /* more bytes are refused; 0: as many as come */
	/* May be NULL; total is -1 while it is not known. */
	void (*progress)(void *data, int64_t bytes, int64_t total);
	void *data;
	/*
	 * In: what the server called the version at hand, "" for none. Out: what it calls this one,
	 * "" when it does not.
	 */
	char validator[PROVIDER_VALIDATOR_TEXT];
	bool unchanged; /* out: the version at hand is still it, and nothing was downloaded */
};

/* Path of the downloaded file, on the heap, the caller's to unlink; NULL with err, or when
 * unchanged. */
char *provider_download(struct provider_download *download, struct zp_error *err);

/* The URL without what may be secret in it, a user's name and password and the query: heap. */
char *provider_url_display(const char *url);

/* Before the first use of libcurl by any thread. */
void provider_curl_prepare(void);

#endif

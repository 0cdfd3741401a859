/*
 * Content from elsewhere: http and https, into a file of the node's cache.
 */
#ifndef PROVIDER_MACHINE_DOWNLOAD_H
#define PROVIDER_MACHINE_DOWNLOAD_H

#include "base/error.h"

/*
 * Path of the downloaded file, on the heap, the caller's to unlink; NULL with err. What an earlier
 * try left is continued when checksum is not "": only then a mixture of two versions would be
 * noticed.
 */
char *provider_download(
	const char *url, const char *checksum, const char *folder, struct zp_error *err);

#endif

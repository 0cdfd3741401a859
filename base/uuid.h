/*
 * Random identifiers.
 */
#ifndef ZP_BASE_UUID_H
#define ZP_BASE_UUID_H

#include <stddef.h>

#define ZP_UUID_LENGTH 36

/* A random UUID (RFC 9562, version 4), NUL-terminated. */
void zp_uuid(char out[ZP_UUID_LENGTH + 1]);
/* Fills with bytes from the kernel's random source. */
void zp_random(void *out, size_t len);

#endif

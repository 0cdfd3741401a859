#include "base/uuid.h"

#include <stdio.h>
#include <sys/random.h>

void zp_random(void *out, size_t len)
{
	char *p = out;

	while (len) {
		ssize_t n = getrandom(p, len < 256 ? len : 256, 0);
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
}

void zp_uuid(char out[ZP_UUID_LENGTH + 1])
{
	unsigned char b[16];

	zp_random(b, sizeof(b));
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	snprintf(out, ZP_UUID_LENGTH + 1,
		"%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
		b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
		b[15]);
}

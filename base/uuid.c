#include "base/uuid.h"

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
	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*out++ = '-';
		*out++ = "0123456789abcdef"[b[i] >> 4];
		*out++ = "0123456789abcdef"[b[i] & 15];
	}
	*out = 0;
}

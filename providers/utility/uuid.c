#include "providers/utility/uuid.h"

#include <sodium.h>

void provider_random(void *out, size_t len)
{
	randombytes_buf(out, len);
}

uint32_t provider_random_below(uint32_t bound)
{
	return bound > 1 ? randombytes_uniform(bound) : 0;
}

void provider_uuid(char out[37])
{
	static const char hex[] = "0123456789abcdef";
	uint8_t bytes[16];
	provider_random(bytes, sizeof(bytes));
	bytes[6] = (bytes[6] & 0x0f) | 0x40;
	bytes[8] = (bytes[8] & 0x3f) | 0x80;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*out++ = '-';
		*out++ = hex[bytes[i] >> 4];
		*out++ = hex[bytes[i] & 15];
	}
	*out = '\0';
}

struct hcl_value provider_identity_or_uuid(const struct provider_operation *op)
{
	if (op->identity && *op->identity)
		return hcl_string_cstr(op->arena, op->identity);
	char text[37];
	provider_uuid(text);
	return hcl_string_cstr(op->arena, text);
}

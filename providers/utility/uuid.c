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

struct hcl_value provider_identity_or_uuid(const struct provider_operation *op)
{
	if (op->identity && *op->identity)
		return hcl_string_cstr(op->arena, op->identity);
	char text[ZP_UUID_LENGTH + 1];
	zp_uuid(text);
	return hcl_string_cstr(op->arena, text);
}

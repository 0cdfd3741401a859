#include "providers/zos/checks.h"

#include "providers/network/address.h"

#define MAX_ID_LENGTH 150

void zos_check_int(struct provider_problems *problems, struct hcl_value config, const char *name,
	int64_t from, int64_t to, const char *unit)
{
	struct hcl_value value = provider_get(config, name);
	int64_t number;
	if (value.state != HCL_KNOWN)
		return;
	if (hcl_number_to_int(value, &number) && number >= from && number <= to)
		return;
	zp_autobuf text = ZP_BUF_INIT;
	hcl_number_text(value, &text);
	provider_error(problems, name, "Value out of range",
		"\"%s\" is a whole number of %s from %lld to %lld, not %s.", name, unit,
		(long long)from, (long long)to, text.ptr);
}

void zos_check_ipv4(struct provider_problems *problems, struct hcl_value config, const char *name)
{
	const char *text = provider_get_text(config, name);
	uint32_t address;
	if (text && !provider_ipv4_parse(text, &address))
		provider_error(problems, name, "Invalid IPv4 address",
			"\"%s\" is an IPv4 address such as 10.1.1.7, without a prefix length, not "
			"\"%s\".",
			name, text);
}

void zos_check_reference(struct provider_problems *problems, struct hcl_value config,
	const char *name, const char *type)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
	const char *text = provider_get_text(config, name);
	if (!text)
		return;
	size_t len = strlen(text);
	if (len >= 1 && len <= MAX_ID_LENGTH && strspn(text, allowed) == len)
		return;
	provider_error(problems, name, "Not the id of an object",
		"\"%s\" is the id of a %s, as in %s.main.id, not \"%s\".", name, type, type, text);
}

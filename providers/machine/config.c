#include "providers/machine/config.h"

#include <string.h>

#include "providers/machine/guest/format.h"
#include "providers/network/address.h"

#define SECTOR 512

static void record(struct zp_buf *out, const char *key, const char *value)
{
	zp_buf_add(out, key, strlen(key) + 1);
	zp_buf_add(out, value, strlen(value) + 1);
}

int provider_machine_config_build(
	const struct provider_machine_config *config, struct zp_buf *out, struct zp_error *err)
{
	const struct provider_machine_spec *spec = config->spec;
	size_t start = out->len;

	zp_buf_add(out, GUEST_MAGIC, sizeof(GUEST_MAGIC));
	record(out, "hostname", config->hostname);
	record(out, "nic", config->mac);
	record(out, "address", config->address);
	record(out, "gateway", config->gateway);
	if (config->public_mac && *config->public_mac) {
		record(out, "public-nic", config->public_mac);
		if (*config->public_address) {
			record(out, "private", config->range);
			record(out, "public-address", config->public_address);
			record(out, "public-gateway", config->public_gateway);
		}
	}
	if (config->planetary_mac && *config->planetary_mac) {
		record(out, "planetary-nic", config->planetary_mac);
		record(out, "planetary-address", config->planetary_address);
		record(out, "planetary-gateway", config->planetary_gateway);
	}
	for (size_t i = 0; i < config->dns_count; i++)
		record(out, "dns", config->dns[i]);
	for (size_t i = 0; i < spec->mount_count; i++) {
		zp_autobuf value = ZP_BUF_INIT;

		zp_buf_printf(&value, "%s %s", config->serials[i], spec->mounts[i].path);
		record(out, "mount", value.ptr);
	}
	for (size_t i = 0; i < spec->env_count; i++)
		record(out, "env", spec->env[i]);
	if (spec->corex)
		record(out, "console", "1");
	for (size_t i = 0; i < spec->arg_count; i++)
		record(out, "arg", spec->args[i]);
	record(out, GUEST_END, "");
	zp_buf_pad(out, '\0', (SECTOR - (out->len - start) % SECTOR) % SECTOR);
	if (out->len - start > GUEST_MAX_CONFIG)
		return zp_error_set(err, "the machine's configuration is larger than %d bytes",
			GUEST_MAX_CONFIG);
	return 0;
}

/* Where the resource's name begins: behind the type, which is the last word before it. */
static const char *resource_name(const char *address)
{
	const char *name = address;

	/* module.a["x"].zos_machine.web: keys of modules end before the resource's own part. */
	for (const char *p = strstr(address, "]."); p; p = strstr(p + 1, "]."))
		name = p + 2;
	for (const char *p = name; *p && *p != '['; p++)
		if (*p == '.')
			name = p + 1;
	return name;
}

void provider_hostname(const char *address, char out[PROVIDER_HOSTNAME_MAX + 1])
{
	size_t len = 0;

	for (const char *p = address ? resource_name(address) : ""; *p; p++) {
		char c = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
		bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

		if (len == PROVIDER_HOSTNAME_MAX)
			break;
		if (plain)
			out[len++] = c;
		else if (len && out[len - 1] != '-')
			out[len++] = '-';
	}
	while (len && out[len - 1] == '-')
		len--;
	out[len] = '\0';
	if (!len)
		memcpy(out, "machine", sizeof("machine"));
}

size_t provider_name_servers(struct zp_arena *arena, const char *text, const char *out[3])
{
	size_t count = 0;
	uint32_t address;

	for (const char *line = text; line && *line && count < 3;) {
		const char *end = strchrnul(line, '\n');
		struct zp_str rest = zp_strn(line, (size_t)(end - line));

		if (zp_str_starts(rest, "nameserver") && rest.len > 10) {
			const char *word = rest.ptr + 10 + strspn(rest.ptr + 10, " \t");
			char *server = zp_arena_strndup(arena, word, strcspn(word, " \t\r\n"));

			if (provider_ipv4_parse(server, &address) && address >> 24 != 127)
				out[count++] = server;
		}
		line = *end ? end + 1 : end;
	}
	if (!count) {
		out[count++] = "9.9.9.9";
		out[count++] = "1.1.1.1";
	}
	return count;
}

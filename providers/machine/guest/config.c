#include "providers/machine/guest/guest.h"

#include <string.h>

/* The text at *at, and *at moved behind its NUL; NULL when there is no NUL before the end. */
static char *next_text(char **at, char *end)
{
	char *text = *at;
	char *stop = memchr(text, '\0', (size_t)(end - text));

	if (!stop)
		return NULL;
	*at = stop + 1;
	return text;
}

static bool add_word(char **words, size_t *count, char *word)
{
	if (*count >= GUEST_MAX_WORDS)
		return false;
	words[(*count)++] = word;
	words[*count] = NULL;
	return true;
}

static bool add_mount(struct guest_config *config, char *value)
{
	char *space = strchr(value, ' ');

	if (!space || config->mount_count > GUEST_MAX_MOUNTS)
		return false;
	*space = '\0';
	config->mounts[config->mount_count].serial = value;
	config->mounts[config->mount_count++].path = space + 1;
	return true;
}

/* Keys of one text each, and where it goes. */
static const struct {
	const char *key;
	size_t offset;
} texts[] = {
	{ "hostname", offsetof(struct guest_config, hostname) },
	{ "nic", offsetof(struct guest_config, nic) },
	{ "address", offsetof(struct guest_config, address) },
	{ "gateway", offsetof(struct guest_config, gateway) },
	{ "public-nic", offsetof(struct guest_config, public_nic) },
	{ "public-address", offsetof(struct guest_config, public_address) },
	{ "public-gateway", offsetof(struct guest_config, public_gateway) },
	{ "private", offsetof(struct guest_config, private_range) },
	{ "planetary-nic", offsetof(struct guest_config, planetary_nic) },
	{ "planetary-address", offsetof(struct guest_config, planetary_address) },
	{ "planetary-gateway", offsetof(struct guest_config, planetary_gateway) },
};

/* Keys this init does not know belong to a newer node and are passed over. */
static bool take(struct guest_config *config, const char *key, char *value)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strcmp(key, texts[i].key) == 0)
			*(const char **)((char *)config + texts[i].offset) = value;
	if (strcmp(key, "console") == 0)
		config->console = true;
	else if (strcmp(key, "arg") == 0)
		return add_word(config->args, &config->arg_count, value);
	else if (strcmp(key, "env") == 0)
		return add_word(config->env, &config->env_count, value);
	else if (strcmp(key, "mount") == 0)
		return add_mount(config, value);
	else if (strcmp(key, "dns") == 0 &&
		 config->dns_count < sizeof(config->dns) / sizeof(config->dns[0]))
		config->dns[config->dns_count++] = value;
	return true;
}

bool guest_config_parse(char *text, size_t len, struct guest_config *config)
{
	char *at = text, *end = text + len;
	char *magic = next_text(&at, end);

	memset(config, 0, sizeof(*config));
	config->mounts[0] = (struct guest_mount){ .serial = GUEST_ROOT_SERIAL, .path = "/" };
	config->mount_count = 1;
	if (!magic || strcmp(magic, GUEST_MAGIC) != 0)
		return false;
	for (;;) {
		char *key = next_text(&at, end);
		char *value = key ? next_text(&at, end) : NULL;

		if (!value)
			return false;
		if (strcmp(key, GUEST_END) == 0)
			return true;
		if (!take(config, key, value))
			return false;
	}
}

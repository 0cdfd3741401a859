#include "providers/machine/seed.h"

#include <archive.h>
#include <archive_entry.h>
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "providers/machine/tree_hash.h"

#define SCRIPT "/var/lib/cloud/scripts/per-boot/zplan-entrypoint"
#define KEYS "SSH_KEY="

/* On one line: YAML's readers do not take the tabs that cJSON lays out with. */
static void print(cJSON *json, const char *before, struct zp_buf *out)
{
	char *text = cJSON_PrintUnformatted(json);

	zp_buf_puts(out, before);
	zp_buf_puts(out, text ? text : "{}");
	zp_buf_char(out, '\n');
	cJSON_free(text);
	cJSON_Delete(json);
}

/* ---- network ---- */

static cJSON *add_card(cJSON *cards, const char *name, const char *mac)
{
	cJSON *card = cJSON_AddObjectToObject(cards, name);

	cJSON_AddStringToObject(cJSON_AddObjectToObject(card, "match"), "macaddress", mac);
	cJSON_AddBoolToObject(card, "dhcp4", false);
	return card;
}

static void add_address(cJSON *card, const char *address)
{
	cJSON_AddItemToArray(
		cJSON_AddArrayToObject(card, "addresses"), cJSON_CreateString(address));
}

static void add_route(cJSON *card, const char *to, const char *via)
{
	cJSON *route = cJSON_CreateObject();

	cJSON_AddStringToObject(route, "to", to);
	cJSON_AddStringToObject(route, "via", via);
	cJSON_AddItemToArray(cJSON_AddArrayToObject(card, "routes"), route);
}

static void add_name_servers(cJSON *card, const struct provider_machine_config *config)
{
	cJSON *list;

	if (!config->dns_count)
		return;
	list = cJSON_AddArrayToObject(cJSON_AddObjectToObject(card, "nameservers"), "addresses");
	for (size_t i = 0; i < config->dns_count; i++)
		cJSON_AddItemToArray(list, cJSON_CreateString(config->dns[i]));
}

void provider_seed_network(const struct provider_machine_config *config, struct zp_buf *out)
{
	cJSON *json = cJSON_CreateObject(), *cards, *card;
	bool has_public = config->public_mac && *config->public_mac;
	bool leads_out = has_public && *config->public_address;

	cJSON_AddNumberToObject(json, "version", 2);
	cards = cJSON_AddObjectToObject(json, "ethernets");
	card = add_card(cards, "private", config->mac);
	add_address(card, config->address);
	add_route(card, leads_out ? config->range : "0.0.0.0/0", config->gateway);
	add_name_servers(card, config);
	if (has_public) {
		card = add_card(cards, "public", config->public_mac);
		cJSON_AddBoolToObject(card, "accept-ra", true);
	}
	if (leads_out) {
		add_address(card, config->public_address);
		add_route(card, "0.0.0.0/0", config->public_gateway);
	}
	if (config->planetary_mac && *config->planetary_mac) {
		zp_autofree char *address = zp_format("%s/64", config->planetary_address);

		card = add_card(cards, "planetary", config->planetary_mac);
		add_address(card, address);
		add_route(card, "200::/7", config->planetary_gateway);
	}
	print(json, "", out);
}

/* ---- the system ---- */

/* As one word of a shell. */
static void quote(struct zp_buf *out, const char *text)
{
	zp_buf_char(out, '\'');
	for (; *text; text++) {
		if (*text == '\'')
			zp_buf_puts(out, "'\\'");
		zp_buf_char(out, *text);
	}
	zp_buf_char(out, '\'');
}

static bool is_shell_name(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		bool letter = (text[i] >= 'a' && text[i] <= 'z') ||
			      (text[i] >= 'A' && text[i] <= 'Z') || text[i] == '_';

		if (!letter && !(i && text[i] >= '0' && text[i] <= '9'))
			return false;
	}
	return len;
}

static void write_script(const struct provider_machine_spec *spec, struct zp_buf *out)
{
	zp_buf_puts(out, "#!/bin/sh\n");
	for (size_t i = 0; i < spec->env_count; i++) {
		size_t len = strcspn(spec->env[i], "=");

		/* A shell can not hold others. */
		if (!is_shell_name(spec->env[i], len))
			continue;
		zp_buf_printf(out, "export %.*s=", (int)len, spec->env[i]);
		quote(out, spec->env[i] + len + 1);
		zp_buf_char(out, '\n');
	}
	for (size_t i = 0; i < spec->arg_count; i++) {
		quote(out, spec->args[i]);
		zp_buf_char(out, ' ');
	}
	zp_buf_puts(out, "</dev/null >/dev/console 2>&1 &\n");
}

static void add_script(cJSON *json, const struct provider_machine_spec *spec)
{
	cJSON *file = cJSON_CreateObject();
	zp_autobuf text = ZP_BUF_INIT;

	write_script(spec, &text);
	cJSON_AddStringToObject(file, "path", SCRIPT);
	cJSON_AddStringToObject(file, "permissions", "0700");
	cJSON_AddStringToObject(file, "content", text.ptr);
	cJSON_AddItemToArray(cJSON_AddArrayToObject(json, "write_files"), file);
}

static void add_keys(cJSON *json, const struct provider_machine_spec *spec)
{
	const char *text = "";
	cJSON *list;

	for (size_t i = 0; i < spec->env_count; i++)
		if (strncmp(spec->env[i], KEYS, strlen(KEYS)) == 0)
			text = spec->env[i] + strlen(KEYS);
	if (!*text)
		return;
	list = cJSON_AddArrayToObject(json, "ssh_authorized_keys");
	cJSON_AddBoolToObject(json, "disable_root", false);
	while (*(text += strspn(text, "\r\n"))) {
		zp_autofree char *key = zp_strndup(text, strcspn(text, "\r\n"));

		cJSON_AddItemToArray(list, cJSON_CreateString(key));
		text += strlen(key);
	}
}

static void add_mounts(cJSON *json, const struct provider_machine_config *config)
{
	cJSON *list;

	/* An empty list is against cloud-init's schema. */
	if (!config->spec->mount_count)
		return;
	list = cJSON_AddArrayToObject(json, "mounts");
	for (size_t i = 0; i < config->spec->mount_count; i++) {
		zp_autofree char *device =
			zp_format("/dev/disk/by-id/virtio-%s", config->serials[i]);
		const char *row[] = { device, config->spec->mounts[i].path, "ext4",
			"defaults,nofail", "0", "2" };

		cJSON_AddItemToArray(list, cJSON_CreateStringArray(row, ZP_ARRAY_SIZE(row)));
	}
}

void provider_seed_user(
	const struct provider_machine_config *config, bool entrypoint, struct zp_buf *out)
{
	cJSON *json = cJSON_CreateObject();

	cJSON_AddStringToObject(json, "hostname", config->hostname);
	cJSON_AddBoolToObject(json, "ssh_deletekeys", false);
	add_keys(json, config->spec);
	add_mounts(json, config);
	if (entrypoint && config->spec->arg_count)
		add_script(json, config->spec);
	print(json, "#cloud-config\n", out);
}

/* ---- the disk ---- */

static void write_release(struct archive **disk)
{
	if (*disk)
		archive_write_free(*disk);
}

static void entry_release(struct archive_entry **entry)
{
	archive_entry_free(*entry);
}

static int add_file(
	struct archive *disk, const char *name, const struct zp_buf *text, struct zp_error *err)
{
	zp_cleanup(entry_release) struct archive_entry *entry = archive_entry_new();

	archive_entry_set_pathname(entry, name);
	archive_entry_set_size(entry, (la_int64_t)text->len);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0600);
	archive_entry_set_mtime(entry, 0, 0);
	if (archive_write_header(disk, entry) != ARCHIVE_OK ||
		archive_write_data(disk, text->ptr, text->len) != (la_ssize_t)text->len)
		return zp_error_set(err, "writing %s: %s", name, archive_error_string(disk));
	return 0;
}

static int write_disk(const char *path, const struct zp_buf *meta, const struct zp_buf *network,
	const struct zp_buf *user, struct zp_error *err)
{
	zp_cleanup(write_release) struct archive *disk = archive_write_new();

	if (!disk || archive_write_set_format_iso9660(disk) != ARCHIVE_OK ||
		archive_write_set_options(disk, "volume-id=CIDATA,!pad") != ARCHIVE_OK ||
		archive_write_open_filename(disk, path) != ARCHIVE_OK)
		return zp_error_set(err, "making %s: %s", path,
			disk ? archive_error_string(disk) : "no memory");
	if (add_file(disk, "meta-data", meta, err) < 0 ||
		add_file(disk, "network-config", network, err) < 0 ||
		add_file(disk, "user-data", user, err) < 0)
		return -1;
	if (archive_write_close(disk) != ARCHIVE_OK)
		return zp_error_set(err, "making %s: %s", path, archive_error_string(disk));
	return chmod(path, 0600) == 0 ? 0 : zp_error_errno(err, "making %s", path);
}

int provider_seed_write(const struct provider_machine_config *config, const char *uuid,
	bool entrypoint, const char *path, struct zp_error *err)
{
	zp_autofree char *fresh = zp_format("%s.new", path);
	zp_autobuf network = ZP_BUF_INIT, user = ZP_BUF_INIT, meta = ZP_BUF_INIT;
	char hash[PROVIDER_HASH_TEXT];
	cJSON *json = cJSON_CreateObject();

	provider_seed_network(config, &network);
	provider_seed_user(config, entrypoint, &user);
	provider_text_hash(zp_buf_slice(&user), hash);
	zp_autofree char *instance = zp_format("%s-%.8s", uuid, hash);
	cJSON_AddStringToObject(json, "instance-id", instance);
	cJSON_AddStringToObject(json, "local-hostname", config->hostname);
	print(json, "", &meta);
	if (write_disk(fresh, &meta, &network, &user, err) < 0)
		return zp_error_wrap(err, "the machine's seed");
	return rename(fresh, path) == 0 ? 0 : zp_error_errno(err, "renaming %s", fresh);
}

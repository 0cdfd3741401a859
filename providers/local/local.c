/*
 * The provider `local`: files on this machine. A file whose content is no longer what was written
 * counts as gone, so that the next apply writes it again.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "providers/builtin.h"
#include "providers/utility/in_process.h"

#define MAX_FILE_BYTES (256u << 20)

static struct provider_schema provider_schema;

/* --- hashes --- */

static const struct {
	const char *attribute, *algorithm;
	bool base64;
} hashes[] = {
	{ "id", "SHA1", false },
	{ "content_md5", "MD5", false },
	{ "content_sha1", "SHA1", false },
	{ "content_sha256", "SHA256", false },
	{ "content_base64sha256", "SHA256", true },
	{ "content_sha512", "SHA512", false },
	{ "content_base64sha512", "SHA512", true },
};

#define HASH_ATTRIBUTES                                                                            \
	{ .name = "id", .type = "string", .flags = PROVIDER_COMPUTED },                            \
		{ .name = "content_md5", .type = "string", .flags = PROVIDER_COMPUTED },           \
		{ .name = "content_sha1", .type = "string", .flags = PROVIDER_COMPUTED },          \
		{ .name = "content_sha256", .type = "string", .flags = PROVIDER_COMPUTED },        \
		{ .name = "content_base64sha256", .type = "string", .flags = PROVIDER_COMPUTED },  \
		{ .name = "content_sha512", .type = "string", .flags = PROVIDER_COMPUTED },        \
	{                                                                                          \
		.name = "content_base64sha512", .type = "string", .flags = PROVIDER_COMPUTED       \
	}

/* "" where the library refuses the algorithm. */
static void hash_text(const char *algorithm, bool base64, struct zp_str content, char out[129])
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	out[0] = '\0';
	if (!EVP_Digest(
		    content.ptr, content.len, digest, &len, EVP_get_digestbyname(algorithm), NULL))
		return;
	if (base64)
		sodium_bin2base64(out, 129, digest, len, sodium_base64_VARIANT_ORIGINAL);
	else
		sodium_bin2hex(out, 129, digest, len);
}

static void set_hashes(struct provider_builder *builder, struct zp_str content)
{
	char text[129];
	for (size_t i = 0; i < ZP_ARRAY_SIZE(hashes); i++) {
		hash_text(hashes[i].algorithm, hashes[i].base64, content, text);
		utility_set_text(builder, hashes[i].attribute, text);
	}
}

/* --- files as resources --- */

#define FILE_ARGUMENT(word, more)                                                                  \
	{                                                                                          \
		.name = word, .type = "string",                                                    \
		.flags = PROVIDER_OPTIONAL | PROVIDER_FORCE_NEW | (more)                           \
	}
#define FILE_PERMISSION(word, permission)                                                          \
	{                                                                                          \
		.name = word, .type = "string", .flags = PROVIDER_OPTIONAL | PROVIDER_FORCE_NEW,   \
		.default_value = permission                                                        \
	}
#define FILE_NAME                                                                                  \
	{                                                                                          \
		.name = "filename", .type = "string",                                              \
		.flags = PROVIDER_REQUIRED | PROVIDER_FORCE_NEW                                    \
	}

static struct provider_attribute file_attributes[] = {
	FILE_NAME,
	FILE_ARGUMENT("content", 0),
	FILE_ARGUMENT("content_base64", 0),
	FILE_ARGUMENT("sensitive_content", PROVIDER_SENSITIVE | PROVIDER_DEPRECATED),
	FILE_ARGUMENT("source", 0),
	FILE_PERMISSION("file_permission", "\"0777\""),
	FILE_PERMISSION("directory_permission", "\"0777\""),
	HASH_ATTRIBUTES,
};

static struct provider_schema file_schema = {
	.attributes = file_attributes,
	.attribute_count = ZP_ARRAY_SIZE(file_attributes),
};

static struct provider_attribute sensitive_attributes[] = {
	FILE_NAME,
	FILE_ARGUMENT("content", PROVIDER_SENSITIVE),
	FILE_ARGUMENT("content_base64", PROVIDER_SENSITIVE),
	FILE_ARGUMENT("source", 0),
	FILE_PERMISSION("file_permission", "\"0700\""),
	FILE_PERMISSION("directory_permission", "\"0700\""),
	HASH_ATTRIBUTES,
};

static struct provider_schema sensitive_schema = {
	.attributes = sensitive_attributes,
	.attribute_count = ZP_ARRAY_SIZE(sensitive_attributes),
};

static const char *const content_names[] = {
	"content",
	"sensitive_content",
	"content_base64",
	"source",
};

static void check_permission(
	struct provider_problems *problems, struct hcl_value config, const char *name)
{
	const char *text = provider_get_text(config, name);
	size_t len = text ? strlen(text) : 0;
	if (text && (len < 3 || len > 4 || strspn(text, "01234567") != len))
		provider_error(problems, name, "Invalid permission",
			"\"%s\" is three or four octal digits, such as \"0644\", not \"%s\".", name,
			text);
}

static void validate(struct hcl_value config, struct provider_problems *problems)
{
	size_t given = 0, unknown = 0;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(content_names); i++) {
		struct hcl_value value = provider_get(config, content_names[i]);
		given += value.state == HCL_KNOWN;
		unknown += value.state == HCL_UNKNOWN;
	}
	if (given > 1 || (!given && !unknown))
		provider_error(problems, NULL, "Invalid Attribute Combination",
			"%zu attributes specified when one (and only one) of content, "
			"content_base64, "
			"sensitive_content and source is required.",
			given);
	check_permission(problems, config, "file_permission");
	check_permission(problems, config, "directory_permission");
}

static bool decode_base64(struct zp_str text, struct zp_buf *out)
{
	size_t len = 0;
	const char *end = NULL;
	zp_buf_reserve(out, text.len + 1);
	if (sodium_base642bin((uint8_t *)out->ptr, text.len, text.ptr, text.len, "\r\n", &len, &end,
		    sodium_base64_VARIANT_ORIGINAL) != 0 ||
		end != text.ptr + text.len)
		return false;
	out->len = len;
	return true;
}

/* What the file is to hold. False after a problem. */
static bool wanted_content(struct provider_operation *op, struct zp_buf *out)
{
	zp_autoerror err = ZP_ERROR_INIT;
	struct hcl_value encoded = provider_get(op->planned, "content_base64");
	const char *source = provider_get_text(op->planned, "source");
	if (source) {
		if (zp_file_read(source, MAX_FILE_BYTES, out, &err) == 0)
			return true;
		provider_error_from(&op->problems, "source", "Create local file error", &err);
		return false;
	}
	if (encoded.state == HCL_KNOWN) {
		if (decode_base64(hcl_text(encoded), out))
			return true;
		provider_error(&op->problems, "content_base64", "Create local file error",
			"content_base64 is not base 64.");
		return false;
	}
	for (size_t i = 0; i < 2; i++) {
		struct hcl_value text = provider_get(op->planned, content_names[i]);
		if (text.state == HCL_KNOWN)
			zp_buf_str(out, hcl_text(text));
	}
	return true;
}

static mode_t permission(struct hcl_value object, const char *name)
{
	const char *text = provider_get_text(object, name);
	return (mode_t)strtol(text ? text : "0777", NULL, 8);
}

/* The permissions are those of a new file, narrowed by the process's umask; one that exists keeps
 * its. */
static int write_file(const char *path, struct zp_str content, mode_t mode, struct zp_error *err)
{
	zp_autoclose int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	if (fd < 0)
		return zp_error_errno(err, "open %s", path);
	return zp_write_all(fd, content.ptr, content.len, err);
}

static int make_folder(const char *path, mode_t mode, struct zp_error *err)
{
	const char *slash = strrchr(path, '/');
	if (!slash || slash == path)
		return 0;
	zp_autofree char *folder = zp_strndup(path, (size_t)(slash - path));
	return zp_mkdirs(folder, mode, err);
}

static void create(struct provider_operation *op, struct provider_builder *builder)
{
	zp_autoerror err = ZP_ERROR_INIT;
	zp_autobuf content = ZP_BUF_INIT;
	const char *path = provider_get_text(op->planned, "filename");
	if (!path || !wanted_content(op, &content))
		return;
	if (make_folder(path, permission(op->planned, "directory_permission"), &err) < 0 ||
		write_file(path, zp_buf_slice(&content), permission(op->planned, "file_permission"),
			&err) < 0) {
		provider_error_from(&op->problems, "filename", "Create local file error", &err);
		return;
	}
	set_hashes(builder, zp_buf_slice(&content));
}

static bool has_content(const char *path, const char *sha1)
{
	zp_autobuf content = ZP_BUF_INIT;
	char text[129];
	if (!path || !sha1 || zp_file_read(path, MAX_FILE_BYTES, &content, NULL) < 0)
		return false;
	hash_text("SHA1", false, zp_buf_slice(&content), text);
	return !strcmp(text, sha1);
}

static bool exists(struct provider_operation *op)
{
	return has_content(
		provider_get_text(op->prior, "filename"), provider_get_text(op->prior, "id"));
}

static bool recover(struct provider_operation *op, struct provider_builder *builder)
{
	zp_autobuf content = ZP_BUF_INIT;
	char text[129];
	if (!wanted_content(op, &content)) {
		provider_problems_release(&op->problems);
		return false;
	}
	hash_text("SHA1", false, zp_buf_slice(&content), text);
	if (!has_content(provider_get_text(op->planned, "filename"), text))
		return false;
	set_hashes(builder, zp_buf_slice(&content));
	return true;
}

static void remove_file(struct provider_operation *op)
{
	const char *path = provider_get_text(op->prior, "filename");
	if (!path || unlink(path) == 0 || errno == ENOENT || errno == ENOTDIR)
		return;
	zp_autoerror err = ZP_ERROR_INIT;
	zp_error_errno(&err, "remove %s", path);
	provider_error_from(&op->problems, "filename", "Delete local file error", &err);
}

static const struct utility_kind file_kind = {
	.create = create,
	.exists = exists,
	.remove = remove_file,
	.recover = recover,
};

static void run_file(
	struct provider_instance *instance, struct provider_operation *const *ops, size_t count)
{
	(void)instance;
	utility_run(&file_kind, ops, count);
}

static const struct provider_resource_type local_file = {
	.name = "local_file",
	.schema = &file_schema,
	.identity_attribute = "id",
	.validate = validate,
	.run = run_file,
};

static const struct provider_resource_type local_sensitive_file = {
	.name = "local_sensitive_file",
	.schema = &sensitive_schema,
	.identity_attribute = "id",
	.validate = validate,
	.run = run_file,
};

/* --- files as data --- */

static struct provider_attribute data_attributes[] = {
	{ .name = "filename", .type = "string", .flags = PROVIDER_REQUIRED },
	{ .name = "content", .type = "string", .flags = PROVIDER_COMPUTED },
	{ .name = "content_base64", .type = "string", .flags = PROVIDER_COMPUTED },
	HASH_ATTRIBUTES,
};

static struct provider_schema data_schema = {
	.attributes = data_attributes,
	.attribute_count = ZP_ARRAY_SIZE(data_attributes),
};

static struct provider_attribute sensitive_data_attributes[] = {
	{ .name = "filename", .type = "string", .flags = PROVIDER_REQUIRED },
	{ .name = "content", .type = "string", .flags = PROVIDER_COMPUTED | PROVIDER_SENSITIVE },
	{ .name = "content_base64",
		.type = "string",
		.flags = PROVIDER_COMPUTED | PROVIDER_SENSITIVE },
	HASH_ATTRIBUTES,
};

static struct provider_schema sensitive_data_schema = {
	.attributes = sensitive_data_attributes,
	.attribute_count = ZP_ARRAY_SIZE(sensitive_data_attributes),
};

static void read_data(struct provider_operation *op, struct provider_builder *builder)
{
	zp_autoerror err = ZP_ERROR_INIT;
	zp_autobuf content = ZP_BUF_INIT;
	const char *path = provider_get_text(op->config, "filename");
	if (zp_file_read(path ? path : "", MAX_FILE_BYTES, &content, &err) < 0) {
		provider_error_from(
			&op->problems, "filename", "Read local file data source error", &err);
		return;
	}
	size_t room = sodium_base64_encoded_len(content.len, sodium_base64_VARIANT_ORIGINAL);
	char *encoded = zp_arena_text(op->arena, room);
	sodium_bin2base64(encoded, room, (const uint8_t *)zp_buf_slice(&content).ptr, content.len,
		sodium_base64_VARIANT_ORIGINAL);
	utility_set_text(builder, "content_base64", encoded);
	provider_build_set(builder, "content", hcl_string_value(op->arena, zp_buf_slice(&content)));
	set_hashes(builder, zp_buf_slice(&content));
}

static const struct utility_kind data_kind = { .read = read_data };

static void run_data(
	struct provider_instance *instance, struct provider_operation *const *ops, size_t count)
{
	(void)instance;
	utility_run(&data_kind, ops, count);
}

static const struct provider_resource_type local_file_data = {
	.name = "local_file",
	.schema = &data_schema,
	.identity_attribute = "id",
	.in_process = true,
	.run = run_data,
};

static const struct provider_resource_type local_sensitive_file_data = {
	.name = "local_sensitive_file",
	.schema = &sensitive_data_schema,
	.identity_attribute = "id",
	.in_process = true,
	.run = run_data,
};

static const struct provider_resource_type *const resources[] = {
	&local_file,
	&local_sensitive_file,
	NULL,
};

static const struct provider_resource_type *const data_sources[] = {
	&local_file_data,
	&local_sensitive_file_data,
	NULL,
};

const struct provider provider_local = {
	.name = "local",
	.source = "registry.terraform.io/hashicorp/local",
	.version = "2.5.3",
	.schema = &provider_schema,
	.resources = resources,
	.data_sources = data_sources,
};

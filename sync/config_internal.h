/* Shared by config.c, config_stack.c and config_value.c; not for others. */
#ifndef SYNC_CONFIG_INTERNAL_H
#define SYNC_CONFIG_INTERNAL_H

#include "base/map.h"
#include "base/vec.h"
#include "hcl-lite/hcl.h"
#include "sync/config.h"

struct sync_loader {
	struct sync_config *config;
	struct hcl_evaluation evaluation;
	struct zp_diags *diags;
	ZP_VEC(, const char *) secrets, secret_names;
	struct zp_map repositories; /* by name */
	const char *folder;	    /* of the file, absolute */
	bool readable;		    /* the file is, by others */
};

/* One attribute of a body, looked up by name and read as what the function says; absent: the fallback. */
const char *sync_read_text(struct sync_loader *loader, const struct hcl_content *content,
	const char *name, const char *fallback);
/* A path, counted from the file's folder; NULL where there is none. */
const char *sync_read_path(struct sync_loader *loader, const struct hcl_content *content,
	const char *name);
/* A text that must never be shown. */
const char *sync_read_secret(struct sync_loader *loader, const struct hcl_content *content,
	const char *name);
bool sync_read_bool(struct sync_loader *loader, const struct hcl_content *content, const char *name,
	bool fallback);
int64_t sync_read_number(struct sync_loader *loader, const struct hcl_content *content,
	const char *name, int64_t fallback, int64_t least);
int64_t sync_read_duration(struct sync_loader *loader, const struct hcl_content *content,
	const char *name, int64_t fallback_ms, int64_t least_ms);
/* The index of the word among names (NULL-terminated). */
int sync_read_choice(struct sync_loader *loader, const struct hcl_content *content, const char *name,
	const char *const *names, int fallback);
/* NULL-terminated, in the arena. */
const char *const *sync_read_texts(struct sync_loader *loader, const struct hcl_content *content,
	const char *name);
/* A known object or map, or null where there is none. */
struct hcl_value sync_read_object(struct sync_loader *loader, const struct hcl_content *content,
	const char *name);
struct zp_range sync_attribute_range(const struct hcl_content *content, const char *name,
	struct zp_range otherwise);

/* The evaluation's scope: env.NAME. */
struct hcl_scope sync_scope(struct sync_loader *loader);

void sync_load_stack(struct sync_loader *loader, const struct hcl_block *block,
	struct sync_stack *stack);
/* Once all are loaded: depends_on. */
void sync_link_stack(struct sync_loader *loader, const struct hcl_block *block,
	struct sync_stack *stack);
/* What is said of a repository, in its own block or in a stack's. */
void sync_load_repository(struct sync_loader *loader, const struct hcl_block *block,
	struct sync_repository *repository);
bool sync_check_url(struct sync_loader *loader, const char *url, struct zp_range range);
/* Refuses stacks that wait for each other. */
void sync_refuse_circles(struct sync_loader *loader);

#endif

/*
 * sync.hcl: which stacks there are, where they come from, and what may be done to them without asking.
 *
 *	struct sync_config *config = sync_config_load("sync.hcl", &diags);     NULL after errors
 *	const struct sync_stack *stack = sync_config_stack(config, "net");
 *	sync_config_unref(config);
 *
 * Immutable once loaded, and counted: a run keeps the configuration it began with.
 */
#ifndef SYNC_CONFIG_H
#define SYNC_CONFIG_H

#include "base/diag.h"
#include "base/map.h"

enum sync_approve { SYNC_AUTO, SYNC_NO_DESTROY, SYNC_MANUAL };
enum sync_drift { SYNC_HEAL, SYNC_REPORT, SYNC_IGNORE };
enum sync_forge { SYNC_NO_FORGE, SYNC_GITHUB, SYNC_GITLAB, SYNC_GITEA };

struct sync_repository {
	const char *name, *url;
	const char *username, *token;			    /* https */
	const char *ssh_key, *ssh_passphrase, *known_hosts; /* ssh: paths but for the passphrase */
	const char *ca_file;				    /* https; NULL: the system's */
	bool require_signed;
	const char *allowed_signers;  /* file of ssh-keygen's form, or NULL */
	const char *allowed_gpg_keys; /* file of exported keys, or NULL */
	const char *webhook_secret;   /* NULL: no webhook is taken for it */
	enum sync_forge forge;
	const char *api_url, *status_token; /* commit statuses; NULL token: none */
	const char *project;		    /* the forge's name of it; NULL: the address tells */
	int timeout_ms;			    /* of a fetch */
};

struct sync_limits {
	int64_t destroy, change, add; /* the most that is done without asking; -1: any number */
};

struct sync_stack {
	const char *name;
	const struct sync_repository *repository;
	const char *ref;  /* branch, tag, tag pattern or commit; NULL: the repository's default branch */
	const char *path; /* of the configuration in the repository; "." */
	int64_t interval_ms;
	const char *variables;	     /* JSON object, or NULL */
	const char *const *var_files; /* paths relative to path, NULL-terminated */
	enum sync_approve approve;
	enum sync_drift drift;
	struct sync_limits limits;
	const struct sync_stack **depends_on; /* NULL-terminated */
	const char *workspace;		      /* NULL: default */
	const char *backend_type;	      /* NULL: as the configuration says */
	const char *backend_settings;	      /* lines "key = value", or NULL */
	const char *nodes;		      /* inventory, or NULL */
	int lock_timeout_ms, timeout_ms;      /* timeout of each command; 0: none */
	bool prune;
	const char *definition; /* JSON: what a change of leads to a new plan; secrets as their hash */
	struct zp_range range;
};

struct sync_config {
	struct zp_arena arena;
	struct zp_source *source;
	const char *data_dir;
	int parallel; /* stacks at work at once */
	int history;  /* runs kept per stack */
	const char *listen; /* host:port, or NULL */
	const char *token;  /* of the HTTP side, or NULL */
	int64_t max_payload;
	struct sync_repository *repositories;
	size_t repository_count;
	struct sync_stack *stacks; /* as written */
	size_t stack_count;
	struct zp_map stacks_by_name;
	const char **secrets; /* texts that must not be shown */
	size_t secret_count;
	const char **secret_names; /* environment variables they came from */
	size_t secret_name_count;
	_Atomic int references;
};

struct sync_config *sync_config_load(const char *path, struct zp_diags *diags);
struct sync_config *sync_config_ref(struct sync_config *config);
void sync_config_unref(struct sync_config *config);
const struct sync_stack *sync_config_stack(const struct sync_config *config, const char *name);
/* Whether only this machine can connect to "host:port". */
bool sync_is_loopback(const char *listen);
/* "90s", "5m", "1h30m", "500ms" in milliseconds; false for anything else, and for more than a year. */
bool sync_parse_duration(const char *text, int64_t *ms);

#endif

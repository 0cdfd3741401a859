/*
 * Which backend a working folder uses: the configuration's block, -backend-config, and the choice
 * that init noted in DATA_DIR/terraform.tfstate, in the peer's form.
 */
#ifndef CLI_BACKEND_H
#define CLI_BACKEND_H

#include "cli/run.h"

struct cli_saved_backend {
	bool present; /* a backend was chosen */
	struct state_settings settings;
	uint32_t hash; /* of the block at that time */
};

struct cli_init_options {
	struct cli_list overrides; /* -backend-config */
	bool reconfigure, migrate, force_copy, input;
};

/* False after a diagnostic when the file is damaged or names an unknown type. Release the settings.
 */
bool cli_backend_load_saved(struct cli_run *run, struct cli_saved_backend *saved);
/*
 * The block's settings, with the overrides over them, and the hash of the block alone. summary
 * names an unknown type. False after a diagnostic; the settings must be released in any case.
 */
bool cli_backend_decode(struct cli_run *run, const struct plan_backend_config *block,
	const struct cli_list *overrides, const char *summary, struct state_settings *settings,
	uint32_t *hash);
/* The settings in force, or a diagnostic that init must be run. Without any backend: those of
 * "local". */
bool cli_backend_settings(struct cli_run *run, struct state_settings *settings);
/* What init does about backends: compares, migrates, notes the choice. Diagnostics and false. */
bool cli_backend_init(struct cli_run *run, const struct cli_init_options *options);

#endif

/*
 * What commands that touch configuration, state or nodes have in common.
 *
 *	struct cli_run run;
 *	cli_run_init(&run, no_color);
 *	if (cli_run_load_config(&run) && cli_run_open_state(&run, ...)) ...
 *	return cli_run_finish(&run, status);          prints diagnostics, releases everything
 */
#ifndef CLI_RUN_H
#define CLI_RUN_H

#include "cli/options.h"
#include "cli/view.h"
#include "planner/plan.h"
#include "state/encryption.h"

struct cli_run {
	struct cli_view view;
	struct zp_diags diags;
	struct plan_config *config;
	struct plan_module_installer *installer; /* see plan_config_options; or NULL */
	const char *test_dir; /* see plan_config_options; NULL: tests are not looked at */
	struct state_backend *backend;
	struct state_encryption *encryption; /* or NULL */
	bool locked;
	struct state *state;
	struct node_inventory *inventory;
	struct node_pool *nodes;
	char *workspace;
	struct plan_input *inputs;
	size_t input_count, input_capacity;
	struct zp_arena arena; /* of inputs */
	struct zp_source **sources; /* of inputs */
	size_t source_count;
};

/* Flags that plan, apply, destroy and others share; fill defaults with cli_common_init. */
struct cli_common {
	bool no_color, lock, input, compact_warnings, json;
	int lock_timeout, parallelism;
	const char *state_path, *state_out_path, *backup_path, *nodes_path;
	struct cli_list variables; /* -var and -var-file, in order */
};

void cli_common_init(struct cli_common *common);

void cli_run_init(struct cli_run *run, bool no_color);
/* Prints what is left in diags, unlocks, frees. Gives status, or 1 where it is 0 and there were errors. */
int cli_run_finish(struct cli_run *run, int status);

/*
 * Loads and validates the configuration of the working folder; with run->test_dir, its tests as well.
 * False after diagnostics.
 */
bool cli_run_load_config(struct cli_run *run);
/* Its root module alone, for commands that need no more of it than where the state is. */
bool cli_run_load_root(struct cli_run *run);
/*
 * Selects workspace and backend (of the configuration, which may be NULL, as init chose it), without
 * locking. False after a diagnostic, such as that init must be run.
 */
bool cli_run_open_backend(struct cli_run *run, const struct cli_common *common);
/* Locks (where the common flags want it) and loads the state. operation is for the lock's info. */
bool cli_run_open_state(struct cli_run *run, const struct cli_common *common, const char *operation);
/* The inventory and the pool of connections. */
bool cli_run_open_nodes(struct cli_run *run, const char *path);
/* Collects variables: environment, terraform.tfvars, *.auto.tfvars, command line. */
bool cli_run_collect_inputs(struct cli_run *run, const struct cli_common *common);

/* Reads how state and plans are encrypted, and puts it into force. False after a diagnostic. */
bool cli_run_take_encryption(struct cli_run *run);
/* Fills run->workspace. False after a diagnostic when it is no valid name. */
bool cli_run_select_workspace(struct cli_run *run);
bool cli_workspace_name_is_valid(const char *name);
/* "default", $TF_WORKSPACE or what was selected. Heap. */
char *cli_workspace(void);
/* The data folder: $TF_DATA_DIR or ".terraform". */
const char *cli_data_dir(void);

/* 0; 1 after the first SIGINT or SIGTERM, 2 after the second. Installs the handler on first call. */
const volatile int *cli_interrupted(void);

/* Asks on the terminal; "" at the end of input. Heap. */
char *cli_ask(const char *prompt);

#endif

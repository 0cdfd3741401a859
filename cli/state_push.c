/* state pull and state push: the whole state, out and in. */
#include "base/alloc.h"
#include "base/file.h"
#include "cli/cli.h"
#include "cli/state_command.h"

#define MAX_STATE_BYTES ((size_t)8 << 30)

int cli_state_pull(int argc, char **argv)
{
	struct cli_common common;
	cli_common_init(&common);
	bool ignored = false;
	struct cli_option options[] = {
		{ "no-color", CLI_SWITCH, &common.no_color },
		{ "ignore-remote-version", CLI_SWITCH, &ignored },
	};
	struct cli_run run;
	zp_autobuf text = ZP_BUF_INIT;

	if (!cli_options_parse(options, ZP_ARRAY_SIZE(options), &argc, argv, "state pull"))
		return 1;
	if (!cli_state_begin(&run, &common, NULL))
		return cli_run_finish(&run, 1);
	if (run.state->serial || !state_is_empty(run.state))
		state_write(run.state, &text);
	zp_buf_char(&text, '\n');
	fwrite(text.ptr, 1, text.len, stdout);
	return cli_run_finish(&run, 0);
}

static struct state *read_given(struct cli_run *run, const char *path)
{
	bool from_input = strcmp(path, "-") == 0;
	zp_autobuf text = ZP_BUF_INIT;
	zp_autoerror err = ZP_ERROR_INIT;
	char block[65536];

	if (from_input) {
		for (size_t n; (n = fread(block, 1, sizeof(block), stdin)) > 0 &&
			       text.len < MAX_STATE_BYTES;)
			zp_buf_add(&text, block, n);
	} else if (zp_file_read(path, MAX_STATE_BYTES, &text, &err) < 0) {
		zp_diag_error(&run->diags, ZP_NOWHERE, "Failed to read the state to push", "%s",
			zp_error_text(&err));
		return NULL;
	}
	const char *name = from_input ? "standard input" : path;
	if (state_encryption_open(STATE_ENCRYPT_STATE, &text, name, false, &err) < 0) {
		zp_diag_error(&run->diags, ZP_NOWHERE, "Failed to read the state to push", "%s",
			zp_error_text(&err));
		return NULL;
	}
	struct state *state = text.len ? state_parse_take(&text, name, &err) : NULL;
	if (!state)
		zp_diag_error(&run->diags, ZP_NOWHERE, "Failed to read the state to push",
			"Error reading source state \"%s\": %s", name,
			text.len || err.message ? zp_error_text(&err) : "no state");
	return state;
}

/* The peer's rules of what may stand over what. */
static bool may_replace(const struct state *there, const struct state *pushed)
{
	if (!there->serial && state_is_empty(there))
		return true;
	if (*there->lineage && *pushed->lineage && strcmp(there->lineage, pushed->lineage) != 0) {
		fprintf(stderr,
			"Failed to write state: cannot import state with lineage \"%s\" over "
			"unrelated state with lineage \"%s\"\n",
			pushed->lineage, there->lineage);
		return false;
	}
	if (pushed->serial < there->serial) {
		fprintf(stderr,
			"Failed to write state: cannot import state with serial %lld over newer "
			"state with serial %lld\n",
			(long long)pushed->serial, (long long)there->serial);
		return false;
	}
	if (pushed->serial == there->serial && !state_equal(there, pushed)) {
		fprintf(stderr,
			"Failed to write state: cannot overwrite existing state with serial %lld "
			"with a different state that has the same serial\n",
			(long long)there->serial);
		return false;
	}
	return true;
}

/* As the peer does it, a file counts the push itself as a change; elsewhere the serial is the
 * pushed one's. */
static int push(struct cli_run *run, struct state *pushed, bool force)
{
	zp_autoerror err = ZP_ERROR_INIT;

	if (!force && !may_replace(run->state, pushed))
		return 1;
	if (state_equal(run->state, pushed) && run->state->serial == pushed->serial &&
		strcmp(run->state->lineage, pushed->lineage) == 0)
		return 0;
	if (run->backend->is_local && !state_equal(run->state, pushed))
		pushed->serial++;
	if (state_backend_store(run->backend, pushed, &err) == 0)
		return 0;
	zp_diag_error(&run->diags, ZP_NOWHERE, "Failed to write state", "%s", zp_error_text(&err));
	return 1;
}

int cli_state_push(int argc, char **argv)
{
	struct cli_common common;
	bool force = false, ignored = false;
	cli_common_init(&common);
	struct cli_option options[] = {
		{ "force", CLI_SWITCH, &force },
		{ "lock", CLI_SWITCH, &common.lock },
		{ "lock-timeout", CLI_DURATION, &common.lock_timeout },
		{ "ignore-remote-version", CLI_SWITCH, &ignored },
		{ "no-color", CLI_SWITCH, &common.no_color },
	};
	struct cli_run run;

	if (!cli_options_parse(options, ZP_ARRAY_SIZE(options), &argc, argv, "state push"))
		return 1;
	if (argc != 1)
		return cli_state_misused("state push", "Exactly one argument expected");
	if (!cli_state_begin(&run, &common, "state-push"))
		return cli_run_finish(&run, 1);
	struct state *pushed = read_given(&run, argv[0]);
	int status = pushed ? push(&run, pushed, force) : 1;
	state_free(pushed);
	return cli_run_finish(&run, status);
}

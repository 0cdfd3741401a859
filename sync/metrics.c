#include "sync/metrics.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/alloc.h"

static void describe(struct zp_buf *out, const char *name, const char *type, const char *help)
{
	zp_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

struct counts {
	struct zp_buf runs, seconds;
};

/* Names of stacks hold nothing that would have to be escaped. */
static void add_counter(void *data, const char *stack, const char *state, int64_t count, int64_t ms)
{
	struct counts *counts = data;

	zp_buf_printf(&counts->runs, "zplan_sync_runs_total{stack=\"%s\",state=\"%s\"} %" PRId64 "\n", stack,
		state, count);
	zp_buf_printf(&counts->seconds,
		"zplan_sync_run_duration_seconds_sum{stack=\"%s\",state=\"%s\"} %.3f\n"
		"zplan_sync_run_duration_seconds_count{stack=\"%s\",state=\"%s\"} %" PRId64 "\n",
		stack, state, (double)ms / 1000, stack, state, count);
}

static void add_stacks(const struct sync_config *config, struct sync_store *store, struct zp_buf *out)
{
	zp_autobuf drift = ZP_BUF_INIT, failures = ZP_BUF_INIT, waiting = ZP_BUF_INIT, checked = ZP_BUF_INIT;

	for (size_t i = 0; i < config->stack_count; i++) {
		const char *name = config->stacks[i].name;
		struct sync_stack_row row = { 0 };
		struct sync_run open = { 0 };
		sync_store_stack(store, name, &row, NULL);
		sync_store_open_run(store, name, &open, NULL);
		bool waits = open.state && strcmp(open.state, SYNC_WAITING) == 0;
		zp_buf_printf(&drift, "zplan_sync_drift{stack=\"%s\"} %" PRId64 "\n", name, row.drift);
		zp_buf_printf(&failures, "zplan_sync_failures{stack=\"%s\"} %" PRId64 "\n", name, row.failures);
		zp_buf_printf(&waiting, "zplan_sync_waiting{stack=\"%s\"} %d\n", name, waits);
		zp_buf_printf(&checked, "zplan_sync_checked_timestamp_seconds{stack=\"%s\"} %.3f\n", name,
			(double)row.checked_at / 1000);
		sync_stack_row_release(&row);
		sync_run_release(&open);
	}
	describe(out, "zplan_sync_drift", "gauge", "Changes made outside, as the last look found them.");
	zp_buf_str(out, zp_buf_slice(&drift));
	describe(out, "zplan_sync_failures", "gauge", "Failed runs in a row.");
	zp_buf_str(out, zp_buf_slice(&failures));
	describe(out, "zplan_sync_waiting", "gauge", "Whether a plan waits for approval.");
	zp_buf_str(out, zp_buf_slice(&waiting));
	describe(out, "zplan_sync_checked_timestamp_seconds", "gauge", "When the stack had its last turn.");
	zp_buf_str(out, zp_buf_slice(&checked));
}

void sync_metrics(const struct sync_config *config, struct sync_store *store, int running,
	struct zp_buf *out)
{
	struct counts counts = { ZP_BUF_INIT, ZP_BUF_INIT };

	sync_store_counters(store, add_counter, &counts, NULL);
	describe(out, "zplan_sync_runs_total", "counter", "Finished runs by how they ended.");
	zp_buf_str(out, zp_buf_slice(&counts.runs));
	describe(out, "zplan_sync_run_duration_seconds", "summary", "How long runs took, waiting included.");
	zp_buf_str(out, zp_buf_slice(&counts.seconds));
	zp_buf_release(&counts.runs);
	zp_buf_release(&counts.seconds);
	add_stacks(config, store, out);
	describe(out, "zplan_sync_queue", "gauge", "Stacks asked to look again.");
	zp_buf_printf(out, "zplan_sync_queue %" PRId64 "\n", sync_store_queue_length(store));
	describe(out, "zplan_sync_running", "gauge", "Stacks at work.");
	zp_buf_printf(out, "zplan_sync_running %d\n", running);
	describe(out, "zplan_sync_stacks", "gauge", "Stacks configured.");
	zp_buf_printf(out, "zplan_sync_stacks %zu\n", config->stack_count);
}

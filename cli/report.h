/*
 * What was found in a configuration, as tools that collect findings read it: SARIF 2.1.0 (code scanning),
 * JUnit's XML (test reports).
 *
 *	zp_autofree char *prefix = cli_report_prefix();
 *	cli_report_sarif(&diags, prefix, &out);
 */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include "planner/config.h"

/*
 * Where the working folder lies below the root of its repository: "infra/net/", or "" for the root itself
 * and outside of any. Names of files in reports begin with it, since readers look for them from the root.
 * Heap.
 */
char *cli_report_prefix(void);

/* One run with a result for each diagnostic and a rule for each summary. */
void cli_report_sarif(const struct zp_diags *diags, const char *prefix, struct zp_buf *out);
/*
 * One suite: a test case that fails for each error; one that passes for each file of the configuration
 * without errors. Warnings are the suite's output.
 */
void cli_report_junit(const struct zp_diags *diags, const struct plan_config *config,
	const char *prefix, struct zp_buf *out);

#endif

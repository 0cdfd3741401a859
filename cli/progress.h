/*
 * What is going on while a plan is made or carried out, a line at a time.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "cli/view.h"
#include "planner/plan.h"

struct cli_progress {
	struct plan_hooks hooks;
	const struct cli_view *view;
	bool json; /* events go to the stream for machines */
	size_t added, changed, destroyed, imported;
};

/* What an event is said with, without the address; nothing for events that are not said. */
void cli_progress_words(const struct plan_event *event, struct zp_buf *out);

void cli_progress_init(struct cli_progress *progress, const struct cli_view *view);

#endif

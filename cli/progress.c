#include "cli/progress.h"

#include <stdio.h>

#include "cli/stream.h"

static const struct {
	const char *start, *still, *done;
} words[] = {
	[PLAN_CREATE] = { "Creating...", "Still creating...", "Creation complete after" },
	[PLAN_READ] = { "Reading...", "Still reading...", "Read complete after" },
	[PLAN_UPDATE] = { "Modifying...", "Still modifying...", "Modifications complete after" },
	[PLAN_DELETE] = { "Destroying...", "Still destroying...", "Destruction complete after" },
	[PLAN_FORGET] = { "Forgetting...", "Still forgetting...", "Forgotten after" },
};

static void add_duration(struct zp_buf *out, double seconds)
{
	unsigned whole = (unsigned)seconds;

	if (whole >= 3600)
		zp_buf_printf(out, "%uh", whole / 3600);
	if (whole >= 60)
		zp_buf_printf(out, "%um", whole / 60 % 60);
	zp_buf_printf(out, "%us", whole % 60);
}

static void add_id(struct zp_buf *out, const struct plan_event *event)
{
	if (event->id_key && event->id_value)
		zp_buf_printf(out, " [%s=%s]", event->id_key, event->id_value);
}

static void count(struct cli_progress *progress, enum plan_action action)
{
	progress->added += action == PLAN_CREATE;
	progress->changed += action == PLAN_UPDATE;
	progress->destroyed += action == PLAN_DELETE;
}

void cli_progress_words(const struct plan_event *event, struct zp_buf *out)
{
	bool deleting = event->action == PLAN_DELETE;
	enum plan_action action = event->action;

	if (action >= ZP_ARRAY_SIZE(words) || !words[action].start)
		action = PLAN_UPDATE;
	switch (event->kind) {
	case PLAN_EVENT_REFRESH_START:
		zp_buf_puts(out, "Refreshing state...");
		add_id(out, event);
		break;
	case PLAN_EVENT_READ_START:
		zp_buf_puts(out, "Reading...");
		break;
	case PLAN_EVENT_READ_COMPLETE:
		zp_buf_puts(out, "Read complete after ");
		add_duration(out, event->elapsed);
		add_id(out, event);
		break;
	case PLAN_EVENT_IMPORT_START:
		zp_buf_puts(out, "Preparing import...");
		add_id(out, event);
		break;
	case PLAN_EVENT_IMPORTING:
		zp_buf_puts(out, "Importing...");
		add_id(out, event);
		break;
	case PLAN_EVENT_IMPORTED:
		zp_buf_puts(out, "Import complete");
		add_id(out, event);
		break;
	case PLAN_EVENT_APPLY_START:
		zp_buf_puts(out, words[action].start);
		if (action != PLAN_CREATE)
			add_id(out, event);
		break;
	case PLAN_EVENT_APPLY_PROGRESS:
		zp_buf_printf(out, "%s [", words[action].still);
		if (event->id_key && event->id_value)
			zp_buf_printf(out, "%s=%s, ", event->id_key, event->id_value);
		add_duration(out, event->elapsed);
		zp_buf_puts(out, " elapsed]");
		if (event->text)
			zp_buf_printf(out, " %s", event->text);
		break;
	case PLAN_EVENT_APPLY_COMPLETE:
		zp_buf_printf(out, "%s ", words[action].done);
		add_duration(out, event->elapsed);
		if (!deleting)
			add_id(out, event);
		break;
	case PLAN_EVENT_PROVISION_START:
		zp_buf_printf(out, "Provisioning with '%s'...", event->text);
		break;
	case PLAN_EVENT_PROVISION_OUTPUT:
	case PLAN_EVENT_RECOVERED:
	case PLAN_EVENT_MESSAGE:
		zp_buf_puts(out, event->text ? event->text : "");
		break;
	case PLAN_EVENT_APPLY_ERROR:
		zp_buf_printf(out, "%s errored after ", event->action == PLAN_CREATE ? "Creation" :
			event->action == PLAN_DELETE ? "Destruction" : "Modification");
		add_duration(out, event->elapsed);
		break;
	case PLAN_EVENT_REFRESH_COMPLETE:
	case PLAN_EVENT_PROVISION_COMPLETE:
	case PLAN_EVENT_PROVISION_ERROR:
		break;
	}
}

static void on_event(struct plan_hooks *hooks, const struct plan_event *event)
{
	struct cli_progress *progress = (struct cli_progress *)hooks;
	zp_autobuf text = ZP_BUF_INIT;

	progress->imported += event->kind == PLAN_EVENT_IMPORTED;
	if (event->kind == PLAN_EVENT_APPLY_COMPLETE)
		count(progress, event->action);
	if (progress->json) {
		cli_stream_event(event);
		return;
	}
	cli_progress_words(event, &text);
	/* The error itself is shown at the end. */
	if (event->kind == PLAN_EVENT_APPLY_ERROR)
		return;
	if (!text.len && event->kind != PLAN_EVENT_PROVISION_OUTPUT)
		return;
	const struct cli_view *view = progress->view;
	if (event->kind == PLAN_EVENT_PROVISION_OUTPUT) {
		printf("%s%s (%s):%s %s\n", cli_style(view, CLI_BOLD), event->address,
			event->provisioner, cli_style(view, CLI_RESET), text.ptr ? text.ptr : "");
		return;
	}
	printf("%s%s%s%s%s\n", cli_style(view, CLI_BOLD), event->address ? event->address : "",
		event->address ? ": " : "", text.ptr, cli_style(view, CLI_RESET));
}

static void on_flush(struct plan_hooks *hooks)
{
	(void)hooks;
	fflush(stdout);
}

void cli_progress_init(struct cli_progress *progress, const struct cli_view *view)
{
	*progress = (struct cli_progress){ .hooks = { on_event, on_flush }, .view = view };
}

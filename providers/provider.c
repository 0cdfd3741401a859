#include "providers/provider.h"

#include <stdlib.h>

#include "base/intern.h"
#include "base/vec.h"

static void add_problem(struct provider_problems *problems, enum zp_severity severity,
	const char *attribute, const char *summary, char *detail)
{
	struct provider_problem *problem = zp_vec_add(problems);
	problem->severity = severity;
	problem->summary = zp_strdup(summary);
	problem->detail = detail;
	if (severity == ZP_SEVERITY_ERROR)
		problems->errors++;
	if (!attribute)
		return;
	problem->path.steps = zp_calloc(1, sizeof(*problem->path.steps));
	problem->path.steps[0].name = zp_intern_cstr(attribute);
	problem->path.count = 1;
}

void provider_error(struct provider_problems *problems, const char *attribute, const char *summary,
	const char *detail_fmt, ...)
{
	va_list ap;
	va_start(ap, detail_fmt);
	add_problem(problems, ZP_SEVERITY_ERROR, attribute, summary, zp_vformat(detail_fmt, ap));
	va_end(ap);
}

void provider_warning(struct provider_problems *problems, const char *attribute,
	const char *summary, const char *detail_fmt, ...)
{
	va_list ap;
	va_start(ap, detail_fmt);
	add_problem(problems, ZP_SEVERITY_WARNING, attribute, summary, zp_vformat(detail_fmt, ap));
	va_end(ap);
}

void provider_error_from(struct provider_problems *problems, const char *attribute,
	const char *summary, struct zp_error *err)
{
	char *detail = err->message ? zp_steal(err->message) : zp_strdup("");
	zp_error_clear(err);
	add_problem(problems, ZP_SEVERITY_ERROR, attribute, summary, detail);
}

void provider_problems_release(struct provider_problems *problems)
{
	for (size_t i = 0; i < problems->count; i++) {
		free(problems->items[i].summary);
		free(problems->items[i].detail);
		free(problems->items[i].path.steps);
	}
	zp_vec_release(problems);
	problems->errors = 0;
}

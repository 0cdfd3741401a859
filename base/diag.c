#include "base/diag.h"

#include "base/alloc.h"

struct zp_diag_owned {
	void (*release)(void *object);
	void *object;
	struct zp_diag_owned *next;
};

void zp_diags_init(struct zp_diags *diags)
{
	*diags = (struct zp_diags){ 0 };
	zp_arena_init(&diags->arena);
	pthread_mutex_init(&diags->lock, NULL);
}

void zp_diags_release(struct zp_diags *diags)
{
	for (struct zp_diag_owned *owned = diags->owned; owned; owned = owned->next)
		owned->release(owned->object);
	free(diags->items);
	zp_arena_release(&diags->arena);
	pthread_mutex_destroy(&diags->lock);
	*diags = (struct zp_diags){ 0 };
}

static void count(struct zp_diags *diags, const struct zp_diag *diag, int by)
{
	if (diag->severity == ZP_SEVERITY_ERROR)
		diags->errors += (size_t)by;
	else
		diags->warnings += (size_t)by;
}

/* Under the lock. */
static void append(struct zp_diags *diags, struct zp_diag *diag)
{
	if (diags->count == diags->capacity) {
		diags->capacity = diags->capacity ? diags->capacity * 2 : 8;
		diags->items =
			zp_reallocarray(diags->items, diags->capacity, sizeof(*diags->items));
	}
	diags->items[diags->count++] = diag;
	count(diags, diag, 1);
}

void zp_diags_truncate(struct zp_diags *diags, size_t keep)
{
	pthread_mutex_lock(&diags->lock);
	while (diags->count > keep)
		count(diags, diags->items[--diags->count], -1);
	pthread_mutex_unlock(&diags->lock);
}

static struct zp_diag *add(struct zp_diags *diags, enum zp_severity severity,
	struct zp_range subject, const char *summary, const char *fmt, va_list ap)
{
	pthread_mutex_lock(&diags->lock);
	struct zp_diag *diag = zp_new(&diags->arena, struct zp_diag);
	diag->severity = severity;
	diag->subject = subject;
	diag->summary = zp_arena_strdup(&diags->arena, summary);
	diag->detail = zp_arena_vformat(&diags->arena, fmt, ap);
	append(diags, diag);
	pthread_mutex_unlock(&diags->lock);
	return diag;
}

struct zp_diag *zp_diag_error(struct zp_diags *diags, struct zp_range subject, const char *summary,
	const char *detail_fmt, ...)
{
	va_list ap;
	va_start(ap, detail_fmt);
	struct zp_diag *diag = add(diags, ZP_SEVERITY_ERROR, subject, summary, detail_fmt, ap);
	va_end(ap);
	return diag;
}

struct zp_diag *zp_diag_warning(struct zp_diags *diags, struct zp_range subject,
	const char *summary, const char *detail_fmt, ...)
{
	va_list ap;
	va_start(ap, detail_fmt);
	struct zp_diag *diag = add(diags, ZP_SEVERITY_WARNING, subject, summary, detail_fmt, ap);
	va_end(ap);
	return diag;
}

static const char *copy_text(struct zp_arena *arena, const char *text)
{
	return text ? zp_arena_strdup(arena, text) : NULL;
}

void zp_diag_set_address(struct zp_diags *diags, struct zp_diag *diag, const char *address)
{
	pthread_mutex_lock(&diags->lock);
	diag->address = copy_text(&diags->arena, address);
	pthread_mutex_unlock(&diags->lock);
}

void zp_diags_copy(struct zp_diags *diags, const struct zp_diag *from)
{
	pthread_mutex_lock(&diags->lock);
	struct zp_arena *arena = &diags->arena;
	struct zp_diag *diag = zp_new(arena, struct zp_diag);
	*diag = *from;
	diag->summary = copy_text(arena, from->summary);
	diag->detail = copy_text(arena, from->detail);
	diag->address = copy_text(arena, from->address);
	diag->snippet_context = copy_text(arena, from->snippet_context);
	diag->function = copy_text(arena, from->function);
	struct zp_diag_value *values = zp_new_array(arena, struct zp_diag_value, from->value_count);
	for (size_t i = 0; i < from->value_count; i++) {
		values[i].traversal = copy_text(arena, from->values[i].traversal);
		values[i].statement = copy_text(arena, from->values[i].statement);
	}
	diag->values = values;
	append(diags, diag);
	pthread_mutex_unlock(&diags->lock);
}

static int by_place(const struct zp_diag *a, const struct zp_diag *b)
{
	if (a->severity != b->severity)
		return a->severity == ZP_SEVERITY_WARNING ? -1 : 1;
	if (!a->subject.file || !b->subject.file)
		return (a->subject.file != NULL) - (b->subject.file != NULL);
	if (a->subject.file != b->subject.file) {
		int order = strcmp(a->subject.file->name, b->subject.file->name);
		if (order)
			return order;
	}
	if (a->subject.start != b->subject.start)
		return a->subject.start < b->subject.start ? -1 : 1;
	return (a->subject.end > b->subject.end) - (a->subject.end < b->subject.end);
}

struct ranked {
	struct zp_diag *diag;
	size_t number;
};

static int by_rank(const void *x, const void *y)
{
	const struct ranked *a = x, *b = y;
	int order = by_place(a->diag, b->diag);

	return order ? order : (a->number > b->number) - (a->number < b->number);
}

void zp_diags_sort(struct zp_diags *diags)
{
	pthread_mutex_lock(&diags->lock);
	struct ranked *ranked = zp_calloc(diags->count + 1, sizeof(*ranked));
	for (size_t i = 0; i < diags->count; i++)
		ranked[i] = (struct ranked){ diags->items[i], i };
	qsort(ranked, diags->count, sizeof(*ranked), by_rank);
	for (size_t i = 0; i < diags->count; i++)
		diags->items[i] = ranked[i].diag;
	free(ranked);
	pthread_mutex_unlock(&diags->lock);
}

void zp_diags_move(struct zp_diags *diags, struct zp_diags *from)
{
	for (size_t i = 0; i < from->count; i++)
		zp_diags_copy(diags, from->items[i]);
	zp_diags_truncate(from, 0);
}

void zp_diag_in(struct zp_diags *diags, struct zp_diag *diag, struct zp_str context)
{
	pthread_mutex_lock(&diags->lock);
	diag->snippet_context = zp_arena_strndup(&diags->arena, context.ptr, context.len);
	pthread_mutex_unlock(&diags->lock);
}

void zp_diag_about(struct zp_diags *diags, struct zp_diag *diag, const char *address)
{
	if (!address)
		return;
	pthread_mutex_lock(&diags->lock);
	diag->address = zp_arena_strdup(&diags->arena, address);
	pthread_mutex_unlock(&diags->lock);
}

void zp_diags_own(struct zp_diags *diags, void (*release)(void *object), void *object)
{
	pthread_mutex_lock(&diags->lock);
	struct zp_diag_owned *owned = zp_new(&diags->arena, struct zp_diag_owned);
	*owned = (struct zp_diag_owned){ release, object, diags->owned };
	diags->owned = owned;
	pthread_mutex_unlock(&diags->lock);
}

#include "base/intern.h"
#include "base/vec.h"
#include "cli/render_internal.h"

/* Cells of the table for the longest common subsequence; beyond, lists are compared by position. */
#define MAX_COMPARISONS 4000000u

static void difference(struct cli_render *render, struct hcl_value before, struct hcl_value after,
	unsigned depth);

/* What happened to a part; NULL where it is not there. */
static enum plan_action action_of(const struct hcl_value *before, const struct hcl_value *after)
{
	if (!before)
		return PLAN_CREATE;
	if (!after)
		return PLAN_DELETE;
	return hcl_value_identical(*before, *after) ? PLAN_NO_OP : PLAN_UPDATE;
}

static void part(struct cli_render *render, const struct hcl_value *before,
	const struct hcl_value *after, enum plan_action action, unsigned depth)
{
	if (action == PLAN_UPDATE)
		difference(render, *before, *after, depth);
	else
		cli_render_plain(render, action == PLAN_DELETE ? *before : *after, action, depth);
}

static void hidden(struct cli_render *render, size_t count, const char *noun, unsigned depth)
{
	if (!count)
		return;
	cli_render_indent(render, depth);
	zp_buf_printf(render->out, "%s# (%zu unchanged %s%s hidden)%s\n",
		cli_style(render->view, CLI_GREY), count, noun, count == 1 ? "" : "s",
		cli_style(render->view, CLI_RESET));
}

static void arrow(struct cli_render *render)
{
	zp_buf_printf(render->out, " %s->%s ", cli_style(render->view, CLI_YELLOW),
		cli_style(render->view, CLI_RESET));
}

/* Lists: a script of kept, removed, added and changed elements. */
struct edit {
	enum plan_action action;
	uint32_t before, after;
};

ZP_VEC(edit_vec, struct edit);

struct sequences {
	const struct hcl_value *before, *after;
	uint32_t before_count, after_count;
};

static void by_position(const struct sequences *s, struct edit_vec *script)
{
	uint32_t longer = s->before_count > s->after_count ? s->before_count : s->after_count;

	for (uint32_t i = 0; i < longer; i++) {
		struct edit edit = { .before = i, .after = i };
		edit.action = action_of(i < s->before_count ? &s->before[i] : NULL,
			i < s->after_count ? &s->after[i] : NULL);
		zp_vec_push(script, edit);
	}
}

/* table[i][j]: length of the longest common subsequence of what follows i and j. */
static uint32_t *common_table(const struct sequences *s)
{
	size_t columns = (size_t)s->after_count + 1;
	uint32_t *table = zp_calloc(((size_t)s->before_count + 1) * columns, sizeof(*table));

	for (size_t i = s->before_count; i-- > 0;)
		for (size_t j = s->after_count; j-- > 0;) {
			uint32_t down = table[(i + 1) * columns + j], right = table[i * columns + j + 1];
			if (hcl_value_identical(s->before[i], s->after[j]))
				table[i * columns + j] = table[(i + 1) * columns + j + 1] + 1;
			else
				table[i * columns + j] = down > right ? down : right;
		}
	return table;
}

static bool is_mapping(struct hcl_value value)
{
	return value.state == HCL_KNOWN &&
		(value.type->kind == HCL_OBJECT || value.type->kind == HCL_MAP);
}

static void by_subsequence(const struct sequences *s, struct edit_vec *script)
{
	uint32_t *table = common_table(s), i = 0, j = 0;
	size_t columns = (size_t)s->after_count + 1;

	while (i < s->before_count || j < s->after_count) {
		struct edit edit = { PLAN_NO_OP, i, j };
		bool more_before = i < s->before_count, more_after = j < s->after_count;
		uint32_t here = more_before && more_after ? table[i * columns + j] : 0;
		if (more_before && more_after && hcl_value_identical(s->before[i], s->after[j])) {
			i++;
			j++;
		} else if (more_before && more_after && is_mapping(s->before[i]) &&
			is_mapping(s->after[j]) && table[(i + 1) * columns + j + 1] == here) {
			edit.action = PLAN_UPDATE;
			i++;
			j++;
		} else if (more_before && (!more_after || table[(i + 1) * columns + j] == here)) {
			edit.action = PLAN_DELETE;
			i++;
		} else {
			edit.action = PLAN_CREATE;
			j++;
		}
		zp_vec_push(script, edit);
	}
	free(table);
}

/* An unchanged element is shown where a changed one stands beside it. */
static bool is_shown(const struct edit_vec *script, size_t i, bool with_context)
{
	if (script->items[i].action != PLAN_NO_OP)
		return true;
	return with_context &&
		((i > 0 && script->items[i - 1].action != PLAN_NO_OP) ||
			(i + 1 < script->count && script->items[i + 1].action != PLAN_NO_OP));
}

static void print_script(struct cli_render *render, const struct sequences *s,
	const struct edit_vec *script, bool with_context, unsigned depth)
{
	size_t skipped = 0;

	zp_buf_puts(render->out, "[\n");
	for (size_t i = 0; i < script->count; i++) {
		const struct edit *edit = &script->items[i];
		if (!is_shown(script, i, with_context)) {
			skipped++;
			continue;
		}
		if (with_context) {
			hidden(render, skipped, "element", depth + 1);
			skipped = 0;
		}
		cli_render_symbol(render, edit->action, depth + 1);
		part(render, &s->before[edit->before], &s->after[edit->after], edit->action, depth + 1);
		zp_buf_puts(render->out, ",\n");
	}
	hidden(render, skipped, "element", depth + 1);
	cli_render_indent(render, depth);
	zp_buf_char(render->out, ']');
}

static void sequence_difference(struct cli_render *render, struct hcl_value before,
	struct hcl_value after, unsigned depth)
{
	struct sequences s = { before.elements, after.elements, before.count, after.count };
	bool tuples = before.type->kind == HCL_TUPLE && after.type->kind == HCL_TUPLE;
	struct edit_vec script = { 0 };

	if ((tuples && before.count == after.count) ||
		(uint64_t)before.count * after.count > MAX_COMPARISONS)
		by_position(&s, &script);
	else
		by_subsequence(&s, &script);
	print_script(render, &s, &script, before.type->kind != HCL_SET, depth);
	zp_vec_release(&script);
}

/* Maps and objects: the union of their keys, in order. */
struct member {
	struct zp_str key;
	const struct hcl_value *before, *after;
	enum plan_action action;
};

ZP_VEC(member_vec, struct member);

static struct zp_str member_key(struct hcl_value value, uint32_t i)
{
	return value.type->kind == HCL_MAP ? value.entries[i].key :
					     zp_str(value.type->attributes[i].name);
}

static const struct hcl_value *member_value(struct hcl_value value, uint32_t i)
{
	return value.type->kind == HCL_MAP ? &value.entries[i].value : &value.elements[i];
}

static void merge_members(struct hcl_value before, struct hcl_value after, struct member_vec *out)
{
	uint32_t i = 0, j = 0;

	while (i < before.count || j < after.count) {
		int order = i == before.count ? 1 :
			j == after.count      ? -1 :
			      zp_str_compare(member_key(before, i), member_key(after, j));
		struct member member = { 0 };
		if (order <= 0) {
			member.key = member_key(before, i);
			member.before = member_value(before, i++);
		}
		if (order >= 0) {
			member.key = member_key(after, j);
			member.after = member_value(after, j++);
		}
		member.action = action_of(member.before, member.after);
		zp_vec_push(out, member);
	}
}

static void mapping_difference(struct cli_render *render, struct hcl_value before,
	struct hcl_value after, unsigned depth)
{
	bool quoted = !render->open &&
		(before.type->kind == HCL_MAP || after.type->kind == HCL_MAP);
	struct member_vec members = { 0 };
	size_t width = 0, skipped = 0;

	merge_members(before, after, &members);
	for (size_t i = 0; i < members.count; i++) {
		size_t w = cli_render_key_width(members.items[i].key, quoted);
		width = w > width ? w : width;
	}
	zp_buf_puts(render->out, "{\n");
	for (size_t i = 0; i < members.count; i++) {
		const struct member *member = &members.items[i];
		if (member->action == PLAN_NO_OP) {
			skipped++;
			continue;
		}
		cli_render_symbol(render, member->action, depth + 1);
		cli_render_key(render, member->key, quoted, width);
		part(render, member->before, member->after, member->action, depth + 1);
		zp_buf_char(render->out, '\n');
	}
	hidden(render, skipped, quoted ? "element" : "attribute", depth + 1);
	cli_render_indent(render, depth);
	zp_buf_char(render->out, '}');
	zp_vec_release(&members);
}

/* Text of several lines: its lines as a list. */
static struct hcl_value split_lines(struct cli_render *render, struct hcl_value text)
{
	ZP_VEC(, struct hcl_value) lines = { 0 };
	const char *p = text.text, *end = p + text.count;

	while (p < end) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		size_t n = newline ? (size_t)(newline - p) : (size_t)(end - p);
		zp_vec_push(&lines, hcl_string_value(render->scratch, zp_strn(p, n)));
		p += n + (newline != NULL);
	}
	struct hcl_value *elements = zp_vec_to_arena(&lines, render->scratch);
	struct hcl_value list = hcl_list_value(hcl_string, elements, lines.count);
	zp_vec_release(&lines);
	return list;
}

static void text_difference(struct cli_render *render, struct hcl_value before,
	struct hcl_value after, unsigned depth)
{
	struct hcl_value a = split_lines(render, before), b = split_lines(render, after);
	struct sequences s = { a.elements, b.elements, a.count, b.count };
	struct edit_vec script = { 0 };

	if ((uint64_t)a.count * b.count > MAX_COMPARISONS)
		by_position(&s, &script);
	else
		by_subsequence(&s, &script);
	zp_buf_puts(render->out, "<<-EOT\n");
	for (size_t i = 0; i < script.count; i++) {
		const struct edit *edit = &script.items[i];
		if (edit->action == PLAN_DELETE || edit->action == PLAN_UPDATE)
			cli_render_line(render, hcl_text(a.elements[edit->before]), PLAN_DELETE,
				depth + 1);
		if (edit->action != PLAN_DELETE)
			cli_render_line(render, hcl_text(b.elements[edit->after]),
				edit->action == PLAN_NO_OP ? PLAN_NO_OP : PLAN_CREATE, depth + 1);
	}
	cli_render_indent(render, depth);
	zp_buf_puts(render->out, "EOT");
	zp_vec_release(&script);
}

static void difference(struct cli_render *render, struct hcl_value before, struct hcl_value after,
	unsigned depth)
{
	bool known = before.state == HCL_KNOWN && after.state == HCL_KNOWN;
	bool sensitive = (before.marks | after.marks) & HCL_SENSITIVE;

	if (sensitive)
		zp_buf_puts(render->out, "(sensitive value)");
	else if (known && is_mapping(before) && is_mapping(after))
		mapping_difference(render, before, after, depth);
	else if (known && hcl_type_is_sequence(before.type) && hcl_type_is_sequence(after.type))
		sequence_difference(render, before, after, depth);
	else if (known && before.type == hcl_string && after.type == hcl_string &&
		(cli_render_is_heredoc(before) || cli_render_is_heredoc(after)))
		text_difference(render, before, after, depth);
	else {
		cli_render_plain(render, before, PLAN_DELETE, depth);
		arrow(render);
		cli_render_plain(render, after, PLAN_CREATE, depth);
	}
}

static bool forces_replacement(const struct cli_render *render, const char *name)
{
	/* Of what may be of any type the peer does not say it. */
	for (size_t i = 0; i < render->replace_count && !render->open; i++)
		if (render->replace[i].count && render->replace[i].steps[0].name &&
			strcmp(render->replace[i].steps[0].name, name) == 0)
			return true;
	return false;
}

/* Appends the remark to the end of the line that begins at start: the value may span several. */
static void remark_replacement(struct cli_render *render, size_t start)
{
	struct zp_buf *out = render->out;
	const char *newline = memchr(out->ptr + start, '\n', out->len - start);
	size_t at = newline ? (size_t)(newline - out->ptr) : out->len;
	zp_autofree char *rest = zp_strndup(out->ptr + at, out->len - at);

	out->len = at;
	zp_buf_printf(out, " %s# forces replacement%s%s", cli_style(render->view, CLI_RED),
		cli_style(render->view, CLI_RESET), rest);
}

/* One attribute of an object by its schema: null is "not there". */
static enum plan_action attribute_action(struct hcl_value before, struct hcl_value after,
	enum plan_action whole)
{
	if (whole == PLAN_NO_OP)
		return PLAN_NO_OP;
	if (hcl_is_null(before))
		return PLAN_CREATE;
	if (hcl_is_null(after))
		return PLAN_DELETE;
	return hcl_value_identical(before, after) ? PLAN_NO_OP : PLAN_UPDATE;
}

/* What people know an object by is shown even where it did not change. */
static bool is_always_shown(const char *name)
{
	return strcmp(name, "id") == 0 || strcmp(name, "name") == 0 || strcmp(name, "tags") == 0;
}

static void value_line(struct cli_render *render, const char *name, size_t width,
	struct hcl_value before, struct hcl_value after, enum plan_action action, unsigned depth)
{
	cli_render_symbol(render, action, depth);
	size_t start = render->out->len;
	cli_render_key(render, zp_str(name), false, width);
	if (action == PLAN_UPDATE)
		difference(render, before, after, depth);
	else
		cli_render_plain(render, action == PLAN_DELETE ? before : after, action, depth);
	if (action == PLAN_DELETE && !render->plain)
		zp_buf_printf(render->out, " %s-> null%s", cli_style(render->view, CLI_GREY),
			cli_style(render->view, CLI_RESET));
	if (action != PLAN_NO_OP && forces_replacement(render, name))
		remark_replacement(render, start);
	zp_buf_char(render->out, '\n');
}

static void block_body(struct cli_render *render, const struct provider_block *block,
	struct hcl_value before, struct hcl_value after, enum plan_action action, unsigned depth)
{
	zp_buf_char(render->out, '\n');
	cli_render_symbol(render, action, depth);
	zp_buf_printf(render->out, "%s {\n", block->name);
	cli_render_object(render, block->schema, before, after, action, depth + 1);
	cli_render_indent(render, depth);
	zp_buf_puts(render->out, "}\n");
}

static uint32_t block_count(struct hcl_value value)
{
	if (value.state != HCL_KNOWN)
		return 0;
	return value.type->kind == HCL_OBJECT ? 1 : value.count;
}

static struct hcl_value block_at(struct hcl_value value, uint32_t i, const struct provider_block *block)
{
	if (i >= block_count(value))
		return hcl_null(block->schema->type);
	if (value.type->kind == HCL_OBJECT)
		return value;
	return value.type->kind == HCL_MAP ? value.entries[i].value : value.elements[i];
}

/* Gives the number of blocks that did not change and are not shown. */
static size_t blocks(struct cli_render *render, const struct provider_block *block,
	struct hcl_value before, struct hcl_value after, enum plan_action whole, unsigned depth)
{
	uint32_t old = block_count(before), new = block_count(after);
	size_t unchanged = 0;

	if (hcl_is_unknown(after)) {
		zp_buf_char(render->out, '\n');
		cli_render_symbol(render, PLAN_CREATE, depth);
		zp_buf_printf(render->out, "%s (known after apply)\n", block->name);
	}
	for (uint32_t i = 0; i < (old > new ? old : new); i++) {
		struct hcl_value a = block_at(before, i, block), b = block_at(after, i, block);
		enum plan_action action = whole == PLAN_NO_OP ? PLAN_NO_OP :
			i >= old				      ? PLAN_CREATE :
			i >= new				      ? PLAN_DELETE :
			hcl_value_identical(a, b)		      ? PLAN_NO_OP :
									PLAN_UPDATE;
		if (action == PLAN_NO_OP && whole != PLAN_NO_OP)
			unchanged++;
		else
			block_body(render, block, a, b, action, depth);
	}
	return unchanged;
}

static struct hcl_value slot_of(struct hcl_value object, uint32_t slot)
{
	return object.state == HCL_KNOWN ? object.elements[slot] :
		object.state == HCL_UNKNOWN ? hcl_unknown(object.type->attributes[slot].type) :
					      hcl_null(object.type->attributes[slot].type);
}

struct shown {
	struct hcl_value before, after;
	enum plan_action action;
	bool visible;
};

static int by_name(const void *a, const void *b)
{
	return strcmp((*(const struct provider_attribute *const *)a)->name,
		(*(const struct provider_attribute *const *)b)->name);
}

static size_t attributes(struct cli_render *render, const struct provider_schema *schema,
	struct hcl_value before, struct hcl_value after, enum plan_action whole, unsigned depth)
{
	size_t n = schema->attribute_count, width = 0, skipped = 0;
	const struct provider_attribute **order = zp_calloc(n, sizeof(*order));
	struct shown *shown = zp_calloc(n, sizeof(*shown));

	for (size_t i = 0; i < n; i++)
		order[i] = &schema->attributes[i];
	qsort(order, n, sizeof(*order), by_name);
	for (size_t i = 0; i < n; i++) {
		uint32_t slot = schema->attribute_slots[order[i] - schema->attributes];
		shown[i].before = slot_of(before, slot);
		shown[i].after = slot_of(after, slot);
		shown[i].action = attribute_action(shown[i].before, shown[i].after, whole);
		bool absent = hcl_is_null(shown[i].before) && hcl_is_null(shown[i].after);
		shown[i].visible = !absent && (shown[i].action != PLAN_NO_OP ||
			whole == PLAN_NO_OP || (is_always_shown(order[i]->name) && depth == 1));
		skipped += !absent && !shown[i].visible;
		if (!absent && strlen(order[i]->name) > width)
			width = strlen(order[i]->name);
	}
	for (size_t i = 0; i < n; i++)
		if (shown[i].visible) {
			render->open = order[i]->value_type->kind == HCL_DYNAMIC;
			value_line(render, order[i]->name, width, shown[i].before, shown[i].after,
				shown[i].action, depth);
		}
	render->open = false;
	free(order);
	free(shown);
	return skipped;
}

void cli_render_object(struct cli_render *render, const struct provider_schema *schema,
	struct hcl_value before, struct hcl_value after, enum plan_action action, unsigned depth)
{
	size_t unchanged = 0;

	hidden(render, attributes(render, schema, before, after, action, depth), "attribute", depth);
	for (size_t i = 0; i < schema->block_count; i++)
		unchanged += blocks(render, &schema->blocks[i],
			slot_of(before, schema->block_slots[i]),
			slot_of(after, schema->block_slots[i]), action, depth);
	if (unchanged)
		zp_buf_char(render->out, '\n');
	hidden(render, unchanged, "block", depth);
}

void cli_render_named(struct cli_render *render, const char *name, size_t width,
	struct hcl_value before, struct hcl_value after, unsigned depth)
{
	enum plan_action action = render->plain ? PLAN_NO_OP :
		hcl_is_null(before)		 ? PLAN_CREATE :
		hcl_is_null(after)		 ? PLAN_DELETE :
						   PLAN_UPDATE;

	render->open = true;
	value_line(render, name, width, before, after, action, depth);
	render->open = false;
}

/*
 * csvdecode: RFC 4180, strict about quotes.
 */
#include "base/alloc.h"
#include "base/vec.h"
#include "hcl-lite/function.h"

ZP_VEC(values, struct hcl_value);
ZP_VEC(names, const char *);

struct reader {
	struct hcl_call *call;
	struct zp_str text;
	size_t at;
	unsigned line;	      /* of the place read */
	unsigned record_line; /* of the start of the record */
};

static int here(const struct reader *r)
{
	return r->at < r->text.len ? (unsigned char)r->text.ptr[r->at] : -1;
}

/* A line's end at the place, "\n" or "\r\n", or the end of the text. */
static size_t line_end(const struct reader *r)
{
	if (here(r) == '\n')
		return 1;
	if (here(r) == '\r') {
		if (r->at + 1 == r->text.len)
			return 1;
		if (r->text.ptr[r->at + 1] == '\n')
			return 2;
	}
	return 0;
}

static void next_line(struct reader *r, size_t end)
{
	r->at += end;
	r->line++;
}

static bool parse_error(struct reader *r, const char *what)
{
	return hcl_call_fail(r->call, "CSV parse error on line %u: %s", r->line, what);
}

static bool quoted_field(struct reader *r, struct zp_buf *field)
{
	static const char bad_quote[] = "extraneous or missing \" in quoted-field";

	for (r->at++; here(r) >= 0;) {
		size_t end = line_end(r);
		if (end) {
			zp_buf_char(field, '\n');
			next_line(r, end);
		} else if (here(r) != '"') {
			zp_buf_char(field, r->text.ptr[r->at++]);
		} else if (r->at + 1 < r->text.len && r->text.ptr[r->at + 1] == '"') {
			zp_buf_char(field, '"');
			r->at += 2;
		} else {
			r->at++;
			if (here(r) >= 0 && here(r) != ',' && !line_end(r))
				return parse_error(r, bad_quote);
			return true;
		}
	}
	return parse_error(r, bad_quote);
}

static bool plain_field(struct reader *r, struct zp_buf *field)
{
	while (here(r) >= 0 && here(r) != ',' && !line_end(r)) {
		if (here(r) == '"')
			return parse_error(r, "bare \" in non-quoted-field");
		zp_buf_char(field, r->text.ptr[r->at++]);
	}
	return true;
}

enum record { RECORD, NO_RECORD, BAD_RECORD };

/* The fields of the next line that is not empty. */
static enum record read_record(struct reader *r, struct values *fields)
{
	while (here(r) >= 0 && line_end(r))
		next_line(r, line_end(r));
	if (here(r) < 0)
		return NO_RECORD;
	r->record_line = r->line;
	for (fields->count = 0;;) {
		zp_autobuf field = ZP_BUF_INIT;
		bool valid = here(r) == '"' ? quoted_field(r, &field) : plain_field(r, &field);
		if (!valid)
			return BAD_RECORD;
		zp_vec_push(fields, hcl_string_value(r->call->arena, zp_buf_slice(&field)));
		if (here(r) != ',')
			break;
		r->at++;
	}
	if (here(r) >= 0)
		next_line(r, line_end(r));
	return RECORD;
}

static bool column_names(struct reader *r, const struct values *fields, struct names *names)
{
	for (size_t i = 0; i < fields->count; i++) {
		const char *name = fields->items[i].text;
		for (size_t j = 0; j < names->count; j++)
			if (strcmp(names->items[j], name) == 0)
				return hcl_call_fail(r->call, "duplicate column name \"%s\"", name);
		zp_vec_push(names, name);
	}
	return true;
}

static const struct hcl_type *row_type(const struct names *names)
{
	zp_autofree struct hcl_attribute_type *attributes =
		zp_calloc(names->count, sizeof(*attributes));

	for (size_t i = 0; i < names->count; i++)
		attributes[i] = (struct hcl_attribute_type){ names->items[i], hcl_string, false };
	return hcl_object_type(attributes, names->count);
}

static bool read_table(
	struct reader *r, struct values *fields, struct names *names, struct values *rows)
{
	switch (read_record(r, fields)) {
	case NO_RECORD:
		return hcl_call_fail(r->call, "missing header line");
	case BAD_RECORD:
		return false;
	default:
		break;
	}
	if (!column_names(r, fields, names))
		return false;
	for (;;) {
		switch (read_record(r, fields)) {
		case NO_RECORD:
			return true;
		case BAD_RECORD:
			return false;
		default:
			break;
		}
		if (fields->count != names->count)
			return hcl_call_fail(r->call,
				"CSV parse error on line %u: wrong number of fields",
				r->record_line);
		zp_vec_push(rows, hcl_object_build(r->call->arena, names->items, fields->items,
					  names->count));
	}
}

static bool csvdecode(struct hcl_call *call, struct hcl_value *out)
{
	struct reader r = { .call = call, .text = hcl_text(call->args[0]), .line = 1 };
	struct values fields = { 0 }, rows = { 0 };
	struct names names = { 0 };
	bool done = read_table(&r, &fields, &names, &rows);

	if (done)
		*out = hcl_list_value(
			row_type(&names), zp_vec_to_arena(&rows, call->arena), rows.count);
	zp_vec_release(&fields);
	zp_vec_release(&rows);
	zp_vec_release(&names);
	return done;
}

static const struct hcl_function functions[] = {
	{ .name = "csvdecode", .params = { { "str", HCL_T_STRING, 0 } }, .call = csvdecode },
};

const struct hcl_function_list hcl_csv_functions = { functions, ZP_ARRAY_SIZE(functions) };

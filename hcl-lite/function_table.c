/*
 * All functions by name.
 */
#include <pthread.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "hcl-lite/function.h"

static const struct hcl_function_list *const lists[] = {
	&hcl_string_functions,
	&hcl_format_functions,
	&hcl_regex_functions,
	&hcl_collection_functions,
	&hcl_sequence_functions,
	&hcl_set_functions,
	&hcl_number_functions,
	&hcl_conversion_functions,
	&hcl_encoding_functions,
	&hcl_json_functions,
	&hcl_yaml_functions,
	&hcl_csv_functions,
	&hcl_hash_functions,
	&hcl_crypto_functions,
	&hcl_network_functions,
	&hcl_time_functions,
	&hcl_file_functions,
	&hcl_template_functions,
	&hcl_control_functions,
	&hcl_provider_functions,
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const struct hcl_function **table;
static const char **names;
static size_t table_count, name_count;

static int by_name(const void *a, const void *b)
{
	return strcmp((*(const struct hcl_function *const *)a)->name,
		(*(const struct hcl_function *const *)b)->name);
}

static void make_table(void)
{
	for (size_t i = 0; i < ZP_ARRAY_SIZE(lists); i++)
		table_count += lists[i]->count;
	table = zp_calloc(table_count, sizeof(*table));
	names = zp_calloc(table_count, sizeof(*names));
	size_t n = 0;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(lists); i++)
		for (size_t j = 0; j < lists[i]->count; j++)
			table[n++] = &lists[i]->functions[j];
	qsort(table, table_count, sizeof(*table), by_name);
	for (size_t i = 0; i < table_count; i++)
		if (table[i]->kind != HCL_CONSOLE && !strchr(table[i]->name, ':'))
			names[name_count++] = table[i]->name;
}

static int name_against(const void *key, const void *element)
{
	return strcmp(key, (*(const struct hcl_function *const *)element)->name);
}

/* core::f is another name of f. */
const struct hcl_function *hcl_find_function(const char *name, bool console)
{
	pthread_once(&once, make_table);
	if (strncmp(name, "core::", 6) == 0)
		name += 6;
	const struct hcl_function **found =
		bsearch(name, table, table_count, sizeof(*table), name_against);
	if (!found || (*found)->kind == (console ? HCL_NOT_CONSOLE : HCL_CONSOLE))
		return NULL;
	return *found;
}

const char *const *hcl_function_names(size_t *count)
{
	pthread_once(&once, make_table);
	*count = name_count;
	return names;
}

bool hcl_function_signature(const char *name, struct zp_buf *out)
{
	const struct hcl_function *f = hcl_find_function(name, false);
	const char *separator = "";

	if (!f)
		return false;
	zp_buf_printf(out, "%s(", name);
	for (size_t i = 0; i < ZP_ARRAY_SIZE(f->params) && f->params[i].name; i++) {
		zp_buf_printf(out, "%s%s", separator, f->params[i].name);
		separator = ", ";
	}
	if (f->rest.name)
		zp_buf_printf(out, "%s%s...", separator, f->rest.name);
	zp_buf_char(out, ')');
	return true;
}

bool hcl_function_exists(const char *name)
{
	return hcl_find_function(name, false) != NULL;
}

static void type_json(const char *key, uint8_t code, struct zp_json_writer *writer)
{
	zp_autobuf text = ZP_BUF_INIT;

	hcl_type_to_json(hcl_type_of_code(code), &text);
	zp_json_key(writer, key);
	zp_json_raw(writer, zp_buf_slice(&text));
}

static void parameter_json(const struct hcl_parameter *parameter, bool nulls, struct zp_json_writer *writer)
{
	zp_json_begin_object(writer);
	zp_json_key(writer, "name");
	zp_json_cstr(writer, parameter->name);
	if (nulls && parameter->flags & HCL_NULL_OK) {
		zp_json_key(writer, "is_nullable");
		zp_json_bool(writer, true);
	}
	type_json("type", parameter->type, writer);
	zp_json_end_object(writer);
}

void hcl_function_signature_json(const char *name, struct zp_json_writer *writer)
{
	const struct hcl_function *f = hcl_find_function(name, false);

	zp_json_begin_object(writer);
	zp_json_key(writer, "name");
	zp_json_cstr(writer, f->name);
	zp_json_key(writer, "params");
	zp_json_begin_array(writer);
	for (size_t i = 0; i < ZP_ARRAY_SIZE(f->params) && f->params[i].name; i++)
		parameter_json(&f->params[i], false, writer);
	zp_json_end_array(writer);
	if (f->rest.name) {
		zp_json_key(writer, "variadic_param");
		parameter_json(&f->rest, false, writer);
	}
	type_json("return_type", f->returns, writer);
	zp_json_end_object(writer);
}

void hcl_function_metadata_json(const char *name, struct zp_json_writer *writer)
{
	const struct hcl_function *f = hcl_find_function(name, false);

	zp_json_begin_object(writer);
	type_json("return_type", f->returns, writer);
	if (f->params[0].name) {
		zp_json_key(writer, "parameters");
		zp_json_begin_array(writer);
		for (size_t i = 0; i < ZP_ARRAY_SIZE(f->params) && f->params[i].name; i++)
			parameter_json(&f->params[i], true, writer);
		zp_json_end_array(writer);
	}
	if (f->rest.name) {
		zp_json_key(writer, "variadic_parameter");
		parameter_json(&f->rest, true, writer);
	}
	zp_json_end_object(writer);
}

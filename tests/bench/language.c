/*
 * language.c FILE: how fast the language is, on a configuration given. Prints "name value unit" lines:
 * parse and fmt in MB/s (best of three), memory of a parse over the size of its source, and evaluations.
 */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "hcl-lite/hcl.h"

#define TRIES 3

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Bytes of memory this process has. */
static double resident(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	long pages = 0;

	if (file) {
		if (fscanf(file, "%*d %ld", &pages) != 1)
			pages = 0;
		fclose(file);
	}
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static bool parse(const struct zp_source *source, double *seconds, double *bytes)
{
	struct zp_arena arena;
	struct zp_diags diags;
	double before = resident(), start = now();

	zp_arena_init(&arena);
	zp_diags_init(&diags);
	hcl_parse_file(source, &arena, &diags);
	*seconds = now() - start;
	*bytes = resident() - before;
	bool fine = !diags.errors;
	zp_diags_release(&diags);
	zp_arena_release(&arena);
	return fine;
}

static bool format(const struct zp_source *source, double *seconds)
{
	zp_autobuf out = ZP_BUF_INIT;
	struct zp_diags diags;
	double start = now();

	zp_diags_init(&diags);
	bool fine = hcl_format(source, &out, &diags);
	*seconds = now() - start;
	zp_diags_release(&diags);
	return fine;
}

static bool resolve(const struct hcl_scope *scope, struct hcl_evaluation *ev,
	const struct hcl_reference *ref, struct hcl_value *value, size_t *consumed)
{
	(void)ev;
	(void)ref;
	*value = *(const struct hcl_value *)scope->data;
	*consumed = 1;
	return true;
}

/* Nanoseconds of one evaluation. */
static double evaluate(const char *text, struct hcl_value named, int times)
{
	struct zp_source *source = zp_source_new("expression", zp_str(text));
	struct hcl_scope scope = { resolve, &named };
	struct hcl_functions functions = { .base_dir = "." };
	struct zp_arena trees, values;
	struct zp_diags diags;

	zp_arena_init(&trees);
	zp_diags_init(&diags);
	struct hcl_expr *expr = hcl_parse_expression(source, &trees, &diags);
	double start = now();
	for (int i = 0; i < times; i++) {
		zp_arena_init(&values);
		struct hcl_evaluation ev = { .arena = &values, .diags = &diags, .scope = &scope,
			.functions = &functions };
		hcl_evaluate(&ev, expr);
		zp_arena_release(&values);
	}
	double each = (now() - start) / times * 1e9;
	if (diags.errors)
		each = -1;
	zp_diags_release(&diags);
	zp_arena_release(&trees);
	zp_source_free(source);
	return each;
}

static void evaluations(void)
{
	struct zp_arena arena;

	zp_arena_init(&arena);
	struct hcl_value *elements = zp_new_array(&arena, struct hcl_value, 1000);
	for (int i = 0; i < 1000; i++)
		elements[i] = hcl_int_value(i);
	struct hcl_value list = hcl_list_value(hcl_number, elements, 1000);
	printf("reference %.0f ns\n", evaluate("var.a", hcl_int_value(1), 1000000));
	printf("call %.0f ns\n", evaluate("upper(\"hello\")", hcl_int_value(1), 300000));
	printf("for over 1000 elements %.1f us\n",
		evaluate("[for x in var.a : x + 1]", list, 2000) / 1e3);
	zp_arena_release(&arena);
}

int main(int argc, char **argv)
{
	zp_autoerror err = ZP_ERROR_INIT;
	struct zp_source *source = argc == 2 ? zp_source_load(argv[1], argv[1], &err) : NULL;
	double best_parse = 1e9, best_format = 1e9, bytes = 0, seconds;

	if (!source)
		return fprintf(stderr, "%s\n", argc == 2 ? zp_error_text(&err) : "FILE is missing"), 1;
	double size = (double)source->text.len;
	for (int i = 0; i < TRIES; i++) {
		if (!parse(source, &seconds, &bytes))
			return fprintf(stderr, "%s has errors\n", argv[1]), 1;
		best_parse = seconds < best_parse ? seconds : best_parse;
	}
	for (int i = 0; i < TRIES && format(source, &seconds); i++)
		best_format = seconds < best_format ? seconds : best_format;
	printf("parse %.1f MB/s\n", size / 1e6 / best_parse);
	/* The source itself is held too. */
	printf("memory over source size %.2f times\n", (bytes + size) / size);
	printf("fmt %.1f MB/s\n", size / 1e6 / best_format);
	zp_source_free(source);
	evaluations();
	return 0;
}

/* zplan graph: which resource stands on which, in the DOT language. */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/map.h"
#include "base/process.h"
#include "base/vec.h"
#include "cli/cli.h"
#include "cli/run.h"
#include "planner/needs.h"

struct node {
	const char *name, *module; /* module.a.type.name, module.a */
	const struct plan_module *config;
	const struct plan_resource *resource;
	uint32_t *needs; /* numbers of nodes */
	uint32_t need_count;
};

ZP_VEC(node_vec, struct node);

struct graph {
	struct zp_arena arena;
	struct node_vec nodes;
	struct zp_map by_name; /* name -> number + 1 */
};

static void collect(struct graph *graph, const struct plan_module *module)
{
	for (size_t i = 0; i < module->resource_count; i++) {
		const struct plan_resource *resource = module->resources[i];
		struct node node = { .config = module, .resource = resource,
			.name = plan_block_name(&graph->arena, module, resource) };
		size_t length = strlen(node.name) - strlen(resource->address);
		node.module = length ? zp_arena_strndup(&graph->arena, node.name, length - 1) : "";
		zp_vec_push(&graph->nodes, node);
	}
	for (size_t i = 0; i < module->call_count; i++)
		if (module->calls[i]->module)
			collect(graph, module->calls[i]->module);
}

static int by_place(const void *a, const void *b)
{
	const struct node *x = a, *y = b;
	int order = strcmp(x->module, y->module);

	return order ? order : strcmp(x->resource->address, y->resource->address);
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void connect(struct graph *graph, uint32_t number)
{
	struct node *node = &graph->nodes.items[number];
	struct zp_map found = { 0 };
	struct plan_needs walk = { .arena = &graph->arena, .module = node->config, .found = &found,
		.direct = true };

	plan_needs_of(&walk, node->resource);
	node->needs = zp_new_array(&graph->arena, uint32_t, found.count);
	for (size_t i = 0; i < found.count; i++) {
		uint32_t other = (uint32_t)(uintptr_t)zp_map_get(&graph->by_name, found.entries[i].key);
		if (other && other - 1 != number)
			node->needs[node->need_count++] = other - 1;
	}
	if (node->need_count)
		qsort(node->needs, node->need_count, sizeof(*node->needs), by_number);
	plan_needs_release(&walk);
	zp_map_release(&found);
}

/* Marks all that `number` stands on, itself left out. */
static void reach(const struct graph *graph, uint32_t number, bool *met)
{
	ZP_VEC(, uint32_t) stack = { 0 };

	zp_vec_push(&stack, number);
	while (stack.count) {
		const struct node *node = &graph->nodes.items[stack.items[--stack.count]];
		for (uint32_t i = 0; i < node->need_count; i++) {
			if (met[node->needs[i]])
				continue;
			met[node->needs[i]] = true;
			zp_vec_push(&stack, node->needs[i]);
		}
	}
	zp_vec_release(&stack);
}

/* The needs of a node that do not follow from its other needs. */
static void print_edges(const struct graph *graph, uint32_t number, struct zp_buf *out)
{
	const struct node *node = &graph->nodes.items[number];
	zp_autofree bool *met = zp_calloc(graph->nodes.count + 1, sizeof(*met));

	for (uint32_t i = 0; i < node->need_count; i++)
		reach(graph, node->needs[i], met);
	for (uint32_t i = 0; i < node->need_count; i++)
		if (!met[node->needs[i]] || met[number])
			zp_buf_printf(out, "  \"%s\" -> \"%s\";\n", node->name,
				graph->nodes.items[node->needs[i]].name);
}

static void print_nodes(const struct graph *graph, struct zp_buf *out)
{
	for (size_t i = 0; i < graph->nodes.count;) {
		const char *module = graph->nodes.items[i].module;
		const char *indent = *module ? "    " : "  ";
		if (*module)
			zp_buf_printf(out, "  subgraph \"cluster_%s\" {\n    label = \"%s\"\n"
				"    fontname = \"sans-serif\"\n", module, module);
		for (; i < graph->nodes.count && strcmp(graph->nodes.items[i].module, module) == 0; i++)
			zp_buf_printf(out, "%s\"%s\" [label=\"%s\"];\n", indent,
				graph->nodes.items[i].name, graph->nodes.items[i].resource->address);
		if (*module)
			zp_buf_puts(out, "  }\n");
	}
}

static void print_graph(const struct plan_config *config, struct zp_buf *out)
{
	struct graph graph = { 0 };

	zp_arena_init(&graph.arena);
	collect(&graph, config->root);
	if (graph.nodes.count)
		qsort(graph.nodes.items, graph.nodes.count, sizeof(struct node), by_place);
	for (size_t i = 0; i < graph.nodes.count; i++)
		zp_map_set(&graph.by_name, zp_str(graph.nodes.items[i].name), (void *)(uintptr_t)(i + 1));
	for (uint32_t i = 0; i < graph.nodes.count; i++)
		connect(&graph, i);
	zp_buf_puts(out, "digraph G {\n  rankdir = \"RL\";\n"
		"  node [shape = rect, fontname = \"sans-serif\"];\n");
	if (!graph.nodes.count)
		zp_buf_puts(out, "  /* This configuration does not contain any resources.         */\n");
	print_nodes(&graph, out);
	for (uint32_t i = 0; i < graph.nodes.count; i++)
		print_edges(&graph, i, out);
	zp_buf_puts(out, "}\n");
	zp_map_release(&graph.by_name);
	zp_vec_release(&graph.nodes);
	zp_arena_release(&graph.arena);
}

/* Through graphviz, which zplan itself does not need. */
static int draw(struct cli_run *run, const char *format, const struct zp_buf *dot)
{
	zp_autofree char *flag = zp_format("-T%s", format);
	const char *const argv[] = { "dot", flag, NULL };
	struct zp_process_options options = { .input = zp_buf_slice(dot), .timeout_ms = 120000,
		.output_limit = (size_t)256 << 20 };
	struct zp_process_result result = { 0 };
	zp_autoerror err = ZP_ERROR_INIT;
	int status = zp_run(argv, &options, &result, &err);

	if (status < 0)
		zp_diag_error(&run->diags, ZP_NOWHERE, "Failed to draw the graph",
			"%s. Pictures are drawn by graphviz: \"apt-get install graphviz\".",
			zp_error_text(&err));
	else
		fwrite(result.out.ptr, 1, result.out.len, stdout);
	zp_process_result_release(&result);
	return status < 0;
}

static bool check_words(struct cli_run *run, const char *format, const char *type, int argc)
{
	bool known = strcmp(format, "dot") == 0 || strcmp(format, "svg") == 0 || strcmp(format, "png") == 0 ||
		strcmp(format, "pdf") == 0;

	if (argc)
		zp_diag_error(&run->diags, ZP_NOWHERE, "Too many command line arguments",
			"The graph command expects no arguments. Use -chdir=DIR for another folder.");
	else if (!known)
		zp_diag_error(&run->diags, ZP_NOWHERE, "Unknown format",
			"-format=%s is not known. Use dot, svg, png or pdf.", format);
	else if (*type)
		zp_diag_error(&run->diags, ZP_NOWHERE, "Unsupported graph type",
			"zplan shows which resource stands on which, without -type: how it walks through "
			"them is not the graph of another program's operations.");
	return !run->diags.errors;
}

int cli_graph(int argc, char **argv)
{
	const char *format = "dot", *type = "", *path = NULL;
	bool cycles = false;
	struct cli_option options[] = {
		{ "format", CLI_TEXT, &format },
		{ "type", CLI_TEXT, &type },
		{ "plan", CLI_TEXT, &path },
		{ "draw-cycles", CLI_SWITCH, &cycles },
	};
	struct plan *plan = NULL;
	struct cli_run run;

	if (!cli_options_parse(options, ZP_ARRAY_SIZE(options), &argc, argv, "graph"))
		return 1;
	cli_run_init(&run, false);
	if (!check_words(&run, format, type, argc) || (!path && !cli_run_load_config(&run)))
		return cli_run_finish(&run, 1);
	if (path && !(plan = plan_load(path, NULL, NULL, &run.diags)))
		return cli_run_finish(&run, 1);
	zp_autobuf text = ZP_BUF_INIT;
	print_graph(plan ? plan_configuration(plan) : run.config, &text);
	int status = 0;
	if (strcmp(format, "dot") == 0)
		fwrite(text.ptr, 1, text.len, stdout);
	else
		status = draw(&run, format, &text);
	plan_free(plan);
	return cli_run_finish(&run, status);
}

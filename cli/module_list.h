/*
 * The list of modules in the data folder: .terraform/modules/modules.json.
 */
#ifndef CLI_MODULE_LIST_H
#define CLI_MODULE_LIST_H

#include "cli/run.h"

/*
 * Brings the list up to date with run->config and prints what is new in it, or all. False after a
 * diagnostic. Without modules there is no list.
 */
bool cli_list_modules(struct cli_run *run, bool all);
/* The calls of a module that were loaded, by name. Heap, NULL-terminated; the calls are the module's. */
struct plan_call **cli_sorted_calls(const struct plan_module *module);

#endif

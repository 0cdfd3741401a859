/*
 * The table of all commands with their help texts.
 */
#ifndef CLI_USAGE_H
#define CLI_USAGE_H

#include "cli/cli.h"

extern const struct cli_command cli_commands[];
extern const size_t cli_command_count;

#endif

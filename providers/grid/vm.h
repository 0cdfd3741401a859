/*
 * Machines as blocks of a grid type: vms of a deployment, members of a cluster. Their blocks use the same
 * names, and a name that a block does not have counts as not given.
 *
 * A machine NAME consists of the parts "vm-NAME", of "ip4-NAME", "ip6-NAME" or "ip46-NAME" where it has
 * public addresses, and of a "log-NAME-..." for every place its console goes to.
 */
#ifndef PROVIDERS_GRID_VM_H
#define PROVIDERS_GRID_VM_H

#include "providers/grid/grid.h"
#include "providers/zos/composite.h"
#include "providers/zos/specs.h"

/* --- checks and plan --- */

/* One block; attributes in problems are those of the block. */
void grid_vm_check(struct provider_problems *problems, struct hcl_value vm);
/* All blocks of the name, and that no two have the same name. */
void grid_vms_check(struct provider_problems *problems, struct hcl_value config, const char *block);
/* Names that blocks of several kinds must not share: those in blocks (NULL-terminated). */
void grid_check_unique(
	struct provider_problems *problems, struct hcl_value config, const char *const *blocks);

/* The element of that name in a list of blocks, or a null. */
struct hcl_value grid_element(struct hcl_value list, const char *name);
/*
 * Computed values of a block: those of the machine of the same name, before (or null), as far as they
 * stay. config is the block as written. moves: it comes to another node or network.
 */
struct hcl_value grid_vm_plan(struct zp_arena *arena, const struct provider_schema *schema,
	struct hcl_value planned, struct hcl_value config, struct hcl_value before, bool moves);
/* Whether it asks for a GPU, which no node has to give. */
bool grid_vm_wants_gpu(struct hcl_value vm);

/* --- parts --- */

void grid_vm_parts(struct zos_composition *composition, const char *node, enum zos_stage stage,
	struct hcl_value vm);
/*
 * The machine of a vm part as its block says, for the kind to complete (flist, mounts, env). network: id
 * of a workload.
 */
struct zos_machine grid_vm_machine(struct zos_composition *composition, const struct zos_part *part,
	struct hcl_value vm, const char *network);
/* Spec of a part other than "vm-"; NULL when it is none of a machine's. */
cJSON *grid_vm_side_spec(struct zos_composition *composition, const struct zos_part *part);
/* Slot replaces of kinds with machines. */
bool grid_vm_replaces(struct zos_composition *composition, const struct zos_part *part,
	const cJSON *before, const cJSON *after);
/* Sets a block's computed values from what its parts tell. */
void grid_vm_fill(struct zos_composition *composition, struct provider_builder *block,
	const char *name);
/* Id of the network workload that a machine is in. */
const char *grid_vm_network(const struct zos_part *part);
/* The network that the machines are in, as a node of theirs knows it: for imports. False when there is none. */
bool grid_vms_network(struct zos_composition *composition, struct zos_network_lookup *network);

#endif

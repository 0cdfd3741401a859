/* Does every name mean something? */
#include "planner/validate_internal.h"

static const char *module_words(struct zp_arena *arena, const struct plan_module *module)
{
	if (!module->parent)
		return "the root module";
	zp_autobuf path = ZP_BUF_INIT;
	zp_buf_puts(&path, "module.");
	for (const char *p = module->path; *p; p++) {
		if (*p == '.')
			zp_buf_puts(&path, ".module.");
		else
			zp_buf_char(&path, *p);
	}
	return zp_arena_strdup(arena, path.ptr);
}

/* ' Did you mean "x"?' in the sink's arena, or "". */
static const char *suggestion(struct zp_diags *diags, const char *name, const struct zp_map *among)
{
	const char **names = zp_new_array(&diags->arena, const char *, among->count);

	for (size_t i = 0; i < among->count; i++)
		names[i] = zp_arena_strndup(&diags->arena, among->entries[i].key.ptr,
			among->entries[i].key.len);
	const char *near = zp_str_suggest(zp_str(name), names, among->count);
	return near ? zp_arena_format(&diags->arena, " Did you mean \"%s\"?", near) : "";
}

static const char *first_name(const struct hcl_expr *traversal, const char *object,
	struct zp_diags *diags)
{
	if (traversal->traversal.count && traversal->traversal.steps[0].name)
		return traversal->traversal.steps[0].name;
	zp_diag_error(diags, traversal->range, "Invalid reference",
		"The \"%s\" object cannot be accessed directly. Instead, access one of its "
		"attributes.", object);
	return NULL;
}

static bool check_variable(const struct plan_place *place, const struct hcl_expr *traversal,
	struct zp_diags *diags)
{
	const char *name = first_name(traversal, "var", diags);

	if (!name)
		return false;
	if (zp_map_has(&place->module->variable_map, zp_str(name)))
		return true;
	const char *near = suggestion(diags, name, &place->module->variable_map);
	if (*near)
		zp_diag_error(diags, traversal->range, "Reference to undeclared input variable",
			"An input variable with the name \"%s\" has not been declared.%s", name,
			near);
	else
		zp_diag_error(diags, traversal->range, "Reference to undeclared input variable",
			"An input variable with the name \"%s\" has not been declared. This "
			"variable can be declared with a variable \"%s\" {} block.", name, name);
	return false;
}

static bool check_local(const struct plan_place *place, const struct hcl_expr *traversal,
	struct zp_diags *diags)
{
	const char *name = first_name(traversal, "local", diags);

	if (!name)
		return false;
	if (zp_map_has(&place->module->local_map, zp_str(name)))
		return true;
	zp_diag_error(diags, traversal->range, "Reference to undeclared local value",
		"A local value with the name \"%s\" has not been declared.%s", name,
		suggestion(diags, name, &place->module->local_map));
	return false;
}

static bool check_output(const struct plan_call *call, const struct hcl_expr *traversal,
	struct zp_diags *diags)
{
	const struct hcl_traverse *steps = traversal->traversal.steps;
	size_t at = call->count || call->for_each ? 2 : 1;

	if (!call->module || traversal->traversal.count <= at || !steps[at].name ||
		(at == 2 && steps[1].name))
		return true;
	if (zp_map_has(&call->module->output_map, zp_str(steps[at].name)))
		return true;
	zp_diag_error(diags, steps[at].range, "Unsupported attribute",
		"This object does not have an attribute named \"%s\".%s", steps[at].name,
		suggestion(diags, steps[at].name, &call->module->output_map));
	return false;
}

static bool check_call(const struct plan_place *place, const struct hcl_expr *traversal,
	struct zp_diags *diags)
{
	const char *name = first_name(traversal, "module", diags);

	if (!name)
		return false;
	const struct plan_call *call = zp_map_get(&place->module->call_map, zp_str(name));
	if (call)
		return check_output(call, traversal, diags);
	zp_diag_error(diags, traversal->range, "Reference to undeclared module",
		"No module call named \"%s\" is declared in %s.%s", name,
		module_words(&diags->arena, place->module),
		suggestion(diags, name, &place->module->call_map));
	return false;
}

static bool check_each(const struct plan_place *place, const struct hcl_expr *traversal,
	struct zp_diags *diags)
{
	const char *name = first_name(traversal, "each", diags);

	if (!name)
		return false;
	if (strcmp(name, "key") != 0 && strcmp(name, "value") != 0) {
		zp_diag_error(diags, traversal->range, "Invalid \"each\" attribute",
			"The \"each\" object does not have an attribute named \"%s\". The supported "
			"attributes are each.key and each.value, the current key and value pair of "
			"the \"for_each\" attribute set.", name);
		return false;
	}
	if (place->has_for_each)
		return true;
	zp_diag_error(diags, traversal->range, "Reference to \"each\" in context without for_each",
		"The \"each\" object can be used only in \"module\" or \"resource\" blocks, and only "
		"when the \"for_each\" argument is set.");
	return false;
}

static bool check_count(const struct plan_place *place, const struct hcl_expr *traversal,
	struct zp_diags *diags)
{
	const char *name = first_name(traversal, "count", diags);

	if (!name)
		return false;
	if (strcmp(name, "index") != 0) {
		zp_diag_error(diags, traversal->range, "Invalid \"count\" attribute",
			"The \"count\" object does not have an attribute named \"%s\". The only "
			"supported attribute is count.index, which is the index of each instance "
			"of a resource block that has the \"count\" argument set.", name);
		return false;
	}
	if (place->has_count)
		return true;
	zp_diag_error(diags, traversal->range, "Reference to \"count\" in non-counted context",
		"The \"count\" object can only be used in \"module\", \"resource\", and \"data\" "
		"blocks, and only when the \"count\" argument is set.");
	return false;
}

static bool check_path(const struct plan_place *place, const struct hcl_expr *traversal,
	struct zp_diags *diags)
{
	static const char *const names[] = { "cwd", "module", "root" };
	const char *name = first_name(traversal, "path", diags);

	(void)place;
	if (!name)
		return false;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	const char *near = zp_str_suggest(zp_str(name), names, ZP_ARRAY_SIZE(names));
	zp_diag_error(diags, traversal->range, "Invalid \"path\" attribute",
		"The \"path\" object does not have an attribute named \"%s\".%s%s%s", name,
		near ? " Did you mean \"" : "", near ? near : "", near ? "\"?" : "");
	return false;
}

static bool check_terraform(const struct plan_place *place, const struct hcl_expr *traversal,
	struct zp_diags *diags)
{
	const char *name = first_name(traversal, "terraform", diags);

	(void)place;
	if (!name || strcmp(name, "workspace") == 0 || strcmp(name, "applying") == 0)
		return name != NULL;
	zp_diag_error(diags, traversal->range, "Invalid \"terraform\" attribute",
		"The \"terraform\" object does not have an attribute named \"%s\". The only "
		"supported attributes are terraform.workspace, the name of the currently-selected "
		"workspace, and terraform.applying, a boolean which is true only during apply.", name);
	return false;
}

static bool check_self(const struct plan_place *place, const struct hcl_expr *traversal,
	struct zp_diags *diags)
{
	if (place->has_self)
		return true;
	zp_diag_error(diags, hcl_root_range(traversal), "Invalid \"self\" reference",
		"The \"self\" object is not available in this context. This object can be used only "
		"in resource provisioner, connection, and postcondition blocks.");
	return false;
}

/* The attribute after type, name and maybe a key, against the schema. */
static bool check_attribute(const struct plan_resource *resource, const struct hcl_expr *traversal,
	struct zp_diags *diags)
{
	size_t at = resource->mode == PLAN_DATA ? 2 : 1;
	const struct hcl_traverse *steps = traversal->traversal.steps;
	bool repeated = resource->count || resource->for_each;
	struct zp_range object = zp_range_join(hcl_root_range(traversal),
		steps[at - 1 < traversal->traversal.count ? at - 1 : 0].range);

	if (at < traversal->traversal.count && !steps[at].name && !repeated) {
		zp_diag_error(diags, zp_range_join(object, steps[at].range),
			"Unexpected resource instance key",
			"Because %s does not have \"count\" or \"for_each\" set, references to it must "
			"not include an index key. Remove the bracketed index to refer to the single "
			"instance of this resource.", resource->address);
		return false;
	}
	if (at < traversal->traversal.count && !steps[at].name && repeated)
		at++;
	else if (repeated && at < traversal->traversal.count && resource->count) {
		zp_diag_error(diags, object, "Missing resource instance key",
			"Because %s has \"count\" set, its attributes must be accessed on specific "
			"instances.\n\nFor example, to correlate with indices of a referring "
			"resource, use:\n    %s[count.index]",
			resource->address, resource->address);
		return false;
	} else if (repeated && at < traversal->traversal.count) {
		zp_diag_error(diags, object, "Missing resource instance key",
			"Because %s has \"for_each\" set, its attributes must be accessed on "
			"specific instances.\n\nFor example, to correlate with indices of a "
			"referring resource, use:\n    %s[each.key]",
			resource->address, resource->address);
		return false;
	}
	if (!resource->resource_type || at >= traversal->traversal.count || !steps[at].name)
		return true;
	const struct provider_schema *schema = resource->resource_type->schema;
	if (provider_schema_attribute(schema, steps[at].name) ||
		provider_schema_block(schema, steps[at].name))
		return true;
	const char **names = zp_new_array(&diags->arena, const char *,
		schema->attribute_count + schema->block_count);
	for (size_t i = 0; i < schema->attribute_count; i++)
		names[i] = schema->attributes[i].name;
	for (size_t i = 0; i < schema->block_count; i++)
		names[schema->attribute_count + i] = schema->blocks[i].name;
	const char *near = zp_str_suggest(zp_str(steps[at].name), names,
		schema->attribute_count + schema->block_count);
	zp_diag_error(diags, steps[at].range, "Unsupported attribute",
		"This object has no argument, nested block, or exported attribute named "
		"\"%s\".%s%s%s", steps[at].name, near ? " Did you mean \"" : "", near ? near : "",
		near ? "\"?" : "");
	return false;
}

static bool check_resource(const struct plan_place *place, const struct hcl_expr *traversal,
	struct zp_diags *diags)
{
	const struct hcl_traverse *steps = traversal->traversal.steps;
	bool data = strcmp(traversal->traversal.root, "data") == 0;
	size_t need = data ? 2 : 1;
	struct plan_reference reference;

	if (traversal->traversal.count < need || !steps[0].name || (data && !steps[1].name)) {
		zp_diag_error(diags, traversal->range, "Invalid reference", "%s", data ?
			"The \"data\" object must be followed by two attribute names: the data "
			"source type and the resource name." :
			"A reference to a resource type must be followed by at least one attribute "
			"access, specifying the resource name.");
		return false;
	}
	if (plan_resolve_static(place->module, traversal, &reference))
		return check_attribute(place->module->resources[reference.index], traversal, diags);
	const char *type = data ? steps[0].name : traversal->traversal.root;
	const char *name = data ? steps[1].name : steps[0].name;
	zp_autofree char *other = zp_format("%s%s.%s", data ? "" : "data.", type, name);
	bool is_other = zp_map_has(&place->module->resource_map, zp_str(other));
	struct zp_range range = zp_range_join(hcl_root_range(traversal), steps[need - 1].range);
	zp_diag_error(diags, range, "Reference to undeclared resource",
		"A %s resource \"%s\" \"%s\" has not been declared in %s.%s%s%s",
		data ? "data" : "managed", type, name,
		module_words(&diags->arena, place->module),
		is_other ? "\n\nDid you mean the " : "", is_other && data ? "managed resource " :
		is_other ? "data resource " : "", is_other ? other : "");
	return false;
}

static const struct {
	const char *root;
	bool (*check)(const struct plan_place *place, const struct hcl_expr *traversal,
		struct zp_diags *diags);
} roots[] = {
	{ "var", check_variable },   { "local", check_local }, { "module", check_call },
	{ "each", check_each },	     { "count", check_count }, { "path", check_path },
	{ "terraform", check_terraform }, { "self", check_self },
};

bool plan_check_reference(const struct plan_place *place, const struct hcl_expr *traversal,
	struct zp_diags *diags)
{
	const char *root = traversal->traversal.root;

	for (size_t i = 0; i < place->iterator_count; i++)
		if (place->iterators[i] == root)
			return true;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(roots); i++)
		if (strcmp(root, roots[i].root) == 0)
			return roots[i].check(place, traversal, diags);
	return check_resource(place, traversal, diags);
}

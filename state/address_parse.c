/* Addresses as people write them: module.a[0].type.name["k"], module.a, data.type.name. */
#include "base/alloc.h"
#include "hcl-lite/codec.h"
#include "hcl-lite/syntax.h"
#include "state/address.h"

struct parsing {
	const struct hcl_traverse *steps; /* after the root name */
	size_t count, next;
	struct zp_arena *arena;
};

static bool next_name(struct parsing *parsing, const char **name)
{
	if (parsing->next == parsing->count || !parsing->steps[parsing->next].name)
		return false;
	*name = parsing->steps[parsing->next++].name;
	return true;
}

/* Leaves what is no key to whoever reads on. */
static bool optional_key(struct parsing *parsing, struct state_key *key)
{
	*key = (struct state_key){ 0 };
	if (parsing->next == parsing->count || parsing->steps[parsing->next].name)
		return true;
	struct hcl_value value = parsing->steps[parsing->next++].key;
	if (value.state != HCL_KNOWN)
		return false;
	if (value.type == hcl_string) {
		key->kind = STATE_STRING_KEY;
		key->text = zp_arena_str(parsing->arena, hcl_text(value));
		return true;
	}
	key->kind = STATE_INT_KEY;
	return value.type == hcl_number && hcl_number_to_int(value, &key->number);
}

static const char *read_address(
	struct parsing *parsing, const char *word, struct state_address *address)
{
	zp_autobuf module = ZP_BUF_INIT;

	while (word && strcmp(word, "module") == 0) {
		if (!next_name(parsing, &word))
			return "Prefix \"module.\" must be followed by a module name.";
		size_t end = module.len;
		zp_buf_printf(&module, "%smodule.%s", module.len ? "." : "", word);
		if (!optional_key(parsing, &address->module_key))
			return "Invalid module index: must be either a string or an integer.";
		address->module_name = zp_arena_strdup(parsing->arena, word);
		address->parent = zp_arena_strndup(parsing->arena, module.ptr, end);
		state_key_text(address->module_key, &module);
		address->module = zp_arena_strdup(parsing->arena, module.ptr);
		word = NULL;
		if (parsing->next < parsing->count && !next_name(parsing, &word))
			return "Resource specification must include a resource type and name.";
	}
	if (!word)
		return NULL;
	address->is_resource = true;
	if (strcmp(word, "data") == 0) {
		address->mode = STATE_DATA;
		if (!next_name(parsing, &word))
			return "Resource specification must include a resource type and name.";
	}
	address->type = zp_arena_strdup(parsing->arena, word);
	if (!next_name(parsing, &word))
		return "Resource specification must include a resource type and name.";
	address->name = zp_arena_strdup(parsing->arena, word);
	if (!optional_key(parsing, &address->key))
		return "A resource instance key must be either a string or an integer.";
	return parsing->next == parsing->count ? NULL : "Unexpected extra operators after address.";
}

bool state_address_parse(const char *text, struct zp_arena *arena, struct state_address *address,
	struct zp_error *err)
{
	struct zp_diags diags;
	zp_diags_init(&diags);
	struct zp_source *source = zp_source_new("", zp_str(text));
	struct hcl_expr *expr = hcl_parse_traversal(source, arena, &diags);
	const char *problem = NULL;

	*address = (struct state_address){ .module = "", .parent = "" };
	if (!expr || diags.errors || expr->kind != HCL_EXPR_TRAVERSAL) {
		problem = diags.count
				  ? diags.items[0]->detail
				  : "Resource specification must include a resource type and name.";
	} else {
		const char *root = expr->traversal.root;
		struct parsing parsing = { expr->traversal.steps, expr->traversal.count, 0, arena };
		problem = read_address(&parsing, root, address);
		zp_autobuf whole = ZP_BUF_INIT;
		if (!problem && address->is_resource)
			state_address_text(address->module, address->mode, address->type,
				address->name, address->key, &whole);
		else
			zp_buf_puts(&whole, address->module);
		address->text = zp_arena_strdup(arena, whole.ptr ? whole.ptr : "");
	}
	if (problem)
		zp_error_set(err, "%s", problem);
	zp_source_free(source);
	zp_diags_release(&diags);
	return !problem;
}

/* The module itself or one below it. Without a key, a module's last step stands for all its
 * instances. */
static bool module_contains(const struct state_address *address, const char *module)
{
	size_t n = strlen(address->module);

	if (strncmp(module, address->module, n) != 0)
		return !n;
	return !n || !module[n] || module[n] == '.' ||
	       (module[n] == '[' && address->module_key.kind == STATE_NO_KEY);
}

bool state_address_contains(const struct state_address *address, const struct state_object *object)
{
	const struct state_resource *resource = object->resource;

	if (!address->is_resource)
		return module_contains(address, resource->module);
	return resource->mode == address->mode && strcmp(resource->module, address->module) == 0 &&
	       strcmp(resource->type, address->type) == 0 &&
	       strcmp(resource->name, address->name) == 0 &&
	       (address->key.kind == STATE_NO_KEY || state_key_equal(address->key, object->key));
}

bool state_address_is_module_or_below(const char *module, const char *ancestor)
{
	size_t n = strlen(ancestor);

	return strncmp(module, ancestor, n) == 0 && (!n || !module[n] || module[n] == '.');
}

static int compare_keys(struct state_key a, struct state_key b)
{
	if (a.kind != b.kind)
		return a.kind < b.kind ? -1 : 1;
	if (a.kind == STATE_INT_KEY)
		return (a.number > b.number) - (a.number < b.number);
	return a.kind == STATE_STRING_KEY ? zp_str_compare(a.text, b.text) : 0;
}

/* Length of the first step "module.NAME[KEY]"; keys may hold dots and brackets inside quotes. */
static size_t step_length(const char *module)
{
	bool quoted = false;
	size_t i;

	for (i = strlen("module."); module[i] && (quoted || module[i] != '.'); i++) {
		if (quoted && module[i] == '\\' && module[i + 1])
			i++;
		else if (module[i] == '"')
			quoted = !quoted;
	}
	return i;
}

static size_t step_count(const char *module)
{
	size_t count = 0;

	while (*module) {
		module += step_length(module);
		module += *module == '.';
		count++;
	}
	return count;
}

static int compare_steps(struct zp_str a, struct zp_str b)
{
	size_t i = 0;

	while (i < a.len && i < b.len && a.ptr[i] == b.ptr[i] && a.ptr[i] != '[')
		i++;
	if (i < a.len && i < b.len && a.ptr[i] == '[' && b.ptr[i] == '[') {
		bool a_text = a.ptr[i + 1] == '"', b_text = b.ptr[i + 1] == '"';
		if (a_text != b_text)
			return a_text ? 1 : -1;
		if (!a_text && a.len != b.len)
			return a.len < b.len ? -1 : 1; /* more digits, greater number */
	}
	/* A name that ends before the other's does comes first, whether a key follows or not. */
	char x = i < a.len && a.ptr[i] != '[' ? a.ptr[i] : 0;
	char y = i < b.len && b.ptr[i] != '[' ? b.ptr[i] : 0;
	if (x != y)
		return (unsigned char)x < (unsigned char)y ? -1 : 1;
	return zp_str_compare(a, b);
}

int state_module_compare(const char *a, const char *b)
{
	if (strcmp(a, b) == 0)
		return 0;
	size_t n = step_count(a), m = step_count(b);
	int order = (n > m) - (n < m);

	while (!order && *a && *b) {
		size_t x = step_length(a), y = step_length(b);
		order = compare_steps(zp_strn(a, x), zp_strn(b, y));
		a += x + (a[x] == '.');
		b += y + (b[y] == '.');
	}
	return order;
}

int state_object_compare(const struct state_object *a, const struct state_object *b)
{
	const struct state_resource *x = a->resource, *y = b->resource;
	int order = state_module_compare(x->module, y->module);

	if (!order && x->mode != y->mode)
		order = x->mode == STATE_DATA ? -1 : 1;
	if (!order)
		order = strcmp(x->type, y->type);
	if (!order)
		order = strcmp(x->name, y->name);
	return order ? order : compare_keys(a->key, b->key);
}

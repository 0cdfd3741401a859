/*
 * Addresses as people write them on a command line, and the peer's order of objects.
 */
#ifndef STATE_ADDRESS_H
#define STATE_ADDRESS_H

#include "state/state.h"

struct state_address {
	const char *text;   /* as the state writes it */
	const char *module; /* "" for the root, else "module.a[0].module.b" */
	/* The last step of module, and what is before it ("" or "module.a[0]"). */
	const char *parent, *module_name;
	struct state_key module_key;
	bool is_resource; /* else a module */
	enum state_mode mode;
	const char *type, *name;
	struct state_key key;
};

/* False and err (a sentence) where it is no address. Texts live in the arena. */
bool state_address_parse(const char *text, struct zp_arena *arena, struct state_address *address,
	struct zp_error *err);
/* The object is at it or below it: a resource without key stands for all its instances, and so does
 * a module. */
bool state_address_contains(const struct state_address *address, const struct state_object *object);
/* "module.a[0].module.b" is at or below "module.a[0]", not below "module.a". */
bool state_address_is_module_or_below(const char *module, const char *ancestor);
/* Addresses of modules: fewer steps first, then step by step, numbers as numbers. */
int state_module_compare(const char *a, const char *b);
/* Fewer modules first, then by modules, data before managed, type, name, key: numbers before texts.
 */
int state_object_compare(const struct state_object *a, const struct state_object *b);

#endif

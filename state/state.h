/*
 * The state: what zplan has made and how it looked when last seen. The file is Terraform's version 4
 * JSON; what this model does not know is kept and written back.
 *
 *	struct state *state = state_parse(text, "terraform.tfstate", err);
 *	struct state_object *object = state_find(state, "terraform_data.a[0]", NULL);
 *	state_set(state, &(struct state_object){...});
 *	state_write(state, &buf);
 *	state_free(state);
 *
 * Attribute values stay JSON text here (decoded by whoever has the schema): loading is one scan, and
 * an object nobody touched is written back as it was. Objects are found by address in constant time.
 * Not safe for concurrent change; the owner brings a lock. Format: Terraform's statefile version 4.
 */
#ifndef STATE_STATE_H
#define STATE_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/map.h"

#define STATE_FORMAT_VERSION 4
/* Written as terraform_version, so that Terraform accepts the file. */
#define STATE_TERRAFORM_VERSION "1.11.4"

enum state_mode { STATE_MANAGED, STATE_DATA };

/* Key of an instance in its resource. */
enum state_key_kind { STATE_NO_KEY, STATE_INT_KEY, STATE_STRING_KEY };

struct state_key {
	enum state_key_kind kind;
	int64_t number;
	struct zp_str text;
};

/* What all instances of a resource share. Never changed once made; instances point to it. */
struct state_resource {
	const char *module; /* "" for the root, else "module.a[0].module.b" */
	enum state_mode mode;
	const char *type, *name;
	const char *provider; /* provider["registry.terraform.io/x/y"], maybe with .alias or module prefix */
	const char *address;  /* module.a.type.name */
	struct zp_str extra;  /* unknown members of the resource object: JSON members, or empty */
};

struct state_object {
	const struct state_resource *resource;
	struct state_key key;
	const char *deposed; /* 8 hex digits of a deposed object, or NULL */
	bool tainted;
	bool create_before_destroy;
	int64_t schema_version;
	struct zp_str attributes;	    /* JSON object */
	struct zp_str sensitive_attributes; /* JSON array of paths, or empty */
	struct zp_str private_data;	    /* base64 text, or empty */
	struct zp_str identity;	/* JSON members identity and identity_schema_version, or empty */
	const char *const *dependencies;    /* resource addresses without keys, sorted */
	size_t dependency_count;
	struct zp_str extra;  /* unknown members, as above */
	const char *address;  /* with key, without deposed: module.a.type.name["k"] */
	size_t position;      /* in state->objects; the state's own */
};

struct state_output {
	const char *name;
	struct zp_str value; /* JSON */
	struct zp_str type;  /* cty JSON type */
	bool sensitive;
	struct zp_str extra; /* unknown members, as above */
};

struct state {
	struct zp_arena arena;
	const char *terraform_version; /* of the last writer */
	int64_t serial;
	const char *lineage;
	struct state_output *outputs; /* sorted by name */
	size_t output_count, output_capacity;
	struct state_object **objects; /* NULL where removed; in file order, new ones at the end */
	size_t object_count, object_capacity;
	struct zp_map by_address;   /* address, or address + " (deposed x)" -> struct state_object * */
	struct zp_map resources;    /* resource address -> struct state_resource * */
	struct zp_str check_results;/* JSON, or empty */
	struct zp_str extra;	    /* unknown members of the document */
	struct zp_str text;	    /* the loaded text, which slices refer to; owned */
};

/* A new empty state: serial 0, a new random lineage (UUID). Never NULL. */
struct state *state_new(void);
/*
 * Reads a version 4 document (version 3 is refused with what to do). An empty text is "no state": a
 * new state. NULL and err when damaged (says where), of a newer format, or with duplicate addresses.
 * name is for messages. The text is copied.
 */
struct state *state_parse(struct zp_str text, const char *name, struct zp_error *err);
/* The same without the copy: the buffer's text becomes the state's, and the buffer is empty after. */
struct state *state_parse_take(struct zp_buf *text, const char *name, struct zp_error *err);
void state_free(struct state *state);
/* Appends the document, two-space indented, as the peer lays it out, with a newline at the end. */
void state_write(const struct state *state, struct zp_buf *out);
/* Deep copy. */
struct state *state_clone(const struct state *state);
/* No objects and no outputs. */
bool state_is_empty(const struct state *state);
/* Same objects, outputs and check results, whatever the serial. */
bool state_equal(const struct state *a, const struct state *b);

/* deposed NULL: the current object. NULL when absent. */
struct state_object *state_find(const struct state *state, const char *address, const char *deposed);
/* The shared part for (module, mode, type, name), made when missing; provider replaces a former one. */
const struct state_resource *state_resource(struct state *state, const char *module,
	enum state_mode mode, const char *type, const char *name, const char *provider);
/*
 * Adds or replaces the object at its resource, key and deposed id. Everything is copied into the
 * state; object->resource must come from state_resource() of this state; address is computed.
 */
struct state_object *state_set(struct state *state, const struct state_object *object);
void state_remove(struct state *state, const char *address, const char *deposed);
/* Makes the current object at address a deposed one. False when there is none, or that id is taken. */
bool state_depose(struct state *state, const char *address, const char *deposed);
void state_set_output(struct state *state, const char *name, struct zp_str value_json,
	struct zp_str type_json, bool sensitive);
void state_remove_output(struct state *state, const char *name);

/* Text forms of addresses: [0], ["k"] with the language's escapes, or nothing. */
void state_key_text(struct state_key key, struct zp_buf *out);
bool state_key_equal(struct state_key a, struct state_key b);
void state_address_text(const char *module, enum state_mode mode, const char *type,
	const char *name, struct state_key key, struct zp_buf *out);

#endif

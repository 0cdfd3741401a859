/*
 * Settings of a backend: what its configuration block, -backend-config and the environment say.
 *Kept as text, whatever the kind; absent ones are NULL.
 *
 *	struct state_settings settings;
 *	state_settings_init(&settings, type);
 *	state_settings_set(&settings, "retry_max", "5", err);
 *	const char *text = state_setting(&settings, "retry_max");      or from the environment, or
 *NULL state_settings_release(&settings);
 */
#ifndef STATE_SETTINGS_H
#define STATE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "hcl-lite/value.h"

#define STATE_MAX_SETTINGS 32

enum state_setting_kind { STATE_TEXT_SETTING, STATE_NUMBER_SETTING, STATE_BOOL_SETTING };

struct state_setting {
	const char *name;
	enum state_setting_kind kind;
	bool required;	 /* in the block, the command line, or the environment */
	const char *env; /* variable that is used where the setting is not given, or NULL */
};

struct state_backend_type;

struct state_settings {
	const struct state_backend_type *type;
	char *values[STATE_MAX_SETTINGS]; /* heap, by the type's order */
};

void state_settings_init(struct state_settings *settings, const struct state_backend_type *type);
void state_settings_release(struct state_settings *settings);
void state_settings_copy(struct state_settings *to, const struct state_settings *from);
bool state_settings_equal(const struct state_settings *a, const struct state_settings *b);
/* Number of the setting in the type, or -1. */
int state_settings_find(const struct state_backend_type *type, const char *name);

/* text NULL unsets. An error for an unknown name, or text that is not of the setting's kind. */
int state_settings_set(
	struct state_settings *settings, const char *name, const char *text, struct zp_error *err);
/* From an object or map of primitives, null meaning "not given"; for terraform_remote_state's
 * config. */
int state_settings_from_value(
	struct state_settings *settings, struct hcl_value value, struct zp_error *err);

/* Where not given: the environment's, else NULL. */
const char *state_setting(const struct state_settings *settings, const char *name);
int64_t state_setting_number(
	const struct state_settings *settings, const char *name, int64_t otherwise);
bool state_setting_bool(const struct state_settings *settings, const char *name);

/* As an object of all settings, those not given null; of their kinds. And back; unknown names are
 * skipped. */
void state_settings_write(const struct state_settings *settings, struct zp_json_writer *writer);
bool state_settings_read(struct state_settings *settings, struct zp_json *json);
/* The number by which the peer recognises a configuration block. */
uint32_t state_settings_hash(const struct state_settings *settings);

/* The address without user, password and query: messages hold no secrets. Heap. */
char *state_url_for_messages(const char *url);

#endif

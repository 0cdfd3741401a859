#include <inttypes.h>

#include "hcl-lite/codec.h"
#include "state/state.h"

bool state_key_equal(struct state_key a, struct state_key b)
{
	if (a.kind != b.kind)
		return false;
	if (a.kind == STATE_INT_KEY)
		return a.number == b.number;
	return a.kind == STATE_NO_KEY || zp_str_equal(a.text, b.text);
}

void state_key_text(struct state_key key, struct zp_buf *out)
{
	switch (key.kind) {
	case STATE_NO_KEY:
		break;
	case STATE_INT_KEY:
		zp_buf_printf(out, "[%" PRId64 "]", key.number);
		break;
	case STATE_STRING_KEY:
		zp_buf_char(out, '[');
		hcl_quote(out, key.text);
		zp_buf_char(out, ']');
		break;
	}
}

void state_address_text(const char *module, enum state_mode mode, const char *type,
	const char *name, struct state_key key, struct zp_buf *out)
{
	if (*module)
		zp_buf_printf(out, "%s.", module);
	if (mode == STATE_DATA)
		zp_buf_puts(out, "data.");
	zp_buf_printf(out, "%s.%s", type, name);
	state_key_text(key, out);
}

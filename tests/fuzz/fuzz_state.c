/* States out of any bytes: read or refused, and what was read is written so that it reads the same. */
#include <stdlib.h>

#include "state/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	zp_autoerror err = ZP_ERROR_INIT;
	struct state *state = state_parse(zp_strn((const char *)data, size), "input", &err);
	zp_autobuf text = ZP_BUF_INIT;

	if (!state)
		return 0;
	state_write(state, &text);
	struct state *again = state_parse(zp_buf_slice(&text), "output", &err);
	if (!again || !state_equal(state, again))
		abort();
	state_free(state);
	state_free(again);
	return 0;
}

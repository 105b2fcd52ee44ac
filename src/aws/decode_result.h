/* What a reader's verdict on an answer does to the call's result. */
#pragma once

#include "decode.h"
#include "call.h"

/* DECODE_FINE leaves it alone. An answer that is none is somebody else's, or cut: it is tried again, with what it lacks
 * as the message, to which the call adds whose it is. So is one that there was no memory for. */
void decode_result(enum decode_status status, const char *lacks, struct call_result *result);

/* What a reader's verdict on an answer means for the call's result. */
#pragma once

#include "decode.h"
#include "call.h"

/* DECODE_FINE changes nothing. Garbage is somebody else's answer, or a cut one: the call is tried again. Its message is
 * what the answer lacks; the call adds who answered. An answer that there was no memory for is tried again, too. */
void decode_result(enum decode_status status, const char *lacks, struct call_result *result);

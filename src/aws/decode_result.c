#include "decode_result.h"

#include <stdio.h>

void decode_result(enum decode_status status, const char *lacks, struct call_result *result) {
    if (status == DECODE_FINE) {
        return;
    }
    result->class = CALL_RETRY;
    result->from_service = false;
    result->code[0] = '\0';
    result->foreign = status == DECODE_GARBAGE;
    (void)snprintf(result->message, sizeof result->message, "%s", result->foreign ? lacks : "no memory for the answer");
}

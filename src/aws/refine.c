#include "refine.h"

#include <stdio.h>

void refine_by_answer(enum answer_status status, const char *lacks, struct call_result *result) {
    if (status == ANSWER_FINE) {
        return;
    }
    result->class = CALL_RETRY;
    result->from_service = false;
    result->code[0] = '\0';
    result->foreign = status == ANSWER_GARBAGE;
    (void)snprintf(result->message, sizeof result->message, "%s", result->foreign ? lacks : "no memory for the answer");
}

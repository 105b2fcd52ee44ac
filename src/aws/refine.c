#include "refine.h"

#include <stdio.h>

void refine_by_answer(enum answer_status status, struct call_result *result) {
    if (status == ANSWER_FINE) {
        return;
    }
    result->class = CALL_RETRY;
    result->from_service = false;
    result->code[0] = '\0';
    (void)snprintf(result->message, sizeof result->message, "%s",
                   status == ANSWER_NO_MEMORY ? "no memory for the answer" : "the answer is cut, or not the service's");
}

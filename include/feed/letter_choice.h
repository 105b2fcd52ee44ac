/* Which messages of the DLQ are meant: those that all of what was given holds for. Pure. */
#pragma once

#include "id_choice.h"
#include "letter.h"
#include "span.h"

#include <stdbool.h>
#include <stdint.h>

#define LETTER_ERROR_NONE "none" /* as --error has it: those that nothing tells the error of */

struct letter_choice {
    struct span error; /* an error type, or LETTER_ERROR_NONE; absent: any */
    const struct id_choice *id; /* NULL: any */
    int64_t since; /* wall microseconds: failed then or later; INT64_MIN: whenever */
};

/* Whether any message is meant. */
bool letter_choice_is_all(const struct letter_choice *choice);
/* When it failed, as far as it can be told: its envelope says so, else it is when it was sent to the queue that it
 * stands in (sent_at; SQS keeps the time of the first send of what it moves itself). */
int64_t letter_failed_at(const struct letter *letter, int64_t sent_at);
/* Whether it is meant. False where there is no memory to tell, too; *ret_ok says so. */
bool letter_is_chosen(const struct letter_choice *choice, const struct letter *letter, int64_t sent_at, bool *ret_ok);

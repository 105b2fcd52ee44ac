/* Which messages of the DLQ are meant: those that meet every choice that was given. Pure. */
#pragma once

#include "id_choice.h"
#include "letter.h"
#include "span.h"

#include <stdbool.h>
#include <stdint.h>

#define LETTER_ERROR_NONE "none" /* the word of --error for messages that tell no error */

struct letter_choice {
    struct span error; /* an error type, or LETTER_ERROR_NONE; absent: any */
    const struct id_choice *id; /* NULL: any */
    int64_t since; /* wall microseconds: failed then or later; INT64_MIN: whenever */
};

/* Whether any message is meant. */
bool letter_choice_is_all(const struct letter_choice *choice);
/* When it failed: as its envelope says, else when it was sent to the queue that it is in (sent_at; where SQS moved it
 * itself, that is still the time of the first send). */
int64_t letter_failed_at(const struct letter *letter, int64_t sent_at);
/* Whether it is meant. False where there is no memory to tell, too; *ret_ok says so. */
bool letter_is_chosen(const struct letter_choice *choice, const struct letter *letter, int64_t sent_at, bool *ret_ok);

/* What follows for a message from what is asked and reported of its letter to the DLQ: it is deleted once the DLQ has
 * acknowledged it, and then only. */
#pragma once

#include "message.h"

/* Its letter is about to be sent: a late failure is confirmed first. */
enum batch_leave message_letter_leaves(struct letter *letter, bool others_go);
/* Its letter's end; code: why, in words for the log. */
void message_letter_ended(struct letter *letter, enum letter_end end, const char *code);
/* It failed for good: on its way to the DLQ, where there is one. */
void message_fail(struct message *m, const char *why);

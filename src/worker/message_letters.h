/* A message and its letter to the DLQ. The message is deleted only once the DLQ has acknowledged the letter. */
#pragma once

#include "message.h"

/* A letter is about to be sent. A failure that was last confirmed a while ago is confirmed again first. */
enum batch_leave message_letter_leaves(struct letter *letter, bool others_go);
/* A letter has ended. code: why, in words for the log. */
void message_letter_ended(struct letter *letter, enum letter_end end, const char *code);
/* It failed for good: sends it to the DLQ, or returns it where there is no DLQ. */
void message_fail(struct message *m, const char *why);

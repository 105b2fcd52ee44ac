/* A line of the log that many messages may have at once: the first is told by itself, further ones of the same minute
 * in one line with their count. */
#pragma once

#include "platform.h"

#define REPEATED_ID_SIZE 112 /* of a MessageId, which has 100 bytes at most */

struct repeated_line {
    const struct platform *platform;
    const char *text;
    struct timer timer; /* runs for a minute after a line */
    unsigned more; /* since then */
    char last_id[REPEATED_ID_SIZE], last_code[CALL_CODE_SIZE];
};

/* platform and text are borrowed. */
void repeated_line_init(struct repeated_line *r, const struct platform *platform, const char *text);
/* code: "" for none. */
void repeated_line_say(struct repeated_line *r, struct span message_id, const char *code);
/* Tells what wasn't yet. */
void repeated_line_done(struct repeated_line *r);

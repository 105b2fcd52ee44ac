/* A log line that may be due for many messages at once. The first is logged by itself; further ones within a minute are
 * logged in one line with their count. */
#pragma once

#include "platform.h"

#define REPEATED_ID_SIZE 112 /* for a MessageId, which has at most 100 bytes */

struct repeated_line {
    const struct platform *platform;
    const char *text;
    struct timer timer; /* runs for a minute after a line */
    unsigned more; /* messages since then, not logged yet */
    char last_id[REPEATED_ID_SIZE], last_code[CALL_CODE_SIZE];
};

/* platform and text are borrowed. */
void repeated_line_init(struct repeated_line *r, const struct platform *platform, const char *text);
/* code: "" for none. */
void repeated_line_say(struct repeated_line *r, struct span message_id, const char *code);
/* Logs what wasn't logged yet. */
void repeated_line_done(struct repeated_line *r);

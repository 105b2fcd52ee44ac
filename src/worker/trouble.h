/* Whether a part of the worker is in trouble, since when and why. Each part that can be in trouble keeps one. Its owner
 * reads them for the log, the status line and the end of a job. Pure. */
#pragma once

#include "cause.h"
#include "verdict.h"

#include <stdbool.h>
#include <stdint.h>

struct trouble {
    bool active;
    int64_t since; /* monotonic; kept when the trouble is over, for the log */
    enum cause cause; /* of the last failure */
    char code[VERDICT_TEXT_SIZE]; /* the last failure in a word or two, for the log; "" where nothing is known */
    char told[VERDICT_TEXT_SIZE]; /* the reason that the log heard last */
    int64_t tell_at; /* monotonic: before then the log doesn't hear of another reason */
};

/* A trouble that has lasted too long, in words for the log. */
struct lost_cause {
    const char *what; /* the part that fails */
    const char *code; /* why, where that is known; else "" */
    enum cause cause;
};

/* Something failed. True: this begins the trouble. */
bool trouble_note(struct trouble *t, int64_t now, enum cause cause, const char *code);
/* A call failed. */
bool trouble_note_call(struct trouble *t, int64_t now, const struct call_result *result);
/* Whether the log is to hear the reason now; if so, it counts as told. It hears the first reason, and each other one,
 * but at most one a minute. A reason held back by that is told with a later failure. */
bool trouble_tell(struct trouble *t, int64_t now, const char *why);
/* The part works again. False: there was no trouble. */
bool trouble_end(struct trouble *t);
/* Whether the trouble has lasted ever since then. */
static inline bool trouble_lasts_since(const struct trouble *t, int64_t then) {
    return t->active && t->since <= then;
}

/* In trouble: since when, because of what. Whoever can be in trouble keeps one; its owner reads them all, for the log,
 * the status line and the end of a job. Pure. */
#pragma once

#include "cause.h"
#include "verdict.h"

#include <stdbool.h>
#include <stdint.h>

struct trouble {
    bool active;
    int64_t since; /* monotonic; stays when it is over, for the log */
    enum cause cause; /* of the last failure */
    char code[VERDICT_TEXT_SIZE]; /* the same in a word or two, for the log; "" where nothing is known */
    char told[VERDICT_TEXT_SIZE]; /* why, as the log heard last */
    int64_t tell_at; /* monotonic: of another reason it hears no sooner */
};

/* One that has lasted too long, for people. */
struct lost_cause {
    const char *what; /* fails */
    const char *code; /* why, where that is known; else "" */
    enum cause cause;
};

/* Something failed. True: the trouble begins with it. */
bool trouble_note(struct trouble *t, int64_t now, enum cause cause, const char *code);
/* A call failed. */
bool trouble_note_call(struct trouble *t, int64_t now, const struct call_result *result);
/* Whether the log has to hear why, for it will now: of the first reason, and of each other one, a minute apart at
 * least. Where the trouble lasts, what was kept back for that is told with a later failure. */
bool trouble_tell(struct trouble *t, int64_t now, const char *why);
/* It works again. False: there was no trouble. */
bool trouble_end(struct trouble *t);
/* Whether it has lasted since then. */
static inline bool trouble_lasts_since(const struct trouble *t, int64_t then) {
    return t->active && t->since <= then;
}

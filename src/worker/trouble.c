#include "trouble.h"

#include <stdio.h>
#include <string.h>

static const int64_t TELL_EVERY = 60 * MICROSECONDS;

bool trouble_note(struct trouble *t, int64_t now, enum cause cause, const char *code) {
    bool begins = !t->active;
    if (begins) {
        t->since = t->tell_at = now;
        t->told[0] = '\0';
    }
    t->active = true;
    t->cause = cause;
    (void)snprintf(t->code, sizeof t->code, "%s", code);
    return begins;
}

bool trouble_note_call(struct trouble *t, int64_t now, const struct call_result *result) {
    struct verdict v = verdict_of_call(result);
    char code[VERDICT_TEXT_SIZE];
    verdict_describe(&v, code);
    return trouble_note(t, now, v.cause, code);
}

bool trouble_tell(struct trouble *t, int64_t now, const char *why) {
    if (now < t->tell_at || strncmp(t->told, why, sizeof t->told - 1) == 0)
        return false;
    (void)snprintf(t->told, sizeof t->told, "%s", why);
    t->tell_at = now + TELL_EVERY;
    return true;
}

bool trouble_end(struct trouble *t) {
    bool was = t->active;
    t->active = false;
    return was;
}

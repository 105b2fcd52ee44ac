#include "trouble.h"

#include <stdio.h>

bool trouble_note(struct trouble *t, int64_t now, enum cause cause, const char *code) {
    bool begins = !t->active;
    if (begins)
        t->since = now;
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

bool trouble_end(struct trouble *t) {
    bool was = t->active;
    t->active = false;
    return was;
}

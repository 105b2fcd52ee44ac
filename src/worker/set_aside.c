#include "set_aside.h"

#include "clock.h"

static const unsigned SHORTEST = 30, LONGEST = 900; /* seconds */
static const int64_t TOLD_EVERY = 600 * MICROSECONDS;

static struct set_aside_message *find(struct set_aside *s, uint64_t hash) {
    for (size_t i = 0; i < s->count; i++)
        if (s->messages[i].hash == hash)
            return &s->messages[i];
    return NULL;
}

static struct set_aside_message *place_for(struct set_aside *s, uint64_t hash) {
    struct set_aside_message *m = find(s, hash);
    if (m)
        return m;
    if (s->count < SET_ASIDE_MAX) {
        m = &s->messages[s->count++];
    } else {
        m = s->messages;
        for (size_t i = 1; i < s->count; i++)
            if (s->messages[i].at < m->at)
                m = &s->messages[i];
    }
    *m = (struct set_aside_message){.hash = hash};
    return m;
}

unsigned set_aside_put(struct set_aside *s, uint64_t hash, int64_t now, bool *ret_tell) {
    struct set_aside_message *m = place_for(s, hash);
    unsigned seconds = SHORTEST;
    for (unsigned i = 0; i < m->times && seconds < LONGEST; i++)
        seconds *= 2;
    *ret_tell = m->times == 0 || now - m->told_at >= TOLD_EVERY;
    if (*ret_tell)
        m->told_at = now;
    m->times++;
    m->at = now;
    return seconds < LONGEST ? seconds : LONGEST;
}

bool set_aside_knows(const struct set_aside *s, uint64_t hash) {
    for (size_t i = 0; i < s->count; i++)
        if (s->messages[i].hash == hash)
            return true;
    return false;
}

void set_aside_forget(struct set_aside *s, uint64_t hash) {
    struct set_aside_message *m = find(s, hash);
    if (m)
        *m = s->messages[--s->count];
}

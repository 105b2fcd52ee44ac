#include "set_aside.h"

#include "clock.h"

enum { WAYS = 4 }; /* places that one message may have */

static const unsigned SHORTEST = 30, LONGEST = 900; /* seconds */
static const int64_t TOLD_EVERY = 600 * MICROSECONDS;

static size_t first_place(uint64_t hash) {
    return (size_t)(hash % (SET_ASIDE_MAX / WAYS)) * WAYS;
}

/* The message's place. SET_ASIDE_MAX: it isn't there. */
static size_t find(const struct set_aside *s, uint64_t hash) {
    size_t first = first_place(hash);
    for (size_t i = first; i < first + WAYS; i++)
        if (s->messages[i].times > 0 && s->messages[i].hash == hash)
            return i;
    return SET_ASIDE_MAX;
}

/* Clears a place for the message: a free one, or that of the message that was set aside the longest ago. */
static size_t make_place(struct set_aside *s, uint64_t hash) {
    size_t first = first_place(hash), place = first;
    for (size_t i = first; i < first + WAYS && s->messages[place].times > 0; i++)
        if (s->messages[i].times == 0 || s->messages[i].at < s->messages[place].at)
            place = i;
    s->count += s->messages[place].times == 0;
    s->messages[place] = (struct set_aside_message){.hash = hash};
    return place;
}

unsigned set_aside_put(struct set_aside *s, uint64_t hash, int64_t now, bool *ret_tell) {
    size_t place = find(s, hash);
    struct set_aside_message *m = &s->messages[place < SET_ASIDE_MAX ? place : make_place(s, hash)];
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
    return s->count > 0 && find(s, hash) < SET_ASIDE_MAX;
}

void set_aside_forget(struct set_aside *s, uint64_t hash) {
    size_t place = s->count > 0 ? find(s, hash) : SET_ASIDE_MAX;
    if (place == SET_ASIDE_MAX)
        return;
    s->messages[place] = (struct set_aside_message){.times = 0};
    s->count--;
}

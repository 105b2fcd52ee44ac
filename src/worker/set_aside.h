/* Messages that fail by themselves because of something on the network path (a proxy that refuses them, a connection
 * that breaks or is silent each time), while others get through. They have no verdict, so each is returned to the
 * queue, for longer each time. How often it was set aside, and when the log last heard of it, is remembered over its
 * deliveries. Where there are too many, older ones are forgotten. Pure: no clock, no I/O, no allocation, a few steps
 * for each call. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SET_ASIDE_MAX 1024

struct set_aside_message {
    uint64_t hash; /* of its id, with a secret seed */
    unsigned times; /* how often it was set aside; 0: the place is free */
    int64_t at; /* monotonic: when it was last set aside */
    int64_t told_at;
};

struct set_aside {
    struct set_aside_message messages[SET_ASIDE_MAX];
    size_t count; /* messages in use */
};

/* Sets a message aside, and returns the seconds for which it is to be returned. *ret_tell: the log is to hear of it
 * now. */
unsigned set_aside_put(struct set_aside *s, uint64_t hash, int64_t now, bool *ret_tell);
/* Whether it was set aside in an earlier delivery. */
bool set_aside_knows(const struct set_aside *s, uint64_t hash);
/* It got through after all. */
void set_aside_forget(struct set_aside *s, uint64_t hash);

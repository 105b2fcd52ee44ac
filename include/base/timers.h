/* Many timers behind one clock: a heap inside its own nodes, so that starting one never allocates and never fails.
 * It knows no loop: the event loop (or a simulation) asks when the next is due, and runs those that are. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct timer {
    void (*fire)(void *user); /* may start or stop any timer, itself included */
    void *user;
    int64_t due; /* monotonic microseconds; only valid while it runs */
    uint64_t order;
    struct timer *child, *next,
        *previous; /* a pairing heap: first child; siblings; previous of a first child is its parent */
    bool running;
};

struct timers { /* zeroed: none */
    struct timer *root;
    struct timer *firing; /* inside timers_run(): the due ones that haven't fired yet */
    bool running; /* inside timers_run() */
    uint64_t started; /* ties fire in the order they were started */
};

void timer_init(struct timer *t, void (*fire)(void *user), void *user);
/* Starts it, or starts it anew: it fires once, when the clock reaches due. */
void timer_start(struct timers *all, struct timer *t, int64_t due);
/* Does nothing to one that isn't running. */
void timer_stop(struct timers *all, struct timer *t);
/* When the earliest is due, or NEVER. */
int64_t timers_next(const struct timers *all);
/* Fires those due at now, earliest first, and returns how many. One that a callback starts waits for the next call,
 * even if it is due already. A callback may stop (and free) others that are due: they don't fire. Called from a
 * callback, this fires nothing. */
unsigned timers_run(struct timers *all, int64_t now);

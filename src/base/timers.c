#include "timers.h"

#include "clock.h"

#include <stddef.h>

void timer_init(struct timer *t, void (*fire)(void *user), void *user) {
    *t = (struct timer){.fire = fire, .user = user};
}

static bool comes_before(const struct timer *a, const struct timer *b) {
    return a->due != b->due ? a->due < b->due : a->order < b->order;
}

/* Makes one heap of two, neither of which has siblings; either may be empty. */
static struct timer *meld(struct timer *a, struct timer *b) {
    if (!a || !b)
        return a ? a : b;
    if (comes_before(b, a)) {
        struct timer *earlier = b;
        b = a;
        a = earlier;
    }
    b->previous = a;
    b->next = a->child;
    if (a->child)
        a->child->previous = b;
    a->child = b;
    return a;
}

static struct timer *detach(struct timer *t) {
    if (t)
        t->next = t->previous = NULL;
    return t;
}

/* Makes one heap of the siblings from first on: first in pairs from the left, then of the pairs from the right. */
static struct timer *meld_siblings(struct timer *first) {
    struct timer *pairs = NULL;
    while (first) {
        struct timer *second = first->next;
        struct timer *rest = second ? second->next : NULL;
        struct timer *pair = meld(detach(first), detach(second));
        pair->next = pairs;
        pairs = pair;
        first = rest;
    }
    struct timer *heap = NULL;
    while (pairs) {
        struct timer *rest = pairs->next;
        heap = meld(heap, detach(pairs));
        pairs = rest;
    }
    return heap;
}

static void insert(struct timers *all, struct timer *t) {
    all->root = meld(all->root, t);
}

/* A timer in the list of those that fire has no children; the list links them as siblings. */
static void take_out(struct timers *all, struct timer *t) {
    if (t->next)
        t->next->previous = t->previous;
    if (!t->previous) {
        if (t == all->root)
            all->root = NULL;
        else
            all->firing = t->next;
    } else if (t->previous->child == t) {
        t->previous->child = t->next;
    } else {
        t->previous->next = t->next;
    }
    struct timer *children = meld_siblings(t->child);
    t->child = NULL;
    (void)detach(t);
    insert(all, children);
}

void timer_start(struct timers *all, struct timer *t, int64_t due) {
    timer_stop(all, t);
    t->due = due;
    t->order = all->started++;
    t->running = true;
    insert(all, t);
}

void timer_stop(struct timers *all, struct timer *t) {
    if (!t->running)
        return;
    take_out(all, t);
    t->running = false;
}

int64_t timers_next(const struct timers *all) {
    int64_t due = all->root ? all->root->due : NEVER;
    return all->firing && all->firing->due < due ? all->firing->due : due;
}

unsigned timers_run(struct timers *all, int64_t now) {
    if (all->running)
        return 0;
    all->running = true;
    /* Those that are due move to a list first. A callback may stop what is in it, and what a callback starts can't get
     * in. */
    struct timer *last = NULL;
    while (all->root && all->root->due <= now) {
        struct timer *t = all->root;
        take_out(all, t);
        t->previous = last;
        if (last)
            last->next = t;
        else
            all->firing = t;
        last = t;
    }
    unsigned fired = 0;
    while (all->firing) {
        struct timer *t = all->firing;
        timer_stop(all, t);
        fired++;
        t->fire(t->user);
    }
    all->running = false;
    return fired;
}

#include "loop.h"
#include "loop_private.h"

#include <ev.h>
#include <stdlib.h>

/* libev turns at least this often, even if nothing happens. A process that hasn't for twice as long stood still. */
static const ev_tstamp TICK = 1.0;
static const int64_t STOOD_STILL = 2 * MICROSECONDS;
#define OWN_WATCHERS 3 /* tick, prepare, check: they always run */
#define ROUNDS_MOST 4 /* of timers that start one another for now, before descriptors have their turn */

struct loop {
    struct ev_loop *ev;
    struct clock clock;
    struct timers timers;
    ev_timer timer;
    int64_t armed; /* the moment that timer is set for, at the latest the next of ours; NEVER: it is stopped */
    ev_timer tick;
    ev_prepare prepare;
    ev_check check;
    int64_t turned_at; /* monotonic: when libev last came back from its wait */
    int64_t ready_since;
    int64_t stood_until; /* NEVER: it never stood still */
    uint64_t turns;
    bool stopped;
};

struct loop_watch {
    struct loop *loop;
    union {
        ev_io io;
        ev_signal signal;
    };
    bool is_signal;
    union {
        void (*ready)(void *user, unsigned events);
        void (*arrived)(void *user);
    };
    void *user;
};

static void on_timer(struct ev_loop *ev, ev_timer *timer, int events) {
    (void)timer, (void)events;
    struct loop *loop = ev_userdata(ev);
    loop->armed = NEVER;
    timers_run(&loop->timers, clock_monotonic(&loop->clock));
}

/* Sets libev's timer to the next of ours. If it is set for an earlier moment, it stays: one wake-up for nothing costs
 * less than setting it anew each time that a deadline is met. */
static void arm(struct ev_loop *ev, struct loop *loop, int64_t due) {
    if (due == loop->armed || (due > loop->armed && due != NEVER)) {
        return;
    }
    loop->armed = due;
    ev_timer_stop(ev, &loop->timer);
    if (due == NEVER) {
        return;
    }
    /* libev counts the delay from its own idea of now, which is as old as its last wait. */
    ev_now_update(ev);
    int64_t left = due - clock_monotonic(&loop->clock);
    ev_timer_set(&loop->timer, left > 0 ? (double)left / (double)MICROSECONDS : 0.0, 0.0);
    ev_timer_start(ev, &loop->timer);
}

/* Callbacks start and stop timers as they like; libev is told once a turn, just before it waits. Timers that are due by
 * then fire first, and those that they start for now: most requests go out by such a timer, started by the answer to
 * the one before, and waiting for each would cost a system call. */
static void on_prepare(struct ev_loop *ev, ev_prepare *prepare, int events) {
    (void)prepare, (void)events;
    struct loop *loop = ev_userdata(ev);
    loop->turns++;
    for (unsigned round = 0; round < ROUNDS_MOST && !loop->stopped; round++) {
        int64_t now = clock_monotonic(&loop->clock);
        if (timers_next(&loop->timers) > now) {
            break;
        }
        timers_run(&loop->timers, now);
    }
    arm(ev, loop, timers_next(&loop->timers));
}

static void on_tick(struct ev_loop *ev, ev_timer *timer, int events) {
    (void)ev, (void)timer, (void)events;
}

/* libev is back from its wait, and calls this before anything else. Timers are fired here after a standstill, because
 * libev's wait runs on a clock that may have stood still, too. */
static void on_check(struct ev_loop *ev, ev_check *check, int events) {
    (void)check, (void)events;
    struct loop *loop = ev_userdata(ev);
    int64_t now = clock_monotonic(&loop->clock);
    bool stood = now - loop->turned_at > STOOD_STILL;
    loop->ready_since = stood ? loop->turned_at : now;
    loop->turned_at = now;
    if (stood) {
        loop->stood_until = now;
        timers_run(&loop->timers, now);
    }
}

struct loop *loop_new(void) {
    struct loop *loop = calloc(1, sizeof *loop);
    if (!loop) {
        return NULL;
    }
    loop->ev = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
    if (!loop->ev) {
        free(loop);
        return NULL;
    }
    loop->clock = clock_system();
    loop->armed = NEVER;
    ev_set_userdata(loop->ev, loop);
    ev_timer_init(&loop->timer, on_timer, 0.0, 0.0);
    ev_prepare_init(&loop->prepare, on_prepare);
    ev_prepare_start(loop->ev, &loop->prepare);
    ev_check_init(&loop->check, on_check);
    ev_set_priority(&loop->check, EV_MAXPRI);
    ev_check_start(loop->ev, &loop->check);
    ev_timer_init(&loop->tick, on_tick, TICK, TICK);
    ev_timer_start(loop->ev, &loop->tick);
    for (int own = 0; own < OWN_WATCHERS; own++) {
        ev_unref(loop->ev); /* nobody waits for these alone */
    }
    loop->turned_at = loop->ready_since = clock_monotonic(&loop->clock);
    loop->stood_until = NEVER;
    return loop;
}

void loop_free(struct loop *loop) {
    if (!loop) {
        return;
    }
    for (int own = 0; own < OWN_WATCHERS; own++) {
        ev_ref(loop->ev);
    }
    ev_prepare_stop(loop->ev, &loop->prepare);
    ev_check_stop(loop->ev, &loop->check);
    ev_timer_stop(loop->ev, &loop->tick);
    ev_timer_stop(loop->ev, &loop->timer);
    ev_loop_destroy(loop->ev);
    free(loop);
}

struct timers *loop_timers(struct loop *loop) {
    return &loop->timers;
}

struct clock loop_clock(const struct loop *loop) {
    return loop->clock;
}

struct ev_loop *loop_ev(struct loop *loop) {
    return loop->ev;
}

int64_t loop_ready_since(const struct loop *loop) {
    return loop->ready_since;
}

int64_t loop_stood_until(const struct loop *loop) {
    return loop->stood_until;
}

bool loop_run(struct loop *loop) {
    loop->turned_at = clock_monotonic(&loop->clock);
    /* libev counts only its own watchers. A timer that the last callback started is not among them until the next
     * turn. */
    do {
        ev_run(loop->ev, loop->stopped ? EVRUN_NOWAIT : 0);
    } while (!loop->stopped && timers_next(&loop->timers) != NEVER);
    bool stopped = loop->stopped;
    loop->stopped = false;
    return stopped;
}

void loop_stop(struct loop *loop) {
    loop->stopped = true;
    ev_break(loop->ev, EVBREAK_ONE);
}

uint64_t loop_turns(const struct loop *loop) {
    return loop->turns;
}

static void on_io(struct ev_loop *ev, ev_io *io, int events) {
    (void)ev;
    struct loop_watch *watch = io->data;
    watch->ready(watch->user, (events & EV_READ ? LOOP_READ : 0U) | (events & EV_WRITE ? LOOP_WRITE : 0U));
}

static void on_signal(struct ev_loop *ev, ev_signal *signal, int events) {
    (void)ev, (void)events;
    struct loop_watch *watch = signal->data;
    watch->arrived(watch->user);
}

static struct loop_watch *watch_new(struct loop *loop, void *user) {
    struct loop_watch *watch = calloc(1, sizeof *watch);
    if (watch) {
        watch->loop = loop;
        watch->user = user;
    }
    return watch;
}

static int ev_events(unsigned events) {
    return (events & LOOP_READ ? EV_READ : 0) | (events & LOOP_WRITE ? EV_WRITE : 0);
}

struct loop_watch *loop_watch_fd(struct loop *loop, int fd, unsigned events, void (*ready)(void *user, unsigned events),
                                 void *user) {
    struct loop_watch *watch = watch_new(loop, user);
    if (!watch) {
        return NULL;
    }
    watch->ready = ready;
    ev_io_init(&watch->io, on_io, fd, ev_events(events));
    watch->io.data = watch;
    if (events) {
        ev_io_start(loop->ev, &watch->io);
    }
    return watch;
}

void loop_watch_events(struct loop_watch *watch, unsigned events) {
    ev_io_stop(watch->loop->ev, &watch->io);
    if (events) {
        ev_io_set(&watch->io, watch->io.fd, ev_events(events));
        ev_io_start(watch->loop->ev, &watch->io);
    }
}

struct loop_watch *loop_watch_signal(struct loop *loop, int signal, void (*arrived)(void *user), void *user) {
    struct loop_watch *watch = watch_new(loop, user);
    if (!watch) {
        return NULL;
    }
    watch->is_signal = true;
    watch->arrived = arrived;
    ev_signal_init(&watch->signal, on_signal, signal);
    watch->signal.data = watch;
    ev_signal_start(loop->ev, &watch->signal);
    ev_unref(loop->ev);
    return watch;
}

void loop_watch_free(struct loop_watch *watch) {
    if (!watch) {
        return;
    }
    struct loop *loop = watch->loop;
    if (watch->is_signal) {
        ev_ref(loop->ev);
        ev_signal_stop(loop->ev, &watch->signal);
    } else {
        ev_io_stop(loop->ev, &watch->io);
    }
    free(watch);
}

/* The event loop: libev, reduced to what the program needs of it. It drives the timers of base/timers.h on the
 * machine's monotonic clock, and watches descriptors and signals. One thread.
 *
 * The process may stand still for long: stopped, frozen, or on a machine that sleeps. After that, the timers that fell
 * due meanwhile fire first; only then are descriptors looked at that became ready meanwhile. */
#pragma once

#include "clock.h"
#include "compiler.h"
#include "timers.h"

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct loop_watch;

/* A loop of its own, not libev's default one. NULL: no memory, or the kernel gives no descriptor. */
MUST_USE struct loop *loop_new(void);
/* All watches must be gone, and nothing that borrowed the loop may be left. */
void loop_free(struct loop *loop);

/* Timers that the loop fires, for as long as it lives. */
struct timers *loop_timers(struct loop *loop);
/* The clocks those timers run on. */
struct clock loop_clock(const struct loop *loop);

/* A monotonic moment at which a descriptor that is reported ready now was not ready yet, or had only just become so:
 * the beginning of this turn; if the process stood still, the last moment before that. */
int64_t loop_ready_since(const struct loop *loop);
/* When it was last found that the process had stood still (monotonic); NEVER: it never was. */
int64_t loop_stood_until(const struct loop *loop);

/* Runs callbacks until loop_stop() (true), or until nothing is watched and no timer runs, so that nothing could ever
 * happen (false). Not from inside a callback. */
bool loop_run(struct loop *loop);
/* Ends loop_run() when the callbacks that are due by now have run. Where the loop doesn't run, the next loop_run() ends
 * after one turn. */
void loop_stop(struct loop *loop);
/* How many times the loop has come back to waiting: while this grows, no callback hangs. */
uint64_t loop_turns(const struct loop *loop);

enum loop_events { LOOP_READ = 1, LOOP_WRITE = 2 };

/* Calls ready again and again while the descriptor is readable or writable, as asked. Regular files are always both. A
 * callback may change or end any watch, its own included. NULL: no memory. */
MUST_USE struct loop_watch *loop_watch_fd(struct loop *loop, int fd, unsigned events,
                                          void (*ready)(void *user, unsigned events), void *user);
/* Changes what a descriptor's watch waits for; 0: nothing, until changed again. */
void loop_watch_events(struct loop_watch *watch, unsigned events);
/* Calls arrived from the loop after each arrival of the signal (several may count as one). Only one loop may watch a
 * signal. A signal that is watched doesn't keep loop_run() going. */
MUST_USE struct loop_watch *loop_watch_signal(struct loop *loop, int signal, void (*arrived)(void *user), void *user);
/* Ends a watch; the descriptor stays open. NULL is fine. */
void loop_watch_free(struct loop_watch *watch);

#include "notify.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#define STATUS_INTERVAL (10 * MICROSECONDS)
#define STOP_MARGIN_SECONDS 15 /* what giving messages back may take beyond the drain itself */

/* Failures are of no interest: without a manager there is nobody to tell, and without memory or a socket it will notice by itself. */
static void tell(const char *state) {
    (void)sd_notify(0, state);
}

static void feed_watchdog(void *user) {
    struct notifier *n = user;
    tell("WATCHDOG=1");
    timer_start(n->timers, &n->watchdog, clock_monotonic(&n->clock) + n->watchdog_interval);
}

static void feed_status(void *user) {
    struct notifier *n = user;
    notify_status(n);
    timer_start(n->timers, &n->status, clock_monotonic(&n->clock) + STATUS_INTERVAL);
}

void notify_start(struct notifier *n, struct timers *timers, struct clock clock,
                  void (*describe)(void *user, char ret_line[static NOTIFY_STATUS_SIZE]), void *user) {
    *n = (struct notifier){.timers = timers, .clock = clock, .describe = describe, .user = user};
    timer_init(&n->watchdog, feed_watchdog, n);
    timer_init(&n->status, feed_status, n);
    uint64_t interval = 0;
    if (sd_watchdog_enabled(0, &interval) > 0 && interval < (uint64_t)INT64_MAX) {
        n->watchdog_interval = (int64_t)(interval / 2);
        feed_watchdog(n);
    }
    feed_status(n);
}

void notify_status(struct notifier *n) {
    char line[NOTIFY_STATUS_SIZE];
    n->describe(n->user, line);
    if (strcmp(line, n->told) == 0) {
        return;
    }
    (void)snprintf(n->told, sizeof n->told, "%s", line);
    char state[sizeof "STATUS=" + NOTIFY_STATUS_SIZE];
    (void)snprintf(state, sizeof state, "STATUS=%s", line);
    tell(state);
}

void notify_ready(struct notifier *n) {
    if (!n->ready) {
        n->ready = true;
        tell("READY=1");
    }
}

void notify_stopping(struct notifier *n, unsigned drain_seconds) {
    char state[96];
    (void)snprintf(state, sizeof state, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%" PRIu64,
                   ((uint64_t)drain_seconds + STOP_MARGIN_SECONDS) * (uint64_t)MICROSECONDS);
    tell(state);
    notify_status(n);
}

void notify_stop(struct notifier *n) {
    if (n->timers) {
        timer_stop(n->timers, &n->watchdog);
        timer_stop(n->timers, &n->status);
    }
    *n = (struct notifier){0};
}

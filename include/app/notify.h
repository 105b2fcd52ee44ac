/* Messages to the service manager, by the protocol of sd_notify(3); nothing is sent where there is no manager. Sending
 * never waits. Watchdog and status line are fed by timers of the loop: where the loop is stuck in a callback, they
 * stop. */
#pragma once

#include "clock.h"
#include "timers.h"

#include <stdbool.h>
#include <stddef.h>

#define NOTIFY_STATUS_SIZE 320

struct notifier {
    struct timers *timers;
    struct clock clock;
    int64_t watchdog_interval; /* microseconds; 0: no watchdog is wanted */
    struct timer watchdog, status;
    /* Writes the status line of now. */
    void (*describe)(void *user, char ret_line[static NOTIFY_STATUS_SIZE]);
    void *user;
    char told[NOTIFY_STATUS_SIZE]; /* the last status line */
    int fd; /* the manager's socket; -1: there is none */
    bool ready, ready_told;
};

/* Starts feeding. describe is asked every ten seconds, and by notify_status(). */
void notify_start(struct notifier *n, struct timers *timers, struct clock clock,
                  void (*describe)(void *user, char ret_line[static NOTIFY_STATUS_SIZE]), void *user);
/* Sends the status line now, if it has changed. */
void notify_status(struct notifier *n);
/* READY=1, once. */
void notify_ready(struct notifier *n);
/* RELOADING=1, where READY=1 was told; notify_reloaded() ends it. */
void notify_reloading(struct notifier *n);
void notify_reloaded(struct notifier *n);
/* STOPPING=1; the manager is asked to wait for as long as draining may take, whatever its TimeoutStopSec. */
void notify_stopping(struct notifier *n, unsigned drain_seconds);
/* Stops feeding. Takes a zeroed one too. */
void notify_stop(struct notifier *n);

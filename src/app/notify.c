#include "notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#define STATUS_INTERVAL (10 * MICROSECONDS)
#define STOP_MARGIN_SECONDS 15 /* what giving messages back may take beyond the drain itself */

/* Connects to NOTIFY_SOCKET as sd_notify(3) describes it: a path, or a name in the abstract namespace after '@'. -1:
 * there is no manager. */
static int connect_to_manager(void) {
    const char *name = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = name ? strlen(name) : 0;
    if (len < 2 || len >= sizeof address.sun_path || (name[0] != '/' && name[0] != '@')) {
        return -1;
    }
    memcpy(address.sun_path, name, len);
    if (name[0] == '@') {
        address.sun_path[0] = '\0';
    }
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address,
                           (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) != 0) {
        (void)close(fd);
        fd = -1;
    }
    return fd;
}

/* sd_notify() itself would wait for a manager that doesn't read, and the loop with it. False: the manager has no room
 * now. */
static bool tell(const struct notifier *n, const char *state) {
    return n->fd < 0 || send(n->fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT) >= 0 ||
           (errno != EAGAIN && errno != ENOBUFS);
}

/* READY=1 must not be lost: it is told again until there was room. */
static void tell_ready(struct notifier *n) {
    if (n->ready && !n->ready_told) {
        n->ready_told = tell(n, "READY=1");
    }
}

static void feed_watchdog(void *user) {
    struct notifier *n = user;
    tell_ready(n);
    (void)tell(n, "WATCHDOG=1");
    timer_start(n->timers, &n->watchdog, clock_monotonic(&n->clock) + n->watchdog_interval);
}

static void feed_status(void *user) {
    struct notifier *n = user;
    tell_ready(n);
    notify_status(n);
    timer_start(n->timers, &n->status, clock_monotonic(&n->clock) + STATUS_INTERVAL);
}

void notify_start(struct notifier *n, struct timers *timers, struct clock clock,
                  void (*describe)(void *user, char ret_line[static NOTIFY_STATUS_SIZE]), void *user) {
    *n = (struct notifier){
        .timers = timers, .clock = clock, .describe = describe, .user = user, .fd = connect_to_manager()};
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
    char state[sizeof "STATUS=" + NOTIFY_STATUS_SIZE];
    (void)snprintf(state, sizeof state, "STATUS=%s", line);
    if (tell(n, state)) {
        (void)snprintf(n->told, sizeof n->told, "%s", line);
    }
}

void notify_ready(struct notifier *n) {
    n->ready = true;
    tell_ready(n);
}

void notify_reloading(struct notifier *n) {
    char state[96];
    (void)snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, clock_monotonic(&n->clock));
    if (n->ready_told && tell(n, state)) {
        n->ready_told = false; /* to be told anew */
    }
}

void notify_reloaded(struct notifier *n) {
    tell_ready(n);
    notify_status(n);
}

void notify_stopping(struct notifier *n, unsigned drain_seconds) {
    char state[96];
    (void)snprintf(state, sizeof state, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%" PRIu64,
                   ((uint64_t)drain_seconds + STOP_MARGIN_SECONDS) * (uint64_t)MICROSECONDS);
    (void)tell(n, state);
    notify_status(n);
}

void notify_stop(struct notifier *n) {
    if (n->timers) {
        timer_stop(n->timers, &n->watchdog);
        timer_stop(n->timers, &n->status);
        if (n->fd >= 0) {
            (void)close(n->fd);
        }
    }
    *n = (struct notifier){0};
}

/* For a test of the loop: all clocks of the process, libev's and libcurl's too, go on at once to what is waited for
 * next. Nothing else waits. */
#pragma once

#include "clock.h"

#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int64_t virtual_time; /* microseconds beyond the machine's clocks */
static int64_t stand_still; /* microseconds that pass in the next wait, whatever it is for */
static unsigned waits; /* so far */

/* In place of the C library's. */
int clock_gettime(clockid_t id, struct timespec *t) {
    long failed = syscall(SYS_clock_gettime, id, t);
    int64_t moment = (int64_t)t->tv_sec * MICROSECONDS + t->tv_nsec / 1000 + virtual_time;
    *t = (struct timespec){.tv_sec = (time_t)(moment / MICROSECONDS), .tv_nsec = (long)(moment % MICROSECONDS * 1000)};
    return (int)failed;
}

int epoll_wait(int epoll, struct epoll_event *events, int most, int milliseconds) {
    int count = 0;
    waits++;
    /* What one socket sends may take a moment to the other. */
    for (int real = 0; real <= (milliseconds != 0) && count == 0; real++)
        count = (int)syscall(SYS_epoll_pwait, epoll, events, most, real, NULL, (size_t)0);
    if (count == 0 && milliseconds > 0)
        virtual_time += milliseconds * MILLISECOND;
    virtual_time += stand_still;
    stand_still = 0;
    return count;
}

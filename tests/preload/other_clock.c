/* For LD_PRELOAD: a process whose clocks are off by what the test says at any moment, so that an hour passes at once,
 * or the wall clock is wrong. OTHER_CLOCK names a file with a struct offsets, which the test shares. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define LOOK_EVERY 20 /* milliseconds: a jump is no event that a wait would end with */

struct offsets {
    int64_t wall, monotonic, asleep; /* seconds; asleep: that CLOCK_BOOTTIME alone went on */
};

static const struct offsets *offsets;

__attribute__((constructor)) static void take_offsets(void) {
    const char *path = getenv("OTHER_CLOCK");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *shared = mmap(NULL, sizeof *offsets, PROT_READ, MAP_SHARED, fd, 0);
    if (shared != MAP_FAILED)
        offsets = shared;
    (void)close(fd);
}

static int64_t wall_offset(void) {
    return offsets ? __atomic_load_n(&offsets->wall, __ATOMIC_SEQ_CST) : 0;
}

static int64_t monotonic_offset(void) {
    return offsets ? __atomic_load_n(&offsets->monotonic, __ATOMIC_SEQ_CST) : 0;
}

static int64_t asleep_offset(void) {
    return offsets ? __atomic_load_n(&offsets->asleep, __ATOMIC_SEQ_CST) : 0;
}

static void *next(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (!found)
        abort();
    return found;
}

int clock_gettime(clockid_t id, struct timespec *t) {
    static __typeof__(&clock_gettime) real;
    if (!real)
        *(void **)&real = next("clock_gettime");
    int done = real(id, t);
    if (done == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
        t->tv_sec += wall_offset();
    else if (done == 0 && (id == CLOCK_MONOTONIC || id == CLOCK_MONOTONIC_RAW || id == CLOCK_MONOTONIC_COARSE ||
                           id == CLOCK_BOOTTIME))
        t->tv_sec += monotonic_offset() + (id == CLOCK_BOOTTIME ? asleep_offset() : 0);
    return done;
}

int gettimeofday(struct timeval *restrict t, void *restrict zone) {
    (void)zone;
    struct timespec now;
    int done = clock_gettime(CLOCK_REALTIME, &now);
    *t = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
    return done;
}

time_t time(time_t *ret_now) {
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (ret_now)
        *ret_now = now.tv_sec;
    return now.tv_sec;
}

int epoll_wait(int fd, struct epoll_event *events, int count, int timeout) {
    static __typeof__(&epoll_wait) real;
    if (!real)
        *(void **)&real = next("epoll_wait");
    return real(fd, events, count, timeout < 0 || timeout > LOOK_EVERY ? LOOK_EVERY : timeout);
}

/* For LD_PRELOAD: counts the boundaries of a process's network I/O, and ends it by SIGKILL at one of them, as when a
 * machine vanishes. A boundary lies just before and just after each connect, write, read or close of a TCP socket; a
 * read that finds nothing is none. DIE_AT names a file with a struct order, which the test shares. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

struct order {
    uint64_t count; /* boundaries passed */
    uint64_t die_at; /* from 1; 0: never */
    char where[32]; /* written before it dies */
};

static struct order *order;

__attribute__((constructor)) static void take_order(void) {
    const char *path = getenv("DIE_AT");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *shared = mmap(NULL, sizeof *order, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (shared != MAP_FAILED)
        order = shared;
    (void)close(fd);
}

static void boundary(const char *side, const char *call) {
    if (__atomic_add_fetch(&order->count, 1, __ATOMIC_SEQ_CST) != order->die_at)
        return;
    (void)snprintf(order->where, sizeof order->where, "%s %s", side, call);
    (void)kill(getpid(), SIGKILL);
    (void)pause(); /* it is under way */
}

static bool is_counted(int fd) {
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    int error = errno;
    bool network = order && getsockname(fd, (struct sockaddr *)&address, &len) == 0 &&
                   (address.ss_family == AF_INET || address.ss_family == AF_INET6);
    errno = error;
    return network;
}

static bool has_input(int fd) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int error = errno;
    bool ready = poll(&p, 1, 0) == 1;
    errno = error;
    return ready;
}

static void *next(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (!found)
        abort();
    return found;
}

/* result: type and name of what the real call gives. */
#define AROUND(fd, name, begins, result, call, happened)                                                               \
    static __typeof__(&name) real;                                                                                     \
    if (!real)                                                                                                         \
        *(void **)&real = next(#name);                                                                                 \
    bool counted = is_counted(fd);                                                                                     \
    if (counted && (begins))                                                                                           \
        boundary("before", #name);                                                                                     \
    result = call;                                                                                                     \
    int error = errno;                                                                                                 \
    if (counted && (happened))                                                                                         \
        boundary("after", #name);                                                                                      \
    errno = error

int connect(int fd, const struct sockaddr *address, socklen_t len) {
    AROUND(fd, connect, true, int done, real(fd, address, len), true);
    return done;
}

int close(int fd) {
    AROUND(fd, close, true, int done, real(fd), true);
    return done;
}

ssize_t send(int fd, const void *data, size_t len, int flags) {
    AROUND(fd, send, true, ssize_t n, real(fd, data, len, flags), n >= 0);
    return n;
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
    AROUND(fd, sendmsg, true, ssize_t n, real(fd, message, flags), n >= 0);
    return n;
}

ssize_t write(int fd, const void *data, size_t len) {
    AROUND(fd, write, true, ssize_t n, real(fd, data, len), n >= 0);
    return n;
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    AROUND(fd, writev, true, ssize_t n, real(fd, parts, count), n >= 0);
    return n;
}

ssize_t recv(int fd, void *data, size_t len, int flags) {
    AROUND(fd, recv, has_input(fd), ssize_t n, real(fd, data, len, flags), n >= 0);
    return n;
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags) {
    AROUND(fd, recvmsg, has_input(fd), ssize_t n, real(fd, message, flags), n >= 0);
    return n;
}

ssize_t read(int fd, void *data, size_t len) {
    AROUND(fd, read, has_input(fd), ssize_t n, real(fd, data, len), n >= 0);
    return n;
}

/* What a hardened build of a library calls instead. */
ssize_t __recv_chk(int fd, void *data, size_t len, size_t room, int flags);
ssize_t __recv_chk(int fd, void *data, size_t len, size_t room, int flags) {
    if (len > room)
        abort();
    return recv(fd, data, len, flags);
}

ssize_t __read_chk(int fd, void *data, size_t len, size_t room);
ssize_t __read_chk(int fd, void *data, size_t len, size_t room) {
    if (len > room)
        abort();
    return read(fd, data, len);
}

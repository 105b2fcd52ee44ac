#include "failing_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define FAILING(type, error, name, parameters, arguments)                                                              \
    type __real_##name parameters;                                                                                     \
    type __wrap_##name parameters;                                                                                     \
    type __wrap_##name parameters {                                                                                    \
        if (failing_call(#name)) {                                                                                     \
            errno = (error);                                                                                           \
            return -1;                                                                                                 \
        }                                                                                                              \
        return __real_##name arguments;                                                                                \
    }

FAILING(ssize_t, EIO, read, (int fd, void *data, size_t len), (fd, data, len))
FAILING(ssize_t, EIO, write, (int fd, const void *data, size_t len), (fd, data, len))
FAILING(int, EIO, fsync, (int fd), (fd))
FAILING(int, ENOSPC, rename, (const char *from, const char *to), (from, to))
FAILING(ssize_t, EPIPE, send, (int fd, const void *data, size_t len, int flags), (fd, data, len, flags))
FAILING(ssize_t, ECONNRESET, recv, (int fd, void *data, size_t len, int flags), (fd, data, len, flags))
FAILING(int, EIO, fstat, (int fd, struct stat *status), (fd, status))
FAILING(int, EIO, stat, (const char *path, struct stat *status), (path, status))
FAILING(int, EACCES, access, (const char *path, int mode), (path, mode))
FAILING(ssize_t, ENOSYS, getrandom, (void *data, size_t len, unsigned flags), (data, len, flags))
FAILING(int, EINVAL, sigaction, (int number, const struct sigaction *action, struct sigaction *old),
        (number, action, old))
FAILING(int, ENOMEM, setsockopt, (int fd, int level, int name, const void *value, socklen_t len),
        (fd, level, name, value, len))

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);

int __wrap_open(const char *path, int flags, ...) {
    if (failing_call("open")) {
        errno = EMFILE;
        return -1;
    }
    if (!(flags & O_CREAT))
        return __real_open(path, flags);
    va_list arguments;
    va_start(arguments, flags);
    unsigned mode = va_arg(arguments, unsigned);
    va_end(arguments);
    return __real_open(path, flags, mode);
}

#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define AT_ONCE ((size_t)64 * 1024) /* bytes written in one go: the loop has other things to do */

struct output output_of(int fd) {
    struct stat status;
    if (fstat(fd, &status) != 0) {
        return (struct output){fd, OUTPUT_STREAM};
    }
    return (struct output){fd, S_ISREG(status.st_mode)    ? OUTPUT_FILE
                               : S_ISSOCK(status.st_mode) ? OUTPUT_SOCKET
                                                          : OUTPUT_STREAM};
}

bool output_is_open(const struct output *output) {
    int flags = fcntl(output->fd, F_GETFL);
    if (flags >= 0 && (flags & O_ACCMODE) == O_RDONLY) {
        errno = EBADF;
        return false;
    }
    return flags >= 0;
}

/* A pipe that poll() calls writable takes PIPE_BUF bytes without waiting. */
static bool has_room(int fd) {
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    return poll(&p, 1, 0) == 1;
}

/* <0: errno, 0: no room. */
static ssize_t write_piece(const struct output *output, const char *data, size_t len) {
    switch (output->kind) {
    case OUTPUT_FILE: return write(output->fd, data, len);
    case OUTPUT_SOCKET: return send(output->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    case OUTPUT_STREAM: break;
    }
    return has_room(output->fd) ? write(output->fd, data, len < PIPE_BUF ? len : PIPE_BUF) : 0;
}

enum output_status output_write(const struct output *output, struct span bytes, size_t *ret_count) {
    size_t taken = 0, wanted = bytes.len < AT_ONCE ? bytes.len : AT_ONCE;
    while (taken < wanted) {
        ssize_t n = write_piece(output, bytes.data + taken, wanted - taken);
        if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
            return errno == EPIPE || errno == ECONNRESET ? OUTPUT_CLOSED : OUTPUT_FAILED;
        }
        if (n <= 0) {
            break;
        }
        taken += (size_t)n;
    }
    *ret_count = taken;
    return OUTPUT_TOOK;
}

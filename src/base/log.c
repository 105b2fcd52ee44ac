#include "log.h"

#include "buf.h"
#include "log_line.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Writes as much as there is room for now. A socket tells by itself; for anything else poll() tells whether a write
 * would wait (a pipe that has any room takes a whole page). */
static ssize_t write_at_once(int fd, struct span data) {
    ssize_t n = send(fd, data.data, data.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n >= 0 || errno != ENOTSOCK)
        return n;
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    if (poll(&p, 1, 0) != 1 || p.revents != POLLOUT)
        return -1;
    return write(fd, data.data, data.len);
}

static bool emit(struct log *log, const struct log_line *line) {
    /* This storage never grows, so that the log works without memory. */
    char storage[1 + LOG_LINE_MAX + 1];
    struct buf text = {.data = storage, .capacity = sizeof storage, .max = sizeof storage - 1};
    if (log->torn && !log->sink)
        (void)buf_append_char(&text, '\n');
    log_line_append(line, &text);
    if (log->sink) {
        log->sink(log->sink_ctx, span_of(text.data, text.len - 1));
        return true;
    }
    ssize_t n = write_at_once(log->fd, buf_span(&text));
    bool whole = n == (ssize_t)text.len;
    if (n > 0)
        log->torn = !whole;
    return whole;
}

void log_event(struct log *log, enum log_level level, const char *message, const struct log_field *fields) {
    if (log->overheard && log->overheard(log->overheard_ctx, level, message, fields))
        return;
    if (!log_wants(log, level))
        return;
    int error = errno;
    struct log_line line = {log->format, level, clock_wall(&log->clock), message, fields, log->always};
    if (log->lost > 0) {
        /* At any level: every log has to say that lines are missing. */
        const struct log_field count[] = {LOG_I("count", log->lost), {NULL, {NULL, 0}, 0}};
        struct log_line notice = {log->format, LOG_LEVEL_WARNING, line.wall, "Log lines were lost", count, log->always};
        if (emit(log, &notice))
            log->lost = 0;
    }
    if (log->lost > 0 || !emit(log, &line)) {
        log->lost++;
        log->lost_in_all++;
    }
    errno = error;
}

#include "line_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define PIECE ((size_t)64 * 1024)
#define BUFFER_MAX ((size_t)16 * 1024 * 1024) /* a piece and the longest line */

void line_file_none(struct line_file *f) {
    *f = (struct line_file){.fd = -1};
}

bool line_file_open(struct line_file *f, const char *path) {
    *f = (struct line_file){.fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666)};
    buf_init(&f->buffer, BUFFER_MAX);
    return f->fd >= 0;
}

static void write_out(struct line_file *f) {
    size_t at = 0;
    while (!f->error && at < f->buffer.len) {
        ssize_t n = write(f->fd, f->buffer.data + at, f->buffer.len - at);
        if (n > 0) {
            at += (size_t)n;
        } else if (n == 0 || errno != EINTR) {
            f->error = n == 0 ? EIO : errno;
        }
    }
    buf_reset(&f->buffer);
}

void line_file_append(struct line_file *f, struct span text) {
    if (f->fd < 0 || f->error) {
        return;
    }
    (void)buf_append_span(&f->buffer, text);
    if (!buf_append_char(&f->buffer, '\n')) {
        f->error = ENOMEM;
        return;
    }
    if (f->buffer.len >= PIECE) {
        write_out(f);
    }
}

bool line_file_sync(struct line_file *f) {
    if (f->fd < 0) {
        return f->error == 0;
    }
    write_out(f);
    if (!f->error && fdatasync(f->fd) != 0 && errno != EINVAL && errno != EROFS) {
        f->error = errno;
    }
    return f->error == 0;
}

bool line_file_close(struct line_file *f) {
    if (f->fd >= 0) {
        write_out(f);
        if (close(f->fd) != 0 && !f->error) {
            f->error = errno;
        }
        f->fd = -1;
    }
    buf_free(&f->buffer);
    return f->error == 0;
}

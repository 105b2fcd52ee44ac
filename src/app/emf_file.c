#include "emf_file.h"

#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const size_t LINE_MAX_BYTES = 16384;

static bool is_stdout(const struct emf_file *f) {
    return strcmp(f->path, "-") == 0;
}

/* A descriptor to write to, or -1 and errno. O_NONBLOCK: a FIFO that nobody reads isn't waited for. */
static int open_it(const struct emf_file *f) {
    return is_stdout(f) ? STDOUT_FILENO
                        : open(f->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0640);
}

static void close_it(const struct emf_file *f, int fd) {
    if (!is_stdout(f)) {
        (void)close(fd);
    }
}

bool emf_file_open(struct emf_file *f, const char *path, struct log *log) {
    *f = (struct emf_file){.path = path, .log = log};
    if (!path) {
        return true;
    }
    int fd = open_it(f);
    struct output output = {.fd = fd};
    if (fd < 0 || !output_is_open(&output)) {
        LOG_EVENT(log, LOG_LEVEL_ERROR,
                  "METRICS_EMF can't be written: it has to be a file that can be made or added to, or - for standard "
                  "output",
                  LOG_C("file", path), LOG_C("why", strerrordesc_np(errno)));
        f->path = NULL;
        return false;
    }
    close_it(f, fd);
    return true;
}

/* Whether a file can be made there. */
static bool folder_takes(const char *path) {
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) + 1 : 0; /* with the slash: "/" is a folder too */
    if (len + sizeof "." > sizeof folder) {
        errno = ENAMETOOLONG;
        return false;
    }
    (void)snprintf(folder, sizeof folder, "%.*s.", (int)len, path);
    return faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) == 0;
}

bool emf_file_is_possible(const char *path) {
    const struct emf_file f = {.path = path};
    if (is_stdout(&f)) {
        const struct output output = {.fd = STDOUT_FILENO};
        return output_is_open(&output);
    }
    struct stat status;
    if (stat(path, &status) != 0) {
        return errno == ENOENT && folder_takes(path);
    }
    if (S_ISDIR(status.st_mode)) {
        errno = EISDIR;
        return false;
    }
    return faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0;
}

/* errno says why not. */
static bool write_line(const struct emf_file *f, struct span line) {
    int fd = open_it(f);
    if (fd < 0) {
        return false;
    }
    const struct output output = output_of(fd);
    size_t count = 0;
    errno = EAGAIN;
    bool took = output_write(&output, line, &count) == OUTPUT_TOOK && count == line.len;
    int error = errno;
    close_it(f, fd);
    errno = error;
    return took;
}

void emf_file_write(struct emf_file *f, const struct metrics *m, const char *queue, const char *table, int64_t wall) {
    if (!f->path) {
        return;
    }
    const struct metrics_emf before = f->emf;
    struct buf line;
    buf_init(&line, LINE_MAX_BYTES);
    errno = ENOMEM;
    bool took = metrics_emf_append(&f->emf, m, queue, table, wall, &line) && write_line(f, buf_span(&line));
    if (!took) {
        f->emf = before;
    }
    if (!took && !f->failing) {
        LOG_EVENT(f->log, LOG_LEVEL_WARNING,
                  "METRICS_EMF can't be written: what the line would have told comes with the next one that can",
                  LOG_C("file", f->path), LOG_C("why", strerrordesc_np(errno)));
    } else if (took && f->failing) {
        LOG_EVENT(f->log, LOG_LEVEL_INFO, "METRICS_EMF is written again", LOG_C("file", f->path));
    }
    f->failing = !took;
    buf_free(&line);
}

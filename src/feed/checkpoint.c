#include "checkpoint.h"

#include "buf.h"
#include "checkpoint_text.h"
#include "utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define READABLE 0600 /* by its owner alone: it holds --condition, which may have data in it */
#define TRIES 100 /* to open a file that is being replaced meanwhile */

static const char ANEW[] = "to begin anew, remove it (rows that were sent are sent once more, and applied once) or "
                           "give another --job name";

bool job_name_valid(const char *name) {
    size_t len = strlen(name);
    for (size_t at = 0; at < len;) {
        const unsigned char *p = (const unsigned char *)name + at;
        size_t length = utf8_length(*p);
        if (*p < ' ' || *p == '/' || *p == 0x7F || length == 0 || utf8_match(p, len - at) < length) {
            return false;
        }
        at += length;
    }
    return len > 0 && len <= JOB_NAME_MAX;
}

bool checkpoint_default_path(const char *file, const char *job, char ret_path[static CHECKPOINT_PATH_SIZE]) {
    const char *slash = strrchr(file, '/');
    int folder = slash ? (int)(slash + 1 - file) : 0;
    int n = snprintf(ret_path, CHECKPOINT_PATH_SIZE, "%.*s%s.table-updater-job", folder, file, job);
    return n > 0 && n < CHECKPOINT_PATH_SIZE;
}

static enum checkpoint_status fail(const struct checkpoint *c, const char *what, int error,
                                   char why[static CHECKPOINT_WHY_SIZE]) {
    (void)snprintf(why, CHECKPOINT_WHY_SIZE, "The checkpoint %.200s can't be %s: %s", c->path, what,
                   strerrordesc_np(error));
    return CHECKPOINT_FAILED;
}

static enum checkpoint_status unfit(const struct checkpoint *c, const char *what,
                                    char why[static CHECKPOINT_WHY_SIZE]) {
    (void)snprintf(why, CHECKPOINT_WHY_SIZE, "The checkpoint %.150s %s; %s", c->path, what, ANEW);
    return CHECKPOINT_UNFIT;
}

static bool prepare(struct checkpoint *c, const char *path, const char *job, const struct file_identity *identity,
                    char why[static CHECKPOINT_WHY_SIZE]) {
    *c = (struct checkpoint){.fd = -1, .identity = *identity, .state.next = {.number = 1, .line = 1}};
    (void)snprintf(c->job, sizeof c->job, "%s", job);
    int n = snprintf(c->path, sizeof c->path, "%s", path);
    int m = snprintf(c->new_path, sizeof c->new_path, "%s.new", path);
    if (n < 0 || m < 0 || (size_t)m >= sizeof c->new_path) {
        (void)snprintf(why, CHECKPOINT_WHY_SIZE, "The checkpoint's path is too long");
        return false;
    }
    return true;
}

static bool read_text(int fd, struct buf *out) {
    for (;;) {
        char *room = buf_reserve(out, CHECKPOINT_TEXT_MAX / 4);
        ssize_t n = room ? read(fd, room, CHECKPOINT_TEXT_MAX / 4) : 0;
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return false;
        }
        if (n == 0) {
            return true; /* a text that is too long lacks its end here, and so counts as damaged */
        }
        buf_advance(out, (size_t)n);
    }
}

/* Reads what stands there, and holds it against what is expected. */
static enum checkpoint_status look_at(struct checkpoint *c, int fd, char why[static CHECKPOINT_WHY_SIZE]) {
    struct checkpoint found = {.fd = -1};
    struct buf text;
    buf_init(&text, CHECKPOINT_TEXT_MAX);
    if (!read_text(fd, &text)) {
        int error = errno;
        buf_free(&text);
        return fail(c, "read", error, why);
    }
    enum checkpoint_text status = checkpoint_text_read(buf_span(&text), &found);
    buf_free(&text);
    if (status != TEXT_FINE) {
        return unfit(c,
                     status == TEXT_DAMAGED ? "is damaged"
                                            : "was written by another version of table-updater, which "
                                              "this one doesn't know: go on with that one",
                     why);
    }
    if (strcmp(found.job, c->job) != 0) {
        return unfit(c, "is another job's", why);
    }
    if (found.identity.size != c->identity.size || strcmp(found.identity.sha256, c->identity.sha256) != 0) {
        return unfit(c, "is of another file, or the file was changed since", why);
    }
    c->manner = found.manner;
    c->state = found.state;
    c->goes_on = true;
    return CHECKPOINT_FINE;
}

/* The file that is at the path now, locked; -1: errno, EWOULDBLOCK where another process has it. */
static int open_locked(const char *path) {
    for (int i = 0; i < TRIES; i++) {
        struct stat opened, there;
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0) {
            return -1;
        }
        if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
            int error = errno;
            (void)close(fd);
            errno = error;
            return -1;
        }
        /* Whoever had it may have put another in its place meanwhile. */
        if (fstat(fd, &opened) == 0 && stat(path, &there) == 0 && opened.st_ino == there.st_ino &&
            opened.st_dev == there.st_dev) {
            return fd;
        }
        (void)close(fd);
    }
    errno = EWOULDBLOCK;
    return -1;
}

enum checkpoint_status checkpoint_read(struct checkpoint *c, const char *path, const char *job,
                                       const struct file_identity *identity, char ret_why[static CHECKPOINT_WHY_SIZE]) {
    if (!prepare(c, path, job, identity, ret_why)) {
        return CHECKPOINT_FAILED;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        return errno == ENOENT ? CHECKPOINT_FINE : fail(c, "read", errno, ret_why);
    }
    enum checkpoint_status status = look_at(c, fd, ret_why);
    (void)close(fd);
    return status;
}

static bool write_all(int fd, struct span text) {
    while (text.len > 0) {
        ssize_t n = write(fd, text.data, text.len);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        text = n > 0 ? span_of(text.data + n, text.len - (size_t)n) : text;
    }
    return true;
}

/* Gives a file its name, which nothing may have yet: EEXIST. */
static bool name_first(const char *from, const char *path) {
    if (renameat2(AT_FDCWD, from, AT_FDCWD, path, RENAME_NOREPLACE) == 0) {
        return true;
    }
    /* Some file systems can't (NFS). */
    return (errno == EINVAL || errno == ENOSYS) && link(from, path) == 0 && unlink(from) == 0;
}

/* Puts a whole first checkpoint where there is none; if two processes begin at once, one of them does. So a checkpoint
 * that is empty or cut short is always a damaged one. False: errno; EEXIST where there is one. */
static bool put_first(const struct checkpoint *c) {
    char first_path[CHECKPOINT_PATH_SIZE + 32];
    struct buf text;
    if (access(c->path, F_OK) == 0) {
        errno = EEXIST;
        return false;
    }
    (void)snprintf(first_path, sizeof first_path, "%s.%ld", c->new_path, (long)getpid());
    buf_init(&text, CHECKPOINT_TEXT_MAX);
    errno = ENOMEM;
    int fd = checkpoint_text_append(c, &text)
                 ? open(first_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, READABLE)
                 : -1;
    bool fine = fd >= 0 && write_all(fd, buf_span(&text)) && fsync(fd) == 0 && name_first(first_path, c->path);
    int error = errno;
    buf_free(&text);
    if (fd >= 0) {
        (void)close(fd);
        if (!fine) {
            (void)unlink(first_path);
        }
    }
    errno = error;
    return fine;
}

enum checkpoint_status checkpoint_open(struct checkpoint *c, const char *path, const char *job,
                                       const struct file_identity *identity, char ret_why[static CHECKPOINT_WHY_SIZE]) {
    if (!prepare(c, path, job, identity, ret_why)) {
        return CHECKPOINT_FAILED;
    }
    bool begins = put_first(c);
    if (!begins && errno != EEXIST) {
        return fail(c, "written", errno, ret_why);
    }
    c->fd = open_locked(path);
    if (c->fd < 0) {
        if (errno == EWOULDBLOCK) {
            (void)snprintf(ret_why, CHECKPOINT_WHY_SIZE, "Another process is at this job: it has the checkpoint %.200s",
                           path);
            return CHECKPOINT_BUSY;
        }
        return fail(c, "read", errno, ret_why);
    }
    enum checkpoint_status status = look_at(c, c->fd, ret_why);
    c->goes_on = c->goes_on && !begins;
    /* That it can be written is seen before anything is sent. */
    return status == CHECKPOINT_FINE && checkpoint_write(c, ret_why) != CHECKPOINT_KEPT ? CHECKPOINT_FAILED : status;
}

/* A new name is safe only once its folder is on the disk. 0: it is; else why not. */
static int sync_folder(const char *path) {
    char folder[CHECKPOINT_PATH_SIZE];
    const char *slash = strrchr(path, '/');
    (void)snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
    int fd = open(folder[0] ? folder : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return errno;
    }
    int error = fsync(fd) == 0 || errno == EINVAL ? 0 : errno; /* some file systems have no such thing */
    (void)close(fd);
    return error;
}

enum checkpoint_written checkpoint_write(struct checkpoint *c, char ret_why[static CHECKPOINT_WHY_SIZE]) {
    struct buf text;
    buf_init(&text, CHECKPOINT_TEXT_MAX);
    errno = ENOMEM;
    int fd = checkpoint_text_append(c, &text)
                 ? open(c->new_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, READABLE)
                 : -1;
    bool fine = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && write_all(fd, buf_span(&text)) && fsync(fd) == 0 &&
                rename(c->new_path, c->path) == 0;
    int error = errno;
    buf_free(&text);
    if (!fine) {
        if (fd >= 0) {
            (void)unlink(c->new_path);
            (void)close(fd);
        }
        (void)fail(c, "written", error, ret_why);
        return CHECKPOINT_UNCHANGED;
    }
    if (c->fd >= 0) {
        (void)close(c->fd);
    }
    c->fd = fd;
    error = sync_folder(c->path);
    if (error) {
        (void)snprintf(ret_why, CHECKPOINT_WHY_SIZE,
                       "The checkpoint %.200s is written, but its folder can't be brought to the disk: %s; a crash of "
                       "the machine could bring the one before it back",
                       c->path, strerrordesc_np(error));
        return CHECKPOINT_UNSURE;
    }
    return CHECKPOINT_KEPT;
}

enum checkpoint_status checkpoint_keep_manner(struct checkpoint *c, const struct job_manner *manner,
                                              char ret_why[static CHECKPOINT_WHY_SIZE]) {
    if (c->manner.known && c->manner.format != manner->format) {
        return unfit(c, "was begun with another --format", ret_why);
    }
    if (c->manner.known && strcmp(c->manner.condition, manner->condition) != 0) {
        return unfit(c, "was begun with another --condition, or with none", ret_why);
    }
    if (c->manner.known) {
        return CHECKPOINT_FINE;
    }
    c->manner = *manner;
    c->manner.known = true;
    return checkpoint_write(c, ret_why) == CHECKPOINT_KEPT ? CHECKPOINT_FINE : CHECKPOINT_FAILED;
}

void checkpoint_close(struct checkpoint *c) {
    if (c->fd >= 0) {
        (void)close(c->fd);
    }
    c->fd = -1;
}

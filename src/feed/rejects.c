#include "rejects.h"

#include "json_reader.h"
#include "json_writer.h"
#include "row_reader.h"
#include "utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFERED ((size_t)64 * 1024)
#define PIECE ((size_t)64 * 1024)
#define OUT_MAX (8 * ROW_SIZE_MAX) /* a row's byte takes six in JSON, at most */

static bool fail(const struct rejects *r, const char *what, int error, char why[static REJECTS_WHY_SIZE]) {
    (void)snprintf(why, REJECTS_WHY_SIZE, "The file of rejected rows, %.200s, can't be %s: %s", r->path, what,
                   strerrordesc_np(error));
    return false;
}

static int by_number(const void *a, const void *b) {
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The number behind the line's first member; 0: there is none. */
static uint64_t line_of(struct span text) {
    static const char before[] = "{\"line\":";
    size_t at = sizeof before - 1;
    uint64_t line = 0;
    if (text.len < at || memcmp(text.data, before, at) != 0) {
        return 0;
    }
    for (; at < text.len && text.data[at] >= '0' && text.data[at] <= '9' && line < UINT64_MAX / 10 - 1; at++) {
        line = line * 10 + (uint64_t)(text.data[at] - '0');
    }
    return line;
}

static bool know(struct rejects *r, uint64_t line, size_t *capacity) {
    if (r->known_count == *capacity) {
        size_t wanted = *capacity ? 2 * *capacity : 64;
        uint64_t *grown = realloc(r->known, wanted * sizeof *grown);
        if (!grown) {
            return false;
        }
        r->known = grown;
        *capacity = wanted;
    }
    r->known[r->known_count++] = line;
    return true;
}

/* What is kept of a line while its end is looked for. */
struct scan {
    uint64_t from;
    char beginning[40];
    size_t length, capacity;
    off_t at, behind_newline;
};

static bool scan_piece(struct rejects *r, struct scan *s, struct span piece) {
    for (size_t i = 0; i < piece.len; i++, s->at++) {
        if (piece.data[i] != '\n') {
            if (s->length < sizeof s->beginning) {
                s->beginning[s->length++] = piece.data[i];
            }
            continue;
        }
        uint64_t line = line_of(span_of(s->beginning, s->length));
        s->length = 0;
        s->behind_newline = s->at + 1;
        if (line >= s->from && !know(r, line, &s->capacity)) {
            return false;
        }
    }
    return true;
}

/* Finds what is in the file. A full disk or a killed process may have left its last line unfinished: of the same job it
 * is cut off, else it gets its newline. */
static bool look_at(struct rejects *r, bool goes_on, uint64_t from, char why[static REJECTS_WHY_SIZE]) {
    struct scan scan = {.from = goes_on ? from : UINT64_MAX};
    char *room = malloc(PIECE);
    errno = ENOMEM;
    bool fine = room != NULL;
    while (fine) {
        ssize_t n = pread(r->fd, room, PIECE, scan.at);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            fine = n == 0;
            break;
        }
        fine = scan_piece(r, &scan, span_of(room, (size_t)n));
        errno = fine ? errno : ENOMEM;
    }
    int error = errno;
    free(room);
    if (!fine) {
        return fail(r, "read", error, why);
    }
    if (scan.length > 0 && goes_on && ftruncate(r->fd, scan.behind_newline) != 0) {
        return fail(r, "written", errno, why);
    }
    if (scan.length > 0 && !goes_on && !buf_append_char(&r->out, '\n')) {
        return fail(r, "written", ENOMEM, why);
    }
    if (r->known_count > 0) {
        qsort(r->known, r->known_count, sizeof *r->known, by_number);
    }
    return true;
}

bool rejects_open(struct rejects *r, const char *path, bool goes_on, uint64_t from,
                  char ret_why[static REJECTS_WHY_SIZE]) {
    *r = (struct rejects){.fd = -1};
    buf_init(&r->out, OUT_MAX);
    int n = snprintf(r->path, sizeof r->path, "%s", path);
    if (n < 0 || (size_t)n >= sizeof r->path) {
        return fail(r, "opened", ENAMETOOLONG, ret_why);
    }
    r->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);
    struct stat status;
    if (r->fd < 0 || fstat(r->fd, &status) != 0) {
        return fail(r, "opened", errno, ret_why);
    }
    return !S_ISREG(status.st_mode) || look_at(r, goes_on, from, ret_why);
}

static bool append_bytes(struct span text, struct buf *out) {
    size_t from = 0, at = 0;
    while (at < text.len) {
        const unsigned char *p = (const unsigned char *)text.data + at;
        size_t length = utf8_length(*p), matched = utf8_match(p, text.len - at);
        if (length && matched >= length) {
            at += length;
            continue;
        }
        (void)buf_append(out, text.data + from, at - from);
        (void)buf_append_cstr(out, "\xEF\xBF\xBD");
        at += matched ? matched : 1;
        from = at;
    }
    return buf_append(out, text.data + from, text.len - from);
}

bool rejects_append_text(struct span text, struct buf *out) {
    struct buf valid;
    buf_init(&valid, 3 * text.len + 1);
    bool fine = append_bytes(text, &valid) && json_append_string(out, buf_span(&valid));
    buf_free(&valid);
    return fine;
}

static bool is_known(const struct rejects *r, uint64_t line) {
    return r->known_count > 0 && bsearch(&line, r->known, r->known_count, sizeof line, by_number) != NULL;
}

bool rejects_add(struct rejects *r, const struct reject *reject, bool *ret_known,
                 char ret_why[static REJECTS_WHY_SIZE]) {
    *ret_known = is_known(r, reject->line);
    if (r->fd < 0 || *ret_known) {
        return true;
    }
    struct buf *out = &r->out;
    buf_printf(out, "{\"line\":%" PRIu64, reject->line);
    if (reject->file) {
        (void)buf_append_cstr(out, ",\"file\":");
        (void)rejects_append_text(span_cstr(reject->file), out);
    }
    (void)buf_append_cstr(out, ",\"error\":");
    (void)failure_append_envelope(reject->failure, (struct span){NULL, 0}, reject->wall, out);
    (void)buf_append_cstr(out, ",\"row\":");
    (void)rejects_append_text(reject->row, out);
    if (!buf_append_cstr(out, "}\n")) {
        return fail(r, "written", ENOMEM, ret_why);
    }
    return out->len < BUFFERED || rejects_flush(r, false, ret_why);
}

bool rejects_flush(struct rejects *r, bool to_disk, char ret_why[static REJECTS_WHY_SIZE]) {
    if (r->fd < 0) {
        return true;
    }
    size_t at = 0;
    r->unsynced = r->unsynced || r->out.len > 0;
    while (at < r->out.len) {
        ssize_t n = write(r->fd, r->out.data + at, r->out.len - at);
        if (n < 0 && errno != EINTR) {
            return fail(r, "written", errno, ret_why);
        }
        at += n > 0 ? (size_t)n : 0;
    }
    buf_reset(&r->out);
    if (to_disk && r->unsynced && fsync(r->fd) != 0 && errno != EINVAL && errno != EROFS) {
        return fail(r, "written to the disk", errno, ret_why);
    }
    r->unsynced = r->unsynced && !to_disk;
    return true;
}

bool rejects_same_file(const char *path, const char *other) {
    struct stat one, two;
    if (strcmp(path, other) == 0) {
        return true; /* though it may not be there yet */
    }
    return stat(path, &one) == 0 && stat(other, &two) == 0 && one.st_ino == two.st_ino && one.st_dev == two.st_dev;
}

void rejects_close(struct rejects *r) {
    if (r->fd >= 0) {
        (void)close(r->fd);
    }
    buf_free(&r->out);
    free(r->known);
    *r = (struct rejects){.fd = -1};
}

#include "row_source.h"

#include "gunzip.h"
#include "unzstd.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE ((size_t)128 * 1024) /* zstd's block, and what one read takes */
#define SNIFFED 6 /* bytes that tell what it is */

enum kind { KIND_UNKNOWN, KIND_PLAIN, KIND_GZIP, KIND_ZSTD };

struct row_source {
    int fd;
    bool regular; /* a file that can be read at any place, and never waits */
    enum kind kind;
    uint64_t size, taken, skip;
    struct span input; /* what is left in `in` */
    bool ended; /* the descriptor has no more */
    const char *fault; /* of the archive: what was unpacked before it was given out */
    struct gunzip gunzip;
    struct unzstd unzstd;
    char why[ROW_SOURCE_WHY_SIZE];
    char in[PIECE], out[PIECE];
};

/* What other programs pack files with, and what undoes it. */
static const struct {
    struct span magic;
    const char *what;
} FOREIGN[] = {
    {SPAN("BZh"), "a bzip2 archive: give what bzcat writes"},
    {SPAN("\xFD\x37zXZ"), "an xz archive: give what xzcat writes"},
    {SPAN("PK\x03\x04"), "a zip archive: give what unzip -p writes"},
    {SPAN("\x04\x22\x4D\x18"), "an lz4 archive: give what lz4cat writes"},
    {SPAN("\xFF\xFE"), "UTF-16 text: give what iconv -f UTF-16 -t UTF-8 writes"},
    {SPAN("\xFE\xFF"), "UTF-16 text: give what iconv -f UTF-16 -t UTF-8 writes"},
};

static bool begins(struct span text, struct span with) {
    return text.len >= with.len && memcmp(text.data, with.data, with.len) == 0;
}

static enum row_source_status broken(struct row_source *s, const char *sentence, const char *detail) {
    (void)snprintf(s->why, sizeof s->why, "%s byte %" PRIu64 ": %.200s", sentence, s->taken - s->input.len, detail);
    return SOURCE_BROKEN;
}

static bool open_path(const char *path, int *ret_fd, struct stat *ret_status, char why[static ROW_SOURCE_WHY_SIZE]) {
    int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    int error = fd < 0 || fstat(fd, ret_status) != 0 ? errno : 0;
    if (!error && S_ISDIR(ret_status->st_mode)) {
        error = EISDIR;
    }
    if (error) {
        (void)snprintf(why, ROW_SOURCE_WHY_SIZE, "it can't be read: %s", strerrordesc_np(error));
        if (fd > STDIN_FILENO) {
            (void)close(fd);
        }
        return false;
    }
    *ret_fd = fd;
    return true;
}

struct row_source *row_source_open(const char *path, char ret_why[static ROW_SOURCE_WHY_SIZE]) {
    int fd = -1;
    struct stat status = {0};
    if (!open_path(path, &fd, &status, ret_why)) {
        return NULL;
    }
    struct row_source *s = malloc(sizeof *s);
    if (!s) {
        (void)snprintf(ret_why, ROW_SOURCE_WHY_SIZE, "there is no memory");
        if (fd > STDIN_FILENO) {
            (void)close(fd);
        }
        return NULL;
    }
    memset(s, 0, offsetof(struct row_source, in)); /* the buffers need no zeros */
    s->fd = fd;
    s->regular = S_ISREG(status.st_mode);
    s->input = span_of(s->in, 0);
    if (s->regular && status.st_size > 0) {
        off_t at = lseek(fd, 0, SEEK_CUR); /* of standard input, which another may have begun to read */
        s->size = (uint64_t)status.st_size;
        s->taken = at > 0 ? (uint64_t)at : 0;
    }
    return s;
}

void row_source_free(struct row_source *s) {
    if (!s) {
        return;
    }
    gunzip_done(&s->gunzip);
    unzstd_done(&s->unzstd);
    if (s->fd > STDIN_FILENO) {
        (void)close(s->fd);
    }
    free(s);
}

const char *row_source_why(const struct row_source *s) {
    return s->why;
}

int row_source_fd(const struct row_source *s) {
    return s->fd;
}

uint64_t row_source_taken(const struct row_source *s) {
    return s->taken;
}

bool row_source_is_plain(const struct row_source *s) {
    return s->kind == KIND_PLAIN;
}

uint64_t row_source_size(const struct row_source *s) {
    return s->size;
}

void row_source_skip(struct row_source *s, uint64_t count) {
    s->skip += count;
}

/* SOURCE_PIECE: there is input, or it has ended. Called where `input` holds less than is needed. */
static enum row_source_status read_more(struct row_source *s) {
    struct pollfd readable = {.fd = s->fd, .events = POLLIN};
    if (!s->regular && poll(&readable, 1, 0) == 0) {
        return SOURCE_WAIT;
    }
    memmove(s->in, s->input.data, s->input.len);
    s->input.data = s->in;
    ssize_t n = read(s->fd, s->in + s->input.len, sizeof s->in - s->input.len);
    if (n < 0) {
        return errno == EINTR || errno == EAGAIN ? SOURCE_WAIT
                                                 : broken(s, "It can't be read further than", strerrordesc_np(errno));
    }
    s->ended = n == 0;
    s->input.len += (size_t)n;
    s->taken += (uint64_t)n;
    return SOURCE_PIECE;
}

static bool is_zstd(struct span text) {
    return begins(text, SPAN("\x28\xB5\x2F\xFD")) ||
           (text.len >= 4 && (text.data[0] & 0xF0) == 0x50 && memcmp(text.data + 1, "\x2A\x4D\x18", 3) == 0);
}

static bool is_gzip(struct span text) {
    return begins(text, SPAN("\x1f\x8b"));
}

const char *row_source_unpacker(const char *path) {
    char text[SNIFFED];
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        return NULL;
    }
    ssize_t n = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) ? read(fd, text, sizeof text) : 0;
    (void)close(fd);
    struct span first = span_of(text, n > 0 ? (size_t)n : 0);
    return is_gzip(first) ? "gzip -dc" : is_zstd(first) ? "zstd -dc" : NULL;
}

/* SOURCE_PIECE: it is known what it is. */
static enum row_source_status sniff(struct row_source *s) {
    while (s->input.len < SNIFFED && !s->ended) {
        enum row_source_status status = read_more(s);
        if (status != SOURCE_PIECE) {
            return status;
        }
    }
    for (size_t i = 0; i < ARRAY_LENGTH(FOREIGN); i++) {
        if (begins(s->input, FOREIGN[i].magic)) {
            (void)snprintf(s->why, sizeof s->why, "It is %s", FOREIGN[i].what);
            return SOURCE_BROKEN;
        }
    }
    bool gzip = is_gzip(s->input);
    s->kind = gzip ? KIND_GZIP : is_zstd(s->input) ? KIND_ZSTD : KIND_PLAIN;
    bool fine = gzip ? gunzip_init(&s->gunzip) : s->kind == KIND_PLAIN || unzstd_init(&s->unzstd);
    return fine ? SOURCE_PIECE : broken(s, "It can't be read further than", "there is no memory");
}

/* In a plain file, what is passed over need not be read. */
static void seek(struct row_source *s) {
    if (!s->regular || s->skip <= s->input.len) {
        return;
    }
    uint64_t ahead = s->skip - s->input.len;
    if (ahead > INT64_MAX || lseek(s->fd, (off_t)ahead, SEEK_CUR) < 0) {
        return;
    }
    s->taken += ahead;
    s->input.len = 0;
    s->skip = 0;
}

static enum row_source_status next_plain(struct row_source *s, struct span *ret_piece) {
    seek(s);
    if (s->input.len == 0 && !s->ended) {
        enum row_source_status status = read_more(s);
        if (status != SOURCE_PIECE) {
            return status;
        }
    }
    *ret_piece = s->input;
    s->input.len = 0;
    return ret_piece->len ? SOURCE_PIECE : SOURCE_END;
}

static size_t unpack(struct row_source *s, const char **ret_fault) {
    return s->kind == KIND_GZIP ? gunzip_run(&s->gunzip, &s->input, s->out, sizeof s->out, ret_fault)
                                : unzstd_run(&s->unzstd, &s->input, s->out, sizeof s->out, ret_fault);
}

static enum row_source_status next_unpacked(struct row_source *s, struct span *ret_piece) {
    bool gzip = s->kind == KIND_GZIP;
    for (;;) {
        size_t before = s->input.len, made = s->fault ? 0 : unpack(s, &s->fault);
        if (made > 0) {
            *ret_piece = span_of(s->out, made);
            return SOURCE_PIECE;
        }
        if (s->fault) {
            return broken(s, gzip ? "The gzip archive is damaged near" : "The zstd archive is damaged near", s->fault);
        }
        if (s->input.len > 0 && s->input.len < before) {
            continue;
        }
        if (s->ended) {
            bool inside = gzip ? s->gunzip.in_member : s->unzstd.in_frame;
            return inside
                       ? broken(s, gzip ? "The gzip archive ends too soon, at" : "The zstd archive ends too soon, at",
                                "it was cut short")
                       : SOURCE_END;
        }
        enum row_source_status status = read_more(s);
        if (status != SOURCE_PIECE) {
            return status;
        }
    }
}

enum row_source_status row_source_next(struct row_source *s, struct span *ret_piece) {
    enum row_source_status status = s->why[0] ? SOURCE_BROKEN : s->kind ? SOURCE_PIECE : sniff(s);
    while (status == SOURCE_PIECE) {
        status = s->kind == KIND_PLAIN ? next_plain(s, ret_piece) : next_unpacked(s, ret_piece);
        if (status != SOURCE_PIECE) {
            break;
        }
        size_t passed = s->skip < ret_piece->len ? (size_t)s->skip : ret_piece->len;
        s->skip -= passed;
        *ret_piece = span_of(ret_piece->data + passed, ret_piece->len - passed);
        if (ret_piece->len > 0) {
            break;
        }
    }
    return status;
}

#include "token_file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void buf_wipe(struct buf *b) {
    if (b->data && !b->lent) {
        OPENSSL_cleanse(b->data, b->capacity);
    }
    buf_free(b);
}

static bool say(const char *path, const char *what, char why[static TOKEN_WHY_SIZE]) {
    (void)snprintf(why, TOKEN_WHY_SIZE, "%.250s %s", path, what);
    return false;
}

static bool cant_be_read(const char *path, int error, char why[static TOKEN_WHY_SIZE]) {
    char what[96];
    (void)snprintf(what, sizeof what, "can't be read: %s", strerrordesc_np(error));
    return say(path, what, why);
}

/* Reads into memory that never moves, so that no copy of a secret is left behind. */
static bool read_all(int fd, const char *path, struct buf *out, char why[static TOKEN_WHY_SIZE]) {
    for (;;) {
        size_t left = out->max - out->len;
        if (!left) {
            return say(path, "is larger than it may be", why);
        }
        ssize_t n = read(fd, out->data + out->len, left);
        if (n < 0 && errno != EINTR) {
            return cant_be_read(path, errno, why);
        }
        if (n == 0) {
            return true;
        }
        buf_advance(out, n > 0 ? (size_t)n : 0);
    }
}

bool small_file_read(const char *path, struct buf *out, char ret_why[static TOKEN_WHY_SIZE]) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return cant_be_read(path, errno, ret_why);
    }
    struct stat st;
    bool fine = false;
    if (fstat(fd, &st) != 0) {
        (void)cant_be_read(path, errno, ret_why);
    } else if (!S_ISREG(st.st_mode)) {
        (void)say(path, "can't be read: it is no regular file", ret_why);
    } else if (!buf_reserve(out, out->max - out->len)) {
        (void)say(path, "can't be read: out of memory", ret_why);
    } else {
        fine = read_all(fd, path, out, ret_why);
    }
    (void)close(fd);
    return fine;
}

bool token_file_read(const char *path, struct buf *out, char ret_why[static TOKEN_WHY_SIZE]) {
    if (!small_file_read(path, out, ret_why)) {
        return false;
    }
    size_t len = out->len;
    while (len && (out->data[len - 1] == '\n' || out->data[len - 1] == '\r')) {
        len--;
    }
    out->len = len;
    if (!len) {
        return say(path, "is empty: it has to hold a token", ret_why);
    }
    for (size_t i = 0; i < len; i++) {
        if (out->data[i] < ' ' || out->data[i] > '~') {
            return say(path, "holds no token: it has line ends or other control characters inside", ret_why);
        }
    }
    out->data[len] = '\0';
    return true;
}

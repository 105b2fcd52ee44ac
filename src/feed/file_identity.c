#include "checkpoint.h"

#include "buf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define END_SIZE ((size_t)1 << 20)

/* Hashes as many bytes from `at` on. False: errno, or 0 where the file ended or the library failed. */
static bool hash_part(int fd, off_t at, size_t size, char *room, struct digest *digest) {
    size_t read = 0;
    while (read < size) {
        ssize_t n = pread(fd, room + read, size - read, at + (off_t)read);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            errno = n < 0 ? errno : 0;
            return false;
        }
        read += (size_t)n;
    }
    errno = 0;
    return digest_sha256_update(digest, span_of(room, size));
}

static bool hash_ends(int fd, uint64_t size, char *room, struct digest *digest, struct file_identity *ret_identity) {
    uint8_t hash[SHA256_SIZE];
    size_t end = size < END_SIZE ? (size_t)size : END_SIZE;
    bool fine = digest_sha256_begin(digest) && hash_part(fd, 0, end, room, digest) &&
                hash_part(fd, (off_t)(size - end), end, room, digest) && digest_sha256_end(digest, hash);
    if (fine) {
        ret_identity->size = size;
        hex_encode(hash, sizeof hash, ret_identity->sha256);
    }
    return fine;
}

bool file_identity_read(const char *path, struct digest *digest, struct file_identity *ret_identity,
                        char ret_why[static CHECKPOINT_WHY_SIZE]) {
    struct stat status = {0};
    char *room = malloc(END_SIZE);
    int fd = room ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK) : -1;
    bool fine = fd >= 0 && fstat(fd, &status) == 0;
    if (!fine) {
        (void)snprintf(ret_why, CHECKPOINT_WHY_SIZE, "it can't be read: %s", strerrordesc_np(room ? errno : ENOMEM));
    } else if (!S_ISREG(status.st_mode)) {
        (void)snprintf(ret_why, CHECKPOINT_WHY_SIZE, "a job takes a regular file, which can be read again");
        fine = false;
    } else if (!hash_ends(fd, (uint64_t)status.st_size, room, digest, ret_identity)) {
        (void)snprintf(ret_why, CHECKPOINT_WHY_SIZE, "it can't be read: %s",
                       errno ? strerrordesc_np(errno) : "it changes meanwhile");
        fine = false;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    free(room);
    return fine;
}

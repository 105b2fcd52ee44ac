/* The file that takes the rows that are no messages: one JSON object a line, with the place, the error envelope and the
 * row as it stands in its file. Files only: blocking, and short. */
#pragma once

#include "buf.h"
#include "compiler.h"
#include "failure.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REJECTS_WHY_SIZE 512

struct rejects {
    int fd; /* -1: there is no such file */
    char path[4096];
    struct buf out;
    bool unsynced; /* what was written may not be on the disk */
    uint64_t *known; /* lines from a place on that stand in the file already, sorted */
    size_t known_count;
};

struct reject {
    const char *file; /* NULL: there is but one */
    uint64_t line;
    const struct failure *failure;
    struct span row;
    int64_t wall;
};

/* Opens the file, and writes behind what it holds. goes_on: that was written by an earlier run of the same job, and
 * rows from line `from` on that stand in it aren't written again. False: ret_why is a sentence. rejects_close() in any
 * case. */
MUST_USE bool rejects_open(struct rejects *r, const char *path, bool goes_on, uint64_t from,
                           char ret_why[static REJECTS_WHY_SIZE]);
/* Takes a row; *ret_known: it is in the file already. False: ret_why is a sentence. */
MUST_USE bool rejects_add(struct rejects *r, const struct reject *reject, bool *ret_known,
                          char ret_why[static REJECTS_WHY_SIZE]);
/* Writes all that was taken to the file; to_disk: and waits until it is on the disk. */
MUST_USE bool rejects_flush(struct rejects *r, bool to_disk, char ret_why[static REJECTS_WHY_SIZE]);
/* Whether rows that were added aren't in the file yet. */
static inline bool rejects_has_unwritten(const struct rejects *r) {
    return r->out.len > 0;
}
/* Takes one whose fd is -1, too. */
void rejects_close(struct rejects *r);
/* Whether two paths are of one file: then writing the one would spoil the other. */
bool rejects_same_file(const char *path, const char *other);
/* Appends bytes as a JSON string; what is no UTF-8 becomes U+FFFD. */
bool rejects_append_text(struct span text, struct buf *out);

/* Where METRICS_EMF's lines go: a file, opened anew for each line, so that it may be rotated at any time; or standard
 * output. Writing never waits: the figures of a line that isn't taken come with the next one. */
#pragma once

#include "log.h"
#include "metrics_emf.h"

#include <stdbool.h>

struct emf_file {
    const char *path; /* "-": standard output; NULL: not wanted */
    struct log *log;
    struct metrics_emf emf;
    bool failing; /* and the log has heard of it */
};

/* Whether lines can be written there; where not, the log says why. */
MUST_USE bool emf_file_open(struct emf_file *f, const char *path, struct log *log);
/* Whether lines could be written there, as far as that can be seen without making a file; where not, errno says why. */
MUST_USE bool emf_file_is_possible(const char *path);
/* Writes a line with what was counted since the last one. queue: "" where there is none. */
void emf_file_write(struct emf_file *f, const struct metrics *m, const char *queue, const char *table, int64_t wall);

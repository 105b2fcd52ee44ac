/* Lines of what runs one after the other, told apart by a key: the updates of one record, the messages of one group.
 * This keeps the lines and finds them; who stands where in one is up to its user. */
#pragma once

#include "compiler.h"
#include "span.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

/* A place in a line; whoever stands in one embeds it. Zeroed, it is in none. */
struct place {
    TAILQ_ENTRY(place) link;
    struct waiting_line *line; /* NULL: none */
    uint64_t hash; /* of the key; stays when it is in none any more */
    struct span key; /* borrowed for as long as it stands there */
};
TAILQ_HEAD(place_list, place);

/* The line of a key. It exists while someone stands in it. */
struct waiting_line {
    struct waiting_line *next; /* in its bucket */
    uint64_t hash;
    struct place_list places;
    unsigned length;
    unsigned applied; /* of records: updates that have changed it since the line began */
};

struct lines {
    struct waiting_line **buckets;
    size_t bucket_count; /* a power of two; 0 before the first */
    size_t count;
    uint64_t seed[2];
};

void lines_init(struct lines *lines, uint64_t seed0, uint64_t seed1);
void lines_free(struct lines *lines);
/* The line of a key; where it is new, the caller puts the first into it. NULL: no memory. */
MUST_USE struct waiting_line *lines_get(struct lines *lines, struct span key);
/* Puts a place into a line, behind another one, or (NULL) at its front. */
void line_put(struct waiting_line *line, struct place *place, struct place *after);
/* Takes a place out. An empty line ends. */
void lines_leave(struct lines *lines, struct place *place);

/* What is in the DLQ, by error and reason: how many, since when, and a few of them. Pure. */
#pragma once

#include "buf.h"
#include "compiler.h"
#include "letter.h"
#include "span.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#define LETTER_SAMPLES 3
#define LETTER_SAMPLE_SIZE 160
/* With so many groups, each error's further reasons go into one group; with twice as many, all further errors go into
 * one: producers could make up both without end. */
#define LETTER_GROUPS_MAX ((size_t)100)

struct letter_group {
    TAILQ_ENTRY(letter_group) link;
    struct buf key; /* error, NUL, reason */
    struct span error, reason; /* absent error: nothing tells it */
    const char *mending;
    uint64_t count;
    int64_t oldest, newest; /* wall microseconds */
    char samples[LETTER_SAMPLES][LETTER_SAMPLE_SIZE]; /* "message id (record id)" */
    unsigned sample_count;
};
TAILQ_HEAD(letter_group_list, letter_group);

struct letter_groups {
    struct letter_group_list list; /* in the order of their first message until letter_groups_sort() */
    size_t group_count;
    uint64_t count;
    int64_t oldest, newest;
};

void letter_groups_init(struct letter_groups *g);
/* Counts one message. False: no memory, and it isn't counted. */
MUST_USE bool letter_groups_add(struct letter_groups *g, const struct letter *letter, struct span message_id,
                                int64_t sent_at);
/* The largest first; of one size in the order they came. */
void letter_groups_sort(struct letter_groups *g);
void letter_groups_free(struct letter_groups *g);

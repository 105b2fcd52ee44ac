/* A look at the tables while the worker runs, to see whether their keys are still what they were at the start. Their
 * indexes may change: what a look finds is taken over. One look serves all that ask, and holds for a minute. */
#pragma once

#include "compiler.h"
#include "discovery.h"
#include "platform.h"

#include <stdbool.h>
#include <stdint.h>

enum look_outcome {
    LOOK_SAME,
    LOOK_CHANGED, /* the key of a table is another one, or the table is gone */
    LOOK_UNREADABLE /* it can't be known now */
};

struct look {
    const struct platform *platform;
    const struct discovery_facts *facts;
    struct call *calls[2];
    unsigned waiting; /* answers still to come */
    enum look_outcome worst;
    int64_t same_at; /* monotonic: when the last look that found them the same began; 0: none yet */
    int64_t began_at;
    struct call_result result; /* of the answer that was worst */
    void (*done)(void *ctx, enum look_outcome outcome, const struct call_result *result);
    void *ctx;
    struct timer timer; /* reports the outcome from the loop */
    struct table_shape table; /* by the last look: messages are checked against it. Last member, as it is large */
};

void look_init(struct look *look, const struct platform *platform, const struct discovery_facts *facts,
               void (*done)(void *ctx, enum look_outcome outcome, const struct call_result *result), void *ctx);
/* Looks, unless a look is under way. done follows, from the loop. fresh: looks even where the last look is less than a
 * minute old. */
void look_begin(struct look *look, bool fresh);
void look_cancel(struct look *look);
/* Whether both have the same key attributes. */
bool table_keys_equal(const struct table_shape *a, const struct table_shape *b);
/* Whether both define the same attributes, in any order: the keys of the table and of its indexes. */
bool table_definitions_equal(const struct table_shape *a, const struct table_shape *b);

/* Letters for the tests of what is shown and moved of a DLQ. */
#pragma once

#include "letter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LETTER_WALL 1704677672343000LL /* 2024-01-08T01:34:32.343Z */

static inline struct letter *letter_from(const char *body, const char *error_type) {
    static const uint64_t seed[2] = {5, 6};
    const struct letter_delivery d = {span_cstr(body), SPAN("m-1"), {NULL, 0}, span_cstr(error_type)};
    struct letter *l = letter_read(seed, &d);
    assert_non_null(l);
    return l;
}

/* One of ours, which failed at LETTER_WALL; details: members with a comma behind the last. */
static inline struct letter *letter_of(const char *error, const char *sentence, const char *details, const char *id) {
    char body[2048];
    (void)snprintf(body, sizeof body,
                   "{\"success\":false,\"error\":\"%s\",\"message\":\"%s\",\"details\":{%s\"source\":{\"body\":"
                   "\"{\\\"id\\\":\\\"%s\\\"}\",\"idempotency_key\":\"k\",\"queue\":\"q\",\"receive_count\":2}},"
                   "\"timestamp\":\"2024-01-08T01:34:32.343Z\"}",
                   error, sentence, details, id);
    /* What is read borrows from it. */
    static char kept[8][2048];
    static unsigned next;
    char *at = kept[next++ % 8];
    memcpy(at, body, sizeof body);
    return letter_from(at, error);
}

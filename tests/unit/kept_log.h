/* A log whose lines are kept, joined by newlines, at no time. */
#pragma once

#include "log.h"

#include <string.h>

static char logged[8192];

static void keep_line(void *ctx, struct span line) {
    (void)ctx;
    size_t used = strlen(logged);
    assert_true(used + line.len + 2 < sizeof logged);
    memcpy(logged + used, line.data, line.len);
    memcpy(logged + used + line.len, "\n", 2);
}

static int64_t no_time(void *ctx) {
    (void)ctx;
    return 0;
}

/* With nothing in it. */
static struct log test_log(void) {
    logged[0] = '\0';
    return (struct log){.clock = {no_time, no_time, NULL}, .sink = keep_line};
}

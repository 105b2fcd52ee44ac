/* A quick look at a message, for whoever has millions to check. Most are of the plainest kind, and one pass over the
 * bytes, without memory, shows that such a message is fit. All others are for update_read(), whose verdict alone
 * counts. */
#pragma once

#include "span.h"
#include "update.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UPDATE_PATTERN_VALUES 64
#define UPDATE_PATTERN_TEXT 2048

struct update_plain {
    bool has_key; /* it has an idempotency_key of its own */
    bool has_enable_logging;
};

#define UPDATE_PLAIN_KEY_MAX 1024 /* bytes of a plain key */

/* Whether text is a number as plain messages have it, with nothing around it. */
bool update_is_plain_number(struct span text);

/* What a plain message has around its values. Most messages of one source have the same there, so that of the next one
 * the values alone are looked at. Of one context; zeroed, it is none yet. */
struct update_pattern {
    unsigned count; /* of values */
    struct {
        uint16_t before; /* bytes of text before the value */
        uint8_t kind;
    } values[UPDATE_PATTERN_VALUES];
    size_t len;
    char text[UPDATE_PATTERN_TEXT + 16]; /* it is compared in blocks of 16 bytes */
    struct update_plain plain;
};

/* Whether the body is an update message with members of the plainest kind, wrapped in nothing, that update_read() finds
 * fit. False says nothing about it, and leaves *ret_plain as it was. The pattern becomes that of the last plain message
 * that was read without one. */
bool update_is_plain(const struct update_context *ctx, struct span body, struct update_pattern *pattern,
                     struct update_plain *ret_plain);

/* Texts as the tests hand them to a tool: each behind its length (4 bytes, the lowest first). */
#pragma once

#include "buf.h"

#include <stdint.h>
#include <stdio.h>

/* Reads the next text. False: the end of the input, or one cut short. */
static inline bool read_frame(struct buf *text) {
    uint8_t length[4];
    if (fread(length, 1, sizeof length, stdin) != sizeof length)
        return false;
    size_t len = (size_t)length[0] | (size_t)length[1] << 8 | (size_t)length[2] << 16 | (size_t)length[3] << 24;
    buf_reset(text);
    char *room = buf_reserve(text, len);
    if (!room || fread(room, 1, len, stdin) != len)
        return false;
    buf_advance(text, len);
    return true;
}

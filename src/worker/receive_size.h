/* How many messages a receive asks for: fewer after an answer that was cut or came slowly, so that a message that can't
 * pass, or not in time, stops only itself. And how much room to reserve for its bodies, by those that came lately.
 * Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How fast an answer came, compared with how long its messages are hidden. */
enum receive_pace { PACE_QUICK, PACE_FAIR, PACE_SLOW };

struct receive_size {
    unsigned most; /* messages that are asked for at most */
    unsigned cuts; /* in a row */
    int64_t pause; /* microseconds between two steps back to larger receives; 0: none */
    int64_t grows_at; /* monotonic: `most` doesn't grow before */
    size_t largest; /* about the bytes of the largest recent messages; 0: none came yet */
};

void receive_size_init(struct receive_size *s);
/* The answer to a receive that asked for `asked` messages was cut on its way, perhaps because of one message. hidden:
 * for how many microseconds its messages are hidden. */
void receive_size_cut(struct receive_size *s, unsigned asked, int64_t hidden, int64_t now);
/* An answer with messages came whole; took: from its first byte to its last (microseconds). */
enum receive_pace receive_size_came(struct receive_size *s, unsigned asked, int64_t took, int64_t hidden, int64_t now);
/* A message came whose body and attributes take so many bytes. */
void receive_size_note(struct receive_size *s, size_t bytes);
/* How many bytes to reserve for a message, at most max_message_size, the queue's limit. It may turn out larger
 * than what was reserved. */
size_t receive_size_reserve(const struct receive_size *s, size_t max_message_size);

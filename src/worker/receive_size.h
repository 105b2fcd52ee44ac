/* How much a receive asks for: fewer messages after one that was cut or came slowly, so that what can't pass, or not in
 * time, stops no more than itself; and how much room its bodies are expected to take, by those that came lately. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How fast an answer came, beside the time that its messages are hidden. */
enum receive_pace { PACE_QUICK, PACE_FAIR, PACE_SLOW };

struct receive_size {
    unsigned most; /* messages that are asked for at most */
    unsigned cuts; /* in a row */
    int64_t pause; /* microseconds that pass before more are asked for again; 0: none */
    int64_t grows_at; /* monotonic: not before */
    size_t body; /* bytes that the largest bodies had lately; 0: none came yet */
};

void receive_size_init(struct receive_size *s);
/* The answer to a receive of so many was cut on its way, perhaps for one message's sake. Its messages are hidden for so
 * long (microseconds). */
void receive_size_cut(struct receive_size *s, unsigned asked, int64_t hidden, int64_t now);
/* An answer with messages came whole; took: from its first byte to its last (microseconds). */
enum receive_pace receive_size_came(struct receive_size *s, unsigned asked, int64_t took, int64_t hidden, int64_t now);
/* A body of so many bytes came. */
void receive_size_note_body(struct receive_size *s, size_t bytes);
/* What is reserved for one body, of a queue whose messages have that many bytes at most. It may turn out larger. */
size_t receive_size_reserve(const struct receive_size *s, size_t max_message_size);

/* The way to the DLQ: the envelope is made, sent, acknowledged. A form that the DLQ refuses is followed by a plainer
 * one. */
#pragma once

#include "batcher.h"
#include "dead_letter.h"
#include "discovery.h"
#include "repeated_line.h"

enum letter_end {
    LETTER_DELIVERED, /* the DLQ has acknowledged it */
    LETTER_EXPIRED, /* its time was over before */
    LETTER_SET_ASIDE, /* it fails by itself, while others get through */
    LETTER_REFUSED, /* the DLQ refuses every form */
    LETTER_WITHOUT_MEMORY
};

struct letter {
    struct batch_entry entry;
    struct update *update; /* failed; borrowed while the letter is under way */
    const struct sqs_message *original; /* borrowed likewise */
    struct dead_letter content;
    bool made;
    enum dead_letter_form least_form;
    bool without_attributes; /* the DLQ refused one that had the original's */
    bool is_first; /* it goes before all others */
    bool at_once; /* it waits for no company */
};

struct dead_letters {
    struct batcher batcher;
    const struct discovery_facts *facts; /* borrowed */
    struct repeated_line body_alone, envelope_refused, plainer_form;
    enum batch_leave (*leave)(struct letter *letter, bool others_go);
    void (*ended)(struct letter *letter, enum letter_end end, const char *code);
};

/* leave: asked before a letter is sent; the owner may take it back by then (dead_letters_remove()). ended: its end,
 * with why, in words for the log. changed: after ends, and where trouble began or ended. */
void dead_letters_init(struct dead_letters *d, const struct platform *platform, const struct discovery_facts *facts,
                       enum batch_leave (*leave)(struct letter *letter, bool others_go),
                       void (*ended)(struct letter *letter, enum letter_end end, const char *code),
                       void (*changed)(void *ctx), void *ctx);
/* Says what is still to be said, ends its calls, forgets its letters. */
void dead_letters_done(struct dead_letters *d);
/* Sends it, until then (monotonic). alone: batches with it fail. */
void dead_letters_send(struct dead_letters *d, struct letter *letter, int64_t until, bool alone);
/* Its time changes; one under way is not sent again after it. */
static inline void dead_letters_until(struct letter *letter, int64_t until) {
    letter->entry.expires = until;
}
/* Forgets it. */
void dead_letters_remove(struct dead_letters *d, struct letter *letter);

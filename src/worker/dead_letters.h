/* Sends failed messages to the DLQ: makes the envelope, sends it, and waits for the acknowledgement. Where the DLQ
 * refuses one form of it, a plainer one follows. */
#pragma once

#include "batcher.h"
#include "dead_letter.h"
#include "discovery.h"
#include "repeated_line.h"

enum letter_end {
    LETTER_DELIVERED, /* the DLQ has acknowledged it */
    LETTER_EXPIRED, /* its time was over before the DLQ acknowledged it */
    LETTER_SET_ASIDE, /* it fails by itself, while others get through */
    LETTER_REFUSED, /* the DLQ refuses every form */
    LETTER_WITHOUT_MEMORY
};

struct letter {
    struct batch_entry entry;
    struct update *update; /* failed; borrowed while the letter is under way */
    const struct sqs_message *original; /* borrowed likewise */
    bool made; /* content is there */
    enum dead_letter_form least_form;
    bool without_attributes; /* the DLQ refused it with the original's attributes */
    bool is_first; /* it goes before all others */
    bool at_once; /* it doesn't wait for others to fill its batch */
    struct dead_letter content; /* the last member: it needn't be cleared */
};

struct dead_letters {
    struct batcher batcher;
    const struct discovery_facts *facts; /* borrowed */
    struct repeated_line body_alone, envelope_refused, plainer_form;
    enum batch_leave (*leave)(struct letter *letter, bool others_go);
    void (*ended)(struct letter *letter, enum letter_end end, const char *code);
};

/* leave: asked before a letter is sent; its owner may take it back then (dead_letters_remove()). ended: called at a
 * letter's end; code: why, in words for the log. changed: called after ends, and where trouble began or ended. */
void dead_letters_init(struct dead_letters *d, const struct platform *platform, const struct discovery_facts *facts,
                       enum batch_leave (*leave)(struct letter *letter, bool others_go),
                       void (*ended)(struct letter *letter, enum letter_end end, const char *code),
                       void (*changed)(void *ctx), void *ctx);
/* Logs what is still to be logged, cancels its calls, forgets its letters. */
void dead_letters_done(struct dead_letters *d);
/* Sends it; tries until then (monotonic). alone: it goes in no batch with others, as such batches fail. */
void dead_letters_send(struct dead_letters *d, struct letter *letter, int64_t until, bool alone);
/* Changes how long it is tried. A send under way goes on; after `until`, it isn't sent again. */
static inline void dead_letters_until(struct letter *letter, int64_t until) {
    letter->entry.expires = until;
}
/* Forgets it. */
void dead_letters_remove(struct dead_letters *d, struct letter *letter);

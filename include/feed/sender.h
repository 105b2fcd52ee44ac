/* Sends rows to a queue: batches of ten, up to 1 MiB, many in flight. A row that fails is sent again alone; one that
 * SQS refuses for good is given back. Of a FIFO group one row is under way at a time, in order. Bounded: rows are added
 * only while there is room. */
#pragma once

#include "clock.h"
#include "compiler.h"
#include "limiter.h"
#include "log.h"
#include "random.h"
#include "row_reader.h"
#include "span.h"
#include "sqs.h"
#include "timers.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#define SENDER_FLIGHTS_MAX 32
#define SENDER_ROWS_MAX ((size_t)2 * SENDER_FLIGHTS_MAX * SQS_BATCH_MAX)
#define SENDER_BYTES_MAX ((size_t)4 * 1024 * 1024) /* of rows held; a larger one is held alone */
#define SENDER_GROUPS 256

struct sender_row {
    TAILQ_ENTRY(sender_row) link; /* in fresh or again */
    TAILQ_ENTRY(sender_row) in_order; /* of all that are held */
    LIST_ENTRY(sender_row) busy; /* in sender.busy: no other row of its group may be sent */
    struct row_place place;
    unsigned file; /* the caller's number of it */
    struct span body, text; /* what is sent, and the row as its file has it */
    struct span group_id, deduplication_id;
    uint32_t group; /* a hash of the id */
    size_t size; /* of the block of memory that it is */
    bool is_busy; /* in a list of sender.busy */
    bool alone; /* it goes by itself */
    unsigned failures;
    int64_t added, not_before; /* monotonic */
    int64_t alone_since; /* monotonic: since when it fails while others get through; 0: it doesn't */
    uint64_t sent_then; /* rows that had been sent when it failed first */
};
TAILQ_HEAD(sender_rows, sender_row);
LIST_HEAD(sender_busy, sender_row);

enum sender_fault {
    SENDER_UNREACHABLE, /* for as long as patience goes */
    SENDER_DENIED, /* or without usable credentials */
    SENDER_NO_QUEUE
};

/* Called from the loop. The row is gone when the call returns. */
struct sender_host {
    void (*sent)(void *user, const struct sender_row *row);
    void (*refused)(void *user, const struct sender_row *row, const char *why); /* for good; why: a sentence */
    void (*changed)(void *user); /* there may be room again, or nothing is left */
    void (*failed)(void *user, enum sender_fault fault, const struct call_result *result); /* nothing more is sent */
    void *user;
};

struct sender_options {
    const struct sqs_api *sqs;
    const struct clock *clock;
    struct timers *timers;
    struct random *random;
    struct log *log;
    const char *queue_url;
    unsigned rate; /* rows a second; 0: no limit */
    unsigned delay_seconds; /* 0: the queue's own */
    int64_t patience; /* microseconds without any success after which it gives up */
};

struct sender_flight {
    LIST_ENTRY(sender_flight) link;
    struct sender *sender;
    struct call *call;
    struct sender_row *rows[SQS_BATCH_MAX];
    size_t count;
};

struct sender {
    struct sender_options options;
    struct sender_host host;
    struct sender_rows all, fresh, again;
    size_t count, bytes, fresh_count;
    struct sender_busy busy[SENDER_GROUPS];
    LIST_HEAD(, sender_flight) flights;
    unsigned flight_count, window; /* how many there may be */
    struct limiter limiter;
    struct timer timer;
    bool hurries; /* no row waits for company */
    bool stopped;
    uint64_t sent;
    unsigned failures; /* calls in a row that failed as a whole */
    int64_t trouble_since, not_before; /* monotonic; valid only while failures isn't 0 */
};

void sender_init(struct sender *s, const struct sender_options *options, const struct sender_host *host);
/* Ends its calls and forgets its rows. Takes a zeroed one too. */
void sender_done(struct sender *s);

/* What is added; all is copied. */
struct sender_item {
    struct row_place place;
    unsigned file;
    struct span body, text; /* text may be the body itself */
    struct span group_id, deduplication_id; /* absent: none */
};
bool sender_has_room(const struct sender *s);
/* False: no memory. */
MUST_USE bool sender_add(struct sender *s, const struct sender_item *item);
/* No row comes soon, or none at all: those that are there wait for no company. */
void sender_hurry(struct sender *s, bool hurries);
/* The oldest row that isn't done with; NULL: none is left. */
static inline const struct sender_row *sender_oldest(const struct sender *s) {
    return TAILQ_FIRST(&s->all);
}
/* Whether nothing has got through for a while. */
static inline bool sender_in_trouble(const struct sender *s) {
    return s->failures > 0;
}

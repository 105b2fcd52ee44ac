/* How fast transactions may start while DynamoDB throttles.
 *
 * It limits the rate, not the number in flight: where a thousand workers share one table, each gets less than one
 * transaction at a time. Nothing is limited until throttles come. Then every admitted answer raises the rate by a small
 * part of itself, and every throttled one lowers it by a larger part (both multiplicative, as in Kelly's Scalable TCP,
 * 2003, for windows). Where the two balance, a fixed part of the calls is throttled: 2 % at high rates, 6 % at one a
 * second, however many workers share the table and whatever their latencies. So calls stay below 1.1 times what is
 * admitted, and the whole capacity is used. CUBIC, as in the AWS SDKs' adaptive mode, grows with time: at one
 * transaction a second for each worker, half of its calls would be throttled. Growth by answers is the faster the more
 * is admitted: 60 s after throttling ends, nothing is held back any more.
 *
 * At the start nothing is known. Then, and only then, the number in flight is bounded: by 24 at first, and by one more
 * for each admitted answer, which doubles it in a round trip. So a large table is used fully after some round trips,
 * and a small one gets few calls in vain.
 *
 * A hot record's throttles tell nothing of the table. A record that was throttled lately is paced by itself. Its
 * answers move the rate only where many records have become hot at once: then it is the table. Pure: no clock, no I/O,
 * no allocation, O(1) for each answer. */
#pragma once

#include "random.h"

#include <stdbool.h>
#include <stdint.h>

#define HOT_RECORDS 256 /* a power of two */

/* Counts recent events in two windows. The earlier window counts only for the part of it that isn't past yet. */
struct event_rate {
    int64_t window, begins, since;
    unsigned current, before;
};

/* A record that was throttled lately. */
struct hot_record {
    uint64_t hash;
    int64_t next_at; /* no transaction before */
    int64_t forget_at; /* forgotten then, where no other throttle comes */
    uint64_t spell; /* adaptive_rate.spell, when it was last throttled */
    unsigned heat; /* in eighths of a level; each level doubles the time between two transactions */
};

struct adaptive_rate {
    bool limited;
    bool ramping; /* grows fast until the first throttle: after nothing was admitted, or after a quiet time */
    double rate; /* transactions a second, where limited */
    int64_t next_at; /* when the next may start */
    int64_t bound_at; /* when it last held a transaction back */
    double descends_from; /* the rate at the beginning of the second in which it falls now */
    int64_t descends_at;
    int64_t throttled_at; /* the last throttle that counted */
    int64_t held_at; /* when adaptive_rate_suspend() was called */
    int64_t admitted_at; /* the last admitted answer, or the start */
    unsigned window; /* most transactions in flight, at the start only; 0: no bound any more */
    double score; /* where not limited: throttles that counted, less the share of the answers that may be throttled
                     without harm */
    uint64_t blind_until; /* attempts up to this number began before the last decision, and tell nothing new */
    unsigned streak; /* throttles since the last admitted answer */
    unsigned streak_records; /* the number of records that these were of */
    uint64_t spell; /* which streak it is: a number that each admitted answer raises */
    int64_t hot_at; /* where nothing is admitted: no transaction of a hot record starts before */
    struct event_rate admitted, newly_hot;
    bool has_hot; /* hot holds something: a record was throttled */
    struct hot_record hot[HOT_RECORDS]; /* last member, as it is large and not cleared before its first use */
};

/* An attempt that was answered. */
struct rated_attempt {
    uint64_t record; /* its hash */
    uint64_t attempt; /* the attempt's number */
    uint64_t attempts; /* all attempts started until now */
};

void adaptive_rate_init(struct adaptive_rate *a, int64_t now);
/* Microseconds until a transaction may start; 0: now. */
int64_t adaptive_rate_wait(struct adaptive_rate *a, int64_t now);
/* How many transactions may be in flight, where `most` is the bound otherwise. */
unsigned adaptive_rate_window(const struct adaptive_rate *a, unsigned most);
/* Microseconds until a transaction of this record may start, as far as the record decides; 0: now. */
int64_t adaptive_rate_record_wait(const struct adaptive_rate *a, uint64_t record, int64_t now);
void adaptive_rate_started(struct adaptive_rate *a, struct random *random, int64_t now);
/* A transaction of this record has started. */
void adaptive_rate_record_started(struct adaptive_rate *a, uint64_t record, int64_t now);
/* DynamoDB answered, and didn't throttle. */
void adaptive_rate_admitted(struct adaptive_rate *a, const struct rated_attempt *answer, struct random *random,
                            int64_t now);
/* DynamoDB throttled it. Returns how long its record is to wait. */
int64_t adaptive_rate_throttled(struct adaptive_rate *a, const struct rated_attempt *answer, struct random *random,
                                int64_t now);
/* Whether nothing at all is admitted, and that for more than a few records. Then only probes can find the end. */
bool adaptive_rate_is_starved(const struct adaptive_rate *a, int64_t now);
/* From now on only probes are started. attempts: how many have started until now. */
void adaptive_rate_suspend(struct adaptive_rate *a, uint64_t attempts, int64_t now);
/* The first attempt since adaptive_rate_suspend() was admitted. */
void adaptive_rate_resume(struct adaptive_rate *a, uint64_t attempts, int64_t now);
/* Transactions a second, rounded up; 0: no limit. */
unsigned adaptive_rate_now(const struct adaptive_rate *a);

/* How fast transactions may start while DynamoDB throttles.
 *
 * The law is on the rate, not on the number in flight: a thousand workers that share one table get less than a
 * transaction at a time each. Nothing is limited until throttles come. Then every admitted answer raises the rate by a
 * small part of itself, and every throttled one lowers it by a larger part (multiplicative both, as Kelly's Scalable
 * TCP, 2003, has it for windows). Where the two balance, a fixed part of the calls is throttled, 2 % at high rates and
 * 6 % at one a second, however many workers share the table and whatever their latencies: so calls stay below 1.1 times
 * what is admitted, and the capacity is used whole. CUBIC, as in the AWS SDKs' adaptive mode, grows by the clock: at
 * one transaction a second for each worker, half of its calls would be throttled. Since growth is by the answer, it is
 * the faster the more is admitted: 60 s after a throttle ends nothing of it is left.
 *
 * At the start nothing is known. So there, and only there, the number in flight is bounded: from 24 on, by three more
 * for each admitted answer. So a large table is asked for all within two or three round trips, a small one for little
 * in vain.
 *
 * A hot record's throttles tell nothing of the table. A record that was throttled lately is paced by itself, and its
 * answers move the rate only where many records are in that state, which is then the table's. Pure: no clock, no I/O,
 * no allocation, O(1) for each answer. */
#pragma once

#include "random.h"

#include <stdbool.h>
#include <stdint.h>

#define HOT_RECORDS 256 /* a power of two */

/* Events of the last while: of two windows, the earlier one counts by the part of it that is not yet gone. */
struct event_rate {
    int64_t window, begins, since;
    unsigned current, before;
};

/* A record that was throttled lately. */
struct hot_record {
    uint64_t hash;
    int64_t next_at; /* no transaction before */
    int64_t forget_at; /* without another throttle */
    uint64_t spell; /* the rate's, when it was last throttled */
    unsigned heat; /* in eighths of a level; each level doubles the pace */
};

struct adaptive_rate {
    bool limited;
    bool ramping; /* from next to nothing to the first throttle: after a total one, or a quiet time */
    double rate; /* transactions a second, where limited */
    int64_t next_at; /* when the next may start */
    int64_t bound_at; /* when it last held one back */
    double descends_from; /* the rate at the beginning of a second in which it falls */
    int64_t descends_at;
    int64_t throttled_at; /* the last throttle that counted */
    int64_t held_at; /* when nothing was admitted any more */
    int64_t admitted_at; /* the last admitted answer, or the start */
    unsigned window; /* transactions in flight, from the start until there was room for all; 0: no bound */
    double score; /* where not limited: throttles that counted, less the part of the answers that would be no matter */
    uint64_t blind_until; /* attempts up to this one began before the last decision, and tell nothing new */
    unsigned streak; /* throttles since the last admitted answer */
    unsigned streak_records; /* of so many records */
    uint64_t spell; /* the number of the streak: admitted answers so far, and one */
    int64_t hot_at; /* where nothing is admitted: no transaction for a hot record before */
    struct event_rate admitted, newly_hot;
    struct hot_record hot[HOT_RECORDS];
};

/* An attempt that was answered. */
struct rated_attempt {
    uint64_t record; /* its hash */
    uint64_t attempt; /* its number */
    uint64_t attempts; /* started until now */
};

void adaptive_rate_init(struct adaptive_rate *a, int64_t now);
/* Microseconds until a transaction may start; 0: now. */
int64_t adaptive_rate_wait(struct adaptive_rate *a, int64_t now);
/* How many may be in flight, of `most`. */
unsigned adaptive_rate_window(const struct adaptive_rate *a, unsigned most);
/* The same for one of this record. */
int64_t adaptive_rate_record_wait(const struct adaptive_rate *a, uint64_t record, int64_t now);
void adaptive_rate_started(struct adaptive_rate *a, struct random *random, int64_t now);
/* One of this record has started. */
void adaptive_rate_record_started(struct adaptive_rate *a, uint64_t record, int64_t now);
/* DynamoDB answered as one that has the capacity. */
void adaptive_rate_admitted(struct adaptive_rate *a, const struct rated_attempt *answer, struct random *random,
                            int64_t now);
/* It throttled. Returns for how long its record is to wait. */
int64_t adaptive_rate_throttled(struct adaptive_rate *a, const struct rated_attempt *answer, struct random *random,
                                int64_t now);
/* Whether nothing at all is admitted, for more than a few records: then it is for probes to find the end. */
bool adaptive_rate_is_starved(const struct adaptive_rate *a, int64_t now);
/* Nothing is started any more, of the attempts until now. */
void adaptive_rate_suspend(struct adaptive_rate *a, uint64_t attempts, int64_t now);
/* The first was admitted after that. */
void adaptive_rate_resume(struct adaptive_rate *a, uint64_t attempts, int64_t now);
/* Transactions a second, rounded up; 0: no limit. */
unsigned adaptive_rate_now(const struct adaptive_rate *a);
